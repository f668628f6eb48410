"""Open regions: whether signs of differences can hold together.

Fourier and Motzkin's elimination over the rationals, each monomial a variable of its own: what is
found impossible is impossible, the reverse does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy as sp

Row = dict[Any, Fraction]  # Σ coefficient·monomial > 0; the key 1 is the constant
MOST_ROWS = 200


def row(difference: Any, sign: int) -> Row:
    """`sign·difference > 0` as a row."""
    terms = sp.expand(difference).as_coefficients_dict()
    return {m: sign * Fraction(int(c.p), int(c.q)) for m, c in terms.items() if c.is_Rational}


def is_feasible(signs: Sequence[tuple[Any, int]]) -> bool:
    """Whether some point may have these signs of these differences."""
    rows = []
    for difference, sign in signs:
        terms = sp.expand(difference).as_coefficients_dict()
        if not all(c.is_Rational for c in terms.values()):
            continue
        rows.append(row(difference, sign))
    monomials = sorted({m for r in rows for m in r if m != 1}, key=sp.default_sort_key)
    for monomial in monomials:
        if monomial.is_positive:
            rows.append({monomial: Fraction(1)})
        elif monomial.is_negative:
            rows.append({monomial: Fraction(-1)})
    for monomial in monomials:
        rows = _eliminate(rows, monomial)
        if len(rows) > MOST_ROWS:
            return True
    return all(r.get(sp.S.One, Fraction(0)) > 0 for r in rows)


def _eliminate(rows: list[Row], monomial: Any) -> list[Row]:
    above = [r for r in rows if r.get(monomial, 0) > 0]
    below = [r for r in rows if r.get(monomial, 0) < 0]
    kept = [r for r in rows if not r.get(monomial, 0)]
    for a in above:
        for b in below:
            p, q = a[monomial], -b[monomial]
            names = dict.fromkeys([*a, *b])
            joined = {m: a.get(m, Fraction(0)) * q + b.get(m, Fraction(0)) * p for m in names}
            kept.append({m: c for m, c in joined.items() if c})
    return kept


def normal(difference: Any) -> tuple[Any, int]:
    """The difference up to a positive factor, and its sign against that form."""
    expanded = sp.expand(difference)
    if expanded == 0:
        return sp.S.Zero, 0
    terms = expanded.as_coefficients_dict()
    lead = min(terms, key=sp.default_sort_key)
    factor = abs(terms[lead])
    sign = 1 if terms[lead] > 0 else -1
    return sp.expand(expanded * sign / factor), sign
