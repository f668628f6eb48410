"""Forward mode: the tangent of every node, in the order of the program."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from mgrad.compiler.autodiff.activity import (
    conditions,
    is_pointwise,
    is_vanishing,
    slope_is_not_zero,
)
from mgrad.compiler.autodiff.reverse import copied, is_real
from mgrad.compiler.autodiff.scale import Partial, is_zero, scale
from mgrad.compiler.autodiff.stated import own_partials, settled
from mgrad.compiler.ir.graph import Graph, Notes, topological
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.ops.op import TABLE, fill, select
from mgrad.compiler.ops.structural import RULES, zeros


def tangents(
    roots: Sequence[Node],
    seeds: Mapping[Node, Node],
    module: Module | None = None,
    notes: Notes | None = None,
) -> list[Node | None]:
    """The tangent of each root, given those of some nodes; None is zero.

    A `where` of tangents keeps what an arm that is not taken gives out of the rest.
    """
    found: dict[Node, Node] = dict(seeds)
    bundles: dict[Node, list[Node | None]] = {}
    order = topological(roots)
    uses: Mapping[Node, Node | None] = {}
    if any(node.op == "where" for node in order):
        uses = conditions(order, roots, seeds)
    for node in order:
        if node in found:
            continue
        if isinstance(node.type, Bundle):
            parts = [found.get(i) for i in node.inputs]
            if any(p is not None for p in parts):
                bundles[node] = _bundle(node, parts, module)
            continue
        if not is_real(node) or not node.inputs:
            continue
        tangent = _tangent(node, found, bundles)
        if tangent is not None and is_vanishing(node):
            here, there = uses.get(node), uses.get(node.inputs[0])
            if here is not None and here is not there:  # as in reverse: `activity.conditions`
                tangent = select(slope_is_not_zero(node), tangent, 0)
        if tangent is not None:
            found[node] = tangent
            if notes is not None and tangent.op != "constant":
                assert isinstance(notes.tangent_of, dict)
                notes.tangent_of.setdefault(tangent, node)
    return [found.get(r) for r in roots]


def _tangent(
    node: Node, found: Mapping[Node, Node], bundles: Mapping[Node, list[Node | None]]
) -> Node | None:
    if node.op == "item":
        index = node.attribute("index")
        assert isinstance(index, int)
        parts = bundles.get(node.inputs[0])
        return parts[index] if parts is not None else None
    moved = [found.get(i) for i in node.inputs]
    if all(m is None for m in moved):
        return None
    rule = RULES.get(node.op)
    if rule is not None:
        return rule.jvp(node, moved)
    if node.op == "where":
        zero = node.pool.constant(0, node.array)
        arms = (moved[1] or zero, moved[2] or zero)
        return node.pool.make("where", (node.inputs[0], *arms), node.type)
    entry = TABLE[node.op]
    if entry.partials is None:
        return None
    guarded = [name in entry.undefined for name in entry.parameters] if entry.undefined else ()
    return _weighted(entry.partials(node, *node.inputs), moved, {node, *node.inputs}, guarded)


def _weighted(
    partials: Sequence[Partial],
    moved: Sequence[Node | None],
    known: Container[Node],
    guarded: Sequence[bool] = (),
) -> Node | None:
    """The sum of tangents times partials; None is zero. What is guarded is 0 where its tangent
    is, whatever its partial, if that is stated piecewise: elsewhere it is a number."""
    total: Node | None = None
    for position, (tangent, partial) in enumerate(zip(moved, partials, strict=True)):
        if tangent is None or is_zero(partial):
            continue
        term = scale(tangent, partial, known)
        if term is not None:
            is_piecewise = isinstance(partial, Node) and partial.op == "where"
            if guarded and guarded[position] and is_piecewise:
                term = select(TABLE["ne"](tangent, fill(tangent, 0)), term, 0)
            total = term if total is None else total + term
    return total


def _bundle(node: Node, moved: Sequence[Node | None], module: Module | None) -> list[Node | None]:
    """The tangents of a call's results: `call f@tangents`; of a function of scalars row by row
    through `f@vjp`, or by the stated partials."""
    from mgrad.compiler.autodiff.loop import loop_jvp
    from mgrad.compiler.autodiff.reverse import call_vjp

    assert isinstance(node.type, Bundle)
    if node.op == "loop":
        return loop_jvp(node, moved, module)
    if not is_pointwise(node):
        return _call_tangents(node, moved)
    rows: list[Node | None] = []
    for k, type in enumerate(node.type.items):
        if not isinstance(type, Type) or type.dtype != "real":
            rows.append(None)
            continue
        total: Node | None = None
        for position, partial in call_vjp(node, {k: node.pool.constant(1, type)}, module):
            tangent = moved[position]
            if tangent is not None:
                term = scale(tangent, partial)
                if term is not None:
                    total = term if total is None else total + term
        rows.append(total)
    return rows


def _call_tangents(node: Node, moved: Sequence[Node | None]) -> list[Node | None]:
    assert isinstance(node.type, Bundle)
    pool = node.pool
    pairs = zip(node.inputs, moved, strict=True)
    given = [m if m is not None else zeros(x) for x, m in pairs if is_real(x)]
    types = tuple(t for t in node.type.items if isinstance(t, Type) and t.dtype == "real")
    attributes = {**dict(node.attributes), "callee": f"{node.attribute('callee')}@tangents"}
    call = pool.make("call", (*node.inputs, *given), Bundle(types), **attributes)
    parts = iter([pool.make("item", (call,), t, index=i) for i, t in enumerate(types)])
    return [
        next(parts) if isinstance(t, Type) and t.dtype == "real" else None for t in node.type.items
    ]


def jvp(graph: Graph, module: Module | None = None) -> Graph:
    """The graph with a tangent parameter for each real one: its values, then their tangents.

    `split` is the number of values; only real results have a tangent.
    """
    notes = copied(graph.notes)
    reals = [p for p in graph.parameters if is_real(p)]
    seeds = {p: graph.pool.parameter(f"d_{p.attribute('name')}", p.type) for p in reals}
    results = [r for r in graph.results if is_real(r)]
    partials = own_partials(graph, module)
    if partials is None:
        moved = tangents(results, seeds, module, notes)
    else:
        moved = [_weighted(partials, list(seeds.values()), ())]
    zeros = [graph.pool.constant(0, r.array) for r in results]
    both = replace(
        graph,
        parameters=graph.parameters + tuple(seeds.values()),
        results=graph.results + tuple(m or z for m, z in zip(moved, zeros, strict=True)),
        notes=notes,
        split=len(graph.results),
    )
    return settled(both, graph, module)
