"""Windows on an array, and their adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mgrad.runtime.arrays import Array, Shape

Ints = Sequence[int]


def windows(x: Array, sizes: Ints, strides: Ints, axes: Ints) -> Array:
    """A view of x: axis `axes[k]`, of n elements, becomes (n - sizes[k])//strides[k] + 1 windows of
    sizes[k] elements that start strides[k] apart; the axes of the elements come last, in that
    order. What stands behind the last window is in none. A ValueError if n is so small that there
    is not even room for none."""
    shape = list(x.shape)
    for axis, size, stride in zip(axes, sizes, strides, strict=True):
        shape[axis] = (x.shape[axis] - size) // stride + 1
        if shape[axis] < 0:
            raise ValueError(f"windows of {size} do not fit into an axis of {x.shape[axis]}")
    if 0 in shape:
        return np.empty((*shape, *sizes), x.dtype)
    every = sliding_window_view(x, tuple(sizes), tuple(axes))
    starts = [slice(None)] * x.ndim
    for axis, stride in zip(axes, strides, strict=True):
        starts[axis] = slice(None, None, stride)
    return every[tuple(starts)]


def overlap_add(
    w: Array, shape: Shape, strides: Ints, axes: Ints, out: Array | None = None
) -> Array:
    """The adjoint of `windows` of an array of the shape: zeros, and each element of w added where
    it came from. What is in no window is 0. Written into `out` if that is given."""
    result = np.empty(shape, w.dtype) if out is None else out
    result.fill(0)
    places = [slice(None)] * result.ndim
    for at in product(*map(range, w.shape[result.ndim :])):
        for axis, offset, stride in zip(axes, at, strides, strict=True):
            places[axis] = slice(offset, offset + stride * w.shape[axis], stride)
        result[tuple(places)] += w[(..., *at)]
    return result
