"""Derivatives of the counted loop (`ir.graph.Region`): loops again, so they nest to any order.

The reverse loop runs the turns backwards. It needs the carried values as each turn found them: a
copy of the forward loop emits those beside what it emits anyway (the pass `loops` makes the two
one). It carries the adjoints of the carried values, and sums those of the captured ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mgrad.compiler.ir.fit import dim_of
from mgrad.compiler.ir.graph import Graph, Region
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Type


def make_loop(count: Node, inputs: Sequence[Node], region: Region) -> Node:
    """The loop node; `inputs` are the captured, the initial carried and the stacked values."""
    carried = tuple(r.type for r in region.body.results[: region.carried])
    size = dim_of(count)
    emitted = tuple(
        Type(r.array.dtype, (size, *r.array.shape)) for r in region.body.results[region.carried :]
    )
    return count.pool.make("loop", (count, *inputs), Bundle(carried + emitted), region=region)


def items(node: Node) -> list[Node]:
    """The values of a Bundle."""
    assert isinstance(node.type, Bundle)
    return [node.pool.make("item", (node,), t, index=i) for i, t in enumerate(node.type.items)]


def _real(node: Node) -> bool:
    return isinstance(node.type, Type) and node.type.dtype == "real"


def loop_vjp(
    node: Node, cotangents: Mapping[int, Node], wanted: Sequence[bool], module: Module | None
) -> list[Node | None]:
    """The gradient of each input of a loop."""
    from mgrad.compiler.autodiff.reverse import gradient

    region = node.attribute("region")
    assert isinstance(region, Region) and isinstance(node.type, Bundle)
    pool, body = node.pool, region.body
    first = 1 + region.captured
    last = first + region.carried
    turn, captured = body.parameters[0], body.parameters[1:first]
    carried, slices = body.parameters[first:last], body.parameters[last:]
    saving = replace(body, results=body.results + carried)
    forward = make_loop(node.inputs[0], node.inputs[1:], replace(region, body=saving))
    saved = items(forward)[len(body.results) :]

    outputs: list[tuple[Node, Node]] = []
    adjoints, emitted, starts, emitted_values = [], [], [], []
    for k, result in enumerate(body.results):
        if not _real(result):
            continue
        if k < region.carried:
            adjoint = pool.parameter(f"d_{carried[k].attribute('name')}", result.type)
            adjoints.append(adjoint)
            starts.append(cotangents.get(k, pool.constant(0, result.array)))
            outputs.append((result, adjoint))
        elif k in cotangents:
            adjoint = pool.parameter(f"d_emitted_{k}", result.type)
            emitted.append(adjoint)
            emitted_values.append(cotangents[k])
            outputs.append((result, adjoint))
    held = [p for i, p in enumerate(captured, 1) if _real(p) and wanted[i]]
    moving = [p for p in carried if _real(p)]
    sliced = [p for i, p in enumerate(slices, last) if _real(p) and wanted[i]]
    sums = [pool.parameter(f"d_{p.attribute('name')}", p.type) for p in held]
    found = gradient(outputs, [*moving, *held, *sliced], module)
    n, m = len(moving), len(moving) + len(held)
    back = Graph(
        f"{body.name}@reverse",
        pool,
        (turn, *captured, *adjoints, *sums, *slices, *carried, *emitted),
        (*found[:n], *(s + g for s, g in zip(sums, found[n:m], strict=True)), *found[m:]),
    )
    zeros = [pool.constant(0, p.array) for p in held]
    stacks = [*node.inputs[last:], *saved, *emitted_values]
    reverse = make_loop(
        node.inputs[0],
        [*node.inputs[1:first], *starts, *zeros, *stacks],
        Region(back, region.captured, n + len(held), len(stacks), not region.reverse),
    )
    results = dict(zip([*moving, *held, *sliced], items(reverse), strict=True))
    return [None, *(results.get(p) for p in body.parameters[1:])]


def loop_jvp(node: Node, moved: Sequence[Node | None], module: Module | None) -> list[Node | None]:
    """The tangent of each value that a loop gives."""
    from mgrad.compiler.autodiff.forward import tangents

    region = node.attribute("region")
    assert isinstance(region, Region)
    pool, body = node.pool, region.body
    first = 1 + region.captured
    last = first + region.carried
    seeds: dict[Node, Node] = {}
    values: dict[Node, Node] = {}
    for position, parameter in enumerate(body.parameters):
        tangent = moved[position]
        if not _real(parameter) or (tangent is None and not first <= position < last):
            continue
        seeds[parameter] = pool.parameter(f"d_{parameter.attribute('name')}", parameter.type)
        zero = pool.constant(0, node.inputs[position].array)
        values[parameter] = tangent if tangent is not None else zero
    steps = tangents(body.results, seeds, module)
    paired = [
        (k, step if step is not None else pool.constant(0, result.array))
        for k, (result, step) in enumerate(zip(body.results, steps, strict=True))
        if _real(result)
    ]
    c = region.carried
    groups = (body.parameters[1:first], body.parameters[first:last], body.parameters[last:])
    parameters, inputs, counts = [body.parameters[0]], [], []
    position = 1
    for group in groups:
        active = [p for p in group if p in seeds]
        parameters += [*group, *(seeds[p] for p in active)]
        inputs += [*node.inputs[position : position + len(group)], *(values[p] for p in active)]
        counts.append(len(group) + len(active))
        position += len(group)
    carried_tangents = [t for k, t in paired if k < c]
    emitted_tangents = [t for k, t in paired if k >= c]
    results = [*body.results[:c], *carried_tangents, *body.results[c:], *emitted_tangents]
    both = Graph(f"{body.name}@jvp", pool, tuple(parameters), tuple(results))
    pushed = make_loop(
        node.inputs[0], inputs, Region(both, counts[0], counts[1], counts[2], region.reverse)
    )
    parts = items(pushed)
    places: list[Node | None] = [None] * len(body.results)
    moving = [k for k, _ in paired if k < c]
    emitting = [k for k, _ in paired if k >= c]
    for offset, k in enumerate(moving):
        places[k] = parts[c + offset]
    for offset, k in enumerate(emitting):
        places[k] = parts[len(body.results) + len(moving) + offset]
    return places
