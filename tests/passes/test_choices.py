"""Sums of masked terms are one choice, and a choice inside a choice by the same condition goes."""

import re
from typing import Any

import pytest

from mgrad.compiler import driver
from mgrad.compiler.source import Source

HUBER = "fn huber(x, k) = if abs(x) <= k then x^2/2 else k*(abs(x) - k/2)"


def compiled(text: str) -> tuple[str, dict[str, Any]]:
    space: dict[str, Any] = {}
    made = driver.compile(Source("f.mg", text), driver.Options(emit=("jacobian", "hessian"))).text
    exec(made, space)
    return made, space


def test_the_gradient_of_a_choice_is_a_choice() -> None:
    text, space = compiled(HUBER)
    assert "x if abs_x_up_to_k else k*sign(x)" in text
    assert space["huber_jacobian"](0.5, 2.0) == (0.5, 0.0)
    assert space["huber_jacobian"](-3.0, 2.0) == (-2.0, 1.0)  # -k, |x| - k


@pytest.mark.parametrize(
    ("x", "second"),
    [(0.5, ((1, 0), (0, 0))), (3.0, ((0, 1), (1, -1))), (-3.0, ((0, -1), (-1, -1)))],
)
def test_no_choice_stands_in_one_by_the_same_condition(x: float, second: object) -> None:
    text, space = compiled(HUBER)
    assert space["huber_hessian"](x, 2.0) == second
    hessian = text.partition("def huber_hessian")[2]
    assert hessian.count(" if abs_x_up_to_k") == 3 and "choice" not in hessian


def test_the_order_of_operands_makes_no_second_value() -> None:
    text, _ = compiled("fn f(x, y) = exp(x + y)*sin(y + x) + atan2(x, y)")
    text = re.sub("#.*", "", text)
    first = text.partition("def f_backward")[2].partition("def f_value")[0]
    assert first.count("hypot(") == 1 and first.count("x + y") <= 1 and "y + x" not in text


def test_a_multiple_of_a_difference_is_not_multiplied_out() -> None:
    """3 - 3*x has few digits next to 1, where 3*(1 - x) is exact."""
    _, space = compiled("fn f(x) = 3*(1 - x)")
    x = 1 - 2**-50
    assert space["f"](x) == 3 * 2**-50
