"""SymPy expressions as functions of mpmath numbers, with IEEE 754's answers at the edges.

Real throughout: a complex result is nan. The precision is that of the mpmath context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import mpmath
import sympy as sp

mp = mpmath.mp
NAN = mpmath.nan
INF = mpmath.inf
LARGEST_EXPONENT = 10**9  # beyond it exp is inf or 0: a number of a billion bits helps nobody


def real(value: Any) -> Any:
    """A real number, nan for a complex one."""
    if isinstance(value, mpmath.mpc):
        return value.real if value.imag == 0 else NAN
    return value


def number(value: Any) -> Any:
    """An exact number, bool, infinite float or SymPy number at the working precision."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Fraction):
        return _ratio(value.numerator, value.denominator, mp.prec)
    if isinstance(value, int | float):
        return mp.mpf(value)
    return compile_expression(value, ())()


@lru_cache(maxsize=4096)
def _ratio(numerator: int, denominator: int, precision: int) -> Any:
    """A ratio at the working precision, which is part of the question."""
    return mp.mpf(numerator) / denominator


def div(x: Any, y: Any) -> Any:
    if y == 0:
        return NAN if x == 0 or x != x else (INF if x > 0 else -INF)
    return x / y


def power(x: Any, y: Any) -> Any:
    """x**y as IEEE's pow for reals; 0**0 is 1."""
    if y == 0:
        return mp.one
    if x == 0:
        return mp.zero if y > 0 else (INF if y < 0 else NAN)
    if x < 0 and y != mp.floor(y):
        return NAN
    is_far = abs(y) * (abs(mp.mag(x)) + 1) > LARGEST_EXPONENT  # then its logarithm is worth it
    if x > 0 and mp.isfinite(x) and is_far and abs(y * mp.log(x)) > LARGEST_EXPONENT:
        return INF if (y > 0) == (x > 1) else mp.zero
    return real(x**y)


def exp(x: Any) -> Any:
    if x > LARGEST_EXPONENT:
        return INF
    return mp.zero if x < -LARGEST_EXPONENT else mp.exp(x)


def _bounded(function: Callable[[Any], Any], above: Any, below: Any) -> Callable[[Any], Any]:
    def limited(x: Any) -> Any:
        if x > LARGEST_EXPONENT:
            return above
        return below if x < -LARGEST_EXPONENT else function(x)

    return limited


def _edge(function: Callable[..., Any]) -> Callable[..., Any]:
    """Poles give inf, what is undefined gives nan."""

    def guarded(*arguments: Any) -> Any:
        if any(a != a for a in arguments):
            return NAN
        try:
            return real(function(*arguments))
        except ZeroDivisionError:
            return INF
        except (ValueError, OverflowError, mpmath.libmp.NoConvergence):
            return NAN

    return guarded


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": exp,
    "sinh": _bounded(mp.sinh, INF, -INF),
    "cosh": _bounded(mp.cosh, INF, INF),
    "tanh": _bounded(mp.tanh, mp.one, -mp.one),
    "sech": _bounded(mp.sech, mp.zero, mp.zero),
    **{
        name: _edge(getattr(mp, source))
        for name, source in {
            "log": "log",
            "sin": "sin",
            "cos": "cos",
            "tan": "tan",
            "cot": "cot",
            "sec": "sec",
            "csc": "csc",
            "asin": "asin",
            "acos": "acos",
            "atan": "atan",
            "atan2": "atan2",
            "asinh": "asinh",
            "acosh": "acosh",
            "atanh": "atanh",
            "coth": "coth",
            "csch": "csch",
            "erf": "erf",
            "erfc": "erfc",
            "gamma": "gamma",
            "loggamma": "loggamma",
            "digamma": "digamma",
            "polygamma": "polygamma",
            "floor": "floor",
            "ceiling": "ceil",
            "besselj": "besselj",
            "bessely": "bessely",
            "LambertW": "lambertw",
            "zeta": "zeta",
            "beta": "beta",
        }.items()
    },
}


def compile_expression(expression: Any, symbols: Sequence[Any]) -> Callable[..., Any]:
    """The expression as a function of mpmath numbers, one a symbol, in that order."""
    space: dict[str, Any] = {"_div": div, "_pow": power, "_mp": mp, "_sqrt": _edge(mp.sqrt)}
    names = {symbol: f"a{i}" for i, symbol in enumerate(symbols)}
    text = _spell(expression, names, space)
    function: Callable[..., Any] = eval(f"lambda {', '.join(names.values())}: {text}", space)
    return function


def _spell(expression: Any, names: dict[Any, str], space: dict[str, Any]) -> str:
    """Python text of a template, which is small: it is what one op means."""

    def spell(part: Any) -> str:
        if part in names:
            return names[part]
        if part.is_Integer:
            return f"({int(part)})"
        if part is sp.nan or part is sp.zoo:
            return "_mp.nan"
        if part in (sp.oo, -sp.oo):
            return "_mp.inf" if part is sp.oo else "(-_mp.inf)"
        if part.is_Rational:
            return f"(_mp.mpf({part.p})/{part.q})"
        if part is sp.pi:
            return "(+_mp.pi)"
        if part is sp.E:
            return "(+_mp.e)"
        if part is sp.EulerGamma:
            return "(+_mp.euler)"
        if part.is_Add:
            return "(" + " + ".join(spell(a) for a in part.args) + ")"
        if part.is_Mul:
            top, bottom = part.as_numer_denom() if _has_quotient(part) else (part, sp.S.One)
            if bottom is not sp.S.One:
                return f"_div({spell(top)}, {spell(bottom)})"
            return "(" + "*".join(spell(a) for a in part.args) + ")"
        if part.is_Pow:
            base, exponent = part.args
            if exponent == sp.Rational(1, 2):
                return f"_sqrt({spell(base)})"
            if exponent == sp.Rational(-1, 2):
                return f"_div(1, _sqrt({spell(base)}))"
            if exponent == -1:
                return f"_div(1, {spell(base)})"
            return f"_pow(_mp.mpf({spell(base)}), _mp.mpf({spell(exponent)}))"
        name = part.func.__name__
        if name in FUNCTIONS:
            space[f"f_{name}"] = FUNCTIONS[name]
            return f"f_{name}({', '.join(f'_mp.mpf({spell(a)})' for a in part.args)})"
        raise NotImplementedError(f"no numeric meaning of {name}")

    return spell(expression)


def _has_quotient(product: Any) -> bool:
    return any(a.is_Pow and a.exp.could_extract_minus_sign() for a in product.args)
