"""Verdicts on hand-written modules: what is right is proved, what is wrong is refuted."""

from __future__ import annotations

import ast
import hashlib
import json

import pytest

from mgrad.compiler.driver import Options, compile
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


def completed(source: str, text: str) -> str:
    """The text, and after it what the compiler writes of the routines that it lacks."""
    written = {n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}
    own = compile(Source("t.mg", source), Options(target="python"), lambda *_: None).text
    missing = [
        n
        for n in ast.parse(own).body
        if not ((isinstance(n, ast.FunctionDef) and n.name in written) or _is_future(n))
    ]
    return f"{text}\n{ast.unparse(ast.Module(missing, []))}\n"


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def statuses(report: Report) -> dict[str, str]:
    return {v.routine: v.status for f in report.functions for v in f.verdicts}


def judged(source: str, text: str) -> dict[str, str]:
    """The verdicts on the routines of the text, which the compiler completes."""
    found = statuses(judge(source, completed(source, text)))
    return {name: status for name, status in found.items() if f"def {name}(" in text}


def test_a_right_text_is_proved() -> None:
    report = judge(NEURON, completed(NEURON, NEURON_TEXT))
    assert statuses(report) == {
        "neuron": "proved",
        "neuron_forward": "proved",
        "neuron_backward": "proved",
        "neuron_value_and_grad": "proved",
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


def test_a_missing_routine_is_refuted() -> None:
    report = judge(NEURON, NEURON_TEXT)
    assert statuses(report)["neuron_value_and_grad"] == "refuted"
    assert "neuron_value_and_grad: refuted: the module does not define it" in report.text()
    renamed = completed(NEURON, NEURON_TEXT).replace("neuron_backward", "neuron_backwards")
    assert statuses(judge(NEURON, renamed))["neuron_backward"] == "refuted"


def test_a_text_that_cannot_be_followed_is_run() -> None:
    text = "def f(x):\n    while x > 2:\n        x = x/2 + x/2 - 1.0\n    return x\n"
    source = "fn f(x) = if x > 2 then x - 1 else x"
    assert judged(source, text) == {"f": "refuted"}  # beyond 3 it goes on
    right = "def f(x):\n    if x > 2:\n        return x - 1\n    return x\n"
    report = judge(source, completed(source, right))
    (verdict,) = [v for v in report.functions[0].verdicts if v.routine == "f"]
    assert verdict.status == "agreed" and verdict.digits == 6
    assert "line 2" in verdict.reason
    assert not report.is_refuted


@pytest.mark.parametrize(
    "fault",
    [
        'if type(x) is float: raise ValueError("no")',
        "if not isinstance(x, int): x = x + 1",
        "raise KeyError",
        "raise SystemExit",
        'import sys; sys.exit("done")',
    ],
)
def test_a_routine_that_raises_is_refuted(fault: str) -> None:
    source = "fn f(x) = sin(x)"
    text = f"import math\ndef f(x):\n    {fault}\n    return math.sin(x)\n"
    assert judged(source, text) == {"f": "refuted"}


def test_a_module_that_raises_is_refuted() -> None:
    for fault in ("raise SystemExit(0)", "1/0", "import nothing_of_that_name"):
        report = judge("fn f(x) = sin(x)", fault + "\n")
        assert report.is_refuted and "cannot be checked" in report.text()


def test_what_sympy_cannot_reduce_is_agreed() -> None:
    # Legendre's duplication formula, which SymPy does not know of loggamma: DLMF 5.5.5
    source = "fn f(x in (1, 2)) = lgamma(2*x)"
    text = """
import math

def f(x):
    return math.lgamma(x) + math.lgamma(x + 0.5) + (2*x - 1)*math.log(2) - 0.5*math.log(math.pi)
"""
    report = judge(source, completed(source, text))
    verdict = report.functions[0].verdicts[0]
    assert verdict.status == "agreed" and "reduce" in verdict.reason
    assert "f: agreed at 4 points to 22 digits" in report.text()
    wrong = text.replace("0.5*math.log(math", "0.51*math.log(math")
    assert judged(source, wrong) == {"f": "refuted"}


def test_collected_sums_are_proved() -> None:
    source = "fn f(a, b) {\n  c = a + b\n  c += c + 1\n  c += 1 + c + (-a)\n  return c\n}\n"
    text = "def f(a, b):\n    return 4*(a + b) + 3 - a\n"
    assert judged(source, text) == {"f": "proved"}


def test_a_value_used_a_hundred_times() -> None:
    source = "fn f(x) = " + " + ".join(["x"] * 30)
    text = "def f(x):\n    return 30*x\ndef f_value_and_grad(x):\n    return 30*x, (30.0,)\n"
    assert judged(source, text) == {"f": "proved", "f_value_and_grad": "proved"}


def test_a_wrong_branch_far_from_the_samples_is_found() -> None:
    text = "def f(x):\n    return x if x < 12345678 else x + 1\n"
    assert judged("fn f(x) = x*1", text) == {"f": "refuted"}


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
    assert judged(source, text) == {"f": "proved", "f_value_and_grad": "proved"}
    report = judge(source, completed(source, text))
    assert any("abs'(0) = 0" in k for k in report.functions[0].kinks)
    # at a tie the whole gradient to one operand is wrong, although every open region is right
    wrong = text.replace("0.5 if", "1.0 if")
    assert judged(source, wrong)["f_value_and_grad"] == "refuted"


def test_a_branch_not_taken_that_leaks_is_refuted() -> None:
    source = "fn f(x) = if x > 0 then sqrt(x) else 0\n"
    text = """
import math

def f(x):
    return math.sqrt(x) if x > 0 else 0.0

def f_value_and_grad(x):
    o = math.sqrt(x) if x >= 0 else math.nan
    return (o if x > 0 else 0.0), (0.5/o*(1.0 if x > 0 else 0.0),)
"""
    assert judged(source, text)["f_value_and_grad"] == "refuted"
    masked = text.replace("0.5/o*(1.0 if x > 0 else 0.0)", "0.5/o if x > 0 else 0.0")
    assert judged(source, masked)["f_value_and_grad"] == "proved"


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
    report = judge(source, completed(source, text))
    assert statuses(report)["f_value_and_grad"] == "proved"
    assert "2*sin(x/2)^2" in report.text()


def test_the_certificate_is_json_and_the_same_each_time() -> None:
    text = completed(NEURON, NEURON_TEXT)
    report = judge(NEURON, text)
    data = json.loads(report.json())
    (function,) = data["functions"]
    assert [v["status"] for v in function["verdicts"]] == ["proved"] * 4
    assert data["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert judge(NEURON, text).json() == report.json()


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        # a threshold that is off by little, of a value that no argument is
        (
            "fn f(x in (-5, 5)) = if sinh(x) > 1 then x else 0",
            "sinh(x) > 1.0 ",
            "sinh(x) > 1.001 ",
        ),
        ("fn f(x, b: bool) = if b and x > 0 then x else x^2", "> 0.0 ", "> 0.002 "),
        # numbers so small that nothing but their ratio counts
        (
            "fn f(x in (1e20, 1e22)) = 1.23456789012345678e-20/x^2",
            "1.2345678901234567e-20",
            "-1.2345678901234567e-20",
        ),
        # an int that must be just so
        ("fn f(x, n: int) = x*(n // 3)", "n//3", "n//3.003"),
        # nan where 0 times a number was
        ("fn f(x, y) = y*0.5 + x", "0.5*", "0.0/0.0 + "),
    ],
)
def test_faults_that_few_points_show(source: str, right: str, wrong: str) -> None:
    text = compile(Source("t.mg", source), Options(target="python"), lambda *_: None).text
    sound = judge(source, text)
    assert not sound.is_refuted and set(statuses(sound).values()) == {"proved"}
    start = text.index("def f(")
    end = text.index("def f_forward(")
    assert text[start:end].count(right) == 1
    planted = text[:start] + text[start:end].replace(right, wrong) + text[end:]
    assert statuses(judge(source, planted))["f"] == "refuted"
