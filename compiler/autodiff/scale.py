"""Products with a cotangent or a tangent, as a careful person would write them."""

from __future__ import annotations

from collections.abc import Container
from fractions import Fraction

from mgrad.compiler.ir.node import Node, Number

Partial = Node | Number | None  # None: no path


def number(partial: Node | Number) -> Fraction | int | None:
    """The exact number that a partial is, if it is one."""
    if isinstance(partial, Node):
        if partial.op != "constant":
            return None
        value: Number = partial.value
    else:
        value = partial
    if value.__class__ is Fraction or value.__class__ is int:
        return value
    return None if isinstance(value, float) and value - value != 0 else Fraction(value)


def is_zero(partial: Partial) -> bool:
    return partial is None or number(partial) == 0


def scale(d: Node, partial: Partial, known: Container[Node] = ()) -> Node | None:
    """`d*partial`; None where that is zero whatever d is.

    1 gives d, `-p` a negation, `1/y` gives d/y, `a/y` gives (d/y)*a and `where(c, a, 0)` gives
    `where(c, scale(d, a), 0)`. The wrappers are taken off first, then put on again, so nested ones
    cost no recursion. A node in `known` is a value that exists anyway, and is not taken apart.
    """
    wrappers: list[tuple[str, Node | None]] = []
    while isinstance(partial, Node) and partial not in known:
        if partial.op == "neg":
            wrappers.append(("neg", None))
            partial = partial.inputs[0]
        elif partial.op == "where" and is_zero(partial.inputs[2]):
            wrappers.append(("then", partial.inputs[0]))
            partial = partial.inputs[1]
        elif partial.op == "where" and is_zero(partial.inputs[1]):
            wrappers.append(("else", partial.inputs[0]))
            partial = partial.inputs[2]
        else:
            break
    result = _product(d, partial, known)
    if result is None:
        return None
    for kind, condition in reversed(wrappers):
        if condition is None:
            result = -result
        else:
            zero = d.pool.constant(0, d.array)
            arms = (result, zero) if kind == "then" else (zero, result)
            result = d.pool.make("where", (condition, *arms), d.type)
    return result


def _product(d: Node, partial: Partial, known: Container[Node]) -> Node | None:
    if partial is None:
        return None
    value = number(partial)
    if value == 0:
        return None
    if value == 1:
        return d
    if value == -1:
        return -d
    if isinstance(partial, Node) and partial.op == "div" and partial not in known:
        top, bottom = partial.inputs
        quotient = d / bottom
        return quotient if number(top) == 1 else quotient * top
    if number(d) == 1:
        return partial if isinstance(partial, Node) else d.pool.constant(partial, d.array)
    return d * partial
