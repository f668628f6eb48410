"""`bench`: the time of a value, of a value with its gradient, and their ratio."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns
from typing import Any

from mgrad import files
from mgrad.compiler.schedule.names import printable
from mgrad.faults import RunError
from mgrad.verbs.compile import Number, build
from mgrad.verbs.load import module
from mgrad.verbs.numbers import arguments
from mgrad.verbs.points import sample_point

ROUNDS = 15
ROUND = 2_000_000  # nanoseconds, about


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians over rounds, in nanoseconds; the two are timed in turn, so both see the same
    machine. `spread` is the middle half of the rounds' ratios."""

    name: str
    value: float
    with_gradient: float
    ratio: float
    spread: tuple[float, float]


def bench(
    path: str | os.PathLike[str],
    target: str = "python",
    level: int = 1,
    settings: Mapping[str, Number] | None = None,
) -> str:
    """A table of the functions of the file that have a gradient, each at a point of its domain."""
    lines = [f"{'function':<24} {'value':>10} {'with gradient':>14} {'ratio':>6}   middle half"]
    for t in timings(path, target, level, settings):
        low, high = t.spread
        lines.append(
            f"{t.name:<24} {_time(t.value):>10} {_time(t.with_gradient):>14}"
            f" {t.ratio:>6.2f}   {low:.2f} to {high:.2f}"
        )
    return "\n".join(lines)


def timings(
    path: str | os.PathLike[str],
    target: str = "python",
    level: int = 1,
    settings: Mapping[str, Number] | None = None,
) -> Iterator[Timing]:
    """The timing of each function in turn. Raises RunError if its code raises."""
    compiled = build(files.read(path), target, level, (), settings)
    try:
        live = module(compiled)
    except ImportError as error:
        raise RunError(f"{path}: {error}") from error
    for function in compiled.program.functions.values():
        value = getattr(live, printable(function.name), None)
        with_gradient = getattr(live, f"{function.name}_value_and_grad", None)
        if not function.is_entry or value is None or with_gradient is None:
            continue
        point = arguments(function, sample_point(function))
        try:
            yield _timing(function.name, value, with_gradient, point)
        except Exception as error:
            raise RunError(f"{function.name}: {type(error).__name__}: {error}") from error


def _timing(
    name: str, value: Callable[..., Any], with_gradient: Callable[..., Any], point: list[Any]
) -> Timing:
    calls = max(1, int(ROUND / _round(value, point, 1)))
    _round(with_gradient, point, 1)
    rounds = [
        (_round(value, point, calls), _round(with_gradient, point, calls)) for _ in range(ROUNDS)
    ]
    ratios = sorted(b / a for a, b in rounds)
    return Timing(
        name,
        median(a for a, _ in rounds),
        median(b for _, b in rounds),
        median(ratios),
        (ratios[ROUNDS // 4], ratios[-1 - ROUNDS // 4]),
    )


def _round(function: Callable[..., Any], point: list[Any], calls: int) -> float:
    """Nanoseconds a call, over some calls."""
    start = perf_counter_ns()
    for _ in range(calls):
        function(*point)
    return (perf_counter_ns() - start) / calls


def _time(nanoseconds: float) -> str:
    if nanoseconds < 1e3:
        return f"{nanoseconds:.0f} ns"
    return f"{nanoseconds / 1e3:.2f} µs" if nanoseconds < 1e6 else f"{nanoseconds / 1e6:.2f} ms"
