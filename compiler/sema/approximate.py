"""The number of a constant that has no exact value, such as `2*pi`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.sema.exact import Exact, NoValue, Scalar, TooLarge, fold
from mgrad.compiler.sema.program import Value


def approximate(values: Sequence[Value], wanted: Value) -> Scalar:
    """The value of `wanted`, made of constants by ops, as a float gives it.

    Finite numbers come back as the float's exact fraction; only inf and nan stay floats.
    """
    numbers: dict[Value, Scalar] = {}
    for value in values:
        if value.form == "constant":
            number = value.attribute("value")
            assert isinstance(number, Fraction | bool | float)
            numbers[value] = number
        else:
            numbers[value] = _exact_or_float(value, [numbers[a] for a in value.args])
    return numbers[wanted]


def _exact_or_float(value: Value, operands: list[Scalar]) -> Scalar:
    if value.form in ("to_real", "to_int"):
        return Fraction(operands[0])
    span = value.span
    try:
        number = fold(value.form, [Exact(o, "real", span) for o in operands])
    except (TooLarge, NoValue):
        number = None
    if number is None:
        number = _float(value.form, [float(o) for o in operands])
    if isinstance(number, bool) or number != number or abs(number) == math.inf:
        return number
    return Fraction(float(number))


def _float(name: str, operands: list[float]) -> float:
    function = getattr(math, name, None)
    try:
        if function is not None:
            return float(function(*operands))
        import mpmath

        meaning = TABLE[name].mpmath
        if meaning is not None:
            return float(meaning(mpmath, *operands))
        return float(getattr(mpmath, name)(*operands))
    except (ArithmeticError, ValueError):
        return math.nan
