"""The arguments of a function as numbers: one slot for each number that may vary.

A function of scalars has a slot an argument. An array has one for each element, at small sizes that
differ from name to name, so that axes cannot be mistaken for one another. Ints of a function of
arrays are sizes and indices: they have fixed values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from mgrad.compiler.ir.types import Dim, Interval, Type
from mgrad.compiler.sema.program import Argument, Condition, Function
from mgrad.compiler.verify import elements
from mgrad.compiler.verify.spelling import dtype

SMALLEST = 2
FARTHEST = 12  # how much larger sizes may be, so that nothing is empty
MOST = 20_000  # choices of sizes that are tried


class Known(int):
    """An int that is the same at every point."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One number: `x`, or `x[0, 1]`."""

    name: str
    kind: str  # real, int or bool
    domain: Interval | None


class Layout:
    """Where the numbers of a point go. `sizes` are those of the dimensions."""

    def __init__(self, function: Function, first: int = SMALLEST) -> None:
        self.arguments = function.arguments
        self.is_scalar = not any(
            v.form in ("each", "size") or (isinstance(v.type, Type) and v.type.shape)
            for v in function.values
        )
        self.sizes = {} if self.is_scalar else _sizes(function, first)
        self.slots: list[Slot] = []
        self.reals: list[int] = []  # slots of real numbers
        self.counts: list[int] = []  # how many of them an argument has
        for argument in self.arguments:
            if dtype(argument.value.type) == "real":
                self.counts.append(len(self._places(argument)))
            for place in self._places(argument):
                if self._is_fixed(argument):
                    continue
                name = argument.name
                if place:
                    name += f"[{', '.join(map(str, place))}]"
                kind = dtype(argument.value.type)
                if kind == "real":
                    self.reals.append(len(self.slots))
                self.slots.append(Slot(name, kind, argument.domain))

    def shape(self, argument: Argument) -> tuple[int, ...]:
        return tuple(d.evaluate(self.sizes) for d in _shape(argument))

    def _places(self, argument: Argument) -> list[tuple[int, ...]]:
        return list(np.ndindex(*self.shape(argument)))

    def _is_fixed(self, argument: Argument) -> bool:
        return not self.is_scalar and dtype(argument.value.type) == "int"

    def packed(self, numbers: Sequence[Any], fixed: Callable[[int], Any]) -> list[Any]:
        """The arguments made of a number for each slot; `fixed` makes an int into one."""
        rest = iter(numbers)
        arguments: list[Any] = []
        for argument in self.arguments:
            places = self._places(argument)
            if self._is_fixed(argument):
                parts = [fixed(self._int(argument, k)) for k in range(len(places))]
            else:
                parts = [next(rest) for _ in places]
            arguments.append(elements.filled(self.shape(argument), parts))
        return arguments

    def _int(self, argument: Argument, rank: int) -> int:
        """A fixed int: a size for a scalar, indices that repeat for an array."""
        if not _shape(argument):
            return self.sizes[argument.name]
        return (1, 0, 1, 1, 0)[rank % 5]

    def described(self) -> str:
        """`N = 2, D = 3`; nothing for a function of scalars."""
        return ", ".join(f"{name} = {n}" for name, n in self.sizes.items())


def _shape(argument: Argument) -> tuple[Dim, ...]:
    return argument.type.shape


def _sizes(function: Function, first: int) -> dict[str, int]:
    """Distinct sizes for the names of dimensions and the int arguments, in order."""
    names: dict[str, None] = {}
    for argument in function.arguments:
        for d in _shape(argument):
            names.update(dict.fromkeys(sorted(d.names)))
    for argument in function.arguments:
        if not _shape(argument) and dtype(argument.value.type) == "int":
            names.setdefault(argument.name)
    shapes = [v.type.shape for v in function.values if isinstance(v.type, Type)]
    dims = dict.fromkeys(d for shape in shapes for d in shape if d.constant is None)
    for is_full in (True, False):
        for sizes in _choices(list(names), first):
            is_allowed = all(_holds(c, sizes) for c in function.conditions)
            if is_allowed and all(d.evaluate(sizes) >= is_full for d in dims):
                return sizes
    return {name: first + k for k, name in enumerate(names)}


def _choices(names: Sequence[str], first: int) -> Iterator[dict[str, int]]:
    """Sizes for names, rather distinct ones, in the order of the names, and small."""
    for start in range(first, first + FARTHEST):
        yield {name: start + k for k, name in enumerate(names)}
    width = max(2, min(FARTHEST, int(MOST ** (1 / max(1, len(names))))))
    found = sorted(product(range(first, first + width), repeat=len(names)), key=max)
    for is_distinct in (True, False):
        for sizes in found:
            if (len(set(sizes)) == len(sizes)) is is_distinct:
                yield dict(zip(names, sizes, strict=True))


def _holds(condition: Condition, sizes: dict[str, int]) -> bool:
    value = condition.size.evaluate(sizes)
    return value == 0 if condition.is_equality else value >= 0
