"""Replace an op by the simpler ones that it is computed by, where its entry says so.

x^2                     ->  x*x
sigmoid(x), softplus(x) ->  both over one exp(-abs(x))
"""

from functools import cache

from mgrad.compiler.ir.graph import Graph, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.op import TABLE


def run(graph: Graph) -> Graph:
    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        expand = TABLE[node.op].expand
        assert expand is not None
        return expand(*inputs)

    return rewrite(graph, rule, ops=_compound())


@cache
def _compound() -> frozenset[str]:
    return frozenset(op for op, entry in TABLE.items() if entry.expand is not None)
