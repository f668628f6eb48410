"""Values that would be too large, made in blocks of rows inside of what reduces them.

    d = x[:, None] - y;  value = sum(d*d, axis=2)   ->   value = np.empty((N, M))
                                                         for rows in blocks(N, M*D):
                                                             d = x[rows, None] - y
                                                             value[rows] = np.sum(d*d, axis=2)

The *members* of a loop are large values that depend on one another and have one axis in common, the
rows; its *exits* are what is made of them and is not large. An exit keeps the rows, or is summed up
over the blocks. Exits that do not need one another share a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes.large import INSIDE, Large

Axis = tuple[Node, int]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """`exits` are made in one loop of the large values `members`; `rows` is the axis of each."""

    exits: tuple[Node, ...]
    rows: Mapping[Node, int]
    count: Dim
    width: Dim  # elements of the widest member in a row

    def place(self, exit: Node) -> int | None:
        """Where the rows stand in what an exit gives; None where it is summed over them."""
        return _image(exit, self.rows)


def groups(
    order: Sequence[Node], kept: Iterable[Node], large: Large
) -> tuple[list[Node], dict[Node, Group]]:
    """The nodes in an order in which each group can be made at its first exit, and the group of
    each exit. `kept` are needed as a whole: what makes one of them is no group."""
    members = {n: None for n in order if large.is_remade(n)}
    if not members:
        return list(order), {}
    meeting = [[i for i in n.inputs if i in members] for n in order if n.op in INSIDE]
    parts = connected(members, meeting)
    broken = {parts[n] for n in kept if n in members}
    exits: dict[Node, int] = {}
    for node in order:
        if node in members:
            continue
        read = [i for i in node.inputs if i in members]
        for operand in read:
            if node.op not in INSIDE:
                broken.add(parts[operand])
        if len({parts[i] for i in read}) > 1:
            broken.update(parts[i] for i in read)
        elif read:
            exits[node] = parts[read[0]]
    level: dict[Node, int] = {}
    for node in order:
        level[node] = max((level.get(i, 0) for i in node.inputs), default=0) + (node in exits)
    made: dict[Node, Group] = {}
    waiting: dict[tuple[int, int], list[Node]] = {}
    for node, part in exits.items():
        if part not in broken:
            waiting.setdefault((part, level[node]), []).append(node)
    failed: set[int] = set()
    last: dict[int, Group] = {}
    for (part, _), nodes in sorted(waiting.items(), key=lambda item: item[0]):
        group = _continued(last.get(part), nodes, members, level, large)
        group = group or _group(nodes, members, large)
        if group is None:
            failed.add(part)
        else:
            last[part] = group
            made |= dict.fromkeys(group.exits, group)
    # what is made as a whole for one loop is there for all
    made = {node: group for node, group in made.items() if exits[node] not in failed}
    return sorted(order, key=level.__getitem__), made


def connected(
    members: Mapping[Node, None], meeting: Iterable[Sequence[Node]] = ()
) -> dict[Node, int]:
    """A number for each member; members that are made of one another, or are `meeting` in what
    reduces them, have the same."""
    joined: dict[Node, Node] = {n: n for n in members}
    for first, *others in filter(None, meeting):
        for other in others:
            joined[root(joined, other)] = root(joined, first)
    for node in members:
        for operand in node.inputs:
            if operand in members:
                joined[root(joined, operand)] = root(joined, node)
    numbers: dict[Node, int] = {}
    return {n: numbers.setdefault(root(joined, n), len(numbers)) for n in members}


def root(joined: dict[Any, Any], item: Any) -> Any:
    while joined[item] != item:
        item = joined[item]
    return item


def _needed(exits: Sequence[Node], members: Mapping[Node, None]) -> list[Node]:
    """The members that these exits are made of, inputs first."""
    found: dict[Node, None] = {}
    stack = [(i, False) for node in exits for i in node.inputs if i in members]
    while stack:
        node, is_ready = stack.pop()
        if is_ready:
            found[node] = None
        elif node not in found:
            stack.append((node, True))
            stack += [(i, False) for i in node.inputs if i in members and i not in found]
    return list(found)


def _group(exits: Sequence[Node], members: Mapping[Node, None], large: Large) -> Group | None:
    """The group of some exits, over an axis that all their members have once: rather that of the
    rows of the first argument than of the second, and than one that no argument has first."""
    own = dict.fromkeys(_needed(exits, members))
    joined: dict[Axis, Axis] = {(n, a): (n, a) for n in own for a in range(len(n.array.shape))}
    for node in (*own, *exits):
        for one, other in same(node, own):
            joined[root(joined, one)] = root(joined, other)
    first = next(iter(own))
    places = {d: k for k, d in enumerate(large.leading)}
    shape = first.array.shape
    for axis in sorted(range(len(shape)), key=lambda a: places.get(shape[a], len(places))):
        d = shape[axis]
        if d.constant is not None:
            continue
        chosen = root(joined, (first, axis))
        rows: dict[Node, int] = {}
        for node in own:
            own_axes = range(len(node.array.shape))
            found = [a for a in own_axes if root(joined, (node, a)) == chosen]
            if len(found) != 1:
                break
            rows[node] = found[0]
        if len(rows) < len(own) or any(_mixes(n, place) for n, place in rows.items()):
            continue
        if all(_image(e, rows) is not None or e.op in ("sum", "contract") for e in exits):
            return Group(tuple(exits), rows, d, _width(rows))
    return None


def _mixes(node: Node, axis: int) -> bool:
    """Whether the elements of a member along an axis depend on one another."""
    axes = node.attribute("axes") if node.op == "softmax" else ()
    assert isinstance(axes, tuple)
    return axis in axes


def _continued(
    before: Group | None,
    exits: Sequence[Node],
    members: Mapping[Node, None],
    level: Mapping[Node, int],
    large: Large,
) -> Group | None:
    """One group of a group and of exits that need its exits, if row by row is enough."""
    if before is None:
        return None
    group = _group((*before.exits, *exits), members, large)
    if group is None:
        return None
    own = set(before.exits)
    first = min(level[e] for e in own)
    for node in (*group.rows, *group.exits):
        for operand in node.inputs:
            if operand in group.rows or level.get(operand, 0) < first:
                continue
            place = group.place(operand) if operand in own else None
            if place is None or node.op != "broadcast" or _moved(node, place) != group.rows[node]:
                return None
    return group


def _width(rows: Mapping[Node, int]) -> Dim:
    """The elements in a row of the member with the most axes."""
    node = max(rows, key=lambda n: len(n.array.shape))
    total = Dim.of(1)
    for a, d in enumerate(node.array.shape):
        total = total if a == rows[node] else total * d
    return total


def same(node: Node, members: Mapping[Node, None]) -> list[tuple[Axis, Axis]]:
    """Axes of the members that run together in a node."""
    pairs: list[tuple[Axis, Axis]] = []
    if node.op == "contract":
        operands = node.attribute("operands")
        result = node.attribute("result")
        assert isinstance(operands, tuple) and isinstance(result, tuple)
        seen: dict[int, Axis] = {i: (node, a) for a, i in enumerate(result) if node in members}
        for operand, own in zip(node.inputs, operands, strict=True):
            for a, i in enumerate(own):
                if operand in members:
                    pairs.append(((operand, a), seen.setdefault(i, (operand, a))))
        return pairs
    if node not in members:
        return pairs
    for operand in node.inputs:
        if operand in members:
            for a in range(len(operand.array.shape)):
                image = _moved(node, a)
                if image is not None:
                    pairs.append(((operand, a), (node, image)))
    return pairs


def _moved(node: Node, axis: int) -> int | None:
    """Where an axis of the operand stands in the result; None where it is reduced."""
    if node.op in TABLE or node.op == "softmax":
        return axis
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    if node.op == "broadcast":
        kept = [a for a in range(len(node.array.shape)) if a not in axes]
        return kept[axis]
    return None if axis in axes else sum(1 for a in range(axis) if a not in axes)


def _label(node: Node, rows: Mapping[Node, int]) -> int:
    """The index of the rows in a contraction."""
    operands, result = node.attribute("operands"), node.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    for operand, own in zip(node.inputs, operands, strict=True):
        if operand in rows:
            return int(own[rows[operand]])
    if node in rows:
        return int(result[rows[node]])
    raise AssertionError("a contraction of no member")


def _image(node: Node, rows: Mapping[Node, int]) -> int | None:
    """Where the rows stand in what is made of members."""
    if node.op == "contract":
        label, result = _label(node, rows), node.attribute("result")
        assert isinstance(result, tuple)
        return result.index(label) if label in result else None
    operand = next(i for i in node.inputs if i in rows)
    return _moved(node, rows[operand])


# ---- what stands in the loop ---------------------------------------------------------------


def read(group: Group) -> list[Node]:
    """What a group reads from outside of it."""
    found = dict.fromkeys(i for n in (*group.rows, *group.exits) for i in n.inputs)
    inside = {*group.rows, *group.exits}
    return [i for i in found if i not in inside and i.op != "constant"]


def slices(group: Group, names: Mapping[Node, str], rows: str) -> dict[Node, str] | None:
    """What stands in the loop for what the group reads: `x[rows, None]`. None if one array would
    have to be sliced in two ways."""
    found: dict[Node, str] = {}

    def enter(node: Node, text: str) -> bool:
        return found.setdefault(node, text) == text

    inside = {*group.rows, *group.exits}
    for node in (*group.rows, *group.exits):
        for position, operand in enumerate(node.inputs):
            if operand in inside or operand.op == "constant":
                continue
            if node.op == "broadcast":
                if not enter(node, _broadcast(node, names, group.rows[node], rows)):
                    return None
            elif node.op == "contract":
                if not enter(operand, _factor(node, position, names, group, rows)):
                    return None
            elif node.op in TABLE:
                place = group.rows[node]
                text = names[operand] + _subscript([":"] * place + [rows])
                if not enter(operand, text):
                    return None
            else:
                return None
    return found


def _factor(node: Node, position: int, names: Mapping[Node, str], group: Group, rows: str) -> str:
    """The other operand of a contraction."""
    label = _label(node, group.rows)
    operands = node.attribute("operands")
    assert isinstance(operands, tuple)
    parts = [rows if i == label else ":" for i in operands[position]]
    return names[node.inputs[position]] + _subscript(parts)


def _broadcast(node: Node, names: Mapping[Node, str], axis: int, rows: str) -> str:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    parts = [
        "None" if a in axes else rows if a == axis else ":" for a in range(len(node.array.shape))
    ]
    while parts and parts[0] == "None":
        parts.pop(0)
    return names[node.inputs[0]] + _subscript(parts)


def _subscript(parts: list[str]) -> str:
    parts = list(parts)
    while parts and parts[-1] == ":":
        parts.pop()
    return f"[{', '.join(parts)}]" if parts else ""


def subscript(rank: int | None, rows: str) -> str:
    """`[:, rows]`: the rows of a result; nothing for what is summed up."""
    return "" if rank is None else _subscript([":"] * rank + [rows])
