"""Sizes that the emitted text computes: quotients beside other factors, bounds of slices, numbers
made of sizes. Values and gradients are NumPy's, on both targets and at both levels."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

Load = Callable[..., ModuleType]
TARGETS = [("numpy", 0), ("numpy", 1), ("python", 0), ("python", 1)]

# a program, its value in NumPy, and the gradient of the value's sum
QUOTIENTS: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = [
    (
        "fn f(x: [N]) = [x[2*i + 1] for i in 0..N//2]",
        lambda x: x[1::2],
        lambda x: np.arange(len(x)) % 2,
    ),
    (
        "fn f(x: [N]) = x[:2*(N//2)]",
        lambda x: x[: len(x) // 2 * 2],
        lambda x: np.arange(len(x)) < len(x) // 2 * 2,
    ),
    (
        "fn f(x: [N]) = x[-1:0:-2]",
        lambda x: x[-1:0:-2],
        lambda x: (np.arange(len(x)) > 0) & ((len(x) - 1 - np.arange(len(x))) % 2 == 0),
    ),
    (
        "fn f(x: [N]) = [x[N - 1 - 2*i] for i in 0..(N + 1)//2]",
        lambda x: x[::-1][::2],
        lambda x: (len(x) - 1 - np.arange(len(x))) % 2 == 0,
    ),
    (
        "fn f(x: [N]) = x*(2*(N//2)) - x*(N//2)",
        lambda x: x * (len(x) // 2),
        lambda x: np.full(len(x), len(x) // 2),
    ),
    (
        "fn f(x: [N]) = x*(3*(N//2)^2)",
        lambda x: x * 3 * (len(x) // 2) ** 2,
        lambda x: np.full(len(x), 3 * (len(x) // 2) ** 2),
    ),
    (
        "fn f(x: [N]) = sum(x)*arange(-(N//2), 2*(N//2))",
        lambda x: x.sum() * np.arange(-(len(x) // 2), len(x) // 2 * 2),
        lambda x: np.full(len(x), np.arange(-(len(x) // 2), len(x) // 2 * 2).sum()),
    ),
    (
        "fn f(x: [N]) = reshape(x[N%2:], N//2, 2)",
        lambda x: x[len(x) % 2 :].reshape(-1, 2),
        lambda x: np.arange(len(x)) >= len(x) % 2,
    ),
    (
        "fn f(x: [N]) = tile(x[N//2:], N//2 + N//2)",
        lambda x: np.tile(x[len(x) // 2 :], len(x) // 2 * 2),
        lambda x: (np.arange(len(x)) >= len(x) // 2) * (len(x) // 2 * 2),
    ),
    ("fn f(x: [N]) = x[N:]", lambda x: x[len(x) :], lambda x: 0 * x),
    ("fn f(x: [N]) = concat(x[N:N], x)", lambda x: x, np.ones_like),
]


@pytest.mark.parametrize(("target", "level"), TARGETS)
@pytest.mark.parametrize(("source", "value", "slope"), QUOTIENTS, ids=[q[0] for q in QUOTIENTS])
@pytest.mark.parametrize("size", [1, 4, 5, 8])
def test_quotients_of_sizes(
    load: Load,
    target: str,
    level: int,
    source: str,
    value: Callable[[Any], Any],
    slope: Callable[[Any], Any],
    size: int,
) -> None:
    module = load(source, target, level)
    x = np.arange(1.0, size + 1)
    wanted = value(x)
    found, saved = module.f_forward(x)
    np.testing.assert_array_equal(np.reshape(found, wanted.shape), wanted)
    (d_x,) = module.f_backward(saved, np.ones(wanted.shape))
    np.testing.assert_array_equal(d_x, slope(x))


# a program, and its value at x = [0.5, 1.5, 2.5] and n = 2
WHOLE: list[tuple[str, Any]] = [
    ("a = ones(N)*2\n  a[0] = x[0]\n  return a*x[1]", [0.75, 3.0, 3.0]),
    ("a = zeros(N) + 1\n  a[:2] += x[:2]\n  return a*x[1]", [2.25, 3.75, 1.5]),
    ("a = ones(N)*n\n  a[-1] *= x[0]\n  return a*x[1]", [3.0, 3.0, 1.5]),
    ("k = [0, 0, 1]\n  a = n + zeros(N)\n  a[k] += x[:3]\n  return a*x[1]", [6.0, 6.75, 3.0]),
]


@pytest.mark.parametrize(("target", "level"), TARGETS)
@pytest.mark.parametrize(("body", "value"), WHOLE, ids=[w[0] for w in WHOLE])
def test_reals_that_are_whole_numbers_take_reals(
    load: Load, target: str, level: int, body: str, value: Any
) -> None:
    module = load(f"fn f(x: [N], n: int) {{\n  {body}\n}}", target, level)
    np.testing.assert_allclose(module.f(np.array([0.5, 1.5, 2.5]), 2), value, rtol=1e-15)


# a number made of sizes, and what it is for N, M
NUMBERS: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("1/N", lambda n, m: 1 / n),
    ("-1/N", lambda n, m: -1 / n),
    ("N/M", lambda n, m: n / m),
    ("1/(N*M)", lambda n, m: 1 / (n * m)),
    ("1/(N//2)", lambda n, m: 1 / (n // 2)),
    ("1/(N + 1)", lambda n, m: 1 / (n + 1)),
    ("N^(-1)", lambda n, m: 1 / n),
    ("2^N", lambda n, m: 2**n),
    ("1.5^(N/2)", lambda n, m: 1.5 ** (n / 2)),
    ("where(N > 0, 1/N, 7)", lambda n, m: 1 / n if n > 0 else 7),
    ("reciprocal(N)", lambda n, m: 1 / n),
    ("reciprocal(0)", lambda n, m: np.float64(np.inf)),
]


@pytest.mark.parametrize(("target", "level"), TARGETS)
@pytest.mark.parametrize(("number", "value"), NUMBERS, ids=[n[0] for n in NUMBERS])
def test_numbers_made_of_sizes_follow_ieee_754(
    load: Load, target: str, level: int, number: str, value: Callable[[Any, Any], Any]
) -> None:
    source = f"""
fn reciprocal(x) = 1/x
fn f(x: [N], y: [M]) = ({number})*(2 + sum(x))
fn g(x) = reciprocal(x)
"""
    module = load(source, target, level)
    for n, m in [(0, 0), (3, 0), (2, 2), (2000, 1)]:
        with np.errstate(all="ignore"):
            slope = value(np.float64(n), np.float64(m))
            wanted = slope * (2 + n)
        found, (d_x, _) = module.f_value_and_grad(np.ones(n), np.ones(m))
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
        np.testing.assert_allclose(d_x, np.full(n, slope), rtol=1e-12)


@pytest.mark.parametrize(("target", "level"), TARGETS)
@pytest.mark.parametrize("reduction", ["mean(x, axis=1)", "var(x, axis=0)", "std(x)"])
def test_jacobians_of_means_over_nothing(
    load: Load, target: str, level: int, reduction: str
) -> None:
    module = load(f"fn f(x: [N, M]) = {reduction}", target, level)
    assert np.size(module.f_jacobian(np.ones((0, 3)))) == 0
    assert np.size(module.f_jacobian(np.ones((2, 0)))) == 0
