"""Arrays with some places changed: what taking and setting elements, and their adjoints, need.

An index is what NumPy takes between brackets: slices, ints and int arrays, in a tuple if there are
several. Int arrays count from the end where they are negative, and may name a place repeatedly. An
index outside is an IndexError.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from mgrad.runtime.arrays import Array, Shape
from mgrad.runtime.rows import PIECE, pieces

WIDE = 512  # elements of a row that is worth a statement of its own


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
    if not x.flags.c_contiguous:  # `np.take` would copy it
        return picked(x, (*[slice(None)] * axis, index), out)
    _bound(index, axis, x.shape[axis])
    return np.take(x, index, axis=axis, out=out, mode="wrap")


def picked(x: Array, index: Any, out: Array) -> Array:
    """x[index] of slices and int arrays, written into `out` a piece at a time. The axes of the
    arrays stand where the first of them does."""
    items = index if type(index) is tuple else (index,)
    arrays, shape = _arrays(items)
    place = min(arrays)
    own, first = range(place, place + len(shape)), range(len(shape))
    results = np.moveaxis(out, own, first) if place else out
    is_moved = place and max(arrays) - place < len(arrays)  # those that are apart come in front
    some = [*items]
    for part in _parts(shape, out.size // max(1, prod(shape))):
        for axis, ints in arrays.items():
            some[axis] = ints[part]
        piece = x[tuple(some)]
        results[part] = np.moveaxis(piece, own, first) if is_moved else piece
    return out


def _arrays(items: Sequence[Any]) -> tuple[dict[int, Array], Shape]:
    """The ints of an index by their axes, as arrays of one shape; and that shape."""
    axes = [axis for axis, item in enumerate(items) if type(item) is not slice]
    arrays = np.broadcast_arrays(*[items[axis] for axis in axes])
    return dict(zip(axes, arrays, strict=True)), arrays[0].shape


def _parts(shape: Shape, width: int) -> Iterator[Any]:
    """Indices of parts of an array of the shape, cut along its longest axis, so short that
    temporaries of `width` elements for each of theirs cost nothing."""
    axis = max(range(len(shape)), key=shape.__getitem__)
    for part in pieces(shape[axis], prod(shape[:axis]) * prod(shape[axis + 1 :]) * width):
        yield (*[slice(None)] * axis, part)


def _bound(index: Array, axis: int, size: int) -> int:
    """The least int of an index; an IndexError where one is outside."""
    if not index.size:
        return 0
    least, greatest = int(index.min()), int(index.max())
    if least < -size or greatest >= size:
        wrong = greatest if greatest >= size else least
        raise IndexError(f"index {wrong} is out of bounds for axis {axis} with size {size}")
    return least


def outer(x: Array, y: Array, out: Array | None = None) -> Array:
    """x_i*y_j, written into `out` if that is given. As the product of a column with a row it is the
    BLAS's, which is two to three times as fast as NumPy's loops over rows."""
    if x.dtype.kind != "f" or not (out is None or out.flags.c_contiguous):
        return np.multiply(x[:, None], y, out=out)
    product: Array = np.dot(x.reshape(len(x), 1), y.reshape(1, len(y)), out=out)
    return product


def add_at(result: Array, index: Any, values: Array) -> None:
    """Adds values to an array at the index, in place; all of them where a place is repeated."""
    items = index if type(index) is tuple else (index,)
    sizes = [item.size for item in items if type(item) is np.ndarray and item.ndim]
    if not sizes:
        result[index] += values
    elif result.ndim == 1 or not result.flags.c_contiguous:
        np.add.at(result, index, values)
    elif max(result.size * max(sizes), np.size(values)) <= PIECE:  # so that it takes no memory
        places = np.arange(result.size).reshape(result.shape)[index]
        given = np.broadcast_to(values, places.shape)
        np.add.at(result.reshape(-1), places.reshape(-1), given.reshape(-1))
    else:
        _add_rows(result, (*items, *[slice(None)] * (result.ndim - len(items))), values)


def _add_rows(result: Array, items: Sequence[Any], values: Array) -> None:
    """Each element of the index's arrays says a row, of what its slices choose. Wide rows are added
    one by one. `np.add.at` is fast on one axis only: for others it is given the numbers of elements
    in the flattened array, a piece at a time."""
    arrays, shape = _arrays(items)
    slices = {axis: item for axis, item in enumerate(items) if axis not in arrays}
    least = [_bound(ints, axis, result.shape[axis]) for axis, ints in arrays.items()]
    inner = [len(range(*item.indices(result.shape[axis]))) for axis, item in slices.items()]
    place, last = min(arrays), max(arrays)
    place = 0 if last - place >= len(arrays) else place  # where NumPy has the axes of the arrays
    given = np.broadcast_to(values, (*inner[:place], *shape, *inner[place:]))
    given = np.moveaxis(given, range(place, place + len(shape)), range(len(shape)))
    if prod(inner) >= WIDE:
        rows = result[tuple([slices.get(axis, slice(None)) for axis in range(result.ndim)])]
        rows = np.moveaxis(rows, [*arrays], range(len(arrays)))
        every = zip(*[ints.flat for ints in arrays.values()], strict=True)
        for at, row in zip(every, np.ndindex(shape), strict=True):
            rows[at] += given[row]
        return
    steps = [stride // result.itemsize for stride in result.strides]
    numbers = np.zeros((), int)  # of the elements of row 0
    for axis, item in slices.items():
        numbers = np.add.outer(numbers, np.arange(*item.indices(result.shape[axis])) * steps[axis])
    flat = result.reshape(-1)
    for part in _parts(shape, prod(inner)):
        starts = np.zeros((), int)
        for (axis, ints), low in zip(arrays.items(), least, strict=True):
            own = ints[part] if low >= 0 else ints[part] % result.shape[axis]
            starts = starts + own * steps[axis]
        places = np.add.outer(starts, numbers)
        np.add.at(flat, places.reshape(-1), given[part].reshape(-1))


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
