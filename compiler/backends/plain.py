"""What the NumPy text holds as a number of Python: sizes, constants, and what operators make of
them. There `/` and `**` raise where NumPy's give inf and nan, so that a function takes their place.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim
from mgrad.compiler.schedule.schedule import Routine

OPERATORS = frozenset(
    {"add", "sub", "mul", "neg", "lt", "le", "gt", "ge", "eq", "ne", "to_real", "to_int", "mark"}
)
RAISING = {
    "div": "mgrad.runtime.real.divide",
    "pow": "mgrad.runtime.real.power",
    "integer_power": "mgrad.runtime.real.power",
    "floordiv": "np.floor_divide",
    "mod": "np.remainder",
}
HARMLESS = 16  # an exponent up to which a power of a size is no more than a float holds


class Plain:
    """Whether a node is such a number, if those of the `given` ops are; each node is looked at
    once."""

    def __init__(self, *given: str) -> None:
        self._given = {"constant", "size", *given}
        self._known: dict[Node, bool] = {}

    def __call__(self, node: Node) -> bool:
        stack = [node]
        while stack:
            top = stack[-1]
            operands = top.inputs if _is_operator(top) else ()
            waiting = [i for i in operands if i not in self._known]
            if waiting:
                stack += waiting
                continue
            stack.pop()
            is_made = bool(operands) and all(self._known[i] for i in operands)
            self._known[top] = top.op in self._given or is_made
        return self._known[node]

    def raises(self, node: Node) -> bool:
        """Whether Python may raise at this very operation."""
        if node.op not in RAISING or (node.op == "integer_power" and node.array.dtype == "int"):
            return False
        return not _is_harmless(node) and all(map(self, node.inputs))


def is_tame(node: Node) -> bool:
    """Whether a number is a constant by which one may divide, and whose powers are floats."""
    return node.op == "constant" and node.value != 0 and -HARMLESS <= node.value <= HARMLESS


def fragile(routines: Iterable[Routine]) -> frozenset[str]:
    """The functions, by their keys without what stands behind `@`, that Python may raise in if they
    are called with such numbers."""
    raising: set[str] = set()
    callers: dict[str, set[str]] = {}
    for routine in routines:
        own, plain = routine.key.partition("@")[0], Plain("parameter")
        for node in _nodes(routine):
            if plain.raises(node):
                raising.add(own)
            elif node.op == "call" and any(map(plain, node.inputs)):
                callee = str(node.attribute("callee")).partition("@")[0]
                callers.setdefault(callee, set()).add(own)
    waiting = list(raising)
    while waiting:
        new = callers.get(waiting.pop(), set()) - raising
        raising |= new
        waiting += new
    return frozenset(raising)


def _nodes(routine: Routine) -> Iterable[Node]:
    """What a routine computes, each node once."""
    stack = [*routine.names, *routine.values, *routine.gradients]
    stack += [line.node for line in routine.lines]
    seen = set(stack)
    while stack:
        node = stack.pop()
        yield node
        new = [i for i in node.inputs if i not in seen]
        seen.update(new)
        stack += new


def _is_operator(node: Node) -> bool:
    if node.op == "broadcast":  # the text is that of the number
        return not node.inputs[0].array.shape
    return node.op in OPERATORS or node.op in RAISING


def _is_harmless(node: Node) -> bool:
    """Whether the second operand alone says that the operation gives a number."""
    by = node.inputs[1]
    while by.op in ("to_real", "broadcast", "mark"):
        by = by.inputs[0]
    value = by.value if by.op == "constant" else None
    if node.op != "pow" and _is_positive(by):
        return True
    if not isinstance(value, int | Fraction) or isinstance(value, bool):
        return False
    if node.op in ("div", "floordiv", "mod"):
        return value != 0
    return 0 <= value <= HARMLESS and Fraction(value).denominator == 1


def _is_positive(node: Node) -> bool:
    """Whether an int is a sum of sizes, products of them and a number of 1 or more."""
    size = _size(node, 0)
    return (
        size is not None
        and any(not monomial for monomial, _ in size.terms)
        and all(coefficient > 0 for _, coefficient in size.terms)
    )


def _size(node: Node, depth: int) -> Dim | None:
    """The polynomial of sizes that an int is, unless it is a long one."""
    if node.op == "size":
        return Dim.of(node.attribute("dim"))  # type: ignore[arg-type]
    if node.op == "constant" and isinstance(node.value, int | Fraction):
        return Dim.of(int(node.value)) if Fraction(node.value).denominator == 1 else None
    if depth > 8 or node.op not in ("add", "sub", "mul", "to_real", "mark"):
        return None
    sides = [_size(i, depth + 1) for i in node.inputs]
    if any(side is None for side in sides):
        return None
    x, y = (sides * 2)[:2]
    assert x is not None and y is not None
    match node.op:
        case "add":
            return x + y
        case "sub":
            return x - y
        case "mul":
            return x * y
    return x
