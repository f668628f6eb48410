"""One loop for two that run the same turns, where one gives all that the other gives.

    y = loop(n, y0, turn); ys = loop(n, y0, turn, emitting each y)   ->   both from the second

The reverse of a loop needs the carried values as each turn found them, and takes them from a copy
of the loop that emits them too (`autodiff.loop`): with this pass the turns run once.
"""

from __future__ import annotations

from mgrad.compiler.ir.graph import Graph, Region, remake, rewrite
from mgrad.compiler.ir.node import Node


def run(graph: Graph) -> Graph:
    groups: dict[object, list[Node]] = {}
    for node in graph.nodes():
        if node.op == "loop":
            region = _region(node)
            counts = (region.captured, region.carried, region.stacked, region.reverse)
            groups.setdefault((node.inputs, region.body.parameters, counts), []).append(node)
    stands_for: dict[Node, Node] = {}
    for loops in groups.values():
        longest = max(loops, key=lambda loop: len(_region(loop).body.results))
        results = _region(longest).body.results
        for loop in loops:
            own = _region(loop).body.results
            if loop is not longest and results[: len(own)] == own:
                stands_for[loop] = longest
    if not stands_for:
        return graph

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op == "item" and node.inputs[0] in stands_for:
            return remake(node, (remake(stands_for[node.inputs[0]], inputs[0].inputs),))
        return remake(node, inputs)

    return rewrite(graph, rule)


def _region(node: Node) -> Region:
    region = node.attribute("region")
    assert isinstance(region, Region)
    return region
