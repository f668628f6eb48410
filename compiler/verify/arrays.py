"""NumPy for text that is followed: arrays of traced values, element by element.

What only moves elements is NumPy's own; what computes is written here with the operations of
traced values. Linear algebra is its textbook formula (`verify.elements`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import index
from typing import Any

import numpy as np

from mgrad.compiler.verify import elements
from mgrad.compiler.verify.elements import Arithmetic

Function = Callable[..., Any]


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def objects(x: Any) -> Any:
    """The array with its elements as objects, so that traced values may stand beside them."""
    if isinstance(x, np.ndarray):
        return x if x.dtype == object else _plain(x)
    if isinstance(x, list | tuple):
        parts = [objects(p) for p in x]
        if any(is_array(p) for p in parts):
            return np.stack([np.asarray(p, dtype=object) for p in parts])
        return elements.filled((len(parts),), parts)
    return x


def _plain(x: Any) -> Any:
    return elements.filled(x.shape, [e.item() for e in x.reshape(-1)]) if x.shape else x.item()


def _bare(x: Any) -> Any:
    """An element for an array of no axes."""
    return x[()] if isinstance(x, np.ndarray) and not x.shape else x


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    given = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(sorted(a % x.ndim for a in given))


def reduction(join: Callable[[list[Any]], Any]) -> Function:
    """A reduction of NumPy's, with `axis` and `keepdims`."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = objects(x)
        if not is_array(x):
            return join([x])
        axes = _axes(x, axis)
        value = elements.reduced(x, axes, join)
        if keepdims:
            shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
            return elements.filled(shape, elements.flat(value))
        return value

    return reduced


def contraction(a: Arithmetic, spec: str, *xs: Any) -> Any:
    """np.einsum, by its definition; a diagonal is a view."""
    if len(xs) == 1 and is_array(xs[0]) and xs[0].dtype == object:
        own, _, kept = spec.partition("->")
        if set(own) == set(kept):
            return np.einsum(spec, xs[0])
    sides, _, result = spec.replace(" ", "").partition("->")
    operands = sides.split(",")
    xs = tuple(objects(x) for x in xs)
    sizes = {
        i: n
        for x, one in zip(xs, operands, strict=True)
        for i, n in zip(one, elements.shape_of(x), strict=True)
    }
    gone = [i for i in sizes if i not in result]
    shape = tuple(sizes[i] for i in result)
    out = []
    for place in np.ndindex(*shape):
        terms = []
        for inner in itertools.product(*(range(sizes[i]) for i in gone)):
            at = dict(zip(result, place, strict=True)) | dict(zip(gone, inner, strict=True))
            factors = [
                x[tuple(at[i] for i in one)] if one else x
                for x, one in zip(xs, operands, strict=True)
            ]
            terms.append(reduce(a.mul, factors))
        out.append(elements.folded(a, "add", terms, 0))
    return elements.filled(shape, out)


def matmul(a: Arithmetic, x: Any, y: Any) -> Any:
    x, y = objects(x), objects(y)
    if x.ndim == 1 and y.ndim == 1:
        return contraction(a, "i,i->", x, y)
    if x.ndim == 1:
        return (
            contraction(a, "i,ij->j", x, y) if y.ndim == 2 else matmul(a, x[None, :], y)[..., 0, :]
        )
    if y.ndim == 1:
        return matmul(a, x, y[:, None])[..., 0]
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x = np.broadcast_to(x, (*lead, *x.shape[-2:]))
    y = np.broadcast_to(y, (*lead, *y.shape[-2:]))
    out = np.empty((*lead, x.shape[-2], y.shape[-1]), dtype=object)
    for place in np.ndindex(*lead):
        out[place] = contraction(a, "ij,jk->ik", x[place], y[place])
    return out


def triangular(a: Arithmetic, m: Any, b: Any, lower: bool, transposed: bool) -> Any:
    """x with m @ x = b, or m.T @ x = b, of one triangle of m: substitution row by row."""
    m = m.T if transposed else m
    n = len(m)
    is_lower = lower != transposed
    columns = b.reshape(n, -1)
    out = np.empty(columns.shape, dtype=object)
    for c in range(columns.shape[1]):
        for i in range(n) if is_lower else range(n - 1, -1, -1):
            rest = columns[i, c]
            for j in range(i) if is_lower else range(i + 1, n):
                rest = a.sub(rest, a.mul(m[i, j], out[j, c]))
            out[i, c] = a.div(rest, m[i, i])
    return out.reshape(b.shape)


def namespace(a: Arithmetic, join: Callable[[str, list[Any]], Any]) -> Mapping[str, Function]:
    """NumPy's functions of arrays by name; `join` is that of `Elements`."""

    def moves(function: Function) -> Function:
        def moved(x: Any, *more: Any, **keywords: Any) -> Any:
            keywords.pop("dtype", None)
            return _bare(function(_object_array(x), *more, **keywords))

        return moved

    def joins(function: Function) -> Function:
        def joined(xs: Any, axis: int = 0) -> Any:
            return function([_object_array(x) for x in xs], axis=axis)

        return joined

    def made(value: Any) -> Function:
        def fill(shape: Any, *_: Any, dtype: Any = float) -> Any:
            shape = _shape(shape)
            return elements.filled(shape, [value] * int(np.prod(shape, dtype=int)))

        return fill

    def full(shape: Any, value: Any, **_: Any) -> Any:
        return np.broadcast_to(_object_array(value), _shape(shape)).copy()

    def diag(x: Any) -> Any:
        x = objects(x)
        if x.ndim == 2:
            return np.diagonal(x)
        out = full((len(x), len(x)), 0)
        for i, e in enumerate(x):
            out[i, i] = e
        return out

    def cumsum(x: Any, axis: int = 0) -> Any:
        out = objects(x).copy()
        moved = np.moveaxis(out, axis, 0)
        for k in range(1, len(moved)):
            moved[k] = elements.mapped(a.add, moved[k - 1], moved[k])
        return out

    def tril(x: Any, k: int = 0) -> Any:
        out = objects(x).copy()
        for i in range(out.shape[-2]):
            for j in range(max(0, i + k + 1), out.shape[-1]):
                out[..., i, j] = 0
        return out

    def eye(n: int, m: int | None = None, **_: Any) -> Any:
        return objects(np.eye(index(n), None if m is None else index(m)))

    return {
        "sum": reduction(lambda xs: join("sum", xs)),
        "prod": reduction(lambda xs: join("prod", xs)),
        "max": reduction(lambda xs: join("max", xs)),
        "min": reduction(lambda xs: join("min", xs)),
        "amax": reduction(lambda xs: join("max", xs)),
        "amin": reduction(lambda xs: join("min", xs)),
        "argmax": reduction(lambda xs: elements.place_of(a, "gt", xs)),
        "argmin": reduction(lambda xs: elements.place_of(a, "lt", xs)),
        "any": reduction(lambda xs: join("any", xs)),
        "all": reduction(lambda xs: join("all", xs)),
        "mean": reduction(lambda xs: a.div(join("sum", xs), len(xs))),
        "broadcast_to": moves(np.broadcast_to),
        "reshape": moves(np.reshape),
        "transpose": moves(np.transpose),
        "ascontiguousarray": objects,
        "moveaxis": moves(np.moveaxis),
        "squeeze": moves(np.squeeze),
        "expand_dims": moves(np.expand_dims),
        "flip": moves(np.flip),
        "diagonal": moves(np.diagonal),
        "array": lambda x, **_: objects(x),
        "concatenate": joins(np.concatenate),
        "stack": joins(np.stack),
        "zeros": made(0),
        "ones": made(1),
        "empty": made(None),
        "full": full,
        "zeros_like": lambda x, **_: full(elements.shape_of(x), 0),
        "ones_like": lambda x, **_: full(elements.shape_of(x), 1),
        "eye": eye,
        "arange": lambda *bounds, **_: objects(np.arange(*map(index, bounds))),
        "diag": diag,
        "trace": lambda x: join("sum", list(np.diagonal(objects(x)))),
        "tril": tril,
        "cumsum": cumsum,
        "einsum": lambda spec, *xs, **_: contraction(a, spec, *xs),
        "matmul": lambda x, y: matmul(a, x, y),
        "dot": lambda x, y: matmul(a, x, y),
        "outer": lambda x, y: contraction(a, "i,j->ij", x, y),
        "vecdot": lambda x, y: matmul(a, objects(x)[..., None, :], objects(y)[..., :, None])[
            ..., 0, 0
        ],
        "vdot": lambda x, y: contraction(
            a, "i,i->", objects(x).reshape(-1), objects(y).reshape(-1)
        ),
    }


def linear_algebra(a: Arithmetic) -> Mapping[str, Function]:
    """The runtime's functions of matrices, and NumPy's of the same name."""

    def matrices(function: Function, rank: int) -> Function:
        return lambda *xs: elements.over_matrices(function, rank, *(objects(x) for x in xs))

    def solve(m: Any, b: Any) -> Any:
        return elements.product(a, elements.inverse(a, m), b)

    def batched(function: Function) -> Function:
        def over(m: Any, b: Any, **keywords: Any) -> Any:
            m, b = objects(m), objects(b)
            lead = m.shape[:-2]
            if not lead:
                return function(m, b, **keywords)
            out = np.empty(b.shape, dtype=object)
            for place in np.ndindex(*lead):
                out[place] = function(m[place], b[place], **keywords)
            return out

        return over

    def cofactor(m: Any, *along: Any) -> Any:
        """The cofactors, or their derivative along each of some directions, one after another."""
        m, directions = objects(m), [objects(d) for d in along]
        return elements.over_matrices(
            lambda x, *ds: elements.mixed(a, elements.cofactors, x, ds),
            2,
            *np.broadcast_arrays(m, *directions),
        )

    def solve_triangular(m: Any, b: Any, lower: bool = False, transposed: bool = False) -> Any:
        return triangular(a, m, b, lower, transposed)

    return {
        "det": matrices(lambda m: elements.determinant(a, m), 0),
        "inv": matrices(lambda m: elements.inverse(a, m), 2),
        "cofactor": cofactor,
        "cholesky": matrices(lambda m: elements.cholesky(a, m), 2),
        "solve": batched(solve),
        "solve_triangular": batched(solve_triangular),
    }


def runtime(a: Arithmetic, join: Callable[[str, list[Any]], Any]) -> Mapping[str, Function]:
    """The runtime's functions of arrays, by name."""

    def replaced(x: Any, where: Any, values: Any) -> Any:
        out = objects(x).copy()
        out[_index(where)] = objects(values)
        return out

    def added(x: Any, where: Any, values: Any) -> Any:
        out = objects(x).copy()
        add_at(out, where, values)
        return out

    def add_at(out: Any, where: Any, values: Any) -> None:
        grid = np.arange(out.size).reshape(out.shape)[_index(where)]
        parts = np.broadcast_to(_object_array(values), grid.shape).reshape(-1)
        for rank, value in zip(grid.reshape(-1), parts, strict=True):
            place = np.unravel_index(rank, out.shape)
            out[place] = a.add(out[place], value)

    def gathered(x: Any, where: Any, axis: int) -> Any:
        return np.take(objects(x), _index(where), axis=index(axis))

    def picked(x: Any, where: Any) -> Any:
        items = where if isinstance(where, tuple) else (where,)
        at = [axis for axis, item in enumerate(items) if not isinstance(item, slice)]
        found = objects(x)[_index(items)]
        if at[-1] - at[0] < len(at):
            return found
        rank = max(np.ndim(items[axis]) for axis in at)  # NumPy has their axes in front
        return np.moveaxis(found, range(rank), range(at[0], at[0] + rank))

    def planned(*_: Any, **plan: Any) -> tuple[Any, ...]:
        """Memory with nothing in it; names for one place share it, as they do in the runtime."""
        made: dict[str, Any] = {}
        for name, item in plan.items():
            if isinstance(item, str):
                made[name] = made[item]
            elif isinstance(item, range):
                made[name] = np.array(item, dtype=int)
            else:
                made[name] = np.empty(_shape(item[0] if callable(item[-1]) else item), dtype=object)
        return tuple(made.values())

    def padded(x: Any, *sides: Any) -> Any:
        x = objects(x)
        widths = [(index(before), index(after)) for before, after in sides]
        shape = tuple(
            n + before + after for n, (before, after) in zip(x.shape, widths, strict=True)
        )
        out = elements.filled(shape, [0] * int(np.prod(shape, dtype=int)))
        out[tuple(slice(b, b + n) for n, (b, _) in zip(x.shape, widths, strict=True))] = x
        return out

    def on_diagonal(x: Any, places: Any) -> Any:
        x = objects(x)
        shape = tuple(x.shape[p] for p in places)
        out = elements.filled(shape, [0] * int(np.prod(shape, dtype=int)))
        for place in np.ndindex(*x.shape):
            out[tuple(place[p] for p in places)] = x[place]
        return out

    def prod_others(x: Any, axes: Any, *along: Any, scratch: Any = None) -> Any:
        arrays = np.broadcast_arrays(*(objects(y) for y in (x, *along)))
        return elements.mixed(a, lambda b, y: others(b, y, axes), arrays[0], arrays[1:])

    def others(b: Arithmetic, x: Any, axes: Any) -> Any:
        out = np.empty(x.shape, dtype=object)
        kept = [k for k in range(x.ndim) if k not in axes]
        for place in np.ndindex(*x.shape):
            rest = [
                x[p]
                for p in np.ndindex(*x.shape)
                if p != place and all(p[k] == place[k] for k in kept)
            ]
            out[place] = elements.folded(b, "mul", rest, 1)
        return out

    def softmax(x: Any, axes: Any, totals: Any = None) -> Any:
        total = np.expand_dims(_object_array(logsumexp(x, axes)), tuple(axes))
        difference = elements.mapped(a.sub, x, np.broadcast_to(total, x.shape))
        return elements.mapped(lambda e: a.op("exp", (e,)), difference)

    def logsumexp(
        x: Any, axes: Any, soft: Any = None, block: Any = None, totals: Any = None
    ) -> Any:
        exps = elements.mapped(lambda e: a.op("exp", (e,)), objects(x))
        total = reduction(lambda xs: join("sum", xs))(exps, axis=tuple(axes))
        return elements.mapped(lambda e: a.op("log", (e,)), total)

    def share(x: Any, extreme: Any, axes: Any) -> Any:
        x = objects(x)
        wide = np.broadcast_to(np.expand_dims(_object_array(extreme), tuple(axes)), x.shape)
        ties = elements.mapped(lambda p, q: a.op("where", (a.op("eq", (p, q)), 1, 0)), x, wide)
        count = reduction(lambda xs: join("sum", xs))(ties, axis=tuple(axes), keepdims=True)
        return elements.mapped(a.div, ties, count)

    def windows(x: Any, sizes: Any, strides: Any, axes: Any) -> Any:
        x = objects(x)
        shape = list(x.shape)
        for axis, size, stride in zip(axes, sizes, strides, strict=True):
            shape[axis] = (x.shape[axis] - size) // stride + 1
        out = np.empty((*shape, *sizes), dtype=object)
        for place in np.ndindex(*out.shape):
            out[place] = x[_window(place, x.ndim, axes, strides)]
        return out

    def overlap_add(w: Any, shape: Any, strides: Any, axes: Any) -> Any:
        w, shape = objects(w), _shape(shape)
        rank = w.ndim - len(axes)
        out = elements.filled(shape, [0] * int(np.prod(shape, dtype=int)))
        for place in np.ndindex(*w.shape):
            at = _window(place, rank, axes, strides)
            out[at] = a.add(out[at], w[place])
        return out

    def blocks(rows: Any, width: Any) -> list[slice]:
        """Two blocks, so that a loop is followed as one."""
        n = index(rows)
        return [slice(0, 1), slice(1, n)] if n > 1 else [slice(0, n)]

    return {
        "divide": a.div,
        "power": lambda x, y: a.op("pow", (x, y)),
        "blocks": blocks,
        "planned_blocks": blocks,
        "height": lambda rows, width: index(rows),
        "planned": planned,
        "inside": lambda work, place: None,
        "add_at": add_at,
        "outer": lambda x, y: contraction(a, "i,j->ij", x, y),
        "gathered": gathered,
        "picked": picked,
        "replaced": replaced,
        "added": added,
        "on_diagonal": on_diagonal,
        "padded": padded,
        "prod_others": prod_others,
        "logsumexp": logsumexp,
        "softmax": softmax,
        "share": share,
        "windows": windows,
        "overlap_add": overlap_add,
        **linear_algebra(a),
    }


def _window(
    place: Sequence[int], rank: int, axes: Sequence[int], strides: Sequence[int]
) -> tuple[int, ...]:
    """Where an element of a window lies in the array."""
    at = list(place[:rank])
    for axis, stride, inner in zip(axes, strides, place[rank:], strict=True):
        at[axis] = place[axis] * stride + inner
    return tuple(at)


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(map(index, shape if isinstance(shape, tuple) else (shape,)))


def _object_array(x: Any) -> Any:
    x = objects(x)
    if is_array(x):
        return x
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def _index(where: Any) -> Any:
    """An index with plain ints where arrays of objects hold them."""
    if isinstance(where, tuple):
        return tuple(_index(i) for i in where)
    return where.astype(int) if is_array(where) else where
