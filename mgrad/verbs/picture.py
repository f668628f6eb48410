"""From the DOT language to a picture, by the `dot` that comes with mgrad: the same everywhere."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from mgrad.faults import UsageError

FORMATS = ("svg", "png", "dot")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing; `dot` is its text in the DOT language. A notebook shows it as SVG."""

    dot: str

    def render(self, format: str) -> bytes:
        """The picture as "svg", "png" or "dot"."""
        if format not in FORMATS:
            known = ", ".join(f".{f}" for f in FORMATS)
            raise UsageError(f"cannot draw a picture as '.{format}'; the name ends in {known}")
        if format == "dot":
            return self.dot.encode()
        resolution = ["-Gdpi=144"] if format == "png" else []
        done = subprocess.run(
            [program(), f"-T{format}", *resolution],
            input=self.dot.encode(),
            capture_output=True,
            check=True,
        )
        return done.stdout

    def _repr_svg_(self) -> str:
        return self.render("svg").decode()


def program() -> str:
    """The command of graphviz-pure, where its distribution put it: no system `dot` is asked for."""
    from importlib.metadata import files

    for file in files("graphviz-pure") or ():
        if file.stem == "graphviz-pure" and file.parent.name in ("bin", "Scripts"):
            return str(file.locate())
    raise UsageError("the package graphviz-pure, which draws pictures, is not installed whole")
