"""Reductions over axes, which the result lacks, and the running sum.

prod_over, max_over, min_over     of numbers; `sum` stands in `structural`, a mean is sum/size
any_over, all_over                of bools
argmax_over, argmin_over          the first place along one axis, an int
cumsum                            along `axis`; `reverse` sums from the end
prod_others(x, *directions)       the adjoint of `prod_over`, below
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dtype, Type
from mgrad.compiler.ops.compare import eq
from mgrad.compiler.ops.op import select
from mgrad.compiler.ops.structural import (
    RULES,
    TYPES,
    Attributes,
    Rule,
    broadcast,
    build,
    each_moved,
    first,
    require,
    same,
    sum_axes,
    without,
)


def _reduction(op: str, x: Node, axes: Sequence[int]) -> Node:
    return build(op, (x,), axes=tuple(sorted(axes))) if axes else x


def prod_over(x: Node, axes: Sequence[int]) -> Node:
    """The product over `axes`; of nothing it is 1."""
    return _reduction("prod_over", x, axes)


def max_over(x: Node, axes: Sequence[int]) -> Node:
    """The greatest over `axes`; nan if any is nan. Ties share the derivative equally."""
    return _reduction("max_over", x, axes)


def min_over(x: Node, axes: Sequence[int]) -> Node:
    """The least over `axes`; nan if any is nan. Ties share the derivative equally."""
    return _reduction("min_over", x, axes)


def any_over(x: Node, axes: Sequence[int]) -> Node:
    """Whether any of the bools holds; of nothing false."""
    return _reduction("any_over", x, axes)


def all_over(x: Node, axes: Sequence[int]) -> Node:
    """Whether all of the bools hold; of nothing true."""
    return _reduction("all_over", x, axes)


def argmax_over(x: Node, axis: int) -> Node:
    """The first place of the greatest along `axis`."""
    return build("argmax_over", (x,), axes=(axis,))


def argmin_over(x: Node, axis: int) -> Node:
    """The first place of the least along `axis`."""
    return build("argmin_over", (x,), axes=(axis,))


def cumsum(x: Node, axis: int, reverse: bool = False) -> Node:
    """The sums of x up to each place along `axis`, or from each place on."""
    return build("cumsum", (x,), axis=axis, reverse=reverse)


def prod_others(x: Node, axes: Sequence[int], *directions: Node) -> Node:
    """At each place the product of x at all other places along `axes`: no quotient, so it is right
    with any number of zeros.

    With directions c1, …, cm it is the derivative of that along each of them: with
    P = prod(x) at place k, d/dx_k D_c1 … D_cm P, the sum over distinct places i1, …, im other
    than k of c1[i1]*…*cm[im] times x at all places left. As P is linear in each factor, this one
    family is closed under differentiation: by x along d it is the member with one direction more,
    and by cj along d the member with d in place of cj.
    """
    if not axes:
        return x.pool.constant(0 if directions else 1, x.array)
    return build("prod_others", (x, *directions), axes=tuple(sorted(axes)))


def _axes(node: Node) -> tuple[int, ...]:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return axes


def _spread(node: Node, d: Node) -> Node:
    """A value of the result's shape, along the reduced axes."""
    return broadcast(d, node.inputs[0].array.shape, _axes(node))


def _prod_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    return [_spread(node, d) * prod_others(node.inputs[0], _axes(node))]


def _prod_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    others = prod_others(node.inputs[0], _axes(node))
    return sum_axes(first(tangents) * others, _axes(node))


def _prod_others_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    x, *directions = node.inputs
    axes = _axes(node)
    terms: list[Node | None] = [prod_others(x, axes, *directions, d) if wanted[0] else None]
    for k in range(len(directions)):
        rest = [c for i, c in enumerate(directions) if i != k]
        terms.append(prod_others(x, axes, *rest, d) if wanted[k + 1] else None)
    return terms


def _prod_others_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    x, *directions = node.inputs
    axes = _axes(node)
    return each_moved(directions, tangents, lambda *moved: prod_others(x, axes, *moved))


def _ties(node: Node) -> tuple[Node, Node]:
    """Where x is the extreme one, and how many are."""
    (x,) = node.inputs
    ties = eq(x, _spread(node, node))
    return ties, sum_axes(select(ties, 1, 0), _axes(node))


def _extreme_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    ties, number = _ties(node)
    return [select(ties, _spread(node, d / number), 0)]


def _extreme_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    ties, number = _ties(node)
    return sum_axes(select(ties, first(tangents), 0), _axes(node)) / number


def _cumsum_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    axis, reverse = node.attribute("axis"), node.attribute("reverse")
    assert isinstance(axis, int)
    return [cumsum(d, axis, not reverse)]


def _no_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    return [None]


def _no_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    return node.pool.constant(0, node.array)


RULES.update(
    {
        "prod_over": Rule(_prod_vjp, _prod_jvp, False),
        "max_over": Rule(_extreme_vjp, _extreme_jvp, True),
        "min_over": Rule(_extreme_vjp, _extreme_jvp, True),
        "prod_others": Rule(_prod_others_vjp, _prod_others_jvp, False),
        "cumsum": Rule(_cumsum_vjp, same, True),
        # these give bools and ints, which have no derivative
        "any_over": Rule(_no_vjp, _no_jvp, True),
        "all_over": Rule(_no_vjp, _no_jvp, True),
        "argmax_over": Rule(_no_vjp, _no_jvp, True),
        "argmin_over": Rule(_no_vjp, _no_jvp, True),
    }
)


def _typed(
    operand: Sequence[Dtype], result: Dtype | None, one_axis: bool = False
) -> Callable[[Sequence[Type], Attributes, Type | None], Type]:
    """The type of a reduction of one of these dtypes."""

    def rule(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
        (x,), axes = types, attributes["axes"]
        require(x.dtype in operand, f"a reduction of {x}")
        require(not one_axis or len(axes) == 1, f"axes {axes}")
        return Type(result or x.dtype, without(x.shape, axes))

    return rule


def _prod_others_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    without(types[0].shape, attributes["axes"])
    require(all(t == types[0] for t in types), f"directions {types[1:]} of {types[0]}")
    return types[0]


def _cumsum_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    (x,) = types
    require(x.dtype != "bool" and 0 <= attributes["axis"] < len(x.shape), f"cumsum of {x}")
    return x


TYPES.update(
    {
        "prod_over": _typed(("real", "int"), None),
        "max_over": _typed(("real", "int"), None),
        "min_over": _typed(("real", "int"), None),
        "any_over": _typed(("bool",), None),
        "all_over": _typed(("bool",), None),
        "argmax_over": _typed(("real", "int", "bool"), "int", one_axis=True),
        "argmin_over": _typed(("real", "int", "bool"), "int", one_axis=True),
        "prod_others": _prod_others_type,
        "cumsum": _cumsum_type,
    }
)
