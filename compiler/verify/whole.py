"""SymPy's derivative of a small function as a whole: to be read, and compared once more."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy as sp

from mgrad.compiler.verify.arithmetic import compile_expression
from mgrad.compiler.verify.evaluation import agree
from mgrad.compiler.verify.numeric import EXACT_DIGITS, Answers
from mgrad.compiler.verify.terms import placeholder

MOST_TERMS = 40
LONGEST = 60  # characters
DIGITS = 30


def derivatives(right: Answers) -> tuple[tuple[str, str], ...]:
    """(argument, derivative) for each argument of a small smooth function of up to three; empty
    for any other. Each is compared with the sweep at every point."""
    if len(right.gradient) > 3 or len(right.results) != 1 or not right.gradient:
        return ()
    if right.results[0] >= MOST_TERMS:
        return ()
    whole = _expression(right)
    if whole is None:
        return ()
    symbols = [_symbol(right, t) for t in right.symbols]
    found = []
    for position, symbol in enumerate(symbols):
        derived = sp.diff(whole, symbol)
        text = str(derived).replace("**", "^")
        if len(text) > LONGEST or derived.atoms(sp.Derivative, sp.Subs):
            return ()
        if not _is_that_of_the_sweep(right, derived, symbols, position):
            return ()
        found.append((symbol.name, text))
    return tuple(found)


def _symbol(right: Answers, term: int) -> Any:
    return sp.Symbol(right.reference.dag.terms[term].payload[0], real=True)


def _expression(right: Answers) -> Any:
    """The result in terms of the arguments; None if it has branches, ints or opaque parts."""
    made: list[Any] = []
    for term in right.reference.dag.terms[: right.results[0] + 1]:
        if term.head == "symbol":
            if term.payload[1] != "real":
                return None
            made.append(_symbol(right, term.index))
        elif term.head == "constant":
            value = term.payload
            is_ratio = hasattr(value, "numerator") and not isinstance(value, bool)
            made.append(
                sp.Rational(value.numerator, value.denominator) if is_ratio else sp.sympify(value)
            )
        elif term.template is not None:
            inner = {placeholder(i): made[o] for i, o in enumerate(term.operands)}
            made.append(term.template.expression.xreplace(inner))
        else:
            return None
    return None if made[-1].atoms(sp.core.function.AppliedUndef) else made[-1]


def _is_that_of_the_sweep(right: Answers, derived: Any, symbols: list[Any], position: int) -> bool:
    evaluate = compile_expression(derived, symbols)
    with mpmath.workdps(EXACT_DIGITS):
        for exact in right.exact:
            if not exact.slopes or not mpmath.isfinite(exact.slopes[position]):
                continue
            value = evaluate(*map(mpmath.mpf, exact.point))
            noise = max(abs(value), abs(exact.slopes[position])) <= exact.scale * 1e-60
            if not (noise or agree(value, exact.slopes[position], DIGITS)):
                return False
    return True
