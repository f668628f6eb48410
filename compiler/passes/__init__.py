"""Passes over graphs, and the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import overload

from mgrad.compiler.autodiff import resolve
from mgrad.compiler.ir.graph import Graph, Region, remake, rewrite
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes import (
    algebra,
    cancel,
    collect,
    dead,
    expand,
    factors,
    fold,
    inline,
    loops,
    merge,
    pair,
    select,
    shapes,
    signs,
    stabilise,
    stretch,
)

Pass = Callable[[Graph], Graph]

# name, pass, the least level at which it runs
PASSES: tuple[tuple[str, Pass, int], ...] = (
    ("loops", loops.run, 1),
    ("stabilise", stabilise.run, 0),
    ("algebra", algebra.run, 1),
    ("expand", expand.run, 0),
    ("fold", fold.run, 1),
    ("shapes", shapes.run, 0),
    ("fold again", fold.run, 1),
    ("collect", collect.run, 1),
    ("select", select.run, 1),
    ("factors", factors.run, 1),
    ("cancel", cancel.run, 1),
    ("signs", signs.run, 1),
    ("tidy", fold.run, 1),
    ("factors again", factors.again, 1),
    ("shapes again", shapes.run, 1),
    ("factors of arrays", factors.again, 1),
    ("signs again", signs.run, 1),
    ("signs inwards", signs.inwards, 1),
    ("pair", pair.run, 1),
    ("dead", dead.run, 0),
)

ORDER: tuple[tuple[str, str, str], ...] = (
    ("loops", "stabilise", "bodies that are one must be so before they are rewritten"),
    ("stabilise", "expand", "the stable forms are ops that expand"),
    ("algebra", "expand", "rules are written with ops as the user calls them"),
    ("expand", "fold", "expanding makes constants and products with 1"),
    ("fold", "collect", "a coefficient must be one constant"),
    ("collect", "signs", "collecting reads negations as coefficients"),
    ("select", "signs", "an arm's negation is seen once the choices inside are gone"),
    ("collect", "factors", "collecting reads coefficients where the source has them"),
    ("factors", "cancel", "constants stand between an exponential and its inverse"),
    ("factors", "signs", "a sum takes the sign that stands before a product"),
    ("signs", "tidy", "moving a sign makes constants"),
    ("select", "factors", "a choice inside a product hides its factors"),
    ("tidy", "factors again", "multiples that products have in common are values by then"),
    ("shapes again", "factors of arrays", "a product of arrays gives away its constants"),
    ("shapes again", "signs again", "a product of arrays gives away its sign"),
    ("signs again", "signs inwards", "a sum takes the sign for nothing"),
    ("tidy", "dead", "notes are dropped last, of all that is gone by then"),
)

_PLACES = {name: place for place, (name, _, _) in enumerate(PASSES)}
for _before, _after, _reason in ORDER:
    assert _PLACES[_before] < _PLACES[_after], f"{_before} before {_after}: {_reason}"


def prepare(module: Module, level: int = 1, entries: Collection[str] = ()) -> Module:
    """The module ready to be differentiated: small functions inlined, stable forms, and the
    derivatives that the source asks for in their place. `entries` are the entry points."""
    if level >= 1:
        module = inline.run(module, entries)
    graphs = {key: stabilise.run(g) for key, g in module.graphs.items()}
    if level >= 1:
        graphs = {key: merge.run(g) for key, g in graphs.items()}
    module = replace(module, graphs=graphs)
    return replace(module, graphs={key: resolve.run(g, module) for key, g in graphs.items()})


@overload
def optimise(subject: Graph, level: int = 1) -> Graph: ...
@overload
def optimise(
    subject: Module, level: int = 1, levels: Mapping[str, int] | None = None
) -> Module: ...
def optimise(
    subject: Graph | Module, level: int = 1, levels: Mapping[str, int] | None = None
) -> Graph | Module:
    """Run the passes of a level over a graph, or over every graph of a module; `levels` are those
    of single graphs."""
    if isinstance(subject, Module):
        graphs: dict[str, Graph] = {}
        for key, graph in subject.graphs.items():  # a callee stands before its callers
            own = (levels or {}).get(key, level)
            graphs[key] = optimise(stretch.run(graph, graphs), own)
        return replace(subject, graphs=graphs)
    graph = subject
    for name, run, least in PASSES:
        if level >= least:
            graph = run(graph)
        if name == "loops":
            graph = _with_bodies(graph, level)
    return graph


def _with_bodies(graph: Graph, level: int) -> Graph:
    """The graph with the bodies of its loops optimised; as deep as loops nest, it recurses."""
    if all(node.op != "loop" for node in graph.nodes()):
        return graph

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op != "loop":
            return remake(node, inputs)
        region = node.attribute("region")
        assert isinstance(region, Region)
        region = replace(region, body=optimise(region.body, level))
        return node.pool.make("loop", inputs, node.type, region=region)

    return rewrite(graph, rule)
