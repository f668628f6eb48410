"""Numbers whose operators follow IEEE 754 where Python's raise.

`Real` is a float: a division by zero gives inf or nan, a power that overflows gives inf. `Whole` is
an int that widens to Real, and whose `//` and `%` give 0 at a zero divisor, as NumPy's ints do.
Rounding a Real gives a Real, of inf and nan too, and keeps the sign of a zero.
"""

from __future__ import annotations

import math
from typing import Any


def to_float(number: float) -> float:
    """A plain float of a float, int or bool; inf of an int beyond the range of floats."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def divide(x: float, y: float) -> float:
    """x/y; at y = 0 it is inf of the product of the signs, and nan if x is 0 or nan."""
    if y != 0:
        return x / y
    if x == 0 or x != x:
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


def floor_divide(x: float, y: float) -> float:
    """The quotient rounded down, as a float."""
    return x // y if y != 0 else divide(x, y)


def modulo(x: float, y: float) -> float:
    """The remainder of the sign of y; nan at y = 0."""
    return x % y if y != 0 else math.nan


def power(x: float, y: float) -> float:
    """x to the y as in C: IEEE 754-2008, 9.2.1."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and is_odd(y) else math.inf
    except ValueError:
        if x != 0:
            return math.nan  # x < 0, and y not whole
        return math.copysign(math.inf, x) if is_odd(y) else math.inf


def is_odd(y: float) -> bool:
    """Whether y is an odd whole number; of a negative y too."""
    return math.fmod(y, 2.0) in (1.0, -1.0)


class Real(float):
    """A float by IEEE 754. With a float, an int or a bool it gives a Real again."""

    __slots__ = ()

    def __add__(self, other: float) -> Any:
        return Real(float(self) + to_float(other)) if _is_number(other) else NotImplemented

    def __sub__(self, other: float) -> Any:
        return Real(float(self) - to_float(other)) if _is_number(other) else NotImplemented

    def __mul__(self, other: float) -> Any:
        return Real(float(self) * to_float(other)) if _is_number(other) else NotImplemented

    def __truediv__(self, other: float) -> Any:
        return Real(divide(float(self), to_float(other))) if _is_number(other) else NotImplemented

    def __floordiv__(self, other: float) -> Any:
        if not _is_number(other):
            return NotImplemented
        return Real(floor_divide(float(self), to_float(other)))

    def __mod__(self, other: float) -> Any:
        return Real(modulo(float(self), to_float(other))) if _is_number(other) else NotImplemented

    def __pow__(self, other: float, modulus: None = None) -> Any:
        if modulus is not None or not _is_number(other):
            return NotImplemented
        return Real(power(float(self), to_float(other)))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: float) -> Any:
        return Real(to_float(other) - float(self)) if _is_number(other) else NotImplemented

    def __rtruediv__(self, other: float) -> Any:
        return Real(divide(to_float(other), float(self))) if _is_number(other) else NotImplemented

    def __rfloordiv__(self, other: float) -> Any:
        if not _is_number(other):
            return NotImplemented
        return Real(floor_divide(to_float(other), float(self)))

    def __rmod__(self, other: float) -> Any:
        return Real(modulo(to_float(other), float(self))) if _is_number(other) else NotImplemented

    def __rpow__(self, other: float, modulus: None = None) -> Any:
        if modulus is not None or not _is_number(other):
            return NotImplemented
        return Real(power(to_float(other), float(self)))

    def __neg__(self) -> Real:
        return Real(-float(self))

    def __pos__(self) -> Real:
        return self

    def __abs__(self) -> Real:
        return Real(abs(float(self)))

    def __round__(self, digits: int | None = None) -> Real:  # type: ignore[override]
        return Real(round(float(self), digits or 0))

    def __floor__(self) -> Real:  # type: ignore[override]
        return self._rounded(math.floor)

    def __ceil__(self) -> Real:  # type: ignore[override]
        return self._rounded(math.ceil)

    def _rounded(self, rounding: Any) -> Real:
        x = float(self)
        if x - x != 0 or x == 0:  # inf, nan, and both zeros are as they are
            return self
        return Real(math.copysign(rounding(x), x))


class Whole(int):
    """An int whose quotients and remainders have values at a zero divisor too."""

    __slots__ = ()

    def __add__(self, other: int) -> Any:
        return Whole(int(self) + int(other)) if isinstance(other, int) else NotImplemented

    def __sub__(self, other: int) -> Any:
        return Whole(int(self) - int(other)) if isinstance(other, int) else NotImplemented

    def __mul__(self, other: int) -> Any:
        return Whole(int(self) * int(other)) if isinstance(other, int) else NotImplemented

    def __truediv__(self, other: int) -> Any:
        return Real(to_float(self)) / other if isinstance(other, int) else NotImplemented

    def __floordiv__(self, other: int) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        return Whole(int(self) // int(other) if other else 0)

    def __mod__(self, other: int) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        return Whole(int(self) % int(other) if other else 0)

    def __pow__(self, other: int, modulus: None = None) -> Any:  # type: ignore[override]
        if modulus is not None or not isinstance(other, int):
            return NotImplemented
        if other >= 0:
            return Whole(int(self) ** int(other))
        return Real(to_float(self)) ** other

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: int) -> Any:
        return Whole(other) - self if isinstance(other, int) else NotImplemented

    def __rtruediv__(self, other: int) -> Any:
        return Whole(other) / self if isinstance(other, int) else NotImplemented

    def __rfloordiv__(self, other: int) -> Any:
        return Whole(other) // self if isinstance(other, int) else NotImplemented

    def __rmod__(self, other: int) -> Any:
        return Whole(other) % self if isinstance(other, int) else NotImplemented

    def __rpow__(self, other: int, modulus: None = None) -> Any:  # type: ignore[override]
        if modulus is not None or not isinstance(other, int):
            return NotImplemented
        return Whole(other) ** self

    def __neg__(self) -> Whole:
        return Whole(-int(self))

    def __pos__(self) -> Whole:
        return self

    def __abs__(self) -> Whole:
        return Whole(abs(int(self)))


def _is_number(x: object) -> bool:
    return isinstance(x, (float, int))


def guarded(value: Any) -> Any:
    """The same value of Real and Whole, also in tuples and lists; a bool and the rest stay."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return Real(value)
    if isinstance(value, int):
        return Whole(value)
    if isinstance(value, tuple):
        return tuple(guarded(item) for item in value)
    if isinstance(value, list):
        return [guarded(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """The same value of floats and ints: the inverse of `guarded`."""
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Whole):
        return int(value)
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
