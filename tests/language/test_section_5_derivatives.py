"""LANGUAGE, section 5: primes and `diff` to several orders, bindings, stated derivatives."""

import math
from collections.abc import Callable
from types import ModuleType

import mpmath
import pytest

Load = Callable[..., ModuleType]

DERIVATIVES = """
fn third(x) = diff(diff(diff(x^5, x), x), x)
fn paths(x, y) {
  u = x*y
  v = u^2 + x
  return diff(v, u) + diff(v, x)
}
fn latest(x) {
  x = x^2
  return diff(x^3, x)
}
fn held(x) {
  y = x
  return diff(x*y, x), diff(x*y, y)
}
fn mixed(x, y) = diff(diff(sin(x*y), x), y)
fn slope(x) = third'(x)
fn six(x) = x^6
fn fourth(x) = six''''(x)
fn piped(x) = x |> six'
fn scaled(n: int, x, on: bool) = if on then n*x^2 else x
fn with_ints(x) = scaled'(3, x, true)
fn setting(x; n = 3) = x^n
fn by_setting(x) = setting'(x) + setting''(x, n=2)
fn around(x) = (x + diff(x^2, x))*diff(x, x)
"""


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_orders_paths_and_bindings(load: Load, target: str, level: int) -> None:
    module = load(DERIVATIVES, target, level)
    assert module.third_value_and_grad(2.0) == (240, (240,))
    assert module.paths_value_and_grad(2.0, 3.0) == (2 * 6 + 2 * 6 * 3 + 1, (6 + 18, 4 + 24))
    assert module.latest_value_and_grad(2.0) == (48, (3 * 4 * 2**3,))
    assert module.held(3.0) == (6, 3)  # every path from x, of y only its own
    assert module.slope(2.0) == 240
    assert module.fourth(1.0) == 360
    assert module.piped(1.0) == 6
    assert module.with_ints_value_and_grad(2.0) == (12, (6,))
    assert module.by_setting(2.0) == 12 + 2
    assert module.around_value_and_grad(1.0) == (3, (3,))
    t = 0.12
    assert module.mixed(0.3, 0.4) == pytest.approx(math.cos(t) - t * math.sin(t), rel=1e-15)


BESSEL = """
extern fn j0(x) = "scipy.special.j0"
extern fn j1(x) = "scipy.special.j1"
derivative j0(x) = -j1(x)
derivative j1(x) = j0(x) - j1(x)/x
fn b(x) = j0(x)^2 + x
fn b1(x) = b'(x)
fn b3(x) = b'''(x)
extern fn jv(n, x) = "scipy.special.jv"
fn fixed(x) = jv(1, 2)*x
"""


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_stated_derivatives_of_externs_differentiate_again(load: Load, target: str) -> None:
    module = load(BESSEL, target)
    with mpmath.workdps(40):
        exact = [
            float(mpmath.diff(lambda x: mpmath.besselj(0, x) ** 2 + x, 1, n)) for n in range(5)
        ]
    value, (first,) = module.b_value_and_grad(1.0)
    assert [value, first] == pytest.approx(exact[:2], rel=1e-13)
    assert module.b1_value_and_grad(1.0)[1][0] == pytest.approx(exact[2], rel=1e-12)
    third, (fourth,) = module.b3_value_and_grad(1.0)
    assert [third, fourth] == pytest.approx(exact[3:], rel=1e-12)
