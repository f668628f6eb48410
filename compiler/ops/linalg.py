"""Linear algebra over the last two axes; leading axes are a batch.

det(A), inv(A), solve(A, b)      b is a matrix, or a vector, which has one axis less than A
cholesky(A)                      the lower L of A = L L'; reads the lower triangle of A
solve_triangular(L, b)           reads one triangle of L
tril(A)                          A below its `diagonal`-th diagonal and on it, 0 above

`cholesky` reads the lower triangle only, and so its gradient is lower triangular. Formulas
of reverse mode: M. Giles, Collected matrix derivative results for forward and reverse mode
algorithmic differentiation (2008); of `cholesky`: I. Murray, Differentiation of the Cholesky
decomposition (2016).
"""

from __future__ import annotations

from collections.abc import Sequence

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.ops.structural import (
    RULES,
    TYPES,
    Attributes,
    Rule,
    broadcast,
    build,
    contract,
    each_moved,
    first,
    require,
    same,
    sum_axes,
    transpose,
)


def det(a: Node) -> Node:
    """The determinant; of a 0 by 0 matrix it is 1."""
    return build("det", (a,))


def cofactor(a: Node, *directions: Node) -> Node:
    """The derivative of det(A) by each element of A: det(A) times the transposed inverse, where A
    has one, but defined for every matrix.

    With directions X1, …, Xm it is the derivative of that along each of them. As det is linear in
    each row, this one family is closed under differentiation, as that of `prod_others`.
    """
    return build("cofactor", (a, *directions))


def inv(a: Node) -> Node:
    """The inverse; nan or inf where there is none."""
    return build("inv", (a,))


def solve(a: Node, b: Node) -> Node:
    """x with A x = b; b is a matrix of columns, or a vector if it has one axis less than A."""
    return build("solve", (a, b))


def solve_triangular(a: Node, b: Node, lower: bool = True, transposed: bool = False) -> Node:
    """x with T x = b, or T' x = b if `transposed`; T is the lower or upper triangle of A."""
    return build("solve_triangular", (a, b), lower=lower, transposed=transposed)


def cholesky(a: Node) -> Node:
    """The lower triangular L with a positive diagonal and L L' = A; nan where there is none."""
    return build("cholesky", (a,))


def tril(a: Node, diagonal: int = 0) -> Node:
    """a[i, j] where j <= i + diagonal, else 0."""
    return build("tril", (a,), diagonal=diagonal)


def swapped(a: Node) -> Node:
    """The transposed matrices."""
    n = len(a.array.shape)
    return transpose(a, (*range(n - 2), n - 1, n - 2))


def product(a: Node, b: Node) -> Node:
    """The matrix products over a common batch; b may be a vector."""
    rank = len(a.array.shape)
    lead = tuple(range(2, rank))
    columns = (rank,) if len(b.array.shape) == rank else ()
    return contract((a, b), [(*lead, 0, 1), (*lead, 1, *columns)], (*lead, 0, *columns))


def outer(u: Node, v: Node, columns: bool) -> Node:
    """u v' over a common batch, summed over the columns if they are matrices of columns."""
    rank = len(u.array.shape) + 1 - columns
    lead = tuple(range(2, rank))
    last = (rank,) if columns else ()
    return contract((u, v), [(*lead, 0, *last), (*lead, 1, *last)], (*lead, 0, 1))


def _has_columns(node: Node) -> bool:
    a, b = node.inputs
    return len(a.array.shape) == len(b.array.shape)


def _matrix_axes(node: Node) -> tuple[int, int]:
    n = len(node.array.shape)
    return n - 2, n - 1


def _det_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    (a,) = node.inputs
    return [broadcast(d, a.array.shape, _matrix_axes(a)) * cofactor(a)]


def _det_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    (a,) = node.inputs
    return sum_axes(cofactor(a) * first(tangents), _matrix_axes(a))


def _cofactor_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    a, *directions = node.inputs
    terms: list[Node | None] = [cofactor(a, *directions, d) if wanted[0] else None]
    for k in range(len(directions)):
        rest = [x for i, x in enumerate(directions) if i != k]
        terms.append(cofactor(a, *rest, d) if wanted[k + 1] else None)
    return terms


def _cofactor_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    a, *directions = node.inputs
    return each_moved(directions, tangents, lambda *moved: cofactor(a, *moved))


def _inv_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    back = swapped(node)
    return [-product(back, product(d, back))]


def _inv_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    return -product(node, product(first(tangents), node))


def _solve_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    by_b = solve(swapped(node.inputs[0]), d)
    by_a = -outer(by_b, node, _has_columns(node)) if wanted[0] else None
    return [by_a, by_b if wanted[1] else None]


def _solve_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    by_a, by_b = tangents
    moved = by_b
    if by_a is not None:
        pull = product(by_a, node)
        moved = -pull if moved is None else moved - pull
    assert moved is not None
    return solve(node.inputs[0], moved)


def _flags(node: Node) -> tuple[bool, bool]:
    return bool(node.attribute("lower")), bool(node.attribute("transposed"))


def _triangle(a: Node, lower: bool) -> Node:
    return tril(a) if lower else swapped(tril(swapped(a)))


def _solve_triangular_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    lower, transposed = _flags(node)
    by_b = solve_triangular(node.inputs[0], d, lower, not transposed)
    by_a: Node | None = None
    if wanted[0]:
        pair = (node, by_b) if transposed else (by_b, node)
        by_a = -_triangle(outer(*pair, _has_columns(node)), lower)
    return [by_a, by_b if wanted[1] else None]


def _solve_triangular_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    lower, transposed = _flags(node)
    by_a, by_b = tangents
    moved = by_b
    if by_a is not None:
        triangle = _triangle(by_a, lower)
        pull = product(swapped(triangle) if transposed else triangle, node)
        moved = -pull if moved is None else moved - pull
    assert moved is not None
    return solve_triangular(node.inputs[0], moved, lower, transposed)


def _half(x: Node) -> Node:
    """The lower triangle with half the diagonal."""
    return (tril(x) + tril(x, -1)) / 2


def _cholesky_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    """S = L'^-1 half(L' d) L^-1; what stands above the diagonal counts for what is below it."""
    left = solve_triangular(node, _half(product(swapped(node), d)), transposed=True)
    whole = solve_triangular(node, swapped(left), transposed=True)
    return [tril(whole) + tril(swapped(whole), -1)]


def _cholesky_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    """L half(L^-1 S L'^-1), where S is the tangent with its lower triangle on both sides."""
    moved = first(tangents)
    left = solve_triangular(node, tril(moved) + swapped(tril(moved, -1)))
    return product(node, _half(solve_triangular(node, swapped(left))))


def _tril_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    return [same(node, [d])]


RULES.update(
    {
        "det": Rule(_det_vjp, _det_jvp, False),
        "cofactor": Rule(_cofactor_vjp, _cofactor_jvp, False),
        "inv": Rule(_inv_vjp, _inv_jvp, False),
        "solve": Rule(_solve_vjp, _solve_jvp, False),
        "solve_triangular": Rule(_solve_triangular_vjp, _solve_triangular_jvp, False),
        "cholesky": Rule(_cholesky_vjp, _cholesky_jvp, False),
        "tril": Rule(_tril_vjp, same, True),
    }
)


def _square(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    """All operands are square matrices of one type, which the result has."""
    a = types[0]
    require(a.dtype == "real" and len(a.shape) >= 2, f"{a} is no matrix")
    require(a.shape[-1] == a.shape[-2], f"{a} is not square")
    require(all(t == a for t in types), f"{[str(t) for t in types]}")
    return a


def _det_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    return Type("real", _square(types, attributes, claimed).shape[:-2])


def _solve_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    a, b = types
    _square([a], attributes, claimed)
    rank = len(a.shape)
    fits = b.dtype == "real" and len(b.shape) in (rank - 1, rank)
    require(fits and b.shape[: rank - 1] == a.shape[:-1], f"{a} and {b}")
    return b


def _tril_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    require(len(types[0].shape) >= 2, f"{types[0]} is no matrix")
    return types[0]


TYPES.update(
    {
        "det": _det_type,
        "cofactor": _square,
        "inv": _square,
        "cholesky": _square,
        "solve": _solve_type,
        "solve_triangular": _solve_type,
        "tril": _tril_type,
    }
)
