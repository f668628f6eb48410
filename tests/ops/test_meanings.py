"""The four meanings of an op (SymPy, mpmath, Python's code, NumPy's code) are one."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import mpmath
import pytest
import sympy

from mgrad.compiler.ops import TABLE, Op
from tests.ops.accuracy import ulps
from tests.ops.evaluation import compiled, expanded, node_of, run

INF, NAN = math.inf, math.nan
EXTREMES = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e-300, -1e-300, 1e300, -1e300, 5e-324, 0.5, -2.5]
REAL_OPS = [op.name for op in TABLE.values() if op.signature in ("real", "join", "compare")]
# Where SymPy's value is complex or an infinity without a sign, the meaning is mpmath's.
TOLERANCE = {"lgamma": 1e4, "digamma": 1e4, "pow": 4.0}


def operands(op: Op, draw: random.Random) -> list[Any]:
    names = ["xs", "xs", "xs"] if op.parameters == ("*xs",) else op.parameters
    values: list[Any] = []
    for i, name in enumerate(names):
        low, high = op.samples[name]
        whole = name == "n" or (op.operands and op.operands[i] == "int")
        values.append(draw.randint(int(low), int(high)) if whole else draw.uniform(low, high))
    return values


def by_code(op: Op, target: str, values: list[Any]) -> Any:
    node = node_of(op, count=len(values))
    names = [str(p.attribute("name")) for p in node.inputs]
    code = node if op.name == "integer_power" else expanded(node)
    return run(code, target, dict(zip(names, values, strict=True)))


def by_mpmath(op: Op, values: list[Any]) -> Any:
    assert op.mpmath is not None
    with mpmath.workdps(60):
        return op.mpmath(mpmath, *(mpmath.mpf(v) if type(v) is float else v for v in values))


def check(op: Op, target: str, values: list[Any]) -> None:
    true = by_mpmath(op, values)
    got = by_code(op, target, values)
    if isinstance(true, bool):
        assert bool(got) is true, f"{op.name}{values}"
    else:
        with mpmath.workdps(60):
            error = ulps(float(got), mpmath.mpf(true))
        assert error <= TOLERANCE.get(op.name, 8.0), f"{op.name}{values} = {got}, not {true}"


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("name", REAL_OPS)
def test_code_is_right_at_samples(name: str, target: str) -> None:
    draw = random.Random(name)
    for _ in range(20):
        check(TABLE[name], target, operands(TABLE[name], draw))


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("name", [n for n in REAL_OPS if n not in ("integer_power", "to_real")])
def test_code_is_right_at_extremes(name: str, target: str) -> None:
    op = TABLE[name]
    count = 2 if op.parameters == ("*xs",) else len(op.parameters)
    choices: list[list[Any]] = [EXTREMES] * count
    if name == "polygamma":
        choices = [[0, 1, 2], EXTREMES]
    if name == "clip":
        choices = [EXTREMES, [-1.0, NAN, 0.0], [1.0, -INF]]
    for values in itertools.product(*choices):
        if not is_beyond_the_meaning(name, values):
            check(op, target, list(values))


def is_beyond_the_meaning(name: str, values: tuple[Any, ...]) -> bool:
    """Where arithmetic decides otherwise than the meaning, which does not look at the sign of a
    zero; and SciPy's own lgamma, roots of subnormal numbers, 1^inf."""
    last = values[-1]
    if name in ("div", "pow", "atan2", "digamma", "polygamma") and any(
        v == 0 and math.copysign(1, v) < 0 for v in values
    ):
        return True
    if name == "lgamma" and (abs(last) == 5e-324 or last == -INF):
        return True  # inf and -inf in SciPy
    if name == "direction" and max(map(abs, values)) == 5e-324:
        return True  # hypot(5e-324, 5e-324) is 5e-324
    return name == "pow" and abs(values[0]) == 1 and math.isinf(last)


@pytest.mark.parametrize("name", [op.name for op in TABLE.values()])
def test_sympy_means_the_same(name: str) -> None:
    op = TABLE[name]
    draw = random.Random(name)
    for _ in range(5):
        if op.signature == "logic":
            values: list[Any] = [draw.random() < 0.5 for _ in op.parameters]
        elif name == "where":
            values = [draw.random() < 0.5, draw.uniform(-3, 3), draw.uniform(-3, 3)]
        elif name in ("to_int", "to_real"):
            values = [draw.random() < 0.5]
        elif op.signature == "integer":
            values = [draw.randint(-9, 9), draw.randint(1, 9)]
        else:
            values = operands(op, draw)
        true = by_mpmath(op, values)
        exact = [
            sympy.sympify(v) if not isinstance(v, float) else sympy.Rational(v) for v in values
        ]
        got = op.sympy(sympy, *exact)
        if isinstance(true, bool):
            assert bool(got) is true
        else:
            with mpmath.workdps(60):
                assert abs(mpmath.mpf(str(sympy.N(got, 50))) - true) < 1e-40, (name, values)


def test_rounding_is_half_to_even() -> None:
    for x, true in [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (2.4, 2), (-2.6, -3)]:
        assert by_code(TABLE["round"], "python", [x]) == true
        assert by_code(TABLE["round"], "numpy", [x]) == true
        assert by_mpmath(TABLE["round"], [x]) == true
        assert TABLE["round"].sympy(sympy, sympy.Rational(x)) == true


@pytest.mark.parametrize("name", [n for n in REAL_OPS if TABLE[n].python and n != "to_real"])
def test_the_table_knows_what_raises_in_python(name: str) -> None:
    values = [0.0, 1.0, -2.0, 1.5, 710.0, INF, NAN, 1e308, -1e308]
    choices: list[list[Any]] = [values] * len(TABLE[name].parameters)
    for i, parameter in enumerate(TABLE[name].parameters):
        if parameter == "n":
            choices[i] = [0, 1, 7]
    assert any(raises(name, point) for point in itertools.product(*choices)) is TABLE[name].raises


def raises(name: str, point: tuple[Any, ...]) -> bool:
    try:
        compiled(name, "python")(*point)
    except (ArithmeticError, ValueError):
        return True
    return False
