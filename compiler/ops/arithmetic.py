"""Arithmetic."""

from mgrad.compiler.ops.op import PRODUCT, SIGN, SUM, Code, elementwise, infix

add = elementwise(
    "add",
    "x y",
    doc="Sum.",
    signature="join",
    partials=lambda out, x, y: [1, 1],
    python=infix("+", SUM),
    numpy=infix("+", SUM),
    sympy=lambda sp, x, y: x + y,
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
    samples={"x": (-3.0, 3.0), "y": (0.5, 3.0)},
    is_builtin=False,
    raises=True,
)
