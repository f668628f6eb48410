"""Reductions that NumPy lacks, and what their derivatives need.

`axes` is a tuple of axes, all counted from 0; a result of a reduction lacks them. Nothing here
warns under the doors, which silence NumPy.
"""

from __future__ import annotations

from math import isfinite, log, nan, prod

import numpy as np

from mgrad.runtime.arrays import Array
from mgrad.runtime.rows import FRESH, blocks

Axes = tuple[int, ...]


HIGHEST = {8: 600, 4: 40}  # by the bytes of a number
TINY = 1e-30  # far from what has lost digits, also as a float32


def softmax(x: Array, axes: Axes, out: Array | None = None) -> Array:
    """exp(x)/sum(exp(x)) over the axes, that is the gradient of `logsumexp(x, axes)`; written into
    `out` if that is given."""
    if len(axes) == x.ndim and x.size and x.flags.c_contiguous:
        return _whole_softmax(x, out)
    greatest = np.maximum.reduce(x, axis=axes, keepdims=True, initial=-np.inf)
    if not np.isfinite(greatest).all():
        greatest = np.where(np.isfinite(greatest), greatest, x.dtype.type(0))
    result: Array = np.subtract(x, greatest, out)
    np.exp(result, out=result)
    result *= 1 / np.add.reduce(result, axis=axes, keepdims=True)  # thrice as fast as to divide
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


def logsumexp(x: Array, axes: Axes, soft: Array | None = None) -> Array:
    """log(sum(exp(x))) over the axes; -inf of nothing, and where all is -inf. With the softmax of x
    no exponential is needed.

    The greatest element m of each sum is taken out: m + log(sum(exp(x - m))). Where the result is
    close to 0 the logarithm of a sum close to 1 would lose its digits, so that there the elements
    other than m are summed alone: m + log(k) + log1p(rest/k) with m occurring k times.
    """
    if soft is not None:
        return _of_softmax(x, axes, soft)
    if len(axes) == x.ndim and x.size:
        return _of_all(x)
    greatest = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(greatest), greatest, x.dtype.type(0))
    total = sum_of_exp(x, shift, axes)
    result = np.asarray(np.log(total) + shift.reshape(total.shape))
    _mend(result, (np.abs(result) < 0.5) & (total < 1.5), x, axes)
    return result if result.ndim else result[()]


def _of_softmax(x: Array, axes: Axes, soft: Array) -> Array:
    """x_i - log(softmax(x)_i) is the result for every i; that of the greatest loses no digits."""
    if len(axes) == x.ndim and x.size:
        return _of_whole_softmax(x, axes, soft)
    greatest = np.maximum.reduce(x, axis=axes, initial=-np.inf)
    if not np.isfinite(greatest).all():
        return logsumexp(x, axes)
    shares = np.maximum.reduce(soft, axis=axes)
    results: Array = greatest - np.log(shares)
    _mend(results, (np.abs(results) < 0.5) & (shares > 0.6), x, axes)
    return results


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


def _mend(results: Array, is_near: Array, x: Array, axes: Axes) -> None:
    """Results that are near 0, again."""
    if is_near.any():
        last = [axis for axis in range(x.ndim) if axis not in axes] + list(axes)
        rows = np.transpose(x, last)[is_near]
        results[is_near] = _near_zero(rows.reshape(len(rows), -1))


def _of_all(x: Array) -> Array:
    """A single sum; its parts are summed, so that no array of the size of x is made."""
    greatest = x.max()
    if not isfinite(greatest):
        return greatest  # inf or nan, and -inf where all is
    if x.size <= 2 * FRESH or not x.flags.c_contiguous:
        total = np.exp(x - greatest).sum()
    else:
        flat = x.reshape(-1)
        sums = [np.exp(flat[part] - greatest).sum() for part in blocks(flat.size, 1)]
        total = np.array(sums, x.dtype).sum()
    result = greatest + np.log(total)
    if abs(result) < 0.5 and total < 1.5:
        result = _near_zero(x.reshape(1, -1))[0]
    return result


def _near_zero(rows: Array) -> Array:
    """Of each row, with the greatest elements apart from the others."""
    greatest = np.max(rows, axis=1, keepdims=True)
    is_greatest = rows == greatest
    ties = np.sum(is_greatest, axis=1, dtype=rows.dtype)
    others = np.where(is_greatest, rows.dtype.type(-np.inf), rows - greatest)
    return greatest[:, 0] + (np.log(ties) + np.log1p(np.sum(np.exp(others), axis=1) / ties))


def sum_of_exp(x: Array, shift: Array, axes: Axes) -> Array:
    """sum(exp(x - shift)) over the axes, where `shift` keeps them with size 1. Over the last axes
    it goes in blocks, and no array of the size of x is made."""
    kept = x.ndim - len(axes)
    if tuple(axes) != tuple(range(kept, x.ndim)) or not x.flags.c_contiguous:
        return np.sum(np.exp(x - shift), axis=axes)
    shape = x.shape[:kept]
    rows = prod(shape)
    width = prod(x.shape[kept:])
    table, column = x.reshape(rows, width), shift.reshape(rows, 1)
    totals = np.empty(rows, x.dtype)
    for part in blocks(rows, width):
        totals[part] = np.sum(np.exp(table[part] - column[part]), axis=1)
    return totals.reshape(shape)


def share(x: Array, extreme: Array, axes: Axes) -> Array:
    """The derivative of the greatest or least elements `extreme` over the axes: 1 at an element
    that is alone in being so, 1/k at each of k that tie, 0 elsewhere; nan where the extreme is."""
    is_extreme = x == np.expand_dims(extreme, axes)
    count = np.sum(is_extreme, axis=axes, keepdims=True, dtype=x.dtype)
    return is_extreme / count


def prod_others(x: Array, axes: Axes, *along: Array) -> Array:
    """For each element the product of all others over the axes, that is the derivative of their
    product, right where elements are 0. The result has the shape of x.

    With further arrays of the shape of x it is that function's derivative along them, one after the
    other: prod_others(x, axes, t)[i] = sum_j t[j]*prod(x[m] for m not i, j). The form is symmetric:
    sum(g*prod_others(x, axes, t)) has the gradient prod_others(x, axes, g) in t, and
    prod_others(x, axes, t, g) in x.

    Each element is carried as the polynomial x + e_1*t_1 + e_2*t_2 + … with e_k^2 = 0, and the
    products of those before and of those after it are scans of log2(n) steps.
    """
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


def _products_before(factors: Array) -> Array:
    """Along the last axis, the product of the elements before each; 1 at the first."""
    result = np.zeros_like(factors)
    result[0, ..., :1] = 1
    result[..., 1:] = factors[..., :-1]
    if len(factors) == 1:
        return np.multiply.accumulate(result, axis=-1)
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
