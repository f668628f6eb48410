"""Constants and signs of a product stand before it; rounding is all that changes."""

import math
import random

import pytest

from mgrad.compiler import driver
from mgrad.compiler.source import Source


def returned(expression: str, arguments: str = "x, y, z") -> str:
    """What `f` returns in the text."""
    text = driver.compile(Source("f.mg", f"fn f({arguments}) = {expression}")).text
    body = text.partition("def f(")[2].partition("def f_forward(")[0]
    return body.partition("return ")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("x*3*(2*y)", "6.0*x*y"),
        ("0.5/x*(2*y)", "y/x"),
        ("x/2*(2*y)", "x*y"),
        ("3*x^2", "3.0*x*x"),
        ("x*(-y)*2", "-2.0*x*y"),
        ("-x*y", "-x*y"),
        ("z - x*(-2*y)", "z + 2.0*x*y"),
        ("x/3/y*z", "x/y*z/3.0"),
        ("x*2/7", "2.0*x/7.0"),
        ("x/y*0.5", "0.5*x/y"),
        ("pi*x/(2*pi)*y", "0.5*x*y"),
        ("10*x/(2*pi)", "5.0*x/pi"),
        ("2*x/9.80665", "2.0*x/9.80665"),
        ("x/9.80665/2", "x/19.6133"),
        # what may overflow or underflow on the way stays as it is written
        ("1e200*x*(1e200*y)", "1e+200*x*(1e+200*y)"),
    ],
)
def test_constants_stand_first(expression: str, text: str) -> None:
    assert returned(expression) == text


def test_a_value_of_the_source_keeps_its_line() -> None:
    text = driver.compile(Source("f.mg", "fn f(x, y) {\n  t = 2*x*y\n  return 3*t\n}\n")).text
    assert "    t = 2.0*x*y\n    return 3.0*t\n" in text


def test_what_a_sum_of_squares_shares_is_not_multiplied_twice() -> None:
    text = driver.compile(Source("f.mg", "fn r(x, y) = sqrt(x^2 + y^2)")).text
    assert "d_x = x/value" in text and "d_y = y/value" in text


def test_rounding_is_all_that_changes() -> None:
    draw = random.Random(5)
    for _ in range(60):
        factors = [draw.choice(["x", "y", "z", "3", "0.7", "(-x)", "(1/3)", "pi"])]
        for _ in range(draw.randrange(2, 8)):
            factor = draw.choice(["x", "y", "z", "3", "2.5", "(-y)", "(x*4)", "(0.1/z)", "(2*pi)"])
            factors.append(draw.choice("*/") + factor)
        expression = "".join(factors)
        space: dict[str, object] = {}
        exec(driver.compile(Source("f.mg", f"fn f(x, y, z) = {expression}")).text, space)
        x, y, z = (draw.uniform(-3, 3) for _ in range(3))
        wanted = eval(expression, {"x": x, "y": y, "z": z, "pi": math.pi})
        assert space["f"](x, y, z) == pytest.approx(wanted, rel=5e-15)  # type: ignore[operator]
