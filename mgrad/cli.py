"""The command `mgrad`: one function a verb. What a verb does is in `mgrad.verbs`, imported here
only when it is called, so that `mgrad --help` is quick."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mgrad import __version__
from mgrad.compiler.targets import TARGETS
from mgrad.faults import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from mgrad.compiler.diagnostics import Diagnostic

    Number = int | float | Fraction | bool

app = typer.Typer(
    name="mgrad",
    help="A gradient compiler you can read and trust.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Stage(StrEnum):
    """A stage of the compiler, as `compile --stage` prints it."""

    ast = "ast"
    typed = "typed"
    ir = "ir"
    adjoint = "adjoint"
    optimised = "optimised"
    schedule = "schedule"


File = Annotated[str, typer.Argument(metavar="FILE", help="An .mg file.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="One of the file's functions.")]
AnyName = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="One of the file's functions."),
]
Target = Annotated[
    str,
    typer.Option(
        "--target",
        metavar="|".join(TARGETS),
        help="Standard library only, or NumPy: maps over arrays.",
    ),
]
AnyTarget = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="|".join(TARGETS),
        help="Without it NumPy where there are arrays, else the standard library only.",
    ),
]
Level = Annotated[int, typer.Option("-O", min=0, max=2, help="Level of optimisation.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="K=V", help="Value of a constant or setting; also F.K=V."),
]
Sizes = Annotated[
    list[str] | None,
    typer.Option("--size", metavar="N=1000", help="The size of a dimension, by its name."),
]
Point = Annotated[
    str | None,
    typer.Option("--at", metavar="X=2,Y=[1,3]", help="The point, by the arguments' names."),
]


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        print(f"mgrad {__version__}")
        raise typer.Exit


@app.command()
def compile(
    file: File,
    output: Annotated[
        str | None,
        typer.Option("-o", metavar="OUT", help="Where to; '-' is standard output."),
    ] = None,
    target: Target = "python",
    level: Level = 1,
    emit: Annotated[
        str, typer.Option(help="More to emit, by commas: jvp, jacobian, hessian.")
    ] = "",
    settings: Settings = None,
    stage: Annotated[
        Stage | None, typer.Option(help="Print what stands at a stage, and stop.")
    ] = None,
) -> None:
    """Compile FILE to a Python module beside it."""
    from mgrad import files
    from mgrad.verbs import compile as verb

    source = files.read(file)
    choices = target, level, _extras(emit), _settings(settings)
    if stage is not None:
        print(verb.stage(source, stage.value, *choices))
        return
    place = output or files.beside(file, ".py")
    compiled = verb.build(source, *choices)
    _notes(compiled.notes)
    files.write(place, compiled.text)


@app.command()
def check(
    file: File,
    module: Annotated[
        str | None,
        typer.Option("--module", metavar="OUT.py", help="Judge this module as it lies on disk."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The certificate as JSON.")] = False,
    budget: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Time for the whole check.")
    ] = 60.0,
    level: Level = 1,
    settings: Settings = None,
) -> None:
    """Check every gradient of FILE, and its numbers.

    The formulas are held against SymPy's, the numbers against 100-digit arithmetic.
    This runs the emitted code and what its extern functions name.
    """
    from mgrad import files
    from mgrad.verbs.check import certificate
    from mgrad.verbs.check import check as verb

    found = verb(file, module=module, budget=budget, level=level, settings=_settings(settings))
    files.write(certificate(module or file), found.json() + "\n")
    print(found.json() if json else found.text())
    if found.refuted:
        raise typer.Exit(1)


@app.command()
def diff(
    file: File,
    name: AnyName = None,
    wrt: Annotated[
        str | None, typer.Option(metavar="X", help="By these arguments alone, by commas.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="As LaTeX.")] = False,
    size: Sizes = None,
    settings: Settings = None,
) -> None:
    """Show the symbolic derivatives, by SymPy; of arrays at small sizes."""
    from mgrad.assignments import sizes
    from mgrad.verbs.diff import derivatives, show

    chosen = sizes(size or (), "--size")
    for entry in derivatives(file, name, _list(wrt), _settings(settings), chosen):
        print(show(entry, latex))


@app.command()
def eval(
    file: File,
    expression: Annotated[str, typer.Argument(metavar="'f(3)'", help="What to evaluate.")],
    target: AnyTarget = None,
    level: Level = 1,
    settings: Settings = None,
) -> None:
    """Show a value and its gradient, computed by the emitted code."""
    from mgrad.verbs.evaluate import evaluate

    print(evaluate(file, expression, target, level, _settings(settings)).text())


@app.command()
def test(file: File, settings: Settings = None) -> None:
    """Run the file's own tests."""
    from mgrad.verbs.test import test as verb

    outcome = verb(file, _settings(settings))
    print(outcome.text())
    if outcome.failures:
        raise typer.Exit(1)


@app.command()
def graph(
    file: File,
    name: AnyName = None,
    output: Annotated[
        str, typer.Option("-o", metavar="OUT", help="A .svg, .png or .dot file; '-' is SVG.")
    ] = "",
    at: Point = None,
    backward: Annotated[
        bool, typer.Option("--backward", help="Show each value's gradient as well.")
    ] = False,
    settings: Settings = None,
) -> None:
    """Draw the expression graph of a function."""
    from mgrad import files
    from mgrad.verbs.graph import graph as verb

    picture = verb(file, name, at=_point(at), backward=backward, settings=_settings(settings))
    place = output or files.beside(file, ".svg")
    files.write(place, picture.render("svg" if place == "-" else os.path.splitext(place)[1][1:]))


@app.command()
def explain(file: File, name: Name, at: Point = None, settings: Settings = None) -> None:
    """Explain a function's backward pass, line by line."""
    from mgrad.verbs.explain import explain as verb

    print(verb(file, name, at=_point(at), settings=_settings(settings)))


@app.command()
def bench(
    file: File,
    target: AnyTarget = None,
    level: Level = 1,
    size: Sizes = None,
    settings: Settings = None,
) -> None:
    """Time each function, its gradient, and their ratio."""
    from mgrad.assignments import sizes
    from mgrad.verbs.bench import bench as verb

    print(verb(file, target, level, _settings(settings), sizes(size or (), "--size")))


@app.command()
def fmt(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Some .mg files.")],
    check: Annotated[
        bool, typer.Option("--check", help="Only report what would change; status 1 if any.")
    ] = False,
) -> None:
    """Rewrite files in the canonical layout."""
    from mgrad.verbs.format import format_file

    changed = [file for file in files if format_file(file, write=not check)]
    for file in changed:
        print(f"would change {file}" if check else f"changed {file}")
    if check and changed:
        raise typer.Exit(1)


def _list(text: str | None) -> tuple[str, ...]:
    """`"a, b"` as ("a", "b")."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _extras(text: str) -> tuple[str, ...]:
    known = ("jvp", "jacobian", "hessian")
    extras = _list(text)
    for extra in extras:
        if extra not in known:
            raise UsageError(f"cannot emit '{extra}'; --emit takes {', '.join(known)}")
    return extras


def _settings(pairs: list[str] | None) -> dict[str, Number]:
    from mgrad.assignments import assignments

    return assignments(pairs or (), "--set")


def _point(text: str | None) -> dict[str, Any] | None:
    from mgrad.assignments import point

    return None if text is None else point(text, "--at")


def _notes(notes: Iterable[Diagnostic]) -> None:
    """Warnings and notes go to standard error."""
    from mgrad.compiler.diagnostics import render

    for note in notes:
        print(render(note) + "\n", file=sys.stderr)


def main() -> NoReturn:
    """Run the command line. Every end is a status: 0, 1 for a fault in the input, 2 for a wrong
    command line."""
    try:
        app(prog_name="mgrad")  # also where `python -m mgrad` was typed
    except UsageError as error:
        _end(f"error: {error}", 2)
    except RunError as error:
        _end(f"error: {error}", 1)
    except BrokenPipeError:  # whoever read our output has gone; nothing more to say to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        _report(error)
    sys.exit(0)


def _report(error: Exception) -> NoReturn:
    """A fault of the source, else one of ours."""
    from mgrad.compiler.diagnostics import InternalError, MgradError

    if isinstance(error, MgradError):
        _end(str(error), 1)
    phase = error.phase if isinstance(error, InternalError) else "the front door"
    _end(
        f"{type(error).__name__}: {error}\n\n"
        f"This is a fault of mgrad {__version__}, in {phase}, not of your file.\n"
        "Please report it with the file and this message.",
        1,
    )


def _end(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(status)
