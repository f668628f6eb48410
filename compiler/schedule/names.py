"""Names in the text: the source's own first; made-up names give way to them."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from functools import cache

from mgrad.compiler.ops.op import TABLE

# Assigning these breaks a module or is refused by Python.
UNUSABLE = frozenset({"__builtins__", "__debug__"})


def printable(name: str) -> str:
    """The source's name as a Python name: `lambda` becomes `lambda_`."""
    return f"{name}_" if keyword.iskeyword(name) or name in UNUSABLE else name


@cache
def imported() -> frozenset[str]:
    """What a module may import or find built in: no made-up name is one of these."""
    found = {"np", "math", "inf", "nan", "type", "float", "int", "bool", "_", "ieee", "require"}
    found |= {"ArithmeticError", "ValueError", "arguments"}
    for entry in TABLE.values():
        for code in (entry.python, entry.numpy):
            if code is not None:
                parts = code.text.split("{")[1:]
                found |= {p.split("}")[0].rpartition(".")[2] for p in parts if "." in p}
    return frozenset(found)


class Names:
    """The names of one scope. Each is given once; a name that is taken gets a number."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)
        self._set_aside: set[str] = set()
        self._next: dict[str, int] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._taken

    def reserve(self, names: Iterable[str]) -> None:
        self._taken.update(names)

    def set_aside(self, names: Iterable[str]) -> None:
        """Names that `gradient_name` leaves to others."""
        self._set_aside.update(names)

    def is_set_aside(self, name: str) -> bool:
        return name in self._set_aside

    def give(self, name: str) -> str:
        """The name, or `name_2`, `name_3`, … where it is taken."""
        found = name
        while found in self._taken:
            number = self._next.get(name, 2)
            self._next[name] = number + 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found


def gradient_name(of: str, scope: Names) -> str:
    """A name for the gradient of a value: `d_c`, or `grad_c` where the source has a `d_c`, or the
    function itself is a derivative that has one. A number never makes it that of another value:
    beside `c_2` there is no second `d_c_2`."""
    name = f"d_{of}"
    if scope.is_set_aside(name):
        name = f"grad_{of}"
    found = scope.give(name)
    while found != name and f"{of}{found[len(name) :]}" in scope:
        found = scope.give(name)
    return found
