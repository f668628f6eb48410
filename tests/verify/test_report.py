"""The report as people read it: the verdict first, then what there is to say, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mgrad.compiler.driver import Options, compile, understand
from mgrad.compiler.source import Source
from mgrad.compiler.verify import run
from mgrad.compiler.verify.certificate import (
    FAILED,
    FunctionReport,
    Numbers,
    Report,
    Shortage,
    check_module,
)
from mgrad.compiler.verify.functions import Counterexample, Examination, Verdict
from mgrad.compiler.verify.summary import WIDTH, summary
from mgrad.verbs.check import Checked

PROVED = Verdict("f", "proved", identities=9)
CANCELS = Shortage(7.2, "value", "x = 1e-5", 3, "cancellation", 4, "`1 - cos(x)` cancels")
MEETING = Shortage(
    0.4,
    "d/dx",
    "x = 1e-5",
    1,
    "meeting",
    4,
    "the parts of d/dx from `a very long expression` and `another very long expression` cancel",
)


def text(*functions: FunctionReport, target: str = "python") -> list[str]:
    return summary([Report("t.mg", target, "", functions)]).splitlines()


def function(*verdicts: Verdict, **facts: object) -> FunctionReport:
    return FunctionReport("f", 1, 1, verdicts, **facts)  # type: ignore[arg-type]


def test_one_line_where_there_is_nothing_to_say() -> None:
    lines = text(
        function(PROVED, numbers=Numbers(15.9, 15.2, 20, ()), whole=(("x", "2*x"),)),
    )
    assert lines == [
        "t.mg -> python",
        "  f  proved: 9 identities  15 digits  d/dx = 2*x",
        "t.mg: 1 gradient: 1 proved, 0 agreed, 0 refuted; 15 digits or more",
    ]


def test_the_order_of_what_is_said() -> None:
    lines = text(
        function(
            PROVED,
            numbers=Numbers(14.1, 14.9, 20, (MEETING, CANCELS)),
            whole=(("x", "sin(x)"),),
            kinks=(("abs'(0) = 0", 4), ("abs'(0) = 0", 7)),
            given=("j0", "j1"),
        )
    )
    assert lines[1:-1] == [
        "  f  proved: 9 identities  14 digits, but",
        "      7 digits of the value at x = 1e-5 and 2 more points: `1 - cos(x)` cancels (line 4)",
        "      no digits of d/dx at x = 1e-5: the parts of d/dx from `a very long expression` and",
        "        `another very long expression` cancel (line 4)",
        "      d/dx = sin(x)",
        "      given the derivatives stated for j0, j1",
        "      kink: abs'(0) = 0 (lines 4, 7)",
    ]
    assert lines[-1].endswith("14 digits or more, but for the places named in 1 function")
    assert max(map(len, lines[:-1])) <= WIDTH


def test_what_is_not_proved_says_why_without_inner_names() -> None:
    why = "-v0*v1**2*k7/(2*v2) would not reduce to 0 where -v0*v1/(2300*v3) + 1 > 0"
    lines = text(
        function(
            PROVED, Verdict("f_backward", "agreed", points=10, digits=22, reason=why), numbers=None
        )
    )
    assert lines[1] == "  f  agreed"
    assert "f_backward: agreed at 10 points to 22 digits, not proved: SymPy did not" in lines[2]
    assert "v0" not in "".join(lines)


def test_what_holds_of_all_routines_names_none() -> None:
    reason = "the time budget ran out"
    late = [Verdict(r, "not reached", reason=reason) for r in ("f", "f_forward")]
    assert "      not reached: the time budget ran out" in text(function(*late))


def test_a_refuted_gradient_shows_both_numbers() -> None:
    found = Counterexample({"x": "1"}, "gradient of x", "-2.0", "2.0", 8, "d_x")
    lines = text(function(Verdict("f_backward", "refuted", counterexample=found)))
    assert lines[1] == "  f  REFUTED"
    assert lines[2].strip() == (
        "refuted: gradient of x at x = 1 is -2.0, should be 2.0; line 8 (d_x)"
    )
    assert "1 refuted" in lines[-1]


def test_a_module_that_raises_says_where() -> None:
    said = "the module raises TypeError: too large"
    item = Shortage(0.0, "value", "x = 10", 2, "raises", None, said)
    lines = text(function(PROVED, numbers=Numbers(16.0, 16.0, 20, (item,))))
    assert lines[2] == "      at x = 10 and 1 more point: the module raises TypeError: too large"


def test_what_differs_between_targets_names_the_target() -> None:
    def one(status: str) -> FunctionReport:
        return function(Verdict("f", status, reason="it was not followed"))

    made = summary(
        [
            Report("t.mg", "python", "", (one("proved"),)),
            Report("t.mg", "numpy", "", (one("not reached"),)),
        ]
    )
    assert "      numpy: not reached: it was not followed" in made.splitlines()


def test_a_check_that_fails_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Iterator[tuple[Report, ...]]:
        yield (Report("t.mg", "python", ""),)
        raise IndexError("nothing there")

    monkeypatch.setattr(run, "check_modules", fails)
    program = understand(Source("t.mg", "fn f(x) = 2*x\n"), Options(), lambda path, importer: None)
    checked = Checked(run.check(program, {"python": ""}, 10.0))
    assert checked.refuted
    assert "1 not reached" in checked.text()
    assert "the check itself failed, please report it: IndexError: nothing there" in (
        " ".join(checked.text().split())
    )


def test_a_function_that_cannot_be_checked_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of the checker is told of its function, and is no success."""
    source = Source("t.mg", "fn f(x) = x^2\nfn g(x) = x^3\n")
    made = compile(source, Options(target="python"))

    def fails(examination: Examination) -> None:
        if examination.function.name == "f":
            raise IndexError("out of range")
        gather(examination)

    gather = Examination.gather
    monkeypatch.setattr(Examination, "gather", fails)
    report = check_module(made.program, made.text, "python", 60)
    first, second = report.functions
    assert first.verdicts[0].reason.startswith(FAILED)
    assert {v.status for v in second.verdicts} == {"proved"}
