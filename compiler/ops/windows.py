"""Windows that slide over axes, and their adjoint: what convolution and pooling are made of.

windows(x)[.., i, .., w] is x[.., i*stride + w, ..]; `overlap_add` adds each window back to where it
was taken. Both are linear, and each is the adjoint of the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Shape, Type
from mgrad.compiler.ops.indexing import Size
from mgrad.compiler.ops.structural import (
    RULES,
    TYPES,
    Attributes,
    Rule,
    build,
    first,
    require,
    same,
    without,
)


def windows(x: Node, axes: Sequence[int], sizes: Sequence[Size], strides: Sequence[int]) -> Node:
    """The windows of these sizes along `axes`, each `stride` further; window axes come last."""
    return build("windows", (x,), **_attributes(axes, sizes, strides))


def overlap_add(
    y: Node, shape: Shape, axes: Sequence[int], sizes: Sequence[Size], strides: Sequence[int]
) -> Node:
    """The array of this shape whose elements are the sums over the windows that they lie in."""
    attributes = _attributes(axes, sizes, strides)
    made = Type(y.array.dtype, shape)
    _overlap_type([y.array], attributes, made)
    return y.pool.make("overlap_add", (y,), made, **attributes)


def _attributes(
    axes: Sequence[int], sizes: Sequence[Size], strides: Sequence[int]
) -> dict[str, object]:
    return {
        "axes": tuple(axes),
        "sizes": tuple(map(Dim.of, sizes)),
        "strides": tuple(strides),
    }


def _vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    attributes = dict(node.attributes)
    if node.op == "windows":
        made = Type(d.array.dtype, node.inputs[0].array.shape)
        return [d.pool.make("overlap_add", (d,), made, **attributes)]
    return [build("windows", (d,), **attributes)]


RULES["windows"] = Rule(_vjp, lambda node, ts: same(node, [first(ts)]), True)
RULES["overlap_add"] = Rule(_vjp, lambda node, ts: same(node, [first(ts)]), True)


def _windows_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    (x,), axes = types, attributes["axes"]
    sizes, strides = attributes["sizes"], attributes["strides"]
    without(x.shape, axes)
    require(len(axes) == len(sizes) == len(strides), f"{axes}, {sizes}, {strides}")
    shape = list(x.shape)
    for axis, size, stride in zip(axes, sizes, strides, strict=True):
        shape[axis] = (shape[axis] - size) // stride + 1
    return Type(x.dtype, (*shape, *sizes))


def _overlap_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    assert claimed is not None
    made = _windows_type([claimed], attributes, None)
    require(made == types[0], f"{types[0]}, where windows of {claimed} are {made}")
    return claimed


TYPES["windows"] = _windows_type
TYPES["overlap_add"] = _overlap_type
