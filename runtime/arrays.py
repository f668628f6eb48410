"""Arguments of a generated function on the way in: anything array-like becomes arrays of one dtype.

Real arguments are float32 if everything among them that has a floating dtype of its own is float32,
else float64; Python's numbers, ints and bools take the dtype of the others. Int arguments are int64
and refuse floats, bool arguments refuse numbers. What has no axes becomes a scalar of NumPy, whose
division by zero gives inf, where a Python float would raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from mgrad.runtime.real import to_float

Array = Any
Shape = tuple[int, ...]
LONG = 131_072  # elements, from which on arrays are computed in blocks
DOUBLE, SINGLE = np.dtype(np.float64), np.dtype(np.float32)
KINDS = {float: ("fiub", "real numbers"), int: ("iub", "ints"), bool: ("b", "bools")}


class Given(NamedTuple):
    """Arguments that have passed the door."""

    values: Sequence[Any]  # arrays, and scalars of NumPy
    shapes: Sequence[Shape]
    shape: Shape  # the common one, that of results
    dtype: np.dtype[Any]  # of real arguments and results


class Door:
    """What one function takes: the names of its arguments, in order, and which are not real."""

    def __init__(self, function: Callable[..., Any], types: Mapping[str, type]) -> None:
        self.name = function.__name__
        self._signature = signature(function)
        self.names = tuple(self._signature.parameters)
        self.types = tuple(types.get(name, float) for name in self.names)
        self.are_real = tuple(t is float for t in self.types)
        # how many arrays may be alike: all arguments, if they are real
        self.alike = len(self.names) if self.names and all(self.are_real) else -1

    def _bind(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments in order, of a call with keywords or without those that have a default."""
        if len(arguments) + len(keywords) == len(self.names):
            rest = self.names[len(arguments) :]
            if all(name in keywords for name in rest):
                return (*arguments, *[keywords[name] for name in rest])
        try:
            bound = self._signature.bind(*arguments, **keywords)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None
        bound.apply_defaults()
        return bound.args

    def take(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Given:
        """The arguments in order, converted and checked."""
        if keywords or len(arguments) != len(self.names):
            arguments = self._bind(arguments, keywords)
        return take(self.name, self.names, self.types, arguments)

    def real(self, items: Sequence[Any]) -> list[Any]:
        """Those of the real arguments, of one item for each argument."""
        return [item for item, is_real in zip(items, self.are_real, strict=True) if is_real]


def are_alike(first: Any, *others: Any) -> bool:
    """Whether all are float64 arrays of one shape, with one axis or more, and not long."""
    if type(first) is not ndarray or first.dtype is not DOUBLE or first.size >= LONG:
        return False
    shape: Shape = first.shape
    for other in others:
        if type(other) is not ndarray or other.dtype is not DOUBLE or other.shape != shape:
            return False
    return shape != ()


def alike(arguments: tuple[Any, ...]) -> Given:
    """What such arguments are."""
    shape = arguments[0].shape
    return Given(arguments, (shape,) * len(arguments), shape, DOUBLE)


def take(
    function: str, names: Sequence[str], types: Sequence[type], arguments: Sequence[Any]
) -> Given:
    """Arguments as arrays and scalars of NumPy, the real ones of one dtype.

    TypeError where one does not hold numbers of its kind, ValueError where shapes do not broadcast;
    both name the function and the arguments.
    """
    found: list[tuple[Any, Any]] = [
        _array(function, n, kind, value)
        if kind is not float
        else (value, None)
        if type(value) is float
        else (value, DOUBLE)
        if type(value) is ndarray and value.dtype is DOUBLE
        else _array(function, n, kind, value)
        for n, kind, value in zip(names, types, arguments, strict=True)
    ]
    own = [dtype for _, dtype in found if dtype is not None]
    dtype = SINGLE if own and all(d == SINGLE for d in own) else DOUBLE
    values = [
        _converted(value, dtype) if kind is float else value[()]
        for (value, _), kind in zip(found, types, strict=True)
    ]
    shapes = [value.shape for value in values]
    return Given(values, shapes, together(function, names, shapes), dtype)


def _converted(value: Any, dtype: np.dtype[Any]) -> Any:
    if type(value) is float:
        return dtype.type(value)
    array = value.astype(dtype, copy=False)
    return array if array.ndim else array[()]


def _array(function: str, name: str, kind: type, value: Any) -> tuple[Array, Any]:
    """An array of numbers of the kind, and the floating dtype that was the argument's own."""
    if not callable(getattr(value, "mask", len)):
        raise _refusal(function, name, kind, "a masked array")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        raise _refusal(function, name, kind, "an array of unequal rows") from None
    letters, _ = KINDS[kind]
    if array.dtype.kind == "O":
        return _of_objects(function, name, kind, value, array), None
    if array.dtype.kind not in letters and array.size:
        text = array.dtype.kind in "US"
        raise _refusal(function, name, kind, "text" if text else str(array.dtype))
    if kind is float:
        has_own = array.dtype.kind == "f" and type(value) is not float
        return array, array.dtype if has_own else None
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise _refusal(function, name, kind, "an int beyond 64 bits")
    return array.astype(np.int64 if kind is int else np.bool_, copy=False), None


def _of_objects(function: str, name: str, kind: type, value: Any, array: Array) -> Array:
    """Python objects that are numbers: ints beyond 64 bits, fractions."""
    flat = array.ravel().tolist()
    if kind is not float and all(isinstance(item, int) for item in flat):
        raise _refusal(function, name, kind, "an int beyond 64 bits")
    if kind is float and all(hasattr(type(item), "__float__") for item in flat):
        try:
            return np.array([to_float(item) for item in flat]).reshape(array.shape)
        except (TypeError, ValueError):
            pass
    raise _refusal(function, name, kind, type(value).__name__)


def _refusal(function: str, name: str, kind: type, found: str) -> TypeError:
    return TypeError(f"{function}: argument {name!r} must hold {KINDS[kind][1]}, not {found}")


def together(function: str, names: Sequence[str], shapes: Sequence[Shape]) -> Shape:
    """The shape that shapes broadcast to; a ValueError names two that do not."""
    distinct = {shape for shape in shapes if shape}
    if len(distinct) < 2:
        return next(iter(distinct), ())
    try:
        return np.broadcast_shapes(*distinct)
    except ValueError:
        pairs = combinations(zip(names, shapes, strict=True), 2)
        a, b = next((a, b) for a, b in pairs if not broadcast_together(a[1], b[1]))
    raise ValueError(
        f"{function}: arguments {a[0]} {list(a[1])} and {b[0]} {list(b[1])} do not broadcast"
    )


def broadcast_together(a: Shape, b: Shape) -> bool:
    """Whether two shapes broadcast."""
    pairs = zip(reversed(a), reversed(b), strict=False)
    return all(m == n or 1 in (m, n) for m, n in pairs)
