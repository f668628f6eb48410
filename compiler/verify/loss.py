"""Why a number has few digits though its formula is right: which rounding counts, and where in the
source it is made large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath

from mgrad.compiler.source import Span
from mgrad.compiler.verify.evaluation import Evaluation
from mgrad.compiler.verify.reference import Reference, RefNode
from mgrad.compiler.verify.rewrites import Place, is_written, offer
from mgrad.compiler.verify.rounding import (
    LARGEST,
    SMALLEST,
    Roundings,
    is_opaque,
    roundings,
)
from mgrad.compiler.verify.spelling import brief, quoted

GENEROUS = 64  # times the roundings of the reference: the text has others, in another order
NAMED = 8  # times that one step makes a rounding larger, before it is named
CONDITION = 16  # times the rounding of the arguments that a program may be off without a fault
FELT = 1e-13  # of a result
HOPELESS = mpmath.mpf(10) ** -30  # of the roundings: what is smaller is 0 by mathematics


@dataclass(frozen=True, slots=True)
class Loss:
    """Why digits are lost; `note` says it in the source's words. `kind` is one of

    - cancellation, or meeting: of the parts of a derivative;
    - magnification: an op makes the rounding of its operand large;
    - overflow, underflow, infinite: of a number on the way, the last in truth;
    - condition: the result moves as much with the last bit of an argument;
    - zero: the true number is 0, what is left is rounding;
    - extern: its values are known to float64's digits only; sum: of many roundings;
    - accuracy: a built-in is known to have few digits there;
    - raises: the module raised.
    """

    kind: str
    digits: float  # what is left, of 16
    span: Span | None
    note: str = ""
    rewrite: str | None = None

    @property
    def key(self) -> tuple[str, int, int]:
        place = (self.span.start, self.span.end) if self.span is not None else (-1, -1)
        return (self.kind, *place)


class Diagnosis:
    """What can be said at one point of a function. The precision is that of the mpmath context."""

    def __init__(self, reference: Reference, known: Mapping[int, Any]) -> None:
        self.reference = reference
        self.dag = reference.dag
        self.values = Evaluation(reference.dag, known)
        self.nodes: dict[int, RefNode] = {}  # by term; of the source first, then of its derivatives
        for node in reference.nodes:
            if node.kind in ("op", "scale") and node.span is not None:
                known_node = self.nodes.get(node.term)
                if known_node is None or (_rank(reference, node) < _rank(reference, known_node)):
                    self.nodes[node.term] = node
        self._inexact: dict[Span | None, str] = {
            node.span: f"{node.meaning.name} has few digits there: see its accuracy below"
            for node in reference.nodes
            if node.meaning is not None and node.meaning.accuracy
        }

    def loss(self, root: int, computed: float | None) -> Loss | None:
        """Why `computed` (None for what is no number) is not the value of a term; None where
        rounding each op explains it not, so that the text must be at fault."""
        true = self.values[root]
        found = roundings(self.dag, self.values, root)
        finite = computed is not None and mpmath.isfinite(computed)
        error = abs(mpmath.mpf(computed) - true) if finite else mpmath.inf
        if error == 0:
            return None
        if not finite or error >= abs(true) / 2:
            beyond = self._out_of_range(found) or self._infinite(found)
            if beyond is not None:
                return beyond
        total = found.total()
        lost_all = total >= abs(true) / 16
        if not (error <= GENEROUS * total or (lost_all and true != 0)):
            return self._built_in(found)
        externs = sum(found.damage(t) for t in found.live if is_opaque(self.dag.terms[t]))
        if finite and abs(true) <= total * HOPELESS:
            return self._zero(found, computed)
        if error <= CONDITION * sum(found.of_arguments().values()):
            return Loss("condition", 0.0, None, _condition(found))
        if finite and abs(true) <= GENEROUS * externs:
            return self._zero(found, computed)
        left = float(min(16, max(0, -mpmath.log10(error / abs(true))))) if finite else 0.0
        return self._place(found, externs, left)

    # ---------------------------------------------------------------------------- out of range

    def _out_of_range(self, found: Roundings) -> Loss | None:
        """The first number on the way that is too large for a float, or too small."""
        for term in found.live:
            value = self.values[term]
            if isinstance(value, bool) or not mpmath.isfinite(value) or value == 0:
                continue
            node = self.nodes.get(term)
            if node is None or term == found.root:
                continue
            if abs(value) >= LARGEST:
                return Loss("overflow", 0.0, node.span, self._beyond(node, "above 1.8e308"))
            is_felt = found.weight(term) > abs(self.values[found.root]) * FELT
            if abs(value) < SMALLEST and is_felt:
                return Loss("underflow", 0.0, node.span, self._beyond(node, "below 2.2e-308"))
        return None

    def _infinite(self, found: Roundings) -> Loss | None:
        """A number on the way that is infinite in truth, as 1/0 and sqrt'(0) are."""
        for term in found.live:
            value = self.values[term]
            if term in self.nodes and not isinstance(value, bool) and mpmath.isinf(value):
                node = self.nodes[term]
                return Loss("infinite", 0.0, node.span, f"{self._named(node)} is infinite there")
        return None

    def _beyond(self, node: RefNode, limit: str) -> str:
        what = "overflows" if "above" in limit else "underflows"
        name = node.meaning.name if node.meaning is not None else ""
        operands = [self.values[self.reference.nodes[o].term] for o in node.operands]
        number = brief(self.values[node.term])
        if name and node.span is not None and node.span.text.startswith(f"{name}("):
            number = f"{name}({', '.join(map(brief, operands))})"
        return f"{self._named(node)} {what}: {number} is {limit}"

    # ------------------------------------------------------------------------------ what is left

    def _zero(self, found: Roundings, computed: Any) -> Loss:
        step = self._largest_step(found)
        node = self._node_above(found, step[0]) if step is not None else None
        is_exact = abs(self.values[found.root]) <= found.total() * HOPELESS
        right = "0" if is_exact else "next to 0"
        note = f"the true number is {right}; {brief(computed, 2)} is rounding"
        if node is None or not _is_sum(node) or node.index in self.reference.meetings:
            return Loss("zero", 0.0, None, note)
        return Loss("zero", 0.0, node.span, f"{note} of what cancels in {self._named(node)}")

    def _place(self, found: Roundings, externs: Any, left: float) -> Loss:
        step = self._largest_step(found)
        if step is None:
            if externs > found.total() / 4:
                worst = max(found.live, key=lambda t: found.damage(t))
                span = self.nodes[worst].span if worst in self.nodes else None
                return Loss("extern", left, span, "an extern is known to 16 digits only")
            count = sum(1 for t in found.live if found.damage(t))
            return Loss("sum", left, None, f"the roundings of {count} numbers add up")
        consumer, _, _ = step
        node = self._node_above(found, consumer)
        if node is None:
            return Loss("sum", left, None, "the roundings on the way add up")
        return self._describe(node, left)

    def _largest_step(self, found: Roundings) -> tuple[int, int, Any] | None:
        """Up from the rounding that counts most: the step (consumer, operand, factor) after which
        it counts least in relation to what it is part of."""
        inexact = [t for t in found.live if t != found.root and found.damage(t) > 0]
        if not inexact:
            return None
        term = max(inexact, key=found.damage)
        best: tuple[int, int, Any] | None = None
        while term != found.root and term in found.consumers:
            consumer = max(
                found.consumers[term], key=lambda c: abs(found.slopes.get(c[0], 0) * c[1])
            )[0]
            above = found.weight(consumer)
            factor = found.weight(term) / above if above else mpmath.inf
            if factor > NAMED and (best is None or factor > best[2]):
                best = (consumer, term, factor)
            term = consumer
        return best

    def _node_above(self, found: Roundings, term: int) -> RefNode | None:
        """The node of the source that a term belongs to."""
        while term not in self.nodes:
            if term not in found.consumers:
                return None
            term = found.consumers[term][0][0]
        return self.nodes[term]

    def _describe(self, node: RefNode, left: float) -> Loss:
        reference = self.reference
        if node.index in reference.meetings:
            return Loss("meeting", left, reference.meetings[node.index], self._parts(node))
        if not is_written(node):
            known = self._inexact.get(node.span)
            if known is not None:
                return Loss("accuracy", left, node.span, known)
            note = f"{self._named(node)} enlarges the rounding of its operand"
            return Loss("magnification", left, node.span, note)
        rewrite = offer(Place(reference, node, self.values))
        if _is_sum(node):
            return Loss("cancellation", left, node.span, f"{self._named(node)} cancels", rewrite)
        note = f"{self._named(node)} enlarges the rounding of its operand"
        if rewrite is not None:
            note += f"; {quoted(rewrite)} does not"
        return Loss("magnification", left, node.span, note, rewrite)

    def _parts(self, node: RefNode) -> str:
        """The parts of a derivative that cancel, by the places where they come from."""
        reference = self.reference
        of = reference.meetings[node.index]
        name = quoted(of.text) if of is not None else ""
        parts: dict[str, None] = {}
        for part in _addends(reference, node):
            if part.span is not None:
                parts[self._text(part)] = None
        parts.pop(name, None)
        *some, last = parts or ("",)
        where = f" from {', '.join(some)} and {last}" if 1 <= len(some) <= 2 else ""
        by = f"d/d{name[1:-1]}" if name[1:-1].isidentifier() else f"the derivative by {name}"
        return f"the parts of {by}{where} cancel"

    def _named(self, node: RefNode) -> str:
        """A node in the source's words; a partial as the derivative of what it is the partial of"""
        text = self._text(node)
        is_own = node.kind != "op" or is_written(node) or (node.meaning and node.meaning.extern)
        return text if is_own else f"the derivative of {text}"

    def _text(self, node: RefNode) -> str:
        assert node.span is not None
        externs = {e.span: e.name for e in self.reference.program.externs.values()}
        return quoted(externs.get(node.span, node.span.text))

    def _built_in(self, found: Roundings) -> Loss | None:
        """A built-in on the way that is known not to be right to the last digit."""
        live = set(found.live)
        for node in self.reference.nodes:
            if node.span in self._inexact and any(
                self.reference.nodes[o].term in live for o in node.operands
            ):
                return Loss("accuracy", 0.0, node.span, self._inexact[node.span])
        return None


def _rank(reference: Reference, node: RefNode) -> int:
    """Of several nodes with one term, the one that stands in the source is named."""
    if node.kind == "op" and node.meaning is not None and node.meaning.name:
        return 1 if node.index in reference.meetings else 0
    return 2


def _is_sum(node: RefNode) -> bool:
    return node.meaning is not None and bool(node.meaning.expression.is_Add)


def _addends(reference: Reference, node: RefNode) -> Iterator[RefNode]:
    """The terms of a sum of cotangents."""
    stack = [node]
    while stack:
        made = stack.pop()
        if made.index in reference.meetings:
            stack += [reference.nodes[o] for o in reversed(made.operands)]
        else:
            yield made


def _condition(found: Roundings) -> str:
    moved = found.of_arguments()
    most = max(moved.values())
    names = [name for name, by in moved.items() if by > most / 100]
    *some, last = names
    said = f"{', '.join(some)} or {last}" if some else last
    return (
        f"ill-conditioned there, not the code's fault: the last bit of {said} moves the true "
        "number as much"
    )
