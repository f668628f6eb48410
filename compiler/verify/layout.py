"""The arguments of a function as numbers: one slot for each number that may vary.

A function of scalars has a slot an argument. An array has one for each element, at small sizes that
differ from name to name, so that axes cannot be mistaken for one another. Ints of a function of
arrays are sizes and indices: they have fixed values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mgrad.compiler.ir.types import Dim, Interval, Type
from mgrad.compiler.sema.program import Argument, Function
from mgrad.compiler.verify import elements
from mgrad.compiler.verify.spelling import dtype

SMALLEST = 2
FARTHEST = 12  # how much larger sizes may be, so that nothing is empty


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
    for start in range(first, first + FARTHEST):
        sizes = {name: start + k for k, name in enumerate(names)}
        shapes = [v.type.shape for v in function.values if isinstance(v.type, Type)]
        if all(d.evaluate(sizes) > 0 for shape in shapes for d in shape):
            return sizes
    return {name: first + k for k, name in enumerate(names)}
