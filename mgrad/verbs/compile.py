"""`compile`: from a file to the text of its module."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from mgrad import files
from mgrad.compiler import targets
from mgrad.faults import UsageError

if TYPE_CHECKING:
    from mgrad.compiler.driver import Compiled, Options
    from mgrad.compiler.sema.program import Function, Program
    from mgrad.compiler.source import Source

TARGETS: tuple[str, ...] = targets.TARGETS
Number = int | float | Fraction | bool


def compile(
    path: str | os.PathLike[str],
    *,
    target: str = "python",
    level: int = 1,
    emit: Iterable[str] = (),
    settings: Mapping[str, Number] | None = None,
) -> str:
    """The text of the module that the file at `path` compiles to. Nothing is written.

    `target` is "python" or "numpy"; `level` is that of `-O`; `emit` asks for more than the
    gradient: "jvp", "jacobian", "hessian"; `settings` gives constants and settings their values, by
    name or as "function.name". Raises MgradError with every fault of the file.
    """
    return build(files.read(path), target, level, emit, settings).text


def build(
    source: Source,
    target: str = "python",
    level: int = 1,
    emit: Iterable[str] = (),
    settings: Mapping[str, Number] | None = None,
) -> Compiled:
    """Everything that the compiler knows of a source, from its typed program to its module."""
    from mgrad.compiler import driver

    return driver.compile(source, _options(target, level, emit, settings), files.load)


def understand(source: Source, settings: Mapping[str, Number] | None = None) -> Program:
    """The typed program of a source, for verbs that need no module."""
    from mgrad.compiler import driver

    return driver.understand(source, _options(settings=settings), files.load)


def usual(program: Program) -> str:
    """The target on which a verb runs a program where the user names none: `numpy` for arrays."""
    from mgrad.compiler import driver

    return "python" if driver.arrays_in(program) is None else "numpy"


def tests_text(program: Program) -> str:
    """The module with functions for the sides of the program's tests."""
    from mgrad.compiler import driver

    return driver.compile_tests(program, _options(_tests_target(program)))


def _tests_target(program: Program) -> str:
    """The usual target; `numpy` too if only a test has arrays."""
    from dataclasses import replace

    sides = [side for test in program.tests for side in (test.left, test.right)]
    functions = {**program.functions, **{side.key: side for side in sides}}
    return usual(replace(program, functions=functions))


def stage(
    source: Source,
    name: str,
    target: str = "python",
    level: int = 1,
    emit: Iterable[str] = (),
    settings: Mapping[str, Number] | None = None,
) -> str:
    """What stands at a stage of the compiler, as text."""
    from mgrad.compiler import driver

    return driver.stage(source, _options(target, level, emit, settings), files.load, name)


def _options(
    target: str = "python",
    level: int = 1,
    emit: Iterable[str] = (),
    settings: Mapping[str, Number] | None = None,
) -> Options:
    from mgrad.compiler.driver import Options

    found = next((known for known in targets.TARGETS if known == target), None)
    if found is None:
        raise UsageError(f"there is no target '{target}'; there are {', '.join(TARGETS)}")
    numbers = {name: exact(value) for name, value in (settings or {}).items()}
    return Options(found, level, tuple(emit), numbers)


def exact(value: Number) -> Number:
    """A number as its digits read: 0.1 is one tenth. Ints and booleans stay what they are."""
    if isinstance(value, float) and value - value == 0:  # neither inf nor nan
        return Fraction(repr(float(value)))
    return value


def entry(program: Program, name: str | None) -> Function:
    """The function of this name among the entries; without a name the only one, or the last.

    Raises UsageError if there is none.
    """
    from difflib import get_close_matches

    functions = {f.name: f for f in program.functions.values() if f.is_entry}
    path = program.source.path
    if not functions:
        raise UsageError(f"{path} defines no function")
    if name is None:
        return next(reversed(functions.values()))
    if name not in functions:
        near = get_close_matches(name, functions, 1)
        help = f" - did you mean '{near[0]}'?" if near else f"; it has {', '.join(functions)}"
        raise UsageError(f"{path} has no function '{name}'{help}")
    return functions[name]
