"""Blocks of rows and planned buffers."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from mgrad.runtime.rows import FRESH, PLANNED, blocks, height, planned_blocks
from mgrad.runtime.tensors import arrays_value_and_grad
from mgrad.runtime.workspace import inside, planned


@pytest.mark.parametrize("rows", [0, 1, 2, 7, 100, 16_384, 32_769, 100_000])
@pytest.mark.parametrize("width", [0, 1, 3, 1000, 16_384, 10**6])
def test_blocks_cover_the_rows_in_order(rows: int, width: int) -> None:
    parts = list(blocks(rows, width))
    covered = [i for part in parts for i in range(part.start, part.stop)]
    assert covered == list(range(rows))
    assert all(part.start < part.stop <= rows for part in parts)
    for part in parts:
        count = part.stop - part.start
        assert count == 1 or count * width <= 2 * FRESH


@pytest.mark.parametrize("rows", [0, 1, 7, 100_000, 300_000])
@pytest.mark.parametrize("width", [0, 1, 3, 1000, 10**6])
def test_planned_blocks_are_as_high_as_they_say(rows: int, width: int) -> None:
    parts = list(planned_blocks(rows, width))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(rows))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes, default=0) == min(rows, height(rows, width))
    assert all(size == 1 or size * width <= 2 * PLANNED for size in sizes)


def test_buffers_stay_while_sizes_and_dtype_do() -> None:
    work: dict[str, Any] = {}
    double, single = np.dtype(np.float64), np.dtype(np.float32)
    a, b = planned(work, "f", double, a=(3,), b=(2, 4))
    assert (a.shape, b.shape, a.dtype) == ((3,), (2, 4), np.float64)
    again = planned(work, "f", double, a=(3,), b=(2, 4))
    assert again[0] is a
    assert again[1] is b
    assert planned(work, "g", double, a=(3,))[0] is not a
    assert planned(work, "f", double, a=(3,), b=(2, 4))[0] is a
    other = planned(work, "f", single, a=(3,), b=(2, 4))
    assert other[0].dtype == np.float32
    assert planned(work, "f", single, a=(5,), b=(2, 4))[0].shape == (5,)
    assert planned(None, "f", double, a=(3,))[0].shape == (3,)


def test_a_plan_knows_other_dtypes_ranges_and_shared_memory() -> None:
    single = np.dtype(np.float32)
    plan = {"a": (2,), "b": "a", "c": ((3,), bool), "i": range(1, 4), "k": range(0)}
    for work in ({}, None):
        a, b, c, i, k = planned(work, "f", single, **plan)
        assert b is a
        assert (a.dtype, c.dtype, i.dtype) == (single, np.bool_, np.int64)
        np.testing.assert_array_equal(i, [1, 2, 3])
        assert k.shape == (0,)


def test_each_call_has_its_own_part_of_a_workspace() -> None:
    work: dict[str, Any] = {}
    first, second = inside(work, "f.g"), inside(work, "f.g 2")
    assert first is not second
    assert inside(work, "f.g") is first
    assert inside(None, "f.g") is None


@arrays_value_and_grad("x: [N, D], w: [D]")
def loss_value_and_grad(x, w, *, work=None):
    """sum((x @ w)^2)/2, as the highest level writes it."""
    N, D = x.shape
    r, d_w = planned(work, "loss_value_and_grad", x.dtype, r=(N,), d_w=(D,))
    np.matmul(x, w, out=r)
    loss = np.dot(r, r) / 2
    np.matmul(x.T, r, out=d_w)
    return loss, (np.outer(r, w), d_w)


def test_a_workspace_passes_the_door_and_is_used_again() -> None:
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=(5, 3)), rng.normal(size=3)
    work: dict[str, Any] = {}
    for _ in range(3):
        value, (d_x, d_w) = loss_value_and_grad(x, w, work=work)
        assert value == pytest.approx(float(np.sum((x @ w) ** 2) / 2))
        np.testing.assert_allclose(d_w, x.T @ (x @ w))
        np.testing.assert_allclose(d_x, np.outer(x @ w, w))
        assert d_w is work["loss_value_and_grad"][2][1]
    free = loss_value_and_grad(x, w)[1][1]
    assert not np.shares_memory(free, d_w)
    np.testing.assert_array_equal(free, d_w)


@arrays_value_and_grad("x: [N]")
def norm_value_and_grad(x, *, work=None):
    """sum(x^2)/2 for what would be made by multiplying."""
    (y,) = planned(work, "norm_value_and_grad", x.dtype, y=x.shape)
    np.multiply(x, 1.0, out=y)
    return np.dot(x, x) / 2, (y,)


def test_the_steady_state_allocates_nothing_large() -> None:
    x = np.ones(100_000)
    work: dict[str, Any] = {}
    norm_value_and_grad(x, work=work)
    tracemalloc.start()
    try:
        norm_value_and_grad(x, work=work)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000
