"""The data and the gradient of every value of a function at a point, by the reference interpreter.

The typed function is extended: each of its values gets a name, and the derivative of the result by
each name becomes a result too. So the numbers belong to what was written, not to what an
optimisation made of it: two equal subexpressions have a gradient each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import cast

from mgrad.compiler.autodiff.reverse import derive
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.types import REAL, Bundle
from mgrad.compiler.lowering import lower
from mgrad.compiler.passes import prepare
from mgrad.compiler.sema.program import Function, Program, Value
from mgrad.faults import UsageError
from mgrad.verbs.compile import Number

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
    """What a point gives each value. Bundles have no data; ints and bools have no gradient.

    `partials` has the local derivative along each edge of the cut.
    """

    data: dict[Value, float | int | bool] = field(default_factory=dict)
    gradients: dict[Value, float] = field(default_factory=dict)
    partials: dict[Edge, float] = field(default_factory=dict)


def operands(function: Function) -> Cut:
    """The cut of a picture: each operand of each operation is an edge, but for constants."""
    constants = _constants(function)
    edges = [
        (value, position)
        for value in function.values
        if value.type == REAL and value.form not in ("bind", "diff", "item")
        for position, operand in enumerate(value.args)
        if operand.type == REAL and operand not in constants
    ]
    return Cut({e: e for e in edges}, {e: (e[0], (e,)) for e in edges})


def _constants(function: Function) -> set[Value]:
    """The values that are numbers of the source, widened or not."""
    found = {v for v in function.values if v.form == "constant"}
    return found | {v for v in function.values if v.form == "to_real" and v.args[0] in found}


def numbers(
    program: Program, function: Function, point: Mapping[str, Number], cut: Cut | None = None
) -> Numbers:
    """The numbers of `function` at a point: an argument's value by its name, or its default.

    The gradient is that of the result; of several results, of their sum; there is none where the
    function calls an extern whose derivative is not stated. Raises UsageError if the point does not
    fit.
    """
    has_gradient = underivable(program, function) is None
    extension = _Extension(function, cut or operands(function), has_gradient)
    module = derive(prepare(lower(_only(program, extension.function)), level=0))
    results = evaluate(module.graphs[function.key], arguments(function, point), module)
    found = Numbers()
    for (what, key), number in zip(extension.places, results, strict=True):
        result = number.item() if hasattr(number, "item") else number
        match what, key:
            case "data", Value():
                found.data[key] = result
            case "gradient", Value():
                found.gradients[key] = result
            case "partial", (Value(), _):
                found.partials[key] = found.partials.get(key, 0.0) + result
    return found


def arguments(function: Function, point: Mapping[str, Number]) -> list[float | int | bool]:
    """The arguments in order. Raises UsageError if one is missing, unknown or of the wrong type."""
    known = {a.name for a in function.arguments}
    for name in point:
        if name not in known:
            raise UsageError(f"{function.name} has no argument '{name}'")
    values: list[float | int | bool] = []
    for argument in function.arguments:
        value = point.get(argument.name, argument.default)
        if value is None:
            raise UsageError(f"the point gives no value to '{argument.name}'")
        if argument.value.type == REAL:
            values.append(nearest(value))
        elif value != int(value):
            raise UsageError(f"'{argument.name}' is an {argument.value.type}, not {value}")
        else:
            values.append(bool(value) if str(argument.value.type) == "bool" else int(value))
    return values


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
        for value in waiting.pop().values:
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
        total = self._sum([self._new[r] for r in function.results if r.type == REAL])
        if total is not None:
            for value, copy in self._new.items():
                if copy.type == REAL and value not in constants:
                    self._result(self._diff(total, copy), "gradient", value)
        for edge, (of, keys) in cut.wanted.items():
            for key in keys:
                by = self._aliases.get(key) or self._new[cast(Value, key)]
                partial = self._diff(self._new[of], by)
                self._result(partial, "partial", edge)

    def _copy(self, value: Value, cut: Cut) -> None:
        """Add the value over copied operands, with a name of its own if it is real."""
        inputs = [self._new[argument] for argument in value.args]
        for position, operand in enumerate(inputs):
            key = cut.aliases.get((value, position))
            if key is not None:
                if key not in self._aliases:
                    self._aliases[key] = self._bind(operand)
                inputs[position] = self._aliases[key]
        copy = replace(value, args=tuple(inputs)) if inputs else value
        self._values.append(copy)
        if value.type == REAL and value.form not in ("argument", "bind"):
            copy = self._bind(copy)
        self._new[value] = copy

    def _bind(self, value: Value) -> Value:
        name = value.name or f"value {len(self._values)}"
        bind = Value("bind", (value,), value.type, value.span, name)
        self._values.append(bind)
        return bind

    def _diff(self, of: Value, by: Value) -> Value:
        value = Value("diff", (of, by), REAL, by.span)
        self._values.append(value)
        return value

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
