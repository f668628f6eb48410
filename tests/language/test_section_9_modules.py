"""LANGUAGE, section 9: the contracts of what a module offers, at every level, on both targets."""

import math
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

Load = Callable[..., ModuleType]

PROGRAM = """
fn f(x, y = 3) = x^2*y
fn p(x, y) = x*y, x
fn unused(x, y) = x^2
fn five(x) = 5
fn none() = 4
fn ints(n: int, b: bool) = if b then n else -n
fn mixed(n: int, x, b: bool) = if b then n*x^2 else x
fn edge(x, y) = if y == 0 then 0 else x/y
"""


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_contracts(load: Load, target: str, level: int) -> None:
    module = load(PROGRAM, target, level)
    value, saved = module.f_forward(2.0)
    assert value == 12
    assert module.f_backward(saved) == (12, 4)
    assert module.f_backward(saved, 0.5) == module.f_backward(saved, grad=0.5) == (6, 2)
    assert module.f_value_and_grad(2.0, y=1.0) == (4, (4, 4))
    assert module.f_jvp((2.0, 3.0), (1.0, -1.0)) == (12, 8)
    assert module.f_jacobian(2.0) == (12, 4)
    assert module.f_hessian(2.0) == ((6, 4), (4, 0))
    values, saved = module.p_forward(2.0, 3.0)
    assert values == (6, 2)
    assert module.p_backward(saved, (1.0, 10.0)) == (13, 2)
    assert module.p_jvp((2.0, 3.0), (1.0, 0.0)) == ((6, 2), (3, 1))
    assert module.p_jacobian(2.0, 3.0) == ((3, 2), (1, 0))
    with pytest.raises(TypeError):
        module.p_backward(saved)
    assert not hasattr(module, "p_value_and_grad")
    assert module.unused_value_and_grad(3.0, 1.0) == (9, (6, 0))
    assert module.five_value_and_grad(1.0) == (5, (0,))
    assert module.five_hessian(1.0) == ((0,),)
    assert (module.none(), module.ints(3, False)) == (4, -3)
    assert not any(hasattr(module, f"{n}_backward") for n in ("none", "ints"))
    assert module.mixed_value_and_grad(3, 2.0, True) == (12, (12,))
    assert module.mixed_backward(module.mixed_forward(3, 2.0, False)[1]) == (1,)
    assert module.edge_hessian(3.0, 0.0) == ((0, 0), (0, 0))
    assert module.edge_jvp((3.0, 0.0), (1.0, 1.0)) == (0, 0)


# argument pairs of x^y: value, d/dx, d/dy; None where nothing is settled
POWERS = {
    (0.0, 2.0): (0, 0, 0),
    (-2.0, 3.0): (-8, 12, math.nan),
    (0.0, 0.0): (1, 0, None),
    (0.0, 1.0): (0, 1, 0),
    (0.0, 0.5): (0, math.inf, 0),
    (-2.0, 0.5): (math.nan, math.nan, math.nan),
    (2.0, 0.0): (1, 0, math.log(2)),
}


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_powers_at_the_edge(load: Load, target: str, level: int) -> None:
    module = load("fn f(x, y) = x^y\n", target, level)
    for point, wanted in POWERS.items():
        value, gradient = module.f_value_and_grad(*point)
        for found in ((value, *gradient), (value, *module.f_jacobian(*point))):
            pairs = [(f, w) for f, w in zip(found, wanted, strict=True) if w is not None]
            assert [f for f, _ in pairs] == pytest.approx([w for _, w in pairs], nan_ok=True)


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_what_is_masked_is_no_number(load: Load, target: str) -> None:
    module = load("fn f(x: [N]) = sum(x)", target)
    with pytest.raises(TypeError, match=r"f: argument 'x' must hold .*, not a masked array"):
        module.f(np.ma.masked_array([1.0, 2.0], mask=[False, True]))
    with pytest.raises(TypeError, match="not a masked array"):
        module.f(np.ma.masked_array([1.0, 2.0]))


def test_sizes_behind_an_empty_axis_are_those_of_the_array(load: Load) -> None:
    module = load("fn f(x: [.., D], g: [D]) -> [..] = sum(x*g, axis=-1)", "python")
    assert module.f(np.ones((2, 0, 3)), [1.0, 2.0, 3.0]) == [[], []]
    with pytest.raises(ValueError, match="g has shape"):
        module.f(np.ones((2, 0, 3)), [1.0, 2.0])


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_the_jacobian_of_leading_axes_that_are_none(load: Load, target: str) -> None:
    module = load("fn f(x: [..], y: [..]) -> [..] = x*y", target)
    assert module.f_jacobian(2.0, 3.0) == (3.0, 2.0)


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_gradients_of_an_empty_result_have_the_shapes_of_the_arguments(
    load: Load, target: str
) -> None:
    module = load("fn f(x: [N, D], k: int[K], a) = a*x[k]", target)
    _, saved = module.f_forward(np.ones((4, 2)), [], 3.0)
    d_x, d_a = module.f_backward(saved, [] if target == "python" else np.ones((0, 2)))
    np.testing.assert_array_equal(d_x, np.zeros((4, 2)))
    assert d_a == 0
