"""Which exact numbers have a short text: whole ones, decimals, and simple multiples of pi."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

PI = Fraction(math.pi)
WHOLE = 2**53  # whole numbers up to this are floats
DIGITS = 12  # of a decimal that somebody may have written
SIMPLE = 1000  # the largest numerator and denominator of a simple ratio


@lru_cache(maxsize=4096)
def is_plain(value: Fraction) -> bool:
    """Whether the number reads as one that a person wrote: 6, 0.05, 2e-7, 2*pi."""
    return is_whole(value) or is_decimal(value) or multiple_of_pi(value) is not None


def is_whole(value: Fraction) -> bool:
    return value.denominator == 1 and abs(value.numerator) <= WHOLE


def is_decimal(value: Fraction) -> bool:
    """Whether the repr of the nearest float is the number, in a few digits."""
    try:
        text = repr(float(value))
    except OverflowError:
        return False
    is_short = len(text.partition("e")[0].replace(".", "").strip("-0")) <= DIGITS
    return is_short and "n" not in text and Fraction(text) == value


def digits(value: Fraction) -> int:
    """How many digits a reader meets; a multiple of pi counts as its factor."""
    times_pi = multiple_of_pi(value)
    if times_pi is not None:
        return digits(times_pi)
    return len(repr(float(value)).partition("e")[0].replace(".", "").strip("-0")) if value else 1


@lru_cache(maxsize=4096)
def multiple_of_pi(value: Fraction) -> Fraction | None:
    """k of k*pi, where k is a simple ratio and Python's `k*pi` rounds to the same float."""
    if value.numerator.bit_length() < 40:
        return None
    ratio = value / PI
    if abs(ratio.numerator) > SIMPLE or ratio.denominator > SIMPLE:
        return None
    product = ratio.numerator * math.pi / ratio.denominator
    return ratio if product == float(value) else None
