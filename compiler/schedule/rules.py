"""The notes beside lines: whose chain rule a backward line is, and where that stands."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import replace
from functools import lru_cache

from mgrad.compiler.ir.graph import Notes
from mgrad.compiler.ir.node import Node
from mgrad.compiler.schedule.schedule import Line
from mgrad.compiler.source import Span

WIDEST = 44  # characters of a rule; what is longer is cut
FARTHEST = 2000  # characters of a line that are looked at
SEVERAL = 2  # statements that a rule shows


def rule(adjoint: Node, notes: Notes) -> tuple[str, str]:
    """The statements through which a gradient came, and their places ("" if not known)."""
    return through([path.user for path in notes.paths.get(adjoint, ())], notes)


def through(users: Iterable[Node], notes: Notes) -> tuple[str, str]:
    """The statements that these values stand in, and their places."""
    spans = [span for user in users for span in notes.spans.get(user, ())[-1:]]
    if not spans:
        return "", ""
    lines: dict[tuple[str, int], Span] = {}
    for span in spans:
        lines.setdefault((span.source.path, span.line), span)
    ordered = sorted(lines)
    texts = [statement(lines[key]) for key in ordered[:SEVERAL]]
    text = "; ".join(texts)
    if len(text) > WIDEST:
        text = texts[0] if len(texts[0]) <= WIDEST else texts[0][: WIDEST - 1].rstrip() + "…"
    return text, places(lines[key] for key in ordered)


def places(spans: Iterable[Span]) -> str:
    """`lecture.mg:14` or `lecture.mg:14, 16`; of several files the first one's."""
    found = [(_file(span), span.line) for span in spans]
    if not found:
        return ""
    first = found[0][0]
    numbers = [str(n) for n in dict.fromkeys(line for file, line in found if file == first)]
    more = ", …" if len(numbers) > 3 else ""
    return f"{first}:{', '.join(numbers[:3])}{more}"


def _file(span: Span) -> str:
    return span.source.path.replace("\\", "/").rpartition("/")[2]


def noted(lines: Iterable[Line], backward: Container[Node]) -> list[Line]:
    """The lines, where a temporary on the way back takes the note of the gradient that it is for:
    the next one."""
    found: list[Line] = []
    rule, place = "", ""
    for line in reversed(list(lines)):
        if line.role == "gradient" and line.rule:
            rule, place = line.rule, line.place
        elif line.role in ("temporary", "gradient") and rule and line.node in backward:
            line = replace(line, rule=rule, place=place)
        found.append(line)
    return found[::-1]


def statement(span: Span) -> str:
    """The line of the source that holds a span, without comment; of a function in one expression
    only that."""
    return _statement(span.source.line(span.line)[:FARTHEST])


@lru_cache(maxsize=4096)
def _statement(line: str) -> str:
    text = " ".join(line.partition("#")[0].split())
    if text.startswith(("fn ", "fn\t")):
        text = _body(text)
    return re.sub(r"^\)\s*(->[^=]*)?=\s+", "", text)


def _body(text: str) -> str:
    """What stands behind `fn name(…) =`."""
    depth = 0
    for place, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "=" and depth == 0 and text[place + 1 :].strip():
            return text[place + 1 :].strip()
    return text[len("fn ") :].strip()
