"""The data and the gradient of every value of a function at a point, by the reference interpreter.

The typed function is extended: each of its values gets a name, and the derivative of the result by
each name becomes a result too. So the numbers belong to what was written, not to what an
optimisation made of it: two equal subexpressions have a gradient each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, prod
from typing import Any, cast

import numpy as np

from mgrad.compiler.autodiff.reverse import derive
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.types import INT, REAL, Bundle, Type
from mgrad.compiler.lowering import lower
from mgrad.compiler.passes import prepare
from mgrad.compiler.sema.program import Argument, Function, Program, Value
from mgrad.faults import UsageError
from mgrad.verbs.bodies import differentiates, inner, with_operands
from mgrad.verbs.compile import Number
from mgrad.verbs.points import fits

Edge = tuple[Value, int | Value]  # a value, and which of its operands; a statement, and a name


@dataclass(frozen=True, slots=True)
class Cut:
    """Along what local derivatives are taken.

    `aliases` gives operands (a value, and which of its operands) a key; operands of one key share
    a name of their own. `wanted` are the local derivatives: by an edge's keys, of a value. A value
    that is no one's key stands for itself.
    """

    aliases: Mapping[tuple[Value, int], object] = field(default_factory=dict)
    wanted: Mapping[Edge, tuple[Value, tuple[object, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class Numbers:
    """What a point gives each value, numbers and NumPy's arrays. Bundles have no data; ints and
    bools have no gradient.

    `partials` has the local derivative along each edge of the cut between numbers; `paths` what
    each edge adds to the gradient of the value that it comes from. `sizes` are those of dimensions.
    """

    data: dict[Value, Any] = field(default_factory=dict)
    gradients: dict[Value, Any] = field(default_factory=dict)
    partials: dict[Edge, float] = field(default_factory=dict)
    paths: dict[Edge, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def operands(function: Function) -> Cut:
    """The cut of a picture: each operand of each operation is an edge, but for constants."""
    constants = _constants(function)
    edges = [
        (value, position)
        for value in function.values
        if is_real(value) and value.form not in ("bind", "item") and not differentiates(value)
        for position, operand in enumerate(value.args)
        if is_real(operand) and operand not in constants
    ]
    return Cut({e: e for e in edges}, {e: (e[0], (e,)) for e in edges})


def is_real(value: Value) -> bool:
    return isinstance(value.type, Type) and value.type.dtype == "real"


def _constants(function: Function) -> set[Value]:
    """The values that are numbers of the source or sizes, widened or not, and arrays of them."""
    found: set[Value] = set()
    for value in function.values:
        widens = value.form in ("to_real", "broadcast", "reshape", "concat")
        if value.form in ("constant", "size") or (widens and found.issuperset(value.args)):
            found.add(value)
    return found


def numbers(
    program: Program, function: Function, point: Mapping[str, Any], cut: Cut | None = None
) -> Numbers:
    """The numbers of `function` at a point: an argument's value by its name, or its default.

    The gradient is that of the result; of several results, and of the elements of an array, of
    their sum; there is none where the function calls an extern whose derivative is not stated.
    Raises UsageError if the point does not fit.
    """
    given, sizes = bound(function, point)
    has_gradient = underivable(program, function) is None
    extension = _Extension(function, cut or operands(function), has_gradient)
    module = derive(prepare(lower(_only(program, extension.function)), level=0))
    try:
        results = evaluate(module.graphs[function.key], given, module, sizes)
    except (IndexError, ValueError) as error:  # an index outside, as at the door
        raise UsageError(f"{function.name} has no value at this point: {error}") from error
    found = Numbers(sizes=sizes)
    for (what, key), number in zip(extension.places, results, strict=True):
        result = number if np.ndim(number) else _scalar(number)
        match what, key:
            case "data", Value():
                found.data[key] = result
            case "gradient", Value():
                found.gradients[key] = result
            case "partial", (Value(), _):
                found.partials[key] = found.partials.get(key, 0.0) + result
            case "path", (Value(), _):
                found.paths[key] = found.paths.get(key, 0.0) + result
    return found


def _scalar(number: Any) -> Any:
    return number.item() if hasattr(number, "item") else number


def arguments(function: Function, point: Mapping[str, Any]) -> list[Any]:
    """The arguments in order. Raises UsageError if one is missing, unknown or does not fit."""
    return bound(function, point)[0]


def bound(function: Function, point: Mapping[str, Any]) -> tuple[list[Any], dict[str, int]]:
    """The arguments in order, and the sizes that they give to the names of dimensions.

    Raises UsageError if one is missing, unknown, or of the wrong type or shape.
    """
    known = {a.name for a in function.arguments}
    for name in point:
        if name not in known:
            raise UsageError(f"{function.name} has no argument '{name}'")
    values: list[Any] = []
    sizes: dict[str, int] = {}
    owner: dict[str, str] = {}
    for argument in function.arguments:
        value = point.get(argument.name, argument.default)
        if value is None:
            raise UsageError(f"the point gives no value to '{argument.name}'")
        value = _array(argument, value) if argument.type.shape else _number(argument, value)
        values.append(value)
        if argument.type == INT:
            sizes[argument.name], owner[argument.name] = int(value), argument.name
        for dim, size in zip(argument.type.shape, np.shape(value), strict=True):
            if str(dim) in dim.names and str(dim) not in sizes:
                sizes[str(dim)], owner[str(dim)] = size, argument.name
    for argument, value in zip(function.arguments, values, strict=True):
        for dim, size in zip(argument.type.shape, np.shape(value), strict=True):
            if dim.names <= sizes.keys() and dim.evaluate(sizes) != size:
                by = ", ".join(f"{n} = {sizes[n]} by '{owner[n]}'" for n in sorted(dim.names))
                known_by = f", and {by}" if by else ""
                raise UsageError(
                    f"'{argument.name}' is {argument.type}{known_by}; the point gives it"
                    f" the shape {list(np.shape(value))}"
                )
    for condition in function.conditions:
        if not fits(function, sizes):
            raise UsageError(f"{function.name} wants {condition}, which the point does not meet")
    return values, sizes


def _number(argument: Argument, value: Any) -> float | int | bool:
    if isinstance(value, list | tuple | np.ndarray):
        raise UsageError(f"'{argument.name}' is a number, and the point gives it an array")
    if argument.type == REAL:
        return nearest(value)
    if value != value // 1:
        raise UsageError(f"'{argument.name}' is an {argument.type}, not {value}")
    return bool(value) if argument.type.dtype == "bool" else int(value)


def _array(argument: Argument, value: Any) -> Any:
    """An array of the argument's type; leading axes folded into one where it takes any (`..`)."""
    shape = argument.type.shape
    try:
        array = np.array(value, dtype=object if isinstance(value, list | tuple) else None)
        if array.dtype == {"real": float, "int": int, "bool": bool}[argument.type.dtype]:
            pass  # as it has to be
        elif argument.type.dtype == "real":
            array = (
                np.vectorize(nearest, otypes=[float])(array) if array.size else array.astype(float)
            )
        elif any(element != int(element) for element in array.flat):
            raise ValueError
        else:
            array = array.astype(argument.type.dtype)
    except (TypeError, ValueError, OverflowError):
        wanted = {"real": "numbers", "int": "ints", "bool": "booleans"}[argument.type.dtype]
        raise UsageError(
            f"'{argument.name}' is {argument.type}: the point has to give it an array of {wanted}"
        ) from None
    if str(shape[0]) == ".." and array.ndim >= len(shape) - 1:
        kept = array.shape[array.ndim - len(shape) + 1 :]
        return array.reshape((prod(array.shape[: array.ndim - len(kept)]), *kept))
    if array.ndim != len(shape):
        raise UsageError(
            f"'{argument.name}' is {argument.type}; the point gives it"
            f" {f'the shape {list(array.shape)}' if array.ndim else 'a number'}"
        )
    return array


def nearest(value: Number) -> float:
    """The float nearest to a number; infinite if that is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def underivable(program: Program, function: Function) -> str | None:
    """The extern without a stated derivative that a function calls, itself or by another."""
    waiting, seen = [function], {function.key}
    while waiting:
        values = waiting.pop().values
        for value in (part for v in values for part in (v, *inner(v))):
            if value.form not in ("call", "derivative"):
                continue
            key = str(value.attribute("callee"))
            if key in seen or key in program.derivatives:
                continue
            if key in program.externs:
                return program.externs[key].name
            seen.add(key)
            waiting.append(program.functions[key])
    return None


def _only(program: Program, function: Function) -> Program:
    """The program with this function in place of its namesake, and without that one's callers."""
    functions = {}
    for key, each in program.functions.items():
        if key == function.key:
            functions[key] = function
            break
        functions[key] = each
    return replace(program, functions=functions, tests=())


class _Extension:
    """A function whose results are all that is asked for; `places` says what each result is."""

    def __init__(self, function: Function, cut: Cut, has_gradient: bool) -> None:
        self._values: list[Value] = []
        self._results: list[Value] = []
        self.places: list[tuple[str, Value | Edge]] = []
        self._new: dict[Value, Value] = {}
        self._aliases: dict[object, Value] = {}
        for value in function.values:
            self._copy(value, cut)
        for value, copy in self._new.items():
            if not isinstance(copy.type, Bundle):
                self._result(copy, "data", value)
        if has_gradient:
            self._derive(function, cut)
        self.function = replace(function, values=tuple(self._values), results=tuple(self._results))

    def _derive(self, function: Function, cut: Cut) -> None:
        """Add the gradient by every value, and the local derivatives."""
        constants = _constants(function)
        total = self._sum([self._number(self._new[r]) for r in function.results if is_real(r)])
        if total is not None:
            for value, copy in self._new.items():
                if is_real(copy) and value not in constants:
                    self._result(self._diff(total, copy), "gradient", value)
        for edge, (of, keys) in cut.wanted.items():
            for key in keys:
                by = self._aliases.get(key) or self._new[cast(Value, key)]
                if of.type == by.type == REAL:
                    self._result(self._diff(self._new[of], by), "partial", edge)
                elif total is not None:
                    self._result(self._diff(total, by), "path", edge)

    def _copy(self, value: Value, cut: Cut) -> None:
        """Add the value over copied operands, with a name of its own if it is real."""
        inputs = [self._new[argument] for argument in value.args]
        for position, operand in enumerate(inputs):
            key = cut.aliases.get((value, position))
            if key is not None:
                if key not in self._aliases:
                    self._aliases[key] = self._bind(operand)
                inputs[position] = self._aliases[key]
        copy = with_operands(value, inputs) if inputs else value
        self._values.append(copy)
        if is_real(value) and value.form not in ("argument", "bind"):
            copy = self._bind(copy)
        self._new[value] = copy

    def _bind(self, value: Value) -> Value:
        name = value.name or f"value {len(self._values)}"
        bind = Value("bind", (value,), value.type, value.span, name)
        self._values.append(bind)
        return bind

    def _diff(self, of: Value, by: Value) -> Value:
        value = Value("diff", (of, by), by.type, by.span)
        self._values.append(value)
        return value

    def _number(self, value: Value) -> Value:
        """An array as the sum of its elements."""
        assert isinstance(value.type, Type)
        if not value.type.shape:
            return value
        axes = tuple(range(len(value.type.shape)))
        total = Value("sum_over", (value,), REAL, value.span, attributes=(("axes", axes),))
        self._values.append(total)
        return total

    def _sum(self, values: list[Value]) -> Value | None:
        """Their sum, as one value; None of none."""
        total = None
        for value in values:
            if total is None:
                total = value
            else:
                total = Value("add", (total, value), REAL, value.span)
                self._values.append(total)
        return total

    def _result(self, value: Value, what: str, key: Value | Edge) -> None:
        self._results.append(value)
        self.places.append((what, key))
