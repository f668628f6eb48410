"""LANGUAGE, section 11, calls: functions of numbers over arrays, functions of arrays in one another
and in index notation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Case = tuple[str, Callable[..., Any], list[tuple[Any, ...]]]
random = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return random.normal(size=shape)


CASES: list[Case] = [
    (
        """
fn f0(x) = x^2
fn f(x: [N]) = sum(f0(x))
""",
        lambda x: np.sum(x**2),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn cst(x) = 3
fn f(x: [N]) = cst(x)
""",
        lambda x: np.full(x.shape, 3.0),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn cs2(x, y) = 3*y
fn f(x: [N, M], y: [M]) = cs2(x, y)
""",
        lambda x, y: np.broadcast_to(3 * y, x.shape),
        [(normal(3, 2), normal(2))],
    ),
    (
        """
fn fv(x: [D]) = sum(x^2)
fn f(x: [N, D]) = [fv(x[i]) for i]
""",
        lambda x: (x**2).sum(1),
        [(normal(3, 2),)],
    ),
    (
        """
fn fw(x: [D], y: [D]) = x*sum(x*y)
fn f(x: [N, D], y: [M, D]) = [fw(x[i], y[j]) for i, j]
""",
        lambda x, y: x[:, None] * (x @ y.T)[:, :, None],
        [(normal(3, 2), normal(4, 2))],
    ),
    (
        """
fn fs(x, y) = x*y^2
fn f(x: [N], y: [M]) = [fs(x[i], y[j]) for i, j]
""",
        lambda x, y: np.outer(x, y**2),
        [(normal(3), normal(2))],
    ),
    (
        """
fn fq(x, y) = x, y
fn f(x: [N], y: [N]) {
 a, b = fq(x, y)
 return a*b
}
""",
        lambda x, y: x * y,
        [(normal(3), normal(3))],
    ),
    (
        """
fn fd(x: [.., D]) -> [..] = sum(x, axis=-1)
fn f(x: [N, M, D]) = [fd(x[i]) for i]
""",
        lambda x: x.sum(-1),
        [(normal(3, 2, 4),)],
    ),
    (
        """
fn fk(x; p = 2) = x^p
fn f(x: [N]) = [fk(x[i], p=3) for i]
""",
        lambda x: x**3,
        [(normal(3),)],
    ),
    (
        """
fn gI(x: [N], k: int) = x[k]
fn f(x: [N], m: int) = gI(x, m + 1)
""",
        lambda x, k: x[k + 1],
        [(normal(3), 1)],
    ),
    (
        """
fn gI(x: [N], k: int) = sum(x[k:])
fn f(x: [N]) = gI(x, 2)
""",
        lambda x: np.sum(x[2:]),
        [(normal(3),)],
    ),
    (
        """
fn in1(x) = sum([x, x^2])
fn f(v: [N]) = in1(v)
""",
        lambda v: v + v**2,
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn in3(x) = sum([x, x^2])
fn f(v: [N]) = [in3(v[i])*i for i]
""",
        lambda v: (v + v**2) * np.arange(len(v)),
        [(normal(3),)],
    ),
    (
        """
fn dd(x: [.., D]) -> [.., D] = x - mean(x, axis=-1, keepdims=true)
fn f(x: [A, B, D]) = dd(x)
""",
        lambda x: x - x.mean(-1, keepdims=True),
        [(normal(2, 2, 3),)],
    ),
    (
        """
fn gg(x, y) = x*y, x + y
fn f(x: [N], y: [N]) = [x[i]*2 for i]
""",
        lambda x, y: 2 * x,
        [(normal(3), normal(3))],
    ),
    (
        """
fn p1(x: [D], k: int) {
 h = zeros(D)
 h[k] = x[0]
 h[1] += x[1]
 return h*x
}
fn f(X: [N, D], k: int[N]) = [p1(X[i], 1) for i]
""",
        lambda X, k: np.array([np.array([0, x[0] + x[1], *[0] * (len(x) - 2)]) * x for x in X]),
        [(normal(3, 2), np.array([0, 1, 1]))],
    ),
    (
        """
fn p2(x: [D], k: int[K]) {
 h = zeros(D, 2)
 h[k, 1] += x[k]
 return sum(h)*x
}
fn f(X: [N, D], k: int[N, K]) = [p2(X[i], k[i]) for i]
""",
        lambda X, k: np.array([x[kk].sum() * x for x, kk in zip(X, k, strict=True)]),
        [(normal(3, 2), np.array([[0, 1], [1, 1], [0, 0]]))],
    ),
    (
        """
fn p3(x: [D], k: int[K]) = x[k]
fn f(X: [N, D], k: int[N, K]) = [p3(X[i], k[i])*i for i]
""",
        lambda X, k: np.array([x[kk] * i for i, (x, kk) in enumerate(zip(X, k, strict=True))]),
        [(normal(3, 2), np.array([[0, 1], [1, 1], [0, 0]]))],
    ),
    (
        """
fn p4(A: [D, D], b: [D]) = solve(A, b)
fn f(A: [N, D, D], b: [D]) = [p4(A[i] + 5*eye(D), b) for i]
""",
        lambda a, b: np.array([np.linalg.solve(x + 5 * np.eye(2), b) for x in a]),
        [(normal(3, 2, 2), normal(2))],
    ),
    (
        """
fn p5(x: [D]) {
 m = mean(x)
 s = std(x)
 return (x - m)/s, m
}
fn f(X: [N, D]) {
 return [det(outer(X[i], X[i]) + eye(D)) for i]
}
""",
        lambda X: np.array([np.linalg.det(np.outer(x, x) + np.eye(len(x))) for x in X]),
        [(normal(3, 2),)],
    ),
    (
        """
fn sa(x) = sqrt(x^2 + 1e-6)
derivative sa(x) = x/sa(x)
fn f(x: [N]) = [sa(x[i])*i for i]
""",
        lambda x: np.sqrt(x**2 + 1e-6) * np.arange(len(x)),
        [(normal(4),)],
    ),
    (
        """
fn z26(x: [N]; order = 2, scale = 0.5) = sum(x^order)*scale
fn f(x: [N]) = z26(x, order=3) + z26(x, scale=2)
""",
        lambda x: 0.5 * np.sum(x**3) + 2 * np.sum(x**2),
        [(normal(3),)],
    ),
    (
        """
fn cst(x) = 3
fn f(x: [N]) = sum(cst(x)*x) + sum(cst(x))
""",
        lambda x: 3 * x.sum() + 3 * len(x),
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn cst(x) = 2*pi
fn f(x: [N, M]) = sum(cst(x), axis=0)
""",
        lambda x: np.full(x.shape[1], 2 * np.pi * len(x)),
        [(normal(3, 2),)],
    ),
    (
        """
fn cst(x) = 2*pi
fn f(x: [N]) = sum(cst(x[i]) for i)
""",
        lambda x: 2 * np.pi * len(x),
        [(normal(3),)],
    ),
    (
        """
fn cst(x, y) = 2*pi, y
fn f(x: [N]) {
 a, b = cst(x, 2)
 return sum(a) + sum(b)
}
""",
        lambda x: (2 + 2 * np.pi) * len(x),
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
