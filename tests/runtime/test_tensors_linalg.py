"""Linear algebra against mpmath, plain loops and central differences."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import mpmath
import numpy as np
import pytest

from mgrad.runtime.linalg import cholesky, cofactor, inv, solve, solve_triangular

RNG = np.random.default_rng(12)


def exact_cofactor(a: Any) -> Any:
    """Signed minors, with 50 digits."""
    n = a.shape[-1]
    result = np.zeros((n, n))
    with mpmath.workdps(50):
        for i in range(n):
            for j in range(n):
                minor = np.delete(np.delete(a, i, 0), j, 1)
                value = mpmath.det(mpmath.matrix(minor.tolist())) if n > 1 else 1
                result[i, j] = (-1) ** (i + j) * value
    return result


def leibniz_along(a: Any, along: Any) -> Any:
    """The derivative of det by each element and along the directions, from its definition as a sum
    over permutations."""
    n = a.shape[-1]
    result = np.zeros((n, n))
    for columns in permutations(range(n)):
        sign = (-1) ** sum(p > q for p, q in combinations(columns, 2))
        for i in range(n):
            others = [r for r in range(n) if r != i]
            for picked in permutations(others, len(along)):
                term = float(sign)
                for r in others:
                    from_a = r not in picked
                    term *= (a if from_a else along[picked.index(r)])[r, columns[r]]
                result[i, columns[i]] += term
    return result


def of_rank(n: int, rank: int) -> Any:
    return RNG.normal(size=(n, rank)) @ RNG.normal(size=(rank, n))


@pytest.mark.parametrize(("n", "rank"), [(n, r) for n in (1, 2, 3, 5) for r in range(n + 1)])
def test_cofactor_at_every_rank(n: int, rank: int) -> None:
    a = of_rank(n, rank)
    np.testing.assert_allclose(cofactor(a), exact_cofactor(a), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize(("n", "rank"), [(1, 1), (2, 0), (2, 2), (3, 1), (3, 3), (4, 2), (4, 4)])
def test_cofactor_along_directions(n: int, rank: int, count: int) -> None:
    a = of_rank(n, rank)
    along = [RNG.normal(size=(n, n)) for _ in range(count)]
    expected = leibniz_along(a, along)
    np.testing.assert_allclose(cofactor(a, *along), expected, rtol=1e-11, atol=1e-11)


def test_cofactor_along_is_the_slope_of_cofactor() -> None:
    a, h = of_rank(5, 4), RNG.normal(size=(5, 5))
    slope = (cofactor(a + 1e-5 * h) - cofactor(a - 1e-5 * h)) / 2e-5
    np.testing.assert_allclose(cofactor(a, h), slope, rtol=1e-6, atol=1e-6)


def test_cofactor_is_the_slope_of_det() -> None:
    a, h = RNG.normal(size=(6, 6)), RNG.normal(size=(6, 6))
    slope = (np.linalg.det(a + 1e-6 * h) - np.linalg.det(a - 1e-6 * h)) / 2e-6
    assert np.sum(cofactor(a) * h) == pytest.approx(slope, rel=1e-6)
    expected = np.linalg.det(a) * np.linalg.inv(a).T
    np.testing.assert_allclose(cofactor(a), expected, rtol=1e-10)


def test_cofactor_of_batches_and_little() -> None:
    a, h, g = RNG.normal(size=(3, 2, 3, 4, 4))
    for along in ((), (h,), (h, g)):
        found = cofactor(a, *along)
        for at in np.ndindex(2, 3):
            alone = cofactor(a[at], *[x[at] for x in along])
            np.testing.assert_allclose(found[at], alone, rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(cofactor(np.array([[7.0]])), [[1.0]])
    empty = np.zeros((0, 0))
    assert cofactor(empty).shape == cofactor(empty, empty).shape == (0, 0)
    assert cofactor(np.zeros((0, 3, 3))).shape == (0, 3, 3)
    assert cofactor(np.eye(3, dtype=np.float32)).dtype == np.float32


def test_cofactor_of_what_is_not_finite() -> None:
    a = np.stack([np.eye(2), np.full((2, 2), np.nan), np.full((2, 2), np.inf)])
    np.testing.assert_array_equal(np.isnan(cofactor(a)).all(axis=(1, 2)), [False, True, True])


# -------------------------------------------------------------------------- inverse, solve, factor


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_inv_and_solve(dtype: Any) -> None:
    a = (RNG.normal(size=(4, 3, 3)) + 3 * np.eye(3)).astype(dtype)
    b, columns = RNG.normal(size=(4, 3)).astype(dtype), RNG.normal(size=(4, 3, 2)).astype(dtype)
    close = 1e-12 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(a @ inv(a), np.broadcast_to(np.eye(3), a.shape), atol=close)
    np.testing.assert_allclose((a @ solve(a, b)[..., None])[..., 0], b, atol=close)
    np.testing.assert_allclose(a @ solve(a, columns), columns, atol=close)
    for found, like in ((inv(a), a), (solve(a, b), b), (solve(a, columns), columns)):
        assert (found.shape, found.dtype) == (like.shape, like.dtype)


def test_singular_matrices_are_nan_and_leave_the_batch_alone() -> None:
    a = np.stack([np.eye(2), np.ones((2, 2)), 2 * np.eye(2)])
    b = np.ones((3, 2))
    nan = np.full((2, 2), np.nan)
    np.testing.assert_array_equal(inv(a), [np.eye(2), nan, np.eye(2) / 2])
    np.testing.assert_array_equal(solve(a, b), [[1, 1], [np.nan, np.nan], [0.5, 0.5]])
    with np.errstate(all="ignore"):
        assert inv(np.zeros((1, 1)))[0, 0] == np.inf
        assert solve(np.zeros((1, 1)), np.array([-2.0]))[0] == -np.inf


def test_nan_in_is_nan_out() -> None:
    a = np.full((2, 2), np.nan)
    with np.errstate(all="ignore"):
        for found in (inv(a), solve(a, np.ones(2)), cholesky(a)):
            assert np.isnan(found).any()


def test_cholesky() -> None:
    root = RNG.normal(size=(5, 4, 4))
    a = root @ np.swapaxes(root, -1, -2) + np.eye(4)
    factor = cholesky(a)
    np.testing.assert_allclose(factor @ np.swapaxes(factor, -1, -2), a, rtol=1e-12)
    np.testing.assert_array_equal(np.triu(factor, 1), np.zeros(a.shape))
    assert (np.diagonal(factor, axis1=1, axis2=2) > 0).all()
    only_lower = np.tril(a) + np.triu(RNG.normal(size=a.shape), 1)
    np.testing.assert_array_equal(cholesky(only_lower), factor)


def test_cholesky_of_what_is_not_positive_definite_is_nan() -> None:
    a = np.stack([np.eye(2), -np.eye(2), np.zeros((2, 2)), 4 * np.eye(2)])
    found = cholesky(a)
    np.testing.assert_array_equal(found[[0, 3]], [np.eye(2), 2 * np.eye(2)])
    assert np.isnan(found[[1, 2]]).all()
    assert np.isnan(cholesky(-np.eye(3, dtype=np.float32))).all()


@pytest.mark.parametrize("batch", [(), (1,), (3,), (20,), (2, 0), (7, 5)])
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("transposed", [True, False])
def test_solve_triangular(batch: tuple[int, ...], lower: bool, transposed: bool) -> None:
    a = RNG.normal(size=(*batch, 4, 4)) + 3 * np.eye(4)
    t = np.tril(a) if lower else np.triu(a)
    t = np.swapaxes(t, -1, -2) if transposed else t
    for b in (RNG.normal(size=(*batch, 4)), RNG.normal(size=(*batch, 4, 3))):
        given = b.copy()
        x = solve_triangular(a, b, lower=lower, transposed=transposed)
        assert x.shape == b.shape
        both = t @ x if b.ndim == a.ndim else (t @ x[..., None])[..., 0]
        np.testing.assert_allclose(both, b, atol=1e-13)
        np.testing.assert_array_equal(b, given)
        again = solve_triangular(
            np.asfortranarray(a), np.asfortranarray(b), lower=lower, transposed=transposed
        )
        np.testing.assert_allclose(again, x, rtol=1e-12)


@pytest.mark.parametrize("batch", [(), (20,)])
def test_solve_triangular_follows_ieee(batch: tuple[int, ...]) -> None:
    a = np.broadcast_to(np.diag([1.0, 0.0]), (*batch, 2, 2))
    with np.errstate(all="ignore"):
        x = solve_triangular(a, np.ones((*batch, 2)), lower=True)
    np.testing.assert_array_equal(x, np.broadcast_to([1.0, np.inf], (*batch, 2)))


def test_solve_triangular_of_little() -> None:
    for shape in ((0,), (0, 3)):
        assert solve_triangular(np.zeros((0, 0)), np.zeros(shape)).shape == shape
    assert solve_triangular(np.eye(3), np.zeros((3, 0))).shape == (3, 0)
    single = np.eye(3, dtype=np.float32)
    assert solve_triangular(single, np.ones(3, np.float32)).dtype == np.float32
    for function in (inv, cholesky):
        assert function(np.zeros((0, 0))).shape == (0, 0)
        assert function(np.zeros((0, 2, 2))).shape == (0, 2, 2)
    assert solve(np.zeros((0, 0)), np.zeros(0)).shape == (0,)
