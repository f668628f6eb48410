"""Ranges of simple expressions, for the lint that compares a domain with a function's own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mgrad.compiler.ir.types import Interval


def point(value: Fraction | bool | float) -> Interval | None:
    """The interval of a constant; nan has none."""
    if value != value or isinstance(value, bool):
        return None
    return Interval(value, value, False, False)


def of_op(op: str, operands: Sequence[Interval]) -> Interval | None:
    """The exact range of an op over independent operands; None where it is not simple."""
    if op == "to_real":
        return operands[0]
    if op == "neg":
        x = operands[0]
        return Interval(-x.high, -x.low, x.high_open, x.low_open)
    if op == "add":
        return _sum(*operands)
    if op == "sub":
        return _sum(operands[0], of_op("neg", operands[1:]) or operands[1])
    if op in ("mul", "div"):
        x, y = operands
        if op == "mul" and x.low == x.high:
            x, y = y, x
        return _scaled(op, x, y)
    return None


def _sum(x: Interval, y: Interval) -> Interval | None:
    low, high = x.low + y.low, x.high + y.high
    if low != low or high != high:
        return None
    return Interval(low, high, x.low_open or y.low_open, x.high_open or y.high_open)


def _scaled(op: str, x: Interval, factor: Interval) -> Interval | None:
    """`x` times, or divided by, a finite constant that is not 0."""
    c = factor.low
    if factor.high != c or isinstance(c, float) or c == 0:
        return None
    if op == "div":
        c = 1 / c
    low, high = x.low * c, x.high * c
    if c < 0:
        return Interval(high, low, x.high_open, x.low_open)
    return Interval(low, high, x.low_open, x.high_open)


def is_inside(x: Interval, domain: Interval) -> bool:
    """Whether every number of `x` is in `domain`; an infinite bound never counts as reached."""
    above = x.low > domain.low or (
        x.low == domain.low and (isinstance(x.low, float) or x.low_open or not domain.low_open)
    )
    below = x.high < domain.high or (
        x.high == domain.high and (isinstance(x.high, float) or x.high_open or not domain.high_open)
    )
    return above and below
