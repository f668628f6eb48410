"""The golden format for bad programs: many cases a file, source and messages together.

    === name
    the source
    --- messages
    what the user sees
"""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
HEAD, MESSAGES = "=== ", "--- messages\n"
# Characters that a text file had better not hold stand in the sources under a name.
SPELLED = {"<NUL>": "\0", "<TAB>": "\t", "<NBSP>": "\N{NO-BREAK SPACE}"}


@dataclass(frozen=True)
class Case:
    """One bad program; `messages` is None where the golden text is missing."""

    file: str
    name: str
    source: str
    messages: str | None


def read(path: Path) -> list[Case]:
    """The cases of a file, in order."""
    cases = []
    for part in ("\n" + path.read_text(encoding="utf-8")).split("\n" + HEAD)[1:]:
        name, _, rest = part.partition("\n")
        source, found, messages = rest.partition(MESSAGES)
        cases.append(Case(path.name, name, source, messages.strip("\n") if found else None))
    return cases


def write(path: Path, cases: list[Case]) -> None:
    """The file of the cases as `read` reads it."""
    parts = [
        f"{HEAD}{case.name}\n{case.source.rstrip()}\n{MESSAGES}{case.messages}\n" for case in cases
    ]
    path.write_text("\n".join(parts), encoding="utf-8")


def text(case: Case) -> str:
    """The source of a case with its spelled characters put in."""
    source = case.source.rstrip("\n") + "\n"
    for spelling, character in SPELLED.items():
        source = source.replace(spelling, character)
    return source


ALL = {path: read(path) for path in sorted(FOLDER.glob("*.txt"))}
