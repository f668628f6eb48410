"""Each pass alone: what its docstring says it does, as before and after. Both are read into one
pool, where equal expressions are one node; the graph is verified after the pass."""

import ast
import operator
from fractions import Fraction

import pytest

import mgrad.compiler.ops  # noqa: F401
from mgrad.compiler.ir.graph import Graph, Notes
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import BOOL, REAL, Bundle
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes import (
    PASSES,
    Pass,
    algebra,
    collect,
    dead,
    expand,
    factors,
    fold,
    merge,
    pair,
    select,
    signs,
    stabilise,
)
from mgrad.compiler.passes.count import operations
from mgrad.compiler.passes.save import cut

INFIX = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: lambda x, y: TABLE["pow"](x, y),
    ast.Gt: lambda x, y: TABLE["gt"](x, y),
    ast.Eq: lambda x, y: TABLE["eq"](x, y),
    ast.And: lambda x, y: TABLE["and"](x, y),
}


class Reader:
    """Reads Python expressions of x, y, z, a, b, d (reals) and c, e (bools)."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.names = {n: self.pool.parameter(n, REAL) for n in "xyzabd"}
        self.names |= {n: self.pool.parameter(n, BOOL) for n in "ce"}

    def graph(self, *lines: str) -> Graph:
        results = tuple(self.node(ast.parse(line, mode="eval").body) for line in lines)
        graph = Graph("f", self.pool, tuple(self.names.values()), results)
        verify(graph)
        return graph

    def node(self, tree: ast.expr) -> Node:
        match tree:
            case ast.Name(id=name):
                return self.names[name]
            case ast.Constant(value=int(value) | float(value)):
                return self.pool.constant(Fraction(value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.node(operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return TABLE["not"](self.node(operand))
            case ast.BinOp(left=x, op=op, right=y) | ast.Compare(left=x, ops=[op], comparators=[y]):
                return INFIX[type(op)](self.node(x), self.node(y))
            case ast.BoolOp(op=op, values=[x, y]):
                return INFIX[type(op)](self.node(x), self.node(y))
            case ast.Call(func=ast.Name(id=name), args=args):
                return TABLE[name](*map(self.node, args))
        raise ValueError(ast.unparse(tree))


CASES: list[tuple[Pass, str, str]] = [
    (stabilise.run, "log(sigmoid(x))", "-softplus(-x)"),
    (stabilise.run, "1 - sigmoid(x)", "sigmoid(-x)"),
    (stabilise.run, "log(1 + exp(x + y))", "softplus(x + y)"),
    (algebra.run, "abs(-x)", "abs(x)"),
    (algebra.run, "cos(abs(-x))", "cos(abs(x))"),
    (expand.run, "x**2", "x*x"),
    (expand.run, "x**-1", "1/x"),
    (expand.run, "x**y", "x**y"),
    (fold.run, "2*(3 + x*1) + (0 - 0)", "2*(3 + x)"),
    (fold.run, "not (not c)", "c"),
    (fold.run, "x*0 + 0*x", "x*0 + x*0"),  # nan at infinity
    (fold.run, "where(2 > 1, x, y)", "x"),
    (fold.run, "where(c, x, x)", "x"),
    (fold.run, "x/1 - 0", "x"),
    (merge.run, "(a + b)*(b + a)", "(a + b)*(a + b)"),
    (merge.run, "hypot(x, y) - hypot(y, x)", "hypot(x, y) - hypot(x, y)"),
    (merge.run, "(a - b)*(b - a)", "(a - b)*(b - a)"),
    (collect.run, "x + (x + 1)", "2*x + 1"),
    (collect.run, "3*(x + 1) + x", "4*x + 3"),
    (collect.run, "((x + y) - x) - y", "((x + y) - x) - y"),  # Kahan's correction
    (select.run, "where(c, where(c, a, b), d)", "where(c, a, d)"),
    (select.run, "where(c, where(c, d, 0)*x, 0)", "where(c, d*x, 0)"),
    (select.run, "where(c and e, where(c, d, 0)*x, 0)", "where(c and e, d*x, 0)"),
    (select.run, "where(c, y, where(c and e, d, x))", "where(c, y, where(c and e, d, x))"),
    (select.run, "where(c, a, 0) + where(c, 0, b)", "where(c, a, b)"),
    (factors.run, "d*3*(2*x)", "6*d*x"),
    (signs.run, "a + (-b)", "a - b"),
    (signs.run, "a - (-b)", "a + b"),
    (signs.run, "x*(1/y)", "x/y"),
]


@pytest.mark.parametrize(("run", "before", "after"), CASES)
def test_before_and_after(run: Pass, before: str, after: str) -> None:
    reader = Reader()
    made = run(reader.graph(before))
    verify(made)
    expected = reader.graph(after).results[0]
    assert made.results[0] is expected, f"{made.results[0]!r} of {made.results[0].inputs}"


@pytest.mark.parametrize("run", [run for name, run, _ in PASSES if name != "collect"])
def test_twice_is_once(run: Pass) -> None:
    """But for `collect`: what it merged may be of one sign with the next."""
    reader = Reader()
    once = run(reader.graph(*(before for _, before, _ in CASES)))
    again = run(once)
    verify(again)
    assert [a is b for a, b in zip(once.results, again.results, strict=True)].count(False) == 0


def test_expanding_shares_parts() -> None:
    """sigmoid and softplus of one operand have one exponential."""
    made = expand.run(Reader().graph("sigmoid(x)", "softplus(x)"))
    verify(made)
    assert [node.op for node in made.nodes()].count("exp") == 1


def test_what_is_read_elsewhere_keeps_its_sign() -> None:
    reader = Reader()
    graph = reader.graph("(-a)*b", "-a")
    assert signs.run(graph).results[1] is graph.results[1]


def test_dead_notes_are_dropped() -> None:
    reader = Reader()
    x, t = reader.names["x"], reader.names["x"] * 3
    graph = Graph("f", reader.pool, (x,), (x + 1,), Notes({x: "x", t: "t"}))
    assert dead.run(graph).notes.names == {x: "x"}


def test_a_call_and_its_reverse_become_two_halves() -> None:
    pool = Pool()
    x, d = pool.parameter("x", REAL), pool.parameter("d", REAL)
    call = pool.make("call", (x,), Bundle((REAL,)), callee="f")
    back = pool.make("call", (x, d), Bundle((REAL,)), callee="f@vjp")
    items = [pool.make("item", (node,), REAL, index=0) for node in (call, back)]
    made = pair.run(Graph("g", pool, (x, d), tuple(items)))
    verify(made)
    first, second = (result.inputs[0] for result in made.results)
    assert (first.attribute("callee"), second.attribute("callee")) == ("f@forward", "f@backward")
    assert second.inputs[0].inputs[0] is first and second.inputs[1] is d


def test_saved_is_what_is_dear() -> None:
    """t is saved; t > 0 is made again from it."""
    pool = Pool()
    n, d = pool.parameter("n", REAL), pool.parameter("d", REAL)
    t = TABLE["tanh"](n)
    u = TABLE["gt"](t, pool.constant(0))
    value = TABLE["where"](u, t, pool.constant(1))
    slope = (1 - t * t) * TABLE["where"](u, d, pool.constant(0))
    halves = cut(Graph("f", pool, (n, d), (value, slope), seeds=(d,), split=1))
    assert halves.saved == (t,)
    assert u in halves.backward and u in halves.forward and t not in halves.backward


def test_operations_are_weighted() -> None:
    assert operations(Reader().graph("x*y + exp(x)*2")) == 3 + 10
