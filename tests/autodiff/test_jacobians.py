"""Jacobians and Hessians of arrays: against closed forms and differences, and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.jacobian import hessian, is_surely_more, jacobian
from mgrad.compiler.autodiff.resolve import run as resolve
from mgrad.compiler.autodiff.reverse import derive, gradient, joint
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph, topological
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.text import parse_graph, print_graph
from mgrad.compiler.ir.types import Bundle, Dim, Shape, Type
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.indexing import ALL, at_item, concat, flip, pad, put, slice_item, take
from mgrad.compiler.ops.linalg import cholesky, cofactor, det, inv, solve, solve_triangular
from mgrad.compiler.ops.logsumexp import logsumexp
from mgrad.compiler.ops.op import TABLE, select
from mgrad.compiler.ops.reductions import cumsum, max_over, prod_over
from mgrad.compiler.ops.structural import broadcast, contract, reshape, sum_axes, transpose
from mgrad.compiler.ops.windows import windows

N, M, D, K = Dim.of("N"), Dim.of("M"), Dim.of("D"), Dim.of("K")
SIZES = {"N": 3, "M": 4, "D": 2, "K": 5}
sin, cos, tanh = TABLE["sin"], TABLE["cos"], TABLE["tanh"]


def rows(w: Node, x: Node) -> Node:
    return contract([x, w], [(0, 1), (1, 2)], (0, 2))


def mixed(x: Node) -> Node:
    total = broadcast(sum_axes(x, (0,)), x.array.shape, (0,))
    return sin(x) * total


def picked(x: Node) -> Node:
    zero = x.pool.constant(0, x.array)
    return select(TABLE["gt"](x, zero), x * x * x, sin(x))


def softmax(x: Node) -> Node:
    e = TABLE["exp"](x)
    return e / broadcast(sum_axes(e, (1,)), x.array.shape, (1,))


def spd(x: Node) -> Node:
    n = x.array.shape[-1]
    eye = contract([x.pool.constant(1, Type("real", (n,)))], [(0,)], (0, 0))
    return contract([x, x], [(0, 1), (2, 1)], (0, 2)) + eye


def quadratic(x: Node) -> Node:
    return contract([x, x, sin(x)], [(0, 1), (0, 2), (1, 2)], (0,))


SHAPED: list[tuple[str, Shape, Callable[[Node], Node]]] = [
    ("elementwise", (N,), lambda x: sin(x) * x),
    ("mixed", (N,), mixed),
    ("branches", (N, M), picked),
    ("rows", (N, M), softmax),
    ("sum of rows", (N, M), lambda x: sum_axes(sin(x), (1,))),
    ("sum of columns", (N, M), lambda x: tanh(sum_axes(sin(x), (0,)))),
    ("total", (N, M), lambda x: sum_axes(sin(x), (0, 1))),
    ("spread", (N,), lambda x: sin(broadcast(x, (M, N), (0,)))),
    ("outer", (N,), lambda x: contract([x, sin(x)], [(0,), (1,)], (0, 1))),
    ("gram", (N, M), lambda x: contract([x, x], [(0, 1), (2, 1)], (0, 2))),
    ("trace", (N, N), lambda x: contract([x, sin(x)], [(0, 0), (1, 0)], (1,))),
    ("diagonal", (N, N), lambda x: sin(contract([x], [(0, 0)], (0,)))),
    ("diagonal matrix", (N,), lambda x: sin(contract([x], [(0,)], (0, 0)))),
    ("product of three", (N, N), quadratic),
    ("transposed", (N, M), lambda x: sin(transpose(x, (1, 0)))),
    ("flat", (N, M), lambda x: sin(reshape(x, (N * M,)))),
    ("one more axis", (N, M), lambda x: sin(reshape(sin(x), (N, Dim.of(1), M)))),
    ("slices", (N, M), lambda x: sin(take(x, (slice_item(1, N), slice_item(0, M, 2))))),
    ("one row", (N, M), lambda x: sin(take(x, (at_item(1), ALL)))),
    (
        "differences",
        (N,),
        lambda x: take(x, (slice_item(1, N),)) - take(x, (slice_item(0, N - 1),)),
    ),
    ("set", (N, M), lambda x: sin(put(x, take(x, (at_item(0), ALL)), (at_item(2), ALL)))),
    ("added", (N,), lambda x: put(sin(x), sin(x), (slice_item(N - 1, -1, -1),), adds=True)),
    ("joined", (N, M), lambda x: sin(concat([x, sin(x), x * 0 + 2], 1))),
    ("flipped", (N, M), lambda x: flip(sin(x), (1,)) * x),
    ("padded", (N, M), lambda x: cos(pad(x, (1, 0), (0, 0)))),
    ("running", (N, M), lambda x: cumsum(sin(x), 1)),
    ("greatest", (N, M), lambda x: sin(max_over(x, (1,)))),
    ("logsumexp", (N, M), lambda x: sin(logsumexp(x, (1,)))),
    ("products", (N, M), lambda x: prod_over(x, (1,))),
    ("windows", (M,), lambda x: sin(windows(x, (0,), (2,), (1,)))),
    ("windows of rows", (N, M), lambda x: sin(windows(x, (1,), (2,), (2,)))),
    ("det", (N, N), lambda x: det(x)),
    ("cofactors", (N, N), lambda x: cofactor(x)),
    ("inverse", (N, N), lambda x: inv(spd(x))),
    ("solved", (N, N), lambda x: solve(spd(x), take(x, (ALL, at_item(0))))),
    ("solved columns", (N, N), lambda x: solve(spd(x), x)),
    ("cholesky", (N, N), lambda x: cholesky(spd(x))),
    ("substituted", (N, N), lambda x: solve_triangular(spd(x), sin(x), transposed=True)),
]


def batched(x: Node) -> Node:
    """A batch of 2 by 2 systems, all from x: [N, D, D]."""
    eye = x.pool.constant(1, Type("real", (D,)))
    shift = broadcast(contract([eye], [(0,)], (0, 0)), x.array.shape, (0,))
    a = x + shift * 3
    return solve(a, sum_axes(sin(x), (2,))) * det(a).pool.constant(1, Type("real", (N, D)))


SHAPED += [
    ("batch of systems", (N, D, D), batched),
    ("batch of inverses", (N, D, D), lambda x: inv(x)),
    ("batch of determinants", (N, D, D), lambda x: det(x)),
]


def differences(graph: Graph, at: list[Any], place: int, step: float = 1e-6) -> Any:
    """The Jacobian of the first result by an argument, column by column."""
    x = at[place]
    columns = []
    for index in np.ndindex(np.shape(x)):
        up, down = np.array(x, float), np.array(x, float)
        up[index] += step
        down[index] -= step
        ends = []
        for moved in (up, down):
            arguments = [moved if k == place else v for k, v in enumerate(at)]
            ends.append(np.asarray(evaluate(graph, arguments, sizes=dict(SIZES))[0]))
        columns.append((ends[0] - ends[1]) / (2 * step))
    value = np.asarray(evaluate(graph, at, sizes=dict(SIZES))[0])
    return np.stack(columns, axis=-1).reshape(value.shape + np.shape(x))


def shape_at(shape: Shape) -> tuple[int, ...]:
    return tuple(d.evaluate(SIZES) for d in shape)


def sound(graph: Graph) -> None:
    verify(graph)
    text = print_graph(graph)
    assert print_graph(parse_graph(text)) == text


@pytest.mark.parametrize(("name", "shape", "make"), SHAPED, ids=[c[0] for c in SHAPED])
def test_against_differences(name: str, shape: Shape, make: Callable[[Node], Node]) -> None:
    pool = Pool()
    x = pool.parameter("x", Type("real", shape))
    e = make(x)
    whole = Graph("J", pool, (x,), (e, jacobian(e, x)))
    sound(whole)
    at = [np.random.default_rng(7).normal(size=shape_at(shape))]
    found = evaluate(whole, at, sizes=dict(SIZES))[1]
    np.testing.assert_allclose(found, differences(whole, at, 0), rtol=1e-6, atol=1e-7)
    # the Hessian of a scalar of it, by its own gradient's differences
    total = sum_axes(sin(e), range(len(e.array.shape)))
    (slope,) = gradient([(total, pool.constant(1))], [x])
    second = Graph("H", pool, (x,), (slope, hessian(total, x)))
    sound(second)
    found = evaluate(second, at, sizes=dict(SIZES))[1]
    scale = 1 + float(np.max(np.abs(found)))
    np.testing.assert_allclose(
        found / scale, differences(second, at, 0) / scale, rtol=1e-5, atol=1e-6
    )


def ops_of(node: Node) -> list[str]:
    return [n.op for n in topological([node])]


def test_diagonal_stays_diagonal() -> None:
    pool = Pool()
    x = pool.parameter("x", Type("real", (N,)))
    found = jacobian(sin(x), x)
    assert (found.op, found.inputs) == ("contract", (cos(x),))
    assert found.attribute("result") == (0, 0)
    second = hessian(sum_axes(sin(x), (0,)), x)
    assert second.op == "contract" and second.inputs == (-sin(x),)


def test_a_linear_map_is_its_matrix() -> None:
    pool = Pool()
    w = pool.parameter("w", Type("real", (N, M)))
    x = pool.parameter("x", Type("real", (M,)))
    assert jacobian(contract([w, x], [(0, 1), (1,)], (0,)), x) is w


def test_blocks_over_a_batch_index() -> None:
    """e[n] = tanh(tanh(x[n] @ w) @ v): nothing but the result has both axes of N."""
    pool = Pool()
    x, w, v = (
        pool.parameter(name, Type("real", shape))
        for name, shape in (("x", (N, D)), ("w", (D, K)), ("v", (K, M)))
    )
    e = tanh(rows(v, tanh(rows(w, x))))
    found = jacobian(e, x)
    assert found.array.shape == (N, M, N, D)
    for node in topological([found]):
        shape = node.array.shape
        assert node is found or shape.count(N) <= 1, (node, node.type)


def test_direction() -> None:
    """By a scalar, and of an array that is larger for sure, forward: no reverse sweep a row."""
    pool = Pool()
    t = pool.parameter("t", Type("real"))
    x = pool.parameter("x", Type("real", (N,)))
    curve = sin(x * broadcast(t, (N,), (0,)))
    found = jacobian(curve, t)
    assert found.array.shape == (N,)
    assert "contract" not in ops_of(found)
    table = sin(broadcast(x, (M, N), (0,)))
    assert jacobian(table, x).array.shape == (M, N, N)
    assert is_surely_more(N * M, N - 1) and is_surely_more(N * M + 1, N)
    assert not is_surely_more(N * M, N * M) and not is_surely_more(N, M)
    assert not is_surely_more(N // 2, Dim.of(1))


def test_no_dependence() -> None:
    pool = Pool()
    x, y = (pool.parameter(n, Type("real", (N,))) for n in "xy")
    assert jacobian(sin(y), x) is pool.constant(0, Type("real", (N, N)))
    steps = TABLE["floor"](x)
    assert jacobian(broadcast(steps, (M, N), (0,)), x) is pool.constant(0, Type("real", (M, N, N)))


def test_a_product_with_the_hessian_costs_no_matrix() -> None:
    """diff(sum(diff(f, x)*v), x), resolved: as many elements as a few gradients."""
    pool = Pool()
    x, v = (pool.parameter(n, Type("real", (N,))) for n in "xv")
    w = pool.parameter("w", Type("real", (M, N)))
    mark = pool.make("mark", (x,), x.type, index=pool.fresh())
    hidden = tanh(contract([w, mark], [(0, 1), (1,)], (0,)))
    f = sum_axes(hidden * hidden * hidden, (0,)) + prod_over(sin(mark), (0,))
    slope = pool.make("diff", (f, mark), x.type)
    moved = pool.make("diff", (sum_axes(slope * v, (0,)), mark), x.type)
    matrix = pool.make("hessian", (f, mark), Type("real", (N, N)))
    graph = resolve(Graph("h", pool, (x, v, w), (slope, moved, matrix)), Module({}))
    sound(graph)
    assert not {"diff", "hessian"} & {n.op for n in graph.nodes()}
    for node in topological(graph.results[:2]):
        assert node.op == "parameter" or len(node.array.shape) <= 1, (node, node.type)
    assert len(topological([graph.results[1]])) < 5 * len(topological([graph.results[0]]))
    rng = np.random.default_rng(2)
    at = [rng.normal(size=3), rng.normal(size=3), rng.normal(size=(4, 3))]
    _, product, whole = evaluate(graph, at)
    np.testing.assert_allclose(product, whole @ at[1], rtol=1e-10)
    np.testing.assert_allclose(whole, differences(graph, at, 0), rtol=1e-5, atol=1e-7)


def test_a_jacobian_differentiates_again() -> None:
    pool = Pool()
    x = pool.parameter("x", Type("real", (N,)))
    full = jacobian(mixed(x), x)
    norm = sum_axes(sin(full), (0, 1))
    (slope,) = gradient([(norm, pool.constant(1))], [x])
    graph = Graph("f", pool, (x,), (norm, slope))
    sound(graph)
    at = [np.array([0.3, -0.8, 1.2])]
    found = evaluate(graph, at)[1]
    np.testing.assert_allclose(found, differences(graph, at, 0), rtol=1e-6)


def mapped(pool: Pool) -> tuple[Module, Graph]:
    """f is a function of scalars, g one of arrays with its own names of sizes."""
    a, b = pool.parameter("a", Type("real")), pool.parameter("b", Type("real"))
    f = Graph("f", pool, (a, b), (sin(a) * b,))
    u = pool.parameter("u", Type("real", (K, Dim.of("L"))))
    c = pool.parameter("c", Type("real", (Dim.of("L"),)))
    g = Graph("g", pool, (u, c), (tanh(contract([u, c], [(0, 1), (1,)], (0,))),))
    x = pool.parameter("x", Type("real", (N,)))
    call = pool.make("call", (x, sin(x)), Bundle((x.type,)), callee="f")
    e = pool.make("item", (call,), x.type, index=0)
    outer = contract([e, x], [(0,), (1,)], (0, 1))
    call = pool.make("call", (outer, e), Bundle((x.type,)), callee="g")
    result = pool.make("item", (call,), x.type, index=0)
    h = Graph("h", pool, (x,), (result,))
    return Module({"f": f, "g": g, "h": h}), h


def test_calls() -> None:
    pool = Pool()
    module, h = mapped(pool)
    (x,) = h.parameters
    found = jacobian(h.results[0], x, module)
    graph = Graph("J", pool, (x,), (h.results[0], found))
    forward, reverse = jvp(h, module), joint(h, module)
    module = derive(
        Module({**module.graphs, "J": graph, "forward": forward, "reverse": reverse}),
    )
    verify(module)
    at = [np.array([0.4, -0.7, 1.1])]
    _, whole = evaluate(graph, at, module)

    ends = []
    for k in range(3):
        unit = np.eye(3)[k]
        ends.append(
            (_value(h, at[0] + 1e-6 * unit, module) - _value(h, at[0] - 1e-6 * unit, module)) / 2e-6
        )
        moved = evaluate(forward, [at[0], unit], module)[1]
        np.testing.assert_allclose(moved, whole[:, k], rtol=1e-12)
        back = evaluate(reverse, [at[0], unit], module)[1]
        np.testing.assert_allclose(back, whole[k], rtol=1e-12)
    np.testing.assert_allclose(whole, np.stack(ends, axis=1), rtol=1e-6)


def _value(graph: Graph, x: Any, module: Module) -> Any:
    return evaluate(graph, [x], module)[0]
