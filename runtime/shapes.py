"""Arrays at the door of a function on tensors: what its words (`words`) say of them.

`Interface.take` converts and checks arguments and says what does not fit; what needs no conversion
passes faster (`entry`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from mgrad.runtime.arrays import DOUBLE, SINGLE, Shape, take
from mgrad.runtime.words import Words, read

INTEGER, TRUTH = np.dtype(np.int64), np.dtype(np.bool_)
DTYPES = {float: DOUBLE, int: INTEGER, bool: TRUTH}


class Given(NamedTuple):
    """Arguments that have passed the door."""

    values: Sequence[Any]  # arrays, with leading axes folded, and scalars of NumPy
    shapes: Sequence[Shape]  # as given
    lead: Shape  # the leading axes
    sizes: Mapping[str, int]  # of the variables
    dtype: np.dtype[Any]  # of real arguments and results


@dataclass(frozen=True)
class Interface(Words):
    """The words of a function of arrays."""

    @np.errstate(all="ignore")
    def take(self, function: str, arguments: Sequence[Any]) -> Given:
        """The arguments converted and checked.

        TypeError where one does not hold numbers of its kind, ValueError where a shape or a
        condition does not fit; both name the function and the argument.
        """
        values, dtype = self._converted(function, arguments)
        shapes = [value.shape for value in values]
        lead = self.leading(function, shapes)
        sizes = self.measured(values, shapes, lead)
        self.verify(function, shapes, lead, sizes)
        for i, form in enumerate(self.forms):
            if form.has_lead:
                values[i] = values[i].reshape((prod(lead), *shapes[i][len(lead) :]))
        return Given(values, shapes, lead, sizes, dtype)

    def _converted(
        self, function: str, arguments: Sequence[Any]
    ) -> tuple[list[Any], np.dtype[Any]]:
        values = []
        own = []
        for name, form, value in zip(self.names, self.forms, arguments, strict=True):
            if form.kind is float and type(value) is ndarray and value.dtype in (DOUBLE, SINGLE):
                values.append(value)
                own.append(value.dtype)
                continue
            given = take(function, (name,), (form.kind,), (value,))
            values.append(given.values[0])
            if form.kind is float and has_floating_dtype(value):
                own.append(given.dtype)
        dtype = SINGLE if own and all(d == SINGLE for d in own) else DOUBLE
        for i, form in enumerate(self.forms):
            if form.kind is float:
                values[i] = values[i].astype(dtype, copy=False)
        return values, dtype


def has_floating_dtype(value: Any) -> bool:
    """Whether a real argument has a floating dtype of its own, as an array has and 1.0 has not."""
    return type(value) is not float and np.asarray(value).dtype.kind == "f"


def interface(text: str, constants: Mapping[str, int]) -> Interface:
    """The words read; a ValueError says what is wrong with them."""
    words = read(text, constants)
    return Interface(**{field.name: getattr(words, field.name) for field in fields(words)})
