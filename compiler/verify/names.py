"""What the names of an emitted text mean: Python's operators, `math`, NumPy, the runtime."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import sympy as sp

from mgrad.compiler.verify.table import TABLE
from mgrad.compiler.verify.terms import placeholder

X, Y = placeholder(0), placeholder(1)
ADD, SUB, MUL, DIV, POW, NEG = X + Y, X - Y, X * Y, X / Y, X**Y, -X
FLOORDIV, MOD = sp.floor(X / Y), X - Y * sp.floor(X / Y)
ABS = sp.Piecewise((X, X >= 0), (-X, True))

Meaning = Callable[..., Any]


def op(name: str) -> Meaning:
    """What an op of the table means."""
    return lambda *operands: TABLE[name].sympy(sp, *operands)


def _extreme(name: str) -> Meaning:
    return lambda *xs: reduce(lambda a, b: TABLE[name].sympy(sp, a, b), xs)


CONSTANTS: Mapping[str, Any] = {
    "pi": sp.pi,
    "e": sp.E,
    "tau": 2 * sp.pi,
    "inf": float("inf"),
    "nan": float("nan"),
}

ROOTS = (
    sp.Integer(1),
    *(sp.pi ** sp.Rational(k, 2) for k in (2, -2, 1, -1, 3, -3, 4, -4)),
    *(sp.sqrt(2) * sp.pi ** sp.Rational(k, 2) for k in (0, 1, -1)),
    *(f(b) for b in (2, 10) for f in (sp.log, lambda n: 1 / sp.log(n))),
    sp.log(2 * sp.pi),
    sp.E,
    sp.EulerGamma,
)
LARGEST_RATIO = 4096


@cache
def exact(value: float) -> Any:
    """The simple ratio, or multiple of a number like pi, that a literal of 16 digits is nearest to,
    if any: what a constant computed beforehand stands for."""
    for root, size in _roots():
        ratio = Fraction(value / size).limit_denominator(LARGEST_RATIO)
        near = abs(float(ratio) * size - value) <= 3e-16 * abs(value)
        if ratio and abs(ratio.numerator) <= LARGEST_RATIO and near:
            found = sp.Rational(ratio.numerator, ratio.denominator) * root
            return ratio if found.is_Rational else found
    return None


@cache
def _roots() -> tuple[tuple[Any, float], ...]:
    return tuple((root, float(root)) for root in ROOTS)


_SHARED: dict[str, Meaning] = {
    "exp": sp.exp,
    "expm1": lambda x: sp.exp(x) - 1,
    "exp2": lambda x: 2**x,
    "log": lambda x, base=None: sp.log(x) if base is None else sp.log(x) / sp.log(base),
    "log1p": lambda x: sp.log(1 + x),
    "log2": lambda x: sp.log(x) / sp.log(2),
    "log10": lambda x: sp.log(x) / sp.log(10),
    "sqrt": sp.sqrt,
    "cbrt": op("cbrt"),
    "sin": sp.sin,
    "cos": sp.cos,
    "tan": sp.tan,
    "sinh": sp.sinh,
    "cosh": sp.cosh,
    "tanh": sp.tanh,
    "hypot": lambda *xs: sp.sqrt(sum(x**2 for x in xs)),
    "floor": op("floor"),
    "ceil": op("ceil"),
    "copysign": lambda x, y: sp.Piecewise(
        (ABS.xreplace({X: x}), y >= 0), (-ABS.xreplace({X: x}), True)
    ),
}

MATH: Mapping[str, Meaning] = {
    **_SHARED,
    "asin": sp.asin,
    "acos": sp.acos,
    "atan": sp.atan,
    "asinh": sp.asinh,
    "acosh": sp.acosh,
    "atanh": sp.atanh,
    "atan2": op("atan2"),
    "fabs": op("abs"),
    "pow": lambda x, y: x**y,
    "erf": op("erf"),
    "erfc": op("erfc"),
    "lgamma": op("lgamma"),
    "gamma": sp.gamma,
    "trunc": lambda x: sp.Piecewise((op("floor")(x), x >= 0), (op("ceil")(x), True)),
}

NUMPY: Mapping[str, Meaning] = {
    **_SHARED,
    "arcsin": sp.asin,
    "arccos": sp.acos,
    "arctan": sp.atan,
    "arcsinh": sp.asinh,
    "arccosh": sp.acosh,
    "arctanh": sp.atanh,
    "arctan2": op("atan2"),
    "abs": op("abs"),
    "absolute": op("abs"),
    "fabs": op("abs"),
    "sign": op("sign"),
    "round": lambda x, digits=0: op("round")(x),
    "rint": op("round"),
    "clip": op("clip"),
    "maximum": _extreme("maximum"),
    "minimum": _extreme("minimum"),
    "fmax": _extreme("maximum"),
    "fmin": _extreme("minimum"),
    "power": lambda x, y: x**y,
    "float_power": lambda x, y: x**y,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: sp.floor(x / y),
    "remainder": sp.Mod,
    "negative": lambda x: -x,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "equal": lambda x, y: sp.Eq(x, y),
    "not_equal": lambda x, y: sp.Ne(x, y),
}

BUILTINS: Mapping[str, Meaning] = {
    "abs": op("abs"),
    "max": _extreme("maximum"),
    "min": _extreme("minimum"),
    "pow": lambda x, y: x**y,
    "round": lambda x, digits=0: op("round")(x),
}


@cache
def expression(meaning: Meaning, arity: int) -> Any:
    """The expression of a function of so many placeholders."""
    return sp.sympify(meaning(*(placeholder(i) for i in range(arity))))


@cache
def _runtime_paths() -> dict[str, str]:
    """Path of a runtime function -> the op that is spelled by it."""
    found: dict[str, str] = {}
    for name, entry in TABLE.items():
        for code in (entry.python, entry.numpy):
            if code is not None and code.text.startswith("{mgrad.runtime."):
                path = code.text[1 : code.text.index("}")]
                found.setdefault(path, name)
    return found


@cache
def runtime(module: str, attribute: str) -> Meaning | None:
    """The meaning of a function of the runtime; None for what only looks after arguments."""
    name = _runtime_paths().get(f"{module}.{attribute}")
    return None if name is None else op(name)


def plain_builtins() -> dict[str, Any]:
    """Python's own names that are harmless to run as they are."""
    allowed = (
        "range len slice tuple list dict zip enumerate reversed sorted isinstance type str repr "
        "bool "
        "ArithmeticError ValueError TypeError OverflowError ZeroDivisionError Exception "
        "all any map callable hasattr getattr property staticmethod object complex"
    )
    return {name: getattr(builtins, name) for name in allowed.split()}
