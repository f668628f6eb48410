"""Gather the constants and signs of a product, and write them first.

    grad*3*(2*x)      ->  6*grad*x          x*(-y)*2   ->  -(2*x*y)
    0.5/total*(2*x)   ->  x/total           d/root*0.5 ->  0.5*d/root

Through products, quotients and negations that are used only there and that are no value of the
source. What is no constant keeps its place, so that only the rounding of constants changes. Very
large and very small ones stay where they are: 1e200*x*(1e200*y) may be 1, and 1e400*x*y is none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.passes.fold import exact, is_factor
from mgrad.compiler.passes.numbers import SIMPLE, digits, is_plain, multiple_of_pi

ONE = Fraction(1)
CHAIN = frozenset({"mul", "div", "neg"})
LARGEST = Fraction(10) ** 9  # of a constant that may move
SMALLEST = 1 / LARGEST
FEW = 3  # digits that nobody minds


@dataclass(slots=True)
class _Product:
    """`sign * over/under * rest`; no rest is 1."""

    rest: Node | None
    over: Fraction = ONE
    under: Fraction = ONE
    negative: bool = False
    inverse: bool = False  # the rest is below the line: over/(under*rest)
    constants: int = 0
    depth: int = 0  # how many products and quotients stand left of each other in the rest,
    below: int = 0  # and in its divisor

    def take(self, other: _Product, is_divisor: bool = False) -> None:
        """Take over the constants and the sign of an operand."""
        self.negative ^= other.negative
        if other.constants:
            over, under = (other.under, other.over) if is_divisor else (other.over, other.under)
            self.over, self.under = self.over * over, self.under * under
            self.constants += other.constants

    def combine(self, op: str, like: Node, left: _Product, right: _Product) -> None:
        assert left.rest is not None and right.rest is not None
        self.rest = _make(op, like, left.rest, right.rest)
        self.depth, self.below = left.depth + 1, right.depth
        self.inverse = False


def again(graph: Graph) -> Graph:
    """The same once more, if a product is left that is multiplied by a constant."""
    uses = Counter(i for node in graph.nodes() for i in node.inputs)
    for node in graph.nodes():
        if node.op == "mul" and node.inputs[0].op == "constant":
            right = node.inputs[1]
            if right.op in CHAIN and uses[right] == 1:
                return run(graph)
    return graph


def run(graph: Graph) -> Graph:
    uses = graph.uses()
    kept = _kept(graph)
    shared = _Shared(graph, uses, kept)
    parts: dict[Node, _Product] = {}  # of old nodes that stand inside a product

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if not _is_real(node):
            return remake(node, inputs)
        operands: list[_Product | None] = []  # None for a value that is only that
        for old, new in zip(node.inputs, inputs, strict=True):
            is_kept = old in kept
            inside = None if is_kept else parts.get(old)
            if inside is not None and (uses[old] == 1 or shared.takes(node, old)):
                operands.append(inside)
            elif new.op == "constant" or (new.op == "neg" and not is_kept):
                operands.append(_leaf(new))
            else:
                operands.append(None)
        if operands == [None, None]:
            same = remake(node, inputs)
            parts[node] = _Product(same, depth=1)
            return same
        product = parts[node] = _joined(
            node, [part or _Product(new) for part, new in zip(operands, inputs, strict=True)]
        )
        made = _written(product, node)
        return remake(node, inputs) if made is None else made

    return rewrite(graph, rule, ops=CHAIN)


def _kept(graph: Graph) -> set[Node]:
    """Values of the source, their gradients, and results: each is a line or an item of its own."""
    notes = graph.notes
    kept = set(notes.names) | set(graph.results)
    for adjoint, forward in notes.gradient_of.items():
        if forward in notes.names or forward.op == "parameter":
            kept.add(adjoint)
    return kept


class _Shared:
    """Which users take over the constant or sign of a value that has several.

    A negation's users always do. Those of a multiple do if they stand in a product with a constant
    of its own, so that nothing is added; of `k*a*b` all but one must, else a*b were made twice.
    """

    def __init__(self, graph: Graph, uses: Counter[Node], kept: set[Node]) -> None:
        order = graph.nodes()
        self._simple: set[Node] = set()
        self._all: set[Node] = set()
        multiples = {n for n in order if n.op in ("mul", "div") and uses[n] > 1 and n not in kept}
        multiples = {n for n in multiples if _has_constant(n)}
        if not multiples:
            return
        self._root: dict[Node, Node] = {}  # the product that a node stands in
        user: dict[Node, Node] = {}
        for node in reversed(order):
            if node.op in CHAIN:
                above = user.get(node, node)
                joins = above.op in CHAIN and uses[node] == 1 and node not in kept
                self._root[node] = self._root.get(above, node) if joins else node
            for operand in node.inputs:
                user[operand] = node
        self._own = {self._root[n] for n in order if n.op in CHAIN and _has_constant(n)}
        self._simple = {n for n in multiples if not any(i.op in CHAIN for i in n.inputs)}
        left: Counter[Node] = Counter(graph.results)  # users that would not take it for nothing
        for node in order:
            weight = 1 if node.op in CHAIN else 2
            if node.op not in CHAIN or self._root[node] not in self._own:
                for operand in dict.fromkeys(node.inputs):
                    if operand in multiples:
                        left[operand] += weight
        self._all = {n for n in multiples if left[n] <= 1}

    def takes(self, user: Node, value: Node) -> bool:
        if value.op == "neg" or value in self._all:
            return True
        return value in self._simple and self._root[user] in self._own


def _has_constant(node: Node) -> bool:
    return any(map(is_factor, node.inputs))


def _is_real(node: Node) -> bool:
    return isinstance(node.type, Type) and node.type.dtype == "real"


def _leaf(node: Node) -> _Product:
    """What a constant or a negation brings into a product."""
    if node.op == "neg":
        return _Product(node.inputs[0], negative=True)
    value = exact(node)
    if not value:
        return _Product(node)
    return _Product(None, abs(value), negative=value < 0, constants=1)


def _joined(node: Node, operands: list[_Product]) -> _Product:
    """The product of operands whose constants are taken out."""
    left = operands[0]
    product = _Product(left.rest, inverse=left.inverse, depth=left.depth, below=left.below)
    product.take(left)
    if node.op == "neg":
        product.negative = not product.negative
        return product
    right = operands[1]
    is_divisor = node.op == "div"
    product.take(right, is_divisor)
    if right.rest is None:
        return product
    is_below = right.inverse != is_divisor
    if left.rest is None:
        product.rest, product.inverse = right.rest, is_below
        product.depth, product.below = right.depth, right.below
    elif left.inverse and not is_below:
        product.combine("div", node, right, left)
    else:
        product.combine("mul" if left.inverse or not is_below else "div", node, left, right)
        product.inverse = left.inverse
    return product


def _make(op: str, like: Node, left: Node, right: Node) -> Node:
    return like.pool.make(op, (left, right), like.type)


def _written(product: _Product, like: Node) -> Node | None:
    """The node of a product; None where its constants had better stay where they are."""
    rest = product.rest
    if rest is None:
        return None
    if not product.constants:
        return -rest if product.negative else rest
    over, under = product.over, product.under
    if product.constants > 1 and not all(SMALLEST <= k <= LARGEST for k in (over, under)):
        return None
    if product.constants > 1 or not (is_plain(over) and is_plain(under)):
        over, under = _terms(over, under)
        if product.constants > 1 and not (is_plain(over) and is_plain(under)):
            return None
    if product.inverse:
        bottom = rest if under == 1 else _first(under, rest, product.depth)
        made = _make("div", like, like.pool.constant(over, like.array), bottom)
    else:
        made = rest if over == 1 else _first(over, rest, product.depth)
        if under != 1 and rest.op == "div" and product.depth:
            made = _make("div", like, made.inputs[0], _first(under, made.inputs[1], product.below))
        elif under != 1:
            made = _make("div", like, made, like.pool.constant(under, like.array))
    return -made if product.negative else made


def _terms(over: Fraction, under: Fraction) -> tuple[Fraction, Fraction]:
    """over/under with what they share divided out: (1, 2), (6, 1), (1/2, 1); in as few digits as
    can be."""
    ratio = over / under
    if is_plain(ratio) and (ratio.denominator in (1, 2) or not _is_whole(1 / ratio)):
        written = digits(ratio)
        if under == 1 or written <= FEW or written < digits(over) + digits(under):
            return ratio, ONE
    if ratio.numerator < SIMPLE and ratio.denominator < SIMPLE:
        return Fraction(ratio.numerator), Fraction(ratio.denominator)
    turns = multiple_of_pi(under)
    if turns is not None and multiple_of_pi(over) is None:
        return Fraction((over / turns).numerator), (over / turns).denominator * under / turns
    inverse = ONE, 1 / ratio
    if is_plain(inverse[1]) and digits(inverse[1]) < digits(over) + digits(under):
        return inverse
    return over, under


def _is_whole(value: Fraction) -> bool:
    return value.denominator == 1


def _first(number: Fraction, node: Node, depth: int) -> Node:
    """number*node, with the number before the first factor: (2*x)*y, (2*x)/y."""
    spine: list[Node] = []
    leaf = node
    for _ in range(depth):
        spine.append(leaf)
        leaf = leaf.inputs[0]
    made = _make("mul", node, node.pool.constant(number, node.array), leaf)
    for parent in reversed(spine):
        made = _make(parent.op, parent, made, parent.inputs[1])
    return made
