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
from typing import Any

import mpmath

from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify.evaluation import Evaluation, Point, Sampler
from mgrad.compiler.verify.loss import LARGEST, SMALLEST, Loss, find_loss
from mgrad.compiler.verify.reference import Reference, is_real
from mgrad.compiler.verify.spelling import dtype, printed
from mgrad.compiler.verify.terms import Dag

EXACT_DIGITS = 130  # 100 that count, 30 that differences of step 1e-30 take
STEP = -30
ENOUGH = 13.0
MOST_POINTS = 30
MOST_COORDINATES = 4
MOST_TERMS = 20_000  # evaluated for one function: the larger it is, the fewer the points
KINK = mpmath.mpf(10) ** -12
ROUNDING = mpmath.mpf(2) ** -46
NOISE = mpmath.mpf(10) ** -100


@dataclass(frozen=True, slots=True)
class Exact:
    """The program at one point. `slopes` are of the sum of the real results, each times its seed;
    empty where the function is not finite."""

    point: tuple[Any, ...]
    values: tuple[Any, ...]
    slopes: tuple[Any, ...]
    scale: Any  # of the largest number on the way: what remains of it when all cancels is noise
    is_rounded: bool  # known to float64's digits only, as an extern is on the way


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
    _losses: dict[tuple[Any, ...], Loss | None] = field(default_factory=dict)

    def loss(self, point: tuple[Any, ...]) -> Loss | None:
        """Why the program as written loses digits at a point, if it does."""
        if point not in self._losses:
            roots = [*self.results, *self.gradient]
            known = dict(zip(self.symbols, map(_exactly, point), strict=True))
            with mpmath.workdps(EXACT_DIGITS):
                self._losses[point] = find_loss(self.reference, known, roots)
        return self._losses[point]

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
            return f"{shown[0]} for all"
        names = [a.name for a in self.function.arguments]
        return ", ".join(f"{n} = {v}" for n, v in zip(names, shown, strict=True))


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Fewer digits than are promised: where, and why if it is known."""

    digits: float
    what: str  # "value" or "gradient"
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
    values = tuple(base[t] for t in made.results)
    if any(not isinstance(v, bool) and v != v for v in values):
        return None
    slopes: tuple[Any, ...] = ()
    if made.gradient and all(isinstance(v, bool) or mpmath.isfinite(v) for v in values):
        slopes = tuple(base[t] for t in made.gradient)
        if not made.has_externs:
            slopes = _differences(made, kinds, known, slopes)
    finite = [
        abs(v) for v in base.values if not isinstance(v, bool) and mpmath.isfinite(v) and v != 0
    ]
    return Exact(point, values, slopes, max(finite, default=mpmath.mpf(0)), made.has_externs)


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

Outcome = tuple[tuple[Any, ...], tuple[Any, ...]]  # values and slopes; empty where not asked


def accuracy(made: Answers, namespace: Mapping[str, Any], has_arrays: bool) -> Accuracy:
    """The digits of every routine of a module for the function, on floats and on arrays."""
    found = Accuracy(points=len(made.exact))
    short: dict[tuple[str, object], list[tuple[float, Exact]]] = {}
    losses: dict[tuple[str, object], Loss | None] = {}
    for exact, outcomes in zip(made.exact, _computed(made, namespace, has_arrays), strict=True):
        least = {"value": 16.0, "gradient": 16.0}
        for outcome in outcomes:
            for what, right, got in zip(least, (exact.values, exact.slopes), outcome, strict=True):
                if got and right:
                    pairs = zip(got, right, strict=False)
                    good = min(_digits(g, r, exact.scale) for g, r in pairs)
                    least[what] = min(least[what], good if len(got) == len(right) else 0.0)
        for what, good in least.items():
            loss = made.loss(exact.point) if good < ENOUGH else None
            if good < ENOUGH and loss is None and _is_noise(outcomes, exact):
                loss = Loss("zero", 0.0, None)
            if good < ENOUGH:
                key: tuple[str, object] = (what, loss.key if loss else None)
                losses[key] = loss
                short.setdefault(key, []).append((good, exact))
            if loss is None and what == "value":
                found.value = min(found.value, good)
            elif loss is None:
                found.gradient = min(found.gradient, good)
    for key, items in short.items():
        good, exact = min(items, key=lambda item: item[0])
        place = made.show(exact.point)
        found.shortfalls.append(Shortfall(good, key[0], place, len(items), losses[key]))
    return found


def _is_noise(outcomes: Sequence[Outcome], exact: Exact) -> bool:
    """Whether all that is wrong is next to 0 in relation to the numbers on the way."""
    for outcome in outcomes:
        for right, got in zip((exact.values, exact.slopes), outcome, strict=True):
            for g, r in zip(got, right, strict=False):
                if _digits(g, r, exact.scale) >= ENOUGH:
                    continue
                if g == "" or not abs(float(g) - r) <= exact.scale * ROUNDING:
                    return False
                if abs(r) > exact.scale * NOISE and not exact.is_rounded:
                    return False
    return True


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
    name = printed(made.function.name)
    plain, value_and_grad = namespace.get(name), namespace.get(f"{name}_value_and_grad")
    forward, backward = (namespace.get(f"{name}_{s}") for s in ("forward", "backward"))
    if plain is not None:
        yield lambda *arguments: (_tuple(plain(*arguments)), ())
    if value_and_grad is not None:

        def together(*arguments: Any) -> Outcome:
            value, slopes = value_and_grad(*arguments)
            return _tuple(value), slopes

        yield together
    if forward is not None and backward is not None:
        is_single = len(made.seeds) == 1

        def apart(*arguments: Any) -> Outcome:
            value, saved = forward(*arguments)
            given = made.seeds
            if not is_single and hasattr(_tuple(value)[0], "shape"):
                given = tuple(s + 0.0 * v for s, v in zip(made.seeds, _tuple(value), strict=True))
            slopes = backward(saved) if is_single else backward(saved, given)
            return _tuple(value), slopes

        yield apart


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _on_floats(run: Routine, exact: Exact) -> Outcome:
    try:
        return run(*exact.point)
    except Exception:  # whatever the module does, its numbers are not right here
        return _nothing(exact)


def _nothing(exact: Exact) -> Outcome:
    return tuple("" for _ in exact.values), tuple("" for _ in exact.slopes)


def _on_arrays(run: Routine, exact: Sequence[Exact]) -> list[Outcome]:
    """All points in one call, as arrays."""
    import numpy as np

    count = len(exact)
    points = zip(*(e.point for e in exact), strict=True)
    try:
        values, slopes = run(*map(np.array, points))
    except Exception:
        return [_nothing(e) for e in exact]
    columns = [[np.broadcast_to(a, (count,)) for a in part] for part in (values, slopes)]
    return [
        (tuple(v[i] for v in columns[0]), tuple(s[i] for s in columns[1])) for i in range(count)
    ]


def _exactly(value: Any) -> Any:
    return value if isinstance(value, bool) else mpmath.mpf(value)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e6 else f"{value:.6g}"
    return str(value)
