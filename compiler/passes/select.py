"""Choices inside choices by the same condition.

where(c, where(c, a, b), e)      ->  where(c, a, e)
where(c, where(c, d, 0)*p, 0)    ->  where(c, d*p, 0)
"""

from __future__ import annotations

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node

DEPTH = 4  # how far into an arm to look


def run(graph: Graph) -> Graph:
    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op != "where":
            return remake(node, inputs)
        condition, x, y = inputs
        x, y = _given(x, condition, 1), _given(y, condition, 2)
        if x is y:
            return x
        return node.pool.make("where", (condition, x, y), node.type)

    return rewrite(graph, rule)


def _given(arm: Node, condition: Node, position: int) -> Node:
    """The arm, knowing that the condition holds (position 1) or does not (2)."""
    spine: list[tuple[Node, int]] = []
    node = arm
    while True:
        if node.op == "where" and node.inputs[0] is condition:
            node = node.inputs[position]
            break
        if node.op not in ("mul", "div", "neg") or len(spine) == DEPTH:
            return arm
        place = 0
        if len(node.inputs) == 2 and node.inputs[1].op in ("where", "neg"):
            place = 1 if node.inputs[0].op != "where" else 0
        spine.append((node, place))
        node = node.inputs[place]
    for parent, place in reversed(spine):
        inputs = tuple(node if i == place else x for i, x in enumerate(parent.inputs))
        node = remake(parent, inputs)
    return node
