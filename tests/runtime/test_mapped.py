"""Functions of numbers whose bodies hold arrays, on arrays: values, gradients and the rest are
those of polynomials written out."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mgrad
from mgrad.runtime.tensors import arrays_backward, arrays_forward, arrays_value_and_grad

PROGRAM = """
fn poly(t) = sum(t^i for i in 0..5)

fn f(a, b) {
  v = [a*i + b for i in 0..4]
  return sum(v^2)
}

fn shifted(a, lambda: int) = f(a, lambda) + lambda

fn both(a, n: int, on: bool) = sum(a^i for i in 0..n), n + 1, on, sum(a*i for i in 0..n)
"""


@pytest.fixture(scope="module", params=[0, 1, 2])
def module(request: pytest.FixtureRequest, tmp_path_factory: Any) -> ModuleType:
    path: Path = tmp_path_factory.mktemp("mapped") / "program.mg"
    path.write_text(PROGRAM)
    extras = ("jvp", "jacobian", "hessian")
    return mgrad.load(path, target="numpy", level=request.param, emit=extras)


def same(found: Any, wanted: Any, dtype: Any = np.float64) -> None:
    assert found.dtype == dtype
    assert found.shape == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-12 if dtype != np.float32 else 1e-5)
    if found.shape:
        assert found.flags.writeable


# sum((a*i + b)^2 for i in 0..4) = 14 a^2 + 12 a b + 4 b^2
A, B = np.array([[0.5], [-1.0], [2.0]]), np.array([1.0, 3.0])
VALUE = 14 * A**2 + 12 * A * B + 4 * B**2
BY_A, BY_B = 28 * A + 12 * B, 12 * A + 8 * B


def test_values_are_those_of_each_element(module: ModuleType) -> None:
    t = np.array([[0.0, 1.0, 2.0], [-1.0, 0.5, 10.0]])
    same(module.poly(t), np.polyval(np.ones(5), t))
    same(module.poly(t.tolist()), np.polyval(np.ones(5), t))
    same(module.poly(t=t[0]), [1, 5, 31])
    same(module.f(A, B), VALUE)
    same(module.f(2.0, B), VALUE[2])
    assert type(module.poly(2)) is np.float64


def test_gradients_have_the_shapes_of_their_arguments(module: ModuleType) -> None:
    values, (d_a, d_b) = module.f_value_and_grad(A, B)
    same(values, VALUE)
    same(d_a, BY_A.sum(axis=1, keepdims=True))
    same(d_b, BY_B.sum(axis=0))
    _, (d_a, d_b) = module.f_value_and_grad(2.0, b=B)
    same(d_a, BY_A[2].sum())
    same(d_b, BY_B[2])


def test_backward_takes_a_gradient_of_each_value(module: ModuleType) -> None:
    values, saved = module.f_forward(A, B)
    same(values, VALUE)
    seed = np.array([[1.0, 0.0], [0.5, 2.0], [-1.0, 3.0]])
    for given, weights in (
        ((), np.ones((3, 2))),
        ((2.0,), np.full((3, 2), 2.0)),
        ((seed,), seed),
    ):
        d_a, d_b = module.f_backward(saved, *given)
        same(d_a, (weights * BY_A).sum(axis=1, keepdims=True))
        same(d_b, (weights * BY_B).sum(axis=0))
    with pytest.raises(ValueError, match=r"f_backward: .* do not broadcast"):
        module.f_backward(saved, np.ones(5))


def test_forward_mode_and_matrices_map(module: ModuleType) -> None:
    values, tangents = module.f_jvp((A, B), (np.ones((3, 1)), -1.0))
    same(values, VALUE)
    same(tangents, BY_A - BY_B)
    by_a, by_b = module.f_jacobian(A, B)
    same(by_a, BY_A)
    same(by_b, BY_B)
    (aa, ab), (ba, bb) = module.f_hessian(A, B)
    for found, wanted in ((aa, 28), (ab, 12), (ba, 12), (bb, 8)):
        same(found, np.full((3, 2), wanted))


def test_ints_map_and_have_no_gradient(module: ModuleType) -> None:
    n = np.array([1, 3])
    values, (d_a,) = module.shifted_value_and_grad(A, n)
    same(values, 14 * A**2 + 12 * A * n + 4 * n**2 + n)
    same(d_a, (28 * A + 12 * n).sum(axis=1, keepdims=True))
    with pytest.raises(TypeError, match="shifted: argument 'lambda_' must hold ints, not float64"):
        module.shifted(A, B)


def test_several_results_and_sizes_that_are_arguments(module: ModuleType) -> None:
    a, n, on = np.array([2.0, 3.0]), np.array([[2], [3]]), np.array([True, False])
    power = np.array([[3.0, 4.0], [7.0, 13.0]])  # 1 + a, 1 + a + a^2
    by_power = np.array([[1.0, 1.0], [5.0, 7.0]])
    times = np.array([[1.0], [3.0]])  # 0 + 1, 0 + 1 + 2
    found = module.both(a, n, on)
    kinds = (np.float64, np.int64, np.bool_, np.float64)
    wanted = (power, [[3, 3], [4, 4]], [[True, False]] * 2, a * times)
    for one, other, kind in zip(found, wanted, kinds, strict=True):
        same(one, other, kind)
    _, saved = module.both_forward(a, n, on)
    (d_a,) = module.both_backward(saved, (1.0, times))
    same(d_a, (by_power + times * times).sum(axis=0))
    _, tangents = module.both_jvp((a, n, on), (2.0,))
    same(tangents[0], 2 * by_power)
    same(tangents[1], np.broadcast_to(2 * times, (2, 2)))
    first, second = module.both_jacobian(a, n, on)
    same(first[0], by_power)
    same(second[0], np.broadcast_to(times, (2, 2)))
    with pytest.raises(ValueError, match="both: n >= 0 must hold, since n is -1"):
        module.both(a, [2, -1], True)


def test_no_elements_are_no_calls(module: ModuleType) -> None:
    same(module.poly([]), np.zeros(0))
    values, (d_a, d_b) = module.f_value_and_grad(1.0, np.zeros((0, 2)))
    same(values, np.zeros((0, 2)))
    same(d_a, 0.0)
    same(d_b, np.zeros((0, 2)))
    real, count, on, _ = module.both(np.zeros(0), 2, True)
    assert (real.dtype, count.dtype, on.dtype) == (np.float64, np.int64, np.bool_)


def test_one_dtype_a_call(module: ModuleType) -> None:
    a = A.astype(np.float32)
    same(module.f(a, 1.0), 14 * A**2 + 12 * A + 4, np.float32)
    _, (d_a, d_b) = module.f_value_and_grad(a, 1.0)
    same(d_a, 28 * A + 12, np.float32)
    same(d_b, (12 * A + 8).sum(), np.float32)


def test_what_is_not_numbers_is_told(module: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"f: arguments a \[2\] and b \[3\] do not broadcast"):
        module.f([1, 2], [1, 2, 3])
    with pytest.raises(TypeError, match="must hold real numbers, not an array of unequal rows"):
        module.f([[1], [2, 3]], 1)
    with pytest.raises(TypeError, match="argument 'a' must hold real numbers, not text"):
        module.f(["1", "2"], 1)
    with pytest.raises(ValueError, match=r"along\[0\] has shape \(2,\), but t has \(\)"):
        module.poly_jvp((1.0,), ([1.0, 2.0],))


def test_ieee_754_without_a_warning(module: ModuleType) -> None:
    same(module.poly([np.inf, 1e200]), [np.inf, np.inf])


@arrays_forward("x")
def g_forward(x, *, work=None):
    """sum of x^2 and (2*x)^2."""
    v = x * np.array([1.0, 2.0])
    return v @ v, (v,)


@arrays_backward
def g_backward(saved, grad=1.0, *, work=None):
    (v,) = saved
    return (2 * grad * (v @ np.array([1.0, 2.0])),)


@arrays_value_and_grad("x")
def g_value_and_grad(x, *, work=None):
    return 5 * x * x, (10 * x,)


def test_a_workspace_is_of_no_use_and_no_harm() -> None:
    work: dict[str, Any] = {}
    x = np.array([1.0, 2.0, 3.0])
    value, saved = g_forward(x, work=work)
    same(value, 5 * x**2)
    same(g_backward(saved, work=work)[0], 10 * x)
    same(g_value_and_grad(x, work=work)[1][0], 10 * x)
