"""Is the formula right? Equivalence by parts.

Terms with equal values at random points are candidates. SymPy proves each from the classes of its
operands, in order; where operands do not suffice their definitions are put in, step by step. Which
definitions are needed is tried with numbers first: the classes at the cut get values of their own,
and only what holds then is given to SymPy (`identities`), if need be without the definitions that
turn out not to matter. Where the two differ even then, at numbers that the random points did not
meet (in another branch), they are no candidates after all.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import product
from typing import Any

import mpmath
import sympy as sp

from mgrad.compiler.verify.evaluation import NOTHING, Evaluation, agree, evaluate
from mgrad.compiler.verify.identities import (
    CONDITIONS,
    DISTINCT,
    INFINITIES,
    REAL,
    Facts,
    Identity,
    Outcome,
    is_finite,
)
from mgrad.compiler.verify.terms import Dag, Term, placeholder

DIGITS = 25  # of agreement that make a candidate
LITTLE_WORK = 20_000  # of normal forms, before definitions are left out
FEW_DEFINITIONS = 12  # none of these is left out
MOST_STEPS = 400  # definitions put in for one identity
MOST_CONE = 800
MOST_DEFINITIONS = 1500  # put in at once, where nothing less does
MOST_CANDIDATES = 8  # of the same values at the random points
NEAR, FAR = 4, (12, 80)  # numbers tried at a cut; far away the more, the fewer terms there are
FAR_TERMS = 2000

# By the shape of an identity: proved, regions, why not. A shape is proved once, wherever it stands.
PROOFS: dict[object, Outcome] = {}

Bounds = tuple[Fraction | None, Fraction | None]
Ends = tuple[Any, ...]  # some of ∞, -∞ and 0
IN_THE_LIMIT = {"positive": "nonnegative", "negative": "nonpositive"}


@dataclass
class Equivalence:
    """Classes of equal terms of one dag. `deadline` is a time of `time.monotonic`."""

    dag: Dag
    evaluations: Sequence[Evaluation]
    assumptions: dict[int, dict[str, bool]]  # of symbols
    deadline: float = float("inf")
    regions: Sequence[Evaluation] = ()  # points in other regions, where a false candidate shows
    digits: int = DIGITS  # of agreement that make a candidate: fewer where literals are rounded
    bounds: Mapping[int, Bounds] = field(default_factory=dict)  # of symbols
    classes: list[int] = field(default_factory=list)  # the first term that equals each
    proofs: dict[int, int] = field(default_factory=dict)  # term -> regions its proof went through
    unproved: dict[int, str] = field(default_factory=dict)  # term -> why it is only agreed
    _keys: dict[object, int] = field(default_factory=dict)
    _buckets: dict[object, list[int]] = field(default_factory=dict)
    _signs: dict[int, Facts] = field(default_factory=dict)
    _sign_cache: dict[object, Facts] = field(default_factory=dict)
    _ends: dict[int, Ends] = field(default_factory=dict)  # what a class is where a literal is ±∞
    _end_cache: dict[object, Ends] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    def absorb(self) -> None:
        """Sorts every term of the dag that is new into a class."""
        while len(self.classes) < len(self.dag.terms):
            term = self.dag.terms[len(self.classes)]
            if term.index % 64 == 0 and time.monotonic() > self.deadline:
                raise TimeoutError
            self.classes.append(term.index)
            self._sort(term)

    def _sort(self, term: Term) -> None:
        operands = tuple(self.classes[o] for o in term.operands)
        key = self._key(term, operands)
        found = self._keys.get(key)
        if found is None:
            found = self._find(term)
            self._keys[key] = found
        elif found != term.index:
            self.proofs[term.index] = 1
        self.classes[term.index] = found
        self._ends[term.index] = self._ends_of(term, operands)
        self._signs[term.index] = self._sign(term, operands)

    def _find(self, term: Term) -> int:
        """The first class that the term is proved to equal; else the first that it seems to equal;
        else one of its own. Conditions do not seem equal: few bits are known of them."""
        bucket = self._buckets.setdefault(self._fingerprint(term.index), [])
        seeming: int | None = None
        for candidate in bucket[:MOST_CANDIDATES]:
            if not self._same_values(term.index, candidate):
                continue
            found = self.prove(term.index, candidate)
            if found.is_proved:
                self.proofs[term.index] = found.regions
                self.unproved.pop(term.index, None)
                return candidate
            if found is not DISTINCT and seeming is None and term.head not in CONDITIONS:
                seeming = candidate
                self.unproved[term.index] = found.why
        if seeming is None:
            bucket.append(term.index)
            return term.index
        return seeming

    def _key(self, term: Term, operands: tuple[int, ...]) -> object:
        if term.template is not None:
            if term.template.is_commutative:
                operands = tuple(sorted(operands))
            return ("template", term.template.serial, operands)
        if not operands:
            return ("leaf", term.index)
        return (
            term.head,
            tuple(sorted(operands)) if term.head in ("and", "or", "eq") else operands,
        )

    def _fingerprint(self, term: int) -> object:
        parts: list[str] = []
        for evaluation in self.evaluations:
            value = evaluation[term]
            if isinstance(value, bool):
                parts.append(str(value))
            elif value != value:
                parts.append("nan")
            elif abs(value) < NOTHING:
                parts.append("0")
            else:
                parts.append(mpmath.nstr(value, 12 if self.digits == DIGITS else 8))
        # a condition is known by few bits: it needs the company of its kind
        return (self.dag.terms[term].head in CONDITIONS, tuple(parts))

    def _same_values(self, a: int, b: int) -> bool:
        """Whether the values agree; those that are nowhere finite say nothing."""
        informative = False
        for evaluation in self.evaluations:
            x, y = evaluation[a], evaluation[b]
            if not agree(x, y, self.digits):
                return False
            informative = informative or isinstance(x, bool) or bool(mpmath.isfinite(x))
        if informative:
            for evaluation in self.regions:
                x, y = evaluation[a], evaluation[b]
                if x == x and y == y and not agree(x, y, self.digits - 5):
                    return False
        return informative

    def _sign(self, term: Term, operands: tuple[int, ...]) -> Facts:
        """What SymPy may assume of a term, from what it may assume of the operands."""
        if term.head == "symbol":
            return tuple(self.assumptions.get(term.index, {"real": True}).items())
        if term.template is None or len(operands) > 4:
            return (("real", True),)
        known = tuple(
            self._signs[self.classes[o]] if o in self._signs else (("real", True),)
            for o in term.operands
        )
        is_bounded = not any(self._ends[c] for c in operands)
        key = (term.template.serial, known, is_bounded)
        found = self._sign_cache.get(key)
        if found is None:
            inner = {placeholder(i): sp.Symbol(f"s{i}", **dict(k)) for i, k in enumerate(known)}
            expression = term.template.expression.xreplace(inner)
            facts: Facts = (("real", True),)
            for fact in ("positive", "negative", "nonnegative", "nonpositive"):
                if getattr(expression, f"is_{fact}"):
                    facts = ((fact if is_bounded else IN_THE_LIMIT.get(fact, fact), True),)
                    break
            found = self._sign_cache[key] = facts
        return found

    def _ends_of(self, term: Term, operands: tuple[int, ...]) -> Ends:
        """Whether a term may be infinite, or 0, on a whole region because a literal is infinite. A
        pole is no such case: there a function has no value."""
        if term.head == "constant" and isinstance(term.payload, float):
            return (sp.sympify(term.payload),)
        if term.head == "select":
            return tuple(dict.fromkeys(self._ends[operands[1]] + self._ends[operands[2]]))
        inner = tuple(self._ends[c] for c in operands)
        if term.template is None or not any(inner):
            return ()
        key = (term.template.serial, inner)
        found = self._end_cache.get(key)
        if found is None:
            ends: dict[Any, None] = {}
            symbols = [placeholder(i) for i in range(len(inner))]
            for chosen in product(*((s, *e) for s, e in zip(symbols, inner, strict=True))):
                value = term.template.expression.xreplace(dict(zip(symbols, chosen, strict=True)))
                if value in (*INFINITIES, 0):
                    ends[value] = None
                elif not (value.has(sp.nan, sp.zoo) or is_finite(value)):
                    ends |= dict.fromkeys(INFINITIES)
            found = self._end_cache[key] = tuple(ends)
        return found

    # ---------------------------------------------------------------------------------- one proof

    def prove(self, term: int, candidate: int) -> Outcome:
        """SymPy's word on term = candidate; `DISTINCT` if numbers say that they differ."""
        left, right = {term}, {candidate}
        found = Outcome(False, 0, "it did not reduce from the definitions that were put in")
        for step in range(MOST_STEPS):
            self._open_at_once(left)
            self._open_at_once(right)
            if len(left) + len(right) > MOST_CONE:
                break
            expanded = left | right
            is_last = not self._expand(left, right)
            if step < 8 or step % 4 == 0 or is_last:
                holds = self._holds(term, candidate, expanded)
                if holds:
                    found = self._reduce(term, candidate, expanded)
                    if found.is_proved:
                        return found
                elif is_last:
                    return DISTINCT
            if time.monotonic() > self.deadline:
                raise TimeoutError
            if is_last:
                return found
        whole = self._below(term, candidate, lambda c: bool(self.dag.terms[c].operands))
        if len(whole) > MOST_DEFINITIONS:
            return found
        last = self._identity(term, candidate, whole).prove_by_kernels()
        return last if last.is_proved else found

    def _needed(self, term: int, candidate: int, expanded: set[int]) -> set[int]:
        """Definitions of which none can be left out: numbers would show no equality. The later one
        is kept where one of two will do, so that what both sides are made of becomes the cut."""
        kept = expanded
        order = sorted(expanded - {term, candidate})
        count = max(1, len(order) // 2)  # at once, so that what is not needed goes in few steps
        while True:
            for start in range(0, len(order), count):
                some = kept.intersection(order[start : start + count])
                fewer = self._below(term, candidate, (kept - some).__contains__)
                self._open_at_once(fewer)
                if fewer < kept and self._holds(term, candidate, fewer):
                    kept = fewer
            if count == 1:
                return kept
            count //= 2

    def _below(self, term: int, candidate: int, is_open: Callable[[int], bool]) -> set[int]:
        """The definitions of the two, those of their operands that are open, and so on."""
        found: set[int] = set()
        stack = [term, candidate]
        while stack:
            index = stack.pop()
            if index not in found:
                found.add(index)
                classes = (self.classes[o] for o in self.dag.terms[index].operands)
                stack.extend(c for c in classes if is_open(c))
        return found

    def _operands(self, expanded: set[int]) -> set[int]:
        """The classes at the cut."""
        found: set[int] = set()
        for member in expanded:
            for operand in self.dag.terms[member].operands:
                cls = self.classes[operand]
                if cls not in expanded and self.dag.terms[cls].head != "constant":
                    found.add(cls)
        return found

    def _open_at_once(self, side: set[int]) -> None:
        """Puts in what never stands at the cut. A condition: regions are told by what it compares.
        What may be infinite: a symbol at the cut stands for real numbers. What is divided by and
        may be 0 on a region because something is infinite there, and what that is made of."""
        divisors: set[int] = set()
        pending = [-index for index in side]
        heapify(pending)
        while pending and len(side) <= MOST_CONE:
            made = self.dag.terms[-heappop(pending)]
            for position, operand in enumerate(made.operands):
                cls = self.classes[operand]
                known = self.dag.terms[cls]
                ends = self._ends[cls] if known.operands else ()
                is_divisor = 0 in ends and (made.index in divisors or divides(made, position))
                if is_divisor:
                    divisors.add(cls)
                if cls not in side and (known.head in CONDITIONS or is_divisor or any(ends)):
                    side.add(cls)
                    heappush(pending, -cls)

    def _expand(self, left: set[int], right: set[int]) -> bool:
        """Puts in the definition of the latest class at the cut; first those of one side only."""
        a, b = self._operands(left), self._operands(right)
        openable = [c for c in a ^ b if self.dag.terms[c].operands]
        if not openable:
            openable = [c for c in a & b if self.dag.terms[c].operands]
        if not openable:
            return False
        chosen = max(openable)
        if chosen in a:
            left.add(chosen)
        if chosen in b:
            right.add(chosen)
        return True

    def _holds(self, term: int, candidate: int, expanded: set[int]) -> bool:
        """Whether the two are equal where the classes at the cut have values of their own: near
        those that they have at some point, then far from them, where branches go another way."""
        cut = sorted(self._operands(expanded))
        order = sorted(expanded)
        has_branches = any(self.dag.terms[i].head in (*CONDITIONS, "select") for i in order)
        decided = 0
        far = min(max(FAR_TERMS // len(order), FAR[0]), FAR[1])
        for attempt in range(NEAR + far if has_branches else NEAR):
            is_near = attempt < NEAR
            points = self.evaluations if is_near else [*self.evaluations, *self.regions]
            points = [points[attempt % len(points)]] if is_near else points
            values = {c: self._value_at_cut(c, points, attempt) for c in cut}
            a = self._local(order, values, points[0], term)
            b = values[candidate]
            if a != a or b != b:
                continue
            decided += is_near
            if not agree(a, b, self.digits - 5):
                return False
        return decided > 0

    def _value_at_cut(self, cls: int, points: Sequence[Evaluation], attempt: int) -> Any:
        """Of a symbol, which may have a domain or be whole: a value at one of the points, or
        between two."""
        value = self._random.choice(points)[cls]
        if isinstance(value, bool):
            return value if attempt < 2 else self._random.random() < 0.5
        if self.dag.terms[cls].head == "symbol":
            if self.dag.terms[cls].payload[1] == "real":
                share = mpmath.mpf(self._random.randrange(1, 10**9)) / 10**9
                value += share * (self._random.choice(points)[cls] - value)
            return value
        size = mpmath.mpf(self._random.randrange(1, 10**9)) / 10**10
        if value != value or value == 0:
            return size
        if attempt < NEAR:
            return value * (1 + size)
        sign = self._random.choice((1, -1)) if self._signs[cls] == REAL else 1
        return sign * value * (1 + size) * mpmath.mpf(10) ** self._random.choice((-3, -1, 0, 1, 3))

    def _local(self, order: list[int], values: dict[int, Any], base: Evaluation, term: int) -> Any:
        for index in order:
            made = self.dag.terms[index]
            local: dict[int, Any] = {}
            for operand in made.operands:
                cls = self.classes[operand]
                known = self.dag.terms[cls]
                if cls in values:
                    local[operand] = values[cls]
                elif known.head == "constant":
                    local[operand] = evaluate(known, {}, {})
            if made.head == "symbol":
                values[index] = base[index]
            else:
                values[index] = evaluate(made, local, {})
        return values[term]

    def _reduce(self, term: int, candidate: int, expanded: set[int]) -> Outcome:
        """SymPy's word on the identity over the cut; equal shapes are one proof. What is not seen
        at once is asked of the definitions alone that are needed."""
        identity = self._identity(term, candidate, expanded)
        found = PROOFS.get(identity.key)
        if found is None:
            found = identity.prove_by_kernels(LITTLE_WORK)
            if found is DISTINCT:
                return found
            if not found.is_proved and len(expanded) > FEW_DEFINITIONS:
                needed = self._needed(term, candidate, expanded)
                found = self._identity(term, candidate, needed).prove_by_kernels()
            if not found.is_proved:
                found = identity.prove()
            PROOFS[identity.key] = found
        return found

    def _identity(self, term: int, candidate: int, expanded: set[int]) -> Identity:
        return Identity(
            self.dag.terms,
            self.classes,
            self._signs,
            sorted(expanded),
            term,
            candidate,
            self.digits < DIGITS,
            self.bounds,
        )


@cache
def _diverges(expression: Any, position: int) -> bool:
    """Whether an expression has no value where one of its operands is 0."""
    return not is_finite(expression.xreplace({placeholder(position): sp.Integer(0)}))


def divides(term: Term, position: int) -> bool:
    """Whether a term has no value where one of its operands is 0."""
    return term.template is not None and _diverges(term.template.expression, position)


def proofs_of(equivalence: Equivalence, dag: Dag, roots: Sequence[int]) -> tuple[int, list[str]]:
    """Over how many regions the identities go that the roots rest on; what would not reduce."""
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        index = stack.pop()
        if index not in seen:
            seen.add(index)
            stack.extend(dag.terms[index].operands)
    members = sorted(seen)
    regions = max((equivalence.proofs.get(i, 1) for i in members), default=1)
    return regions, [equivalence.unproved[i] for i in members if i in equivalence.unproved]
