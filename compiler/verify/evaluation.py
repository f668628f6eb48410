"""Numbers for terms, at a point, in mpmath; and the points that are worth a look."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import mpmath

from mgrad.compiler.ir.types import Interval
from mgrad.compiler.verify.arithmetic import number
from mgrad.compiler.verify.terms import Dag, Term

Point = tuple[Any, ...]  # one exact number, int or bool an argument
NOTHING = mpmath.mpf(10) ** -110  # what cancels at 150 digits leaves less than this
ABSENT = mpmath.mpf(0)  # this very object: the 0 of a branch that is not taken, not 0 by value


class Evaluation:
    """Values of the terms of a dag where its symbols have given values.

    A condition is True or False; of a nan it is False, as in IEEE 754. The precision is that of
    the mpmath context.
    """

    def __init__(self, dag: Dag, symbols: Mapping[int, Any]) -> None:
        self.dag = dag
        self.symbols = symbols
        self.values: list[Any] = []

    def __getitem__(self, term: int) -> Any:
        values = self.values
        terms = self.dag.terms
        while len(values) <= term:
            values.append(evaluate(terms[len(values)], values, self.symbols))
        return values[term]


def at_point(dag: Dag, symbols: Sequence[int], point: Point, digits: int) -> Callable[[int], Any]:
    """The value of a term at a point of these symbols; others are 1."""
    known = {s: number(v) for s, v in zip(symbols, point, strict=True)}
    values = Evaluation(dag, defaultdict(lambda: mpmath.mpf(1), known))

    def value(term: int) -> Any:
        with mpmath.workdps(digits):
            return values[term]

    return value


def evaluate(
    term: Term, values: Sequence[Any] | Mapping[int, Any], symbols: Mapping[int, Any]
) -> Any:
    """The value of one term from those of its operands."""
    operands = term.operands
    match term.head:
        case "template":
            template = term.template
            assert template is not None
            given = [values[o] for o in operands]
            if template.is_sum and (given[0] is ABSENT or given[1] is ABSENT):
                return given[1] if given[0] is ABSENT else given[0]
            try:
                return template.evaluate(*given)
            except (ArithmeticError, ValueError, TypeError):
                return mpmath.nan
        case "scale":
            d, p = values[operands[0]], values[operands[1]]
            return ABSENT if d is ABSENT or p is ABSENT else d * p
        case "constant":
            return (
                ABSENT if term.payload == 0 and term.payload is not False else number(term.payload)
            )
        case "symbol":
            return symbols[term.index]
        case "select":
            return values[operands[1]] if values[operands[0]] else values[operands[2]]
        case "lt":
            return bool(values[operands[0]] < values[operands[1]])
        case "le":
            return bool(values[operands[0]] <= values[operands[1]])
        case "eq":
            return bool(values[operands[0]] == values[operands[1]])
        case "and":
            return all(values[o] for o in operands)
        case "or":
            return any(values[o] for o in operands)
        case _:
            return not values[operands[0]]


def agree(a: Any, b: Any, digits: int) -> bool:
    """Whether two values are the same to so many digits; nan agrees with nan."""
    if isinstance(a, bool) or isinstance(b, bool):
        return bool(a) == bool(b)
    if a == b:
        return True
    if a != a or b != b:
        return bool(a != a and b != b)
    if not (mpmath.isfinite(a) and mpmath.isfinite(b)):
        return False
    size = max(abs(a), abs(b))
    return bool(abs(a - b) <= size * mpmath.mpf(10) ** -digits or size < NOTHING)


class Sampler:
    """Points in the domains of a function's arguments, the same for the same function."""

    def __init__(
        self, kinds: Sequence[str], domains: Sequence[Interval | None], seed: int = 1
    ) -> None:
        self.kinds = kinds
        self.domains = domains
        self.random = random.Random(seed)
        self._has_counts = False

    def generic(self, scale: float = 2.0, near_edges: bool = False) -> Point:
        """A point with nothing special about it; or with coordinates that come closer to one end of
        a bounded domain, by orders of magnitude. Of ints half of the points have none below 0: many
        together would seldom be counts or orders by chance."""
        self._has_counts = "int" in self.kinds and self.random.random() < 0.5
        return tuple(
            self._draw(k, d, scale, near_edges)
            for k, d in zip(self.kinds, self.domains, strict=True)
        )

    def _draw(
        self, kind: str, domain: Interval | None, scale: float, near_edges: bool = False
    ) -> Any:
        if kind == "bool":
            return self.random.random() < 0.5
        if kind == "int":
            return self._whole(domain, max(1, round(3 * scale)))
        low, high = (-float("inf"), float("inf")) if domain is None else (domain.low, domain.high)
        u = Fraction(self.random.getrandbits(48) * 2 + 1, 1 << 49)
        if near_edges:
            u = u ** self.random.choice((1, 2, 4)) if self.random.random() < 0.7 else 1 - u**3
        if low != -float("inf") and high != float("inf"):
            value = Fraction(low) + (Fraction(high) - Fraction(low)) * u
        elif low != -float("inf"):
            value = Fraction(low) + Fraction(scale) * u
        elif high != float("inf"):
            value = Fraction(high) - Fraction(scale) * u
        else:
            value = Fraction(scale) * (2 * u - 1)
        return value

    def _whole(self, domain: Interval | None, reach: int) -> int:
        low, high = -reach, reach
        if domain is not None:
            if domain.low != -float("inf"):
                low = math.ceil(domain.low) + (domain.low_open and domain.low == int(domain.low))
                high = low + reach
            if domain.high != float("inf"):
                top = math.floor(domain.high)
                high = top - (domain.high_open and domain.high == top)
                low = low if domain.low != -float("inf") else high - reach
        if self._has_counts and high >= 0:
            low = max(low, 0)
        return self.random.randint(low, max(low, high))

    def special(self, numbers: Iterable[Fraction]) -> list[Point]:
        """Points at and around given numbers: where branches meet, and where digits get lost."""
        seen: dict[Point, None] = {}
        near: list[Fraction] = []
        for n in dict.fromkeys([Fraction(0), *numbers]):
            near += [n, n + Fraction(1, 4), n - Fraction(1, 4), n + Fraction(1, 1000), n - 1, n + 1]
        near += [Fraction(s) * Fraction(10) ** e for e in (-5, 1, 2, 6) for s in (1, -1)]
        count = len(self.kinds)
        for value in near:
            seen[self._clamp((value,) * count)] = None
        for value in near if count > 1 else ():
            for position in range(min(count, 4)):
                point = list(self.generic())
                point[position] = value
                seen[self._clamp(tuple(point))] = None
        if count > 1:
            seen[self._clamp(tuple(Fraction(i + 1) for i in range(count)))] = None
        return list(seen)

    def _clamp(self, point: Point) -> Point:
        """The point, its coordinates of the right kind and inside their domains."""
        inside: list[Any] = []
        for kind, domain, value in zip(self.kinds, self.domains, point, strict=True):
            if kind == "bool":
                inside.append(bool(value > 0))
            elif kind == "int":
                whole = round(value)
                is_inside = domain is None or contains(domain, whole)
                inside.append(whole if is_inside else self._draw(kind, domain, 2.0))
            elif domain is not None and not contains(domain, value):
                inside.append(self._draw(kind, domain, 2.0))
            else:
                inside.append(Fraction(value))
        return tuple(inside)


def contains(domain: Interval, value: Any) -> bool:
    above = value > domain.low if domain.low_open else value >= domain.low
    below = value < domain.high if domain.high_open else value <= domain.high
    return bool(above and below)
