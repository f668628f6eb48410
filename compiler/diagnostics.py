"""What the user is told: one structure, one renderer. The catalogue is `errors`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from mgrad.compiler.source import Span

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Related:
    """Another place involved in a fault, and what it has to do with it."""

    span: Span | None
    text: str


class Diagnostic:
    """A fault, warning or note about a source. Each kind is a subclass in `errors`.

    A subclass's docstring is its page in the manual; its constructor takes what the message needs.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity] = "error"

    def __init__(
        self,
        span: Span | None,
        message: str,
        *,
        related: Iterable[Related] = (),
        hint: str | None = None,
    ) -> None:
        self.span = span
        self.message = message
        self.related = tuple(related)
        self.hint = hint

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"


class MgradError(Exception):
    """The source is at fault. Carries every diagnostic that was found."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n\n".join(render(d) for d in self.diagnostics))


class InternalError(Exception):
    """mgrad is at fault: an invariant of a phase does not hold."""

    def __init__(self, phase: str, message: str, dump: str = "") -> None:
        self.phase = phase
        super().__init__(f"internal error in {phase}: {message}" + (f"\n{dump}" if dump else ""))


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as text: code, place, the line with a caret, the other places, the hint."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    if diagnostic.span is not None:
        lines += excerpt(diagnostic.span)
    for related in diagnostic.related:
        lines.append(f"  = {related.text}")
        if related.span is not None:
            lines += excerpt(related.span)
    if diagnostic.hint:
        lines.append(f"  help: {diagnostic.hint}")
    return "\n".join(lines)


def excerpt(span: Span) -> list[str]:
    """The line of a span with carets under it. Long lines are cut around the place."""
    line, column = span.source.position(span.start)
    text = span.source.line(line)
    width = max(1, min(span.end - span.start, len(text) - column + 1))
    first = max(0, column - 60)
    shown = text[first : first + 120]
    width = max(1, min(width, len(shown) - (column - 1 - first)))
    shown = "".join(map(_visible, shown))
    before, after = ("…" if first else ""), ("…" if first + 120 < len(text) else "")
    gutter = len(str(line))
    pad = " " * (column - 1 - first + len(before))
    return [
        f"{' ' * gutter}--> {span.source.path}:{line}:{column}",
        f"{' ' * gutter} |",
        f"{line} | {before}{shown}{after}",
        f"{' ' * gutter} | {pad}{'^' * width}",
    ]


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
