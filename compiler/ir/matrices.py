"""Linear algebra for the reference interpreter, over the last two axes of arrays.

Floats go to NumPy, exact numbers (arrays of objects) through elimination by hand. What does not
exist (the inverse of a singular matrix) is nan, never an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np


def det(a: Any) -> Any:
    a = np.asarray(a)
    if a.dtype != object:
        return np.linalg.det(a)[()]
    return _each(a, _exact_det)


def inv(a: Any) -> Any:
    a = np.asarray(a)
    identity = np.zeros_like(a)
    places = np.arange(a.shape[-1])
    identity[..., places, places] = 1
    return solve(a, identity)


def solve(a: Any, b: Any) -> Any:
    """x with a x = b; b has columns if it has as many axes as a."""
    a, b = np.asarray(a), np.asarray(b)
    columns = b if b.ndim == a.ndim else b[..., None]
    if object not in (a.dtype, b.dtype):
        found = _solve_floats(a, columns)
    else:
        found = np.empty(columns.shape, dtype=object)
        for place in np.ndindex(a.shape[:-2]):
            found[place] = _exact_solve(a[place], columns[place])
    return found if b.ndim == a.ndim else found[..., 0]


def _solve_floats(a: Any, b: Any) -> Any:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:  # one of the batch is singular; the others are not lost
        found = np.full(b.shape, np.nan)
        for place in np.ndindex(a.shape[:-2]):
            try:
                found[place] = np.linalg.solve(a[place], b[place])
            except np.linalg.LinAlgError:
                continue
        return found


def _each(a: Any, function: Any) -> Any:
    """A number for each matrix."""
    found = np.empty(a.shape[:-2], dtype=object)
    for place in np.ndindex(a.shape[:-2]):
        found[place] = function(a[place])
    return found[()]


def _pivoted(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Gauss's elimination with partial pivoting: the upper triangle, b with it, the sign."""
    a, b, sign = np.array(a), np.array(b), 1
    n = a.shape[0]
    for k in range(n):
        row = max(range(k, n), key=lambda i: abs(a[i, k]))
        if row != k:
            a[[k, row]], b[[k, row]], sign = a[[row, k]], b[[row, k]], -sign
        if a[k, k] == 0:
            return a, b, 0
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k:] = a[i, k:] - factor * a[k, k:]
            b[i] = b[i] - factor * b[k]
    return a, b, sign


def _exact_det(a: Any) -> Any:
    upper, _, sign = _pivoted(a, a[:, :0])
    product = sign
    for pivot in np.diagonal(upper):
        product = product * pivot
    return product


def _exact_solve(a: Any, b: Any) -> Any:
    upper, right, sign = _pivoted(a, b)
    if sign == 0:
        return np.full(b.shape, np.nan, dtype=object)
    return substituted(upper, right, lower=False)


def substituted(a: Any, b: Any, lower: bool) -> Any:
    """Forward or backward substitution in one triangle, a whole batch at once."""
    columns = b if b.ndim == a.ndim else b[..., None]
    x = np.array(columns, dtype=np.result_type(a, columns))
    n = a.shape[-1]
    for i in range(n) if lower else reversed(range(n)):
        done = slice(0, i) if lower else slice(i + 1, n)
        known = np.sum(a[..., i, done, None] * x[..., done, :], axis=-2)
        x[..., i, :] = (columns[..., i, :] - known) / a[..., i, i, None]
    return x if b.ndim == a.ndim else x[..., 0]


def cholesky(a: Any) -> Any:
    """Column by column; nan where a pivot is negative. Reads the lower triangle."""
    a = np.asarray(a)
    lower = np.zeros_like(a)
    for j in range(a.shape[-1]):
        row = lower[..., j, :j]
        pivot = a[..., j, j] - np.sum(row * row, axis=-1)
        lower[..., j, j] = pivot**0.5 if a.dtype != object else _root(pivot)
        rest = np.sum(lower[..., j + 1 :, :j] * row[..., None, :], axis=-1)
        lower[..., j + 1 :, j] = (a[..., j + 1 :, j] - rest) / lower[..., j, j, None]
    return lower


def _root(x: Any) -> Any:
    """The square roots of exact numbers, by their own context; nan of a negative one."""
    return np.frompyfunc(lambda v: v**0.5 if v >= 0 else np.nan, 1, 1)(x)


def cofactor(a: Any, directions: Sequence[Any]) -> Any:
    """The derivative of det by each element, along the directions.

    With A = U diag(s) V' and p the product of the singular values but some, it is
    det(U V) U diag(p_i) V'; along X, with Y = U' X V, it is det(U V) U W V' with
    W_jj = sum over i != j of p_ij Y_ii, and W_ji = -p_ij Y_ij. More directions, and exact numbers,
    go by the definition.
    """
    a = np.asarray(a)
    xs = [np.asarray(x) for x in directions]
    n = a.shape[-1]
    if a.dtype == object or len(xs) > 1 or any(x.dtype == object for x in xs):
        return _cofactor_by_rows(a, xs)
    u, s, vt = np.linalg.svd(a) if a.size else (a, a[..., 0:0, :].sum(-2), a)
    sign = np.round(np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    others = _all_but_one(s)
    if not xs:
        return sign * (u * others[..., None, :]) @ vt
    places = np.arange(n)
    without = np.broadcast_to(s[..., None, :], a.shape).copy()
    without[..., places, places] = 1.0
    pairs = _all_but_one(without)  # [i, j]: all but i and j
    pairs[..., places, places] = 0.0
    y = np.swapaxes(u, -1, -2) @ xs[0] @ np.swapaxes(vt, -1, -2)
    w = -np.swapaxes(pairs * y, -1, -2)
    w[..., places, places] = np.einsum("...ij,...ii->...j", pairs, y)
    return sign * u @ w @ vt


def _all_but_one(s: Any) -> Any:
    """At each place the product of all other numbers of the row."""
    ones = np.ones_like(s[..., :1])
    before = np.concatenate([ones, np.cumprod(s, axis=-1)], axis=-1)[..., :-1]
    after = np.concatenate([ones, np.cumprod(np.flip(s, -1), axis=-1)], axis=-1)[..., :-1]
    return before * np.flip(after, -1)


def _cofactor_by_rows(a: Any, xs: Sequence[Any]) -> Any:
    """det is linear in each row: the sum, over distinct rows for i and for each direction, of the
    determinants with those rows replaced, row i by the j-th unit vector."""
    n = a.shape[-1]
    found = np.zeros_like(a)
    for rows in permutations(range(n), len(xs) + 1):
        replaced = np.array(a)
        for row, x in zip(rows[1:], xs, strict=True):
            replaced[..., row, :] = x[..., row, :]
        for j in range(n):
            replaced[..., rows[0], :] = 0
            replaced[..., rows[0], j] = 1
            found[..., rows[0], j] = found[..., rows[0], j] + det(replaced)
    return found
