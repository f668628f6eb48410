"""Routines are run, in float64, at the points where the numbers are known.

What raises or is plainly wrong is refuted, whatever the terms of its text are: these leave out its
door and its handlers of exceptions. A routine that could not be traced at all is judged by this
alone, which is weaker in digits and in points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import mpmath

from mgrad.compiler.verify.functions import Counterexample, Verdict
from mgrad.compiler.verify.numeric import Answers, Exact
from mgrad.compiler.verify.spelling import printed, show, show_number

DIGITS = 6  # of agreement
NOISE = 12  # below the largest number on the way so many digits lower: what cancellation leaves
PLAINLY_WRONG = 2, 8  # the same for a text that was traced: its digits are judged elsewhere
LARGEST = mpmath.mpf(10) ** 150
LONG = 14  # characters of a float

Routine = Callable[[Exact], tuple[tuple[Any, ...], tuple[Any, ...]]]  # its numbers, the right ones


def judge_by_running(verdict: Verdict, right: Answers, namespace: Mapping[str, Any]) -> Verdict:
    """The verdict on a routine, in view of what it gives when it is run."""
    routine = _routine(verdict.routine, right, namespace)
    if routine is None or verdict.status == "refuted":
        return verdict
    is_traced = verdict.status != "not reached"
    if is_traced and right.has_externs:
        return verdict  # what an extern does at its edges is its own affair
    digits, noise = PLAINLY_WRONG if is_traced else (DIGITS, NOISE)
    agreed = 0
    for exact in right.exact:
        if exact.scale > LARGEST:
            continue
        is_telling = all(_is_generic(c) or (not is_traced and 4 * c % 1 == 0) for c in exact.point)
        point = {
            a.name: show(v) for a, v in zip(right.function.arguments, exact.point, strict=True)
        }
        try:
            found, wanted = routine(exact)
            numbers = [f if isinstance(f, bool) else mpmath.mpf(float(f)) for f in found]
        except (Exception, SystemExit) as error:
            raised = f"{type(error).__name__}: {error}".removesuffix(": ")
            example = Counterexample(point, "the call", raised, "a number", None, None)
            return replace(verdict, status="refuted", counterexample=example)
        if len(numbers) != len(wanted):
            reason = f"gives {len(numbers)} numbers where {len(wanted)} are wanted"
            return replace(verdict, status="refuted", reason=reason)
        least = exact.scale * mpmath.mpf(10) ** -noise
        for rank, (number, true) in enumerate(zip(numbers, wanted, strict=True)):
            if is_telling and not _agree(number, true, digits, least):
                what = f"number {rank + 1} of {len(wanted)}"
                shown = show_number(number), show_number(true)
                example = Counterexample(point, what, *shown, None, None)
                return replace(verdict, status="refuted", counterexample=example)
        agreed += is_telling
    if is_traced or not agreed:
        return verdict
    return replace(verdict, status="agreed", points=agreed, digits=DIGITS)


def _agree(number: Any, true: Any, digits: int, noise: Any) -> bool:
    if isinstance(true, bool):
        return bool(number) == true
    if not mpmath.isfinite(true):
        return True
    error = abs(number - true)
    return bool(error <= abs(true) * mpmath.mpf(10) ** -digits + noise)


def _is_generic(coordinate: Any) -> bool:
    """Whether it is no short decimal, which may be where branches meet: there a float and the exact
    number that it stands for may go different ways. Quarters are exact."""
    return not isinstance(coordinate, float) or len(repr(coordinate)) >= LONG


def _routine(name: str, right: Answers, namespace: Mapping[str, Any]) -> Routine | None:
    own = right.function.name
    given = right.seeds[0] if len(right.seeds) == 1 else right.seeds
    match "" if name == printed(own) else name.removeprefix(own):
        case "":
            return lambda e: (_tuple(namespace[name](*e.point)), e.values)
        case "_forward":
            return lambda e: (_tuple(namespace[name](*e.point)[0]), e.values)
        case "_backward":

            def pull(exact: Exact) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
                _, saved = namespace[f"{own}_forward"](*exact.point)
                found = namespace[name](saved, given)
                return (_tuple(found), exact.slopes) if exact.slopes else ((), ())

            return pull
        case "_value_and_grad":

            def both(exact: Exact) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
                value, slopes = namespace[name](*exact.point)
                if not exact.slopes:
                    return _tuple(value), exact.values
                return (*_tuple(value), *slopes), (*exact.values, *exact.slopes)

            return both
    return None


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
