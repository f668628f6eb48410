"""Text of the source inside text of Python: nothing of it may become code."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from mgrad.compiler.schedule.schedule import Line

WIDTH = 92  # of code
WIDEST = 100  # of text
COLUMN = 48  # where notes stand beside lines that are no longer than this
INDENT = "    "


def comment(text: str) -> str:
    """The text as one line that a comment may hold: what could end the line is replaced."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(clean.split())


def docstring(text: str, indent: str = INDENT) -> list[str]:
    """The lines of a docstring; quotes and backslashes are escaped, long lines wrapped."""
    clean = "\n".join(
        "".join(c if c.isprintable() else " " for c in raw).rstrip() for raw in text.splitlines()
    ).strip()
    if not clean:
        return []
    escaped = clean.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if clean.endswith('"') and not clean.endswith('"""'):
        escaped = f'{escaped[:-1]}\\"'
    lines: list[str] = []
    for line in escaped.split("\n"):
        lines += textwrap.wrap(line, WIDEST - len(indent), break_long_words=False) or [""]
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    body = [f"{indent}{line}".rstrip() for line in lines[1:]]
    return [f'{indent}"""{lines[0]}', *body, f'{indent}"""']


def aligned(codes: Sequence[str], lines: Sequence[Line]) -> list[str]:
    """Lines of code with their notes beside them, aligned within a run of lines; a note that a
    line has in common with the one before it is not repeated."""
    notes: list[tuple[str, str]] = []
    last = ("", "")
    for line in lines:
        note = (comment(line.rule), line.place) if line.rule else ("", "")
        said = "; ".join(comment(c.lstrip("# ")) for c in line.comments)
        if note[0] and note == last:
            notes.append(("", ""))
        else:
            notes.append(note if note[0] else (said, ""))
        if line.rule:
            last = note
    short = [len(c) for c, n in zip(codes, notes, strict=True) if n[0] and len(c) <= COLUMN]
    column = max(short, default=0) + 2
    widest = max((len(n[0]) for n in notes if n[1]), default=0)
    printed: list[str] = []
    for code, (text, place) in zip(codes, notes, strict=True):
        if not text:
            printed += code.splitlines()
            continue
        beside = f"{text:<{widest}}  {comment(place)}" if place else text
        if len(code) + 4 + len(beside) > WIDEST:
            indent = code[: len(code) - len(code.lstrip())]
            printed += [f"{indent}# {text}  {comment(place)}".rstrip(), *code.splitlines()]
        else:
            printed.append(
                f"{code:<{column}}# {beside}" if len(code) < column else f"{code}  # {beside}"
            )
    return printed
