"""The derivative that is stated for a function, in the graphs that are derived from the function.

    softabs(x) = sqrt(x^2 + c), stated: x/softabs(x)   ->   s = sqrt(x*x + c); d_x = grad*(x/s)

While a graph is derived the partials are in it, and what they call is called. So a further
derivative uses the stated one again. `settled` then puts the function's own values in the place
of calls of the function itself.
"""

from __future__ import annotations

from dataclasses import replace

from mgrad.compiler.ir.graph import Graph, Notes, carry, remake, rewrite, substitute
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node


def own_partials(graph: Graph, module: Module | None) -> tuple[Node, ...] | None:
    """The stated partials of the function of this graph, one a real parameter; None if there are
    none. They may call the function itself."""
    body = _body(graph, module)
    if body is None:
        return None
    new = substitute(body, graph.parameters)
    return tuple(new[r] for r in body.results)


def settled(derived: Graph, graph: Graph, module: Module | None) -> Graph:
    """A graph derived from `graph` without calls of the function, or of its stated partials, with
    its own arguments. The notes of the stated derivative are added."""
    body = _body(graph, module)
    if body is None or module is None:
        return derived
    partials = module.signatures[graph.name].stated
    new = substitute(body, graph.parameters)
    bodies = {graph.name: graph.results, partials: tuple(new[r] for r in body.results)}

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op == "item":
            call, index = inputs[0], node.attribute("index")
            if call.op == "call" and call.inputs == graph.parameters:
                results = bodies.get(str(call.attribute("callee")))
                if results is not None:
                    assert isinstance(index, int)
                    return results[index]
        return remake(node, inputs)

    derived = replace(derived, notes=_joined(derived.notes, carry(body.notes, new)))
    return rewrite(rewrite(derived, rule), rule)  # the partials may call the function


def _body(graph: Graph, module: Module | None) -> Graph | None:
    signature = module.signatures.get(graph.name) if module is not None else None
    if module is None or signature is None or signature.stated is None:
        return None
    return module.graphs[signature.stated]


def _joined(notes: Notes, more: Notes) -> Notes:
    return replace(
        notes,
        names={**more.names, **notes.names},
        spans={**more.spans, **notes.spans},
        comments={**more.comments, **notes.comments},
    )
