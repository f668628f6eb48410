"""`load`: the compiled module without a file; a traceback in it shows the `.mg` line."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from mgrad import files
from mgrad.compiler.diagnostics import MgradError
from mgrad.verbs.compile import Number, build

if TYPE_CHECKING:
    from mgrad.compiler.driver import Compiled
    from mgrad.compiler.sema.program import Program
    from mgrad.compiler.source import Span


def load(
    path: str | os.PathLike[str],
    *,
    target: str = "python",
    level: int = 1,
    emit: Iterable[str] = (),
    settings: Mapping[str, Number] | None = None,
) -> ModuleType:
    """The module that the file at `path` compiles to; the arguments are those of `compile`.

    This runs the module, and so imports what the file's `extern` lines name.
    """
    return module(build(files.read(path), target, level, emit, settings))


def module(compiled: Compiled) -> ModuleType:
    """The emitted text as a live module.

    Its statements carry the places of the `.mg` file that they come from, not those of the text,
    which lies in no file: so a traceback shows the line that the user wrote. Raises MgradError for
    an `extern` that Python has not.
    """
    source = compiled.program.source
    tree = ast.parse(compiled.text)
    _place(tree, compiled)
    code = compile(tree, os.path.abspath(source.path), "exec")
    live = ModuleType(Path(source.path).stem)
    live.__file__ = None
    raise_missing(compiled.program)
    exec(_sign(code, compiled), live.__dict__)
    return live


def raise_missing(program: Program) -> None:
    """Raise MgradError if the file names a Python function that there is not."""
    if not program.externs:
        return
    from mgrad.compiler.verify.opaque import missing_externs

    if faults := missing_externs(program):
        raise MgradError(faults)


def _place(tree: ast.Module, compiled: Compiled) -> None:
    """Give every statement of a routine the span of its line, or of what stands before it."""
    routines = {routine.name: routine for routine in compiled.routines}
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            _move(node, 1, 0, 1, 0)
    externs = {e.module: e for e in compiled.program.externs.values()}
    for definition in tree.body:
        if isinstance(definition, ast.ImportFrom) and definition.module in externs:
            _mark(definition, externs[definition.module].span)
        if not isinstance(definition, ast.FunctionDef) or definition.name not in routines:
            continue
        routine = routines[definition.name]
        function = compiled.program.functions.get(routine.key.partition("@")[0])
        spans = {line.names: line.spans[0] for line in routine.lines if line.spans}
        if function is not None:
            _mark(definition, function.span)
        for statement in _statements(definition.body):
            span = spans.get(_targets(statement))
            if span is not None:
                _mark(statement, span)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The simple statements of a routine; a door's `try` has them one level down."""
    for statement in body:
        if isinstance(statement, ast.Try):
            yield from _statements(statement.body)
        else:
            yield statement


def _targets(statement: ast.stmt) -> tuple[str, ...]:
    """The names that a statement assigns."""
    if not isinstance(statement, ast.Assign):
        return ()
    (target,) = statement.targets
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    return tuple(name.id for name in names if isinstance(name, ast.Name))


def _mark(root: ast.AST, span: Span) -> None:
    """Place a node and all below it at a span of the source."""
    line = span.source.line(span.line)
    before = len(line[: span.column - 1].encode())
    end = len(line[: span.column - 1 + span.end - span.start].encode())
    for node in ast.walk(root):
        if hasattr(node, "lineno"):
            _move(node, span.line, before, span.line, end)


def _move(node: ast.AST, line: int, column: int, end_line: int, end_column: int) -> None:
    places = {"lineno": line, "col_offset": column}
    places |= {"end_lineno": end_line, "end_col_offset": end_column}
    for name, value in places.items():
        setattr(node, name, value)


def _sign(code: CodeType, compiled: Compiled) -> CodeType:
    """Name the right file in the code of functions that another file defines."""
    paths = {}
    for routine in compiled.routines:
        function = compiled.program.functions.get(routine.key.partition("@")[0])
        if function is not None and function.source is not compiled.program.source:
            paths[routine.name] = os.path.abspath(function.source.path)
    constants = tuple(
        c.replace(co_filename=paths[c.co_name])
        if isinstance(c, CodeType) and c.co_name in paths
        else c
        for c in code.co_consts
    )
    return code.replace(co_consts=constants)
