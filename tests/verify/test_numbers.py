"""Numbers of few digits: the reason is named, with its place, in the source's words."""

from __future__ import annotations

import time
from typing import Any

import mpmath
import pytest

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import FunctionReport, check_module, run_module
from mgrad.compiler.verify.loss import Loss
from mgrad.compiler.verify.numeric import Answers, answers, digits


def compiled(text: str) -> Any:
    return compile(Source("t.mg", text), Options(), lambda path, importer: None)


def known(text: str) -> tuple[Answers, dict[str, Any]]:
    made = compiled(text)
    (function,) = (f for f in made.program.functions.values() if f.name == "f")
    return answers(made.program, function, time.monotonic() + 60), run_module(made.text)


def value_loss(text: str, *point: float) -> Loss | None:
    """What is said of the value that the module gives at a point."""
    right, module = known(text)
    return right.loss(point, right.results[0], module["f"](*point))


def slope_loss(text: str, *point: float, index: int = 0) -> Loss | None:
    right, module = known(text)
    _, slopes = module["f_value_and_grad"](*point)
    return right.loss(point, right.gradient[index], slopes[index])


def report(text: str) -> FunctionReport:
    made = compiled(text)
    (function, *_) = check_module(made.program, made.text, "python", 60.0).functions
    return function


@pytest.mark.parametrize(
    ("computed", "true", "right"),
    [
        (1.0, mpmath.mpf(1), 16),
        (1.0, mpmath.mpf("1.00001"), 5),
        (0.0, mpmath.mpf(1), 0),
        (float("nan"), mpmath.mpf(1), 0),
        (float("inf"), mpmath.mpf(10) ** 400, 16),
        (float("-inf"), mpmath.mpf(10) ** 400, 0),
        (0.0, mpmath.mpf(10) ** -400, 16),
        (0.0, mpmath.nan, 16),
    ],
)
def test_digits(computed: float, true: Any, right: float) -> None:
    assert digits(computed, true) == pytest.approx(right, abs=0.01)


VERSINE = "fn f(x) = (1 - cos(x))/x^2\n"


def test_cancellation_in_the_source() -> None:
    loss = value_loss(VERSINE, 1e-5)
    assert loss is not None and loss.span is not None
    assert (loss.kind, loss.span.text, loss.rewrite) == (
        "cancellation",
        "1 - cos(x)",
        "2*sin(x/2)^2",
    )
    # 1 - cos is 5e-11 there, of numbers that are rounded to 1.1e-16
    assert 6 < loss.digits < 8.5


def test_cancellation_in_a_gradient_names_its_parts() -> None:
    loss = slope_loss("fn f(a, b) = sin(a)/a*b\n", -1e-5, 0.5)
    assert loss is not None and loss.kind == "meeting"
    assert loss.note == "the parts of d/da from `sin(a)/a` and `sin(a)` cancel"


@pytest.mark.parametrize(
    ("text", "point", "kind", "note"),
    [
        (
            "fn f(x) = exp(x)/(exp(x) + 2)",
            (800.0,),
            "overflow",
            "`exp(x)` overflows: exp(800) is above 1.8e308",
        ),
        (
            "fn f(x, y) = x*y/y",
            (1e200, 1e200),
            "overflow",
            "`x*y` overflows: 1e400 is above 1.8e308",
        ),
        (
            "fn f(a, b) = log(exp(a) + exp(b))",
            (-800.0, -800.0),
            "underflow",
            "`exp(a)` underflows: exp(-800) is below 2.2e-308",
        ),
        (
            "fn f(x, y) = x^2 - y",
            (1.4142135623730951, 2.0),
            "condition",
            "ill-conditioned there, not the code's fault: the last bit of x or y moves the true "
            "number as much",
        ),
        (
            "fn f(x) = (x + 1)^2 - (x^2 + 2*x + 1)",
            (0.1,),
            "zero",
            "is rounding of what cancels in `(x + 1)^2 - (x^2 + 2*x + 1)`",
        ),
        (
            "fn f(x) = sin(1 + 3*x^2 - 1)/x",
            (1e-7,),
            "cancellation",
            "`1 + 3*x^2 - 1` cancels",
        ),
        (
            "fn f(x) = lgamma(x + 1)",
            (1e-7,),
            "magnification",
            "`lgamma(x + 1)` enlarges the rounding of its operand",
        ),
        (
            "fn f(x) = log(1 + x)",
            (1e-7,),
            "magnification",
            "`log(1 + x)` enlarges the rounding of its operand; `log1p(x)` does not",
        ),
    ],
)
def test_reasons(text: str, point: tuple[float, ...], kind: str, note: str) -> None:
    loss = value_loss(f"{text}\n", *point)
    assert loss is not None
    assert loss.kind == kind
    assert note in loss.note


@pytest.mark.parametrize(
    ("text", "point", "rewrite"),
    [
        ("sqrt(x^2 + 1) - x", (1e8,), "1/(x + sqrt(x^2 + 1))"),
        ("{\n  e = exp(2*x)\n  return (e - 1)/(e + 1)\n}", (1e-6,), "expm1(2*x)"),
        ("x^3 - 3*x^2 + 3*x - 1", (1.001,), "(x - 1)^3"),
        ("cos(x)^2 - sin(x)^2", (0.78539816,), None),  # no identity that is known here
        ("sqrt(x + 1) - sqrt(x)", (1e12,), "1/(sqrt(x) + sqrt(x + 1))"),
    ],
)
def test_rewrites_are_offered_where_they_help(
    text: str, point: tuple[float, ...], rewrite: str | None
) -> None:
    is_block = text.startswith("{")
    loss = value_loss(f"fn f(x) {text}\n" if is_block else f"fn f(x) = {text}\n", *point)
    assert loss is not None
    assert loss.rewrite == rewrite


def test_a_built_in_of_absolute_accuracy() -> None:
    loss = slope_loss("fn f(x) = tanh(x)\n", 20.0)
    assert loss is not None
    assert loss.kind == "accuracy"
    assert loss.note.startswith("tanh has few digits there")


def test_a_wrong_number_has_no_excuse() -> None:
    right, _ = known("fn f(x) = sin(x)*x\n")
    point = right.exact[0].point
    true = float(right.exact[0].values[0])
    assert right.loss(point, right.results[0], true * (1 + 1e-12)) is None


@pytest.mark.parametrize(
    "text",
    [
        "fn f(x) = x^3\n",
        "fn f(x, d in (0, inf)) = if abs(x) <= d then x^2/2 else d*(abs(x) - d/2)\n",
        "fn f(x) = softplus(x)\n",
        "fn f(x, y) = x^y\n",
        "fn f(x) = if x > 0 then exp(-1/x) else 0\n",
        "fn f(x, y) = if y == 0 then 0 else x/y\n",
        "fn g(t) = t*exp(-t)\nfn f(x) = g(g(x)) + g(x^2)\n",
    ],
)
def test_nothing_is_said_of_good_numbers(text: str) -> None:
    function = report(text)
    assert function.numbers is not None
    assert function.numbers.exceptions == ()
    assert min(function.numbers.value, function.numbers.gradient) >= 13


def test_the_report_tells_value_and_gradient_apart() -> None:
    function = report(VERSINE)
    assert function.numbers is not None
    found = {(e.what, e.kind): e for e in function.numbers.exceptions}
    assert set(found) == {("value", "cancellation"), ("d/dx", "meeting")}
    value = found["value", "cancellation"]
    assert value.line == 1 and value.text == "`1 - cos(x)` cancels"
    assert "write 2*sin(x/2)^2 in its place" in value.warning
    assert value.digits < 13 and value.points > 1


def test_a_module_that_raises_is_named() -> None:
    made = compiled("fn f(x) = 2*x\n")
    text = "def f(x):\n    return 2*x if abs(x) < 5 else len(x)\n"
    checked = check_module(made.program, text, "python", 60.0)
    (function,) = checked.functions
    assert function.numbers is not None
    (said,) = (e for e in function.numbers.exceptions if e.kind == "raises")
    assert "TypeError" in said.text and said.digits == 0
