"""A point at which a function can be shown or timed, where the user names none."""

from __future__ import annotations

from fractions import Fraction

from mgrad.compiler.ir.types import Interval, Type
from mgrad.compiler.sema.program import Function
from mgrad.verbs.compile import Number


def sample_point(function: Function) -> dict[str, Number]:
    """A value for each argument: its default, or an unremarkable number of its domain."""
    point: dict[str, Number] = {}
    for position, argument in enumerate(function.arguments):
        if argument.default is not None:
            point[argument.name] = argument.default
        elif argument.value.type == Type("bool"):
            point[argument.name] = True
        elif argument.value.type == Type("int"):
            point[argument.name] = 2 + position
        else:
            point[argument.name] = _inside(argument.domain, Fraction(1, 2) + Fraction(position, 4))
    return point


def _inside(domain: Interval | None, wish: Fraction) -> Fraction:
    """The wish, moved into the domain if it lies outside or on its edge."""
    if domain is None or domain.low < wish < domain.high:
        return wish
    if isinstance(domain.low, Fraction) and isinstance(domain.high, Fraction):
        return domain.low + (domain.high - domain.low) * Fraction(2, 5)
    if isinstance(domain.low, Fraction):
        return domain.low + wish
    assert isinstance(domain.high, Fraction)
    return domain.high - wish
