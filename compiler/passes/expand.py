"""Replace an op by the simpler ones that it is computed by, where its entry says so.

x^2                     ->  x*x
sigmoid(x), softplus(x) ->  both over one exp(-abs(x))
"""

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.op import TABLE


def run(graph: Graph) -> Graph:
    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        entry = TABLE.get(node.op)
        if entry is None or entry.expand is None:
            return remake(node, inputs)
        return entry.expand(*inputs)

    return rewrite(graph, rule)
