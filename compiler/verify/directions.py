"""Is the number right, for functions of arrays: values and gradients along random directions.

At sizes beyond those of the proof the text is run on float64. The value is compared with the
reference at 100 digits, and `gradient·direction` with the central difference of the reference along
the direction, h = 1e-30: an error of about h^2. With several results, and with arrays, it is the
derivative of their sum with random weights.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify import elements
from mgrad.compiler.verify.arrays import is_array
from mgrad.compiler.verify.evaluation import Evaluation, Point, Sampler, at_point
from mgrad.compiler.verify.ints import SMALL, Wish
from mgrad.compiler.verify.layout import Layout
from mgrad.compiler.verify.reference import Reference, is_real
from mgrad.compiler.verify.spelling import dtype, printed
from mgrad.compiler.verify.terms import BudgetExceeded, Dag

PRECISION = 100
STEP = mpmath.mpf(10) ** -30
NOTHING = mpmath.mpf(10) ** -80
FULL = 16.0  # digits of float64
FIRST, MOST = 5, 400  # sizes, and how many numbers at most
POINTS = 3
SCALES = (1.0, 0.5, 2.0)
ROUNDS = 8  # of them, until there are enough points where the function is finite
DTYPES = {"real": float, "int": int, "bool": bool}


@dataclass(frozen=True, slots=True)
class Measured:
    """Correct digits at the worst point."""

    value: float
    gradient: float
    points: int
    sizes: str
    wish: Wish  # for them


class TextRaises(Exception):
    """A routine of the text raises where the program has a value; says what, and at which ints."""

    def __init__(self, routine: str, error: BaseException, layout: Layout) -> None:
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        super().__init__(f"{routine} raises {what}, at {layout.told()}")
        self.routine = routine


def measure(
    program: Program,
    function: Function,
    namespace: Mapping[str, Any],
    deadline: float,
    proved: Wish = SMALL,
) -> Measured | None:
    """The digits of a function's value and gradient, at larger sizes than those that were `proved`
    or at these; None if there is nothing to compare. May raise `TextRaises`."""
    if printed(function.name, "_forward") not in namespace:
        return None
    for wish in (*(Wish(first) for first in range(FIRST, 1, -1)), proved):
        layout = Layout(program, function, wish)
        if not layout.reals:
            return None
        if len(layout.slots) > MOST:
            continue
        try:
            found = _measured(program, function, layout, wish, namespace, deadline)
        except (BudgetExceeded, ValueError):
            continue  # a determinant too large to be written out, say
        if found is not None:
            return found  # few large matrices are positive definite by chance
    return None


def _measured(
    program: Program,
    function: Function,
    layout: Layout,
    wish: Wish,
    namespace: Mapping[str, Any],
    deadline: float,
) -> Measured | None:
    kinds, domains = [s.kind for s in layout.slots], [s.domain for s in layout.slots]
    made: _Program | None = None  # the same for all points, unless places are settled by one
    flags = [is_real(r.type) for r in function.results]
    draw = random.Random(7)
    sampler = Sampler(kinds, domains, 5)
    worst = [FULL, FULL]
    count = 0
    with mpmath.workdps(PRECISION):
        for scale in SCALES * ROUNDS:
            if count == POINTS or time.monotonic() > deadline:
                break
            drawn = zip(sampler.generic(scale), layout.slots, strict=True)
            floats = [float(v) if s.kind == "real" else v for v, s in drawn]
            point = [v if isinstance(v, bool) else mpmath.mpf(v) for v in floats]
            if made is None or made.dag.settled:
                made = _made(program, function, layout, tuple(floats))
            dag, symbols, terms = made.dag, made.symbols, made.terms
            direction = [draw.uniform(-1, 1) for _ in layout.reals]
            weights = [[draw.uniform(0.5, 1.5) for _ in one] for one in terms]
            found = _run(function, layout, floats, weights, flags, namespace)
            if found is None:
                continue
            values, slopes = found
            value = Evaluation(dag, dict(zip(symbols, point, strict=True)))
            true = [value[t] for one, real in zip(terms, flags, strict=True) if real for t in one]
            if not all(mpmath.isfinite(v) for v in true):
                continue
            count += 1
            sides = []
            for sign in (1, -1):
                moved = list(point)
                for place, d in zip(layout.reals, direction, strict=True):
                    moved[place] = moved[place] + sign * STEP * mpmath.mpf(d)
                at = Evaluation(dag, dict(zip(symbols, moved, strict=True)))
                sides.append(
                    sum(
                        mpmath.mpf(w) * at[t]
                        for one, ws, real in zip(terms, weights, flags, strict=True)
                        if real
                        for t, w in zip(one, ws, strict=True)
                    )
                )
            slope = (sides[0] - sides[1]) / (2 * STEP)
            size = max([abs(v) for v in true], default=mpmath.mpf(1))
            if size <= NOTHING:  # the terms of a sum cancel: what is left is their rounding
                size = max(abs(v) for v in value.values if mpmath.isfinite(v))
            parts = [mpmath.mpf(g) * mpmath.mpf(d) for g, d in zip(slopes, direction, strict=True)]
            largest = mpmath.fsum(abs(p) for p in parts)
            digits = (
                min((_digits(v, t, size) for v, t in zip(values, true, strict=True)), default=FULL),
                _digits(mpmath.fsum(parts), slope, largest),
            )
            worst = [min(w, d) for w, d in zip(worst, digits, strict=True)]
    if not count:
        return None
    return Measured(worst[0], worst[1], count, layout.described(), wish)


@dataclass(frozen=True, slots=True)
class _Program:
    """The results of the program as terms, an array a list."""

    dag: Dag
    symbols: list[int]
    terms: list[list[int]]


def _made(program: Program, function: Function, layout: Layout, point: Point) -> _Program:
    dag = Dag()
    reference = Reference(program, dag)
    symbols = [dag.symbol(s.name, s.kind) for s in layout.slots]
    dag.value_at_a_point = at_point(dag, symbols, point, PRECISION)
    leaves = [reference.leaf(s) for s in symbols]
    results = reference.function(function, layout.packed(leaves, reference.number))
    terms = [[reference.nodes[n].term for n in elements.flat(r)] for r in results]
    return _Program(dag, symbols, terms)


def _digits(found: Any, true: Any, size: Any) -> float:
    """Correct digits of a number, relative to a size."""
    error = abs(mpmath.mpf(found) - true)
    if not mpmath.isfinite(error):
        return 0.0
    if error == 0:
        return FULL
    if size == 0:
        return 0.0
    return min(FULL, max(0.0, -float(mpmath.log10(error / size))))


def _run(
    function: Function,
    layout: Layout,
    floats: Sequence[Any],
    weights: Sequence[Sequence[float]],
    flags: Sequence[bool],
    namespace: Mapping[str, Any],
) -> tuple[list[float], list[float]] | None:
    """The values of the text and the gradient of their weighted sum; None if not finite."""
    call = _caller(function, layout, namespace)
    value, saved = call("_forward", *_arguments(layout, floats))
    values = list(value) if len(function.results) > 1 else [value]
    seeds = [
        np.reshape(w, np.shape(v)) if np.ndim(v) else w[0]
        for w, v, real in zip(weights, values, flags, strict=True)
        if real
    ]
    grad: Any = seeds[0] if len(seeds) == 1 else tuple(seeds)
    slopes = call("_backward", saved, grad)
    flat = [float(x) for v, real in zip(values, flags, strict=True) if real for x in np.ravel(v)]
    gradient = [float(x) for s in slopes for x in np.ravel(s)]
    finite: Callable[[float], bool] = math.isfinite
    return (flat, gradient) if all(map(finite, flat + gradient)) else None


def run(function: Function, layout: Layout, point: Point, namespace: Mapping[str, Any]) -> None:
    """Runs each routine of the text at a point; may raise `TextRaises`."""
    arguments = _arguments(layout, [v if isinstance(v, bool | int) else float(v) for v in point])
    call = _caller(function, layout, namespace)
    call("", *arguments)
    if printed(function.name, "_forward") in namespace:
        value, saved = call("_forward", *arguments)
        values = list(value) if len(function.results) > 1 else [value]
        ones = [
            np.ones(np.shape(v)) if np.ndim(v) else 1.0
            for v, r in zip(values, function.results, strict=True)
            if is_real(r.type)
        ]
        call("_backward", saved, ones[0] if len(ones) == 1 else tuple(ones))
    if printed(function.name, "_value_and_grad") in namespace:
        call("_value_and_grad", *arguments)


def _arguments(layout: Layout, floats: Sequence[Any]) -> list[Any]:
    given = zip(layout.packed(list(floats), int), layout.arguments, strict=True)
    return [
        np.array(a.tolist(), dtype=DTYPES[dtype(argument.type)]) if is_array(a) else a
        for a, argument in given
    ]


def _caller(function: Function, layout: Layout, namespace: Mapping[str, Any]) -> Callable[..., Any]:
    def call(suffix: str, *given: Any) -> Any:
        routine = printed(function.name, suffix)
        try:
            return namespace[routine](*given)
        except (Exception, SystemExit) as error:  # whatever the module does
            raise TextRaises(routine, error, layout) from None

    return call
