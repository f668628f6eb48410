"""Weighted operations of value and gradient over those of the value, for every example.

The weight of an operation is its `weight` in the table of ops. A call weighs what its function
does.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from mgrad.compiler import driver
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ops import TABLE
from mgrad.compiler.passes.save import cut
from mgrad.compiler.source import Source

EXAMPLES = Path(__file__).parent.parent / "examples"
EXTERN = 10


def weight(key: str, graphs: Mapping[str, Graph], known: dict[str, int]) -> int:
    """The weighted operations of one graph and what it calls; `f@forward` and `f@backward` are the
    halves of `f@joint`."""
    if key in known:
        return known[key]
    origin, _, half = key.rpartition("@")
    if half in ("forward", "backward") and f"{origin}@joint" in graphs:
        halves = cut(graphs[f"{origin}@joint"])
        nodes = list(halves.forward if half == "forward" else halves.backward)
    elif key in graphs:
        nodes = graphs[key].nodes()
    else:
        return EXTERN
    known[key] = sum(
        weight(str(node.attribute("callee")), graphs, known)
        if node.op == "call"
        else TABLE[node.op].weight
        if node.op in TABLE
        else 0
        for node in nodes
    )
    return known[key]


def ratios(source: Source) -> dict[str, float]:
    """Of each function of a source that has a gradient and does anything, in order."""
    graphs = driver.compile(source).module.graphs
    known: dict[str, int] = {}
    found: dict[str, float] = {}
    for key in graphs:
        name = key.removesuffix("@value_and_grad")
        value = weight(name, graphs, known) if name != key and name in graphs else 0
        if value:
            found[name] = weight(key, graphs, known) / value
    return found


def report() -> Iterator[str]:
    yield from weights()
    for path in sorted(EXAMPLES.glob("*.mg")):
        found = ratios(Source(path.name, path.read_text(encoding="utf-8")))
        ordered = sorted(found.values())
        yield f"{path.name}: median {ordered[len(ordered) // 2]:.2f}, most {ordered[-1]:.2f}"
        text = ", ".join(f"{name}\N{NO-BREAK SPACE}{value:.2f}" for name, value in found.items())
        for line in textwrap.wrap(text, 92, break_on_hyphens=False):
            yield f"  {line}".replace("\N{NO-BREAK SPACE}", " ")


def weights() -> Iterator[str]:
    """What the ops weigh: the least by default, the others by name."""
    by_weight: dict[int, list[str]] = {}
    for op in TABLE.values():
        by_weight.setdefault(op.weight, []).append(op.name)
    least = min(by_weight)
    yield f"An op weighs {least}; a call what its function does, a Python function {EXTERN}."
    for size, names in sorted(by_weight.items()):
        if size != least:
            yield from textwrap.wrap(f"{size}: {', '.join(names)}.", 94, subsequent_indent="    ")
