"""LANGUAGE, section 3 and what section 11 says of comprehensions."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Case = tuple[str, Callable[..., Any], list[tuple[Any, ...]]]
random = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return random.normal(size=shape)


def positive(*shape: int) -> Any:
    return random.uniform(0.5, 2, size=shape)


CASES: list[Case] = [
    (
        """
fn f(x: [N]) = sum(x[i]*i for i in 0..N)
""",
        lambda x: np.sum(x * np.arange(len(x))),
        [(normal(3),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(W: [n, m], x: [m]) = [sum(W[i, j]*x[j] for j) for i]
""",
        lambda W, x: W @ x,
        [
            (normal(2, 3), normal(3)),
            (normal(0, 3), normal(3)),
            (normal(2, 0), normal(0)),
            (normal(1, 1), normal(1)),
        ],
    ),
    (
        """
fn f(x: [N, D], y: [M, D]) = [sum((x[i, k] - y[j, k])^2 for k) for i, j]
""",
        lambda x, y: ((x[:, None] - y[None]) ** 2).sum(-1),
        [
            (normal(2, 3), normal(4, 3)),
            (normal(0, 3), normal(4, 3)),
            (normal(2, 0), normal(3, 0)),
            (normal(1, 1), normal(1, 1)),
        ],
    ),
    (
        """
fn f(T: int) = [i >= j for i in 0..T, j in 0..T]
""",
        lambda T: np.tril(np.ones((T, T), bool)),
        [(3,), (0,), (1,)],
    ),
    (
        """
fn f(A: [n, n], x: [n]) = sum(x[i]*A[i, j]*x[j] for i, j)
""",
        lambda A, x: x @ A @ x,
        [(normal(3, 3), normal(3)), (normal(0, 0), normal(0)), (normal(1, 1), normal(1))],
    ),
    (
        """
fn f(x: [n]) = sum((i + 1)*(2*x[i]^2 - x[i - 1])^2 for i in 1..n)
""",
        lambda x: np.sum((np.arange(1, len(x)) + 1) * (2 * x[1:] ** 2 - x[:-1]) ** 2),
        [(normal(4),), (normal(1),), (normal(2),)],
    ),
    (
        """
fn f(x: [n]) = prod(cos(x[i]/sqrt(i + 1)) for i)
""",
        lambda x: np.prod(np.cos(x / np.sqrt(np.arange(len(x)) + 1))),
        [(normal(4),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N]) = mean(x[i]^2 for i)
""",
        lambda x: np.mean(x**2),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = min(x[i]^2 for i)
""",
        lambda x: np.min(x**2),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N, M]) = [max(x[i, j]*j for j) for i]
""",
        lambda x: np.max(x * np.arange(x.shape[1]), axis=1),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N]) = any(x[i] > 0 for i)
""",
        lambda x: np.any(x > 0),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = all(x[i] > 0 for i)
""",
        lambda x: np.all(x > 0),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = sum(x[i] > 0 for i)
""",
        lambda x: np.sum(x > 0),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = sum(x[i]*sum(x[j] for j in 0..i) for i)
""",
        lambda x: sum(x[i] * sum(x[:i]) for i in range(len(x))) + 0.0,
        [(normal(4),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N]) = sum(x[i]*x[j] for i in 0..N, j in 0..i)
""",
        lambda x: sum(x[i] * x[j] for i in range(len(x)) for j in range(i)) + 0.0,
        [(normal(4),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N, D]) = [x[i]*2 for i]
""",
        lambda x: x * 2,
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N, D], A: [D, E]) = [x[i] @ A for i]
""",
        lambda x, A: x @ A,
        [(normal(3, 2), normal(2, 4))],
    ),
    (
        """
fn f(A: [n, n]) = sum(A[i, i] for i)
""",
        lambda A: np.trace(A),
        [(normal(3, 3),), (normal(0, 0),)],
    ),
    (
        """
fn f(A: [n, n]) = [A[i, i] for i]
""",
        lambda A: np.diag(A),
        [(normal(3, 3),)],
    ),
    (
        """
fn f(A: [n, m]) = [A[i, j] for j, i]
""",
        lambda A: A.T,
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [n], y: [m]) = [x[i]*y[j] for i, j]
""",
        lambda x, y: np.outer(x, y),
        [(normal(3), normal(2)), (normal(0), normal(2))],
    ),
    (
        """
fn f(n: int) = [i*j for i in 0..n, j in 0..3]
""",
        lambda n: np.outer(np.arange(n), np.arange(3)),
        [(3,), (0,)],
    ),
    (
        """
fn f(x: [N], k: int[M]) = sum(x[k[i]]*i for i)
""",
        lambda x, k: np.sum(x[k] * np.arange(len(k))),
        [(normal(3), np.array([0, 2, 2, 1])), (normal(3), np.array([], int))],
    ),
    (
        """
fn f(x: [N], w: [3]) = [sum(x[i + k]*w[k] for k) for i in 0..N - 2]
""",
        lambda x, w: (
            np.array([sum(x[i + k] * w[k] for k in range(3)) for i in range(len(x) - 2)]) + 0.0
        ),
        [(normal(5), normal(3)), (normal(2), normal(3)), (normal(3), normal(3))],
    ),
    (
        """
fn f(x: [N]) = [x[(i + 1) % N] for i in 0..N]
""",
        lambda x: np.roll(x, -1),
        [(normal(4),), (normal(1),)],
    ),
    (
        """
fn f(u: [n, m]) = [
  u[i + 1, j] + u[i - 1, j] - 4*u[i, j] + u[i, j + 1] + u[i, j - 1]
  for i in 1..n - 1, j in 1..m - 1
]
""",
        lambda u: u[2:, 1:-1] + u[:-2, 1:-1] - 4 * u[1:-1, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2],
        [(normal(4, 5),), (normal(2, 3),)],
    ),
    (
        """
fn f(x: [N]) = [if i > 1 then x[i] else 0 for i]
""",
        lambda x: np.where(np.arange(len(x)) > 1, x, 0.0),
        [(normal(4),)],
    ),
    (
        """
fn f(x: [N, M]) = sum(max(x[i, j] for j) for i)
""",
        lambda x: x.max(1).sum(),
        [(normal(3, 4),)],
    ),
    (
        """
fn f(x: [N, D], l) = [exp(-sum((x[i, k] - x[j, k])^2 for k)/(2*l^2)) for i, j]
""",
        lambda x, s: np.exp(-((x[:, None] - x[None]) ** 2).sum(-1) / (2 * s * s)),
        [(normal(3, 2), 0.8)],
    ),
    (
        """
fn f(x: [N], y: [N], s) {
 K = [exp(-(x[i] - x[j])^2/2) for i, j] + s^2*eye(N)
 L = cholesky(K)
 a = solve(K, y)
 return 0.5*dot(y, a) + sum(log(diag(L)))
}
""",
        lambda x, y, s: (
            lambda K: 0.5 * y @ np.linalg.solve(K, y) + np.log(np.diag(np.linalg.cholesky(K))).sum()
        )(np.exp(-((x[:, None] - x) ** 2) / 2) + s * s * np.eye(len(x))),
        [(normal(3), normal(3), 0.5), (normal(1), normal(1), 0.5)],
    ),
    (
        """
fn f(x: [N, 3]) = sum(
  4*(1/sum((x[i, k] - x[j, k])^2 for k)^6 - 1/sum((x[i, k] - x[j, k])^2 for k)^3)
  for i in 0..N, j in 0..i
)
""",
        lambda x: (
            sum(
                4 * (1 / d**6 - 1 / d**3)
                for i in range(len(x))
                for j in range(i)
                for d in [((x[i] - x[j]) ** 2).sum()]
            )
            + 0.0
        ),
        [(2 * normal(4, 3),), (normal(1, 3),), (normal(0, 3),)],
    ),
    (
        """
fn f(a: [N], b: [N]) = [sum(a[j]*b[i - j] for j in 0..i + 1) for i in 0..N]
""",
        lambda a, b: np.convolve(a, b)[: len(a)] if len(a) else a,
        [(normal(4), normal(4)), (normal(1), normal(1)), (normal(0), normal(0))],
    ),
    (
        """
fn f(x: [N]) = sum(x[i + j]*x[i] for i in 0..N, j in 0..N - i)
""",
        lambda x: sum(x[i + j] * x[i] for i in range(len(x)) for j in range(len(x) - i)) + 0.0,
        [(normal(4),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [N]) = [max(x[j] for j in 0..i + 1) for i in 0..N]
""",
        lambda x: np.maximum.accumulate(x),
        [(normal(4),), (normal(1),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = [sum(x[j] for j in i..N) for i in 0..N]
""",
        lambda x: np.cumsum(x[::-1])[::-1],
        [(normal(4),), (normal(0),)],
    ),
    (
        """
fn f(x: [M], N: int) = [x[2*i] for i in 0..N]
""",
        lambda x, n: x[: 2 * n : 2],
        [(normal(5), 3), (normal(5), 0), (normal(6), 2)],
    ),
    (
        """
fn f(x: [N]; p = 2) = sum(x[i]^p for i)
""",
        lambda x: np.sum(x**2),
        [(normal(3),)],
    ),
    (
        """
fn f(X: [N, D]) = [softmax(X[i])[j]*i for i, j]
""",
        lambda X: np.array([np.exp(x) / np.exp(x).sum() * i for i, x in enumerate(X)]),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(X: [N, D]) = [max(X[i])*argmax(X[i]) for i]
""",
        lambda X: X.max(1) * X.argmax(1),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(X: [N, D]) = [cumsum(X[i])[1:] for i]
""",
        lambda X: np.cumsum(X, 1)[:, 1:],
        [(normal(3, 2),)],
    ),
    (
        """
fn f(X: [N, D]) = sum(concat(X[i], [1], X[i]^2) for i)
""",
        lambda X: np.array([np.concatenate([x, [1], x**2]) for x in X]).sum(0),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(X: [N, D]) = [transpose(outer(X[i], X[j])) for i, j]
""",
        lambda X: np.einsum("ia,jb->ijba", X, X),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(X: [N, D]) = [windows(X[i], 2) for i]
""",
        lambda X: np.lib.stride_tricks.sliding_window_view(X, 2, axis=1),
        [(normal(3, 4),)],
    ),
    (
        """
fn f(X: [N, D]) = [pad(X[i], 1) for i]
""",
        lambda X: np.pad(X, ((0, 0), (1, 1))),
        [(normal(3, 4),)],
    ),
    (
        """
fn f(X: [N, D]) = [flip(X[i]) for i]
""",
        lambda X: X[:, ::-1],
        [(normal(3, 4),)],
    ),
    (
        """
fn f(X: [N, D]) = [reshape(outer(X[i], X[i]), D*D) for i]
""",
        lambda X: np.einsum("ia,ib->iab", X, X).reshape(len(X), -1),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(X: [N, D]) = [norm(X[i] - X[j]) for i, j]
""",
        lambda X: np.linalg.norm(X[:, None] - X[None], axis=-1),
        [],
    ),
    (
        """
fn f(x: [N]) = [[x[i]*x[j] for j] for i]
""",
        lambda x: np.outer(x, x),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = sum(sum(x[i]*x[j] for j in 0..N) for i)
""",
        lambda x: x.sum() ** 2,
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = sum(x[i] for i)^2 + max(x[j] for j)
""",
        lambda x: x.sum() ** 2 + x.max(),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N], n: int) = sum(x[i]*n for i in 0..n)
""",
        lambda x, n: x[:n].sum() * n,
        [(normal(3), 2), (normal(3), 0)],
    ),
    (
        """
fn f(x: [N], n: int, m: int) = sum(x[i] for i in n..m)
""",
        lambda x, n, m: x[n:m].sum(),
        [(normal(4), 1, 3)],
    ),
    (
        """
fn f(x: [2, 3]) = [x[i, j]*i + j for i, j]
""",
        lambda x: x * np.arange(2)[:, None] + np.arange(3),
        [(normal(2, 3),)],
    ),
    (
        """
fn f(x: [3], y: [3]) = [x[i] + y[2 - i] for i]
""",
        lambda x, y: x + y[::-1],
        [(normal(3), normal(3))],
    ),
    (
        """
fn f(x: [N]) = mean((x[i + 1] - x[i])^2 for i in 0..N - 1)
""",
        lambda x: np.mean(np.diff(x) ** 2),
        [(normal(4),)],
    ),
    (
        """
fn f(x: [N]) = [x[i // 2] for i in 0..2*N]
""",
        lambda x: np.repeat(x, 2),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = [x[i*j] for i in 0..2, j in 0..2]
""",
        lambda x: np.array([[x[0], x[0]], [x[0], x[1]]]),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = prod(x[i] - x[j] for i in 0..N, j in 0..i)
""",
        lambda x: np.prod([x[i] - x[j] for i in range(len(x)) for j in range(i)]),
        [(normal(4),), (normal(1),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = any(x[i] > x[j] for i in 0..N, j in 0..i)
""",
        lambda x: any(x[i] > x[j] for i in range(len(x)) for j in range(i)),
        [(normal(4),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = sum(if i == j then x[i] else x[i]*x[j] for i, j)
""",
        lambda x: x.sum() ** 2 - np.sum(x**2) + x.sum(),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = sum(x[i]/(i - j) for i in 0..N, j in 0..i)
""",
        lambda x: sum(x[i] / (i - j) for i in range(len(x)) for j in range(i)) + 0.0,
        [(normal(4),), (normal(0),)],
    ),
    (
        """
fn f(x: [N]) = sum(sqrt(x[i]^2 - x[j]^2 + 9*(i - j)) for i in 0..N, j in 0..i)
""",
        lambda x: (
            sum(
                np.sqrt(x[i] ** 2 - x[j] ** 2 + 9 * (i - j))
                for i in range(len(x))
                for j in range(i)
            )
            + 0.0
        ),
        [(normal(4),)],
    ),
    (
        """
fn f(x: [N, N]) = [x[i, i + 1] for i in 0..N - 1]
""",
        lambda x: np.diag(x, 1),
        [(normal(4, 4),), (normal(1, 1),)],
    ),
    (
        """
fn f(x: [N, N]) = [x[i, N - 1 - i] for i in 0..N]
""",
        lambda x: np.diag(x[:, ::-1]),
        [(normal(4, 4),), (normal(0, 0),)],
    ),
    (
        """
fn f(x: [N], b: bool[N]) = sum(if b[i] then x[i] else 0 for i)
""",
        lambda x, b: x[b].sum(),
        [(normal(3), np.array([True, False, True]))],
    ),
    (
        """
fn f(k: int[N]) = sum(k[i]*i for i)
""",
        lambda k: np.sum(k * np.arange(len(k))),
        [(np.array([3, 1, 2]),)],
    ),
    (
        """
fn f(p: [N, 2], e: int[E, 2], l: [E]) = sum((norm(p[e[k, 0]] - p[e[k, 1]]) - l[k])^2 for k)
""",
        lambda p, e, r: np.sum((np.linalg.norm(p[e[:, 0]] - p[e[:, 1]], axis=1) - r) ** 2),
        [(normal(4, 2), np.array([[0, 1], [1, 2], [2, 3], [0, 3]]), positive(4))],
    ),
    (
        """
fn f(x: [N, D], m: [K, D], w: [K]) {
  square = [sum((x[n, d] - m[k, d])^2 for d) for n, k]
  return sum(logsumexp([log_softmax(w)[k] - square[n, k]/2 for k]) for n in 0..N)
}
""",
        lambda x, m, w: np.sum(
            [
                np.log(np.sum(np.exp(w - np.log(np.exp(w).sum()) - ((xx - m) ** 2).sum(1) / 2)))
                for xx in x
            ]
        ),
        [(normal(4, 2), normal(3, 2), normal(3))],
    ),
    (
        """
extern fn j0(x) = "scipy.special.j0"
extern fn j1(x) = "scipy.special.j1"
derivative j0(x) = -j1(x)
fn f(x: [N]) = sum(j0(x[i])*i for i)
""",
        lambda x: np.sum(__import__("scipy.special").special.j0(x) * np.arange(len(x))),
        [(normal(4),)],
    ),
    (
        """
fn f(x: [N]) = [mean(x[j]^2 for j in i..N) for i in 0..N]
""",
        lambda x: np.array([np.mean(x[i:] ** 2) for i in range(len(x))]),
        [(normal(4),), (normal(1),), (normal(0),)],
    ),
    (
        """
fn f(x: [N], A: [N, M]) = [mean(A[j, k]*x[i] for j in 0..i + 1, k) for i in 0..N]
""",
        lambda x, A: np.array([np.mean(A[: i + 1] * x[i]) for i in range(len(x))]),
        [(normal(4), normal(4, 3)), (normal(1), normal(1, 1))],
    ),
    (
        """
const w = [1, 2]
const W = stack(w, 2*w)
fn f(x: [N, 2]) = [sum(W[i, j]*x[n, j] for j)  for n, i]
""",
        lambda x: x @ np.array([[1, 2], [2, 4]]).T,
        [(normal(3, 2),)],
    ),
    *[
        (
            f"fn f(x: [N]) = sum(x[i]*x[j]^2 for i in 0..N, j in i + {least}..N)",
            lambda x, least=least: np.triu(np.outer(x, x**2), least).sum(),
            [(normal(n),) for n in range(least + 2)],
        )
        for least in (0, 1, 2, 3)
    ],
    *[
        (
            f"fn f(x: [N]) = sum(x[i]*x[j]^2 for i, j in 0..i - {least})",
            lambda x, least=least: np.tril(np.outer(x, x**2), -least - 1).sum(),
            [(normal(n),) for n in range(least + 3)],
        )
        for least in (1, 2)
    ],
    (
        "fn f(x: [N], n: int) = sum(x[0]*j for i in 0..n, j in i + 1..n)",
        lambda x, n: x[0] * sum(j for i in range(n) for j in range(i + 1, n)),
        [(normal(2), n) for n in (0, 1, 2, 4)],
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
