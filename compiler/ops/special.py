"""Special functions, and the smooth steps of statistics and learning."""

from __future__ import annotations

import math
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops import edges
from mgrad.compiler.ops.arithmetic import abs_, add, neg
from mgrad.compiler.ops.compare import ge
from mgrad.compiler.ops.control import relu
from mgrad.compiler.ops.functions import exp, log1p
from mgrad.compiler.ops.op import Kink, Op, elementwise, exact, fill, select

TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def _is_pole(sp: Any, x: Any) -> Any:
    return sp.And(x <= 0, sp.Eq(sp.floor(x), x))


erf = elementwise(
    "erf",
    "x",
    doc="Error function.",
    partials=lambda out, x: [TWO_OVER_ROOT_PI * exp(-(x * x))],
    python="math.erf",
    numpy="mgrad.runtime.special.erf",
    sympy=lambda sp, x: sp.erf(x),
    mpmath=lambda mp, x: mp.erf(x) if abs(x) < edges.LARGE else mp.sign(x),
    accuracy="The derivative has exp(-x*x), where the rounding of x*x counts x*x times.",
    weight=10,
    vanishes=True,
)

erfc = elementwise(
    "erfc",
    "x",
    doc="1 - erf(x), accurate where that is small.",
    partials=lambda out, x: [-TWO_OVER_ROOT_PI * exp(-(x * x))],
    python="math.erfc",
    numpy="mgrad.runtime.special.erfc",
    sympy=lambda sp, x: sp.erfc(x),
    mpmath=lambda mp, x: mp.erfc(x) if abs(x) < 10**4 else 1 - mp.sign(x),
    accuracy="The derivative has exp(-x*x), where the rounding of x*x counts x*x times, as it does "
    "in SciPy's erfc.",
    weight=10,
    vanishes=True,
)

lgamma = elementwise(
    "lgamma",
    "x",
    doc="Logarithm of the absolute value of the gamma function.",
    partials=lambda out, x: [digamma(x)],
    python="math.lgamma",
    numpy="mgrad.runtime.special.lgamma",
    sympy=lambda sp, x: sp.loggamma(x),
    mpmath=edges.lgamma,
    samples={"x": (0.2, 5.0)},
    kinks=(Kink(_is_pole, (None,), "lgamma has poles at 0, -1, -2, …"),),
    accuracy="Large in relative terms next to its roots: with Python's at 1 and 2, and with both "
    "on the negative axis. SciPy's is inf below 5.6e-309. The derivatives are as digamma's.",
    weight=10,
    raises=True,
)

digamma: Op = elementwise(
    "digamma",
    "x",
    doc="Derivative of lgamma.",
    partials=lambda out, x: [polygamma(x.pool.constant(1, x.array.with_dtype("int")), x)],
    python="mgrad.runtime.gamma.digamma",
    numpy="mgrad.runtime.special.digamma",
    sympy=lambda sp, x: sp.polygamma(0, x),
    mpmath=lambda mp, x: edges.polygamma(mp, 0, x),
    samples={"x": (0.2, 5.0)},
    kinks=(Kink(_is_pole, (None,), "digamma has poles at 0, -1, -2, …"),),
    accuracy="Large in relative terms next to the roots on the negative axis, one between any two "
    "poles, where the terms of the reflection cancel; and next to a pole, as the distance to it is "
    "given to a unit in the last place of x only.",
    weight=10,
)


def _successor(n: Node) -> Node:
    """n + 1 of ints."""
    number = exact(n)
    one = n.pool.constant(1, n.array)
    return add(n, one) if number is None else n.pool.constant(number + 1, n.array)


polygamma: Op = elementwise(
    "polygamma",
    "n x",
    doc="n-th derivative of digamma; n is an int, 0 or more.",
    operands=("int", "real"),
    partials=lambda out, n, x: [None, polygamma(_successor(n), x)],
    python="mgrad.runtime.gamma.polygamma",
    numpy="mgrad.runtime.special.polygamma",
    sympy=lambda sp, n, x: sp.polygamma(n, x),
    mpmath=lambda mp, n, x: edges.polygamma(mp, int(n), x),
    samples={"n": (0, 4), "x": (0.2, 5.0)},
    kinks=(Kink(lambda sp, n, x: _is_pole(sp, x), (None,), "polygamma has poles at 0, -1, -2, …"),),
    accuracy="About n units. Large next to the roots of even orders on the negative axis, where "
    "the terms of the reflection cancel.",
    weight=10,
)

# ------------------------------------------------------------------------------------------ steps
# Both are computed from e = exp(-|x|), which never overflows; |-x| is written |x|, so that
# sigmoid(x), sigmoid(-x) and softplus(x) share one exponential.


def _opposite(x: Node) -> Node:
    """-x, without a second minus."""
    return x.inputs[0] if x.op == "neg" else neg(x)


def _size(x: Node) -> tuple[Node, bool]:
    """(y, whether x is -y), the same y for x and -x."""
    if x.op == "neg":
        return x.inputs[0], True
    if x.op == "mul":
        for factor, other in (x.inputs, x.inputs[::-1]):
            number = exact(factor)
            if number is not None and number < 0:
                opposite = fill(x, -number)
                positive = opposite * other if factor is x.inputs[0] else other * opposite
                return positive, True
    if x.op == "sub":
        other = x.inputs[1] - x.inputs[0]
        if other.serial < x.serial:
            return other, True
    return x, False


def _decay(x: Node) -> Node:
    return exp(-abs_(_size(x)[0]))


def expand_sigmoid(x: Node) -> Node:
    """1/(1 + e) where x >= 0, e/(1 + e) elsewhere."""
    e = _decay(x)
    size, is_negated = _size(x)
    from_zero = ge(size, fill(x, 0))
    top = select(from_zero, e, 1) if is_negated else select(from_zero, 1, e)
    return top / (1 + e)


sigmoid: Op = elementwise(
    "sigmoid",
    "x",
    doc="Logistic function, 1/(1 + exp(-x)), accurate everywhere.",
    partials=lambda out, x: [out * sigmoid(_opposite(x))],
    sympy=lambda sp, x: 1 / (1 + sp.exp(-x)),
    mpmath=lambda mp, x: 1 / (1 + edges.exp(mp, -x)),
    expand=expand_sigmoid,
    accuracy="The second derivative is large in relative terms next to its root, 0, where it is a "
    "difference of two numbers near 1/2.",
    weight=10,
    vanishes=True,
)

softplus = elementwise(
    "softplus",
    "x",
    doc="log(1 + exp(x)), without overflow.",
    partials=lambda out, x: [sigmoid(x)],
    sympy=lambda sp, x: sp.log(1 + sp.exp(x)),
    mpmath=lambda mp, x: x if x > edges.LARGE else edges.log1p(mp, edges.exp(mp, x)),
    expand=lambda x: relu(x) + log1p(_decay(x)),
    weight=20,
    vanishes=True,
)
