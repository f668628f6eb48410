"""Indices, slices, ranges and array literals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import meaning
from mgrad.compiler.errors import shapes as faults
from mgrad.compiler.ir.types import Dim, Shape, Type
from mgrad.compiler.ops.op import join
from mgrad.compiler.sema import notation, shapes
from mgrad.compiler.sema.body import BAD, Body, Operand, Poison, Step, checks, dtype_of
from mgrad.compiler.sema.program import Value
from mgrad.compiler.source import Span
from mgrad.compiler.syntax import ast

Item = tuple[object, ...]


@dataclass(slots=True)
class Taken:
    """What an index takes: an item for each axis, the ints it needs, and the result's shape."""

    items: list[Item] = field(default_factory=list)
    ints: list[Value] = field(default_factory=list)
    shape: list[Dim] = field(default_factory=list)
    flipped: list[int] = field(default_factory=list)  # axes of the result
    arrays: range = range(0)  # axes of the result that int arrays make
    is_front: bool = False  # NumPy has those first, where the ints stand apart

    def order(self) -> tuple[int, ...]:
        """The axes as NumPy has them."""
        rest = [i for i in range(len(self.shape)) if i not in self.arrays]
        return (*self.arrays, *rest) if self.is_front else tuple(range(len(self.shape)))


@checks(ast.Index)
def index(body: Body, node: ast.Index) -> Step:
    base = yield body.visit(node.base)
    taken = yield from taken_items(body, base, node)
    if taken is None:
        return BAD
    return take(body, base, taken, node.span)


def take(body: Body, base: Value, taken: Taken, span: Span) -> Value:
    assert isinstance(base.type, Type)
    type_ = Type(base.type.dtype, tuple(taken.shape))
    value = base
    if any(item != ("all",) for item in taken.items):
        value = body.emit(
            "take", (base, *taken.ints), type_, span, attributes=(("items", tuple(taken.items)),)
        )
    if taken.flipped:
        attributes = (("axes", tuple(taken.flipped)),)
        value = body.emit("flip", (value,), type_, span, attributes=attributes)
    order = taken.order()
    if order != tuple(range(len(order))):
        type_ = Type(base.type.dtype, tuple(taken.shape[i] for i in order))
        value = body.emit("transpose", (value,), type_, span, attributes=(("order", order),))
    return value


def taken_items(body: Body, base: Operand, node: ast.Index) -> Step:
    """The items of an index of `base`, or None after a fault."""
    dots = [i for i in node.items if isinstance(i, ast.Dots)]
    rank = len(shapes.shape_of(base))
    sound = base is not BAD
    if sound and not rank:
        sound = False
        body.report(faults.NotAnArray(node.base.span, "an index"))
    if sound and (len(node.items) - len(dots) > rank or len(dots) > 1):
        sound = False
        body.report(
            faults.TooManyIndices(
                node.span, len(node.items) - len(dots), shapes.shown(base), len(dots) > 1
            )
        )
    missing = rank - len(node.items) + len(dots)
    dots_axis = shapes.dots_at(shapes.shape_of(base)) if sound else None
    taken = Taken()
    arrays: list[tuple[int, Value, Span]] = []  # position in `items`, the ints, the place
    first_array = 0
    axis = 0
    for item in (*node.items, *([] if dots else [ast.Dots(node.span)])):
        if isinstance(item, ast.Dots):
            for _ in range(missing if sound else 0):
                taken.items.append(("all",))
                taken.shape.append(shapes.shape_of(base)[axis])
                axis += 1
            continue
        size = shapes.shape_of(base)[axis] if sound else None
        if sound and dots_axis is not None:
            is_behind = bool(dots) and axis >= node.items.index(dots[0]) + missing
            if axis == dots_axis or (axis > dots_axis) is not is_behind:
                sound = False
                body.report(faults.BehindDots(item.span, shapes.shown(base)))
        axis += 1
        if isinstance(item, ast.Slice):
            sound = (yield from _slice(body, item, size, base, taken)) and sound
            continue
        operand = yield body.visit(item)
        if isinstance(operand, Poison) or not sound or size is None:
            sound = False
            continue
        if dtype_of(operand) != "int":
            sound = False
            kind = dtype_of(operand)
            hint = "to leave elements out of a sum: where(keep, x, 0)" if kind == "bool" else None
            body.report(meaning.WrongType(item.span, "an index", "int", kind, hint=hint))
            continue
        if shapes.shape_of(operand):
            assert isinstance(operand, Value)
            if not arrays:
                first_array = len(taken.shape)
            arrays.append((len(taken.items), operand, item.span))
            taken.items.append(())
            continue
        sound = _place(body, item, operand, size, base, taken) and sound
    if not sound:
        return None
    if arrays:
        values = [v for _, v, _ in arrays]
        places = [p for _, _, p in arrays]
        shape = shapes.common(body, values, places, node.span, "an index")
        if shape is None:
            return None
        for position, value, place in arrays:
            taken.items[position] = ("by", len(taken.ints))
            taken.ints.append(shapes.stretched(body, value, shape, place))
        taken.shape[first_array:first_array] = shape
        taken.arrays = range(first_array, first_array + len(shape))
        taken.flipped = [a + len(shape) if a >= first_array else a for a in taken.flipped]
        ints = [k for k, item in enumerate(taken.items) if item[0] in ("at", "by")]
        taken.is_front = ints[-1] - ints[0] >= len(ints) and first_array > 0
    return taken


def _place(
    body: Body, item: ast.Expression, operand: Operand, size: Dim, base: Operand, taken: Taken
) -> bool:
    """One int: a number known before the run, an index, or an int of the run."""
    known = shapes.as_dim(body, operand)
    if known is None:
        taken.items.append(("by", len(taken.ints)))
        assert isinstance(operand, Value)
        taken.ints.append(operand)
        _index_notation(body, item, operand, size)
        return True
    n = known.constant
    if n is not None and n < 0:
        known = size + n

    def fault() -> Diagnostic:
        text = f"the index {n if n is not None else known} is outside"
        return faults.IndexOutside(item.span, text, shapes.shown(base))

    if not shapes.require(body, known, fault) or not shapes.require(body, size - known - 1, fault):
        return False
    taken.items.append(("at", known))
    return True


def _index_notation(body: Body, item: ast.Expression, operand: Value, size: Dim) -> None:
    """Note what an index of index notation, or what is computed with some, indexes."""
    running = body.notation.running.get(operand)
    if running is not None:
        running.axes.append((size, item.span))
        return
    place = body.indexed.get(operand)
    if place is not None:
        for other in body.notation.running.values():
            other.is_computed_with = other.is_computed_with or other.name in place.names
        notation.wants(body, place, size, item.span, f"the index {item.span.text} is")


def _slice(body: Body, node: ast.Slice, size: Dim | None, base: Operand, taken: Taken) -> Step:
    """`a:b:step`, with bounds inside the axis; a negative step is a slice that is flipped."""
    bounds: list[Dim | None] = []
    sound = size is not None
    for part in (node.start, node.stop, node.step):
        if part is None:
            bounds.append(None)
            continue
        operand = yield body.visit(part)
        if isinstance(operand, Poison):
            sound = False
            continue
        known = shapes.as_dim(body, operand)
        if dtype_of(operand) != "int":
            sound = False
            body.report(
                meaning.WrongType(part.span, "the bound of a slice", "int", dtype_of(operand))
            )
        elif known is None:
            sound = False
            body.report(faults.SizeNotKnown(part.span, "the bound of a slice"))
        bounds.append(known)
    if not sound or size is None:
        return False
    start, stop, step_dim = bounds
    step = 1 if step_dim is None else step_dim.constant
    if step is None or step == 0:
        assert node.step is not None
        text = "a step is a number that is not 0"
        body.report(faults.IndexOutside(node.step.span, text, None))
        return False
    last = size if step > 0 else size - 1  # backwards, a bound is an index
    for position, part in ((0, node.start), (1, node.stop)):
        d = bounds[position]
        if d is not None and (n := d.constant) is not None and n < 0:
            d = bounds[position] = size + n
        if d is not None and part is not None:
            fault = _outside(part, base)
            if not shapes.require(body, d, fault) or not shapes.require(body, last - d, fault):
                return False
    start, stop = bounds[0], bounds[1]
    if step > 0:
        low, high = start or Dim.of(0), size if stop is None else stop
        if start is None:
            low = Dim.of(0)
        stride = step
        way = high - low
    else:
        # x[a:b:-s] visits a, a - s, … above b: read upwards, then flipped
        stride = -step
        top = size - 1 if start is None else start
        bottom = Dim.of(0) if stop is None else stop + 1
        count = (top - bottom + stride) // stride
        low, high = top - (count - 1) * stride, top + 1
        way = top - bottom + 1
        taken.flipped.append(len(taken.shape))
    length = (high - low + (stride - 1)) // stride
    text = "the slice ends before it starts"
    if (
        node.start is not None
        and node.stop is not None
        and not shapes.require(
            body, way, lambda: faults.IndexOutside(node.span, text, shapes.shown(base))
        )
    ):
        return False
    taken.items.append(
        ("slice", low, high, stride) if (low, high, stride) != (Dim.of(0), size, 1) else ("all",)
    )
    taken.shape.append(length)
    return True


def _outside(part: ast.Expression, base: Operand) -> Callable[[], Diagnostic]:
    text = f"the bound {part.span.text} is outside"
    return lambda: faults.IndexOutside(part.span, text, shapes.shown(base))


@checks(ast.Range)
def between(body: Body, node: ast.Range) -> Step:
    """`a..b` alone: the ints from a up to b."""
    ends = yield from bounds(body, node)
    if ends is None:
        return BAD
    start, stop = ends
    if not isinstance(start, Dim) or not isinstance(stop, Dim):
        return body.report(faults.SizeNotKnown(node.span, "a range"))
    return arange(body, start, stop, node.span)


def arange(body: Body, start: Dim, stop: Dim, span: Span) -> Operand:
    text = "the range ends before it starts"
    if not shapes.require(body, stop - start, lambda: faults.IndexOutside(span, text, None)):
        return BAD
    type_ = Type("int", (stop - start,))
    return body.emit("arange", (), type_, span, attributes=(("start", start),))


def bounds(body: Body, node: ast.Range) -> Step:
    """The bounds of a range: Dims, or Values where only the run tells; None after a fault."""
    found: list[Dim | Value] = []
    for part in (node.start, node.stop):
        operand = yield body.visit(part)
        if isinstance(operand, Poison):
            continue
        if dtype_of(operand) != "int" or shapes.shape_of(operand):
            kind = dtype_of(operand) if not shapes.shape_of(operand) else shapes.shown(operand)
            body.report(meaning.WrongType(part.span, "the bound of a range", "int", kind))
            continue
        known = shapes.as_dim(body, operand)
        if known is None:
            assert isinstance(operand, Value)
            found.append(operand)
        else:
            found.append(known)
    return tuple(found) if len(found) == 2 else None


@checks(ast.Array)
def array(body: Body, node: ast.Array) -> Step:
    """`[a, b]`: along a new first axis."""
    operands: list[Operand] = []
    for part in node.items:
        operands.append((yield body.visit(part)))
    if any(o is BAD for o in operands):
        return BAD
    return stacked(body, operands, [p.span for p in node.items], 0, node.span, exact_shapes=True)


def stacked(
    body: Body,
    operands: Sequence[Operand],
    places: Sequence[Span],
    axis: int,
    span: Span,
    exact_shapes: bool = False,
) -> Operand:
    """Operands of one shape along a new axis."""
    if not operands:
        return body.emit(
            "constant", (), Type("real", (Dim.of(0),)), span, attributes=(("value", Fraction(0)),)
        )
    dtype = join([dtype_of(o) for o in operands])
    first = shapes.shape_of(operands[0])
    for operand, place in zip(operands, places, strict=True):
        shape = shapes.shape_of(operand)
        if not shapes.alike(body, first, shape):
            return body.report(
                faults.ShapeMismatch(
                    span,
                    f"the parts have the shapes {shapes.spelled(first)}"
                    f" and {shapes.spelled(shape)}",
                    [(places[0], shapes.spelled(first)), (place, shapes.spelled(shape))],
                    shapes.bound(body, first, shape),
                )
            )
    thick = (*first[:axis], shapes.ONE, *first[axis:])
    parts = [
        shapes.reshaped(body, shapes.matched(body, body.widen(o, dtype), first, p), thick, p)  # type: ignore[arg-type]
        for o, p in zip(operands, places, strict=True)
    ]
    whole = (*first[:axis], Dim.of(len(parts)), *first[axis:])
    return body.emit("concat", tuple(parts), Type(dtype, whole), span, attributes=(("axis", axis),))


def whole(shape: Shape) -> tuple[Item, ...]:
    return tuple(("all",) for _ in shape)
