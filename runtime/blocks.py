"""Long arrays, block by block: the temporaries of a block stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, repeat
from math import prod
from typing import Any

import numpy as np

from mgrad.runtime.arrays import LONG, Array, Given, Shape
from mgrad.runtime.results import leaves, rebuilt

BLOCK = 16_384  # elements, measured on programs of 8 to 1,000 operations
PAGE, LARGE = 1 << 21, 1 << 22  # bytes


def flat(given: Given) -> list[Any] | None:
    """The arguments as long arrays of one axis, and scalars; None if the common shape is short, or
    not that of every argument with axes."""
    if not given.shape or prod(given.shape) < LONG:
        return None
    if any(own and own != given.shape for own in given.shapes):
        return None
    return [value.reshape(-1) if value.ndim else value for value in given.values]


def run(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    shape: Shape,
    dtype: np.dtype[Any],
    are_sums: Sequence[bool] = (),
) -> Any:
    """function(*arguments), with each result spread over the shape, or summed over it.

    `are_sums` is of the results in order, however nested; those beyond its end are no sums.
    """
    size = prod(shape)
    outputs: list[Field | Sum] = []
    results: Any = None
    for start in range(0, size, BLOCK):
        stop = min(start + BLOCK, size)
        results = function(*[a[start:stop] if a.ndim else a for a in arguments])
        parts = list(leaves(results))
        if not outputs:
            kinds = zip(parts, chain(are_sums, repeat(False)), strict=False)
            outputs = [Sum(dtype) if s else Field(part, shape, dtype) for part, s in kinds]
        for output, part in zip(outputs, parts, strict=True):
            output.put(start, stop, part)
    return rebuilt(results, iter([output.get() for output in outputs]))


class Field:
    """A result of its own array, which the first block makes."""

    def __init__(self, part: Any, shape: Shape, dtype: np.dtype[Any]) -> None:
        kind = np.asarray(part).dtype
        self._flat = empty(prod(shape), dtype if kind.kind == "f" else kind)
        self._shape = shape

    def put(self, start: int, stop: int, part: Any) -> None:
        """The values of a block, or one for all of it."""
        self._flat[start:stop] = part

    def get(self) -> Array:
        """The whole."""
        return self._flat.reshape(self._shape)


def empty(size: int, dtype: np.dtype[Any]) -> Array:
    """An array of no values yet; a large one starts at a page of 2 MiB.

    Fresh memory costs more than the arithmetic of a short function. NumPy asks for large pages from
    4 MiB on, but at both ends of an array that starts anywhere there are up to 511 small ones.
    """
    count = size * dtype.itemsize
    if count < LARGE:
        return np.empty(size, dtype)
    memory = np.empty(count + PAGE, np.uint8)
    start = -memory.__array_interface__["data"][0] % PAGE
    return memory[start : start + count].view(dtype)


class Sum:
    """A result that is summed: pairwise in a block, and so are the sums of the blocks."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._sums: list[Any] = []

    def put(self, start: int, stop: int, part: Any) -> None:
        """The values of a block, or one for all of it."""
        is_constant = np.ndim(part) == 0
        self._sums.append(part * (stop - start) if is_constant else np.sum(part))

    def get(self) -> Any:
        """The whole, a scalar."""
        return self._dtype.type(np.sum(np.asarray(self._sums, np.float64)))
