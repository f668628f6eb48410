"""Linear algebra over the last two axes; the leading ones are a batch.

Where NumPy raises, these give nan: for the matrices concerned, not for the whole batch. A matrix
without axes' elements (0 by 0) has the empty inverse, solution and factor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from mgrad.runtime.arrays import Array
from mgrad.runtime.reductions import prod_others

FEW = 4  # matrices of a batch that are solved one by one rather than together


def inv(a: Array) -> Array:
    """The inverse. Of a singular matrix it is nan; of a number as a 1 by 1 matrix 1/x, inf at 0."""
    if a.shape[-1] == 1:
        return 1 / a
    return _each(np.linalg.inv, a)


def solve(a: Array, b: Array) -> Array:
    """x with A x = b. b is a vector if it has one axis less than A, else a matrix of columns. nan
    where A is singular; b/a for 1 by 1."""
    columns = b if b.ndim == a.ndim else b[..., None]
    x = columns / a if a.shape[-1] == 1 else _each(np.linalg.solve, a, columns)
    return x if b.ndim == a.ndim else x[..., 0]


def cholesky(a: Array) -> Array:
    """The lower triangular L with L L' = A and a positive diagonal, of the lower triangle of A;
    nan everywhere where A is not positive definite."""
    return _each(np.linalg.cholesky, a)


def _each(function: Callable[..., Array], *arrays: Array) -> Array:
    """function(*arrays), with nan for those of the batch where it raises. The result has the shape
    and the dtype of the last array."""
    try:
        return function(*arrays)
    except LinAlgError:
        pass
    result = np.full(arrays[-1].shape, np.nan, arrays[-1].dtype)
    for place in np.ndindex(result.shape[:-2]):
        try:
            result[place] = function(*[array[place] for array in arrays])
        except LinAlgError:
            continue
    return result


def solve_triangular(a: Array, b: Array, lower: bool = False, transposed: bool = False) -> Array:
    """x with T x = b, or T' x = b if `transposed`, where T is the lower or the upper triangle of a;
    the other is not read. b as in `solve`. A zero on the diagonal gives inf or nan.

    A few matrices go to BLAS one by one, a large batch by substitution, all at once.
    """
    columns = b if b.ndim == a.ndim else b[..., None]
    count = columns[..., :1, :1].size if columns.size else 0
    if not count:
        return np.zeros_like(b)
    if count <= FEW or a.shape[-1] > count:
        x = np.empty(columns.shape, columns.dtype)
        for place in np.ndindex(columns.shape[:-2]):
            x[place] = _blas_solve(a[place], columns[place], lower, transposed)
    else:
        x = _substituted(a, columns, lower, transposed)
    return x if b.ndim == a.ndim else x[..., 0]


def _blas_solve(a: Array, b: Array, lower: bool, transposed: bool) -> Array:
    """BLAS stores by columns, so that it is given T' of an array by rows, which is not copied."""
    trsm = _blas().strsm if b.dtype == np.float32 else _blas().dtrsm
    if a.flags.f_contiguous:
        return trsm(1.0, a, b, lower=lower, trans_a=transposed)
    return trsm(1.0, a.T, b, lower=not lower, trans_a=not transposed)


@cache
def _blas() -> Any:
    """SciPy is imported when it is first asked for."""
    import scipy.linalg.blas

    return scipy.linalg.blas


def _substituted(a: Array, b: Array, lower: bool, transposed: bool) -> Array:
    if transposed:
        a, lower = np.swapaxes(a, -1, -2), not lower
    n = a.shape[-1]
    x = np.empty(b.shape, b.dtype)
    for i in range(n) if lower else range(n - 1, -1, -1):
        known = slice(0, i) if lower else slice(i + 1, n)
        row = a[..., i : i + 1, known] @ x[..., known, :]
        x[..., i, :] = (b[..., i, :] - row[..., 0, :]) / a[..., i, i, None]
    return x


def cofactor(a: Array, *along: Array) -> Array:
    """The derivative of det(A) in A: det(A) inv(A)', but right for singular matrices too.

    With further arrays of the shape of A it is that function's derivative along them, one after the
    other. The form is symmetric: sum(g*cofactor(a, h)) has the gradient cofactor(a, g) in h, and
    cofactor(a, h, g) in a. nan where A is not finite.

    With A = U diag(s) V' (singular values) and p[i, …] the product of the s but those named, it is
    det(U) det(V) U W V', where W is diagonal with p[i]; along H, with M = U' H V, it has
    W[i, i] = sum_k p[i, k] M[k, k] and W[i, j] = -p[i, j] M[j, i]: det is linear in each row.
    k arrays more cost C(n, k + 1) minors of k + 1 rows. (M. Giles, Collected matrix derivative
    results, 2008, has the invertible case.)
    """
    finite = np.isfinite(a).all(axis=(-1, -2), keepdims=True)
    u, s, vt = np.linalg.svd(np.where(finite, a, 0))
    sign = (np.linalg.det(u) * np.linalg.det(vt))[..., None, None]
    turned = [np.swapaxes(u, -1, -2) @ h @ np.swapaxes(vt, -1, -2) for h in along]
    if not along:
        inner = prod_others(s, (s.ndim - 1,))[..., None] * vt
        result = u @ inner
    else:
        middle = _along_one(s, turned[0]) if len(along) == 1 else _along_several(s, turned)
        result = u @ middle @ vt
    return np.where(finite, np.sign(sign) * result, np.nan).astype(a.dtype, copy=False)


def _along_one(s: Array, m: Array) -> Array:
    """W above, of one direction."""
    n = s.shape[-1]
    here = np.arange(n)
    without = np.repeat(s[..., None, :], n, axis=-2)
    without[..., here, here] = 1
    pairs = prod_others(without, (without.ndim - 1,))  # at [i, j]: all but i and j
    pairs[..., here, here] = 0
    w = -pairs * np.swapaxes(m, -1, -2)
    diagonal = np.diagonal(m, axis1=-2, axis2=-1)
    w[..., here, here] = (pairs @ diagonal[..., None])[..., 0]
    return w


def _along_several(s: Array, ms: list[Array]) -> Array:
    """The same of any number: the sum over the sets of rows that do not come from diag(s). Such a
    row comes from one of the directions, and one of them is the row that is derived by."""
    n = s.shape[-1]
    w = np.zeros((*s.shape, n), s.dtype)
    for rows in combinations(range(n), len(ms) + 1):
        rest = np.prod(np.delete(s, rows, axis=-1), axis=-1)
        for columns, sign in _signed(rows):
            for owner in permutations(range(len(rows))):
                term = sign * rest
                for row, column, k in zip(rows, columns, owner, strict=True):
                    if k < len(ms):
                        term = term * ms[k][..., row, column]
                    else:
                        place = (row, column)
                w[(..., *place)] += term
    return w


def _signed(rows: tuple[int, ...]) -> list[tuple[tuple[int, ...], int]]:
    """The permutations of rows with their signs."""
    found = []
    for columns in permutations(rows):
        pairs = combinations(columns, 2)
        found.append((columns, -1 if sum(a > b for a, b in pairs) % 2 else 1))
    return found
