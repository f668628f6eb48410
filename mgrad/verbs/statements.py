"""A typed function by its statements: what each one reads, and how it depends on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgrad.compiler.ir.types import REAL
from mgrad.compiler.sema.program import Function, Value
from mgrad.verbs.numbers import Cut

NAMED = ("argument", "bind")


@dataclass(slots=True)
class Statement:
    """`end` is the value that it gives a name, or an unnamed result of the function."""

    end: Value
    values: list[Value] = field(default_factory=list)  # of its own, in order, without the end
    reads: list[Value] = field(default_factory=list)  # names, each once, in order

    @property
    def text(self) -> str:
        """The line of the source on which it begins, without its comment."""
        return self.end.span.source.line(self.end.span.line).partition("#")[0].strip()

    @property
    def place(self) -> str:
        """`lecture.mg:14`"""
        return f"{Path(self.end.span.source.path).name}:{self.end.span.line}"


def statements(function: Function) -> list[Statement]:
    """The statements that bind a name or give a result, in the order of the source."""
    ends = [v for v in function.values if v.form == "bind"]
    ends += [r for r in dict.fromkeys(function.results) if r.form not in NAMED]
    position = {value: i for i, value in enumerate(function.values)}
    found = []
    for end in sorted(ends, key=position.__getitem__):
        inner: set[Value] = set()
        reads: dict[Value, None] = {}
        stack = [end]
        while stack:
            for operand in stack.pop().args:
                if operand.form in NAMED:
                    reads[operand] = None
                elif operand not in inner:
                    inner.add(operand)
                    stack.append(operand)
        found.append(
            Statement(
                end,
                sorted(inner, key=position.__getitem__),
                sorted(reads, key=position.__getitem__),
            )
        )
    return found


def cut(function: Function, parts: list[Statement]) -> Cut:
    """Where to cut the function so that each name that a statement reads is an edge to it."""
    owner: dict[Value, Value] = {}
    for part in parts:
        for value in (*part.values, part.end):
            owner.setdefault(value, part.end)
    aliases: dict[tuple[Value, int], object] = {}
    wanted: dict[Any, Any] = {}
    for part in parts:
        if part.end.type != REAL:
            continue
        keys: dict[Value, dict[object, None]] = {n: {} for n in part.reads if n.type == REAL}
        for value in (*part.values, part.end):
            for position, operand in enumerate(value.args):
                if operand in keys and not (value.form == "diff" and position == 1):
                    key = (owner[value], operand)
                    aliases[value, position] = key
                    keys[operand][key] = None
        for name, some in keys.items():
            if some:
                wanted[part.end, name] = (part.end, tuple(some))
    return Cut(aliases, wanted)
