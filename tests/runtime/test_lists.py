"""Nested lists: the doors of the target `python`, and its functions, which NumPy judges."""

import array
import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from mgrad.runtime.lists import (
    added,
    apart,
    argmax,
    argmin,
    cholesky,
    cofactor,
    cumsum,
    det,
    inv,
    largest,
    least,
    lists,
    lists_backward,
    lists_forward,
    lists_jacobian,
    lists_jvp,
    logsumexp,
    overlap_add,
    prod_others,
    replaced,
    solve,
    solve_triangular,
)

RANDOM = np.random.default_rng(11)
A = RANDOM.normal(size=(4, 4))
TALL = RANDOM.normal(size=(4, 3, 2))


@lists("x: [N, D], w: [D], k: int[K], keep: bool, T: int -> [N]; T <= N")
def f(x: Any, w: Any, k: Any, keep: Any, T: Any) -> Any:
    return [sum(row[j] * w[j] for j in range(len(w))) / w[0] + k[0] + T for row in x]


def test_what_is_taken() -> None:
    wanted = f([[1.0, 2.0]], [2.0, 1.0], [0], True, 1)
    assert wanted == [3.0]
    for x in (((1, 2),), np.array([[1.0, 2.0]]), [array.array("d", [1, 2])], [range(1, 3)]):
        assert f(x, [2, 1], [0], True, 1) == wanted
    assert f([[Fraction(1), np.float64(2)]], (2, True), np.array([0]), np.True_, 1) == wanted
    assert f(T=1, keep=True, k=[0], w=[2, 1], x=[[1, 2]]) == wanted


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": [1.0]}, ValueError, r"f: x has shape \(1,\), but \[N, D\] has 2 axes"),
        ({"x": [[1.0]]}, ValueError, r"f: w has shape \(2,\), but \[D\] means \(1,\), since x: "),
        ({"x": [[1, 2], [1]]}, ValueError, r"x is ragged: it holds parts of shapes \(2,\) and \(1"),
        ({"x": [[1, "2"]]}, TypeError, "argument 'x' must hold real numbers, not str"),
        ({"x": "ab"}, TypeError, "argument 'x' must hold real numbers, not str"),
        ({"x": None}, TypeError, "argument 'x' must hold real numbers, not NoneType"),
        ({"x": np.array([["a"]])}, TypeError, "argument 'x' must hold real numbers, not <U1"),
        ({"w": {1.0: 2.0}}, TypeError, "argument 'w' must hold real numbers, not dict"),
        ({"k": [0.0]}, TypeError, "argument 'k' must hold ints, not float"),
        ({"k": np.array([0.5])}, TypeError, "argument 'k' must hold ints, not float64"),
        ({"keep": 1}, TypeError, "argument 'keep' must be a bool, not int"),
        ({"keep": [True]}, ValueError, r"keep has shape \(1,\), and must be a bool"),
        (
            {"T": 2},
            ValueError,
            r"T <= N must hold, since T is 2 and x: \[N, D\] has shape \(1, 2\)",
        ),
    ],
)
def test_what_is_refused(change: dict[str, Any], error: type[Exception], message: str) -> None:
    given = {"x": [[1.0, 2.0]], "w": [2.0, 1.0], "k": [0], "keep": True, "T": 1}
    with pytest.raises(error, match=message):
        f(**(given | change))
    with pytest.raises(TypeError, match="f: "):
        f()


def test_sizes_that_an_empty_list_does_not_show_come_from_others() -> None:
    assert f([], [2.0, 1.0], [0], True, 0) == []

    @lists("x: [N, D], y: [N, D - 2] -> real; D >= 2")
    def g(x: Any, y: Any) -> Any:
        return 1

    assert g([], []) == 1.0
    with pytest.raises(ValueError, match=r"\[N, D - 2\] means \(1, -1\), since x: \[N, D\]"):
        g([[1.0]], [[]])


def test_ieee_754_also_in_comprehensions() -> None:
    assert f([[1.0, 2.0], [-1.0, 0.0]], [0.0, 1.0], [0], True, 1) == [
        math.inf,
        pytest.approx(math.nan, nan_ok=True),
    ]


def test_several_results_of_their_kinds() -> None:
    @lists("x: [n] -> [n], int[n], bool")
    def g(x: Any) -> Any:
        return [1 for _ in x], [v > 0 for v in x], x[0] > 0

    values = g([1.0, -1.0])
    assert values == ([1.0, 1.0], [1, 0], True)
    assert [type(values[0][0]), type(values[1][0]), type(values[2])] == [float, int, bool]


def test_forward_mode_and_matrices() -> None:
    @lists_jvp("x: [.., D] -> [..]")
    def g_jvp(at: Any, along: Any) -> Any:
        (x,), (d,) = at, along
        return [sum(row) for row in x], [sum(row) for row in d]

    assert g_jvp(([1, 2],), ([3, 4],)) == (3.0, 7.0)
    assert g_jvp(([[[1, 2]]],), ([[[3, 4]]],)) == ([[3.0]], [[7.0]])
    with pytest.raises(ValueError, match=r"along\[0\] has shape \(3,\), but x has \(2,\)"):
        g_jvp(([1, 2],), ([3, 4, 5],))
    with pytest.raises(TypeError, match="1 arguments and 2 tangents, where 1 and 1 belong"):
        g_jvp(([1, 2],), ([3, 4], 1))

    @lists_jacobian("x: [.., D] -> [..]")
    def g_jacobian(x: Any) -> Any:
        one = range(len(x))
        return ([[[float(i == j) for _ in x[0]] for j in one] for i in one],)

    assert g_jacobian([1, 2]) == ([1.0, 1.0],)
    assert np.shape(g_jacobian([[[1, 2], [3, 4]]])[0]) == (1, 2, 1, 2, 2)


# ----------------------------------------------------------------------------------- the functions


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)


def test_linear_algebra() -> None:
    a, b = A.tolist(), TALL[:, 0].tolist()
    close(det(a), np.linalg.det(A))
    close(inv(a), np.linalg.inv(A))
    close(solve(a, b), np.linalg.solve(A, TALL[:, 0]))
    close(solve(a, a[0]), np.linalg.solve(A, A[0]))
    spd = A @ A.T
    close(cholesky((spd + np.triu(A, 1)).tolist()), np.linalg.cholesky(spd))
    close(cofactor(a), np.linalg.det(A) * np.linalg.inv(A).T)
    for lower, transposed in product((True, False), repeat=2):
        t = np.tril(A) if lower else np.triu(A)
        wanted = np.linalg.solve(t.T if transposed else t, TALL[:, 0])
        close(solve_triangular(a, b, lower=lower, transposed=transposed), wanted)


def test_matrices_without_an_inverse_or_of_no_size() -> None:
    singular = [[1.0, 2.0], [2.0, 4.0]]
    assert det(singular) == 0.0
    assert np.isnan(inv(singular)).all()
    assert np.isnan(solve(singular, [1.0, 2.0])).all()
    assert cofactor(singular) == [[4.0, -2.0], [-2.0, 1.0]]
    assert np.isnan(cholesky([[-1.0]])).all()
    assert solve([[0.0]], [1.0]) == [math.inf]
    assert det([]) == 1.0
    assert inv([]) == solve([], []) == cholesky([]) == cofactor([]) == []
    assert cofactor([[5.0]]) == [[1.0]]


def test_derivatives_of_the_cofactor() -> None:
    h, g = RANDOM.normal(size=(2, 4, 4))
    step = 1e-5

    def central(function: Any, d: Any) -> Any:
        up, down = function(A + step * d), function(A - step * d)
        return (np.array(up) - np.array(down)) / (2 * step)

    one = central(lambda m: cofactor(m.tolist()), h)
    np.testing.assert_allclose(cofactor(A.tolist(), h.tolist()), one, rtol=1e-7, atol=1e-7)
    two = central(lambda m: cofactor(m.tolist(), h.tolist()), g)
    found = cofactor(A.tolist(), h.tolist(), g.tolist())
    np.testing.assert_allclose(found, two, rtol=1e-7, atol=1e-7)


def test_reductions() -> None:
    assert largest([1.0, 3.0, 2.0]) == 3.0
    assert least(iter([1, 0, 2])) == 0
    assert largest([-0.0]) == 0.0
    assert math.isnan(largest([1.0, math.nan, 2.0]))
    assert math.isnan(least([math.nan]))
    assert argmax([1.0, 3.0, 3.0]) == 1
    assert argmin([1.0, math.nan, 0.0]) == 1
    for function in (largest, least, argmax, argmin):
        with pytest.raises(ValueError, match="of nothing"):
            function([])


def test_log_of_a_sum_of_exponentials() -> None:
    assert logsumexp([1000.0, 1000.0]) == pytest.approx(1000 + math.log(2), rel=1e-15)
    assert logsumexp([0.0, -50.0]) == pytest.approx(math.exp(-50), rel=1e-15)
    assert logsumexp([]) == logsumexp([-math.inf, -math.inf]) == -math.inf
    assert logsumexp([math.inf, 0.0]) == math.inf
    assert math.isnan(logsumexp([math.nan, math.inf]))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_running_sums(axis: int) -> None:
    close(cumsum(TALL.tolist(), axis), np.cumsum(TALL, axis))
    wanted = np.flip(np.cumsum(np.flip(TALL, axis), axis), axis)
    close(cumsum(TALL.tolist(), axis, reverse=True), wanted)
    assert cumsum([], 0) == []


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2)])
def test_products_of_all_others(axes: tuple[int, ...]) -> None:
    x, along = TALL.copy(), RANDOM.normal(size=TALL.shape)
    wanted = np.prod(x, axis=axes, keepdims=True) / x
    close(prod_others(x.tolist(), axes), wanted)
    step = 1e-5
    sides = [np.prod(m, axis=axes, keepdims=True) / m for m in (x + step * along, x - step * along)]
    moved = (sides[0] - sides[1]) / (2 * step)
    found = prod_others(x.tolist(), axes, along.tolist())
    np.testing.assert_allclose(found, moved, rtol=1e-6, atol=1e-6)
    assert prod_others([0.0, 2.0, 3.0], (0,)) == [6.0, 0.0, 0.0]
    assert prod_others([], (0,)) == []


@pytest.mark.parametrize(
    "where",
    [
        (1, slice(None), 0),
        (slice(0, 4, 2), slice(None), slice(None)),
        (slice(3, None, -1), 2, slice(1, 2)),
        ([0, 2, 0], slice(None), 1),
        ([[0, 1], [-1, 0]], [[0, 0], [2, 0]], slice(None)),
    ],
)
def test_places(where: tuple[Any, ...]) -> None:
    index = tuple(np.array(w) if isinstance(w, list) else w for w in where)
    value = RANDOM.normal(size=TALL[index].shape)
    wanted, total = TALL.copy(), TALL.copy()
    wanted[index] = value
    np.add.at(total, index, value)
    given = TALL.tolist()
    close(replaced(given, where, value.tolist()), wanted)
    close(added(given, where, value.tolist()), total)
    assert given == TALL.tolist()


def test_places_outside() -> None:
    with pytest.raises(IndexError, match="index 4 is outside of 4"):
        replaced([1.0, 2.0, 3.0, 4.0], (4,), 0.0)
    with pytest.raises(IndexError, match="index -5 is outside of 4"):
        added([1.0, 2.0, 3.0, 4.0], ([-5],), [0.0])


def test_windows_added_up() -> None:
    w = RANDOM.normal(size=(3, 4, 2))
    wanted = np.zeros((6, 4))
    for i, k in product(range(3), range(2)):
        wanted[2 * i + k] += w[i, :, k]
    close(overlap_add(w.tolist(), (6, 4), (2,), (0,)), wanted)


def test_tuples_taken_apart() -> None:
    assert apart([(1, "a"), (2, "b")], 1, 2) == ([1, 2], ["a", "b"])
    assert apart([[((1, 2), "a")], []], 2, 3, saves=True) == (([[1], []], [[2], []]), [["a"], []])
    assert apart([], 1, 2) == ([], [])


@lists_forward("x: [N], k: int[K] -> [K]")
def gathered_forward(x, k):
    return [x[i] for i in k], (k, len(x))


@lists_backward
def gathered_backward(saved, grad):
    raise AssertionError("it is not reached")


def test_what_goes_wrong_is_told_with_the_name_of_the_function() -> None:
    with pytest.raises(IndexError, match="gathered_forward: an index is outside its axis: list"):
        gathered_forward([1.0, 2.0], [0, 2])
    _, saved = gathered_forward([1.0, 2.0], [0, 1])
    with pytest.raises(TypeError, match=r"gathered_backward: 'grad' is missing, .* \(2,\)"):
        gathered_backward(saved)
    with pytest.raises(TypeError, match="gathered_backward: 'grad' is one argument, not 2"):
        gathered_backward(saved, [1.0, 1.0], 1.0)


def test_a_list_without_room_is_told_before() -> None:
    @lists("n: int -> [n, n]; n >= 0")
    def square(n):
        raise AssertionError("it is not tried")

    with pytest.raises(MemoryError, match=r"square: the result has shape \(10000000, 10000000\): "):
        square(10**7)
