"""`softmax`, `logsumexp` of what has its softmax, and `padded`."""

from typing import Any

import numpy as np
import pytest
from scipy import special

from mgrad.runtime.tensors import logsumexp, padded, softmax

SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((7,), (0,)),
    ((100_000,), (0,)),
    ((4, 5, 6), (1,)),
    ((4, 5, 6), (0, 2)),
    ((300, 200), (0, 1)),
    ((3, 0), (0,)),
]


@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_softmax_and_logsumexp_are_those_of_scipy(shape: Any, axes: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape) * 3
    soft = softmax(x, axes)
    np.testing.assert_allclose(soft, special.softmax(x, axis=axes), rtol=1e-13)
    expected = special.logsumexp(x, axis=axes)
    np.testing.assert_allclose(logsumexp(x, axes, soft), expected, rtol=1e-14)
    np.testing.assert_allclose(logsumexp(x, axes), expected, rtol=1e-14)


@pytest.mark.parametrize("axes", [(0,), (1,)])
def test_where_the_sum_is_close_to_1_no_digit_is_lost(axes: tuple[int]) -> None:
    table = np.array([[0.0, -40.0], [-40.0, 0.0]])
    found = logsumexp(table, axes, softmax(table, axes))
    np.testing.assert_allclose(found, np.full(2, np.log1p(np.exp(-40))), rtol=1e-15)
    alone = logsumexp(table[0], (0,), softmax(table[0], (0,)))
    assert alone == pytest.approx(np.log1p(np.exp(-40)), rel=1e-15)


@pytest.mark.parametrize("row", [[-np.inf, -np.inf], [np.inf, 1.0], [np.nan, 1.0], [1e4, -1e4]])
def test_infinities_are_those_without_the_softmax(row: list[float]) -> None:
    x = np.array(row)
    with np.errstate(all="ignore"):
        alone = logsumexp(x, (0,))
        np.testing.assert_array_equal(logsumexp(x, (0,), softmax(x, (0,))), alone)
        both = np.stack((x, x))
        np.testing.assert_array_equal(logsumexp(both, (1,), softmax(both, (1,))), [alone, alone])
        np.testing.assert_array_equal(softmax(both, (1,))[0], softmax(x, (0,)))


def test_float32_stays() -> None:
    x = np.arange(4, dtype=np.float32)
    soft = softmax(x, (0,))
    assert soft.dtype == np.float32
    assert type(logsumexp(x, (0,), soft)) is np.float32


def test_padded_is_the_array_between_zeros() -> None:
    x = np.arange(1.0, 7.0).reshape(2, 3)
    np.testing.assert_array_equal(padded(x, (1, 0), (0, 2)), np.pad(x, ((1, 0), (0, 2))))
    np.testing.assert_array_equal(padded(x[0], (2, 1)), [0, 0, 1, 2, 3, 0])
    assert padded(x.astype(np.float32)[0], (0, 1)).dtype == np.float32


@pytest.mark.parametrize("top", [-1.0, 0.0, 39.0, 41.0, 599.0, 601.0, 1e4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_softmax_is_right_whether_it_is_shifted_or_not(top: float, dtype: type) -> None:
    x = (top - np.array([0.0, 0.5, 3.0, 30.0])).astype(dtype)
    expected = special.softmax(x.astype(np.float64))
    rtol = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(softmax(x, (0,)), expected, rtol=rtol)
    assert softmax(x, (0,)).dtype == dtype
