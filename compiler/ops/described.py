"""The structural ops in words: what each gives, and what it adds to the gradient of its operand.

In the rules d is the gradient of the result, and d_x what the op adds to that of x.
"""

from __future__ import annotations

from typing import NamedTuple


class Described(NamedTuple):
    """An op as the page shows it: its operands, what it gives, its rule of reverse mode."""

    parameters: str
    gives: str
    rule: str


STRUCTURAL = {
    "sum": Described(
        "x", "The sum over some axes.", "d_x[i, j] = d[i], for each j that was summed"
    ),
    "broadcast": Described("x", "x repeated along new axes.", "d_x is the sum of d over them"),
    "contract": Described(
        "x, y, …",
        "The sum of products over the indices that the result lacks: `@`, `dot`, `outer`, `trace`,"
        " `diag`, `einsum`. Of two matrices it is a matrix product.",
        "d_x is a contraction as well: of d and the other operands, to the indices of x",
    ),
    "reshape": Described("x", "The elements in row-major order.", "d_x is d in the shape of x"),
    "transpose": Described("x", "The axes in another order.", "d_x is d with the order undone"),
    "take": Described(
        "x, indices…",
        "Parts of x: slices, places, and gathers by arrays of ints.",
        "d_x is 0 with each element of d added where it was taken from; what was taken twice gets"
        " both",
    ),
    "put": Described(
        "x, v, indices…",
        "x with v in some places, or added there.",
        "d_v is d at those places; d_x is d, with 0 there if they were set",
    ),
    "concat": Described("x, y, …", "Arrays one behind the other.", "each gets its part of d"),
    "flip": Described("x", "Axes from the end to the start.", "d_x is d flipped again"),
    "pad": Described("x", "x with zeros around it.", "d_x is d without them"),
    "windows": Described(
        "x",
        "Windows that slide over axes; the axes of the window come last.",
        "d_x[t] is the sum of d over every window that holds t (`overlap_add`)",
    ),
    "overlap_add": Described(
        "x", "Windows added where they were taken from.", "d_x is the `windows` of d"
    ),
    "cumsum": Described("x", "Running sums.", "d_x[i] is the sum of d from i on"),
    "prod_over": Described(
        "x",
        "The product over some axes; 1 over none.",
        "d_x[i] is d times the product of all the others, right where factors are 0",
    ),
    "prod_others": Described(
        "x", "For each element the product of all others.", "the products without two elements"
    ),
    "max_over": Described(
        "x",
        "The greatest over some axes.",
        "d goes to the greatest, in equal shares where several are",
    ),
    "min_over": Described(
        "x", "The least over some axes.", "d goes to the least, in equal shares where several are"
    ),
    "logsumexp": Described(
        "x",
        "log(sum(exp(x))) without overflow; -inf over none.",
        "d_x[i] = d*exp(x[i] - logsumexp(x)), the softmax",
    ),
    "det": Described(
        "A",
        "The determinant over the last two axes.",
        "d_A is d times the matrix of cofactors, right where A is singular",
    ),
    "cofactor": Described(
        "A",
        "The matrix of cofactors, by singular values.",
        "by the cofactors of minors, right where A is singular",
    ),
    "inv": Described("A", "The inverse over the last two axes.", "d_A = -inv(A)' @ d @ inv(A)'"),
    "solve": Described(
        "A, b",
        "x with A @ x = b; b is a vector or a matrix.",
        "d_b = solve(A', d) and d_A = -outer(d_b, x)",
    ),
    "solve_triangular": Described(
        "L, b",
        "x with L @ x = b, where one triangle of L is read.",
        "d_b = solve_triangular(L', d) and d_L = -outer(d_b, x) in that triangle",
    ),
    "cholesky": Described(
        "A",
        "The lower L with A = L @ L'. Only A's lower triangle is read.",
        "d_A = F(S + S') with S = inv(L)' @ F(L' @ d) @ inv(L), where F is the lower triangle with"
        " its diagonal halved: so d_A is lower triangular",
    ),
    "tril": Described("A", "A on and below a diagonal, else 0.", "d_A = tril(d)"),
    "any_over": Described("x", "Whether any is true.", "a bool has no gradient"),
    "all_over": Described("x", "Whether all are true.", "a bool has no gradient"),
    "argmax_over": Described("x", "The first place of the greatest.", "an int has no gradient"),
    "argmin_over": Described("x", "The first place of the least.", "an int has no gradient"),
    "arange": Described("", "Ints from a start, one after another.", "an int has no gradient"),
    "size": Described("", "The size of a dimension.", "an int has no gradient"),
}
