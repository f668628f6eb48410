"""The certificate of a module: both answers for each function, as text and as JSON."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mgrad.compiler.diagnostics import render
from mgrad.compiler.errors.checking import LostDigits
from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify.functions import Counterexample, Examination, Verdict, dtype, printed
from mgrad.compiler.verify.numeric import Accuracy, accuracy
from mgrad.compiler.verify.reference import Reference, is_real
from mgrad.compiler.verify.terms import BudgetExceeded, Dag
from mgrad.compiler.verify.trace import TraceError, Tracer

VERSION = 1


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """Both answers for one function."""

    name: str
    line: int
    verdicts: tuple[Verdict, ...]
    accuracy: Accuracy | None
    kinks: tuple[str, ...] = ()
    absolute: tuple[str, ...] = ()  # built-ins that are right to an ulp of 1, not in relative terms
    given: tuple[str, ...] = ()  # externs whose stated derivatives the verdicts rest on
    whole: tuple[tuple[str, str], ...] = ()  # of small functions: SymPy's derivative of the whole

    @property
    def is_refuted(self) -> bool:
        return any(v.status == "refuted" for v in self.verdicts)


@dataclass(frozen=True, slots=True)
class Report:
    """The answers for a module. `complete` is False while functions are missing."""

    source: str
    target: str
    sha256: str
    functions: tuple[FunctionReport, ...]
    reason: str = ""  # why there is nothing to say of the module as a whole
    missing: tuple[str, ...] = ()  # functions that were not reached

    @property
    def is_refuted(self) -> bool:
        return bool(self.reason) or any(f.is_refuted for f in self.functions)

    def text(self) -> str:
        """One line a routine, then what is to be known of the numbers."""
        lines = [f"{self.source} -> {self.target}"]
        if self.reason:
            lines.append(f"  cannot be checked: {self.reason}")
        for function in self.functions:
            lines += _function_lines(function)
        lines += [f"  {name}: not reached: the time budget ran out" for name in self.missing]
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """The report as what JSON holds."""
        return {
            "version": VERSION,
            "source": self.source,
            "target": self.target,
            "sha256": self.sha256,
            "reason": self.reason,
            "functions": [_function_data(f) for f in self.functions],
            "not_reached": list(self.missing),
        }

    def json(self) -> str:
        """The certificate: the same bytes for the same text and budget reached."""
        return json.dumps(self.data(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def report_of(data: Mapping[str, Any]) -> Report:
    """The report that `Report.data` gave, without the source places of its warnings."""
    functions = []
    for item in data["functions"]:
        verdicts = []
        for verdict in item["verdicts"]:
            example = verdict.pop("counterexample")
            verdicts.append(
                Verdict(**verdict, counterexample=Counterexample(**example) if example else None)
            )
        numbers = item["accuracy"]
        found = None
        if numbers is not None:
            found = Accuracy(
                numbers["value"], numbers["gradient"], numbers["points"], numbers["worst"]
            )
            found.warnings = list(numbers["warnings"])
        functions.append(
            FunctionReport(
                item["name"],
                item["line"],
                tuple(verdicts),
                found,
                tuple(item["kinks"]),
                tuple(item["absolute"]),
                tuple(item["given"]),
                tuple((k, v) for k, v in item["whole"]),
            )
        )
    return Report(
        data["source"],
        data["target"],
        data["sha256"],
        tuple(functions),
        data["reason"],
        tuple(data["not_reached"]),
    )


def _function_data(report: FunctionReport) -> dict[str, Any]:
    numbers = None
    if report.accuracy is not None:
        a = report.accuracy
        numbers = {
            "value": round(a.value, 1),
            "gradient": round(a.gradient, 1),
            "points": a.points,
            "worst": a.worst,
            "warnings": a.warnings,
        }
    return {
        "name": report.name,
        "line": report.line,
        "verdicts": [asdict(v) for v in report.verdicts],
        "accuracy": numbers,
        "kinks": list(report.kinks),
        "absolute": list(report.absolute),
        "given": list(report.given),
        "whole": [list(w) for w in report.whole],
    }


def _function_lines(report: FunctionReport) -> list[str]:
    lines = [f"  {v.routine}: {describe(v)}" for v in report.verdicts]
    if report.given:
        lines.append(f"    given the stated derivative of {', '.join(report.given)}")
    lines += [f"    kink: {k}" for k in report.kinks]
    lines += [f"    d {report.name}/d {name} = {text}" for name, text in report.whole]
    numbers = report.accuracy
    if numbers is not None and numbers.points:
        worst = f", the least at {numbers.worst}" if numbers.worst else ""
        lines.append(
            f"    float64: {int(numbers.value)} digits of the value, {int(numbers.gradient)} of "
            f"the gradient at {numbers.points} points{worst}"
        )
    lines += [f"    absolute accuracy: {text}" for text in report.absolute]
    if numbers is not None:
        for warning in numbers.warnings:
            lines += [f"    {line}" for line in warning.splitlines()]
    return lines


def describe(verdict: Verdict) -> str:
    """A verdict in one line, or a few for a counterexample."""
    match verdict.status:
        case "proved":
            where = f" on {verdict.regions} regions" if verdict.regions > 1 else ""
            count = verdict.identities
            return f"proved: {count} chain-rule identit{'y' if count == 1 else 'ies'}{where}"
        case "agreed":
            return f"agreed: {verdict.points} points, {verdict.digits} digits" + (
                f"; {verdict.reason}" if verdict.reason else ""
            )
        case "refuted" if verdict.counterexample is not None:
            found = verdict.counterexample
            at = ", ".join(f"{n} = {v}" for n, v in found.point.items())
            place = ""
            if found.line is not None:
                place = f"; line {found.line}" + (f" ({found.variable})" if found.variable else "")
            return (
                f"refuted: {found.what} at {at} is {found.text}, should be {found.program}{place}"
            )
        case "refuted":
            return f"refuted: {verdict.reason}"
        case _:
            return f"not reached: {verdict.reason}"


def check_module(
    program: Program,
    text: str,
    target: str,
    budget: float,
    *,
    prove: bool = True,
    run_text: bool = True,
    stop: Callable[[Report], None] | None = None,
) -> Report:
    """The report on the emitted `text` of a program. Runs its code. `budget` is in seconds; what is
    not reached in it is said. `stop`, if given, sees the report grow, function by function."""
    report = Report(program.source.path, target, hashlib.sha256(text.encode()).hexdigest(), ())
    done: list[FunctionReport] = []
    for name, found in _functions(program, text, budget, prove, run_text):
        if isinstance(found, str):
            return Report(report.source, target, report.sha256, (), found)
        if found is None:
            report = Report(
                report.source, target, report.sha256, tuple(done), "", (*report.missing, name)
            )
        else:
            done.append(found)
            report = Report(report.source, target, report.sha256, tuple(done), "", report.missing)
        if stop is not None:
            stop(report)
    return report


def _functions(
    program: Program, text: str, budget: float, prove: bool, run_text: bool
) -> Iterator[tuple[str, FunctionReport | str | None]]:
    """One function after the other; a message in place of the first if the text cannot be run."""
    deadline = time.monotonic() + budget
    entries = [f for f in program.functions.values() if f.is_entry]
    try:
        Tracer(Dag(), text)
    except TraceError as error:
        yield "", str(error)
        return
    namespace: dict[str, Any] = {}
    if run_text:
        try:
            namespace = run_module(text)
        except Exception as error:
            yield "", f"{type(error).__name__}: {error}"
            return
    for rank, function in enumerate(entries):
        now = time.monotonic()
        if now > deadline:
            yield function.name, None
            continue
        share = now + max(2.0, (deadline - now) / (len(entries) - rank) * 2)
        yield (
            function.name,
            check_function(program, function, text, namespace, min(deadline, share), prove),
        )


def run_module(text: str) -> dict[str, Any]:
    """The names of a module, run as Python runs it."""
    namespace: dict[str, Any] = {"__name__": "checked"}
    exec(compile(text, "<checked module>", "exec"), namespace)
    return namespace


def check_function(
    program: Program,
    function: Function,
    text: str,
    namespace: Mapping[str, Any],
    deadline: float = float("inf"),
    prove: bool = True,
) -> FunctionReport:
    """Both answers for one function of a module."""
    examination = Examination(program, function, Tracer(Dag(), text), deadline=deadline)
    name = printed(function.name)
    if name not in examination.tracer.names:
        missing = Verdict(name, "refuted", reason="the module does not define it")
        return FunctionReport(function.name, function.span.line, (missing,), None)
    try:
        examination.gather()
        verdicts = tuple(examination.judge(prove))
    except BudgetExceeded as error:
        verdicts = (Verdict(name, "not reached", reason=str(error)),)
    kinks = []
    absolute: dict[str, None] = {}
    for (what, span), _ in examination.reference.kinks.items():
        kinks.append(what if span is None else f"{what} (line {span.line}: {span.text})")
    externs: dict[str, None] = {}
    for node in examination.reference.nodes:
        if node.meaning is not None and node.meaning.accuracy:
            place = f"line {node.span.line}: " if node.span is not None else ""
            absolute[f"{place}{node.meaning.accuracy}"] = None
        if node.meaning is not None and node.meaning.extern is not None:
            externs[node.meaning.extern] = None
    numbers = _numbers(program, function, namespace, deadline) if namespace else None
    return FunctionReport(
        function.name,
        function.span.line,
        verdicts,
        numbers,
        tuple(dict.fromkeys(kinks)),
        tuple(absolute),
        tuple(externs),
    )


def _numbers(
    program: Program, function: Function, namespace: Mapping[str, Any], deadline: float
) -> Accuracy | None:
    """The answer on the numbers, for functions of one real result."""
    name = printed(function.name)
    run = namespace.get(f"{name}_value_and_grad")
    single = len(function.results) == 1 and is_real(function.results[0].type)
    if run is None or not single:
        return None
    reference = Reference(program, Dag())
    symbols = [reference.dag.symbol(a.name, dtype(a.value.type)) for a in function.arguments]
    try:
        (result,) = reference.function(function, [reference.leaf(s) for s in symbols])
    except BudgetExceeded:
        return None

    def once(*floats: Any) -> tuple[float, tuple[float, ...]]:
        value, slopes = run(*floats)
        return float(value), tuple(float(s) for s in slopes)

    term = reference.nodes[result].term
    found = accuracy(reference, function, symbols, [term], [], once, deadline)
    found.warnings = [
        render(LostDigits(c.span, c.digits, c.point, c.rewrite)) for c in found.cancellations
    ]
    return found
