"""Terms: the one form in which the checker holds both the reference and the emitted text.

A term is an analytic function (a SymPy template over placeholders) of earlier terms, or a choice:
`select`, a comparison, a connective. Templates with pieces (`Abs`, `Max`, `Piecewise`) are taken
apart on entry, so that regions are seen. Terms are interned, and their order is topological.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import sympy as sp

from mgrad.compiler.verify.arithmetic import compile_expression

PLACEHOLDERS: list[Any] = []


def placeholder(position: int) -> Any:
    """The real symbol that stands for operand `position` of a template."""
    while len(PLACEHOLDERS) <= position:
        PLACEHOLDERS.append(sp.Symbol(f"_{len(PLACEHOLDERS)}", real=True))
    return PLACEHOLDERS[position]


class BudgetExceeded(Exception):
    """The checker has made as many terms as it may."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """An analytic function. `evaluate` takes mpmath numbers (IEEE-like at the edges)."""

    expression: Any
    serial: int
    evaluate: Callable[..., Any]
    is_commutative: bool
    is_sum: bool


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """`head`: symbol (payload its name), constant (payload Fraction | bool | float | a SymPy
    number), template, scale (a product with a cotangent: the 0 of a branch annihilates), select,
    lt, le, eq, and, or, not."""

    index: int
    head: str
    operands: tuple[int, ...]
    template: Template | None = None
    payload: Any = None


PRODUCT = placeholder(0) * placeholder(1)
COMMUTATIVE = (placeholder(0) + placeholder(1), PRODUCT)

# By expression: what a template is, and what an expression is made of. Both depend on it alone.
TEMPLATES: dict[tuple[Any, Callable[..., Any] | None], Template] = {}
SHAPES: dict[Any, tuple[Any, ...]] = {}


class Dag:
    """Makes and interns terms."""

    def __init__(self, limit: int = 200_000) -> None:
        self.terms: list[Term] = []
        self.limit = limit
        self._interned: dict[object, int] = {}
        self._templates: dict[Any, Template] = {}
        # the value of a term at a point, and the places that are settled by it: elsewhere in their
        # region they are the same
        self.value_at_a_point: Callable[[int], Any] | None = None
        self.settled: dict[int, int] = {}

    def _make(
        self,
        head: str,
        operands: tuple[int, ...],
        template: Template | None = None,
        payload: Any = None,
    ) -> int:
        serial = template.serial if template is not None else -1
        key = (head, serial, operands, payload, payload.__class__)
        found = self._interned.get(key)
        if found is None:
            if len(self.terms) >= self.limit:
                raise BudgetExceeded(f"more than {self.limit} terms")
            found = len(self.terms)
            self.terms.append(Term(found, head, operands, template, payload))
            self._interned[key] = found
        return found

    def symbol(self, name: str, kind: str = "real") -> int:
        return self._make("symbol", (), payload=(name, kind))

    def constant(self, value: Any) -> int:
        """A Fraction, a bool, an infinite float, or a SymPy number such as pi."""
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole or (isinstance(value, float) and math.isfinite(value)):
            value = Fraction(value)
        elif isinstance(value, float) and value != value:
            value = sp.nan
        return self._make("constant", (), payload=value)

    def template(self, expression: Any, evaluate: Callable[..., Any] | None = None) -> Template:
        """The template of an expression over placeholders; `evaluate` counts on first entry."""
        found = self._templates.get(expression)
        if found is None:
            found = self._templates[expression] = _template(expression, evaluate)
        return found

    def scale(self, cotangent: int, partial: int) -> int:
        """The product of a cotangent with a partial derivative."""
        for this, other in ((cotangent, partial), (partial, cotangent)):
            value = self.number(this)
            if value == 1:
                return other
            if value == 0:
                return self.constant(0)
        return self._make("scale", (cotangent, partial), self.template(PRODUCT))

    def number(self, term: int) -> Fraction | None:
        """The value of a rational constant."""
        made = self.terms[term]
        if made.head == "constant" and isinstance(made.payload, Fraction):
            return made.payload
        return None

    def whole(self, term: int) -> int | None:
        """The int that a term is: a constant, or settled by what it is at a point."""
        number = self.number(term)
        if number is None and self.value_at_a_point is not None:
            value = self.value_at_a_point(term)
            if float(value).is_integer():
                return self.settled.setdefault(term, int(value))
        is_whole = number is not None and number.denominator == 1
        return int(number) if number is not None and is_whole else None

    def select(self, condition: int, then: int, orelse: int) -> int:
        known = self.terms[condition]
        if known.head == "constant":
            return then if known.payload else orelse
        return then if then == orelse else self._make("select", (condition, then, orelse))

    def compare(self, relation: str, left: int, right: int) -> int:
        """`<`, `<=`, `>`, `>=`, `==`, `!=`."""
        if relation == "!=":
            return self.negate(self.compare("==", left, right))
        if relation in (">", ">="):
            left, right, relation = right, left, relation.replace(">", "<")
        a, b = self.number(left), self.number(right)
        if a is not None and b is not None:
            return self.constant({"<": a < b, "<=": a <= b, "==": a == b}[relation])
        return self._make({"<": "lt", "<=": "le", "==": "eq"}[relation], (left, right))

    def negate(self, term: int) -> int:
        made = self.terms[term]
        if made.head == "not":
            return made.operands[0]
        if made.head == "constant":
            return self.constant(not made.payload)
        return self._make("not", (term,))

    def connect(self, head: str, operands: Sequence[int]) -> int:
        """`and` or `or`."""
        kept: list[int] = []
        for operand in operands:
            made = self.terms[operand]
            if made.head == "constant":
                if bool(made.payload) is (head == "or"):
                    return operand
            else:
                kept.append(operand)
        if not kept:
            return self.constant(head == "and")
        return kept[0] if len(kept) == 1 else self._make(head, tuple(kept))

    def numbers(self) -> list[Fraction]:
        """The exact numbers that terms are made of."""
        found: dict[Fraction, None] = {}
        for term in self.terms:
            if isinstance(term.payload, Fraction):
                found[term.payload] = None
        for template in dict.fromkeys(t.template for t in self.terms if t.template is not None):
            for atom in sorted(template.expression.atoms(sp.Rational), key=sp.default_sort_key):
                if atom.is_finite:
                    found[Fraction(int(atom.p), int(atom.q))] = None
        return list(found)

    def compared(self) -> list[Fraction]:
        """The numbers that values are compared with: where branches meet."""
        found: dict[Fraction, None] = {}
        for term in self.terms:
            if term.head in ("lt", "le", "eq"):
                for operand in term.operands:
                    value = self.number(operand)
                    if value is not None:
                        found[value] = None
        return list(found)

    def truth(self, term: int) -> int:
        """A condition from a bool or a number, as Python takes it."""
        made = self.terms[term]
        if made.head in ("lt", "le", "eq", "and", "or", "not"):
            return term
        if made.head == "constant":
            return self.constant(bool(made.payload))
        if made.head == "symbol" and made.payload[1] == "bool":
            return term
        if made.head == "select" and any(
            isinstance(self.terms[o].payload, bool) for o in made.operands[1:]
        ):
            c, a, b = made.operands
            return self.connect(
                "or", [self.connect("and", [c, a]), self.connect("and", [self.negate(c), b])]
            )
        return self.negate(self.compare("==", term, self.constant(0)))

    def is_condition(self, term: int) -> bool:
        made = self.terms[term]
        return (
            made.head in ("lt", "le", "eq", "and", "or", "not")
            or (made.head == "constant" and isinstance(made.payload, bool))
            or (made.head == "symbol" and made.payload[1] == "bool")
        )

    def amount(self, term: int) -> int:
        """A condition as the number 0 or 1; numbers stay."""
        if self.is_condition(term):
            return self.select(term, self.constant(1), self.constant(0))
        return term

    def apply(
        self, expression: Any, operands: Sequence[int], evaluate: Callable[..., Any] | None = None
    ) -> int:
        """The term of an expression over placeholders, applied to operands."""
        steps = SHAPES.get(expression)
        if steps is None:
            whole = expression.replace(sp.Mod, lambda a, b: a - b * sp.floor(a / b))
            steps = SHAPES[expression] = _decompose(whole)
        made: list[int] = []
        for head, body, sources in steps:
            inputs = tuple(operands[s] if s >= 0 else made[-s - 1] for s in sources)
            if head == "template":
                if body.is_Symbol:
                    made.append(inputs[0])
                elif not inputs:
                    rational = body.is_Rational and body.is_finite
                    value = Fraction(int(body.p), int(body.q)) if rational else body
                    made.append(self.constant(value))
                else:
                    amounts = tuple(self.amount(i) for i in inputs)
                    rule = evaluate if body == expression else None
                    made.append(self._template_term(self.template(body, rule), amounts))
            elif head == "select":
                made.append(self.select(self.truth(inputs[0]), inputs[1], inputs[2]))
            elif head in ("and", "or"):
                made.append(self.connect(head, [self.truth(i) for i in inputs]))
            elif head == "not":
                made.append(self.negate(self.truth(inputs[0])))
            else:
                made.append(self.compare(head, self.amount(inputs[0]), self.amount(inputs[1])))
        return made[-1]

    def _template_term(self, template: Template, operands: tuple[int, ...]) -> int:
        """Folds what is exact and simple: x + 0, x*1, x*0 never (0*inf), numbers with numbers."""
        numbers = [self.number(o) for o in operands]
        if all(n is not None for n in numbers) and _is_exact(template.expression):
            value = template.expression.xreplace(  # all at once: 0/0 is not 0
                {
                    placeholder(i): sp.Rational(n.numerator, n.denominator)
                    for i, n in enumerate(numbers)
                    if n is not None
                }
            )
            if value.is_Rational and value.is_finite and abs(value.q) < 10**200:
                return self.constant(Fraction(int(value.p), int(value.q)))
        if template.expression == COMMUTATIVE[0]:
            for this, other in ((0, 1), (1, 0)):
                if numbers[this] == 0:
                    return operands[other]
        return self._make("template", operands, template)


@cache
def _is_exact(expression: Any) -> bool:
    """Whether it is a rational number wherever its placeholders are: a ratio of polynomials, of
    which parts may be rounded to whole numbers."""
    steps = {part: sp.Dummy() for part in expression.atoms(sp.floor, sp.ceiling)}
    inner = all(_is_exact(part.args[0]) for part in steps)
    return inner and bool(expression.xreplace(steps).is_rational_function())


def _template(expression: Any, evaluate: Callable[..., Any] | None) -> Template:
    found = TEMPLATES.get((expression, evaluate))
    if found is None:
        arity = 1 + max((_position(s) for s in expression.free_symbols), default=-1)
        rule = evaluate or compile_expression(expression, PLACEHOLDERS[:arity])
        is_sum = expression == COMMUTATIVE[0]
        found = Template(expression, len(TEMPLATES), rule, expression in COMMUTATIVE, is_sum)
        TEMPLATES[expression, evaluate] = found
    return found


def _position(symbol: Any) -> int:
    return int(symbol.name[1:])


def _decompose(expression: Any) -> tuple[Any, ...]:
    """Steps (head, body, sources) that compute an expression; its pieces are steps of their own.

    A source counts operands from 0 and earlier steps from -1 downwards. Conditions on `Eq`,
    inequalities and connectives become comparisons.
    """
    steps: list[tuple[str, Any, tuple[int, ...]]] = []
    known: dict[Any, int] = {}

    def emit(head: str, body: Any, sources: tuple[int, ...]) -> int:
        steps.append((head, body, sources))
        return -len(steps)

    def visit(part: Any) -> int:
        if part not in known:
            known[part] = _visit(part)
        return known[part]

    def _visit(part: Any) -> int:
        if part in (sp.true, sp.false):
            return emit("template", sp.Integer(int(part == sp.true)), ())
        if part.is_Relational:
            return emit(part.rel_op, None, (visit(part.lhs), visit(part.rhs)))
        if isinstance(part, sp.And | sp.Or):
            head = "and" if isinstance(part, sp.And) else "or"
            return emit(head, None, tuple(visit(a) for a in part.args))
        if isinstance(part, sp.Not):
            return emit("not", None, (visit(part.args[0]),))
        if isinstance(part, sp.ITE):
            test, then, orelse = part.args
            return visit(sp.Or(sp.And(test, then), sp.And(sp.Not(test), orelse), evaluate=False))
        if isinstance(part, sp.Abs):
            inner = visit(part.args[0])
            minus = emit("template", -placeholder(0), (inner,))
            zero = emit("template", sp.Integer(0), ())
            test = emit(">=", None, (inner, zero))
            return emit("select", None, (test, inner, minus))
        if isinstance(part, sp.sign):
            inner = visit(part.args[0])
            numbers = [emit("template", sp.Integer(n), ()) for n in (-1, 0, 1)]
            below = emit("<", None, (inner, numbers[1]))
            above = emit(">", None, (inner, numbers[1]))
            low = emit("select", None, (below, numbers[0], numbers[1]))
            return emit("select", None, (above, numbers[2], low))
        if isinstance(part, sp.Heaviside):
            inner = visit(part.args[0])
            numbers = [emit("template", n, ()) for n in (sp.Integer(0), sp.Integer(1))]
            test = emit(">", None, (inner, numbers[0]))
            return emit("select", None, (test, numbers[1], numbers[0]))
        if isinstance(part, sp.Max | sp.Min):
            relation = ">=" if isinstance(part, sp.Max) else "<="
            first, *rest = sorted(part.args, key=sp.default_sort_key)
            best = visit(first)
            for other in rest:
                item = visit(other)
                best = emit("select", None, (emit(relation, None, (best, item)), best, item))
            return best
        if isinstance(part, sp.Piecewise):
            pieces = list(part.args)
            last, condition = pieces.pop()
            result = visit(last) if condition == sp.true else emit("template", sp.nan, ())
            if condition != sp.true:
                pieces.append((last, condition))
            for value, test in reversed(pieces):
                result = emit("select", None, (visit(test), visit(value), result))
            return result
        inner_pieces = _outermost_pieces(part)
        symbols = sorted(part.free_symbols, key=_position)
        replaced = {p: visit(p) for p in inner_pieces}
        outside = part.xreplace({p: sp.Dummy() for p in inner_pieces}).free_symbols
        kept = [s for s in symbols if s in outside]
        rename = {s: placeholder(i) for i, s in enumerate(kept)}
        rename |= {p: placeholder(len(kept) + i) for i, p in enumerate(inner_pieces)}
        sources = tuple(_position(s) for s in kept) + tuple(replaced[p] for p in inner_pieces)
        return emit("template", part.xreplace(rename), sources)

    visit(expression)
    return tuple(steps)


PIECES = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.Piecewise)


def _outermost_pieces(expression: Any) -> list[Any]:
    """The largest parts with pieces, in a deterministic order."""
    found: list[Any] = []
    stack = list(expression.args)
    while stack:
        part = stack.pop()
        if isinstance(part, PIECES) or getattr(part, "is_Relational", False):
            if part not in found:
                found.append(part)
        else:
            stack.extend(part.args)
    return sorted(found, key=sp.default_sort_key)
