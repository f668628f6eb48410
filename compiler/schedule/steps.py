"""The lines of a routine as steps, one operation on arrays each, and what each one reads.

    d_z = y - np.exp(z)*w   ->   np.exp(z, out=…)
                                 np.multiply(…, w, out=…)
                                 np.subtract(y, …, out=…)

The result of a step is a *value*: memory of one shape and dtype, for which `schedule.slots` finds a
place. A view (`x[1:]`, `x.T`, `x[:, None]`) is no step: it stands inside the statement that reads
it. Nor is what NumPy cannot write into a given place: it is assigned, as at lower levels.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Dtype, Shape, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.schedule.schedule import Block, Line, Loop
from mgrad.compiler.schedule.sizes import Thin, ones

WIDENING = frozenset({"add", "sub", "mul", "div"})
ASSIGNED = frozenset({"polygamma"})  # of the table's: has no `out`
WRITTEN = frozenset(
    {"sum", "prod_over", "max_over", "min_over", "any_over", "all_over", "argmax_over"}
    | {"argmin_over", "put", "concat", "pad", "cumsum", "softmax", "logsumexp"}
    | {"overlap_add"}
)
SCATTERED = frozenset({"broadcast", "transpose", "flip", "windows", "take"})  # views with gaps
END = 1 << 60  # later than every step


@dataclass(eq=False, slots=True)
class Value:
    """What one step writes. `line` is the rank of the line that it belongs to."""

    shape: Shape
    dtype: Dtype
    line: int
    name: str = ""  # of a temporary: nothing
    block: Block | None = None  # of what is made in a loop
    start: Dim | None = None  # of consecutive ints, which nothing writes over
    most: Block | None = None  # of what no loop makes, but has no more rows than a block
    first: int = END  # the event that writes it
    last: int = 0  # the last event that reads it
    slot: int = -1

    @property
    def kind(self) -> Any:
        """Values of one kind may lie in one place."""
        return self.shape, self.dtype, self.block, self.most


@dataclass(frozen=True, slots=True)
class Event:
    """A statement; `free` are those of its reads that it may overwrite."""

    reads: Sequence[Value]
    written: Value | None = None
    free: Sequence[Value] = ()


@dataclass(slots=True)
class Scope:
    """What stands for what in a routine, or in the body of a loop."""

    names: Mapping[Node, str]
    loop: Loop | None = None
    whole: dict[Node, Value] = field(default_factory=dict)  # nodes that are a value
    views: dict[Node, Sequence[Value]] = field(default_factory=dict)  # that stand on values


@dataclass(slots=True)
class Draft:
    """Steps whose places have no names yet; a text is a place that has one."""

    scope: Scope
    steps: list[tuple[Node, Value | str]] = field(default_factory=list)


class Stepper:
    """Takes the lines of a routine in their order. `names` are those of its nodes; of its results
    a view is copied."""

    def __init__(self, names: Mapping[Node, str], results: Container[Node]) -> None:
        self._results = results
        self.top = Scope(names)
        self.events: list[Event] = []
        self.values: list[Value] = []
        self.spans: list[tuple[int, int]] = []  # the first and last event in each loop
        self.rank = 0  # of the line
        self._thin = Thin()
        self._draft = Draft(self.top)
        self._named: dict[str, Sequence[Value]] = {}  # the memory that a name stands on
        self._fresh: set[str] = set()  # names that new memory is assigned to

    def line(self, line: Line) -> list[Draft]:
        """The steps of a line; of a loop, those of each of its lines and then of each part."""
        if line.loop is not None:
            return self._loop(line.loop)
        node, name = line.node, line.names[0]
        is_copied = len(line.names) == 1 and self.top.names[node] != name  # a second name
        if node in self._results and node.op != "call":
            is_copied |= is_view(node) and bool(node.array.shape)
        if is_copied:
            return self.copy(node, name)[1]
        draft = self._draft = Draft(self.top)
        self._assign(node, self.top, *line.names)
        self.rank += 1
        return [draft]

    def copy(self, node: Node, name: str) -> tuple[Value, list[Draft]]:
        """A buffer of its own for a node that has a name, or is a view; and its steps."""
        draft = self._draft = Draft(self.top)
        if self._form(node, self.top) == "range":
            self._need(node, self.top)
        value = Value(node.array.shape, node.array.dtype, self.rank, name)
        if (
            node.op == "constant"
            or node in self.top.whole
            or self.top.names.get(node, name) != name
        ):
            self._write(value, Event(self.behind(node), value))
        else:
            self._operands(node, self.top)
            self._write(value, Event(self._reads(node, self.top), value))
            self.top.whole[node] = value
        draft.steps.append((node, value))
        self.rank += 1
        return value, [draft]

    def owner(self, node: Node, name: str) -> Value | None:
        """The value whose memory belongs to a name alone, as a whole, and may be given away: a
        range is there for the next call."""
        found = self._named.get(name, ())
        value = found[0] if len(found) == 1 else None
        if value is None or value.name != name or value.shape != node.array.shape:
            return None
        return value if value.start is None else None

    def is_fresh(self, node: Node, name: str) -> bool:
        """Whether a line assigns new memory to a name, for every element of the node."""
        return name in self._fresh and self._shape(node, self.top)[0] == node.array.shape

    def behind(self, node: Node, scope: Scope | None = None) -> Sequence[Value]:
        """The memory that the text of a node reads."""
        scope = scope or self.top
        value = scope.whole.get(node)
        if value is not None:
            return [value]
        of_call = node.inputs[0] if node.op == "item" else node
        found = scope.views.get(node, scope.views.get(of_call))
        if found is None and node in scope.names:
            found = self._named.get(scope.names[node].partition("[")[0], ())
        return self._reads(node, scope) if found is None else found

    # ---- steps -----------------------------------------------------------------------------

    def _loop(self, loop: Loop) -> list[Draft]:
        scope = Scope(loop.names, loop)
        made: dict[Node, Value] = {}
        for part in loop.parts:
            if part.node.array.shape:
                shape, dtype = part.node.array.shape, part.node.array.dtype
                made[part.node] = value = Value(shape, dtype, self.rank, part.name)
                self._write(value, Event((), value))
        begin = len(self.events)
        drafts: list[Draft] = []
        for line in loop.lines:
            drafts.append(Draft(scope))
            self._draft = drafts[-1]
            self._assign(line.node, scope, line.names[0])
            self.rank += 1
        for part in loop.parts:
            drafts.append(Draft(scope))
            self._draft = drafts[-1]
            is_known = part.node in loop.names
            if is_known or self._form(part.node, scope) == "inline":
                self._operands(part.node, scope)
                self.events.append(Event(self.behind(part.node, scope)))
            else:
                out = f"{part.name}{part.subscript}"
                self._emit(part.node, scope, self._value(part.node, scope) if part.summed else out)
            if part.node in made:
                self.events.append(Event([made[part.node]]))
                self.top.whole[part.node] = made[part.node]
            self.rank += 1
        self.spans.append((begin, len(self.events) - 1))
        return drafts

    def _assign(self, node: Node, scope: Scope, *names: str) -> None:
        """A line: a step into a buffer of this name, or an assignment."""
        if self._form(node, scope) != "inline":
            self._emit(node, scope, self._value(node, scope, names[0]))
            return
        self._operands(node, scope)
        reads = self._reads(node, scope)
        self.events.append(Event(reads))
        if is_view(node):
            scope.views[node] = reads
        if scope.loop is None and is_view(node):
            self._named |= dict.fromkeys(names, reads)
        elif scope.loop is None:
            self._fresh.update(names)

    def _value(self, node: Node, scope: Scope, name: str = "") -> Value:
        shape, block = self._shape(node, scope)
        value = Value(shape, node.array.dtype, self.rank, name, block)
        if node.op == "arange":
            start = node.attribute("start")
            assert isinstance(start, Dim)
            value.start = start
        return value

    def _write(self, value: Value, event: Event) -> None:
        self.events.append(event)
        self.values.append(value)
        if value.name and value.block is None:
            self._named[value.name] = [value]

    def _shape(self, node: Node, scope: Scope) -> tuple[Shape, Block | None]:
        """The shape of the text of a node: axes that it is the same along are missing in front,
        and elsewhere have size 1."""
        loop, thin = scope.loop, self._thin(node)
        shape: list[Dim] = []
        block = None
        for axis, d in enumerate(node.array.shape):
            if axis in thin and not shape:
                continue
            if loop is not None and axis not in thin and loop.axes.get(node) == axis:
                block = Block(len(shape), loop.count, loop.width)
            shape.append(Dim.of(1) if axis in thin else d)
        return tuple(shape), block

    def _need(self, node: Node, scope: Scope) -> None:
        """Steps until a node can be spelled inside of one statement."""
        if node in scope.names or node in scope.whole:
            return
        if self._form(node, scope) == "inline":
            self._operands(node, scope)
        else:
            self._emit(node, scope, self._value(node, scope))

    def _operands(self, node: Node, scope: Scope) -> None:
        """What needs more temporaries comes first: it needs them while there are no others."""
        operands = spelled(node, scope.names)
        for operand in sorted(operands, key=lambda i: -self._depth(i, scope)):
            self._need(operand, scope)
        for memory in memories(node).values():
            if memory not in scope.whole:
                value = scope.whole[memory] = self._memory(memory, node.inputs[0], scope)
                self._write(value, Event((), value))

    def _memory(self, memory: Node, x: Node, scope: Scope) -> Value:
        """What a statement computes in beside its result; of rows of x, as many as in a block."""
        shape, loop = memory.array.shape, scope.loop
        axis = None if loop is None else loop.axes.get(x)
        if loop is not None and axis is not None:
            kept = [a for a in range(len(x.array.shape)) if a not in reduced(memory.inputs[0])]
            at = axis if len(shape) == len(x.array.shape) else kept.index(axis)
            return Value(shape, "real", self.rank, block=Block(at, loop.count, loop.width))
        width = Dim.of(1)
        for d in shape[1:]:
            width = width * d
        most = Block(0, shape[0], width) if memory.attribute("name") == "block" else None
        return Value(shape, "real", self.rank, most=most)

    def _depth(self, node: Node, scope: Scope) -> int:
        """How many temporaries are needed at once, about."""
        if node in scope.names or node in scope.whole or not node.inputs:
            return 0
        depths = sorted((self._depth(i, scope) for i in node.inputs), reverse=True)
        needed = max(depth + place for place, depth in enumerate(depths))
        return max(needed, int(self._form(node, scope) == "step"))

    def _emit(self, node: Node, scope: Scope, out: Value | str) -> None:
        """The step that computes a node, after those of its operands."""
        value = out if isinstance(out, Value) else None
        if value is not None and value.start is not None:
            value.last = END
            self._write(value, Event((), value))
        else:
            self._operands(node, scope)
            event = Event(self._reads(node, scope), value, self._free(node, scope))
            if value is None:
                self.events.append(event)
            else:
                self._write(value, event)
            self._draft.steps.append((node, out))
        if value is not None:
            scope.whole[node] = value

    def _form(self, node: Node, scope: Scope) -> str:
        """How a node is made: by a "step", as a "range" of ints that is there before, or "inline"
        in what reads it."""
        if not isinstance(node.type, Type) or not self._shape(node, scope)[0]:
            return "inline"
        attributes: dict[str, Any] = dict(node.attributes)
        match node.op:
            case "arange":
                return "range"
            case "transpose":  # inside of a statement a view will do
                is_step = "is_contiguous" in attributes and node in scope.names
            case "reshape":
                is_step = is_gathered(node) and node.inputs[0] not in scope.whole
            case "take":
                is_step = _has_arrays(node)
            case "prod_others":
                is_step = len(node.inputs) == 1
            case "contract":
                is_step = not is_view(node)
            case op:
                is_step = op in WRITTEN or (op in TABLE and op not in ASSIGNED)
        return "step" if is_step else "inline"

    def _reads(self, node: Node, scope: Scope) -> Sequence[Value]:
        read = [v for i in node.inputs for v in self.behind(i, scope)]
        read += [scope.whole[m] for m in memories(node).values() if m in scope.whole]
        return list(dict.fromkeys(read))

    def _free(self, node: Node, scope: Scope) -> Sequence[Value]:
        """Operands that a step may write over: it reads each element before it writes there."""
        first = base(node, scope.names)
        if first is not None:
            places = [k for k, operand in enumerate(node.inputs) if operand is first][:1]
        else:
            is_free = node.op in TABLE or node.op == "softmax"
            places = [*range(len(node.inputs))] if is_free else []
        direct: list[Value] = []
        others: set[int] = set()
        for place, operand in enumerate(node.inputs):
            value = scope.whole.get(unmarked(operand, scope.names))
            if value is not None and place in places:
                direct.append(value)
            else:
                others.update(id(v) for v in self.behind(operand, scope))
        return [v for v in direct if id(v) not in others]


def spelled(node: Node, names: Mapping[Node, str]) -> list[Node]:
    """The operands that the statement of a node names: NumPy widens ints beside reals, and what is
    added to a part of an array is never an array of the whole size."""
    operands = list(node.inputs)
    ints = [i for i in operands if i not in names and is_widened(i)]
    if node.op in WIDENING and len(ints) < len(operands):
        operands = [i.inputs[0] if i in ints else i for i in operands]
    added = accumulated(node, names)
    if added is not None:
        part = operands.pop(added)
        operands += part.inputs if part.op == "pad" else part.inputs[1:]
    if poured(node, names):
        return spelled(node.inputs[0], names)
    return operands


def poured(node: Node, names: Mapping[Node, str]) -> bool:
    """Whether what is padded is computed where it is to stand."""
    if node.op != "pad":
        return False
    (x,) = node.inputs
    return x.op in TABLE and x.op not in ASSIGNED and x not in names


def accumulated(node: Node, names: Mapping[Node, str]) -> int | None:
    """Which operand of a sum is 0 but for a part, so that it is added in place."""
    if node.op not in ("add", "sub"):
        return None
    for place in (1, 0) if node.op == "add" else (1,):
        x = node.inputs[place]
        if x in names:
            continue
        is_put = x.op == "put" and bool(x.attribute("adds")) and node.op == "add"
        if x.op == "pad" or (is_put and is_zero(x.inputs[0])):
            return place
    return None


def is_zero(x: Node) -> bool:
    return x.op == "constant" and x.value == 0


def base(node: Node, names: Mapping[Node, str]) -> Node | None:
    """The operand that a step begins with as a whole, and changes in part."""
    added = accumulated(node, names)
    if added is not None:
        return node.inputs[1 - added]
    place = {"where": 2, "put": 0}.get(node.op)
    return None if place is None else node.inputs[place]


def gathered(node: Node) -> int | None:
    """The axis of a `take` along which an array of ints chooses, if all others stay."""
    items: Any = node.attribute("items")
    by = [axis for axis, item in enumerate(items) if item[0] == "by"]
    if len(by) != 1 or any(item[0] not in ("all", "by") for item in items):
        return None
    ints = node.inputs[1 + items[by[0]][1]]
    return by[0] if ints.array.shape and ints.array.dtype == "int" else None


def _has_arrays(node: Node) -> bool:
    """Whether arrays of ints choose among the elements that a `take` gives."""
    return any(i.array.shape for i in node.inputs[1:])


def reduced(node: Node) -> tuple[int, ...]:
    """The axes that a node reduces its operand over."""
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return axes


def memories(node: Node) -> dict[str, Node]:
    """What a node needs beside its operands and its result, by the keyword that it is passed by:
    nodes that stand for memory of their types."""
    found: dict[str, Shape] = {}
    match node.op, len(node.inputs):
        case "prod_others", 1:
            found["scratch"] = node.array.shape
        case ("softmax", _) | ("logsumexp", _):
            x, axes = node.inputs[0], reduced(node)
            shape = x.array.shape
            if node.op == "logsumexp" and node.inputs == (x,):
                found["block"] = shape
            if len(axes) < len(shape):
                thin = tuple(Dim.of(1) if axis in axes else d for axis, d in enumerate(shape))
                found["totals"] = thin if node.op == "softmax" else node.array.shape
    return {
        name: node.pool.make("memory", (node,), Type("real", own), name=name)
        for name, own in found.items()
    }


def is_view(node: Node) -> bool:
    """Whether what is assigned stands on memory that it reads. A forward pass may save its
    arguments."""
    match node.op:
        case "call":
            return str(node.attribute("callee")).endswith("@forward")
        case "take":
            items: Any = node.attribute("items")
            return all(item[0] != "by" for item in items)
        case "contract":
            return node.attribute("operands") == ((0, 0),) and node.attribute("result") == (0,)
        case "transpose":
            return "is_contiguous" not in dict(node.attributes)
    return node.op in SCATTERED or node.op in ("reshape", "mark")


def is_gathered(node: Node) -> bool:
    """Whether a reshape copies what it is given, if that has no memory of its own."""
    (x,) = node.inputs
    old, new = x.array.shape, node.array.shape
    if not old or ones(old, new) is not None or ones(new, old) is not None:
        return False
    return x.op in SCATTERED and is_view(x)


def unmarked(node: Node, names: Mapping[Node, str]) -> Node:
    """The node behind marks, which are no operation."""
    while node.op == "mark" and node not in names:
        node = node.inputs[0]
    return node


def is_widened(node: Node) -> bool:
    """Whether a real is an int of the source."""
    return node.op == "to_real" and node.inputs[0].array.dtype == "int"
