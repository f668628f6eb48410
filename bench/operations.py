"""Weighted operations of value and gradient over those of the value, for every example.

The weight of an operation is its `weight` in the table of ops: 1 for arithmetic and comparisons, 10
for a transcendental function. A call weighs what its function does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mgrad.compiler import driver
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ops import TABLE
from mgrad.compiler.passes.save import cut
from mgrad.compiler.source import Source

EXAMPLES = Path(__file__).parent.parent / "examples"


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
        return 10  # an extern
    known[key] = sum(
        weight(str(node.attribute("callee")), graphs, known)
        if node.op == "call"
        else TABLE[node.op].weight
        if node.op in TABLE
        else 0
        for node in nodes
    )
    return known[key]


def report() -> Iterator[str]:
    for path in sorted(EXAMPLES.glob("*.mg")):
        source = Source(path.name, path.read_text(encoding="utf-8"))
        graphs = driver.compile(source).module.graphs
        known: dict[str, int] = {}
        ratios: list[tuple[float, str]] = []
        for key in graphs:
            name = key.removesuffix("@value_and_grad")
            value = weight(name, graphs, known) if name != key and name in graphs else 0
            if value:
                ratios.append((weight(key, graphs, known) / value, name))
        if ratios:
            ratios.sort()
            middle = ratios[len(ratios) // 2][0]
            yield (
                f"{path.name:<18}{len(ratios)} functions: median {middle:.2f},"
                f" most {ratios[-1][0]:.2f} ({ratios[-1][1]})"
            )
