"""The meaning of the structural ops against NumPy and textbook formulas; what does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.text import parse_dim, parse_graph, print_graph
from mgrad.compiler.ir.types import INT, Dim, Type
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.indexing import (
    ALL,
    arange,
    at_item,
    concat,
    pad,
    put,
    size,
    slice_item,
    slice_length,
    take,
)
from mgrad.compiler.ops.linalg import cholesky, cofactor, det, inv, solve, tril
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.reductions import (
    all_over,
    any_over,
    argmax_over,
    argmin_over,
    cumsum,
    max_over,
    prod_over,
)
from mgrad.compiler.ops.windows import overlap_add, windows

N, M, K = Dim.of("N"), Dim.of("M"), Dim.of("K")
X = np.array([[3.0, -1.0, 4.0], [1.0, 5.0, -9.0], [2.0, 6.0, 5.0], [3.0, 5.0, 8.0]])
I = np.array([2, 0, 2, -1, 1])  # noqa: E741


def found(make: Callable[..., Node], *at: Any, **sizes: int) -> Any:
    """What an op makes of parameters of these values; their sizes are N, M and K in turn."""
    pool = Pool()
    parameters = []
    for k, value in enumerate(at):
        kind = {"f": "real", "i": "int", "b": "bool"}[np.asarray(value).dtype.kind]
        dims = [N, M] if np.ndim(value) == 2 else [(K, N)[kind == "real"]]
        shape = tuple(dims[: np.ndim(value)])
        parameters.append(pool.parameter(f"x{k}", Type(kind, shape)))  # type: ignore[arg-type]
    graph = Graph("f", pool, tuple(parameters), (make(*parameters),))
    verify(graph)
    text = print_graph(graph)
    again = parse_graph(text)
    assert print_graph(again) == text
    value = evaluate(graph, at, sizes=sizes)[0]
    np.testing.assert_array_equal(evaluate(again, at, sizes=sizes)[0], value)
    return value


CASES: list[tuple[Callable[..., Node], tuple[Any, ...], Any]] = [
    (lambda x: take(x, (slice_item(1, N), ALL)), (X,), X[1:]),
    (lambda x: take(x, (slice_item(N - 1, -1, -2), at_item(M - 1))), (X,), X[::-2, -1]),
    (lambda x, i: take(x, (("by", 0), ALL), [i]), (X, I), X[I]),
    (lambda x, i: take(x, (ALL, ("by", 0)), [i]), (X, I), X[:, I]),
    (lambda x, i: take(x, (("by", 0), ("by", 0)), [i]), (X, I), X[I, I]),
    (lambda x, i: take(x, (slice_item(0, N, 2), ("by", 0)), [i]), (X, I), X[::2][:, I]),
    (lambda x, i, j: take(x, (("by", 1), ("by", 0)), [i, j]), (X, I, np.array(1)), X[1, I]),
    (lambda x: put(x, x.pool.constant(7, Type("real", (N,))), (ALL, at_item(1))), (X,), None),
    (lambda x: pad(x, (1, 0), (0, 2)), (X,), np.pad(X, ((1, 0), (0, 2)))),
    (lambda x: concat([x, x], 1), (X,), np.concatenate([X, X], 1)),
    (lambda x: cumsum(x, 1), (X,), np.cumsum(X, 1)),
    (lambda x: cumsum(x, 0, reverse=True), (X,), np.cumsum(X[::-1], 0)[::-1]),
    (lambda x: prod_over(x, (0,)), (X,), np.prod(X, 0)),
    (lambda x: max_over(x, (0, 1)), (X,), 8.0),
    (lambda x: argmax_over(x, 1), (X,), [2, 1, 1, 2]),
    (lambda x: argmin_over(x, 0), (X,), [1, 0, 1]),
    (lambda x: any_over(TABLE["gt"](x, x.pool.constant(5, x.array)), (1,)), (X,), [0, 0, 1, 1]),
    (lambda x: all_over(TABLE["gt"](x, x.pool.constant(0, x.array)), (1,)), (X,), [0, 0, 1, 1]),
    (lambda x: size(x.pool, N * 2 - M), (X,), 5),
    (lambda x: arange(x.pool, N, M), (X,), [3, 4, 5, 6]),
    (lambda x: tril(x, -1), (X,), np.tril(X, -1)),
    (
        lambda x: windows(x, (0,), (2,), (1,)),
        (X,),
        np.lib.stride_tricks.sliding_window_view(X, 2, axis=0),
    ),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_values(case: int) -> None:
    make, at, expected = CASES[case]
    if expected is None:
        expected = X.copy()
        expected[:, 1] = 7
    np.testing.assert_array_equal(found(make, *at), expected)


def test_axes_of_int_arrays_come_out_where_the_first_stands() -> None:
    """Also where the indexed axes are no neighbours: NumPy would move them to the front."""
    pool = Pool()
    x = pool.parameter("x", Type("real", (N, M, K, N)))
    i = pool.parameter("i", Type("int", (Dim.of("L"),)))
    part = take(x, (ALL, ("by", 0), ALL, ("by", 0)), [i])
    assert part.array.shape == (N, Dim.of("L"), K)
    values, places = np.arange(120.0).reshape(2, 3, 10, 2), np.array([1, 0, 1])
    graph = Graph("f", pool, (x, i), (part,))
    expected = np.stack([values[:, p, :, p] for p in places], axis=1)
    np.testing.assert_array_equal(evaluate(graph, [values, places])[0], expected)


def test_a_place_put_twice() -> None:
    at = (np.zeros(3), np.arange(1.0, 6.0), I)

    def make(adds: bool) -> Any:
        pool = Pool()
        x = pool.parameter("x", Type("real", (N,)))
        v = pool.parameter("v", Type("real", (K,)))
        i = pool.parameter("i", Type("int", (K,)))
        graph = Graph("f", pool, (x, v, i), (put(x, v, (("by", 0),), [i], adds),))
        return evaluate(graph, at)[0]

    np.testing.assert_array_equal(make(False), [2.0, 5.0, 4.0])
    np.testing.assert_array_equal(make(True), [2.0, 5.0, 8.0])


def test_overlap_add_counts_the_windows() -> None:
    pool = Pool()
    ones = pool.constant(1, Type("real", ((N - 3) // 2 + 1, Dim.of(3))))
    graph = Graph("f", pool, (), (overlap_add(ones, (N,), (0,), (3,), (2,)),))
    verify(graph)
    np.testing.assert_array_equal(evaluate(graph, [], sizes={"N": 8})[0], [1, 1, 2, 1, 2, 1, 1, 0])


def test_linear_algebra() -> None:
    a = np.array([[4.0, 1.0, 2.0], [1.0, 5.0, 3.0], [2.0, 3.0, 6.0]])
    rank_one = np.outer([1.0, 2.0, 3.0], [2.0, -1.0, 1.0])
    minors = np.array([[21.0, 0.0, -7.0], [0.0, 20.0, -10.0], [-7.0, -10.0, 19.0]])
    pool = Pool()
    x = pool.parameter("x", Type("real", (N, N)))
    made = (det(x), cofactor(x), inv(x), solve(x, x), cholesky(x))
    graph = Graph("f", pool, (x,), made)
    verify(graph)
    value, cofactors, inverse, one, lower = evaluate(graph, [a])
    assert value == pytest.approx(70.0, rel=1e-14)
    np.testing.assert_allclose(cofactors, minors, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(inverse @ a, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(one, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(lower @ lower.T, a, rtol=1e-14)
    # singular: no inverse and no exception, the determinant and its derivative are 0
    value, cofactors, inverse, _, _ = evaluate(graph, [rank_one])
    assert value == pytest.approx(0.0, abs=1e-15)
    np.testing.assert_allclose(cofactors, np.zeros((3, 3)), atol=1e-14)
    # the lower triangle alone is read; what is not definite has no root
    np.testing.assert_array_equal(evaluate(graph, [np.tril(a)])[4], lower)
    assert np.isnan(evaluate(graph, [-a])[4][0, 0])


def test_what_does_not_fit() -> None:
    pool = Pool()
    x = pool.parameter("x", Type("real", (N, M)))
    flags = pool.parameter("b", Type("bool", (N,)))
    faults: list[Callable[[], Node]] = [
        lambda: take(x, (slice_item(1, N),)),
        lambda: put(x, x, (at_item(0), ALL)),
        lambda: concat([x, flags], 0),
        lambda: det(x),
        lambda: max_over(flags, (0,)),
        lambda: any_over(x, (0,)),
        lambda: prod_over(x, (2,)),
        lambda: solve(pool.parameter("a", Type("real", (N, N))), flags),
    ]
    for fault in faults:
        with pytest.raises(ValueError):
            fault()
    for wrong in (
        pool.make("flip", (x,), x.type, axes=(2,)),
        pool.make("pad", (x,), x.type, before=(Dim.of(1),) * 2, after=(Dim.of(0),) * 2),
        pool.make("argmax_over", (x,), Type("real", (N,)), axes=(1,)),
        pool.make("size", (), Type("real"), dim=N),
        pool.make("overlap_add", (x,), x.type, axes=(0,), sizes=(K,), strides=(K,)),
        pool.make("tril", (flags,), flags.type, diagonal=0),
    ):
        with pytest.raises(InternalError):
            verify(Graph("f", pool, (x, flags), (wrong,)))


@pytest.mark.parametrize("n", range(5))
@pytest.mark.parametrize(("start", "step"), [(0, 1), (0, 2), (0, 3), (1, 2)])
def test_lengths_of_slices(n: int, start: int, step: int) -> None:
    length = slice_length(Dim.of(start), N, step).evaluate({"N": max(n, start)})
    assert length == len(range(start, max(n, start), step))
    back = slice_length(N - 1, Dim.of(-1), -step).evaluate({"N": n})
    assert back == len(range(n - 1, -1, -step))


def test_sizes_divide() -> None:
    assert (N * 2 - 4) // 2 == N - 2
    assert (N - 3) // 2 + 2 == (N + 1) // 2
    assert (N * M + M) // M == N + 1
    assert size(Pool(), Dim.of(7) // 2).type == INT
    for dim in ((N - K) // M + 1, (N // 2) * (N // 2) * 3 * M, (N * N - 1) // (K + 1)):
        assert parse_dim(str(dim)) == dim
        expected = eval(str(dim).replace("^", "**"), {}, {"N": 9, "M": 2, "K": 4})
        assert dim.evaluate({"N": 9, "M": 2, "K": 4}) == expected
        moved = dim.replaced({"N": M, "M": N})
        assert moved.evaluate({"M": 9, "N": 2, "K": 4}) == expected
