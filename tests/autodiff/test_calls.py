"""Derivatives of calls: derived graphs, stated derivatives, pairs of passes, inlining."""

import math

import pytest

import mgrad.compiler.ops  # noqa: F401
from mgrad.compiler.autodiff.reverse import derive, joint
from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.module import Module, Signature
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import REAL, Bundle
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes import inline, optimise, pair, prepare


def call(callee: str, *inputs: Node) -> Node:
    pool = inputs[0].pool
    node = pool.make("call", inputs, Bundle((REAL,)), callee=callee)
    return pool.make("item", (node,), REAL, index=0)


def program() -> Module:
    """f(x, y) = sin(x)*y; g(x) = f(x, x^2)*x; h(x) = f'(…) through g@prime twice."""
    pool = Pool()
    x, y = pool.parameter("x", REAL), pool.parameter("y", REAL)
    f = Graph("f", pool, (x, y), (TABLE["sin"](x) * y,))
    z = pool.parameter("z", REAL)
    g = Graph("g", pool, (z,), (call("f", z, z * z) * z,))
    h = Graph("h", pool, (z,), (call("g@prime@prime", z),))
    return Module({"f": f, "g": g, "h": h})


def test_derived_graphs_nest() -> None:
    module = derive(program(), "h@vjp")
    verify(module)
    keys = list(module.graphs)
    assert keys.index("g@prime@prime") < keys.index("h")
    x = 0.7
    # g = x^3 sin x
    first = 3 * x**2 * math.sin(x) + x**3 * math.cos(x)
    second = 6 * x * math.sin(x) + 6 * x**2 * math.cos(x) - x**3 * math.sin(x)
    third = (6 - 9 * x**2) * math.sin(x) + (18 * x - x**3) * math.cos(x)
    assert evaluate(module.graphs["g@prime"], (x,), module) == pytest.approx((first,), rel=1e-13)
    assert evaluate(module.graphs["h"], (x,), module) == pytest.approx((second,), rel=1e-13)
    assert evaluate(module.graphs["h@vjp"], (x, 1.0), module) == pytest.approx((third,), rel=1e-12)


def test_inlining_keeps_the_meaning() -> None:
    module = program()
    ready = prepare(module)
    verify(ready)
    assert not any(n.op == "call" for n in ready.graphs["g"].nodes())
    found = evaluate(ready.graphs["g"], (0.7,), ready)
    assert found == pytest.approx((0.7**3 * math.sin(0.7),), rel=1e-14)
    assert inline.run(ready).graphs["f"] is ready.graphs["f"]


def test_a_call_and_its_reverse_are_paired() -> None:
    module = program()
    both = joint(module.graphs["g"], module)
    paired = pair.run(both)
    verify(paired)
    called = [n.attribute("callee") for n in paired.nodes() if n.op == "call"]
    assert sorted(map(str, called)) == ["f@backward", "f@forward"]
    again = pair.values_only(paired)
    callees = [n.attribute("callee") for n in again.nodes() if n.op == "call"]
    assert callees == ["f"]
    assert evaluate(again, (0.7, 1.0), module) == pytest.approx((0.7**3 * math.sin(0.7),))


def test_stated_derivative_is_used() -> None:
    pool = Pool()
    x, z = pool.parameter("x", REAL), pool.parameter("x", REAL)
    partial = Graph("sine'", pool, (z,), (call("cosine", z),))
    g = Graph("g", pool, (x,), (call("sine", x * x),))
    one = (("x", REAL),)
    module = Module(
        {"sine'": partial, "g": g},
        {
            "sine": Signature(one, (REAL,), "sine'", ("math", "sin")),
            "cosine": Signature(one, (REAL,), None, ("math", "cos")),
        },
    )
    both = optimise(joint(g, module))
    verify(both, module)
    assert evaluate(both, (0.6, 1.0), module) == pytest.approx(
        (math.sin(0.36), 1.2 * math.cos(0.36)), rel=1e-14
    )
    prime = derive(module, "sine@prime")
    assert evaluate(prime.graphs["sine@prime"], (0.6,), prime) == pytest.approx((math.cos(0.6),))
    with pytest.raises(InternalError, match="cosine has no derivative"):
        joint(partial, module)


def test_verify_refuses() -> None:
    pool = Pool()
    x, stranger = pool.parameter("x", REAL), pool.parameter("y", REAL)
    with pytest.raises(InternalError, match="y is no parameter"):
        verify(Graph("f", pool, (x,), (x + stranger,)))
    with pytest.raises(InternalError, match="no such op"):
        verify(Graph("f", pool, (x,), (pool.make("tahn", (x,), REAL),)))
    with pytest.raises(InternalError, match="no function q"):
        verify(Graph("f", pool, (x,), (call("q", x),)), Module({}))
