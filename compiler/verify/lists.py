"""The runtime's functions of nested lists for text that is followed, by their definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from mgrad.compiler.verify import arrays, elements
from mgrad.compiler.verify.elements import Arithmetic

Function = Callable[..., Any]


def namespace(a: Arithmetic, join: Callable[[str, list[Any]], Any]) -> Mapping[str, Function]:
    """The functions by name; `join` is that of `Elements`."""
    runtime = arrays.runtime(a, join)

    def logsumexp(values: Iterable[Any]) -> Any:
        return a.op("log", (join("sum", [a.op("exp", (v,)) for v in values]),))

    def cumsum(x: Any, axis: int, reverse: bool = False) -> Any:
        out = np.flip(arrays.objects(x), axis) if reverse else arrays.objects(x)
        moved = np.moveaxis(out.copy(), axis, 0)
        for k in range(1, len(moved)):
            moved[k] = moved[k - 1] + moved[k]
        out = np.moveaxis(moved, 0, axis)
        return np.flip(out, axis) if reverse else out

    def put(name: str) -> Function:
        def into(x: Any, where: tuple[Any, ...], value: Any) -> Any:
            index = tuple(_ints(w) if isinstance(w, list) else w for w in where)
            return runtime[name](x, index, value)

        return into

    return {
        **{name: listed(runtime[name]) for name in ("prod_others", "overlap_add")},
        **{name: listed(f) for name, f in arrays.linear_algebra(a).items()},
        "largest": lambda values: join("max", list(values)),
        "least": lambda values: join("min", list(values)),
        "argmax": lambda values: elements.place_of(a, "gt", list(values)),
        "argmin": lambda values: elements.place_of(a, "lt", list(values)),
        "logsumexp": logsumexp,
        "cumsum": listed(cumsum),
        "replaced": listed(put("replaced")),
        "added": listed(put("added")),
        "apart": apart,
    }


def listed(function: Function) -> Function:
    """A function of arrays as one of nested lists."""

    def of_lists(*given: Any, **keywords: Any) -> Any:
        return nested(function(*given, **keywords))

    return of_lists


def nested(x: Any) -> Any:
    return x.tolist() if arrays.is_array(x) else x


def apart(values: Any, depth: int, count: int, saves: bool = False) -> tuple[Any, ...]:
    """Nested lists of tuples as a tuple of nested lists."""

    def item(part: Any, level: int, get: Function) -> Any:
        return [item(p, level - 1, get) for p in part] if level else get(part)

    if not saves:
        return tuple(item(values, depth, lambda p, k=k: p[k]) for k in range(count))
    first = tuple(item(values, depth, lambda p, k=k: p[0][k]) for k in range(count - 1))
    return first, item(values, depth, lambda p: p[1])


def _ints(where: Sequence[Any]) -> Any:
    return np.array(where, dtype=object).astype(int)
