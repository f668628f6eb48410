"""Places for values: two of one kind lie in one slot if the first is read no more when the second
is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mgrad.compiler.schedule.steps import Event, Value


def assign(
    events: Sequence[Event], values: Sequence[Value], spans: Sequence[tuple[int, int]]
) -> None:
    """Gives each value its slot. A statement may write over what it reads, and reads for the last
    time, where its event says so. What is read in a loop, one of the `spans` of events, is needed
    in all its turns."""
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
    ending: dict[int, list[Value]] = {}
    for value in values:
        ending.setdefault(value.last, []).append(value)
    free: dict[Any, list[int]] = {}
    owners: list[Value] = []  # of each slot, the value that lies there
    for place, event in enumerate(events):
        for old in ending.get(place - 1, ()):
            if owners[old.slot] is old:
                free.setdefault(old.kind, []).append(old.slot)
        made = event.written
        if made is None:
            continue
        spare = [v for v in event.free if v.last == place and v.kind == made.kind]
        pool = free.get(made.kind)
        if made.start is None and spare:
            made.slot = spare[0].slot
        elif made.start is None and pool:
            made.slot = pool.pop()
        else:
            made.slot = len(owners)
            owners.append(made)
        owners[made.slot] = made
