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


NAMES = """
fn class(lambda, def, None, True) = lambda*def^2 + None*True
fn ieee(len, self, print, zip) = len*self + print/zip
fn type(float, reals) = float*reals + sin(float)
fn _(x) = x^2
fn __name__(__doc__) = __doc__^2
fn __debug__(x) = x^3
fn __mgrad__(x) = if x > 0 then x^2 else x
fn __import__(yield) = class(yield, 2, 3, 4)*_(yield)
"""


def test_whatever_the_names_are() -> None:
    for report in reports(NAMES, ("jvp", "jacobian", "hessian")):
        assert not report.reason
        found = routines(report)
        assert set(found.values()) == {"proved"}, report.text()
        assert {"class_", "class_forward", "_", "__forward", "__name___hessian"} <= set(found)


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


@pytest.mark.parametrize(
    "text",
    [
        "fn f(x) = abs(x)\nderivative f(x) = if x >= 0 then 1 else -1\nfn g(x) = f(x)*x\n",
        "fn f(x) = if x < 0 then -x else x\nderivative f(x) = if x <= 0 then -1 else 1\n",
        "fn f(a, b) = max(a, b) + log(1 + exp(-abs(a - b)))\n"
        "derivative f(a, b) = 1/(1 + exp(b - a)), 1/(1 + exp(a - b))\n"
        "fn g(x, y) {\n  d = diff(f(x, y), x)\n  return diff(d, y)\n}\n",
    ],
)
def test_at_a_kink_a_stated_derivative_decides(text: str) -> None:
    for report in reports(text):
        assert set(routines(report).values()) == {"proved"}, report.text()
        for function in report.functions:
            assert all("stated for f decides" in what for what, _ in function.kinks)


def test_a_wrong_value_at_a_kink_is_refuted_though_its_derivative_is_stated() -> None:
    source = "fn f(x) = abs(x)\nderivative f(x) = if x >= 0 then 1 else -1\n"
    compiled = compile(Source("t.mg", source), Options(), lambda *_: None)
    text = compiled.text.replace("return abs(x)", "return abs(x) if x else 1.0")
    assert text != compiled.text
    *_, (report,) = check_modules(compiled.program, {"python": text}, 60.0)
    assert routines(report)["f"] == "refuted"


def test_an_extern_is_proved_given_its_derivative() -> None:
    text = 'extern fn s(x) = "math.sin"\nderivative s(x) = cos(x)\nfn f(x in (-3, 3)) = x*s(x)\n'
    function = only(text)
    assert function.given == ("s",)
    assert "given the derivative" in reports(text)[0].text()


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


MIXTURE = """
const half = 1/2
fn inner(x) = x*exp(-x^2)
fn middle(x, y) = inner(x*y) + inner(x)/(1 + y^2)
fn outside(x, y) {
  u = middle(x, y)
  v = middle(y, x)
  u += v*half
  return u^2 - v
}
fn nested(x, y) =
  if x > 0 then (if y > x then y^2 - x else if y < -x then sin(y) else x*y)
  else if y > 0 then exp(x) else x^2*y
fn inside(x, k: int, b: bool) {
  f = x^3*k
  g = diff(f, x)
  h = if b then g else f
  return diff(h^2, x) + inner''(x)
}
fn ties(x, y, z) = clip(x, -1, y) + max(x, min(y, z), 0) - min(x, x, z)*abs(y - z)
fn flag(x, b: bool, c: bool) = if b and not c then relu(x) else if c then -x else x^2
fn pair(x, y) = x*y, if x < y then x + 2.5e-7 else y^2
fn twice(x, y) {
  a, b = pair(x, y)
  c, d = pair(b, a)
  return c*d - a
}
fn steps(x, n: int) = floor(x)*x + round(x) + x^n + sign(x)*(n // 3)
fn where_it_is(x, y) = where(x > 0 or y > 1, x*y, where(x == y, 0, x - y))
fn chain(x) = if 0 < x <= 1 then x else if 1 < x <= 2 then x^2 else 2*x
fn at_03(y) = max(3, y) - min(y, 0.3)
fn third(x) = curve'(x)
fn curve(x) = slope'(x)/(1 + slope(x)^2)^(3/2)
fn slope(x) = exp(-x/4)*sin(x)
"""


def test_a_mixture_of_everything_is_proved() -> None:
    for report in reports(MIXTURE):
        assert set(routines(report).values()) == {"proved"}, report.text()
        assert len(report.functions) == 16


def test_numbers_that_cancel_far_above_the_result_are_no_counterexample() -> None:
    """At z = 0.07 the parts of d/dx are 1e260 each, and their sum is 0."""
    text = "fn f(x in (2, 3), z in (0.07, 0.08)) = x*(sinh(3/z^2)/x)\n"
    assert all("refuted" not in routines(report).values() for report in reports(text))
