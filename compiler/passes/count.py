"""Count operations: the weight of each node's op, a transcendental function being 10."""

from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ops.op import TABLE


def operations(graph: Graph) -> int:
    """The weighted number of operations; parameters, constants and marks are free, a call is 10."""
    total = 0
    for node in graph.nodes():
        entry = TABLE.get(node.op)
        if entry is not None:
            total += entry.weight
        elif node.op in ("call", "loop", "contract"):
            total += 10
    return total
