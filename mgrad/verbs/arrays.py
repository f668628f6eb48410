"""Numbers and arrays as people read them: `[1, 2, 3]`, a matrix a row a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WIDTH = 96  # characters of a line
FULL = 1_000  # elements of an array that is shown whole
ENDS = 3  # elements at each end of an axis of a longer one
MORE = "…"


def plain(value: Any) -> Any:
    """A number of NumPy as one of Python, an array as nested lists."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.tolist() if hasattr(value, "tolist") else value


def exact(value: Any) -> str:
    """A number by its shortest digits; a float that is whole without a point."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return repr(value)


def spelled(
    value: Any, digits: Callable[[Any], str] = exact, indent: int = 0, full: int = FULL
) -> str:
    """A number, or an array as it is written in the language.

    A matrix has a row a line, its columns aligned; lines after the first are indented by `indent`,
    where the text begins. An array of more than `full` elements is shown by its ends.
    """
    value = plain(value)
    if not isinstance(value, list):
        return digits(value)
    if count(value) > full:
        value = _ends(value)
    if not value or not isinstance(value[0], list):
        return _filled([_digits(v, digits) for v in value], indent)
    width = max((len(_digits(v, digits)) for v in _leaves(value)), default=0)
    return _rows(value, digits, width, indent)


def in_line(value: Any, digits: Callable[[Any], str] = exact, full: int = 12) -> str:
    """An array in one line."""
    value = plain(value)
    if not isinstance(value, list):
        return digits(value)
    if count(value) > full:
        value = _ends(value, 2)
    return _joined(value, digits)


def count(value: Any) -> int:
    """The elements of nested lists."""
    size = 1
    while isinstance(value, list):
        size *= len(value)
        value = value[0] if value else None
    return size


def _digits(value: Any, digits: Callable[[Any], str]) -> str:
    return MORE if value is MORE else digits(value)


def _ends(value: list[Any], ends: int = ENDS) -> list[Any]:
    """Every axis by its ends."""
    parts = value
    if len(value) > 2 * ends:
        parts = [*value[:ends], MORE, *value[-ends:]]
    return [_ends(part, ends) if isinstance(part, list) else part for part in parts]


def _leaves(value: list[Any]) -> list[Any]:
    found: list[Any] = []
    for part in value:
        found += _leaves(part) if isinstance(part, list) else [part]
    return found


def _joined(value: Any, digits: Callable[[Any], str]) -> str:
    if not isinstance(value, list):
        return _digits(value, digits)
    return f"[{', '.join(_joined(part, digits) for part in value)}]"


def _rows(value: list[Any], digits: Callable[[Any], str], width: int, indent: int) -> str:
    parts = []
    for part in value:
        if not isinstance(part, list):
            parts.append(MORE)
        elif part and isinstance(part[0], list):
            parts.append(_rows(part, digits, width, indent + 1))
        else:
            cells = [_digits(v, digits).rjust(width) for v in part]
            parts.append(_filled(cells, indent + 1))
    between = ",\n" + " " * (indent + 1)
    return f"[{between.join(parts)}]"


def _filled(cells: list[str], indent: int) -> str:
    """Cells in brackets, in as many lines as they need."""
    lines = [""]
    for position, cell in enumerate(cells):
        text = cell if position == len(cells) - 1 else f"{cell},"
        if lines[-1] and indent + 2 + len(lines[-1]) + len(text) > WIDTH:
            lines.append("")
        lines[-1] += f" {text}" if lines[-1] else text
    between = "\n" + " " * (indent + 1)
    return f"[{between.join(lines)}]"
