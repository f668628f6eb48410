"""Cancel an exponential that a product is divided by and multiplied with.

x/exp(t)*y*exp(t)  ->  x*y        x*exp(t)/exp(t)  ->  x

So comes the gradient of r/exp(2*s) by s. An exponential is neither 0 nor infinite; where its float
is, what is left is right, and the product would be nan.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes.fold import exact

LONGEST = 8  # factors to look through


def run(graph: Graph) -> Graph:
    uses, named = graph.uses(), graph.notes.names

    def is_free(old: Node) -> bool:
        return uses[old] == 1 and old not in named

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        left, right = inputs
        found = None
        if _is_exponential(right):
            inverse = "div" if node.op == "mul" else "mul"
            found = _without(node.inputs[0], left, right, inverse, is_free)
        if found is None and node.op == "mul" and _is_exponential(left):
            found = _without(node.inputs[1], right, left, "div", is_free)
        return remake(node, inputs) if found is None else found

    return rewrite(graph, rule, ops=("mul", "div"))


def _is_exponential(node: Node) -> bool:
    return (node.inputs[0] if node.op == "broadcast" else node).op == "exp"


def _rest(node: Node, factor: Node) -> Fraction | None:
    """k of a node that is k times a factor."""
    if node is factor:
        return Fraction(1)
    if node.op == "mul" and node.inputs[1] is factor:
        return exact(node.inputs[0])
    return None


def _without(
    old: Node, product: Node, factor: Node, op: str, is_free: Callable[[Node], bool]
) -> Node | None:
    """A product without the step `op` by a factor; None if it has none."""
    chain: list[Node] = []
    while product.op in ("mul", "div", "neg") and old.op == product.op and len(chain) < LONGEST:
        rest = _rest(product.inputs[1], factor) if product.op == op else None
        if rest is not None:
            made = product.inputs[0]
            if rest != 1:
                number = made.pool.constant(rest, made.array)
                made = made.pool.make(op, (made, number), made.type)
            for step in reversed(chain):
                place = _place(step)
                xs = (*step.inputs[:place], made, *step.inputs[place + 1 :])
                made = step.pool.make(step.op, xs, step.type)
            return made
        if op == "mul" and product.op == op and product.inputs[0] is factor and not chain:
            return product.inputs[1]
        place = _place(product)
        if not place and not is_free(old):  # a multiple costs nothing that is shared
            return None
        chain.append(product)
        product, old = product.inputs[place], old.inputs[place]
    return None


def _place(step: Node) -> int:
    """Where the product goes on: a constant stands before it."""
    return int(step.op == "mul" and exact(step.inputs[0]) is not None)
