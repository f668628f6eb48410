"""Results of a generated function on the way out: in full, of the right shape, shared with nothing.

A generated function may give a constant, the same array twice, an argument itself, or an array that
has fewer axes than the result because it depends on some arguments only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy import ndarray

from mgrad.runtime.arrays import DOUBLE, Shape


def are_own(results: Iterable[Any], others: Iterable[Any]) -> bool:
    """Whether results of arrays that are alike can go out as they are: real arrays, all distinct,
    and none of them a view or among the others."""
    taken = set(map(id, others))
    for array in results:
        if (
            type(array) is not ndarray
            or array.dtype is not DOUBLE
            or array.base is not None
            or id(array) in taken
        ):
            return False
        taken.add(id(array))
    return True


def own(results: Any, shape: Shape, dtype: np.dtype[Any], taken: list[Any]) -> Any:
    """A result in full, of the shape and, if it is real, the dtype; of a tuple, nested at will,
    each. An array is shared with none of those taken, and is added to them; with no axes it is a
    scalar."""
    if type(results) is tuple:
        return tuple([own(result, shape, dtype, taken) for result in results])
    if not shape and type(results) is dtype.type:
        return results
    array = np.asarray(results)
    kind = dtype if array.dtype.kind == "f" else array.dtype
    if not shape:
        return kind.type(array.reshape(())[()])
    is_own = array.base is None and array.shape == shape and array.dtype == kind
    if not is_own or id(array) in map(id, taken):
        full = np.empty(shape, kind)
        full[...] = array
        array = full
    taken.append(array)
    return array


def gradients(
    fields: Sequence[Any],
    owns: Sequence[Shape],
    shape: Shape,
    dtype: np.dtype[Any],
    taken: list[Any],
) -> tuple[Any, ...]:
    """Gradients of arguments of the shapes `owns`, broadcast to `shape`, from fields over that."""
    return tuple(
        [
            own(field if o == shape else reduced(field, o, shape, dtype), o, dtype, taken)
            for field, o in zip(fields, owns, strict=True)
        ]
    )


def reduced(field: Any, own: Shape, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """The sum of a field over the axes of `shape` along which an argument of shape `own` was
    broadcast; what has its shape, or broadcasts to it.

    The field may itself have only a part of the axes: along the others it is constant, and the sum
    is a product with their size.
    """
    array = np.asarray(field, dtype)
    if not own and array.shape == shape:
        return array.sum()
    rank = len(shape)
    present = (1,) * (rank - array.ndim) + array.shape
    wanted = (1,) * (rank - len(own)) + own
    axes: list[int] = []
    copies: list[int] = []
    for axis, (size, extent, end) in enumerate(zip(shape, present, wanted, strict=True)):
        if end == 1 and size != 1:
            if extent == size:
                axes.append(axis)
            else:
                copies.append(size)
    total = array.reshape(present)
    if axes:
        total = total.sum(axis=tuple(axes), keepdims=True, dtype=dtype)
    if copies:
        count = prod(copies)
        total = total * dtype.type(count) if count else np.zeros_like(total)
    return total.reshape(total.shape[rank - len(own) :])


def leaves(result: Any) -> Iterator[Any]:
    """What a tuple, nested at will, holds, in order."""
    if type(result) is tuple:
        for part in result:
            yield from leaves(part)
    else:
        yield result


def rebuilt(template: Any, parts: Iterator[Any]) -> Any:
    """A tuple nested as the template, of the parts in order: the inverse of `leaves`."""
    if type(template) is tuple:
        return tuple([rebuilt(part, parts) for part in template])
    return next(parts)
