"""The reference interpreter: what a graph means, on NumPy arrays, node by node.

The meaning of an elementwise op comes from a `Meaning`: NUMPY is IEEE 754 double precision, and
`multiprecision(mp)` the op table's mpmath meaning over object arrays, to any number of digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.graph import Graph, Region
from mgrad.compiler.ir.meanings import MEANINGS, elementwise_call, joined, shape_of
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import INT, Bundle, Type
from mgrad.compiler.ops.op import TABLE

Meaning = Callable[[str], Callable[..., Any]]
Values = dict[Node, Any]


def evaluate(
    graph: Graph,
    arguments: Sequence[Any],
    module: Module | None = None,
    sizes: Mapping[str, int] | None = None,
    meaning: Meaning | None = None,
) -> tuple[Any, ...]:
    """The results of a graph; `sizes` gives dimensions that no argument binds."""
    interpreter = _Interpreter(module, meaning or NUMPY)
    with np.errstate(all="ignore"):
        return interpreter.graph(graph, arguments, dict(sizes or {}))


class _Interpreter:
    def __init__(self, module: Module | None, meaning: Meaning) -> None:
        self.module = module
        self.meaning = meaning

    def graph(
        self, graph: Graph, arguments: Sequence[Any], sizes: dict[str, int]
    ) -> tuple[Any, ...]:
        values: Values = {}
        values.update(zip(graph.parameters, arguments, strict=True))
        _bind(graph, arguments, sizes)
        for node in graph.nodes():
            if node not in values:
                values[node] = self.node(node, [values[i] for i in node.inputs], sizes)
        return tuple(values[r] for r in graph.results)

    def node(self, node: Node, xs: list[Any], sizes: dict[str, int]) -> Any:
        match node.op:
            case "constant":
                return self.constant(node, sizes)
            case "mark":
                return xs[0]
            case "item":
                return xs[0][node.attribute("index")]
            case "call":
                return self.call(str(node.attribute("callee")), xs)
            case "loop":
                return self.loop(node, xs, sizes)
        structural = MEANINGS.get(node.op)
        if structural is not None:
            return structural(node, xs, sizes)
        if node.op not in TABLE:
            raise InternalError("evaluate", f"no meaning of {node.op}")
        return self.meaning(node.op)(*xs)

    def constant(self, node: Node, sizes: dict[str, int]) -> Any:
        value: Any = node.value
        if node.array.dtype == "bool":
            value = bool(value)
        elif node.array.dtype == "int":
            value = int(value)
        else:
            value = self.meaning("constant")(value)
        shape = shape_of(node, sizes)
        return np.full(shape, value) if shape else value

    def call(self, callee: str, xs: list[Any]) -> tuple[Any, ...]:
        assert self.module is not None, f"a call of {callee} without a module"
        if callee in self.module.graphs:
            graph = self.module.graphs[callee]
            if all(isinstance(p.type, Type) and not p.type.shape for p in graph.parameters) and any(
                np.ndim(x) for x in xs
            ):
                return elementwise_call(lambda row: self.graph(graph, row, {}), xs)
            return self.graph(graph, xs, {})
        extern = self.module.signatures[callee].extern
        assert extern is not None, f"no graph of {callee}"
        import importlib

        function = getattr(importlib.import_module(extern[0]), extern[1])
        if np.ndim(xs[0]):
            return elementwise_call(lambda row: (function(*row),), xs)
        return (function(*xs),)

    def loop(self, node: Node, xs: list[Any], sizes: dict[str, int]) -> tuple[Any, ...]:
        region = node.attribute("region")
        assert isinstance(region, Region) and isinstance(node.type, Bundle)
        turns, first = int(xs[0]), 1 + region.captured
        captured, carried = xs[1:first], xs[first : first + region.carried]
        stacked = xs[first + region.carried :]
        emitted = [[None] * turns for _ in node.type.items[region.carried :]]
        for i in reversed(range(turns)) if region.reverse else range(turns):
            slices = [s[i] for s in stacked]
            out = self.graph(region.body, [i, *captured, *carried, *slices], dict(sizes))
            carried = list(out[: region.carried])
            for places, value in zip(emitted, out[region.carried :], strict=True):
                places[i] = value
        return (*carried, *(np.array(places) for places in emitted))


def _bind(graph: Graph, arguments: Sequence[Any], sizes: dict[str, int]) -> None:
    """Take the sizes of names that stand alone in a parameter's shape from its argument."""
    pairs = [
        (p, a) for p, a in zip(graph.parameters, arguments, strict=True) if isinstance(p.type, Type)
    ]
    for parameter, argument in pairs:
        if parameter.type == INT:
            sizes.setdefault(str(parameter.attribute("name")), int(argument))
        for dim, size in zip(parameter.array.shape, np.shape(argument), strict=True):
            text = str(dim)
            if text in dim.names:
                sizes.setdefault(text, size)
    for parameter, argument in pairs:
        for dim, size in zip(parameter.array.shape, np.shape(argument), strict=True):
            if dim.evaluate(sizes) != size:
                raise ValueError(f"{parameter.attribute('name')}: {dim} is not {size}")


def NUMPY(op: str) -> Callable[..., Any]:
    """The meaning of an op in double precision."""
    if op == "constant":
        return float
    found = _DOUBLE.get(op)
    if found is not None:
        return found
    name = _SCIPY.get(op)
    if name is not None:
        import scipy.special

        return getattr(scipy.special, name)  # type: ignore[no-any-return]
    if hasattr(np, op):
        return getattr(np, op)  # type: ignore[no-any-return]
    return _rounded(op)


def _rounded(op: str) -> Callable[..., Any]:
    """The table's meaning in 30 digits, rounded to double precision."""
    import mpmath

    mp = mpmath.mp.clone()
    mp.dps = 30
    exact = multiprecision(mp)(op)

    def value(*xs: Any) -> float:
        return float(exact(*(mp.mpf(float(x)) for x in xs)))

    def elementwise(*xs: Any) -> Any:
        if any(np.ndim(x) for x in xs):
            return np.asarray(np.frompyfunc(value, len(xs), 1)(*xs), dtype=float)
        return value(*xs)

    return elementwise


def multiprecision(mp: Any) -> Meaning:
    """The table's own meaning, in an mpmath context."""

    def meaning(op: str) -> Callable[..., Any]:
        if op == "constant":
            return lambda v: (
                mp.mpf(v) if isinstance(v, float) else mp.mpf(v.numerator) / v.denominator
            )
        entry = TABLE[op]

        def value(*xs: Any) -> Any:
            if entry.mpmath is not None:
                return entry.mpmath(mp, *xs)
            return entry.sympy(_Context(mp), *xs)

        def elementwise(*xs: Any) -> Any:
            if any(np.ndim(x) for x in xs):
                return np.frompyfunc(value, len(xs), 1)(*xs)
            return value(*xs)

        return elementwise

    return meaning


class _Context:
    """mpmath under the names of SymPy, for meanings that read the same in both."""

    def __init__(self, mp: Any) -> None:
        self.mp = mp

    def __getattr__(self, name: str) -> Any:
        if name in ("Rational",):
            return lambda p, q=1: self.mp.mpf(p) / q
        return getattr(self.mp, name)


def _positive_exp(x: Any) -> Any:
    return np.exp(-np.abs(x))


def _sigmoid(x: Any) -> Any:
    e = _positive_exp(x)
    return np.asarray(np.where(np.asarray(x) >= 0, 1 / (1 + e), e / (1 + e)))[()]


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0.0) + np.log1p(_positive_exp(x))


_DOUBLE: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: np.divide(x, y),
    "floordiv": lambda x, y: x // y,
    "mod": lambda x, y: x % y,
    "neg": lambda x: -x,
    "pow": lambda x, y: np.float_power(x, y),
    "integer_power": lambda x, y: x**y,
    "and": lambda x, y: np.logical_and(x, y),
    "or": lambda x, y: np.logical_or(x, y),
    "not": lambda x: np.logical_not(x),
    "lt": lambda x, y: np.less(x, y),
    "le": lambda x, y: np.less_equal(x, y),
    "gt": lambda x, y: np.greater(x, y),
    "ge": lambda x, y: np.greater_equal(x, y),
    "eq": lambda x, y: np.equal(x, y),
    "ne": lambda x, y: np.not_equal(x, y),
    "where": lambda c, x, y: np.asarray(np.where(c, x, y))[()],
    "to_real": lambda x: np.asarray(x, dtype=float)[()],
    "to_int": lambda x: np.asarray(x, dtype=int)[()],
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "atan2": np.arctan2,
    "round": np.rint,
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "max": joined(np.maximum),
    "min": joined(np.minimum),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "root": np.sqrt,
    "square": lambda x: x * x,
}
_SCIPY = {
    "erf": "erf",
    "erfc": "erfc",
    "lgamma": "gammaln",
    "digamma": "digamma",
    "polygamma": "polygamma",
}
