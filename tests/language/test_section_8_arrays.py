"""LANGUAGE, section 8: the built-in functions of arrays, and assigned parts of arrays."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.special as sp

Case = tuple[str, Callable[..., Any], list[tuple[Any, ...]]]
random = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return random.normal(size=shape)


def spd(n: int) -> Any:
    """A symmetric positive definite matrix."""
    a = normal(n, n)
    return a @ a.T + n * np.eye(n)


def lse(x: Any, axis: int | None = None) -> Any:
    return sp.logsumexp(x, axis=axis)


CASES: list[Case] = [
    (
        """
fn f(x: [N]) = sum(x)*arange(1, N, 2), x*arange(2*N - 1, -1, -2), arange(0, 10, 3)
""",
        lambda x: (
            x.sum() * np.arange(1, len(x), 2),
            x * np.arange(2 * len(x) - 1, -1, -2),
            np.arange(0, 10, 3),
        ),
        [(normal(4),), (normal(5),), (normal(1),)],
    ),
    (
        """
fn f(x: [N, M]) = x*argmax(x, axis=1, keepdims=true) + argmin(x, keepdims=true)
""",
        lambda x: x * np.argmax(x, axis=1, keepdims=True) + np.argmin(x, keepdims=True),
        [(normal(3, 4),), (normal(1, 1),)],
    ),
    (
        """
fn f(x: [A, B, C]) = transpose(x, [1, 2, 0])^2, reshape(x, [A*B, C]), x |> reshape([C, A*B])
""",
        lambda x: (
            x.transpose(1, 2, 0) ** 2,
            x.reshape(-1, x.shape[2]),
            x.reshape(x.shape[2], -1),
        ),
        [(normal(2, 3, 4),), (normal(1, 1, 1),)],
    ),
    (
        """
fn f(x: [N]) = tile(x, [2, 1, 3]), outer(x, x)*ones([N, N]) + zeros([N, N])
""",
        lambda x: (np.tile(x, [2, 1, 3]), np.outer(x, x)),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = prod(x)
""",
        lambda x: np.prod(x),
        [(np.array([1.0, 0, 2]),), (np.array([0.0, 0, 2]),), (np.array([0.0]),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = sum(max(x, 0.5))+0*sum(x)
""",
        lambda x: np.sum(np.maximum(x, 0.5)),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N], y: [N]) = max(x, y)
""",
        lambda x, y: np.maximum(x, y),
        [(normal(3), normal(3))],
    ),
    (
        """
fn f(x: [N]) = norm(x)
""",
        lambda x: np.linalg.norm(x),
        [(normal(3),), (normal(1),)],
    ),
    (
        """
fn f(x: [N, M]) = norm(x, axis=1)
""",
        lambda x: np.linalg.norm(x, axis=1),
        [(normal(3, 2),), (normal(0, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = norm(x)
""",
        lambda x: np.linalg.norm(x),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N]) = logsumexp(x)
""",
        lambda x: lse(x),
        [(normal(3),), (normal(3) + 800,), (normal(1),)],
    ),
    (
        """
fn f(x: [N, M]) = x - logsumexp(x, axis=1, keepdims=true)
""",
        lambda x: x - lse(x, 1)[:, None],
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = softmax(x, axis=0)
""",
        lambda x: sp.softmax(x, axis=0),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = argmax(x)
""",
        lambda x: np.argmax(x),
        [(normal(3, 2),), (np.array([[1.0, 1], [1, 1]]),)],
    ),
    (
        """
fn f(x: [N, M]) = argmin(x, axis=1)
""",
        lambda x: np.argmin(x, axis=1),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = any(x > 0, axis=0)
""",
        lambda x: np.any(x > 0, axis=0),
        [(normal(3, 2),), (normal(0, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = all(x > 0)
""",
        lambda x: np.all(x > 0),
        [(normal(3, 2),), (normal(0, 2),)],
    ),
    (
        """
fn f(x: [N]) = cumsum(x)
""",
        lambda x: np.cumsum(x),
        [(normal(3),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N, M]) = cumsum(x, axis=1)
""",
        lambda x: np.cumsum(x, axis=1),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = cumsum(x)
""",
        lambda x: np.cumsum(x),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(b: bool[N]) = cumsum(b)
""",
        lambda x: np.cumsum(x),
        [(np.array([True, False, True]),)],
    ),
    (
        """
fn f(x: [N, 2]) = reshape(x, 2*N)
""",
        lambda x: x.reshape(-1),
        [(normal(3, 2),), (normal(0, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = reshape(x, -1)
""",
        lambda x: x.reshape(-1),
        [(normal(3, 2),), (normal(0, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = reshape(x, M, -1)
""",
        lambda x: x.reshape(x.shape[1], -1),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [6]) = reshape(x, 2, 3)
""",
        lambda x: x.reshape(2, 3),
        [(normal(6),)],
    ),
    (
        """
fn f(x) = reshape(x, 1, 1)
""",
        lambda x: np.reshape(x, (1, 1)),
        [(1.5,)],
    ),
    (
        """
fn f(x: [N, M, K]) = transpose(x)
""",
        lambda x: x.transpose(),
        [(normal(2, 3, 4),)],
    ),
    (
        """
fn f(x: [N, M, K]) = transpose(x, 1, 0, 2)
""",
        lambda x: x.transpose(1, 0, 2),
        [(normal(2, 3, 4),)],
    ),
    (
        """
fn f(x: [N, 1, M, 1]) = squeeze(x)
""",
        lambda x: x[:, 0, :, 0],
        [(normal(2, 1, 3, 1),)],
    ),
    (
        """
fn f(x: [N, 1, 1]) = squeeze(x, axis=1)
""",
        lambda x: x[:, 0, :],
        [(normal(2, 1, 1),)],
    ),
    (
        """
fn f(x: [N, M]) = expand(x, 1)
""",
        lambda x: x[:, None],
        [(normal(2, 3),)],
    ),
    (
        """
fn f(x: [N, M]) = expand(x, -1)
""",
        lambda x: x[..., None],
        [(normal(2, 3),)],
    ),
    (
        """
fn f(x: [N], y: [M]) = expand(x, 1)*y
""",
        lambda x, y: np.outer(x, y),
        [(normal(2), normal(3))],
    ),
    (
        """
fn f(x: [N], y: [N]) = stack(x, y)
""",
        lambda x, y: np.stack([x, y]),
        [(normal(3), normal(3))],
    ),
    (
        """
fn f(x: [N], y: [N]) = stack(x, y, axis=1)
""",
        lambda x, y: np.stack([x, y], 1),
        [(normal(3), normal(3)), (normal(0), normal(0))],
    ),
    (
        """
fn f(x: [N], y: [N]) = stack(x, y, axis=-1)
""",
        lambda x, y: np.stack([x, y], -1),
        [(normal(3), normal(3))],
    ),
    (
        """
fn f(x, y) = stack(x, y)
""",
        lambda x, y: np.stack([x, y]),
        [(1.0, 2.0)],
    ),
    (
        """
fn f(x: [N], y: [M]) = concat(x, y)
""",
        lambda x, y: np.concatenate([x, y]),
        [(normal(3), normal(2)), (normal(0), normal(2))],
    ),
    (
        """
fn f(x: [K, N], y: [K, M]) = concat(x, y, axis=1)
""",
        lambda x, y: np.concatenate([x, y], 1),
        [(normal(2, 3), normal(2, 2))],
    ),
    (
        """
fn f(x: [N], y: [M]) = concat(x, [1, 2], y)
""",
        lambda x, y: np.concatenate([x, [1, 2], y]),
        [(normal(3), normal(2))],
    ),
    (
        """
fn f(x: [2*N], n: [N]) {
 a, b = split(x, 2)
 return a*b + n
}
""",
        lambda x, n: x[: len(n)] * x[len(n) :] + n,
        [(normal(6), normal(3))],
    ),
    (
        """
fn f(x: [N, 4]) {
 a, b = split(x, 2, axis=1)
 return a*b
}
""",
        lambda x: x[:, :2] * x[:, 2:],
        [(normal(3, 4),)],
    ),
    (
        """
fn f(x: [N]) = pad(x, 2)
""",
        lambda x: np.pad(x, 2),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N, M]) = pad(x, [1, 0], [0, 2])
""",
        lambda x: np.pad(x, ((1, 0), (0, 2))),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = flip(x)
""",
        lambda x: np.flip(x),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N, M]) = flip(x, axis=1)
""",
        lambda x: np.flip(x, 1),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N]) = tile(x, 3)
""",
        lambda x: np.tile(x, 3),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N, M]) = tile(x, 2, 1)
""",
        lambda x: np.tile(x, (2, 1)),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N]) = tile(x, 2, 2)
""",
        lambda x: np.tile(x, (2, 2)),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = zeros(N, 2) + ones(2)*sum(x)
""",
        lambda x: np.zeros((len(x), 2)) + np.sum(x),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N, N]) = x + 2*eye(N)
""",
        lambda x: x + 2 * np.eye(len(x)),
        [(normal(3, 3),), (normal(0, 0),), (normal(1, 1),)],
    ),
    (
        """
fn f(x: [N, M]) = x + eye(N, M)
""",
        lambda x: x + np.eye(*x.shape),
        [(normal(3, 2),), (normal(2, 3),)],
    ),
    (
        """
fn f(x: [N]) = x*arange(N)
""",
        lambda x: x * np.arange(len(x)),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = x*arange(1, N + 1)
""",
        lambda x: x * np.arange(1, len(x) + 1),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N], y: [N]) = dot(x, y)
""",
        lambda x, y: x @ y,
        [(normal(3), normal(3)), (normal(0), normal(0))],
    ),
    (
        """
fn f(x: [N], y: [M]) = outer(x, y)
""",
        lambda x, y: np.outer(x, y),
        [(normal(3), normal(2))],
    ),
    (
        """
fn f(x: [N, N]) = trace(x)
""",
        lambda x: np.trace(x),
        [(normal(3, 3),), (normal(0, 0),)],
    ),
    (
        """
fn f(x: [N, N]) = diag(x)
""",
        lambda x: np.diag(x),
        [(normal(3, 3),), (normal(0, 0),)],
    ),
    (
        """
fn f(x: [N]) = diag(x)
""",
        lambda x: np.diag(x),
        [(normal(3),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N, N]) = det(x)
""",
        lambda x: np.linalg.det(x),
        [
            (normal(3, 3),),
            (normal(1, 1),),
            (normal(2, 2),),
            (np.array([[1.0, 2], [2, 4]]),),
            (normal(0, 0),),
            (np.array([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]]),),
        ],
    ),
    (
        """
fn f(x: [N, N]) = inv(x)
""",
        lambda x: np.linalg.inv(x),
        [(spd(3),), (spd(1),), (normal(0, 0),)],
    ),
    (
        """
fn f(a: [N, N], b: [N]) = solve(a, b)
""",
        lambda a, b: np.linalg.solve(a, b),
        [(spd(3), normal(3)), (spd(1), normal(1)), (normal(0, 0), normal(0))],
    ),
    (
        """
fn f(a: [N, N], b: [N, K]) = solve(a, b)
""",
        lambda a, b: np.linalg.solve(a, b),
        [(spd(3), normal(3, 2)), (spd(2), normal(2, 0))],
    ),
    (
        """
fn f(a: [N, N]) = cholesky(a + transpose(a))
""",
        lambda a: np.linalg.cholesky(a + a.T),
        [(spd(3),), (spd(1),), (normal(0, 0),)],
    ),
    (
        """
fn f(x: [N]) = windows(x, 3)
""",
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 3),
        [(normal(5),), (normal(3),)],
    ),
    (
        """
fn f(x: [N]) = windows(x, 3, 2)
""",
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 3)[::2],
        [(normal(7),), (normal(6),), (normal(3),)],
    ),
    (
        """
fn f(x: [N, H, W]) = windows(x, [2, 3], [1, 2])
""",
        lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 3), axis=(1, 2))[:, :, ::2],
        [(normal(2, 4, 6),)],
    ),
    (
        """
fn f(x: [N, H]) = windows(x, 2, axis=0)
""",
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=0),
        [(normal(4, 3),)],
    ),
    (
        """
fn f(x: [N]) = l1(x) + l2(x)
""",
        lambda x: np.sum(np.abs(x)) + np.sum(x**2),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(a: [N, K], b: [K, M]) = a @ b
""",
        lambda a, b: a @ b,
        [(normal(2, 3), normal(3, 4)), (normal(0, 3), normal(3, 2)), (normal(2, 0), normal(0, 3))],
    ),
    (
        """
fn f(a: [B, N, K], b: [K, M]) = a @ b
""",
        lambda a, b: a @ b,
        [(normal(2, 2, 3), normal(3, 4))],
    ),
    (
        """
fn f(a: [B, N, K], b: [B, K, M]) = a @ b
""",
        lambda a, b: a @ b,
        [(normal(2, 2, 3), normal(2, 3, 4))],
    ),
    (
        """
fn f(a: [K], b: [K, M]) = a @ b
""",
        lambda a, b: a @ b,
        [(normal(3), normal(3, 4))],
    ),
    (
        """
fn f(a: [B, N, K], b: [K]) = a @ b
""",
        lambda a, b: a @ b,
        [(normal(2, 2, 3), normal(3))],
    ),
    (
        """
fn f(a: [1, N, K], b: [B, K, M]) = a @ b
""",
        lambda a, b: a @ b,
        [(normal(1, 2, 3), normal(2, 3, 4))],
    ),
    (
        """
fn f(x: [N]) = clip(x, -0.5, 0.5)
""",
        lambda x: np.clip(x, -0.5, 0.5),
        [(normal(5),)],
    ),
    (
        """
fn f(x: [N]) = where(x > 0, sqrt(x), 0)
""",
        lambda x: np.where(x > 0, np.sqrt(np.abs(x)), 0),
        [(normal(5),)],
    ),
    (
        """
fn f(x: [N]) = if x > 0 then x^2 else -x
""",
        lambda x: np.where(x > 0, x**2, -x),
        [(normal(5),)],
    ),
    (
        """
fn f(x: [N]) = 0 < x <= 1
""",
        lambda x: (x > 0) & (x <= 1),
        [(normal(5),)],
    ),
    (
        """
fn f(x: [N]) = x |> relu |> sum
""",
        lambda x: np.sum(np.maximum(x, 0)),
        [(normal(5),)],
    ),
    (
        """
fn f(x: [N]) {
 h = zeros(N)
 h[0] = x[1]
 h[1:] += x[1:]
 h[-1] *= 2
 return h
}
""",
        lambda x: np.array([x[1], *x[1:-1], 2 * x[-1]]),
        [(normal(4),), (normal(3),)],
    ),
    (
        """
fn f(x: [N, M]) {
 h = x
 h[:, 0] = 0
 h[0] = h[1]
 return h*x
}
""",
        lambda x: (
            lambda h: (h.__setitem__((slice(None), 0), 0), h.__setitem__(0, h[1]), h * x)[2]
        )(x.copy()),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(X: [N, D], y: [N], w: [D]) = mean((X @ w - y)^2)
""",
        lambda X, y, w: np.mean((X @ w - y) ** 2),
        [(normal(4, 2), normal(4), normal(2))],
    ),
    (
        """
fn f(x) = sum([x, x^2])
""",
        lambda v: v + v**2,
        [(1.5,)],
    ),
    (
        """
fn f(x: [N, 2]) {
 s = x[:, 0]
 t = x[:, 1]
 return s*t
}
""",
        lambda x: x[:, 0] * x[:, 1],
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N], y: [M]) -> [N], [M] = x^2, y^3
""",
        lambda x, y: (x**2, y**3),
        [(normal(3), normal(2))],
    ),
    (
        """
fn f(x: [N]) = sum(where(x > 0, x, 0)*(x > 0.5))
""",
        lambda x: np.sum(np.where(x > 0.5, x, 0)),
        [(normal(5),)],
    ),
    (
        """
fn f(a: [n, m], b: [m, k]) = einsum("ij,jk->ik", a, b)
""",
        lambda a, b: a @ b,
        [(normal(2, 3), normal(3, 4))],
    ),
    (
        """
fn f(x: [N, M]) -> [M, N] = transpose(x)
""",
        lambda x: x.T,
        [(normal(2, 3),)],
    ),
    (
        """
fn f(x: [N]) {
 y = x
 y[1:-1] = 2*x[:-2]
 return y
}
""",
        lambda x: np.array([x[0], *(2 * x[:-2]), x[-1]]),
        [(normal(4),), (normal(2),)],
    ),
    (
        """
fn f(x: [N]) {
 y = x
 y[::2] = 0
 y[::-1] += x
 return y
}
""",
        lambda x: np.where(np.arange(len(x)) % 2, x, 0) + x[::-1],
        [(normal(4),), (normal(0),)],
    ),
    (
        """
fn f(x: [N, M], a: [M]) {
 y = zeros(N, M)
 y[1] = a
 y[:, 0] += x[:, 1]
 return y
}
""",
        lambda x, a: (
            lambda y: (y.__setitem__(1, a), y.__setitem__((slice(None), 0), y[:, 0] + x[:, 1]), y)[
                2
            ]
        )(np.zeros(x.shape)),
        [(normal(3, 2), normal(2))],
    ),
    (
        """
fn f(x: [N]) = clip(x, min(x), 0.2)
""",
        lambda x: np.clip(x, x.min(), 0.2),
        [],
    ),
    (
        """
fn f(x: [N], a) = where(x > a, x, a)
""",
        lambda x, a: np.where(x > a, x, a),
        [(normal(4), 0.1)],
    ),
    (
        """
fn f(x: [N]) = polygamma(1, x^2 + 1) + lgamma(x^2+1)
""",
        lambda x: (
            __import__("scipy.special").special.polygamma(1, x**2 + 1)
            + __import__("scipy.special").special.gammaln(x**2 + 1)
        ),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = round(x) + floor(x)*2 + sign(x)
""",
        lambda x: np.round(x) + np.floor(x) * 2 + np.sign(x),
        [(normal(4),)],
    ),
    (
        """
extern fn j0(x) = "scipy.special.j0"
extern fn j1(x) = "scipy.special.j1"
derivative j0(x) = -j1(x)
fn f(x: [N]) = j0(x)
""",
        lambda x: __import__("scipy.special").special.j0(x),
        [(normal(4),)],
    ),
    (
        """
fn f(x: [N, 3]) = einsum("ij,kj->ik", x, x) + einsum("ii", outer(x[:, 0], x[:, 1]))
""",
        lambda x: x @ x.T + x[:, 0] @ x[:, 1],
        [(normal(2, 3),)],
    ),
    (
        """
fn f(x: [N]) = (x |> relu |> sum)*(x |> max)
""",
        lambda x: np.maximum(x, 0).sum() * x.max(),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N], y: [N] ) = if sum(x) > 0 then x else y
""",
        lambda x, y: x if x.sum() > 0 else y,
        [(normal(3), normal(3))],
    ),
    (
        """
fn f(x: [N], a = 2) = a*x
""",
        lambda x, a=2.0: a * x,
        [(normal(3), 1.5)],
    ),
]

CASES += [
    ("fn f(x: [N]) = pad(x, [1, 2])", lambda x: np.pad(x, (1, 2)), [(normal(3),), (normal(0),)]),
    ("fn f(x: [N, M]) = pad(x, [1, 2])", lambda x: np.pad(x, (1, 2)), [(normal(2, 3),)]),
    (
        "fn f(x: [N, M]) = pad(x, [[0, 1], [2, 0]])",
        lambda x: np.pad(x, ((0, 1), (2, 0))),
        [(normal(2, 3),)],
    ),
    (
        "fn f(x: [N]) {\n  a, b, c = split(x, [1, 3])\n  return concat(c, b*2, a)\n}",
        lambda x: np.concatenate((x[3:], 2 * x[1:3], x[:1])),
        [(normal(3),), (normal(7),)],
    ),
    (
        "fn f(x: [N, 6]) {\n  a, b = split(x, [-2], axis=1)\n"
        "  return sum(a, axis=1)*sum(b, axis=1)\n}",
        lambda x: np.sum(x[:, :4], axis=1) * np.sum(x[:, 4:], axis=1),
        [(normal(3, 6),), (normal(0, 6),)],
    ),
    (
        'fn f(x: [B, n, m], y: [m, k]) = einsum("...ij,jk->...ik", x, y)',
        lambda x, y: x @ y,
        [(normal(2, 3, 4), normal(4, 2))],
    ),
    (
        'fn f(x: [B, n], y: [n]) = einsum("...i,...i", x, y)',
        lambda x, y: x @ y,
        [(normal(2, 3), normal(3)), (normal(0, 3), normal(3))],
    ),
]

for _name in ("sum", "mean", "prod", "max", "min", "var", "std"):
    CASES += [
        (f"fn f(x: [N, M]) = {_name}(x)", getattr(np, _name), [(normal(2, 3),), (normal(1, 1),)]),
        (
            f"fn f(x: [N, M]) = {_name}(x, axis=0)",
            partial(getattr(np, _name), axis=0),
            [(normal(2, 3),), (normal(2, 0),)],
        ),
        (
            f"fn f(x: [N, M]) = {_name}(x, axis=M, keepdims=true)",
            partial(getattr(np, _name), axis=1, keepdims=True),
            [(normal(2, 3),), (normal(0, 2),)],
        ),
        (
            f"fn f(x: [N, M, K]) = {_name}(x, axis=[0, -1])",
            partial(getattr(np, _name), axis=(0, 2)),
            [(normal(2, 3, 2),)],
        ),
    ]


@pytest.mark.parametrize(
    ("source", "reference", "arguments"), CASES, ids=[" ".join(c[0].split()) for c in CASES]
)
def test_value_and_derivatives_are_those_of_numpy(
    agree: Callable[..., None],
    source: str,
    reference: Callable[..., Any],
    arguments: list[tuple[Any, ...]],
) -> None:
    for given in arguments:
        agree(source, reference, given)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_logarithm_of_a_softmax_is_that_of_the_sum_taken_apart(load: Any, level: int) -> None:
    module = load("fn f(x: [N]) = log(softmax(x))", "numpy", level)
    value, saved = module.f_forward([1000.0, 0.0])
    assert np.array_equal(value, [0.0, -1000.0])
    (d_x,) = module.f_backward(saved, [0.0, 1.0])
    assert np.array_equal(d_x, [-1.0, 1.0])
