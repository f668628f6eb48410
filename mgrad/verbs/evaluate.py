"""`eval`: a value and its gradient, computed by the code that the file compiles to.

The expression is `.mg`, read by our own parser. Its parts become definitions at the end of the
file: so they mean there what they would mean in it, and are compiled like everything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from mgrad import files
from mgrad.compiler.diagnostics import Diagnostic, MgradError
from mgrad.compiler.errors.meaning import UnknownName
from mgrad.compiler.ir.types import REAL
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax import ast
from mgrad.compiler.syntax.parse import parse
from mgrad.faults import RunError, UsageError
from mgrad.verbs.compile import Number, build
from mgrad.verbs.load import module

VALUE, ARGUMENTS = "value_of_the_expression", "arguments_of_the_expression"
LOCAL = "_of_the_expression"
HEAD = "fn value() = "


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value, a tuple of them if the function has several results; and, where the expression is a
    call of a function of the file, its partial derivatives by its real arguments, by what they are
    called: `df/dx`, or `df[0]/dx` of several results."""

    expression: str
    value: Any
    gradient: Mapping[str, float]

    def text(self) -> str:
        """`f(3) = 20`, then a line for each partial derivative."""
        lines = [f"{self.expression} = {_digits(self.value)}"]
        width = max(map(len, self.gradient), default=0)
        for name, partial in self.gradient.items():
            lines.append(f"  {name:<{width}} = {_digits(partial)}")
        return "\n".join(lines)


@dataclass(slots=True)
class _Added:
    """Text to add to the file; `pieces` says which of it was copied from the expression."""

    text: str = ""
    pieces: list[tuple[int, Span]] = field(default_factory=list)

    def write(self, *parts: str | Span) -> None:
        for part in parts:
            if isinstance(part, Span):
                self.pieces.append((len(self.text), part))
            self.text += part if isinstance(part, str) else part.text

    def place(self, start: int) -> int | None:
        """Where in the expression a character of the text was copied from."""
        for begin, span in self.pieces:
            if begin <= start <= begin + len(span.text):
                return span.start + start - begin - len(HEAD)
        return None


def evaluate(
    path: str | os.PathLike[str],
    expression: str,
    target: str = "python",
    level: int = 1,
    settings: Mapping[str, Number] | None = None,
) -> Evaluation:
    """The value of an expression with numbers for arguments, such as `f(3)` or `f'(1/3)`.

    Raises MgradError for a fault in the file or in the expression, RunError if the code raises.
    """
    source = files.read(path)
    call = _read(expression)
    added, name, names = _definitions(source, call)
    extended = Source(source.path, f"{source.text}\n{added.text}")
    emit = ("jacobian",) if names else ()
    try:
        compiled = build(extended, target, level, emit, settings)
    except MgradError as error:
        raise MgradError(_here(error.diagnostics, source, expression, added)) from None
    try:
        live = module(compiled)
        point = getattr(live, ARGUMENTS)() if names else ()
        point = point if isinstance(point, tuple) else (point,)
        value, rows = _computed(live, point)
    except MgradError:
        raise
    except Exception as error:  # whatever a Python function that an extern names may raise
        raise RunError(f"{expression}: {type(error).__name__}: {error}") from error
    results = compiled.program.functions[VALUE].results
    reals = [i for i, result in enumerate(results) if result.type == REAL]
    gradient = {
        f"d{name}[{i}]/d{argument}" if len(results) > 1 else f"d{name}/d{argument}": partial
        for i, row in zip(reals, rows, strict=False)
        for argument, partial in zip(names, row, strict=True)
    }
    return Evaluation(expression, value, gradient)


def _read(expression: str) -> ast.Expression:
    """The tree of an expression. Raises MgradError, or UsageError if it is not one expression."""
    if "\n" in expression or not expression.strip():
        raise UsageError("eval takes one expression, such as 'f(3)'")
    parsed = parse(Source("expression", HEAD + expression))
    if parsed.faults or parsed.file is None:
        raise MgradError(
            _moved(f, Source("expression", expression), -len(HEAD)) for f in parsed.faults
        )
    match parsed.file.definitions:
        case [ast.Function(body=(ast.Return(values=(value,)),))]:
            return value
    raise UsageError("eval takes one expression, such as 'f(3)'")


def _definitions(source: Source, call: ast.Expression) -> tuple[_Added, str, tuple[str, ...]]:
    """The text to add to the file, what is called, and the names of its real arguments.

    `g(1/3, 2)` becomes `fn arguments…() = 1/3, 2` and `fn value…(a, b) = g(a, b)`; what is not a
    call of a function of the file is the body of `fn value…()`.
    """
    whole = _Added()
    whole.write(f"fn {VALUE}() = ", call.span, "\n")
    if not isinstance(call, ast.Call):
        return whole, "", ()
    callee = call.callee.base if isinstance(call.callee, ast.Prime) else call.callee
    parameters = _parameters(source, callee)
    given = [a for a in call.arguments if a.name is None]
    named = {a.name: a for a in call.arguments if a.name is not None}
    if (
        parameters is None
        or len(given) > len(parameters)
        or len(named) + len(given) < len(call.arguments)
    ):
        return whole, "", ()
    values: list[str | Span] = []
    passed: list[str | Span] = []
    names: list[str] = []
    for position, parameter in enumerate(parameters):
        name = parameter.name.id
        if position < len(given):
            text: str | Span = given[position].value.span
        elif name in named:
            text = named.pop(name).value.span
        elif parameter.default is not None:
            text = parameter.default.span.text
        else:
            return whole, "", ()
        kind = parameter.type
        if kind is None or (kind.dtype == "real" and kind.shape is None):
            values += [text, ", "]
            names.append(name)
            text = f"{name}{LOCAL}"
        passed += [text, ", "]
    if not names:
        return whole, "", ()
    for argument in named.values():  # settings
        passed += [argument.span, ", "]
    added = _Added()
    added.write(f"fn {ARGUMENTS}() = ", *values[:-1], "\n")
    heads = ", ".join(f"{name}{LOCAL}" for name in names)
    added.write(f"fn {VALUE}({heads}) = ", call.callee.span, "(", *passed[:-1], ")\n")
    return added, call.callee.span.text, tuple(names)


def _parameters(source: Source, callee: ast.Expression) -> tuple[ast.Parameter, ...] | None:
    """The parameters of a function that the file defines."""
    file = parse(source).file
    if file is None or not isinstance(callee, ast.Name):
        return None
    for definition in file.definitions:
        if isinstance(definition, ast.Function | ast.Extern) and definition.name.id == callee.id:
            return definition.parameters
    return None


def _here(
    faults: Iterable[Diagnostic], source: Source, expression: str, added: _Added
) -> list[Diagnostic]:
    """Faults, those in the added text placed in the expression instead; each is told once."""
    own = Source("expression", expression)
    before = len(source.text) + 1

    def moved(span: Span | None) -> Span | None:
        if span is None or span.source.path != source.path or span.start < before:
            return span
        at = added.place(span.start - before)
        start = 0 if at is None else min(at, len(expression))
        end = len(expression) if at is None else start + len(span.text)
        return Span(own, start, min(end, len(expression)))

    placed: dict[str, Diagnostic] = {}
    for fault in faults:
        fault.span = moved(fault.span)
        fault.related = tuple(replace(r, span=moved(r.span)) for r in fault.related)
        if isinstance(fault, UnknownName) and fault.span is not None and fault.span.source is own:
            fault.hint = fault.hint or "eval wants numbers: `diff` and `test` know free names"
        placed.setdefault(str(MgradError([fault])), fault)
    return list(placed.values())


def _moved(fault: Diagnostic, source: Source, by: int) -> Diagnostic:
    """A fault of the parsed text, placed in the expression."""
    end = len(source.text)

    def moved(span: Span | None) -> Span | None:
        if span is None:
            return None
        start = min(max(span.start + by, 0), end)
        return Span(source, start, min(max(span.end + by, start), end))

    fault.span = moved(fault.span)
    fault.related = tuple(replace(r, span=moved(r.span)) for r in fault.related)
    return fault


def _computed(live: ModuleType, point: tuple[Any, ...]) -> tuple[Any, list[tuple[float, ...]]]:
    """The value at a point, and the gradient of each real result, by the module's functions."""
    if (both := getattr(live, f"{VALUE}_value_and_grad", None)) is not None:
        value, gradient = both(*point)
        return _plain(value), [_plain(gradient)]
    value = _plain(getattr(live, VALUE)(*point))
    matrix = getattr(live, f"{VALUE}_jacobian", None)
    if matrix is None:
        return value, []
    rows = _plain(matrix(*point))
    return value, list(rows) if isinstance(rows[0], tuple) else [rows]  # one row comes bare


def _plain(value: Any) -> Any:
    """A number of NumPy as one of Python."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.item() if hasattr(value, "item") else value


def _digits(value: Any) -> str:
    """A number by its shortest digits; a float that is whole without a point."""
    if isinstance(value, tuple):
        return ", ".join(map(_digits, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return repr(value)
