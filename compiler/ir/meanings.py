"""What the structural ops mean, on NumPy arrays of floats, ints, bools or exact numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import combinations, product
from operator import add
from typing import Any

import numpy as np

from mgrad.compiler.ir import matrices
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim

Sizes = Mapping[str, int]


def shape_of(node: Node, sizes: Sizes) -> tuple[int, ...]:
    return tuple(d.evaluate(sizes) for d in node.array.shape)


def scalar(x: Any) -> Any:
    """A number for an array without axes."""
    return x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x


def _axes(node: Node, key: str = "axes") -> tuple[int, ...]:
    axes = node.attribute(key)
    assert isinstance(axes, tuple)
    return axes


def _numbers(node: Node, key: str, sizes: Sizes) -> list[int]:
    return [Dim.of(d).evaluate(sizes) for d in _axes(node, key)]


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, xs, sizes: function(xs[0], axis=_axes(node))


def _broadcast(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    return np.broadcast_to(np.expand_dims(xs[0], _axes(node)), shape_of(node, sizes))


def _arange(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    start = node.attribute("start")
    assert isinstance(start, Dim)
    return np.arange(shape_of(node, sizes)[0]) + start.evaluate(sizes)


def _size(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    dim = node.attribute("dim")
    assert isinstance(dim, Dim)
    return dim.evaluate(sizes)


def _prod_others(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    """Products before each place and after it, as polynomials in one nilpotent a direction: for
    each set of directions the coefficient of their product."""
    axes = _axes(node)
    ends = tuple(range(-len(axes), 0))
    moved = [np.moveaxis(np.asarray(x), axes, ends) for x in xs]
    shape = moved[0].shape
    lead = len(shape) - len(axes)
    flat = [m.reshape((*shape[:lead], math.prod(shape[lead:]))) for m in moved]
    before, after = _exclusive(flat, False), _exclusive(flat, True)
    every = frozenset(range(1, len(flat)))
    total = reduce(add, (before[part] * after[every - part] for part in before))
    return np.moveaxis(np.asarray(total).reshape(shape), ends, axes)


def _exclusive(flat: Sequence[Any], reverse: bool) -> dict[frozenset[int], Any]:
    """For each set of directions, the coefficient in the product of all before each place."""
    x: Any = flat[0]
    count = len(flat) - 1
    subsets = [frozenset(c) for k in range(count + 1) for c in combinations(range(1, count + 1), k)]
    found = {part: np.zeros_like(x) for part in subsets}
    zero = np.zeros_like(x[..., :0].sum(axis=-1))
    running = {part: zero + (1 if not part else 0) for part in subsets}
    places = range(x.shape[-1])
    for i in reversed(places) if reverse else places:
        for part in subsets:
            found[part][..., i] = running[part]
        running = {
            part: running[part] * x[..., i]
            + sum(running[part - {k}] * flat[k][..., i] for k in part)
            for part in subsets
        }
    return found


def _logsumexp(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    x = np.asarray(xs[0])
    if x.dtype != object or not x.size:
        return np.logaddexp.reduce(x.astype(float), axis=_axes(node))
    context = x.flat[0].context  # exact numbers bring their own functions
    exp, log = np.frompyfunc(context.exp, 1, 1), np.frompyfunc(context.log, 1, 1)
    return log(np.sum(exp(x), axis=_axes(node)))


def _softmax(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    total = _logsumexp(node, xs, sizes)
    difference = xs[0] - np.expand_dims(total, _axes(node))
    if difference.dtype != object or not difference.size:
        return np.exp(difference.astype(float))
    return np.frompyfunc(difference.flat[0].context.exp, 1, 1)(difference)


def _cumsum(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    if not node.attribute("reverse"):
        return np.cumsum(xs[0], axis=axis)
    return np.flip(np.cumsum(np.flip(xs[0], axis), axis=axis), axis)


class _Places:
    """What the `items` of a `take` or a `put` mean: a basic index, then int arrays."""

    def __init__(self, node: Node, ints: Sequence[Any], sizes: Sizes) -> None:
        items: Any = node.attribute("items")
        self.basic: list[Any] = []
        by: list[tuple[int, Any]] = []  # axes of what the basic index leaves
        for item in items:
            if item[0] == "at":
                self.basic.append(item[1].evaluate(sizes))
                continue
            if item[0] == "by":
                by.append((len(self.basic) - sum(isinstance(b, int) for b in self.basic), item[1]))
            if item[0] == "slice":
                start, stop = item[1].evaluate(sizes), item[2].evaluate(sizes)
                self.basic.append(slice(start, None if stop < 0 else stop, item[3]))
            else:
                self.basic.append(slice(None))
        self.axes = [axis for axis, _ in by]
        self.index = tuple(np.broadcast_arrays(*(np.asarray(ints[k], int) for _, k in by)))
        arrays = [axis for axis, k in by if np.ndim(ints[k])]
        # the axes of the int arrays come where the first stands, less the axes that go before it
        self.rank = self.index[0].ndim if by else 0
        self.place = arrays[0] - sum(a < arrays[0] for a in self.axes) if arrays else 0

    def part(self, x: Any) -> Any:
        """The basic part of x, its gathered axes first: a view."""
        view = x[tuple(self.basic)] if self.basic else x
        return np.moveaxis(view, self.axes, range(len(self.axes)))

    def come_out(self, x: Any) -> Any:
        """With the axes of the int arrays from the front to their place."""
        return np.moveaxis(x, range(self.rank), range(self.place, self.place + self.rank))

    def go_in(self, x: Any) -> Any:
        return np.moveaxis(x, range(self.place, self.place + self.rank), range(self.rank))


def _take(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    places = _Places(node, xs[1:], sizes)
    view = places.part(np.asarray(xs[0]))
    return scalar(places.come_out(view[places.index]) if places.axes else view)


def _put(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    places = _Places(node, xs[2:], sizes)
    whole = np.array(xs[0])
    view = places.part(whole)
    value = places.go_in(np.asarray(xs[1])) if places.axes else np.asarray(xs[1])
    index: Any = places.index if places.axes else ...
    if not places.axes and view.ndim == 0:  # a number, not a view of it
        index, view = tuple(places.basic), whole
    if node.attribute("adds"):
        np.add.at(view, index, value)
    else:
        view[index] = value
    return whole


def _concat(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    return np.concatenate(xs, axis=axis)


def _pad(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    widths = zip(_numbers(node, "before", sizes), _numbers(node, "after", sizes), strict=True)
    return np.pad(xs[0], list(widths))


def _windows_of(x: Any, node: Node, sizes: Sizes) -> Any:
    """A view of x, of the windows that a `windows` or an `overlap_add` means."""
    axes = _axes(node)
    view = np.lib.stride_tricks.sliding_window_view(
        x, _numbers(node, "sizes", sizes), axis=axes, writeable=True
    )
    steps = [slice(None)] * x.ndim
    for axis, stride in zip(axes, _numbers(node, "strides", sizes), strict=True):
        steps[axis] = slice(None, None, stride)
    return view[tuple(steps)]


def _windows(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    return np.array(_windows_of(np.array(xs[0]), node, sizes))


def _overlap_add(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    whole = np.zeros(shape_of(node, sizes), dtype=np.asarray(xs[0]).dtype)
    view = _windows_of(whole, node, sizes)
    count = len(_axes(node))
    for offset in product(*(range(n) for n in view.shape[view.ndim - count :])):
        view[(..., *offset)] += xs[0][(..., *offset)]
    return whole


def _contract(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    """np.einsum, which can read diagonals but not write them: those are written here."""
    operands, result = node.attribute("operands"), node.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    number = {i: n for n, i in enumerate(dict.fromkeys(i for one in operands for i in one))}
    distinct = tuple(dict.fromkeys(result))
    pairs: list[Any] = []
    for x, indices in zip(xs, operands, strict=True):
        pairs += [np.asarray(x), [number[i] for i in indices]]
    value = np.einsum(*pairs, [number[i] for i in distinct])
    if len(distinct) == len(result):
        return value if result else np.asarray(value).item()
    full = np.zeros(shape_of(node, sizes), dtype=np.asarray(value).dtype)
    grid = np.indices(np.shape(value))
    full[tuple(grid[distinct.index(i)] for i in result)] = value
    return full


def _cofactor(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    return matrices.cofactor(xs[0], xs[1:])


def _solve_triangular(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    a, lower = np.asarray(xs[0]), bool(node.attribute("lower"))
    if node.attribute("transposed"):
        a, lower = np.swapaxes(a, -1, -2), not lower
    return matrices.substituted(a, np.asarray(xs[1]), lower)


def _tril(node: Node, xs: list[Any], sizes: Sizes) -> Any:
    k = node.attribute("diagonal")
    assert isinstance(k, int)
    x = np.asarray(xs[0])
    rows, columns = x.shape[-2:]
    keep = np.tri(rows, columns, k, dtype=bool)
    return np.where(keep, x, np.zeros((), x.dtype))


MEANINGS: dict[str, Callable[[Node, list[Any], Sizes], Any]] = {
    "broadcast": _broadcast,
    "sum": _reduction(np.sum),
    "reshape": lambda node, xs, sizes: scalar(np.reshape(xs[0], shape_of(node, sizes))),
    "transpose": lambda node, xs, sizes: np.transpose(xs[0], _axes(node, "order")),
    "contract": _contract,
    "size": _size,
    "arange": _arange,
    "prod_over": _reduction(np.prod),
    "max_over": _reduction(np.max),
    "min_over": _reduction(np.min),
    "any_over": _reduction(np.any),
    "all_over": _reduction(np.all),
    "argmax_over": lambda node, xs, sizes: np.argmax(xs[0], axis=_axes(node)[0]),
    "argmin_over": lambda node, xs, sizes: np.argmin(xs[0], axis=_axes(node)[0]),
    "prod_others": _prod_others,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "cumsum": _cumsum,
    "take": _take,
    "put": _put,
    "concat": _concat,
    "flip": lambda node, xs, sizes: np.flip(xs[0], _axes(node)),
    "pad": _pad,
    "windows": _windows,
    "overlap_add": _overlap_add,
    "det": lambda node, xs, sizes: matrices.det(xs[0]),
    "cofactor": _cofactor,
    "inv": lambda node, xs, sizes: matrices.inv(xs[0]),
    "solve": lambda node, xs, sizes: matrices.solve(xs[0], xs[1]),
    "solve_triangular": _solve_triangular,
    "cholesky": lambda node, xs, sizes: matrices.cholesky(xs[0]),
    "tril": _tril,
}


def elementwise_call(
    function: Callable[[Sequence[Any]], tuple[Any, ...]], xs: Sequence[Any]
) -> tuple[Any, ...]:
    """A function of scalars, mapped over arrays of one shape."""
    shape = np.shape(xs[0])
    rows = [function([scalar(np.asarray(x)[place]) for x in xs]) for place in np.ndindex(shape)]
    if not rows:
        count = len(function([1.0] * len(xs)))
        return tuple(np.zeros(shape) for _ in range(count))
    return tuple(np.array(column).reshape(shape) for column in zip(*rows, strict=True))


def joined(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs: reduce(function, xs)
