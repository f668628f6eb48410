"""What an arm does not use gives 0, not nan, also through reductions, contractions and gathers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mgrad.compiler.autodiff.activity import any_reduced
from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.reverse import derive, gradient
from mgrad.compiler.driver import Options, compile
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph, topological
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import Bundle, Dim, Shape, Type
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.indexing import ALL, concat, flip, pad, put, slice_item, take
from mgrad.compiler.ops.linalg import det, inv, solve
from mgrad.compiler.ops.logsumexp import logsumexp
from mgrad.compiler.ops.op import TABLE, select
from mgrad.compiler.ops.reductions import cumsum, max_over, prod_over
from mgrad.compiler.ops.structural import broadcast, contract, reshape, sum_axes, transpose
from mgrad.compiler.ops.windows import windows
from mgrad.compiler.source import Source

N, M = Dim.of("N"), Dim.of("M")
log, sqrt = TABLE["log"], TABLE["sqrt"]


def positive(x: Node) -> Node:
    return TABLE["gt"](x, x.pool.constant(0, x.array))


def row_is_used(x: Node) -> Node:
    """Of x: [N, M], the rows whose first element is positive."""
    return positive(take(x, (ALL, ("at", Dim.of(0)))))


def spread(c: Node, shape: Shape) -> Node:
    return broadcast(c, shape, range(len(c.array.shape), len(shape)))


def rows(function: Callable[[Node], Node]) -> Callable[[Node, Node], Node]:
    """A function of the rows, where they are used; nan or infinite in the others."""

    def make(x: Node, w: Node) -> Node:
        made = function(log(x))
        return select(spread(row_is_used(x), made.array.shape), made, 0)

    return make


def weighted(x: Node, w: Node) -> Node:
    return select(row_is_used(x), contract([log(x), w], [(0, 1), (1,)], (0,)), 0)


def product_of_rows(x: Node, w: Node) -> Node:
    """A matrix product, of which each row is used or not; both operands have it as an index."""
    c = row_is_used(x)
    v = broadcast(w, x.array.shape, (0,))
    made = contract([log(x), v], [(0, 1), (2, 1)], (0, 2))
    both = TABLE["and"](broadcast(c, (N, N), (1,)), broadcast(c, (N, N), (0,)))
    return select(both, made, 0)


def scalar_arm(x: Node, w: Node) -> Node:
    """One condition for all: where it does not hold nothing is used."""
    pool = x.pool
    c = TABLE["lt"](sum_axes(w, (0,)), pool.constant(0))
    total = sum_axes(contract([log(x), w], [(0, 1), (1,)], (0,)), (0,))
    return select(c, total, 0)


def spread_number(x: Node, w: Node) -> Node:
    """A number of each row, repeated, and used at some of the places."""
    number = sqrt(sum_axes(x * x, (1,)) - 14)  # of the first row 0
    wide = broadcast(number, x.array.shape, (1,))
    longer = TABLE["gt"](sum_axes(x * x, (1,)), x.pool.constant(14, number.array))
    return select(broadcast(longer, x.array.shape, (1,)), wide * x, 0)


# The first row is used. Of the second and the third the logarithm is -inf and nan.
X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0], [0.0, 5.0, -2.0]])
W = np.array([0.5, -1.5, 2.5])

CASES: list[tuple[str, Callable[[Node, Node], Node]]] = [
    ("weighted", weighted),
    ("product of rows", product_of_rows),
    ("scalar arm", scalar_arm),
    ("sums", rows(lambda y: sum_axes(y * y, (1,)))),
    ("products", rows(lambda y: prod_over(y, (1,)))),
    ("greatest", rows(lambda y: max_over(y, (1,)))),
    ("logsumexp", rows(lambda y: logsumexp(y, (1,)))),
    ("running", rows(lambda y: cumsum(y * y, 1))),
    ("flipped", rows(lambda y: flip(y * y, (1,)))),
    ("slices", rows(lambda y: take(y * y, (ALL, slice_item(1, M))))),
    ("padded", rows(lambda y: pad(y * y, (0, 1), (0, 0)))),
    ("joined", rows(lambda y: concat([y * y, y], 1))),
    ("set", rows(lambda y: put(y * y, take(y, (ALL, ("at", Dim.of(0)))), (ALL, ("at", M - 1))))),
    ("windows", rows(lambda y: windows(y * y, (1,), (2,), (1,)))),
    ("one more axis", rows(lambda y: reshape(y * y, (N, Dim.of(1), M)))),
    ("norms", rows(lambda y: contract([y, y], [(0, 1), (0, 1)], (0,)))),
]


def at_used_rows(make: Callable[[Node, Node], Node]) -> tuple[Any, Any]:
    """The gradients where only the row that is used exists."""
    graph = first_order(make)
    _, by_x, by_w = evaluate(graph, [X[:1], W])
    return by_x, by_w


def first_order(make: Callable[[Node, Node], Node]) -> Graph:
    pool = Pool()
    x = pool.parameter("x", Type("real", (N, M)))
    w = pool.parameter("w", Type("real", (M,)))
    made = make(x, w)
    total = sum_axes(made * made, range(len(made.array.shape)))
    return Graph("f", pool, (x, w), (total, *gradient([(total, pool.constant(1))], [x, w])))


@pytest.mark.parametrize(("name", "make"), CASES, ids=[c[0] for c in CASES])
def test_rows_that_are_not_used(name: str, make: Callable[[Node, Node], Node]) -> None:
    graph = first_order(make)
    verify(graph)
    _, by_x, by_w = evaluate(graph, [X, W])
    used_x, used_w = at_used_rows(make)
    if name == "scalar arm":
        used_x, used_w = np.zeros_like(used_x), np.zeros_like(used_w)
    np.testing.assert_allclose(by_x, np.concatenate([used_x, np.zeros((2, 3))]), rtol=1e-13)
    np.testing.assert_allclose(by_w, used_w, rtol=1e-13)
    # forward over reverse, and reverse over reverse
    x, w = graph.parameters
    slope = Graph("g", graph.pool, graph.parameters, graph.results[1:])
    over = jvp(slope)
    verify(over)
    u, v = np.ones_like(X), np.ones_like(W)
    moved_x, moved_w = evaluate(over, [X, W, u, v])[2:]
    assert np.all(np.isfinite(moved_x)) and np.all(np.isfinite(moved_w))
    total = sum_axes(graph.results[1], (0, 1)) + sum_axes(graph.results[2], (0,))
    second = Graph("h", graph.pool, (x, w), tuple(gradient([(total, x.pool.constant(1))], [x, w])))
    verify(second)
    found = evaluate(second, [X, W])
    np.testing.assert_allclose(found[0], moved_x, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found[1], moved_w, rtol=1e-10, atol=1e-12)


def test_used_at_some_places_of_a_broadcast() -> None:
    graph = first_order(spread_number)
    verify(graph)
    _, by_x, _ = evaluate(graph, [X, W])
    # r = sqrt(|x|^2 - 14): 0 in the first row, where nothing is used; r^2*x^2 is summed
    squares = np.sum(X * X, axis=1, keepdims=True)
    expected = np.where(squares > 14, 2 * X * squares + 2 * X * (squares - 14), 0)
    np.testing.assert_allclose(by_x, expected, rtol=1e-12)


@pytest.mark.parametrize("op", [det, inv, lambda a: solve(a, sum_axes(a, (2,)))])
def test_matrices_of_a_batch(op: Callable[[Node], Node]) -> None:
    pool = Pool()
    a = pool.parameter("a", Type("real", (N, M, M)))
    c = pool.parameter("c", Type("bool", (N,)))
    made = op(1 / a)
    used = select(spread(c, made.array.shape), made, 0)
    total = sum_axes(used * used, range(len(made.array.shape)))
    (slope,) = gradient([(total, pool.constant(1))], [a])
    graph = Graph("f", pool, (a, c), (total, slope))
    verify(graph)
    at = np.array([[[1.0, 2.0], [3.0, 5.0]], [[0.0, 1.0], [2.0, 3.0]]])
    found = evaluate(graph, [at, np.array([True, False])])[1]
    alone = evaluate(graph, [at[:1], np.array([True])])[1]
    np.testing.assert_allclose(found, np.concatenate([alone, np.zeros((1, 2, 2))]), rtol=1e-12)


def test_a_call_in_an_arm() -> None:
    pool = Pool()
    u = pool.parameter("u", Type("real", (M,)))
    g = Graph("g", pool, (u,), (sum_axes(log(u), (0,)), log(u)))
    x = pool.parameter("x", Type("real", (N,)))
    c = pool.parameter("c", Type("bool"))
    bundle = Bundle((Type("real"), x.type))
    call = pool.make("call", (x,), bundle, callee="g")
    value = pool.make("item", (call,), Type("real"), index=0)
    logs = pool.make("item", (call,), x.type, index=1)
    total = select(c, value, 0) + sum_axes(select(broadcast(c, (N,), (0,)), logs, 0), (0,))
    (slope,) = gradient([(total, pool.constant(1))], [x], Module({"g": g}))
    module = derive(Module({"g": g, "f": Graph("f", pool, (x, c), (total, slope))}))
    verify(module)
    at = np.array([0.0, 2.0])
    np.testing.assert_array_equal(evaluate(module.graphs["f"], [at, False], module)[1], [0.0, 0.0])
    np.testing.assert_array_equal(
        evaluate(module.graphs["f"], [at + 1, True], module)[1], [2.0, 2.0 / 3.0]
    )


def test_no_mask_where_none_is_needed() -> None:
    """All rows are used, or the term is 0 with its cotangent: no choice in the backward pass."""
    pool = Pool()
    x = pool.parameter("x", Type("real", (N, M)))
    c = pool.parameter("c", Type("bool", (N, M)))
    moved = transpose(select(c, x, 0), (1, 0))
    (slope,) = gradient([(sum_axes(moved, (0, 1)), pool.constant(1))], [x])
    assert [n.op for n in topological([slope])].count("where") == 1
    kept = select(c, flip(3 * x, (0,)), 0)
    (slope,) = gradient([(sum_axes(kept, (0, 1)), pool.constant(1))], [x])
    assert [n.op for n in topological([slope])].count("where") == 1


@pytest.mark.parametrize("op", ["ge", "gt", "le", "lt"])
@pytest.mark.parametrize("shift", [-1, 0, 1])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("more", [0, 2])
def test_a_comparison_of_indices_is_reduced_by_reason(
    op: str, shift: int, axis: int, more: int
) -> None:
    """Where it is taken for true, it is: for every size; and it is where that can be seen."""
    compare = {"ge": np.greater_equal, "gt": np.greater, "le": np.less_equal, "lt": np.less}[op]
    pool = Pool()
    i = pool.make("arange", (), Type("int", (N,)), start=Dim.of(0))
    j = pool.make("arange", (), Type("int", (N + more,)), start=Dim.of(1))
    shape = (N, N + more)
    shifted = TABLE["add"](broadcast(i, shape, (1,)), pool.constant(shift, Type("int", shape)))
    found = any_reduced(TABLE[op](shifted, broadcast(j, shape, (0,))), (axis,))
    holds = [
        compare((np.arange(n) + shift)[:, None], 1 + np.arange(n + more)).any(axis=axis).all()
        for n in range(1, 6)
    ]
    assert (found.op == "constant") == all(holds)


def test_causal_attention_asks_no_mask_twice() -> None:
    source = (
        "fn f(q: [T, D], k: [T, D], v: [T, D]) {\n  causal = [i >= j for i in 0..T, j in 0..T]\n"
        "  return softmax(where(causal, q @ transpose(k), -inf), axis=1) @ v\n}\n"
    )
    text = compile(Source("f.mg", source), Options(target="numpy")).text
    assert ".any(" not in text
