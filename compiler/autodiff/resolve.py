"""Replace each `diff`, `jacobian` and `hessian` node by the derivative it stands for.

    e = log(sigmoid(x)); s = diff(e, x)   ->   e = -softplus(-x); s = sigmoid(-x)

A pass of its own, after `stabilise`, so that what is differentiated has its stable form already.
The derivatives of one value come from one sweep, as far as they do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from mgrad.compiler.autodiff.activity import CHOICES
from mgrad.compiler.autodiff.jacobian import hessian, jacobian
from mgrad.compiler.autodiff.reverse import copied, gradient
from mgrad.compiler.ir.graph import Graph, Notes, remake, rewrite, topological
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node


def diff(value: Node, target: Node, module: Module | None, notes: Notes | None) -> Node:
    """The gradient of a scalar: the shape of the target."""
    return gradient([(value, value.pool.constant(1))], [target], module, notes)[0]


FORMS = {"diff": diff, "jacobian": jacobian, "hessian": hessian}


def run(graph: Graph, module: Module) -> Graph:
    """The graph without such nodes; inner derivatives are resolved before outer ones."""
    targets: dict[Node, list[Node]] = {}  # of each value
    for node in graph.nodes():
        if node.op == "diff":
            value, target = node.inputs
            targets.setdefault(value, []).append(target)
    if all(node.op not in FORMS for node in graph.nodes()):
        return graph
    found = Notes(gradient_of={}, paths={})
    marks: dict[Node, Node] = {}  # those that have their turn behind them
    slopes: dict[Node, dict[Node, Node]] = {}  # of each value by each target

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        made = remake(node, inputs)
        if node.op == "mark":
            marks[node] = made
        if node.op not in FORMS:
            return made
        value, target = inputs
        if node.op != "diff":
            return FORMS[node.op](value, target, module, found)
        known = slopes.setdefault(value, {})
        if target not in known:
            wanted = [marks.get(t) for t in targets[node.inputs[0]]]
            among = dict.fromkeys([target, *(t for t in wanted if t is not None)])
            known |= _slopes(value, [t for t in among if t not in known], module, found)
        return known[target]

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


def _slopes(value: Node, targets: Sequence[Node], module: Module, notes: Notes) -> dict[Node, Node]:
    """The derivatives of a value, in as few sweeps as can be."""
    one = value.pool.constant(1, value.array)
    order = topological([value])
    chooses = any(node.op == "where" or node.op in CHOICES for node in order)
    found: dict[Node, Node] = {}
    rest = list(targets)
    while rest:
        together = _unrelated(order, rest) if chooses else rest
        found.update(zip(together, gradient([(value, one)], together, module, notes), strict=True))
        rest = [target for target in rest if target not in found]
    return found


def _unrelated(order: Sequence[Node], targets: Collection[Node]) -> list[Node]:
    """The targets that no other one flows into. A target is needed whatever is chosen, and so is
    all that it is made of: one that another depends on would have its adjoint masked too late."""
    within = set(targets)
    after: set[Node] = set()
    for node in order:
        if any(i in within or i in after for i in node.inputs):
            after.add(node)
    return [target for target in targets if target not in after]
