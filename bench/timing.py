"""Ratios of run times, measured so that they can be trusted: interleaved, with their spread."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How long `ours` takes against `theirs`: the median of the rounds' ratios, and the middle
    half of them. A difference inside the spread is none."""

    ours: float  # seconds a call, the median
    theirs: float
    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"{show(self.ours)} against {show(self.theirs)}:"
            f" {self.median:.2f} ({self.low:.2f} to {self.high:.2f})"
        )


def show(seconds: float) -> str:
    """A time with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def once(run: Run, number: int) -> float:
    """Seconds a call, over `number` calls."""
    start = time.perf_counter()
    for _ in range(number):
        run()
    return (time.perf_counter() - start) / number


def number_for(run: Run, seconds: float) -> int:
    """How many calls take about so long."""
    run()
    return max(1, int(seconds / max(once(run, 1), 1e-9)))


def ratio(ours: Run, theirs: Run, rounds: int = 25, seconds: float = 0.01) -> Ratio:
    """Both in turns, each round in the other order, so that what disturbs one disturbs both."""
    number = number_for(theirs, seconds)
    times: list[tuple[float, float]] = []
    for turn in range(rounds):
        if turn % 2:
            second = once(theirs, number)
            times.append((once(ours, number), second))
        else:
            first = once(ours, number)
            times.append((first, once(theirs, number)))
    ratios = sorted(a / b for a, b in times)
    quarter = len(ratios) // 4
    return Ratio(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(ratios),
        ratios[quarter],
        ratios[-quarter - 1],
    )
