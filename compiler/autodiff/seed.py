"""The joint graph of a scalar function with its seed set to 1: value and gradient in one."""

from __future__ import annotations

from dataclasses import replace

from mgrad.compiler.ir.graph import Graph, carry, remake
from mgrad.compiler.ir.node import Node


def with_unit_seed(joint: Graph) -> Graph:
    """The joint graph without seeds: each is the constant 1. Optimise it afterwards."""
    new: dict[Node, Node] = {s: s.pool.constant(1, s.array) for s in joint.seeds}
    for node in joint.nodes():
        if node not in new:
            new[node] = remake(node, tuple(new[i] for i in node.inputs))
    return replace(
        joint,
        parameters=tuple(p for p in joint.parameters if p not in joint.seeds),
        results=tuple(new[r] for r in joint.results),
        notes=carry(joint.notes, new),
        seeds=(),
    )
