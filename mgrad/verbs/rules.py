"""The local derivative of a statement, as mathematics and at a point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from math import isclose
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from mgrad.compiler.ir.types import Type
from mgrad.compiler.ops.described import STRUCTURAL
from mgrad.compiler.ops.op import TABLE
from mgrad.faults import UsageError
from mgrad.verbs.formula import Formulas, derivative, symbol
from mgrad.verbs.spelling import digits, text

if TYPE_CHECKING:
    from mgrad.compiler.sema.program import Function, Program, Value
    from mgrad.verbs.numbers import Numbers
    from mgrad.verbs.statements import Statement

TOLD = (  # whose rule in words is told where it is not written in indices
    *("max_over", "min_over", "prod_over", "cumsum", "windows", "concat", "pad"),
    *("det", "inv", "solve", "cholesky"),
)
WIDEST = 100  # characters of a formula; a longer one is written with abbreviations


class Rules:
    """The rules of one function's statements at the point that `numbers` are of."""

    def __init__(self, program: Program, function: Function, numbers: Numbers) -> None:
        self._function = function
        self._numbers = numbers
        self._formulas = Formulas(program)
        self._labels = _labels(function)
        self._symbols = {
            v: sympy.Symbol(label, **symbol("", v.type).assumptions0)
            for v, label in self._labels.items()
        }
        arguments = zip(function.arguments, self._formulas.symbols(function), strict=True)
        self._symbols |= {a.value: s for a, s in arguments}

    def label(self, value: Value) -> str:
        """A value by its name, the function's own for its unnamed result, else what was written."""
        if value in self._labels:
            return self._labels[value]
        if value in self._function.results:
            several = len(self._function.results) > 1
            place = f"[{self._function.results.index(value)}]" if several else ""
            return f"{self._function.name}{place}"
        written = " ".join(value.span.text.split())
        return written if written.startswith("(") and written.endswith(")") else f"({written})"

    def lines(self, part: Statement, by: Value, local: float | None) -> list[str]:
        """`∂o/∂n = 1 - tanh(n)^2 = 1 - o^2 = 0.5`; abbreviations and what is settled in lines of
        their own before it."""
        parts = (*part.reads, *part.values, part.end, by)
        if any(isinstance(v.type, Type) and v.type.shape for v in parts):
            return self._elements(part, by)
        left = f"∂{self.label(part.end)}/∂{self.label(by)}"
        value = "" if local is None else f" = {digits(local)}"
        try:
            formula, whole = self._derivative(part, by)
        except UsageError:
            return [f"{left}{value}"]
        head = list(self._kinks(part, by))
        forms = [text(formula)]
        if part.end.form == "bind" and not whole.is_Atom and formula.has(whole):
            forms.append(text(formula.subs(whole, sympy.Symbol(self.label(part.end)))))
        if len(forms[0]) > WIDEST:
            with_names, short = self._abbreviated(formula)
            head, forms = head + with_names, [short]
        shown = " = ".join(dict.fromkeys(forms))
        if local is None or forms[-1] == digits(local):
            return [*head, f"{left} = {shown}"]
        if self._agrees(formula, local):
            return [*head, f"{left} = {shown}{value}"]
        return [*head, f"{left} = {shown}, but here{value.removeprefix(' =')}"]

    def _elements(self, part: Statement, by: Value) -> list[str]:
        """The rules of a statement of arrays, in index notation; without them what reads what."""
        from mgrad.verbs.indexed import LARGEST, Elements, NoFormula

        end, of = self.label(part.end), self.label(by)
        plain = [f"∂{end}/∂{of}, by the rules of {self._forms(part)}", *self._described(part)]
        plain = [*plain[1:], plain[0]]
        if part.closed or len(part.values) > LARGEST:
            return plain
        try:
            elements = Elements(self._formulas, self._labels, part.reads, by)
            rules = elements.rules(part.end)
        except (NoFormula, UsageError, ValueError):  # ValueError: of SymPy
            return plain
        lines = []
        for rule in rules:
            place = f"[{', '.join(rule.place)}]" if rule.place else ""
            formula = text(rule.formula)
            if len(formula) > WIDEST:
                return plain
            lines.append(f"∂{end}{place}/∂{rule.by} = {formula}")
        return lines or plain

    def _described(self, part: Statement) -> list[str]:
        """The rules of the operations of whole arrays in a statement."""
        forms = dict.fromkeys(_ops(part))
        return [f"{form}: {STRUCTURAL[form].rule}" for form in forms if form in TOLD]

    def _forms(self, part: Statement) -> str:
        """What a statement is made of, by the names of its operations."""
        forms = (
            form.removesuffix("_over").replace("each", "index notation") for form in _ops(part)
        )
        return ", ".join(dict.fromkeys(forms)) or "a copy"

    def _derivative(self, part: Statement, by: Value) -> tuple[Any, Any]:
        """The derivative of a statement, and what it computes, in its names' symbols.

        Raises UsageError if it is too large to write.
        """
        if part.closed:
            only = replace(self._function, key=f"{part.place} {part.text}", results=(part.end,))
            (whole,) = self._formulas.results(only)
            return self._formulas.simplest(derivative(whole, self._symbols[by])), whole
        names = {v: self._symbols[v] for v in part.reads}
        whole = self._formulas.statement(part.values, part.end, names)
        if by in names:
            formula = derivative(whole, self._symbols[by])
        else:  # an expression within the statement
            free = sympy.Dummy("v", real=True)
            formula = self._formulas.statement(part.values, part.end, {**names, by: free})
            inner = self._formulas.statement(part.values, by, names)
            formula = derivative(formula, free).subs(free, inner)
        return self._formulas.simplest(formula), whole

    def _kinks(self, part: Statement, by: Value) -> Iterator[str]:
        """The kinks of a statement's operations that lie at the point, on the way from `by`, where
        what is settled there reaches the result."""
        way = {by}
        for value in (*part.values, part.end):
            if not way.intersection(value.args):
                continue
            way.add(value)
            op = TABLE.get(value.form)
            data = [self._numbers.data.get(a) for a in value.args]
            is_polynomial = value.form == "pow" and value.args[1].form == "constant"
            if (
                op is None
                or any(number is None or np.ndim(number) for number in data)
                or is_polynomial
                or not self._numbers.gradients.get(value)
            ):
                continue
            for kink in op.kinks:
                if kink.condition(sympy, *map(_exact, data)) == sympy.true:
                    at = ", ".join(digits(float(number)) for number in data if number is not None)
                    written = " ".join(value.span.text.split())
                    yield f"{written} stands at a kink ({at}), where it is settled: {kink.text}"
                    break

    def _agrees(self, formula: Any, local: float) -> bool:
        """Whether a formula has this value at the point."""
        data = self._numbers.data
        point = {s: _exact(data[v]) for v, s in self._symbols.items() if formula.has(s)}
        try:
            found = complex(formula.subs(point).evalf(20))
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):
            return False
        return isclose(found.real, local, rel_tol=1e-4, abs_tol=1e-9)  # floating point may cancel

    def _abbreviated(self, formula: Any) -> tuple[list[str], str]:
        """A long formula with names for the functions and choices in it."""
        taken = {str(s) for s in formula.free_symbols}
        names = (sympy.Symbol(f"u{n}") for n in count(1) if f"u{n}" not in taken)
        parts = formula.atoms(sympy.Function, sympy.Piecewise)
        short: dict[Any, Any] = {}
        lines = []
        for part in sorted(parts, key=lambda e: (sympy.count_ops(e), str(e))):
            name = next(names)
            lines.append(f"with {name} = {text(part.xreplace(short))}")
            short[part] = name
        return lines, text(formula.xreplace(short))


def _ops(part: Statement) -> list[str]:
    """The operations of a statement, but for what only names, copies or widens."""
    silent = ("bind", "constant", "broadcast", "to_real", "item", "reshape", "size")
    return [v.form for v in (*part.values, part.end) if v.form not in silent]


def _labels(function: Function) -> dict[Value, str]:
    """Each named value by its name; a second binding of `c` is `c_2`, as in the module."""
    labels: dict[Value, str] = {}
    taken = {v.name for v in function.values if v.form in ("argument", "bind")}
    seen: set[str] = set()
    for value in function.values:
        if value.form not in ("argument", "bind"):
            continue
        label = name = str(value.name)
        numbered = (f"{name}_{n}" for n in count(2))
        while label in seen or (label != name and label in taken):
            label = next(numbered)
        seen.add(label)
        labels[value] = label
    return labels


def _exact(value: Any) -> Any:
    """A number of the point in SymPy."""
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, float) and value == value // 1 and abs(value) < 1e15:
        return sympy.Integer(int(value))  # a power of a ratio would be worked out to its last digit
    return sympy.sympify(value)
