"""One function of a module: what its routines claim, and the verdict on each claim."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import mpmath
import numpy as np

from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify import elements
from mgrad.compiler.verify.evaluation import (
    Evaluation,
    Point,
    Sampler,
    agree,
    at_point,
    contains,
    evaluate,
)
from mgrad.compiler.verify.ints import SMALL, Wish
from mgrad.compiler.verify.layout import Known, Layout
from mgrad.compiler.verify.reference import Reference, is_real
from mgrad.compiler.verify.spelling import number, printed, show, show_number
from mgrad.compiler.verify.symbolic import DIGITS, Bounds, Equivalence, proofs_of
from mgrad.compiler.verify.terms import BudgetExceeded, Dag
from mgrad.compiler.verify.trace import Kept, TraceError, Tracer

PRECISION = 150  # decimal digits of the fingerprints: constants of physics are small
AGREED = 22  # digits to which random points must agree
CANCELLED = mpmath.mpf(10) ** (20 - PRECISION)
LAST_DIGIT = mpmath.mpf(2) ** -53  # of a float, relative to it
ROUNDED_DIGITS = 13  # the same, where the text holds constants to 16 digits
POINTS = 4
BRANCH_POINTS = 10  # a choice between few numbers says little at each
MOST_REGION_POINTS = 20  # at which candidates are compared as well
SMALL_WHOLES = range(-4, 13)
BISECTIONS = 40  # to find where a condition changes between two points
MOST_WAYS = 12  # between points
MOST_CONDITIONS = 24
BISECTION_TERMS = 60_000  # evaluated for all of them
BRANCH_TRIES = 150  # to decide every condition both ways
ROUTINES = ("", "_forward", "_backward", "_value_and_grad", "_jvp", "_jacobian", "_hessian")


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Where text and program differ: the simplest numbers found that still show it."""

    point: dict[str, str]
    what: str  # which number of the routine
    text: str
    program: str
    line: int | None
    variable: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "is the formula right?" for one routine of one function."""

    routine: str
    status: str  # "proved", "agreed", "refuted", "not reached"
    identities: int = 0
    regions: int = 1
    points: int = 0
    digits: int = 0
    reason: str = ""
    counterexample: Counterexample | None = None


@dataclass(slots=True)
class Points:
    """Where claims are tried: generic points, those that decide conditions otherwise, and those
    where branches meet or digits get lost."""

    generic: list[Point] = field(default_factory=list)
    branch: list[Point] = field(default_factory=list)
    special: list[Point] = field(default_factory=list)


@dataclass(slots=True)
class Claim:
    """One number of a routine: the term of the text and the term that it should equal."""

    routine: str
    what: str
    text: int
    program: int
    is_value: bool


@dataclass
class Examination:
    """The reference and the text of one function, side by side."""

    program: Program
    function: Function
    tracer: Tracer
    seed: int = 1
    deadline: float = float("inf")
    wish: Wish = SMALL  # of sizes and ints
    claims: list[Claim] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    is_compared: bool = False  # whether all claims were tried at all points
    unfollowed: dict[str, None] = field(default_factory=dict)  # routines whose text was at fault

    def __post_init__(self) -> None:
        self.dag: Dag = self.tracer.dag
        self.reference = Reference(self.program, self.dag)
        self.layout = Layout(self.program, self.function, self.wish)
        slots = self.layout.slots
        self.kinds = [s.kind for s in slots]
        self.reals = self.layout.reals
        prefix = self.function.name
        self.symbols = [self.dag.symbol(f"{prefix}.{s.name}", s.kind) for s in slots]
        if not self.layout.is_scalar:
            sampler = Sampler(self.kinds, [s.domain for s in slots], self.wish.seed)
            point = sampler.generic()
            self.dag.value_at_a_point = at_point(self.dag, self.symbols, point, PRECISION)

    def count_gradients(self) -> int:
        """Partial derivatives: of each real result by each real argument."""
        return len(self.reals) * sum(is_real(r.type) for r in self.function.results)

    # ------------------------------------------------------------------------------------- claims

    def gather(self) -> None:
        """Reference and text of each routine; what cannot be built gets its verdict at once."""
        reference, dag = self.reference, self.dag
        layout = self.layout
        leaves = [reference.leaf(s) for s in self.symbols]
        wrt = [leaves[i] for i in self.reals]
        arrays = reference.function(self.function, layout.packed(leaves, reference.number))
        given = layout.packed(self.symbols, Known)
        results = [e for r in arrays for e in elements.flat(r)]
        real_arrays = [
            r for r, v in zip(arrays, self.function.results, strict=True) if is_real(v.type)
        ]
        real_results = [e for r in real_arrays for e in elements.flat(r)]
        names = [s.name for s in layout.slots]
        of = [names[i] for i in self.reals]
        one_seed = len(real_results) == 1
        seeds = [
            dag.symbol(
                f"{self.function.name}.grad" if one_seed else f"{self.function.name}.grad[{i}]"
            )
            for i in range(len(real_results))
        ]
        rest = iter(seeds)
        seed_arrays = [
            elements.filled(elements.shape_of(r), [next(rest) for _ in elements.flat(r)])
            for r in real_arrays
        ]
        self.values = [reference.nodes[r].term for r in results]
        self.tracer.know(dag.numbers())
        name = self.function.name  # the suffixes join the source's name: `lambda_forward`
        plain = printed(name)
        has = self.tracer.names

        def terms(nodes: Sequence[int]) -> list[int]:
            return [reference.nodes[n].term for n in nodes]

        value_names = (
            ["value"] if len(results) == 1 else [f"value {i + 1}" for i in range(len(results))]
        )
        gradient_names = [f"gradient of {n}" for n in of]
        self.seeds = seeds
        self.tangents: list[int] = []
        if plain in has:
            self._claim(
                "", value_names, lambda: self.tracer.call(plain, *given), lambda: self.values
            )
        single = self._is_one_number(arrays) and real_results and wrt
        one = [(results[0], reference.number(1))] if single else []
        wanted = [f"{name}_forward", f"{name}_backward"] if real_results and wrt else []
        wanted += [f"{name}_value_and_grad"] if single else []
        for routine in wanted:
            if routine not in has:
                reason = "the module does not define it"
                self.verdicts.append(Verdict(routine, "refuted", reason=reason))
        if real_results and wrt and f"{name}_forward" in has and f"{name}_backward" in has:
            seeded = [(r, reference.leaf(s)) for r, s in zip(real_results, seeds, strict=True)]

            saved: list[Any] = []

            def forward() -> Any:
                value, kept = self.tracer.call(f"{name}_forward", *given)
                saved.append(kept)
                return value

            def pull(*grad: Any) -> Any:
                if not saved:
                    raise TraceError(f"{name}_forward could not be followed")
                return self.tracer.call(f"{name}_backward", Kept(saved[0]), *grad)

            self._claim("_forward", value_names, forward, lambda: self.values)
            self._claim(
                "_backward",
                gradient_names,
                lambda: pull(seed_arrays[0] if len(seed_arrays) == 1 else tuple(seed_arrays)),
                lambda: terms(reference.gradient(seeded, wrt)),
            )
            if self._is_one_number(arrays):  # then the seed is 1 unless it is given
                self._claim(
                    "_backward",
                    [f"{what} without a seed" for what in gradient_names],
                    pull,
                    lambda: terms(reference.gradient(one, wrt)),
                )
        if single and f"{name}_value_and_grad" in has:
            self._claim(
                "_value_and_grad",
                value_names + gradient_names,
                lambda: self.tracer.call(f"{name}_value_and_grad", *given),
                lambda: self.values + terms(reference.gradient(one, wrt)),
            )
        if wrt and f"{name}_jvp" in has:
            self.tangents = [dag.symbol(f"{self.function.name}.d_{n}") for n in of]

            def tangent() -> list[int]:
                found = list(self.values)
                for result in real_results:
                    slopes = reference.gradient([(result, reference.number(1))], wrt)
                    total = reference.number(0)
                    for slope, t in zip(slopes, self.tangents, strict=True):
                        product = reference.scale(reference.leaf(t), slope, None)
                        total = reference.op("add", (total, product))
                    found += terms([total])
                return found

            self._claim(
                "_jvp",
                value_names + [f"tangent of {n}" for n in value_names],
                lambda: self.tracer.call(f"{name}_jvp", tuple(given), self._tangents()),
                tangent,
            )
        if wrt and f"{name}_jacobian" in has:
            counts = [len(elements.flat(r)) for r in real_arrays]

            def rows() -> list[int]:
                seeded = [[(r, reference.number(1))] for r in real_results]
                found = [terms(reference.gradient(s, wrt)) for s in seeded]
                return self._blocks(found, counts)

            labels = [[f"d {v} / d {n}" for n in of] for v in value_names]
            entries = self._blocks(labels, counts)
            self._claim(
                "_jacobian",
                entries,
                lambda: self.tracer.call(f"{name}_jacobian", *given),
                rows,
            )
        if single and f"{name}_hessian" in has:

            def second() -> list[int]:
                slopes = reference.gradient(one, wrt)
                unit = reference.number(1)
                found = [terms(reference.gradient([(s, unit)], wrt)) for s in slopes]
                return self._blocks(found, self.layout.counts)

            labels = [[f"d2 / d {a} d {b}" for b in of] for a in of]
            entries = self._blocks(labels, self.layout.counts)
            self._claim(
                "_hessian",
                entries,
                lambda: self.tracer.call(f"{name}_hessian", *given),
                second,
            )

    def _blocks(self, rows: Sequence[Sequence[Any]], counts: Sequence[int]) -> list[Any]:
        """The entries of a matrix in the order of a Jacobian of arrays: a block for each array
        of rows, `counts` tell how long these are, and each argument."""
        found: list[Any] = []
        rest = list(rows)
        for count in counts:
            some, rest = rest[:count], rest[count:]
            start = 0
            for width in self.layout.counts:
                found += [entry for row in some for entry in row[start : start + width]]
                start += width
        return found

    def _tangents(self) -> tuple[Any, ...]:
        """The tangents as they are given: an array for an array, of the real arguments only."""
        rest = iter(self.tangents)
        return tuple(
            elements.filled(
                self.layout.shape(a), [next(rest) for _ in np.ndindex(*self.layout.shape(a))]
            )
            for a in self.function.arguments
            if is_real(a.value.type)
        )

    @staticmethod
    def _is_one_number(results: Sequence[Any]) -> bool:
        return len(results) == 1 and not elements.shape_of(results[0])

    def _claim(
        self,
        suffix: str,
        names: list[str],
        text: Callable[[], Any],
        program: Callable[[], list[int]],
    ) -> None:
        routine = printed(self.function.name, suffix)
        try:
            expected = program()
            self.tracer.know(self.dag.numbers())
            found = self.tracer.terms(text())
        except (TraceError, BudgetExceeded, TypeError, ValueError) as error:
            if all(v.routine != routine for v in self.verdicts):
                self.verdicts.append(Verdict(routine, "not reached", reason=str(error)))
            if isinstance(error, TraceError):
                self.unfollowed[routine] = None
            return
        if len(found) != len(expected):
            reason = f"gives {len(found)} numbers where {len(expected)} are wanted"
            self.verdicts.append(Verdict(routine, "refuted", reason=reason))
            return
        for what, t, p in zip(names, found, expected, strict=True):
            self.claims.append(Claim(routine, what, t, p, what.startswith("value")))

    # ------------------------------------------------------------------------------------- judging

    def judge(self) -> list[Verdict]:
        """The verdict on each routine, in the order of the module."""
        with mpmath.workdps(PRECISION):
            self._judge()
        order = {printed(self.function.name, s): i for i, s in enumerate(ROUTINES)}
        return sorted(self.verdicts, key=lambda v: order[v.routine])

    def is_refuted_by_numbers(self) -> bool:
        """Whether any routine is refuted without a proof being tried: at the first point found."""
        if any(v.status == "refuted" for v in self.verdicts):
            return True
        with mpmath.workdps(PRECISION):
            return next(self._faults(Points()), None) is not None

    def doubts(self) -> dict[str, Verdict]:
        """Of the routines that are refuted, or whose text cannot be followed, the verdicts. No
        proof is tried."""
        found = {
            v.routine: v
            for v in self.verdicts
            if v.status == "refuted" or v.routine in self.unfollowed
        }
        with mpmath.workdps(PRECISION):
            for routine, claim, point in self._faults(Points()):
                found[routine] = self._refuted(routine, claim, point)
        return found

    def a_point(self) -> Point | None:
        """A point at which the function is finite, if one is found."""
        sampler = Sampler(self.kinds, [s.domain for s in self.layout.slots], self.seed)
        with mpmath.workdps(PRECISION):
            return next(iter(self._generic_points(sampler)), None)

    def _judge(self) -> None:
        routines = list(dict.fromkeys(c.routine for c in self.claims))
        points = Points()
        faults = list(self._faults(points))
        for routine, claim, point in faults:
            self.verdicts.append(self._refuted(routine, claim, point))
        wrong = {routine for routine, _, _ in faults}
        rest = [r for r in routines if r not in wrong]
        if rest and not points.generic:
            reason = "no point was found where the function is finite"
            self.verdicts += [Verdict(r, "not reached", reason=reason) for r in rest]
        elif rest:
            self._prove(rest, points.generic, points.branch + points.special)

    def _faults(self, points: Points) -> Iterator[tuple[str, Claim, Point]]:
        """The first claim of each routine that fails, and where. Fills `points` as it goes on."""
        waiting = dict.fromkeys(c.routine for c in self.claims)
        order = self._cone([t for c in self.claims for t in (c.text, c.program)] + self._context())
        sampler = Sampler(self.kinds, [s.domain for s in self.layout.slots], self.seed)
        steps: tuple[Callable[[], None], ...] = (
            lambda: points.generic.extend(self._generic_points(sampler)),
            lambda: points.branch.extend(self._branch_points(sampler, points.generic)),
            lambda: points.special.extend(self._special_points(sampler, len(order))),
        )
        for make, made in zip(steps, (points.generic, points.branch, points.special), strict=True):
            make()
            for point in made:
                if not waiting or time.monotonic() > self.deadline:
                    return
                values = self._evaluate(order, point)
                for claim in self.claims:
                    if claim.routine in waiting and self._differ(values, claim, point):
                        del waiting[claim.routine]
                        yield claim.routine, claim, point
        self.is_compared = True

    def _prove(self, routines: list[str], points: list[Point], special: list[Point]) -> None:
        evaluations = [Evaluation(self.dag, self._bind(p, i)) for i, p in enumerate(points)]
        most = min(MOST_REGION_POINTS, 60_000 // len(self.dag.terms))
        others = [p for p in special if self._is_regular(p)]
        others = others[:most] if self._has_branches() else []
        regions = [Evaluation(self.dag, self._bind(p, 9 + i)) for i, p in enumerate(others)]
        equivalence = Equivalence(
            self.dag,
            evaluations,
            self._assumptions(),
            self.deadline,
            regions,
            ROUNDED_DIGITS if self.tracer.rounded else DIGITS,
            self._bounds(),
        )
        try:
            equivalence.absorb()
        except TimeoutError:
            reason = "the time budget ran out"
            status = "agreed" if self.is_compared else "not reached"
            self.verdicts += [
                Verdict(r, status, points=len(points), digits=AGREED, reason=reason)
                for r in routines
            ]
            return
        for routine in routines:
            claims = [c for c in self.claims if c.routine == routine]
            texts, programs = [c.text for c in claims], [c.program for c in claims]
            most, reasons = proofs_of(equivalence, self.dag, texts + programs)
            count = self._identities(equivalence, texts, programs)
            for claim in claims:
                if equivalence.classes[claim.text] != equivalence.classes[claim.program]:
                    reasons.append(f"{claim.what}: no chain of identities was found")
            if reasons:
                verdict = Verdict(routine, "agreed", count, most, len(points), AGREED, reasons[0])
            else:
                verdict = Verdict(routine, "proved", count, most)
            self.verdicts.append(verdict)

    def _identities(
        self, equivalence: Equivalence, texts: Sequence[int], programs: Sequence[int]
    ) -> int:
        """How many values of the text stand for a value or a cotangent of the program."""
        made = [
            {equivalence.classes[t] for t in self._cone(roots) if self.dag.terms[t].operands}
            for roots in (texts, programs)
        ]
        return len(made[0] & made[1])

    def _assumptions(self) -> dict[int, dict[str, bool]]:
        found: dict[int, dict[str, bool]] = {}
        for symbol, kind, slot in zip(self.symbols, self.kinds, self.layout.slots, strict=True):
            domain = slot.domain
            facts = {"integer": True} if kind == "int" else {"real": True}
            if domain is not None and domain.low >= 0:
                facts = (
                    {"positive": True}
                    if domain.low > 0 or domain.low_open
                    else {"nonnegative": True}
                )
            elif domain is not None and domain.high <= 0:
                facts = (
                    {"negative": True}
                    if domain.high < 0 or domain.high_open
                    else {"nonpositive": True}
                )
            found[symbol] = facts
        return found

    def _bounds(self) -> dict[int, Bounds]:
        """The ends of the domains of arguments; None for infinity."""
        return {
            symbol: (_end(slot.domain.low), _end(slot.domain.high))
            for symbol, slot in zip(self.symbols, self.layout.slots, strict=True)
            if slot.domain is not None
        }

    def _bind(self, point: Point, salt: int) -> dict[int, Any]:
        """Values of the symbols: arguments from the point, seeds and tangents of their own."""
        values = {s: number(v) for s, v in zip(self.symbols, point, strict=True)}
        for rank, symbol in enumerate([*self.seeds, *self.tangents]):
            values[symbol] = number(_seed(rank, salt) if salt >= 0 else Fraction(1))
        return values

    def _cone(self, roots: Sequence[int]) -> list[int]:
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            index = stack.pop()
            if index not in seen:
                seen.add(index)
                stack.extend(self.dag.terms[index].operands)
        return sorted(seen)

    def _evaluate(
        self,
        order: Sequence[int],
        point: Point,
        salt: int = 0,
        shifts: Mapping[int, Any] = MappingProxyType({}),
    ) -> dict[int, Any]:
        """Values of terms; those with a shift are multiplied by it."""
        symbols = self._bind(point, salt)
        values: dict[int, Any] = {}
        for index in order:
            values[index] = evaluate(self.dag.terms[index], values, symbols)
            if index in shifts:
                values[index] *= shifts[index]
        return values

    def _differ(self, values: Mapping[int, Any], claim: Claim, point: Point, salt: int = 0) -> bool:
        """Whether a claim fails at a point, where the terms have these values."""
        true, found = values[claim.program], values[claim.text]
        if not self._is_here(values):
            return False
        if isinstance(true, bool):
            return bool(found) != true
        if not mpmath.isfinite(true):
            return False
        if not claim.is_value and not all(_is_finite(values[v]) for v in self.values):
            return False  # what has no value there has no gradient
        if self._is_decided(values) and not (claim.is_value and not self.reference.has_derivatives):
            return False
        if agree(found, true, AGREED):
            return False
        if not mpmath.isfinite(found):
            return True
        sizes = (values[t] for t in self._cone([claim.text, claim.program]))
        largest = max(abs(v) for v in sizes if not isinstance(v, bool) and mpmath.isfinite(v))
        if abs(found - true) <= largest * CANCELLED:
            return False  # what is left of numbers that cancel
        if not self.tracer.rounded:
            return True
        return bool(abs(found - true) > self._uncertainty(claim, found, point, salt))

    def _context(self) -> list[int]:
        """What has to be known of a point to judge a claim there."""
        return [*self.values, *self.reference.decided, *self.dag.settled]

    def _is_here(self, values: Mapping[int, Any]) -> bool:
        """Whether a point is of the region at which the places were settled."""
        return all(values[term] == place for term, place in self.dag.settled.items())

    def _is_regular(self, point: Point) -> bool:
        """Whether the point is of the region, and no stated derivative decides there."""
        context = [*self.reference.decided, *self.dag.settled]
        values = self._evaluate(self._cone(context), point)
        return self._is_here(values) and not self._is_decided(values)

    def _is_decided(self, values: Mapping[int, Any]) -> bool:
        """Whether a stated derivative is the only one at this point."""
        return any(values.get(t) is True for t in self.reference.decided)

    def _uncertainty(self, claim: Claim, found: Any, point: Point, salt: int) -> Any:
        """How far a number of the text may be off because literals of 16 digits stand for exact
        numbers that they are not: what happens to it when these are moved by their last digit."""
        order = self._cone([claim.text])
        largest = mpmath.mpf(0)
        dice = random.Random(5)
        for _ in range(3):
            shifts = {t: 1 + dice.choice((1, -1)) * LAST_DIGIT for t in self.tracer.rounded}
            moved = self._evaluate(order, point, salt, shifts)[claim.text]
            largest = max(largest, abs(moved - found))
        return 8 * largest

    def _generic_points(self, sampler: Sampler) -> list[Point]:
        """Points where every claim is finite; the fewer, the harder they are to find."""
        found: list[Point] = []
        order = self._cone([*(c.program for c in self.claims), *self.dag.settled])
        enough = BRANCH_POINTS if self._has_branches() else POINTS
        tries = 40 if len(order) < 5000 else 12
        for attempt in range(tries * (10 if self.dag.settled else 1)):
            point = sampler.generic((2.0, 0.7, 8.0, 30.0)[attempt % 4])
            values = self._evaluate(order, point)
            if self._is_here(values) and all(
                isinstance(values[c.program], bool) or mpmath.isfinite(values[c.program])
                for c in self.claims
            ):
                found.append(point)
                if len(found) == enough:
                    break
        return found

    def _branch_points(self, sampler: Sampler, known: list[Point]) -> list[Point]:
        """Points where a condition is decided as it was at none before."""
        conditions = [t.index for t in self.dag.terms if t.head in ("lt", "le", "eq")]
        if not conditions:
            return []
        order = self._cone(conditions)
        seen: dict[tuple[int, bool], None] = {}
        found: list[Point] = []
        tries = min(BRANCH_TRIES, 60_000 // len(order))
        drawn = [sampler.generic((2.0, 0.3, 10.0)[i % 3], i % 2 == 1) for i in range(tries)]
        for rank, point in enumerate([*known, *drawn]):
            values = self._evaluate(order, point)
            fresh = [c for c in conditions if (c, bool(values[c])) not in seen]
            seen.update(dict.fromkeys((c, bool(values[c])) for c in fresh))
            if fresh and rank >= len(known):
                found.append(point)
            if len(seen) == 2 * len(conditions):
                break
        return found + self._between([*known, *found])

    def _whole_points(self, sampler: Sampler) -> list[Point]:
        """Points with every small whole number in turn, where there are int arguments."""
        found: list[Point] = []
        for position, (kind, slot) in enumerate(zip(self.kinds, self.layout.slots, strict=True)):
            for whole in SMALL_WHOLES if kind == "int" else ():
                if slot.domain is not None and not contains(slot.domain, whole):
                    continue
                point = sampler.generic()
                found.append((*point[:position], whole, *point[position + 1 :]))
        return found

    def _between(self, points: Sequence[Point]) -> list[Point]:
        """Points between the places where conditions change on the way from one point to another:
        where two thresholds are nearly the same, they lie between them."""
        conditions = [t.index for t in self.dag.terms if t.head in ("lt", "le")]
        cones = {c: self._cone([c]) for c in conditions[:MOST_CONDITIONS]}
        cost = BISECTIONS * sum(map(len, cones.values()))
        found: list[Point] = []
        for start, end in list(pairwise(points))[: min(MOST_WAYS, BISECTION_TERMS // (cost + 1))]:
            places = []
            for condition, cone in cones.items():
                at = [bool(self._evaluate(cone, p)[condition]) for p in (start, end)]
                if at[0] == at[1]:
                    continue
                low, high = Fraction(0), Fraction(1)
                for _ in range(BISECTIONS):
                    middle = (low + high) / 2
                    value = self._evaluate(cone, self._on_the_way(start, end, middle))[condition]
                    low, high = (middle, high) if bool(value) == at[0] else (low, middle)
                places.append(high)
            places.sort()
            found += [
                self._on_the_way(start, end, (a + b) / 2)
                for a, b in pairwise(places)
                if b - a > Fraction(4, 2**BISECTIONS)
            ]
        return found

    def _on_the_way(self, start: Point, end: Point, share: Fraction) -> Point:
        """A point between two; what is no real number stays that of the first."""
        return tuple(
            a + share * (b - a) if kind == "real" else a
            for a, b, kind in zip(start, end, self.kinds, strict=True)
        )

    def _has_branches(self) -> bool:
        return any(t.head == "select" for t in self.dag.terms)

    def _special_points(self, sampler: Sampler, size: int) -> list[Point]:
        """Where comparisons of either side change their minds, and far away."""
        compared = self.dag.compared()
        points = sampler.special(compared[:12])
        points += [sampler.generic(s) for s in (0.01, 100.0, 1e4, 1e7)]
        if not compared and not self._has_branches():
            points = points[:12]
        most = max(6, min(len(points), 150_000 // (size + 1)))
        return self._whole_points(sampler) + points[:most]

    # ----------------------------------------------------------------------------------- refuting

    def _refuted(self, routine: str, claim: Claim, point: Point) -> Verdict:
        order = self._cone([claim.text, claim.program, *self._context()])
        point = self._shrink(order, claim, point)
        salt = -1 if self._differ(self._evaluate(order, point, -1), claim, point, -1) else 0
        values = self._evaluate(order, point, salt)
        line, variable = self._first_difference(claim, point)
        names = [s.name for s in self.layout.slots]
        shown = self.layout.ints()
        shown |= {n: show(v) for n, v in zip(names, point, strict=True)}
        for symbol in (*self.seeds, *self.tangents):
            if symbol in values:
                name = self.dag.terms[symbol].payload[0].split(".")[-1]
                shown[name] = mpmath.nstr(values[symbol], 6)
        example = Counterexample(
            shown,
            claim.what,
            show_number(values[claim.text]),
            show_number(values[claim.program]),
            line,
            variable,
        )
        return Verdict(routine, "refuted", counterexample=example)

    def _shrink(self, order: list[int], claim: Claim, point: Point) -> Point:
        tries = max(8, min(60, 100_000 // (len(order) + 1)))
        simple = [Fraction(n, 2) for n in (2, 4, -2, 6, 0, 1, -4, -1, 20)]
        for whole in (1, 2, -1, 3):
            candidate = tuple(self._kind(k, Fraction(whole)) for k in self.kinds)
            tries -= 1
            if self._fails(order, claim, candidate):
                point = candidate
                break
        for position, kind in enumerate(self.kinds):
            for value in simple:
                if tries <= 0 or show(point[position]) == show(self._kind(kind, value)):
                    break
                tries -= 1
                candidate = (*point[:position], self._kind(kind, value), *point[position + 1 :])
                if self._fails(order, claim, candidate):
                    point = candidate
                    break
        return point

    @staticmethod
    def _kind(kind: str, value: Fraction) -> Any:
        return value > 0 if kind == "bool" else (round(value) if kind == "int" else value)

    def _fails(self, order: list[int], claim: Claim, point: Point) -> bool:
        for value, slot in zip(point, self.layout.slots, strict=True):
            if slot.domain is not None and not contains(slot.domain, value):
                return False
        return self._differ(self._evaluate(order, point), claim, point)

    def _first_difference(self, claim: Claim, point: Point) -> tuple[int | None, str | None]:
        """The first line of the text, on the way to what is wrong, that gives a number which the
        program nowhere has; lines that right results need too are passed over."""
        places = self.tracer.places
        right = [c for c in self.claims if c is not claim]
        roots = [t for c in self.claims for t in (c.text, c.program)]
        everything = self._cone(roots + self._context())
        values = self._evaluate(everything, point, 1)
        trusted = set(self._cone([c.text for c in right if not self._differ(values, c, point, 1)]))
        mine = self._cone([claim.program] + [c.program for c in right])
        known = {mpmath.nstr(values[t], 20) for t in mine if not isinstance(values[t], bool)}
        suspects = [t for t in self._cone([claim.text]) if t in places and t not in trusted]
        for term in sorted(suspects, key=lambda t: places[t][0]):
            value = values[term]
            if isinstance(value, bool) or mpmath.nstr(value, 20) not in known:
                return places[term]
        return places.get(claim.text, (None, None))


def _end(value: Fraction | float) -> Fraction | None:
    return Fraction(value) if math.isfinite(value) else None


@cache
def _seed(rank: int, salt: int) -> Fraction:
    """A number between 1 and 2 with nothing special about it, nor about its distance to others."""
    return 1 + Fraction(random.Random(f"{rank} {salt}").getrandbits(48) * 2 + 1, 1 << 49)


def _is_finite(value: Any) -> bool:
    return isinstance(value, bool) or bool(mpmath.isfinite(value))
