"""Choices: `where`, and what takes one of its operands or cuts one off."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.arithmetic import add
from mgrad.compiler.ops.compare import and_, eq, ge, gt, le, or_
from mgrad.compiler.ops.op import (
    BITOR,
    OR,
    TERNARY,
    Code,
    Kink,
    Op,
    elementwise,
    exact,
    fill,
    select,
)

where = elementwise(
    "where",
    "condition x y",
    doc="x where the condition holds, y elsewhere.",
    signature="where",
    partials=lambda out, condition, x, y: [
        None,
        select(condition, 1, 0),
        select(condition, 0, 1),
    ],
    python=Code("{x} if {condition} else {y}", TERNARY, {"x": OR, "condition": OR, "y": TERNARY}),
    numpy="np.where",
    sympy=lambda sp, condition, x, y: sp.Piecewise((x, condition), (y, True)),
    mpmath=lambda mp, condition, x, y: x if condition else y,
    samples={"x": (-3.0, 3.0), "y": (-3.0, 3.0)},
)

relu = elementwise(
    "relu",
    "x",
    doc="x where it is positive, 0 elsewhere.",
    partials=lambda out, x: [select(gt(x, fill(x, 0)), 1, 0)],
    python=Code("0.0 if {x} <= 0.0 else {x}", TERNARY, {"x": BITOR}),
    numpy=Code("{np.maximum}({x}, 0.0)"),
    sympy=lambda sp, x: sp.Piecewise((x, x > 0), (0, True)),
    mpmath=lambda mp, x: mp.mpf(0) if x <= 0 else x,
    kinks=(Kink(lambda sp, x: sp.Eq(x, 0), (0,), "relu'(0) = 0"),),
)


def _shares(
    closer: Callable[[Node, Node], Node],
) -> Callable[..., list[Node]]:
    """The partials of a maximum (`closer` is `ge`) or minimum (`le`): 1 divided among the ties."""

    def partials(out: Node, *xs: Node) -> list[Node]:
        if len(xs) == 2:
            share = select(eq(*xs), Fraction(1, 2), 1)
            return [select(closer(*xs), share, 0), select(closer(xs[1], xs[0]), share, 0)]
        ties = [eq(x, out) for x in xs]
        number = reduce(add, [select(tie, 1, 0) for tie in ties])
        return [select(tie, 1 / number, 0) for tie in ties]

    return partials


def _ties(sp: Any, *xs: Any) -> Any:
    """Where the extreme one is not alone; by pairs, which is more than that."""
    return sp.Or(*(sp.Eq(a, b) for i, a in enumerate(xs) for b in xs[i + 1 :]))


def _equal_shares(extreme: str, position: int) -> Callable[..., Any]:
    def share(sp: Any, *xs: Any) -> Any:
        out = getattr(sp, extreme)(*xs)
        ties = sum(sp.Piecewise((1, sp.Eq(x, out)), (0, True)) for x in xs)
        return sp.Piecewise((1 / ties, sp.Eq(xs[position], out)), (0, True))

    return share


def _extreme(
    name: str, pair: str, closer: Op, doc: str, better: Callable[[Any, Any], Any]
) -> tuple[Op, Op]:
    """A variadic op, and the op of two operands that it is computed by."""

    def of_two(sp: Any, x: Any, y: Any) -> Any:
        return sp.Piecewise((x, better(x, y)), (y, True))

    def value(mp: Any, *xs: Any) -> Any:
        if any(x != x for x in xs):
            return mp.nan
        return reduce(lambda x, y: x if better(x, y) else y, xs)

    text = f"a tie in {name} is shared among all tied"
    symbolic = name.capitalize()
    two = elementwise(
        pair,
        "x y",
        doc=doc,
        signature="join",
        partials=_shares(closer),
        python=f"mgrad.runtime.elementary.{pair}",
        numpy=f"np.{pair}",
        sympy=of_two,
        mpmath=value,
        kinks=(Kink(_ties, (_equal_shares(symbolic, 0), _equal_shares(symbolic, 1)), text),),
        is_builtin=False,
    )
    many = elementwise(
        name,
        "*xs",
        doc=doc,
        signature="join",
        partials=_shares(closer),
        sympy=lambda sp, *xs: reduce(lambda x, y: of_two(sp, x, y), xs),
        mpmath=value,
        samples={"xs": (-3.0, 3.0)},
        kinks=(Kink(_ties, (_equal_shares(symbolic, 0),), text),),
        expand=lambda *xs: reduce(two, xs),
    )
    return many, two


max_, maximum = _extreme(
    "max", "maximum", ge, "The greatest; nan if any is nan.", lambda x, y: x >= y
)
min_, minimum = _extreme("min", "minimum", le, "The least; nan if any is nan.", lambda x, y: x <= y)


def _clip_partials(out: Node, x: Node, low: Node, high: Node) -> list[Node]:
    """1 divided among those of x, low and high that the result equals as a choice of it.

    Constant bounds that are in order leave a choice between x and one of them.
    """
    bounds = exact(low), exact(high)
    if bounds[0] is not None and bounds[1] is not None and bounds[0] < bounds[1]:
        at_low, at_high = eq(x, low), eq(x, high)
        share = select(or_(at_low, at_high), Fraction(1, 2), 1)
        return [
            select(and_(le(low, x), le(x, high)), share, 0),
            select(le(x, low), select(at_low, Fraction(1, 2), 1), 0),
            select(ge(x, high), select(at_high, Fraction(1, 2), 1), 0),
        ]
    chosen = [
        and_(le(low, x), le(x, high)),
        and_(le(x, low), le(low, high)),
        or_(le(high, x), le(high, low)),
    ]
    number = reduce(add, [select(c, 1, 0) for c in chosen])
    return [select(c, 1 / number, 0) for c in chosen]


def _clip_share(position: int) -> Callable[..., Any]:
    def share(sp: Any, x: Any, low: Any, high: Any) -> Any:
        chosen = [
            (low <= x) & (x <= high),
            (x <= low) & (low <= high),
            (high <= x) | (high <= low),
        ]
        ties = sum(sp.Piecewise((1, c), (0, True)) for c in chosen)
        return sp.Piecewise((1 / ties, chosen[position]), (0, True))

    return share


clip = elementwise(
    "clip",
    "x low high",
    doc="min(max(x, low), high).",
    signature="join",
    partials=_clip_partials,
    python="mgrad.runtime.elementary.clip",
    numpy="np.clip",
    sympy=lambda sp, x, low, high: sp.Piecewise(
        (high, sp.Or(x >= high, low >= high)), (low, x <= low), (x, True)
    ),
    mpmath=lambda mp, x, low, high: (
        mp.nan if x != x or low != low or high != high else min(max(x, low), high)
    ),
    samples={"x": (-3.0, 3.0), "low": (-2.0, -1.0), "high": (1.0, 2.0)},
    kinks=(
        Kink(
            lambda sp, x, low, high: sp.Eq(x, low) | sp.Eq(x, high) | sp.Eq(low, high),
            (_clip_share(0), _clip_share(1), _clip_share(2)),
            "where x meets a bound, they share the derivative equally",
        ),
    ),
)
