"""Writes the generated pages and pictures: `python -m docs.generate`, or `make docs`.

docs/ops.md       from the table of the ops, with the errors of docs/accuracy.json;
                  `python -m tests.ops.accuracy > docs/accuracy.json` measures those again
docs/errors.md    from the docstrings of the diagnostics
docs/pictures/    every picture that a page draws of an example: the page shows the command
                  `mgrad graph examples/… -o NAME.svg`, the picture is NAME.svg
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import mgrad
from mgrad.assignments import point
from mgrad.compiler.errors.__main__ import page as errors
from mgrad.compiler.ops.page import page as ops

DOCS = Path(__file__).parent
COMMAND = re.compile(r"^\$ mgrad graph (examples/\S+) (\S+) (.*)-o (\S+\.svg)$", re.MULTILINE)


def pages() -> dict[Path, str]:
    """The generated pages: what is to stand in each file."""
    accuracy = json.loads((DOCS / "accuracy.json").read_text(encoding="utf-8"))
    return {DOCS / "ops.md": ops(accuracy), DOCS / "errors.md": errors()}


def pictures() -> dict[Path, str]:
    """The pictures, as SVG, in the order of the pages that draw them."""
    drawn: dict[Path, str] = {}
    for page in sorted(DOCS.glob("*.md")):
        for file, name, options, output in COMMAND.findall(page.read_text(encoding="utf-8")):
            words = shlex.split(options)
            at = point(words[words.index("--at") + 1], "--at")
            picture = mgrad.graph(DOCS.parent / file, name, at=at, backward="--backward" in words)
            drawn[DOCS / "pictures" / output] = picture.render("svg").decode()
    return drawn


def main() -> None:
    (DOCS / "pictures").mkdir(exist_ok=True)
    for path, text in {**pages(), **pictures()}.items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote {path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
