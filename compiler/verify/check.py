"""Stated derivatives, held against the functions' own."""

from __future__ import annotations

from fractions import Fraction

import mpmath

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors.checking import WrongDerivative
from mgrad.compiler.sema.program import Extern, Function, Program
from mgrad.compiler.verify.evaluation import Evaluation, Point, Sampler, agree
from mgrad.compiler.verify.functions import PRECISION
from mgrad.compiler.verify.opaque import missing_extern
from mgrad.compiler.verify.reference import Reference
from mgrad.compiler.verify.spelling import dtype, number, show, show_number
from mgrad.compiler.verify.terms import BudgetExceeded, Dag

DIGITS = 20  # of agreement with the function's own derivative
DIFFERENCE_DIGITS = 6  # of agreement with finite differences of float64: 8 at most
POINTS = 6
SCALES = (2.0, 0.7, 8.0, 30.0, 1000.0)
SIMPLE = (Fraction(1), Fraction(2), Fraction(3))


def check_stated(program: Program) -> list[Diagnostic]:
    """A diagnostic for each stated derivative that is wrong, with the simplest point found.

    Derivatives of an `extern` are compared with finite differences, which runs its code.
    """
    faults: list[Diagnostic] = []
    for key, stated in program.derivatives.items():
        target = program.functions.get(key) or program.externs[key]
        missing = missing_extern(target) if isinstance(target, Extern) else None
        if missing is not None:
            faults.append(missing)
            continue
        try:
            with mpmath.workdps(PRECISION):
                fault = _compare(program, target, stated)
        except BudgetExceeded:
            continue  # too large to judge here; the check of the module says so
        if fault is not None:
            faults.append(fault)
    return faults


def _compare(program: Program, target: Function | Extern, stated: Function) -> Diagnostic | None:
    reference = Reference(program, Dag())
    kinds = [dtype(a.value.type) for a in target.arguments]
    symbols = [
        reference.dag.symbol(a.name, k) for a, k in zip(target.arguments, kinds, strict=True)
    ]
    leaves = [reference.leaf(s) for s in symbols]
    reals = [i for i, k in enumerate(kinds) if k == "real"]
    is_extern = isinstance(target, Extern)
    if isinstance(target, Extern):
        own = tuple(
            reference.apply(reference.opaque(target, i), leaves, target.span) for i in reals
        )
    else:
        results = reference.function(target, leaves)
        own = reference.gradient([(results[0], reference.number(1))], [leaves[i] for i in reals])
    given = reference.function(stated, leaves)
    own_terms = [reference.nodes[n].term for n in own]
    given_terms = [reference.nodes[n].term for n in given]
    sampler = Sampler(kinds, [a.domain for a in target.arguments])
    scales = SCALES[:3] if is_extern else SCALES  # far away differences are too coarse
    points = [p for p in sampler.special(SIMPLE)[:60] if not _has_kink_number(p, scales[-1])]
    points.sort(key=lambda p: max(len(show(v)) for v in p))
    points += [sampler.generic(s) for s in scales for _ in range(POINTS)]
    for position, (true, claimed) in enumerate(zip(own_terms, given_terms, strict=True)):
        for point in points:
            values = Evaluation(
                reference.dag, {s: number(v) for s, v in zip(symbols, point, strict=True)}
            )
            if not mpmath.isfinite(values[true]):
                continue
            if _is_right(values[true], values[claimed], is_extern):
                continue
            names = [a.name for a in target.arguments]
            how = ", by finite differences" if is_extern else ""
            return WrongDerivative(
                stated.span,
                target.name,
                names[reals[position]],
                {n: show(v) for n, v in zip(names, point, strict=True)},
                show_number(values[claimed]),
                show_number(values[true]),
                how,
            )
    return None


def _is_right(true: object, claimed: object, is_extern: bool) -> bool:
    if not is_extern:
        return agree(true, claimed, DIGITS)
    a, b = mpmath.mpf(true), mpmath.mpf(claimed)
    return bool(abs(a - b) <= max(1, abs(a), abs(b)) * mpmath.mpf(10) ** -DIFFERENCE_DIGITS)


def _has_kink_number(point: Point, far: float) -> bool:
    """Where coordinates vanish or agree, a derivative may be a matter of choice."""
    if any(v == 0 or abs(v) > far for v in point if not isinstance(v, bool)):
        return True
    return len(point) > 1 and len(set(point)) < len(point)
