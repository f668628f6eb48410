"""Arrays with some places changed: what taking and setting elements, and their adjoints, need.

An index is what NumPy takes between brackets: slices, ints and int arrays, in a tuple if there are
several. Int arrays count from the end where they are negative, and may name a place repeatedly. An
index outside is an IndexError.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mgrad.runtime.arrays import Array
from mgrad.runtime.rows import blocks


def replaced(x: Array, index: Any, values: Array) -> Array:
    """A copy of x with the values at the index; of several for one place the last stays. Reals
    among ints make reals."""
    result = np.array(x, dtype=np.result_type(x, values))
    result[index] = values
    return result


def added(x: Array, index: Any, values: Array) -> Array:
    """A copy of x with the values added at the index; all of them where a place is repeated. With
    zeros for x it is the adjoint of x[index]. Reals among ints make reals."""
    result = np.array(x, dtype=np.result_type(x, values))
    add_at(result, index, values)
    return result


def gathered(x: Array, index: Array, axis: int, out: Array) -> Array:
    """x with what int arrays choose along an axis, written into `out`. An IndexError where an
    index is outside, before anything is written."""
    size = x.shape[axis]
    if index.size:
        least, greatest = index.min(), index.max()
        if least < -size or greatest >= size:
            wrong = greatest if greatest >= size else least
            raise IndexError(f"index {wrong} is out of bounds for axis {axis} with size {size}")
    return np.take(x, index, axis=axis, out=out, mode="wrap")


def outer(x: Array, y: Array, out: Array | None = None) -> Array:
    """x_i*y_j, written into `out` if that is given. As the product of a column with a row it is the
    BLAS's, which is two to three times as fast as NumPy's loops over rows."""
    if x.dtype.kind != "f" or not (out is None or out.flags.c_contiguous):
        return np.multiply(x[:, None], y, out=out)
    product: Array = np.dot(x.reshape(len(x), 1), y.reshape(1, len(y)), out=out)
    return product


def add_at(result: Array, index: Any, values: Array) -> None:
    """Adds values to a contiguous array at the index, in place; all of them where a place is
    repeated.

    `np.add.at` is fast on one axis only, so that numbers of the flattened array are given to it;
    where the index says rows, some rows at a time, so that their numbers take little memory.
    """
    items = index if type(index) is tuple else (index,)
    if not any(type(item) is np.ndarray and item.ndim for item in items):
        result[index] += values
    elif result.ndim == 1:
        np.add.at(result, index, values)
    elif len(items) == 1 and result.size:
        width = result[0].size
        rows = np.arange(len(result))[items[0]].reshape(-1)
        flat, given = result.reshape(-1), np.broadcast_to(values, items[0].shape + result.shape[1:])
        given = given.reshape(len(rows), width)
        for part in blocks(len(rows), width):
            places = rows[part, None] * width + np.arange(width)
            np.add.at(flat, places.reshape(-1), given[part].reshape(-1))
    else:
        places = np.arange(result.size).reshape(result.shape)[index]
        given = np.broadcast_to(values, places.shape)
        np.add.at(result.reshape(-1), places.reshape(-1), given.reshape(-1))


def padded(x: Array, *widths: tuple[int, int]) -> Array:
    """x with so many zeros before and after it along each axis."""
    if len(widths) == 1:
        (before, after), n = widths[0], len(x)
        result = np.zeros(before + n + after, x.dtype)
        result[before : before + n] = x
        return result
    sizes = [(n, *both) for n, both in zip(x.shape, widths, strict=True)]
    result = np.zeros([before + n + after for n, before, after in sizes], x.dtype)
    result[tuple([slice(before, before + n) for n, before, _ in sizes])] = x
    return result


def on_diagonal(x: Array, places: tuple[int, ...]) -> Array:
    """An array whose axis k is axis `places[k]` of x: where axes repeat one, the elements of x
    stand where their numbers agree, and 0 elsewhere. `on_diagonal(v, (0, 0))` is a diagonal
    matrix."""
    result = np.zeros([x.shape[place] for place in places], x.dtype)
    numbers = np.ogrid[tuple([slice(size) for size in x.shape])]
    result[tuple([numbers[place] for place in places])] = x
    return result
