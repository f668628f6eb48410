"""Exact constants: what is known before the run, and arithmetic on it.

Numbers are fractions; only the infinities and nan are floats. The size of a result is judged from
the sizes of the operands, before it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mgrad.compiler.ir.types import Dtype
from mgrad.compiler.source import Span

Scalar = Fraction | bool | float

BITS = math.ceil(1000 * math.log2(10))  # 1,000 digits, in numerator and denominator together


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """A constant that stands in no body yet; it takes the type that its use wants."""

    value: Scalar
    dtype: Dtype
    span: Span


class TooLarge(Exception):
    """The result would have more than 1,000 digits."""


class NoValue(Exception):
    """An int divided by zero."""


def bits(value: Scalar) -> int:
    """The size of a number, in binary digits."""
    if isinstance(value, Fraction):
        return value.numerator.bit_length() + value.denominator.bit_length() - 1
    return 1


def fold(op: str, operands: Sequence[Exact]) -> Scalar | None:
    """The exact value of an op of constants; None where it has none, or is left for the run.

    Raises TooLarge and NoValue.
    """
    rule = RULES.get(op)
    if rule is None:
        return None
    values = [o.value for o in operands]
    if any(v.__class__ is float for v in values):
        return _with_infinities(op, values)
    value = rule(*values)
    if value.__class__ is Fraction and bits(value) > BITS:
        raise TooLarge
    return value


def power(base: Fraction, exponent: Fraction) -> Scalar | None:
    """`base^exponent` where that is rational for every base, that is for whole exponents."""
    if exponent.denominator != 1:
        return None
    if base == 0 and exponent < 0:
        return math.inf
    if abs(base) != 1 and base != 0:
        # |base|^n has about n times its bits; the logarithm would be closer, this never refuses
        # what fits by more than a factor of the rounding of `bit_length`
        magnitude = abs(base)
        size = math.log2(magnitude.numerator) + math.log2(magnitude.denominator)
        if abs(exponent) > 2 * BITS or size * abs(int(exponent)) > BITS:
            raise TooLarge
    elif abs(base) == 1:
        return Fraction(1) if base == 1 or exponent.numerator % 2 == 0 else Fraction(-1)
    elif exponent > 0:
        return Fraction(0)
    return Fraction(base ** int(exponent))


def divide(x: Fraction, y: Fraction) -> Scalar:
    """As IEEE 754 has it, 1/0 is inf and 0/0 is nan."""
    if y:
        return x / y
    return math.nan if not x else math.copysign(math.inf, x)


def floor_divide(x: Fraction, y: Fraction) -> Fraction:
    if not y:
        raise NoValue
    return Fraction(x // y)


def remainder(x: Fraction, y: Fraction) -> Fraction:
    if not y:
        raise NoValue
    return x % y


def _number(x: Scalar) -> Scalar:
    return Fraction(x) if isinstance(x, bool) else x


RULES: dict[str, Callable[..., Scalar | None]] = {
    "add": lambda x, y: Fraction(x + y),
    "sub": lambda x, y: Fraction(x - y),
    "mul": lambda x, y: Fraction(x * y),
    "neg": lambda x: Fraction(-x),
    "div": lambda x, y: divide(Fraction(x), Fraction(y)),
    "floordiv": lambda x, y: floor_divide(Fraction(x), Fraction(y)),
    "mod": lambda x, y: remainder(Fraction(x), Fraction(y)),
    "pow": lambda x, y: power(Fraction(x), Fraction(y)),
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "and": lambda x, y: bool(x and y),
    "or": lambda x, y: bool(x or y),
    "not": lambda x: not x,
    "where": lambda c, x, y: x if c else y,
    "abs": lambda x: abs(Fraction(x)),
    "min": lambda *xs: _number(min(xs)),
    "max": lambda *xs: _number(max(xs)),
    "floor": lambda x: Fraction(math.floor(x)),
    "ceil": lambda x: Fraction(math.ceil(x)),
    "sign": lambda x: Fraction((x > 0) - (x < 0)),
}

# with an infinity or nan only the sign of the other operand counts
_BEYOND: dict[str, Callable[..., float]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "neg": lambda x: -x,
    "abs": abs,
}


def _with_infinities(op: str, values: Sequence[Scalar]) -> Scalar | None:
    if op in ("lt", "le", "gt", "ge", "eq", "ne"):
        return RULES[op](*values)
    rule = _BEYOND.get(op)
    if rule is None:
        return None
    return rule(*(v if isinstance(v, float) else float((v > 0) - (v < 0)) for v in values))
