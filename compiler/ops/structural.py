"""Ops that move between shapes: `broadcast`, `sum`, `reshape`, `transpose`, `contract`.

All are linear in each operand. Axes are counted from 0; sizes are polynomials (`ir.types.Dim`).
RULES says how a structural op is differentiated, TYPES what type it gives; `reductions`,
`indexing`, `windows` and `linalg` enter theirs.

contract(*xs; operands, result), of reals or of ints: the lists name the index of each axis. With n
over all indices, `out[result(n)] += prod_k xs[k][operands[k](n)]`, 0 elsewhere. A list may repeat
an index: in an operand that reads the diagonal, in the result it writes it. So the adjoint is a
contract too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Shape, Type

Indices = tuple[int, ...]
Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a structural op is differentiated: vjp(node, d, wanted), jvp(node, tangents)."""

    vjp: Callable[[Node, Node, Sequence[bool]], list[Node | None]]
    jvp: Callable[[Node, Sequence[Node | None]], Node]
    is_linear: bool  # a zero cotangent gives a zero term


RULES: dict[str, Rule] = {}

# (the operands' types, the attributes, the type that the node has) -> the type that it must have;
# a ValueError says what does not fit. Where operands and attributes do not say it all
# (`reshape`), the claimed type is given back if it may be.
TYPES: dict[str, Callable[[Sequence[Type], Attributes, Type | None], Type]] = {}


def build(op: str, inputs: Sequence[Node], **attributes: object) -> Node:
    """The node of a structural op whose type follows from its operands."""
    type = TYPES[op]([i.array for i in inputs], attributes, None)
    return inputs[0].pool.make(op, inputs, type, **attributes)


def require(condition: bool, message: str) -> None:
    """Raise a ValueError: what makes a node gives it operands that do not fit."""
    if not condition:
        raise ValueError(message)


def zeros(like: Node, shape: Shape | None = None) -> Node:
    """A zero of the node's shape and dtype, or of another shape."""
    type = like.array if shape is None else Type(like.array.dtype, shape)
    return like.pool.constant(False, type)  # of a number's type this is 0


def first(items: Iterable[Node | None]) -> Node:
    """The one tangent of an op of one operand."""
    item = next(iter(items))
    assert item is not None
    return item


def broadcast(x: Node, shape: Shape, axes: Sequence[int]) -> Node:
    """x repeated along the new axes `axes` of the result, whose shape is `shape`."""
    added = tuple(sorted(axes))
    kept = tuple(d for i, d in enumerate(shape) if i not in added)
    assert kept == x.array.shape, f"broadcast of {x.type} to {[str(d) for d in shape]} at {added}"
    if not added:
        return x
    if x.op == "constant":
        return x.pool.constant(x.value, Type(x.array.dtype, tuple(shape)))
    return x.pool.make("broadcast", (x,), Type(x.array.dtype, tuple(shape)), axes=added)


def sum_axes(x: Node, axes: Sequence[int]) -> Node:
    """The sum over `axes`, which the result lacks."""
    gone = tuple(sorted(axes))
    assert all(0 <= a < len(x.array.shape) for a in gone) and len(set(gone)) == len(gone)
    if not gone:
        return x
    shape = tuple(d for i, d in enumerate(x.array.shape) if i not in gone)
    return x.pool.make("sum", (x,), Type(x.array.dtype, shape), axes=gone)


def reshape(x: Node, shape: Shape) -> Node:
    """The same values in row-major order; the sizes have one product."""
    assert _size(shape) == _size(x.array.shape), f"reshape of {x.type}"
    if x.op == "reshape":
        x = x.inputs[0]
    if shape == x.array.shape:
        return x
    if x.op == "constant":
        return x.pool.constant(x.value, Type(x.array.dtype, shape))
    return x.pool.make("reshape", (x,), Type(x.array.dtype, shape))


def transpose(x: Node, order: Sequence[int]) -> Node:
    """Axis i of the result is axis `order[i]` of x."""
    permutation = tuple(order)
    assert sorted(permutation) == list(range(len(x.array.shape))), f"transpose by {permutation}"
    if x.op == "transpose":
        permutation = tuple(_axes(x, "order")[i] for i in permutation)
        x = x.inputs[0]
    if permutation == tuple(range(len(permutation))):
        return x
    shape = tuple(x.array.shape[i] for i in permutation)
    return x.pool.make("transpose", (x,), Type(x.array.dtype, shape), order=permutation)


def contract(xs: Sequence[Node], operands: Sequence[Indices], result: Indices) -> Node:
    """The sum of products over the indices that the result lacks; see above."""
    return build("contract", xs, operands=tuple(operands), result=tuple(result))


def index_sizes(xs: Sequence[Node], operands: Sequence[Indices]) -> dict[int, Dim]:
    """The size of each index; operands must agree."""
    sizes: dict[int, Dim] = {}
    for x, indices in zip(xs, operands, strict=True):
        assert len(indices) == len(x.array.shape), f"{indices} for {x.type}"
        for index, size in zip(indices, x.array.shape, strict=True):
            assert sizes.setdefault(index, size) == size, f"index {index}: {sizes[index]}, {size}"
    return sizes


def _size(shape: Shape) -> Dim:
    total = Dim.of(1)
    for d in shape:
        total = total * d
    return total


def contract_lists(node: Node) -> tuple[tuple[Indices, ...], Indices]:
    """The lists of indices of a `contract`: of its operands, of its result."""
    operands, result = node.attribute("operands"), node.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    return operands, result


def _contract_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    operands, result = contract_lists(node)
    sizes = index_sizes(node.inputs, operands)
    terms: list[Node | None] = []
    for k, indices in enumerate(operands):
        if not wanted[k]:
            terms.append(None)
            continue
        others = [i for i in range(len(operands)) if i != k]
        xs = [d] + [node.inputs[i] for i in others]
        lists = [result] + [operands[i] for i in others]
        present = {i for one in lists for i in one}
        # an index of this operand alone was summed: its adjoint is the same all along it
        absent = [i for i in dict.fromkeys(indices) if i not in present]
        if absent and len(set(indices)) < len(indices):
            ones = d.pool.constant(1, Type("real", tuple(sizes[i] for i in absent)))
            terms.append(contract([*xs, ones], [*lists, tuple(absent)], indices))
            continue
        kept = tuple(i for i in indices if i not in absent)
        term = contract(xs, lists, kept)
        axes = [a for a, i in enumerate(indices) if i in absent]
        terms.append(broadcast(term, node.inputs[k].array.shape, axes))
    return terms


def _contract_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    operands, result = contract_lists(node)
    return reduce(add, _moved(node.inputs, tangents, lambda *xs: contract(xs, operands, result)))


def _axes(node: Node, key: str = "axes") -> tuple[int, ...]:
    axes = node.attribute(key)
    assert isinstance(axes, tuple)
    return axes


def _inverse(order: Sequence[int]) -> list[int]:
    return sorted(range(len(order)), key=lambda i: order[i])


def same(node: Node, tangents: Sequence[Node | None]) -> Node:
    """The tangent of an op that is linear in its one operand: the op again."""
    return node.pool.make(node.op, (first(tangents),), node.type, **dict(node.attributes))


RULES.update(
    {
        "mark": Rule(lambda node, d, wanted: [d], lambda node, ts: first(ts), True),
        "item": Rule(lambda node, d, wanted: [None], lambda node, ts: first(ts), True),
        "broadcast": Rule(lambda node, d, wanted: [sum_axes(d, _axes(node))], same, True),
        "sum": Rule(
            lambda node, d, wanted: [broadcast(d, node.inputs[0].array.shape, _axes(node))],
            same,
            True,
        ),
        "reshape": Rule(
            lambda node, d, wanted: [reshape(d, node.inputs[0].array.shape)],
            lambda node, ts: reshape(first(ts), node.array.shape),
            True,
        ),
        "transpose": Rule(
            lambda node, d, wanted: [transpose(d, _inverse(_axes(node, "order")))],
            lambda node, ts: transpose(first(ts), _axes(node, "order")),
            True,
        ),
        "contract": Rule(_contract_vjp, _contract_jvp, False),
    }
)


def _moved(
    xs: Sequence[Node], tangents: Sequence[Node | None], form: Callable[..., Node]
) -> list[Node]:
    """The terms of the tangent of a form that is linear in each of `xs`; no tangent, no term."""
    return [
        form(*xs[:k], tangent, *xs[k + 1 :])
        for k, tangent in enumerate(tangents)
        if tangent is not None
    ]


def each_moved(
    directions: Sequence[Node], tangents: Sequence[Node | None], derivative: Callable[..., Node]
) -> Node:
    """The tangent of a function of x and of directions, linear in each of these, whose derivative
    by x along dx is `derivative(*directions, dx)`, and `derivative(*directions)` the function.
    `tangents` are those of x, then of the directions; None is 0, and one at least is not."""
    tangent, *others = tangents
    by_x = [] if tangent is None else [derivative(*directions, tangent)]
    return reduce(add, by_x + _moved(directions, others, derivative))


def without(shape: Shape, axes: Sequence[int]) -> Shape:
    """The shape that a reduction leaves."""
    require(all(0 <= a < len(shape) for a in axes), f"axes {axes} of {len(shape)}")
    require(len(set(axes)) == len(axes), f"axes {axes}")
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def _broadcast_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    assert claimed is not None
    kept = without(claimed.shape, attributes["axes"])
    require(kept == types[0].shape, f"{types[0]} to {claimed} at {attributes['axes']}")
    return claimed


def _reshape_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    assert claimed is not None
    require(_size(types[0].shape) == _size(claimed.shape), f"{types[0]} as {claimed}")
    return claimed


def _transpose_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    (x,), order = types, attributes["order"]
    require(sorted(order) == list(range(len(x.shape))), f"{x} by {order}")
    return Type(x.dtype, tuple(x.shape[i] for i in order))


def _contract_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    operands, result = attributes["operands"], attributes["result"]
    dtype = types[0].dtype
    require(dtype != "bool", "a contraction of bools")
    require(all(t.dtype == dtype for t in types), "a contraction of ints and reals")
    require(len(operands) == len(types), f"{len(types)} operands, {len(operands)} lists")
    sizes: dict[int, Dim] = {}
    for type, indices in zip(types, operands, strict=True):
        require(len(indices) == len(type.shape), f"{indices} for {type}")
        for index, size in zip(indices, type.shape, strict=True):
            known = sizes.setdefault(index, size)
            require(known == size, f"index {index} is {known} and {size}")
    require(all(i in sizes for i in result), f"{operands} to {result}")
    return Type(dtype, tuple(sizes[i] for i in result))


TYPES.update(
    {
        "broadcast": _broadcast_type,
        "sum": lambda types, attributes, _: Type(
            types[0].dtype, without(types[0].shape, attributes["axes"])
        ),
        "reshape": _reshape_type,
        "transpose": _transpose_type,
        "contract": _contract_type,
    }
)
