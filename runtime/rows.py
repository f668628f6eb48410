"""Blocks of rows: the temporaries of a block stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

# elements of a temporary, measured on loops of five to thirty operations
FRESH = 32_768  # longer ones get their memory from the system anew, page by page
PLANNED = 131_072  # where memory is planned, there are fewer turns
PIECE = 8_192  # so short that its memory is at hand: nothing is worth planning


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices that cover range(rows), such that a temporary of `width` elements a row has about
    32,768 in a block; a wider row is a block.

        for part in blocks(n, m*d):
            out[part] = ((x[part, None] - y)**2).sum(axis=-1)

    There is none for no rows. What fits into two blocks is one.
    """
    return _slices(rows, rows if rows * width <= 2 * FRESH else FRESH // max(1, width))


def planned_blocks(rows: int, width: int) -> Iterator[slice]:
    """The same of 131,072 elements, for temporaries that have their memory."""
    return _slices(rows, height(rows, width))


def height(rows: int, width: int) -> int:
    """The most rows of a planned block."""
    return rows if rows * width <= 2 * PLANNED else max(1, PLANNED // max(1, width))


def pieces(rows: int, width: int) -> Iterator[slice]:
    """The same of 8,192 elements, for temporaries that have no memory of their own anywhere."""
    return _slices(rows, PIECE // max(1, width))


def _slices(rows: int, step: int) -> Iterator[slice]:
    step = max(1, step)
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
