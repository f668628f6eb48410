"""Values that would be too large, made in blocks of rows inside of what reduces them.

    d = x[:, None] - y;  value = sum(d*d, axis=2)   ->   value = np.empty((N, M))
                                                         for rows in blocks(N, M*D):
                                                             d = x[rows, None] - y
                                                             value[rows] = (d*d).sum(axis=2)

The *members* of a loop are large values that depend on one another and have one axis in common, the
rows; its *exits* are what is made of them and is not large. An exit keeps the rows, or is summed up
over the blocks. Exits that do not need one another share a loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes.large import INSIDE, Large
from mgrad.compiler.schedule.sizes import Thin

Axis = tuple[Node, int]
LONG = 12  # operations of a chain that is worth a loop, also where arrays are short


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
    order: Sequence[Node], kept: Collection[Node], large: Large, has_chains: bool = False
) -> tuple[list[Node], dict[Node, Group]]:
    """The nodes in an order in which each group can be made at its first exit, and the group of
    each exit. `kept` are needed as a whole: what makes one of them is no group. If the caller
    `has_chains`, long chains of elementwise operations are members, too."""
    members = {n: None for n in order if large.is_remade(n)}
    chained = chains(order, kept, large) if has_chains else {}
    members |= chained
    if not members:
        return list(order), {}
    ends = [n for n in order if n.op in INSIDE or (n.op in TABLE and n not in members)]
    meeting = [[i for i in n.inputs if i in members] for n in ends]
    parts = connected(members, meeting)
    broken = {parts[n] for n in kept if n in members}
    exits: dict[Node, int] = {}
    for node in order:
        if node in members:
            continue
        read = [i for i in node.inputs if i in members]
        for operand in read:
            is_end = operand in chained and node.op in TABLE
            if node.op not in INSIDE and not is_end:
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
    failed |= {part for part, node in _made_twice(made, exits) if node in chained}
    failed |= {
        exits[e] for e, g in made.items() if _is_short(g) and not chained.keys().isdisjoint(g.rows)
    }
    # what is made as a whole for one loop is there for all
    made = {node: group for node, group in made.items() if exits[node] not in failed}
    return sorted(order, key=level.__getitem__), made


def _is_short(group: Group) -> bool:
    """Whether a loop would not be worth its turns."""
    return sum(n.op in TABLE for n in (*group.rows, *group.exits)) < LONG


def _made_twice(
    made: Mapping[Node, Group], exits: Mapping[Node, int]
) -> Iterator[tuple[int, Node]]:
    """Members that two loops would make, and the number of what they belong to."""
    first: dict[Node, Group] = {}
    for exit, group in made.items():
        for node in group.rows:
            if first.setdefault(node, group) is not group:
                yield exits[exit], node


def chains(order: Sequence[Node], kept: Collection[Node], large: Large) -> dict[Node, None]:
    """The members of long chains of elementwise operations on arrays of one shape: what only the
    chain reads, and reductions of it."""
    users: dict[Node, list[Node]] = {}
    for node in order:
        for operand in node.inputs:
            users.setdefault(operand, []).append(node)
    thin = Thin()
    steps = {
        n: None
        for n in order
        if n.op in TABLE and _has_names(n) and not large.is_remade(n) and not thin(n)
    }
    numbers = connected(steps)
    lengths = Counter(numbers.values())
    found: dict[Node, None] = {}
    for node in order:
        of = node if node in steps else next((u for u in users.get(node, ()) if u in steps), None)
        if of is None or lengths[numbers[of]] < LONG or node in kept:
            continue
        if node is not of and (node.op != "broadcast" or node.array.shape != of.array.shape):
            continue
        if all(_is_inside(u, numbers, numbers[of]) for u in users[node]):
            found[node] = None
    return found


def _is_inside(user: Node, numbers: Mapping[Node, int], number: int) -> bool:
    """Whether a step of a chain, or a reduction of nothing else."""
    result = user.attribute("result") if user.op == "contract" else ()
    assert isinstance(result, tuple)
    is_end = user.op in INSIDE and len(set(result)) == len(result)
    operands = [user] if user in numbers else user.inputs if is_end else []
    return bool(operands) and all(numbers.get(i) == number for i in operands)


def _has_names(node: Node) -> bool:
    return isinstance(node.type, Type) and any(d.constant is None for d in node.type.shape)


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
        joined[item] = joined[joined[item]]  # the way is shorter the next time
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
    if node not in members:  # the end of a chain: its operands are of one shape
        inside = [i for i in node.inputs if i in members] if node.op in TABLE else []
        for operand in inside[1:]:
            pairs += [((operand, a), (inside[0], a)) for a in range(len(node.array.shape))]
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
    inside = {*group.rows, *group.exits}
    found: dict[Node, None] = {}
    for node in (*group.rows, *group.exits):
        for operand in node.inputs:
            if operand not in inside and operand.op != "constant":
                is_wide = operand.op == "broadcast" and node.op in TABLE
                found[operand.inputs[0] if is_wide else operand] = None
    return [node for node in found if node.op != "constant"]


def slices(group: Group, names: Mapping[Node, str], rows: str) -> dict[Node, str] | None:
    """What stands in the loop for what the group reads: `x[rows, None]`. None if one array would
    have to be sliced in two ways."""
    found: dict[Node, str] = {}

    def enter(node: Node, text: str) -> bool:
        return found.setdefault(node, text) == text

    inside = {*group.rows, *group.exits}
    thin = Thin()
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
            elif node.op in TABLE and operand.op == "broadcast":
                place = _place(node, group)
                if not enter(operand, _broadcast(operand, names, place, rows)):
                    return None
            elif node.op in TABLE:
                place = _place(node, group)
                if not enter(operand, names[operand] + _along(operand, place, thin, rows)):
                    return None
            else:
                return None
    return found


def _place(node: Node, group: Group) -> int:
    """Along which axis of a member, or of the end of a chain, the rows are."""
    place = group.rows.get(node, group.place(node) if node not in group.rows else None)
    assert place is not None
    return place


def _along(node: Node, axis: int, thin: Thin, rows: str) -> str:
    """The rows of an operand of an elementwise operation; what is the same for all has none."""
    lacking = thin(node)
    if axis in lacking:
        return ""
    if lacking.isdisjoint(range(axis)):
        return _subscript([":"] * axis + [rows])
    behind = len(node.array.shape) - axis - 1  # the axes in front may not be there
    return f"[{', '.join(['...', rows, *[':'] * behind])}]"


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
