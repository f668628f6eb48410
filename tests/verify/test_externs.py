"""Externs: their derivatives by finite differences, and what is said when there is no function."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import mpmath
import pytest
import scipy.special as special

import mgrad
from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.driver import Options, compile, understand
from mgrad.compiler.sema.program import Program
from mgrad.compiler.source import Source
from mgrad.compiler.verify.check import check_stated
from mgrad.compiler.verify.opaque import slope
from mgrad.verbs.evaluate import evaluate
from mgrad.verbs.test import test as run_file_tests


def gamma_slope(x: float) -> float:
    return float(mpmath.diff(mpmath.gamma, x))


@pytest.mark.parametrize(
    ("f", "x", "true"),
    [
        (math.sin, 1.0, math.cos(1.0)),
        (math.exp, 100.0, math.exp(100.0)),
        (math.exp, 1e-5, math.exp(1e-5)),
        (lambda x: math.log(x) if x > 0 else math.nan, 1e-6, 1e6),
        (math.tan, 1.5707, 1 + math.tan(1.5707) ** 2),
        (lambda x: 1 / x, -1e-4, -1e8),
        (special.gamma, -1.001, gamma_slope(-1.001)),
        (special.gamma, -0.999, gamma_slope(-0.999)),
        (special.gamma, 1e-5, gamma_slope(1e-5)),
        (special.j0, 8.0, -special.j1(8.0)),
        (special.j1, 0.0, 0.5),
    ],
)
def test_slopes_have_eight_digits(f: Callable[[float], float], x: float, true: float) -> None:
    assert slope(f, x) == pytest.approx(float(true), rel=1e-8)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (abs, 0.0),
        (lambda x: abs(x - 1), 1.0),
        (math.floor, 2.0),
        (lambda x: 1 / x**2 if x else math.nan, 0.0),
        (lambda x: math.sqrt(x) if x >= 0 else math.nan, 0.0),
        (lambda x: 1 / x if x else math.inf, 0.0),
    ],
)
def test_where_estimates_do_not_agree_there_is_none(f: Callable[[float], float], x: float) -> None:
    assert math.isnan(slope(f, x))


def program(text: str) -> Program:
    return understand(Source("t.mg", text), Options(), lambda path, importer: None)


TRUE = """
extern fn g(x in (-3, 5)) = "scipy.special.gamma"
derivative g(x) = g(x)*digamma(x)
extern fn j(x) = "scipy.special.j0"
extern fn k(x) = "scipy.special.j1"
derivative j(x) = -k(x)
derivative k(x) = j(x) - k(x)/x
extern fn t(x) = "math.tan"
derivative t(x) = 1 + t(x)^2
extern fn p(x in (0, inf), y) = "math.pow"
derivative p(x, y) = y*p(x, y - 1), p(x, y)*log(x)
"""


def test_true_derivatives_are_accepted_next_to_poles() -> None:
    assert check_stated(program(TRUE)) == []


@pytest.mark.parametrize(
    ("wrong", "argument"),
    [
        (TRUE.replace("digamma(x)", "digamma(x)*(1 + 1e-5)"), "x"),
        (TRUE.replace("-k(x)\n", "k(x)\n"), "x"),
        (TRUE.replace("p(x, y)*log(x)", "p(x, y)*log(x) + 1e-3"), "y"),
    ],
)
def test_wrong_ones_are_refused_with_the_point(wrong: str, argument: str) -> None:
    with pytest.raises(MgradError) as caught:
        compile(Source("t.mg", wrong), Options(), lambda path, importer: None)
    (fault,) = caught.value.diagnostics
    assert fault.code == "E301"
    assert f"by '{argument}' is wrong at x = " in fault.message
    assert "finite differences" in fault.message


NOWHERE = 'extern fn q(x) = "{}"\nfn f(x) = x*q(x)\ntest f(1) == 1\n'


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no_such_module.g", "No module named 'no_such_module'"),
        ("math.no_such", "has no attribute 'no_such'"),
        ("math.pi", "it is no function"),
    ],
)
def test_what_python_lacks_is_said_by_all_that_run_it(tmp_path: Path, path: str, why: str) -> None:
    file = tmp_path / "t.mg"
    file.write_text(NOWHERE.format(path))
    mgrad.compile(file)  # imports nothing
    for run in (
        lambda: mgrad.check(file),
        lambda: evaluate(file, "f(1)"),
        lambda: run_file_tests(file),
        lambda: mgrad.load(file),
    ):
        with pytest.raises(MgradError) as caught:
            run()
        (fault,) = caught.value.diagnostics
        assert fault.code == "E303"
        assert f"Python has no '{path}' for the extern 'q'" in fault.message
        assert why in fault.message


def test_a_module_that_fails_to_import_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fails_to_import.py").write_text("raise RuntimeError('no luck')\n")
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "t.mg"
    file.write_text(NOWHERE.format("fails_to_import.g"))
    with pytest.raises(MgradError, match="RuntimeError: no luck"):
        mgrad.check(file)


def test_the_gradient_of_an_extern_has_its_digits(tmp_path: Path) -> None:
    file = tmp_path / "t.mg"
    file.write_text(
        'extern fn s(x) = "scipy.special.sindg"\n'
        "derivative s(x) = pi/180*sin(pi*(90 - x)/180)\n"
        "fn f(x in (10, 80)) = x*s(x)\n"
    )
    checked = mgrad.check(file)
    assert not checked.refuted
    for function in json.loads(checked.json())["functions"]:
        assert function["given"] == ["s"]
        assert function["numbers"]["exceptions"] == []
        assert function["numbers"]["gradient"] > 13
