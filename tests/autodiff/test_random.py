"""Random graphs: reverse equals forward equals differences; every level gives the same."""

import mpmath
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import mgrad.compiler.ops  # noqa: F401
from mgrad.compiler.autodiff.derived import hessian
from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.reverse import joint
from mgrad.compiler.ir.evaluate import evaluate, multiprecision
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.text import parse_graph, print_graph
from mgrad.compiler.ir.types import REAL, Dim, Type
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import broadcast, contract, sum_axes
from mgrad.compiler.passes import PASSES, optimise

UNARY = ("neg", "tanh", "sin", "cos", "atan", "sigmoid", "softplus", "relu", "abs", "asinh")
BINARY = ("add", "sub", "mul", "atan2", "max", "hypot")
POINT = (0.37, -0.81, 1.23)

MP = mpmath.mp.clone()
MP.dps = 60
MEANING = multiprecision(MP)


@st.composite
def scalar_graphs(draw: st.DrawFn) -> Graph:
    pool = Pool()
    parameters = tuple(pool.parameter(name, REAL) for name in "xyz")
    nodes: list[Node] = [*parameters, pool.constant(2)]
    for _ in range(draw(st.integers(1, 14))):
        pick = st.integers(0, len(nodes) - 1)
        a, b = nodes[draw(pick)], nodes[draw(pick)]
        kind = draw(st.integers(0, 4))
        if kind == 0:
            nodes.append(TABLE[draw(st.sampled_from(UNARY))](a))
        elif kind == 1:
            nodes.append(TABLE["where"](TABLE["gt"](a, b), a * b, TABLE["tanh"](a)))
        elif kind == 2:
            nodes.append(a / (b * b + 1))
        else:
            nodes.append(TABLE[draw(st.sampled_from(BINARY))](a, b))
    return Graph("f", pool, parameters, (TABLE["tanh"](nodes[-1] + nodes[len(nodes) // 2]),))


@settings(max_examples=40, deadline=None)
@given(scalar_graphs())
def test_reverse_is_forward_is_differences(graph: Graph) -> None:
    verify(graph)
    reverse, forward = joint(graph), jvp(graph)
    verify(reverse)
    verify(forward)
    value, *gradient = evaluate(reverse, (*POINT, 1.0))
    levels = [reverse, optimise(reverse, 0)]
    for _, run, _ in PASSES:
        levels.append(run(levels[-1]))
        verify(levels[-1])
    again = parse_graph(print_graph(levels[-1]))
    assert print_graph(again) == print_graph(
        Graph(again.name, again.pool, again.parameters, again.results, again.notes, again.seeds, 1)
    )
    for other in (*levels, again):
        np.testing.assert_allclose(
            evaluate(other, (*POINT, 1.0)), (value, *gradient), rtol=1e-9, atol=1e-11
        )
    for place in range(3):
        unit = [float(i == place) for i in range(3)]
        moved = evaluate(forward, (*POINT, *unit))[1]
        np.testing.assert_allclose(moved, gradient[place], rtol=1e-9, atol=1e-11)
    assume(not at_kink(graph))
    h = MP.mpf(10) ** -20
    exact = evaluate(reverse, [*map(MP.mpf, POINT), MP.mpf(1)], meaning=MEANING)[1:]
    for place in range(3):
        ends = []
        for sign in (1, -1):
            at = [MP.mpf(v) + (sign * h if i == place else 0) for i, v in enumerate(POINT)]
            ends.append(evaluate(graph, at, meaning=MEANING)[0])
        assert abs(exact[place] - (ends[0] - ends[1]) / (2 * h)) < MP.mpf(10) ** -15


def at_kink(graph: Graph) -> bool:
    """Whether an op meets its kink at the point: |0|, or the greater of two that are equal."""
    gaps: list[Node] = []
    for node in graph.nodes():
        match node.op:
            case "relu" | "abs":
                gaps.append(node.inputs[0])
            case "max" | "gt":
                gaps.append(node.inputs[0] - node.inputs[1])
            case "atan2":  # it jumps where its first operand is 0
                gaps.append(node.inputs[0])
            case "hypot":
                gaps.append(TABLE["abs"](node.inputs[0]) + TABLE["abs"](node.inputs[1]))
    lines = Graph("gaps", graph.pool, graph.parameters, tuple(gaps))
    found = evaluate(lines, list(map(MP.mpf, POINT)), meaning=MEANING)
    return any(abs(gap) < MP.mpf(10) ** -18 for gap in found)


@settings(max_examples=25, deadline=None)
@given(scalar_graphs())
def test_hessian_is_symmetric_and_the_jvp_of_the_gradient(graph: Graph) -> None:
    second = hessian(graph)
    verify(second)
    found = np.reshape(np.array(evaluate(second, POINT), dtype=float), (3, 3))
    over = jvp(joint(graph))
    for column in range(3):
        unit = [float(i == column) for i in range(3)]
        moved = evaluate(over, (*POINT, 1.0, *unit, 0.0))[5:]
        np.testing.assert_allclose(moved, found[:, column], rtol=1e-8, atol=1e-9)


@st.composite
def tensor_graphs(draw: st.DrawFn) -> Graph:
    pool = Pool()
    n, d = Dim.of("N"), Dim.of("D")
    x = pool.parameter("x", Type("real", (n, d)))
    w = pool.parameter("w", Type("real", (d,)))
    a = pool.parameter("a", Type("real", (n, n)))
    rows: list[Node] = [contract([x, w], [(0, 1), (1,)], (0,)), sum_axes(x, (1,))]
    rows.append(contract([a], [(0, 0)], (0,)))
    for _ in range(draw(st.integers(1, 6))):
        pick = st.integers(0, len(rows) - 1)
        u, v = rows[draw(pick)], rows[draw(pick)]
        kind = draw(st.integers(0, 4))
        if kind == 0:
            rows.append(TABLE["tanh"](u) * v)
        elif kind == 1:
            rows.append(contract([a, u], [(0, 1), (1,)], (0,)))
        elif kind == 2:
            rows.append(broadcast(sum_axes(u * v, (0,)), (n,), (0,)) + u)
        elif kind == 3:
            spread = contract([u, v, x], [(0,), (1,), (0, 2)], (1,))
            rows.append(TABLE["sin"](spread))
        else:
            rows.append(contract([contract([u], [(0,)], (0, 0)), v], [(1, 0), (0,)], (1,)))
    total = sum_axes(TABLE["tanh"](rows[-1]) * rows[0], (0,))
    return Graph("f", pool, (x, w, a), (total,))


@settings(max_examples=40, deadline=None)
@given(tensor_graphs(), st.integers(0, 2**16))
def test_tensor_graphs(graph: Graph, seed: int) -> None:
    verify(graph)
    rng = np.random.default_rng(seed)
    at = [rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=(3, 3))]
    reverse, forward, over = joint(graph), jvp(graph), jvp(joint(graph))
    for one in (reverse, forward, over, optimise(reverse), optimise(over)):
        verify(one)
    gradient = evaluate(reverse, (*at, 1.0))[1:]
    for g, h in zip(gradient, evaluate(optimise(reverse), (*at, 1.0))[1:], strict=True):
        np.testing.assert_allclose(g, h, rtol=1e-8, atol=1e-9)
    u = [rng.normal(size=np.shape(v)) for v in at]
    moved = evaluate(forward, (*at, *u))[1]
    inner = sum(np.sum(g * v) for g, v in zip(gradient, u, strict=True))
    np.testing.assert_allclose(moved, inner, rtol=1e-8, atol=1e-8)
    v = [rng.normal(size=np.shape(x)) for x in at]
    hu = evaluate(over, (*at, 1.0, *u, 0.0))[5:]
    hv = evaluate(over, (*at, 1.0, *v, 0.0))[5:]
    left = sum(np.sum(p * q) for p, q in zip(hu, v, strict=True))
    right = sum(np.sum(p * q) for p, q in zip(hv, u, strict=True))
    np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6 * (1 + abs(float(left))))
