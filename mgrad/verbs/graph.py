"""`graph`: the expression graph of a function as it was written, drawn from left to right.

A box is a value: its name, its shape, its data, its gradient. An oval is an operation, before its
value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fractions import Fraction
from html import escape
from math import ceil
from typing import TYPE_CHECKING, Any

from mgrad import files
from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.faults import UsageError
from mgrad.verbs.arrays import spelled
from mgrad.verbs.compile import Number, entry, understand
from mgrad.verbs.picture import Picture

if TYPE_CHECKING:
    from mgrad.compiler.sema.program import Function, Program, Value
    from mgrad.verbs.numbers import Numbers

OPERATORS = {
    "add": "+",
    "sub": "−",
    "mul": "*",
    "div": "/",
    "neg": "−",
    "pow": "^",
    "floordiv": "//",
    "mod": "%",
    "lt": "<",
    "le": "≤",
    "gt": ">",
    "ge": "≥",
    "eq": "=",
    "ne": "≠",
}
COMMUTATIVE = ("add", "mul", "max", "min", "eq", "ne", "and", "or")  # arrows in any order
WIDENINGS = ("to_real", "to_int")
COPIES = ("broadcast", "reshape")  # it is what it was, in another shape
NUMBERS = ("constant", "size")  # known before the run, and the same in any shape
LETTERS = "ijklmnopqrstuvwxyz"
WIDEST = 64  # characters of index notation in an oval
SHOWN = 12  # elements of an array that is shown whole
LARGEST = 500  # values in a picture; more cannot be read
# Points of a bold letter. dot measures it as a thinner one, and sets it off its centre: so a name
# gets a cell of this width, and begins at its left.
NARROW, WIDE, BOLD = 3.4, 9.4, 6.7
INK, GRADIENT, LINE = "#1f2933", "#b42318", "#7b8794"
FILLS = {"argument": "#e8f1fb", "constant": "#f5f5f4", "size": "#f5f5f4", "result": "#e9f5ec"}

HEAD = f"""digraph {{
  rankdir=LR; bgcolor="white"; nodesep=0.22; ranksep=0.34; pad=0.2
  node [fontname="Helvetica", fontsize=11, fontcolor="{INK}", color="{LINE}", penwidth=0.9, \
shape=oval, margin="0.07,0.03", width=0.42, height=0.34, style=filled, fillcolor="white"]
  edge [fontname="Helvetica", fontsize=9, fontcolor="{GRADIENT}", color="{LINE}", penwidth=0.9, \
arrowsize=0.6]
"""


def graph(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    backward: bool = False,
    settings: Mapping[str, Number] | None = None,
) -> Picture:
    """The picture of a function of the file; without `name` of its last.

    At a point, each box shows its data and the gradient of the result by it (of several results,
    and of the elements of an array, of their sum). With `backward`, each edge between numbers shows
    its local derivative: the gradient of a box is the sum, over the edges that leave it, of that
    times the gradient that the edge leads to. An edge of an array shows what it adds to that sum.
    """
    program = understand(files.read(path), settings)
    return draw(program, entry(program, name), at, backward)


def draw(
    program: Program,
    function: Function,
    at: Mapping[str, Any] | None = None,
    backward: bool = False,
) -> Picture:
    """The picture of a typed function. Raises UsageError if it would be too large."""
    if backward and at is None:
        raise UsageError("--backward shows numbers: give the point, as in --at x=2")
    if len(function.values) > LARGEST:
        raise UsageError(
            f"{function.name} has {len(function.values):,} values;"
            f" a picture holds at most {LARGEST:,}"
        )
    found = None
    if at is not None:
        from mgrad.verbs.numbers import numbers

        found = numbers(program, function, at)
    lines = _Drawing(program, function, found, backward).lines()
    return Picture(HEAD + "".join(f"  {line}\n" for line in lines) + "}\n")


class _Drawing:
    """What is drawn: boxes, each for a value and for what only renames or widens it."""

    def __init__(
        self, program: Program, function: Function, found: Numbers | None, backward: bool
    ) -> None:
        self._program = program
        self._function = function
        self._numbers = found
        self._backward = backward
        self._boxes: dict[Value, int] = {}  # value -> number of its box
        self._members: list[list[Value]] = []  # of each box; the first one made the value
        for value in _reached(function):
            self._enter(value)
        self._results = {self._boxes[result] for result in function.results}
        self._made: dict[tuple[int, int], Value] = {}  # by the place of an expression: its value
        for members in self._members:
            place = members[0].span.start, members[0].span.end
            if members[0].form not in COPIES or place not in self._made:
                self._made[place] = members[0]

    def _enter(self, value: Value) -> None:
        """Give the value a box: that of its operand, if it only names or widens what is there."""
        joins = value.form in WIDENINGS or (
            value.form in COPIES and self._members[self._boxes[value.args[0]]][0].form in NUMBERS
        )
        if value.form == "bind":
            joins = self._name(self._boxes[value.args[0]]) is None
        if joins:
            self._boxes[value] = self._boxes[value.args[0]]
            self._members[self._boxes[value]].append(value)
        else:
            self._boxes[value] = len(self._members)
            self._members.append([value])

    def _name(self, box: int) -> str | None:
        """The source's name of a box."""
        return next((v.name for v in self._members[box] if v.name is not None), None)

    def lines(self) -> Iterator[str]:
        """The statements of the picture, in the order of the source."""
        for box, members in enumerate(self._members):
            value = members[0]
            if not isinstance(value.type, Bundle):
                yield f'v{box} [shape=plain, style="", label=<{self._label(box)}>]'
            if value.form == "bind":
                yield f"v{self._boxes[value.args[0]]} -> v{box}"
            elif value.form == "item":
                yield f"o{self._boxes[value.args[0]]} -> v{box}"
            elif value.form not in ("argument", *NUMBERS):
                symbol = _quote(_symbol(value, self._program))
                order = "" if value.form in COMMUTATIVE else " ordering=in"
                yield f'o{box} [label="{symbol}"{order}]'
                for position, operand in enumerate(value.args):
                    yield f"v{self._boxes[operand]} -> o{box}{self._local(value, position)}"
                if not isinstance(value.type, Bundle):
                    yield f"o{box} -> v{box}"

    def _label(self, box: int) -> str:
        """The box as a table of one row."""
        value = self._members[box][0]
        kind = "result" if box in self._results else value.form
        cells = self._title(box)
        is_bare = value.form == "constant" and not cells
        if isinstance(value.type, Type) and value.type.shape:
            cells.append(f'<font color="{LINE}">{escape(str(value.type))}</font>')
        if self._numbers is not None:
            if not is_bare:
                cells.append(f"data {_data(self._numbers.data[value])}")
            gradients = self._numbers.gradients
            known = [gradients[v] for v in self._members[box] if v in gradients]
            if known:
                cells.append(f'<font color="{GRADIENT}">grad {_data(known[-1])}</font>')
        if is_bare:
            cells.append(_constant(value))
        least = 10 + _width(self._heading(box) or "")
        first = f'<td width="{least}" align="left">'
        row = "".join(f"{first}{cell}</td>" for cell in cells[:1] or [" "])
        row += "".join(f"<td>{cell}</td>" for cell in cells[1:])
        look = f'style="rounded" color="{LINE}" bgcolor="{FILLS.get(kind, "white")}"'
        frame = 'border="1" cellborder="0" cellspacing="0" cellpadding="5" columns="*"'
        return f"<table {frame} {look}><tr>{row}</tr></table>"

    def _heading(self, box: int) -> str | None:
        """The name of a box; the function's own for its unnamed result."""
        if self._name(box) is None and self._results == {box}:
            return self._function.name
        return self._name(box)

    def _title(self, box: int) -> list[str]:
        """The name, else what was written, if it is short."""
        name = self._heading(box)
        if name is not None:
            return [f'<font face="Helvetica-Bold">{escape(name)}</font>']
        if self._members[box][0].form == "constant":
            return []
        written = self._written(box)
        if not 0 < len(written) <= 16:
            return [] if self._numbers is not None else ["…"]
        return [escape(written)]

    def _written(self, box: int) -> str:
        """What the source has for a box; nothing for a step on the way to what it has."""
        value = self._members[box][0]
        if value.form == "size":
            return str(value.attribute("dim"))
        if self._made[value.span.start, value.span.end] is value:
            return " ".join(value.span.text.split())
        if value.form in COPIES:
            operand = self._boxes[value.args[0]]
            return self._name(operand) or self._written(operand)
        return ""

    def _local(self, value: Value, position: int) -> str:
        """The local derivative along an edge."""
        if not self._backward or self._numbers is None:
            return ""
        partial = self._numbers.partials.get((value, position))
        if partial is not None:
            return f' [label="{decimals(partial)}"]'
        path = self._numbers.paths.get((value, position))
        if path is None:
            return ""
        rows = "\\n".join(_lines(path))
        return f' [label="adds {rows}"]'


def _width(name: str) -> int:
    """The width of a name in bold."""
    widths = (NARROW if c in "fijltrI'" else WIDE if c in "mwMW" else BOLD for c in name)
    return ceil(sum(widths))


def _reached(function: Function) -> list[Value]:
    """The arguments, and the values that the results need; in the order of the source."""
    needed = set(function.results)
    for value in reversed(function.values):
        if value in needed:
            needed.update(value.args)
    return [v for v in function.values if v in needed or v.form == "argument"]


def _symbol(value: Value, program: Program) -> str:
    """What stands in an operation's oval: the operator, or the name of the function."""
    if value.form in ("call", "derivative"):
        callee = str(value.attribute("callee"))
        name = (program.functions.get(callee) or program.externs[callee]).name
        order = value.attribute("order") if value.form == "derivative" else 0
        assert isinstance(order, int)
        return name + "'" * order
    if value.form in ("each", "take", "put"):
        written = _notation(value)
        return written if len(written) <= WIDEST else f"{written[: WIDEST - 1]}…"
    if value.form == "contract":
        return _subscripts(value)
    if value.form.endswith("_over"):
        return _reduction(value)
    op = TABLE.get(value.form)
    if op is None or op.is_builtin:
        return value.form
    return OPERATORS.get(value.form, value.form)


def _subscripts(value: Value) -> str:
    """A contraction in the subscripts of `einsum`: `ij,j→i` sums over j."""
    parts: Any = value.attribute("operands")
    result: Any = value.attribute("result")
    labels = [label for part in (*parts, result) for label in part]
    letter = dict(zip(dict.fromkeys(labels), LETTERS, strict=False))
    operands = ",".join("".join(letter[label] for label in part) for part in parts)
    return f"{operands}→{''.join(letter[label] for label in result)}"


def _notation(value: Value) -> str:
    """Index notation and indices as they are written."""
    written = " ".join(value.span.text.split())
    if value.form == "each" and (name := value.attribute("reduction")) is not None:
        return written if written.startswith(f"{name}(") else f"{name}({written})"
    return written


def _reduction(value: Value) -> str:
    """`sum`, and over which axes if not over all."""
    name, axes = value.form.removesuffix("_over"), value.attribute("axes")
    operand = value.args[0].type
    assert isinstance(operand, Type) and isinstance(axes, tuple)
    if len(axes) == len(operand.shape):
        return name
    return f"{name} axis {', '.join(map(str, axes))}"


def _data(value: Any) -> str:
    """A number, or an array with a row a line."""
    lines = _lines(value)
    end = '<br align="left"/>' if len(lines) > 1 else ""
    return "".join(line + end for line in lines)


def _lines(value: Any) -> list[str]:
    lines = spelled(value, decimals, full=SHOWN).split("\n")
    return [" ".join(line.replace("[ ", "[").split()) for line in lines]


def _constant(value: Value) -> str:
    """An exact constant, short: as a decimal if that is all of it."""
    number = value.attribute("value")
    if isinstance(number, Fraction) and number.denominator > 1:
        decimal = repr(float(number))
        return decimal if Fraction(decimal) == number else f"{number}"
    return str(number).lower()


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def decimals(value: float | int | bool) -> str:
    """A number in a picture: four decimals, as the lecture has it, unless they would hide it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < 10**9 else f"{value:.4e}"
    if value == 0 or 1e-3 <= abs(value) < 1e6 or value - value != 0:
        return f"{value:.4f}"
    return f"{value:.4e}"
