"""The doors of functions on tensors, written as a generated module has them."""

from __future__ import annotations

import inspect
import re
import threading
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mgrad.runtime import faults
from mgrad.runtime.tensors import (
    arrays,
    arrays_backward,
    arrays_forward,
    arrays_hessian,
    arrays_jacobian,
    arrays_jvp,
    arrays_value_and_grad,
)

RNG = np.random.default_rng(17)

# predict(x, w, b) = x @ w + b, and loss(x, w, b) = sum(predict(x, w, b)^2)/2


@arrays("x: [N, D], w: [D], b -> [N]")
def predict(x, w, b=1.0):
    """x @ w + b"""
    return x @ w + b


@arrays_forward("x: [N, D], w: [D], b -> [N]")
def predict_forward(x, w, b=1.0):
    return x @ w + b, (x, w)


@arrays_backward
def predict_backward(saved, grad):
    x, w = saved
    return np.outer(grad, w), grad @ x, np.sum(grad)


@arrays_jvp("x: [N, D], w: [D], b -> [N]")
def predict_jvp(at, along):
    x, w, b = at
    d_x, d_w, d_b = along
    return x @ w + b, d_x @ w + x @ d_w + d_b


@arrays("x: [N, D], w: [D], b")
def loss(x, w, b=1.0):
    r = x @ w + b
    return np.dot(r, r) / 2


@arrays_value_and_grad("x: [N, D], w: [D], b")
def loss_value_and_grad(x, w, b=1.0):
    r = x @ w + b
    return np.dot(r, r) / 2, (np.outer(r, w), r @ x, np.sum(r))


@arrays_forward("x: [N, D], w: [D], b")
def loss_forward(x, w, b=1.0):
    r = x @ w + b
    return np.dot(r, r) / 2, (x, w, r)


@arrays_backward
def loss_backward(saved, grad=1.0):
    x, w, r = saved
    d_r = grad * r
    return np.outer(d_r, w), d_r @ x, np.sum(d_r)


# energy(x) = sum(x^2, axis=-1) and its total, over any number of leading axes


@arrays_forward("x: [.., D], s: [..] -> [..]")
def energy_forward(x, s):
    return np.sum(x * x, axis=1) * s, (x, s)


@arrays_backward
def energy_backward(saved, grad=1.0):
    x, s = saved
    return 2 * x * (grad * s)[:, None], grad * np.sum(x * x, axis=1)


@arrays("x: [.., D], s: [..] -> [..], [.., 2*D], int[..]")
def energies(x, s):
    return np.sum(x * x, axis=1) * s, np.concatenate([x, x], axis=1), np.argmax(x, axis=1)


@arrays_jacobian("x: [.., D] -> [..]")
def energy_jacobian(x):
    n, d = x.shape
    jacobian = np.zeros((n, n, d))
    jacobian[range(n), range(n)] = 2 * x
    return (jacobian,)


def data(n: int = 10, d: int = 4, dtype: Any = np.float64) -> Any:
    return RNG.normal(size=(n, d)).astype(dtype), RNG.normal(size=d).astype(dtype)


def same(found: Any, expected: Any, dtype: Any = np.float64) -> None:
    """Shape, dtype and values; a scalar of NumPy or an array that can be written."""
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12 if dtype == np.float64 else 1e-5)
    if expected.shape:
        assert type(found) is np.ndarray
        assert found.flags.writeable
    else:
        assert type(found) is np.dtype(dtype).type


@pytest.mark.parametrize(("n", "d"), [(10, 4), (1, 1), (0, 4), (3, 0), (0, 0)])
def test_every_kind_of_routine(n: int, d: int) -> None:
    x, w = data(n, d)
    r = x @ w + 2.0
    seed = RNG.normal(size=n)
    same(predict(x, w, 2.0), r)
    value, saved = predict_forward(x, w, 2.0)
    same(value, r)
    gradients = predict_backward(saved, seed)
    for found, expected in zip(gradients, (np.outer(seed, w), seed @ x, seed.sum()), strict=True):
        same(found, expected)
    same(loss(x, w, 2.0), r @ r / 2)
    value, saved = loss_forward(x, w, 2.0)
    same(value, r @ r / 2)
    expected = (np.outer(r, w), r @ x, r.sum())
    value, both = loss_value_and_grad(x, w, 2.0)
    same(value, r @ r / 2)
    for k, scale in ((loss_backward(saved), 1), (loss_backward(saved, 3), 3), (both, 1)):
        for found, gradient in zip(k, expected, strict=True):
            same(found, scale * gradient)
    d_x, d_w = data(n, d)
    value, tangent = predict_jvp((x, w, 2.0), (d_x, d_w, 0.5))
    same(value, r)
    same(tangent, d_x @ w + x @ d_w + 0.5)


def test_whatever_is_array_like() -> None:
    x, w = [[1, 2], [3, 4], [5, 6]], [Fraction(1, 2), 2]
    expected = [5.5, 10.5, 15.5]
    for a, b, c in (
        (x, w, 1),
        (np.array(x), np.array([0.5, 2.0]), np.float64(1)),
        (np.array(x, order="F", dtype=float), (0.5, 2), np.array(1.0)),
        (np.array(x, np.float16), np.array([9, 0.5, 9, 2, 9])[1::2], True),
        (np.array(x, ">f8"), np.array([0.5, 2.0], object), np.array(1)),
    ):
        same(predict(a, b, c), expected)
        same(loss_value_and_grad(a, b, c)[1][1], [5.5 + 31.5 + 77.5, 11 + 42 + 93])


def test_keywords_defaults_and_signature() -> None:
    x, w = data()
    same(predict(x, w), x @ w + 1)
    same(predict(w=w, x=x), x @ w + 1)
    same(predict(x, b=0.5, w=w), x @ w + 0.5)
    assert str(inspect.signature(predict)) == "(x, w, b=1.0)"
    assert (predict.__name__, predict.__doc__) == ("predict", "x @ w + b")
    same(predict.inner(x, w), x @ w + 1)
    with pytest.raises(TypeError, match=r"^predict: missing a required argument: 'w'$"):
        predict(x)
    with pytest.raises(TypeError, match=r"^predict: got an unexpected keyword argument 'v'$"):
        predict(x, w, v=1)


def test_one_dtype_a_call() -> None:
    x, w = data(dtype=np.float32)
    for b in (2.0, 2, np.float32(2), np.array(2.0, np.float32)):
        same(predict(x, w, b), x @ w + 2, np.float32)
        value, saved = loss_forward(x, w, b)
        assert value.dtype == np.float32
        for parts in (loss_backward(saved), loss_backward(saved, 2.0)):
            assert all(part.dtype == np.float32 for part in parts)
        value, parts = loss_value_and_grad(x, w, b)
        assert {part.dtype for part in (value, *parts)} == {np.dtype(np.float32)}
        value, tangent = predict_jvp((x, w, b), (x, w.astype(float), 1.0))
        assert value.dtype == tangent.dtype == np.float32
    same(predict(x, w.astype(float), 2.0), x.astype(float) @ w + 2)
    assert predict(x, w, np.float64(2)).dtype == np.float64
    same(predict(x, w, 1e300), np.full(10, np.inf), np.float32)
    same(predict(x, w, float("nan")), np.full(10, np.nan), np.float32)


# ------------------------------------------------------------------------------------ refusals

SHAPE_FAULTS = [
    (
        (np.ones((10, 4)), np.ones(3), 1.0),
        "w has shape (3,), but [D] means (4,), since x: [N, D] has shape (10, 4)",
    ),
    ((np.ones(4), np.ones(4), 1.0), "x has shape (4,), but [N, D] has 2 axes"),
    ((np.ones((10, 4)), np.ones((4, 1)), 1.0), "w has shape (4, 1), but [D] has 1 axis"),
    ((np.ones((10, 4)), 2.0, 1.0), "w has shape (), but [D] has 1 axis"),
    ((np.ones((10, 4)), np.ones(4), [1.0]), "b has shape (1,), and must be a real number"),
]


@pytest.mark.parametrize(("arguments", "message"), SHAPE_FAULTS)
def test_shapes_that_do_not_fit(arguments: Any, message: str) -> None:
    for function in (predict, predict_forward, loss_value_and_grad):
        with pytest.raises(ValueError) as caught:
            function(*arguments)
        assert str(caught.value) == f"{function.__name__}: {message}"
        with pytest.raises(ValueError) as caught:  # the same in words that want conversion
            function(*[np.asarray(a, np.float32).tolist() for a in arguments])
        assert str(caught.value) == f"{function.__name__}: {message}"


@pytest.mark.parametrize(
    ("w", "found"),
    [
        ("text", "text"),
        (["a", "b"], "text"),
        (None, "NoneType"),
        ([[1, 2], [3]], "an array of unequal rows"),
        (np.ones(4, complex), "complex128"),
        ([object()] * 4, "list"),
    ],
)
def test_what_is_no_number(w: Any, found: str) -> None:
    with pytest.raises(TypeError) as caught:
        predict(np.ones((10, 4)), w, 1.0)
    assert str(caught.value) == f"predict: argument 'w' must hold real numbers, not {found}"


@arrays("x: [2*H, N - 1], h: [H], n: [N], k: int[K], T: int, t: [T], m: bool -> [K], int, bool")
def mixed(x, h, n, k, T, t, m):
    return x[0, k], np.sum(k) + T, m


def mixed_arguments(**others: Any) -> dict[str, Any]:
    given = {
        "x": np.arange(12.0).reshape(4, 3),
        "h": np.ones(2),
        "n": np.ones(4),
        "k": np.array([2, 0]),
        "T": 5,
        "t": np.ones(5),
        "m": True,
    }
    return given | others


def test_ints_bools_and_arithmetic() -> None:
    expected = (np.array([2.0, 0.0]), 7, True)
    for given in (
        mixed_arguments(),
        mixed_arguments(k=[2, 0], T=np.int32(5), m=np.True_),
        mixed_arguments(T=np.int64(5)),
        mixed_arguments(k=np.array([2, 0], np.uint8), m=np.array(True)),
    ):
        for found in (mixed(**given), mixed(*given.values())):
            same(found[0], expected[0])
            assert (type(found[1]), found[1]) == (np.int64, 7)
            assert (type(found[2]), found[2]) == (np.bool_, True)
    same(mixed(**mixed_arguments(k=[True, False]))[0], [1.0, 0.0])
    same(mixed(**mixed_arguments(k=[]))[0], np.zeros(0))
    same(mixed(**mixed_arguments(k=np.zeros(0, int)))[0], np.zeros(0))


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (
            {"x": np.ones((4, 4))},
            "x has shape (4, 4), but [2*H, N - 1] means (4, 3), since n: [N] has shape (4,)",
        ),
        (
            {"x": np.ones((3, 4))},
            "x has shape (3, 4), but [2*H, N - 1] means (4, 3), "
            "since h: [H] has shape (2,) and n: [N] has shape (4,)",
        ),
        ({"T": 6}, "t has shape (5,), but [T] means (6,), since T is 6"),
        ({"T": np.int64(6)}, "t has shape (5,), but [T] means (6,), since T is 6"),
        ({"T": [5]}, "T has shape (1,), and must be an int"),
        ({"m": [True]}, "m has shape (1,), and must be a bool"),
        ({"k": 2}, "k has shape (), but int[K] has 1 axis"),
    ],
)
def test_sizes_from_other_arguments(others: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        mixed(**mixed_arguments(**others))
    assert str(caught.value) == f"mixed: {message}"


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"T": 5.0}, "argument 'T' must hold ints, not float64"),
        ({"T": "5"}, "argument 'T' must hold ints, not text"),
        ({"T": 10**30}, "argument 'T' must hold ints, not an int beyond 64 bits"),
        ({"k": [1.0]}, "argument 'k' must hold ints, not float64"),
        ({"m": 1}, "argument 'm' must hold bools, not int64"),
    ],
)
def test_kinds_that_do_not_fit(others: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        mixed(**mixed_arguments(**others))
    assert str(caught.value) == f"mixed: {message}"


@arrays("A: [n, n], y: [width, 3], z: [N//M], u: [N], v: [M]; n >= 2, N != M", width=16)
def conditions(A, y, z, u, v):
    return np.sum(A)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 2), (16, 3), (2,), (6,), (3,)), None),
        (((2, 2), (16, 3), (0,), (6,), (0,)), None),  # 6//0 is 0, as for ints of NumPy
        (((3, 2), (16, 3), (2,), (6,), (3,)), "A has shape (3, 2), but [n, n] means (3, 3)"),
        (
            ((2, 2), (15, 3), (2,), (6,), (3,)),
            "y has shape (15, 3), but [width, 3] means (16, 3), since width is 16",
        ),
        (((2, 2), (16, 2), (2,), (6,), (3,)), "y has shape (16, 2), but [width, 3] means (16, 3)"),
        (
            ((2, 2), (16, 3), (3,), (6,), (3,)),
            "z has shape (3,), but [N//M] means (2,), "
            "since u: [N] has shape (6,) and v: [M] has shape (3,)",
        ),
        (((1, 1), (16, 3), (2,), (6,), (3,)), "n >= 2 must hold, since A: [n, n] has shape (1, 1)"),
        (
            ((2, 2), (16, 3), (1,), (3,), (3,)),
            "N != M must hold, since u: [N] has shape (3,) and v: [M] has shape (3,)",
        ),
    ],
)
def test_conditions_and_constants(shapes: Any, message: str | None) -> None:
    given = [np.ones(shape) for shape in shapes]
    if message is None:
        same(conditions(*given), 4.0)
        return
    with pytest.raises(ValueError) as caught:
        conditions(*given)
    assert str(caught.value) == f"conditions: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x: [N", "']' was expected, not ''"),
        ("x: [N M]", "'NM' is no dimension"),
        ("x: [2*M]", "M stands alone in no argument"),
        ("x: [N] -> [M]", "M stands alone in no argument"),
        ("x: [N, ..]", ".. must stand first"),
        ("x: [..*2]", "'..*2' is no dimension"),
        ("x: [N] y", "',' was expected, not 'y'"),
        ("x: float", "'float' is no type"),
        ("x: [N] -> [N] y", "'y' was not expected"),
        ("x: [N$]", "'$' was not expected"),
        ("x: []", "'' is no dimension"),
        ("2", "a name was expected, not '2'"),
    ],
)
def test_words_that_make_no_sense(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        arrays(text)(lambda x: x)
    assert str(caught.value) == f"{text!r}: {message}"


def test_words_are_those_of_the_function() -> None:
    with pytest.raises(ValueError, match="predict: 2 arguments in 'x, w', not as in `def`"):
        arrays("x, w")(predict.inner)


# ---------------------------------------------------------------------------------- leading axes


@pytest.mark.parametrize("lead", [(), (5,), (2, 3), (2, 1, 3), (0,), (2, 0)])
@pytest.mark.parametrize("d", [3, 0])
def test_leading_axes_fold_and_unfold(lead: tuple[int, ...], d: int) -> None:
    x, s = RNG.normal(size=(*lead, d)), RNG.normal(size=lead)
    value, saved = energy_forward(x, s)
    same(value, np.sum(x * x, axis=-1) * s)
    seed = RNG.normal(size=lead)
    d_x, d_s = energy_backward(saved, seed)
    same(d_x, 2 * x * (seed * s)[..., None])
    same(d_s, seed * np.sum(x * x, axis=-1))
    if d:
        first, second, third = energies(x, s)
        same(first, np.sum(x * x, axis=-1) * s)
        same(second, np.concatenate([x, x], axis=-1))
        np.testing.assert_array_equal(third, np.argmax(x, axis=-1))
        assert third.dtype == np.int64
    (jacobian,) = energy_jacobian(x)
    assert jacobian.shape == lead + lead + (d,)
    for at in np.ndindex(*lead):
        for other in np.ndindex(*lead):
            same(jacobian[at + other], 2 * x[at] if at == other else np.zeros(d))


def test_a_number_of_no_leading_axes_has_a_seed() -> None:
    _, saved = energy_forward([1.0, 2.0], 3.0)
    d_x, d_s = energy_backward(saved)
    same(d_x, [6.0, 12.0])
    same(d_s, 5.0)


def test_leading_axes_must_agree() -> None:
    with pytest.raises(ValueError) as caught:
        energies(np.ones((2, 3, 4)), np.ones((2, 2)))
    assert str(caught.value) == (
        "energies: s has shape (2, 2), but [..] means (2, 3), since x: [.., D] has shape (2, 3, 4)"
    )
    with pytest.raises(ValueError, match=r"s has shape \(3,\), but \[..\] means \(2, 3\)"):
        energies(np.ones((2, 3, 4)), np.ones(3))
    with pytest.raises(ValueError, match=r"x has shape \(\), but \[.., D\] has 1 axis or more"):
        energies(1.0, 1.0)


# -------------------------------------------------------------------------------- backward, jvp


def test_the_gradient_of_the_value() -> None:
    x, w = data()
    _, saved = predict_forward(x, w, 2.0)
    with pytest.raises(TypeError) as caught:
        predict_backward(saved)
    assert str(caught.value) == (
        "predict_backward: 'grad' is missing, of the shape of the value, (10,)"
    )
    with pytest.raises(ValueError) as wrong:
        predict_backward(saved, np.ones(3))
    assert str(wrong.value) == ("predict_backward: grad has shape (3,), but the value has (10,)")
    with pytest.raises(TypeError, match="argument 'grad' must hold real numbers, not text"):
        predict_backward(saved, "one")
    with pytest.raises(TypeError, match="'saved' must be what the forward pass gave, not tuple"):
        predict_backward((x, w), 1.0)
    same(predict_backward(saved, grad=[1] * 10)[2], 10.0)
    same(predict_backward(saved, np.ones(10, np.float32))[2], 10.0)


@arrays_forward("x: [N], n: int -> [N], int, real")
def several_forward(x, n):
    return (2 * x, n + 1, np.sum(x)), ()


@arrays_backward
def several_backward(saved, grads):
    d_double, d_total = grads
    return (2 * d_double + d_total,)


@arrays_jvp("x: [N], n: int -> [N], int, real")
def several_jvp(at, along):
    x, n = at
    (d_x,) = along
    return (2 * x, n + 1, np.sum(x)), (2 * d_x, np.sum(d_x))


def test_several_results() -> None:
    x = np.array([1.0, 2.0, 4.0])
    for given in (x, x.tolist()):
        (double, n, total), saved = several_forward(given, 3)
        same(double, 2 * x)
        assert (type(n), n) == (np.int64, 4)
        same(total, 7.0)
        same(several_backward(saved, (x, 10))[0], [12.0, 14.0, 18.0])
        with pytest.raises(TypeError, match="'grad' must be a tuple of 2, one for each real"):
            several_backward(saved, x)
        with pytest.raises(TypeError, match=r"'grad' is missing, of the shape .* \(3,\), \(\)"):
            several_backward(saved)
        with pytest.raises(ValueError, match=r"grad\[1\] has shape \(2,\), but real result 1 has"):
            several_backward(saved, (x, [1, 2]))
        values, tangents = several_jvp((given, 3), (x,))
        same(values[0], 2 * x)
        same(values[2], 7.0)
        same(tangents[0], 2 * x)
        same(tangents[1], 7.0)


def test_tangents_that_do_not_fit() -> None:
    x, w = data()
    with pytest.raises(ValueError) as caught:
        predict_jvp((x, w, 2.0), (x, w[1:], 1.0))
    assert str(caught.value) == "predict_jvp: along[1] has shape (3,), but w has (4,)"
    with pytest.raises(TypeError, match="2 arguments and 3 tangents, where 3 and 3 belong"):
        predict_jvp((x, w), (x, w, 1.0))
    with pytest.raises(ValueError, match=r"w has shape \(3,\), but \[D\] means \(4,\)"):
        predict_jvp((x, w[1:], 2.0), (x, w, 1.0))


# ------------------------------------------------------------------------------ Jacobian, Hessian


@arrays_hessian("x: [N], s")
def cubic_hessian(x, s):
    """Of s*sum(x^3)."""
    return (np.diag(6 * s * x), 3 * x * x), (3 * x * x, 0.0)


@arrays_jacobian("x: [N], k: int, s -> [N], real")
def pair_jacobian(x, k, s):
    """Of s*x and sum(x) + s."""
    return (s * np.eye(len(x)), x), (1.0, 1.0)


def test_entries_have_the_shapes_of_both() -> None:
    x = np.array([1.0, 2.0])
    for given in (x, [1, 2]):
        (a, b), (c, d) = cubic_hessian(given, 2.0)
        for found, expected in ((a, np.diag([12.0, 24.0])), (b, [3.0, 12.0]), (c, [3.0, 12.0])):
            same(found, expected)
        same(d, 0.0)
        (a, b), (c, d) = pair_jacobian(given, 1, 2.0)
        for found, expected in ((a, 2 * np.eye(2)), (b, x), (c, np.ones(2)), (d, 1.0)):
            same(found, expected)
        assert not np.shares_memory(b, given)


def test_what_has_no_room_is_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.ones(3)
    monkeypatch.setattr(faults, "memory", lambda: 127)
    with pytest.raises(MemoryError) as caught:
        cubic_hessian(x, 1.0)
    assert "cubic_hessian: the Hessian has shape (3, 3): " in str(caught.value)
    same(cubic_hessian(x[1:], 1.0)[0][0], np.diag([6.0, 6.0]))
    monkeypatch.setattr(faults, "memory", lambda: 128)  # 9 + 3 + 3 + 1 numbers
    same(cubic_hessian(x, 1.0)[0][0], np.diag([6.0, 6.0, 6.0]))


def test_a_huge_jacobian_is_refused_on_any_machine() -> None:
    with pytest.raises(MemoryError, match=r"the Hessian has shape \(3000000, 3000000\): 67,055"):
        cubic_hessian(np.zeros(3_000_000), 1.0)


# -------------------------------------------------------------------------------------- ownership


def passes(x, y):
    return x


def views(x, y):
    return x[::-1]


def fresh_view(x, y):
    return (x + 1)[::-1]


def repeated(x, y):
    return np.broadcast_to(y[:1], x.shape)


def constant(x, y):
    return 3.0


@pytest.mark.parametrize("function", [passes, views, fresh_view, repeated, constant])
@pytest.mark.parametrize("kind", ["array", "view", "frozen", "foreign", "single", "list"])
def test_results_share_memory_with_nothing(function: Any, kind: str) -> None:
    x, y = RNG.normal(size=3), np.array([2.0, 3.0, 4.0])
    if kind == "view":
        x = np.stack([x, x])[0]
    if kind == "frozen":
        x.flags.writeable = False
    if kind == "foreign":
        x = np.frombuffer(bytearray(x.tobytes()))
    if kind == "single":
        x, y = x.astype(np.float32), y.astype(np.float32)
    given = x.tolist() if kind == "list" else x
    dtype = np.float32 if kind == "single" else np.float64
    before = np.array(x)
    expected = np.broadcast_to(function(before, y), (3,)).copy()
    value_door = arrays("x: [N], y: [N] -> [N]")(function)
    forward_door = arrays_forward("x: [N], y: [N] -> [N]")(lambda x, y: (function(x, y), (x, (y,))))
    grad_door = arrays_value_and_grad("x: [N], y: [N]")(
        lambda x, y: (1.0, (function(x, y), function(x, y)))
    )
    for found in (value_door(given, y), forward_door(given, y)[0], *grad_door(given, y)[1]):
        same(found, expected, dtype)
        assert not np.shares_memory(found, x)
        assert not np.shares_memory(found, y)
    first, second = grad_door(given, y)[1]
    assert not np.shares_memory(first, second)
    first[:] = second[:] = 0
    np.testing.assert_array_equal(x, before)


def test_a_result_shares_no_memory_with_what_is_saved() -> None:
    def itself(x):
        y = 2 * x
        return y, (x, (y,))

    def its_view(x):
        y = 2 * x
        return y, (x, (y[::-1],))

    for function in (itself, its_view):
        forward = arrays_forward("x: [N] -> [N]")(function)
        for given in (np.ones(3), [1, 1, 1]):
            value, saved = forward(given)
            value[:] = 7
            np.testing.assert_array_equal(saved.values[1][0], [2, 2, 2])


def test_a_gradient_shares_no_memory_with_its_seed() -> None:
    forward = arrays_forward("x: [N], y: [N] -> [N]")(lambda x, y: (x + y, ()))
    backward = arrays_backward(plus_backward)
    _, saved = forward(np.ones(3), np.ones(3))
    seed = np.array([1.0, 2.0, 3.0])
    first, second = backward(saved, seed)
    same(first, seed)
    same(second, seed)
    for a, b in ((first, seed), (second, seed), (first, second)):
        assert not np.shares_memory(a, b)


def plus_backward(saved, grad):
    return grad, grad


def test_two_results_of_one_array_are_two() -> None:
    door = arrays("x: [N] -> [N], [N]")(lambda x: (y := x + 1, y))
    first, second = door(np.ones(3))
    assert not np.shares_memory(first, second)
    same(first, [2.0] * 3)
    same(second, [2.0] * 3)


# ------------------------------------------------------------------------------- IEEE 754, threads


@arrays("x: [N], b -> [N], real")
def poles(x, b):
    return np.log(x) / b, 1 / b


def test_ieee_754_without_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for zero in (0.0, 0, np.float64(0)):
            logs, inverse = poles(np.array([-1.0, 2.0]), zero)
            np.testing.assert_array_equal(logs, [np.nan, np.inf])
            assert inverse == np.inf
        assert poles([1e300], 10**400)[1] == 0


def test_threads_do_not_meet() -> None:
    wrong: list[int] = []

    def run(k: int) -> None:
        x, w = np.full((k + 1, 3), float(k)), np.ones(3)
        for _ in range(200):
            value, (_, d_w, d_b) = loss_value_and_grad(x, w, 0.0)
            if value != (k + 1) * (3 * k) ** 2 / 2 or d_b != (k + 1) * 3 * k or len(d_w) != 3:
                wrong.append(k)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_many_arguments() -> None:
    count = 40
    names = [f"x{i}" for i in range(count)]
    scope: dict[str, Any] = {}
    total = " + ".join(f"np.sum({name})" for name in names)
    fields = "".join(f"{name} if {i} == 7 else 2 * {name}, " for i, name in enumerate(names))
    exec(f"def f({', '.join(names)}): return {total}, ({fields})", {"np": np}, scope)
    door = arrays_value_and_grad(", ".join(f"{name}: [N]" for name in names))(scope["f"])
    xs = [np.array([float(i), 1.0]) for i in range(count)]
    for given in (xs, [xs[0]] * count):
        value, gradients = door(*given)
        same(value, float(np.sum(given)))
        for i, (found, x) in enumerate(zip(gradients, given, strict=True)):
            same(found, x if i == 7 else 2 * x)
            assert not any(np.shares_memory(found, other) for other in given)


def test_no_arguments() -> None:
    same(arrays("-> [3]")(lambda: np.ones(3))(), np.ones(3))
    same(arrays("")(lambda: 2.0)(), 2.0)


def test_names_that_python_keeps_for_itself() -> None:
    def scaled(lambda_, x):
        return lambda_ * x

    door = arrays("lambda: [lambda_1], x -> [lambda_1]")(scaled)
    same(door(lambda_=[1, 2], x=3), [3.0, 6.0])
    with pytest.raises(ValueError, match=r"scaled: lambda has shape \(\), but \[lambda_1\] has"):
        door(1, 2)


def test_what_has_no_room_says_whose_it_is() -> None:
    @arrays("x: [N] -> [N, N]")
    def square(x):
        return np.empty((len(x), 1 << 45))

    with pytest.raises(MemoryError, match="square: Unable to allocate"):
        square(np.ones(1 << 10))


def test_an_index_outside_says_whose_it_is_and_where() -> None:
    @arrays("x: [N], k: int[K] -> [K]")
    def gathered(x, k):
        return x[k]

    message = "gathered: an index is outside its axis: index 2 is out of bounds for axis 0"
    with pytest.raises(IndexError, match=message) as caught:
        gathered([1.0, 2.0], [0, 2])
    assert caught.traceback[-1].name == "gathered"


def test_a_result_without_room_is_told_in_the_words_of_the_source() -> None:
    @arrays("n: int -> [n, n]; n >= 0")
    def square(n):
        raise AssertionError("it is not tried")

    shape = re.escape(f"({10**10}, {10**10})")
    for n in (10**10, np.int64(10**10)):
        with pytest.raises(MemoryError, match=f"square: the result has shape {shape}: "):
            square(n)


def test_the_seed_is_one_argument() -> None:
    _, saved = predict_forward(np.ones((2, 1)), [1.0], 1.0)
    with pytest.raises(TypeError, match="predict_backward: 'grad' is one argument, not 2"):
        predict_backward(saved, np.ones(2), 2.0)
    with pytest.raises(TypeError, match="predict_backward: there is no argument 'gard'"):
        predict_backward(saved, gard=np.ones(2))
