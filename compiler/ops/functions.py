"""Elementary functions: exponentials and logarithms, trigonometric and hyperbolic ones."""

from __future__ import annotations

import math
from fractions import Fraction

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Interval
from mgrad.compiler.ops import edges
from mgrad.compiler.ops.arithmetic import direction, hypot, one_minus_square, sqrt
from mgrad.compiler.ops.compare import ne
from mgrad.compiler.ops.op import Kink, Op, elementwise, fill, select

POSITIVE = Interval(Fraction(0), math.inf, True, True)
UNIT = Interval(Fraction(-1), Fraction(1), False, False)
OPEN_UNIT = Interval(Fraction(-1), Fraction(1), True, True)


exp = elementwise(
    "exp",
    "x",
    doc="Exponential.",
    partials=lambda out, x: [out],
    python="math.exp",
    numpy="np.exp",
    sympy=lambda sp, x: sp.exp(x),
    mpmath=edges.exp,
    weight=10,
    raises=True,
    vanishes=True,
)

expm1 = elementwise(
    "expm1",
    "x",
    doc="exp(x) - 1, accurate near 0.",
    partials=lambda out, x: [exp(x)],  # out + 1 would cancel where x is very negative
    python="math.expm1",
    numpy="np.expm1",
    sympy=lambda sp, x: sp.exp(x) - 1,
    mpmath=edges.expm1,
    weight=10,
    raises=True,
    vanishes=True,
)

log = elementwise(
    "log",
    "x",
    doc="Natural logarithm.",
    partials=lambda out, x: [1 / x],
    python="math.log",
    numpy="np.log",
    sympy=lambda sp, x: sp.log(x),
    mpmath=edges.log,
    samples={"x": (0.1, 4.0)},
    domain={"x": POSITIVE},
    weight=10,
    raises=True,
)

log1p = elementwise(
    "log1p",
    "x",
    doc="log(1 + x), accurate near 0.",
    partials=lambda out, x: [1 / (1 + x)],
    python="math.log1p",
    numpy="np.log1p",
    sympy=lambda sp, x: sp.log(1 + x),
    mpmath=edges.log1p,
    samples={"x": (-0.9, 3.0)},
    domain={"x": Interval(Fraction(-1), math.inf, True, True)},
    weight=10,
    raises=True,
)

log2 = elementwise(
    "log2",
    "x",
    doc="Logarithm to base 2.",
    partials=lambda out, x: [(1 / math.log(2)) / x],
    python="math.log2",
    numpy="np.log2",
    sympy=lambda sp, x: sp.log(x) / sp.log(2),
    mpmath=lambda mp, x: edges.log(mp, x) / mp.ln2,
    samples={"x": (0.1, 4.0)},
    domain={"x": POSITIVE},
    weight=10,
    raises=True,
)

log10 = elementwise(
    "log10",
    "x",
    doc="Logarithm to base 10.",
    partials=lambda out, x: [(1 / math.log(10)) / x],
    python="math.log10",
    numpy="np.log10",
    sympy=lambda sp, x: sp.log(x) / sp.log(10),
    mpmath=lambda mp, x: edges.log(mp, x) / mp.ln10,
    samples={"x": (0.1, 4.0)},
    domain={"x": POSITIVE},
    weight=10,
    raises=True,
)

# --------------------------------------------------------------------------------- trigonometric

sin = elementwise(
    "sin",
    "x",
    doc="Sine.",
    partials=lambda out, x: [cos(x)],
    python="math.sin",
    numpy="np.sin",
    sympy=lambda sp, x: sp.sin(x),
    mpmath=lambda mp, x: edges.finite(mp, mp.sin, x),
    weight=10,
    raises=True,
)

cos: Op = elementwise(
    "cos",
    "x",
    doc="Cosine.",
    partials=lambda out, x: [-sin(x)],
    python="math.cos",
    numpy="np.cos",
    sympy=lambda sp, x: sp.cos(x),
    mpmath=lambda mp, x: edges.finite(mp, mp.cos, x),
    weight=10,
    raises=True,
)

tan = elementwise(
    "tan",
    "x",
    doc="Tangent.",
    partials=lambda out, x: [1 + out * out],
    python="math.tan",
    numpy="np.tan",
    sympy=lambda sp, x: sp.tan(x),
    mpmath=lambda mp, x: edges.finite(mp, mp.tan, x),
    samples={"x": (-1.5, 1.5)},
    weight=10,
    raises=True,
)

asin = elementwise(
    "asin",
    "x",
    doc="Inverse sine, from -pi/2 to pi/2.",
    partials=lambda out, x: [1 / sqrt(one_minus_square(x))],
    python="math.asin",
    numpy="np.arcsin",
    sympy=lambda sp, x: sp.asin(x),
    mpmath=lambda mp, x: edges.real(mp, mp.asin, x),
    samples={"x": (-0.9, 0.9)},
    domain={"x": UNIT},
    kinks=(Kink(lambda sp, x: sp.Eq(x**2, 1), (lambda sp, x: sp.oo,), "asin'(1) = inf"),),
    weight=10,
    raises=True,
)

acos = elementwise(
    "acos",
    "x",
    doc="Inverse cosine, from 0 to pi.",
    partials=lambda out, x: [-(1 / sqrt(one_minus_square(x)))],
    python="math.acos",
    numpy="np.arccos",
    sympy=lambda sp, x: sp.acos(x),
    mpmath=lambda mp, x: edges.real(mp, mp.acos, x),
    samples={"x": (-0.9, 0.9)},
    domain={"x": UNIT},
    kinks=(Kink(lambda sp, x: sp.Eq(x**2, 1), (lambda sp, x: -sp.oo,), "acos'(1) = -inf"),),
    weight=10,
    raises=True,
)

atan = elementwise(
    "atan",
    "x",
    doc="Inverse tangent, from -pi/2 to pi/2.",
    partials=lambda out, x: [1 / (1 + x * x)],
    python="math.atan",
    numpy="np.arctan",
    sympy=lambda sp, x: sp.atan(x),
    mpmath=lambda mp, x: mp.atan(x),
    weight=10,
)


def _atan2_partials(out: Node, y: Node, x: Node) -> list[Node]:
    """x/(x^2 + y^2) and -y/(x^2 + y^2), without overflow, and 0 at the origin."""
    r = hypot(x, y)
    away = ne(r, fill(r, 0))
    return [select(away, direction(x, y) / r, 0), select(away, -(direction(y, x) / r), 0)]


atan2 = elementwise(
    "atan2",
    "y x",
    doc="The angle of the point (x, y), from -pi to pi.",
    partials=_atan2_partials,
    python="math.atan2",
    numpy="np.arctan2",
    sympy=lambda sp, y, x: sp.atan2(y, x),
    mpmath=edges.atan2,
    samples={"y": (-3.0, 3.0), "x": (0.1, 3.0)},
    kinks=(
        Kink(lambda sp, y, x: sp.Eq(x, 0) & sp.Eq(y, 0), (0, 0), "atan2'(0, 0) = 0"),
        Kink(
            lambda sp, y, x: sp.Eq(y, 0) & (x < 0),
            (lambda sp, y, x: 1 / x, 0),
            "where it jumps by 2*pi, atan2' is that of both sides",
        ),
    ),
    accuracy="The second derivatives are large in relative terms next to their roots, |x| = |y|.",
    weight=10,
)

# ------------------------------------------------------------------------------------ hyperbolic

sinh = elementwise(
    "sinh",
    "x",
    doc="Hyperbolic sine.",
    partials=lambda out, x: [cosh(x)],
    python="math.sinh",
    numpy="np.sinh",
    sympy=lambda sp, x: sp.sinh(x),
    mpmath=edges.sinh,
    weight=10,
    raises=True,
)

cosh: Op = elementwise(
    "cosh",
    "x",
    doc="Hyperbolic cosine.",
    partials=lambda out, x: [sinh(x)],
    python="math.cosh",
    numpy="np.cosh",
    sympy=lambda sp, x: sp.cosh(x),
    mpmath=edges.cosh,
    weight=10,
    raises=True,
)

tanh = elementwise(
    "tanh",
    "x",
    doc="Hyperbolic tangent.",
    partials=lambda out, x: [1 - out * out],
    python="math.tanh",
    numpy="np.tanh",
    sympy=lambda sp, x: sp.tanh(x),
    mpmath=edges.tanh,
    accuracy="tanh' is 1 - y*y, right to a unit in the last place of 1 but not in relative terms: "
    "1 - y*y cancels where y is near 1 or -1. At 20 it is 0, not 1.7e-17.",
    weight=10,
    vanishes=True,
)

asinh = elementwise(
    "asinh",
    "x",
    doc="Inverse hyperbolic sine.",
    partials=lambda out, x: [1 / hypot(fill(x, 1), x)],
    python="math.asinh",
    numpy="np.arcsinh",
    sympy=lambda sp, x: sp.asinh(x),
    mpmath=lambda mp, x: mp.asinh(x),
    weight=10,
)

acosh = elementwise(
    "acosh",
    "x",
    doc="Inverse hyperbolic cosine, 0 or more.",
    partials=lambda out, x: [1 / (sqrt(x - 1) * sqrt(x + 1))],  # one root of both would overflow
    python="math.acosh",
    numpy="np.arccosh",
    sympy=lambda sp, x: sp.acosh(x),
    mpmath=lambda mp, x: edges.real(mp, mp.acosh, x),
    samples={"x": (1.1, 4.0)},
    domain={"x": Interval(Fraction(1), math.inf, False, True)},
    kinks=(Kink(lambda sp, x: sp.Eq(x, 1), (lambda sp, x: sp.oo,), "acosh'(1) = inf"),),
    weight=10,
    raises=True,
)

atanh = elementwise(
    "atanh",
    "x",
    doc="Inverse hyperbolic tangent.",
    partials=lambda out, x: [1 / one_minus_square(x)],
    python="math.atanh",
    numpy="np.arctanh",
    sympy=lambda sp, x: sp.atanh(x),
    mpmath=lambda mp, x: edges.real(mp, mp.atanh, x) if abs(x) != 1 else x * mp.inf,
    samples={"x": (-0.9, 0.9)},
    domain={"x": OPEN_UNIT},
    weight=10,
    raises=True,
)
