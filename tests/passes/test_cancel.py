"""An exponential that is divided by and multiplied with goes; gradients stay those of SymPy, and
right where the exponential is 0 or infinite as a float."""

import math

import pytest
import sympy as sp

from mgrad.compiler import driver
from mgrad.compiler.driver import Options
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import run_module

FORMULAS = [
    "x^2/(2*exp(s)) + s/2",
    "x^2/exp(s)",
    "x/exp(2*s)*y",
    "y*(x/(3*exp(s)))^2",
    "exp(s)*x/exp(s)*y",
    "x/(exp(s)*y)",
    "-x*y/exp(-s)",
]


def both(formula: str) -> tuple[str, list[float], list[float]]:
    """The text, the gradients of the emitted text at a point, and SymPy's."""
    source = Source("f.mg", f"fn f(x, y, s) = {formula}\n")
    text = driver.compile(source, Options(target="python")).text
    symbols = sp.symbols("x y s")
    at = (1.3, -0.7, 0.4)
    expression = sp.sympify(formula.replace("^", "**"), dict(zip("xys", symbols, strict=True)))
    expected = [
        float(expression.diff(s).subs(dict(zip(symbols, at, strict=True)))) for s in symbols
    ]
    found = run_module(text)["f_value_and_grad"](*at)[1]
    return text, list(found), expected


@pytest.mark.parametrize("formula", FORMULAS)
def test_gradients_are_those_of_sympy(formula: str) -> None:
    _, found, expected = both(formula)
    assert found == pytest.approx(expected, rel=1e-14)


def test_what_cancels_is_not_written() -> None:
    text, _, _ = both("x^2/(2*exp(s)) + s/2")
    assert "d_s = grad/2.0 - grad*ratio" in text
    text, _, _ = both("exp(s)*x/exp(s)*y")
    assert "return x*y\n" in text


def test_what_overflows_is_left_out() -> None:
    """d/ds of x/exp(s) is -x/exp(s): 0 at s = 1000, where exp(s) is infinite as a float."""
    text = driver.compile(Source("f.mg", "fn f(x, s) = x/exp(s)\n"), Options(target="python")).text
    value, (d_x, d_s) = run_module(text)["f_value_and_grad"](3.0, 1000.0)
    assert (value, d_x) == (0, 0)
    assert d_s == 0
    assert math.copysign(1, d_s) == -1
