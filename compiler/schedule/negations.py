"""The sign of a product goes to its number, so that it is no step of its own.

-(2*a*b)  ->  (-2)*a*b        -(g*a)  ->  (-g)*a   if g is a number
"""

from __future__ import annotations

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node


def run(graph: Graph) -> Graph:
    uses, named = graph.uses(), graph.notes.names

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        (x,) = inputs
        old = node.inputs[0]
        chain: list[Node] = []
        while x.op in ("mul", "div") and uses[old] == 1 and old not in named:
            chain.append(x)
            x, old = x.inputs[0], old.inputs[0]
            if len(old.inputs) < 2:
                break
        if not chain or not _is_number(x):
            return remake(node, inputs)
        made = _negative(x)
        for product in reversed(chain):
            made = node.pool.make(product.op, (made, product.inputs[1]), product.type)
        return made

    return rewrite(graph, rule, ops=("neg",))


def _is_number(node: Node) -> bool:
    """Whether a node is a number, repeated at all places."""
    axes = node.attribute("axes") if node.op == "broadcast" else ()
    assert isinstance(axes, tuple)
    return node.op == "constant" or len(axes) == len(node.array.shape)


def _negative(node: Node) -> Node:
    if node.op == "constant":
        return node.pool.constant(-node.value, node.array)
    if node.op == "broadcast":
        (x,) = node.inputs
        axes = node.attribute("axes")
        minus = node.pool.make("neg", (x,), x.type)
        return node.pool.make("broadcast", (minus,), node.type, axes=axes)
    return node.pool.make("neg", (node,), node.type)
