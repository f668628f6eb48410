"""At a kink the partials have the values that the language states (LANGUAGE 8 and 11)."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sympy

from mgrad.compiler.ir.node import Pool
from mgrad.compiler.ir.types import REAL
from mgrad.compiler.ops import TABLE
from tests.ops.evaluation import derivative, expanded, node_of, run

INF = math.inf
CROSSED = (0.0, 2.0, 1.0)  # bounds of `clip` in the wrong order: no kink
STATED: list[tuple[str, tuple[float, ...], tuple[float, ...]]] = [
    ("relu", (0.0,), (0,)),
    ("abs", (0.0,), (0,)),
    ("sign", (0.0,), (0,)),
    ("floor", (2.0,), (0,)),
    ("ceil", (2.0,), (0,)),
    ("round", (2.5,), (0,)),
    ("sqrt", (0.0,), (INF,)),
    ("cbrt", (0.0,), (INF,)),
    ("max", (1.0, 1.0), (0.5, 0.5)),
    ("min", (1.0, 1.0), (0.5, 0.5)),
    ("max", (1.0, 1.0, 0.0), (0.5, 0.5, 0)),
    ("min", (1.0, 1.0, 1.0), (1 / 3, 1 / 3, 1 / 3)),
    ("maximum", (1.0, 1.0), (0.5, 0.5)),
    ("minimum", (1.0, 1.0), (0.5, 0.5)),
    ("clip", (-1.0, -1.0, 1.0), (0.5, 0.5, 0)),
    ("clip", (1.0, -1.0, 1.0), (0.5, 0, 0.5)),
    ("clip", (0.0, 0.0, 0.0), (1 / 3, 1 / 3, 1 / 3)),
    ("clip", CROSSED, (0, 0, 1)),
    ("atan2", (0.0, 0.0), (0, 0)),
    ("atan2", (0.0, -2.0), (-0.5, 0)),
    ("hypot", (0.0, 0.0), (0, 0)),
    ("direction", (0.0, 0.0), (0, 0)),
    ("pow", (0.0, 0.5), (INF, 0)),
    ("pow", (0.0, 1.0), (1, 0)),
    ("pow", (0.0, 2.0), (0, 0)),
    ("asin", (1.0,), (INF,)),
    ("acos", (1.0,), (-INF,)),
    ("acosh", (1.0,), (INF,)),
]


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize(("name", "point", "stated"), STATED)
def test_stated(
    name: str, point: tuple[float, ...], stated: tuple[float, ...], target: str
) -> None:
    node = node_of(TABLE[name], count=len(point))
    where = {str(p.attribute("name")): v for p, v in zip(node.inputs, point, strict=True)}
    got = [run(expanded(derivative(node, p)), target, where) for p in node.inputs]
    assert [float(g) for g in got] == pytest.approx(stated)


@pytest.mark.parametrize(("name", "point", "stated"), [s for s in STATED if s[1] != CROSSED])
def test_the_table_says_so(name: str, point: tuple[float, ...], stated: tuple[float, ...]) -> None:
    exact = [sympy.Rational(v) for v in point]
    kinks = [k for k in TABLE[name].kinks if bool(k.condition(sympy, *exact))]
    assert kinks, f"{name}{point} is no kink"
    for value, true in zip(kinks[0].partials, stated, strict=False):
        if value is not None:
            said: Any = value(sympy, *exact) if callable(value) else value
            assert float(said) == pytest.approx(true)


def test_every_kink_condition_and_text_can_be_read() -> None:
    for op in TABLE.values():
        names = ["x", "y", "z"] if op.parameters == ("*xs",) else op.parameters
        symbols = [sympy.Symbol(n, real=True) for n in names]
        for kink in op.kinks:
            assert isinstance(kink.condition(sympy, *symbols), sympy.logic.boolalg.Boolean)
            assert kink.text


def test_clip_between_constants() -> None:
    pool = Pool()
    x = pool.parameter("x", REAL)
    clipped = TABLE["clip"](x, pool.constant(-1), pool.constant(1))
    slope = derivative(clipped, x)
    for point, true in [(-2.0, 0), (-1.0, 0.5), (0.0, 1), (1.0, 0.5), (2.0, 0)]:
        assert run(slope, "python", {"x": point}) == true
        assert run(slope, "numpy", {"x": point}) == true
