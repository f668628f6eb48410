"""The elements of a statement of arrays in index notation, and their local derivatives.

An element of a value is an expression of elements of names: that of `W @ x` at i is
`sum(W[i, j]*x[j] for j)`. Beside it stands, for each element of the name that is differentiated by,
the partial derivative by that one place of the text. A sum over an index that the place holds is
fixed by it: the partial derivative by x[j] of the sum over j is W[i, j].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sympy
from sympy.logic.boolalg import BooleanFunction

from mgrad.compiler.ir.types import Dim, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.sema.program import Value
from mgrad.verbs.formula import Formulas, number

LETTERS = "ijklmpqrst"
LARGEST = 60  # values of a statement whose elements are written

Index = tuple[Any, ...]


class Truth(BooleanFunction):  # type: ignore[misc]
    """An element of an array of bools: SymPy takes an indexed symbol for a number."""


class NoFormula(Exception):
    """A statement has a form whose elements are not written here."""


@dataclass(slots=True)
class Element:
    """An element of a value; its partial derivatives by elements of the name."""

    formula: Any
    partials: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rule:
    """`∂result[place]/∂by = formula`; `place` has the letters of the result's axes."""

    place: tuple[str, ...]
    by: str
    formula: Any


class Elements:
    """The elements of one statement, differentiated by `by`."""

    def __init__(
        self,
        formulas: Formulas,
        labels: Mapping[Value, str],
        reads: Iterable[Value],
        by: Value,
    ) -> None:
        self._formulas = formulas
        self._labels = labels
        self._reads = set(reads) | {by}
        self._by = by
        self._known: dict[Value, Any] = {}  # indices of the source
        taken = set(labels.values())
        self._letters = (
            letter
            for n in count()
            for letter in (f"{c}{n or ''}" for c in LETTERS)
            if letter not in taken
        )
        self._used: set[str] = set(taken)

    def rules(self, end: Value) -> list[Rule]:
        """One for each place where the text of the statement reads the name.

        Raises NoFormula where that cannot be written.
        """
        names = _axes(end)
        own = tuple(self._letter(name) for name in names)
        element = self._element(end, own)
        rules: dict[Any, Any] = {}
        for place, partial in element.partials:
            rules[place] = rules.get(place, 0) + partial
        return [
            Rule(tuple(map(str, own)), str(place), self._formulas.simplest(formula))
            for place, formula in rules.items()
        ]

    def _letter(self, wish: str | None = None) -> Any:
        """A letter for an index: the source's, if it is free."""
        if wish is None or wish in self._used:
            wish = next(letter for letter in self._letters if letter not in self._used)
        self._used.add(wish)
        return sympy.Symbol(wish, integer=True)

    def _element(self, value: Value, at: Index) -> Element:
        if value in self._known:
            return Element(self._known[value])
        if value in self._reads:
            return self._read(value, at)
        form = value.form
        if form == "bind":
            return self._element(value.args[0], at)
        if form == "constant":
            return Element(number(value.attribute("value")))
        if form == "size":
            return Element(sympy.Symbol(str(value.attribute("dim")), integer=True))
        if form == "arange":
            return Element(at[0] + _size(value.attribute("start")))
        if form in TABLE or form in ("call", "derivative"):
            if any(_shape(a) != _shape(value) for a in value.args):
                raise NoFormula  # a function of arrays
            return self._apply(value, [self._element(a, at) for a in value.args])
        method = getattr(self, f"_{form}", None)
        if method is None:
            raise NoFormula
        found: Element = method(value, at)
        return found

    def _read(self, value: Value, at: Index) -> Element:
        label = self._labels.get(value, value.name or "")
        if not label:
            raise NoFormula
        if isinstance(value.type, Type) and value.type.dtype == "bool":
            return Element(Truth(sympy.IndexedBase(label)[at]) if at else sympy.Symbol(label))
        formula = sympy.IndexedBase(label)[at] if at else sympy.Symbol(label, real=True)
        return Element(formula, [(formula, sympy.S.One)] if value is self._by else [])

    def _apply(self, value: Value, operands: Sequence[Element]) -> Element:
        """An operation on numbers, element by element."""
        free = [sympy.Dummy("v", real=True) for _ in operands]
        if value.form in TABLE:
            whole = TABLE[value.form].sympy(sympy, *free)
        else:
            whole = self._formulas.applied(value, free)
        put = dict(zip(free, (o.formula for o in operands), strict=True))
        partials = []
        for position, operand in enumerate(operands):
            if not operand.partials:
                continue
            slope = sympy.diff(whole, free[position]).xreplace(put)
            partials += [(place, slope * inner) for place, inner in operand.partials]
        return Element(whole.xreplace(put), partials)

    def _summed(self, inner: Element, ranges: Sequence[tuple[Any, Any, Any]]) -> Element:
        """A sum over indices; those that a place holds are fixed by it, and have another letter in
        the sum itself, which may stand beside the place."""
        partials = [
            (place, _sum(partial, [r for r in ranges if not place.has(r[0])]))
            for place, partial in inner.partials
        ]
        held = [r[0] for r in ranges if any(place.has(r[0]) for place, _ in inner.partials)]
        new = {letter: self._letter() for letter in held}
        others = [tuple(sympy.sympify(part).xreplace(new) for part in r) for r in ranges]
        return Element(_sum(inner.formula.xreplace(new), others), partials)

    def _broadcast(self, value: Value, at: Index) -> Element:
        axes: Any = value.attribute("axes")
        return self._element(value.args[0], tuple(i for a, i in enumerate(at) if a not in axes))

    def _transpose(self, value: Value, at: Index) -> Element:
        order: Any = value.attribute("order")
        inner = dict(zip(order, at, strict=True))
        return self._element(value.args[0], tuple(inner[a] for a in range(len(order))))

    def _flip(self, value: Value, at: Index) -> Element:
        axes: Any = value.attribute("axes")
        shape = _shape(value)
        return self._element(
            value.args[0],
            tuple(_size(shape[a]) - 1 - i if a in axes else i for a, i in enumerate(at)),
        )

    def _sum_over(self, value: Value, at: Index) -> Element:
        axes: Any = value.attribute("axes")
        shape = _shape(value.args[0])
        rest = iter(at)
        indices = [self._letter() if a in axes else next(rest) for a in range(len(shape))]
        inner = self._element(value.args[0], tuple(indices))
        return self._summed(inner, [(indices[a], sympy.S.Zero, _size(shape[a])) for a in axes])

    def _contract(self, value: Value, at: Index) -> Element:
        parts: Any = value.attribute("operands")
        result: Any = value.attribute("result")
        if len(set(result)) < len(result):
            raise NoFormula  # a diagonal: 0 beside it
        indices = dict(zip(result, at, strict=True))
        ranges = []
        for operand, labels in zip(value.args, parts, strict=True):
            for label, dim in zip(labels, _shape(operand), strict=True):
                if label not in indices:
                    indices[label] = self._letter()
                    ranges.append((indices[label], sympy.S.Zero, _size(dim)))
        factors = [
            self._element(operand, tuple(indices[label] for label in labels))
            for operand, labels in zip(value.args, parts, strict=True)
        ]
        product = sympy.Mul(*(f.formula for f in factors))
        partials = []
        for position, factor in enumerate(factors):
            others = sympy.Mul(*(f.formula for i, f in enumerate(factors) if i != position))
            partials += [(place, others * inner) for place, inner in factor.partials]
        return self._summed(Element(product, partials), ranges)

    def _take(self, value: Value, at: Index) -> Element:
        items: Any = value.attribute("items")
        rest, indices = list(at), []
        shared: tuple[Any, ...] | None = None
        for item in items:
            match item:
                case ("all",):
                    indices.append(rest.pop(0))
                case ("slice", start, _, step):
                    indices.append(_size(start) + step * rest.pop(0))
                case ("at", dim):
                    indices.append(_size(dim))
                case ("by", k):
                    index = value.args[k + 1]
                    rank = len(_shape(index))
                    if rank and shared is None:
                        shared, rest = tuple(rest[:rank]), rest[rank:]
                    indices.append(self._element(index, (shared or ()) if rank else ()).formula)
                case _:
                    raise NoFormula
        return self._element(value.args[0], tuple(indices))

    def _each(self, value: Value, at: Index) -> Element:
        indices: Any = value.attribute("indices")
        reduction = value.attribute("reduction")
        if reduction not in (None, "sum"):
            raise NoFormula
        rest, ranges = list(at), []
        for index in indices:
            if reduction is None:
                start = index.start if isinstance(index.start, Dim) else None
                if start is None:
                    raise NoFormula
                self._known[index.value] = rest.pop(0) + _size(start)
                continue
            letter = self._letter(index.value.name)
            self._known[index.value] = letter
            low, high = (
                _size(b) if isinstance(b, Dim) else self._element(b, ()).formula
                for b in (index.start, index.stop)
            )
            ranges.append((letter, low, high))
        result: Any = value.attribute("result")
        return self._summed(self._element(result, tuple(rest)), ranges)


def _sum(formula: Any, ranges: Sequence[tuple[Any, Any, Any]]) -> Any:
    if not ranges:
        return formula
    return sympy.Sum(formula, *((letter, low, high - 1) for letter, low, high in ranges))


def _size(dim: Any) -> Any:
    """A dimension in SymPy."""
    assert isinstance(dim, Dim)
    known = dim.constant
    return sympy.Integer(known) if known is not None else sympy.Symbol(str(dim), integer=True)


def _shape(value: Value) -> tuple[Dim, ...]:
    return value.type.shape if isinstance(value.type, Type) else ()


def _axes(end: Value) -> list[str | None]:
    """What the source calls the axes of a value, where it does."""
    value = end
    while value.form == "bind":
        value = value.args[0]
    names: list[str | None] = [None] * len(_shape(end))
    if value.form == "each" and value.attribute("reduction") is None:
        indices: Any = value.attribute("indices")
        for position, index in enumerate(indices):
            names[position] = index.value.name
    return names
