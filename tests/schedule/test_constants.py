"""Numbers in the text: multiples of pi, the source's constants, and what is computed once."""

import math
import re
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mgrad.compiler import driver
from mgrad.compiler.ir.node import Pool
from mgrad.compiler.schedule.constants import spell
from mgrad.compiler.source import Source


def compiled(text: str, target: Any = "python") -> tuple[str, ModuleType]:
    made = driver.compile(Source("f.mg", text), driver.Options(target=target)).text
    module = ModuleType("made")
    exec(made, module.__dict__)
    return made, module


@pytest.mark.parametrize(
    ("value", "text"),
    [("pi", "pi"), ("2*pi", "2*pi"), ("pi/2", "pi/2"), ("-pi", "-pi"), ("3*pi/4", "3*pi/4")],
)
def test_multiples_of_pi_are_written_as_such(value: str, text: str) -> None:
    exact = eval(value, {"pi": Fraction(math.pi)})
    assert spell(Pool().constant(exact), True) == text
    assert eval(text, {"pi": math.pi}) == float(exact)


def test_a_multiple_that_rounds_otherwise_is_a_number() -> None:
    for k in range(1, 200):
        exact = Fraction(k, 7) * Fraction(math.pi)
        text = spell(Pool().constant(exact), True)
        assert eval(text, {"pi": math.pi}) == float(exact)


def test_what_is_constant_is_computed_once() -> None:
    text, module = compiled("fn f(x, s) = exp(-x^2/(2*s^2))/(s*sqrt(2*pi)) + log(2)")
    assert "\nSQRT_2_PI = sqrt(2.0*pi)\n" in text and "\nLOG_2 = log(2.0)\n" in text
    text = re.sub("#.*", "", text)
    assert text.count("sqrt(") == 1 and text.count("log(") == 1
    assert module.f(0.0, 1.0) == pytest.approx(1 / math.sqrt(2 * math.pi) + math.log(2), rel=1e-15)


def test_what_is_no_finite_number_stays_in_its_function() -> None:
    text, module = compiled("fn f(x) = x*log(0) + sqrt(-1)")
    assert "LOG" not in text and "SQRT" not in text
    assert math.isnan(module.f(1.0))


def test_a_constant_does_not_force_its_precision_on_an_array() -> None:
    _, module = compiled("fn f(x) = x*sqrt(2*pi)", "numpy")
    assert module.f(np.ones(3, np.float32)).dtype == np.float32


def test_constants_of_the_source_keep_their_names() -> None:
    source = "const g_n = 9.80665\nconst two = 2\nfn f(t) = g_n*t^2/two\nfn v(h) = sqrt(2*g_n*h)\n"
    text, module = compiled(source)
    assert "\ng_n = 9.80665\n" in text and "two" not in text
    assert "return g_n*t*t/2.0\n" in text
    assert "sqrt(2.0*g_n*h)" in text
    assert module.v(1.0) == math.sqrt(2 * 9.80665)


def test_a_local_of_that_name_is_not_the_constant() -> None:
    source = "const g = 9.80665\nfn f(g) = g*9.80665\nfn h(x) = g*x\n"
    _, module = compiled(source)
    assert module.f(2.0) == 2 * 9.80665 and module.h(2.0) == 2 * 9.80665


def test_names_give_way_to_those_of_the_source() -> None:
    source = "fn f(SQRT_2, pi) = SQRT_2*pi*sqrt(2) + erf(pi)\nfn LOG_2(x) = x*log(2)\n"
    _, module = compiled(source)
    assert module.f(1.5, 2.0) == pytest.approx(3 * math.sqrt(2) + math.erf(2))
    assert module.LOG_2(3.0) == pytest.approx(3 * math.log(2))
    slope = module.f_value_and_grad(1.5, 0.5)[1][1]
    assert slope == pytest.approx(1.5 * math.sqrt(2) + 2 / math.sqrt(math.pi) * math.exp(-0.25))


def test_products_of_constants_are_named_by_their_factors() -> None:
    source = "const h = 6.62607015e-34\nconst c = 299792458\nfn f(nu, x) = 2*h*nu^3/c^2 + h*c/x\n"
    text, module = compiled(source)
    assert "\nC_SQUARED = c*c\n" in text and "\nH_C = h*c\n" in text
    h, c = 6.62607015e-34, 299792458.0
    wanted = 2 * h * 5e14**3 / c**2 + h * c / 3.0
    assert module.f(5e14, 3.0) == pytest.approx(wanted, rel=1e-15)
