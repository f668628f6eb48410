"""What a generated module on tensors imports: the doors, and what NumPy lacks."""

from __future__ import annotations

from mgrad.runtime.gather import (
    add_at,
    added,
    gathered,
    on_diagonal,
    outer,
    padded,
    picked,
    replaced,
)
from mgrad.runtime.linalg import cholesky, cofactor, inv, solve, solve_triangular
from mgrad.runtime.reductions import logsumexp, prod_others, share, softmax
from mgrad.runtime.rows import blocks, height, planned_blocks
from mgrad.runtime.shaped import (
    arrays,
    arrays_backward,
    arrays_forward,
    arrays_hessian,
    arrays_jacobian,
    arrays_jvp,
    arrays_value_and_grad,
)
from mgrad.runtime.windows import overlap_add, windows
from mgrad.runtime.workspace import inside, planned

__all__ = [
    "add_at",
    "added",
    "arrays",
    "arrays_backward",
    "arrays_forward",
    "arrays_hessian",
    "arrays_jacobian",
    "arrays_jvp",
    "arrays_value_and_grad",
    "blocks",
    "cholesky",
    "cofactor",
    "gathered",
    "height",
    "inside",
    "inv",
    "logsumexp",
    "on_diagonal",
    "outer",
    "overlap_add",
    "padded",
    "picked",
    "planned",
    "planned_blocks",
    "prod_others",
    "replaced",
    "share",
    "softmax",
    "solve",
    "solve_triangular",
    "windows",
]
