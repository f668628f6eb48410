"""Every partial of the table against derivatives that mpmath takes of the value's meaning."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import mpmath
import pytest

from mgrad.compiler.ops import TABLE, Op
from tests.ops.evaluation import derivative, node_of, run

# Of `integer_power` the exponent is always a constant: see test_powers.
DIFFERENTIABLE = [
    op.name for op in TABLE.values() if op.partials and op.name not in ("to_real", "integer_power")
]
STEP = mpmath.mpf(10) ** -30


def sample(op: Op, names: list[str], draw: random.Random) -> dict[str, Any]:
    """A point where the op is smooth."""
    point: dict[str, Any] = {}
    for name in names:
        if name == "condition":
            point[name] = draw.random() < 0.5
        elif name == "n":
            point[name] = draw.randint(*map(int, op.samples[name]))
        else:
            low, high = op.samples.get(name, next(iter(op.samples.values())))
            point[name] = mpmath.mpf(draw.uniform(low, high))
    return point


def value(node: Any, point: dict[str, Any], name: str, shift: Any) -> Any:
    return run(node, "mpmath", {**point, name: point[name] + shift})


def wrong_partials(op: Op, turns: int = 8) -> list[str]:
    """The first and second partials that differ from central differences, to 12 digits."""
    node = node_of(op, count=3)
    parameters = [p for p in node.inputs if p.array.dtype == "real"]
    names = [str(p.attribute("name")) for p in node.inputs]
    draw = random.Random(op.name)
    found = []
    with mpmath.workdps(100):
        for _ in range(turns):
            point = sample(op, names, draw)
            for x in parameters:
                first = derivative(node, x)
                for of, result in ((node, first), (first, derivative(first, x))):
                    name = str(x.attribute("name"))
                    slope = value(of, point, name, STEP) - value(of, point, name, -STEP)
                    slope /= 2 * STEP
                    got = run(result, "mpmath", point)
                    if not abs(got - slope) <= mpmath.mpf(10) ** -12 * max(1, abs(slope)):
                        found.append(f"{op.name} by {name} at {point}: {got}, not {slope}")
    return found


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_partials_are_derivatives(name: str) -> None:
    assert wrong_partials(TABLE[name]) == []


@pytest.mark.parametrize("name", ["tanh", "div", "lgamma", "where", "max"])
def test_a_partial_wrong_by_a_thousandth_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = TABLE[name]
    assert right.partials is not None

    def off(out: Any, *operands: Any) -> list[Any]:
        assert right.partials is not None
        partials = right.partials(out, *operands)
        return [p if p is None else p * out.pool.constant(1.001) for p in partials]

    monkeypatch.setitem(TABLE, name, replace(right, partials=off))
    assert wrong_partials(TABLE[name])
