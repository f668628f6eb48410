"""Derivatives stated by hand, and `test` lines."""

from __future__ import annotations

import pytest

from mgrad.compiler.driver import Options, compile_tests
from mgrad.compiler.sema.check import check
from mgrad.compiler.sema.program import Program
from mgrad.compiler.source import Source
from mgrad.compiler.syntax.parse import parse
from mgrad.compiler.verify.check import check_stated
from mgrad.compiler.verify.tests import run_tests


def program(text: str) -> Program:
    parsed = parse(Source("t.mg", text))
    assert parsed.file is not None and not parsed.faults
    return check(parsed.file, lambda path, importer: None, {})


def test_a_right_derivative_is_accepted() -> None:
    source = "fn softabs(x) = sqrt(x^2 + 1e-6)\nderivative softabs(x) = x/softabs(x)\n"
    assert check_stated(program(source)) == []


def test_a_wrong_derivative_is_refused_with_the_point() -> None:
    (fault,) = check_stated(program("fn f(x) = x^3\nderivative f(x) = 3*x^2 + 1e-3*x\n"))
    assert fault.code == "E301"
    assert "x = 1: 3.001, where 3.0 is right" in fault.message


def test_a_rule_wrong_by_a_thousandth_is_refused() -> None:
    assert check_stated(program("fn f(x) = x^3\nderivative f(x) = 3.003*x^2\n"))


def test_derivatives_of_externs_are_compared_with_differences() -> None:
    source = 'extern fn s(x) = "math.sin"\nderivative s(x) = {}\n'
    assert check_stated(program(source.format("cos(x)"))) == []
    (fault,) = check_stated(program(source.format("1.001*cos(x)")))
    assert "finite differences" in fault.message


SOURCE = "fn f(x) = 3*x^2 - 4*x + 5\n"


@pytest.mark.parametrize(
    ("line", "passes"),
    [
        ("f(3) == 20", True),
        ("f(3) == 21", False),
        ("f'(3) == 14", True),
        ("f''(3) == 6", True),
        ("diff(f(x), x) == 6*x - 4", True),
        ("diff(f(x), x) == 6*x - 4.001", False),
        ("f(1/3) ~= 4", True),
        ("sin(x)^2 + cos(x)^2 == 1", True),
        ("f(3) ~= 20.0000001", False),
    ],
)
def test_lines(line: str, passes: bool) -> None:
    tested = program(f"{SOURCE}test {line}\n")
    outcome = run_tests(tested, compile_tests(tested, Options()))
    (result,) = outcome.results
    assert result.passed is passes, result
    assert bool(outcome.failures) is not passes
    assert ("E302" in outcome.text()) is not passes


def test_an_extern_that_python_lacks_is_refused() -> None:
    source = 'extern fn s(x) = "math.no_such"\nderivative s(x) = cos(x)\n'
    (fault,) = check_stated(program(source))
    assert fault.code == "E303" and "math.no_such" in fault.message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("f(3) == 21", "f(3) == 21 does not hold: the left side is 20"),
        (
            "f(3) == 3*f(2)",
            "f(3) == 3*f(2) does not hold: the left side is 20, the right side is 27",
        ),
        ("f(x) == 3*x^2", "f(x) == 3*x^2 does not hold: at x = "),
        ("late(3) == 1", "late(3) == 1 does not hold: it raises TypeError: "),
    ],
)
def test_a_failure_shows_both_sides(line: str, said: str) -> None:
    tested = program(f'{SOURCE}extern fn late(x) = "math.fsum"\ntest {line}\n')
    text = run_tests(tested, compile_tests(tested, Options())).text()
    assert f"test failed: {said}" in text
    assert text.endswith("1 of 1 test failed")
