"""Small functions of Python floats that the library `math` lacks. They follow NumPy at nan."""

from __future__ import annotations


def sign(x: float) -> float:
    """-1, 0 or 1 as x is negative, zero or positive; nan of nan."""
    if x != x:
        return x
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0


def maximum(x: float, y: float) -> float:
    """The greater of two; nan if either is nan."""
    return x if x >= y or x != x else y


def minimum(x: float, y: float) -> float:
    """The less of two; nan if either is nan."""
    return x if x <= y or x != x else y


def clip(x: float, low: float, high: float) -> float:
    """min(max(x, low), high)."""
    return minimum(maximum(x, low), high)
