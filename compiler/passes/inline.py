"""Put the body of a function in the place of its call.

    sq(x) = x*x;  f(x) = sq(x) + 1   ->   f(x) = x*x + 1

Done where the body is tiny, or small and called once, or longer and shown nowhere else: it is no
entry point. What others were put into is put nowhere else, but where it is tiny: so each body is in
at most one place beside its own, and the text grows in proportion to the source. The names,
comments and places of the body come along; a name that the caller uses too is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from mgrad.compiler.ir.graph import Graph, Notes, can_substitute, carry, remake, substitute
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes.count import operations

# operations, a transcendental function being 10
TINY = 4
SMALL = 40
LONG = 400


def run(module: Module, entries: Collection[str] = ()) -> Module:
    """Each graph with its small callees in place. The callees stay: they are functions too."""
    calls: Counter[str] = Counter()
    for graph in module.graphs.values():
        calls.update(str(n.attribute("callee")) for n in graph.nodes() if n.op == "call")
    ready: dict[str, Graph] = {}
    bodies: dict[str, Graph] = {}  # to be put in place
    for key, graph in module.graphs.items():
        made = ready[key] = _Caller(graph, bodies).inlined()
        signature = module.signatures.get(key)
        if calls[key] and (signature is None or signature.stated is None):
            is_shown = key in entries
            most = LONG if not is_shown else SMALL if made is graph else TINY
            if operations(made) <= (most if calls[key] == 1 else TINY):
                bodies[key] = made
    return replace(module, graphs=ready)


@dataclass(slots=True)
class _Caller:
    """A graph in which calls give way to bodies."""

    graph: Graph
    bodies: dict[str, Graph]
    new: dict[Node, Node] = field(default_factory=dict)
    found: list[tuple[Node, Graph, dict[Node, Node]]] = field(default_factory=list)

    def inlined(self) -> Graph:
        new = self.new
        results: dict[Node, tuple[Node, ...]] = {}
        for node in self.graph.nodes():
            inputs = tuple([new[i] for i in node.inputs])
            if node.op == "item" and node.inputs[0] in results:
                index = node.attribute("index")
                assert isinstance(index, int)
                new[node] = results[node.inputs[0]][index]
                continue
            new[node] = remake(node, inputs)
            if node.op == "call":
                body = self.bodies.get(str(node.attribute("callee")))
                if body is not None and can_substitute(body, inputs):
                    inside = substitute(body, inputs)
                    results[node] = tuple(inside[r] for r in body.results)
                    self.found.append((node, body, inside))
        if not results:
            return self.graph
        return replace(
            self.graph,
            results=tuple(new[r] for r in self.graph.results),
            notes=self.notes(),
        )

    def notes(self) -> Notes:
        """The caller's notes, and for what has none those of the bodies. What stands in a body is
        at the place of the call first: that is its place in the order of the source."""
        own = self.graph.notes
        notes = carry(own, self.new)
        names, spans, comments = dict(notes.names), dict(notes.spans), dict(notes.comments)
        taken = {*own.names.values(), *(str(p.attribute("name")) for p in self.graph.parameters)}
        calls = {call for call, _, _ in self.found}
        places = {n.inputs[0]: s for n, s in own.spans.items() if n.op == "item"}
        places |= {n: s for n, s in own.spans.items() if n in calls}
        for call, body, inside in self.found:
            here = places.get(call, ())
            for node, name in body.notes.names.items():
                target = inside.get(node)
                if target is not None and node.inputs and name not in taken:
                    names.setdefault(target, name)
            for node, there in body.notes.spans.items():
                target = inside.get(node)
                if target is not None and node.inputs:
                    known = spans.get(target, here)
                    spans[target] = known + tuple(s for s in there if s not in known)
            for node, lines in body.notes.comments.items():
                target = inside.get(node)
                if target is not None and node.inputs:
                    comments.setdefault(target, lines)
        return replace(notes, names=names, spans=spans, comments=comments)
