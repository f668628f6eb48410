"""The check of what the compiler itself emits, for both targets."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.driver import Options, Target, compile
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import FunctionReport, Report, check_modules

TARGETS: tuple[Target, ...] = ("python", "numpy")


def reports(
    text: str, emit: tuple[str, ...] = (), files: Mapping[str, str] | None = None, **settings: int
) -> tuple[Report, ...]:
    def load(path: str, importer: str | None) -> Source | None:
        found = (files or {}).get(path.removeprefix("./"))
        return None if found is None else Source(path, found)

    compiled = [
        compile(Source("t.mg", text), Options(target=t, emit=emit, settings=settings), load)
        for t in TARGETS
    ]
    texts = {t: c.text for t, c in zip(TARGETS, compiled, strict=True)}
    *_, last = check_modules(compiled[0].program, texts, 60.0)
    return last


def routines(report: Report) -> dict[str, str]:
    return {v.routine: v.status for f in report.functions for v in f.verdicts}


def only(text: str) -> FunctionReport:
    """The one function of a file, on target python; its text is proved on both."""
    both = reports(text)
    for report in both:
        assert not report.reason
        assert set(routines(report).values()) == {"proved"}, report.text()
    return both[0].functions[0]


def least(function: FunctionReport) -> float:
    assert function.numbers is not None and function.numbers.points > 3
    return min(function.numbers.value, function.numbers.gradient)


def test_every_routine_has_a_verdict_of_its_own() -> None:
    for report in reports("fn f(x, y) = sin(x)*y^2\n", ("jvp", "jacobian", "hessian")):
        assert routines(report) == dict.fromkeys(
            [
                "f",
                "f_forward",
                "f_backward",
                "f_value_and_grad",
                "f_jvp",
                "f_jacobian",
                "f_hessian",
            ],
            "proved",
        )


def test_several_results() -> None:
    function = only("fn polar(x in (1, 2), y in (1, 2)) = sqrt(x^2 + y^2), atan2(y, x)\n")
    assert function.gradients == 4
    assert least(function) >= 13


@pytest.mark.parametrize(
    "text",
    [
        "fn f(x, n: int) = x^2*n\n",
        "fn f(x, b: bool) = if b then x^3 else -x\n",
        "fn f(x; n = 3) = x^n\n",
        "const c = 2.5\nfn f(x) = c*x^2 + cos(c)\n",
        "fn f(x) = x*abs(x)\n",
        "fn f(x, y, z) = max(x, y, z)\n",
        "fn f(x) = if x > 0 then exp(-1/x) else 0\n",
        "fn f(x, y) = if y == 0 then 0 else x/y\n",
        "fn f(x) = if x > 0 then sqrt(x) else 0\n",
        "fn f(x) = x^3\n",
        "fn f(x) = clip(x, 0, 1)\n",
        "fn f(x) = softplus(x)\n",
        "fn f(x) = log(sigmoid(x))\n",
        "fn f(x) = sigmoid(x)\n",
    ],
)
def test_arguments_branches_and_kinks(text: str) -> None:
    """Every formula is proved, every number is right to 13 digits, at the kinks as well."""
    function = only(text)
    assert function.numbers is not None
    assert least(function) >= 13, function.numbers
    assert not [e for e in function.numbers.exceptions if not e.kind]


def test_an_imported_function_is_followed() -> None:
    files = {"g.mg": "fn g(x) = x*exp(x)\n"}
    for report in reports('use "./g.mg": g\nfn f(x) = g(x)^2\n', files=files):
        assert set(routines(report).values()) == {"proved"}
        assert [f.name for f in report.functions] == ["f"]


def test_where_there_is_no_value_there_is_no_gradient_to_refute() -> None:
    """-d(1/r)/dx is 0/0 at the origin, where its gradient by y is nothing that can be wrong."""
    text = "fn pull(x, y) {\n  r = sqrt(x^2 + y^2)\n  return -diff(1/r, x)\n}\n"
    assert only(text).status == "proved"


def test_an_extern_is_proved_given_its_derivative() -> None:
    text = 'extern fn s(x) = "math.sin"\nderivative s(x) = cos(x)\nfn f(x in (-3, 3)) = x*s(x)\n'
    function = only(text)
    assert function.given == ("s",)
    assert "given the derivative of s" in reports(text)[0].text()


def test_an_extern_that_does_not_exist_is_told() -> None:
    text = 'extern fn s(x) = "math.no_such"\nderivative s(x) = 1\nfn f(x) = s(x)\n'
    with pytest.raises(MgradError, match=r"E303.*math\.no_such"):
        reports(text)
    for report in reports('extern fn s(x) = "math.no_such"\nfn f(n: int) = s(n)\n'):
        assert report.is_refuted
        assert "E303" in report.text() and "math.no_such" in report.text()


def test_an_extern_without_a_derivative_serves_where_none_is_needed() -> None:
    for report in reports('extern fn s(x) = "math.sinh"\nfn f(n: int) = s(n)\n'):
        assert routines(report) == {"f": "proved"}
