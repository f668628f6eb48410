"""Generated-like functions on arrays: values and gradients are those of a loop of scalars."""

from __future__ import annotations

import inspect
import math
import threading
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mgrad.runtime import arrays, blocks
from mgrad.runtime.elementwise import (
    elementwise,
    elementwise_backward,
    elementwise_forward,
    elementwise_jvp,
    elementwise_value_and_grad,
)

# g(a, b) = a*exp(b) + a^2, written as a generated module has it.


@elementwise
def g(a, b=1.0):
    """A value."""
    return a * np.exp(b) + a * a


@elementwise_forward
def g_forward(a, b=1.0):
    exp_b = np.exp(b)
    return a * exp_b + a * a, (a, exp_b)


@elementwise_backward
def g_backward(saved, grad=1.0):
    """Gradients."""
    a, exp_b = saved
    return grad * (exp_b + 2 * a), grad * a * exp_b


@elementwise_value_and_grad
def g_value_and_grad(a, b=1.0):
    exp_b = np.exp(b)
    return a * exp_b + a * a, (exp_b + 2 * a, a * exp_b)


@elementwise_jvp
def g_jvp(at, along):
    a, b = at
    d_a, d_b = along
    exp_b = np.exp(b)
    return a * exp_b + a * a, d_a * (exp_b + 2 * a) + d_b * a * exp_b


@elementwise
def g_jacobian(a, b=1.0):
    exp_b = np.exp(b)
    return exp_b + 2 * a, a * exp_b


@elementwise
def g_hessian(a, b=1.0):
    exp_b = np.exp(b)
    return (2.0, exp_b), (exp_b, a * exp_b)


# w(a, b) = a + 2*b: gradients are constants; i(a) = a; c(a) = 3


@elementwise_value_and_grad
def w_value_and_grad(a, b):
    return a + 2 * b, (1.0, 2.0)


@elementwise_forward
def w_forward(a, b):
    return a + 2 * b, ()


@elementwise_backward
def w_backward(saved, grad=1.0):
    return grad, 2 * grad


@elementwise
def i(a):
    return a


@elementwise_forward
def i_forward(a):
    return a, (a,)


@elementwise_backward
def i_backward(saved, grad=1.0):
    return (grad,)


@elementwise
def c(a):
    return 3.0


RNG = np.random.default_rng(5)
SHAPES = [
    ((), ()),
    ((3,), (3,)),
    ((3,), ()),
    ((), (2, 3)),
    ((3, 1), (4,)),
    ((2, 1, 3), (4, 1)),
    ((1,), (3,)),
    ((1, 1), (1,)),
    ((0,), (0,)),
    ((0,), ()),
    ((3, 0), (3, 1)),
]


def scalar_loop(a: Any, b: Any, seed: Any = 1.0) -> tuple[Any, Any, Any]:
    """Value and gradients of g, number by number, with `math` alone."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    shape = np.broadcast_shapes(a.shape, b.shape)
    value, d_a, d_b = np.zeros(shape), np.zeros(a.shape), np.zeros(b.shape)
    places = [np.broadcast_to(np.arange(v.size).reshape(v.shape), shape) for v in (a, b)]
    seeds = np.broadcast_to(seed, shape)
    for at in np.ndindex(shape):
        m, n = int(places[0][at]), int(places[1][at])
        x, y = float(a.flat[m]), float(b.flat[n])
        value[at] = x * math.exp(y) + x * x
        d_a.flat[m] += seeds[at] * (math.exp(y) + 2 * x)
        d_b.flat[n] += seeds[at] * x * math.exp(y)
    return value, d_a, d_b


def same(result: Any, expected: Any, dtype: Any = np.float64) -> None:
    """Shape, dtype and values; a result without axes is a scalar, one with axes a free array."""
    expected = np.asarray(expected)
    assert result.shape == expected.shape
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, rtol=1e-13 if dtype == np.float64 else 1e-5)
    if expected.shape:
        assert type(result) is np.ndarray
        assert result.flags.writeable
    else:
        assert type(result) is dtype


@pytest.mark.parametrize(("own", "other"), SHAPES)
def test_values_and_gradients_are_those_of_a_loop_of_scalars(own: Any, other: Any) -> None:
    a, b = RNG.normal(size=own), RNG.normal(size=other)
    value, d_a, d_b = scalar_loop(a, b)
    same(g(a, b), value)
    result, gradients = g_value_and_grad(a, b)
    same(result, value)
    same(gradients[0], d_a)
    same(gradients[1], d_b)
    result, saved = g_forward(a, b)
    same(result, value)
    for found, expected in zip(g_backward(saved), (d_a, d_b), strict=True):
        same(found, expected)


@pytest.mark.parametrize(("own", "other"), SHAPES)
def test_a_given_gradient_is_a_field_over_the_values(own: Any, other: Any) -> None:
    a, b = RNG.normal(size=own), RNG.normal(size=other)
    shape = np.broadcast_shapes(own, other)
    _, saved = g_forward(a, b)
    parts = [shape[k:] for k in range(len(shape) + 1)] + [(1,) * len(shape)]
    for part in parts:
        seed = RNG.normal(size=part)
        _, d_a, d_b = scalar_loop(a, b, seed)
        for found, expected in zip(g_backward(saved, seed), (d_a, d_b), strict=True):
            same(found, expected)
        same(g_backward(saved, grad=seed)[0], d_a)


@pytest.mark.parametrize(("own", "other"), SHAPES)
def test_constant_gradients_count_every_value(own: Any, other: Any) -> None:
    a, b = RNG.normal(size=own), RNG.normal(size=other)
    size = math.prod(np.broadcast_shapes(own, other))
    expected = [np.full(v.shape, k * size / v.size if v.size else 0) for k, v in ((1, a), (2, b))]
    _, gradients = w_value_and_grad(a, b)
    for found, one in zip(gradients, expected, strict=True):
        same(found, one)
    for found, one in zip(w_backward(w_forward(a, b)[1]), expected, strict=True):
        same(found, one)


def test_a_gradient_of_1_over_3_by_4_values_is_12() -> None:
    _, (d_a, d_b) = w_value_and_grad(2.0, np.zeros((3, 4)))
    assert d_a == 12.0
    same(d_b, np.full((3, 4), 2.0))


def test_an_infinite_gradient_of_no_values_is_0() -> None:
    @elementwise_value_and_grad
    def pole(a, b):
        return a + b, (math.inf, 1.0)

    _, (d_a, _) = pole(1.0, np.zeros(0))
    assert d_a == 0.0


def test_the_jvp_maps() -> None:
    a, b = RNG.normal(size=(3, 1)), RNG.normal(size=4)
    d_a, d_b = RNG.normal(size=(3, 1)), 0.5
    by_a, by_b = g_jacobian(a, b)
    value, tangent = g_jvp((a, b), (d_a, d_b))
    same(value, g(a, b))
    same(tangent, by_a * d_a + by_b * d_b)
    value, tangent = g_jvp([1.0, 0.0], [1, 2])
    same(value, 2.0)
    same(tangent, 5.0)
    x = RNG.normal(size=5)
    same(g_jvp((x, x), (x, x))[1], x * (np.exp(x) + 2 * x) + x * x * np.exp(x))


def test_jacobian_and_hessian_are_fields_of_the_common_shape() -> None:
    a, b = RNG.normal(size=(3, 1)), RNG.normal(size=4)
    exp_b = np.broadcast_to(np.exp(b), (3, 4))
    by_a, by_b = g_jacobian(a, b)
    same(by_a, exp_b + 2 * a)
    same(by_b, a * exp_b)
    (aa, ab), (ba, bb) = g_hessian(a, b)
    same(aa, np.full((3, 4), 2.0))
    same(ab, exp_b)
    same(ba, exp_b)
    same(bb, a * exp_b)
    assert not np.shares_memory(ab, ba)


# ---------------------------------------------------------------------------------------- dtypes

SINGLES = np.array([1.0, 2.0], np.float32)


@pytest.mark.parametrize(
    ("a", "b", "dtype"),
    [
        (SINGLES, SINGLES, np.float32),
        (SINGLES, 1.0, np.float32),
        (SINGLES, 1, np.float32),
        (SINGLES, np.float32(1), np.float32),
        (SINGLES, np.float64(1), np.float64),
        (SINGLES, [1.0, 2.0], np.float64),
        (SINGLES, np.ones(2), np.float64),
        (SINGLES, np.ones(2, int), np.float32),
        (SINGLES, np.ones(2, bool), np.float32),
        (np.ones(2, int), 1.0, np.float64),
        (np.ones(2, np.float16), 1.0, np.float64),
        (np.ones(2, np.longdouble), 1.0, np.float64),
        (np.ones(2, ">f8"), 1.0, np.float64),
        (np.float32(2), 1.0, np.float32),
        (2, 1, np.float64),
        (Fraction(1, 2), True, np.float64),
        (np.array(2.0), 1, np.float64),
    ],
)
def test_one_dtype_a_call(a: Any, b: Any, dtype: Any) -> None:
    value, d_a, d_b = scalar_loop(a, b)
    same(g(a, b), value, dtype)
    result, gradients = g_value_and_grad(a, b)
    same(result, value, dtype)
    same(gradients[0], d_a, dtype)
    same(gradients[1], d_b, dtype)
    for found, expected in zip(g_backward(g_forward(a, b)[1], 1.0), (d_a, d_b), strict=True):
        same(found, expected, dtype)
    same(g_jvp((a, b), (1.0, np.float64(0)))[1], g_jacobian(a, b)[0], dtype)


def test_constants_have_the_dtype_of_the_call() -> None:
    same(c(SINGLES), [3.0, 3.0], np.float32)
    same(c(np.float32(1)), 3.0, np.float32)
    same(c([1, 2]), [3.0, 3.0])
    same(c(1), 3.0)


def test_numbers_beyond_the_range_are_infinite_without_a_warning() -> None:
    assert i(10**400) == math.inf
    same(i([10**400, 1]), [math.inf, 1.0])
    assert g(np.float32(1), 1e300).dtype == np.float32
    assert g(np.float32(1), 1e300) == math.inf
    total = w_value_and_grad(np.float32(1), np.full(3, 3e38, np.float32))
    assert total[0].tolist() == [math.inf] * 3


def test_ieee_754_without_a_warning_for_scalars_and_arrays() -> None:
    @elementwise
    def inverse(a):
        return 1 / a, np.log(a)

    assert inverse(0.0) == (math.inf, -math.inf)
    assert inverse(0) == (math.inf, -math.inf)
    assert inverse(np.array(-0.0))[0] == -math.inf
    assert inverse(np.zeros(2))[0].tolist() == [math.inf] * 2
    total = w_value_and_grad(1.0, np.array([math.inf, -math.inf]))[0]
    assert total.tolist() == [math.inf, -math.inf]


def test_a_sum_of_opposite_infinities_is_nan_without_a_warning() -> None:
    @elementwise_value_and_grad
    def quotient(a, b):
        return a / b, (1 / b, -a / b / b)

    _, (d_a, _) = quotient(1.0, np.array([0.0, -0.0]))
    assert math.isnan(d_a)


@elementwise(n=int, flag=bool)
def p(x, n, flag):
    return np.where(flag, x, n / x), x > 0, n // 2, n


def test_int_and_bool_arguments_and_results_keep_their_kinds() -> None:
    real, is_positive, half, n = p([1.0, -2.0], 5, [True, False])
    same(real, [1.0, -2.5])
    assert is_positive.tolist() == [True, False]
    same(half, [2, 2], np.int64)
    same(n, [5, 5], np.int64)
    assert p(1.0, True, flag=np.bool_(False))[0] == 1.0
    given = np.arange(2)
    assert not np.shares_memory(p(1.0, given, True)[3], given)


def test_int_arguments_do_not_choose_the_dtype() -> None:
    assert p(SINGLES, np.arange(2), True)[0].dtype == np.float32
    assert p(1.0, [], True)[0].shape == (0,)


def test_a_division_of_ints_by_zero_is_0_as_in_numpy() -> None:
    @elementwise(n=int)
    def divided(n):
        return 7 // n

    assert divided(0) == 0


def test_gradients_are_of_the_real_arguments_only() -> None:
    @elementwise_value_and_grad(n=int)
    def scaled(n, x):
        return n * x, (n * 1.0,)

    @elementwise_forward(n=int)
    def scaled_forward(n, x):
        return n * x, (n,)

    @elementwise_backward
    def scaled_backward(saved, grad=1.0):
        (n,) = saved
        return (grad * n,)

    _, (d_x,) = scaled(np.array([1, 2, 3]), 2.0)
    assert d_x == 6.0
    value, saved = scaled_forward(np.array([1, 2, 3]), 2.0)
    same(value, [2.0, 4.0, 6.0])
    assert scaled_backward(saved) == (6.0,)

    @elementwise_jvp(types=(int, float))
    def scaled_jvp(at, along):
        n, x = at
        (d_x,) = along
        return n * x, n * d_x

    same(scaled_jvp((2, [1.0, 2.0]), (1.0,))[1], [2.0, 2.0])


def test_several_results_want_a_gradient_each() -> None:
    @elementwise_forward
    def both_forward(x, y):
        return (x * y, x > y, x + y), (x, y)

    @elementwise_backward
    def both_backward(saved, grad):
        x, y = saved
        grad_1, grad_2 = grad
        return grad_1 * y + grad_2, grad_1 * x + grad_2

    values, saved = both_forward(2.0, np.array([3.0, 4.0]))
    same(values[0], [6.0, 8.0])
    assert values[1].tolist() == [False, False]
    d_x, d_y = both_backward(saved, (np.array([1.0, 10.0]), 1.0))
    assert d_x == 3.0 + 40.0 + 2.0
    same(d_y, [3.0, 21.0])
    for wrong in (1.0, (1.0,), (1.0, 1.0, 1.0)):
        with pytest.raises(TypeError, match="both_backward: 'grad' must be a tuple of 2"):
            both_backward(saved, wrong)


# -------------------------------------------------------------------------------------- aliasing


def test_results_share_memory_with_nothing() -> None:
    x = np.array([1.0, 2.0])
    saved_view = x[:]
    assert not np.shares_memory(i(x), x)
    assert not np.shares_memory(i(saved_view), x)
    value, saved = i_forward(x)
    value += 1
    assert x.tolist() == [1.0, 2.0]
    seed = np.array([5.0, 6.0])
    (d_x,) = i_backward(saved, seed)
    assert not np.shares_memory(d_x, seed)
    d_a, d_b = w_backward(w_forward(x, x)[1], seed)
    assert not np.shares_memory(d_a, d_b)
    assert not np.shares_memory(d_a, seed)


def test_a_value_that_is_saved_may_be_changed() -> None:
    @elementwise_forward
    def exp_forward(x):
        exp_x = np.exp(x)
        return exp_x, (exp_x,)

    @elementwise_backward
    def exp_backward(saved, grad=1.0):
        (exp_x,) = saved
        return (grad * exp_x,)

    for x in (np.array([0.0, 1.0]), np.array([0.0, 1.0], np.float32)):
        value, saved = exp_forward(x)
        value *= 0
        np.testing.assert_allclose(exp_backward(saved)[0], np.exp(x))
        first, second = exp_backward(saved), exp_backward(saved)
        assert not np.shares_memory(first[0], second[0])


def test_one_array_given_twice_is_two_gradients() -> None:
    @elementwise_value_and_grad
    def total(a, b):
        one = np.ones_like(a)
        return a + b, (one, one)

    x = np.array([1.0, 2.0])
    _, (d_a, d_b) = total(x, x)
    d_a += 1
    assert d_b.tolist() == [1.0, 1.0]


# ---------------------------------------------------------------------------------------- blocks

LONG = arrays.LONG + blocks.BLOCK // 3


@pytest.mark.parametrize("order", ["flat", "C", "F", "strided", "single"])
def test_long_arrays_give_what_whole_ones_give(order: str) -> None:
    rows = LONG // 7 + 1
    a, b = RNG.normal(size=(2, rows, 7))
    match order:
        case "flat":
            a, b = a.ravel(), b.ravel()
        case "F":
            a, b = np.asfortranarray(a), np.asfortranarray(b)
        case "strided":
            a, b = a[::-1, ::-1], b[:, ::-1]
        case "single":
            a, b = a.astype(np.float32), b.astype(np.float32)
    assert a.size >= arrays.LONG
    np.testing.assert_array_equal(g(a, b), g.inner(a, b))
    value, gradients = g_value_and_grad(a, b)
    expected, slopes = g_value_and_grad.inner(a, b)
    np.testing.assert_array_equal(value, expected)
    for found, slope in zip(gradients, slopes, strict=True):
        np.testing.assert_array_equal(found, slope)
        assert found.dtype == a.dtype
        assert found.flags.writeable
    value, tangent = g_jvp((a, b), (b, a))
    np.testing.assert_array_equal(tangent, g_jvp.inner((a, b), (b, a))[1])
    (aa, ab), _ = g_hessian(a, b)
    np.testing.assert_array_equal(aa, np.full(a.shape, 2.0))
    np.testing.assert_array_equal(ab, np.exp(b))


def test_sums_over_long_arrays_are_exact_to_rounding() -> None:
    b = RNG.normal(size=LONG)
    value, (d_a, d_b) = g_value_and_grad(0.5, b)
    np.testing.assert_array_equal(value, g.inner(np.float64(0.5), b))
    assert type(d_a) is np.float64
    assert math.isclose(d_a, math.fsum(np.exp(b) + 1.0), rel_tol=1e-14)
    np.testing.assert_array_equal(d_b, 0.5 * np.exp(b))
    _, (d_a, d_b) = w_value_and_grad(b, 2.0)
    np.testing.assert_array_equal(d_a, np.ones(LONG))
    assert d_b == 2.0 * LONG


def test_long_arrays_of_ints_and_bools() -> None:
    n, flag = np.arange(LONG), np.arange(LONG) % 3 == 0
    real, is_positive, half, _ = p(2.0, n, flag)
    np.testing.assert_array_equal(real, np.where(flag, 2.0, n / 2.0))
    assert is_positive.dtype == np.bool_
    assert is_positive.all()
    np.testing.assert_array_equal(half, n // 2)


def test_long_arrays_that_broadcast_are_computed_whole() -> None:
    a, b = RNG.normal(size=(LONG // 100, 1)), RNG.normal(size=110)
    _, (d_a, d_b) = g_value_and_grad(a, b)
    np.testing.assert_allclose(d_a, (np.exp(b) + 2 * a).sum(axis=1, keepdims=True), rtol=1e-11)
    np.testing.assert_allclose(d_b, (a * np.exp(b)).sum(axis=0), rtol=1e-11, atol=1e-9)


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: g(np.ones(3), np.ones(4)),
            ValueError,
            "g: arguments a [3] and b [4] do not broadcast",
        ),
        (
            lambda: g_value_and_grad([[1.0], [2.0]], np.ones((3, 2))),
            ValueError,
            "g_value_and_grad: arguments a [2, 1] and b [3, 2] do not broadcast",
        ),
        (lambda: g("a", 1), TypeError, "g: argument 'a' must hold real numbers, not text"),
        (
            lambda: g(1, ["a"]),
            TypeError,
            "g: argument 'b' must hold real numbers, not text",
        ),
        (lambda: g(None), TypeError, "g: argument 'a' must hold real numbers, not NoneType"),
        (lambda: g(1j), TypeError, "g: argument 'a' must hold real numbers, not complex128"),
        (lambda: g([1, None]), TypeError, "g: argument 'a' must hold real numbers, not list"),
        (
            lambda: g([[1, 2], [3]]),
            TypeError,
            "g: argument 'a' must hold real numbers, not an array of unequal rows",
        ),
        (
            lambda: p(1.0, 2.0, True),
            TypeError,
            "p: argument 'n' must hold ints, not float64",
        ),
        (
            lambda: p(1.0, 2, 1),
            TypeError,
            "p: argument 'flag' must hold bools, not int64",
        ),
        (
            lambda: p(1.0, 2**64, True),
            TypeError,
            "p: argument 'n' must hold ints, not an int beyond 64 bits",
        ),
        (
            lambda: p(1.0, 2**63, True),
            TypeError,
            "p: argument 'n' must hold ints, not an int beyond 64 bits",
        ),
        (lambda: g(), TypeError, "g: missing a required argument: 'a'"),
        (lambda: g(1, 2, 3), TypeError, "g: too many positional arguments"),
        (lambda: g(1, z=2), TypeError, "g: got an unexpected keyword argument 'z'"),
        (
            lambda: g_backward(g_forward(np.ones(3), 1.0)[1], np.ones(4)),
            ValueError,
            "g_backward: arguments grad [4] and the value [3] do not broadcast",
        ),
        (
            lambda: g_backward(g_forward(1.0, 1.0)[1], np.ones(4)),
            ValueError,
            "g_backward: 'grad' has the shape [4], which is more than that of the value, []",
        ),
        (
            lambda: g_backward((1.0, 2.0)),
            TypeError,
            "g_backward: 'saved' must be what the forward pass gave, not tuple",
        ),
        (
            lambda: g_backward(g_forward(1.0, 1.0)[1], "x"),
            TypeError,
            "g_backward: argument 'grad' must hold real numbers, not text",
        ),
        (
            lambda: g_jvp((np.ones(3), 1.0), (np.ones(4), 1.0)),
            ValueError,
            "g_jvp: arguments at[0] [3] and along[0] [4] do not broadcast",
        ),
        (
            lambda: g_jvp((1.0, 1.0), (np.ones(4), 1.0)),
            ValueError,
            "g_jvp: along[0] has the shape [4], which is more than that of at[0], []",
        ),
        (
            lambda: g_jvp((1.0, 1.0), (1.0,)),
            TypeError,
            "g_jvp: 2 arguments and 1 tangents, where 2 and 2 belong",
        ),
    ],
)
def test_faults_are_told_by_the_names_of_the_source(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


# -------------------------------------------------------------------------------------- manners


def test_a_decorated_function_looks_like_the_function() -> None:
    assert g.__name__ == "g"
    assert g.__doc__ == "A value."
    assert list(inspect.signature(g).parameters) == ["a", "b"]
    assert g.inner(2, 0) == 6.0
    assert inspect.signature(g_backward).parameters["grad"].default == 1.0
    assert g(b=0.0, a=2.0) == 6.0
    assert g(2.0) == 2.0 * math.e + 4.0


def test_the_caller_keeps_its_own_floating_point_warnings() -> None:
    with np.errstate(divide="raise"):
        g(np.zeros(2), 1.0)
        with pytest.raises(FloatingPointError):
            np.ones(2) / np.zeros(2)


def test_arguments_are_never_changed() -> None:
    a = np.arange(3.0)
    a.flags.writeable = False
    value, saved = g_forward(a, a)
    g_backward(saved, a)
    assert i(a).flags.writeable
    assert value.flags.writeable


def test_threads_do_not_meet() -> None:
    arrays = [np.full(2000, float(k)) for k in range(8)]
    results: dict[int, Any] = {}

    def work(k: int) -> None:
        for _ in range(50):
            results[k] = g_value_and_grad(arrays[k], 0.0)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, (value, _) in results.items():
        assert value.tolist() == [k + k * k] * 2000
