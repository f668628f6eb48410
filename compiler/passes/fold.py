"""Compute what is constant, exactly, and drop what does nothing.

    2*(3 + x*1) + 0*4  ->  2*(3 + x)
    not (not c)        ->  c
    a + b, b + a       ->  one of them

x*0 stays: it is nan at infinity. A constant has at most 1,000 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.passes.merge import Seen, first

BITS = 3322  # of 1,000 digits

_ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
}
_COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
}


def run(graph: Graph) -> Graph:
    seen: Seen = {}
    return rewrite(graph, lambda node, inputs: first(folded(remake(node, inputs)), seen))


def exact(node: Node) -> Fraction | None:
    """The number of a finite numeric constant."""
    if node.op != "constant":
        return None
    value = node.value
    return value if isinstance(value, Fraction) else None


def is_factor(node: Node) -> bool:
    """Whether a node is a finite number other than 0."""
    return bool(exact(node))


def folded(node: Node) -> Node:
    match node.op:
        case "add" | "sub" | "mul" | "div":
            return _arithmetic(node)
        case "neg":
            value = exact(node.inputs[0])
            if value is not None and value != 0:  # -0 is not 0
                return _constant(node, -value)
            return node.inputs[0].inputs[0] if node.inputs[0].op == "neg" else node
        case "lt" | "le" | "gt" | "ge" | "eq" | "ne":
            x, y = exact(node.inputs[0]), exact(node.inputs[1])
            if x is not None and y is not None:
                return node.pool.constant(_COMPARE[node.op](x, y), node.array)
        case "not":
            (inner,) = node.inputs
            if inner.op == "not":
                return inner.inputs[0]
            if inner.op == "constant":
                return node.pool.constant(not inner.value, node.array)
        case "and" | "or":
            return _logic(node)
        case "where":
            return _where(node)
        case "to_real" | "to_int":
            inner = node.inputs[0]
            if inner.op == "constant" and not isinstance(inner.value, float):
                return _constant(node, Fraction(inner.value))
    return node


def _constant(node: Node, value: Fraction) -> Node:
    if value.numerator.bit_length() > BITS or value.denominator.bit_length() > BITS:
        return node
    return node.pool.constant(value, node.array)


def _arithmetic(node: Node) -> Node:
    left, right = node.inputs
    if left.op != "constant" and right.op != "constant":
        return node
    x, y = exact(left), exact(right)
    op = node.op
    if x is None and y is None:
        return node
    if x is not None and y is not None:
        if op != "div":
            return _constant(node, _ARITHMETIC[op](x, y))
        return _constant(node, x / y) if y != 0 else node
    if op == "add":
        return right if x == 0 else left if y == 0 else node
    if op == "sub":
        return left if y == 0 else -right if x == 0 else node
    if op == "mul":
        if x == 1 or y == 1:
            return right if x == 1 else left
        if x == -1 or y == -1:
            return -right if x == -1 else -left
        return node
    if y == 1:
        return left
    return -left if y == -1 else node


def _logic(node: Node) -> Node:
    left, right = node.inputs
    if left is right:
        return left
    for one, other in ((left, right), (right, left)):
        if one.op == "constant":
            absorbing = node.op == "or"
            return one if bool(one.value) is absorbing else other
    return node


def _where(node: Node) -> Node:
    condition, x, y = node.inputs
    if condition.op == "constant":
        return x if condition.value else y
    if x is y:
        return x
    if condition.op == "not":
        flipped = node.pool.make("where", (condition.inputs[0], y, x), node.type)
        assert isinstance(node.type, Type)
        return flipped
    return node
