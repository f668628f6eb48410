"""Prints docs/errors.md: every diagnostic with the page that is its docstring."""

from inspect import getdoc

from mgrad.compiler.errors import CATALOGUE, MODULES

HEAD = """\
# Messages

Every message of mgrad has a code. Errors (`E`) stop the compilation,
warnings (`W`) and notes (`N`) do not. This page is generated from the sources:
`python -m mgrad.compiler.errors`."""


def page() -> str:
    """The manual page of the whole catalogue, in Markdown."""
    parts = [HEAD]
    for module in MODULES:
        parts.append("## " + (getdoc(module) or "").split(":")[0].split(",")[0].rstrip("."))
        for code, kind in CATALOGUE.items():
            if kind.__module__ == module.__name__:
                parts.append(f"### {code} {kind.__name__}\n\n{_fenced(getdoc(kind) or '')}")
    return "\n\n".join(parts) + "\n"


def _fenced(text: str) -> str:
    """A docstring with its indented examples as code blocks."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("    ") and not inside:
            lines.append("```text")
            inside = True
        elif inside and line and not line.startswith("    "):
            while not lines[-1]:
                lines.pop()
            lines += ["```", ""]
            inside = False
        lines.append(line.removeprefix("    ") if inside else line)
    return "\n".join([*lines, "```"] if inside else lines)


if __name__ == "__main__":
    print(page(), end="")
