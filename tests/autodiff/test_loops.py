"""Derivatives of the counted loop against closed forms and central differences."""

import numpy as np
import pytest

import mgrad.compiler.ops  # noqa: F401
from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.loop import items, make_loop
from mgrad.compiler.autodiff.reverse import gradient, joint
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph, Region
from mgrad.compiler.ir.node import Pool
from mgrad.compiler.ir.text import parse_graph, print_graph
from mgrad.compiler.ir.types import INT, REAL, Dim, Type
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import broadcast, contract, sum_axes
from mgrad.compiler.passes import loops, optimise


def decay() -> Graph:
    pool = Pool()
    y0, k, n = pool.parameter("y0", REAL), pool.parameter("k", REAL), pool.parameter("n", INT)
    turn, rate, y = pool.parameter("t", INT), pool.parameter("k", REAL), pool.parameter("y", REAL)
    body = Graph("turn", pool, (turn, rate, y), (y - rate * y / 5,))
    loop = make_loop(n, (k, y0), Region(body, 1, 1, 0))
    return Graph("decay", pool, (y0, k, n), (items(loop)[0],))


def test_decay_to_the_second_order() -> None:
    graph = decay()
    y0, k = graph.parameters[:2]
    one = graph.pool.constant(1)
    by = gradient([(graph.results[0], one)], [y0, k])
    second = gradient([(by[1], one)], [y0, k])
    whole = Graph("all", graph.pool, graph.parameters, (*graph.results, *by, *second))
    verify(whole)
    q = 1 - 0.3 / 5
    expected = (2 * q**5, q**5, -2 * q**4, -(q**4), 2 * 4 / 5 * q**3)
    assert evaluate(whole, (2.0, 0.3, 5)) == pytest.approx(expected, rel=1e-13)
    assert evaluate(optimise(whole), (2.0, 0.3, 5)) == pytest.approx(expected, rel=1e-13)
    again = parse_graph(print_graph(whole))
    assert print_graph(again) == print_graph(whole)
    assert evaluate(again, (2.0, 0.3, 5)) == pytest.approx(expected, rel=1e-13)


def test_decay_forward_over_reverse() -> None:
    both = jvp(joint(decay()))
    verify(both)
    q = 1 - 0.3 / 5
    # tangents of y0, k, grad are 0, 1, 0
    values = evaluate(both, (2.0, 0.3, 5, 1.0, 0.0, 1.0, 0.0))
    assert values[3:] == pytest.approx((-2 * q**4, -(q**4), 2 * 4 / 5 * q**3), rel=1e-13)


def test_the_turns_run_once_forward_and_once_back() -> None:
    both = joint(decay())
    assert [node.op for node in both.nodes()].count("loop") == 3
    merged = loops.run(both)
    verify(merged)
    assert [node.op for node in merged.nodes()].count("loop") == 2
    at = (2.0, 0.3, 5, 1.0)
    assert evaluate(merged, at) == evaluate(both, at)


def test_bodies_are_optimised() -> None:
    pool = Pool()
    turn, y = pool.parameter("t", INT), pool.parameter("y", REAL)
    body = Graph("turn", pool, (turn, y), (y * 1 + TABLE["sigmoid"](y) * 2 * 3,))
    made = make_loop(pool.constant(3, INT), (y,), Region(body, 0, 1, 0))
    graph = Graph("f", pool, (y,), (items(made)[0],))
    for level in (0, 1):
        done = optimise(graph, level)
        verify(done)
        (loop,) = (node for node in done.nodes() if node.op == "loop")
        region = loop.attribute("region")
        assert isinstance(region, Region)
        ops = [node.op for node in region.body.nodes()]
        assert "sigmoid" not in ops and "exp" in ops  # expanded
        if level == 1:
            assert all(n.value != 2 for n in region.body.nodes() if n.op == "constant")  # 6
        assert evaluate(done, (0.4,)) == pytest.approx(evaluate(graph, (0.4,)), rel=1e-14)


def test_newton_converges_with_its_derivatives() -> None:
    pool = Pool()
    a, inner = pool.parameter("a", REAL), pool.parameter("a", REAL)
    turn, x = pool.parameter("t", INT), pool.parameter("x", REAL)
    body = Graph("turn", pool, (turn, inner, x), ((x + inner / x) / 2,))
    root = items(make_loop(pool.constant(9, INT), (a, a), Region(body, 1, 1, 0)))[0]
    (first,) = gradient([(root, pool.constant(1))], [a])
    (second,) = gradient([(first, pool.constant(1))], [a])
    graph = Graph("newton", pool, (a,), (root, first, second))
    verify(graph)
    expected = (3.0**0.5, 0.5 * 3.0**-0.5, -0.25 * 3.0**-1.5)
    assert evaluate(graph, (3.0,)) == pytest.approx(expected, rel=1e-12)


def test_recurrent_network() -> None:
    """h <- tanh(W @ h + x[t]), emitted; the sum of squares of all h, by W, h0 and x."""
    pool = Pool()
    h_type, w_type = Type("real", (Dim.of("H"),)), Type("real", (Dim.of("H"), Dim.of("H")))
    x_type = Type("real", (Dim.of("T"), Dim.of("H")))
    n = pool.parameter("T", INT)
    w, h0, x = (
        pool.parameter("W", w_type),
        pool.parameter("h0", h_type),
        pool.parameter("x", x_type),
    )
    turn, inner, h, row = (
        pool.parameter("t", INT),
        pool.parameter("W", w_type),
        pool.parameter("h", h_type),
        pool.parameter("x_t", h_type),
    )
    step = TABLE["tanh"](contract([inner, h], [(0, 1), (1,)], (0,)) + row)
    body = Graph("turn", pool, (turn, inner, h, row), (step, step))
    loop = make_loop(n, (w, h0, x), Region(body, 1, 1, 1))
    emitted = items(loop)[1]
    energy = sum_axes(emitted * emitted, (0, 1))
    one = pool.constant(1)
    by = gradient([(energy, one)], [w, h0, x])
    # a second derivative: of the squared gradient by h0
    norm = sum_axes(by[1] * by[1], (0,))
    second = gradient([(norm, one)], [w, h0, x])
    graph = Graph("rnn", pool, (n, w, h0, x), (energy, *by, norm, *second))
    verify(graph)
    rng = np.random.default_rng(3)
    at = [4, rng.normal(size=(3, 3)) * 0.5, rng.normal(size=3), rng.normal(size=(4, 3))]
    found = evaluate(graph, at)
    assert broadcast(one, (Dim.of(2),), (0,)).array.shape == (Dim.of(2),)
    for value, gradients in ((0, found[1:4]), (4, found[5:8])):
        for place in (1, 2, 3):
            direction = rng.normal(size=np.shape(at[place]))
            up, down = list(at), list(at)
            up[place] = at[place] + 1e-6 * direction
            down[place] = at[place] - 1e-6 * direction
            slope = (evaluate(graph, up)[value] - evaluate(graph, down)[value]) / 2e-6
            assert np.sum(gradients[place - 1] * direction) == pytest.approx(slope, rel=1e-6)
