"""Which values get a line of their own, in which order, under which name.

A value gets one if the source named it, if it is used more than once, or if its text would be too
deep or too wide; what is used once stands inside its user's line. So what only one arm of a choice
needs stays inside the choice, where Python evaluates it lazily. All is linear in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache

from mgrad.compiler.ir.graph import Notes
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.ops.op import TABLE, Code
from mgrad.compiler.passes.large import Large
from mgrad.compiler.schedule import blocks, elements
from mgrad.compiler.schedule.constants import Constants, spell
from mgrad.compiler.schedule.names import Names, gradient_name
from mgrad.compiler.schedule.roles import role, role_of_origin
from mgrad.compiler.schedule.rules import rule, through
from mgrad.compiler.schedule.schedule import Line, LineRole, Loop, Part

DEEPEST = 40  # levels of operators in one line: CPython nests parentheses and frames only so far
WIDEST = 76  # characters of an expression,
VIEWS = frozenset({"reshape", "broadcast"})
SUMS = frozenset({"add", "sub"})
LONGEST = 300  # but of a sum, which is easily read over several lines


@dataclass(slots=True, eq=False)
class Writer:
    """Writes the lines of one routine. `names` grows; `planned` are names for nodes to come."""

    target: str
    notes: Notes
    scope: Names
    callees: Mapping[str, str]
    items: Callable[[str, int], str]  # what to call a result of a function
    shared: Constants  # of the module
    users: Mapping[Node, Node]  # of each node of the graph one that reads it
    values: Container[Node] = frozenset()  # of the forward pass: they are nobody's gradients
    value: Node | None = None  # the result, if it is one
    titles: dict[Node, str] = field(default_factory=dict)  # what results are
    inner: Mapping[Node, Node] = field(default_factory=dict)  # but of a function that is one
    known: Mapping[Node, str] = field(default_factory=dict)  # names in the other half
    names: dict[Node, str] = field(default_factory=dict)
    planned: dict[Node, str] = field(default_factory=dict)
    planned_roles: dict[Node, LineRole] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    constants: dict[Node, str] = field(default_factory=dict)  # of the module, that the lines read
    written: list[Node] = field(default_factory=list)  # all that the lines and results compute
    stems: dict[Node, str] = field(default_factory=dict)  # of temporaries: names before numbering
    _uses: dict[Node, int] = field(default_factory=dict)
    _items: dict[Node, dict[int, Node]] = field(default_factory=dict)
    _width: dict[Node, int] = field(default_factory=dict)
    _depth: dict[Node, int] = field(default_factory=dict)
    _must: set[Node] = field(default_factory=set)
    names_results: bool = False  # whether each result has a line of its own
    large: Large | None = None  # what is too large to be made as a whole
    loops: list[Loop] = field(default_factory=list)
    _groups: dict[Node, blocks.Group] = field(default_factory=dict)
    _rows: str = ""
    _inside: set[Node] = field(default_factory=set)  # of loops

    def write(self, roots: Sequence[Node], results: Iterable[Node], must: Iterable[Node]) -> None:
        """Lines for all that the results need; `roots` are met in their order, each after what it
        needs. `must` get a line of their own."""
        results = list(results)
        order = self.reach([*roots, *results])
        constants, inside = self.shared.choose(order, results, self.planned.get, self.scope)
        shared = self.shared.names
        self.constants |= {node: name for node, name in constants.items() if node in shared}
        self.names |= constants
        if constants:
            order = [node for node in order if node not in constants and node not in inside]
        if self.large is not None:
            kept = {*results, *must}
            order, self._groups = blocks.groups(order, kept, self.large, self.names_results)
            self._must.update(i for g in self._groups.values() for i in blocks.read(g))
            self._inside = {n for g in self._groups.values() for n in g.rows}
        self._must.update(must)
        if self.names_results:
            self._must.update(n for n in results if isinstance(n.type, Type) and n.inputs)
        for node in order:
            for operand in node.inputs:
                self._uses[operand] = self._uses.get(operand, 0) + 1
            self._repeats(node)
            if node.op == "item":
                index = node.attribute("index")
                assert isinstance(index, int)
                self._items.setdefault(node.inputs[0], {})[index] = node
        for result in results:
            self._uses[result] = self._uses.get(result, 0) + 1
        for node in order:
            self._visit(node)
        self.written += order

    def alias(self, name: str, node: Node, users: Iterable[Node], before: Container[str]) -> None:
        """A second name for the gradient of a value that `users` read; ahead of the lines of the
        names `before` at the end, as far as the gradient is there by then."""
        text, where = through(users, self.notes)
        place = len(self.lines)
        while place and self.lines[place - 1].names[0] in before:
            if self.lines[place - 1].node is node:
                break
            place -= 1
        self.lines.insert(place, Line((name,), node, (), "gradient", text, (), where))

    def reach(self, roots: Iterable[Node]) -> list[Node]:
        """Inputs first, down to what has a name already."""
        done: set[Node] = set(self.names)
        order: list[Node] = []
        for root in roots:
            stack = [(root, 0)]
            while stack:
                node, position = stack.pop()
                if node in done:
                    continue
                if position < len(node.inputs):
                    stack.append((node, position + 1))
                    if node.inputs[position] not in done:
                        stack.append((node.inputs[position], 0))
                else:
                    done.add(node)
                    order.append(node)
        return order

    def _repeats(self, node: Node) -> None:
        """An operand that its user's text holds twice must be a name."""
        if self.target == "python":
            self._must.update(elements.held(node))
        for place in _repeated(node.op, self.target):
            if place < len(node.inputs) and node.inputs[place].op != "constant":
                self._must.add(node.inputs[place])

    def _visit(self, node: Node) -> None:
        group = self._groups.get(node)
        if group is not None:
            if node not in self.names:
                self._loop(group)
        elif node in self._inside:
            self._width[node] = self._depth[node] = 0  # inside of loops
        elif node.op == "constant":
            self._width[node], self._depth[node] = len(spell(node, True)), 0
        elif node.op == "call" and unpacks(node):
            self._unpack(node)
        elif node in self.names:
            pass  # an item of a call that is a line
        elif node.op == "mark" and node.inputs[0] in self.names and node not in self.planned:
            self.names[node] = self.names[node.inputs[0]]
        elif node.op == "broadcast" and self._is_implied(node):
            self._imply(node)
        else:
            if self.target == "python" and self._uses.get(node, 0) > 1 and self._is_view(node):
                self._hold(elements.ground(node))
            self._measure(node)
            if node.op == "call" or self._is_view(node):
                return
            if node in self.planned or node in self._must or self._uses.get(node, 0) > 1:
                self._assign(node)

    def _loop(self, group: blocks.Group) -> None:
        """A loop that makes the exits of a group."""
        rows = self._rows = self._rows or self.scope.give("rows")
        sliced = blocks.slices(group, self.names, rows)
        if sliced is None:
            for node in group.exits:
                del self._groups[node]
            self._inside -= group.rows.keys()
            for node in self.reach(group.exits):
                self._visit(node)
            return
        inner = Writer(
            self.target,
            self.notes,
            self.scope,
            self.callees,
            self.items,
            self.shared,
            self.users,
            values=self.values,
            names=self.names | sliced,
            planned={n: name for n, name in self.planned.items() if n in group.rows},
            planned_roles=self.planned_roles,
            inner=self.inner,
        )
        inner.write((), group.exits, ())
        parts: list[Part] = []
        first: Line | None = None
        for node in group.exits:
            made_up = node not in self.planned
            name = self._made_up(node) if made_up else self.planned[node]
            kind: LineRole = "temporary" if made_up else "value"
            if made_up and self._forward(node) is not None:
                kind = "gradient"
            first = first or self._line((name,), node, node, self.planned_roles.get(node, kind))
            where = group.place(node)
            parts.append(Part(name, node, blocks.subscript(where, rows), where is None))
            self.names[node] = name
            self._width[node], self._depth[node] = len(name), 0
        assert first is not None
        read = {n for one in (*group.rows, *group.exits) for n in one.inputs}
        names = {n: t for n, t in inner.names.items() if n not in group.exits or n in read}
        places = {n: group.place(n) for n in group.exits}
        axes = {**group.rows, **{n: place for n, place in places.items() if place is not None}}
        lines = tuple(inner.lines)
        loop = Loop(rows, group.count, group.width, lines, tuple(parts), names, axes)
        self.loops.append(loop)
        self.lines.append(replace(first, names=tuple(p.name for p in parts), loop=loop))

    def _is_implied(self, node: Node) -> bool:
        """Whether NumPy repeats the operand by itself, along axes that come first."""
        axes = node.attribute("axes")
        assert isinstance(axes, tuple)
        is_first = axes == tuple(range(len(axes)))
        return is_first and node not in self.planned and self.target != "python"

    def _imply(self, node: Node) -> None:
        """A broadcast that no text shows goes by the name of its operand."""
        (x,) = node.inputs
        is_short = x.op == "constant" or self._is_view(x)
        if x not in self.names and self._uses.get(node, 0) > 1 and not is_short:
            self._assign(x)
        if x in self.names:
            self.names[node] = self.names[x]
        else:
            self._width[node], self._depth[node] = self._width[x], self._depth[x]

    def _is_view(self, node: Node) -> bool:
        """Whether a part of a named array is as short as a name: `x[1:]`, `A.T`, `grad[:, None]`,
        and a size."""
        if self.target == "python" and node.op == "arange":
            return True  # its elements are the letters of loops
        if node in self.planned or node in self._must:
            return False
        if node.op == "size" or (node.op == "to_real" and node.inputs[0].op == "size"):
            return True
        if self.target == "python":
            return elements.is_view(node)
        is_short = node.op in ("broadcast", "transpose", "reshape") or (
            node.op == "take" and len(node.inputs) == 1
        )
        return is_short and node.inputs[0] in self.names

    def _hold(self, node: Node) -> None:
        """A line for what several elements of the text are read from."""
        if node not in self.names and not elements.is_cheap(node):
            self._assign(node)

    def _measure(self, node: Node) -> None:
        """Width and depth of the text of a node; operands get lines until both are in bounds."""
        names, is_sum = self.names, node.op in SUMS
        width = self._own_width(node)
        widest = LONGEST if is_sum else WIDEST
        for place, operand in enumerate(node.inputs):
            in_parentheses = operand.op in SUMS and (place or not is_sum)
            if in_parentheses and operand not in names and self._width[operand] > WIDEST:
                self._assign(operand)
        inside = [i for i in node.inputs if i not in names]
        while True:
            total, depth = width, 0
            for operand in node.inputs:
                name = names.get(operand)
                total += self._width[operand] if name is None else len(name)
            for operand in inside:
                depth = max(depth, self._depth[operand])
            depth += 1
            if total <= widest and depth <= DEEPEST:
                break
            open_ = [i for i in inside if i.op not in ("constant", "call") and not self._is_view(i)]
            if not open_:
                break
            by_width = max(open_, key=lambda i: self._width[i])
            if depth > DEEPEST:
                by_width = max(open_, key=lambda i: self._depth[i])
            elif self._width[by_width] <= 12:
                break
            self._assign_inside(by_width)
            inside = [i for i in inside if i not in names]
        self._width[node], self._depth[node] = total, depth

    def _assign_inside(self, node: Node) -> None:
        """A line for a value, or for what it is a view of: `(d_c*c)[None]` names `d_c*c`."""
        shown = node
        while shown.op in VIEWS and len(shown.inputs) == 1 and shown.inputs[0].op != "constant":
            shown = shown.inputs[0]
        if shown is node or shown in self.names or shown in self._inside:
            self._assign(node)
            return
        self._assign(shown)
        self._measure(node)
        if self._width[node] > WIDEST // 2:
            self._assign(node)

    def _own_width(self, node: Node) -> int:
        if node.op == "call":
            return len(self.callees[str(node.attribute("callee"))]) + 2 * len(node.inputs)
        return _own_width(node.op, len(node.inputs), self.target)

    def _assign(self, node: Node) -> None:
        """A line for one value."""
        made_up = node not in self.planned
        name = self.planned[node] if not made_up else self._made_up(node)
        kind: LineRole = "temporary" if made_up else "value"
        if made_up and self._forward(node) is not None:
            kind = "gradient"
        kind = self.planned_roles.get(node, kind)
        self.names[node] = name
        self._width[node], self._depth[node] = len(name), 0
        self.lines.append(self._line((name,), node, node, kind))

    def _made_up(self, node: Node) -> str:
        title = "value" if node is self.value else self.titles.get(node)
        if title is not None:
            self.stems[node] = title
            return self.scope.give(title)
        forward = self._forward(node)
        of = None if forward is None else self._named(forward)
        if forward is not None and of is None and (forward in self.users or forward.op != "mul"):
            of = self._role(forward, role_of_origin)
        self.stems[node] = stem = f"d_{of}" if of else self._role(node)
        if of is None or node in self.values:
            return self.scope.give(stem)
        return gradient_name(of, self.scope)

    def _role(self, node: Node, role: Callable[..., str] = role) -> str:
        call = node.inputs[0] if node.op == "item" else None
        if call is not None and call.op == "call":
            index = node.attribute("index")
            assert isinstance(index, int)
            return self.items(str(call.attribute("callee")), index)
        return role(node, self._named, self._whole, self.users)

    def _whole(self, node: Node) -> str | None:
        """What to call a value that a temporary is part of. The gradient of what has a name has one
        too, be it in no line."""
        name = self._named(node)
        forward = self._forward(node) if name is None else None
        of = None if forward is None else self._named(forward)
        return name if of is None else f"d_{of}"

    def _forward(self, node: Node) -> Node | None:
        """The value that a node is the gradient of."""
        gradients = self.inner if node in self.values else self.notes.gradient_of
        forward = gradients.get(node)
        while forward is not None and forward.op == "mark" and forward not in self.names:
            forward = forward.inputs[0]
        return forward

    def _named(self, node: Node) -> str | None:
        name = self.names.get(node) or self.planned.get(node) or self.known.get(node)
        if name is None and node is self.value:
            return "value"
        if node in self.constants and node.op != "constant":
            return self.constants[node].lower()
        return name if name is None or name.isidentifier() else None

    def _unpack(self, call: Node) -> None:
        """A line for a call of several results: a name for each that is needed."""
        self._measure(call)
        assert isinstance(call.type, Bundle)
        items = self._items.get(call, {})
        names: list[str] = []
        first: Node | None = None
        kind: LineRole = "temporary"
        for index in range(len(call.type.items)):
            item = items.get(index)
            if item is None:
                names.append("_")
                continue
            if item in self.planned:
                name = self.planned[item]
                kind = self.planned_roles.get(item, "value")
                first = first or item
            elif self._forward(item) is not None:
                name, kind, first = self._made_up(item), "gradient", first or item
            else:
                name = self.scope.give(self.items(str(call.attribute("callee")), index))
            self.names[item] = name
            self._width[item], self._depth[item] = len(name), 0
            names.append(name)
        self._width[call], self._depth[call] = 0, 0
        self.lines.append(self._line(tuple(names), call, first or call, kind))

    def _line(
        self,
        names: tuple[str, ...],
        node: Node,
        noted: Node,
        kind: LineRole,
    ) -> Line:
        notes = self.notes
        if kind == "gradient":
            text, place = rule(noted, notes)
            forward = notes.gradient_of.get(noted)
            spans = notes.spans.get(forward, ()) if forward is not None else ()
            return Line(names, node, spans, kind, text, (), place)
        comments = notes.comments.get(noted, ()) if kind == "value" else ()
        return Line(names, node, notes.spans.get(noted, ()), kind, "", comments)


def _code(op: str, target: str) -> Code | None:
    entry = TABLE.get(op)
    if entry is None:
        return None
    return entry.python if target == "python" else entry.numpy


@cache
def _repeated(op: str, target: str) -> tuple[int, ...]:
    """The places of the operands that the text of an op holds twice."""
    code = _code(op, target)
    if code is None:
        return ()
    return tuple(i for i, p in enumerate(TABLE[op].parameters) if code.repeats(p))


@lru_cache
def _own_width(op: str, operands: int, target: str) -> int:
    """Characters of the text of an op beside its operands."""
    code = _code(op, target)
    if code is None:
        return 0 if op in ("broadcast", "mark", "item") else len(op) + 6
    if operands == 2 and "." not in code.text:
        return 4
    return 2 + len(code.text.rpartition("}(")[0].rpartition(".")[2]) + 2 * operands


def unpacks(call: Node) -> bool:
    """Whether a call is a line that unpacks a tuple."""
    assert isinstance(call.type, Bundle)
    return len(call.type.items) > 1
