"""The door of the target `python`: arguments that are not floats, ints and bools already.

A generated function tests `type(x) is not float` itself; only when that is so, it asks here.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, NoReturn

from mgrad.runtime.real import to_float

REAL, INT, BOOL = "a real number", "an int", "a bool"


def reals(function: str, /, **arguments: Any) -> Any:
    """The arguments, by name, as floats, in order; a single one bare.

    Taken are floats, ints and bools, NumPy's scalars and arrays without axes, and what has
    `__float__`. An int beyond the range of floats is inf. Anything else is a TypeError that names
    the function and the argument.
    """
    return _bare(
        x if type(x) is float else _real(function, name, x) for name, x in arguments.items()
    )


def integers(function: str, /, **arguments: Any) -> Any:
    """The arguments as ints, in order; a single one bare.

    Taken are ints, bools (as 0 and 1) and what has `__index__`; a float is a TypeError, also if it
    is whole.
    """
    return _bare(x if type(x) is int else _int(function, name, x) for name, x in arguments.items())


def truths(function: str, /, **arguments: Any) -> Any:
    """The arguments as bools, in order; a single one bare. NumPy's are taken; a number is a
    TypeError."""
    return _bare(
        x if type(x) is bool else _bool(function, name, x) for name, x in arguments.items()
    )


def _bare(values: Iterable[Any]) -> Any:
    found = tuple(values)
    return found if len(found) != 1 else found[0]


def _real(function: str, name: str, x: Any) -> float:
    if not hasattr(type(x), "__float__") and not hasattr(type(x), "__index__"):
        _refuse(function, name, x, REAL)
    if _kind(x) not in "fiub" or getattr(x, "ndim", 0) != 0:
        _refuse(function, name, x, REAL)
    try:
        return to_float(x)
    except (TypeError, ValueError):
        _refuse(function, name, x, REAL)


def _int(function: str, name: str, x: Any) -> int:
    if _kind(x) == "b" and getattr(x, "ndim", 0) == 0:
        return int(x)
    if getattr(x, "ndim", 0) != 0:
        _refuse(function, name, x, INT)
    try:
        return operator.index(x)
    except TypeError:
        _refuse(function, name, x, INT)


def _bool(function: str, name: str, x: Any) -> bool:
    if not isinstance(x, int) and _kind(x) == "b" and getattr(x, "ndim", 0) == 0:
        return bool(x)
    return _refuse(function, name, x, BOOL)


def _kind(x: Any) -> str:
    """The kind of a NumPy scalar or array: f, i, u, b, or c, U, O …; of other things f."""
    kind = getattr(getattr(x, "dtype", None), "kind", "f")
    return kind if isinstance(kind, str) else "f"


def _refuse(function: str, name: str, x: Any, wanted: str) -> NoReturn:
    message = f"{function}: argument {name!r} must be {wanted}, not {type(x).__name__}"
    if isinstance(x, (list, tuple, range)) or getattr(x, "ndim", 0) != 0:
        message += ": the target `python` takes numbers, `numpy` maps over arrays"
    raise TypeError(message) from None
