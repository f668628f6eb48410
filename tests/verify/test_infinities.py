"""Infinite literals: what is masked with them is proved, and nothing passes for equal by them."""

from __future__ import annotations

import math
import re
from typing import Any

import mpmath
import pytest
import sympy as sp

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import check_function, run_module
from mgrad.compiler.verify.evaluation import Evaluation, agree
from mgrad.compiler.verify.functions import PRECISION
from mgrad.compiler.verify.symbolic import DIGITS, Equivalence
from mgrad.compiler.verify.terms import Dag, placeholder

PROGRAMS = {
    "softmax": "fn f(mask: bool[T, K], s: [T, K]) = softmax(where(mask, s, -inf), axis=K)",
    "attention": "fn f(q: [2, 2], k: [3, 2], v: [3, 2], mask: bool[2, 3]) ="
    " softmax(where(mask, q @ transpose(k), -inf), axis=1) @ v",
    "temperature": "fn f(mask: bool[K], s: [K], c in (0.1, 10)) = softmax(where(mask, s, -inf)/c)",
    "added": "fn f(mask: bool[K], s: [K]) = softmax(s + where(mask, 0, -inf))",
    "above": "fn f(s: [K], c) = softmax(where(s > c, s, -inf))",
    "likelihood": "fn f(mask: bool[K], s: [K], y: [K]) {\n  z = where(mask, s, -inf)\n"
    "  return sum(where(mask, y*(z - logsumexp(z)), 0))\n}",
    "squares": "fn f(mask: bool[K], s: [K]) = sum(exp(where(mask, s, -inf))^2)",
    "least": "fn f(mask: bool[3], s: [3]) = min(where(mask, s^2, inf))",
    "reciprocals": "fn f(mask: bool[K], s: [K]) = sum(1/where(mask, s, inf))",
    "number": "fn f(m: bool, s, t) = exp(if m then s else -inf)*t",
}


def verdicts(name: str, target: str, change: tuple[str, str] | None = None) -> dict[str, str]:
    """The status of each routine of f; the text may be changed before it is checked."""
    compiled = compile(Source("f.mg", f"{PROGRAMS[name]}\n"), Options(target=target))
    text = compiled.text
    if change is not None:
        assert len(re.findall(change[0], text)) >= 1, text
        text = re.sub(*change, text)
    function = compiled.program.functions["f"]
    report = check_function(compiled.program, function, text, run_module(text))
    return {v.routine: v.status for v in report.verdicts}


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_masked_is_proved(name: str, target: str) -> None:
    found = verdicts(name, target)
    assert "f_backward" in found
    assert set(found.values()) == {"proved"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("softmax", (r"d_difference - d_diff", "d_difference + d_diff")),
        ("softmax", (r"    d_s = np\.where\(\n        mask", "    d_s = np.where(\n        ~mask")),
        ("squares", (r"exponential, 0\.0", "exponential, 1.0")),
        ("squares", (r"np\.where\(mask, 2", "np.where(mask, 3")),
        ("least", (r"np\.where\(mask, 2\*", "np.where(~mask, 2*")),
        ("least", (r"np\.where\(mask, s\*s, np\.inf\)", "np.where(mask, s*s, -np.inf)")),
    ],
)
def test_a_fault_beside_a_mask_is_refuted(name: str, change: tuple[str, str]) -> None:
    assert "refuted" in verdicts(name, "numpy", change).values()


DAG = Dag()
S, T, M = DAG.symbol("s"), DAG.symbol("t"), DAG.symbol("m", "bool")
ZERO, ONE = DAG.constant(0), DAG.constant(1)
A, B = placeholder(0), placeholder(1)


def of(expression: Any, *operands: int) -> int:
    return DAG.apply(expression, operands)


LOW, HIGH = (DAG.select(M, S, DAG.constant(end)) for end in (-math.inf, math.inf))
GROWN = of(sp.exp(A), LOW)


def are_proved_equal(a: int, b: int) -> bool:
    """Whether they are, from points at which the mask holds: there they have the same values."""
    with mpmath.workdps(PRECISION):
        numbers = [(mpmath.mpf(n) / 7, mpmath.exp(-n)) for n in (-2, 3, -5, 9)]
        points = [Evaluation(DAG, {S: s, T: t, M: True}) for s, t in numbers]
        assert all(agree(point[a], point[b], DIGITS) for point in points)
        found = Equivalence(DAG, points, {})
        found.absorb()
    return found.classes[a] == found.classes[b] and not {a, b} & found.unproved.keys()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (GROWN, DAG.select(M, of(sp.exp(A), S), ZERO)),
        (of(A * B, GROWN, of(sp.exp(A), T)), of(sp.exp(A), of(A + B, LOW, T))),
        (of(1 / (1 + sp.exp(-A)), LOW), of(A / (1 + A), GROWN)),
        (of(1 / A, HIGH), DAG.select(M, of(1 / A, S), ZERO)),
        (
            DAG.select(DAG.compare("<", LOW, T), S, T),
            DAG.select(M, DAG.select(DAG.compare("<", S, T), S, T), S),
        ),
        (DAG.select(DAG.compare("==", LOW, HIGH), S, T), DAG.select(M, S, T)),
    ],
)
def test_what_is_equal_where_something_is_infinite(a: int, b: int) -> None:
    assert are_proved_equal(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (LOW, S),
        (LOW, HIGH),
        (GROWN, of(sp.exp(A), S)),
        (of(A - B, LOW, LOW), ZERO),  # nan
        (of(A * B, LOW, ZERO), ZERO),
        (of(A / B, GROWN, GROWN), ONE),
        (DAG.select(DAG.compare("<=", LOW, HIGH), S, T), DAG.select(M, S, T)),
    ],
)
def test_what_differs_where_something_is_infinite(a: int, b: int) -> None:
    assert not are_proved_equal(a, b)
