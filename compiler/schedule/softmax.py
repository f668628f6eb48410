"""One exponential for a softmax, and for a logsumexp and its gradient beside it.

exp(x - logsumexp(x))                   ->   softmax(x)
value = logsumexp(x);  exp(x - value)   ->   soft = softmax(x);  value = logsumexp(x, soft)

Where x is large, `exp(x - value)` loses as many digits as x has before the point; a softmax none.
"""

from __future__ import annotations

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node


def run(graph: Graph) -> Graph:
    sums = {total for node in graph.nodes() if (total := _sum_of(node)) is not None}
    if not sums:
        return graph

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node in sums:
            soft = _soft(node, inputs[0])
            return node.pool.make(
                "logsumexp", (inputs[0], soft), node.type, **dict(node.attributes)
            )
        total = _sum_of(node)
        return _soft(total, inputs[0].inputs[0]) if total in sums else remake(node, inputs)

    return rewrite(graph, rule)


def _soft(total: Node, x: Node) -> Node:
    """The softmax of x over the axes of a logsumexp."""
    return x.pool.make("softmax", (x,), x.type, axes=total.attribute("axes"))


def _sum_of(node: Node) -> Node | None:
    """The logsumexp of x, of which a node is exp(x - logsumexp(x))."""
    if node.op != "exp" or node.inputs[0].op != "sub":
        return None
    x, wide = node.inputs[0].inputs
    if wide.op != "broadcast" or wide.inputs[0].op != "logsumexp":
        return None
    total = wide.inputs[0]
    is_same = total.inputs == (x,) and total.attribute("axes") == wide.attribute("axes")
    return total if is_same else None
