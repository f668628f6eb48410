"""Each rewrite is an identity, and is offered where it keeps digits, in the source's words."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp

from mgrad.compiler.verify.rewrites import MEANINGS, TABLE, Words, digits_of, gains, known, show

X = Words("x", real=True)
Y = Words("y", real=True)


@pytest.mark.parametrize("entry", TABLE, ids=lambda e: str(e[0]))
def test_sympy_proves_it(entry: tuple[sp.Expr, sp.Expr]) -> None:
    plain, kept = entry
    for name, meaning in MEANINGS.items():
        kept = kept.replace(name, meaning)
    positive = {s: sp.Symbol(s.name, positive=True) for s in plain.free_symbols}
    difference = (plain - kept).xreplace(positive).rewrite(sp.erf).rewrite(sp.exp)
    assert sp.simplify(sp.expand_log(sp.simplify(difference), force=True)) == 0


def near(x: float, y: float | None = None) -> dict[object, object]:
    return {X: mpmath.mpf(x)} if y is None else {X: mpmath.mpf(x), Y: mpmath.mpf(y)}


@pytest.mark.parametrize(
    ("plain", "atoms", "shown"),
    [
        (1 - sp.cos(X), near(1e-5), "2*sin(x/2)^2"),
        (sp.cos(X) - 1, near(1e-5), "-2*sin(x/2)^2"),
        (sp.exp(X) - 1, near(1e-5), "expm1(x)"),
        (sp.log(1 + X), near(1e-9), "log1p(x)"),
        (X**2 - Y**2, near(1.5, 1.5000001), "(x - y)*(x + y)"),
        (1 / X - 1 / Y, near(300.0, 300.0001), "(-x + y)/(x*y)"),
        (sp.log(X) - sp.log(Y), near(2.0, 2.000001), "log1p((x - y)/y)"),
    ],
    ids=str,
)
def test_what_is_known(plain: sp.Expr, atoms: dict[object, object], shown: str) -> None:
    with mpmath.workdps(130):
        found = [show(kept) for kept in known(plain) if gains(plain, kept, atoms)]
        digits = [digits_of(kept, plain, atoms) for kept in known(plain)]
    assert shown in found
    assert max(digits) > 14


def test_nothing_is_gained_far_from_where_it_cancels() -> None:
    plain = 1 - sp.cos(X)
    with mpmath.workdps(130):
        assert not [kept for kept in known(plain) if gains(plain, kept, near(1.5))]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x", "sin(x/2)^2"),
        ("f(a + 1)", "sin(f(a + 1)/2)^2"),
        ("a + 1", "sin((a + 1)/2)^2"),
        ("a - 1e-3", "sin((a - 1e-3)/2)^2"),
        ("-t", "sin((-t)/2)^2"),
        ("if a then b else c", "sin((if a then b else c)/2)^2"),
    ],
)
def test_pieces_of_the_source_are_bracketed_where_it_matters(text: str, shown: str) -> None:
    assert show(sp.sin(Words(text, real=True) / 2) ** 2) == shown
