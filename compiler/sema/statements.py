"""Statements: what a block gives names to, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mgrad.compiler.errors import meaning
from mgrad.compiler.errors import shapes as shape_faults
from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.ops.op import ORDER, join
from mgrad.compiler.sema import indexing, shapes
from mgrad.compiler.sema.body import BAD, Body, Local, Operand, Poison, Step, dtype_of
from mgrad.compiler.sema.calls import several
from mgrad.compiler.sema.expressions import BINARY
from mgrad.compiler.sema.program import Value
from mgrad.compiler.sema.tree import assigned, mark_used, nodes
from mgrad.compiler.source import Span
from mgrad.compiler.syntax import ast


def block(body: Body, name: ast.Name, statements: Sequence[ast.Statement]) -> Step:
    """Check a body; gives the operands that it returns with their places, None after a fault."""
    results: Any = None
    returned: ast.Return | None = None
    opaque = False  # a statement that this version has not may have returned
    last: str | None = None
    for statement in statements:
        if returned is not None:
            body.report(meaning.ReturnNotLast(statement.span, returned.span))
            break
        if isinstance(statement, ast.Assign):
            yield from assign(body, statement)
            target = statement.targets[-1]
            last = target.id if isinstance(target, ast.Name) else last
        elif isinstance(statement, ast.Return):
            returned = statement
            results = yield from return_(body, statement)
        else:
            opaque = opaque or any(isinstance(n, ast.Return) for n in nodes(statement))
            unsupported(body, statement)
    if returned is None and not opaque:
        body.report(meaning.MissingReturn(name.span, name.id, last))
    for local_name in body.locals:
        body.note_unused(local_name)
    return results


def unsupported(body: Body, statement: ast.For | ast.While | ast.Branch) -> None:
    """Tell it once; what the statement gives a value to is unknown from here on."""
    keyword = statement.span.text.split(None, 1)[0]
    place = Span(statement.span.source, statement.span.start, statement.span.start + len(keyword))
    if isinstance(statement, ast.Branch):
        body.report(meaning.NoBranches(place))
    else:
        body.report(meaning.NoLoops(place, keyword))
    mark_used(body, statement)
    for target in assigned(statement):
        body.locals[target.id] = Local(BAD, target.span, "name", used=True)


def assign(body: Body, node: ast.Assign) -> Step:
    operands = yield from values(body, node.values, len(node.targets))
    if node.op != "=":
        yield from update(body, node, operands)
        return
    if operands is None:
        operands = [(BAD, node.span)] * len(node.targets)
    comments = node.comments
    for target, (operand, _) in zip(node.targets, operands, strict=True):
        if isinstance(target, ast.Index):
            yield from put(body, target, operand, node.span, None, comments)
            comments = ()
        elif target.id != "_":
            body.bind(target.id, operand, target.span, comments)
            comments = ()


def values(body: Body, nodes_: tuple[ast.Expression, ...], wanted: int) -> Step:
    """One operand a target, unpacked from a call where it is the only value; None after a fault."""
    operands: list[tuple[Operand, Span]] = []
    for node in nodes_:
        unpacks = len(nodes_) == 1 and wanted != 1
        operand = yield (several(body, node) if unpacks else body.visit(node))
        operands.append((operand, node.span))
    whole = nodes_[0].span.to(nodes_[-1].span)
    if len(operands) == 1 and operands[0][0] is BAD:
        return None
    if len(operands) == 1 and wanted != 1:
        operands = unpacked(body, *operands[0])
    if len(operands) != wanted:
        body.report(meaning.UnpackCount(whole, wanted, len(operands)))
        return None
    return operands


def unpacked(body: Body, operand: Operand, span: Span) -> list[tuple[Operand, Span]]:
    """The items of a call with several results; any other operand alone."""
    if not isinstance(operand, Value) or not isinstance(operand.type, Bundle):
        return [(operand, span)]
    items: list[tuple[Operand, Span]] = []
    for index, type_ in enumerate(operand.type.items):
        item: Value = body.emit("item", (operand,), type_, span, attributes=(("index", index),))
        if operand in body.unfolded:
            item = shapes.reshaped(body, item, body.unfolded[operand][index], span)
        items.append((item, span))
    return items


def update(body: Body, node: ast.Assign, operands: list[tuple[Operand, Span]] | None) -> Step:
    """`a += v` is `a = a + v`."""
    target = node.targets[0]
    if isinstance(target, ast.Index):
        operand = BAD if operands is None else operands[0][0]
        yield from put(body, target, operand, node.span, node.op[:-1], node.comments)
        return
    old = yield body.visit(target)
    made: Operand = BAD
    if operands is not None:
        right, place = operands[0]
        op = BINARY[node.op[:-1]]
        made = body.apply(op, (old, right), (target.span, place), node.span)
    body.bind(target.id, made, target.span, node.comments)


def put(
    body: Body,
    target: ast.Index,
    operand: Operand,
    span: Span,
    op: str | None,
    comments: tuple[str, ...],
) -> Step:
    """`b[i] = v`: b is from here on a copy with v there; `b[i] += v` adds at every place."""
    assert isinstance(target.base, ast.Name)
    base = yield body.visit(target.base)
    taken = yield from indexing.taken_items(body, base, target)
    if taken is None or operand is BAD:
        return
    assert isinstance(base, Value)
    value = body.widen(operand, dtype_of(operand))  # type: ignore[arg-type]
    if op is not None and (op != "+" or not taken.ints):
        old = indexing.take(body, base, taken, target.span)
        changed = body.apply(BINARY[op], (old, value), (target.span, span), span)
        if not isinstance(changed, Value):
            return
        value, op = changed, None
    order = taken.order()
    shape = tuple(taken.shape[i] for i in order)
    if shapes.joined_shapes(body, shape, shapes.shape_of(value)) != shape:
        body.report(
            shape_faults.ShapeMismatch(
                span,
                f"{shapes.shown(value)} does not fit into {shapes.spelled(shape)}",
                [(target.span, shapes.spelled(shape))],
                shapes.bound(body, shape, shapes.shape_of(value)),
            )
        )
        return
    dtype = join([dtype_of(base), dtype_of(value)])
    whole = body.widen(base, dtype)
    value = shapes.stretched(body, body.widen(value, dtype), shape, span)
    if taken.is_front:
        back = tuple(order.index(i) for i in range(len(order)))
        type_ = Type(dtype, tuple(taken.shape))
        value = body.emit("transpose", (value,), type_, span, attributes=(("order", back),))
    if taken.flipped:
        attributes = (("axes", tuple(taken.flipped)),)
        value = body.emit("flip", (value,), value.type, span, attributes=attributes)
    made = body.emit(
        "put",
        (whole, value, *taken.ints),
        whole.type,
        span,
        attributes=(("items", tuple(taken.items)), ("adds", op == "+")),
    )
    body.bind(target.base.id, made, target.span, comments)


def return_(body: Body, node: ast.Return) -> Step:
    operands: list[tuple[Operand, Span]] = []
    for value in node.values:
        operand = yield (several(body, value) if len(node.values) == 1 else body.visit(value))
        operands.append((operand, value.span))
    if len(operands) == 1:
        operands = unpacked(body, *operands[0])
    return operands


def results(
    body: Body,
    name: str,
    operands: list[tuple[Operand, Span]] | None,
    declared: tuple[ast.TypeExpression, ...] | None,
    typed: Mapping[ast.TypeExpression, Type | None] | None = None,
) -> tuple[Value, ...] | None:
    """The values that a function gives, of the types that its head declares, if it does."""
    if operands is None:
        return None
    if declared is not None and len(declared) != len(operands):
        if not any(isinstance(o, Poison) for o, _ in operands):
            place = operands[0][1].to(operands[-1][1])
            text = (
                f"'{name}' returns {meaning.plural(len(operands), 'value')}"
                f" and declares {len(declared)}"
            )
            body.report(meaning.ResultMismatch(place, text, declared[0].span.to(declared[-1].span)))
        return None
    values: list[Value] = []
    for position, (operand, place) in enumerate(operands):
        if isinstance(operand, Poison):
            continue
        dtype = dtype_of(operand)
        if declared is not None and typed is not None:
            kind = typed[declared[position]]
            if kind is None:
                continue
            if not shapes.alike(body, kind.shape, shapes.shape_of(operand)):
                text = (
                    f"'{name}' returns {shapes.shown(operand)}"
                    f" and declares {shapes.spelled(kind.shape)}"
                )
                body.report(meaning.ResultMismatch(place, text, declared[position].span))
                continue
        if declared is None:
            # an int known at compile time is a real
            wanted = "real" if dtype == "int" and body.known(operand) is not None else dtype
        else:
            wanted = declared[position].dtype  # type: ignore[assignment]
            if ORDER[dtype] > ORDER[wanted]:
                text = (
                    f"'{name}' returns {meaning.article(dtype)}"
                    f" and declares {meaning.article(wanted)}"
                )
                body.report(meaning.ResultMismatch(place, text, declared[position].span))
                continue
        value = body.widen(operand, wanted)
        if declared is not None and typed is not None and kind is not None:
            value = shapes.matched(body, value, kind.shape, place)
        dots = shapes.dots_at(shapes.shape_of(value))
        if dots is not None and (dots or shapes.shape_of(value)[0] != shapes.DOTS):
            text = "'..' stands for leading axes, and here not first"
            body.report(shape_faults.WrongAxis(place, text, shapes.shown(value)))
            continue
        values.append(value)
    return tuple(values) if len(values) == len(operands) else None
