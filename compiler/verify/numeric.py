"""Is the number right? Each routine in float64 against the typed program at 100 digits.

The program's value is evaluated with 100 digits, its gradient by central differences of step 1e-30
relative: in every coordinate when few, in some drawn at random when many. Where differences from
both sides disagree the function has a kink, and the convention stated for it is what is right.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import mpmath
import sympy as sp

from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify.evaluation import Evaluation, Point, Sampler
from mgrad.compiler.verify.loss import Diagnosis, Loss
from mgrad.compiler.verify.reference import Reference, is_real
from mgrad.compiler.verify.rounding import LARGEST, SMALLEST, live_terms
from mgrad.compiler.verify.spelling import brief, dtype, printed
from mgrad.compiler.verify.terms import Dag

EXACT_DIGITS = 130  # 100 that count, 30 that differences of step 1e-30 take
STEP = -30
ENOUGH = 13.0
MOST_POINTS = 30
MOST_COORDINATES = 4
MOST_TERMS = 20_000  # evaluated for one function: the larger it is, the fewer the points
MOST_DIAGNOSED = (
    40_000  # terms times numbers: beyond, only the worst number of a point is explained
)
KINK = mpmath.mpf(10) ** -12
VAST = mpmath.mpf(2) ** 10_000
DROWNED = mpmath.mpf(10) ** (15 - EXACT_DIGITS)
NOISE = mpmath.mpf(10) ** -100


@dataclass(frozen=True, slots=True)
class Exact:
    """The program at one point. `slopes` are of the sum of the real results, each times its seed;
    empty where the function is not finite."""

    point: tuple[Any, ...]
    values: tuple[Any, ...]
    slopes: tuple[Any, ...]
    scale: Any  # of the largest number on the way: what remains of it when all cancels is noise


@dataclass
class Answers:
    """What is right for one function, at points worth a look; for every target the same."""

    reference: Reference
    function: Function
    symbols: list[int]
    results: list[int]  # terms
    gradient: list[int]
    seeds: tuple[float, ...]
    exact: list[Exact] = field(default_factory=list)
    _diagnoses: dict[tuple[Any, ...], Diagnosis] = field(default_factory=dict)
    _losses: dict[tuple[object, ...], Loss | None] = field(default_factory=dict)

    def loss(self, point: tuple[Any, ...], root: int, computed: float | None) -> Loss | None:
        """Why a computed number loses digits at a point, if the program as written does."""
        key = (point, root, computed)
        if key not in self._losses:
            with mpmath.workdps(EXACT_DIGITS):
                diagnosis = self._diagnoses.get(point)
                if diagnosis is None:
                    known = dict(zip(self.symbols, map(_exactly, point), strict=True))
                    diagnosis = self._diagnoses[point] = Diagnosis(self.reference, known)
                self._losses[key] = diagnosis.loss(root, computed)
        return self._losses[key]

    def named(self, what: str, index: int) -> str:
        """Of a value or a slope, what people call it."""
        if what == "value":
            return "value" if len(self.results) == 1 else f"value {index + 1}"
        reals = [a for a in self.function.arguments if is_real(a.value.type)]
        return f"d/d{reals[index].name}"

    @property
    def has_externs(self) -> bool:
        """Then differences say nothing: an extern has the digits of float64 only."""
        return bool(self.reference.program.externs) and any(
            n.meaning is not None and n.meaning.extern for n in self.reference.nodes
        )

    def real_values(self, values: Sequence[Any]) -> list[Any]:
        return [v for v, r in zip(values, self.function.results, strict=True) if is_real(r.type)]

    def combine(self, known: Mapping[int, Any]) -> Any:
        """The sum of the real results, each times its seed."""
        at = Evaluation(self.reference.dag, known)
        values = self.real_values([at[t] for t in self.results])
        return sum(mpmath.mpf(w) * v for w, v in zip(self.seeds, values, strict=True))

    def beside(self, known: Mapping[int, Any], symbol: int, step: Any) -> tuple[Any, Any]:
        """The same one step ahead and one behind."""
        ahead, behind = (self.combine({**known, symbol: known[symbol] + h}) for h in (step, -step))
        return ahead, behind

    def show(self, point: tuple[Any, ...]) -> str:
        shown = [_short(v) for v in point]
        if len(shown) > 2 and len(set(shown)) == 1:
            return f"{shown[0]} for all arguments"
        names = [a.name for a in self.function.arguments]
        return ", ".join(f"{n} = {v}" for n, v in zip(names, shown, strict=True))


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Fewer digits than are promised: where, and why if it is known."""

    digits: float
    what: str  # "value", "value 2", "d/dx", …
    point: str
    points: int  # at so many
    loss: Loss | None


@dataclass
class Accuracy:
    """Correct decimal digits, the least over the points; shortfalls of known cause apart."""

    value: float = 16.0
    gradient: float = 16.0
    points: int = 0
    shortfalls: list[Shortfall] = field(default_factory=list)


def digits(computed: Any, true: Any, scale: Any = 0) -> float:
    """Correct decimal digits of a float, 16 at most. Below `scale`·1e-100 a number is 0."""
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
    if error <= SMALLEST or (value == 0 and abs(true) <= scale * NOISE):
        return 16.0
    return float(min(16, max(0, -mpmath.log10(error / max(abs(true), SMALLEST)))))


# ------------------------------------------------------------------------------------ what is right


def answers(program: Program, function: Function, deadline: float) -> Answers:
    """The program at generic points, at edges and far away. Raises BudgetExceeded."""
    reference = Reference(program, Dag())
    kinds = [dtype(a.value.type) for a in function.arguments]
    symbols = [
        reference.dag.symbol(a.name, k) for a, k in zip(function.arguments, kinds, strict=True)
    ]
    leaves = [reference.leaf(s) for s in symbols]
    nodes = reference.function(function, leaves)
    real = [n for n, r in zip(nodes, function.results, strict=True) if is_real(r.type)]
    wrt = [leaf for leaf, k in zip(leaves, kinds, strict=True) if k == "real"]
    seeds = tuple(0.5**i for i in range(len(real)))
    seeded = [(n, reference.number(s)) for n, s in zip(real, seeds, strict=True)]
    slopes = reference.gradient(seeded, wrt) if real and wrt else ()
    made = Answers(
        reference,
        function,
        symbols,
        [reference.nodes[n].term for n in nodes],
        [reference.nodes[n].term for n in slopes],
        seeds,
    )
    with mpmath.workdps(EXACT_DIGITS):
        for point in _points(made, kinds):
            if time.monotonic() > deadline:
                break
            exact = _answer(made, kinds, point)
            if exact is not None:
                made.exact.append(exact)
    return made


def _points(made: Answers, kinds: Sequence[str]) -> list[tuple[Any, ...]]:
    domains = [a.domain for a in made.function.arguments]
    sampler = Sampler(kinds, domains, seed=11)
    most = max(4, min(MOST_POINTS, MOST_TERMS // len(made.reference.dag.terms)))
    points: list[Point] = [sampler.generic() for _ in range(min(6, most))]
    points += sampler.special(made.reference.dag.compared()[:6])[:most]
    floats = [
        tuple(float(c) if k == "real" else c for c, k in zip(p, kinds, strict=True)) for p in points
    ]
    return list(dict.fromkeys(floats))


def _answer(made: Answers, kinds: Sequence[str], point: tuple[Any, ...]) -> Exact | None:
    known = dict(zip(made.symbols, map(_exactly, point), strict=True))
    base = Evaluation(made.reference.dag, known)
    if _is_hopeless(made, base):
        return None
    if any(base[t] is True for t in made.reference.decided):
        return None  # a stated derivative decides, which has no differences here
    values = tuple(base[t] for t in made.results)
    if any(_is_nan(base[t]) for t in live_terms(made.reference.dag, base, made.results)):
        return None  # outside of the domain, even where a `max` picks another number
    slopes: tuple[Any, ...] = ()
    if made.gradient and all(isinstance(v, bool) or mpmath.isfinite(v) for v in values):
        slopes = tuple(base[t] for t in made.gradient)
        if not made.has_externs:
            slopes = _differences(made, kinds, known, slopes)
    finite = [
        abs(v) for v in base.values if not isinstance(v, bool) and mpmath.isfinite(v) and v != 0
    ]
    return Exact(point, values, slopes, max(finite, default=mpmath.mpf(0)))


def _is_hopeless(made: Answers, base: Evaluation) -> bool:
    """Whether it would take minutes: as the sine of a number of a million digits does."""
    for term in made.reference.dag.terms[: max(made.results + made.gradient, default=-1) + 1]:
        if term.template is not None and _needs_all_digits(term.template.expression):
            for operand in term.operands:
                value = base[operand]
                if not isinstance(value, bool) and mpmath.isfinite(value) and abs(value) > VAST:
                    return True
    return False


@cache
def _needs_all_digits(expression: Any) -> bool:
    return bool(expression.has(sp.sin, sp.cos, sp.tan, sp.polygamma, sp.loggamma, sp.gamma))


def _is_nan(value: Any) -> bool:
    return not isinstance(value, bool) and bool(value != value)


def _differences(
    made: Answers,
    kinds: Sequence[str],
    known: Mapping[int, Any],
    slopes: tuple[Any, ...],
) -> tuple[Any, ...]:
    """The slopes of the sweep, each replaced by the difference that contradicts it."""
    reals = [s for s, kind in zip(made.symbols, kinds, strict=True) if kind == "real"]
    found = list(slopes)
    for position in _coordinates(len(reals)):
        symbol = reals[position]
        step = (abs(known[symbol]) or 1) * mpmath.mpf(10) ** STEP
        ahead, behind = made.beside(known, symbol, step)
        here = made.combine(known)
        forward, backward = ahead - here, here - behind
        size = max(abs(forward), abs(backward))
        if not mpmath.isfinite(size) or abs(forward - backward) > size * KINK:
            continue  # a kink, or an edge of the domain: the stated convention holds
        claimed = slopes[position] * step
        if max(size, abs(claimed)) <= abs(here) * DROWNED:
            continue  # the function is so large that a step does not show in its digits
        difference = (ahead - behind) / 2
        if abs(claimed - difference) <= size * KINK:
            continue
        ahead, behind = made.beside(known, symbol, step / 2)
        if (
            abs(ahead - behind - difference) <= size * KINK
        ):  # it is a slope: half the step, half the way
            found[position] = difference / step
    return tuple(found)


def _coordinates(count: int) -> list[int]:
    if count <= MOST_COORDINATES:
        return list(range(count))
    return random.Random(5).sample(range(count), MOST_COORDINATES)


# --------------------------------------------------------------------------------- what is computed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a routine gave at one point: values and slopes, empty where they were not asked for; or
    what it raised."""

    values: tuple[Any, ...] = ()
    slopes: tuple[Any, ...] = ()
    raised: str = ""


@dataclass(frozen=True, slots=True)
class _Short:
    """One number of too few digits."""

    digits: float
    what: str  # "value" or "gradient"
    name: str
    exact: Exact
    loss: Loss | None


def accuracy(made: Answers, namespace: Mapping[str, Any], has_arrays: bool) -> Accuracy:
    """The digits of every routine of a module for the function, on floats and on arrays."""
    found = Accuracy(points=len(made.exact))
    short: dict[tuple[object, ...], dict[tuple[Any, ...], _Short]] = {}
    for exact, outcomes in zip(made.exact, _computed(made, namespace, has_arrays), strict=True):
        for item in [*_raised(exact, outcomes), *_measured(made, exact, outcomes, found)]:
            key = (item.what, item.loss.key if item.loss is not None else None)
            at = short.setdefault(key, {})
            if exact.point not in at or item.digits < at[exact.point].digits:
                at[exact.point] = item
    for at in short.values():
        worst = min(at.values(), key=lambda item: item.digits)
        place = made.show(worst.exact.point)
        found.shortfalls.append(Shortfall(worst.digits, worst.name, place, len(at), worst.loss))
    return found


def _raised(exact: Exact, outcomes: Sequence[Outcome]) -> Iterator[_Short]:
    for outcome in outcomes:
        if outcome.raised:
            yield _Short(
                0.0, "value", "the value", exact, Loss("raises", 0.0, None, outcome.raised)
            )


def _measured(
    made: Answers, exact: Exact, outcomes: Sequence[Outcome], found: Accuracy
) -> Iterator[_Short]:
    """The numbers of too few digits at a point; those that no loss explains count in `found`."""
    for what, right, roots in (
        ("value", exact.values, made.results),
        ("gradient", exact.slopes, made.gradient),
    ):
        worst: dict[int, tuple[float, Any]] = {}
        least = 16.0
        for outcome in outcomes:
            got = outcome.values if what == "value" else outcome.slopes
            if not got or not right:
                continue
            if len(got) != len(right):
                worst[0] = (0.0, None)
            for index, (g, r) in enumerate(zip(got, right, strict=False)):
                good = _digits(g, r, exact.scale)
                if good < ENOUGH and (index not in worst or good < worst[index][0]):
                    worst[index] = (good, g)
                elif good >= ENOUGH:
                    least = min(least, good)
        if len(worst) * len(made.reference.dag.terms) > MOST_DIAGNOSED:
            index = min(worst, key=lambda i: worst[i][0])
            worst = {index: worst[index]}
        for index, (good, computed) in worst.items():
            loss = made.loss(exact.point, roots[index], _as_float(computed))
            yield _Short(good, what, made.named(what, index), exact, loss)
            if loss is None:
                least = min(least, good)
        if what == "value":
            found.value = min(found.value, least)
        else:
            found.gradient = min(found.gradient, least)


def _as_float(computed: Any) -> float | None:
    try:
        value = float(computed)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if value == value else None


def _digits(computed: Any, true: Any, scale: Any) -> float:
    if isinstance(true, bool):
        return 16.0 if bool(computed) == true else 0.0
    try:
        return digits(float(computed), true, scale)
    except (TypeError, ValueError, OverflowError):
        return 0.0  # not a number at all


def _computed(
    made: Answers, namespace: Mapping[str, Any], has_arrays: bool
) -> Iterator[list[Outcome]]:
    """What the routines give at each point."""
    routines = list(_routines(made, namespace))
    arrays: list[list[Outcome]] = []
    if has_arrays and made.exact:
        arrays = [_on_arrays(run, made.exact) for run in routines]
    for index, exact in enumerate(made.exact):
        outcomes = [_on_floats(run, exact) for run in routines]
        yield outcomes + [rows[index] for rows in arrays]


Routine = Callable[..., Outcome]


def _routines(made: Answers, namespace: Mapping[str, Any]) -> Iterator[Routine]:
    """Each way to the value or the gradient, as a function to (values, slopes)."""
    name = made.function.name
    plain, value_and_grad = namespace.get(printed(name)), namespace.get(f"{name}_value_and_grad")
    forward, backward = (namespace.get(f"{name}_{s}") for s in ("forward", "backward"))
    if plain is not None:
        yield lambda *arguments: Outcome(_tuple(plain(*arguments)))
    if value_and_grad is not None:

        def together(*arguments: Any) -> Outcome:
            value, slopes = value_and_grad(*arguments)
            return Outcome(_tuple(value), slopes)

        yield together
    if forward is not None and backward is not None:
        is_single = len(made.seeds) == 1

        def apart(*arguments: Any) -> Outcome:
            value, saved = forward(*arguments)
            given = made.seeds
            if not is_single and hasattr(_tuple(value)[0], "shape"):
                given = tuple(s + 0.0 * v for s, v in zip(made.seeds, _tuple(value), strict=True))
            slopes = backward(saved) if is_single else backward(saved, given)
            return Outcome(_tuple(value), slopes)

        yield apart


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _on_floats(run: Routine, exact: Exact) -> Outcome:
    try:
        return run(*exact.point)
    except (
        Exception,
        SystemExit,
    ) as error:  # whatever the module does, its numbers are not right here
        return Outcome(raised=_said(error))


def _on_arrays(run: Routine, exact: Sequence[Exact]) -> list[Outcome]:
    """All points in one call, as arrays."""
    import numpy as np

    count = len(exact)
    points = zip(*(e.point for e in exact), strict=True)
    try:
        outcome = run(*map(np.array, points))
        columns = [
            [np.broadcast_to(a, (count,)) for a in part]
            for part in (outcome.values, outcome.slopes)
        ]
    except (Exception, SystemExit) as error:
        return [Outcome(raised=f"{_said(error)}, given arrays")] * count
    return [
        Outcome(tuple(v[i] for v in columns[0]), tuple(s[i] for s in columns[1]))
        for i in range(count)
    ]


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"the module raises {type(error).__name__}" + (f": {text}" if text else "")


def _exactly(value: Any) -> Any:
    return value if isinstance(value, bool) else mpmath.mpf(value)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e6 else brief(value)
    return str(value)
