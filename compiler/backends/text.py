"""Text of the source inside text of Python: nothing of it may become code."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from mgrad.compiler.backends.layout import INDENT
from mgrad.compiler.schedule.schedule import Line

WIDEST = 100  # of text
COLUMN = 48  # where notes stand beside lines that are no longer than this


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


def paragraphs(text: str) -> str:
    """A text whose lines are short enough stays as it is; else its paragraphs are filled anew."""
    lines = text.splitlines()
    if all(len(line) <= WIDEST for line in lines):
        return text
    filled: list[str] = []
    for block in text.split("\n\n"):
        filled += ["", *textwrap.wrap(" ".join(block.split()), WIDEST, break_long_words=False)]
    return "\n".join(filled[1:])


Note = tuple[str, str]  # what is said, and where that stands


def aligned(codes: Sequence[str], lines: Sequence[Line]) -> list[str]:
    """Lines of code with their notes beside them, aligned within a run of lines that have some; a
    note that a line has in common with the one before it is not repeated."""
    notes: list[Note] = []
    last: Note = ("", "")
    for line in lines:
        note = (comment(line.rule), line.place) if line.rule else ("", "")
        said = "; ".join(comment(c.lstrip("# ")) for c in line.comments)
        if note[0] and note[0] == last[0]:
            notes.append(("", ""))
        else:
            notes.append(note if note[0] else (said, ""))
        if line.rule or said:
            last = note
    printed: list[str] = []
    for start, end in _runs(codes, notes):
        printed += _run(codes[start:end], notes[start:end])
    return printed


def _runs(codes: Sequence[str], notes: Sequence[Note]) -> list[tuple[int, int]]:
    """Neighbours whose notes stand in one column: a run ends where a note stands above its line,
    or after two lines without."""
    runs: list[tuple[int, int]] = []
    start = silent = 0
    for place, (code, note) in enumerate(zip(codes, notes, strict=True)):
        silent = 0 if note[0] else silent + 1
        if place > start and (silent == 3 or _is_above(code, note)):
            runs.append((start, place))
            start = place
    return [*runs, (start, len(codes))]


def _is_above(code: str, note: Note) -> bool:
    """Whether the note has no room beside the code."""
    beside = len(note[0]) + 2 + len(note[1])
    return bool(note[0]) and ("\n" in code or len(code) + 4 + beside > WIDEST)


def _run(codes: Sequence[str], notes: Sequence[Note]) -> list[str]:
    pairs = list(zip(codes, notes, strict=True))
    short = [len(c) for c, n in pairs if n[0] and len(c) <= COLUMN and not _is_above(c, n)]
    column = max(short, default=0) + 2
    widest = max((len(n[0]) for c, n in pairs if n[1] and not _is_above(c, n)), default=0)
    printed: list[str] = []
    for code, (text, place) in pairs:
        if not text:
            printed += code.splitlines()
        elif _is_above(code, (text, place)):
            indent = code[: len(code) - len(code.lstrip())]
            printed += [f"{indent}# {text}  {comment(place)}".rstrip(), *code.splitlines()]
        else:
            beside = f"{text:<{widest}}  {comment(place)}" if place else text
            if max(len(code) + 2, column) + 2 + len(beside) > WIDEST:
                beside = f"{text}  {comment(place)}".rstrip()
            gap = column if len(code) < column and column + 2 + len(beside) <= WIDEST else 0
            printed.append(f"{code:<{gap}}# {beside}" if gap else f"{code}  # {beside}")
    return printed
