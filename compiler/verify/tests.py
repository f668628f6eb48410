"""The file's own `test` lines, on the emitted code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import mpmath

from mgrad.compiler.diagnostics import Diagnostic, render
from mgrad.compiler.errors.checking import FailedTest
from mgrad.compiler.sema.program import Function, Program, Test, Value
from mgrad.compiler.verify.certificate import run_module
from mgrad.compiler.verify.evaluation import Evaluation, Sampler
from mgrad.compiler.verify.functions import PRECISION, dtype, number, printed, show_number
from mgrad.compiler.verify.reference import Reference, meaning_of
from mgrad.compiler.verify.symbolic import Equivalence
from mgrad.compiler.verify.table import TABLE
from mgrad.compiler.verify.terms import Dag

POINTS = 4


class Emitted(Protocol):
    """A module's text, and the program that it was made from."""

    @property
    def text(self) -> str: ...

    @property
    def program(self) -> Program: ...


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one line ended; both sides as text."""

    test: Test
    passed: bool
    left: str
    right: str
    why: str = ""

    @property
    def diagnostic(self) -> Diagnostic:
        return FailedTest(self.test.span, self.left, self.test.relation, self.right, self.why)


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


def run_tests(emitted: Emitted) -> Outcome:
    """Runs the tests of a compiled file. Runs the code of the module and of its externs."""
    program = emitted.program
    if not program.tests:
        return Outcome(())
    namespace = run_module(emitted.text)
    return Outcome(tuple(run_test(program, test, namespace) for test in program.tests))


def run_test(program: Program, test: Test, namespace: Mapping[str, Any]) -> TestResult:
    """One line: numbers are computed by the emitted code, identities of free names are proved."""
    if test.left.arguments:
        with mpmath.workdps(PRECISION):
            return _identity(program, test)
    sides = [Side(program, namespace).value(side) for side in (test.left, test.right)]
    passed = all(_compare(a, b, test.relation) for a, b in zip(*sides, strict=True)) and len(
        sides[0]
    ) == len(sides[1])
    shown = [", ".join(_shown(v) for v in side) for side in sides]
    return TestResult(test, passed, shown[0], shown[1])


def _compare(a: Any, b: Any, relation: str) -> bool:
    if relation == "==":
        return bool(a == b)
    x, y = float(a), float(b)
    return x == y or abs(x - y) <= 1e-9 * max(abs(x), abs(y)) + 1e-12


def _shown(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value.numerator) if value.denominator == 1 else repr(float(value))
    return str(value)


class Side:
    """Computes one side: calls go to the emitted code, what stands around them is rounded once."""

    def __init__(self, program: Program, namespace: Mapping[str, Any]) -> None:
        self.program = program
        self.namespace = namespace

    def value(self, side: Function) -> list[Any]:
        made: dict[Value, Any] = {}
        for value in side.values:
            made[value] = self._one(side, value, [made[a] for a in value.args])
        return [made[r] for r in side.results]

    def _one(self, side: Function, value: Value, operands: list[Any]) -> Any:
        match value.form:
            case "constant":
                return value.attribute("value")
            case "bind":
                return operands[0]
            case "item":
                return operands[0][int(str(value.attribute("index")))]
            case "call":
                return self._call(str(value.attribute("callee")), "", operands)
            case "derivative" if value.attribute("order") == 1:
                found = self._call(str(value.attribute("callee")), "_value_and_grad", operands)
                return found if not isinstance(found, tuple) else found[1][0]
            case "derivative" | "diff":
                return self._exact(side, value)
            case _:
                return _op(value.form, operands)

    def _call(self, key: str, suffix: str, operands: list[Any]) -> Any:
        callee = self.program.functions.get(key)
        if callee is not None and callee.is_entry:
            routine = self.namespace.get(printed(callee.name) + suffix)
            if routine is not None:
                kinds = [dtype(a.value.type) for a in callee.arguments]
                return routine(*(_argument(o, k) for o, k in zip(operands, kinds, strict=True)))
        return self._by_reference(key, 1 if suffix else 0, operands)

    def _by_reference(self, key: str, order: int, operands: list[Any]) -> Any:
        """What the module does not offer by itself, from the typed program."""
        with mpmath.workdps(PRECISION):
            reference = Reference(self.program, Dag())
            leaves = [reference.mark(reference.number(_exact(o))) for o in operands]
            results = reference.call(key, leaves)
            if order:
                results = reference.gradient([(results[0], reference.number(1))], leaves[:1])
            values = [
                float(Evaluation(reference.dag, {})[reference.nodes[r].term]) for r in results
            ]
        return values[0] if len(values) == 1 else tuple(values)

    def _exact(self, side: Function, value: Value) -> float:
        with mpmath.workdps(PRECISION):
            reference = Reference(self.program, Dag())
            until = Function(
                side.key, side.name, (), side.values, (value,), (), None, side.span, False
            )
            (node,) = reference.function(until, [])
            return float(Evaluation(reference.dag, {})[reference.nodes[node].term])


def _exact(value: Any) -> Any:
    return value if isinstance(value, bool | Fraction) else Fraction(value)


def _argument(value: Any, kind: str) -> Any:
    if kind == "real":
        return float(value)
    return bool(value) if kind == "bool" else int(value)


def _op(name: str, operands: list[Any]) -> Any:
    """An op on exact numbers or floats. Rational arithmetic of exact numbers stays exact."""
    exact: Mapping[str, Callable[..., Any]] = {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "neg": lambda x: -x,
        "to_real": lambda x: Fraction(x) if isinstance(x, bool) else x,
        "to_int": lambda x: Fraction(x),
    }
    if name in exact:
        mixed = any(isinstance(o, float) for o in operands)
        return exact[name](*(float(o) if mixed else o for o in operands))
    if name == "div" and operands[1] != 0 and not any(isinstance(o, float) for o in operands):
        return Fraction(operands[0]) / operands[1]
    rule = meaning_of(name, len(operands)).evaluate
    assert rule is not None, name
    if TABLE[name].signature in ("compare", "logic"):
        return bool(TABLE[name].mpmath(mpmath.mp, *operands))  # type: ignore[misc]
    with mpmath.workdps(PRECISION):
        return float(rule(*(number(o) for o in operands)))


def _identity(program: Program, test: Test) -> TestResult:
    """`==` of free names has to be proved, `~=` holds at random points."""
    dag = Dag()
    reference = Reference(program, dag)
    symbols = [dag.symbol(a.name) for a in test.left.arguments]
    leaves = [reference.leaf(s) for s in symbols]
    left, right = (
        [reference.nodes[n].term for n in reference.function(side, leaves)]
        for side in (test.left, test.right)
    )
    shown = (test.left.span.text, test.right.span.text)
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
            proved, _, reason = equivalence.prove(a, b)
            if not proved:
                return TestResult(test, False, *shown, f": SymPy could not prove it ({reason})")
    return TestResult(test, True, *shown)
