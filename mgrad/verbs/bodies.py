"""Index notation in a typed function: what the body of an `each` is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mgrad.compiler.sema.program import Index, Value

DERIVATIVES = ("diff", "jacobian", "hessian")


def inner(value: Value) -> Iterator[Value]:
    """The values in the bodies of an `each`, inner ones included; nothing of another form."""
    stack = [value]
    while stack:
        value = stack.pop()
        if value.form != "each":
            continue
        body: Any = value.attribute("body")
        yield from body
        stack.extend(body)


def differentiates(value: Value) -> bool:
    """Whether a value depends on how its operands came about, not on their values alone."""
    return value.form in DERIVATIVES or any(v.form in DERIVATIVES for v in inner(value))


def with_operands(value: Value, operands: Sequence[Value]) -> Value:
    """The same of other operands, in the body of an `each` as well."""
    if value.form != "each":
        return replace(value, args=tuple(operands))
    return _each(value, dict(zip(value.args, operands, strict=True)))


def _each(value: Value, new: Mapping[Value, Value]) -> Value:
    """One level of bodies a call: how deep the source nests index notation."""
    found = dict(new)
    attributes: dict[str, Any] = dict(value.attributes)
    for part in attributes["body"]:
        if part.form == "each":
            found[part] = _each(part, found)
        elif any(operand in found for operand in part.args):
            found[part] = replace(part, args=tuple(found.get(a, a) for a in part.args))
    attributes["indices"] = tuple(
        Index(i.value, _bound(i.start, found), _bound(i.stop, found), i.box)
        for i in attributes["indices"]
    )
    attributes["body"] = tuple(found.get(part, part) for part in attributes["body"])
    attributes["result"] = found.get(attributes["result"], attributes["result"])
    operands = tuple(found.get(a, a) for a in value.args)
    return replace(value, args=operands, attributes=tuple(attributes.items()))


def _bound(bound: Any, found: Mapping[Value, Value]) -> Any:
    return found.get(bound, bound) if isinstance(bound, Value) else bound
