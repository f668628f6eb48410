"""Tensors as nested lists, for the target `python`: the doors of generated functions, and what is
no formula of single elements.

    @lists("x: [N, D], w: [D] -> [N]")
    def predict(x, w): …

The words are those of the arrays' doors (`words`). Arguments may be nested lists or tuples, ranges,
or anything with `tolist`; they become nested lists of floats, ints or bools of the caller's own, so
that what a forward pass saves stays as it is. Leading axes, `..`, are folded into one before the
function and unfolded in its results. Where Python would raise, the function runs again by IEEE 754.

The functions below the doors never raise but for wrong places, and take and give lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from inspect import signature
from math import prod
from typing import Any, NamedTuple, NoReturn

from mgrad.runtime import door
from mgrad.runtime.faults import demand_room, told
from mgrad.runtime.ieee import ieee
from mgrad.runtime.linear import cholesky, cofactor, det, inv, solve, solve_triangular
from mgrad.runtime.nested import (
    added,
    apart,
    argmax,
    argmin,
    cumsum,
    largest,
    least,
    logsumexp,
    overlap_add,
    prod_others,
    replaced,
    zeros,
)
from mgrad.runtime.words import Form, Shape, Sides, Words, read, seed, value_of

__all__ = [
    "added",
    "apart",
    "argmax",
    "argmin",
    "cholesky",
    "cofactor",
    "cumsum",
    "det",
    "inv",
    "largest",
    "least",
    "lists",
    "lists_backward",
    "lists_forward",
    "lists_hessian",
    "lists_jacobian",
    "lists_jvp",
    "lists_value_and_grad",
    "logsumexp",
    "overlap_add",
    "prod_others",
    "replaced",
    "solve",
    "solve_triangular",
]

Function = Callable[..., Any]
Decorator = Callable[[Function], Any]
NUMBER = Sides((), ())
DOORS = {float: door.reals, int: door.integers, bool: door.truths}
CODES = {float: "fiub", int: "iub", bool: "b"}  # of NumPy's dtypes
BYTES = 32  # of an element: a float, and the place in a list
PLURALS = {float: "real numbers", int: "ints", bool: "bools"}
REAL = Form(float, (), "real")


class Given(NamedTuple):
    """Arguments that have passed the door."""

    values: list[Any]  # nested lists, with leading axes folded, and numbers
    shapes: list[Shape]  # as given
    lead: Shape  # the leading axes
    sizes: dict[str, int]  # of the variables


class Saved(NamedTuple):
    """What a forward pass hands to its backward pass."""

    values: tuple[Any, ...]
    owns: tuple[Sides, ...]  # of the real arguments
    outs: tuple[Sides, ...]  # of the real results


def lists(text: str, /) -> Decorator:
    """The door of a function that gives its results, in a tuple if there are several."""

    def decorated(function: Function) -> Any:
        entrance = _Door(function, text)

        def entered(*arguments: Any, **keywords: Any) -> Any:
            given = entrance.take(arguments, keywords)
            sides = entrance.sides(given)
            return _out(entrance.run(*given.values), sides)

        return _decorated(entered, function)

    return decorated


def lists_value_and_grad(text: str, /) -> Decorator:
    """The door of a function that gives one real number and the tuple of its gradients."""

    def decorated(function: Function) -> Any:
        entrance = _Door(function, text)

        def entered(*arguments: Any, **keywords: Any) -> Any:
            given = entrance.take(arguments, keywords)
            value, gradients = entrance.run(*given.values)
            return float(value), _all_out(gradients, entrance.words.arguments(given))

        return _decorated(entered, function)

    return decorated


def lists_forward(text: str, /) -> Decorator:
    """The door of a forward pass, `f_forward(x, y) -> (value, saved)`."""

    def decorated(function: Function) -> Any:
        entrance = _Door(function, text)

        def entered(*arguments: Any, **keywords: Any) -> Any:
            given = entrance.take(arguments, keywords)
            sides = entrance.sides(given)
            value, saved = entrance.run(*given.values)
            outs = tuple(side for side in sides if side.kind is float)
            kept = Saved(saved, tuple(entrance.words.arguments(given)), outs)
            return _out(value, sides), kept

        return _decorated(entered, function)

    return decorated


def lists_backward(function: Function, /) -> Any:
    """The door of a backward pass, `f_backward(saved, grad=1.0) -> (grad_x, grad_y)`: `grad` has
    the shape of the value, or is a tuple of one for each real result."""
    name = function.__name__

    def entered(saved: Any, /, *grads: Any, **keywords: Any) -> Any:
        if type(saved) is not Saved:
            kind = type(saved).__name__
            raise TypeError(f"{name}: 'saved' must be what the forward pass gave, not {kind}")
        outs = saved.outs
        if not grads and not keywords and len(outs) == 1 and not outs[0].outer:
            seeds = 1.0 if not outs[0].inner else _folded(1.0, ())
        elif grads or keywords:
            seeds = _seeds(name, outs, seed(name, grads, keywords))
        else:
            wanted = ", ".join(str(out.outer) for out in outs)
            raise TypeError(f"{name}: 'grad' is missing, of the shape of the value, {wanted}")
        if all(0 in out.outer for out in outs):  # no element of a result depends on an argument
            return tuple([zeros(own.outer) for own in saved.owns])
        return _all_out(_run(function, saved.values, seeds), saved.owns)

    return _decorated(entered, function)


def _seeds(name: str, outs: Sequence[Sides], grad: Any) -> Any:
    if len(outs) == 1:
        return _matching(name, "grad", grad, outs[0], "the value")
    if not isinstance(grad, (tuple, list)) or len(grad) != len(outs):
        raise TypeError(f"{name}: 'grad' must be a tuple of {len(outs)}, one for each real result")
    return tuple(
        _matching(name, f"grad[{i}]", one, side, f"real result {i}")
        for i, (one, side) in enumerate(zip(grad, outs, strict=True))
    )


def _matching(name: str, path: str, given: Any, sides: Sides, what: str) -> Any:
    """A cotangent or a tangent, of the shape of what it belongs to, folded."""
    value, shape = _taken(name, path, REAL, given)
    # of an empty list inner sizes are not seen
    if shape != sides.outer[: len(shape)] or (len(shape) < len(sides.outer) and 0 not in shape):
        raise ValueError(f"{name}: {path} has shape {shape}, but {what} has {sides.outer}")
    if len(sides.outer) == len(sides.inner):
        return value
    return _folded(value, sides.outer[: len(sides.outer) - len(sides.inner) + 1])


def lists_jvp(text: str, /) -> Decorator:
    """The door of `f_jvp((x, y), (dx, dy)) -> (value, tangent)`."""

    def decorated(function: Function) -> Any:
        words = read(text, {})
        name = function.__name__
        real = [i for i, form in enumerate(words.forms) if form.kind is float]

        def entered(at: Any, along: Any) -> Any:
            at, along = tuple(at), tuple(along)
            if (len(at), len(along)) != (len(words.forms), len(real)):
                raise TypeError(
                    f"{name}: {len(at)} arguments and {len(along)} tangents, where "
                    f"{len(words.forms)} and {len(real)} belong"
                )
            given = take(words, name, at)
            tangents = [
                _matching(name, f"along[{k}]", along[k], sides, words.names[i])
                for k, (i, sides) in enumerate(zip(real, words.arguments(given), strict=True))
            ]
            value, tangent = _run(function, tuple(given.values), tuple(tangents))
            outs = words.sides(given)
            return _out(value, outs), _out(tangent, [out for out in outs if out.kind is float])

        return _decorated(entered, function)

    return decorated


def lists_jacobian(text: str, /) -> Decorator:
    """The door of `f_jacobian(x, y)`: for each real result one entry a real argument, of the shape
    of the result and then of the argument."""
    return _matrix(text, lambda outs, owns: outs, "Jacobian")


def lists_hessian(text: str, /) -> Decorator:
    """The door of `f_hessian(x, y)`: for each pair of real arguments an entry of both shapes."""
    return _matrix(text, lambda outs, owns: owns, "Hessian")


def _matrix(
    text: str, rows: Callable[[list[Sides], list[Sides]], list[Sides]], what: str
) -> Decorator:
    def decorated(function: Function) -> Any:
        entrance = _Door(function, text)

        def entered(*arguments: Any, **keywords: Any) -> Any:
            given = entrance.take(arguments, keywords)
            outs = [out for out in entrance.words.sides(given) if out.kind is float]
            owns = entrance.words.arguments(given)
            sides = [(a, b) for a in rows(outs, owns) for b in owns]
            parts = [(a.outer + b.outer, BYTES) for a, b in sides]
            demand_room(f"{entrance.name}: the {what}", parts)
            found = iter(sides)
            return _each(entrance.run(*given.values), lambda part: _pair_out(part, *next(found)))

        return _decorated(entered, function)

    return decorated


def _each(results: Any, function: Callable[[Any], Any]) -> Any:
    """A function of every part of a tuple, nested at will."""
    if type(results) is tuple:
        return tuple([_each(part, function) for part in results])
    return function(results)


def _pair_out(part: Any, a: Sides, b: Sides) -> Any:
    """A derivative of one thing by another, with the shapes of both."""
    inner, outer = a.inner + b.inner, a.outer + b.outer
    flat = [float(x) for x in _flat(part, len(inner))]
    return _shaped(flat, outer) if outer else flat[0]


# --------------------------------------------------------------------------------------- arguments


class _Door:
    """One function, and what it takes and gives."""

    def __init__(self, function: Function, text: str) -> None:
        self.function = function
        self.name = function.__name__
        self.words = read(text, {})
        self.signature = signature(function)

    def take(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Given:
        """The arguments of a call in order, converted and checked."""
        if keywords or len(arguments) != len(self.words.forms):
            try:
                found = self.signature.bind(*arguments, **keywords)
            except TypeError as error:
                raise TypeError(f"{self.name}: {error}") from None
            found.apply_defaults()
            arguments = found.args
        return take(self.words, self.name, arguments)

    def sides(self, given: Given) -> list[Sides]:
        """The results' shapes; MemoryError if there is no room for them."""
        sides = self.words.sides(given)
        if self.words.wide:
            demand_room(f"{self.name}: the result", [(side.outer, BYTES) for side in sides])
        return sides

    def run(self, *values: Any) -> Any:
        return _run(self.function, *values)


def _run(function: Any, *values: Any) -> Any:
    """The function; by IEEE 754 where Python raises."""
    try:
        return function(*values)
    except (MemoryError, IndexError) as error:
        raise told(function.__name__, error) from None
    except (ArithmeticError, ValueError):
        return ieee(function, *values)


def _decorated(entered: Function, function: Function) -> Function:
    entered = wraps(function)(entered)
    entered.inner = function  # type: ignore[attr-defined]
    return entered


def take(words: Words, function: str, arguments: Sequence[Any]) -> Given:
    """The arguments converted and checked.

    TypeError where one does not hold numbers of its kind, ValueError where lists are ragged, or a
    shape or a condition does not fit; all name the function and the argument.
    """
    values: list[Any] = []
    shapes: list[Shape] = []
    for name, form, given in zip(words.names, words.forms, arguments, strict=True):
        value, shape = _taken(function, name, form, given)
        values.append(value)
        shapes.append(shape)
    if any(0 in shape for shape in shapes):
        shapes, words = _completed(words, values, shapes)
    lead = words.leading(function, shapes)
    sizes = words.measured(values, shapes, lead)
    words.verify(function, shapes, lead, sizes)
    if len(lead) != 1:
        for i, form in enumerate(words.forms):
            if form.has_lead:
                values[i] = _folded(values[i], lead)
    return Given(values, shapes, lead, sizes)


def _taken(function: str, name: str, form: Form, given: Any) -> tuple[Any, Shape]:
    """An argument as nested lists of its kind, and its shape as far as it is seen."""
    value, shape = _converted(function, name, form, given, 0)
    return value, tuple(shape)


def _converted(
    function: str, name: str, form: Form, given: Any, depth: int
) -> tuple[Any, list[int]]:
    kind = form.kind
    if type(given) is kind:
        return given, []
    if not isinstance(given, (list, tuple, range)):
        if hasattr(given, "tolist") and getattr(given, "ndim", True):
            if getattr(getattr(given, "dtype", None), "kind", "f") not in CODES[kind]:
                _refuse(function, name, kind, str(given.dtype))
            if not callable(getattr(given, "mask", len)):
                _refuse(function, name, kind, "a masked array")
            value, shape = _converted(function, name, form, given.tolist(), depth)
            whole = list(getattr(given, "shape", shape))
            return value, whole if 0 in whole else shape  # a list hides what is behind a 0
        try:
            return DOORS[kind](function, **{name: given}), []
        except TypeError:
            if depth or form.dims:
                _refuse(function, name, kind, type(given).__name__)
            raise
    if set(map(type, given)) == {kind}:
        return list(given), [len(given)]
    parts: list[Any] = []
    inner: list[int] | None = None
    for item in given:
        value, shape = _converted(function, name, form, item, depth + 1)
        if inner is not None and shape != inner:
            shapes = " and ".join(str(tuple(s)) for s in (inner, shape))
            raise ValueError(f"{function}: {name} is ragged: it holds parts of shapes {shapes}")
        inner = shape
        parts.append(value)
    return parts, [len(parts), *(inner or [])]


def _refuse(function: str, name: str, kind: type, found: str) -> NoReturn:
    message = f"{function}: argument {name!r} must hold {PLURALS[kind]}, not {found}"
    raise TypeError(message) from None


def _completed(words: Words, values: list[Any], shapes: list[Shape]) -> tuple[list[Shape], Words]:
    """The shapes with the sizes that an empty list does not show, as other arguments tell them. One
    that nothing tells is 0, and no condition speaks of it."""
    known: dict[str, int] = {}
    for name, (argument, axis) in words.origins.items():
        if axis < 0:
            known[words.variables[name]] = int(values[argument])
    for form, shape in zip(words.forms, shapes, strict=True):
        if not form.has_lead:
            for dim, n in zip(form.dims, shape, strict=False):
                if dim.is_name:
                    known.setdefault(dim.expression, n)
    unknown: set[str] = set()
    found: list[Shape] = []
    for form, shape in zip(words.forms, shapes, strict=True):
        hidden = form.dims[len(shape) :] if 0 in shape else ()
        sizes: list[int] = []
        for dim in hidden:
            missing = {name for name in dim.names if words.variables[name] not in known}
            missing -= words.constants.keys()
            unknown |= missing
            sizes.append(value_of(dim, known | {words.variables[name]: 0 for name in missing}))
        found.append((*shape, *sizes))
    conditions = tuple(c for c in words.conditions if unknown.isdisjoint(c.names))
    return found, replace(words, conditions=conditions)


# ----------------------------------------------------------------------------------------- results


def _out(results: Any, sides: Sequence[Sides]) -> Any:
    if len(sides) == 1:
        return _settled(results, sides[0])
    return _all_out(results, sides)


def _all_out(results: Iterable[Any], sides: Iterable[Sides]) -> tuple[Any, ...]:
    return tuple([_settled(part, side) for part, side in zip(results, sides, strict=True)])


def _settled(result: Any, sides: Sides) -> Any:
    """A result of its own, of its kind, with the leading axes unfolded."""
    inner, outer, kind = sides
    value = _copied(result, len(inner), kind)
    if len(inner) == len(outer):
        return value
    lead = outer[: len(outer) - len(inner) + 1]
    return _shaped(value, lead) if lead else value[0]


def _copied(value: Any, rank: int, kind: type) -> Any:
    if not rank:
        return kind(value)
    if rank == 1:
        return [x if type(x) is kind else kind(x) for x in value]
    return [_copied(part, rank - 1, kind) for part in value]


def _folded(value: Any, lead: Shape) -> list[Any]:
    """The leading axes as one."""
    return _flat(value, len(lead)) if lead else [value]


def _flat(value: Any, depth: int) -> list[Any]:
    parts = [value]
    for _ in range(depth):
        parts = [item for part in parts for item in part]
    return parts


def _shaped(items: list[Any], shape: Shape) -> Any:
    """Items in row-major order as nested lists."""
    for axis in range(len(shape) - 1, 0, -1):
        n = shape[axis]
        items = [items[k * n : (k + 1) * n] for k in range(prod(shape[:axis]))]
    return items if shape else items[0]
