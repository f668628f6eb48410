"""Forms that would overflow or cancel, replaced by those that do not; part of the meaning.

    log(sigmoid(x))  ->  -softplus(-x)
    1 - sigmoid(x)   ->  sigmoid(-x)

Runs at every level, and before differentiation, so that the derivatives are stable too.
"""

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes.algebra import apply, index


def stabilised(node: Node) -> Node:
    """The node itself, or its stable form; for one whose operands are stable already."""
    return apply(node, index("stabilising"))


def run(graph: Graph) -> Graph:
    table = index("stabilising")
    return rewrite(graph, lambda node, inputs: apply(remake(node, inputs), table), ops=table)
