"""Tree to typed program: the names of each file, then every definition; all faults in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os.path import normpath

from mgrad.compiler.diagnostics import Diagnostic, MgradError
from mgrad.compiler.errors import meaning
from mgrad.compiler.sema import calls, expressions, indexing  # noqa: F401 - they enter their checks
from mgrad.compiler.sema.body import run
from mgrad.compiler.sema.definitions import Checker, Entry, FileScope
from mgrad.compiler.sema.names import PYTHON_KEYWORDS, SUFFIXES
from mgrad.compiler.sema.program import Program
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax import ast
from mgrad.compiler.syntax.parse import parse

Load = Callable[[str, str], Source | None]


def check(file: ast.File, load: Load, settings: Mapping[str, object]) -> Program:
    """The meaning of a file. `load(path as written, path of the file that names it)` gives the
    text of another file; `settings` are values for settings (`steps`, `decay.steps`) and constants.

    Raises MgradError with every fault of the file and of what it uses.
    """
    program, faults = check_all(file, load, settings)
    if program is None:
        raise MgradError(faults)
    return program


def check_all(
    file: ast.File,
    load: Load,
    settings: Mapping[str, object],
    broken: frozenset[str] = frozenset(),
) -> tuple[Program | None, list[Diagnostic]]:
    """The program, or None and the faults in the order of the text.

    `broken` are names whose definitions could not be read: what uses them is at no further fault.
    """
    checker = Checker(settings)
    files = Files(checker, load)
    scope = files.enter(file)
    for name in sorted(broken):
        scope.entries.setdefault(name, Entry(name, None, scope, Span(file.source, 0, 0)))
    _derivatives(checker, scope, file)
    _clashes(checker, scope)
    if not broken:
        _unknown_settings(checker, scope, settings)
    own = [e for e in scope.entries.values() if e.scope is scope and e.node is not None]
    checker.taken.update(e.name for e in own)
    for entry in own:
        if isinstance(entry.node, ast.Const):
            run(checker.constant(entry, entry.span))
        else:
            run(checker.instance(entry, (), entry.span))
    for definition in file.definitions:
        if isinstance(definition, ast.Test):
            run(checker.test(scope, definition))
    for imported, entry in scope.imports:
        if not entry.used:
            checker.report(meaning.UnusedName(imported.span, "import", imported.id))
    order = {path: position for position, path in enumerate(files.paths)}
    if checker.faults:
        return None, sorted(checker.faults, key=lambda d: _place(d, order))
    notes = sorted(
        (n for n in checker.notes if n.span is None or n.span.source is file.source),
        key=lambda d: _place(d, order),
    )
    return (
        Program(
            source=file.source,
            functions=checker.functions,
            externs=checker.externs,
            derivatives=checker.derivatives,
            tests=tuple(checker.tests),
            constants=checker.constants,
            notes=tuple(notes),
            doc=file.doc,
        ),
        [],
    )


def _place(diagnostic: Diagnostic, order: Mapping[str, int]) -> tuple[int, int, str]:
    if diagnostic.span is None:
        return -1, 0, diagnostic.message
    return order.get(diagnostic.span.source.path, len(order)), diagnostic.span.start, ""


class Files:
    """The files of a program: each is read once; the names of each are entered here."""

    def __init__(self, checker: Checker, load: Load) -> None:
        self.checker = checker
        self.load = load
        self.scopes: dict[str, FileScope] = {}
        self.paths: list[str] = []  # in the order in which they are named

    def enter(self, main: ast.File) -> FileScope:
        """The scope of the main file. What is used stands before what uses it."""
        scope = FileScope(main.source, is_main=True)
        stack = [(scope, main, iter(_uses(main)))]
        self.scopes[normpath(main.source.path)] = scope
        self.paths.append(main.source.path)
        waiting: dict[int, FileScope | None] = {}
        while stack:
            current, file, uses = stack[-1]
            use = next(uses, None)
            if use is None:
                stack.pop()
                self._define(current, file, waiting)
                continue
            source = self._source(use, current)
            if source is None:
                continue
            path = normpath(source.path)
            active = [normpath(s.source.path) for s, _, _ in stack]
            if path in active:
                cycle = active[active.index(path) :]
                self.checker.report(meaning.ImportCycle(use.target_span, cycle))
            elif path in self.scopes:
                waiting[id(use)] = self.scopes[path]
            else:
                parsed = parse(source)
                for fault in parsed.faults:
                    self.checker.report(fault)
                self.paths.append(source.path)
                other = FileScope(source, is_main=False)
                self.scopes[path] = other
                if parsed.file is not None and not parsed.faults:
                    waiting[id(use)] = other
                    stack.append((other, parsed.file, iter(_uses(parsed.file))))
        return scope

    def _source(self, use: ast.Use, scope: FileScope) -> Source | None:
        if not use.is_path:
            self.checker.report(meaning.NoLibrary(use.target_span, use.target))
            return None
        try:
            source = self.load(use.target, scope.source.path)
        except MgradError as error:  # it is there, and is not text
            for fault in error.diagnostics:
                self.checker.report(fault)
            return None
        if source is None:
            self.checker.report(meaning.MissingFile(use.target_span, use.target))
        return source

    def _define(
        self, scope: FileScope, file: ast.File, scopes: Mapping[int, FileScope | None]
    ) -> None:
        """Enter the names of a file whose imports are all known."""
        for definition in file.definitions:
            if isinstance(definition, ast.Use):
                for name in definition.names:
                    self._import(scope, definition, name, scopes.get(id(definition)))
            elif isinstance(definition, ast.Function | ast.Extern | ast.Const):
                name = definition.name
                entry = Entry(name.id, definition, scope, name.span)
                if self._enter(scope, name, entry) and self.checker.is_builtin(name.id):
                    self.checker.report(meaning.ShadowsBuiltin(name.span, name.id))
        if not scope.is_main:
            _derivatives(self.checker, scope, file)

    def _enter(self, scope: FileScope, name: ast.Name, entry: Entry) -> bool:
        first = self._place_of(scope, name.id)
        if first is not None:
            self.checker.report(meaning.DuplicateDefinition(name.span, name.id, first))
            return False
        scope.entries[name.id] = entry
        return True

    def _place_of(self, scope: FileScope, name: str) -> Span | None:
        entry = scope.entries.get(name)
        if entry is None:
            return None
        return next((n.span for n, e in scope.imports if e is entry and n.id == name), entry.span)

    def _import(
        self, scope: FileScope, use: ast.Use, name: ast.Name, other: FileScope | None
    ) -> None:
        found = None
        if other is not None:
            found = other.entries.get(name.id)
            if found is None or found.scope is not other:
                own = [n for n, e in other.entries.items() if e.scope is other]
                nearest = self.checker.suggestions.nearest(name.id, own)
                self.checker.report(meaning.UnknownImport(name.span, name.id, use.target, nearest))
                found = None
        entry = found or Entry(name.id, None, scope, name.span)
        if self._enter(scope, name, entry):
            scope.imports.append((name, entry))


def _derivatives(checker: Checker, scope: FileScope, file: ast.File) -> None:
    """Enter the stated derivatives of a file, each beside its function."""
    for definition in file.definitions:
        if not isinstance(definition, ast.Derivative):
            continue
        name = definition.name
        known = scope.derivatives.get(name.id)
        entry = scope.entries.get(name.id)
        if known is not None:
            checker.report(meaning.DuplicateDefinition(name.span, name.id, known.span))
        elif entry is not None and entry.node is None:
            continue  # told already
        elif (
            entry is None
            or entry.scope is not scope
            or not isinstance(entry.node, ast.Function | ast.Extern)
        ):
            own = [n for n, e in scope.entries.items() if isinstance(e.node, ast.Function)]
            nearest = checker.suggestions.nearest(name.id, own)
            checker.report(meaning.DerivativeOfUnknown(name.span, name.id, nearest))
        else:
            scope.derivatives[name.id] = Entry(name.id, definition, scope, name.span)


def _uses(file: ast.File) -> list[ast.Use]:
    return [d for d in file.definitions if isinstance(d, ast.Use)]


def _clashes(checker: Checker, scope: FileScope) -> None:
    """Names of the file that become one name in the generated module."""
    own = {
        name: entry
        for name, entry in scope.entries.items()
        if entry.scope is scope and isinstance(entry.node, ast.Function | ast.Extern)
    }
    for name, entry in own.items():
        made = [f"{name}_{suffix}" for suffix in SUFFIXES]
        made = made if isinstance(entry.node, ast.Function) else []
        if name in PYTHON_KEYWORDS:
            made.append(f"{name}_")
        for text in made:
            if text in own:
                checker.report(meaning.NameClash(own[text].span, text, name, entry.span))
        arguments = {p.name.id: p.name for p in entry.parameters()}
        for argument in arguments:
            other = arguments.get(f"{argument}_") if argument in PYTHON_KEYWORDS else None
            if other is not None:
                span = arguments[argument].span
                checker.report(meaning.NameClash(other.span, other.id, argument, span))


def _unknown_settings(checker: Checker, scope: FileScope, settings: Mapping[str, object]) -> None:
    known: dict[str, None] = {}
    for name, entry in scope.entries.items():
        if isinstance(entry.node, ast.Const) and entry.scope is scope:
            known[name] = None
        elif isinstance(entry.node, ast.Function):
            for setting in entry.settings():
                known[setting.name.id] = None
                known[f"{name}.{setting.name.id}"] = None
    for name in settings:
        if name not in known:
            nearest = checker.suggestions.nearest(name, known)
            checker.report(meaning.UnknownSetting(name, nearest))
