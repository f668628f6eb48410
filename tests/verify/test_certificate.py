"""Verdicts on hand-written modules: what is right is proved, what is wrong is refuted."""

from __future__ import annotations

import hashlib
import json

import pytest

from mgrad.compiler.sema.check import check
from mgrad.compiler.sema.program import Program
from mgrad.compiler.source import Source
from mgrad.compiler.syntax.parse import parse
from mgrad.compiler.verify.certificate import Report, check_module

NEURON = """
fn neuron(x1, x2, w1, w2, b) {
  n = w1*x1 + w2*x2 + b
  o = tanh(n)
  return o
}
"""

NEURON_TEXT = """
import math

def neuron(x1, x2, w1, w2, b):
    return math.tanh(w1*x1 + w2*x2 + b)

def neuron_forward(x1, x2, w1, w2, b):
    n = w1*x1 + w2*x2 + b
    o = math.tanh(n)
    return o, (x1, x2, w1, w2, o)

def neuron_backward(saved, grad=1.0):
    x1, x2, w1, w2, o = saved
    d_n = grad*(1 - o*o)
    d_x1 = d_n*w1
    d_x2 = d_n*w2
    d_w1 = d_n*x1
    d_w2 = d_n*x2
    return d_x1, d_x2, d_w1, d_w2, d_n
"""


def program(text: str) -> Program:
    parsed = parse(Source("t.mg", text))
    assert parsed.file is not None and not parsed.faults
    return check(parsed.file, lambda path, importer: None, {})


def judge(source: str, text: str) -> Report:
    return check_module(program(source), text, "python", 60.0)


def statuses(report: Report) -> dict[str, str]:
    return {v.routine: v.status for f in report.functions for v in f.verdicts}


def test_a_right_text_is_proved() -> None:
    report = judge(NEURON, NEURON_TEXT)
    assert statuses(report) == {
        "neuron": "proved",
        "neuron_forward": "proved",
        "neuron_backward": "proved",
    }
    assert "proved" in report.text() and not report.is_refuted


@pytest.mark.parametrize(
    ("right", "wrong", "variable"),
    [
        ("d_w1 = d_n*x1", "d_w1 = d_n*x2", "d_w1"),
        ("1 - o*o", "1 + o*o", "d_n"),
        ("1 - o*o", "1 - 1.001*o*o", "d_n"),
        ("d_x2 = d_n*w2", "d_x2 = -d_n*w2", "d_x2"),
    ],
)
def test_a_planted_fault_is_refuted_at_its_line(right: str, wrong: str, variable: str) -> None:
    assert right in NEURON_TEXT
    report = judge(NEURON, NEURON_TEXT.replace(right, wrong))
    (verdict,) = [v for v in report.functions[0].verdicts if v.routine == "neuron_backward"]
    assert verdict.status == "refuted"
    found = verdict.counterexample
    assert found is not None and found.variable == variable
    assert found.point["grad"] == "1.0"
    line = NEURON_TEXT.replace(right, wrong).splitlines()[(found.line or 1) - 1]
    assert wrong in line


def test_a_saved_value_in_the_wrong_place_is_refuted() -> None:
    wrong = NEURON_TEXT.replace("(x1, x2, w1, w2, o)", "(x2, x1, w1, w2, o)")
    assert statuses(judge(NEURON, wrong))["neuron_backward"] == "refuted"


def test_too_few_gradients_are_refuted() -> None:
    wrong = NEURON_TEXT.replace("return d_x1, d_x2, d_w1, d_w2, d_n", "return d_x1, d_x2, d_w1")
    assert statuses(judge(NEURON, wrong))["neuron_backward"] == "refuted"


def test_a_missing_function_is_refuted() -> None:
    assert judge(NEURON, "def other(x):\n    return x\n").is_refuted


def test_a_text_that_cannot_be_followed_says_why() -> None:
    text = "def f(x):\n    while x > 1:\n        x = x/2\n    return x\n"
    report = judge("fn f(x) = x", text)
    (verdict,) = report.functions[0].verdicts
    assert verdict.status == "not reached"
    assert "line" in verdict.reason


def test_what_sympy_cannot_reduce_is_agreed() -> None:
    # Legendre's duplication formula, which SymPy does not know of loggamma: DLMF 5.5.5
    source = "fn f(x in (1, 2)) = lgamma(2*x)"
    text = """
import math

def f(x):
    return math.lgamma(x) + math.lgamma(x + 0.5) + (2*x - 1)*math.log(2) - 0.5*math.log(math.pi)
"""
    report = judge(source, text)
    (verdict,) = report.functions[0].verdicts
    assert verdict.status == "agreed" and "reduce" in verdict.reason
    assert "agreed at 4 points to 22 digits" in report.text()
    assert (
        not judge(source, text.replace("0.5*math.log(math", "0.51*math.log(math"))
        .text()
        .count("agreed at")
    )


def test_collected_sums_are_proved() -> None:
    source = "fn f(a, b) {\n  c = a + b\n  c += c + 1\n  c += 1 + c + (-a)\n  return c\n}\n"
    text = "def f(a, b):\n    return 4*(a + b) + 3 - a\n"
    assert statuses(judge(source, text)) == {"f": "proved"}


def test_a_value_used_a_hundred_times() -> None:
    source = "fn f(x) = " + " + ".join(["x"] * 30)
    text = "def f(x):\n    return 30*x\ndef f_value_and_grad(x):\n    return 30*x, (30.0,)\n"
    assert statuses(judge(source, text)) == {"f": "proved", "f_value_and_grad": "proved"}


def test_a_wrong_branch_far_from_the_samples_is_found() -> None:
    text = "def f(x):\n    return x if x < 12345678 else x + 1\n"
    report = judge("fn f(x) = x*1", text)
    assert statuses(report) == {"f": "refuted"}


def test_regions_and_kinks() -> None:
    source = "fn f(x, y) = max(x, y)*2 + abs(x)\n"
    text = """
def f(x, y):
    return (x if x >= y else y)*2 + abs(x)

def f_value_and_grad(x, y):
    share = 0.5 if x == y else 1.0
    d_x = (2*share if x >= y else 0.0) + ((x > 0) - (x < 0))
    d_y = 2*share if y >= x else 0.0
    return f(x, y), (d_x, d_y)
"""
    report = judge(source, text)
    assert statuses(report) == {"f": "proved", "f_value_and_grad": "proved"}
    assert any("abs'(0) = 0" in k for k in report.functions[0].kinks)
    # at a tie the whole gradient to one operand is wrong, although every open region is right
    assert judge(source, text.replace("0.5 if", "1.0 if")).is_refuted


def test_a_branch_not_taken_that_leaks_is_refuted() -> None:
    source = "fn f(x) = if x > 0 then sqrt(x) else 0\n"
    text = """
import math

def f(x):
    return math.sqrt(x) if x > 0 else 0.0

def f_value_and_grad(x):
    o = math.sqrt(x)
    return (o if x > 0 else 0.0), (0.5/o*(1.0 if x > 0 else 0.0),)
"""
    assert statuses(judge(source, text))["f_value_and_grad"] == "refuted"
    masked = text.replace("0.5/o*(1.0 if x > 0 else 0.0)", "0.5/o if x > 0 else 0.0")
    assert statuses(judge(source, masked))["f_value_and_grad"] == "proved"


def test_cancellation_is_named_and_a_rewrite_offered() -> None:
    source = "fn f(x) = (1 - cos(x))/x^2\n"
    text = """
import math

def f(x):
    return (1 - math.cos(x))/(x*x)

def f_value_and_grad(x):
    u = 1 - math.cos(x)
    return u/(x*x), (math.sin(x)/(x*x) - 2*u/(x*x*x),)
"""
    report = judge(source, text)
    assert statuses(report)["f_value_and_grad"] == "proved"
    assert "2*sin((x)/2)^2" in report.text()


def test_the_certificate_is_json_and_the_same_each_time() -> None:
    report = judge(NEURON, NEURON_TEXT)
    data = json.loads(report.json())
    (function,) = data["functions"]
    assert [v["status"] for v in function["verdicts"]] == ["proved"] * 3
    assert data["sha256"] == hashlib.sha256(NEURON_TEXT.encode()).hexdigest()
    assert judge(NEURON, NEURON_TEXT).json() == report.json()
