"""Which nodes lie between targets and outputs, and under which condition each is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.ops.op import TABLE

NESTED = 16  # conditions in a condition that are looked at: more only gives longer masks

# ops that take one operand, and ops whose derivative is infinite somewhere
CHOICES = frozenset({"relu", "max", "min", "maximum", "minimum", "clip"})
STEEP = frozenset(
    [
        *("sqrt", "cbrt", "pow", "log", "log1p", "log2", "log10", "asin", "acos", "acosh", "atanh"),
        *("lgamma", "digamma", "polygamma", "tan"),
    ]
)


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
    condition holds, or does not. Conditions are nodes over the graph's own booleans; what they
    use themselves does not count, as nothing is differentiated through them.

    In an arm the operand of an op that vanishes (`Op.vanishes`) is used where the op's derivative
    is not 0: in `if x > 0 then exp(-1/x) else 0` the derivative of -1/x overflows before x is 0,
    and 0 times that were nan. What `max`, `relu` or `clip` did not take is not used either, where
    its own derivative may be infinite: `max(0, log(y))` at 0.
    """
    found: dict[Node, Node | None] = dict.fromkeys((*roots, *targets))
    singular: set[Node] | None = None
    steep: set[Node] | None = None
    for node in reversed(order):
        if node not in found:
            continue
        if isinstance(node.type, Type) and node.type.dtype != "real":
            continue
        here = found[node]
        if node.op == "where":
            test, *arms = node.inputs
            if isinstance(here, Node) and here.array.shape != test.array.shape:
                here = None
            _use(found, arms[0], _both(here, test))
            _use(found, arms[1], _both(here, _opposite(test)))
        else:
            if here is not None and is_vanishing(node):
                if singular is None:
                    singular = _singular(order)
                if node.inputs[0] in singular:
                    here = _both(here, slope_is_not_zero(node))
            taken: Sequence[Node | None] = ()
            if node.op in CHOICES:
                if steep is None:
                    steep = _steep(order)
                if not steep.isdisjoint(node.inputs):
                    taken = _taken(node)
            for position, operand in enumerate(node.inputs):
                same = here is not None and _shape(operand) == here.array.shape
                condition = here if same else None
                choice = taken[position] if taken else None
                if choice is not None and steep is not None and operand in steep:
                    condition = _both(condition, choice)
                _use(found, operand, condition)
    return found


def _taken(node: Node) -> list[Node | None]:
    """For each operand of a choice the condition under which it is taken, if its partial says."""
    partials = TABLE[node.op].partials
    assert partials is not None
    return [
        p.inputs[0] if isinstance(p, Node) and p.op == "where" and _is_zero(p.inputs[2]) else None
        for p in partials(node, *node.inputs)
    ]


def _is_zero(node: Node) -> bool:
    return node.op == "constant" and node.value == 0


def _steep(order: Sequence[Node]) -> set[Node]:
    """The values whose derivative may be infinite."""
    found: set[Node] = set()
    for node in order:
        entry = TABLE.get(node.op)
        if entry is None:
            continue
        divides = node.op == "div" and node.inputs[1].op != "constant"
        if divides or node.op in STEEP or not found.isdisjoint(node.inputs):
            found.add(node)
    return found


def is_vanishing(node: Node) -> bool:
    entry = TABLE.get(node.op)
    return entry is not None and entry.vanishes


def slope_is_not_zero(node: Node) -> Node:
    """Whether the derivative of an op of one operand is not 0."""
    partials = TABLE[node.op].partials
    assert partials is not None
    (slope,) = partials(node, *node.inputs)
    assert isinstance(slope, Node)
    return TABLE["ne"](slope, node.pool.constant(0, node.array))


def _singular(order: Sequence[Node]) -> set[Node]:
    """The nodes that may be infinite, or have an infinite derivative, where no operand is."""
    found: set[Node] = set()
    for node in order:
        entry = TABLE.get(node.op)
        is_singular = entry is None or entry.raises or not found.isdisjoint(node.inputs)
        if is_singular and node.inputs:
            found.add(node)
    return found


def implies(a: Node | None, b: Node | None) -> bool:
    """Whether a is `b and …`, as far as it is easily seen."""
    for _ in range(NESTED):
        if a is b:
            return True
        if a is None or a.op != "and":
            return False
        a = a.inputs[0]
    return False


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
    part = a
    for _ in range(NESTED):
        if part.op != "and":
            break
        if part.inputs[1] is b or part.inputs[0] is b:
            return a
        part = part.inputs[0]
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
