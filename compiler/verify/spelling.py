"""How names, points and numbers are spelled: for Python, for people, for mpmath."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath

from mgrad.compiler.ir.types import Type
from mgrad.compiler.schedule.names import printable

LONGEST_QUOTE = 48


def dtype(type: Any) -> str:
    return type.dtype if isinstance(type, Type) else "real"


def printed(name: str, suffix: str = "") -> str:
    """The name of a function in Python, or of one of its routines: `lambda_`, `lambda_forward`."""
    return f"{name}{suffix}" if suffix else printable(name)


def number(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    exact = Fraction(value)
    return mpmath.mpf(exact.numerator) / exact.denominator


def show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    exact = Fraction(value)
    return str(exact.numerator) if exact.denominator == 1 else repr(float(exact))


def show_number(value: Any) -> str:
    return str(value) if isinstance(value, bool) else mpmath.nstr(value, 15)


def brief(value: Any, digits: int = 6) -> str:
    """A number in a sentence: a few digits, none of them for show."""
    shown = str(mpmath.nstr(mpmath.mpf(value), digits, strip_zeros=True))
    mantissa, e, exponent = shown.partition("e")
    return mantissa.removesuffix(".0") + e + exponent.removeprefix("+")


def quoted(text: str) -> str:
    """A piece of the source in a sentence: on one line, and not too long."""
    line = " ".join(text.split())
    return f"`{line}`" if len(line) <= LONGEST_QUOTE else f"`{line[: LONGEST_QUOTE - 1]}…`"
