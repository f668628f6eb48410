"""Which nodes lie between targets and outputs, and under which condition each is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Dim, Type
from mgrad.compiler.ops.indexing import put, take
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.reductions import any_over
from mgrad.compiler.ops.structural import (
    RULES,
    broadcast,
    contract_lists,
    first,
    transpose,
    without,
    zeros,
)

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

    The condition of a node is the OR of its uses', element by element; the arms of a `where` are
    used where its condition holds, or does not. Conditions are nodes over the graph's own bools;
    what they use themselves does not count, as nothing is differentiated through them.

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
                condition = None if here is None else through(node, position, here)
                if condition is not None and _is_true(condition):
                    condition = None
                choice = taken[position] if taken else None
                if choice is not None and steep is not None and operand in steep:
                    condition = _both(condition, choice)
                _use(found, operand, condition)
    return found


def _is_true(condition: Node) -> bool:
    while condition.op in ("broadcast", "transpose", "reshape"):
        (condition,) = condition.inputs
    return condition.op == "constant" and condition.value is True


def through(node: Node, position: int, here: Node) -> Node | None:
    """The condition under which an operand is used by a node that is used under `here`.

    It has the operand's shape; None (always) where it would not be worth its computation.
    """
    operand = node.inputs[position]
    if isinstance(operand.type, Bundle):
        axes = () if is_pointwise(operand) else range(len(here.array.shape))
        return any_reduced(here, tuple(axes))
    if isinstance(node.type, Bundle):
        shape = operand.array.shape
        return here if is_pointwise(node) else broadcast(here, shape, tuple(range(len(shape))))
    rule = _THROUGH.get(node.op)
    if rule is not None:
        return rule(node, position, here)
    return None if node.op in RULES else here


def is_pointwise(bundle: Node) -> bool:
    """Whether a bundle is of a function of scalars, mapped over arrays of one shape."""
    assert isinstance(bundle.type, Bundle)
    if ("arrays", True) in bundle.attributes:
        return False
    types = [*(i.type for i in bundle.inputs), *bundle.type.items]
    shapes = {t.shape if isinstance(t, Type) else None for t in types}
    return bundle.op == "call" and len(shapes) == 1


def any_reduced(condition: Node, axes: tuple[int, ...]) -> Node:
    """`any` over axes; a condition that does not vary along them is taken without them."""
    if not axes:
        return condition
    stripped = _stripped(condition, axes, 8)
    if stripped is not None:
        return stripped
    shape = condition.array.shape
    if condition.op == "broadcast":
        added = _axes(condition)
        kept = [a for a in range(len(shape)) if a not in added]
        if set(axes) <= set(kept):
            inner = any_reduced(condition.inputs[0], tuple(kept.index(a) for a in axes))
            left = [a for a in range(len(shape)) if a not in axes]
            return broadcast(inner, without(shape, axes), [left.index(a) for a in added])
    if any(_covers(condition, axis) for axis in axes):
        return condition.pool.constant(True, Type("bool", without(shape, axes)))
    return any_over(condition, axes)


# Of a comparison, the sign of left - right that it asks for, and by how much they must differ.
_REACHES: Mapping[str, tuple[int, int]] = {"ge": (1, 0), "gt": (1, 1), "le": (-1, 0), "lt": (-1, 1)}


def _covers(condition: Node, axis: int) -> bool:
    """Whether a comparison of two indices, such as the causal i >= j, holds somewhere along the
    axis, wherever one stands on the other."""
    if condition.op not in _REACHES:
        return False
    left, right = (_range(x) for x in condition.inputs)
    if left is None or right is None or left.axis == right.axis:
        return False
    if axis not in (left.axis, right.axis):
        return False
    sign, margin = _REACHES[condition.op]
    # the index along the axis goes to its end; the other is taken at its hardest
    is_low = (axis == right.axis) == (sign > 0)
    gap = left.low - right.low if is_low else left.high - right.high
    least = (gap * sign - margin).constant
    return least is not None and least >= 0


class _Range(NamedTuple):
    """The ints of an index, and the axis that it goes along."""

    axis: int
    low: Dim
    high: Dim


def _range(node: Node) -> _Range | None:
    """Of an index, maybe shifted by a number."""
    axis, shift = 0, Dim.of(0)
    for _ in range(NESTED):
        if node.op == "broadcast":
            kept = [a for a in range(len(node.array.shape)) if a not in _axes(node)]
            if len(kept) != 1:
                return None
            axis, node = kept[0], node.inputs[0]
        elif node.op in ("add", "sub") and node.inputs[1].op == "constant":
            number = node.inputs[1].value
            assert isinstance(number, int | Fraction)
            shift = shift + int(number) * (1 if node.op == "add" else -1)
            node = node.inputs[0]
        else:
            break
    if node.op != "arange":
        return None
    start = node.attribute("start")
    assert isinstance(start, Dim)
    low = start + shift
    return _Range(axis, low, low + node.array.shape[0] - 1)


def _stripped(condition: Node, axes: tuple[int, ...], depth: int) -> Node | None:
    """The condition without axes that it is constant along; None where that is not plain."""
    if condition.op == "broadcast":
        added = condition.attribute("axes")
        assert isinstance(added, tuple)
        if set(axes) <= set(added):
            shape = without(condition.array.shape, axes)
            places = [a for a in range(len(condition.array.shape)) if a not in axes]
            rest = [i for i, a in enumerate(places) if a in added]
            return broadcast(condition.inputs[0], shape, rest)
    elif condition.op in ("and", "or", "not") and depth:
        inner = [_stripped(i, axes, depth - 1) for i in condition.inputs]
        found = [i for i in inner if i is not None]
        if len(found) == len(inner):
            return condition.pool.make(condition.op, found, found[0].type)
    return None


def varying(condition: Node) -> list[int]:
    """The axes along which a condition is not plainly constant."""
    return [
        axis
        for axis in range(len(condition.array.shape))
        if _stripped(condition, (axis,), 8) is None
    ]


def mixed_axes(node: Node, position: int) -> Sequence[int]:
    """The axes of a node that the adjoint of an operand is summed over."""
    if node.op in _MOVES:
        return ()
    if node.op == "broadcast":
        return _axes(node)
    if node.op == "contract":
        operands, result = contract_lists(node)
        return [a for a, i in enumerate(result) if i not in operands[position]]
    rank = len(node.array.shape)
    if node.op in _MATRICES:
        return range(rank - _MATRICES[node.op](node), rank)
    if node.op == "prod_others":
        return _axes(node)
    return range(rank) if node.op in RULES else ()


def _axes(node: Node) -> tuple[int, ...]:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return axes


def _spread(node: Node, position: int, here: Node) -> Node:
    """Of a reduction: the condition of the result, along the reduced axes."""
    return broadcast(here, node.inputs[0].array.shape, _axes(node))


def _together(node: Node, here: Node, axes: tuple[int, ...]) -> Node:
    """The condition under which any element along the axes is used, along them again."""
    return broadcast(any_reduced(here, axes), here.array.shape, axes)


def _contract(node: Node, position: int, here: Node) -> Node | None:
    operands, result = contract_lists(node)
    mine = operands[position]
    if len(set(mine)) < len(mine) or len(set(result)) < len(result):
        return None  # diagonals
    gone = tuple(a for a, i in enumerate(result) if i not in mine)
    kept = [i for i in result if i in mine]
    ordered = transpose(
        any_reduced(here, gone), sorted(range(len(kept)), key=lambda k: mine.index(kept[k]))
    )
    added = [a for a, i in enumerate(mine) if i not in result]
    return broadcast(ordered, node.inputs[position].array.shape, added)


def _again(node: Node, position: int, here: Node) -> Node:
    """Of an op that moves elements: the way back, for bools."""
    return first(RULES[node.op].vjp(node, here, [i == position for i in range(len(node.inputs))]))


def _concat(node: Node, position: int, here: Node) -> Node | None:
    return RULES["concat"].vjp(node, here, [True] * len(node.inputs))[position]


def _counted(node: Node, position: int, here: Node) -> Node:
    """Of an op whose adjoint adds up: how many uses an element has is the adjoint of ones."""
    if node.op == "cumsum" and node.attribute("axis") not in varying(here):
        return here
    uses = _again(node, position, TABLE["to_int"](here))
    return TABLE["gt"](uses, zeros(uses))


def _take(node: Node, position: int, here: Node) -> Node | None:
    if position:
        return None  # ints
    repeats = any(i.array.shape for i in node.inputs[1:])
    return _counted(node, position, here) if repeats else _again(node, position, here)


def _put(node: Node, position: int, here: Node) -> Node | None:
    items, ints = node.attribute("items"), node.inputs[2:]
    assert isinstance(items, tuple)
    if position == 1:
        return take(here, items, ints)
    if position or node.attribute("adds"):
        return None if position else here
    return put(
        here, here.pool.constant(False, Type("bool", node.inputs[1].array.shape)), items, ints
    )


def _det(node: Node, position: int, here: Node) -> Node:
    shape = node.inputs[0].array.shape
    return broadcast(here, shape, (len(shape) - 2, len(shape) - 1))


def _matrix(node: Node, position: int, here: Node) -> Node:
    """Each matrix of a batch is used if an element of the result is."""
    rank = len(node.array.shape)
    axes = tuple(range(rank - _MATRICES[node.op](node), rank))
    shape = node.inputs[position].array.shape
    return broadcast(any_reduced(here, axes), shape, range(rank - len(axes), len(shape)))


def _solved(node: Node) -> int:
    a, b = node.inputs
    return 2 - (len(a.array.shape) - len(b.array.shape))


_MATRICES: Mapping[str, Callable[[Node], int]] = {  # how many axes a matrix of the result has
    "inv": lambda node: 2,
    "cholesky": lambda node: 2,
    "cofactor": lambda node: 2,
    "solve": _solved,
    "solve_triangular": _solved,
}
# Ops whose adjoint adds up nothing: an element of an operand goes to one element of the result, or
# an element of the result comes from several of the operand.
_MOVES = frozenset(
    ("mark", "item", "sum", "reshape", "transpose", "flip", "pad", "concat", "tril", "det")
) | {"prod_over", "max_over", "min_over", "logsumexp"}
_THROUGH: Mapping[str, Callable[[Node, int, Node], Node | None]] = {
    "mark": lambda node, position, here: here,
    "broadcast": lambda node, position, here: any_reduced(here, _axes(node)),
    "sum": _spread,
    "prod_over": _spread,
    "max_over": _spread,
    "min_over": _spread,
    "logsumexp": _spread,
    "prod_others": lambda node, position, here: _together(node, here, _axes(node)),
    "reshape": _again,
    "transpose": _again,
    "flip": _again,
    "pad": _again,
    "concat": _concat,
    "cumsum": _counted,
    "windows": _counted,
    "overlap_add": _again,
    "take": _take,
    "put": _put,
    "contract": _contract,
    "tril": lambda node, position, here: here,
    "det": _det,
    **dict.fromkeys(_MATRICES, _matrix),
}


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
