"""Linear algebra of small matrices as nested lists. What does not exist is nan, never an exception;
of a number as a 1 by 1 matrix it is the quotient by IEEE 754."""

from __future__ import annotations

import math
from itertools import permutations

from mgrad.runtime.real import divide

Matrix = list[list[float]]


def det(a: Matrix) -> float:
    """The determinant, by elimination with the greatest pivots; 1 of a 0 by 0 matrix."""
    upper, _, sign = _eliminated(a, [[] for _ in a])
    return sign * math.prod([row[k] for k, row in enumerate(upper)])


def inv(a: Matrix) -> Matrix:
    """The inverse; nan where there is none."""
    n = len(a)
    found: Matrix = solve(a, [[float(i == j) for j in range(n)] for i in range(n)])  # type: ignore[assignment]
    return found


def solve(a: Matrix, b: list[float] | Matrix) -> list[float] | Matrix:
    """x with A x = b; b is a vector or a matrix of columns. nan where A is singular."""
    is_vector = not (b and isinstance(b[0], list))
    columns: Matrix = [[x] for x in b] if is_vector else b  # type: ignore[list-item,assignment]
    if len(a) == 1:
        found = [[divide(x, a[0][0]) for x in columns[0]]]
    else:
        upper, right, sign = _eliminated(a, columns)
        if sign == 0 or any(row[k] == 0 for k, row in enumerate(upper)):
            found = [[math.nan for _ in row] for row in columns]
        else:
            found = _substituted(upper, right, lower=False)
    return [row[0] for row in found] if is_vector else found


def _eliminated(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix, float]:
    """The upper triangle of Gauss's elimination with partial pivoting, the right sides with it, and
    the sign of the exchanges of rows, 0 at a column without a pivot."""
    a, b = [list(row) for row in a], [list(row) for row in b]
    n, sign = len(a), 1.0
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(a[i][k]))
        if pivot != k:
            a[k], a[pivot], b[k], b[pivot], sign = a[pivot], a[k], b[pivot], b[k], -sign
        if a[k][k] == 0:
            return a, b, 0.0
        for i in range(k + 1, n):
            factor = a[i][k] / a[k][k]
            a[i] = [x - factor * y if j > k else 0.0 for j, (x, y) in enumerate(_pairs(a[i], a[k]))]
            b[i] = [x - factor * y for x, y in _pairs(b[i], b[k])]
    return a, b, sign


def _pairs(x: list[float], y: list[float]) -> list[tuple[float, float]]:
    return list(zip(x, y, strict=True))


def solve_triangular(
    a: Matrix, b: list[float] | Matrix, lower: bool = False, transposed: bool = False
) -> list[float] | Matrix:
    """x with T x = b, or T' x = b if `transposed`, of one triangle of a; the other is not read."""
    is_vector = not (b and isinstance(b[0], list))
    columns: Matrix = [[x] for x in b] if is_vector else b  # type: ignore[list-item,assignment]
    if transposed:
        a, lower = [[row[j] for row in a] for j in range(len(a))], not lower
    found = _substituted(a, columns, lower)
    return [row[0] for row in found] if is_vector else found


def _substituted(a: Matrix, b: Matrix, lower: bool) -> Matrix:
    n = len(a)
    found: Matrix = [[] for _ in b]
    for i in range(n) if lower else range(n - 1, -1, -1):
        known = range(i) if lower else range(i + 1, n)
        found[i] = [
            divide(x - sum(a[i][k] * found[k][c] for k in known), a[i][i])
            for c, x in enumerate(b[i])
        ]
    return found


def cholesky(a: Matrix) -> Matrix:
    """The lower triangular L with L L' = A and a positive diagonal, of the lower triangle of A; nan
    everywhere where A is not positive definite."""
    n = len(a)
    low = [[0.0] * n for _ in range(n)]
    for j in range(n):
        square = a[j][j] - sum(x * x for x in low[j][:j])
        if not square > 0:
            return [[math.nan] * n for _ in range(n)]
        low[j][j] = math.sqrt(square)
        for i in range(j + 1, n):
            rest = sum(low[i][k] * low[j][k] for k in range(j))
            low[i][j] = (a[i][j] - rest) / low[j][j]
    return low


def cofactor(a: Matrix, *along: Matrix) -> Matrix:
    """The derivative of det(A) by each element of A, for every matrix, also singular; with further
    matrices the derivative of that along each of them.

    det is linear in each row: it is the sum, over distinct rows for i and for each direction, of
    the determinants with those rows replaced, row i by the j-th unit vector.
    """
    n = len(a)
    found = [[0.0] * n for _ in range(n)]
    for rows in permutations(range(n), len(along) + 1):
        replaced = list(a)
        for row, h in zip(rows[1:], along, strict=True):
            replaced[row] = h[row]
        i = rows[0]
        for j in range(n):
            minor = [row[:j] + row[j + 1 :] for k, row in enumerate(replaced) if k != i]
            found[i][j] += (-1.0) ** (i + j) * det(minor)
    return found
