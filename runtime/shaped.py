"""The doors of generated functions on tensors: `@arrays("x: [N, D], w: [D] -> [N]")`.

Arguments may be anything array-like; they become arrays of one dtype, and their shapes are checked
against the source's words (`shapes`), which say also what the results are. Leading axes, `..`, are
folded into one before the function and unfolded in its results and gradients. A number is a scalar
of NumPy, on the way in and out. Results are arrays of their own: one that shares memory with an
argument, with what a forward pass saved, or with another result is copied, and one that is the
same all along an axis may come without it. A function of numbers maps: given arrays, it works
element by element (`mapped`). Floating-point warnings are silenced during the call;
nothing is kept between calls, so that threads do not meet here.

One decorator a kind of routine; the decorated function keeps its name, docstring and signature, and
has the function itself as its attribute `inner`, which calls between generated functions use.
Keyword-only arguments, such as `work=`, are passed on as they are; results then stand in the
caller's workspace, and are the caller's until the next call. They are no arguments of it: what is
read would be written over, and a ValueError says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from mgrad.runtime.arrays import Shape, take
from mgrad.runtime.elementwise import Saved as SavedElements
from mgrad.runtime.entry import Kind, entry
from mgrad.runtime.errstate import SILENT, STATE
from mgrad.runtime.faults import FAULTS, demand_room, told
from mgrad.runtime.mapped import Mapped, has_axes, mapped_backward
from mgrad.runtime.results import leaves, rebuilt
from mgrad.runtime.shapes import DTYPES, Given, Interface, interface
from mgrad.runtime.words import Form, Sides, seed

Function = Callable[..., Any]
Decorator = Callable[[Function], Any]
NUMBER = Sides((), ())


def arrays(text: str, /, **constants: int) -> Decorator:
    """The door of a function that gives its results, in a tuple if there are several."""

    def decorated(function: Function) -> Any:
        door = _Door(function, text, constants)

        def slowly(arguments: Any, keywords: Any, others: Any) -> Any:
            given = door.take(arguments, keywords)
            sides = door.sides(given)
            result = door.silent(*given.values, **others)
            door.demand_apart(given.values, result, others)
            return settled(result, sides, given.dtype, list(given.values))

        def finish(result: Any, arguments: Any, others: Any, dtype: Any) -> Any:
            door.demand_apart(arguments, result, others)
            if are_free(result, door.words.results, dtype, arguments):
                return result
            sides = door.words.sides(door.words.take(door.name, arguments))
            return settled(result, sides, dtype, list(arguments))

        return door.entry("value", slowly, finish, Mapped.values)

    return decorated


def arrays_value_and_grad(text: str, /, **constants: int) -> Decorator:
    """The door of a function that gives one real number and the tuple of its gradients."""

    def decorated(function: Function) -> Any:
        door = _Door(function, text, constants)

        def slowly(arguments: Any, keywords: Any, others: Any) -> Any:
            given = door.take(arguments, keywords)
            value, fields = door.silent(*given.values, **others)
            door.demand_apart(given.values, fields, others)
            owns = door.words.arguments(given)
            value = settled(value, [NUMBER], given.dtype, [])
            return value, settled(fields, owns, given.dtype, list(given.values))

        def finish(result: Any, arguments: Any, others: Any, dtype: Any) -> Any:
            value, fields = result
            door.demand_apart(arguments, fields, others)
            owns = [_plain(np.shape(arguments[i])) for i in door.real]
            value = settled(value, [NUMBER], dtype, [])
            return value, settled(fields, owns, dtype, list(arguments))

        return door.entry("value_and_grad", slowly, finish, Mapped.value_and_grad)

    return decorated


class Saved(NamedTuple):
    """What a forward pass hands to its backward pass."""

    values: tuple[Any, ...]
    owns: tuple[Shape, ...]  # of the real arguments, inside the function
    outs: tuple[Shape, ...]  # of the real results
    dtype: np.dtype[Any]
    is_tuple: bool  # whether there are several results
    outer: tuple[tuple[Shape, ...], tuple[Shape, ...]] | None  # the same outside, if not the same


def arrays_forward(text: str, /, **constants: int) -> Decorator:
    """The door of a forward pass, `f_forward(x, y) -> (value, saved)`.

    `saved` is for the backward pass alone: what the function saves, with the shapes. It may hold
    the arguments themselves, which must not be changed before the backward pass.
    """

    def decorated(function: Function) -> Any:
        door = _Door(function, text, constants)
        forms, real, slopes = door.words.results, door.real, door.real_results

        def slowly(arguments: Any, keywords: Any, others: Any) -> Any:
            given = door.take(arguments, keywords)
            sides = door.sides(given)
            value, saved = door.silent(*given.values, **others)
            door.demand_apart(given.values, value, others)
            taken = [*given.values, *_kept(saved, others)]
            outs = [side for side in sides if side.kind is float]
            owns = door.words.arguments(given)
            inner = [tuple([side.inner for side in both]) for both in (owns, outs)]
            outer = [tuple([side.outer for side in both]) for both in (owns, outs)]
            folded = None if inner == outer else (outer[0], outer[1])
            keep = Saved(saved, inner[0], inner[1], given.dtype, len(slopes) > 1, folded)
            return settled(value, sides, given.dtype, taken), keep

        def finish(result: Any, arguments: Any, others: Any, dtype: Any) -> Any:
            value, saved = result
            door.demand_apart(arguments, value, others)
            taken = [*arguments, *_kept(saved, others)]
            if not are_free(value, forms, dtype, taken):
                sides = door.words.sides(door.words.take(door.name, arguments))
                value = settled(value, sides, dtype, taken)
            owns = tuple([np.shape(arguments[i]) for i in real])
            parts = value if len(forms) > 1 else (value,)
            outs = tuple([parts[i].shape for i in slopes])
            return value, Saved(saved, owns, outs, dtype, len(slopes) > 1, None)

        return door.entry("forward", slowly, finish, Mapped.forward)

    return decorated


def _kept(saved: Any, others: dict[str, Any]) -> Iterable[Any]:
    """What a value must not share memory with; in a workspace it may."""
    return () if any(other is not None for other in others.values()) else leaves(saved)


def arrays_backward(function: Function, /) -> Any:
    """The door of a backward pass, `f_backward(saved, grad=1.0) -> (grad_x, grad_y)`.

    `grad` has the shape of the value, and is 1 for a number where nothing is given; of several
    real results, it is a tuple of one for each. It takes no words: `saved` knows the shapes.
    """
    name = function.__name__
    silent = _silent(function)
    passed = [parameter.name for parameter in _keyword_only(function)]
    mapped = mapped_backward(function)

    def entered(saved: Any, /, *grads: Any, **keywords: Any) -> Any:
        others = {key: keywords.pop(key) for key in passed if key in keywords}
        if type(saved) is SavedElements:
            return mapped(saved, *grads, **keywords)
        if type(saved) is not Saved:
            kind = type(saved).__name__
            raise TypeError(f"{name}: 'saved' must be what the forward pass gave, not {kind}")
        values, owns, outs, dtype, _, outer = saved
        if grads or keywords:
            seeds = _seeds(name, saved, seed(name, grads, keywords))
        elif (outs if outer is None else outer[1]) == ((),):
            seeds = dtype.type(1).reshape(outs[0])[()]
        else:
            wanted = ", ".join(map(str, outs if outer is None else outer[1]))
            raise TypeError(f"{name}: 'grad' is missing, of the shape of the value, {wanted}")
        fields = silent(values, seeds, **others)
        _demand_apart(name, ("grad",) * len(saved.outs), leaves(seeds), fields, others)
        if outer is None and _are_new(fields, owns, dtype, (values, seeds)):
            return fields
        taken = [*leaves(values), *leaves(seeds)]
        return settled(fields, map(Sides, owns, owns if outer is None else outer[0]), dtype, taken)

    return _decorated(entered, function)


def _seeds(name: str, saved: Saved, grad: Any) -> Any:
    """The gradient of the value, or the tuple of those of the values, as the function wants it."""
    outer = saved.outs if saved.outer is None else saved.outer[1]
    is_ready = type(grad) is ndarray and grad.dtype is saved.dtype and saved.outer is None
    if is_ready and not saved.is_tuple and grad.shape == outer[0]:
        return grad[()]
    sides = [Sides(*pair) for pair in zip(saved.outs, outer, strict=True)]
    if not saved.is_tuple:
        return _matching(name, "grad", grad, sides[0], "the value", saved.dtype)
    if not isinstance(grad, (tuple, list)) or len(grad) != len(sides):
        raise TypeError(f"{name}: 'grad' must be a tuple of {len(sides)}, one for each real result")
    return tuple(
        [
            _matching(name, f"grad[{i}]", one, side, f"real result {i}", saved.dtype)
            for i, (one, side) in enumerate(zip(grad, sides, strict=True))
        ]
    )


def _matching(
    name: str, path: str, given: Any, sides: Sides, what: str, dtype: np.dtype[Any]
) -> Any:
    """A cotangent or a tangent of the dtype, of the shape of what it belongs to, folded."""
    if type(given) is not ndarray or given.dtype is not dtype:
        given = take(name, (path,), (float,), (given,)).values[0].astype(dtype, copy=False)
    if given.shape != sides.outer:
        raise ValueError(f"{name}: {path} has shape {given.shape}, but {what} has {sides.outer}")
    return given.reshape(sides.inner)[()] if sides.inner != sides.outer else given[()]


def arrays_jvp(text: str, /, **constants: int) -> Decorator:
    """The door of `f_jvp((x, y), (dx, dy)) -> (value, tangent)`: a tangent for each real argument,
    of its shape. Of several results, values and tangents are tuples; a tangent is of the real."""

    def decorated(function: Function) -> Any:
        words = _words(text, tuple(sorted(constants.items())))
        name = function.__name__
        silent = _silent(function)
        mapped = Mapped(function, words, signature(function)).jvp() if words.are_numbers else None

        def entered(at: Any, along: Any, **others: Any) -> Any:
            at, along = tuple(at), tuple(along)
            if mapped is not None and has_axes(at):
                return mapped(at, along)
            real = [i for i, form in enumerate(words.forms) if form.kind is float]
            if (len(at), len(along)) != (len(words.forms), len(real)):
                raise TypeError(
                    f"{name}: {len(at)} arguments and {len(along)} tangents, where "
                    f"{len(words.forms)} and {len(real)} belong"
                )
            given = words.take(name, at)
            tangents = [
                _matching(name, f"along[{k}]", along[k], sides, words.names[i], given.dtype)
                for k, (i, sides) in enumerate(zip(real, words.arguments(given), strict=True))
            ]
            value, tangent = silent(tuple(given.values), tuple(tangents), **others)
            paths = [*words.names, *(f"along[{k}]" for k in range(len(tangents)))]
            _demand_apart(name, paths, [*given.values, *tangents], (value, tangent), others)
            outs = words.sides(given)
            taken = [*given.values, *tangents]
            value = settled(value, outs, given.dtype, taken)
            slopes = [out for out in outs if out.kind is float]
            return value, settled(tangent, slopes, given.dtype, taken)

        return _decorated(entered, function)

    return decorated


def arrays_jacobian(text: str, /, **constants: int) -> Decorator:
    """The door of `f_jacobian(x, y)`: for each real result one entry a real argument, of the shape
    of the result and then of the argument. MemoryError, before the work, if there is no room."""
    return _matrix(
        text, constants, lambda outs, owns: product(outs, owns), "Jacobian", Mapped.jacobian
    )


def arrays_hessian(text: str, /, **constants: int) -> Decorator:
    """The door of `f_hessian(x, y)`: for each pair of real arguments an entry of the shapes of
    both. MemoryError, before the work, if there is no room."""
    return _matrix(
        text, constants, lambda outs, owns: product(owns, owns), "Hessian", Mapped.hessian
    )


def _matrix(
    text: str,
    constants: dict[str, int],
    pairs: Callable[[list[Sides], list[Sides]], Iterable[tuple[Sides, Sides]]],
    what: str,
    mapped: Callable[[Mapped], Any],
) -> Decorator:
    def decorated(function: Function) -> Any:
        door = _Door(function, text, constants)

        def slowly(arguments: Any, keywords: Any, others: Any) -> Any:
            given = door.take(arguments, keywords)
            outs = [out for out in door.words.sides(given) if out.kind is float]
            sides = [
                Sides(a.inner + b.inner, a.outer + b.outer)
                for a, b in pairs(outs, door.words.arguments(given))
            ]
            parts = [(side.outer, given.dtype.itemsize) for side in sides]
            demand_room(f"{door.name}: the {what}", parts)
            result = door.silent(*given.values, **others)
            door.demand_apart(given.values, result, others)
            return settled(result, sides, given.dtype, list(given.values))

        slowly = door.mapping(slowly, mapped)

        passed = [parameter.name for parameter in door.keyword_only]

        def entered(*arguments: Any, **keywords: Any) -> Any:
            others = {key: keywords.pop(key) for key in passed if key in keywords}
            return slowly(arguments, keywords, others)

        return _decorated(entered, function)

    return decorated


# --------------------------------------------------------------------------------------- arguments


class _Door:
    """One function, what it takes and gives."""

    def __init__(self, function: Function, text: str, constants: dict[str, int]) -> None:
        self.function = function
        self.name = function.__name__
        self.words: Interface = _words(text, tuple(sorted(constants.items())))
        self.silent = _silent(function)
        self.keyword_only = _keyword_only(function)
        parameters = signature(function).parameters.values()
        self.signature = Signature([p for p in parameters if p not in self.keyword_only])
        count = len(self.words.forms)
        if len(self.signature.parameters) != count:
            raise ValueError(f"{self.name}: {count} arguments in {text!r}, not as in `def`")
        self.real = [i for i, form in enumerate(self.words.forms) if form.kind is float]
        results = enumerate(self.words.results)
        self.real_results = [i for i, form in results if form.kind is float]

    def take(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Given:
        """The arguments of a call in order, converted and checked."""
        return self.words.take(self.name, self.bound(arguments, keywords))

    def sides(self, given: Given) -> list[Sides]:
        """The results' shapes; MemoryError if there is no room for them."""
        sides = self.words.sides(given)
        if self.words.wide:
            parts = [
                (s.outer, (given.dtype if s.kind is float else DTYPES[s.kind]).itemsize)
                for s in sides
            ]
            demand_room(f"{self.name}: the result", parts)
        return sides

    def demand_apart(self, arguments: Iterable[Any], results: Any, others: dict[str, Any]) -> None:
        """ValueError if an argument stands where a result was written."""
        _demand_apart(self.name, self.words.names, arguments, results, others)

    def bound(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments of a call in order."""
        if not keywords and len(arguments) == len(self.words.forms):
            return arguments
        try:
            found = self.signature.bind(*arguments, **keywords)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None
        found.apply_defaults()
        return found.args

    def mapping(self, otherwise: Function, mapped: Callable[[Mapped], Any]) -> Function:
        """What maps if the function is one of numbers and an argument has axes; they make arrays
        of their own, and have no use for a workspace."""
        if not self.words.are_numbers:
            return otherwise
        over = mapped(Mapped(self.function, self.words, self.signature))

        def slowly(arguments: Any, keywords: Any, others: Any) -> Any:
            arguments = self.bound(arguments, keywords)
            return over(*arguments) if has_axes(arguments) else otherwise(arguments, {}, others)

        return slowly

    def entry(
        self,
        kind: Kind,
        slowly: Function,
        finish: Function,
        mapped: Callable[[Mapped], Any],
    ) -> Function:
        """The decorated function, which is fast where nothing is to be done at the door."""
        slowly = self.mapping(slowly, mapped)
        functions = {"function": self.function, "slowly": slowly, "finish": finish}
        functions |= {"Saved": Saved, "are_apart": are_apart}
        return _decorated(entry(self.words, kind, self.keyword_only, functions), self.function)


def _demand_apart(
    name: str, paths: Iterable[str], arguments: Iterable[Any], results: Any, others: dict[str, Any]
) -> None:
    if all(other is None for other in others.values()):
        return
    owners = {id(_owner(r)) for r in leaves(results) if type(r) is ndarray}
    for path, argument in zip(paths, arguments, strict=True):
        if type(argument) is ndarray and id(_owner(argument)) in owners:
            raise ValueError(
                f"{name}: {path} stands in the workspace, where the results are written: "
                "give a copy of it, or another workspace"
            )


@cache
def _words(text: str, constants: tuple[tuple[str, int], ...]) -> Interface:
    """The routines of one function share what was read."""
    return interface(text, dict(constants))


def _silent(function: Function) -> Function:
    def silenced(*arguments: Any, **keywords: Any) -> Any:
        token = STATE.set(SILENT)
        try:
            return function(*arguments, **keywords)
        except FAULTS as error:
            raise told(function.__name__, error) from None
        finally:
            STATE.reset(token)

    return silenced


def _keyword_only(function: Function) -> list[Parameter]:
    parameters = signature(function).parameters.values()
    return [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY]


def _decorated(entered: Function, function: Function) -> Function:
    entered = wraps(function)(entered)
    entered.inner = function  # type: ignore[attr-defined]
    return entered


# ----------------------------------------------------------------------------------------- results


def are_free(
    results: Any, forms: Sequence[Form], dtype: np.dtype[Any], taken: Sequence[Any]
) -> bool:
    """Whether the results of a function can go out as they are: scalars of NumPy, and arrays of
    the right dtype and rank that share memory with nothing."""
    parts = (results,) if len(forms) == 1 else results
    for part, form in zip(parts, forms, strict=True):
        own = dtype if form.kind is float else DTYPES[form.kind]
        if not form.dims:
            if type(part) is not own.type:
                return False
        elif not is_free(part, own, taken) or part.ndim != len(form.dims):
            return False
        taken = [*taken, part]
    return True


def _are_new(
    parts: Sequence[Any], shapes: Sequence[Shape], dtype: np.dtype[Any], kept: tuple[Any, ...]
) -> bool:
    """Whether parts are scalars and arrays of the dtype and the shapes, that own their memory, and
    are neither one another nor what is kept."""
    for part, shape in zip(parts, shapes, strict=True):
        if not shape:
            if type(part) is not dtype.type:
                return False
        elif (
            type(part) is not ndarray
            or part.dtype is not dtype
            or part.base is not None
            or part.shape != shape
        ):
            return False
    return len(set(map(id, parts))) == len(parts) and are_apart(parts, kept)


def are_apart(parts: Sequence[Any], kept: tuple[Any, ...]) -> bool:
    """Whether no array kept, in tuples nested at will, is one of the parts or a view of it."""
    for item in kept:
        if type(item) is tuple:
            if not are_apart(parts, item):
                return False
        elif type(item) is ndarray:
            base = item.base
            for part in parts:
                if part is item or (part is base and base is not None):
                    return False
    return True


def is_free(result: Any, dtype: np.dtype[Any], taken: Sequence[Any]) -> bool:
    """Whether a result is an array of the dtype that can be written, and none of those taken has
    its memory."""
    if type(result) is not ndarray or result.dtype is not dtype or not result.flags.writeable:
        return False
    owner = _owner(result)
    return all(_owner(other) is not owner for other in taken)


def _owner(array: Any) -> Any:
    """The array that the memory belongs to; of a view of foreign memory, the first array on it."""
    while type(array) is ndarray and type(array.base) is ndarray:
        array = array.base
    return array


@np.errstate(all="ignore")
def settled(results: Any, sides: Iterable[Sides], dtype: np.dtype[Any], taken: list[Any]) -> Any:
    """Results as free arrays and scalars, of their shapes outside, real ones of the dtype; in
    tuples nested as they are. What is given out is added to what is taken."""
    parts = leaves(results)
    return rebuilt(results, _settled_parts(parts, sides, dtype, taken))


def _settled_parts(
    parts: Iterator[Any], sides: Iterable[Sides], dtype: np.dtype[Any], taken: list[Any]
) -> Iterator[Any]:
    for part, (inner, outer, kind) in zip(parts, sides, strict=True):
        own = dtype if kind is float else DTYPES[kind]
        if not outer:
            yield own.type(np.asarray(part).reshape(())[()])
            continue
        array = part
        if not is_free(array, own, taken) or array.shape != inner:
            array = np.empty(inner, own)
            array[...] = part
        taken.append(array)
        yield array if inner == outer else array.reshape(outer)


def _plain(shape: Shape) -> Sides:
    """Of what has the same shape inside and outside."""
    return Sides(shape, shape)
