"""Where digits get lost, though the formula is right: each op of the program rounded to float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import sympy as sp

from mgrad.compiler.source import Span
from mgrad.compiler.verify.evaluation import Evaluation, evaluate
from mgrad.compiler.verify.reference import Reference, RefNode
from mgrad.compiler.verify.rewrites import offer
from mgrad.compiler.verify.terms import placeholder

LARGEST, SMALLEST = mpmath.mpf(2) ** 1024, mpmath.mpf(2) ** -1022
WORTH = 1.0  # digits that an op loses by itself before it is named


@dataclass(frozen=True, slots=True)
class Loss:
    """`kind`: cancellation, meeting (of the parts of a gradient, which cancel), overflow,
    magnification (an op that makes the rounding of its operand large) or accuracy (a built-in that
    is right to an ulp of 1 only; `note` says so), or zero (what is left where all cancels)."""

    kind: str
    digits: float  # what is left, of 16
    span: Span | None
    note: str = ""
    rewrite: str | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        place = (self.span.start, self.span.end) if self.span is not None else (-1, -1)
        return (self.kind, *place)


def find_loss(reference: Reference, known: Mapping[int, Any], roots: Sequence[int]) -> Loss | None:
    """The op that loses most on the way to the roots; a built-in of absolute accuracy where none
    does; None where rounding each op costs nothing, so that the text must be at fault."""
    dag = reference.dag
    true = Evaluation(dag, known)
    rounded: list[Any] = []
    for term in dag.terms:
        value = evaluate(term, rounded, known)
        rounded.append(value if isinstance(value, bool) else _rounded(value))
    good: dict[int, float] = {}

    def left(term: int) -> float:
        if term not in good:
            good[term] = _agreement(rounded[term], true[term])
        return good[term]

    needed = _cone(reference, roots)
    worst: tuple[float, RefNode] | None = None
    for node in reference.nodes:
        if node.term not in needed or node.kind not in ("op", "scale") or not node.operands:
            continue
        lost = min(left(reference.nodes[o].term) for o in node.operands) - left(node.term)
        if lost > WORTH and (worst is None or lost > worst[0]):
            worst = (lost, node)
    accurate = [
        n
        for n in reference.nodes
        if n.meaning is not None and n.meaning.accuracy and n.term in needed
    ]
    if worst is not None:
        node = worst[1]
        return Loss(*_describe(reference, node, rounded[node.term], true[node.term]))
    if accurate:
        return Loss("accuracy", 0.0, accurate[0].span, accurate[0].meaning.accuracy)  # type: ignore[union-attr]
    return None


def _describe(
    reference: Reference, node: RefNode, rounded: Any, true: Any
) -> tuple[str, float, Span | None, str, str | None]:
    left = round(_agreement(rounded, true), 1)
    if not mpmath.isfinite(rounded) or abs(true) >= LARGEST:
        return "overflow", left, node.span, "", None
    if node.index in reference.meetings:
        return "meeting", left, reference.meetings[node.index], "", None
    is_sum = node.meaning is not None and node.meaning.expression.is_Add
    if not is_sum:
        return "magnification", left, node.span, "", None
    forms = (offer(expression_of(reference, node, depth)) for depth in (1, 2, 3))
    return "cancellation", left, node.span, "", next((f for f in forms if f), None)


def _rounded(value: Any) -> Any:
    with mpmath.workprec(53):
        value = +value
    if abs(value) >= LARGEST:
        return mpmath.inf if value > 0 else -mpmath.inf
    return mpmath.mpf(0) if abs(value) < SMALLEST * mpmath.mpf(2) ** -53 else value


def _agreement(rounded: Any, true: Any) -> float:
    if isinstance(true, bool) or rounded == true or true != true:
        return 16.0 if rounded == true or true != true else 0.0
    if not (mpmath.isfinite(rounded) and mpmath.isfinite(true)):
        return 0.0
    error = abs(rounded - true)
    if error <= SMALLEST:
        return 16.0
    return float(min(16, max(0, -mpmath.log10(error / max(abs(true), SMALLEST)))))


def _cone(reference: Reference, roots: Sequence[int]) -> set[int]:
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        index = stack.pop()
        if index not in seen:
            seen.add(index)
            stack.extend(reference.dag.terms[index].operands)
    return seen


def expression_of(reference: Reference, node: RefNode, depth: int) -> Any:
    """The node as a SymPy expression of names and of what lies deeper."""
    name = reference.names.get(node.index)
    while node.kind == "mark":
        node = reference.nodes[node.operands[0]]
        name = name or reference.names.get(node.index)
    term = reference.dag.terms[node.term]
    if term.head == "constant":
        value = term.payload
        is_ratio = hasattr(value, "numerator") and not isinstance(value, bool)
        return sp.Rational(value.numerator, value.denominator) if is_ratio else sp.sympify(value)
    if term.head == "symbol":
        return sp.Symbol(term.payload[0], real=True)
    if depth == 0 or node.meaning is None:
        text = name or (node.span.text if node.span is not None else f"t{node.term}")
        return sp.Symbol(text, real=True)
    operands = [expression_of(reference, reference.nodes[o], depth - 1) for o in node.operands]
    return node.meaning.expression.xreplace({placeholder(i): e for i, e in enumerate(operands)})
