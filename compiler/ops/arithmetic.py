"""Arithmetic, powers and rounding."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

from mgrad.compiler.ir.node import Node, Number
from mgrad.compiler.ir.types import Interval
from mgrad.compiler.ops import edges
from mgrad.compiler.ops.compare import and_, eq, gt, ne, or_
from mgrad.compiler.ops.op import (
    ATOM,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    TABLE,
    Code,
    Kink,
    Op,
    elementwise,
    exact,
    fill,
    infix,
    select,
)

add = elementwise(
    "add",
    "x y",
    doc="Sum.",
    signature="join",
    partials=lambda out, x, y: [1, 1],
    python=infix("+", SUM),
    numpy=infix("+", SUM),
    sympy=lambda sp, x, y: x + y,
    mpmath=lambda mp, x, y: x + y,
    is_builtin=False,
)

sub = elementwise(
    "sub",
    "x y",
    doc="Difference.",
    signature="join",
    partials=lambda out, x, y: [1, -1],
    python=infix("-", SUM),
    numpy=infix("-", SUM),
    sympy=lambda sp, x, y: x - y,
    mpmath=lambda mp, x, y: x - y,
    is_builtin=False,
)

neg = elementwise(
    "neg",
    "x",
    doc="Negation.",
    signature="join",
    partials=lambda out, x: [-1],
    python=Code("-{x}", SIGN, {"x": SIGN}),
    numpy=Code("-{x}", SIGN, {"x": SIGN}),
    sympy=lambda sp, x: -x,
    mpmath=lambda mp, x: -x,
    is_builtin=False,
)

mul = elementwise(
    "mul",
    "x y",
    doc="Product.",
    signature="join",
    partials=lambda out, x, y: [y, x],
    python=infix("*", PRODUCT, spaced=False),
    numpy=infix("*", PRODUCT, spaced=False),
    sympy=lambda sp, x, y: x * y,
    mpmath=lambda mp, x, y: x * y,
    is_builtin=False,
)

div = elementwise(
    "div",
    "x y",
    doc="Quotient.",
    partials=lambda out, x, y: [1 / y, -(out / y)],
    python=infix("/", PRODUCT, spaced=False),
    numpy=infix("/", PRODUCT, spaced=False),
    sympy=lambda sp, x, y: x / y,
    mpmath=edges.quotient,
    samples={"x": (-3.0, 3.0), "y": (0.5, 3.0)},
    kinks=(Kink(lambda sp, x, y: sp.Eq(y, 0), (None, None), "x/0 is a pole"),),
    is_builtin=False,
    raises=True,
)

floordiv = elementwise(
    "floordiv",
    "x y",
    doc="Quotient of ints, rounded down.",
    signature="integer",
    python=infix("//", PRODUCT, spaced=False),
    numpy=infix("//", PRODUCT, spaced=False),
    sympy=lambda sp, x, y: sp.floor(x / y),
    mpmath=lambda mp, x, y: int(x) // int(y),
    samples={"x": (-9.0, 9.0), "y": (1.0, 9.0)},
    is_builtin=False,
    raises=True,
)

mod = elementwise(
    "mod",
    "x y",
    doc="Remainder of the division of ints, of the sign of y.",
    signature="integer",
    python=infix("%", PRODUCT),
    numpy=infix("%", PRODUCT),
    sympy=lambda sp, x, y: sp.Mod(x, y),
    mpmath=lambda mp, x, y: int(x) % int(y),
    samples={"x": (-9.0, 9.0), "y": (1.0, 9.0)},
    is_builtin=False,
    raises=True,
)

# ---------------------------------------------------------------------------------------- powers


def pow_partials(out: Node, x: Node, y: Node) -> list[Node | Number | None]:
    """y*x^(y-1) and x^y*log(x), at x = 0 by their limits.

    A constant exponent needs no guards. Otherwise 0*0^-1 is nan at (0, 0), where x^0 is constant;
    and 0^y is constant in y > 0, where x^y*log(x) is nan.
    """
    n = exact(y)
    if n is not None:
        return [_constant_power(out, x, n), None]
    nothing = fill(x, 0)
    by_x = y * pow_(x, y - 1)
    if (base := exact(x)) is not None and base > 0:
        return [by_x, out * TABLE["log"](x)]
    by_y = select(and_(eq(x, nothing), gt(y, nothing)), 0, out * TABLE["log"](x))
    return [select(and_(eq(x, nothing), eq(y, nothing)), 0, by_x), by_y]


def _constant_power(out: Node, x: Node, n: Fraction) -> Node | int:
    if n in (0, 1):
        return int(n)
    if n == 2:
        return 2 * x
    if n == Fraction(1, 2):
        return Fraction(1, 2) / out
    return n * pow_(x, fill(x, n - 1))


EXACT = 2**53  # whole numbers beyond are no floats, if they are odd


def expand_pow(x: Node, y: Node) -> Node:
    """x*x for x^2, 1/x for x^-1, sqrt(x) for x^(1/2), x*sqrt(x) for x^(3/2), and the like.

    Up to the fourth power products are faster than a power, and right to 2 units in the last
    place; a higher power of a whole number is `x**n`, where Python's `math.pow` would read worse.
    """
    n = exact(y)
    if n is None:
        return pow_(x, y)
    size = abs(n)
    if size == 0:
        power = x.pool.constant(1, x.array)
    elif size in (1, 2, 3, 4):
        square = mul(x, x) if size > 1 else x
        power = [x, square, mul(square, x), mul(square, square)][int(size) - 1]
    elif size == Fraction(1, 2):
        power = TABLE["sqrt"](x)
    elif size == Fraction(3, 2):
        power = x * TABLE["sqrt"](x)
    elif n.denominator == 1 and n.numerator % 2 and size > EXACT and y.array.dtype == "real":
        # the nearest float is an even number: the sign is that of one more factor
        even = expand_pow(x, x.pool.constant(n - 1 if n > 0 else n + 1, y.array))
        return x * even if n > 0 else even / x
    elif n.denominator == 1:
        return integer_power(x, x.pool.constant(n, y.array.with_dtype("int")))
    else:
        return pow_(x, y)
    return 1 / power if n < 0 else power


pow_: Op = elementwise(
    "pow",
    "x y",
    doc="Power; 0^0 is 1, and a negative x wants a whole y.",
    signature="join",  # ints only with a constant exponent of 0 or more; else both are real
    partials=pow_partials,
    python="math.pow",  # of floats: `**` would leave the reals
    numpy=Code("{x}**{y}", POWER, {"x": ATOM, "y": SIGN}),
    sympy=lambda sp, x, y: x**y,
    mpmath=edges.power,
    samples={"x": (0.1, 3.0), "y": (-3.0, 3.0)},
    kinks=(
        Kink(
            lambda sp, x, y: sp.Eq(x, 0) & sp.Eq(y, 0),
            (0, None),
            "d/dx is 0 at (0, 0)",
        ),
        Kink(
            lambda sp, x, y: sp.Eq(x, 0) & (y > 0),
            (lambda sp, x, y: sp.Piecewise((sp.oo, y < 1), (1, sp.Eq(y, 1)), (0, True)), 0),
            "at x = 0 < y, d/dx is its limit and d/dy is 0",
        ),
        Kink(lambda sp, x, y: sp.Eq(x, 0) & (y < 0), (None, None), "0^y is a pole where y < 0"),
    ),
    expand=expand_pow,
    accuracy="With an exponent that is no constant, the rounding of y - 1 in y*x^(y-1) counts "
    "|log(x)| times, which is up to 700: large where x is very large or small.",
    weight=10,
    is_builtin=False,
    raises=True,
    undefined=("y",),
)

integer_power = elementwise(
    "integer_power",
    "x n",
    doc="Power with a constant int exponent.",
    signature="join",
    partials=lambda out, x, n: [_constant_power(out, x, Fraction(exact(n) or 0)), None],
    python=Code("{x}**{n}", POWER, {"x": ATOM, "n": SIGN}),
    numpy=Code("{x}**{n}", POWER, {"x": ATOM, "n": SIGN}),
    sympy=lambda sp, x, n: x**n,
    mpmath=lambda mp, x, n: edges.power(mp, x, mp.mpf(n)),
    samples={"x": (0.1, 3.0), "n": (5, 9)},
    weight=10,
    is_builtin=False,
    raises=True,
)

sqrt = elementwise(
    "sqrt",
    "x",
    doc="Square root.",
    partials=lambda out, x: [Fraction(1, 2) / out],
    python="math.sqrt",
    numpy="np.sqrt",
    sympy=lambda sp, x: sp.sqrt(x),
    mpmath=lambda mp, x: edges.real(mp, mp.sqrt, x),
    samples={"x": (0.1, 4.0)},
    domain={"x": Interval(Fraction(0), math.inf, False, True)},
    kinks=(Kink(lambda sp, x: sp.Eq(x, 0), (lambda sp, x: sp.oo,), "sqrt'(0) = inf"),),
    raises=True,
)

root: Op = elementwise(
    "root",
    "x",
    doc="Square root with the derivative 0 at 0, for lengths and deviations.",
    partials=lambda out, x: [select(ne(x, fill(x, 0)), Fraction(1, 2) / out, 0)],
    python="math.sqrt",
    numpy="np.sqrt",
    sympy=lambda sp, x: sp.sqrt(x),
    mpmath=lambda mp, x: edges.real(mp, mp.sqrt, x),
    samples={"x": (0.1, 4.0)},
    domain={"x": Interval(Fraction(0), math.inf, False, True)},
    kinks=(Kink(lambda sp, x: sp.Eq(x, 0), (0,), "root'(0) = 0"),),
    is_builtin=False,
    raises=True,
)

cbrt = elementwise(
    "cbrt",
    "x",
    doc="Cube root, negative for a negative x.",
    partials=lambda out, x: [1 / (3 * (out * out))],
    python="math.cbrt",
    numpy="np.cbrt",
    sympy=lambda sp, x: sp.Piecewise(
        (x ** sp.Rational(1, 3), x >= 0), (-((-x) ** sp.Rational(1, 3)), True)
    ),
    mpmath=edges.cbrt,
    kinks=(Kink(lambda sp, x: sp.Eq(x, 0), (lambda sp, x: sp.oo,), "cbrt'(0) = inf"),),
    accuracy="The derivatives are powers of the value, and multiply the error of the C library's "
    "cbrt, two or three units, by 2 and 5.",
    weight=10,
)

hypot: Op = elementwise(
    "hypot",
    "x y",
    doc="sqrt(x^2 + y^2), without overflow.",
    partials=lambda out, x, y: [direction(x, y), direction(y, x)],
    python="math.hypot",
    numpy="np.hypot",
    sympy=lambda sp, x, y: sp.sqrt(x**2 + y**2),
    mpmath=edges.hypot,
    kinks=(Kink(lambda sp, x, y: sp.Eq(x, 0) & sp.Eq(y, 0), (0, 0), "hypot'(0, 0) = 0"),),
    weight=10,
    is_builtin=False,
)


def _direction_partials(out: Node, x: Node, y: Node) -> list[Node]:
    """With r = hypot(x, y): (y/r)^2/r and -(x/r)*(y/r)/r. Those of the quotient would cancel."""
    other = direction(y, x)
    slope = other / hypot(x, y)
    if not (exact(x) or exact(y)):
        slope = select(or_(ne(x, fill(x, 0)), ne(y, fill(y, 0))), slope, 0)
    return [other * slope, -(out * slope)]


def _expand_direction(x: Node, y: Node) -> Node:
    r = hypot(x, y)
    return x / r if exact(x) or exact(y) else select(ne(r, fill(r, 0)), x / r, 0)


direction: Op = elementwise(
    "direction",
    "x y",
    doc="x/hypot(x, y), the cosine of the angle of (x, y); 0 at the origin.",
    partials=_direction_partials,
    sympy=lambda sp, x, y: x / sp.sqrt(x**2 + y**2),
    mpmath=lambda mp, x, y: mp.mpf(0) if x == y == 0 else edges.quotient(mp, x, mp.hypot(x, y)),
    kinks=(Kink(lambda sp, x, y: sp.Eq(x, 0) & sp.Eq(y, 0), (0, 0), "0 at the origin"),),
    expand=_expand_direction,
    weight=11,
    is_builtin=False,
)

one_minus_square = elementwise(
    "one_minus_square",
    "x",
    doc="1 - x^2, computed as (1 - x)*(1 + x), which does not cancel near 1 and -1.",
    partials=lambda out, x: [-2 * x],
    sympy=lambda sp, x: 1 - x**2,
    mpmath=lambda mp, x: 1 - x * x,
    expand=lambda x: (1 - x) * (1 + x),
    weight=3,
    is_builtin=False,
)


# -------------------------------------------------------------------------------------- rounding


@cache
def _flat(sp: Any, name: str) -> Any:
    """SymPy's floor or ceiling, with the derivative that is stated for it: 0."""
    function = getattr(sp, name)
    return type(name, (function,), {"fdiff": lambda self, argindex=1: sp.S.Zero})


def _round(sp: Any, x: Any) -> Any:
    """floor(x + 1/2), less 1 where x is halfway and the floor is odd."""
    floor, ceiling = _flat(sp, "floor"), _flat(sp, "ceiling")
    quarter = (2 * x - 1) / 4
    return floor(x + sp.Rational(1, 2)) + ceiling(quarter) - floor(quarter) - 1


def _nearest(mp: Any, x: Any) -> Any:
    """To the nearest whole number, half to even."""
    low = mp.floor(x)
    rest = x - low
    up = rest > 0.5 or (rest == 0.5 and mp.floor(low / 2) * 2 != low)
    return low + 1 if up else low


def _is_whole(sp: Any, x: Any) -> Any:
    return sp.Eq(sp.floor(x), x)


floor = elementwise(
    "floor",
    "x",
    doc="The greatest whole number that is not above x, as a real.",
    partials=lambda out, x: [0],
    python=Code("{builtins.float}({math.floor}({x}))"),
    numpy="np.floor",
    sympy=lambda sp, x: _flat(sp, "floor")(x),
    mpmath=lambda mp, x: mp.floor(x),
    kinks=(Kink(_is_whole, (0,), "floor' = 0, also where it jumps"),),
    raises=True,
)

ceil = elementwise(
    "ceil",
    "x",
    doc="The least whole number that is not below x, as a real.",
    partials=lambda out, x: [0],
    python=Code("{builtins.float}({math.ceil}({x}))"),
    numpy="np.ceil",
    sympy=lambda sp, x: _flat(sp, "ceiling")(x),
    mpmath=lambda mp, x: mp.ceil(x),
    kinks=(Kink(_is_whole, (0,), "ceil' = 0, also where it jumps"),),
    raises=True,
)

round_ = elementwise(
    "round",
    "x",
    doc="The nearest whole number, half to even, as a real.",
    partials=lambda out, x: [0],
    python=Code("{builtins.round}({x}, 0)"),  # with a 0 it gives a float, of inf and nan too
    numpy="np.round",
    sympy=_round,
    mpmath=lambda mp, x: x if mp.isinf(x) or mp.isnan(x) else _nearest(mp, x),
    kinks=(
        Kink(
            lambda sp, x: sp.Eq(sp.floor(x + sp.Rational(1, 2)), x + sp.Rational(1, 2)),
            (0,),
            "round' = 0, also where it jumps",
        ),
    ),
)

sign: Op = elementwise(
    "sign",
    "x",
    doc="-1, 0 or 1 as x is negative, zero or positive; nan of nan.",
    signature="join",
    partials=lambda out, x: [0],
    python="mgrad.runtime.elementary.sign",
    numpy="np.sign",
    sympy=lambda sp, x: sp.Piecewise((1, x > 0), (-1, x < 0), (0, True)),
    mpmath=lambda mp, x: mp.sign(x),
    kinks=(Kink(lambda sp, x: sp.Eq(x, 0), (0,), "sign'(0) = 0"),),
)

abs_ = elementwise(
    "abs",
    "x",
    doc="Absolute value.",
    signature="join",
    partials=lambda out, x: [sign(x)],
    python="builtins.abs",
    numpy="np.abs",
    sympy=lambda sp, x: sp.Piecewise((x, x >= 0), (-x, True)),
    mpmath=lambda mp, x: abs(x),
    kinks=(Kink(lambda sp, x: sp.Eq(x, 0), (0,), "abs'(0) = 0"),),
)
