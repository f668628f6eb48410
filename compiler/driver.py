"""All stages in a row: from a source to the text of its module."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib import import_module
from os.path import basename
from types import ModuleType

from mgrad import __version__
from mgrad.compiler.diagnostics import Diagnostic, MgradError
from mgrad.compiler.errors.meaning import CallsTooDeep
from mgrad.compiler.header import Header
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.text import print_graph
from mgrad.compiler.ir.types import Type
from mgrad.compiler.lowering import lower
from mgrad.compiler.passes import optimise, prepare
from mgrad.compiler.passes.depth import depths
from mgrad.compiler.schedule.joint import joints
from mgrad.compiler.schedule.plan import plan
from mgrad.compiler.schedule.schedule import Routine
from mgrad.compiler.sema.check import Load, check_all
from mgrad.compiler.sema.program import Program
from mgrad.compiler.sema.text import show, show_tree
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax.parse import parse
from mgrad.compiler.targets import Target as Target

DEEPEST = 500  # calls in calls: Python goes to 1,000 frames, and the caller needs some

STAGES = ("ast", "typed", "ir", "adjoint", "optimised", "schedule")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose. `settings` are values by name, or by `function.name`."""

    target: Target = "python"
    level: int = 1
    emit: tuple[str, ...] = ()  # of "jvp", "jacobian", "hessian"
    settings: Mapping[str, Fraction | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A module's text, and what it was made from. `notes` are warnings and notes on the source."""

    text: str
    program: Program
    module: Module
    routines: tuple[Routine, ...]
    notes: tuple[Diagnostic, ...]


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage cycles meanwhile: a compilation makes many small objects, and hardly
    one of them is garbage before its end. The search would cost a quarter of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_uncollected()
def compile(
    source: Source, options: Options | None = None, load: Load = lambda path, importer: None
) -> Compiled:
    """The module that a source compiles to. `load(path as written, path of the file that names
    it)` gives the text of a file that the source uses.

    Raises MgradError with every fault of the source.
    """
    options = options or Options()
    program = understand(source, options, load)
    module = prepare(lower(program), options.level, entries(program))
    _limit_calls(module, program)
    module = joints(module, entries(program), options.emit)
    module = optimise(module, options.level)
    routines = plan(module, entries(program), options)
    text = printer(options.target).print_module(routines, header(program, options))
    return Compiled(text, program, module, routines, program.notes)


def arrays_in(program: Program) -> Span | None:
    """The first function that takes, gives or computes with arrays; None if there is none."""
    for function in program.functions.values():
        if any(isinstance(v.type, Type) and v.type.shape for v in function.values):
            return function.span
    return None


@_uncollected()
def compile_tests(program: Program, options: Options) -> str:
    """The module of a program with a function for each side of its tests that has no free names:
    `test_1_left`, `test_1_right`, … They call the module's functions, nothing is inlined."""
    module = lower(program, tests=True)
    sides = {f.key for test in program.tests for f in (test.left, test.right)}
    numeric = [f.key for t in program.tests for f in (t.left, t.right) if not t.left.arguments]
    own = replace(module, graphs={k: g for k, g in module.graphs.items() if k not in sides})
    asked = replace(module, graphs={k: module.graphs[k] for k in numeric})
    own, asked = prepare(own, options.level, entries(program)), prepare(asked, 0)
    module = replace(module, graphs={**own.graphs, **asked.graphs})
    module = joints(module, [*entries(program), *numeric], options.emit)
    module = optimise(module, options.level, dict.fromkeys(asked.graphs, 0))
    routines = plan(module, [*entries(program), *numeric], options)
    text: str = printer(options.target).print_module(routines, header(program, options))
    return text


def stage(source: Source, options: Options, load: Load, name: str) -> str:
    """What stands at a stage (one of STAGES), as text."""
    if name == "ast":
        parsed = parse(source)
        if parsed.file is None or parsed.faults:
            raise MgradError(parsed.faults)
        return show_tree(parsed.file)
    program = understand(source, options, load)
    if name == "typed":
        return show(program)
    module = lower(program)
    if name == "ir":
        return show_module(module)
    module = prepare(module, options.level, entries(program))
    module = joints(module, entries(program), options.emit)
    if name == "adjoint":
        return show_module(module)
    module = optimise(module, options.level)
    if name == "optimised":
        return show_module(module)
    return show_routines(plan(module, entries(program), options))


def printer(target: Target) -> ModuleType:
    """The room that prints for a target; only that one is imported."""
    return import_module(f"mgrad.compiler.backends.{target}")


def header(program: Program, options: Options) -> Header:
    source = program.source
    digest = hashlib.sha256(source.text.encode("utf-8")).hexdigest()[:12]
    return Header(basename(source.path), digest, __version__, options.target, program.doc)


def show_module(module: Module) -> str:
    """Every graph of a module."""
    return "\n\n".join(print_graph(graph) for graph in module.graphs.values()) + "\n"


def show_routines(routines: tuple[Routine, ...]) -> str:
    """Every routine: its head, what it saves, and a node a line."""
    lines: list[str] = []
    for routine in routines:
        head = ", ".join(name for name, _ in routine.parameters)
        lines.append(f"{routine.kind} {routine.name}({head}) of {routine.key}")
        for line in routine.lines:
            rule = f"  # {line.rule}" if line.rule else ""
            lines.append(f"  {line.role}: {', '.join(line.names)} = {line.node}{rule}")
        if routine.saved:
            lines.append(f"  saved: {', '.join(routine.saved)}")
        lines.append(f"  return {', '.join(map(str, (*routine.values, *routine.gradients)))}")
    return "\n".join(lines) + "\n"


def understand(source: Source, options: Options, load: Load) -> Program:
    """The typed program of a source, whose stated derivatives are found right.

    Faults of text and of meaning are told in one go.
    """
    parsed = parse(source)
    if parsed.file is None:
        raise MgradError(parsed.faults)
    program, faults = check_all(parsed.file, load, options.settings, parsed.broken)
    if parsed.faults:
        told = [f.span for f in parsed.faults if f.span is not None]
        faults = [f for f in faults if not any(_overlap(f.span, span) for span in told)]
        faults = sorted([*parsed.faults, *faults], key=lambda f: _place(f, source))
    elif program is not None and program.derivatives:
        from mgrad.compiler.verify.check import check_stated  # imports SymPy

        faults = check_stated(program)
    if faults or program is None:
        raise MgradError(faults)
    return program


def _overlap(a: Span | None, b: Span) -> bool:
    """Whether a fault of meaning stands where a fault of text is told already."""
    return a is not None and a.source is b.source and a.start < b.end and b.start < a.end


def _place(fault: Diagnostic, source: Source) -> tuple[bool, int]:
    if fault.span is None:
        return False, -1
    return fault.span.source is not source, fault.span.start


def _limit_calls(module: Module, program: Program) -> None:
    found = depths(module)
    key = max(found, key=found.__getitem__, default="")
    if found.get(key, 0) > DEEPEST:
        function = program.functions[key.partition("@")[0]]
        raise MgradError([CallsTooDeep(function.span, function.name, found[key], DEEPEST)])


def entries(program: Program) -> tuple[str, ...]:
    """The keys of the functions that the module offers."""
    return tuple(key for key, function in program.functions.items() if function.is_entry)
