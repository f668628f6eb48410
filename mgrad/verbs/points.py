"""A point at which a function can be shown or timed, where the user names none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from mgrad.compiler.ir.types import Interval, Type
from mgrad.compiler.sema.program import Argument, Function
from mgrad.faults import UsageError

SMALLEST = 2
TRIED = 8  # sizes of a name that are tried to meet what a function asks of them


def size_names(function: Function) -> tuple[str, ...]:
    """The names of dimensions that the arguments bind, in order, and the ints that are sizes."""
    names: dict[str, None] = {}
    for argument in function.arguments:
        for dim in argument.type.shape:
            names.update(dict.fromkeys(sorted(dim.names)))
    dims = [d for v in function.values if isinstance(v.type, Type) for d in v.type.shape]
    dims += [condition.size for condition in function.conditions]
    used = {name for d in dims for name in d.names}
    ints = (a.name for a in function.arguments if a.value.type == Type("int"))
    return tuple(dict.fromkeys([*names, *(name for name in ints if name in used)]))


def raise_unknown(functions: Sequence[Function], sizes: Mapping[str, int]) -> None:
    """Raise UsageError for a size that no function has."""
    known = list(dict.fromkeys(name for f in functions for name in size_names(f)))
    for name in sizes:
        if name not in known:
            raise UsageError(
                f"no function has a size '{name}'; there are {', '.join(known) or 'none'}"
            )


def sample_sizes(function: Function, given: Mapping[str, int] | None = None) -> dict[str, int]:
    """A small size for each name, all different if that can be; those given stay.

    Raises UsageError if no small sizes meet what the function asks of them.
    """
    names, given = size_names(function), given or {}
    free = [name for name in names if name not in given]
    for choice in _choices(len(free)):
        sizes = dict(zip(free, choice, strict=True)) | {n: given[n] for n in names if n in given}
        if fits(function, sizes):
            return {name: sizes[name] for name in names}
    asked = ", ".join(map(str, function.conditions))
    raise UsageError(f"no small sizes were found for {function.name}, which asks for {asked}")


def fits(function: Function, sizes: Mapping[str, int]) -> bool:
    """Whether sizes meet the conditions of a function."""
    for condition in function.conditions:
        if condition.size.names <= sizes.keys():
            size = condition.size.evaluate(sizes)
            if size < 0 or (condition.is_equality and size):
                return False
    return True


def _choices(count: int) -> Iterator[tuple[int, ...]]:
    for start in range(SMALLEST, SMALLEST + TRIED):
        yield tuple(range(start, start + count))
    if count <= 4:
        yield from product(range(1, TRIED), repeat=count)


def sample_point(function: Function, sizes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """A value for each argument: its default, or an unremarkable one of its domain. Arrays have
    these sizes, else of small ones."""
    sizes = sizes or sample_sizes(function)
    return {
        argument.name: _array(argument, position, sizes)
        if argument.type.shape
        else _number(argument, position, sizes)
        for position, argument in enumerate(function.arguments)
    }


def _number(argument: Argument, position: int, sizes: Mapping[str, int]) -> Any:
    if argument.name in sizes:
        return sizes[argument.name]
    if argument.default is not None:
        return argument.default
    if argument.value.type == Type("bool"):
        return True
    if argument.value.type == Type("int"):
        return 2 + position
    return inside(argument.domain, Fraction(1, 2) + Fraction(position, 4))


def _array(argument: Argument, position: int, sizes: Mapping[str, int]) -> Any:
    """Elements that differ; of a square matrix more on the diagonal, so that it is positive
    definite, and indices that repeat."""
    shape = tuple(max(d.evaluate(sizes), 0) for d in argument.type.shape)
    if argument.type.dtype == "bool":
        return np.resize(np.array([True, False, True]), shape)
    if argument.type.dtype == "int":
        return np.resize(np.array([1, 0, 1, 1, 0]), shape)
    if len(shape) > 1 and argument.type.shape[-1] == argument.type.shape[-2]:
        return np.broadcast_to(_definite(shape[-1], argument.domain), shape).copy()
    wishes = (Fraction(2 + position * 3 + k * 7 % 10, 4) for k in range(10))
    return np.resize(np.array([float(inside(argument.domain, wish)) for wish in wishes]), shape)


def _definite(n: int, domain: Interval | None) -> Any:
    """1/(1 + |i - j|) beside a diagonal that is larger than the rest of its row."""
    i = np.arange(n)
    near = [Fraction(1, 1 + k) for k in range(n)]
    beside = np.array([float(inside(domain, wish)) for wish in near])
    matrix = beside[np.abs(i[:, None] - i)]
    matrix[i, i] = [float(inside(domain, Fraction(n + k))) for k in range(n)]
    return matrix


def inside(domain: Interval | None, wish: Fraction) -> Fraction:
    """The wish, moved into the domain if it lies outside or on its edge."""
    if domain is None or domain.low < wish < domain.high:
        return wish
    if isinstance(domain.low, Fraction) and isinstance(domain.high, Fraction):
        return domain.low + (domain.high - domain.low) * Fraction(2, 5)
    if isinstance(domain.low, Fraction):
        return domain.low + wish
    assert isinstance(domain.high, Fraction)
    return domain.high - wish
