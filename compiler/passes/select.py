"""Choices inside choices by the same condition.

where(c, where(c, a, b), e)      ->  where(c, a, e)
where(c, where(c, d, 0)*p, 0)    ->  where(c, d*p, 0), also where the outer one is by `c and b`
where(c, a, 0) + where(c, 0, b)  ->  where(c, a, b)

The sums are those of gradients, whose terms are masked: what is not taken is 0.
"""

from __future__ import annotations

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes.fold import exact, folded

DEPTH = 4  # how far into an arm to look
INSIDE = frozenset({"add", "sub", "mul", "div", "neg", "where"})


def run(graph: Graph) -> Graph:
    if all(node.op != "where" for node in graph.nodes()):
        return graph
    uses = graph.uses()

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op in ("add", "sub"):
            once = all(uses[i] == 1 for i in node.inputs)
            return (_merged(node, *inputs) if once else None) or remake(node, inputs)
        condition, x, y = inputs
        x, y = _given(x, condition, 1), _given(y, condition, 2)
        if x is y:
            return x
        return node.pool.make("where", (condition, x, y), node.type)

    return rewrite(graph, rule, ops=("add", "sub", "where"))


def _merged(node: Node, left: Node, right: Node) -> Node | None:
    """One choice for a sum of two by the same condition, if an arm of either is 0."""
    one, other = _choice(left), _choice(right)
    if one is None or other is None or one[0] is not other[0]:
        return None
    arms: list[Node] = []
    for x, y in zip(one[1:], other[1:], strict=True):
        arms.append(folded(node.pool.make(node.op, (x, y), node.type)))
    if not any(exact(x) == 0 or exact(y) == 0 for x, y in zip(one[1:], other[1:], strict=True)):
        return None
    return folded(node.pool.make("where", (one[0], *arms), node.type))


def _choice(node: Node) -> tuple[Node, Node, Node] | None:
    """Condition and arms of a choice, or of a product with one of which an arm is 0."""
    spine: list[tuple[Node, int]] = []
    while node.op in ("mul", "div", "neg") and len(spine) < DEPTH:
        place = 0
        if node.op == "mul" and node.inputs[0].op not in ("where", "mul", "neg"):
            place = 1
        spine.append((node, place))
        node = node.inputs[place]
    if node.op != "where":
        return None
    condition, x, y = node.inputs
    zeros = [exact(x) == 0, exact(y) == 0]
    if spine and not any(zeros):
        return None
    for parent, place in reversed(spine):
        x = x if zeros[0] else _with(parent, place, x)
        y = y if zeros[1] else _with(parent, place, y)
    return condition, x, y


def _with(parent: Node, place: int, node: Node) -> Node:
    inputs = tuple(node if i == place else x for i, x in enumerate(parent.inputs))
    return folded(remake(parent, inputs))


def _given(arm: Node, condition: Node, position: int) -> Node:
    """The arm, knowing that the condition holds (position 1) or does not (2). Looks only so deep,
    so it may recurse."""
    seen: dict[Node, Node] = {}
    same = _parts(condition) if position == 1 else {condition}  # what is as the condition is

    def known(node: Node, depth: int) -> Node:
        if node.op == "where" and node.inputs[0] in same:
            return known(node.inputs[position], depth)
        if node.op not in INSIDE or depth == 0:
            return node
        if node not in seen:
            seen[node] = node
            inputs = tuple(known(i, depth - 1) for i in node.inputs)
            seen[node] = node if inputs == node.inputs else folded(remake(node, inputs))
        return seen[node]

    return known(arm, DEPTH)


def _parts(condition: Node) -> set[Node]:
    """A condition, and those that hold where it does: a and b of `a and b`."""
    found = {condition}
    while condition.op == "and" and len(found) <= 2 * DEPTH:
        found.update(condition.inputs)
        condition = condition.inputs[0]
    return found
