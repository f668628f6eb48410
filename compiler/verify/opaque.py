"""Extern functions: of no symbolic meaning, known by the numbers that they return."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors.checking import MissingExtern
from mgrad.compiler.sema.program import Extern, Program

TRUSTED = 1e-8  # relative: what extrapolations may differ by
MOST_ORDERS = 5
KINK = 1e-5


@cache
def load(path: str) -> Callable[..., Any]:
    """The Python function at `module.attribute`. Importing runs its module's code."""
    module, _, attribute = path.rpartition(".")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def missing_externs(program: Program) -> list[Diagnostic]:
    """A diagnostic for each extern that Python cannot give. Imports their modules."""
    found = (missing_extern(extern) for extern in program.externs.values())
    return [fault for fault in found if fault is not None]


def missing_extern(extern: Extern) -> Diagnostic | None:
    """Why an extern cannot be called, if so."""
    path = f"{extern.module}.{extern.attribute}"
    try:
        is_callable = callable(load(path))
    except Exception as error:  # importing a module runs it, and that may end in any way
        why = str(error) or type(error).__name__
        if not isinstance(error, (ImportError, AttributeError)):
            why = f"{type(error).__name__}: {error}"
        return MissingExtern(extern.span, extern.name, path, why)
    return (
        None if is_callable else MissingExtern(extern.span, extern.name, path, "it is no function")
    )


@cache
def extern_function(path: str, wrt: int | None = None) -> Callable[..., Any]:
    """The function on mpmath numbers, computed in float64, or its partial by finite differences;
    nan where there is none, or where differences do not tell it."""

    def value(*arguments: Any) -> Any:
        return mpmath.mpf(call(path, [float(a) for a in arguments]))

    def partial(*arguments: Any) -> Any:
        assert wrt is not None
        given = [float(a) for a in arguments]

        def line(x: float) -> float:
            return call(path, [*given[:wrt], x, *given[wrt + 1 :]])

        return mpmath.mpf(slope(line, given[wrt]))

    return value if wrt is None else partial


def call(path: str, arguments: list[float]) -> float:
    """An extern at a point; nan where it raises."""
    try:
        return float(load(path)(*arguments))
    except Exception:  # a function of the user's may raise anything
        return math.nan


def slope(f: Callable[[float], float], x: float) -> float:
    """f'(x) from values in float64, to 8 digits; nan where the estimates do not agree.

    Central differences whose steps shrink by halves, extrapolated to the step 0 (Ridders, Advances
    in Engineering Software 4, 1982, 75-76). The best extrapolation is the one that differs least
    from the two that it was made of; next to a pole that is one of the small steps.
    """
    here = f(x)
    if not math.isfinite(here):
        return math.nan
    best, least = math.nan, math.inf
    above: list[float] = []  # extrapolations of the step before, by order
    step = max(abs(x), 1.0) / 4
    smallest = max(abs(x), 2.0**-20) * 2.0**-20
    while step > smallest:
        step /= 2
        ahead, behind = x + step, x - step
        row = [(f(ahead) - f(behind)) / (ahead - behind)]
        if not math.isfinite(row[0]):
            above = []
            continue
        factor = 1.0
        for coarse in above[:MOST_ORDERS]:
            factor *= 4.0
            row.append(row[-1] + (row[-1] - coarse) / (factor - 1.0))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - coarse))
            if error < least:
                best, least = row[-1], error
        above = row
    if not least <= TRUSTED * max(1.0, abs(best)) or _has_kink(f, x, here):
        return math.nan
    return best


def _has_kink(f: Callable[[float], float], x: float, here: float) -> bool:
    """Whether differences ahead and behind keep apart as the step shrinks."""
    gaps = []
    for halvings in (14, 18):
        step = math.ldexp(abs(x) or 1.0, -halvings)
        ahead, behind = x + step, x - step
        slopes = ((f(ahead) - here) / (ahead - x), (here - f(behind)) / (x - behind))
        gaps.append(abs(slopes[0] - slopes[1]) / max(1.0, *map(abs, slopes)))
    return gaps[1] > KINK and gaps[1] > gaps[0] / 4
