"""Evaluates nodes of elementwise ops by each of the meanings that the table gives them."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np

from mgrad.compiler.autodiff.scale import scale
from mgrad.compiler.ir.graph import topological
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import BOOL, INT, REAL
from mgrad.compiler.ops import TABLE, Op
from mgrad.compiler.ops.special import TWO_OVER_ROOT_PI

# What the floats among the constants of partials stand for.
EXACT: Mapping[Fraction, Callable[[], Any]] = {
    Fraction(TWO_OVER_ROOT_PI): lambda: 2 / mpmath.sqrt(mpmath.pi),
    Fraction(-TWO_OVER_ROOT_PI): lambda: -2 / mpmath.sqrt(mpmath.pi),
    Fraction(1 / math.log(2)): lambda: 1 / mpmath.ln2,
    Fraction(1 / math.log(10)): lambda: 1 / mpmath.ln10,
}


def node_of(op: Op, count: int = 2) -> Node:
    """The op applied to parameters; a variadic one to `count` of them."""
    pool = Pool()
    names = op.parameters
    if names[0].startswith("*"):
        names = tuple(f"x{i}" for i in range(count))
    types = [REAL] * len(names)
    if op.signature == "logic":
        types = [BOOL] * len(names)
    elif op.signature == "integer":
        types = [INT] * len(names)
    elif op.signature == "where":
        types[0] = BOOL
    for i, dtype in enumerate(op.operands):
        types[i] = {"int": INT, "real": REAL, "bool": BOOL}[dtype]
    return op(*(pool.parameter(n, t) for n, t in zip(names, types, strict=True)))


def derivative(node: Node, by: Node) -> Node:
    """The derivative of a scalar node, in forward mode: enough to try the entries of the table."""
    tangents: dict[Node, Node] = {by: by.pool.constant(1)}
    for user in topological([node]):
        if user in tangents or not any(i in tangents for i in user.inputs):
            continue
        rule = TABLE[user.op].partials
        if rule is None:
            continue
        terms = [
            term
            for operand, partial in zip(user.inputs, rule(user, *user.inputs), strict=True)
            if operand in tangents and (term := scale(tangents[operand], partial)) is not None
        ]
        if terms:
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            tangents[user] = total
    return tangents.get(node, node.pool.constant(0))


def expanded(node: Node) -> Node:
    """With every op replaced by those that it is computed by."""
    new: dict[Node, Node] = {}
    for old in topological([node]):
        inputs = tuple(new[i] for i in old.inputs)
        op = TABLE.get(old.op)
        if op is not None and op.expand is not None:
            new[old] = op.expand(*inputs)
        elif old.inputs:
            new[old] = old.pool.make(old.op, inputs, old.type, **dict(old.attributes))
        else:
            new[old] = old
    return new[node]


@cache
def compiled(op: str, target: str) -> Callable[..., Any]:
    """The code of an op as a Python function."""
    entry = TABLE[op]
    code = getattr(entry, target)
    assert code is not None, f"{op} has no code for {target}"
    scope: dict[str, Any] = {}

    def name(match: re.Match[str]) -> str:
        path = match.group(1)
        if "." not in path:
            return f"({path})"
        module, attribute = path.rsplit(".", 1)
        module = "numpy" if module == "np" else module
        scope[attribute] = getattr(importlib.import_module(module), attribute)
        return attribute

    text = re.sub(r"\{([\w.]+)\}", name, code.text)
    function: Callable[..., Any] = eval(f"lambda {', '.join(entry.parameters)}: {text}", scope)
    return function


def run(node: Node, target: str, point: Mapping[str, Any]) -> Any:
    """The value at a point by the code of a target ("python", "numpy"), or by "mpmath".

    Where Python raises, NumPy's result is taken, which is that of IEEE 754.
    """
    values: dict[Node, Any] = {}
    for current in topological([node]):
        if current.op == "parameter":
            values[current] = point[str(current.attribute("name"))]
        elif current.op == "constant":
            values[current] = constant(current, target)
        else:
            operands = [values[i] for i in current.inputs]
            values[current] = apply(current.op, target, operands)
    return values[node]


def constant(node: Node, target: str) -> Any:
    value = node.value
    if node.array.dtype == "int":
        return int(value)
    if target != "mpmath" or isinstance(value, bool):
        return value if isinstance(value, bool) else float(value)
    if value in EXACT:
        return EXACT[Fraction(value)]()
    if isinstance(value, float):
        return mpmath.mpf(value)
    return mpmath.mpf(value.numerator) / value.denominator


def apply(op: str, target: str, operands: Sequence[Any]) -> Any:
    if target == "mpmath":
        meaning = TABLE[op].mpmath
        assert meaning is not None, f"{op} has no meaning in mpmath"
        return meaning(mpmath, *operands)
    if target == "python":
        try:
            return compiled(op, "python")(*operands)
        except (ArithmeticError, ValueError):
            assert TABLE[op].raises, f"{op} raises at {operands}"
    with np.errstate(all="ignore"):
        lifted = [np.float64(x) if isinstance(x, float) else x for x in operands]
        result = compiled(op, "numpy")(*lifted)
    return float(result) if target == "python" and isinstance(result, np.floating) else result
