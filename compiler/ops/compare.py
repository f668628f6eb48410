"""Comparisons, logic, and the widening of types."""

from __future__ import annotations

from typing import Any

from mgrad.compiler.ops.op import (
    AND,
    BITAND,
    BITOR,
    COMPARE,
    NOT,
    OR,
    PRODUCT,
    Code,
    Op,
    elementwise,
    function,
    infix,
)


def number(sp: Any, x: Any) -> Any:
    """A truth value as 0 or 1; any other as it is."""
    if x in (True, False) or getattr(x, "is_Boolean", False):
        return sp.Piecewise((1, x), (0, True))
    return x


def comparison(name: str, symbol: str, relation: str, doc: str) -> Op:
    """An op that compares. Python's chains are not meant: an operand that compares is bracketed."""
    code = Code(f"{{x}} {symbol} {{y}}", COMPARE, {"x": BITOR, "y": BITOR})
    compare = _OPERATORS[symbol]
    return elementwise(
        name,
        "x y",
        doc=doc,
        signature="compare",
        python=code,
        numpy=code,
        sympy=lambda sp, x, y: getattr(sp, relation)(number(sp, x), number(sp, y)),
        mpmath=lambda mp, x, y: compare(x, y),
        is_builtin=False,
    )


_OPERATORS: dict[str, Any] = {
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
}

lt = comparison("lt", "<", "StrictLessThan", "Whether x is less than y.")
le = comparison("le", "<=", "LessThan", "Whether x is at most y.")
gt = comparison("gt", ">", "StrictGreaterThan", "Whether x is greater than y.")
ge = comparison("ge", ">=", "GreaterThan", "Whether x is at least y.")
eq = comparison("eq", "==", "Equality", "Whether x equals y; nan equals nothing.")
ne = comparison("ne", "!=", "Unequality", "Whether x differs from y; nan differs from everything.")

and_ = elementwise(
    "and",
    "x y",
    doc="Whether both hold.",
    signature="logic",
    python=infix("and", AND),
    numpy=infix("&", BITAND),
    sympy=lambda sp, x, y: sp.And(x, y),
    mpmath=lambda mp, x, y: x and y,
    is_builtin=False,
)

or_ = elementwise(
    "or",
    "x y",
    doc="Whether either holds.",
    signature="logic",
    python=infix("or", OR),
    numpy=infix("|", BITOR),
    sympy=lambda sp, x, y: sp.Or(x, y),
    mpmath=lambda mp, x, y: x or y,
    is_builtin=False,
)

not_ = elementwise(
    "not",
    "x",
    doc="Whether x does not hold.",
    signature="logic",
    python=Code("not {x}", NOT, {"x": NOT}),
    numpy="np.logical_not",  # `~` of Python's own bool is -1 or -2
    sympy=lambda sp, x: sp.Not(x),
    mpmath=lambda mp, x: not x,
    is_builtin=False,
)

to_real = elementwise(
    "to_real",
    "x",
    doc="An int or a bool as a real.",
    partials=lambda out, x: [None],
    python=function("builtins.float", "x"),
    numpy=Code("{x}*1.0", PRODUCT, {"x": PRODUCT}),
    sympy=number,
    mpmath=lambda mp, x: mp.mpf(x),
    is_builtin=False,
    raises=True,
)

to_int = elementwise(
    "to_int",
    "x",
    doc="A bool as the int 0 or 1.",
    signature="integer",
    python=function("builtins.int", "x"),
    numpy=Code("{x}*1", PRODUCT, {"x": PRODUCT}),
    sympy=number,
    mpmath=lambda mp, x: int(x),
    is_builtin=False,
)
