"""A typed function by its statements: what each one reads, and how it depends on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mgrad.compiler.sema.program import Function, Value
from mgrad.verbs.bodies import differentiates
from mgrad.verbs.numbers import Cut, Edge, is_real

NAMED = ("argument", "bind")
WIDEST = 96  # characters of a statement that are shown


@dataclass(slots=True)
class Statement:
    """`end` is the value that it gives a name, or an unnamed result of the function.

    A statement that holds a `diff` depends on how the names in it came about, not on their values
    alone: it is `closed`, reads the arguments, and has all that it is made of among its values.
    """

    end: Value
    values: list[Value] = field(default_factory=list)  # of its own, in order, without the end
    reads: list[Value] = field(default_factory=list)  # names, each once, in order
    closed: bool = False

    @property
    def text(self) -> str:
        """The lines of the source on which it stands, as one, without comments."""
        source, first = self.end.span.source, self.end.span.line
        last = first
        if not self.closed:
            ends = [v.span.end for v in (*self.values, self.end) if v.span.source is source]
            last = source.position(max(ends))[0]
        lines = [source.line(n).partition("#")[0] for n in range(first, last + 1)]
        text = " ".join(" ".join(lines).split()).replace("( ", "(").replace(" )", ")")
        return text if len(text) <= WIDEST else text[: WIDEST - 1].rstrip() + "…"

    @property
    def place(self) -> str:
        """`lecture.mg:14`"""
        return f"{Path(self.end.span.source.path).name}:{self.end.span.line}"


def statements(function: Function) -> list[Statement]:
    """The statements that the results need, in the order of the source.

    Each binds a name or gives a result.
    """
    ends = [v for v in function.values if v.form == "bind"]
    ends += [r for r in dict.fromkeys(function.results) if r.form not in NAMED]
    position = {value: i for i, value in enumerate(function.values)}
    parts: dict[Value, Statement] = {}
    for end in ends:
        inner, reads = _reached(end, NAMED)
        closed = any(map(differentiates, (*inner, end)))
        if closed:
            inner, reads = _reached(end, ("argument",))
        parts[end] = Statement(
            end,
            sorted(inner, key=position.__getitem__),
            sorted(reads, key=position.__getitem__),
            closed,
        )
    needed = {r for r in function.results if r in parts}
    for end in sorted(parts, key=position.__getitem__, reverse=True):
        if end in needed:
            needed.update(v for v in parts[end].reads if v in parts)
    return [parts[end] for end in sorted(needed, key=position.__getitem__)]


def _reached(end: Value, stop: tuple[str, ...]) -> tuple[list[Value], list[Value]]:
    """What a value is made of, and where that begins: at values of the forms in `stop`."""
    inner: dict[Value, None] = {}
    reads: dict[Value, None] = {}
    stack = [end]
    while stack:
        for operand in stack.pop().args:
            if operand.form in stop:
                reads[operand] = None
            elif operand not in inner:
                inner[operand] = None
                stack.append(operand)
    return list(inner), list(reads)


def cut(parts: Iterable[Statement], inside: Iterable[Value]) -> Cut:
    """Where to cut a function so that there is an edge to each statement from every name that it
    reads, and from the values in `inside` that are its own."""
    chosen, parts = set(inside), list(parts)
    owner: dict[Value, Value] = {}  # of the two names in `r, t = f(x)` the first owns the call
    for part in parts:
        for value in () if part.closed else (*part.values, part.end):
            owner.setdefault(value, part.end)
    aliases: dict[tuple[Value, int], object] = {}
    wanted: dict[Edge, tuple[Value, tuple[object, ...]]] = {}
    for part in parts:
        if not is_real(part.end):
            continue
        if part.closed:
            for name in part.reads:
                if is_real(name):
                    wanted[part.end, name] = (part.end, (name,))
            continue
        sources = {*part.reads, *chosen.intersection(part.values)}
        edges: dict[Value, dict[object, None]] = {}
        for value in (*part.values, part.end):
            for position, operand in enumerate(value.args):
                if operand in sources and is_real(operand):
                    key = owner[value], operand
                    aliases[value, position] = key
                    edges.setdefault(operand, {})[key] = None
        for operand, keys in edges.items():
            wanted[part.end, operand] = (part.end, tuple(keys))
    return Cut(aliases, wanted)
