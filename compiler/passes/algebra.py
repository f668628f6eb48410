"""Apply the rules of `algebra.rules` that are true in floating point.

    abs(-x)  ->  abs(x)

The rules are read once and indexed by the op at their root, so a node costs one look-up.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.op import TABLE

Pattern = tuple[str, ...] | tuple[str, Fraction] | tuple[object, ...]

_INFIX = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}


@dataclass(frozen=True, slots=True)
class AlgebraRule:
    """`left -> right [tag]`; the texts are kept for the proof."""

    left: Pattern
    right: Pattern
    tag: str
    text: str


def parse(line: str) -> AlgebraRule:
    """One line of the file."""
    body, _, tag = line.strip().rpartition("[")
    left, arrow, right = body.partition("->")
    assert arrow and tag.endswith("]"), line
    return AlgebraRule(_pattern(left), _pattern(right), tag[:-1], body.strip())


def _pattern(text: str) -> Pattern:
    return _build(ast.parse(text.strip().replace("^", "**"), mode="eval").body)


def _build(tree: ast.expr) -> Pattern:
    """A rule's depth is that of its line, so this may recurse."""
    match tree:
        case ast.Name(id=name):
            return ("name", name)
        case ast.Constant(value=int(value)):
            return ("number", Fraction(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return ("neg", _build(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return (_INFIX[type(op)], _build(left), _build(right))
        case ast.Call(func=ast.Name(id=name), args=args):
            return (name, *(_build(a) for a in args))
    raise ValueError(ast.unparse(tree))


@cache
def rules() -> tuple[AlgebraRule, ...]:
    text = Path(__file__).with_suffix(".rules").read_text(encoding="utf-8")
    return tuple(parse(s) for s in text.splitlines() if s.strip() and not s.startswith("#"))


@cache
def index(tag: str) -> dict[str, list[AlgebraRule]]:
    found: dict[str, list[AlgebraRule]] = {}
    for rule in rules():
        if rule.tag == tag:
            found.setdefault(str(rule.left[0]), []).append(rule)
    return found


def apply(node: Node, table: dict[str, list[AlgebraRule]]) -> Node:
    """The node, or what the first rule that matches makes of it."""
    for rule in table.get(node.op, ()):
        bound: dict[str, Node] = {}
        if _match(rule.left, node, bound):
            return _make(rule.right, bound, node)
    return node


def _match(pattern: Pattern, node: Node, bound: dict[str, Node]) -> bool:
    kind = pattern[0]
    if kind == "name":
        return bound.setdefault(str(pattern[1]), node) is node
    if kind == "number":
        return node.op == "constant" and node.value == pattern[1]
    if node.op != kind or len(node.inputs) != len(pattern) - 1:
        return False
    return all(
        _match(part, operand, bound)  # type: ignore[arg-type]
        for part, operand in zip(pattern[1:], node.inputs, strict=True)
    )


def _make(pattern: Pattern, bound: dict[str, Node], like: Node) -> Node:
    kind = pattern[0]
    if kind == "name":
        return bound[str(pattern[1])]
    if kind == "number":
        return like.pool.constant(pattern[1], like.array)  # type: ignore[arg-type]
    return TABLE[str(kind)](*(_make(p, bound, like) for p in pattern[1:]))  # type: ignore[arg-type]


def run(graph: Graph) -> Graph:
    table = index("exact")
    return rewrite(graph, lambda node, inputs: apply(remake(node, inputs), table), ops=table)
