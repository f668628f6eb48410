"""Functions of nested lists that are no formula of single elements: reductions that NumPy's
namesakes define, running sums, parts put and added, windows added up.

None raises where IEEE 754 has a value. Axes are counted from 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

Index = tuple[Any, ...]


def largest(values: Iterable[Any]) -> Any:
    """The greatest; nan if any is nan. A ValueError of nothing."""
    return _extreme(values, max, "maximum")


def least(values: Iterable[Any]) -> Any:
    """The least; nan if any is nan. A ValueError of nothing."""
    return _extreme(values, min, "minimum")


def _extreme(values: Iterable[Any], function: Callable[[list[Any]], Any], name: str) -> Any:
    given = list(values)
    if not given:
        raise ValueError(f"the {name} of nothing")
    return next((v for v in given if v != v), None) or function(given)


def argmax(values: Iterable[Any]) -> int:
    """The first place of the greatest, or of a nan."""
    return _place(values, largest)


def argmin(values: Iterable[Any]) -> int:
    """The first place of the least, or of a nan."""
    return _place(values, least)


def _place(values: Iterable[Any], function: Callable[[list[Any]], Any]) -> int:
    given = list(values)
    best = function(given)
    return next(i for i, v in enumerate(given) if v == best or v != v)


def logsumexp(values: Iterable[float]) -> float:
    """log(sum(exp(x))); -inf of nothing. The greatest, m, is taken out, and where it occurs k times
    the rest stands in log1p: m + log(k) + log1p(rest/k)."""
    given = list(values)
    greatest = max(given, default=-math.inf)
    if any(v != v for v in given):
        return math.nan
    if math.isinf(greatest):
        return greatest
    ties = sum(v == greatest for v in given)
    rest = sum(math.exp(v - greatest) for v in given if v != greatest)
    return greatest + (math.log(ties) + math.log1p(rest / ties))


def cumsum(x: list[Any], axis: int, reverse: bool = False) -> list[Any]:
    """The sums up to each place along an axis, or from each place on."""
    if axis:
        return [cumsum(part, axis - 1, reverse) for part in x]
    found: list[Any] = []
    for part in reversed(x) if reverse else x:
        found.append(_sum(found[-1], part) if found else part)
    return found[::-1] if reverse else found


def _sum(x: Any, y: Any) -> Any:
    if isinstance(x, list):
        return [_sum(a, b) for a, b in zip(x, y, strict=True)]
    return x + y


def prod_others(x: list[Any], axes: Sequence[int], *along: list[Any]) -> list[Any]:
    """For each element the product of all others over the axes: no quotient, so right with zeros.
    With further lists of the shape of x it is the derivative of that along them, one after the
    other: each element is carried as x + e_1*t_1 + e_2*t_2 + … with e_k^2 = 0."""
    shape = shape_of(x)
    if 0 in shape:
        return copied(x)  # type: ignore[no-any-return]
    rest = [range(n) for axis, n in enumerate(shape) if axis not in axes]
    inner = [range(shape[axis]) for axis in axes]
    found: list[Any] = zeros(shape)
    for fixed in product(*rest):
        places: list[Index] = []
        for moving in product(*inner):
            kept, moved = iter(fixed), dict(zip(axes, moving, strict=True))
            places.append(tuple(moved[a] if a in moved else next(kept) for a in range(len(shape))))
        factors = [_factor([element(part, p) for part in (x, *along)]) for p in places]
        unit = [1.0] + [0.0] * (len(_factor([0.0] * (1 + len(along)))) - 1)
        before, after = _running(factors, unit), _running(factors[::-1], unit)[::-1]
        for place, first, last in zip(places, before, after, strict=True):
            assign(found, place, _product(first, last)[-1])
    return found


def _factor(parts: list[float]) -> list[float]:
    """The polynomial x + e_1*t_1 + …, a coefficient for each set of the e."""
    x, *along = parts
    found = [0.0] * 2 ** len(along)
    found[0] = x
    for k, t in enumerate(along):
        found[1 << k] = t
    return found


def _running(factors: list[list[float]], unit: list[float]) -> list[list[float]]:
    """The product of all before each."""
    found = [unit]
    for factor in factors[:-1]:
        found.append(_product(found[-1], factor))
    return found[: len(factors)]


def _product(a: list[float], b: list[float]) -> list[float]:
    return [
        sum((a[part] * b[whole ^ part] for part in range(whole + 1) if part & whole == part), 0.0)
        for whole in range(len(a))
    ]


def replaced(x: list[Any], where: Index, value: Any) -> list[Any]:
    """x with the places `where`, an int, a slice or nested ints for each axis, set to the value.
    Nested ints walk together, and their axes stand where the first does."""
    found: list[Any] = copied(x)
    for place, at in places(where, shape_of(x)):
        assign(found, place, element(value, at))
    return found


def added(x: list[Any], where: Index, value: Any) -> list[Any]:
    """x with the value added to those places, as often as a place is meant."""
    found: list[Any] = copied(x)
    for place, at in places(where, shape_of(x)):
        assign(found, place, element(found, place) + element(value, at))
    return found


def places(where: Index, shape: Sequence[int]) -> Iterable[tuple[Index, Index]]:
    """Pairs of a place in the list and the place in what is put there."""
    walk = next((shape_of(w) for w in where if isinstance(w, list)), None)
    loops: list[range] = []
    starts: list[int] = []  # of each axis: the first of its loops
    first: int | None = None
    shape = (
        *shape,
        *[0] * (len(where) - len(shape)),
    )  # an empty list does not show its inner sizes
    for w, n in zip(where, shape, strict=True):
        starts.append(len(loops))
        if isinstance(w, slice):
            loops.append(range(*w.indices(n)))
        elif isinstance(w, list):
            if first is None:
                assert walk is not None
                first = len(loops)
                loops += [range(m) for m in walk]
            starts[-1] = first
    rank = len(walk or ())
    for at in product(*(range(len(loop)) for loop in loops)):
        place: list[int] = []
        for w, start, n in zip(where, starts, shape, strict=True):
            if isinstance(w, slice):
                place.append(loops[start][at[start]])
            elif isinstance(w, list):
                place.append(_inside(element(w, at[start : start + rank]), n))
            else:
                place.append(_inside(w, n))
        yield tuple(place), at


def _inside(index: int, size: int) -> int:
    if not -size <= index < size:
        raise IndexError(f"index {index} is outside of {size}")
    return index % size


def overlap_add(
    windows: list[Any], shape: Sequence[int], strides: Sequence[int], axes: Sequence[int]
) -> list[Any]:
    """The list of this shape whose elements are the sums over the windows that they lie in; the
    axes inside of windows come last."""
    found: list[Any] = zeros(shape)
    rank = len(shape)
    for at in product(*map(range, shape_of(windows))):
        place = list(at[:rank])
        for axis, stride, inner in zip(axes, strides, at[rank:], strict=True):
            place[axis] = place[axis] * stride + inner
        assign(found, tuple(place), element(found, tuple(place)) + element(windows, at))
    return found


def apart(values: Any, depth: int, count: int, saves: bool = False) -> tuple[Any, ...]:
    """Nested lists of tuples as a tuple of nested lists; with `saves` the tuples are pairs of a
    tuple of values and what is saved, and so is the result."""
    if saves:
        both = [_item(values, depth, k) for k in range(2)]
        return apart(both[0], depth, count - 1), both[1]
    return tuple(_item(values, depth, k) for k in range(count))


def _item(values: Any, depth: int, k: int) -> Any:
    return [_item(part, depth - 1, k) for part in values] if depth else values[k]


# ------------------------------------------------------------------------------------ nested lists


def shape_of(x: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while isinstance(x, list):
        shape.append(len(x))
        x = x[0] if x else None
    return tuple(shape)


def zeros(shape: Sequence[int]) -> Any:
    return [zeros(shape[1:]) for _ in range(shape[0])] if shape else 0.0


def copied(x: Any) -> Any:
    return [copied(part) for part in x] if isinstance(x, list) else x


def element(x: Any, place: Sequence[int]) -> Any:
    for index in place:
        x = x[index]
    return x


def assign(x: Any, place: Sequence[int], value: Any) -> None:
    *before, last = place
    element(x, before)[last] = value
