"""Special functions of arrays. SciPy is imported when one of them is first called."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from mgrad.runtime import gamma

Array = Any


@cache
def _scipy() -> Any:
    import scipy.special

    return scipy.special


def erf(x: Array, out: Array | None = None) -> Array:
    """Error function."""
    return _scipy().erf(x, out=out)


def erfc(x: Array, out: Array | None = None) -> Array:
    """1 - erf(x)."""
    return _scipy().erfc(x, out=out)


def lgamma(x: Array, out: Array | None = None) -> Array:
    """Logarithm of the absolute value of the gamma function."""
    return _scipy().gammaln(x, out=out)


def digamma(x: Array, out: Array | None = None) -> Array:
    """Derivative of lgamma."""
    return _scipy().psi(x, out=out)


def polygamma(n: Array, x: Array) -> Array:
    """The n-th derivative of digamma.

    SciPy's own wants a positive x; below, element by element, as on Python floats.
    """
    x = np.asarray(x)
    if not np.all(x > 0):
        values = np.frompyfunc(gamma.polygamma, 2, 1)(n, x)
        return np.asarray(values, dtype=x.dtype if x.dtype.kind == "f" else float)[()]
    return _scipy().polygamma(n, x).astype(x.dtype)[()]
