"""Which nodes lie between targets and outputs, and under which condition each is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.ops.op import TABLE


def active(order: Sequence[Node], targets: Iterable[Node]) -> set[Node]:
    """The nodes of `order` (inputs first) that a real value of a target flows into."""
    found = set(targets)
    for node in order:
        if node in found:
            continue
        if isinstance(node.type, Type) and node.type.dtype != "real":
            continue
        entry = TABLE.get(node.op)
        if entry is not None and entry.partials is None:
            continue
        if any(i in found for i in node.inputs):
            found.add(node)
    return found


def conditions(
    order: Sequence[Node], roots: Iterable[Node], targets: Iterable[Node]
) -> Mapping[Node, Node | None]:
    """For each node the condition under which a root uses it; None is always, as for a target.

    The condition of a node is the OR of its uses'; the arms of a `where` are used where its
    condition holds, or does not. Conditions are nodes over the graph's own booleans.
    """
    found: dict[Node, Node | None] = dict.fromkeys((*roots, *targets))
    for node in reversed(order):
        if node not in found:
            continue
        here = found[node]
        if node.op == "where":
            test, *arms = node.inputs
            _use(found, test, here)
            if isinstance(here, Node) and here.array.shape != test.array.shape:
                here = None
            _use(found, arms[0], _both(here, test))
            _use(found, arms[1], _both(here, _opposite(test)))
        else:
            for operand in node.inputs:
                same = here is not None and _shape(operand) == here.array.shape
                _use(found, operand, here if same else None)
    return found


def _shape(node: Node) -> object:
    return node.type.shape if isinstance(node.type, Type) else ()


def _use(found: dict[Node, Node | None], node: Node, condition: Node | None) -> None:
    if node not in found:
        found[node] = condition
    elif found[node] is not condition:
        found[node] = _either(found[node], condition)


def _opposite(a: Node) -> Node:
    return a.inputs[0] if a.op == "not" else a.pool.make("not", (a,), a.type)


def _both(a: Node | None, b: Node) -> Node:
    if a is None or a is b:
        return b
    return a.pool.make("and", (a, b), b.type)


def _either(a: Node | None, b: Node | None) -> Node | None:
    """`a or b`; what is left of `p and c or p and not c` is `p`, of `c or not c` nothing."""
    if a is None or b is None:
        return None
    if a is b:
        return a
    prefix_a, last_a = a.inputs if a.op == "and" else (None, a)
    prefix_b, last_b = b.inputs if b.op == "and" else (None, b)
    if prefix_a is prefix_b and _opposite(last_a) is last_b:
        return prefix_a
    if prefix_a is b or prefix_b is a:  # (b and c) or b
        return b if prefix_a is b else a
    return a.pool.make("or", (a, b), a.type)
