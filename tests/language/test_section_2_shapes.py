"""LANGUAGE, section 2 and what section 11 says of shapes: names of dimensions, broadcasting,
slices, gathers, sizes that are ints, arrays that are constants."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as sp

Case = tuple[str, Callable[..., Any], list[tuple[Any, ...]]]
random = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return random.normal(size=shape)


def positive(*shape: int) -> Any:
    return random.uniform(0.5, 2, size=shape)


CASES: list[Case] = [
    (
        """
fn f(x: [N, D], w: [D], b) -> [N] = x @ w + b
""",
        lambda x, w, b: x @ w + b,
        [
            (normal(3, 2), normal(2), 0.3),
            (normal(0, 2), normal(2), 0.3),
            (normal(3, 0), normal(0), 0.3),
            (normal(1, 1), normal(1), 0.1),
        ],
    ),
    (
        """
fn f(x: [.., D]) -> [..] = sum(x^2, axis=-1)
""",
        lambda x: (x**2).sum(-1),
        [(normal(3),), (normal(2, 3),), (normal(2, 2, 3),), (normal(0, 3),), (normal(2, 0),)],
    ),
    (
        """
fn f(t: int[T], keep: bool[T], w: [T]) = sum(where(keep, w*t, 0))
""",
        lambda t, k, w: np.sum(np.where(k, w * t, 0)),
        [
            (np.arange(3), np.array([True, False, True]), normal(3)),
            (np.arange(0), np.array([], bool), normal(0)),
        ],
    ),
    (
        """
fn f(x: [2*H, H]) = sum(x)/H
""",
        lambda x: x.sum() / x.shape[1],
        [(normal(4, 2),)],
    ),
    (
        """
fn f(x: [N], d: [N - 1]) = sum((x[1:] - x[:-1])*d)
""",
        lambda x, d: np.sum((x[1:] - x[:-1]) * d),
        [(normal(4), normal(3)), (normal(1), normal(0))],
    ),
    (
        """
fn f(x: [N, D]) = mean(x, axis=N)
""",
        lambda x: x.mean(0),
        [(normal(3, 2),), (normal(1, 4),)],
    ),
    (
        """
fn f(x: [N]) = x[1:]
""",
        lambda x: x[1:],
        [(normal(4),), (normal(1),)],
    ),
    (
        """
fn f(x: [.., D]) = x[.., 0]
""",
        lambda x: x[..., 0],
        [(normal(4),), (normal(2, 3),), (normal(2, 2, 3),), (normal(0, 3),)],
    ),
    (
        """
fn f(x: [N, D], idx: int[K]) = x[:, idx]
""",
        lambda x, i: x[:, i],
        [
            (normal(2, 3), np.array([0, 2, 2, -1])),
            (normal(2, 3), np.array([], int)),
            (normal(0, 3), np.array([1])),
        ],
    ),
    (
        """
fn f(x: [N]) = x[::-1]
""",
        lambda x: x[::-1],
        [(normal(4),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N]) = x[::2]
""",
        lambda x: x[::2],
        [(normal(4),), (normal(5),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N]) = x[-1]*x[-2]
""",
        lambda x: x[-1] * x[-2],
        [(normal(4),), (normal(2),)],
    ),
    (
        """
fn f(x: [N]) = x[-3:-1]
""",
        lambda x: x[-3:-1],
        [(normal(4),), (normal(3),)],
    ),
    (
        """
fn f(x: [7]) = x[5:1:-2]
""",
        lambda x: x[5:1:-2],
        [(normal(7),)],
    ),
    (
        """
fn f(x: [N, M]) = x[1:, ::-1]
""",
        lambda x: x[1:, ::-1],
        [(normal(3, 4),), (normal(1, 0),)],
    ),
    (
        """
fn f(x: [N], k: int) = x[k]
""",
        lambda x, k: x[k],
        [(normal(3), 1)],
    ),
    (
        """
fn f(x: [N, M], i: int[K], j: int[K]) = x[i, j]
""",
        lambda x, i, j: x[i, j],
        [(normal(3, 4), np.array([0, 1, 1]), np.array([2, 3, 3]))],
    ),
    (
        """
fn f(x: [N, M, L], i: int[K], j: int[K]) = x[i, :, j]
""",
        lambda x, i, j: np.moveaxis(
            np.array([x[a, :, b] for a, b in zip(i, j, strict=True)]).reshape(len(i), x.shape[1]),
            0,
            0,
        ),
        [(normal(3, 4, 2), np.array([0, 1, 1]), np.array([1, 0, 0]))],
    ),
    (
        """
fn f(x: [N, M], i: int[K, L]) = x[i]
""",
        lambda x, i: x[i],
        [(normal(3, 4), np.array([[0, 1], [2, 2]]))],
    ),
    (
        """
fn f(N: int) = sum((0..N)*2)
""",
        lambda n: np.sum(np.arange(n) * 2),
        [(4,), (0,)],
    ),
    (
        """
fn f(x) = [x, 2*x, 3]
""",
        lambda x: np.array([x, 2 * x, 3]),
        [(1.5,)],
    ),
    (
        """
fn f(x) = [[x, 1], [0, x^2]]
""",
        lambda x: np.array([[x, 1], [0, x**2]]),
        [(1.5,)],
    ),
    (
        """
fn f(x: [N]) = x[0:N - 1]
""",
        lambda x: x[:-1],
        [(normal(4),), (normal(1),)],
    ),
    (
        """
fn f(x: [N, 1], y: [M]) = x*y
""",
        lambda x, y: x * y,
        [(normal(3, 1), normal(2))],
    ),
    (
        """
fn f(x: [.., M]) = log_softmax(x)
""",
        lambda x: sp.log_softmax(x, axis=-1),
        [(normal(3, 2),), (normal(2),), (normal(2, 3, 2),)],
    ),
    (
        """
fn f(x: [.., N, N]) -> [..] = det(x)
""",
        lambda x: np.linalg.det(x),
        [(normal(2, 3, 3),), (normal(2, 2),)],
    ),
    (
        """
fn f(i: int[N]) = i // 2 + i % 3
""",
        lambda i: i // 2 + i % 3,
        [(np.arange(5),)],
    ),
    (
        """
fn f(x: [N], k: int[M], v: [M]) {
 h = x
 h[k] += v
 return h + 0*x
}
""",
        lambda x, k, v: (lambda h: (np.add.at(h, k, v), h)[1])(x.copy()),
        [(normal(4), np.array([0, 1, 1]), normal(3)), (normal(4), np.array([], int), normal(0))],
    ),
    (
        """
fn f(x: [N], T: int) = x*(0..T)
""",
        lambda x, T: x * np.arange(T),
        [(normal(3), 3)],
    ),
    (
        """
fn f(x: [N], k: int) = x[k] + sum(x[:k])
""",
        lambda x, k: x[k] + np.sum(x[:k]),
        [(normal(3), 1)],
    ),
    (
        """
fn f(k: int, a) = ones(k)*a
""",
        lambda k, a: np.ones(k) * a,
        [(3, 1.5), (0, 0.5)],
    ),
    (
        """
fn f(x: [.., D], w: [D]) = x @ w
""",
        lambda x, w: x @ w,
        [(normal(2, 3), normal(3)), (normal(3), normal(3)), (normal(2, 2, 3), normal(3))],
    ),
    (
        """
const k = 3
fn f(x: [k]) = sum(x)*k
""",
        lambda x: x.sum() * 3,
        [(normal(3),)],
    ),
    (
        """
const v = [1, 2, 3]
fn f(x: [3]) = sum(x*v)
""",
        lambda x: (x * [1, 2, 3]).sum(),
        [(normal(3),)],
    ),
    (
        """
const M = [[1, 2], [3, 4]]
fn f(x: [2]) = M @ x
""",
        lambda x: np.array([[1, 2], [3, 4]]) @ x,
        [(normal(2),)],
    ),
    (
        """
fn f(x: [N], i: int[2, K]) = x[i[0]]*x[i[1]]
""",
        lambda x, i: x[i[0]] * x[i[1]],
        [(normal(3), np.array([[0, 1], [2, 2]]))],
    ),
    (
        """
fn f(p: [N, 2], e: int[E, 2], l: [E]) {
 d = p[e[:, 0]] - p[e[:, 1]]
 r = sqrt(sum(d^2, axis=1))
 return sum((r - l)^2)/2
}
""",
        lambda p, e, r: np.sum((np.linalg.norm(p[e[:, 0]] - p[e[:, 1]], axis=1) - r) ** 2) / 2,
        [(normal(4, 2), np.array([[0, 1], [1, 2], [2, 3], [0, 3]]), positive(4))],
    ),
    (
        """
fn f(x: [.., N]) -> [.., 2*N] = concat(x, x, axis=-1)
""",
        lambda x: np.concatenate([x, x], -1),
        [(normal(2, 3),), (normal(3),), (normal(2, 2, 3),)],
    ),
    (
        """
fn f(x: [.., 3], R: [3, 3]) -> [.., 3], [..] = x @ transpose(R), sum(x, axis=-1)
""",
        lambda x, R: (x @ R.T, x.sum(-1)),
        [(normal(2, 3), normal(3, 3)), (normal(3), normal(3, 3))],
    ),
    (
        """
fn f(x: [N], T: int) -> [T] = x*ones(T)
""",
        lambda x, T: x,
        [(normal(3), 3)],
    ),
    (
        """
fn f(x: [N], T: int) = concat(x, zeros(T))[T:]
""",
        lambda x, T: np.concatenate([x, np.zeros(T)])[T:],
        [(normal(3), 2)],
    ),
    (
        """
fn f(x: [N], T: int) = sum(stack(x, ones(T)))
""",
        lambda x, T: x.sum() + T,
        [(normal(3), 3)],
    ),
    (
        """
fn f(x: [N, N], T: int) = x @ ones(T)
""",
        lambda x, T: x.sum(1),
        [(normal(3, 3), 3)],
    ),
    (
        """
fn f(x: [N], k: int[K]) {
 y = x
 y[k] = 0
 y[k] *= 3
 return y
}
""",
        lambda x, k: (lambda y: (y.__setitem__(k, 0), y)[1])(x.copy()),
        [(normal(4), np.array([1, 1]))],
    ),
    (
        """
fn f(a: int, b: int) = [a, b, a*b]
""",
        lambda a, b: np.array([a, b, a * b]),
        [(2, 3)],
    ),
    (
        """
const w = [0.5, pi, 2]
fn f(x: [3]) = sum(w*x)/sum(w)
""",
        lambda x: (np.array([0.5, np.pi, 2]) * x).sum() / (2.5 + np.pi),
        [(normal(3),)],
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
