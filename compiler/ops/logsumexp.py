"""`logsumexp`: log(sum(exp(x))) over axes, which never overflows. Made by the pass `stabilise`."""

from __future__ import annotations

from collections.abc import Sequence

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.functions import exp
from mgrad.compiler.ops.structural import (
    RULES,
    TYPES,
    Rule,
    broadcast,
    build,
    first,
    sum_axes,
    without,
)


def logsumexp(x: Node, axes: Sequence[int]) -> Node:
    """log(sum(exp(x))) over `axes`; -inf of nothing."""
    return build("logsumexp", (x,), axes=tuple(sorted(axes)))


def _weights(node: Node) -> Node:
    """exp(x - out): the softmax, whose sum is 1."""
    (x,) = node.inputs
    return exp(x - _spread(node, node))


def _spread(node: Node, value: Node) -> Node:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return broadcast(value, node.inputs[0].array.shape, axes)


def _vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    return [_spread(node, d) * _weights(node)]


def _jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return sum_axes(first(tangents) * _weights(node), axes)


RULES["logsumexp"] = Rule(_vjp, _jvp, False)
TYPES["logsumexp"] = lambda types, attributes, _: types[0].__class__(
    types[0].dtype, without(types[0].shape, attributes["axes"])
)
