"""Reductions against mpmath, plain loops and central differences."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest

from mgrad.runtime.reductions import logsumexp, prod_others, share

RNG = np.random.default_rng(11)


def exact_logsumexp(values: Any) -> float:
    with mpmath.workdps(60):
        return float(mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(float(v))) for v in values)))


@pytest.mark.parametrize(
    "values",
    [
        [0.3, -1.2, 2.5],
        [1000.0, 1000.5, 999.0],
        [-1000.0, -1001.0],
        [0.0, -50.0],  # log(1 + 2e-22)
        [0.0, -50.0, -51.0, -52.0],
        [1e-9, -40.0],
        [-1e-3, -7.0],
        [-0.2, -1.5, -1.9],
        [5.0],
        [0.0],
        [0.0, -math.inf],
        [-0.1, -0.1 - 1e-12, -3.0],
    ],
)
def test_logsumexp_has_all_digits(values: list[float]) -> None:
    found = logsumexp(np.array(values), (0,))
    assert found == pytest.approx(exact_logsumexp(values), rel=2e-14, abs=0)


def test_logsumexp_over_some_axes() -> None:
    x = RNG.normal(size=(2, 3, 4)) * 5
    for count in (1, 2, 3):
        for axes in itertools.combinations(range(3), count):
            found = logsumexp(x, axes)
            rest = [axis for axis in range(3) if axis not in axes]
            rows = np.transpose(x, [*rest, *axes]).reshape(*[x.shape[a] for a in rest], -1)
            expected = np.apply_along_axis(exact_logsumexp, -1, rows)
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_logsumexp_mixes_rows_near_zero_with_others() -> None:
    x = np.array([[0.0, -50.0], [700.0, 1.0], [-np.inf, -np.inf], [0.0, -np.inf]])
    expected = [exact_logsumexp([0, -50]), 700.0, -np.inf, 0.0]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(logsumexp(x, (1,)), expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-math.inf, -math.inf], -math.inf),
        ([math.inf, 1.0], math.inf),
        ([math.inf, math.inf], math.inf),
        ([math.inf, -math.inf], math.inf),
        ([math.nan, 1.0], math.nan),
        ([math.nan, math.inf], math.nan),
        ([], -math.inf),
        ([1e308, 1e308], 1e308),
    ],
)
def test_logsumexp_at_the_ends(values: list[float], expected: float) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_equal(float(logsumexp(np.array(values), (0,))), expected)


def test_logsumexp_of_empty_axes() -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(logsumexp(np.zeros((3, 0)), (1,)), [-np.inf] * 3)
        assert logsumexp(np.zeros((0, 3)), (1,)).shape == (0,)


def test_logsumexp_of_a_long_array_goes_in_blocks() -> None:
    x = RNG.normal(size=200_000)
    assert logsumexp(x, (0,)) == pytest.approx(math.log(math.fsum(np.exp(x))), rel=1e-14)
    assert logsumexp(x.reshape(200, -1), (0, 1)) == logsumexp(x, (0,))
    for rows in (2, 1000, 100_000):
        table = x.reshape(rows, -1)
        expected = [math.log(math.fsum(row)) for row in np.exp(table)]
        np.testing.assert_allclose(logsumexp(table, (1,)), expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(logsumexp(table.T, (0,)), expected, rtol=1e-12, atol=1e-14)


def test_logsumexp_keeps_float32() -> None:
    x = RNG.normal(size=(3, 5)).astype(np.float32)
    for axes in ((0,), (0, 1)):
        assert logsumexp(x, axes).dtype == np.float32
    expected = [exact_logsumexp(row) for row in x]
    np.testing.assert_allclose(logsumexp(x, (1,)), expected, rtol=1e-6)


def test_share_among_ties() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [5.0, -1.0, 0.0]])
    expected = [[0, 1 / 2, 1 / 2], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]]
    np.testing.assert_array_equal(share(x, x.max(axis=1), (1,)), expected)
    np.testing.assert_array_equal(share(x, x.max(), (0, 1)), x == 5)
    least = share(x, x.min(axis=0), (0,))
    np.testing.assert_array_equal(least, [[1, 0, 0], [0, 0, 0], [0, 1, 1]])
    assert share(x.astype(np.float32), x.max(), (0, 1)).dtype == np.float32


def test_share_of_nan_is_nan() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(share(np.array([1.0, np.nan]), np.float64(np.nan), (0,))).all()


# ------------------------------------------------------------------------------------ prod_others


def product_derivative(x: Any, along: Any, i: int) -> float:
    """d/dx_i of the product, derived along the directions: a sum over distinct other elements."""
    total = 0.0
    others = [m for m in range(len(x)) if m != i]
    for picked in itertools.permutations(others, len(along)):
        term = math.prod(x[m] for m in others if m not in picked)
        total += term * math.prod(t[m] for t, m in zip(along, picked, strict=True))
    return total


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("zeros", [(), (1,), (0, 3), (0, 1, 4)])
def test_prod_others_and_its_derivatives(count: int, zeros: tuple[int, ...]) -> None:
    x = RNG.uniform(0.5, 2, 5) * [1, -1, 1, 1, -1]
    x[list(zeros)] = 0
    along = [RNG.normal(size=5) for _ in range(count)]
    expected = [product_derivative(x, along, i) for i in range(5)]
    np.testing.assert_allclose(prod_others(x, (0,), *along), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_prod_others_over_axes(axes: tuple[int, ...]) -> None:
    x = RNG.integers(-2, 3, (2, 3, 4)).astype(float)
    t = RNG.normal(size=x.shape)
    first, second = prod_others(x, axes), prod_others(x, axes, t)
    out = np.full(x.shape, 9.0)
    assert prod_others(x, axes, scratch=np.full(x.shape, 9.0), out=out) is out
    np.testing.assert_array_equal(out, first)
    np.testing.assert_array_equal(prod_others(np.asfortranarray(x), axes), first)
    for at in np.ndindex(x.shape):
        line = tuple(slice(None) if axis in axes else i for axis, i in enumerate(at))
        own = [i if axis in axes else 0 for axis, i in enumerate(at)]
        shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
        place = int(np.ravel_multi_index(own, shape))
        row, direction = x[line].reshape(-1), t[line].reshape(-1)
        assert first[at] == product_derivative(row, [], place)
        assert second[at] == pytest.approx(product_derivative(row, [direction], place), abs=1e-12)


def test_prod_others_is_the_gradient_of_the_product() -> None:
    x, h = RNG.normal(size=7), 1e-6
    for i in range(7):
        e = np.eye(7)[i] * h
        slope = (np.prod(x + e) - np.prod(x - e)) / (2 * h)
        assert prod_others(x, (0,))[i] == pytest.approx(slope, rel=1e-7)


def test_prod_others_of_little() -> None:
    np.testing.assert_array_equal(prod_others(np.array([3.0]), (0,)), [1.0])
    np.testing.assert_array_equal(prod_others(np.array([3.0]), (0,), np.ones(1)), [0.0])
    assert prod_others(np.zeros(0), (0,)).shape == (0,)
    assert prod_others(np.zeros((3, 0)), (1,), np.zeros((3, 0))).shape == (3, 0)
    assert prod_others(np.zeros((0, 3)), (1,)).shape == (0, 3)
    assert prod_others(np.ones(3, np.float32), (0,), np.ones(3, np.float32)).dtype == "f4"
