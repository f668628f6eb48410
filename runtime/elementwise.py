"""The doors of generated functions on arrays: a function of scalars maps, with broadcasting.

Arguments become arrays of one dtype (`arrays`), results are full arrays of their own (`results`):
values have the common shape of the arguments, a gradient has its argument's shape, for which it is
summed where that was broadcast. If no argument has axes, results are scalars of NumPy. Long arrays
of one shape are computed in blocks (`blocks`). Floating-point warnings are silenced during the
call; nothing is kept between calls, so that threads do not meet here.

One decorator a kind of routine; the decorated function keeps its name, docstring and signature, and
has the function itself as its attribute `inner`, which calls between generated functions use.
Arguments are real, but for those whose type is told: `@elementwise(n=int, flag=bool)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, NamedTuple

import numpy as np

from mgrad.runtime import blocks
from mgrad.runtime.arrays import DOUBLE, Door, Given, Shape, common_shape, take, together
from mgrad.runtime.results import are_own, gradients, leaves, spread

Function = Callable[..., Any]


def elementwise(function: Any = None, /, **types: type) -> Any:
    """The door of a function that gives values: an array, or arrays in tuples nested at will, all
    of the common shape. So are the entries of a Jacobian and of a Hessian."""
    if function is None:
        return partial(elementwise, **types)
    door = Door(function, types)
    count, all_real = door.count, door.is_real
    silent = _silent(function)

    def mapped(*arguments: Any, **keywords: Any) -> Any:
        is_plain = all_real and not keywords and len(arguments) == count
        shape = common_shape(arguments) if is_plain else None
        if shape is None:
            return _values(silent, _taken(door, arguments, keywords))
        if arguments[0].size >= blocks.LONG:
            return _values(silent, _equal(arguments, shape))
        result = silent(*arguments)
        if type(result) is not tuple and are_own((result,), shape, arguments):
            return result
        return spread(result, shape, DOUBLE, list(arguments))

    return _decorated(mapped, function)


def elementwise_forward(function: Any = None, /, **types: type) -> Any:
    """The door of a forward pass, `f_forward(x, y) -> (value, saved)`.

    `saved` is for the backward pass alone: what the function saves, with the shapes. It may hold
    the arguments themselves, which must not be changed before the backward pass.
    """
    if function is None:
        return partial(elementwise_forward, **types)
    door = Door(function, types)
    count, all_real = door.count, door.is_real
    silent = _silent(function)

    def mapped(*arguments: Any, **keywords: Any) -> Any:
        is_plain = all_real and not keywords and len(arguments) == count
        shape = common_shape(arguments) if is_plain else None
        if shape is not None:
            value, saved = silent(*arguments)
            keep = Saved(saved, (shape,) * count, shape, DOUBLE, _results(value), True)
            taken = [*arguments, *leaves(saved)]
            if not are_own((value,), shape, taken):
                value = spread(value, shape, DOUBLE, taken)
            return value, keep
        given = _taken(door, arguments, keywords)
        value, saved = silent(*given.values)
        owns = door.real(given.shapes)
        keep = Saved(saved, owns, given.shape, given.dtype, _results(value))
        taken = [*given.values, *leaves(saved)]
        return spread(value, given.shape, given.dtype, taken), keep

    return _decorated(mapped, function)


class Saved(NamedTuple):
    """What a forward pass hands to its backward pass."""

    values: tuple[Any, ...]
    owns: Sequence[Shape]  # of the real arguments
    shape: Shape  # of the values
    dtype: np.dtype[Any]
    results: int | None  # how many of the values are real; None of one that is not in a tuple
    is_plain: bool = False  # whether all arguments are float64 arrays of one shape


def _results(value: Any) -> int | None:
    if type(value) is not tuple:
        return None
    return sum(np.asarray(part).dtype.kind == "f" for part in value)


def elementwise_backward(function: Function, /) -> Any:
    """The door of a backward pass, `f_backward(saved, grad=1.0) -> (grad_x, grad_y)`.

    `grad` is an array that broadcasts to the value's shape; of several values, a tuple of one for
    each real value.
    """
    name = function.__name__
    silent = _silent(function)

    def mapped(saved: Any, /, *arguments: Any, **keywords: Any) -> Any:
        if not isinstance(saved, Saved):
            kind = type(saved).__name__
            raise TypeError(f"{name}: 'saved' must be what the forward pass gave, not {kind}")
        values, owns, shape, dtype, _, _ = saved
        if not arguments and not keywords:
            fields = silent(values)
            seeds: Any = ()
        else:
            seeds = _seeds(name, saved, *arguments, **keywords)
            fields = silent(values, seeds)
        taken = [*leaves(values), *leaves(seeds)]
        if saved.is_plain and are_own(fields, shape, taken):
            return fields
        return gradients(fields, owns, shape, dtype, taken)

    return _decorated(mapped, function)


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
    if type(grad) is np.ndarray and grad.dtype is saved.dtype and grad.shape == saved.shape:
        return grad[()]
    given = take(name, (path,), (float,), (grad,))
    names = (path, "the value")
    if together(name, names, (given.shape, saved.shape)) != saved.shape:
        shapes = f"{list(given.shape)}, which is more than that of the value, {list(saved.shape)}"
        raise ValueError(f"{name}: {path!r} has the shape {shapes}")
    return given.values[0].astype(saved.dtype, copy=False)


def elementwise_value_and_grad(function: Any = None, /, **types: type) -> Any:
    """The door of a function that gives the value and the tuple of its gradients; for arrays, the
    values and the gradients of their sum."""
    if function is None:
        return partial(elementwise_value_and_grad, **types)
    door = Door(function, types)
    count, all_real = door.count, door.is_real
    silent = _silent(function)

    def mapped(*arguments: Any, **keywords: Any) -> Any:
        is_plain = all_real and not keywords and len(arguments) == count
        shape = common_shape(arguments) if is_plain else None
        if shape is None:
            return _value_and_grad(silent, door, _taken(door, arguments, keywords))
        if arguments[0].size >= blocks.LONG:
            return _value_and_grad(silent, door, _equal(arguments, shape))
        result = silent(*arguments)
        value, fields = result
        if are_own((value, *fields), shape, arguments):
            return result
        taken = list(arguments)
        value = spread(value, shape, DOUBLE, taken)
        return value, gradients(fields, [shape] * len(fields), shape, DOUBLE, taken)

    return _decorated(mapped, function)


def _value_and_grad(silent: Function, door: Door, given: Given) -> Any:
    owns = door.real(given.shapes)
    flat = blocks.flat(given)
    if flat is not None:
        are_sums = [False, *(own == () for own in owns)]
        return blocks.run(silent, flat, given.shape, given.dtype, are_sums)
    value, fields = silent(*given.values)
    taken = list(given.values)
    value = spread(value, given.shape, given.dtype, taken)
    return value, gradients(fields, owns, given.shape, given.dtype, taken)


def elementwise_jvp(function: Any = None, /, *, types: tuple[type, ...] | None = None) -> Any:
    """The door of `f_jvp((x, y), (dx, dy)) -> (value, tangent)`.

    `at` is a tuple of all arguments, `along` one of a tangent for each real argument, of a shape
    that broadcasts to that argument's. `types` is of all arguments, if they are not all real.
    """
    if function is None:
        return partial(elementwise_jvp, types=types)
    name = function.__name__
    silent = _silent(function)

    def mapped(at: Any, along: Any) -> Any:
        at, along = tuple(at), tuple(along)
        kinds = types or (float,) * len(at)
        real = [i for i, kind in enumerate(kinds) if kind is float]
        if (len(at), len(along)) != (len(kinds), len(real)):
            raise TypeError(
                f"{name}: {len(at)} arguments and {len(along)} tangents, where {len(kinds)} "
                f"and {len(real)} belong"
            )
        both = at + along
        if common_shape(both) is None:
            given = _point_and_direction(name, at, along, kinds, real)
        else:
            given = _equal(both, both[0].shape)
        count = len(at)
        return _values(lambda *both: silent(both[:count], both[count:]), given)

    return _decorated(mapped, function)


def _point_and_direction(
    name: str, at: Any, along: Any, kinds: tuple[type, ...], real: list[int]
) -> Given:
    """All of them together, of the dtype of the arguments alone."""
    point = take(name, [f"at[{i}]" for i in range(len(at))], kinds, at)
    names = [f"along[{i}]" for i in range(len(along))]
    direction = take(name, names, (float,) * len(along), along)
    for tangent, shape, i in zip(names, direction.shapes, real, strict=True):
        own = point.shapes[i]
        if together(name, (f"at[{i}]", tangent), (own, shape)) != own:
            raise ValueError(
                f"{name}: {tangent} has the shape {list(shape)}, which is more than that of "
                f"at[{i}], {list(own)}"
            )
    tangents = [value.astype(point.dtype, copy=False) for value in direction.values]
    shapes = [*point.shapes, *direction.shapes]
    return Given([*point.values, *tangents], shapes, point.shape, point.dtype)


# ------------------------------------------------------------------------------ of all decorators


def _silent(function: Function) -> Function:
    silenced: Function = np.errstate(all="ignore")(function)
    return silenced


def _decorated(mapped: Function, function: Function) -> Function:
    mapped = wraps(function)(mapped)
    mapped.inner = function  # type: ignore[attr-defined]
    return mapped


def _taken(door: Door, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Given:
    if keywords or len(arguments) != len(door.names):
        arguments = door.bind(arguments, keywords)
    return door.take(arguments)


def _equal(arguments: tuple[Any, ...], shape: Shape) -> Given:
    """Float64 arrays of one shape."""
    return Given(arguments, (shape,) * len(arguments), shape, DOUBLE)


def _values(silent: Function, given: Given) -> Any:
    flat = blocks.flat(given)
    if flat is not None:
        return blocks.run(silent, flat, given.shape, given.dtype)
    return spread(silent(*given.values), given.shape, given.dtype, list(given.values))
