"""Is the formula right? Equivalence by parts.

Terms with equal values at random points are candidates. SymPy proves each from the classes of its
operands, in order; where operands do not suffice their definitions are put in, step by step. Which
definitions are needed is tried with numbers first: the classes at the cut get values of their own,
and only what holds then is given to SymPy. Choices are decided by regions: each comparison splits
on the sign of its difference, on open regions only.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

import mpmath
import sympy as sp

from mgrad.compiler.verify.evaluation import NOTHING, Evaluation, agree, evaluate
from mgrad.compiler.verify.regions import is_feasible, normal
from mgrad.compiler.verify.terms import Dag, Term, placeholder

CONDITIONS = ("lt", "le", "eq", "and", "or", "not")
DIGITS = 25  # of agreement that make a candidate
MOST_STEPS = 160  # definitions put in for one identity
MOST_CONE = 400
MOST_REGIONS = 64
LARGEST_EXPRESSION = 600
LARGEST_TO_SIMPLIFY = 120
MOST_CANDIDATES = 8  # of the same values at the random points
TRIES = 20  # to find a point of a region
LONGEST_CONSTANT = 10**3

# By the shape of an identity: proved, regions, why not. A shape is proved once, wherever it stands.
PROOFS: dict[object, tuple[bool, int, str]] = {}


@dataclass
class Equivalence:
    """Classes of equal terms of one dag. `deadline` is a time of `time.monotonic`."""

    dag: Dag
    evaluations: Sequence[Evaluation]
    assumptions: dict[int, dict[str, bool]]  # of symbols
    deadline: float = float("inf")
    regions: Sequence[Evaluation] = ()  # points in other regions, where a false candidate shows
    digits: int = DIGITS  # of agreement that make a candidate: fewer where literals are rounded
    classes: list[int] = field(default_factory=list)  # the first term that equals each
    proofs: dict[int, int] = field(default_factory=dict)  # term -> regions its proof went through
    unproved: dict[int, str] = field(default_factory=dict)  # term -> why it is only agreed
    _keys: dict[object, int] = field(default_factory=dict)
    _buckets: dict[object, list[int]] = field(default_factory=dict)
    _signs: dict[int, tuple[tuple[str, bool], ...]] = field(default_factory=dict)
    _sign_cache: dict[object, tuple[tuple[str, bool], ...]] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(7))

    def absorb(self) -> None:
        """Sorts every term of the dag that is new into a class."""
        while len(self.classes) < len(self.dag.terms):
            term = self.dag.terms[len(self.classes)]
            if term.index % 64 == 0 and time.monotonic() > self.deadline:
                raise TimeoutError
            self.classes.append(term.index)
            self._sort(term)

    def _sort(self, term: Term) -> None:
        operands = tuple(self.classes[o] for o in term.operands)
        key = self._key(term, operands)
        found = self._keys.get(key)
        if found is None:
            bucket = self._buckets.setdefault(self._fingerprint(term.index), [])
            for candidate in bucket[:MOST_CANDIDATES]:
                if self._same_values(term.index, candidate):
                    proved, regions, reason = self.prove(term.index, candidate)
                    found = candidate
                    if proved:
                        self.proofs[term.index] = regions
                    else:
                        self.unproved[term.index] = reason
                    break
            else:
                bucket.append(term.index)
                found = term.index
            self._keys[key] = found
        elif found != term.index:
            self.proofs[term.index] = 1
        self.classes[term.index] = found
        self._signs[term.index] = self._sign(term, operands)

    def _key(self, term: Term, operands: tuple[int, ...]) -> object:
        if term.template is not None:
            if term.template.is_commutative:
                operands = tuple(sorted(operands))
            return ("template", term.template.serial, operands)
        if not operands:
            return ("leaf", term.index)
        return (
            term.head,
            tuple(sorted(operands)) if term.head in ("and", "or", "eq") else operands,
        )

    def _fingerprint(self, term: int) -> object:
        parts: list[str] = []
        for evaluation in self.evaluations:
            value = evaluation[term]
            if isinstance(value, bool):
                parts.append(str(value))
            elif value != value:
                parts.append("nan")
            elif abs(value) < NOTHING:
                parts.append("0")
            else:
                parts.append(mpmath.nstr(value, 12 if self.digits == DIGITS else 8))
        # a condition is known by few bits: it needs the company of its kind
        return (self.dag.terms[term].head in CONDITIONS, tuple(parts))

    def _same_values(self, a: int, b: int) -> bool:
        informative = False
        for evaluation in self.evaluations:
            x, y = evaluation[a], evaluation[b]
            if not agree(x, y, self.digits):
                return False
            informative = informative or x == x
        if informative:
            for evaluation in self.regions:
                x, y = evaluation[a], evaluation[b]
                if x == x and y == y and not agree(x, y, self.digits - 5):
                    return False
        return informative

    def _sign(self, term: Term, operands: tuple[int, ...]) -> tuple[tuple[str, bool], ...]:
        """What SymPy may assume of a term, from what it may assume of the operands."""
        if term.head == "symbol":
            return tuple(self.assumptions.get(term.index, {"real": True}).items())
        if term.template is None or len(operands) > 4:
            return (("real", True),)
        known = tuple(
            self._signs[self.classes[o]] if o in self._signs else (("real", True),)
            for o in term.operands
        )
        key = (term.template.serial, known)
        found = self._sign_cache.get(key)
        if found is None:
            inner = {placeholder(i): sp.Symbol(f"s{i}", **dict(k)) for i, k in enumerate(known)}
            expression = term.template.expression.xreplace(inner)
            facts: tuple[tuple[str, bool], ...] = (("real", True),)
            for fact in ("positive", "negative", "nonnegative", "nonpositive"):
                if getattr(expression, f"is_{fact}"):
                    facts = ((fact, True),)
                    break
            found = self._sign_cache[key] = facts
        return found

    # ---------------------------------------------------------------------------------- one proof

    def prove(self, term: int, candidate: int) -> tuple[bool, int, str]:
        """Whether SymPy shows term = candidate: (proved, regions, why not)."""
        left, right = {term}, {candidate}
        reason = "it did not reduce from the definitions that were put in"
        for step in range(MOST_STEPS):
            self._open_conditions(left)
            self._open_conditions(right)
            if len(left) + len(right) > MOST_CONE:
                break
            expanded = left | right
            is_last = not self._expand(left, right)
            is_tried = step < 8 or step % 4 == 0 or is_last
            if is_tried and self._holds(term, candidate, expanded):
                proved, regions, why = self._reduce(term, candidate, expanded)
                if proved:
                    return True, regions, ""
                reason = why
            if time.monotonic() > self.deadline:
                raise TimeoutError
            if is_last:
                break
        return False, 0, reason

    def _operands(self, expanded: set[int]) -> set[int]:
        """The classes at the cut."""
        found: set[int] = set()
        for member in expanded:
            for operand in self.dag.terms[member].operands:
                cls = self.classes[operand]
                if cls not in expanded and self.dag.terms[cls].head != "constant":
                    found.add(cls)
        return found

    def _open_conditions(self, side: set[int]) -> None:
        """A condition never stands at the cut: regions are told by what it compares."""
        stack = sorted(side)
        while stack and len(side) <= MOST_CONE:
            for operand in self.dag.terms[stack.pop()].operands:
                cls = self.classes[operand]
                if cls not in side and self.dag.terms[cls].head in CONDITIONS:
                    side.add(cls)
                    stack.append(cls)

    def _expand(self, left: set[int], right: set[int]) -> bool:
        """Puts in the definition of the latest class at the cut; first those of one side only."""
        a, b = self._operands(left), self._operands(right)
        openable = [c for c in a ^ b if self.dag.terms[c].operands]
        if not openable:
            openable = [c for c in a & b if self.dag.terms[c].operands]
        if not openable:
            return False
        chosen = max(openable)
        if chosen in a:
            left.add(chosen)
        if chosen in b:
            right.add(chosen)
        return True

    def _holds(self, term: int, candidate: int, expanded: set[int]) -> bool:
        """Whether the two are equal where the classes at the cut have values of their own."""
        cut = sorted(self._operands(expanded))
        order = sorted(expanded)
        decided = 0
        for attempt in range(4):
            base = self.evaluations[attempt % len(self.evaluations)]
            values: dict[int, Any] = {}
            for cls in cut:
                value = base[cls]
                if isinstance(value, bool):
                    values[cls] = value if attempt < 2 else self._random.random() < 0.5
                else:
                    shift = mpmath.mpf(self._random.randrange(1, 10**9)) / 10**10
                    values[cls] = value * (1 + shift) if value == value and value != 0 else shift
                    if self.dag.terms[cls].head == "symbol":
                        values[cls] = value  # of a domain, or whole
            a = self._local(order, values, term, expanded)
            b = values[candidate]
            if a != a or b != b:
                continue
            decided += 1
            if not agree(a, b, self.digits - 5):
                return False
        return decided > 0

    def _local(
        self, order: list[int], values: dict[int, Any], term: int, expanded: set[int]
    ) -> Any:
        for index in order:
            made = self.dag.terms[index]
            local: dict[int, Any] = {}
            for operand in made.operands:
                cls = self.classes[operand]
                known = self.dag.terms[cls]
                if cls in values:
                    local[operand] = values[cls]
                elif known.head == "constant":
                    local[operand] = evaluate(known, {}, {})
            if not made.operands:
                values[index] = (
                    self.evaluations[0][index] if made.head == "symbol" else evaluate(made, {}, {})
                )
            else:
                values[index] = evaluate(made, local, {})
        return values[term]

    def _reduce(self, term: int, candidate: int, expanded: set[int]) -> tuple[bool, int, str]:
        """SymPy's word on the identity over the cut, by regions; equal shapes are one proof."""
        cone = Cone(self, term, candidate, sorted(expanded))
        found = PROOFS.get(cone.key)
        if found is None:
            found = PROOFS[cone.key] = cone.prove()
        return found


class _Split(Exception):
    """A comparison whose sign is not yet fixed."""

    def __init__(self, atom: Any) -> None:
        self.atom = atom


class Cone:
    """An identity between two terms over symbols for the classes at the cut."""

    def __init__(self, owner: Equivalence, term: int, candidate: int, order: list[int]) -> None:
        self.owner = owner
        self.steps: list[tuple[str, Any, tuple[int, ...]]] = []
        self.leaves: list[tuple[str, Any]] = []
        self.long_constants = self.long_powers = False
        self.has_names = True  # whether long constants stand as symbols
        number: dict[int, int] = {}
        shape: list[object] = []

        def leaf(cls: int) -> int:
            if cls not in number:
                made = owner.dag.terms[cls]
                if made.head == "constant":
                    item: tuple[str, Any] = ("constant", made.payload)
                    self.long_constants |= _is_long(made.payload)
                elif made.head in CONDITIONS or (made.payload and made.payload[-1] == "bool"):
                    item = ("condition", None)
                else:
                    item = ("real", owner._signs.get(cls, (("real", True),)))
                self.leaves.append(item)
                self.steps.append(("leaf", len(self.leaves) - 1, ()))
                number[cls] = len(self.steps) - 1
                shape.append((item[0], str(item[1])))
            return number[cls]

        for index in order:
            made = owner.dag.terms[index]
            if not made.operands:
                number.pop(index, None)
                leaf(index)
                continue
            sources = []
            for operand in made.operands:
                cls = owner.classes[operand]
                sources.append(number[cls] if cls in number else leaf(cls))
            expression = made.template.expression if made.template is not None else None
            if expression is not None and _long_atoms(expression):
                self.long_constants = True
                self.long_powers |= any(_long_atoms(p.exp) for p in expression.atoms(sp.Pow))
            self.steps.append((made.head, expression, tuple(sources)))
            number[index] = len(self.steps) - 1
            serial = made.template.serial if made.template is not None else made.head
            shape.append((serial, tuple(sources)))
        self.left, self.right = number[term], number[candidate]
        self.key = (tuple(shape), self.left, self.right, owner.digits)

    def prove(self) -> tuple[bool, int, str]:
        """(proved, regions, why not). Long constants get names; where these do not do, their
        digits count."""
        found = self._attempt()
        if not found[0] and self.long_constants and not self.long_powers:
            self.has_names = False
            found = self._attempt()
        return found

    def _attempt(self) -> tuple[bool, int, str]:
        regions = 0
        pending: list[dict[Any, int]] = [{}]
        while pending:
            if regions + len(pending) > MOST_REGIONS:
                return False, regions, f"more than {MOST_REGIONS} regions"
            signs = pending.pop()
            if not self._is_feasible(signs):
                continue
            try:
                left, right = self._express(signs)
            except _Split as split:
                pending += [{**signs, split.atom: 1}, {**signs, split.atom: -1}]
                continue
            regions += 1
            facts = self._facts(signs)
            is_rounded = self.owner.digits < DIGITS
            is_named = self.has_names and self.long_constants
            is_plain = self.has_names or not self.long_constants
            if not (
                is_zero(left - right, facts, is_plain, signs)
                or (is_rounded and not is_named and is_close(left, right, facts))
            ):
                where = ", ".join(f"{a} {'>' if s > 0 else '<'} 0" for a, s in signs.items())
                shown = _short(left - right)
                return (
                    False,
                    regions,
                    f"{shown} would not reduce to 0" + (f" where {where}" if where else ""),
                )
        return True, max(regions, 1), ""

    @staticmethod
    def _is_feasible(signs: dict[Any, int]) -> bool:
        real = [(a, s) for a, s in signs.items() if not (a.is_Symbol and a.name.startswith("c"))]
        return len(real) < 2 or is_feasible(real)

    @staticmethod
    def _facts(signs: dict[Any, int]) -> dict[Any, Any]:
        """Symbols whose own sign a region fixes, as symbols of that sign."""
        return {
            a: sp.Symbol(a.name, positive=True) if s > 0 else -sp.Symbol(a.name, positive=True)
            for a, s in signs.items()
            if a.is_Symbol and a.name.startswith("v")
        }

    def _express(self, signs: dict[Any, int]) -> tuple[Any, Any]:
        made: list[Any] = []
        for head, body, sources in self.steps:
            inner = [made[s] for s in sources]
            match head:
                case "leaf":
                    made.append(self._leaf(body, signs))
                case "template" | "scale":
                    known = {placeholder(i): e for i, e in enumerate(inner)}
                    if self.has_names and self.long_constants:
                        known |= _long_atoms(body)
                    made.append(body.xreplace(known))
                case "select":
                    made.append(inner[1] if self._truth(inner[0], signs) else inner[2])
                case "lt" | "le" | "eq":
                    made.append((head, inner[0] - inner[1]))
                case "and":
                    made.append(all(self._truth(i, signs) for i in inner))
                case "or":
                    made.append(any(self._truth(i, signs) for i in inner))
                case _:
                    made.append(not self._truth(inner[0], signs))
        left, right = made[self.left], made[self.right]
        pair = []
        for side in (left, right):
            is_truth = isinstance(side, bool | tuple)
            pair.append(sp.Integer(int(self._truth(side, signs))) if is_truth else side)
        return pair[0], pair[1]

    def _leaf(self, position: int, signs: dict[Any, int]) -> Any:
        kind, what = self.leaves[position]
        if kind == "real":
            return sp.Symbol(f"v{position}", **dict(what))
        if kind == "condition":
            atom = sp.Symbol(f"c{position}", real=True)
            return ("condition", atom)
        if isinstance(what, bool):
            return what
        if self.has_names and _is_long(what):
            return _named(what)
        return (
            sp.Rational(what.numerator, what.denominator)
            if hasattr(what, "numerator")
            else sp.sympify(what)
        )

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
        if atom.has(sp.nan, sp.zoo, sp.oo):
            return False  # in a branch that is not taken; what is used with nan is never 0
        if atom.is_zero:
            return bool(relation != "lt")
        if atom.is_positive or atom.is_negative:
            known = 1 if atom.is_positive else -1
        elif atom in signs:
            known = signs[atom]
        else:
            raise _Split(atom)
        return False if relation == "eq" else known * sign < 0


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
def _long_atoms(expression: Any) -> dict[Any, Any]:
    """The long constants of an expression, and how they are named."""
    atoms = sorted(expression.atoms(sp.Rational), key=sp.default_sort_key)
    fractions = [(a, Fraction(int(a.p), int(a.q))) for a in atoms if a.is_finite]
    return {a: _named(f) for a, f in fractions if _is_long(f)}


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
    if difference.has(sp.nan, sp.zoo):
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


def proofs_of(equivalence: Equivalence, dag: Dag, roots: Sequence[int]) -> tuple[int, list[str]]:
    """Over how many regions the identities go that the roots rest on; what would not reduce."""
    seen: set[int] = set()
    stack = list(roots)
    while stack:
        index = stack.pop()
        if index not in seen:
            seen.add(index)
            stack.extend(dag.terms[index].operands)
    members = sorted(seen)
    regions = max((equivalence.proofs.get(i, 1) for i in members), default=1)
    return regions, [equivalence.unproved[i] for i in members if i in equivalence.unproved]
