"""Expressions but calls: what each class of the tree means, as values of the body."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from mgrad.compiler.errors import meaning
from mgrad.compiler.errors.syntax import StringAsValue
from mgrad.compiler.ir.types import REAL
from mgrad.compiler.sema import arrays
from mgrad.compiler.sema.body import BAD, Body, Known, Operand, Step, checks, dtype_of
from mgrad.compiler.sema.exact import BITS, Exact, bits
from mgrad.compiler.sema.program import Value
from mgrad.compiler.source import Span
from mgrad.compiler.syntax import ast

if TYPE_CHECKING:
    from mgrad.compiler.sema.definitions import Entry

BINARY = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "//": "floordiv",
    "%": "mod",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "==": "eq",
    "!=": "ne",
}


@checks(ast.Number)
def number(body: Body, node: ast.Number) -> Operand:
    if bits(node.value) > BITS:
        return body.report(meaning.ConstantTooLarge(node.span))
    return Exact(node.value, "int" if node.is_int else "real", node.span)


@checks(ast.Boolean)
def boolean(body: Body, node: ast.Boolean) -> Operand:
    return Exact(node.value, "bool", node.span)


@checks(ast.Text)
def text(body: Body, node: ast.Text) -> Operand:
    return body.report(StringAsValue(node.span))


@checks(ast.Name)
def name(body: Body, node: ast.Name) -> object:
    """A local, a constant, or one of the built-in numbers; anything else is a fault."""
    local = body.locals.get(node.id)
    if local is not None:
        local.used = True
        operand = local.operand
        if operand.__class__ is Exact:
            return Exact(operand.value, operand.dtype, node.span)
        if local.what == "dimension":
            assert isinstance(operand, Value)
            return body.recall(Known(operand, (operand,)), node.span)
        return operand
    entry = body.scope.entries.get(node.id)
    if entry is not None:
        entry.used = True
        if isinstance(entry.node, ast.Const):
            return constant(body, node, entry)
        if entry.node is None:
            return BAD
        return body.report(meaning.FunctionAsValue(node.span, node.id))
    if node.id == "inf":
        return Exact(math.inf, "real", node.span)
    if node.id == "pi":
        attributes = (("symbol", "pi"), ("value", Fraction(math.pi)))
        return body.emit("constant", (), REAL, node.span, attributes=attributes)
    if body.checker.is_builtin(node.id):
        return body.report(meaning.FunctionAsValue(node.span, node.id))
    suggestion = body.checker.suggest(node.id, body.scope, body.locals)
    return body.report(meaning.UnknownName(node.span, node.id, suggestion))


def constant(body: Body, node: ast.Name, entry: Entry) -> Step:
    known = yield body.checker.constant(entry, node.span)
    return body.recall(known, node.span)


@checks(ast.Unary)
def unary(body: Body, node: ast.Unary) -> Step:
    value = yield body.visit(node.operand)
    place = node.operand.span
    for position in range(len(node.ops) - 1, -1, -1):
        op = node.ops[position]
        if op == "not":
            value = body.apply("not", [value], [place], node.span)
        elif op == "-":
            value = body.apply("neg", [value], [place], node.span)
        elif value is not BAD and dtype_of(value) == "bool":
            value = body.widen(value, "int")
        place = node.span
    return value


@checks(ast.Chain)
def chain(body: Body, node: ast.Chain) -> Step:
    value = yield body.visit(node.first)
    span = node.first.span
    for link in node.rest:
        right = yield body.visit(link.operand)
        place = link.operand.span
        whole = Span(span.source, span.start, place.end)
        if link.op == "@":
            value = arrays.matmul(body, value, right, (span, place), whole)
        else:
            value = body.apply(BINARY[link.op], (value, right), (span, place), whole)
        span = whole
    return value


@checks(ast.Power)
def power(body: Body, node: ast.Power) -> Step:
    """Right to left; what stands left is evaluated first."""
    operands = []
    for operand in node.operands:
        operands.append((yield body.visit(operand)))
    value = operands[-1]
    place = node.operands[-1].span
    for position in range(len(operands) - 2, -1, -1):
        left = node.operands[position].span
        whole = left.to(place)
        value = body.apply("pow", (operands[position], value), (left, place), whole)
        place = whole
    return value


@checks(ast.Compare)
def compare(body: Body, node: ast.Compare) -> Step:
    """`a < b <= c` is `a < b and b <= c`, with b computed once."""
    left = yield body.visit(node.first)
    span = node.first.span
    result: Operand | None = None
    for link in node.rest:
        right = yield body.visit(link.operand)
        place = link.operand.span
        whole = span.to(place)
        test = body.apply(BINARY[link.op], (left, right), (span, place), whole)
        if result is None:
            result = test
        else:
            result = body.apply("and", (result, test), (node.span, whole), node.span)
        left, span = right, place
    return result


@checks(ast.Logic)
def logic(body: Body, node: ast.Logic) -> Step:
    result = yield body.visit(node.operands[0])
    place = node.operands[0].span
    for operand in node.operands[1:]:
        value = yield body.visit(operand)
        whole = place.to(operand.span)
        result = body.apply(node.op, (result, value), (place, operand.span), whole)
        place = whole
    return result


@checks(ast.If)
def choose(body: Body, node: ast.If) -> Step:
    """Nested `where` values; a condition known before the run chooses here."""
    arms: list[tuple[Operand, Operand, Span, Span]] = []
    chosen: tuple[Operand, Span] | None = None
    for condition, value in node.arms:
        if chosen is not None:
            yield from dropped(body, condition)
            yield from dropped(body, value)
            continue
        test = yield body.visit(condition)
        known = body.known(test)
        if known is None or known.dtype != "bool":
            body.guarded += 1
            operand = yield body.visit(value)
            body.guarded -= 1
            arms.append((test, operand, condition.span, value.span))
        elif known.value:
            chosen = (yield body.visit(value)), value.span
        else:
            yield from dropped(body, value)
    if chosen is not None:
        yield from dropped(body, node.orelse)
    else:
        body.guarded += bool(arms)
        chosen = (yield body.visit(node.orelse)), node.orelse.span
        body.guarded -= bool(arms)
    result, place = chosen
    for test, operand, test_span, span in reversed(arms):
        whole = node.span
        if test_span != node.arms[0][0].span:  # an `else if`: what stands from there on
            start = span.source.text.rindex("if", 0, test_span.start)
            whole = Span(span.source, start, node.orelse.span.end)
        places = (test_span, span, place)
        result = body.apply("where", (test, operand, result), places, whole, word="if")
        place = whole
    return result


def dropped(body: Body, node: ast.Expression) -> Step:
    """Check what is never used: its faults are told, and it leaves no values."""
    kept, copied = len(body.values), set(body.copied)
    body.guarded += 1
    yield body.visit(node)
    body.guarded -= 1
    del body.values[kept:]
    body.copied = copied
