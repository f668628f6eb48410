"""A typed function as SymPy expressions: its values put into each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

from mgrad.compiler.ir.types import REAL, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.sema.program import Function, Program, Value
from mgrad.faults import UsageError

LARGEST = 2_000  # operations, counted as often as they would be written
DEEPEST = 100  # SymPy recurses on the depth of an expression
PI = Fraction(math.pi)  # what the language's `pi` is


class Formulas:
    """The formulas of a program's functions; each is made once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._done: dict[str, tuple[Any, ...]] = {}
        self._sizes: dict[str, tuple[int, int]] = {}  # operations and depth
        self._externs: dict[str, Any] = {}

    def symbols(self, function: Function) -> list[Any]:
        """The symbols of a function's arguments, with what their domains say."""
        return [symbol(a.name, a.value.type, a.domain) for a in function.arguments]

    def results(self, function: Function) -> tuple[Any, ...]:
        """The results in terms of `symbols(function)`. Raises UsageError if they are too large."""
        if function.key in self._done:
            return self._done[function.key]
        for key, each in self._program.functions.items():  # a callee stands before its callers
            if key == function.key:
                break
            if takes_arrays(each):
                continue  # unfolded where it is called
            if key not in self._sizes and self._fits(each):
                self._done[key] = self._body(each)
        if not self._fits(function):
            raise UsageError(
                f"the formula of {function.name} would be too large to write:"
                f" {self._sizes[function.key][0]:,} operations (at most {LARGEST:,})"
            )
        self._done[function.key] = self._body(function)
        return self._done[function.key]

    def unfolded(
        self, function: Function, arguments: Sequence[Any], sizes: Mapping[str, int]
    ) -> tuple[Any, ...]:
        """The results of a function of arrays, element by element: numbers and object arrays.

        Raises UsageError if they are too large to write, or have no formula.
        """
        from mgrad.verbs.unfolded import Unfolding

        return Unfolding(self, function, sizes).results(arguments)

    def called(self, key: str, operands: Sequence[Any]) -> tuple[Any, ...]:
        """The results of a function or extern, of arrays or element by element."""
        from mgrad.compiler.verify import elements

        function = self._program.functions.get(key)
        if function is not None and takes_arrays(function):
            return self.unfolded(function, operands, _sizes(function, operands))
        count = 1 if function is None else len(function.results)

        def result(position: int) -> Any:
            def one(*xs: Any) -> Any:
                found = self._call(key, list(xs))
                return found[position] if count > 1 else found

            return elements.mapped(one, *operands)

        return tuple(map(result, range(count)))

    def statement(self, values: Sequence[Value], end: Value, names: Mapping[Value, Any]) -> Any:
        """One statement in terms of the symbols that stand for what it reads, or for parts of it.

        Raises UsageError if what it calls is too large to write.
        """
        found = dict(names)
        for value in (*values, end):
            if value is end and value.form == "bind":
                return found[value.args[0]]
            if value in names:
                continue
            found[value] = self._value(value, [found[argument] for argument in value.args])
        return found[end]

    def simplest(self, expression: Any) -> Any:
        """A short form: what SymPy gives is left alone where it is short or hopelessly long."""
        operations = sympy.count_ops(expression)
        if operations < 60:  # x^y*y/x is y*x^(y - 1)
            terms = sympy.Add.make_args(expression)
            expression = sympy.Add(*(sympy.powsimp(t) if t.is_Mul else t for t in terms))
        if not 12 < operations < 60:
            return expression
        candidates = [expression, sympy.factor_terms(expression)]
        return min(candidates, key=lambda e: (sympy.count_ops(e), len(str(e))))

    def _fits(self, function: Function) -> bool:
        """Whether the formula, written out, is small; remembers its operations and depth."""
        size: dict[Value, tuple[int, int]] = {}
        for value in function.values:
            own = (0, 0) if value.form in ("argument", "constant", "bind", "item") else (1, 1)
            if value.form in ("call", "derivative"):
                own = self._sizes.get(str(value.attribute("callee")), own)
            inner = [size[argument] for argument in value.args]
            size[value] = (
                own[0] + sum(n for n, _ in inner),
                own[1] + max((d for _, d in inner), default=0),
            )
        operations = sum(size[result][0] for result in function.results)
        depth = max(size[result][1] for result in function.results)
        self._sizes[function.key] = operations, depth
        return operations <= LARGEST and depth <= DEEPEST

    def _body(self, function: Function) -> tuple[Any, ...]:
        from mgrad.verbs.unfolded import has_arrays

        if has_arrays(function):
            return self.unfolded(function, self.symbols(function), {})
        # What is differentiated by stays a symbol until the end: `diff` holds all else fixed.
        targets = {v.args[1] for v in function.values if v.form == "diff"}
        found: dict[Value, Any] = {}
        late: list[tuple[Any, Any]] = []
        arguments = {
            a.value: s for a, s in zip(function.arguments, self.symbols(function), strict=True)
        }
        for value in function.values:
            operands = [found[argument] for argument in value.args]
            if value in arguments:
                found[value] = arguments[value]
            else:
                found[value] = self._value(value, operands)
            if value in targets and value not in arguments:
                free = sympy.Dummy(value.name or "v", real=True)
                late.append((free, found[value]))
                found[value] = free
        results = [found[result] for result in function.results]
        for free, meaning in reversed(late):
            results = [result.subs(free, meaning) for result in results]
        return tuple(results)

    def _value(self, value: Value, operands: list[Any]) -> Any:
        match value.form:
            case "constant":
                return number(value.attribute("value"))
            case "bind":
                return operands[0]
            case "call":
                return self._call(str(value.attribute("callee")), operands)
            case "item":
                position = value.attribute("index")
                assert isinstance(position, int)
                return operands[0][position]
            case "diff":
                return derivative(operands[0], operands[1])
            case "derivative":
                return self._derivative(value, operands)
        if value.form == "abs" and operands[0].is_extended_real:
            return sympy.Abs(operands[0])  # read more easily than the choice that the table has
        return TABLE[value.form].sympy(sympy, *operands)

    def applied(self, value: Value, operands: Sequence[Any]) -> Any:
        """A call, or a derivative of a function, of numbers. Raises UsageError if it is too large
        to write."""
        return self._value(value, list(operands))

    def _call(self, callee: str, operands: list[Any]) -> Any:
        if callee in self._program.externs:
            return self._extern(callee)(*operands)
        results = self._put(self._program.functions[callee], operands)
        return results[0] if len(results) == 1 else results

    def _derivative(self, value: Value, operands: list[Any]) -> Any:
        """f'(x): differentiated by a free symbol, then x is put in."""
        callee, order = str(value.attribute("callee")), value.attribute("order")
        parameters = (
            self._program.functions.get(callee) or self._program.externs[callee]
        ).arguments
        position = next(i for i, a in enumerate(parameters) if a.value.type == REAL)
        free = sympy.Dummy("x", real=True)
        inner = [*operands[:position], free, *operands[position + 1 :]]
        assert isinstance(order, int)
        return derivative(self._call(callee, inner), free, order).subs(free, operands[position])

    def _put(self, function: Function, operands: Sequence[Any]) -> tuple[Any, ...]:
        if takes_arrays(function):
            raise UsageError(f"{function.name} is a function of arrays")
        names = self.symbols(function)
        pairs = list(zip(names, operands, strict=True))
        return tuple(result.subs(pairs, simultaneous=True) for result in self.results(function))

    def _extern(self, key: str) -> Any:
        """An undefined function whose derivatives are the stated ones."""
        if key not in self._externs:
            formulas, program = self, self._program

            def fdiff(call: Any, argindex: int = 1) -> Any:
                stated = program.derivatives.get(key)
                if stated is None:
                    raise UsageError(f"no derivative is stated for {program.externs[key].name}")
                return formulas._put(stated, call.args)[argindex - 1]

            name = program.externs[key].name
            self._externs[key] = type(
                name, (sympy.Function,), {"fdiff": fdiff, "is_real": True, "nargs": None}
            )
        return self._externs[key]


def takes_arrays(function: Function) -> bool:
    """Whether a function takes or gives arrays."""
    types = (*(a.type for a in function.arguments), *(r.type for r in function.results))
    return any(isinstance(t, Type) and bool(t.shape) for t in types)


def _sizes(function: Function, arguments: Sequence[Any]) -> dict[str, int]:
    """The sizes that arguments give to the names of dimensions, and ints."""
    sizes: dict[str, int] = {}
    for argument, given in zip(function.arguments, arguments, strict=True):
        for dim, size in zip(argument.type.shape, getattr(given, "shape", ()), strict=True):
            if str(dim) in dim.names:
                sizes[str(dim)] = size
        if argument.type == Type("int") and getattr(given, "is_Integer", False):
            sizes[argument.name] = int(given)
    return sizes


def derivative(expression: Any, by: Any, order: int = 1) -> Any:
    """A derivative by SymPy, where that of `sign` is 0, as it is settled."""
    found = sympy.diff(expression, by, order)
    return found.replace(sympy.DiracDelta, lambda *_: sympy.S.Zero)


def symbol(name: str, type: object, domain: Any = None) -> Any:
    """A symbol of SymPy with the assumptions of a type and a domain."""
    if type == Type("bool"):
        return sympy.Symbol(name)
    more: dict[str, bool] = {"integer": True} if type == Type("int") else {"real": True}
    if domain is not None:
        if domain.low > 0 or (domain.low == 0 and domain.low_open):
            more["positive"] = True
        elif domain.low == 0:
            more["nonnegative"] = True
        elif domain.high < 0 or (domain.high == 0 and domain.high_open):
            more["negative"] = True
    return sympy.Symbol(name, **more)


def number(value: object) -> Any:
    """An exact constant in SymPy."""
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, Fraction):
        if (turns := value / PI).denominator < 100:
            return turns.numerator * sympy.pi / turns.denominator
        return sympy.Rational(value.numerator, value.denominator)
    assert isinstance(value, float)
    if math.isnan(value):
        return sympy.nan
    return sympy.oo if value > 0 else -sympy.oo
