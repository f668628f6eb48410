"""LANGUAGE, section 1: precedence, names, calls, several results, mapping over arrays."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

Load = Callable[..., ModuleType]

# expression in x, at x = 3, its value by the rules of mathematics
PRECEDENCE = [
    ("-x^2", -9),
    ("2^x^2", 512),
    ("-x^-2", -1 / 9),
    ("2*-x", -6),
    ("x - 1 - 1", 1),
    ("x/2/3", 0.5),
    ("12/x*2", 8),
    ("x - -x", 6),
    ("x + 1 |> square", 16),
    ("square'(x)^2", 36),
    ("if x < 0 then 1 else 0 + 5", 5),
    ("if not x > 5 and x > 0 or x < -1 then 1 else 0", 1),
    ("if x > 5 or x > 0 and not x > 1 then 1 else 0", 0),
    ("if 0 < x <= 3 < 4 then 1 else 0", 1),
    ("if 3 > x > 1 then 1 else 0", 0),
    ("x*(1/3)*3", 3),
    ("0.1 + 0.2 + 0*x", 0.3),
]


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_precedence(load: Load, target: str) -> None:
    lines = ["fn square(x) = x^2"]
    lines += [f"fn case_{i}(x) = {text}" for i, (text, _) in enumerate(PRECEDENCE)]
    module = load("\n".join(lines) + "\n", target)
    found = {text: getattr(module, f"case_{i}")(3.0) for i, (text, _) in enumerate(PRECEDENCE)}
    assert found == dict(PRECEDENCE)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_keywords_and_names_of_the_target_are_names(load: Load, target: str, level: int) -> None:
    module = load(
        """
fn lambda(class, None, def) = class*None + def
fn print(import, True) {
  with = import*True
  del = with^2
  return del
}
fn all(np, math, d_np, saved, grad, float, type, reals, ieee) {
  return np*math + d_np*saved + grad*float + type*reals + ieee
}
fn require(x) {
  float = 1/x
  type = float + x
  return type
}
""",
        target,
        level,
    )
    assert module.lambda_value_and_grad(2.0, 3.0, 4.0) == (10, (3, 2, 1))
    assert module.lambda_(class_=2.0, None_=3.0, def_=4.0) == 10
    assert module.print_value_and_grad(2.0, 3.0) == (36, (36, 24))
    gradient = module.all_value_and_grad(*map(float, range(1, 10)))[1]
    assert gradient == (2, 1, 4, 3, 6, 5, 8, 7, 1)
    assert module.require_value_and_grad(0.5) == (2.5, (-3,))
    assert module.require(0.0) == np.inf


def test_made_up_names_give_way_to_functions(load: Load) -> None:
    module = load(
        "fn f(x) = x^2\nfn f_saved(x) = x^3\nfn f_value(x) = 1/x\nfn sign(x) = -x\n"
        "fn g(x) = f(x)*f_saved(x)\n"
        "fn h(x) {\n  f_value = f(x)\n  return f_value*abs(x)*sign(x)\n}\n"
    )
    assert module.g_value_and_grad(2.0) == (32, (80,))
    assert module.h_value_and_grad(2.0) == (-16, (-32,))
    assert module.f_value(0.0) == np.inf


def test_own_definitions_shadow_built_ins_and_names_are_compared_in_nfkc(load: Load) -> None:
    module = load(
        "fn exp(x) = x + 1\nfn f(x) = exp(x)\nfn pow(x, y) = x - y\n"
        "fn k(abs) = abs^2.5 + pow(abs, 1)\nfn ﬁt(σ) = 2*σ\nfn call(θ1) = fit(θ1)\n"
    )
    assert module.f(1.0) == 2
    assert module.k_value_and_grad(4.0) == (35, (21,))
    assert module.call_value_and_grad(3.0) == (6, (2,))


def test_defaults_keywords_results_and_underscore(load: Load) -> None:
    module = load(
        """
const q = 7
fn h(r, s = 1, t = q/2) = r*s*t
fn a(x) = h(x, t=2)
fn b(x) = h(s=x, r=3)
fn three(x, y) = x*y, x + y, x
fn use(x, y) {
  p, s, _ = three(x, y)
  _, t, _ = three(p, s)
  p, s = s, p
  return p*s*t
}
"""
    )
    assert module.h_value_and_grad(2.0) == (7, (3.5, 7, 2))
    assert (module.a(3.0), module.b(1.0), module.h(r=2.0, t=1.0)) == (6, 10.5, 2)
    assert module.three(2.0, 3.0) == (6, 5, 2)
    assert module.use(2.0, 3.0) == 5 * 6 * 11
    assert module.three_backward(module.three_forward(2.0, 3.0)[1], (1.0, 10.0, 100.0)) == (113, 12)


def test_a_newline_continues_where_the_language_says_so(load: Load) -> None:
    module = load(
        "fn f(x,\n  y = 2,\n) =\n  x +\n  y *\n  2\nfn g(x) = if x > 0\n  then 1\n  else\n  2\n"
        "fn h(x) = x\n  |> f\n  |> f(3)\n# between\n\nfn k(x) = (x\n  + 1\n  - 2)\n"
    )
    assert (module.f(1.0), module.g(1.0), module.g(-1.0), module.h(1.0)) == (5, 1, 2, 11)
    assert module.k(1.0) == 0


ARRAYS = """
fn f(x, y) = x^2*sin(y)
fn five(x) = 5
fn same(x) = x
fn sum_of(a, b) = a + b
fn root(x) = if x > 0 then sqrt(x) else 0
fn power(x, k: int) = x^k
fn cube(x) = x^3
fn slope(x) = cube'(x)
fn inside(x) = 0 < x <= 1
"""


@pytest.mark.parametrize("level", [0, 1, 2])
def test_functions_map_and_gradients_have_the_shapes_of_arguments(load: Load, level: int) -> None:
    module = load(ARRAYS, "numpy", level)
    x, y = np.linspace(0.1, 2, 6).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    value, saved = module.f_forward(x, y)
    np.testing.assert_allclose(value, x**2 * np.sin(y), rtol=1e-15)
    expected = [2 * x * np.sin(y), (x**2 * np.cos(y)).sum(axis=0)]
    for found in (module.f_value_and_grad(x, y)[1], module.f_backward(saved)):
        for part, wanted in zip(found, expected, strict=True):
            assert part.shape == wanted.shape
            np.testing.assert_allclose(part, wanted, rtol=1e-14)
    assert np.shape(module.f_value_and_grad(x, 2.0)[1][1]) == ()
    assert module.f_value_and_grad(np.zeros((0, 3)), y)[1][0].shape == (0, 3)
    value, (slope,) = module.five_value_and_grad(x)
    assert value.shape == slope.shape == x.shape
    assert not slope.any()
    np.testing.assert_allclose(module.slope(x), 3 * x**2, rtol=1e-15)
    assert module.inside([-1, 0.5, 2]).tolist() == [False, True, False]
    found = module.root_value_and_grad(np.array([-1.0, 0.0, 4.0]))
    assert [part.tolist() for part in (found[0], found[1][0])] == [[0, 0, 2], [0, 0, 0.25]]
    (slope,) = module.power_value_and_grad(x, np.array([1, 2, 3]))[1]
    np.testing.assert_allclose(slope, [1, 2, 3] * x ** [0, 1, 2], rtol=1e-15)


def test_results_never_alias(load: Load) -> None:
    module = load(ARRAYS, "numpy")
    x, seed = np.ones((2, 3)), np.ones((2, 3))
    assert not np.shares_memory(module.same(x), x)
    assert not np.shares_memory(module.same_backward(module.same_forward(x)[1], seed)[0], seed)
    first, second = module.sum_of_backward(module.sum_of_forward(x, x)[1], seed)
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: m.f(np.ones(3), np.ones(4)), ValueError, "x \\[3\\] and y \\[4\\]"),
        (lambda m: m.power(1.0, np.array([1.0])), TypeError, "'k' must hold ints"),
        (lambda m: m.f("a", 1.0), TypeError, "'x' must hold real numbers"),
        (lambda m: m.f(np.array([1j]), 1.0), TypeError, "'x' must hold real numbers"),
    ],
)
def test_the_door_names_the_argument(
    load: Load, call: Callable[[ModuleType], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call(load(ARRAYS, "numpy"))
