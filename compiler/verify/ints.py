"""What the ints of a function of arrays are: sizes, trip counts, places.

An int that says how many there are, or where something lies, decides the course of a text. It has
to be the same at every point, and such that the program has a value there. So the program is
rehearsed with nothing known but its ints, each with the arguments that it comes from; where a place
lies outside of its array one of these is moved, until none does.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import islice, product
from typing import Any, Literal

import numpy as np
import sympy as sp

from mgrad.compiler.ir.types import INT, Dim, Type
from mgrad.compiler.sema.program import Argument, Condition, Extern, Function, Index, Program, Value
from mgrad.compiler.source import Span
from mgrad.compiler.verify import elements
from mgrad.compiler.verify.evaluation import contains
from mgrad.compiler.verify.reference import Reference
from mgrad.compiler.verify.spelling import dtype
from mgrad.compiler.verify.table import TABLE
from mgrad.compiler.verify.terms import Dag

SMALLEST = 2
INSIDE = 3  # the same where places are computed: below, each element is at an end
FARTHEST = 12  # how much larger sizes may be, so that nothing is empty
MOST = 20_000  # choices of sizes that are looked at
TRIES = 12  # choices of sizes that are rehearsed
MOVES = 60  # of ints, before other sizes are tried
DRAWS = 40  # of an int, until conditions are met
REACH = 3  # how many times the largest size an int may be
ASTRAY = 0.2  # how often an int is moved anywhere

Source = tuple[str, int]  # an argument, and which of its elements in row-major order
Ints = dict[str, list[int]]  # of an argument; one int for a scalar
Door = Callable[[Mapping[str, int], int], bool]


@dataclass(frozen=True, slots=True)
class Choice:
    """Sizes of the dimensions and of the ints that decide anything; arrays of such ints. Int
    arguments in neither may be any number."""

    sizes: Mapping[str, int]
    arrays: Mapping[str, tuple[int, ...]]
    has_places: bool  # whether it is computed where elements lie


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be chosen: sizes from `first` on, in the order of their names if the seed is 0;
    arrays of ints that run through all places in turn, are all equal, or are any, also negative;
    and ints that are small sizes, the least or the greatest possible ones, or any."""

    first: int = SMALLEST
    array: Literal["turns", "equal", "any"] = "turns"
    scalar: Literal["small", "least", "greatest", "any"] = "small"
    seed: int = 0
    inside: int = INSIDE  # the least size of an axis in which places are computed
    pointed: frozenset[str] = frozenset()  # the dimensions of which that is known


SMALL = Wish()


def choose(program: Program, function: Function, wish: Wish) -> Choice:
    """Distinct sizes, if possible, and ints that fit."""
    draw = random.Random(wish.seed)
    arguments = [a for a in function.arguments if dtype(a.value.type) == "int"]
    scalars = [a.name for a in arguments if not a.type.shape]
    decisive = {name for c in function.conditions for name in c.size.names}
    fallback: Choice | None = None
    lets_in = _door(function)
    for found in islice(_sizes(function, wish, lets_in), TRIES):
        sizes = {name: n for name, n in found.items() if name not in scalars}
        largest = max(found.values(), default=SMALLEST)
        axes = {a.name: largest for a in arguments}  # the shortest that an array points into
        ints = {a.name: _start(a, found, k, axes, wish, draw) for k, a in enumerate(arguments)}

        least = 0 if wish.scalar in ("least", "greatest") else 1

        def is_allowed(ints: Ints, sizes: dict[str, int] = sizes, least: int = least) -> bool:
            return lets_in(sizes | {s: ints[s][0] for s in scalars}, least)

        for name in scalars:
            match wish.scalar:
                case "least":
                    _first(ints, name, range(-largest, largest + 1), is_allowed)
                case "greatest":
                    _first(ints, name, range(largest + 1, -largest, -1), is_allowed)
                case "any":
                    _redraw(ints, (name, 0), largest, is_allowed, draw)
        for _ in range(MOVES):
            rehearsal = Rehearsal(program, function, sizes, ints)
            decisive |= rehearsal.decisive
            if not rehearsal.faults or not all(f.sources for f in rehearsal.faults):
                break
            if wish.array == "turns" and _shorten(axes, rehearsal.faults):
                for k, a in enumerate(arguments):
                    ints[a.name] = _start(a, found, k, axes, wish, draw)
            else:
                _move(rehearsal.faults, ints, largest, is_allowed, draw)
        short = {n for n, size in sizes.items() if size in rehearsal.axes and size < wish.inside}
        if short - wish.pointed:
            return choose(program, function, replace(wish, pointed=wish.pointed | short))
        fixed = {s: ints[s][0] for s in scalars if s in decisive}
        arrays = {n: tuple(k) for n, k in ints.items() if n in decisive and n not in scalars}
        choice = Choice(sizes | fixed, arrays, bool(rehearsal.axes))
        if not rehearsal.faults and not rehearsal.reason:
            return choice
        fallback = fallback or choice
    assert fallback is not None
    return fallback


# ---- sizes ---------------------------------------------------------------------------------


def _sizes(function: Function, wish: Wish, lets_in: Door) -> Iterator[dict[str, int]]:
    """Sizes for the names of dimensions and the int arguments, in order: those that leave nothing
    empty, else those that the door lets in, else any."""
    names: dict[str, None] = {}
    for argument in function.arguments:
        for d in argument.type.shape:
            names.update(dict.fromkeys(sorted(d.names)))
    for argument in function.arguments:
        if argument.value.type == INT:
            names.setdefault(argument.name)
    order = list(names)
    if wish.seed:
        random.Random(wish.seed).shuffle(order)
    for least in (1, 0):
        for sizes in _choices(order, wish.first, bool(wish.pointed)):
            is_wide = all(sizes[name] >= wish.inside for name in wish.pointed)
            if is_wide and lets_in(sizes, least):
                yield sizes
    yield {name: wish.first + k for k, name in enumerate(names)}


def _choices(names: Sequence[str], first: int, is_mixed: bool) -> Iterator[dict[str, int]]:
    """Sizes for names, rather distinct ones, in the order of the names unless `is_mixed`, and
    small."""
    for start in () if is_mixed else range(first, first + FARTHEST):
        yield {name: start + k for k, name in enumerate(names)}
    width = max(2, min(FARTHEST, int(MOST ** (1 / max(1, len(names))))))
    found = sorted(product(range(first, first + width), repeat=len(names)), key=max)
    for is_distinct in (True, False):
        for sizes in found:
            if (len(set(sizes)) == len(sizes)) is is_distinct:
                yield dict(zip(names, sizes, strict=True))


def _door(function: Function) -> Door:
    """Whether a function takes these sizes, and no axis in it is shorter than `least`."""
    shapes = [v.type.shape for v in function.values if isinstance(v.type, Type)]
    dims = dict.fromkeys(d for shape in shapes for d in shape if d.constant is None)

    def lets_in(sizes: Mapping[str, int], least: int) -> bool:
        try:
            is_met = all(_holds(c, sizes) for c in function.conditions)
            return is_met and all(d.evaluate(sizes) >= least for d in dims)
        except ZeroDivisionError:  # N//s
            return False

    return lets_in


def _holds(condition: Condition, sizes: Mapping[str, int]) -> bool:
    value = condition.size.evaluate(sizes)
    return value == 0 if condition.is_equality else value >= 0


# ---- ints ----------------------------------------------------------------------------------


def _start(
    argument: Argument,
    sizes: Mapping[str, int],
    position: int,
    axes: Mapping[str, int],
    wish: Wish,
    draw: random.Random,
) -> list[int]:
    """The ints of an argument, before any is moved."""
    if not argument.type.shape:
        return [sizes[argument.name]]
    shape = [d.evaluate(sizes) for d in argument.type.shape]
    size = axes[argument.name]
    low, high = _ends(argument, -size if wish.array == "any" else 0, size - 1)
    match wish.array:
        case "equal":
            return [draw.randint(low, high)] * math.prod(shape)
        case "any":
            return [draw.randint(low, high) for _ in range(math.prod(shape))]
    # neighbours differ, and what belongs to an element is not the element itself: no distance is 0
    return [low + (sum(at) + position + 1) % (high - low + 1) for at in np.ndindex(*shape)]


def _shorten(axes: dict[str, int], faults: Sequence[Fault]) -> bool:
    """Notes the axes that ints point out of; whether one is shorter than was known."""
    before = dict(axes)
    for fault in faults:
        for name, _ in fault.sources:
            axes[name] = min(axes[name], fault.size)
    return axes != before


def _ends(argument: Argument, low: int, high: int) -> tuple[int, int]:
    """The least and the greatest of these that lie in the stated domain, if any do."""
    domain = argument.domain
    inside = [n for n in range(low, high + 1) if domain is None or contains(domain, n)]
    return (inside[0], inside[-1]) if inside else (low, high)


def _move(
    faults: Sequence[Fault],
    ints: Ints,
    largest: int,
    is_allowed: Callable[[Ints], bool],
    draw: random.Random,
) -> None:
    """Moves an int of each fault towards a place inside, an int once; or anywhere, since the way is
    another one where ints are multiplied."""
    moved: dict[Source, None] = {}
    for fault in faults:
        source = draw.choice(sorted(fault.sources))
        way = draw.randrange(fault.size) - fault.place
        if source in moved or not way:
            continue
        moved[source] = None
        name, rank = source
        before = ints[name][rank]
        ints[name][rank] += draw.randint(*sorted((way, 1 if way > 0 else -1)))
        is_far = abs(ints[name][rank]) > REACH * largest
        if is_far or draw.random() < ASTRAY or not is_allowed(ints):
            ints[name][rank] = before
            _redraw(ints, source, largest, is_allowed, draw)


def _redraw(
    ints: Ints,
    source: Source,
    largest: int,
    is_allowed: Callable[[Ints], bool],
    draw: random.Random,
) -> None:
    """Another number for an int, if one is found that is allowed."""
    name, rank = source
    before = ints[name][rank]
    for _ in range(DRAWS):
        ints[name][rank] = draw.randint(-largest, largest)
        if is_allowed(ints):
            return
    ints[name][rank] = before


def _first(
    ints: Ints, name: str, numbers: Iterable[int], is_allowed: Callable[[Ints], bool]
) -> None:
    """The first of these numbers that is allowed for an int, if any is."""
    before = ints[name][0]
    for ints[name][0] in numbers:
        if is_allowed(ints):
            return
    ints[name][0] = before


# ---- rehearsal -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whole:
    """A number that is known, and the ints that it comes from."""

    value: Fraction | bool
    sources: frozenset[Source] = frozenset()
    is_index: bool = False  # of index notation, as it is


UNKNOWN = object()  # what comes from real numbers and bools


@dataclass(frozen=True, slots=True)
class Fault:
    """A place outside of an axis."""

    place: int
    size: int
    sources: frozenset[Source]


class Rehearsal(Reference):
    """A function of the program, run with its ints alone: an element is a `Whole`, or UNKNOWN.
    Tells the places that lie outside, or the `reason` why it could not go on."""

    def __init__(
        self, program: Program, function: Function, sizes: Mapping[str, int], ints: Ints
    ) -> None:
        super().__init__(program, Dag())
        self.faults: list[Fault] = []
        self.reason = ""
        self.decisive: set[str] = set()  # arguments that sizes, trip counts and places come from
        self.axes: set[int] = set()  # sizes of those in which places are computed
        self.scalars = {(a.name, 0) for a in function.arguments if a.value.type == INT}
        try:
            self.function(function, [self._given(a, sizes, ints) for a in function.arguments])
        except (ValueError, IndexError) as error:
            self.reason = str(error)

    def _given(self, argument: Argument, sizes: Mapping[str, int], ints: Ints) -> Any:
        named = {**sizes, **{name: ints[name][0] for name, _ in self.scalars}}
        shape = [d.evaluate(named) for d in argument.type.shape]
        if argument.name not in ints:
            return elements.filled(shape, [UNKNOWN] * math.prod(shape))
        parts = enumerate(ints[argument.name])
        return elements.filled(
            shape, [Whole(Fraction(n), frozenset([(argument.name, k)])) for k, n in parts]
        )

    def number(self, value: Any) -> Any:
        is_known = isinstance(value, bool | int | Fraction)
        return Whole(value if isinstance(value, bool) else Fraction(value)) if is_known else UNKNOWN

    def mark(self, node: Any, name: str | None = None, span: Span | None = None) -> Any:
        return node

    def op(self, name: str, operands: Sequence[Any], span: Span | None = None) -> Any:
        if name == "where" and operands[0] is not UNKNOWN:
            test, *arms = operands
            taken = arms[0 if test.value else 1]
            return UNKNOWN if taken is UNKNOWN else Whole(taken.value, taken.sources | test.sources)
        if any(o is UNKNOWN for o in operands):
            return UNKNOWN
        value = _exactly(name, tuple(o.value for o in operands))
        if value is None:
            return UNKNOWN
        return Whole(value, _union(o.sources for o in operands))

    def extern(self, extern: Extern, arguments: Sequence[Any]) -> Any:
        return UNKNOWN

    def gradient(self, seeds: Sequence[tuple[Any, Any]], wrt: Sequence[Any]) -> Any:
        return tuple(UNKNOWN for _ in wrt)

    def decide(self, operands: Sequence[Any]) -> None:
        """Nothing: there is no derivative."""

    def whole(self, node: Any) -> int | None:
        return None if node is UNKNOWN or node.value != int(node.value) else int(node.value)

    def integer(self, node: Any) -> int:
        if node is not UNKNOWN:
            self.decisive |= {name for name, _ in node.sources}
        return super().integer(node)

    def forms(self, function: Function, arguments: Sequence[Any]) -> elements.Elements:
        origins = {
            a.name: given.sources
            for a, given in zip(function.arguments, arguments, strict=True)
            if isinstance(given, Whole)
        }
        return _Places(self, self.sizes(function, arguments), origins)


class _Places(elements.Elements):
    """The tensor forms of a rehearsal."""

    def __init__(
        self,
        rehearsal: Rehearsal,
        sizes: Mapping[str, int],
        origins: Mapping[str, frozenset[Source]],
    ) -> None:
        super().__init__(rehearsal.arithmetic(), sizes)
        self.rehearsal = rehearsal
        self.origins = origins

    def sources(self, d: Dim) -> frozenset[Source]:
        return _union(self.origins[name] for name in d.names & self.origins.keys())

    def size(self, d: object) -> int:
        assert isinstance(d, Dim)
        self.rehearsal.decisive |= {name for name, _ in self.sources(d)}
        return super().size(d)

    def turn(self, index: Index, at: int, made: Mapping[Value, Any]) -> Any:
        bounds = (index.start, index.stop)
        origins = (self.sources(b) if isinstance(b, Dim) else made[b].sources for b in bounds)
        return Whole(Fraction(at), _union(origins), is_index=True)

    def place(self, element: Any, size: int) -> int:
        """Of the elements of int arrays those below 0 count from the end."""
        if element is UNKNOWN:
            self.rehearsal.axes.add(size)
            return 0  # a real number decides, at each point
        if not element.is_index:
            self.rehearsal.axes.add(size)
        at = self.a.integer(element)
        counts_from_end = not self.rehearsal.scalars.issuperset(element.sources)
        if (-size if counts_from_end else 0) <= at < size:
            return at % size
        if not size:
            raise ValueError("a place in an empty axis")
        self.rehearsal.faults.append(Fault(at, size, element.sources))
        return 0


def _union(sets: Iterable[frozenset[Source]]) -> frozenset[Source]:
    return frozenset().union(*sets)


@cache
def _exactly(name: str, values: tuple[Fraction | bool, ...]) -> Fraction | bool | None:
    """An op of the table on numbers, by what SymPy says of it; None if that is no ratio."""
    operands = [
        sp.sympify(v) if isinstance(v, bool) else sp.Rational(v.numerator, v.denominator)
        for v in values
    ]
    found = sp.sympify(TABLE[name].sympy(sp, *operands))
    if found in (sp.true, sp.false):
        return bool(found)
    return Fraction(int(found.p), int(found.q)) if found.is_Rational else None
