"""Temporaries of long functions share names: one that is read no more frees its name.

A float that is dropped leaves its memory, still in the cache, to the next one; a function of ten
thousand lines that keeps them all runs a tenth slower. Short functions keep one name a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from mgrad.compiler.ir.node import Node
from mgrad.compiler.schedule.lines import Writer
from mgrad.compiler.schedule.roles import noun
from mgrad.compiler.schedule.schedule import Line

LONG = 200  # lines


def used_once(nodes: Iterable[Node], results: Iterable[Node]) -> frozenset[Node]:
    """The nodes that have one user: in a long function their gradients need no name."""
    uses = Counter(operand for node in nodes for operand in node.inputs)
    uses.update(dict.fromkeys(results, 2))
    return frozenset(node for node, count in uses.items() if count == 1)


def reuse(lines: list[Line], writer: Writer, kept: Iterable[Node]) -> list[Line]:
    """The lines with temporaries renamed, and the writer's names with them. `kept` are needed to
    the end."""
    if len(lines) < LONG or writer.loops:  # a loop's text has the names already
        return lines
    names = writer.names
    for node in [n for n in names if n.op == "broadcast" and n not in writer.stems]:
        if names.get(node.inputs[0]) == names[node]:  # it goes by the name of its operand
            del names[node]
    stems = {node: _stem(node, stem) for node, stem in writer.stems.items()}
    own = {id(line): line.node for line in lines if len(line.names) == 1}
    last: dict[Node, int] = {}
    reads: list[list[Node]] = []
    for place, line in enumerate(lines):
        found = list(_leaves([line.node], names, own.get(id(line))))
        reads.append(found)
        last.update(dict.fromkeys(found, place))
    last.update(dict.fromkeys(_leaves(kept, names, None), len(lines)))
    free: dict[str, list[str]] = {}
    renamed: list[Line] = []
    for place, line in enumerate(lines):
        for node in dict.fromkeys(reads[place]):
            if last[node] == place and node in stems:
                free.setdefault(stems[node], []).append(names[node])
        if line.node in stems and own.get(id(line)) is line.node:
            stem = stems[line.node]
            pool = free.get(stem)
            if pool:
                names[line.node] = pool.pop()
            elif stem != writer.stems[line.node]:
                names[line.node] = writer.scope.give(stem)
            line = replace(line, names=(names[line.node],))
        renamed.append(line)
    return renamed


def _stem(node: Node, stem: str) -> str:
    """The name that a temporary shares with others: `product`, of a gradient `d_product`."""
    return f"d_{noun(node)}" if stem.startswith("d_") else noun(node)


def _leaves(roots: Iterable[Node], names: dict[Node, str], own: Node | None) -> Iterable[Node]:
    """The named nodes that the text of some nodes reads."""
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node in names and node is not own:
            yield node
        else:
            stack += node.inputs
