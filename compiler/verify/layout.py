"""The arguments of a function as numbers: one slot for each number that may vary.

A function of scalars has a slot an argument. An array has one for each element, at small sizes that
differ from name to name, so that axes cannot be mistaken for one another. Ints that decide sizes,
trip counts or places are the same at every point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mgrad.compiler.ir.types import INT, Dim, Interval, Type
from mgrad.compiler.sema.program import Argument, Function, Program
from mgrad.compiler.verify import elements, lists
from mgrad.compiler.verify.ints import Choice, Wish, choose
from mgrad.compiler.verify.spelling import dtype

NOTHING = Choice({}, {}, False)


class Known(int):
    """An int that is the same at every point."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One number: `x`, or `x[0, 1]`."""

    name: str
    kind: str  # real, int or bool
    domain: Interval | None


class Layout:
    """Where the numbers of a point go. `sizes` are those of the dimensions, and of ints."""

    def __init__(self, program: Program, function: Function, wish: Wish) -> None:
        self.arguments = function.arguments
        self.is_scalar = holds_scalars(function)
        self._choice = NOTHING if self.is_scalar else choose(program, function, wish)
        self.sizes = self._choice.sizes
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
        is_scalar = argument.value.type == INT
        return argument.name in (self.sizes if is_scalar else self._choice.arrays)

    def packed(self, numbers: Sequence[Any], fixed: Callable[[int], Any]) -> list[Any]:
        """The arguments made of a number for each slot; `fixed` makes an int into one."""
        rest = iter(numbers)
        arguments: list[Any] = []
        for argument in self.arguments:
            if self._is_fixed(argument):
                parts = [fixed(n) for n in self._ints(argument)]
            else:
                parts = [next(rest) for _ in self._places(argument)]
            arguments.append(elements.filled(self.shape(argument), parts))
        return arguments

    def _ints(self, argument: Argument) -> tuple[int, ...]:
        if argument.value.type == INT:
            return (self.sizes[argument.name],)
        return self._choice.arrays[argument.name]

    @property
    def has_choice(self) -> bool:
        """Whether other ints, or larger sizes, lead the text another way."""
        choice = self._choice
        scalars = any(a.value.type == INT and a.name in self.sizes for a in self.arguments)
        return bool(choice.has_places or choice.arrays or scalars)

    def ints(self) -> dict[str, str]:
        """The ints that are the same at every point, as they are shown."""
        fixed = {a: self._ints(a) for a in self.arguments if self._is_fixed(a)}
        shown = {a: elements.filled(self.shape(a), given) for a, given in fixed.items()}
        return {a.name: str(lists.nested(given)) for a, given in shown.items()}

    def told(self) -> str:
        """All that is the same at every point: `N = 3, k = [0, 2]`."""
        arrays = [f"{n} = {k}" for n, k in self.ints().items() if n not in self.sizes]
        return ", ".join([self.described(), *arrays])

    def described(self) -> str:
        """`N = 2, D = 3`; nothing for a function of scalars."""
        return ", ".join(f"{name} = {n}" for name, n in self.sizes.items())


def holds_scalars(function: Function) -> bool:
    """Whether it is a function of numbers: no arrays, no index notation."""
    return not any(
        v.form in ("each", "size") or (isinstance(v.type, Type) and v.type.shape)
        for v in function.values
    )


def _shape(argument: Argument) -> tuple[Dim, ...]:
    return argument.type.shape
