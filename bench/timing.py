"""Ratios of run times, measured so that they can be trusted: interleaved, with their spread."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

Run = Callable[[], object]
Clock = Callable[[], float]

# Seconds of the processor: what else runs on the machine does not count. That of Windows is coarse.
PROCESSOR: Clock = time.perf_counter if sys.platform == "win32" else time.process_time
WALL: Clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Ratio:
    """How long `ours` takes against `theirs`: the median of the rounds' ratios, and the middle
    half of them, which is the spread. A difference inside the spread is none."""

    ours: float  # seconds a call, the median
    theirs: float
    median: float
    low: float
    high: float

    @property
    def is_difference(self) -> bool:
        return not self.low <= 1.0 <= self.high

    def __str__(self) -> str:
        """The ratio of ours to theirs; of theirs to ours where that is the greater by far."""
        times = f"{show(self.ours):>7} against {show(self.theirs):>7}:"
        if self.median < 0.5:
            return (
                f"{times} {1 / self.median:.3g} times as fast"
                f" ({1 / self.high:.3g} to {1 / self.low:.3g})"
            )
        none = "" if self.is_difference else ", no difference"
        return f"{times} {self.median:.2f} ({self.low:.2f} to {self.high:.2f}){none}"


def show(seconds: float) -> str:
    """A time with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def once(run: Run, number: int, clock: Clock = PROCESSOR) -> float:
    """Seconds a call, over `number` calls."""
    start = clock()
    for _ in range(number):
        run()
    return (clock() - start) / number


def number_for(run: Run, seconds: float, clock: Clock = PROCESSOR) -> int:
    """How many calls take about so long."""
    run()
    return max(1, int(seconds / max(once(run, 1, clock), 1e-9)))


def ratio(
    ours: Run, theirs: Run, rounds: int = 25, seconds: float = 0.01, clock: Clock = PROCESSOR
) -> Ratio:
    """Both in turns, each round in the other order, so that what disturbs one disturbs both; each
    as often in a round as takes about so many seconds. What runs on several threads wants the clock
    on the wall."""
    numbers = number_for(ours, seconds, clock), number_for(theirs, seconds, clock)
    times: list[tuple[float, float]] = []
    for turn in range(rounds):
        if turn % 2:
            second = once(theirs, numbers[1], clock)
            times.append((once(ours, numbers[0], clock), second))
        else:
            first = once(ours, numbers[0], clock)
            times.append((first, once(theirs, numbers[1], clock)))
    ratios = sorted(a / b for a, b in times)
    quarter = len(ratios) // 4
    return Ratio(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(ratios),
        ratios[quarter],
        ratios[-quarter - 1],
    )
