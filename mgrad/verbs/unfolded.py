"""Functions of arrays as SymPy expressions, element by element at given sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.sema.program import Function, Value
from mgrad.compiler.verify import elements
from mgrad.faults import UsageError
from mgrad.verbs.bodies import DERIVATIVES, inner

if TYPE_CHECKING:
    from mgrad.verbs.formula import Formulas

LARGEST = 1_000  # operations in an element, counted as often as they would be written
MOST = 20_000  # operations that are done for a function


def has_arrays(function: Function) -> bool:
    """Whether a function takes, gives or computes with arrays."""
    return any(isinstance(v.type, Type) and v.type.shape for v in function.values)


class Unfolding:
    """One function at given sizes. `results` are numbers, and object arrays of elements."""

    def __init__(self, formulas: Formulas, function: Function, sizes: Mapping[str, int]) -> None:
        self._formulas = formulas
        self._function = function
        self._counts: dict[Any, int] = {}  # of operations in an expression
        self._done = 0
        arithmetic = elements.Arithmetic(self._number, self._op, self._integer)
        self._forms = elements.Elements(arithmetic, sizes)
        self._late: list[tuple[Any, Any]] = []
        self._targets = _targets(function)

    def results(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """The results of these arguments. Raises UsageError if they are too large to write, or
        have no formula."""
        given = {a.value: x for a, x in zip(self._function.arguments, arguments, strict=True)}
        made: dict[Value, Any] = {}
        try:
            for value in self._function.values:
                content = given[value] if value in given else self._value(value, made)
                made[value] = self._held(value, content)
        except ValueError as error:  # what is not written out
            raise UsageError(f"{self._function.name} has no formula here: {error}") from error
        return tuple(self._put_back(made[r]) for r in self._function.results)

    def _held(self, value: Value, content: Any) -> Any:
        """What is differentiated by stays a symbol until the end: `diff` holds all else fixed."""
        if value not in self._targets or all(e.is_Symbol for e in elements.flat(content)):
            return content

        def free(element: Any) -> Any:
            dummy = sympy.Dummy(value.name or "v", real=True)
            self._late.append((dummy, element))
            return dummy

        return elements.mapped(free, content)

    def _put_back(self, content: Any) -> Any:
        def whole(element: Any) -> Any:
            for dummy, meaning in reversed(self._late):
                element = element.subs(dummy, meaning)
            return element

        return elements.mapped(whole, content)

    def _value(self, value: Value, made: dict[Value, Any]) -> Any:
        from mgrad.verbs.formula import number

        operands = [made[a] for a in value.args]
        form = value.form
        match form:
            case "constant":
                one = number(value.attribute("value"))
                return self._forms.constant(value, one) if _shape(value) else one
            case "bind":
                return operands[0]
            case "bundle":
                return tuple(operands)
            case "item":
                return operands[0][int(str(value.attribute("index")))]
            case "call":
                return self._call(value, operands)
            case "derivative":
                return elements.mapped(lambda *xs: self._formulas.applied(value, xs), *operands)
            case "diff" | "jacobian" | "hessian":
                return self._derivative(form, *operands)
            case "each":
                return self._forms.each(
                    value, lambda part, known: self._held(part, self._value(part, known)), made
                )
        if form in elements.FORMS:
            return self._forms.form(value, operands)
        if form not in TABLE:
            raise ValueError(f"{form} is not written out")
        return elements.mapped(lambda *xs: self._op(form, xs), *operands)

    def _call(self, value: Value, operands: list[Any]) -> Any:
        """A function: of arrays as a whole, of numbers element by element."""
        results = value.type.items if isinstance(value.type, Bundle) else (value.type,)
        found = self._formulas.called(str(value.attribute("callee")), operands)
        return found if len(results) > 1 or isinstance(value.type, Bundle) else found[0]

    def _derivative(self, form: str, of: Any, by: Any) -> Any:
        def slopes(expression: Any) -> Any:
            return elements.mapped(lambda x: self._counted(sympy.diff(expression, x), ()), by)

        if form == "diff":
            return slopes(of)
        rows = elements.flat(slopes(of)) if form == "hessian" else elements.flat(of)
        lead = elements.shape_of(by) if form == "hessian" else elements.shape_of(of)
        parts = [e for row in rows for e in elements.flat(slopes(row))]
        return elements.filled((*lead, *elements.shape_of(by)), parts)

    def _op(self, name: str, operands: Sequence[Any]) -> Any:
        if name == "abs" and operands[0].is_extended_real:
            return self._counted(sympy.Abs(operands[0]), operands)
        return self._counted(TABLE[name].sympy(sympy, *operands), operands)

    def _counted(self, expression: Any, operands: Sequence[Any]) -> Any:
        """Raises UsageError if the expression is too large to write."""
        if expression.is_Atom:
            return expression
        count = 1 + sum(self._counts.get(operand, 0) for operand in operands)
        if not operands:
            count = int(sympy.count_ops(expression))
        self._counts.setdefault(expression, count)
        self._done += 1
        if count > LARGEST or self._done > MOST:
            raise UsageError(
                f"the formula of {self._function.name} would be too large to write,"
                " at these sizes: more than"
                f" {LARGEST if count > LARGEST else MOST:,} operations"
            )
        return expression

    def _number(self, value: Any) -> Any:
        return sympy.sympify(value)

    def _integer(self, element: Any) -> int:
        if not getattr(element, "is_Integer", False):
            raise ValueError(f"an index that depends on '{element}'")
        return int(element)


def symbols(name: str, shape: tuple[int, ...], make: Any) -> Any:
    """The elements of an argument: `x[0, 1]`."""
    places = list(np.ndindex(*shape))
    parts = [make(f"{name}[{', '.join(map(str, p))}]" if p else name) for p in places]
    return elements.filled(shape, parts)


def _targets(function: Function) -> set[Value]:
    """What is differentiated by, also in index notation."""
    parts = (part for v in function.values for part in (v, *inner(v)))
    return {v.args[1] for v in parts if v.form in DERIVATIVES}


def _shape(value: Value) -> tuple[Any, ...]:
    return value.type.shape if isinstance(value.type, Type) else ()
