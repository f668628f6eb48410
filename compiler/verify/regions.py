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
MOST_DEGREE = 40
WIDTHS = (sp.Rational(1, 8), sp.Rational(1, 10**6), sp.Rational(1, 10**20))


def row(difference: Any, sign: int) -> Row:
    """`sign·difference > 0` as a row."""
    terms = sp.expand(difference).as_coefficients_dict()
    return {m: sign * Fraction(int(c.p), int(c.q)) for m, c in terms.items() if c.is_Rational}


def is_feasible(signs: Sequence[tuple[Any, int]]) -> bool:
    """Whether some point may have these signs of these differences."""
    alone: dict[Any, list[tuple[Any, int]]] = {}
    for difference, sign in signs:
        symbols = difference.free_symbols
        if len(symbols) == 1 and difference.is_polynomial(*symbols):
            alone.setdefault(min(symbols), []).append((difference, sign))
    for symbol in sorted(alone, key=sp.default_sort_key):
        if not _is_feasible_alone(symbol, alone[symbol]):
            return False
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


def _is_feasible_alone(symbol: Any, signs: Sequence[tuple[Any, int]]) -> bool:
    """The same of polynomials in one symbol: it is tried between any two roots of all of them."""
    wanted = [(sp.Poly(difference, symbol), sign) for difference, sign in signs]
    if symbol.is_nonnegative or symbol.is_nonpositive:
        wanted.append((sp.Poly(symbol, symbol), 1 if symbol.is_nonnegative else -1))
    if not all(p.domain.is_QQ or p.domain.is_ZZ for p, _ in wanted):
        return True
    if sum(p.degree() for p, _ in wanted) > MOST_DEGREE:
        return True
    product = sp.Poly(1, symbol)
    for polynomial, _ in wanted:
        product = sp.lcm(product, polynomial.sqf_part())
    for width in WIDTHS:  # of the intervals with a root each: these may touch at a root
        places = [interval for interval, _ in product.intervals(eps=width)]
        ends = [end for place in places for end in place] or [sp.Integer(0)] * 2
        ends = [ends[0] - 1, *ends, ends[-1] + 1]
        tried = [(a + b) / 2 for a, b in zip(ends[::2], ends[1::2], strict=True)]
        if all(product.eval(t) != 0 for t in tried):
            return any(all(p.eval(t) * sign > 0 for p, sign in wanted) for t in tried)
    return True


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
