"""`explain`: the backward pass of a function, line by line, in the terms of its source.

For each line of the emitted backward pass: the statements that read the value whose gradient the
line computes, each with its local derivative as SymPy writes it, and the terms that they add.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from math import isclose
from typing import TYPE_CHECKING

from mgrad import files
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph, topological
from mgrad.compiler.ir.types import Type
from mgrad.faults import UsageError
from mgrad.verbs.compile import Number, build, entry
from mgrad.verbs.formula import Formulas, symbol, text
from mgrad.verbs.numbers import arguments, numbers
from mgrad.verbs.points import sample_point
from mgrad.verbs.statements import Statement, cut, statements

if TYPE_CHECKING:
    from mgrad.compiler.driver import Compiled
    from mgrad.compiler.schedule.schedule import Line, Routine
    from mgrad.compiler.sema.program import Function, Value


def explain(
    path: str | os.PathLike[str],
    name: str,
    *,
    at: Mapping[str, Number] | None = None,
    settings: Mapping[str, Number] | None = None,
) -> str:
    """The explanation as text; without a point, at one in the arguments' domains.

    Raises UsageError if there is no such function, or it has no backward pass.
    """
    compiled = build(files.read(path), settings=settings)
    function = entry(compiled.program, name)
    for routine in compiled.routines:
        if routine.key == function.key and routine.kind == "backward":
            return "\n".join(_Explanation(compiled, function, routine, at).lines())
    raise UsageError(f"{name} has no backward pass: it has no real argument, or no real result")


class _Explanation:
    def __init__(
        self,
        compiled: Compiled,
        function: Function,
        routine: Routine,
        at: Mapping[str, Number] | None,
    ) -> None:
        self._compiled = compiled
        self._function = function
        self._routine = routine
        self._code = _emitted(compiled.text, routine.name)
        self._parts = statements(function)
        self._point = sample_point(function) | dict(at or {})
        self._numbers = numbers(compiled.program, function, self._point, cut(function, self._parts))
        self._formulas = Formulas(compiled.program)
        self._labels = self._label()
        self._symbols = {value: symbol(label, value.type) for value, label in self._labels.items()}

    def _label(self) -> dict[Value, str]:
        """Each named value by its name; a second binding of `c` is `c_2`, as in the module."""
        labels: dict[Value, str] = {}
        count: dict[str, int] = {}
        for value in self._function.values:
            if value.form in ("argument", "bind"):
                assert value.name is not None
                count[value.name] = count.get(value.name, 0) + 1
                again = count[value.name] > 1
                labels[value] = f"{value.name}_{count[value.name]}" if again else value.name
        return labels

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        at = [f"{a.name} = {_digits(float(self._point[a.name]))}" for a in self._function.arguments]
        yield f"{self._routine.name}, at {', '.join(at)}"
        for line, number in zip(self._routine.lines, self._computed(), strict=True):
            yield ""
            yield f"  {self._code.get(line.names, ', '.join(line.names))}"
            value = self._value(line, number)
            if value is not None:
                yield from self._gradient(value)
                continue
            if line.rule:
                yield f"      {line.rule}"
            if number is not None:
                yield f"      {line.names[0]} = {_digits(number)}"

    def _computed(self) -> list[float | None]:
        """What each line computes at the point, where the gradient given is 1; None of a bundle."""
        nodes = [line.node for line in self._routine.lines]
        parameters = [n for n in topological(nodes) if n.op == "parameter"]
        pool = self._compiled.module.graphs[self._function.key].pool
        graph = Graph("lines", pool, tuple(parameters), tuple(nodes))
        given = dict(
            zip(
                (a.name for a in self._function.arguments),
                arguments(self._function, self._point),
                strict=True,
            )
        )
        values = [given.get(str(p.attribute("name")), 1.0) for p in parameters]
        found = evaluate(graph, values, self._compiled.module)
        return [
            float(v) if isinstance(n.type, Type) else None
            for n, v in zip(nodes, found, strict=True)
        ]

    def _value(self, line: Line, number: float | None) -> Value | None:
        """The value whose gradient a line gives a name: `d_c` is that of `c`.

        Where `c` is bound again, made-up names may look alike: the number decides.
        """
        name = line.names[0].removeprefix("d_")
        if line.role != "gradient" or number is None or name == line.names[0]:
            return None
        for value, label in self._labels.items():
            gradient = self._numbers.gradients.get(value)
            if name in (label, value.name) and gradient is not None and close(gradient, number):
                return value
        return None

    def _gradient(self, value: Value) -> Iterator[str]:
        """The statements that read a value, and what each adds to its gradient."""
        label = self._labels[value]
        readers = [part for part in self._parts if value in part.reads]
        terms: list[float] = []
        if value in self._function.results:
            yield f"      {label} is the result, whose gradient is given: 1"
            terms.append(1.0)
        if len(readers) + len(terms) > 1:
            paths = len(readers) + len(terms)
            yield f"      {label} reaches the result by {paths} paths, which add:"
        for part in readers:
            local = self._numbers.partials.get((part.end, value))
            outer = self._outer(part)
            yield f"      {part.text}    {part.place}"
            rule = self._rule(part, value)
            if local is not None and not rule.endswith(f" = {_digits(local)}"):
                rule += f" = {_digits(local)}"
            if local is None or outer is None:
                yield f"        {rule}"
                continue
            terms.append(outer * local)
            yield (
                f"        {rule}; times d_{self._name(part)} ="
                f" {_digits(outer)} gives {_digits(outer * local)}"
            )
        total = self._numbers.gradients.get(value)
        if total is not None:
            sum_ = f"{' + '.join(map(_digits, terms))} = " if len(terms) > 1 else ""
            yield f"      d_{label} = {sum_.replace('+ -', '- ')}{_digits(total)}"

    def _outer(self, part: Statement) -> float | None:
        """The gradient of the result by what a statement computes."""
        return self._numbers.gradients.get(part.end)

    def _name(self, part: Statement) -> str:
        return self._labels.get(part.end, self._function.name)

    def _rule(self, part: Statement, by: Value) -> str:
        """The local derivative of a statement as mathematics: `∂o/∂n = 1 - tanh(n)^2`."""
        left = f"∂{self._name(part)}/∂{self._labels[by]}"
        try:
            formula = self._formulas.statement(
                part.values, part.end, {v: self._symbols[v] for v in part.reads}
            )
        except UsageError:
            return left
        return f"{left} = {text(self._formulas.simplest(formula.diff(self._symbols[by])))}"


def _emitted(text: str, routine: str) -> dict[tuple[str, ...], str]:
    """The assignments of a routine of the emitted text, by the names that they assign."""
    found: dict[tuple[str, ...], str] = {}
    lines = text.encode().split(b"\n")
    for definition in ast.parse(text).body:
        if not isinstance(definition, ast.FunctionDef) or definition.name != routine:
            continue
        for node in ast.walk(definition):
            if isinstance(node, ast.Assign):
                names = [n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name)]
                line = lines[node.lineno - 1]
                end = node.end_col_offset if node.end_lineno == node.lineno else None
                found[tuple(names)] = line[node.col_offset : end].decode()
    return found


def close(x: float, y: float) -> bool:
    """Whether two numbers agree but for rounding; nan agrees with nan."""
    return isclose(x, y, rel_tol=1e-9, abs_tol=1e-300) or (x != x and y != y)


def _digits(value: float) -> str:
    """A number to six digits."""
    return f"{value:.6g}"
