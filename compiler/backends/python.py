"""The target `python`: floats and the standard library.

A routine that the user calls has a door, which costs floats nothing but the test of their type, and
where Python would raise, its body stands in a `try`: `ieee` then runs it again by IEEE 754.
"""

from __future__ import annotations

from collections.abc import Sequence

from mgrad.compiler.backends import module
from mgrad.compiler.backends.layout import INDENT, WIDTH, bracketed, worded
from mgrad.compiler.backends.module import Body, Imports
from mgrad.compiler.backends.text import docstring
from mgrad.compiler.header import Header
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.schedule.schedule import Routine

DOORS = {"real": ("float", "reals"), "int": ("int", "integers"), "bool": ("bool", "truths")}


def print_module(routines: Sequence[Routine], header: Header) -> str:
    """The text of the module."""
    return module.print_module(routines, header, "python", _frame)


def _frame(routine: Routine, imports: Imports, body: Body) -> list[str]:
    passed = list(routine.packed) or [name for name, _ in routine.parameters]
    if routine.kind == "backward" and len(routine.parameters) == 1:
        passed = [routine.packed[0], routine.parameters[0][0]]
    text = ", ".join(
        f"{name}={routine.defaults[name]}" if name in routine.defaults else name for name in passed
    )
    lines = [*bracketed(f"def {routine.name}", text, ":"), *docstring(routine.doc), *body.head]
    if not routine.is_entry:
        return lines + body.lines
    if routine.signature:
        return [*_decorator(routine, imports), *lines, *body.lines]
    for dtype, names in _by_type(routine).items():
        lines += _door(routine.name, dtype, names, imports)
    if not routine.may_raise:
        return lines + body.lines
    errors = ", ".join(imports.use(f"builtins.{e}") for e in ("ArithmeticError", "ValueError"))
    itself = routine.name
    if itself in {*passed, *(name for name, _ in routine.parameters)}:  # an argument hides it
        itself = f'{imports.use("builtins.globals")}()["{itself}"]'
    again = ", ".join([itself, *passed])
    return [
        *lines,
        f"{INDENT}try:",
        *body.lines,
        f"{INDENT}except ({errors}):",
        *bracketed(f"{INDENT * 2}return {imports.use('mgrad.runtime.ieee.ieee')}", again),
    ]


def _decorator(routine: Routine, imports: Imports) -> list[str]:
    """The door of a function of arrays: it checks nested lists, and knows IEEE 754."""
    kind = "" if routine.kind in ("value", "internal") else f"_{routine.kind}"
    name = imports.use(f"mgrad.runtime.lists.lists{kind}")
    if routine.kind == "backward":
        return [f"@{name}"]
    return worded(f"@{name}", routine.signature)


def _by_type(routine: Routine) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, node in routine.parameters:
        names.setdefault(_dtype(node), []).append(name)
    for name in routine.tangents:
        names.setdefault("real", []).append(name)
    return names


def _dtype(node: Node) -> str:
    assert isinstance(node.type, Type)
    return node.type.dtype


def _door(function: str, dtype: str, names: list[str], imports: Imports) -> list[str]:
    """The test of the arguments' types, and what is done with others."""
    kind, check = DOORS[dtype]
    type, wanted = imports.use("builtins.type"), imports.use(f"builtins.{kind}")
    given = ", ".join([f'"{function}"', *(f"{n}={n}" for n in names)])
    check = imports.use(f"mgrad.runtime.door.{check}")
    called = bracketed(f"{INDENT * 2}{', '.join(names)} = {check}", given)
    if len(names) == 1:
        return [f"{INDENT}if {type}({names[0]}) is not {wanted}:", *called]
    tests = _tests([f"{type}({n})" for n in names], wanted)
    line = f"{INDENT}if not ({tests[0]}):"
    if len(tests) == 1 and len(line) <= WIDTH:
        return [line, *called]
    rest = [f"{INDENT * 2}and {test}" for test in tests[1:]]
    return [f"{INDENT}if not (", f"{INDENT * 2}{tests[0]}", *rest, f"{INDENT}):", *called]


def _tests(types: list[str], wanted: str) -> list[str]:
    """Chains `type(x) is type(y) is float`, as few as fit into their lines."""
    room = WIDTH - len(f"{INDENT * 2}and ")
    chains: list[list[str]] = [[]]
    for text in types:
        if chains[-1] and len(" is ".join([*chains[-1], text, wanted])) > room:
            chains.append([])
        chains[-1].append(text)
    return [" is ".join([*chain, wanted]) for chain in chains]
