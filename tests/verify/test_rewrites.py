"""Each offered rewrite is an identity."""

import pytest
import sympy as sp

from mgrad.compiler.verify.rewrites import TABLE, offer


@pytest.mark.parametrize("entry", TABLE, ids=lambda e: str(e[0]))
def test_sympy_proves_it(entry: tuple[sp.Expr, sp.Expr, str]) -> None:
    plain, kept, _ = entry
    positive = {s: sp.Symbol(s.name, positive=True) for s in plain.free_symbols}
    difference = (plain - kept).xreplace(positive).rewrite(sp.erf)
    reduced = sp.simplify(sp.expand_log(difference.rewrite(sp.exp)))
    assert sp.simplify(reduced) == 0 or sp.simplify(difference) == 0


def test_offers() -> None:
    x = sp.Symbol("x", real=True)
    assert offer(1 - sp.cos(x)) == "2*sin((x)/2)^2"
    assert offer(sp.exp(x) - 1) == "expm1(x)"
    assert offer(x + 1) is None
