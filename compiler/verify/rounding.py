"""How much each rounding on the way counts in a result, to first order.

The sweep goes from the result back to the arguments, in numbers; the partial of each template is
its own difference quotient, in the digits of the mpmath context.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
from sympy.core.function import AppliedUndef

from mgrad.compiler.verify.evaluation import ABSENT, Evaluation
from mgrad.compiler.verify.opaque import slope
from mgrad.compiler.verify.terms import COMMUTATIVE, PRODUCT, Dag, Template, Term

HALF_ULP = mpmath.mpf(2) ** -53
LARGEST, SMALLEST = mpmath.mpf(2) ** 1024, mpmath.mpf(2) ** -1022
TINIEST = mpmath.mpf(2) ** -1075  # half of the smallest float
STEP = mpmath.mpf(10) ** -40


@dataclass(frozen=True, slots=True)
class Roundings:
    """Of one result: the terms that it is made of at the point, and what each counts in it."""

    dag: Dag
    values: Evaluation
    root: int
    live: tuple[int, ...]  # in order; without the branches that are not taken
    slopes: Mapping[int, Any]  # ∂ result / ∂ term
    consumers: Mapping[int, tuple[tuple[int, Any], ...]]  # term -> (term made of it, its partial)

    def weight(self, term: int) -> Any:
        """How far the result moves when the whole of the term is added to it."""
        return abs(self.slopes.get(term, 0) * self.values[term])

    def damage(self, term: int) -> Any:
        """How far the result moves when the term is rounded to a float."""
        value = self.values[term]
        if isinstance(value, bool) or not mpmath.isfinite(value):
            return mpmath.mpf(0)
        if is_float(value) and not is_opaque(self.dag.terms[term]):
            return mpmath.mpf(0)
        return abs(self.slopes.get(term, 0)) * max(abs(value) * HALF_ULP, TINIEST)

    def total(self) -> Any:
        """How far the result moves when every term is rounded."""
        return sum(map(self.damage, self.live), self.weight(self.root) * HALF_ULP)

    def of_arguments(self) -> dict[str, Any]:
        """How far the result moves with half a unit in the last place of each argument."""
        found = {}
        for index in self.live:
            made = self.dag.terms[index]
            if made.head == "symbol" and made.payload[1] == "real":
                found[made.payload[0]] = self.weight(index) * HALF_ULP
        return found


def roundings(dag: Dag, values: Evaluation, root: int) -> Roundings:
    """The sweep from one root, where the symbols have the given values."""
    live = live_terms(dag, values, [root])
    slopes: dict[int, Any] = {root: mpmath.mpf(1)}
    consumers: dict[int, list[tuple[int, Any]]] = {}
    for index in reversed(live):
        d = slopes.get(index)
        if not d:
            continue
        for operand, partial in _partials(dag.terms[index], values):
            change = d * partial
            if change and mpmath.isfinite(change):
                slopes[operand] = slopes.get(operand, 0) + change
                consumers.setdefault(operand, []).append((index, partial))
    made = {index: tuple(found) for index, found in consumers.items()}
    return Roundings(dag, values, root, tuple(live), slopes, made)


def live_terms(dag: Dag, values: Evaluation, roots: Sequence[int]) -> list[int]:
    """What the roots are made of at the point, in order; without the branches not taken."""
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        index = stack.pop()
        if index in seen:
            continue
        seen.add(index)
        term = dag.terms[index]
        if term.head == "select":
            condition, then, orelse = term.operands
            stack += [condition, then if values[condition] else orelse]
        else:
            stack += term.operands
    return sorted(seen)


def _partials(term: Term, values: Evaluation) -> list[tuple[int, Any]]:
    """(operand, ∂ term / ∂ operand) for each operand that is a number."""
    operands = term.operands
    if term.head == "select":
        return [(operands[1] if values[operands[0]] else operands[2], mpmath.mpf(1))]
    if term.head == "scale" or (term.template is not None and term.template.expression == PRODUCT):
        a, b = operands
        if values[a] is ABSENT or values[b] is ABSENT:
            return []
        return [(a, values[b]), (b, values[a])]
    if term.head != "template" or term.template is None:
        return []
    if term.template.expression == COMMUTATIVE[0]:
        return [(operand, mpmath.mpf(1)) for operand in operands]
    given = [values[o] for o in operands]
    if any(isinstance(v, bool) or not mpmath.isfinite(v) for v in given):
        return []
    rule = _by_floats if is_opaque(term) else _by_steps
    return [(o, rule(term.template, given, i)) for i, o in enumerate(operands)]


def _moved(template: Template, given: list[Any], position: int) -> Callable[[Any], Any]:
    def at(x: Any) -> Any:
        return template.evaluate(*given[:position], x, *given[position + 1 :])

    return at


def _by_steps(template: Template, given: list[Any], position: int) -> Any:
    x = given[position]
    f = _moved(template, given, position)
    for step in ((abs(x) or 1) * STEP, -(abs(x) or 1) * STEP):  # the other side, at an end
        try:
            found = (f(x + step) - f(x)) / step
        except (ArithmeticError, ValueError, TypeError):
            continue
        if mpmath.isfinite(found) and not isinstance(found, mpmath.mpc):
            return found
    return mpmath.mpf(0)


def _by_floats(template: Template, given: list[Any], position: int) -> Any:
    """What calls an extern is known in floats only."""
    f = _moved(template, given, position)
    found = mpmath.mpf(slope(lambda x: float(f(mpmath.mpf(x))), float(given[position])))
    return found if mpmath.isfinite(found) else mpmath.mpf(0)


def is_opaque(term: Term) -> bool:
    """Whether a term is the value of an extern, which is known in floats only."""
    return term.template is not None and _calls_extern(term.template)


@cache
def _calls_extern(template: Template) -> bool:
    return bool(template.expression.has(AppliedUndef))


def is_float(value: Any) -> bool:
    """Whether rounding to float64 changes nothing."""
    with mpmath.workprec(53):
        nearest = +value
    return bool(nearest == value) and not 0 < abs(value) < SMALLEST
