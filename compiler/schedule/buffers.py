"""The plan of a routine's memory: steps, their places, and the names of these.

    work  ->  r, d_r = planned(work, "f_value_and_grad", X.dtype, r=(N,), d_r="r")

Each line keeps its name. A temporary goes by the name of the line that it belongs to where it lies
in the same place, else it is `scratch` (`mask` of bools, `places` of ints).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mgrad.compiler.ir.node import Node
from mgrad.compiler.schedule import slots
from mgrad.compiler.schedule.schedule import Buffer, Line, Step
from mgrad.compiler.schedule.steps import END, Draft, Stepper, Value, base, unmarked

TEMPORARY = {"real": "scratch", "int": "places", "bool": "mask"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Lines with their steps. `returned` has a name for each result, "" for what is returned as an
    expression; `names` are those of the nodes that have no line."""

    lines: list[Line]
    returned: tuple[str, ...]
    buffers: tuple[Buffer, ...]
    names: Mapping[Node, str]


def plan(
    lines: Sequence[Line],
    names: Mapping[Node, str],
    results: Sequence[tuple[Node, str, str]],
    saved: Iterable[Node],
    give: Callable[[str], str],
) -> Plan:
    """The plan for lines and the names of their nodes; for results, each with the name under which
    it is returned so far ("" for an expression) and one for a copy; for the nodes that are saved.
    `give` makes a name that is free.

    Results come out as buffers of their own: an argument, a view, what is saved or what is another
    result already is copied.
    """
    stepper = Stepper(names, {node for node, _, _ in results})
    drafts = [(line, stepper.line(line)) for line in lines]
    saved = list(saved)
    kept = [value for node in saved for value in stepper.behind(node)]
    returned: list[str] = []
    for node, name, title in results:
        if not node.array.shape:
            returned.append(name)
            continue
        value = stepper.owner(node, name)
        if value is None or value in kept:
            is_fresh = stepper.is_fresh(node, name) and node not in saved and name not in returned
            if is_fresh:
                returned.append(name)
                continue
            value, steps = stepper.copy(node, give(title))
            drafts.append((Line((value.name,), node, role="temporary"), steps))
        kept.append(value)
        returned.append(value.name)
    for value in kept:
        value.last = END
    slots.assign(stepper.events, stepper.values, stepper.spans)
    texts = _Texts(stepper.values, give)
    made = [_line(line, parts, texts) for line, parts in drafts]
    more = {n: texts.of(v) for n, v in stepper.top.whole.items() if n not in names}
    return Plan(made, tuple(returned), texts.buffers(), more)


def _line(line: Line, drafts: Sequence[Draft], texts: _Texts) -> Line:
    if line.loop is None:
        return replace(line, steps=_steps(drafts[0], texts))
    loop = line.loop
    count = len(loop.lines)
    inner = [
        replace(one, steps=_steps(draft, texts))
        for one, draft in zip(loop.lines, drafts[:count], strict=True)
    ]
    parts = [
        replace(part, steps=_steps(draft, texts))
        for part, draft in zip(loop.parts, drafts[count:], strict=True)
    ]
    whole = drafts[0].scope.whole
    more = {n: texts.of(v) for n, v in whole.items() if n not in loop.names}
    views = {texts.of(v): (texts.block(v), v.block.axis) for v in whole.values() if v.block}
    made = replace(loop, lines=tuple(inner), parts=tuple(parts), temporaries=more, views=views)
    bound = {text: texts.rows(text) for text in loop.names.values() if "[" in text}
    return replace(line, loop=replace(made, size=texts.size(), bound=bound))


def _steps(draft: Draft, texts: _Texts) -> tuple[Step, ...]:
    made = []
    for node, out in draft.steps:
        if isinstance(out, str):
            made.append(Step(node, out))
            continue
        first = base(node, draft.scope.names)
        value = None if first is None else draft.scope.whole.get(unmarked(first, draft.scope.names))
        is_begun = value is not None and value.slot == out.slot
        made.append(Step(node, texts.of(out), is_begun))
    return tuple(made)


class _Texts:
    """The names of values, and the buffers that are behind them."""

    def __init__(self, values: Sequence[Value], give: Callable[[str], str]) -> None:
        self._give = give
        self._values = values
        self._lines = {(v.line, v.slot): v.name for v in values if v.name}
        self._temporaries: dict[int, str] = {}
        self._blocks: dict[int, str] = {}
        self._rows: dict[str, str] = {}
        self._size = ""

    def of(self, value: Value) -> str:
        """The name of a value in the text."""
        name = value.name or self._lines.get((value.line, value.slot))
        if name is None:
            name = self._temporaries.get(value.slot)
        if name is None:
            name = self._temporaries[value.slot] = self._give(TEMPORARY[value.dtype])
        return name

    def block(self, value: Value) -> str:
        """The name of the buffer behind a value that is made in a loop."""
        name = self._blocks.get(value.slot)
        if name is None:
            name = self._blocks[value.slot] = self._give(f"{self.of(value)}_block")
        return name

    def rows(self, text: str) -> str:
        """A name for the rows of an array, `x[rows]`."""
        name = self._rows.get(text)
        if name is None:
            name = self._rows[text] = self._give(f"{text.partition('[')[0]}_rows")
        return name

    def size(self) -> str:
        """The name of how many rows a block has."""
        self._size = self._size or self._give("size")
        return self._size

    def buffers(self) -> tuple[Buffer, ...]:
        """The buffers in the order in which they are written."""
        owners: dict[int, str] = {}
        found: dict[str, Buffer] = {}
        for value in self._values:
            name = self.block(value) if value.block else self.of(value)
            within = owners.setdefault(value.slot, name)
            block = value.block or value.most
            buffer = Buffer(name, value.shape, value.dtype, block, value.start)
            found.setdefault(name, buffer if within == name else replace(buffer, within=within))
        return tuple(found.values())
