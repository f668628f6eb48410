"""Reductions that NumPy lacks, and what their derivatives need.

`axes` is a tuple of axes, all counted from 0; a result of a reduction lacks them. Nothing here
warns under the doors, which silence NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, log, nan, prod
from typing import Any

import numpy as np

from mgrad.runtime.arrays import Array
from mgrad.runtime.rows import FRESH, PIECE, blocks, pieces

Axes = tuple[int, ...]


HIGHEST = {8: 600, 4: 40}  # by the bytes of a number
NEAR = 0.52  # a logarithm of a sum so close to 1 has lost digits where the result is close to 0
TINY = 1e-30  # far from what has lost digits, also as a float32


def softmax(x: Array, axes: Axes, totals: Array | None = None, out: Array | None = None) -> Array:
    """exp(x)/sum(exp(x)) over the axes, that is the gradient of `logsumexp(x, axes)`; written into
    `out` if that is given. `totals` is memory for a number of each sum; its axes have size 1."""
    if len(axes) == x.ndim and x.size and x.flags.c_contiguous:
        return _whole_softmax(x, out)
    greatest = np.maximum.reduce(x, axis=axes, keepdims=True, initial=-np.inf, out=totals)
    if not _are_finite(greatest):
        for _, part in _pieces(greatest):
            np.copyto(part, 0, where=~np.isfinite(part))
    result: Array = np.subtract(x, greatest, out)
    np.exp(result, out=result)
    sums = np.add.reduce(result, axis=axes, keepdims=True, out=totals)
    result *= np.divide(1, sums, out=sums)  # thrice as fast as to divide
    return result


def _whole_softmax(x: Array, out: Array | None) -> Array:
    greatest = x.max()
    if 0 <= greatest <= HIGHEST[x.itemsize]:  # no sum of exponentials overflows
        result: Array = np.exp(x, out)
    else:
        result = np.subtract(x, greatest if isfinite(greatest) else x.dtype.type(0), out)
        np.exp(result, result)
    total = result.sum()
    result *= 1 / float(total) if total else nan  # faster with Python's number than with NumPy's
    return result


def logsumexp(
    x: Array,
    axes: Axes,
    soft: Array | None = None,
    block: Array | None = None,
    totals: Array | None = None,
    out: Array | None = None,
) -> Array:
    """log(sum(exp(x))) over the axes; -inf of nothing, and where all is -inf. With the softmax of x
    no exponential is needed. Written into `out` if that is given; there may be memory for some rows
    of x, `block`, and for a number of each sum, `totals`.

    The greatest element m of each sum is taken out: m + log(sum(exp(x - m))); of the softmax that
    is m - log(softmax(m)), which loses no digits. Where the result is close to 0 the logarithm of a
    sum close to 1 would lose them, so that there the elements other than m are summed alone:
    m + log(k) + log1p(rest/k) with m occurring k times.
    """
    if len(axes) == x.ndim and x.size:
        return _of_all(x, block) if soft is None else _of_whole_softmax(x, axes, soft)
    result = np.asarray(np.maximum.reduce(x, axis=axes, initial=-np.inf, out=out))
    if not x.size:
        return result if result.ndim else result[()]
    if soft is None:
        logs = _sums_of_exp(x, result, axes, block, totals)
        np.log(logs, out=logs)
    else:
        logs = np.maximum.reduce(soft, axis=axes, out=totals)
        np.negative(np.log(logs, out=logs), out=logs)
    _add(result, logs, x, axes)
    return result


def _add(results: Array, logs: Array, x: Array, axes: Axes) -> None:
    """To the greatest elements the logarithms of their sums; where the greatest is not finite it is
    the result. Those that are near 0 are computed again."""
    are_finite = _are_finite(results)
    for place, part, logarithm in _pieces(results, logs):
        np.add(part, logarithm, out=part, where=are_finite or np.isfinite(part))
        sizes = np.abs(part)
        if not sizes.min() >= 0.5:  # most often that is all; nan are no numbers near 0 either
            is_near = (sizes < 0.5) & (np.abs(logarithm) < NEAR)
            if is_near.any():
                part[is_near] = _rows_near_zero(x, axes, place(np.nonzero(is_near)))


def _are_finite(values: Array) -> bool:
    """Whether all are; it may say no where their sum is not."""
    return isfinite(np.add.reduce(values, axis=None))


def _pieces(*arrays: Array) -> Iterator[Any]:
    """Short parts of arrays of one shape, after a function that tells from places in a part those
    in the arrays."""
    shape = arrays[0].shape
    is_flat = len(shape) > 1 and all(a.flags.c_contiguous for a in arrays)
    if is_flat:
        arrays = tuple([a.reshape(-1) for a in arrays])
    for rows in pieces(len(arrays[0]), 1 if is_flat else prod(shape[1:])):

        def place(at: tuple[Array, ...], start: int = rows.start) -> tuple[Array, ...]:
            first = at[0] + start
            return np.unravel_index(first, shape) if is_flat else (first, *at[1:])

        yield place, *(a[rows] for a in arrays)


def _of_whole_softmax(x: Array, axes: Axes, soft: Array) -> Array:
    """The first element will do where it leaves a few rounding errors, else the greatest."""
    first, share = x.item(0), soft.item(0)
    if TINY < share <= 1:
        result = first - log(share)
        if 1 + abs(first) - log(share) < 4 * abs(result):
            return x.dtype.type(result)
    place = soft.argmax()
    share = soft.item(place)
    if not isfinite(share):
        return logsumexp(x, axes)
    result = x.dtype.type(x.item(place) - log(share))
    is_near = share > 0.6 and -0.5 < result < 0.5
    return _near_zero(x.reshape(1, -1))[0] if is_near else result


def _of_all(x: Array, block: Array | None) -> Array:
    """A single sum; its parts are summed, so that no array of the size of x is made."""
    greatest = x.max()
    if not isfinite(greatest):
        return greatest  # inf or nan, and -inf where all is
    if block is None and x.size <= 2 * FRESH:
        total = np.exp(x - greatest).sum()
    else:
        if x.flags.c_contiguous:
            x, block = x.reshape(-1), None if block is None else block.reshape(-1)
        sums = [np.add.reduce(part, axis=None) for _, part in _exps(x, greatest, block)]
        total = np.array(sums, x.dtype).sum()
    result = greatest + np.log(total)
    if abs(result) < 0.5 and total < 1.5:
        result = _near_zero(x.reshape(1, -1))[0]
    return result


def _rows_near_zero(x: Array, axes: Axes, places: tuple[Array, ...]) -> Array:
    """The sums at some places of the result, again."""
    rows = np.transpose(x, [axis for axis in range(x.ndim) if axis not in axes] + list(axes))
    width = prod([x.shape[axis] for axis in axes])
    results = np.empty(len(places[0]), x.dtype)
    for part in pieces(len(results), width):
        if width > PIECE:  # a view
            row = rows[tuple([int(at[part.start]) for at in places])]
            results[part] = _near_zero(row.reshape(1, -1))
        else:
            results[part] = _near_zero(rows[tuple([at[part] for at in places])].reshape(-1, width))
    return results


def _near_zero(rows: Array) -> Array:
    """Of each row, with the greatest elements apart from the others."""
    greatest = np.max(rows, axis=1)
    ties, rest = np.zeros_like(greatest), np.zeros_like(greatest)
    for part in pieces(rows.shape[1], len(rows)):
        others = rows[:, part] - greatest[:, None]
        is_greatest = others == 0
        ties += np.sum(is_greatest, axis=1)
        others[is_greatest] = -np.inf
        rest += np.sum(np.exp(others), axis=1)
    return greatest + (np.log(ties) + np.log1p(rest / ties))


def _sums_of_exp(
    x: Array, shift: Array, axes: Axes, block: Array | None, totals: Array | None
) -> Array:
    """sum(exp(x - shift)) over some of the axes."""
    if totals is None:
        totals = np.empty(shift.shape, x.dtype)
    totals.fill(0)
    if 0 not in axes:
        for rows, part in _exps(x, np.expand_dims(shift, axes), block):
            np.add.reduce(part, axis=axes, out=totals[rows])
        return totals
    first = tuple([0 if axis in axes else slice(None) for axis in range(x.ndim)])
    for _, part in _exps(x, np.expand_dims(shift, axes), block):
        part[first] += totals
        np.add.reduce(part, axis=axes, out=totals)
    return totals


def _exps(x: Array, shift: Array, block: Array | None) -> Iterator[tuple[slice, Array]]:
    """exp(x - shift), as many rows at a time as `block` has, in its memory."""
    if block is None:
        first = next(blocks(len(x), prod(x.shape[1:])))
        block = np.empty((first.stop, *x.shape[1:]), x.dtype)
    is_one = not shift.ndim or len(shift) == 1
    for start in range(0, len(x), len(block)):
        rows = slice(start, min(start + len(block), len(x)))
        part = block[: rows.stop - start]
        np.subtract(x[rows], shift if is_one else shift[rows], out=part)
        yield rows, np.exp(part, out=part)


def share(x: Array, extreme: Array, axes: Axes) -> Array:
    """The derivative of the greatest or least elements `extreme` over the axes: 1 at an element
    that is alone in being so, 1/k at each of k that tie, 0 elsewhere; nan where the extreme is."""
    is_extreme = x == np.expand_dims(extreme, axes)
    count = np.sum(is_extreme, axis=axes, keepdims=True, dtype=x.dtype)
    return is_extreme / count


def prod_others(
    x: Array, axes: Axes, *along: Array, scratch: Array | None = None, out: Array | None = None
) -> Array:
    """For each element the product of all others over the axes, that is the derivative of their
    product, right where elements are 0. The result has the shape of x.

    With further arrays of the shape of x it is that function's derivative along them, one after the
    other: prod_others(x, axes, t)[i] = sum_j t[j]*prod(x[m] for m not i, j). The form is symmetric:
    sum(g*prod_others(x, axes, t)) has the gradient prod_others(x, axes, g) in t, and
    prod_others(x, axes, t, g) in x.

    Each element is carried as the polynomial x + e_1*t_1 + e_2*t_2 + … with e_k^2 = 0, and the
    products of those before and of those after it are scans of log2(n) steps. Without further
    arrays the result is written into `out` if that is given; `scratch` is memory of the same shape.
    """
    if not along:
        out = np.empty(x.shape, x.dtype) if out is None else out
        _others(x, axes, np.empty(x.shape, x.dtype) if scratch is None else scratch, out)
        return out
    order = [axis for axis in range(x.ndim) if axis not in axes] + list(axes)
    moved = [np.transpose(part, order) for part in (x, *along)]
    rest = moved[0].shape[: x.ndim - len(axes)]
    count = prod([x.shape[axis] for axis in axes])
    factors = np.zeros((2 ** len(along), *rest, count), x.dtype)
    factors[0] = moved[0].reshape((*rest, count))
    for k, direction in enumerate(moved[1:]):
        factors[1 << k] = direction.reshape((*rest, count))
    before = _products_before(factors)
    after = _products_before(factors[..., ::-1])[..., ::-1]
    result = _product(before, after)[-1].reshape(moved[0].shape)
    return np.ascontiguousarray(np.transpose(result, np.argsort(order)))


def _others(x: Array, axes: Axes, after: Array, out: Array) -> None:
    """Into `out`, for each element, the product of those before it and, made in `after`, of those
    after it."""
    if len(axes) > 1 and axes != tuple(range(axes[0], axes[0] + len(axes))):
        last = [axis for axis in range(x.ndim) if axis not in axes] + list(axes)
        every = tuple(range(x.ndim - len(axes), x.ndim))
        moved = np.ascontiguousarray(np.transpose(x, last))
        result = prod_others(moved, every)
        np.copyto(out, np.transpose(result, np.argsort(last)))
        return
    rows, behind = prod(x.shape[: axes[0]]), prod(x.shape[axes[-1] + 1 :])
    shape = (rows, prod(x.shape[axes[0] : axes[-1] + 1]), behind)
    x, before, after = x.reshape(shape), out.reshape(shape), after.reshape(shape)
    before[:, :1] = 1
    np.multiply.accumulate(x[:, :-1], axis=1, out=before[:, 1:])
    after[:, -1:] = 1
    np.multiply.accumulate(x[:, :0:-1], axis=1, out=after[:, :-1][:, ::-1])
    before *= after


def _products_before(factors: Array) -> Array:
    """Along the last axis, the product of the elements before each; 1 at the first."""
    result = np.zeros_like(factors)
    result[0, ..., :1] = 1
    result[..., 1:] = factors[..., :-1]
    step = 1
    while step < result.shape[-1]:
        result[..., step:] = _product(result[..., :-step], result[..., step:])
        step *= 2
    return result


def _product(a: Array, b: Array) -> Array:
    """Of polynomials in e_1, e_2, … with e_k^2 = 0. The first axis is that of coefficients, each at
    the number whose binary digits say which e belong to it."""
    result = np.zeros_like(a)
    for whole in range(len(a)):
        part = whole
        while True:  # all subsets of `whole`, the empty one last
            result[whole] += a[part] * b[whole ^ part]
            if not part:
                break
            part = (part - 1) & whole
    return result
