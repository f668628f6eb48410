"""What the forward pass hands to the backward pass.

    t = tanh(n); u = t > 0; d_n = (1 - t*t)*where(u, d, 0)   ->   saved: t

Saved are values of the forward pass that the backward pass reads, but for those that cost one
cheap operation on others that are saved. A value that only gradients need is made in the backward
pass. No transcendental function is computed twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from mgrad.compiler.ir.graph import Graph, topological
from mgrad.compiler.ir.node import Node

CHEAP = frozenset(
    [
        *("add", "sub", "mul", "neg", "relu", "abs", "lt", "le", "gt", "ge", "eq", "ne"),
        *("and", "or", "not", "to_real", "to_int", "where", "mark"),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """`forward` makes the values and what is saved; `backward` the gradients from `saved` and the
    seeds. Nodes in order; a node recomputed is in both."""

    saved: tuple[Node, ...]
    forward: tuple[Node, ...]
    backward: tuple[Node, ...]


def cut(joint: Graph) -> Cut:
    """Split a joint graph (`split` is set) into its two passes."""
    assert joint.split is not None
    order = joint.nodes()
    values = set(topological(joint.results[: joint.split]))
    gradients = topological(joint.results[joint.split :])
    # the parts of a call are made with it
    values |= {n for n in gradients if n.op == "item" and n.inputs[0] in values}
    free = {*joint.seeds}
    outside = {n for n in gradients if n not in values and n.op not in ("constant", "parameter")}
    needed: dict[Node, None] = {}
    for node in gradients:
        if node in outside:
            for operand in node.inputs:
                if operand not in outside and operand not in free:
                    needed[operand] = None
    for result in joint.results[joint.split :]:
        if result not in outside and result not in free:
            needed[result] = None
    saved: list[Node] = []
    again: list[Node] = []
    place = {n: i for i, n in enumerate(order)}
    for node in sorted(needed, key=place.__getitem__):
        if node.op == "constant":
            continue
        at_hand = all(i in needed or i.op == "constant" for i in node.inputs)
        if node.op in CHEAP and at_hand and node.inputs:
            again.append(node)
        else:
            saved.append(node)
    repeated = set(again)
    backward = [n for n in order if n in outside or n in repeated]
    forward = [n for n in order if n in values and n.op != "parameter"]
    return Cut(tuple(saved), tuple(forward), tuple(backward))
