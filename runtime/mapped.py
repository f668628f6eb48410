"""A function of numbers whose body holds arrays, on arrays: an element at a time.

Its text does not map as it is, for the axes of its own arrays are in the way. So it is called for
each element; all else, broadcasting, dtypes and gradients of the arguments' shapes, is what
`elementwise` does for functions that hold numbers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from inspect import Signature
from typing import Any

import numpy as np

from mgrad.runtime import elementwise
from mgrad.runtime.results import leaves, rebuilt
from mgrad.runtime.shapes import Interface

Function = Callable[..., Any]


def has_axes(arguments: Iterable[Any]) -> bool:
    """Whether any argument is more than a number."""
    return any(not isinstance(a, (float, int, np.generic)) and _rank(a) for a in arguments)


def _rank(argument: Any) -> int:
    try:
        return np.ndim(argument)
    except ValueError:  # rows of unequal length
        return 1


class Mapped:
    """One routine, and the doors for arrays that it may have. Templates are of results: tuples
    nested as they are, of the kinds of numbers."""

    def __init__(self, function: Function, words: Interface, signature: Signature) -> None:
        self.function = function
        self.words = words
        self.signature = signature
        self.kinds = tuple([form.kind for form in words.forms])
        self.gradients = (float,) * self.kinds.count(float)
        self.value = _bare([form.kind for form in words.results])
        self.slopes = [float for form in words.results if form.kind is float]

    def values(self) -> Any:
        """The door of the function itself."""
        return self._elementwise(self.value)

    def jacobian(self) -> Any:
        """The door of `f_jacobian`."""
        return self._elementwise(_bare([self.gradients for _ in self.slopes]))

    def hessian(self) -> Any:
        """The door of `f_hessian`."""
        return self._elementwise((self.gradients,) * len(self.gradients))

    def value_and_grad(self) -> Any:
        """The door of `f_value_and_grad`."""
        over = self._over((self.value, self.gradients))
        return elementwise.elementwise_value_and_grad(over, **self._types)

    def forward(self) -> Any:
        """The door of `f_forward`: it saves an array of what is saved for each element, and how
        many gradients there are."""
        kinds = [*leaves(self.value), object]

        def of_one(*numbers: Any) -> Iterable[Any]:
            value, saved = self._at(*numbers)
            return *leaves(value), saved

        def forward(*arguments: Any) -> Any:
            *parts, saved = _each(of_one, arguments, kinds)
            return rebuilt(self.value, iter(parts)), (saved, len(self.gradients))

        return elementwise.elementwise_forward(self._named(forward), **self._types)

    def jvp(self) -> Any:
        """The door of `f_jvp`."""
        template = (self.value, _bare(self.slopes))
        kinds = list(leaves(template))
        count = len(self.kinds)

        def of_one(*numbers: Any) -> Iterable[Any]:
            at, along = numbers[:count], numbers[count:]
            self._verify(at)
            return leaves(self.function(at, along))

        def jvp(at: Any, along: Any) -> Any:
            return rebuilt(template, iter(_each(of_one, (*at, *along), kinds)))

        return elementwise.elementwise_jvp(self._named(jvp), types=self.kinds)

    @property
    def _types(self) -> dict[str, type]:
        return dict(zip(self.signature.parameters, self.kinds, strict=True))

    def _elementwise(self, template: Any) -> Any:
        return elementwise.elementwise(self._over(template), **self._types)

    def _over(self, template: Any) -> Function:
        """The function over arrays that broadcast."""
        kinds = list(leaves(template))

        def over(*arguments: Any) -> Any:
            parts = _each(lambda *numbers: leaves(self._at(*numbers)), arguments, kinds)
            return rebuilt(template, iter(parts))

        return self._named(over)

    def _at(self, *numbers: Any) -> Any:
        """The function of numbers."""
        self._verify(numbers)
        return self.function(*numbers)

    def _verify(self, numbers: Sequence[Any]) -> None:
        """A ValueError where a condition on sizes does not hold."""
        shapes = ((),) * len(numbers)
        sizes = self.words.measured(numbers, shapes, ())
        self.words.verify(self.function.__name__, shapes, (), sizes)

    def _named(self, function: Function) -> Function:
        """The function with the name and the parameters of the one that is mapped."""
        function = wraps(self.function)(function)
        function.__signature__ = self.signature  # type: ignore[attr-defined]
        return function


def mapped_backward(function: Function) -> Any:
    """The door of `f_backward` for what `Mapped.forward` saved."""

    @wraps(function)
    def backward(values: Any, *seeds: Any) -> Any:
        saved, count = values

        def of_one(kept: Any, *numbers: Any) -> Any:
            return function(kept, *rebuilt(seeds, iter(numbers)))

        return tuple(_each(of_one, (saved, *leaves(seeds)), (float,) * count))

    return elementwise.elementwise_backward(backward)


def _bare(items: Sequence[Any]) -> Any:
    return items[0] if len(items) == 1 else tuple(items)


def _each(
    function: Callable[..., Iterable[Any]], arguments: Sequence[Any], kinds: Sequence[type]
) -> list[Any]:
    """Arrays of what the function gives for each element of arguments that broadcast."""
    arrays = np.broadcast_arrays(*arguments)
    rows = [tuple(function(*numbers)) for numbers in zip(*[a.flat for a in arrays], strict=True)]
    return [
        np.fromiter([row[k] for row in rows], kind, len(rows)).reshape(arrays[0].shape)
        for k, kind in enumerate(kinds)
    ]
