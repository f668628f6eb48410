"""Parts of arrays, and arrays of parts: `take`, `put`, `concat`, `flip`, `pad`; `size`, `arange`.

`items` of `take` and `put` say which places of each axis of x are meant, one item an axis:

    ("all",)                       every place
    ("slice", start, stop, step)   start, start + step, … before stop; start and stop are Dims
    ("at", position)               one place, a Dim; the axis goes
    ("by", k)                      the places that the k-th int operand says

Positions count from 0; with a negative step `stop` may be -1, which is before the first place. An
int operand is a scalar (the axis goes) or an array; only in an array does -1 count from the end.
Int arrays are of one shape; they walk together (scalars beside them stay), and their axes
come out where the first int array stands. That is NumPy's result where the indexed axes are
neighbours; where they are not, NumPy would move them to the front, which is not done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import INT, Dim, Shape, Type
from mgrad.compiler.ops.compare import eq
from mgrad.compiler.ops.op import select
from mgrad.compiler.ops.structural import (
    RULES,
    TYPES,
    Attributes,
    Rule,
    build,
    first,
    require,
    reshape,
    same,
    without,
    zeros,
)

Item = tuple[Any, ...]
Items = tuple[Item, ...]
Size = int | str | Dim
ALL: Item = ("all",)


def slice_item(start: Size, stop: Size, step: int = 1) -> Item:
    return ("slice", Dim.of(start), Dim.of(stop), step)


def at_item(position: Size) -> Item:
    return ("at", Dim.of(position))


def slice_length(start: Dim, stop: Dim, step: int) -> Dim:
    """How many places a slice has; start is not behind stop."""
    if step > 0:
        return (stop - start + (step - 1)) // step
    return (start - stop - (step + 1)) // -step


def size(pool: Pool, dim: Size) -> Node:
    """A dimension as an int."""
    dim = Dim.of(dim)
    if dim.constant is not None:
        return pool.constant(dim.constant, INT)
    return pool.make("size", (), INT, dim=dim)


def arange(pool: Pool, count: Size, start: Size = 0) -> Node:
    """The ints start, start + 1, …, `count` of them."""
    return pool.make("arange", (), Type("int", (Dim.of(count),)), start=Dim.of(start))


def take(x: Node, items: Items, ints: Sequence[Node] = ()) -> Node:
    """The places of x that `items` say."""
    if all(item == ALL for item in items):
        return x
    return build("take", (x, *ints), items=items)


def put(x: Node, v: Node, items: Items, ints: Sequence[Node] = (), adds: bool = False) -> Node:
    """x with those places set to v, or with v added to them.

    A place that is meant more than once gets the last value, or the sum.
    """
    if all(item == ALL for item in items):
        return x + v if adds else v
    return build("put", (x, v, *ints), items=items, adds=adds)


def concat(xs: Sequence[Node], axis: int) -> Node:
    """The arrays one after the other along an axis that all have."""
    return xs[0] if len(xs) == 1 else build("concat", xs, axis=axis)


def flip(x: Node, axes: Sequence[int]) -> Node:
    """x backwards along `axes`."""
    return build("flip", (x,), axes=tuple(sorted(axes))) if axes else x


def pad(x: Node, before: Sequence[Size], after: Sequence[Size]) -> Node:
    """x with so many zeros before and after it along each axis."""
    low, high = tuple(map(Dim.of, before)), tuple(map(Dim.of, after))
    if all(d.constant == 0 for d in (*low, *high)):
        return x
    return build("pad", (x,), before=low, after=high)


def _arrays(items: Items, ints: Sequence[Type]) -> Shape | None:
    """The shape of the int arrays, None if there is none."""
    shapes = [ints[item[1]].shape for item in items if item[0] == "by"]
    arrays = [s for s in shapes if s]
    require(all(s == arrays[0] for s in arrays), f"int arrays of unlike shapes {arrays}")
    return arrays[0] if arrays else None


def taken_shape(shape: Shape, items: Items, ints: Sequence[Type]) -> Shape:
    """The shape of what `items` mean of an array."""
    require(len(items) == len(shape), f"{len(items)} items for {len(shape)} axes")
    require(all(t.dtype == "int" for t in ints), f"indices {ints}")
    together = _arrays(items, ints)
    result: list[Dim] = []
    for dim, item in zip(shape, items, strict=True):
        if item[0] == "all":
            result.append(dim)
        elif item[0] == "slice":
            result.append(slice_length(*item[1:]))
        elif item[0] == "by" and ints[item[1]].shape and together is not None:
            result += together
            together = None
        else:
            require(item[0] in ("at", "by"), f"item {item}")
    return tuple(result)


def _items(node: Node) -> Items:
    items = node.attribute("items")
    assert isinstance(items, tuple)
    return items


def _scatter(d: Node, shape: Shape, items: Items, ints: Sequence[Node]) -> Node:
    """The adjoint of `take`: zeros of the shape, with d added at the places."""
    if all(item == ALL or (item[0] == "slice" and item[3] == 1) for item in items):
        whole = [slice_item(0, dim) for dim in shape]
        bounds = [w if i == ALL else i for w, i in zip(whole, items, strict=True)]
        after = [dim - item[2] for dim, item in zip(shape, bounds, strict=True)]
        return pad(d, [item[1] for item in bounds], after)
    repeats = _arrays(items, [i.array for i in ints]) is not None
    return put(zeros(d, shape), d, items, ints, adds=repeats)


def _take_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    x, *ints = node.inputs
    return [_scatter(d, x.array.shape, _items(node), ints), *(None for _ in ints)]


def _take_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    return take(first(tangents), _items(node), node.inputs[1:])


def _put_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    _, v, *ints = node.inputs
    items, adds = _items(node), node.attribute("adds")
    rest = d if adds else put(d, zeros(v), items, ints)
    by_v: Node | None = None
    if wanted[1]:
        by_v = take(d, items, ints)
        if not adds and _arrays(items, [i.array for i in ints]) is not None:
            by_v = select(_is_last(node), by_v, 0)
    return [rest if wanted[0] else None, by_v, *(None for _ in ints)]


def _is_last(node: Node) -> Node:
    """Which elements of v stay, where several were put to one place: number them and look."""
    x, v, *ints = node.inputs
    count = Dim.of(1)
    for d in v.array.shape:
        count = count * d
    number = reshape(arange(v.pool, count), v.array.shape)
    blank = v.pool.constant(0, Type("int", x.array.shape))
    return eq(take(put(blank, number, _items(node), ints), _items(node), ints), number)


def _put_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    x, v, *ints = node.inputs
    moved = (tangents[0] or zeros(x), tangents[1] or zeros(v))
    return put(*moved, _items(node), ints, bool(node.attribute("adds")))


def _concat_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    start = Dim.of(0)
    terms: list[Node | None] = []
    for k, x in enumerate(node.inputs):
        stop = start + x.array.shape[axis]
        items = [ALL] * len(x.array.shape)
        items[axis] = slice_item(start, stop)
        terms.append(take(d, tuple(items)) if wanted[k] else None)
        start = stop
    return terms


def _concat_jvp(node: Node, tangents: Sequence[Node | None]) -> Node:
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    pairs = zip(tangents, node.inputs, strict=True)
    return concat([t if t is not None else zeros(x) for t, x in pairs], axis)


def _flip_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return [flip(d, axes)]


def _pad_vjp(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    before = node.attribute("before")
    assert isinstance(before, tuple)
    items = tuple(
        ALL if whole == dim else slice_item(low, low + dim)
        for low, dim, whole in zip(before, node.inputs[0].array.shape, d.array.shape, strict=True)
    )
    return [take(d, items)]


def _none(node: Node, d: Node, wanted: Sequence[bool]) -> list[Node | None]:
    return []


RULES.update(
    {
        "size": Rule(_none, same, True),
        "arange": Rule(_none, same, True),
        "take": Rule(_take_vjp, _take_jvp, True),
        "put": Rule(_put_vjp, _put_jvp, True),
        "concat": Rule(_concat_vjp, _concat_jvp, True),
        "flip": Rule(_flip_vjp, same, True),
        "pad": Rule(_pad_vjp, same, True),
    }
)


def _size_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    require(not types and isinstance(attributes["dim"], Dim), "a size is of a Dim")
    return INT


def _arange_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    assert claimed is not None
    require(not types and isinstance(attributes["start"], Dim), "an arange starts at a Dim")
    require(claimed.dtype == "int" and len(claimed.shape) == 1, f"an arange of {claimed}")
    return claimed


def _take_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    x, *ints = types
    return Type(x.dtype, taken_shape(x.shape, attributes["items"], ints))


def _put_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    x, v, *ints = types
    shape = taken_shape(x.shape, attributes["items"], ints)
    require(v == Type(x.dtype, shape), f"{v} for places {shape} of {x}")
    return x


def _concat_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    axis = attributes["axis"]
    rest = {(t.dtype, without(t.shape, (axis,))) for t in types}
    require(len(rest) == 1, f"{[str(t) for t in types]} along {axis}")
    shape = list(types[0].shape)
    for other in types[1:]:
        shape[axis] = shape[axis] + other.shape[axis]
    return Type(types[0].dtype, tuple(shape))


def _flip_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    without(types[0].shape, attributes["axes"])
    return types[0]


def _pad_type(types: Sequence[Type], attributes: Attributes, claimed: Type | None) -> Type:
    (x,), before, after = types, attributes["before"], attributes["after"]
    require(len(before) == len(after) == len(x.shape), f"{before}, {after} for {x}")
    return Type(x.dtype, tuple(b + d + a for b, d, a in zip(before, x.shape, after, strict=True)))


TYPES.update(
    {
        "size": _size_type,
        "arange": _arange_type,
        "take": _take_type,
        "put": _put_type,
        "concat": _concat_type,
        "flip": _flip_type,
        "pad": _pad_type,
    }
)
