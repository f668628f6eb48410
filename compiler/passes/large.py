"""Which values are larger than all that a function takes and gives.

(x[i, k] - y[j, k])^2 for x: [N, D], y: [M, D] has N*M*D elements; if the function gives [N, M],
such a value is never made as a whole, and never saved. What is made as a whole anyway, `x @ w` for
one, makes room for all of its size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Shape, Type
from mgrad.compiler.ops.op import TABLE

# reductions that may stand in a loop over blocks of rows
INSIDE = frozenset({"sum", "contract", "max_over", "min_over", "prod_over", "logsumexp"})


class Large:
    """Whether a value has more axes of run-time size than any of these arrays."""

    def __init__(self, arrays: Iterable[Node]) -> None:
        shapes = dict.fromkeys(node.type.shape for node in arrays if isinstance(node.type, Type))
        self.sizes = [_sizes(shape) for shape in shapes]
        self.leading = list(dict.fromkeys(shape[0] for shape in shapes if shape))
        self._known: dict[Shape, bool] = {}

    def admit(self, node: Node) -> None:
        """An array that is made as a whole."""
        self.sizes.append(_sizes(node.array.shape))
        self._known.clear()

    def __call__(self, node: Node) -> bool:
        if not isinstance(node.type, Type) or len(node.type.shape) < 2:
            return False
        shape = node.type.shape
        found = self._known.get(shape)
        if found is None:
            own = _sizes(shape)
            found = self._known[shape] = bool(own) and not any(own <= s for s in self.sizes)
        return found

    def is_remade(self, node: Node) -> bool:
        """Whether a value is made again, block by block, wherever it is needed."""
        if node.op in TABLE or node.op in ("broadcast", "softmax"):
            return self(node)
        if node.op not in INSIDE or not self(node):
            return False
        return any(self(i) for i in node.inputs) or _is_outer(node)


def of(graph: Graph) -> Large:
    """For the parameters and results of a function, its gradients among them."""
    large = Large((*graph.parameters, *graph.results))
    nodes = [n for n in graph.nodes() if n.op != "constant" and large(n)]
    while whole := next((n for n in nodes if large(n) and not large.is_remade(n)), None):
        large.admit(whole)
    return large


def _is_outer(node: Node) -> bool:
    """Whether a contraction sums nothing, as x[i]*y[j] does."""
    if node.op != "contract":
        return False
    operands, result = node.attribute("operands"), node.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    return len(set(result)) == len(result) and all(set(one) <= set(result) for one in operands)


def _sizes(shape: Shape) -> Counter[str]:
    """The names in the sizes of the axes; an axis whose size is a number counts for nothing."""
    return Counter(name for d in shape for name in sorted(d.names))
