"""The golden format for bad programs: many cases a file, source and messages together.

[name of the case]
the source
[out]
what the user sees
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
CASE = re.compile(r"^\[(?!out\])([^\[\]\n]+)\]\n(.*?)^\[out\]$\n?", re.DOTALL | re.MULTILINE)
# Characters that a text file had better not hold stand in the sources under a name.
SPELLED = {"<NUL>": "\0", "<NBSP>": "\N{NO-BREAK SPACE}"}


@dataclass(frozen=True)
class Case:
    """One bad program, and the messages as they stand in the file ("" where they are missing)."""

    name: str
    source: str
    messages: str


def read(path: Path) -> list[Case]:
    """The cases of a file, in order. Raises ValueError where text stands in no case."""
    text = path.read_text(encoding="utf-8")
    heads = list(CASE.finditer(text))
    if text[: heads[0].start() if heads else None].strip() or not heads:
        raise ValueError(f"{path.name} does not begin with a case")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Case(head[1], head[2], text[head.end() : end].strip("\n"))
        for head, end in zip(heads, ends, strict=True)
    ]


def write(path: Path, cases: list[Case]) -> None:
    """Write the file that `read` reads as these cases."""
    parts = [f"[{c.name}]\n{c.source.rstrip()}\n[out]\n{c.messages}\n" for c in cases]
    path.write_text("\n".join(parts), encoding="utf-8")


def text(case: Case) -> str:
    """The source of a case with its spelled characters put in."""
    source = case.source.rstrip("\n") + "\n"
    for spelling, character in SPELLED.items():
        source = source.replace(spelling, character)
    return source


ALL = {path: read(path) for path in sorted(FOLDER.glob("*.txt"))}
