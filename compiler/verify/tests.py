"""The file's own `test` lines, on the emitted code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mpmath

from mgrad.compiler.diagnostics import Diagnostic, render
from mgrad.compiler.errors.checking import FailedTest
from mgrad.compiler.sema.program import Program, Test
from mgrad.compiler.verify import elements
from mgrad.compiler.verify.certificate import run_module
from mgrad.compiler.verify.evaluation import Evaluation, Sampler
from mgrad.compiler.verify.functions import PRECISION
from mgrad.compiler.verify.reference import Reference
from mgrad.compiler.verify.spelling import number, show_number
from mgrad.compiler.verify.symbolic import Equivalence
from mgrad.compiler.verify.terms import Dag

POINTS = 4


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one line ended. `left` and `right` are the numbers that were compared, or where names are
    free the sides as they are written; `why` is more to say of a failure than these."""

    test: Test
    passed: bool
    left: str
    right: str
    why: str = ""

    @property
    def diagnostic(self) -> Diagnostic:
        """The failure: the line's two sides as they are written, and what they are."""
        written = [" ".join(side.span.text.split()) for side in (self.test.left, self.test.right)]
        names = ("left", "right")
        values = [
            f"the {name} side is {value}"
            for name, text, value in zip(names, written, (self.left, self.right), strict=True)
            if value != text
        ]
        why = self.why or f": {', '.join(values)}"
        return FailedTest(self.test.span, written[0], self.test.relation, written[1], why)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How all lines ended."""

    results: tuple[TestResult, ...]

    @property
    def failures(self) -> tuple[TestResult, ...]:
        return tuple(r for r in self.results if not r.passed)

    def text(self) -> str:
        """The failures, each with both its sides, then the count."""
        parts = [render(r.diagnostic) + "\n" for r in self.failures]
        count = len(self.results)
        noun = "test" if count == 1 else "tests"
        if self.failures:
            parts.append(f"{len(self.failures)} of {count} {noun} failed")
        else:
            parts.append(f"{count} {noun} passed")
        return "\n".join(parts)


def run_tests(program: Program, text: str) -> Outcome:
    """Runs the tests of a program; `text` is what `driver.compile_tests` makes of it.

    Runs the code of the module and of its externs.
    """
    if not program.tests:
        return Outcome(())
    namespace = run_module(text)
    return Outcome(
        tuple(
            run_test(program, test, number, namespace)
            for number, test in enumerate(program.tests, 1)
        )
    )


def run_test(program: Program, test: Test, number: int, namespace: Mapping[str, Any]) -> TestResult:
    """One line: numbers are computed by the emitted code, identities of free names are proved."""
    if test.left.arguments:
        with mpmath.workdps(PRECISION):
            return _identity(program, test)
    sides = ("left", "right")
    try:
        left, right = (_results(namespace[f"test_{number}_{side}"]()) for side in sides)
    except Exception as error:  # whatever an extern may raise
        why = f": it raises {type(error).__name__}: {error}".removesuffix(": ")
        return TestResult(test, False, test.left.span.text, test.right.span.text, why)
    passed = len(left) == len(right) and all(
        _compare(a, b, test.relation) for a, b in zip(left, right, strict=True)
    )
    shown = [", ".join(map(_shown, side)) for side in (left, right)]
    return TestResult(test, passed, *shown)


def _results(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _compare(a: Any, b: Any, relation: str) -> bool:
    """Two results; arrays have to have one shape, and agree element by element."""
    left, right = _elements(a), _elements(b)
    if left.shape != right.shape:
        return False
    if relation == "==":
        return all(bool(x == y) for x, y in zip(left.flat, right.flat, strict=True))
    return all(_near(float(x), float(y)) for x, y in zip(left.flat, right.flat, strict=True))


def _elements(value: Any) -> Any:
    """A result as an array of what it holds, so that no int is rounded."""
    import numpy as np

    return np.array(value, dtype=object)


def _near(x: float, y: float) -> bool:
    return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y)) + 1e-12


def _shown(value: Any) -> str:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e16
    return str(int(value)) if whole else str(value)


def _identity(program: Program, test: Test) -> TestResult:
    """`==` of free names has to be proved, `~=` holds at random points."""
    dag = Dag()
    reference = Reference(program, dag)
    symbols = [dag.symbol(a.name) for a in test.left.arguments]
    leaves = [reference.leaf(s) for s in symbols]
    sides = [reference.function(side, leaves) for side in (test.left, test.right)]
    shown = (test.left.span.text, test.right.span.text)
    shapes = [[elements.shape_of(result) for result in side] for side in sides]
    if shapes[0] != shapes[1]:
        return TestResult(test, False, *shown, ": the two sides have different shapes")
    left, right = (
        [reference.nodes[n].term for result in side for n in elements.flat(result)]
        for side in sides
    )
    sampler = Sampler(["real"] * len(symbols), [None] * len(symbols))
    evaluations: list[Evaluation] = []
    for attempt in range(60):
        point = sampler.generic((2.0, 0.7, 8.0)[attempt % 3])
        values = Evaluation(dag, {s: number(v) for s, v in zip(symbols, point, strict=True)})
        if not all(mpmath.isfinite(values[t]) for t in left):
            continue
        evaluations.append(values)
        for a, b in zip(left, right, strict=True):
            close = abs(values[a] - values[b]) <= 1e-9 * max(abs(values[a]), abs(values[b])) + 1e-12
            if not close:
                at = ", ".join(
                    f"{s.name} = {mpmath.nstr(number(v), 6)}"
                    for s, v in zip(test.left.arguments, point, strict=True)
                )
                why = f": at {at} they are {show_number(values[a])} and {show_number(values[b])}"
                return TestResult(test, False, *shown, why)
        if len(evaluations) == POINTS:
            break
    if not evaluations:
        return TestResult(test, False, *shown, ": no point was found where the left side is finite")
    if test.relation == "~=":
        return TestResult(test, True, *shown)
    equivalence = Equivalence(dag, evaluations, {})
    equivalence.absorb()
    for a, b in zip(left, right, strict=True):
        if equivalence.classes[a] != equivalence.classes[b] or equivalence.unproved:
            found = equivalence.prove(a, b)
            if not found.is_proved:
                return TestResult(test, False, *shown, f": SymPy could not prove it ({found.why})")
    return TestResult(test, True, *shown)
