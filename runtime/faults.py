"""What goes wrong inside a function, told in its name: an array that has no room, an index outside
its axis. What is known to have no room is told before the work. Needs no NumPy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from math import prod

from mgrad.runtime.words import Shape

FAULTS = (MemoryError, IndexError, ValueError, OverflowError)
TOO_LARGE = ("array is too big", "Maximum allowed dimension")  # NumPy's, beyond all addresses


def told(name: str, error: Exception) -> Exception:
    """The error to raise in the place of one of FAULTS; its traceback shows the source's line."""
    text = str(error)
    found = error
    if isinstance(error, IndexError):
        found = IndexError(f"{name}: an index is outside its axis: {text}")
    elif not isinstance(error, ValueError) or text.startswith(TOO_LARGE):
        found = MemoryError(f"{name}: {text}")
    return found.with_traceback(error.__traceback__)


def demand_room(what: str, parts: Sequence[tuple[Shape, int]]) -> None:
    """A MemoryError that says what it is and shows its largest part, if arrays of these shapes, of
    so many bytes an element, cannot be held together."""
    needed = sum(prod(shape) * size for shape, size in parts)
    room = memory()
    if needed > room:
        largest, _ = max(parts, key=lambda part: prod(part[0]))
        raise MemoryError(
            f"{what} has shape {largest}: {_spelled(needed)}, and this machine has {_spelled(room)}"
        )


@cache
def memory() -> int:
    """Bytes of memory of the machine; where it does not tell, of its addresses."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize


def _spelled(count: int) -> str:
    return f"{count // 2**30:,}.{count % 2**30 * 10 // 2**30} GiB"
