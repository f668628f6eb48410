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

Place = tuple[int, int, int]  # a line, and the first and last byte in it
NOWHERE = (1, 0, 0)


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
    externs = {e.module: e for e in compiled.program.externs.values()}
    for definition in tree.body:
        place = NOWHERE
        if isinstance(definition, ast.ImportFrom) and definition.module in externs:
            place = _lines(externs[definition.module].span)
        if not isinstance(definition, ast.FunctionDef) or definition.name not in routines:
            _move(definition, place)
            continue
        routine = routines[definition.name]
        function = compiled.program.functions.get(routine.key.partition("@")[0])
        spans = {line.names: line.spans[0] for line in routine.lines if line.spans}
        if function is not None:
            place = _lines(function.span)
        own = {
            statement: _lines(span)
            for statement in _statements(definition.body)
            if (span := spans.get(_targets(statement))) is not None
        }
        _move(definition, place, own)


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


def _lines(span: Span) -> Place:
    """Where a span of the source stands, in bytes of its first line."""
    line, start = span.source.line(span.line), span.column - 1
    end = start + span.end - span.start
    if line.isascii():
        return span.line, start, min(end, len(line))
    return span.line, len(line[:start].encode()), len(line[:end].encode())


def _move(root: ast.AST, place: Place, own: Mapping[ast.stmt, Place] | None = None) -> None:
    """Give a place to a node and to all below it, but for statements with places of their own."""
    stack = [(root, place)]
    while stack:
        node, place = stack.pop()
        if own is not None and isinstance(node, ast.stmt):
            place = own.get(node, place)
        if "lineno" in node._attributes:
            node.lineno, node.col_offset, node.end_col_offset = place  # type: ignore[attr-defined]
            node.end_lineno = place[0]  # type: ignore[attr-defined]
        for name in node._fields:
            below = getattr(node, name, None)
            if isinstance(below, ast.AST):
                stack.append((below, place))
            elif isinstance(below, list):
                stack += [(item, place) for item in below if isinstance(item, ast.AST)]


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
