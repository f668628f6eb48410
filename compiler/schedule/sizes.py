"""Which sizes the text of a routine mentions, and where it gets them from.

NumPy broadcasts by itself, so the text of a node may lack axes that the node has: it is *thin*
along them. Whatever needs the whole shape mentions its sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Dim, Shape, Type
from mgrad.compiler.ops.op import TABLE

NONE: frozenset[int] = frozenset()
REDUCTIONS = frozenset(
    {"sum", "logsumexp"}
    | {f"{name}_over" for name in ("prod", "max", "min", "any", "all", "argmax", "argmin")}
)


class Thin:
    """The axes that the text of a node lacks, or has with size 1; each node is looked at once."""

    def __init__(self) -> None:
        self._known: dict[Node, frozenset[int]] = {}

    def __call__(self, node: Node) -> frozenset[int]:
        found = self._known.get(node)
        if found is not None:
            return found
        stack = [node]
        while stack:
            top = stack[-1]
            waiting = [i for i in _sources(top) if i not in self._known]
            if waiting:
                stack += waiting
            else:
                stack.pop()
                self._known[top] = self._of(top)
        return self._known[node]

    def _of(self, node: Node) -> frozenset[int]:
        if not isinstance(node.type, Type) or not node.type.shape:
            return NONE
        if node.op == "constant":
            return frozenset(range(len(node.type.shape)))
        known = self._known
        if node.op == "broadcast":
            axes = node.attribute("axes")
            assert isinstance(axes, tuple)
            kept = [a for a in range(len(node.type.shape)) if a not in axes]
            return frozenset(axes) | {kept[a] for a in known[node.inputs[0]]}
        if node.op == "mark":
            return known[node.inputs[0]]
        if node.op in TABLE:
            return frozenset.intersection(*(known[i] for i in node.inputs))
        return NONE


def _sources(node: Node) -> Sequence[Node]:
    """The operands that decide whether the text of a node is thin."""
    if node.op in ("broadcast", "mark") or node.op in TABLE:
        return node.inputs
    return ()


def mentioned(
    nodes: Iterable[Node], whole: Iterable[Node], thin: Thin, is_nested: bool = False
) -> list[str]:
    """The names of dimensions in the text of nodes; the results `whole` have their full shape. If
    it `is_nested`, the text goes through lists."""
    found: dict[str, None] = {}
    for d in (d for n in nodes for d in (_ranges(n) if is_nested else _sizes(n, thin))):
        found.update(dict.fromkeys(sorted(d.names)))
    for node in whole:
        if thin(node):
            found.update(dict.fromkeys(n for d in node.array.shape for n in sorted(d.names)))
    return list(found)


def _sizes(node: Node, thin: Thin) -> list[Dim]:
    """The sizes that the text of a node may mention."""
    found: list[Dim] = []
    if node.op not in TABLE and node.op not in ("broadcast", "mark"):
        found += [d for i in node.inputs if thin(i) for d in i.array.shape]
    return found + of_text(node)


def _ranges(node: Node) -> list[Dim]:
    """The sizes that the text of a node may mention if it goes through lists by their indices."""
    found = of_text(node)
    is_made = node.op not in ("parameter", "constant", "mark")
    if isinstance(node.type, Type) and is_made:
        found += node.type.shape
    if isinstance(node.type, Bundle):
        found += [d for i in node.inputs if isinstance(i.type, Type) for d in i.type.shape]
    attributes: dict[str, Any] = dict(node.attributes)
    match node.op:
        case "contract":
            found += [d for i in node.inputs for d in i.array.shape]
        case "concat":
            found += [i.array.shape[attributes["axis"]] for i in node.inputs[:-1]]
        case "flip":
            found += [node.array.shape[a] for a in attributes["axes"]]
        case "pad":
            found += node.inputs[0].array.shape
        case "windows" | "overlap_add":
            found += map(Dim.of, attributes["strides"])
        case _ if node.op in REDUCTIONS:
            shape = node.inputs[0].array.shape
            if attributes["axes"] != (len(shape) - 1,):
                found += shape
    return found


def of_text(node: Node) -> list[Dim]:
    """The same, but for those of the whole shapes of its operands."""
    found: list[Dim] = []
    attributes: dict[str, Any] = dict(node.attributes)
    match node.op:
        case "size":
            found.append(attributes["dim"])
        case "arange":
            found += [attributes["start"], attributes["start"] + node.array.shape[0]]
        case "overlap_add":
            found += node.array.shape
        case "reshape":
            old, new = node.inputs[0].array.shape, node.array.shape
            only_ones = ones(old, new) is not None or ones(new, old) is not None
            found += [] if only_ones and old else new
        case "take" | "put":
            shape = node.inputs[0].array.shape
            for item, size in zip(attributes["items"], shape, strict=True):
                if item[0] == "at":
                    found += _bound(item[1], size)
                elif item[0] == "slice":
                    found += _bound(item[1], size)
                    found += _bound(item[2], size) if item[2] != size else []
        case "pad":
            found += [*attributes["before"], *attributes["after"]]
        case "windows":
            found += attributes["sizes"]
        case "contract" if node.inputs[0].op == "constant":
            found += node.array.shape  # the unit matrix
    return found


def ones(thin: Shape, wide: Shape) -> list[int] | None:
    """The axes of `wide`, of size 1, that `thin` lacks, if that is all the difference."""
    added: list[int] = []
    position = 0
    for axis, d in enumerate(wide):
        if position < len(thin) and thin[position] == d:
            position += 1
        elif d == Dim.of(1):
            added.append(axis)
        else:
            return None
    return added if position == len(thin) and added else None


def _bound(d: Dim, size: Dim) -> list[Dim]:
    """What a bound mentions: nothing where it counts from the end, as -1 does."""
    back = (d - size).constant
    return [] if back is not None and back < 0 else [d]


def at_hand(arrays: Iterable[Node]) -> set[str]:
    """The dimensions whose size some arrays tell."""
    return {
        str(d)
        for node in arrays
        if isinstance(node.type, Type)
        for d in node.type.shape
        if str(d) in d.names
    }


def lines(
    wanted: Sequence[str], arrays: Sequence[tuple[str, Node]], names: Mapping[str, str]
) -> list[str]:
    """The statements that name sizes: `n, d = x.shape`."""
    missing = dict.fromkeys(wanted)
    found: list[str] = []
    for name, node in arrays:
        if not isinstance(node.type, Type) or not node.type.shape or not missing:
            continue
        shape = [str(d) if str(d) in d.names else "" for d in node.type.shape]
        told = [d for d in dict.fromkeys(shape) if d in missing]
        if not told:
            continue
        for d in told:
            del missing[d]
        if told == shape[:1]:
            found.append(f"{names[told[0]]} = len({name})")
        elif len(told) == 1:
            found.append(f"{names[told[0]]} = {name}.shape[{shape.index(told[0])}]")
        else:
            seen: set[str] = set()
            targets = []
            for d in shape:
                is_new = d in told and d not in seen
                seen.add(d)
                targets.append(names[d] if is_new else "_")
            comma = "," if len(targets) == 1 else ""
            found.append(f"{', '.join(targets)}{comma} = {name}.shape")
    return found


def nested_lines(
    wanted: Sequence[str], arrays: Sequence[tuple[str, Node]], names: Mapping[str, str]
) -> list[str]:
    """The same for nested lists: `n = len(x)`, and where no list has that for its own length,
    `d = len(x[0]) if x else 0`."""
    depths: dict[str, tuple[int, str]] = {}
    for name, node in arrays:
        shape = node.type.shape if isinstance(node.type, Type) else ()
        for axis, d in enumerate(shape):
            if str(d) in d.names:
                depths[str(d)] = min((axis, name), depths.get(str(d), (axis, name)), key=_depth)
    found: list[str] = []
    for size in wanted:
        if size not in depths:
            continue
        axis, name = depths[size]
        tests = " and ".join(f"{name}{'[0]' * k}" for k in range(axis))
        text = f"{names[size]} = len({name}{'[0]' * axis})"
        found.append(f"{text} if {tests} else 0" if tests else text)
    return found


def _depth(place: tuple[int, str]) -> int:
    return place[0]
