"""Pull negations and reciprocals to where they cost nothing.

a + (-b)  ->  a - b        (-a)*b  ->  -(a*b)   if -a is used only there, also repeated
a - (-b)  ->  a + b        x*(1/y) ->  x/y      if 1/y is used only there
4*(-a)    ->  -4*a
"""

from __future__ import annotations

from collections import Counter

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes.fold import exact

LONGEST = 8  # factors of a product whose sign a sum takes


def run(graph: Graph) -> Graph:
    uses = graph.uses()

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op in ("add", "sub"):
            return _sum(node, inputs, uses)
        if node.op in ("mul", "div"):
            return _product(node, inputs, uses)
        return _negation(remake(node, inputs), uses[node.inputs[0]] == 1)

    return rewrite(graph, rule, ops=("add", "sub", "mul", "div", "neg"))


def _sum(node: Node, inputs: tuple[Node, ...], uses: Counter[Node]) -> Node:
    make, type = node.pool.make, node.type
    left, right = inputs
    is_sum = node.op == "add"
    factor = _opposite(right)
    if factor is None and uses[node.inputs[1]] == 1:
        factor = _negative_factor(right)
    if factor is not None:
        right, is_sum = factor, not is_sum
    negative = _opposite(left) if is_sum else None
    if negative is not None:
        return make("sub", (right, negative), type)
    if factor is not None:
        return make("add" if is_sum else "sub", (left, right), type)
    return remake(node, inputs)


def _opposite(node: Node) -> Node | None:
    """x for a node that is -x, or that repeats one along new axes."""
    if node.op == "neg":
        return node.inputs[0]
    if node.op == "broadcast" and node.inputs[0].op == "neg":
        return node.pool.make(
            "broadcast", node.inputs[0].inputs, node.type, **dict(node.attributes)
        )
    return None


def _is_number(node: Node) -> bool:
    """Whether a node is a number, repeated at all places: its sign is written where it is used."""
    return node.op == "broadcast" and not node.inputs[0].array.shape


def _negative_factor(node: Node) -> Node | None:
    """k*x*y for a node that is (-k)*x*y."""
    chain: list[Node] = []
    while node.op in ("mul", "div", "broadcast") and len(chain) < LONGEST:
        chain.append(node)
        node = node.inputs[0]
    value = exact(node)
    if not chain or value is None or value >= 0:
        return None
    made = node.pool.constant(-value, node.array)
    for product in reversed(chain):
        xs = (made, *product.inputs[1:])
        made = node.pool.make(product.op, xs, product.type, **dict(product.attributes))
    return made


def _product(node: Node, inputs: tuple[Node, ...], uses: Counter[Node]) -> Node:
    make, type = node.pool.make, node.type
    left, right = inputs
    for here, there, old in zip(inputs, inputs[::-1], node.inputs, strict=True):
        opposite = _opposite(here)
        if opposite is None:
            continue
        value = exact(there)
        if value is not None and node.op == "mul":
            return make("mul", (node.pool.constant(-value, there.array), opposite), type)
        if uses[old] == 1 or _is_number(opposite):
            pair = (opposite, right) if here is left else (left, opposite)
            return make("neg", (make(node.op, pair, type),), type)
    if node.op == "mul":
        for here, there, old in ((right, left, node.inputs[1]), (left, right, node.inputs[0])):
            if here.op == "div" and uses[old] == 1 and exact(here.inputs[0]) == 1:
                return make("div", (there, here.inputs[1]), type)
    return remake(node, inputs)


def _negation(node: Node, single: bool) -> Node:
    """-(-a - b) is a + b but for the sign of a zero; -(k*a) is (-k)*a."""
    operand = node.inputs[0]
    if operand.op == "neg":
        return operand.inputs[0]
    if single and operand.op in ("add", "sub") and operand.inputs[0].op == "neg":
        left, right = operand.inputs
        op = "sub" if operand.op == "add" else "add"
        return node.pool.make(op, (left.inputs[0], right), node.type)
    if single and operand.op == "mul":
        value = exact(operand.inputs[0])
        if value is not None:
            constant = node.pool.constant(-value, operand.inputs[0].array)
            return node.pool.make("mul", (constant, operand.inputs[1]), node.type)
    return node


def inwards(graph: Graph) -> Graph:
    """-outer(a, b) -> outer(-a, b), -diag(a) -> diag(-a): fewer elements change their sign."""
    uses, named = graph.uses(), graph.notes.names

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        (product,) = inputs
        old = node.inputs[0]
        if product.op != "contract" or uses[old] > 1 or old in named:
            return remake(node, inputs)
        least = min(product.inputs, key=lambda x: len(x.array.shape))
        if len(least.array.shape) >= len(node.array.shape):
            return remake(node, inputs)
        place = product.inputs.index(least)
        signed = least.pool.make("neg", (least,), least.type)
        xs = (*product.inputs[:place], signed, *product.inputs[place + 1 :])
        return node.pool.make("contract", xs, node.type, **dict(product.attributes))

    return rewrite(graph, rule, ops=("neg",))
