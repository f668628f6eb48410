"""Replace each `diff` node by the adjoint it stands for.

    e = log(sigmoid(x)); s = diff(e, x)   ->   e = -softplus(-x); s = sigmoid(-x)

A pass of its own, after `stabilise`, so that what is differentiated has its stable form already.
"""

from __future__ import annotations

from dataclasses import replace

from mgrad.compiler.autodiff.reverse import copied, gradient
from mgrad.compiler.ir.graph import Graph, Notes, remake, rewrite
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node


def run(graph: Graph, module: Module) -> Graph:
    """The graph without `diff` nodes; inner derivatives are resolved before outer ones."""
    if all(node.op != "diff" for node in graph.nodes()):
        return graph
    found = Notes(gradient_of={}, paths={})

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op != "diff":
            return remake(node, inputs)
        value, target = inputs
        one = node.pool.constant(1, value.array)
        return gradient([(value, one)], [target], module, found)[0]

    resolved = rewrite(graph, rule)
    notes = copied(resolved.notes)
    return replace(
        resolved,
        notes=replace(
            notes,
            gradient_of={**found.gradient_of, **notes.gradient_of},
            paths={**found.paths, **notes.paths},
        ),
    )
