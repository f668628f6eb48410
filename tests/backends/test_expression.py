"""Printed expressions mean what the graph means: Python's parser is the judge of precedence."""

import ast
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgrad.compiler.backends.expression import Expressions
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import BOOL, INT
from mgrad.compiler.ops import TABLE

POOL = Pool()
X, Y, P = (
    POOL.parameter("x", POOL.constant(0).array),
    POOL.parameter("y", POOL.constant(0).array),
    None,
)
P = POOL.parameter("p", BOOL)
NAMES = {X: "x", Y: "y", P: "p"}
VALUES = {"x": 1.75, "y": -2.5, "p": True}
# What the operators mean, apart from the table: their spelling is what is tested.
MEANINGS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    "maximum": max,
    "abs": abs,
    "lt": lambda a, b: a < b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
    "where": lambda c, a, b: a if c else b,
    "integer_power": lambda a, n: a**n,
    "atan": math.atan,
}


def spelled(node: Node, target: str = "python") -> str:
    return Expressions(target, NAMES, lambda key: key, lambda path: path.rpartition(".")[2]).text(
        node
    )  # type: ignore[arg-type]


def real(value: object) -> Node:
    return POOL.constant(Fraction(str(value)))


leaves = st.sampled_from([X, Y, real(2), real(-3), real("0.5"), Fraction(1, 3), real("-1e-9")]).map(
    lambda v: v if isinstance(v, Node) else POOL.constant(v)
)


def grow(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    tests = st.one_of(
        st.just(P),
        st.builds(
            lambda op, a, b: TABLE[op](a, b),
            st.sampled_from(["lt", "ge", "eq"]),
            children,
            children,
        ),
    )
    truths = st.one_of(
        tests,
        st.builds(lambda op, a, b: TABLE[op](a, b), st.sampled_from(["and", "or"]), tests, tests),
        st.builds(lambda a: TABLE["not"](a), tests),
        st.builds(
            lambda a, b, c: TABLE["and"](a, TABLE["or"](b, TABLE["not"](c))), tests, tests, tests
        ),
    )
    return st.one_of(
        st.builds(
            lambda op, a, b: TABLE[op](a, b),
            st.sampled_from(["add", "sub", "mul", "maximum"]),
            children,
            children,
        ),
        st.builds(lambda op, a: TABLE[op](a), st.sampled_from(["neg", "abs", "atan"]), children),
        st.builds(
            lambda a, n: TABLE["integer_power"](a, POOL.constant(n, INT)),
            children,
            st.sampled_from([2, 3]),
        ),
        st.builds(lambda c, a, b: TABLE["where"](c, a, b), truths, children, children),
    )


def meaning(node: Node) -> float:
    if node in NAMES:
        return VALUES[NAMES[node]]
    if node.op == "constant":
        value = node.value
        return int(value) if node.array.dtype == "int" else float(value)
    return MEANINGS[node.op](*(meaning(i) for i in node.inputs))


@settings(max_examples=300, deadline=None)
@given(st.recursive(leaves, grow, max_leaves=12))
def test_python_reads_what_the_graph_means(node: Node) -> None:
    names = {"maximum": max, "atan": math.atan, **VALUES}
    try:
        expected = meaning(node)
    except OverflowError:
        return
    assert eval(spelled(node), names) == expected


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (X * Y + X, "x*y + x"),
        (X * (Y + X), "x*(y + x)"),
        (X - (Y - X), "x - (y - x)"),
        ((X - Y) - X, "x - y - x"),
        (X / (Y * X), "x/(y*x)"),
        (-(X * Y), "-x*y"),
        (1 - X * X, "1 - x*x"),
        (X + POOL.constant(-4), "x - 4"),
        (X * POOL.constant(Fraction(1, 3)), "x*(1/3)"),
        (POOL.constant(Fraction(1, 3)) * X, "1/3*x"),
        (TABLE["integer_power"](-X, POOL.constant(5, INT)), "(-x)**5"),
        (X + POOL.constant(Fraction(1, 10)), "x + 0.1"),
        (X + POOL.constant(10**400), "x + np.inf"),
        (X + POOL.constant(10**30), "x + 1e+30"),
    ],
)
def test_parentheses_are_as_few_as_rounding_allows(node: Node, text: str) -> None:
    names = Expressions("numpy", NAMES, lambda key: key, lambda path: path)
    assert names.text(node) == text


def test_a_condition_in_a_choice_keeps_its_parentheses() -> None:
    inner = TABLE["where"](P, X, Y)
    outer = TABLE["where"](P, inner, inner + 1)
    tree = ast.parse(spelled(outer), mode="eval").body
    assert isinstance(tree, ast.IfExp) and isinstance(tree.body, ast.IfExp)
