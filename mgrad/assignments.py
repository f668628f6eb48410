"""`name=value` on the command line: settings and points."""

import re
from collections.abc import Iterable
from fractions import Fraction

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


def assignments(pairs: Iterable[str], option: str) -> dict[str, int | float | Fraction | bool]:
    """`["a=1/3", "g.n=2"]` as exact numbers by name; an int if written without point or exponent.

    Raises UsageError, which names the option, if a pair is none.
    """
    found: dict[str, int | float | Fraction | bool] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise UsageError(f"{option} takes name=value, not '{pair}'")
        if name in found:
            raise UsageError(f"{option} gives '{name}' twice")
        found[name] = _number(value, f"{option} {name}")
    return found


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
