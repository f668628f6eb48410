"""Places for values: two of one kind lie in one slot if the first is read no more when the second
is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mgrad.compiler.schedule.steps import Event, Value


def assign(
    events: Sequence[Event], values: Sequence[Value], spans: Sequence[tuple[int, int]]
) -> None:
    """Gives each value its slot. A statement may write over what it reads,
    and reads for the last time, where its event says so. What is read in a loop, one of the
    `spans` of events, is needed in all its turns."""
    for place, event in enumerate(events):
        if event.written is not None:
            event.written.first = min(event.written.first, place)
            event.written.last = max(event.written.last, place)
        for value in event.reads:
            value.last = max(value.last, place)
    for begin, end in spans:
        for value in values:
            if value.first < begin <= value.last < end:
                value.last = end
    count = 0
    free: dict[Any, list[int]] = {}
    live: list[Value] = []
    for place, event in enumerate(events):
        made = event.written
        if made is None:
            continue
        for old in [v for v in live if v.last < place]:
            live.remove(old)
            free.setdefault(old.kind, []).append(old.slot)
        spare = [v for v in event.free if v in live and v.last == place and v.kind == made.kind]
        pool = free.get(made.kind)
        if made.start is None and spare:
            live.remove(spare[0])
            made.slot = spare[0].slot
        elif made.start is None and pool:
            made.slot = pool.pop()
        else:
            made.slot, count = count, count + 1
        if made.start is None:
            live.append(made)
