"""Forms that would overflow or cancel, replaced by those that do not; part of the meaning.

    log(sigmoid(x))  ->  -softplus(-x)
    1 - sigmoid(x)   ->  sigmoid(-x)
    log(sum(exp(x))) ->  logsumexp(x)

Runs at every level, and before differentiation, so that the derivatives are stable too.
"""

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.logsumexp import logsumexp
from mgrad.compiler.passes.algebra import apply, index


def stabilised(node: Node) -> Node:
    """The node itself, or its stable form; for one whose operands are stable already."""
    if node.op == "log" and node.inputs[0].op == "sum" and node.inputs[0].inputs[0].op == "exp":
        total = node.inputs[0]
        axes = total.attribute("axes")
        assert isinstance(axes, tuple)
        return logsumexp(total.inputs[0].inputs[0], axes)
    return apply(node, index("stabilising"))


def run(graph: Graph) -> Graph:
    table = index("stabilising")
    return rewrite(graph, lambda node, inputs: stabilised(remake(node, inputs)), ops=table)
