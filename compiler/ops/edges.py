"""The real meaning of an op at the edges, in mpmath: where an argument is infinite, where a
function leaves the reals, and where an exact value would not fit into memory.

`mp` is an mpmath context (or the module); operands are its `mpf`. IEEE 754's results, except that
the sign of a zero is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# exp(10^9) has four hundred million digits before the point: as good as infinite to any float.
LARGE = 10**9


def real(mp: Any, function: Callable[[Any], Any], x: Any) -> Any:
    """`function(x)`, nan where that is complex or undefined."""
    if mp.isnan(x):
        return mp.nan
    try:
        value = function(x)
    except (ValueError, ZeroDivisionError):
        return mp.nan
    return mp.nan if isinstance(value, mp.mpc) else value


def finite(mp: Any, function: Callable[[Any], Any], x: Any) -> Any:
    """`function(x)`, nan where x is infinite: for functions that have no limit there."""
    return mp.nan if mp.isinf(x) else real(mp, function, x)


def exp(mp: Any, x: Any) -> Any:
    if x > LARGE:
        return mp.inf
    return mp.mpf(0) if x < -LARGE else mp.exp(x)


def expm1(mp: Any, x: Any) -> Any:
    return exp(mp, x) - 1 if abs(x) > LARGE else mp.expm1(x)


def sinh(mp: Any, x: Any) -> Any:
    if abs(x) > LARGE:
        return mp.inf if x > 0 else -mp.inf
    return mp.sinh(x)


def cosh(mp: Any, x: Any) -> Any:
    return mp.inf if abs(x) > LARGE else mp.cosh(x)


def tanh(mp: Any, x: Any) -> Any:
    return mp.sign(x) if abs(x) > LARGE else mp.tanh(x)


def log(mp: Any, x: Any) -> Any:
    if x == 0:
        return -mp.inf
    return real(mp, mp.log, x)


def log1p(mp: Any, x: Any) -> Any:
    if x == -1:
        return -mp.inf
    return x if mp.isinf(x) and x > 0 else finite(mp, mp.log1p, x)


def quotient(mp: Any, x: Any, y: Any) -> Any:
    if y != 0:
        return x / y
    return mp.sign(x) * mp.inf if x != 0 else mp.nan


def power(mp: Any, x: Any, y: Any) -> Any:
    """C's `pow`."""
    if y == 0 or x == 1:
        return mp.mpf(1)
    if mp.isnan(x) or mp.isnan(y):
        return mp.nan
    whole = mp.isinf(y) or y == mp.floor(y)
    odd = not mp.isinf(y) and whole and mp.floor(y / 2) * 2 != y
    if x < 0 and not whole and not mp.isinf(x):
        return mp.nan
    sign = -1 if x < 0 and odd else 1
    size = abs(x)
    if size == 0:
        return mp.inf if y < 0 else mp.mpf(0)
    if size == 1:
        return mp.mpf(sign)
    if mp.isinf(size):
        return sign * mp.inf if y > 0 else mp.mpf(0)
    exponent = y * mp.log(size)
    if abs(exponent) > LARGE:
        return sign * mp.inf if exponent > 0 else mp.mpf(0)
    return sign * size**y


def atan2(mp: Any, y: Any, x: Any) -> Any:
    if mp.isnan(x) or mp.isnan(y):
        return mp.nan
    if mp.isinf(x) and mp.isinf(y):
        return mp.sign(y) * (mp.pi / 4 if x > 0 else 3 * mp.pi / 4)
    if mp.isinf(x):
        return mp.mpf(0) if x > 0 else (mp.pi if y >= 0 else -mp.pi)
    if mp.isinf(y):
        return mp.sign(y) * mp.pi / 2
    return mp.atan2(y, x)


def hypot(mp: Any, x: Any, y: Any) -> Any:
    return mp.inf if mp.isinf(x) or mp.isinf(y) else mp.sqrt(x * x + y * y)


def cbrt(mp: Any, x: Any) -> Any:
    return x if mp.isinf(x) or mp.isnan(x) else mp.sign(x) * mp.cbrt(abs(x))


def is_pole(mp: Any, x: Any) -> bool:
    """Whether x is 0, -1, -2, …, where the gamma function has its poles."""
    return bool(x <= 0 and not mp.isinf(x) and x == mp.floor(x))


def lgamma(mp: Any, x: Any) -> Any:
    if is_pole(mp, x) or mp.isinf(x):
        return mp.inf
    return mp.nan if mp.isnan(x) else mp.re(mp.loggamma(x))


def polygamma(mp: Any, n: int, x: Any) -> Any:
    if mp.isnan(x) or (mp.isinf(x) and x < 0):
        return mp.nan
    if mp.isinf(x):
        return mp.inf if n == 0 else mp.mpf(0)
    if is_pole(mp, x):
        if n % 2:
            return mp.inf
        return -mp.inf if x == 0 else mp.nan
    return mp.psi(int(n), x)
