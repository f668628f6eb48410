"""`bench`: the time of a value, of a value with its gradient, and their ratio."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter_ns
from types import ModuleType
from typing import Any

import numpy as np

from mgrad import files
from mgrad.compiler.ir.types import Type
from mgrad.compiler.schedule.names import printable
from mgrad.compiler.sema.program import Function
from mgrad.faults import RunError, UsageError
from mgrad.verbs.compile import Number, build, understand, usual
from mgrad.verbs.load import module
from mgrad.verbs.numbers import arguments
from mgrad.verbs.points import fits, raise_unknown, sample_point, sample_sizes, size_names

USUAL = 100  # of a dimension whose size is not given
LARGEST = 2 * 10**8  # elements of a function's arguments and results together
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
    sizes: Mapping[str, int] = field(default_factory=dict)


def bench(
    path: str | os.PathLike[str],
    target: str | None = None,
    level: int = 1,
    settings: Mapping[str, Number] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> str:
    """A table of the functions of the file that have a gradient, each at a point of its domain;
    arrays have the sizes that are given to the names of their dimensions, else `USUAL`."""
    lines = [f"{'function':<24} {'value':>10} {'with gradient':>14} {'ratio':>6}   middle half"]
    for t in timings(path, target, level, settings, sizes):
        low, high = t.spread
        at = ", ".join(f"{name} = {size}" for name, size in t.sizes.items())
        lines.append(
            f"{t.name:<24} {_time(t.value):>10} {_time(t.with_gradient):>14}"
            f" {t.ratio:>6.2f}   {low:.2f} to {high:.2f}{f'   {at}' if at else ''}"
        )
    return "\n".join(lines)


def timings(
    path: str | os.PathLike[str],
    target: str | None = None,
    level: int = 1,
    settings: Mapping[str, Number] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Iterator[Timing]:
    """The timing of each function in turn. Without a target it is `numpy` where there are arrays,
    else `python`. Raises RunError if its code raises, UsageError for sizes that do not fit."""
    source = files.read(path)
    program = understand(source, settings)
    functions = [f for f in program.functions.values() if f.is_entry]
    raise_unknown(functions, sizes or {})
    compiled = build(source, target or usual(program), level, (), settings)
    try:
        live = module(compiled)
    except ImportError as error:
        raise RunError(f"{path}: {error}") from error
    for function in compiled.program.functions.values():
        value = getattr(live, printable(function.name), None)
        with_gradient = _with_gradient(live, function)
        if not function.is_entry or value is None or with_gradient is None:
            continue
        own = _sizes(function, sizes or {})
        point = arguments(function, sample_point(function, own))
        try:
            yield _timing(function.name, value, with_gradient, point, own)
        except Exception as error:
            raise RunError(f"{function.name}: {type(error).__name__}: {error}") from error


def _with_gradient(live: ModuleType, function: Function) -> Callable[..., Any] | None:
    """The routine that gives a value with its gradient; for one array the gradient of the sum of
    its elements, by both passes."""
    both = getattr(live, f"{function.name}_value_and_grad", None)
    backward = getattr(live, f"{function.name}_backward", None)
    if both is not None or backward is None or len(function.results) > 1:
        return both
    forward = getattr(live, f"{function.name}_forward")

    def passes(*point: Any) -> Any:
        value, saved = forward(*point)
        return backward(saved, np.ones(np.shape(value)))

    return passes


def _sizes(function: Function, given: Mapping[str, int]) -> dict[str, int]:
    """A size for each name of a function. Raises UsageError if those given do not fit."""
    names = size_names(function)
    own = {name: given.get(name, USUAL) for name in names}
    if not fits(function, own):
        own = sample_sizes(function, {n: s for n, s in given.items() if n in names})
    types = (a.type for a in function.arguments), (r.type for r in function.results)
    shapes = [t.shape for found in types for t in found if isinstance(t, Type)]
    if sum(math.prod(d.evaluate(own) for d in shape) for shape in shapes) > LARGEST:
        at = ", ".join(f"{name} = {size}" for name, size in own.items())
        raise UsageError(f"{function.name} is too large to time at {at}: give sizes by --size")
    return own


def _timing(
    name: str,
    value: Callable[..., Any],
    with_gradient: Callable[..., Any],
    point: list[Any],
    sizes: Mapping[str, int],
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
        sizes,
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
