"""Which signs can hold together: what is called impossible is."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy as sp

from mgrad.compiler.verify.evaluation import Evaluation
from mgrad.compiler.verify.regions import is_feasible
from mgrad.compiler.verify.symbolic import Equivalence
from mgrad.compiler.verify.terms import Dag

v, w = sp.symbols("v w", real=True)
p = sp.Symbol("p", positive=True)


@pytest.mark.parametrize(
    ("signs", "feasible"),
    [
        ([(1 - v / 2, -1), (1 - v**3 / 2, 1)], False),  # v > 2 and v^3 < 2
        ([(v, 1), (v**2 - 2, -1)], True),
        ([(v**2 - 2, 1), (v, -1)], True),
        ([(v - 1, 1), (v - 1 - sp.Rational(1, 10**9), -1)], True),  # next to each other
        ([(1000 * v - 1, -1), (v, 1)], True),
        ([(p + 1, -1), (v, 1)], False),
        ([(p**2 - 4, -1), (p - 2, 1)], False),
        ([(v**2 + 1, 1)], True),
        ([(v**2 + 1, -1)], False),
        ([(v + w, 1), (v, -1), (w, -1)], False),
        ([(v * w - 1, 1), (v, 1), (w, -1)], True),  # not seen to be impossible
        ([(v - w, 1), (w - p, 1), (p - v, 1)], False),  # a circle
    ],
)
def test_signs_together(signs: list[tuple[Any, int]], feasible: bool) -> None:
    assert is_feasible(signs) is feasible


def test_where_a_point_is_found_the_signs_are_possible() -> None:
    dice = random.Random(4)
    for _ in range(60):
        point = {s: sp.Rational(dice.randrange(-40, 40), dice.randrange(1, 30)) for s in (v, w)}
        signs = []
        for _ in range(4):
            a, b, c = (dice.randrange(-5, 6) for _ in range(3))
            base = dice.choice((v, w))
            difference = a * base**3 + b * base + c + dice.choice((0, v - w))
            value = difference.subs(point)
            if value != 0:
                signs.append((difference, 1 if value > 0 else -1))
        assert is_feasible(signs)


@pytest.mark.parametrize(
    ("low", "high", "is_proved"),
    [(1, 4, True), (1, None, True), (None, 4, False), (Fraction(9, 10), 4, False)],
)
def test_regions_outside_of_a_domain_are_left_out(
    low: Fraction | None, high: Fraction | None, is_proved: bool
) -> None:
    dag = Dag()
    n, two, three = dag.symbol("n"), dag.constant(2), dag.constant(3)
    chosen = dag.select(dag.compare("<", n, dag.constant(1)), two, three)
    points = [Evaluation(dag, {n: mpmath.mpf(x) / 7}) for x in (8, 13, 19)]
    found = Equivalence(dag, points, {}, bounds={n: (low, high)})
    found.absorb()
    assert (found.classes[chosen] == three and not found.unproved) == is_proved
