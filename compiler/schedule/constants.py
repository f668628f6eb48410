"""How an exact constant is spelled in Python."""

from __future__ import annotations

from fractions import Fraction

from mgrad.compiler.ir.node import Node

SMALL = 1000  # a ratio of numbers up to this is written as a ratio
WHOLE = 2**53  # whole numbers up to this are floats


def spell(node: Node, is_operand: bool) -> str:
    """The literal of a constant: `2`, `0.05`, `1/3`, `True`, `inf`, `nan`.

    A whole real number is `2` where it is an operand of arithmetic, else `2.0`: there it must be a
    float of its own. `inf` and `nan` are for the printer to import.
    """
    value = node.value
    if isinstance(value, bool):
        return repr(value)
    if node.array.dtype == "int":
        return str(value)
    if isinstance(value, float):
        return repr(value)
    return real(value, is_operand)


def real(value: Fraction, is_operand: bool) -> str:
    """An exact real number: as it is where a float or a small ratio says it, else the nearest."""
    if value.denominator == 1 and abs(value) <= WHOLE:
        return str(value.numerator) if is_operand else repr(float(value))
    try:
        nearest = float(value)
    except OverflowError:
        return "inf" if value > 0 else "-inf"
    if Fraction(repr(nearest)) == value:
        return repr(nearest)
    if abs(value.numerator) <= SMALL and value.denominator <= SMALL:
        return f"{value.numerator}/{value.denominator}"
    return repr(nearest)
