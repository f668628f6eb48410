"""How names, points and numbers are spelled: for Python, for people, for mpmath."""

from __future__ import annotations

import keyword
from fractions import Fraction
from typing import Any

import mpmath

from mgrad.compiler.ir.types import Type


def dtype(type: Any) -> str:
    return type.dtype if isinstance(type, Type) else "real"


def printed(name: str) -> str:
    """The name of a function in Python."""
    return f"{name}_" if keyword.iskeyword(name) else name


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
