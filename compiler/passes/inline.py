"""Put the body of a function in the place of its call, where it is tiny or called once.

sq(x) = x*x;  f(x) = sq(x) + 1   ->   f(x) = x*x + 1
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from mgrad.compiler.ir.graph import Graph, carry, remake
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes.count import operations

TINY = 4  # operations


def run(module: Module) -> Module:
    """Each graph with its small callees in place. The callees stay: they are functions too."""
    calls: Counter[str] = Counter()
    for graph in module.graphs.values():
        calls.update(str(n.attribute("callee")) for n in graph.nodes() if n.op == "call")
    ready: dict[str, Graph] = {}
    for key, graph in module.graphs.items():
        ready[key] = _inlined(graph, ready, calls, module)
    return replace(module, graphs=ready)


def _inlined(graph: Graph, ready: dict[str, Graph], calls: Counter[str], module: Module) -> Graph:
    new: dict[Node, Node] = {}
    bodies: dict[Node, tuple[Node, ...]] = {}
    for node in graph.nodes():
        inputs = tuple(new[i] for i in node.inputs)
        if node.op == "parameter":
            new[node] = node
        elif node.op == "item" and node.inputs[0] in bodies:
            index = node.attribute("index")
            assert isinstance(index, int)
            new[node] = bodies[node.inputs[0]][index]
        else:
            if node.op == "call":
                body = _body(str(node.attribute("callee")), ready, calls, module)
                if body is not None:
                    bodies[node] = substitute(body, inputs)
            new[node] = remake(node, inputs)
    if not bodies:
        return graph
    return replace(
        graph, results=tuple(new[r] for r in graph.results), notes=carry(graph.notes, new)
    )


def _body(
    callee: str, ready: dict[str, Graph], calls: Counter[str], module: Module
) -> Graph | None:
    body = ready.get(callee)
    signature = module.signatures.get(callee)
    if body is None or (signature is not None and signature.stated is not None):
        return None
    return body if calls[callee] == 1 or operations(body) <= TINY else None


def substitute(graph: Graph, arguments: tuple[Node, ...]) -> tuple[Node, ...]:
    """The results of a graph with its parameters replaced."""
    new = dict(zip(graph.parameters, arguments, strict=True))
    for node in graph.nodes():
        if node not in new:
            new[node] = remake(node, tuple(new[i] for i in node.inputs))
    return tuple(new[r] for r in graph.results)
