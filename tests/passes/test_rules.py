"""SymPy proves each algebra rule."""

import pytest
import sympy

import mgrad.compiler.ops  # noqa: F401
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes.algebra import AlgebraRule, Pattern, rules


def meaning(pattern: Pattern, x: sympy.Symbol) -> sympy.Expr:
    kind = pattern[0]
    if kind == "name":
        return x
    if kind == "number":
        return sympy.Rational(str(pattern[1]))
    return TABLE[str(kind)].sympy(sympy, *(meaning(p, x) for p in pattern[1:]))  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.text)
def test_rule_is_proved(rule: AlgebraRule) -> None:
    x = sympy.Symbol("x", real=True)
    assert rule.tag in ("exact", "real", "stabilising")
    difference = meaning(rule.left, x) - meaning(rule.right, x)
    simple = sympy.simplify(sympy.logcombine(sympy.expand(difference), force=True))
    if simple != 0:
        # equal at 0, and of one derivative on either side
        assert sympy.simplify(difference.subs(x, 0)) == 0
        for side in (sympy.Symbol("p", positive=True), -sympy.Symbol("n", positive=True)):
            here = meaning(rule.left, side) - meaning(rule.right, side)
            free = next(iter(side.free_symbols))
            assert sympy.simplify(sympy.diff(sympy.piecewise_fold(here), free)) == 0
