"""How accurate each built-in is: its value, first and second derivatives in float64, against
mpmath, over the whole domain. `python -m tests.ops.accuracy > docs/accuracy.json` writes the
numbers that the op page shows.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mpmath

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops import TABLE, Op
from tests.ops.evaluation import derivative, expanded, node_of, run

ORDERS = ("value", "first", "second")
# So many digits show 1 - tanh(x)^2 and the like wherever a float can; those functions that are slow
# at high precision have derivatives in closed form, which do not cancel.
DIGITS = 400
FEWER_DIGITS = dict.fromkeys(("lgamma", "digamma", "polygamma"), 60)
LEAST_NORMAL = math.ldexp(1.0, -1022)


@dataclass(frozen=True)
class Error:
    """The largest error of one function: in units in the last place, and where."""

    order: str
    ulps: float
    where: tuple[float, ...]


def unit(true: Any) -> Any:
    """The unit in the last place of a float next to a number."""
    return mpmath.ldexp(1, int(mpmath.floor(mpmath.log(abs(true), 2))) - 52)


def ulps(value: float, true: Any) -> float:
    """The error of a float. What is below the least normal number counts as right if it is."""
    if mpmath.isnan(true):
        return 0.0 if math.isnan(value) else math.inf
    if abs(true) >= mpmath.ldexp(1, 1024) - mpmath.ldexp(1, 970):
        return 0.0 if abs(value) > 1.7e308 and (value > 0) == (true > 0) else math.inf
    if not math.isfinite(value):
        return math.inf
    if abs(true) < LEAST_NORMAL:
        return 0.0 if abs(value) < 2 * LEAST_NORMAL else math.inf
    return float(abs(mpmath.mpf(value) - true) / unit(true))


def points(op: Op, count: int, seed: int = 1) -> Iterator[tuple[float, ...]]:
    """Where an op is measured: over all magnitudes and both signs, where it is usually used, and
    at special values; inside its domain."""
    draw = random.Random(f"{op.name} {seed}")
    special = [0.0, 1.0, -1.0, 0.5, 2.0, -0.5, 20.0, -20.0, 40.0, 1e-300, -1e-300, 1e300, 5e-324]
    names = [p.lstrip("*") for p in op.parameters]
    if op.parameters[0].startswith("*"):
        names *= 2
    for turn in range(count):
        point: list[float] = []
        for i, name in enumerate(names):
            if name == "n" and op.operands:
                point.append(draw.randrange(4))
                continue
            low, high = op.samples[name]
            if len(names) == 1 and turn < len(special):
                x = special[turn]
            elif (kind := (turn + i) % 4) == 0:
                x = draw.choice((-1.0, 1.0)) * 10 ** draw.uniform(-307, 308)
            elif kind == 1:
                x = draw.choice((-1.0, 1.0)) * 10 ** draw.uniform(-9, 3)
            else:
                x = draw.uniform(low, high)
            point.append(x)
        if all(inside(op, name, x) for name, x in zip(names, point, strict=True)):
            yield tuple(point)


def inside(op: Op, name: str, x: float) -> bool:
    if op.name in FEWER_DIGITS and name == "x":
        return x > -50  # mpmath's own reach, in reasonable time
    domain = op.domain.get(name)
    if domain is None:
        return True
    return domain.low < x < domain.high


def functions(op: Op) -> tuple[list[Node], dict[str, list[Node]]]:
    """The parameters, and the nodes of the value, the first and the second derivatives."""
    out = node_of(op)
    by = [i for i in out.inputs if i.array.dtype == "real"]
    first = [derivative(out, x) for x in by]
    second = [derivative(first[i], y) for i in range(len(by)) for y in by[i:]]
    return list(out.inputs), dict(zip(ORDERS, ([out], first, second), strict=True))


def measure(op: Op, target: str, count: int = 400, seed: int = 1) -> list[Error]:
    """The largest errors of the value, the first and the second derivatives."""
    parameters, nodes = functions(op)
    names = [str(p.attribute("name")) for p in parameters]
    where = [dict(zip(names, p, strict=True)) for p in points(op, count, seed)]
    where = [p for p in where if not at_kink(op, list(p.values()))]
    errors = []
    for order, group in nodes.items():
        worst = Error(order, 0.0, ())
        for node in group:
            code = expanded(node)
            for point in where:
                with mpmath.workdps(FEWER_DIGITS.get(op.name, DIGITS)):
                    exact = {n: mpmath.mpf(x) if type(x) is float else x for n, x in point.items()}
                    error = ulps(float(run(code, target, point)), run(node, "mpmath", exact))
                if error > worst.ulps:
                    worst = Error(order, error, tuple(point.values()))
        errors.append(worst)
    return errors


def at_kink(op: Op, point: list[Any]) -> bool:
    """Whether the derivative at a point is stated, not computed."""
    return (op.name in KINKED_AT_ZERO or len(point) > 1) and 0 in point


KINKED_AT_ZERO = frozenset(("abs", "sign", "relu", "cbrt", "sqrt", "floor", "ceil", "round"))


def measured_ops() -> list[Op]:
    """The ops that have a derivative, and values that are not copies of their operands."""
    internal = ("integer_power", "maximum", "minimum", "direction", "one_minus_square")
    unmeasured = ("to_real", "where", *internal)
    return [op for op in TABLE.values() if op.partials is not None and op.name not in unmeasured]


def main() -> None:
    """Writes {op: {target: {order: [ulps, point]}}}; ulps null where no digit is right."""
    names = sys.argv[1:]
    table: dict[str, Any] = {}
    for op in measured_ops():
        if names and op.name not in names:
            continue
        table[op.name] = {
            target: {
                e.order: [round_up(e.ulps) if math.isfinite(e.ulps) else None, list(e.where)]
                for e in measure(op, target)
            }
            for target in ("python", "numpy")
        }
        print(op.name, table[op.name], file=sys.stderr)
    json.dump(table, sys.stdout, indent=1)
    print()


def round_up(number: float) -> float:
    """To two digits, upwards, with a margin for the differences between C libraries."""
    number = max(1.0, number * 1.5)
    step = 10.0 ** (math.floor(math.log10(number)) - 1)
    return float(f"{math.ceil(number / step) * step:.6g}")


if __name__ == "__main__":
    main()
