"""The optimised gradient has no more operations than the one written by hand."""

from fractions import Fraction

import pytest

import mgrad.compiler.ops  # noqa: F401
from mgrad.compiler.autodiff.reverse import joint
from mgrad.compiler.autodiff.seed import with_unit_seed
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import REAL
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes import ORDER, PASSES, optimise
from mgrad.compiler.passes.count import operations
from mgrad.compiler.passes.save import cut


def power(x: Node, n: int) -> Node:
    return TABLE["pow"](x, x.pool.constant(n))


def micrograd() -> Graph:
    """The expression of micrograd's README (LANGUAGE.md, section 1)."""
    pool = Pool()
    a, b = pool.parameter("a", REAL), pool.parameter("b", REAL)
    relu = TABLE["relu"]
    c = a + b
    d = a * b + power(b, 3)
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + relu(b + a))
    d = d + (3 * d + relu(b - a))
    f = power(c - d, 2)
    return Graph("g", pool, (a, b), (f / 2 + 10 / f,))


def test_readme_expression() -> None:
    """By hand (a choice by sign counted as comparison and select): s, t 2; c 3; bb 1; d 3; d3 4;
    d4 4; e, f 2; g 3; backward: f 3, e 2, d3 1, d 1, s 4, t 3, and 4 and 5 for a and b: 45."""
    reverse = optimise(joint(micrograd()))
    both = optimise(with_unit_seed(reverse))
    verify(both)
    assert evaluate(both, (-4.0, 2.0)) == pytest.approx(
        (24.70408163265306, 138.83381924198252, 645.5772594752186), rel=1e-14
    )
    assert operations(both) <= 45
    names = {n.op for n in cut(reverse).saved}
    assert len(cut(reverse).saved) <= 4, names


def step(pool: Pool, a: Node, b: Node, c: Node) -> tuple[Node, Node]:
    t = TABLE["tanh"](a * b)
    u = (t + Fraction(1, 2) * c) / (TABLE["exp"](t) + 1)
    return u + Fraction(3, 10), a * Fraction(9, 10) + u


def test_chain_step() -> None:
    """One step of the benchmark's chain. By hand forward: a*b, tanh 10, exp 10, w 1, u 3, then 1
    and 2: 28. Backward, seeds given: v 2, d_t 3, d_m 3, a 3, b 1, c 1: 13."""
    pool = Pool()
    a, b, c = (pool.parameter(name, REAL) for name in "abc")
    graph = Graph("step", pool, (a, b, c), step(pool, a, b, c))
    reverse = optimise(joint(graph))
    verify(reverse)
    assert operations(reverse) <= 28 + 13
    halves = cut(reverse)
    transcendental = {n for n in halves.backward if TABLE.get(n.op) and TABLE[n.op].weight >= 10}
    assert not transcendental


def test_nothing_recurses() -> None:
    pool = Pool()
    x = pool.parameter("x", REAL)
    y = x
    for _ in range(3_000):
        y = TABLE["where"](TABLE["gt"](y, x), y * x + 1, -y)
    reverse = optimise(joint(Graph("deep", pool, (x,), (y,))))
    assert len(reverse.nodes()) < 3_000 * 20
    assert evaluate(reverse, (0.5, 1.0))


def test_collect_keeps_kahan() -> None:
    pool = Pool()
    s, x = pool.parameter("s", REAL), pool.parameter("x", REAL)
    t = s + x
    graph = Graph("kahan", pool, (s, x), ((t - s) - x,))
    assert evaluate(optimise(graph), (1e16, 1.0)) == (-1.0,)


def test_order_has_reasons() -> None:
    names = [name for name, _, _ in PASSES]
    assert all(b in names and a in names and reason for b, a, reason in ORDER)
