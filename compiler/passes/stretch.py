"""A result of a mapped call that is one number for all arguments is that number, for each element.

    y = f(q)    with f(x) = 5, q: [n]    ->    y = broadcast(5)

The text of such a function gives a number, where an array of the shape of q is wanted. Derivatives
have such results: those of a step, and second ones of what is linear.
"""

from __future__ import annotations

from collections.abc import Mapping

from mgrad.compiler.ir.graph import Graph, remake, rewrite, topological
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.ops.structural import broadcast


def run(graph: Graph, graphs: Mapping[str, Graph]) -> Graph:
    """The graph, whose callees are among `graphs`."""

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        made = remake(node, inputs)
        shape = node.type.shape if isinstance(node.type, Type) else ()
        callee = graphs.get(str(dict(inputs[0].attributes).get("callee")))
        if not shape or callee is None:
            return made
        result = callee.results[int(str(node.attribute("index")))]
        if result.array.shape or any(n.op == "parameter" for n in topological([result])):
            return made
        return broadcast(result, shape, range(len(shape)))

    return rewrite(graph, rule, ops=("item",))
