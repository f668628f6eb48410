"""The certificate of a module: both answers for each function."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from mgrad.compiler.diagnostics import render
from mgrad.compiler.errors.checking import LostDigits
from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify.directions import TextRaises, measure, run
from mgrad.compiler.verify.functions import Examination, Verdict
from mgrad.compiler.verify.ints import Wish
from mgrad.compiler.verify.layout import holds_scalars
from mgrad.compiler.verify.numeric import Answers, Shortfall, accuracy, answers
from mgrad.compiler.verify.opaque import missing_externs
from mgrad.compiler.verify.reference import is_real
from mgrad.compiler.verify.running import judge_by_running
from mgrad.compiler.verify.spelling import printed
from mgrad.compiler.verify.terms import BudgetExceeded, Dag
from mgrad.compiler.verify.trace import TraceError, Tracer
from mgrad.compiler.verify.whole import derivatives

VERSION = 1
PLAINLY_WRONG = 2  # digits: fewer are a reason to look at the formulas there
FOR_PROOFS = 0.8  # of the time; the rest is for the digits
# sizes and ints at which a text is run as well, where these decide its course
OTHERS = (
    Wish(1, inside=1),
    Wish(2, "equal", "least", seed=1),
    Wish(2, "any", "greatest", seed=2, inside=4),
    Wish(2, "any", "any", seed=3, inside=5),
)
# the same for a proof, where the function is finite nowhere with small ones
BETTER = (
    *(Wish(3, "turns", "any", seed) for seed in range(1, 5)),
    *(Wish(first) for first in (4, 5)),
    *(Wish(4, "any", "any", seed) for seed in range(1, 7)),
)
FAILED = "the check itself failed"


@dataclass(frozen=True, slots=True)
class Shortage:
    """Numbers of fewer than 13 digits: of what, at the worst of so many points, and why: `kind` is
    that of a `Loss`, or empty where no reason was found."""

    digits: float
    what: str
    point: str
    points: int
    kind: str = ""
    line: int | None = None
    text: str = ""
    warning: str = ""  # as the user reads it, with the source


@dataclass(frozen=True, slots=True)
class Numbers:
    """Correct digits, the least over the points but for the exceptions."""

    value: float
    gradient: float
    points: int
    exceptions: tuple[Shortage, ...]
    sizes: str = ""  # of arrays: `N = 5, D = 6`


@dataclass(frozen=True, slots=True)
class FunctionReport:
    """Both answers for one function."""

    name: str
    line: int
    gradients: int  # partial derivatives: real arguments times real results
    verdicts: tuple[Verdict, ...]
    numbers: Numbers | None = None
    kinks: tuple[tuple[str, int | None], ...] = ()  # what is settled, and the line
    absolute: tuple[tuple[str, int | None, str], ...] = ()  # ops right to an ulp of 1 only
    given: tuple[str, ...] = ()  # externs whose stated derivatives the verdicts rest on
    whole: tuple[tuple[str, str], ...] = ()  # of small functions: SymPy's derivative of the whole
    sizes: str = ""  # of arrays, at which the formulas were compared: `N = 2, D = 3`

    @property
    def is_refuted(self) -> bool:
        return any(v.status == "refuted" for v in self.verdicts)

    @property
    def status(self) -> str:
        """The least of the verdicts."""
        order = ("refuted", "not reached", "agreed", "proved")
        return min((v.status for v in self.verdicts), key=order.index, default="not reached")


@dataclass(frozen=True, slots=True)
class Report:
    """The answers for a module, as far as they are known."""

    source: str
    target: str
    sha256: str
    functions: tuple[FunctionReport, ...] = ()
    reason: str = ""  # why there is nothing to say of the module as a whole
    missing: tuple[str, ...] = ()  # functions that were not reached

    @property
    def is_refuted(self) -> bool:
        return bool(self.reason) or any(f.is_refuted for f in self.functions)

    def text(self) -> str:
        """What the command prints."""
        from mgrad.compiler.verify.summary import summary

        return summary([self])

    def data(self) -> dict[str, Any]:
        """The report as what JSON holds."""
        return {
            "version": VERSION,
            "source": self.source,
            "target": self.target,
            "sha256": self.sha256,
            "reason": self.reason,
            "functions": [asdict(f) for f in self.functions],
            "not_reached": list(self.missing),
        }

    def json(self) -> str:
        """The certificate: the same bytes for the same text and budget reached."""
        return json.dumps(self.data(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def check_module(
    program: Program, text: str, target: str, budget: float, *, run_text: bool = True
) -> Report:
    """The report on the emitted `text` of a program. Runs its code, unless told not to. `budget` is
    in seconds; what is not reached in it is said."""
    *_, (report,) = check_modules(program, {target: text}, budget, run_text=run_text)
    return report


def check_modules(
    program: Program, texts: Mapping[str, str], budget: float, *, run_text: bool = True
) -> Iterator[tuple[Report, ...]]:
    """The reports on the texts of a program, by target; they grow function by function."""
    deadline = time.monotonic() + budget
    path = program.source.path
    reports = {
        target: Report(path, target, hashlib.sha256(text.encode()).hexdigest())
        for target, text in texts.items()
    }
    spaces: dict[str, dict[str, Any]] = {}
    absent = missing_externs(program)
    for target, text in texts.items():
        reason = "\n".join(render(fault) for fault in absent) or _reason(text, spaces, run_text)
        if reason:
            reports[target] = replace(reports[target], reason=reason)
    yield tuple(reports.values())
    if all(report.reason for report in reports.values()):
        return
    entries = [f for f in program.functions.values() if f.is_entry]
    for rank, function in enumerate(entries):
        now = time.monotonic()
        share = now + (deadline - now) / (2 if rank < len(entries) - 1 else 1)  # of what is left
        right = _answers(program, function, share) if run_text and now < deadline else None
        waiting = [target for target, report in reports.items() if not report.reason]
        for count, target in zip(range(len(waiting), 0, -1), waiting, strict=True):
            report = reports[target]
            begin = time.monotonic()
            if now > deadline:
                found = replace(report, missing=(*report.missing, function.name))
            else:
                text = texts[target]
                until = begin + (share - begin) / count
                has_arrays = target != "python" and program.maps(function)
                try:
                    one = check_function(
                        program, function, text, spaces.get(text, {}), until, right, has_arrays
                    )
                except Exception as error:  # the other functions are worth a check
                    why = f"{FAILED}, please report it: {type(error).__name__}: {error}"
                    one = failed(function, why)
                found = replace(report, functions=(*report.functions, one))
            reports[target] = found
        yield tuple(reports.values())


def failed(function: Function, why: str) -> FunctionReport:
    """The report on a function that could not be checked."""
    reals = sum(is_real(a.value.type) for a in function.arguments)
    gradients = reals * sum(is_real(r.type) for r in function.results)
    verdict = Verdict(printed(function.name), "not reached", reason=why)
    return FunctionReport(function.name, function.span.line, gradients, (verdict,))


def _reason(text: str, spaces: dict[str, dict[str, Any]], run_text: bool) -> str:
    """Runs a module; says why that is not possible."""
    try:
        Tracer(Dag(), text)
        if run_text:
            spaces[text] = run_module(text)
    except TraceError as error:
        return str(error)
    except (Exception, SystemExit) as error:  # whatever a module does when it is imported
        return f"{type(error).__name__}: {error}"
    return ""


def run_module(text: str) -> dict[str, Any]:
    """The names of a module, run as Python runs it."""
    namespace: dict[str, Any] = {"__name__": "checked"}
    exec(compile(text, "<checked module>", "exec"), namespace)
    return namespace


def _answers(program: Program, function: Function, deadline: float) -> Answers | None:
    if not holds_scalars(function):
        return None
    try:
        return answers(program, function, deadline)
    except BudgetExceeded:
        return None


def check_function(
    program: Program,
    function: Function,
    text: str,
    namespace: Mapping[str, Any],
    deadline: float = float("inf"),
    right: Answers | None = None,
    has_arrays: bool = False,
) -> FunctionReport:
    """Both answers for one function of a module; that on the numbers if `right` is given."""
    now = time.monotonic()
    until = now + FOR_PROOFS * (deadline - now)
    examination = Examination(program, function, Tracer(Dag(), text), deadline=until)
    gradients = examination.count_gradients()
    name = printed(function.name)
    line = function.span.line
    if name not in examination.tracer.names:
        missing = Verdict(name, "refuted", reason="the module does not define it")
        return FunctionReport(function.name, line, gradients, (missing,))
    try:
        examination = _gathered(examination, text)
        doubts = _doubts(examination, text, namespace)
        verdicts = _less(examination.judge(), doubts)
    except (BudgetExceeded, ValueError) as error:
        verdicts = (Verdict(name, "not reached", reason=str(error)),)
    if right is not None:
        verdicts = tuple(judge_by_running(v, right, namespace) for v in verdicts)
        numbers = _numbers(right, namespace, has_arrays)
    else:
        numbers, verdicts = _along(examination, text, namespace, deadline, verdicts)
    reference = examination.reference
    kinks = [(what, span.line if span else None) for what, span in reference.kinks]
    absolute: dict[tuple[str, int | None, str], None] = {}
    externs: dict[str, None] = {}
    for node in reference.nodes:
        meaning = node.meaning
        if meaning is not None and meaning.accuracy:
            place = node.span.line if node.span is not None else None
            absolute[meaning.name, place, meaning.accuracy] = None
        if meaning is not None and meaning.extern is not None:
            externs[meaning.extern] = None
    return FunctionReport(
        function.name,
        line,
        gradients,
        verdicts,
        numbers,
        tuple(dict.fromkeys(kinks)),
        tuple(absolute),
        tuple(externs),
        derivatives(right) if right is not None else (),
        examination.layout.described(),
    )


def _gathered(examination: Examination, text: str) -> Examination:
    """The examination, made ready; or one with other sizes and ints, where with these a place lies
    outside or the function is finite nowhere: 0/0, say, where two that should differ are equal."""
    program, function, deadline = examination.program, examination.function, examination.deadline
    failure: ValueError | None = None
    for wish in (examination.wish, *BETTER):
        found = examination
        if wish is not examination.wish:
            found = Examination(program, function, Tracer(Dag(), text), 1, deadline, wish)
        try:
            found.gather()
            if not found.layout.has_choice or found.a_point() is not None:
                return found
        except ValueError as error:
            if not found.layout.has_choice:
                raise
            failure = failure or error
        if time.monotonic() > deadline:
            break
    if failure is not None:
        raise failure
    return examination


def _doubts(
    examination: Examination, text: str, namespace: Mapping[str, Any]
) -> dict[str, Verdict]:
    """The routines that raise; or that fail for other ints, or at larger sizes."""
    if holds_scalars(examination.function):
        return {}
    found = _raised(examination, namespace)
    for wish in OTHERS if examination.layout.has_choice else ():
        if time.monotonic() > examination.deadline:
            break
        found = _failing(examination, text, namespace, wish) | found
    return found


def _failing(
    examination: Examination, text: str, namespace: Mapping[str, Any], wish: Wish
) -> dict[str, Verdict]:
    """The routines that fail with other sizes and ints."""
    program, function, deadline = examination.program, examination.function, examination.deadline
    other = Examination(program, function, Tracer(Dag(), text), 1, deadline, wish)
    try:
        other.gather()
    except (BudgetExceeded, ValueError):
        return {}  # too large, or there are no such ints
    return other.doubts() | _raised(other, namespace)


def _raised(examination: Examination, namespace: Mapping[str, Any]) -> dict[str, Verdict]:
    """The routine that raises at a point where the program has a value, if one does."""
    point = examination.a_point()
    if not namespace or point is None or examination.program.externs:
        return {}  # what an extern does is its own affair
    try:
        run(examination.function, examination.layout, point, namespace)
    except TextRaises as error:
        return {error.routine: Verdict(error.routine, "refuted", reason=str(error))}
    return {}


def _numbers(right: Answers, namespace: Mapping[str, Any], has_arrays: bool) -> Numbers | None:
    try:
        found = accuracy(right, namespace, has_arrays)
    except SystemExit:
        return None  # it has no numbers, and is refuted for that
    exceptions = tuple(map(_exception, found.shortfalls))
    return Numbers(round(found.value, 1), round(found.gradient, 1), found.points, exceptions)


def _along(
    examination: Examination,
    text: str,
    namespace: Mapping[str, Any],
    deadline: float,
    verdicts: tuple[Verdict, ...],
) -> tuple[Numbers | None, tuple[Verdict, ...]]:
    """The digits of a function of arrays; and the verdicts, which are others where at these sizes
    the text raises or is wrong."""
    program, function = examination.program, examination.function
    if not namespace or holds_scalars(function):
        return None, verdicts
    try:
        found = measure(program, function, namespace, deadline, examination.wish)
    except TextRaises as error:
        raised = {error.routine: Verdict(error.routine, "refuted", reason=str(error))}
        return None, _less(verdicts, raised)
    if found is None:
        return None, verdicts
    digits = round(found.value, 1), round(found.gradient, 1)
    if min(digits) < PLAINLY_WRONG:
        verdicts = _less(verdicts, _failing(examination, text, namespace, found.wish))
    return Numbers(*digits, found.points, (), found.sizes), verdicts


def _less(verdicts: Iterable[Verdict], doubts: Mapping[str, Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, in view of doubts."""
    return tuple(v if v.status == "refuted" else doubts.get(v.routine, v) for v in verdicts)


def _exception(short: Shortfall) -> Shortage:
    loss = short.loss
    digits = round(short.digits, 1)
    if loss is None:
        return Shortage(digits, short.what, short.point, short.points)
    warning = ""
    if loss.kind == "cancellation":
        warning = render(LostDigits(loss.span, loss.digits, short.point, loss.rewrite))
    line, text = (loss.span.line, loss.span.text) if loss.span is not None else (None, "")
    where = (short.what, short.point, short.points)
    return Shortage(digits, *where, loss.kind, line, loss.note or text, warning)
