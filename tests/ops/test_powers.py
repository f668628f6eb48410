"""x^y at the hard places, and the products that powers are computed by."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest

import mgrad
from mgrad.compiler.ir.graph import topological
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import REAL
from mgrad.compiler.ops import TABLE, pow_, sigmoid, softplus
from tests.ops.evaluation import derivative, expanded, node_of, run

NAN = math.nan


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize(
    ("x", "y", "value", "by_x", "by_y", "by_xx"),
    [
        (0.0, 2.0, 0, 0, 0, 2),
        (-2.0, 3.0, -8, 12, NAN, -12),
        (0.0, 0.0, 1, 0, -math.inf, 0),
        (0.0, 3.0, 0, 0, 0, 0),
        (2.0, 0.0, 1, 0, math.log(2), 0),
    ],
)
def test_two_variables(
    x: float, y: float, value: float, by_x: float, by_y: float, by_xx: float, target: str
) -> None:
    node = node_of(pow_)
    first, second = (derivative(node, p) for p in node.inputs)
    wanted = [
        (node, value),
        (first, by_x),
        (second, by_y),
        (derivative(first, node.inputs[0]), by_xx),
    ]
    for formula, true in wanted:
        got = run(expanded(formula), target, {"x": x, "y": y})
        assert float(got) == pytest.approx(true, nan_ok=True)


def test_the_mixed_derivative_where_the_exponent_is_0() -> None:
    node = node_of(pow_)
    mixed = derivative(derivative(node, node.inputs[0]), node.inputs[1])
    assert run(expanded(mixed), "python", {"x": 2.0, "y": 0.0}) == 0.5  # x^(y-1)*(1 + y*log(x))


EXPONENTS = [
    0,
    1,
    2,
    3,
    4,
    7,
    -1,
    -2,
    -5,
    Fraction(1, 2),
    Fraction(-1, 2),
    Fraction(3, 2),
    Fraction(7, 3),
]


def power(exponent: int | Fraction) -> tuple[Node, Node]:
    pool = Pool()
    x = pool.parameter("x", REAL)
    return x, pow_(x, pool.constant(exponent))


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("exponent", EXPONENTS)
def test_constant_exponents(exponent: int | Fraction, target: str) -> None:
    x, node = power(exponent)
    n = float(exponent)
    for at in (0.7, 1.9):
        slope = derivative(node, x)
        assert run(expanded(node), target, {"x": at}) == pytest.approx(at**n, rel=1e-15)
        assert run(expanded(slope), target, {"x": at}) == pytest.approx(
            n * at ** (n - 1), rel=2e-15
        )
        bend = expanded(derivative(slope, x))
        assert run(bend, target, {"x": at}) == pytest.approx(n * (n - 1) * at ** (n - 2), rel=4e-15)


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_constant_exponents_need_no_guards(exponent: int | Fraction) -> None:
    x, node = power(exponent)
    ops = {n.op for n in topological([derivative(node, x)])}
    assert ops <= {"parameter", "constant", "mul", "div", "pow"}


def test_a_cube_shares_the_square() -> None:
    x, cube = power(3)
    square = pow_(x, x.pool.constant(2))
    assert expanded(cube).inputs == (expanded(square), x)


def test_a_cube_has_its_derivatives_at_0() -> None:
    x, cube = power(3)
    slope = derivative(cube, x)
    for formula in (cube, slope, derivative(slope, x)):
        assert run(expanded(formula), "python", {"x": 0.0}) == 0


def test_powers_of_ints_are_ints() -> None:
    pool = Pool()
    i = pool.make("parameter", (), REAL.with_dtype("int"), name="i", index=1)
    for exponent in (0, 2, 3, 6):
        node = expanded(pow_(i, pool.constant(exponent, i.array)))
        got = run(node, "python", {"i": -3})
        assert node.array.dtype == "int"
        assert type(got) is int
        assert got == (-3) ** exponent


def test_a_sigmoid_and_its_derivatives_share_one_exponential() -> None:
    pool = Pool()
    x = pool.parameter("x", REAL)
    first = derivative(sigmoid(x), x)
    total = sigmoid(x) + first + derivative(first, x) + softplus(x) + softplus(-x)
    ops = [n.op for n in topological([expanded(total)])]
    assert ops.count("exp") == 1


def test_a_sigmoid_far_out() -> None:
    node = node_of(TABLE["sigmoid"])
    slope = expanded(derivative(node, node.inputs[0]))
    assert run(slope, "python", {"x": 40.0}) == pytest.approx(4.248354255291589e-18, rel=1e-15)
    for x in (-1000.0, 1000.0):
        plus = run(expanded(node_of(softplus)), "python", {"x": x})
        assert plus == max(x, 0.0)


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_an_odd_exponent_that_is_no_float_keeps_the_sign(target: str, tmp_path: Path) -> None:
    n = 2**53 + 1
    path = tmp_path / "f.mg"
    path.write_text(f"fn f(x) = x^{n}\nfn g(x) = x^-{n}\nfn h(x) = x^{n + 1}\n")
    module = mgrad.load(str(path), target=target)
    assert module.f_value_and_grad(-1.0) == (-1.0, (float(n),))
    assert module.f_value_and_grad(1.0) == (1.0, (float(n),))
    assert module.f_value_and_grad(0.0) == (0.0, (0.0,))
    assert module.g_value_and_grad(-1.0) == (-1.0, (-float(n),))
    assert module.g(float("-inf")) == 0.0
    assert module.h_value_and_grad(-1.0) == (1.0, (-float(n + 1),))
