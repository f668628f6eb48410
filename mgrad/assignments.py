"""`name=value` on the command line: settings and points."""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from mgrad.faults import UsageError

WORDS: dict[str, bool | float] = {
    "true": True,
    "false": False,
    "inf": float("inf"),
    "-inf": -float("inf"),
}
INTEGER = re.compile(r"[+-]?\d{1,1000}")
# exact, so the exponent is bounded: 1e999999999 would be a number of a billion digits
REAL = re.compile(
    r"[+-]?(\d{1,500}/\d{1,500}|(\d{1,300}\.?\d{0,300}|\.\d{1,300})([eE][+-]?\d{1,3})?)"
)


DEEPEST = 16  # axes


def assignments(pairs: Iterable[str], option: str) -> dict[str, int | float | Fraction | bool]:
    """`["a=1/3", "g.n=2"]` as exact numbers by name; an int if written without point or exponent.

    Raises UsageError, which names the option, if a pair is none.
    """
    return {n: _number(v, f"{option} {n}") for n, v in _pairs(pairs, option)}


def point(text: str, option: str) -> dict[str, Any]:
    """`"x=[1, 2],y=3"` as exact numbers, and nested lists of them, by name.

    Raises UsageError, which names the option, if it is none.
    """
    pairs = [part for part in map(str.strip, _split(text)) if part]
    return {n: _value(v, f"{option} {n}", 0) for n, v in _pairs(pairs, option)}


def sizes(pairs: Iterable[str], option: str) -> dict[str, int]:
    """`["N=1000", "D=16"]` as sizes by name. Raises UsageError if one is none."""
    found = assignments(pairs, option)
    for name, size in found.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise UsageError(f"{option} {name}: a size is a whole number, not {size}")
    return {name: int(size) for name, size in found.items()}


def _pairs(pairs: Iterable[str], option: str) -> Iterator[tuple[str, str]]:
    """Names and values, each name once."""
    seen: set[str] = set()
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise UsageError(f"{option} takes name=value, not '{pair}'")
        if name in seen:
            raise UsageError(f"{option} gives '{name}' twice")
        seen.add(name)
        yield name, value


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _value(text: str, where: str, depth: int) -> Any:
    """A number, or an array of them in brackets."""
    if not text.startswith("["):
        return _number(text, where)
    if not text.endswith("]") or depth == DEEPEST:
        raise UsageError(f"{where}: '{text}' is not an array of numbers")
    inside = text[1:-1].strip()
    return [_value(part.strip(), where, depth + 1) for part in _split(inside)] if inside else []


def _number(text: str, where: str) -> int | float | Fraction | bool:
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if not REAL.fullmatch(text):
        raise UsageError(f"{where}: '{text}' is not a number")
    try:
        return Fraction(text)
    except ZeroDivisionError:
        raise UsageError(f"{where}: {text} divides by zero") from None
