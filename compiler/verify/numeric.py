"""Is the number right? The text in float64 against the typed program at 100 digits, whose gradient
is taken by central differences of step 1e-30: coordinate directions when few, random when many.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath
import sympy as sp

from mgrad.compiler.ir.types import Interval
from mgrad.compiler.sema.program import Function
from mgrad.compiler.source import Span
from mgrad.compiler.verify.evaluation import Evaluation, Point, Sampler, evaluate
from mgrad.compiler.verify.reference import Reference, RefNode
from mgrad.compiler.verify.rewrites import offer
from mgrad.compiler.verify.terms import placeholder

EXACT_DIGITS = 100
STEP = -30
ENOUGH = 13.0
MOST_DIRECTIONS = 8
MOST_SITES = 5  # lines that are named; where one loses digits, those after it do
LARGEST, SMALLEST = mpmath.mpf(2) ** 1024, mpmath.mpf(2) ** -1022


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A typed value that loses digits, and how it may be written."""

    span: Span | None
    digits: float  # what is left, of 16
    point: str
    rewrite: str | None


@dataclass
class Accuracy:
    """Agreement in decimal digits, the least over the points: of the value and of the gradient."""

    value: float = 16.0
    gradient: float = 16.0
    points: int = 0
    worst: str = ""
    cancellations: list[Cancellation] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # the same, as the user reads them


def digits(computed: Any, true: Any) -> float:
    """Correct decimal digits of a float, 16 at most."""
    value = mpmath.mpf(computed)
    if true != true:
        return 16.0
    if value != value:
        return 0.0
    if abs(true) >= LARGEST:
        return 16.0 if mpmath.isinf(value) and value * true > 0 else 0.0
    if not mpmath.isfinite(value):
        return 0.0
    error = abs(value - true)
    if error <= SMALLEST * mpmath.mpf(2) ** -52:
        return 16.0
    size = max(abs(true), SMALLEST)
    return float(min(16, max(0, -mpmath.log10(error / size)))) if error else 16.0


def accuracy(
    reference: Reference,
    function: Function,
    arguments: Sequence[int],
    values: Sequence[int],
    gradient: Sequence[int],
    run: Callable[..., tuple[float, tuple[float, ...]]],
    deadline: float,
) -> Accuracy:
    """`run` takes floats and gives value and gradient. Terms of a function with one real result:
    its arguments, its value, its gradient; what they are made from is evaluated."""
    found = Accuracy()
    kinds = [str(getattr(a.value.type, "dtype", "real")) for a in function.arguments]
    sampler = Sampler(kinds, [a.domain for a in function.arguments], seed=11)
    reals = [i for i, kind in enumerate(kinds) if kind == "real"]
    most = max(2, min(40, 20_000 // len(reference.dag.terms)))
    points = [(sampler.generic(), False) for _ in range(min(6, most))]
    points += [(p, True) for p in sampler.special([])[:most] if _is_inside(p, function)]
    with mpmath.workdps(EXACT_DIGITS + 30):
        for point, is_edge in points:
            if time.monotonic() > deadline:
                break
            floats = tuple(float(c) if kinds[i] == "real" else c for i, c in enumerate(point))
            _compare(found, reference, arguments, values[0], reals, floats, run, is_edge)
    return found


def _is_inside(point: Point, function: Function) -> bool:
    return len(point) == len(function.arguments)


def _compare(
    found: Accuracy,
    reference: Reference,
    arguments: Sequence[int],
    value: int,
    reals: Sequence[int],
    floats: tuple[Any, ...],
    run: Callable[..., tuple[float, tuple[float, ...]]],
    is_edge: bool,
) -> None:
    exact = {
        t: mpmath.mpf(v) if not isinstance(v, bool) else v
        for t, v in zip(arguments, floats, strict=True)
    }
    base = Evaluation(reference.dag, exact)
    true = base[value]
    if not mpmath.isfinite(true):
        return
    shown = ", ".join(repr(v) for v in floats)
    try:
        computed, slopes = run(*floats)
    except Exception:  # whatever the module does, its number is not right here
        found.value, found.gradient, found.worst = 0.0, 0.0, shown
        return
    good = digits(computed, true)
    step = mpmath.mpf(10) ** STEP
    pairs: list[tuple[Any, Any]] = []
    if len(reals) <= MOST_DIRECTIONS:
        directions = [{p: mpmath.mpf(1)} for p in reals]
    else:
        dice = random.Random(5)
        directions = [{p: mpmath.mpf(dice.uniform(-1, 1)) for p in reals} for _ in range(4)]
    for direction in directions:
        ends = []
        for sign in (1, -1):
            moved = dict(exact)
            for p, amount in direction.items():
                moved[arguments[p]] = exact[arguments[p]] + sign * step * amount
            ends.append(Evaluation(reference.dag, moved)[value])
        forward, backward = (ends[0] - true) / step, (true - ends[1]) / step
        difference = (ends[0] - ends[1]) / (2 * step)
        if not mpmath.isfinite(difference) or _is_kink(forward, backward, true):
            continue
        total = sum(mpmath.mpf(slopes[reals.index(p)]) * a for p, a in direction.items())
        pairs.append((total, difference))
    slope = min((digits(c, t) for c, t in pairs), default=16.0)
    worst = min(good, slope)
    if worst < ENOUGH and len(found.cancellations) < MOST_SITES:
        sites = cancellations(reference, exact, shown)
        known = {c.span for c in found.cancellations}
        found.cancellations += [c for c in sites if c.span not in known][:MOST_SITES]
        if sites and is_edge:
            return  # named, and at a point that was sought out
    if worst < min(found.value, found.gradient):
        found.worst = shown
    found.value = min(found.value, good)
    found.gradient = min(found.gradient, slope)
    found.points += 1


def _is_kink(forward: Any, backward: Any, value: Any) -> bool:
    """One-sided differences disagree by more than the curvature of a smooth function allows."""
    size = max(
        abs(forward), abs(backward), abs(value) * mpmath.mpf(10) ** -20, mpmath.mpf(10) ** -60
    )
    return bool(abs(forward - backward) > size * mpmath.mpf(10) ** -12)


def cancellations(reference: Reference, exact: Mapping[int, Any], point: str) -> list[Cancellation]:
    """Sums whose operands are good and whose result is not, each op rounded once to float64."""
    dag = reference.dag
    true = Evaluation(dag, exact)
    rounded: list[Any] = []
    for term in dag.terms:
        value = evaluate(term, rounded, exact)
        if not isinstance(value, bool):
            with mpmath.workprec(53):
                value = +value
        rounded.append(value)
    found: dict[tuple[int, int] | None, Cancellation] = {}
    for node in reference.nodes:
        if node.kind != "op" or node.span is None or node.meaning is None:
            continue
        if not node.meaning.expression.is_Add:
            continue
        left = digits(rounded[node.term], true[node.term])
        inner = min(
            digits(rounded[reference.nodes[o].term], true[reference.nodes[o].term])
            for o in node.operands
        )
        if left < ENOUGH - 1 and inner - left > 2:
            key = (node.span.start, node.span.end)
            if key not in found:
                rewrite = offer(expression_of(reference, node, 3))
                found[key] = Cancellation(node.span, round(left, 1), point, rewrite)
    return list(found.values())


def expression_of(reference: Reference, node: RefNode, depth: int) -> Any:
    """The node as a SymPy expression of names and of what lies deeper."""
    while node.kind == "mark" and depth > 0:
        inner = reference.nodes[node.operands[0]]
        node = inner
    term = reference.dag.terms[node.term]
    if term.head == "constant":
        value = term.payload
        return (
            sp.Rational(value.numerator, value.denominator)
            if hasattr(value, "numerator")
            else sp.sympify(value)
        )
    if term.head == "symbol":
        return sp.Symbol(term.payload[0], real=True)
    if depth == 0 or node.meaning is None:
        text = node.span.text if node.span is not None else f"t{node.term}"
        return sp.Symbol(text if len(text) < 40 else f"t{node.term}", real=True)
    operands = [expression_of(reference, reference.nodes[o], depth - 1) for o in node.operands]
    return node.meaning.expression.xreplace({placeholder(i): e for i, e in enumerate(operands)})


def domain_text(domain: Interval | None) -> str:
    return "" if domain is None else f" in {domain}"


def as_float(value: Any) -> float:
    """The nearest float of an mpmath number."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
