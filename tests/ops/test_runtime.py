"""The runtime's own functions, on Python floats and on arrays."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

from mgrad.runtime import elementary, gamma, special

ROOT = Path(__file__).parents[2]
INF, NAN = math.inf, math.nan


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8])
@pytest.mark.parametrize("span", [(1e-6, 1.0), (1.0, 2.0), (2.0, 12.0), (12.0, 1e6)])
def test_polygamma_of_positive_numbers(n: int, span: tuple[float, float]) -> None:
    draw = random.Random(n)
    for _ in range(40):
        x = draw.uniform(*span)
        with mpmath.workdps(40):
            true = float(mpmath.psi(n, mpmath.mpf(x)))
        assert gamma.polygamma(n, x) == pytest.approx(true, rel=(3 + n) * 2.0**-52, abs=0)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_polygamma_of_negative_numbers(n: int) -> None:
    draw = random.Random(n)
    for _ in range(60):
        x = draw.uniform(-20.0, 0.0)
        with mpmath.workdps(40):
            true = float(mpmath.psi(n, mpmath.mpf(x)))
        scale = 1 + abs(true)  # next to a root the terms of the reflection cancel
        assert gamma.polygamma(n, x) == pytest.approx(true, abs=60 * scale * 2.0**-52)
        assert special.polygamma(n, x) == gamma.polygamma(n, x)


def test_the_series_at_the_root_is_mpmaths() -> None:
    with mpmath.workdps(60):
        root = mpmath.findroot(mpmath.digamma, 1.4616)
        assert float(root) == gamma.ROOT
        assert float(root - gamma.ROOT) == gamma.ROOT_REST
        for k, coefficient in enumerate(gamma.AT_ROOT, start=1):
            assert coefficient == float(mpmath.psi(k, root) / mpmath.factorial(k))


def test_digamma_next_to_its_root() -> None:
    for x in (gamma.ROOT, math.nextafter(gamma.ROOT, 2), math.nextafter(gamma.ROOT, 1)):
        with mpmath.workdps(50):
            true = float(mpmath.digamma(mpmath.mpf(x)))
        assert gamma.digamma(x) == pytest.approx(true, rel=1e-15, abs=0)


def test_poles_and_infinities() -> None:
    assert gamma.digamma(0.0) == -INF
    assert gamma.digamma(-0.0) == INF
    assert math.isnan(gamma.digamma(-3.0))
    assert gamma.digamma(INF) == INF
    assert math.isnan(gamma.digamma(-INF))
    assert math.isnan(gamma.digamma(NAN))
    assert gamma.polygamma(1, 0.0) == gamma.polygamma(1, -4.0) == INF
    assert gamma.polygamma(2, 0.0) == -INF
    assert math.isnan(gamma.polygamma(2, -4.0))
    assert gamma.polygamma(3, INF) == 0
    assert math.isnan(gamma.polygamma(-1, 2.0))


def test_digamma_of_arrays_has_the_same_poles() -> None:
    x = np.array([0.0, -3.0, INF, NAN, 1.0])
    with np.errstate(all="ignore"):
        assert np.allclose(special.digamma(x), [*map(gamma.digamma, x)], equal_nan=True)


def test_polygamma_keeps_float32() -> None:
    for low in (0.5, -0.5):
        x = np.array([low, 2.5], dtype=np.float32)
        assert special.polygamma(1, x).dtype == np.float32


def test_nan_goes_through() -> None:
    for pair in ((NAN, 1.0), (1.0, NAN)):
        assert math.isnan(elementary.maximum(*pair))
        assert math.isnan(elementary.minimum(*pair))
    assert math.isnan(elementary.sign(NAN))
    assert math.isnan(elementary.clip(0.5, NAN, 1.0))


@pytest.mark.parametrize(
    ("module", "absent"), [("gamma", "numpy"), ("elementary", "numpy"), ("special", "scipy")]
)
def test_importing_brings_no_more_than_its_target(module: str, absent: str) -> None:
    program = f"import sys, mgrad.runtime.{module}; sys.exit({absent!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT)
    assert done.returncode == 0
