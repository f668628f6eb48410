"""`eval`: a value and its gradient, computed by the code that the file compiles to.

The expression is `.mg`, read by our own parser. Its parts become definitions at the end of the
file: so they mean there what they would mean in it, and are compiled like everything else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mgrad import files
from mgrad.compiler.diagnostics import Diagnostic, MgradError
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax import ast
from mgrad.compiler.syntax.parse import parse
from mgrad.faults import RunError, UsageError
from mgrad.verbs.compile import Number, build
from mgrad.verbs.load import module

VALUE, ARGUMENTS = "value_of_the_expression", "arguments_of_the_expression"
HEAD = "fn value() = "


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value, a tuple of them if the function has several results; and, where the expression is a
    call of a function with one real result, its gradient by the function's real arguments."""

    expression: str
    value: Any
    gradient: Mapping[str, float]

    def text(self) -> str:
        """`f(3) = 20`, then a line for each partial derivative."""
        lines = [f"{self.expression} = {_digits(self.value)}"]
        name = self.expression.partition("(")[0].strip()
        lefts = [f"d{name}/d{argument}" for argument in self.gradient]
        width = max(map(len, lefts), default=0)
        for left, partial in zip(lefts, self.gradient.values(), strict=True):
            lines.append(f"  {left:<{width}} = {_digits(partial)}")
        return "\n".join(lines)


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
    added, names = _definitions(source, expression, call)
    extended = Source(source.path, f"{source.text}\n{added}")
    try:
        compiled = build(extended, target, level, (), settings)
    except MgradError as error:
        raise MgradError(_here(error.diagnostics, source, expression)) from None
    try:
        live = module(compiled)
        function = getattr(live, VALUE)
        with_gradient = getattr(live, f"{VALUE}_value_and_grad", None)
        point = getattr(live, ARGUMENTS)() if names else ()
        point = point if isinstance(point, tuple) else (point,)
        if with_gradient is None or not names:
            return Evaluation(expression, _plain(function(*point)), {})
        value, gradient = with_gradient(*point)
    except Exception as error:  # whatever a Python function that an extern names may raise
        raise RunError(f"{expression}: {type(error).__name__}: {error}") from error
    return Evaluation(
        expression, _plain(value), dict(zip(names, map(_plain, gradient), strict=True))
    )


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


def _definitions(
    source: Source, expression: str, call: ast.Expression
) -> tuple[str, tuple[str, ...]]:
    """The text to add to the file, and the names of the real arguments of what is called.

    `g(1/3, 2)` becomes `fn arguments…() = 1/3, 2` and `fn value…(a, b) = g(a, b)`; what is not a
    call of a function of the file is the body of `fn value…()`.
    """
    whole = f"fn {VALUE}() = {expression}\n", ()
    if not isinstance(call, ast.Call):
        return whole
    callee = call.callee.base if isinstance(call.callee, ast.Prime) else call.callee
    given = [a for a in call.arguments if a.name is None]
    parameters = _parameters(source, callee)
    if parameters is None or len(given) > len(parameters):
        return whole
    values, heads, passed, names = [], [], [], []
    for position, parameter in enumerate(parameters):
        if position < len(given):
            text = given[position].value.span.text
        elif parameter.default is not None:
            text = parameter.default.span.text
        else:
            return whole
        kind = parameter.type
        if kind is None or (kind.dtype == "real" and kind.shape is None):
            local = f"{parameter.name.id}_of_the_expression"
            values.append(text)
            heads.append(local)
            names.append(parameter.name.id)
            text = local
        passed.append(text)
    if not names:
        return whole
    passed += [a.span.text for a in call.arguments if a.name is not None]
    return (
        f"fn {ARGUMENTS}() = {', '.join(values)}\n"
        f"fn {VALUE}({', '.join(heads)}) = {call.callee.span.text}({', '.join(passed)})\n",
        tuple(names),
    )


def _parameters(source: Source, callee: ast.Expression) -> tuple[ast.Parameter, ...] | None:
    """The parameters of a function that the file defines."""
    file = parse(source).file
    if file is None or not isinstance(callee, ast.Name):
        return None
    for definition in file.definitions:
        if isinstance(definition, ast.Function | ast.Extern) and definition.name.id == callee.id:
            return definition.parameters
    return None


def _here(faults: Iterable[Diagnostic], source: Source, expression: str) -> list[Diagnostic]:
    """Faults, those in the added text placed in the expression instead."""
    own = Source("expression", expression)
    placed = []
    for fault in faults:
        span = fault.span
        if span is not None and span.source.path == source.path and span.start > len(source.text):
            at = max(expression.find(span.text), 0)
            fault.span = Span(own, at, min(at + len(span.text), len(expression)))
        placed.append(fault)
    return placed


def _moved(fault: Diagnostic, source: Source, by: int) -> Diagnostic:
    """A fault of the parsed text, placed in the expression."""
    if fault.span is not None:
        end = len(source.text)
        fault.span = Span(
            source, min(max(fault.span.start + by, 0), end), min(max(fault.span.end + by, 0), end)
        )
    return fault


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
