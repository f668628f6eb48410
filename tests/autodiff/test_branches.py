"""A branch that is not taken gives 0, never nan, at any order and in any mode."""

from collections.abc import Callable

import pytest

import mgrad.compiler.ops  # noqa: F401
from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.reverse import gradient, joint
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import REAL
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes import PASSES, optimise


def root(x: Node, zero: Node) -> Node:
    return TABLE["where"](TABLE["gt"](x, zero), TABLE["sqrt"](x), zero)


def quotient(x: Node, zero: Node) -> Node:
    return TABLE["where"](TABLE["eq"](x, zero), zero, 3 / x)


def smooth(x: Node, zero: Node) -> Node:
    return TABLE["where"](TABLE["gt"](x, zero), TABLE["exp"](-1 / x), zero)


CASES = [
    (root, 0.0, (0, 0, 0, 0)),
    (root, -1.0, (0, 0, 0, 0)),
    (root, 1.0, (1, 1 / 2, -1 / 4, 3 / 8)),
    (quotient, 0.0, (0, 0, 0, 0)),
    (quotient, 1.0, (3, -3, 6, -18)),
    (smooth, 0.0, (0, 0, 0, 0)),
    (smooth, -1.0, (0, 0, 0, 0)),
    (smooth, 0.5, (0.1353352832366127, 0.5413411329464508, 0.0, -4.330729063571606)),
]


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("make", "at", "expected"), CASES)
def test_three_orders(
    make: Callable[[Node, Node], Node], at: float, expected: tuple[float, ...], level: int
) -> None:
    pool = Pool()
    x = pool.parameter("x", REAL)
    results = [make(x, pool.constant(0))]
    for _ in range(3):
        results += gradient([(results[-1], pool.constant(1))], [x])
    graph = Graph("f", pool, (x,), tuple(results))
    for _, run, least in PASSES:
        if level >= least:
            graph = run(graph)
            verify(graph)
    assert evaluate(graph, (at,)) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("make", "at", "expected"), CASES)
def test_modes_over_each_other(
    make: Callable[[Node, Node], Node], at: float, expected: tuple[float, ...]
) -> None:
    pool = Pool()
    x = pool.parameter("x", REAL)
    graph = Graph("f", pool, (x,), (make(x, pool.constant(0)),))
    over = optimise(jvp(joint(graph)))  # x, grad, d_x, d_grad -> f, f', their tangents
    verify(over)
    value, slope, moved, second = evaluate(over, (at, 1.0, 1.0, 0.0))
    assert (value, slope, moved, second) == pytest.approx(
        (*expected[:2], expected[1], expected[2]), rel=1e-12, abs=1e-12
    )
    under = optimise(joint(jvp(graph)))  # x, d_x, grad_1, grad_2 -> f, tangent, by x, by d_x
    verify(under)
    value, moved, by_x, by_d = evaluate(under, (at, 1.0, 0.0, 1.0))
    assert (value, moved, by_x, by_d) == pytest.approx(
        (*expected[:3], expected[1]), rel=1e-12, abs=1e-12
    )
