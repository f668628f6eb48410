"""Blocks of rows: the temporaries of a block stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

WIDE = 16_384  # elements of a temporary; measured on chains of three to twenty operations


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices that cover range(rows), such that a temporary of `width` elements a row has about
    16,384 in a block; a wider row is a block.

        for part in blocks(n, m*d):
            out[part] = ((x[part, None] - y)**2).sum(axis=-1)

    There is none for no rows. What fits into two blocks is one.
    """
    step = max(1, height(rows, width))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def height(rows: int, width: int) -> int:
    """The most rows of a block."""
    return rows if rows * width <= 2 * WIDE else max(1, WIDE // max(1, width))
