"""One identity: two terms over symbols for what stands at the cut, and SymPy's word on it.

Choices are decided by regions: each comparison splits on the sign of its difference, on open
regions only. In each region the difference of the two is brought to its normal form over kernels
(`fields`); what that leaves open is expanded, put over a common denominator and simplified.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import sympy as sp

from mgrad.compiler.verify.fields import MOST_WORK, Beyond, DividesByZero, NotReal, Tower
from mgrad.compiler.verify.regions import is_feasible, normal
from mgrad.compiler.verify.terms import Template, Term, placeholder

CONDITIONS = ("lt", "le", "eq", "and", "or", "not")
MOST_REGIONS = 64
LARGEST_EXPRESSION = 600
LARGEST_TO_SIMPLIFY = 120
TRIES = 20  # to find a point of a region
LONGEST_CONSTANT = 10**3
REAL = (("real", True),)
INFINITIES = (sp.oo, -sp.oo)
NOWHERE = (sp.nan, sp.zoo)  # without a real value; zoo is what divides by 0
Facts = tuple[tuple[str, bool], ...]


class Outcome(NamedTuple):
    """`regions`: how many were gone through; `why`: what did not reduce."""

    is_proved: bool
    regions: int
    why: str


DISTINCT = Outcome(False, 0, "")  # there is nothing to prove


class _Parted(Exception):
    """One side has a value, the other has none."""


class _Split(Exception):
    """A comparison whose sign is not yet fixed."""

    def __init__(self, atom: Any) -> None:
        self.atom = atom


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    head: str
    template: Template | None
    sources: tuple[int, ...]  # earlier steps; of a leaf its number


class Identity:
    """`order`: the terms that are put in, earlier ones first; `classes` stand for the others."""

    def __init__(
        self,
        terms: Sequence[Term],
        classes: Sequence[int],
        facts: Mapping[int, Facts],
        order: Sequence[int],
        left: int,
        right: int,
        is_rounded: bool = False,
        bounds: Mapping[int, Sequence[Fraction | None]] = MappingProxyType({}),
    ) -> None:
        self.is_rounded = is_rounded
        self.bounds: dict[Any, list[tuple[Any, int]]] = {}  # of symbols: differences, their signs
        self.steps: list[_Step] = []
        self.leaves: list[tuple[str, Any]] = []
        self.has_long = False
        number: dict[int, int] = {}
        shape: list[object] = []

        def leaf(cls: int) -> int:
            if cls not in number:
                made = terms[cls]
                if made.head == "constant":
                    item: tuple[str, Any] = ("constant", made.payload)
                    self.has_long |= _is_long(made.payload)
                elif made.head in CONDITIONS or (made.payload and made.payload[-1] == "bool"):
                    item = ("condition", None)
                else:
                    item = ("real", facts.get(cls, REAL))
                self.leaves.append(item)
                ends = bounds.get(cls, ())
                if ends:
                    symbol = self._leaf(len(self.leaves) - 1, has_names=False)
                    self.bounds[symbol] = [
                        (symbol - _exact(end), sign)
                        for end, sign in zip(ends, (1, -1), strict=True)
                        if end is not None
                    ]
                self.steps.append(_Step("leaf", None, (len(self.leaves) - 1,)))
                number[cls] = len(self.steps) - 1
                shape.append((item[0], str(item[1]), ends))
            return number[cls]

        for index in order:
            made = terms[index]
            if not made.operands:
                number.pop(index, None)
                leaf(index)
                continue
            sources = []
            for operand in made.operands:
                cls = classes[operand]
                sources.append(number[cls] if cls in number else leaf(cls))
            self.steps.append(_Step(made.head, made.template, tuple(sources)))
            number[index] = len(self.steps) - 1
            if made.template is not None:
                self.has_long |= bool(_long_numbers(made.template.expression))
                shape.append((made.template.serial, tuple(sources)))
            else:
                shape.append((made.head, tuple(sources)))
        self.left, self.right = number[left], number[right]
        self.key = (tuple(shape), self.left, self.right, is_rounded)
        tested = [i for i, s in enumerate(self.steps) if s.head in CONDITIONS]
        tested += [s.sources[0] for s in self.steps if s.head == "select"]
        self._tested = self._below(tested)

    def _below(self, roots: list[int]) -> frozenset[int]:
        """Steps that some need, and these."""
        found: set[int] = set()
        while roots:
            index = roots.pop()
            if index not in found:
                found.add(index)
                if self.steps[index].head != "leaf":
                    roots.extend(self.steps[index].sources)
        return frozenset(found)

    # ------------------------------------------------------------------------------------- proofs

    def prove(self) -> Outcome:
        """By kernels, else by SymPy's rules: there long constants get names, and where these do not
        do, their digits count."""
        found = self.prove_by_kernels()
        if not found.is_proved:
            found = self._by_regions(lambda signs: self._reduces(signs, has_names=True))
        if not found.is_proved and self.has_long:
            found = self._by_regions(lambda signs: self._reduces(signs, has_names=False))
        return found

    def prove_by_kernels(self, most_work: int = MOST_WORK) -> Outcome:
        """By normal forms alone."""
        return self._by_regions(lambda signs: self._vanishes(signs, most_work))

    def _by_regions(self, judge: Callable[[dict[Any, int]], str]) -> Outcome:
        """`judge` says what is left in a region; nothing, if the identity holds there."""
        regions = 0
        pending: list[dict[Any, int]] = [{}]
        while pending:
            if regions + len(pending) > MOST_REGIONS:
                return Outcome(False, regions, f"more than {MOST_REGIONS} regions")
            signs = pending.pop()
            if not self._is_feasible(signs):
                continue
            try:
                left_over = judge(signs)
            except _Split as split:
                pending += [{**signs, split.atom: 1}, {**signs, split.atom: -1}]
                continue
            except _Parted:
                return DISTINCT
            except Beyond:
                left_over = "a comparison with what is infinite"
            regions += 1
            if left_over:
                where = ", ".join(f"{a} {'>' if s > 0 else '<'} 0" for a, s in signs.items())
                return Outcome(False, regions, left_over + (f" where {where}" if where else ""))
        return Outcome(True, max(regions, 1), "")

    def _is_feasible(self, signs: Mapping[Any, int]) -> bool:
        """Whether there may be a point of the domain at which these signs hold."""
        real = [(a, s) for a, s in signs.items() if not (a.is_Symbol and a.name.startswith("c"))]
        symbols = {symbol for atom, _ in real for symbol in atom.free_symbols}
        for symbol, known in self.bounds.items():
            if symbol in symbols:
                real += known
        return len(real) < 2 or is_feasible(real)

    def _vanishes(self, signs: dict[Any, int], most_work: int) -> str:
        conditions = self._express(signs, self._tested) if self._tested else []
        signs_of = {a.name: s for a, s in signs.items() if a.is_Symbol}
        tower = Tower(lambda symbol: bool(symbol.is_positive), most_work)

        def build() -> bool:
            made: list[Any] = []  # None: a condition, or what is beyond the method
            for step in self.steps:
                if step.head == "leaf":
                    made.append(self._element(step.sources[0], tower, signs_of))
                elif step.template is not None:
                    made.append(self._applied(step, made, tower))
                elif step.head == "select":
                    test, then, orelse = step.sources
                    is_true = self._truth(conditions[test], signs)
                    made.append(made[then] if is_true else made[orelse])
                else:
                    made.append(None)
            left, right = made[self.left], made[self.right]
            if left is None and right is None:
                truths = [conditions[i] for i in (self.left, self.right) if i in self._tested]
                if len(truths) < 2 or not all(isinstance(t, bool | tuple) for t in truths):
                    return False
                return self._truth(truths[0], signs) == self._truth(truths[1], signs)
            if left is None or right is None:
                return False
            if (left in NOWHERE) != (right in NOWHERE):
                raise _Parted
            if left in NOWHERE or left in INFINITIES or right in INFINITIES:
                return left is right or left in NOWHERE
            return tower.are_equal(left, right)

        try:
            return "" if tower.settled(build) else "the normal forms do not agree"
        except (Beyond, RecursionError):
            return "the normal forms are too large"

    def _element(self, position: int, tower: Tower, signs: Mapping[str, int]) -> Any:
        kind, what = self.leaves[position]
        if kind == "condition" or isinstance(what, bool):
            return None
        if what in NOWHERE or isinstance(what, float):
            return sp.sympify(what)
        if kind == "constant":
            return tower.lift(_exact(what), {}) if what != 0 else tower.absent
        name = f"v{position}"
        if name in signs:
            return signs[name] * tower.lift(sp.Symbol(name, positive=True), {})
        return tower.lift(sp.Symbol(name, **dict(what)), {})

    def _applied(self, step: _Step, made: Sequence[Any], tower: Tower) -> Any:
        assert step.template is not None
        body = step.template.expression
        known = {placeholder(i): made[s] for i, s in enumerate(step.sources)}
        if step.head == "scale" and any(e is tower.absent for e in known.values()):
            return tower.absent
        nowhere = [e for e in known.values() if e in NOWHERE]
        if nowhere or any(e is None for e in known.values()):
            return max(nowhere, key=NOWHERE.index) if nowhere and not body.is_Pow else None
        if step.template.is_sum:
            for absent, other in (step.sources, step.sources[::-1]):
                if made[absent] is tower.absent:
                    return made[other]
        if any(e in INFINITIES for e in known.values()):
            body, known = _at_infinity(body, known, tower)
            if body in INFINITIES or body is sp.nan:
                return body
            if not is_finite(body):
                return None
        named = self._named_exponents(body, step.sources)
        try:
            return tower.lift(body.xreplace(named) if named else body, known)
        except DividesByZero:
            return sp.zoo
        except Beyond:
            return None  # which does not matter in a branch that is not taken
        except NotReal:
            return sp.nan

    def _named_exponents(self, body: Any, sources: Sequence[int]) -> dict[Any, Any]:
        """Powers in a template whose exponents are long numbers: these get names, so that nothing
        is ever raised to them."""
        found: dict[Any, Any] = {}
        for power in _powers(body):
            known = dict(_long_numbers(power.exp))
            for symbol in power.exp.free_symbols:
                step = self.steps[sources[int(symbol.name[1:])]]
                if step.head == "leaf":
                    kind, what = self.leaves[step.sources[0]]
                    if kind == "constant" and _is_long(what):
                        known[symbol] = _named(what)
            if known:
                found[power] = power.base ** power.exp.xreplace(known)
        return found

    def _reduces(self, signs: dict[Any, int], has_names: bool) -> str:
        names_long = has_names and self.has_long
        made = self._express(signs, None, has_names)
        left, right = (
            sp.Integer(int(self._truth(side, signs))) if isinstance(side, bool | tuple) else side
            for side in (made[self.left], made[self.right])
        )
        facts = {
            a: sp.Symbol(a.name, positive=True) if s > 0 else -sp.Symbol(a.name, positive=True)
            for a, s in signs.items()
            if a.is_Symbol and a.name.startswith("v")
        }
        difference = left - right
        if is_zero(difference, facts, has_names or not self.has_long, signs) or (
            self.is_rounded and not names_long and is_close(left, right, facts)
        ):
            return ""
        return f"{_short(difference)} would not reduce to 0"

    # ------------------------------------------------------------------------------- expressions

    def _express(
        self, signs: dict[Any, int], only: frozenset[int] | None, has_names: bool = True
    ) -> list[Any]:
        """Each step as a SymPy expression, a condition as bool or (relation, difference)."""
        made: list[Any] = []
        for index, step in enumerate(self.steps):
            if only is not None and index not in only:
                made.append(None)
                continue
            if step.head == "leaf":
                made.append(self._leaf(step.sources[0], has_names))
                continue
            inner = [made[s] for s in step.sources]
            match step.head:
                case "template" | "scale":
                    assert step.template is not None
                    body = step.template.expression
                    known = {placeholder(i): e for i, e in enumerate(inner)}
                    if not has_names:
                        body = body.xreplace(self._named_exponents(body, step.sources))
                    elif self.has_long:
                        known |= _long_numbers(body)
                    made.append(body.xreplace(known))
                case "select":
                    made.append(inner[1] if self._truth(inner[0], signs) else inner[2])
                case "lt" | "le" | "eq":
                    made.append(_compared(step.head, *inner))
                case "and":
                    made.append(all(self._truth(i, signs) for i in inner))
                case "or":
                    made.append(any(self._truth(i, signs) for i in inner))
                case _:
                    made.append(not self._truth(inner[0], signs))
        return made

    def _leaf(self, position: int, has_names: bool) -> Any:
        kind, what = self.leaves[position]
        if kind == "real":
            return sp.Symbol(f"v{position}", **dict(what))
        if kind == "condition":
            return ("condition", sp.Symbol(f"c{position}", real=True))
        if isinstance(what, bool):
            return what
        return _named(what) if has_names and _is_long(what) else _exact(what)

    @staticmethod
    def _truth(value: Any, signs: dict[Any, int]) -> bool:
        if isinstance(value, bool):
            return value
        relation, difference = value
        if relation == "condition":
            if difference not in signs:
                raise _Split(difference)
            return signs[difference] > 0
        atom, sign = normal(difference)
        if atom.is_zero:
            return bool(relation != "lt")
        if atom.is_positive or atom.is_negative:
            known = 1 if atom.is_positive else -1
        elif atom in signs:
            known = signs[atom]
        else:
            raise _Split(atom)
        return False if relation == "eq" else known * sign < 0


def is_finite(expression: Any) -> bool:
    """Whether an expression over real symbols has no infinity in it."""
    return not expression.has(*INFINITIES, *NOWHERE, sp.AccumBounds)


def _at_infinity(body: Any, known: Mapping[Any, Any], tower: Tower) -> tuple[Any, dict[Any, Any]]:
    """A template with what is infinite put in, and what is known of its other symbols: of these
    numbers and signs count."""
    values: dict[Any, Any] = {}
    rest: dict[Any, Any] = {}
    for symbol, element in known.items():
        fixed = None if element in INFINITIES else tower.constant(element)
        if element in INFINITIES:
            values[symbol] = element
        elif fixed is not None:
            values[symbol] = sp.Rational(fixed.numerator, fixed.denominator)
        elif tower.is_positive(element):
            values[symbol] = sp.Symbol(symbol.name, positive=True)
            rest[values[symbol]] = element
        else:
            rest[symbol] = element
    return body.xreplace(values), rest


def _compared(relation: str, left: Any, right: Any) -> Any:
    """A comparison as (relation, difference); as bool where a side is infinite or has no value."""
    if is_finite(left) and is_finite(right):
        return relation, left - right
    if any(e.has(*NOWHERE) for e in (left, right)):
        return False
    if not all(e in INFINITIES or is_finite(e) for e in (left, right)):
        raise Beyond
    if left == right:
        return relation != "lt"
    return relation != "eq" and (left == -sp.oo or right == sp.oo)


def _exact(value: Any) -> Any:
    """A constant as SymPy has it."""
    if isinstance(value, Fraction):
        return sp.Rational(value.numerator, value.denominator)
    return sp.sympify(value)


def _is_long(constant: Any) -> bool:
    """Whether SymPy is slow with it: as an exponent, or as a base."""
    return isinstance(constant, Fraction) and (
        max(abs(constant.numerator), constant.denominator) > LONGEST_CONSTANT
    )


def _named(constant: Fraction) -> Any:
    """A long constant as a whole number and a symbol: x^p/x is still x^(p - 1)."""
    whole = constant.numerator // constant.denominator
    return whole + sp.Symbol(f"k{constant - whole}", positive=True)


@cache
def _long_numbers(expression: Any) -> dict[Any, Any]:
    """The long constants of an expression, and how they are named."""
    atoms = sorted(expression.atoms(sp.Rational), key=sp.default_sort_key)
    fractions = [(a, Fraction(int(a.p), int(a.q))) for a in atoms if a.is_finite]
    return {a: _named(f) for a, f in fractions if _is_long(f)}


@cache
def _powers(expression: Any) -> tuple[Any, ...]:
    return tuple(sorted(expression.atoms(sp.Pow), key=sp.default_sort_key))


# ---------------------------------------------------------------------------- by SymPy's own rules


def is_zero(
    difference: Any,
    facts: dict[Any, Any],
    is_plain: bool = True,
    signs: Mapping[Any, int] = MappingProxyType({}),
) -> bool:
    """Whether SymPy reduces it to 0: by expanding, by a common denominator and, if its constants
    are plain, by its rules. `facts` are symbols of known sign, `signs` those of the region."""
    if difference == 0:
        return True
    if facts:
        difference = difference.xreplace(facts)
    if not is_finite(difference):
        return False
    steps: tuple[Callable[[Any], Any], ...] = (
        sp.expand,
        lambda e: sp.expand(sp.fraction(sp.together(e))[0]),
        lambda e: sp.expand(sp.fraction(sp.together(e.rewrite(sp.exp)))[0]),
        lambda e: sp.expand(
            sp.fraction(sp.together(sp.powsimp(sp.expand(sp.expand_log(e)), force=False)))[0]
        ),
        sp.simplify,
    )
    size = difference.count_ops()
    for rank, step in enumerate(steps if is_plain else steps[:2]):
        if size > (LARGEST_EXPRESSION if rank < 2 else LARGEST_TO_SIMPLIFY):
            return False
        if rank == 2 and _differs(difference, signs):
            return False
        try:
            if step(difference) == 0:
                return True
        except (ValueError, TypeError, NotImplementedError, AttributeError, RecursionError):
            continue
    return False


def _differs(difference: Any, signs: Mapping[Any, int]) -> bool:
    """Whether a number shows that it is not 0 in the region: SymPy need not be asked."""
    dice = random.Random(3)
    symbols = sorted(difference.free_symbols, key=lambda s: str(s.name))
    conditions = [(a, s) for a, s in signs.items() if a.free_symbols <= set(symbols)]
    if len(conditions) < len(signs):
        return False
    for _ in range(TRIES):
        values = {s: sp.Float(_draw(s, dice), 30) for s in symbols}
        if not all((a.xreplace(values) > 0) == (s > 0) for a, s in conditions):
            continue
        number = sp.N(difference.xreplace(values), 20)
        return bool(number.is_Float and abs(number) > 1e-9)
    return False


def _draw(symbol: Any, dice: random.Random) -> float:
    size = dice.uniform(0.1, 0.9)
    if symbol.is_nonnegative:
        return size
    return -size if symbol.is_nonpositive else size * dice.choice((1, -1))


def is_close(left: Any, right: Any, facts: dict[Any, Any]) -> bool:
    """Whether the two are the same but for the last digits of their constants: term by term over
    a common denominator."""
    over: list[dict[Any, Any]] = []
    tops, bottoms = zip(
        *(sp.fraction(sp.together(_rational(e.xreplace(facts)))) for e in (left, right)),
        strict=True,
    )
    for top, bottom in zip(tops, reversed(bottoms), strict=True):
        product = top * bottom
        if product.count_ops() > LARGEST_EXPRESSION:
            return False
        over.append(sp.expand(product).as_coefficients_dict())
    a, b = over
    return set(a) == set(b) and all(
        abs(a[m] - b[m]) <= abs(a[m]) * sp.Rational(1, 10**14) for m in a
    )


def _rational(expression: Any) -> Any:
    """Its irrational constants to 40 digits."""
    return expression.replace(
        lambda e: e.is_number and not e.is_Rational and e.is_finite,
        lambda e: sp.Rational(str(sp.N(e, 40))),
    )


def _short(expression: Any) -> str:
    text = str(expression)
    return text if len(text) <= 100 else text[:97] + "…"
