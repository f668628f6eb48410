"""Collect multiples of one value in a sum.

    c2 = c + (c + 1); c3 = c2 + (1 + c2 + (-a))   ->   c3 = 4*c + 3 - a

Through values used only there, and with coefficients of one sign: `(t - s) - y`, the correction of
Kahan's summation, and inf - inf stay as they are. A sum of many values is not multiplied out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph, carry, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.passes.fold import exact, is_factor

LIMIT = 12  # of terms in a form: what is longer is a value of its own
BITS = 53  # of a coefficient's parts: a float holds them exactly
ONE = Fraction(1)
MINUS_ONE = -ONE
Key = tuple[Node | None, bool]  # a value (None is 1), and whether its coefficient is positive


@dataclass(frozen=True, slots=True)
class Form:
    terms: dict[Key, Fraction]

    def is_one_sign(self) -> bool:
        """Whether nothing cancels in it: 3*(1 - x) stays, 3 - 3*x would be wrong next to 1."""
        return len({positive for _, positive in self.terms}) <= 1

    def values(self) -> int:
        return sum(1 for node, _ in self.terms if node is not None)


def run(graph: Graph) -> Graph:
    order = graph.nodes()
    uses: dict[Node, list[Node]] = {}
    for node in order:
        for operand in node.inputs:
            uses.setdefault(operand, []).append(node)
    affine = {node for node in order if _is_affine(node)}
    owner: dict[Node, Node] = {}
    results = set(graph.results)
    for node in reversed(order):
        if node not in affine:
            continue
        owners = {owner.get(u, u) for u in uses.get(node, ())}
        only = next(iter(owners)) if len(owners) == 1 else None
        owner[node] = only if only in affine and only is not None and node not in results else node
    promising = _promising(order, owner)
    if not promising:
        return graph
    forms: dict[Node, tuple[Form, bool]] = {}  # of old nodes; whether anything was merged
    written: dict[Node, Node] = {}
    late: dict[Node, Node] = {}  # what stands for a node that was written after its turn

    def write(old: Node, new: Node) -> Node:
        """The collected sum of a node; what lies inside another sum is only written if need be."""
        form, merged = forms.get(old, (None, False))
        if form is None or not merged:
            return new
        found = written.get(old)
        if found is None:
            found = written[old] = late[new] = _emit(form, old)
        return found

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if owner.get(node) not in promising:
            return remake(node, inputs)
        parts: list[tuple[Form, Fraction]] = []
        for old, new, factor in zip(node.inputs, inputs, _factors(node), strict=True):
            if factor is None:
                continue
            value = exact(new)
            form, _ = forms.get(old, (None, False))
            if value is not None:
                parts.append((Form({(None, value > 0): value}), factor))
            elif (
                form is not None
                and owner.get(old) is owner[node]
                and (_is_unit(factor) or form.is_one_sign())
                and (form.values() <= 1 or (len(uses[old]) == 1 and _is_unit(factor)))
            ):
                parts.append((form, factor))
            else:
                parts.append((Form({(write(old, new), True): ONE}), factor))
        form, merged = _sum(parts)
        is_too_large = len(form.terms) > LIMIT or not _is_small(form)
        if is_too_large or not merged:
            made = remake(node, tuple(map(write, node.inputs, inputs)))
            forms[node] = (Form({(made, True): ONE}) if is_too_large else form), False
            return made
        forms[node] = form, True
        made = remake(node, inputs)
        return write(node, made) if owner[node] is node else made

    result = rewrite(graph, rule)
    return result.noted(carry(result.notes, late)) if late else result


def _promising(order: list[Node], owner: dict[Node, Node]) -> set[Node]:
    """The owners of sums in which a value, or a constant, occurs twice, or a multiple of a sum."""
    found: set[Node] = set()
    leaves: set[tuple[Node, Node | None]] = set()
    for node in order:
        mine = owner.get(node)
        if mine is None or mine in found:
            continue
        for operand in node.inputs:
            is_number = operand.op == "constant"
            if not is_number and owner.get(operand) is mine:
                if node.op == "mul":
                    found.add(mine)
            elif not (is_number and node.op == "mul"):
                leaf = (mine, None if is_number else operand)
                if leaf in leaves:
                    found.add(mine)
                leaves.add(leaf)
    return found


def _is_affine(node: Node) -> bool:
    if node.op in ("add", "sub", "neg"):
        return node.array.dtype == "real"
    return node.op == "mul" and any(map(is_factor, node.inputs))


def _factors(node: Node) -> tuple[Fraction | None, ...]:
    """What each operand is multiplied by; None for the constant factor itself."""
    if node.op == "add":
        return ONE, ONE
    if node.op == "sub":
        return ONE, MINUS_ONE
    if node.op == "neg":
        return (MINUS_ONE,)
    left, right = exact(node.inputs[0]), exact(node.inputs[1])
    return (None, left) if left is not None else (right, None)


def _sum(parts: list[tuple[Form, Fraction]]) -> tuple[Form, bool]:
    total: dict[Key, Fraction] = {}
    merged = False
    for form, factor in parts:
        scaled = not _is_unit(factor)
        is_positive = factor > 0
        for (node, positive), coefficient in form.terms.items():
            key = (node, positive is is_positive)
            value = coefficient if factor is ONE else coefficient * factor
            known = total.get(key)
            if known is not None or (scaled and (len(form.terms) > 1 or not _is_unit(coefficient))):
                merged = True
            total[key] = value if known is None else known + value
    return Form(total), merged


def _is_unit(factor: Fraction) -> bool:
    return factor is ONE or factor is MINUS_ONE or abs(factor) == 1


def _is_small(form: Form) -> bool:
    return all(
        c is ONE or (c.numerator.bit_length() <= BITS and c.denominator.bit_length() <= BITS)
        for c in form.terms.values()
    )


def _emit(form: Form, like: Node) -> Node:
    """The terms in their order, but a positive one first."""
    terms = [(node, c) for (node, _), c in form.terms.items()]
    first = next((i for i, (_, c) in enumerate(terms) if c > 0), 0)
    terms = [terms[first], *terms[:first], *terms[first + 1 :]]
    pool, type = like.pool, like.array
    total: Node | None = None
    for node, coefficient in terms:
        size = coefficient if total is None else abs(coefficient)
        if node is None:
            value = pool.constant(size, type)
        elif size == 1:
            value = node
        elif size == -1:
            value = -node
        else:
            value = pool.constant(size, type) * node
        total = value if total is None else total + value if coefficient > 0 else total - value
    assert total is not None
    return total
