"""The meaning of tensor forms, element by element.

An array is an object array of elements; what an element is, only `Arithmetic` knows: nodes of the
reference, or terms of the text that is followed. Every form is written here as its definition, with
loops, and shares nothing with the compiler's way to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from mgrad.compiler.ir.types import Dim
from mgrad.compiler.sema.program import Index, Value

Array = Any  # an element, or an object array of elements
LARGEST = 4  # rows of a matrix whose determinant is written out


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Operations on elements. `op(name, elements)` is an op of the table; `integer(element)` the
    int that an index is."""

    number: Callable[[Any], Any]
    op: Callable[[str, Sequence[Any]], Any]
    integer: Callable[[Any], int]

    def add(self, x: Any, y: Any) -> Any:
        return self.op("add", (x, y))

    def mul(self, x: Any, y: Any) -> Any:
        return self.op("mul", (x, y))

    def sub(self, x: Any, y: Any) -> Any:
        return self.op("sub", (x, y))

    def div(self, x: Any, y: Any) -> Any:
        return self.op("div", (x, y))


def filled(shape: Sequence[int], elements: Sequence[Any]) -> Array:
    """An array of these elements in row-major order; a bare element for no axes."""
    if not shape:
        return elements[0]
    array = np.empty(len(elements), dtype=object)
    array[:] = list(elements)
    return array.reshape(tuple(shape))


def shape_of(x: Array) -> tuple[int, ...]:
    return x.shape if isinstance(x, np.ndarray) else ()


def flat(x: Array) -> list[Any]:
    return list(x.reshape(-1)) if isinstance(x, np.ndarray) else [x]


def mapped(function: Callable[..., Any], *xs: Array) -> Array:
    """A function of elements over arrays of one shape."""
    if not any(isinstance(x, np.ndarray) for x in xs):
        return function(*xs)
    arrays = np.broadcast_arrays(*(_boxed(x) for x in xs))
    parts = [function(*one) for one in zip(*(a.reshape(-1) for a in arrays), strict=True)]
    return filled(arrays[0].shape, parts)


def _boxed(x: Array) -> Any:
    if isinstance(x, np.ndarray):
        return x
    box = np.empty((), dtype=object)
    box[()] = x
    return box


def folded(arithmetic: Arithmetic, op: str, elements: Sequence[Any], empty: Any) -> Any:
    """The elements joined by an op of two; of none the number `empty`."""
    if not elements:
        return arithmetic.number(empty)
    return reduce(lambda x, y: arithmetic.op(op, (x, y)), elements)


def reduced(x: Array, axes: Sequence[int], function: Callable[[list[Any]], Any]) -> Array:
    """A function of all elements along some axes."""
    rank = x.ndim
    kept = [a for a in range(rank) if a not in axes]
    moved = np.transpose(x, [*kept, *axes])
    shape = tuple(x.shape[a] for a in kept)
    rows = (
        moved.reshape(int(np.prod(shape, dtype=int)), -1)
        if moved.size
        else moved.reshape(
            (int(np.prod(shape, dtype=int)), int(np.prod([x.shape[a] for a in axes], dtype=int)))
        )
    )
    return filled(shape, [function(list(row)) for row in rows])


def whole(x: Any, integer: Callable[[Any], int]) -> Any:
    """An array of elements that are ints, as NumPy's own; bools stay what they are."""
    parts = [e if isinstance(e, bool | np.bool_) else integer(e) for e in flat(x)]
    return np.array(parts, dtype=None if parts else int).reshape(x.shape)


def mixed(
    a: Arithmetic, function: Callable[[Arithmetic, Any], Any], x: Any, along: Sequence[Any]
) -> Any:
    """The derivative of a polynomial in the elements of x, along each of some directions, one
    after another: the coefficient of e_1 e_2 … in function(x + e_1 t_1 + e_2 t_2 + …), e_k^2 = 0.
    A number is the tuple of its coefficients, each at the digits that say which e it has."""
    if not along:
        return function(a, x)
    count = 2 ** len(along)
    zero = a.number(0)

    def product(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
        made = []
        for whole in range(count):
            parts = [k for k in range(count) if k | whole == whole]
            terms = [
                a.mul(one[k], other[whole ^ k])
                for k in parts
                if one[k] is not zero and other[whole ^ k] is not zero
            ]
            made.append(reduce(a.add, terms) if terms else zero)
        return tuple(made)

    def op(name: str, xs: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        if name == "mul":
            return product(*xs)
        return tuple(a.op(name, parts) for parts in zip(*xs, strict=True))

    def number(value: Any) -> tuple[Any, ...]:
        return (a.number(value), *[zero] * (count - 1))

    moved = np.empty(x.shape, dtype=object)
    for place in np.ndindex(*x.shape):
        coefficients = [zero] * count
        coefficients[0] = x[place]
        for k, direction in enumerate(along):
            coefficients[1 << k] = direction[place]
        moved[place] = tuple(coefficients)
    result = function(Arithmetic(number, op, a.integer), moved)
    return mapped(lambda one: one[-1], result)


# ---- linear algebra, by the textbook -------------------------------------------------------


def determinant(a: Arithmetic, m: Any) -> Any:
    """Leibniz's formula."""
    n = len(m)
    if n > LARGEST:
        raise ValueError(f"a determinant of {n} rows is not written out")
    total = a.number(0 if n else 1)
    for order in itertools.permutations(range(n)) if n else ():
        inversions = sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        product = reduce(a.mul, (m[i, order[i]] for i in range(n)))
        total = a.sub(total, product) if inversions % 2 else a.add(total, product)
    return total


def cofactors(a: Arithmetic, m: Any) -> Any:
    """The signed minors; cofactors(m)/det(m) is the inverse's transpose."""
    n = len(m)
    out = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(m, i, axis=0), j, axis=1)
            value = determinant(a, minor)
            out[i, j] = a.op("neg", (value,)) if (i + j) % 2 else value
    return out


def inverse(a: Arithmetic, m: Any) -> Any:
    """The adjugate over the determinant."""
    whole = determinant(a, m)
    return mapped(lambda c: a.div(c, whole), cofactors(a, m).T)


def product(a: Arithmetic, x: Any, y: Any) -> Any:
    """The product of a matrix with a matrix or a vector."""
    rows, inner = x.shape
    columns = y.shape[1:]
    z = y.reshape(inner, -1)
    out = [
        folded(a, "add", [a.mul(x[i, k], z[k, j]) for k in range(inner)], 0)
        for i in range(rows)
        for j in range(z.shape[1])
    ]
    return filled((rows, *columns), out)


def cholesky(a: Arithmetic, m: Any) -> Any:
    """The factor's rows from the top, from the lower triangle of m."""
    n = len(m)
    low = np.empty((n, n), dtype=object)
    low[:, :] = a.number(0)
    for i in range(n):
        for j in range(i + 1):
            rest = m[i, j]
            for k in range(j):
                rest = a.sub(rest, a.mul(low[i, k], low[j, k]))
            low[i, j] = a.op("sqrt", (rest,)) if i == j else a.div(rest, low[j, j])
    return low


def over_matrices(function: Callable[..., Any], rank: int, *xs: Any) -> Array:
    """A function of matrices over the leading axes; `rank` is that of the results."""
    lead = xs[0].shape[:-2]
    if not lead:
        return function(*xs)
    parts = [function(*(x[place] for x in xs)) for place in np.ndindex(*lead)]
    if not rank:
        return filled(lead, parts)
    shape = parts[0].shape if parts else ()
    return filled((*lead, *shape), [e for p in parts for e in flat(p)])


# ---- forms ---------------------------------------------------------------------------------


class Elements:
    """The tensor forms of the typed program, with given sizes."""

    def __init__(self, arithmetic: Arithmetic, sizes: Mapping[str, int]) -> None:
        self.a = arithmetic
        self.sizes = sizes

    def size(self, d: object) -> int:
        assert isinstance(d, Dim)
        return d.evaluate(self.sizes)

    def shape(self, value: Value) -> tuple[int, ...]:
        return tuple(self.size(d) for d in value.type.shape)  # type: ignore[union-attr]

    def constant(self, value: Value, element: Any) -> Array:
        shape = self.shape(value)
        return filled(shape, [element] * int(np.prod(shape, dtype=int)))

    def form(self, value: Value, xs: Sequence[Array]) -> Array:
        """The value of a tensor form that reads nothing but its operands."""
        return FORMS[value.form](self, value, *xs)

    def places(self, value: Value, shape: tuple[int, ...], ints: Sequence[Array]) -> Any:
        """For `take` and `put`: the places of the array, as an array of flat positions."""
        items: Any = value.attribute("items")
        grid = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)
        arrays = [k for k, item in enumerate(items) if item[0] == "by" and shape_of(ints[item[1]])]
        axis = 0
        first: int | None = None
        pending: list[tuple[int, Any]] = []
        for k, item in enumerate(items):
            match item[0]:
                case "all":
                    axis += 1
                case "slice":
                    start, stop, step = self.size(item[1]), self.size(item[2]), item[3]
                    chosen = np.arange(start, stop, step)
                    _inside(chosen, grid.shape[axis])
                    grid = np.take(grid, chosen, axis=axis)
                    axis += 1
                case "at":
                    chosen = np.asarray(self.size(item[1]))
                    _inside(chosen, grid.shape[axis])
                    grid = np.take(grid, int(chosen), axis=axis)
                case _ if k in arrays:
                    first = axis if first is None else first
                    pending.append((axis, ints[item[1]]))
                    axis += 1
                case _:
                    at = self.place(ints[item[1]], grid.shape[axis])
                    grid = np.take(grid, at, axis=axis)
        if pending:
            assert first is not None
            grid = np.moveaxis(grid, [axis for axis, _ in pending], range(len(pending)))
            places = tuple(
                np.array([self.place(e, size) for e in flat(x)], dtype=int).reshape(shape_of(x))
                for (_, x), size in zip(pending, grid.shape, strict=False)
            )
            rank = len(shape_of(pending[0][1]))
            grid = np.moveaxis(grid[places], range(rank), range(first, first + rank))
        return grid

    def place(self, element: Any, size: int) -> int:
        """Where on an axis an int points to; one below 0 counts from the end."""
        at = self.a.integer(element)
        if not -size <= at < size:
            raise ValueError(f"an index outside of {size}")
        return at % size

    def turn(self, index: Index, at: int, made: Mapping[Value, Any]) -> Any:
        """The number that an index is at."""
        return self.a.number(at)

    def each(
        self, value: Value, run: Callable[[Value, dict[Value, Any]], Any], outer: dict[Value, Any]
    ) -> Array:
        """Index notation: the body at every place of its indices, one after the other."""
        indices: Any = value.attribute("indices")
        body: Any = value.attribute("body")
        result: Any = value.attribute("result")
        reduction: Any = value.attribute("reduction")
        by_value = {i.value: i for i in indices}
        found: list[Array] = []

        def visit(position: int, made: dict[Value, Any]) -> None:
            while position < len(body):
                part = body[position]
                index = by_value.get(part)
                position += 1
                if index is None:
                    made[part] = run(part, made)
                    continue
                start, stop = self._bounds(index, made)
                for at in range(start, stop):
                    visit(position, {**made, part: self.turn(index, at, made)})
                return
            found.append(made[result])

        visit(0, dict(outer))
        if reduction is None:
            shape = self.shape(value)
            return filled(shape, [e for one in found for e in flat(one)])
        return self._joined(str(reduction), found, self.shape(value))

    def _bounds(self, index: Index, made: dict[Value, Any]) -> tuple[int, int]:
        start, stop = (
            self.size(b) if isinstance(b, Dim) else self.a.integer(made[b])
            for b in (index.start, index.stop)
        )
        return start, stop

    def _joined(self, reduction: str, parts: Sequence[Array], shape: tuple[int, ...]) -> Array:
        columns = [[flat(p)[k] for p in parts] for k in range(int(np.prod(shape, dtype=int)))]
        return filled(shape, [self.join(reduction, column) for column in columns])

    def join(self, reduction: str, elements: list[Any]) -> Any:
        a = self.a
        match reduction:
            case "sum":
                return folded(a, "add", elements, 0)
            case "prod":
                return folded(a, "mul", elements, 1)
            case "any":
                return folded(a, "or", elements, False)
            case "all":
                return folded(a, "and", elements, True)
        if not elements:
            raise ValueError(f"the {reduction} of nothing")
        return a.op(reduction, tuple(elements)) if len(elements) > 1 else elements[0]


def _inside(chosen: Any, size: int) -> None:
    if chosen.size and (chosen.min() < 0 or chosen.max() >= size):
        raise ValueError(f"an index outside of {size}")


def _reduction(name: str) -> Callable[..., Array]:
    def form(e: Elements, value: Value, x: Any) -> Array:
        axes: Any = value.attribute("axes")
        return reduced(x, axes, lambda elements: e.join(name, elements))

    return form


def _contract(e: Elements, value: Value, *xs: Any) -> Array:
    operands: Any = value.attribute("operands")
    result: Any = value.attribute("result")
    sizes = {
        i: n
        for x, one in zip(xs, operands, strict=True)
        for i, n in zip(one, shape_of(x), strict=True)
    }
    names = list(dict.fromkeys(i for one in operands for i in one))
    shape = tuple(sizes[i] for i in result)
    terms: dict[tuple[int, ...], list[Any]] = {}
    for place in itertools.product(*(range(sizes[i]) for i in names)):
        at = dict(zip(names, place, strict=True))
        factors = [
            x[tuple(at[i] for i in one)] if one else x for x, one in zip(xs, operands, strict=True)
        ]
        terms.setdefault(tuple(at[i] for i in result), []).append(reduce(e.a.mul, factors))
    return filled(
        shape, [folded(e.a, "add", terms.get(place, []), 0) for place in np.ndindex(*shape)]
    )


def _take(e: Elements, value: Value, x: Any, *ints: Any) -> Array:
    grid = e.places(value, x.shape, ints)
    elements = flat(x)
    return filled(grid.shape, [elements[k] for k in np.asarray(grid).reshape(-1)])


def _put(e: Elements, value: Value, x: Any, v: Any, *ints: Any) -> Array:
    grid = np.asarray(e.places(value, x.shape, ints))
    elements = flat(x)
    for place, new in zip(grid.reshape(-1), flat(v), strict=True):
        elements[place] = e.a.add(elements[place], new) if value.attribute("adds") else new
    return filled(x.shape, elements)


def _pad(e: Elements, value: Value, x: Any) -> Array:
    before: Any = value.attribute("before")
    out = np.empty(e.shape(value), dtype=object)
    out[...] = e.a.number(0)
    first = [e.size(b) for b in before]
    out[tuple(slice(b, b + n) for b, n in zip(first, x.shape, strict=True))] = x
    return out


def _windows(e: Elements, value: Value, x: Any) -> Array:
    axes: Any = value.attribute("axes")
    strides: Any = value.attribute("strides")
    out = np.empty(e.shape(value), dtype=object)
    for place in np.ndindex(*out.shape):
        at = list(place[: x.ndim])
        for axis, stride, inner in zip(axes, strides, place[x.ndim :], strict=True):
            at[axis] = place[axis] * stride + inner
        out[place] = x[tuple(at)]
    return out


def _cumsum(e: Elements, value: Value, x: Any) -> Array:
    axis = int(str(value.attribute("axis")))
    out = x.copy()
    moved = np.moveaxis(out, axis, 0)
    for k in range(1, len(moved)):
        moved[k] = mapped(e.a.add, moved[k - 1], moved[k])
    return out


def place_of(a: Arithmetic, relation: str, elements: Sequence[Any]) -> Any:
    """The first place of the greatest element ("gt") or the least ("lt")."""
    best, at = elements[0], a.number(0)
    for k, element in enumerate(elements[1:], 1):
        better = a.op(relation, (element, best))
        at = a.op("where", (better, a.number(k), at))
        best = a.op("where", (better, element, best))
    return at


def _place_of(relation: str) -> Callable[..., Array]:
    def form(e: Elements, value: Value, x: Any) -> Array:
        axes: Any = value.attribute("axes")
        return reduced(x, axes, lambda elements: place_of(e.a, relation, elements))

    return form


def _arange(e: Elements, value: Value) -> Array:
    start, (count,) = e.size(value.attribute("start")), e.shape(value)
    return filled((count,), [e.a.number(start + k) for k in range(count)])


def _broadcast(e: Elements, value: Value, x: Any) -> Array:
    axes: Any = value.attribute("axes")
    return np.broadcast_to(np.expand_dims(_boxed(x), axes), e.shape(value))


def _reshape(e: Elements, value: Value, x: Any) -> Array:
    return filled(e.shape(value), flat(x))


FORMS: dict[str, Callable[..., Array]] = {
    "size": lambda e, v: e.a.number(e.size(v.attribute("dim"))),
    "arange": _arange,
    "broadcast": _broadcast,
    "reshape": _reshape,
    "transpose": lambda e, v, x: np.transpose(x, v.attribute("order")),
    "sum_over": _reduction("sum"),
    "prod_over": _reduction("prod"),
    "max_over": _reduction("max"),
    "min_over": _reduction("min"),
    "any_over": _reduction("any"),
    "all_over": _reduction("all"),
    "argmax_over": _place_of("gt"),
    "argmin_over": _place_of("lt"),
    "cumsum": _cumsum,
    "take": _take,
    "put": _put,
    "concat": lambda e, v, *xs: np.concatenate(xs, axis=v.attribute("axis")),
    "flip": lambda e, v, x: np.flip(x, axis=v.attribute("axes")),
    "pad": _pad,
    "windows": _windows,
    "contract": _contract,
    "det": lambda e, v, m: over_matrices(lambda x: determinant(e.a, x), 0, m),
    "inv": lambda e, v, m: over_matrices(lambda x: inverse(e.a, x), 2, m),
    "solve": lambda e, v, m, b: _solve(e, m, b),
    "cholesky": lambda e, v, m: over_matrices(lambda x: cholesky(e.a, x), 2, m),
}


def _solve(e: Elements, m: Any, b: Any) -> Array:
    lead = m.shape[:-2]
    if not lead:
        return product(e.a, inverse(e.a, m), b)
    parts = [product(e.a, inverse(e.a, m[p]), b[p]) for p in np.ndindex(*lead)]
    return filled(b.shape, [x for part in parts for x in flat(part)])
