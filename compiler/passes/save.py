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
from mgrad.compiler.passes.large import Large, of

CHEAP = frozenset(
    [
        *("add", "sub", "mul", "neg", "relu", "abs", "lt", "le", "gt", "ge", "eq", "ne"),
        *("and", "or", "not", "to_real", "to_int", "where", "mark"),
    ]
)


VIEWS = frozenset({"broadcast", "reshape", "transpose", "flip", "take"})


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
    large = of(joint)
    needed: dict[Node, None] = {}
    again: list[Node] = []
    for node in gradients:
        if node in outside:
            for operand in node.inputs:
                if operand not in outside and operand not in free:
                    needed |= dict.fromkeys(_whole(operand, again, large))
    for result in joint.results[joint.split :]:
        if result not in outside and result not in free:
            needed |= dict.fromkeys(_whole(result, again, large))
    saved: list[Node] = []
    place = {n: i for i, n in enumerate(order)}
    for node in sorted(needed, key=place.__getitem__):
        if node.op in ("constant", "size", "arange"):
            continue
        at_hand = all(i in needed or i.op in ("constant", "size", "arange") for i in node.inputs)
        if node.op in CHEAP and at_hand and node.inputs:
            again.append(node)
        else:
            saved.append(node)
    repeated = set(again)
    backward = [n for n in order if n in outside or n in repeated]
    forward = [n for n in order if n in values and n.op != "parameter"]
    return Cut(tuple(saved), tuple(forward), tuple(backward))


def _whole(node: Node, again: list[Node], large: Large) -> list[Node]:
    """The arrays that a view shows, or that a value too large to be saved is made of. What is
    between is made again."""
    found: list[Node] = []
    stack = [node]
    while stack:
        node = stack.pop()
        is_view = node.op in VIEWS and len(node.inputs) == 1
        if is_view or large.is_remade(node):
            again.append(node)
            stack += reversed(node.inputs)
        else:
            found.append(node)
    return found
