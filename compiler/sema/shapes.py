"""Shapes while a body is checked: what dimensions mean, which shapes go together, and sizes that
are known before the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import shapes as faults
from mgrad.compiler.ir.types import INT, Dim, FloorDiv, Shape, Type
from mgrad.compiler.sema.program import Condition, Value
from mgrad.compiler.source import Span

if TYPE_CHECKING:
    from mgrad.compiler.sema.body import Body, Operand

DOTS = Dim.of("..")  # any number of leading axes, folded into one
ONE = Dim.of(1)


def shape_of(operand: Operand) -> Shape:
    """The shape of an operand; a constant is a scalar."""
    if isinstance(operand, Value) and isinstance(operand.type, Type):
        return operand.type.shape
    return ()


def shown(operand: Operand) -> str:
    """`[N, D]`, or `a number`."""
    return spelled(shape_of(operand))


def spelled(shape: Shape) -> str:
    return f"[{', '.join(str(d) for d in shape)}]" if shape else "a number"


def elements(shape: Shape) -> Dim:
    """How many elements an array of the shape has."""
    total = ONE
    for d in shape:
        total = total * d
    return total


def bound(body: Body, *shapes: Shape) -> list[tuple[str, Span]]:
    """The dimensions in some shapes, and where each was bound."""
    names = dict.fromkeys(n for shape in shapes for d in shape for n in sorted(d.names))
    return [(n, body.dims[n]) for n in names if n in body.dims]


def common(
    body: Body, operands: Sequence[Operand], places: Sequence[Span], span: Span, what: str
) -> Shape | None:
    """The shape that all operands broadcast to; None, and a fault, if there is none."""
    result: Shape = ()
    source = 0
    for position, operand in enumerate(operands):
        shape = shape_of(operand)
        if not shape or shape == result:
            continue
        joined = joined_shapes(body, result, shape)
        if joined is None:
            body.report(
                faults.ShapeMismatch(
                    span,
                    f"{what} of {spelled(result)} and {spelled(shape)}: the shapes do not match",
                    [(places[source], spelled(result)), (places[position], spelled(shape))],
                    bound(body, result, shape),
                    hint=_hint(result, shape),
                )
            )
            return None
        if joined != result:
            source = position
        result = joined
    return result


def joined_shapes(body: Body, left: Shape, right: Shape) -> Shape | None:
    """The shape of two by broadcasting: a missing leading axis and a written 1 are stretched."""
    wide, thin = (left, right) if len(left) >= len(right) else (right, left)
    offset = len(wide) - len(thin)
    result = list(wide)
    for position, d in enumerate(thin, offset):
        if d == ONE:
            continue
        if result[position] == ONE:
            result[position] = d
        elif not agree(body, result[position], d):
            return None
    return tuple(result)


def _hint(left: Shape, right: Shape) -> str | None:
    if len(left) == len(right) == 2 and left[-1] == right[0]:
        return "for the product of matrices: '@'"
    if len(left) != len(right) and set(left) & set(right):
        return "shapes are matched from the last axis; put an axis in with expand(x, axis)"
    return None


def stretched(body: Body, value: Value, shape: Shape, span: Span) -> Value:
    """The value at a shape that it broadcasts to."""
    own = shape_of(value)
    if own == shape:
        return value
    offset = len(shape) - len(own)
    new = [i for i, d in enumerate(own) if d == ONE != shape[offset + i]]
    kept = tuple(d for i, d in enumerate(shape[offset:]) if i not in new)
    axes = [*range(offset), *(offset + i for i in new)]
    assert isinstance(value.type, Type)
    dtype = value.type.dtype
    value = reshaped(body, value, tuple(d for i, d in enumerate(own) if i not in new), span)
    value = matched(body, value, kept, span)
    if not axes:
        return value
    return body.emit(
        "broadcast", (value,), Type(dtype, shape), span, attributes=(("axes", tuple(axes)),)
    )


def reshaped(body: Body, value: Value, shape: Shape, span: Span) -> Value:
    """The value in another shape of as many elements."""
    if shape_of(value) == shape:
        return value
    assert isinstance(value.type, Type)
    return body.emit("reshape", (value,), Type(value.type.dtype, shape), span)


def matched(body: Body, value: Value, shape: Shape, span: Span) -> Value:
    """The value at a shape that the door sees to be the same (`agree`)."""
    own = shape_of(value)
    if own == shape:
        return value
    assert isinstance(value.type, Type)
    items = tuple(
        ("all",) if d == e else ("slice", Dim.of(0), e, 1) for d, e in zip(own, shape, strict=True)
    )
    type = Type(value.type.dtype, shape)
    return body.emit("take", (value,), type, span, attributes=(("items", items),))


def as_dim(body: Body, operand: Operand) -> Dim | None:
    """The size that an int operand is, if it is known before the run."""
    known = body.known(operand)
    if isinstance(operand, Value) and operand.form == "constant" and operand.type == INT:
        return Dim.of(int(str(operand.attribute("value"))))
    if known is not None:
        if known.dtype != "int" or not isinstance(known.value, Fraction):
            return None
        return Dim.of(int(known.value))
    return body.sizes.get(operand) if isinstance(operand, Value) else None


def as_place(body: Body, operand: Operand) -> Dim | None:
    """The same for an int that is made of indices, too."""
    known = as_dim(body, operand)
    if known is None and isinstance(operand, Value):
        return body.indexed.get(operand)
    return known


def size_of_op(op: str, sizes: Sequence[Dim | None]) -> Dim | None:
    """The size that an int op of sizes is."""
    if any(s is None for s in sizes):
        return None
    dims = [s for s in sizes if s is not None]
    match op:
        case "add":
            return dims[0] + dims[1]
        case "sub":
            return dims[0] - dims[1]
        case "mul":
            return dims[0] * dims[1]
        case "neg":
            return -dims[0]
        case "floordiv":
            return None if dims[1].constant == 0 else dims[0] // dims[1]
        case "mod" if (n := dims[1].constant) is not None and n > 0:
            return dims[0] - dims[0] // n * n
        case "pow" if (n := dims[1].constant) is not None and 0 <= n <= 16:
            power = ONE
            for _ in range(n):
                power = power * dims[0]
            return power
    return None


def substituted(d: Dim, sizes: Mapping[str, Dim]) -> Dim | None:
    """The size with names replaced; None where one has no size."""
    total = Dim.of(0)
    for monomial, coefficient in d.terms:
        product = Dim.of(coefficient)
        for atom, power in monomial:
            if isinstance(atom, str):
                factor = sizes.get(atom)
            else:
                numerator = substituted(atom.numerator, sizes)
                divisor = substituted(atom.divisor, sizes)
                factor = None if numerator is None or divisor is None else numerator // divisor
            if factor is None:
                return None
            for _ in range(power):
                product = product * factor
        total = total + product
    return total


def sign(body: Body, d: Dim) -> int | None:
    """1 or -1 if a number made of sizes is surely at least 0 or surely below; else None.

    A dimension is at least 0, an int argument may be anything, and what is required holds.
    """
    n = d.constant
    if n is not None:
        return 1 if n >= 0 else -1
    if d.names.isdisjoint(body.signed):
        if all(c > 0 for _, c in d.terms):
            return 1
        if all(c < 0 for _, c in d.terms) and any(not m for m, _ in d.terms):
            return -1
    for condition in body.conditions:
        if not condition.is_equality:
            rest = d - condition.size
            n = rest.constant
            if n is not None:
                if n >= 0:
                    return 1
            elif rest.names.isdisjoint(body.signed) and all(c > 0 for _, c in rest.terms):
                return 1
    return None


def require(body: Body, d: Dim, fault: Callable[[], Diagnostic]) -> bool:
    """See that a number made of sizes is at least 0: now if it is known, else at the door. False
    after a fault."""
    for divisor in _divisors(d):  # which may be 0 at run time: then there is no such size
        if divisor.names.isdisjoint(body.signed) and sign(body, divisor - 1) is None:
            body.conditions[Condition(divisor - 1)] = None
    known = sign(body, d)
    if known == -1:
        body.report(fault())
        return False
    if known is None:
        weaker = [c for c in body.conditions if not c.is_equality and _implies(body, d, c.size)]
        for condition in weaker:
            del body.conditions[condition]
        body.conditions[Condition(d)] = None
    return True


def _divisors(d: Dim) -> list[Dim]:
    """What a size is divided by, if that is no number."""
    atoms = [atom for monomial, _ in d.terms for atom, _ in monomial]
    return [a.divisor for a in atoms if isinstance(a, FloorDiv) and a.divisor.constant is None]


def _implies(body: Body, strong: Dim, weak: Dim) -> bool:
    """Whether `weak >= 0` wherever `strong >= 0`."""
    rest = weak - strong
    return all(c > 0 for _, c in rest.terms) and rest.names.isdisjoint(body.signed)


def agree(body: Body, one: Dim, other: Dim) -> bool:
    """Whether two sizes are equal; where one depends on an int argument, the door sees to it."""
    if one == other:
        return True
    rest = one - other
    if rest.names.isdisjoint(body.signed) or rest.constant is not None:
        return False
    if sum(c > 0 for _, c in rest.terms) < 1 or rest.terms[0][1] < 0:
        rest = -rest
    body.conditions[Condition(rest, is_equality=True)] = None
    return True


def alike(body: Body, one: Shape, other: Shape) -> bool:
    """Whether two shapes are equal, as `agree` has it."""
    return len(one) == len(other) and all(
        agree(body, d, e) for d, e in zip(one, other, strict=True)
    )


def axis_number(body: Body, index: int, operand: Operand, span: Span, extra: int = 0) -> int | None:
    """An axis as a number from 0; `extra` more places are allowed, for an axis to be put in."""
    rank = len(shape_of(operand)) + extra
    if -rank <= index < rank:
        axis = index % rank
        dots = dots_at(shape_of(operand))
        if dots is None or (axis < dots if index >= 0 else axis > dots + extra):
            return axis
        if extra and axis == dots + extra:
            return axis
        body.report(faults.BehindDots(span, shown(operand)))
        return None
    body.report(faults.WrongAxis(span, f"there is no axis {index} here", shown(operand)))
    return None


def dots_at(shape: Shape) -> int | None:
    """Where `..` stands in a shape."""
    return next((i for i, d in enumerate(shape) if ".." in d.names), None)


def is_apart(body: Body, axis: int, operand: Operand, span: Span) -> bool:
    """See that an axis is not the one that stands for `..`."""
    if dots_at(shape_of(operand)) != axis:
        return True
    body.report(faults.BehindDots(span, shown(operand)))
    return False


def axis_named(body: Body, name: str, operand: Operand, span: Span) -> int | None:
    """The one axis that a dimension's name stands on."""
    shape = shape_of(operand)
    places = [i for i, d in enumerate(shape) if d == Dim.of(name)]
    if len(places) == 1:
        return places[0]
    text = (
        f"'{name}' is the size of no axis"
        if not places
        else f"'{name}' is the size of several axes"
    )
    body.report(faults.WrongAxis(span, text, shown(operand)))
    return None
