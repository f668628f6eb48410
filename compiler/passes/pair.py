"""A call and its reverse become the two halves of one function.

y = f(x); d_x = f@vjp(x, d)   ->   y, saved = f@forward(x); d_x = f@backward(saved, d)
"""

from __future__ import annotations

from dataclasses import replace

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import AnyType, Bundle, Saved


def run(graph: Graph) -> Graph:
    calls: dict[tuple[str, tuple[Node, ...]], Node] = {}
    backs: list[Node] = []
    for node in graph.nodes():
        if node.op == "call":
            callee = str(node.attribute("callee"))
            calls[callee, node.inputs] = node
            if callee.endswith("@vjp"):
                backs.append(node)
    forward_of: dict[Node, Node] = {}  # the reverse call -> the call
    for back in backs:
        callee = str(back.attribute("callee")).removesuffix("@vjp")
        for count in range(len(back.inputs), -1, -1):
            call = calls.get((callee, back.inputs[:count]))
            if call is not None:
                forward_of[back] = call
                break
    if not forward_of:
        return graph
    paired = set(forward_of.values())
    halves: dict[Node, Node] = {}

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node in paired:
            return forward(node, inputs)
        if node in forward_of:
            call = forward_of[node]
            count = len(call.inputs)
            half = halves.get(call) or forward(call, inputs[:count])
            callee = str(call.attribute("callee"))
            saved = node.pool.make("item", (half,), Saved(callee), index=len(_types(call)))
            return node.pool.make(
                "call", (saved, *inputs[count:]), node.type, callee=f"{callee}@backward"
            )
        return remake(node, inputs)

    def forward(node: Node, inputs: tuple[Node, ...]) -> Node:
        callee = str(node.attribute("callee"))
        type = Bundle((*_types(node), Saved(callee)))
        halves[node] = node.pool.make("call", inputs, type, callee=f"{callee}@forward")
        return halves[node]

    return rewrite(graph, rule)


def _types(node: Node) -> tuple[AnyType, ...]:
    assert isinstance(node.type, Bundle)
    return node.type.items


def values_only(graph: Graph) -> Graph:
    """The values of a joint graph alone, with plain calls again: `f@forward` is `f`."""

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op != "call" or not str(node.attribute("callee")).endswith("@forward"):
            return remake(node, inputs)
        callee = str(node.attribute("callee")).removesuffix("@forward")
        return node.pool.make("call", inputs, Bundle(_types(node)[:-1]), callee=callee)

    values = replace(graph, results=graph.results[: graph.split], split=None)
    return rewrite(values, rule)
