"""Python functions that a source brings in, on the target `numpy`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

Function = Callable[..., Any]


def over_arrays(function: Function) -> Function:
    """The function of numbers, element by element: with broadcasting, and nan where it raises an
    arithmetic error or a ValueError. A function of NumPy's kind is left as it is."""
    if isinstance(function, np.ufunc):
        return function

    @wraps(function)
    def value(*arguments: float) -> float:
        try:
            return float(function(*map(float, arguments)))
        except (ArithmeticError, ValueError):
            return float("nan")

    return np.vectorize(value, otypes=[float])
