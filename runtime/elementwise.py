"""The doors of generated functions on arrays: a function of scalars maps, with broadcasting.

Arguments become arrays of one dtype (`arrays`), results are full arrays of their own (`results`):
values have the common shape of the arguments, a gradient has its argument's shape, for which it is
summed where that was broadcast. If no argument has axes, results are scalars of NumPy. Long arrays
of one shape are computed in blocks (`blocks`). Floating-point warnings are silenced during the
call; threads do not meet here.

One decorator a kind of routine; the decorated function keeps its name, docstring and signature, and
has the function itself as its attribute `inner`, which calls between generated functions use.
Arguments are real, but for those whose type is told: `@elementwise(n=int, flag=bool)`.

Most calls are with float64 arrays of one shape. Whether each result is then an array that the
function made lies in its text, which has no branches: so the first such call finds out for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from mgrad.runtime.arrays import Door, Given, Shape, alike, are_alike, take, together
from mgrad.runtime.blocks import flat, run
from mgrad.runtime.errstate import SILENT, STATE
from mgrad.runtime.results import are_own, gradients, leaves, own

Function = Callable[..., Any]


def elementwise(function: Any = None, /, **types: type) -> Any:
    """The door of a function that gives values: an array, or arrays in tuples nested at will, all
    of the common shape. So are the entries of a Jacobian and of a Hessian."""
    if function is None:
        return partial(elementwise, **types)
    return _door(function, Door(function, types), _values)


def elementwise_value_and_grad(function: Any = None, /, **types: type) -> Any:
    """The door of a function that gives the value and the tuple of its gradients; for arrays, the
    values and the gradients of their sum."""
    if function is None:
        return partial(elementwise_value_and_grad, **types)
    door = Door(function, types)

    def finish(function: Function, given: Given) -> Any:
        return _value_and_grad(function, given, door.real(given.shapes))

    return _door(function, door, finish)


def _door(function: Function, door: Door, finish: Callable[[Function, Given], Any]) -> Any:
    """`finish` is for calls whose results cannot go out as they are."""
    count = door.alike
    is_own = False  # whether results of arrays that are alike are known to be the function's own

    def mapped(*arguments: Any, **keywords: Any) -> Any:
        nonlocal is_own
        token = STATE.set(SILENT)
        try:
            if len(arguments) != count or keywords or not are_alike(*arguments):
                return finish(function, door.take(arguments, keywords))
            result = function(*arguments)
            if is_own:
                return result
            is_own = are_own(leaves(result), arguments)
            return result if is_own else finish(lambda *_: result, alike(arguments))
        finally:
            STATE.reset(token)

    return _dressed(mapped, function)


def _values(function: Function, given: Given) -> Any:
    flattened = flat(given)
    if flattened is not None:
        return run(function, flattened, given.shape, given.dtype)
    return own(function(*given.values), given.shape, given.dtype, list(given.values))


def _value_and_grad(function: Function, given: Given, owns: Sequence[Shape]) -> Any:
    flattened = flat(given)
    if flattened is not None:
        are_sums = [False, *(shape == () for shape in owns)]
        return run(function, flattened, given.shape, given.dtype, are_sums)
    value, fields = function(*given.values)
    taken = list(given.values)
    value = own(value, given.shape, given.dtype, taken)
    return value, gradients(fields, owns, given.shape, given.dtype, taken)


# -------------------------------------------------------------------------------- in two passes


class Saved(NamedTuple):
    """What a forward pass hands to its backward pass."""

    values: tuple[Any, ...]
    owns: Sequence[Shape]  # of the real arguments
    shape: Shape  # of the values
    dtype: np.dtype[Any]
    results: int | None  # how many of the values are real; None of one that is not in a tuple
    are_alike: bool  # whether all arguments are float64 arrays of one shape


def elementwise_forward(function: Any = None, /, **types: type) -> Any:
    """The door of a forward pass, `f_forward(x, y) -> (value, saved)`.

    `saved` is for the backward pass alone: what the function saves, with the shapes. It may hold
    the arguments themselves, which must not be changed before the backward pass.
    """
    if function is None:
        return partial(elementwise_forward, **types)
    door = Door(function, types)
    count = door.alike
    is_own = False

    def mapped(*arguments: Any, **keywords: Any) -> Any:
        nonlocal is_own
        token = STATE.set(SILENT)
        try:
            is_quick = len(arguments) == count and not keywords and are_alike(*arguments)
            given = alike(arguments) if is_quick else door.take(arguments, keywords)
            value, saved = function(*given.values)
            shapes = door.real(given.shapes)
            keep = Saved(saved, shapes, given.shape, given.dtype, _reals(value), is_quick)
            if is_quick and is_own:
                return value, keep
            taken = [*given.values, *leaves(saved)]
            if is_quick:
                is_own = are_own(leaves(value), taken)
            return own(value, given.shape, given.dtype, taken), keep
        finally:
            STATE.reset(token)

    return _dressed(mapped, function)


def _reals(value: Any) -> int | None:
    """How many real results there are, in a tuple."""
    if type(value) is not tuple:
        return None
    return sum(np.asarray(part).dtype.kind == "f" for part in value)


def elementwise_backward(function: Function, /) -> Any:
    """The door of a backward pass, `f_backward(saved, grad=1.0) -> (grad_x, grad_y)`.

    `grad` is an array that broadcasts to the value's shape; of several values, a tuple of one for
    each real value.
    """
    name = function.__name__

    def mapped(saved: Any, /, *arguments: Any, **keywords: Any) -> Any:
        if not isinstance(saved, Saved):
            kind = type(saved).__name__
            raise TypeError(f"{name}: 'saved' must be what the forward pass gave, not {kind}")
        token = STATE.set(SILENT)
        try:
            seeds: tuple[Any, ...] = ()
            if arguments or keywords:
                seeds = (_seeds(name, saved, *arguments, **keywords),)
            fields = function(saved.values, *seeds)
            taken = [*leaves(saved.values), *leaves(seeds)]
            if saved.are_alike and are_own(fields, taken):
                return fields
            return gradients(fields, saved.owns, saved.shape, saved.dtype, taken)
        finally:
            STATE.reset(token)

    return _dressed(mapped, function)


def _seeds(name: str, saved: Saved, grad: Any) -> Any:
    """The gradient of the value, or the tuple of those of the values, of the right dtype."""
    if saved.results is None:
        return _seed(name, "grad", saved, grad)
    if not isinstance(grad, (tuple, list)) or len(grad) != saved.results:
        raise TypeError(
            f"{name}: 'grad' must be a tuple of {saved.results}, one for each real value"
        )
    return tuple([_seed(name, f"grad[{i}]", saved, g) for i, g in enumerate(grad)])


def _seed(name: str, path: str, saved: Saved, grad: Any) -> Any:
    if type(grad) is ndarray and grad.dtype is saved.dtype and grad.shape == saved.shape:
        return grad[()]
    given = take(name, (path,), (float,), (grad,))
    names = (path, "the value")
    if together(name, names, (given.shape, saved.shape)) != saved.shape:
        shapes = f"{list(given.shape)}, which is more than that of the value, {list(saved.shape)}"
        raise ValueError(f"{name}: {path!r} has the shape {shapes}")
    return given.values[0].astype(saved.dtype, copy=False)


# ---------------------------------------------------------------------------- along a direction


def elementwise_jvp(function: Any = None, /, *, types: tuple[type, ...] | None = None) -> Any:
    """The door of `f_jvp((x, y), (dx, dy)) -> (value, tangent)`.

    `at` is a tuple of all arguments, `along` one of a tangent for each real argument, of a shape
    that broadcasts to that argument's. `types` is of all arguments, if they are not all real.
    """
    if function is None:
        return partial(elementwise_jvp, types=types)
    name = function.__name__

    def mapped(at: Any, along: Any) -> Any:
        at, along = tuple(at), tuple(along)
        count = len(at)

        def of_all(*values: Any) -> Any:
            return function(values[:count], values[count:])

        token = STATE.set(SILENT)
        try:
            kinds = types or (float,) * count
            return _values(of_all, _point_and_direction(name, at, along, kinds))
        finally:
            STATE.reset(token)

    return _dressed(mapped, function)


def _point_and_direction(
    name: str, at: tuple[Any, ...], along: tuple[Any, ...], kinds: tuple[type, ...]
) -> Given:
    """All of them together, of the dtype of the arguments alone."""
    real = [i for i, kind in enumerate(kinds) if kind is float]
    if (len(at), len(along)) != (len(kinds), len(real)):
        raise TypeError(
            f"{name}: {len(at)} arguments and {len(along)} tangents, where {len(kinds)} "
            f"and {len(real)} belong"
        )
    if len(real) == len(kinds) > 0 and are_alike(*at, *along):
        return alike((*at, *along))
    point = take(name, [f"at[{i}]" for i in range(len(at))], kinds, at)
    names = [f"along[{i}]" for i in range(len(along))]
    direction = take(name, names, (float,) * len(along), along)
    for tangent, shape, i in zip(names, direction.shapes, real, strict=True):
        target = point.shapes[i]
        if together(name, (f"at[{i}]", tangent), (target, shape)) != target:
            raise ValueError(
                f"{name}: {tangent} has the shape {list(shape)}, which is more than that of "
                f"at[{i}], {list(target)}"
            )
    tangents = [value.astype(point.dtype, copy=False) for value in direction.values]
    shapes = [*point.shapes, *direction.shapes]
    return Given([*point.values, *tangents], shapes, point.shape, point.dtype)


def _dressed(mapped: Function, function: Function) -> Function:
    mapped = wraps(function)(mapped)
    mapped.inner = function  # type: ignore[attr-defined]
    return mapped
