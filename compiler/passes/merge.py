"""One node for what differs in the order of its operands alone.

    a + b, b + a            ->  a + b
    hypot(x, y), hypot(y, x) -> hypot(x, y)

Runs before differentiation, so that such a value has one gradient, and again with `fold` after it.
"""

from __future__ import annotations

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node

COMMUTATIVE = frozenset({"add", "mul", "hypot", "eq", "ne", "and", "or"})
Seen = dict[tuple[str, tuple[Node, ...]], Node]


def first(node: Node, seen: Seen) -> Node:
    """The first node that is this one but for the order of its operands; `seen` grows."""
    if node.op not in COMMUTATIVE:
        return node
    node = seen.get((node.op, node.inputs[::-1]), node)
    seen.setdefault((node.op, node.inputs), node)
    return node


def run(graph: Graph) -> Graph:
    seen: Seen = {}
    return rewrite(graph, lambda node, inputs: first(remake(node, inputs), seen), ops=COMMUTATIVE)
