"""Normal forms over kernels: what is 0 is seen to be 0, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

from mgrad.compiler.verify.fields import Beyond, NotReal, Tower

x, y = sp.symbols("x y", real=True)
p, q = sp.symbols("p q", positive=True)


def vanishes(expression: Any) -> bool:
    tower = Tower(lambda symbol: bool(symbol.is_positive))
    return bool(tower.settled(lambda: tower.is_zero(tower.lift(expression, {}))))


@pytest.mark.parametrize(
    "zero",
    [
        (x + y) ** 2 / (x + y) - x - y,
        sp.exp(x) * sp.exp(y / 3) - sp.exp(x + y / 3),
        sp.exp(-x) * (sp.exp(2 * x) + 1) - 2 * sp.cosh(x),
        sp.exp(x / 2) * sp.exp(x / 3) - sp.exp(5 * x / 6),
        sp.tanh(x) - (sp.exp(2 * x) - 1) / (sp.exp(2 * x) + 1),
        sp.log(p * q**2) - sp.log(p) - 2 * sp.log(q),
        sp.log(1 + sp.exp(x)) - x - sp.log(1 + sp.exp(-x)),
        sp.log(10) - sp.log(2) - sp.log(5),
        sp.sqrt(1 + x**2) ** 3 / (1 + x**2) - sp.sqrt(1 + x**2),
        sp.sqrt(p / q) * sp.sqrt(q) - sp.sqrt(p),
        sp.root(p, 3) * sp.root(p, 6) - sp.sqrt(p),
        p ** (y + 2) / p - p * p**y,
        sp.sin(2 * x) - 2 * sp.sin(x) * sp.cos(x),
        sp.sin(3 * sp.pi * x) - 3 * sp.sin(sp.pi * x) + 4 * sp.sin(sp.pi * x) ** 3,
        sp.cos(x / 2) ** 2 - (1 + sp.cos(x)) / 2,
        1 / sp.cos(x) ** 2 - 1 - sp.tan(x) ** 2,
        sp.sin(sp.pi / 2, evaluate=False) - 1,
        sp.cos(13 * sp.pi / 6, evaluate=False) ** 2 - sp.Rational(3, 4),
        4 * sp.cos(sp.pi / 12, evaluate=False) - sp.sqrt(2) * (sp.sqrt(3) + 1),
        2 * sp.sin(sp.pi / 9) * sp.cos(sp.pi / 9) - sp.sin(2 * sp.pi / 9),
        sp.erf(-x) + sp.erf(x),
        sp.erfc(x) - 1 + sp.erf(x),
        sp.polygamma(0, (2 * x + 2) / 2) - sp.polygamma(0, x + 1),
    ],
)
def test_what_is_zero_is_seen(zero: Any) -> None:
    assert vanishes(zero)


@pytest.mark.parametrize(
    "other",
    [
        sp.exp(x) - 1,
        sp.sin(x) - sp.cos(x),
        sp.sqrt(x**2, evaluate=False) - x,  # |x|
        sp.log(x**2) - 2 * sp.log(x),  # not for negative x
        sp.exp(x) * sp.exp(y) - sp.exp(x - y),
        sp.sqrt(p * q) - sp.sqrt(p) - sp.sqrt(q),
        sp.sin(sp.pi / 4, evaluate=False) - sp.sqrt(3) / 2,
        sp.cos(x + sp.pi) - sp.cos(x),
        sp.Rational(1, 10**30) * x,
        sp.cos(x) ** 2 + sp.sin(x) ** 2 - sp.Rational(1001, 1000),
    ],
)
def test_what_is_not_zero_is_not(other: Any) -> None:
    assert not vanishes(other)


def test_a_quotient_by_a_hidden_zero_is_nothing() -> None:
    hidden = sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1
    with pytest.raises(Beyond):
        vanishes(sp.Mul(hidden, sp.Pow(hidden, -1, evaluate=False), evaluate=False) - 1)


def test_what_is_nowhere_real_says_so() -> None:
    for expression in (sp.Pow(-p, sp.Rational(1, 2), evaluate=False), sp.log(-p, evaluate=False)):
        with pytest.raises(NotReal):
            vanishes(expression)


def test_what_is_too_large_is_given_up() -> None:
    many = sp.symbols("a:40", real=True)
    with pytest.raises(Beyond):
        vanishes(sum(sp.exp(a) for a in many))
    with pytest.raises(Beyond):
        vanishes(sum(many[:12]) ** 60)


def test_quotients_are_equal_without_lowest_terms() -> None:
    def are_equal(a: Any, b: Any) -> bool:
        tower = Tower(lambda symbol: bool(symbol.is_positive))
        return bool(tower.settled(lambda: tower.are_equal(tower.lift(a, {}), tower.lift(b, {}))))

    length = sp.sqrt(x**2 + y**2)
    assert are_equal(x / length, x * length / (x**2 + y**2))
    assert are_equal((x**2 - y**2) / (x + y), x - y)
    assert not are_equal(x / length, y / length)
