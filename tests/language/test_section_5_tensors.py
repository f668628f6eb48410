"""LANGUAGE, section 5, of tensors: gradients, Jacobians, Hessians and primes, also in
index notation."""

from collections.abc import Callable
from types import ModuleType
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
fn f1(x) = x^3
fn f(x: [N]) = f1'(x)
""",
        lambda x: 3 * x**2,
        [(normal(3),)],
    ),
    (
        """
fn f2(x) = x^3
fn f(x: [N, M]) = sum(f2''(x))
""",
        lambda x: np.sum(6 * x),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N]) = sin'(x)
""",
        lambda x: np.cos(x),
        [(normal(3),)],
    ),
    (
        """
fn f(q: [n]) {
 E = sum(q^4)/4 - sum(q^2)/2
 return -diff(E, q)
}
""",
        lambda q: q - q**3,
        [(normal(3),), (normal(0),)],
    ),
    (
        """
fn f(q: [n]) = hessian(sum(sin(q)^2), q)
""",
        lambda q: np.diag(2 * np.cos(2 * q)),
        [(normal(3),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(q: [n]) = jacobian(sin(q)*sum(q), q)
""",
        lambda q: np.diag(np.cos(q)) * np.sum(q) + np.sin(q)[:, None] * np.ones(len(q)),
        [(normal(3),), (normal(0),), (normal(1),)],
    ),
    (
        """
fn f(x: [n], v: [n]) = diff(sum(diff(sum(x^3), x)*v), x)
""",
        lambda x, v: 6 * x * v,
        [(normal(3), normal(3))],
    ),
    (
        """
fn f(X: [n, m]) = diff(sum(X^3), X)
""",
        lambda X: 3 * X**2,
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [n]) = diff(sum(sin(x)*diff(sum(x^3), x)), x)
""",
        lambda x: np.cos(x) * 3 * x**2 + np.sin(x) * 6 * x,
        [(normal(3),)],
    ),
    (
        """
fn f(x: [n], a) = diff(sum(a^2*x), a)
""",
        lambda x, a: 2 * a * np.sum(x),
        [(normal(3), 0.7)],
    ),
    (
        """
fn f(x: [n], a) = jacobian(a^2*x, a)
""",
        lambda x, a: 2 * a * x,
        [(normal(3), 0.7)],
    ),
    (
        """
fn f(X: [n, m], v: [m]) = jacobian(X @ v, v)
""",
        lambda X, v: X,
        [(normal(3, 2), normal(2))],
    ),
    (
        """
fn f(X: [n, m], v: [m]) = jacobian(X @ v, X)
""",
        lambda X, v: np.einsum("ij,k->ijk", np.eye(len(X)), v),
        [(normal(3, 2), normal(2))],
    ),
    (
        """
fn f(X: [n, m]) = hessian(sum(X)^2, X)
""",
        lambda X: 2 * np.ones(X.shape * 2),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N]) = [diff(sum(x^3), x)[i]*i for i]
""",
        lambda x: 3 * x**2 * np.arange(len(x)),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = [diff(x[i]^3, x) for i]
""",
        lambda x: np.diag(3 * x**2),
        [(normal(3),)],
    ),
    (
        """
fn dg2(x: [D]) = diff(sum(x^3), x)
fn f(x: [N, D]) = [dg2(x[i]) for i]
""",
        lambda x: 3 * x**2,
        [(normal(3, 2),)],
    ),
    (
        """
fn f(x: [N]) {
 y = x^2
 return [diff(y[i], x) for i]
}
""",
        lambda x: np.diag(2 * x),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) {
 y = x^2
 return sum(diff(sum(y), y)[i]*x[i] for i)
}
""",
        lambda x: np.sum(x),
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N]) = [sin'(x[i])*i for i]
""",
        lambda x: np.cos(x) * np.arange(len(x)),
        [(normal(3),)],
    ),
    (
        """
fn g3(x) = x^3
fn f(x: [N]) = [g3'(x[i])*i for i]
""",
        lambda x: 3 * x**2 * np.arange(len(x)),
        [(normal(3),)],
    ),
    (
        """
fn g4(x) = sum([x, x^3])
fn f(x: [N]) = [g4''(x[i])*i for i]
""",
        lambda x: 6 * x * np.arange(len(x)),
        [(normal(3),)],
    ),
    (
        """
fn g4(x) = sum([x, x^3])
fn f(x: [N, M]) = g4'(x)
""",
        lambda x: 1 + 3 * x**2,
        [(normal(3, 2),)],
    ),
    (
        """
fn h1(x: [D]) = hessian(sum(x^3), x)
fn f(X: [N, D]) = [h1(X[i]) for i]
""",
        lambda X: np.array([np.diag(6 * x) for x in X]),
        [(normal(3, 2),)],
    ),
    (
        """
fn j1(x: [D]) = jacobian(x^2*sum(x), x)
fn f(X: [N, D]) = [j1(X[i]) for i]
""",
        lambda X: np.array([np.diag(2 * x) * x.sum() + (x**2)[:, None] for x in X]),
        [(normal(3, 2),)],
    ),
    (
        """
fn f(q: [N]) {
 r = sum(q^2)
 g = diff(r, q)
 return sum(g^2)*r
}
""",
        lambda q: 4 * np.sum(q**2) ** 2,
        [(normal(3),)],
    ),
    (
        """
fn f(x: [N], y: [N]) {
 a = x*y
 b = sum(a^2)
 return diff(b, a) + diff(b, x)
}
""",
        lambda x, y: 2 * x * y + 2 * x * y * y,
        [(normal(3), normal(3))],
    ),
    (
        """
fn f(x: [n], A: [n, n]) = jacobian(diff(x @ A @ x, x), x)
""",
        lambda x, A_: A_ + A_.T,
        [(normal(3), normal(3, 3))],
    ),
    (
        """
fn f(x: [n], A: [n, n]) = trace(hessian(sum(sin(A @ x)), x))
""",
        lambda x, A_: -np.sum(np.sin(A_ @ x) * np.sum(A_**2, 1)),
        [(normal(3), normal(3, 3))],
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


# mapped functions whose derivatives are numbers: the arguments are q and r
NUMBERS = """
fn step(x) = sign(x)
fn power(x) = x^0 + floor(x)
fn choice(x) = if x > 0 then 1 else 2
fn both(x, y) = sign(x), x*sign(y)
fn crossed(x, y) = 3*y, x*2

fn of_step(q: [n], r: [n]) = jacobian(step(q), q)
fn of_multiple(q: [n], r: [n]) = jacobian(step(q)*r, q)
fn of_sum(q: [n], r: [n]) = jacobian(step(q) + q, q)
fn of_power(q: [n], r: [n]) = jacobian(power(q), q)
fn of_choice(q: [n], r: [n]) = jacobian(choice(q), q)
fn of_elements(q: [n], r: [n]) = jacobian([step(q[i]) for i], q)
fn of_prime(q: [n], r: [n]) = jacobian(step'(q), q)
fn of_first(q: [n], r: [n]) {
  a, b = both(q, r)
  return jacobian(a*b, q)
}
fn of_second(q: [n], r: [n]) {
  a, b = both(q, r)
  return jacobian(b, r)
}
fn of_total(q: [n], r: [n]) {
  a, b = crossed(q, r)
  return jacobian(a + b, q)
}
fn of_gradient(q: [n], r: [n]) = diff(sum(step(q)), q)
fn of_hessian(q: [n], r: [n]) = hessian(sum(step(q)*q), q)
"""
Q, R = np.array([1.5, -2.0, 3.0]), np.array([0.5, 4.0, -1.0])
ZEROS = np.zeros((3, 3))
CONSTANTS = {
    "of_step": ZEROS,
    "of_multiple": ZEROS,
    "of_sum": np.eye(3),
    "of_power": ZEROS,
    "of_choice": ZEROS,
    "of_elements": ZEROS,
    "of_prime": ZEROS,
    "of_first": np.diag(np.sign(Q) * np.sign(R)),
    "of_second": ZEROS,
    "of_total": 2 * np.eye(3),
    "of_gradient": np.zeros(3),
    "of_hessian": ZEROS,
}


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_derivative_that_is_one_number_is_that_of_each_element(
    load: Callable[..., ModuleType], target: str, level: int
) -> None:
    module = load(NUMBERS, target, level)
    q, r = (Q, R) if target == "numpy" else (Q.tolist(), R.tolist())
    for name, wanted in CONSTANTS.items():
        assert np.array_equal(getattr(module, name)(q, r), wanted), name
        value, saved = getattr(module, f"{name}_forward")(q, r)
        assert np.array_equal(value, wanted), name
        seed = np.ones_like(wanted) if target == "numpy" else np.ones_like(wanted).tolist()
        for field in getattr(module, f"{name}_backward")(saved, seed):
            assert np.array_equal(field, np.zeros(3)), name
        value, tangent = getattr(module, f"{name}_jvp")((q, r), (q, r))
        assert np.array_equal(value, wanted), name
        assert np.array_equal(tangent, np.zeros_like(wanted)), name
        for block in getattr(module, f"{name}_jacobian")(q, r):
            assert np.array_equal(block, np.zeros((*wanted.shape, 3))), name
