"""`eval`: a value and its gradient, computed by the code that the file compiles to.

The expression is `.mg`, read by our own parser. Its parts become definitions at the end of the
file: so they mean there what they would mean in it, and are compiled like everything else.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mgrad import files
from mgrad.compiler.diagnostics import Diagnostic, MgradError
from mgrad.compiler.errors.meaning import UnknownName
from mgrad.compiler.ir.types import AnyType, Type
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax import ast
from mgrad.compiler.syntax.parse import parse
from mgrad.faults import RunError, UsageError
from mgrad.verbs.arrays import in_line, plain, spelled
from mgrad.verbs.compile import Number, build, understand, usual
from mgrad.verbs.load import module

if TYPE_CHECKING:
    from mgrad.compiler.sema.program import Program, Value

VALUE, ARGUMENTS = "value_of_the_expression", "arguments_of_the_expression"
LOCAL = "_of_the_expression"
HEAD = "fn value() = "
LARGEST = 10_000  # elements of the derivatives of arrays by arrays


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A value, a tuple of them if the function has several results; and, where the expression is a
    call of a function of the file, its partial derivatives by its real arguments, by what they are
    called: `df/dx`, or `df[0]/dx` of several results. Arrays are nested lists; a derivative has the
    axes of its result, then those of its argument."""

    expression: str
    value: Any
    gradient: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """`f(3) = 20`, then a line for each partial derivative."""
        head = f"{self.expression} = "
        if isinstance(self.value, tuple):
            lines = [head + ", ".join(map(in_line, self.value))]
        else:
            lines = [head + spelled(self.value, indent=len(head))]
        width = max(map(len, self.gradient), default=0)
        for name, partial in self.gradient.items():
            head = f"  {name:<{width}} = "
            lines.append(head + spelled(partial, indent=len(head)))
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


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
    target: str | None = None,
    level: int = 1,
    settings: Mapping[str, Number] | None = None,
) -> Evaluation:
    """The value of an expression with numbers for arguments, such as `f(3)` or `dot([1, 2], x)`.

    Without a target it is `numpy` where there are arrays, else `python`. Raises MgradError for a
    fault in the file or in the expression, RunError if the code raises.
    """
    source = files.read(path)
    call = _Call(source, _read(expression))
    try:
        program = understand(_extended(source, call.whole()), settings)
        added = call.parts([r.type for r in _results(program, ARGUMENTS)])
        extended = _extended(source, added)
    except MgradError as error:
        raise MgradError(_here(error.diagnostics, source, expression, call.whole())) from None
    results = [result.type for result in _results(program, VALUE)]
    kept, large = _by_size(results, call.types)
    emit = ("jacobian",) if kept else ()
    try:
        compiled = build(extended, target or usual(program), level, emit, settings)
        live = module(compiled)
        point = getattr(live, ARGUMENTS)() if call.names else ()
        point = point if isinstance(point, tuple) else (point,)
        value, rows = _computed(live, point)
    except MgradError as error:
        raise MgradError(_here(error.diagnostics, source, expression, added)) from None
    except Exception as error:  # whatever a Python function that an extern names may raise
        raise RunError(f"{expression}: {type(error).__name__}: {error}") from error
    reals = [i for i, result in enumerate(results) if _is_real(result)]
    gradient = {
        f"d{call.name}[{i}]/d{argument}" if len(results) > 1 else f"d{call.name}/d{argument}": part
        for i, row in zip(reals, rows, strict=False)
        for argument, part in zip(call.names, row, strict=True)
    }
    return Evaluation(expression, value, gradient, (large,) if large else ())


def _extended(source: Source, added: _Added) -> Source:
    return Source(source.path, f"{source.text}\n{added.text}")


def _results(program: Program, name: str) -> tuple[Value, ...]:
    """The results of one of the added functions."""
    return program.functions[name].results if name in program.functions else ()


def _is_real(type: AnyType) -> bool:
    return isinstance(type, Type) and type.dtype == "real"


def _by_size(results: Sequence[AnyType], arguments: Sequence[Type]) -> tuple[bool, str]:
    """Whether derivatives are computed, and what to say if they are too large to show."""
    reals = [type for type in results if isinstance(type, Type) and type.dtype == "real"]
    if not arguments or not reals:
        return False, ""
    if len(results) == 1 and not reals[0].shape:
        return True, ""
    of, by = sum(map(_elements, reals)), sum(map(_elements, arguments))
    if of * by > LARGEST:
        return False, f"its derivative, of {of:,} results by {by:,} arguments, is not shown"
    return True, ""


def _elements(type: Type) -> int:
    return math.prod(dim.constant or 0 for dim in type.shape)


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


class _Call:
    """An expression as definitions to add to the file.

    `g(1/3, [2])` becomes `fn arguments…() = 1/3, [2]` and `fn value…(a, b: [1]) = g(a, b)`: the
    arguments that are real, with the shapes that they turn out to have. What is not a call of a
    function of the file is the body of `fn value…()`.
    """

    def __init__(self, source: Source, call: ast.Expression) -> None:
        self._span = call.span
        self.name = ""
        self.names: tuple[str, ...] = ()  # of the real arguments
        self.types: tuple[Type, ...] = ()  # theirs
        self._callee: Span | None = None
        self._values: list[str | Span] = []
        self._passed: list[tuple[str, str | Span]] = []  # parameter, or "" for a setting; text
        if isinstance(call, ast.Call):
            self._match(source, call)

    def _match(self, source: Source, call: ast.Call) -> None:
        callee = call.callee.base if isinstance(call.callee, ast.Prime) else call.callee
        parameters = _parameters(source, callee)
        given = [a for a in call.arguments if a.name is None]
        named = {a.name: a for a in call.arguments if a.name is not None}
        if (
            parameters is None
            or len(given) > len(parameters)
            or len(named) + len(given) < len(call.arguments)
        ):
            return
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
                return
            kind = parameter.type
            if kind is None or kind.dtype == "real":
                self._values.append(text)
                names.append(name)
                self._passed.append((name, text))
            else:
                self._passed.append(("", text))
        self._passed += [("", argument.span) for argument in named.values()]  # settings
        if names:
            self.name, self.names, self._callee = (
                call.callee.span.text,
                tuple(names),
                call.callee.span,
            )

    def whole(self) -> _Added:
        """The expression as it is, and its arguments: what is wrong in it is told in its words."""
        added = _Added()
        added.write(f"fn {VALUE}() = ", self._span, "\n")
        if self.names:
            added.write(f"fn {ARGUMENTS}() = ", *_listed(self._values), "\n")
        return added

    def parts(self, types: Sequence[AnyType]) -> _Added:
        """The arguments, of these types, and the call of them."""
        added = _Added()
        if self._callee is None:
            return self.whole()
        self.types = tuple(type for type in types if isinstance(type, Type))
        heads = [
            f"{name}{LOCAL}{_shape(t)}" for name, t in zip(self.names, self.types, strict=True)
        ]
        added.write(f"fn {ARGUMENTS}() = ", *_listed(self._values), "\n")
        passed = [f"{name}{LOCAL}" if name else text for name, text in self._passed]
        added.write(
            f"fn {VALUE}({', '.join(heads)}) = ", self._callee, "(", *_listed(passed), ")\n"
        )
        return added


def _listed(parts: Sequence[str | Span]) -> list[str | Span]:
    """With commas between."""
    return [piece for part in parts for piece in (part, ", ")][:-1]


def _shape(type: Type) -> str:
    return f": {type.with_dtype('real')}" if type.shape else ""


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


def _computed(live: ModuleType, point: tuple[Any, ...]) -> tuple[Any, list[tuple[Any, ...]]]:
    """The value at a point, and the gradient of each real result, by the module's functions."""
    if (both := getattr(live, f"{VALUE}_value_and_grad", None)) is not None:
        value, gradient = both(*point)
        return plain(value), [plain(gradient)]
    value = plain(getattr(live, VALUE)(*point))
    matrix = getattr(live, f"{VALUE}_jacobian", None)
    if matrix is None:
        return value, []
    rows = plain(matrix(*point))
    return value, list(rows) if isinstance(rows[0], tuple) else [rows]  # one row comes bare
