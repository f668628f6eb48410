"""How the ops that work along axes take leading ones: which axes they leave alone, in which
operands they are linear, and the op itself behind the leading axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Shape, Type
from mgrad.compiler.ops.indexing import ALL, taken_shape
from mgrad.compiler.ops.structural import TYPES

# For each operand, for each of its axes: the axis of the result that it stays, None if the op works
# along it.
AxisMap = list[list[int | None]]


def axis_map(node: Node) -> AxisMap:
    return _MAPS[node.op](node)


def shifted(node: Node, cores: Sequence[Node], leading: Shape) -> Node:
    """The op on operands that have these leading axes."""
    count = len(leading)
    attributes = {key: _moved(key, value, count) for key, value in node.attributes}
    claimed = None
    if node.op == "overlap_add":
        claimed = Type("real", (*cores[0].array.shape[:count], *node.array.shape))
    made = TYPES[node.op]([c.array for c in cores], attributes, claimed)
    return node.pool.make(node.op, cores, made, **attributes)


def _moved(key: str, value: Any, count: int) -> object:
    match key:
        case "axes":
            return tuple(axis + count for axis in value)
        case "axis":
            return value + count
        case "items":
            return (ALL,) * count + value
        case "before" | "after":
            return (Dim.of(0),) * count + value
    return value


def _axes(node: Node) -> tuple[int, ...]:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return axes


def _but(node: Node, axes: Sequence[int]) -> AxisMap:
    """All operands have the result's axes, all but some of which stay."""
    return [[None if a in axes else a for a in range(len(i.array.shape))] for i in node.inputs]


def _one_axis(node: Node) -> AxisMap:
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    return _but(node, (axis,))


def _matrix(node: Node) -> AxisMap:
    """A batch stays; the last two axes do not."""
    return [
        [a if a < len(i.array.shape) - 2 else None for a in range(len(i.array.shape))]
        for i in node.inputs
    ]


def _solve(node: Node) -> AxisMap:
    rank = len(node.inputs[0].array.shape)
    lead: list[int | None] = list(range(rank - 2))
    return [[*lead, None, None], [*lead, *[None] * (len(node.array.shape) - rank + 2)]]


def _reduced(node: Node) -> AxisMap:
    left = [a for a in range(len(node.inputs[0].array.shape)) if a not in _axes(node)]
    return [[left.index(a) if a in left else None for a in range(len(node.inputs[0].array.shape))]]


def _pad(node: Node) -> AxisMap:
    pairs = zip(node.array.shape, node.inputs[0].array.shape, strict=True)
    return [[a if wide == thin else None for a, (wide, thin) in enumerate(pairs)]]


def _result_axes(node: Node) -> list[int | None]:
    """For each axis of x: the axis of what is taken that it stays."""
    items, start = node.attribute("items"), 1 if node.op == "take" else 2
    assert isinstance(items, tuple)
    ints = [i.array for i in node.inputs[start:]]
    x = node.inputs[0].array.shape
    found: list[int | None] = []
    for axis, item in enumerate(items):
        if item != ALL:
            found.append(None)
            continue
        # with this axis marked, where does the mark come out?
        mark = Dim.of("\0")
        marked = tuple(mark if a == axis else d for a, d in enumerate(x))
        found.append(taken_shape(marked, items, ints).index(mark))
    return found


def _take(node: Node) -> AxisMap:
    return [_result_axes(node), *([] for _ in node.inputs[1:])]


def _put(node: Node) -> AxisMap:
    taken = _result_axes(node)
    x: list[int | None] = [a if t is not None else None for a, t in enumerate(taken)]
    v = [taken.index(a) if a in taken else None for a in range(len(node.inputs[1].array.shape))]
    return [x, v, *([] for _ in node.inputs[2:])]


_MAPS: Mapping[str, Callable[[Node], AxisMap]] = {
    "take": _take,
    "put": _put,
    "concat": _one_axis,
    "cumsum": _one_axis,
    "flip": lambda node: _but(node, _axes(node)),
    "pad": _pad,
    "windows": lambda node: _but(node, _axes(node)),
    "overlap_add": lambda node: [
        [
            a if a < len(node.array.shape) and a not in _axes(node) else None
            for a in range(len(node.inputs[0].array.shape))
        ]
    ],
    "prod_others": lambda node: _but(node, _axes(node)),
    **dict.fromkeys(
        ("any_over", "all_over", "argmax_over", "argmin_over"),
        _reduced,
    ),
    **dict.fromkeys(("prod_over", "max_over", "min_over", "logsumexp"), _reduced),
    **dict.fromkeys(("det", "inv", "cholesky", "cofactor", "tril"), _matrix),
    "solve": _solve,
    "solve_triangular": _solve,
}

# The operands in which an op is linear: zeros in them, but for what others say, give zeros.
LINEAR: Mapping[str, Callable[[Node], Sequence[int]]] = {
    **dict.fromkeys(_MAPS, lambda node: ()),
    **dict.fromkeys(
        ("take", "put", "concat", "cumsum", "flip", "pad", "windows", "overlap_add", "tril"),
        lambda node: range(len(node.inputs)),
    ),
    **dict.fromkeys(("prod_others", "cofactor"), lambda node: range(1, len(node.inputs))),
}
