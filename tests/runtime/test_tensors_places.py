"""Windows, gathers and scatters against plain loops; adjoints against inner products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mgrad.runtime.gather import add_at, added, gathered, on_diagonal, outer, picked, replaced
from mgrad.runtime.windows import overlap_add, windows

RNG = np.random.default_rng(13)
PLACES = np.s_


@pytest.mark.parametrize(
    ("shape", "sizes", "strides", "axes"),
    [
        ((7,), (3,), (1,), (0,)),
        ((7,), (3,), (2,), (0,)),
        ((8,), (2,), (3,), (0,)),  # elements in no window
        ((3,), (3,), (1,), (0,)),
        ((1,), (1,), (1,), (0,)),
        ((2, 6, 5), (2, 3), (2, 1), (1, 2)),
        ((4, 3, 5), (2, 2), (1, 3), (2, 0)),
        ((0, 5), (2,), (1,), (1,)),
    ],
)
def test_windows_and_their_adjoint(shape: Any, sizes: Any, strides: Any, axes: Any) -> None:
    x = RNG.normal(size=shape)
    w = windows(x, sizes, strides, axes)
    counts = list(shape)
    for axis, size, stride in zip(axes, sizes, strides, strict=True):
        counts[axis] = (shape[axis] - size) // stride + 1
    assert w.shape == (*counts, *sizes)
    d = RNG.normal(size=w.shape)
    expected = np.zeros(shape)
    for at in np.ndindex(w.shape):
        place = list(at[: x.ndim])
        for axis, stride, offset in zip(axes, strides, at[x.ndim :], strict=True):
            place[axis] = place[axis] * stride + offset
        assert w[at] == x[tuple(place)]
        expected[tuple(place)] += d[at]
    np.testing.assert_allclose(overlap_add(d, shape, strides, axes), expected, atol=1e-14)
    out = np.full(shape, 9.0)
    assert overlap_add(d, shape, strides, axes, out=out) is out
    np.testing.assert_allclose(out, expected, atol=1e-14)


def test_windows_keep_float32_and_must_fit() -> None:
    x = np.ones((2, 5), np.float32)
    w = windows(x, (3,), (1,), (1,))
    assert w.dtype == overlap_add(w, (2, 5), (1,), (1,)).dtype == np.float32
    assert windows(x, (6,), (1,), (1,)).shape == (2, 0, 6)
    with pytest.raises(ValueError, match="windows of 7 do not fit into an axis of 5"):
        windows(x, (7,), (1,), (1,))


K = np.array([2, 0, 2, -1, 2])
INDICES = [
    ((4,), K),
    ((4,), PLACES[1:3]),
    ((4,), 2),
    ((4,), PLACES[::-2]),
    ((4, 3), K),
    ((4, 3), K.reshape(5, 1)),
    ((3, 4), PLACES[:, K]),
    ((3, 4), PLACES[1:, K]),
    ((3, 4), PLACES[2, K]),
    ((4, 3), PLACES[..., 1]),
    ((4, 4), (K, K)),
    ((4, 4), (K, np.array([0, 1, 0, 2, 0]))),
    ((2, 4, 3), PLACES[:, K, 1:]),
    ((4, 2, 3), K),
    ((4, 0), K),
    ((3, 4), np.zeros(0, int)),
    ((0,), np.zeros(0, int)),
    ((0, 3), np.zeros(0, int)),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("shape", "index"), INDICES)
def test_added_sums_what_meets_in_one_place(shape: Any, index: Any, dtype: Any) -> None:
    x = RNG.integers(-9, 9, shape).astype(dtype)
    given = x.copy()
    numbers = np.arange(x.size).reshape(shape)[index]
    values = RNG.integers(-9, 9, np.shape(numbers)).astype(dtype)
    expected = x.astype(float).reshape(-1)
    for place, value in zip(np.ravel(numbers).tolist(), np.ravel(values).tolist(), strict=True):
        expected[place] += value
    found = added(x, index, values)
    np.testing.assert_array_equal(found, expected.reshape(shape))
    assert found.dtype == dtype
    np.testing.assert_array_equal(x, given)


@pytest.mark.parametrize(("shape", "index"), INDICES)
def test_added_is_the_adjoint_of_taking(shape: Any, index: Any) -> None:
    x = RNG.normal(size=shape)
    d = RNG.normal(size=np.shape(x[index]))
    back = added(np.zeros(shape), index, d)
    assert np.sum(back * x) == pytest.approx(float(np.sum(d * x[index])), abs=1e-12)


def test_added_takes_many_rows_and_one_number_for_all() -> None:
    index = RNG.integers(0, 50, 3000)
    values = RNG.normal(size=(3000, 40))
    expected = np.zeros((50, 40))
    np.add.at(expected, index, values)
    np.testing.assert_allclose(added(np.zeros((50, 40)), index, values), expected, rtol=1e-12)
    np.testing.assert_array_equal(added(np.zeros((3, 2)), K[:3], 1.0), [[1, 1], [0, 0], [2, 2]])


LONG = RNG.integers(-40, 40, 30_000)
MANY = [  # each more than what is done at once
    ((40,), LONG),
    ((40, 3), LONG),
    ((40, 600), LONG[:100]),  # wide rows, one by one
    ((3, 40), PLACES[:, LONG]),
    ((3, 40), PLACES[1:, LONG]),
    ((40, 9), PLACES[LONG, ::-2]),
    ((40, 50), (LONG, LONG[::-1])),
    ((40, 5, 40), PLACES[LONG, 1:3, LONG[::-1]]),
    ((40, 900, 40), PLACES[LONG[:20], :, LONG[:20]]),
    ((5, 40, 40), PLACES[1:3, LONG, LONG[::-1]]),
    ((40, 3), LONG.reshape(3, -1)),
    ((40, 40), (LONG.reshape(-1, 3), LONG[:3])),
]


@pytest.mark.parametrize(("shape", "index"), MANY)
def test_many_are_taken_and_added_in_pieces(shape: Any, index: Any) -> None:
    x = RNG.normal(size=shape)
    expected = x[index]
    items = index if isinstance(index, tuple) else (index,)
    at = [axis for axis, item in enumerate(items) if not isinstance(item, slice)]
    rank = max(items[axis].ndim for axis in at)
    out = np.full(expected.shape, 9.0)
    if at[-1] - at[0] >= len(at):
        out = np.moveaxis(out, range(rank), range(at[0], at[0] + rank)).copy()
    assert picked(x, index, out) is out
    back = np.moveaxis(out, range(at[0], at[0] + rank), range(rank))
    np.testing.assert_array_equal(out if at[-1] - at[0] < len(at) else back, expected)
    if len(items) == 1:
        other = np.asfortranarray(x)
        np.testing.assert_array_equal(gathered(other, index, 0, np.empty(out.shape)), expected)
    values = RNG.normal(size=expected.shape)
    found, right = x.copy(), x.copy()
    add_at(found, index, values)
    np.add.at(right, index, values)
    np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-12)
    add_at(found, index, 2.0)
    np.add.at(right, index, 2.0)
    np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("place", [0, 29_999])
@pytest.mark.parametrize("wrong", [40, -41])
def test_an_index_outside_is_an_error_wherever_it_stands(wrong: int, place: int) -> None:
    index = LONG.copy()
    index[place] = wrong
    x = np.ones((40, 3))
    message = f"index {wrong} is out of bounds for axis 0 with size 40"
    with pytest.raises(IndexError, match=message):
        picked(x, (index, slice(1, None)), np.empty((30_000, 2)))
    with pytest.raises(IndexError, match=message):
        add_at(x, index, np.ones((30_000, 3)))
    np.testing.assert_array_equal(x, np.ones((40, 3)))


def test_replaced_keeps_the_last() -> None:
    x = np.arange(4.0)
    found = replaced(x, K, np.array([10.0, 11, 12, 13, 14]))
    np.testing.assert_array_equal(found, [11, 1, 14, 13])
    np.testing.assert_array_equal(x, np.arange(4.0))
    np.testing.assert_array_equal(replaced(np.zeros((2, 2)), PLACES[:, 1], 5.0), [[0, 5], [0, 5]])


@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_an_index_outside_is_refused(shape: Any) -> None:
    with pytest.raises(IndexError, match="index 3 is out of bounds"):
        added(np.zeros(shape), np.array([0, 3]), 1.0)
    with pytest.raises(IndexError, match="index -4 is out of bounds"):
        replaced(np.zeros(shape), np.array([-4]), 1.0)


def test_on_diagonal() -> None:
    x = RNG.normal(size=3)
    np.testing.assert_array_equal(on_diagonal(x, (0, 0)), np.diag(x))
    y = RNG.normal(size=(2, 3))
    found = on_diagonal(y, (0, 1, 0, 1))
    assert found.shape == (2, 3, 2, 3)
    for i, j, k, n in np.ndindex(found.shape):
        assert found[i, j, k, n] == (y[i, j] if (i, j) == (k, n) else 0)
    np.testing.assert_array_equal(on_diagonal(y, (1, 0, 1))[:, 1, :], np.diag(y[1]))
    assert on_diagonal(np.zeros(0, np.float32), (0, 0)).dtype == np.float32


@pytest.mark.parametrize("columns", [0, 1, 5, 255, 256, 400])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_outer_product_is_written_where_it_belongs(columns: int, dtype: type) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=7).astype(dtype), rng.normal(size=columns).astype(dtype)
    out = np.empty((7, columns), dtype)
    assert outer(x, y, out) is out
    np.testing.assert_allclose(out, np.outer(x, y), rtol=1e-6)


def test_an_outer_product_of_views_and_of_ints() -> None:
    x, y = np.arange(10.0)[::2], np.arange(4.0)[::-1]
    wide = np.zeros((5, 8))
    outer(x, y, wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], np.outer(x, y))
    np.testing.assert_array_equal(wide[:, 1::2], 0)
    np.testing.assert_array_equal(outer(x, y), np.outer(x, y))
    whole = outer(np.arange(3), np.arange(2))
    assert whole.dtype == np.int64
    np.testing.assert_array_equal(whole, [[0, 0], [0, 1], [0, 2]])


@pytest.mark.parametrize("size", [3, 700])
def test_values_are_added_to_an_array_of_any_layout(size: int) -> None:
    """A sum of transposed arrays has its columns next to each other."""
    rng = np.random.default_rng(0)
    begun, k, values = rng.normal(size=(4, size)), np.array([1, 0, 1]), rng.normal(size=(size, 3))
    result = -begun.T
    assert not result.flags.c_contiguous
    add_at(result, np.s_[:, k], values)
    expected = -begun.T.copy()
    np.add.at(expected, np.s_[:, k], values)
    np.testing.assert_array_equal(result, expected)
