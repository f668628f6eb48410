"""Index notation: `[body for i, j]`, `sum(body for i in a..b)`.

The range of an index comes from the axes that it alone indexes, or from `in`. What computed indices
such as `x[i - 1]` need of the sizes is decided when the outermost notation ends, as only then all
ranges are known: each is an inequality of sizes and indices, and an index is replaced by its first
or last value, the innermost first.
"""

from __future__ import annotations

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import meaning
from mgrad.compiler.errors import shapes as faults
from mgrad.compiler.ir.types import INT, Dim, FloorDiv, Type
from mgrad.compiler.sema import indexing, shapes
from mgrad.compiler.sema.body import BAD, Body, Local, Operand, Running, Step, checks, dtype_of
from mgrad.compiler.sema.program import Index, Value
from mgrad.compiler.source import Span
from mgrad.compiler.syntax import ast

Bounds = tuple[Dim | Value, Dim | Value]


@checks(ast.Comprehension)
def brackets(body: Body, node: ast.Comprehension) -> Step:
    return each(body, node, None)


def each(body: Body, node: ast.Comprehension, reduction: str | None) -> Step:
    """`[body for i]`, or `sum(body for i)`: an `each` value, with the body's values inside."""
    outer, copied = body.values, set(body.copied)
    hidden = {i.id: body.locals.get(i.id) for i in node.indices}
    inner: list[Value] = []
    body.values = inner
    body.notation.outer.append(outer)
    ranges: list[tuple[Running, Bounds | None]] = []
    sound = True
    first: dict[str, ast.IndexName] = {}
    for name in node.indices:
        bounds = None
        if name.range is not None:
            if isinstance(name.range, ast.Range):
                bounds = yield from indexing.bounds(body, name.range)
            elif (yield body.visit(name.range)) is not BAD:
                body.report(faults.NotARange(name.range.span))
            sound = sound and bounds is not None
        if first.setdefault(name.id, name) is not name:
            sound = False
            previous = first[name.id].span
            body.report(meaning.DuplicateArgument(name.span, name.id, previous, is_index=True))
        value = body.emit("index", (), INT, name.span, name.id)
        running = _entered(body, value, name.id)
        if bounds is not None:
            running.low, running.high = (_place(body, b) for b in bounds)
        body.locals[name.id] = Local(value, name.span, "index", used=True)
        ranges.append((running, bounds))
    operand = yield body.visit(node.body)
    body.values, body.copied = outer, copied
    for hidden_name, local in hidden.items():
        if local is None:
            del body.locals[hidden_name]
        else:
            body.locals[hidden_name] = local
    # of a name that stands twice nothing tells which one an axis belongs to
    is_clear = len(first) == len(node.indices)
    indices = _indices(body, node, ranges, bracketed=reduction is None) if is_clear else None
    made: Operand = BAD
    if operand is not BAD and sound and indices is not None:
        made = _made(body, node, reduction, indices, inner, operand)
    body.notation.outer.pop()
    if not body.notation.outer:
        _settled(body)
    return made


def _entered(body: Body, value: Value, name: str) -> Running:
    """The index as a part of sizes; its name is its own, but where another has it."""
    taken = {r.name for r in body.notation.running.values()} | body.dims.keys() | body.signed
    while name in taken:
        name += "'"
    body.indexed[value] = Dim.of(name)
    running = body.notation.running[value] = Running(value, name, [])
    return running


def _place(body: Body, bound: Dim | Value) -> Dim | None:
    return bound if isinstance(bound, Dim) else shapes.as_place(body, bound)


def _made(
    body: Body,
    node: ast.Comprehension,
    reduction: str | None,
    indices: list[Index],
    inner: list[Value],
    operand: Value,
) -> Operand:
    dtype = dtype_of(operand)
    if reduction in ("any", "all") and dtype != "bool":
        what = f"what '{reduction}' looks at"
        return body.report(meaning.WrongType(node.body.span, what, "bool", dtype))
    if reduction in ("sum", "prod", "min", "max") and dtype == "bool":
        dtype = "int"
    outer, body.values = body.values, inner
    result = body.widen(operand, dtype)
    body.values = outer
    known = set(inner)
    read = dict.fromkeys(a for v in inner for a in v.args if a not in known)
    for index in indices:
        read.update((b, None) for b in (index.start, index.stop) if isinstance(b, Value))
    if result not in known:
        read[result] = None
    if reduction in ("min", "max"):
        for index in indices:
            _wants_elements(body, index, node.span, reduction)
    shape = shapes.shape_of(result)
    if reduction is None:
        shape = (*(length(i) for i in indices), *shape)
    return body.emit(
        "each",
        tuple(v for v in read if v not in known),
        Type(dtype, shape),
        node.span,
        attributes=(
            ("indices", tuple(indices)),
            ("reduction", reduction),
            ("body", tuple(inner)),
            ("result", result),
        ),
    )


def length(index: Index) -> Dim:
    assert isinstance(index.start, Dim) and isinstance(index.stop, Dim)
    return index.stop - index.start


# ---- ranges --------------------------------------------------------------------------------


def _indices(
    body: Body,
    node: ast.Comprehension,
    ranges: list[tuple[Running, Bounds | None]],
    bracketed: bool,
) -> list[Index] | None:
    """The indices with their ranges, or None after a fault."""
    found: list[Index] = []
    sound = True
    for name, (running, given) in zip(node.indices, ranges, strict=True):
        if name.range is not None and given is None:
            continue  # its fault is told
        bounds = _inferred(body, name, running) if given is None else given
        if bounds is None or (
            given is not None and not _fits(body, name, running, given, bracketed)
        ):
            sound = False
            continue
        running.low, running.high = (_place(body, b) for b in bounds)
        box = Dim.of(0), Dim.of(0)  # once all ranges are known
        found.append(Index(running.value, *bounds, box))
        body.notation.boxes.append(found[-1])
    return found if sound else None


def _inferred(body: Body, name: ast.IndexName, running: Running) -> Bounds | None:
    """The range that the axes tell."""
    if not running.axes:
        body.report(faults.RangeUnknown(name.span, name.id))
        return None
    size, place = running.axes[0]
    for other, there in running.axes[1:]:
        if not shapes.agree(body, size, other):
            pairs = (str(size), place), (str(other), there)
            body.report(
                faults.RangeConflict(name.span, name.id, *pairs, shapes.bound(body, (size, other)))
            )
            return None
    return Dim.of(0), size


def _fits(
    body: Body, name: ast.IndexName, running: Running, bounds: Bounds, bracketed: bool
) -> bool:
    """Whether a range that is given may be; each axis that the index runs along is to hold it."""
    assert name.range is not None
    text = name.range.span.text
    if running.low is None or running.high is None:
        body.report(faults.SizeNotKnown(name.range.span, f"the range of '{name.id}'"))
        return False
    start, stop = bounds
    if isinstance(start, Dim) and isinstance(stop, Dim):
        span = name.range.span
        what = f"the range of '{name.id}', {text}, ends before it starts"
        if not shapes.require(body, stop - start, lambda: faults.IndexOutside(span, what, None)):
            return False
    elif bracketed:
        body.report(faults.DependentRange(name.range.span, name.id))
        return False
    for size, place in running.axes:
        wants(body, Dim.of(running.name), size, place, f"'{name.id}' runs along {text}")
    return True


def _wants_elements(body: Body, index: Index, span: Span, name: str) -> None:
    low, high = (_place(body, b) for b in (index.start, index.stop))
    assert low is not None and high is not None
    body.notation.wanted.append((high - low - 1, lambda: faults.EmptyReduction(span, name)))


# ---- inside --------------------------------------------------------------------------------


def wants(body: Body, place: Dim, size: Dim, span: Span, what: str) -> None:
    """An index is to be inside its axis."""

    def fault() -> Diagnostic:
        low, high = bound(body, place, True), bound(body, place, False)
        ends = f", from {low} to {high}," if low is not None and high is not None else ""
        text = f"{what}{ends} outside an axis of size {size}"
        return faults.IndexOutside(span, text, None, shapes.bound(body, (size, place)))

    body.notation.wanted += [(place, fault), (size - place - 1, fault)]


def _settled(body: Body) -> None:
    """All ranges are known: see to what is wanted, and find each index's box."""
    notation = body.notation
    known = all(r.low is not None and r.high is not None for r in notation.running.values())
    told: set[int] = set()
    for size, fault in notation.wanted if known else ():
        least = bound(body, size, True)
        if least is not None and id(fault) not in told and not shapes.require(body, least, fault):
            told.add(id(fault))
    for index in notation.boxes if known else ():
        index.box = _box(body, index)
    notation.running.clear()
    notation.wanted.clear()
    notation.boxes.clear()


def _box(body: Body, index: Index) -> tuple[Dim, Dim]:
    """Bounds for all turns of the indices around. Where the axes have room, a little more than
    needed: so `j in 0..i` and `j in i + 1..N` for an empty range of i are empty, not of size -1."""
    running = body.notation.running[index.value]
    assert running.low is not None and running.high is not None
    if isinstance(index.start, Dim) and isinstance(index.stop, Dim):
        return index.start, index.stop
    low = bound(body, running.low, True)
    high = bound(body, running.high, False)
    if low is None or high is None:
        body.report(faults.SizeNotKnown(index.value.span, f"the range of '{index.value.name}'"))
        return Dim.of(0), Dim.of(0)
    if not running.is_computed_with:
        short = max(0, -dict((high - low).terms).get((), 0))
        past = bound(body, running.high, False, past=1) or high
        for start, stop in ((low, past), (low - short, high), (low, high + short)):
            rooms = [stop - start]
            for size, _ in running.axes:
                rooms += [start, size - stop]
            if all(shapes.sign(body, room) == 1 for room in rooms):
                return start, stop
    span = index.value.span
    what = f"the range of '{index.value.name}' ends before it starts"
    shapes.require(body, high - low, lambda: faults.IndexOutside(span, what, None))
    return low, high


def bound(body: Body, d: Dim, lowest: bool, past: int = 0) -> Dim | None:
    """The least or the greatest that an int made of sizes and indices becomes, as a size; None
    where that is not plain."""
    for running in reversed(body.notation.running.values()):
        if running.name not in d.names:
            continue
        made = _without(body, d, running, lowest, past)
        if made is None:
            return None
        d = made
    return d


def _without(body: Body, d: Dim, running: Running, lowest: bool, past: int) -> Dim | None:
    """The same without one index: each term that holds it at its first or at its last value."""
    if running.low is None or running.high is None:
        return None
    last = running.high - 1 + past
    linear, rest, total = Dim.of(0), [], Dim.of(0)
    for monomial, c in d.terms:
        powers = [p for atom, p in monomial if atom == running.name]
        others = tuple((atom, p) for atom, p in monomial if atom != running.name)
        if not any(running.name in _names(atom) for atom, _ in monomial):
            total += Dim(((monomial, c),))
        elif powers == [1] and not any(running.name in _names(atom) for atom, _ in others):
            linear += Dim(((others, c),))
        else:
            rest.append((monomial, c))
    growth = _sign(body, linear) if linear.terms else 1
    if growth is None:
        return None
    total += linear * (running.low if (growth > 0) is lowest else last)
    if not rest:
        return total
    if _sign(body, running.low) != 1:
        return None
    for monomial, c in rest:  # products and quotients of what is at least 0 grow with each
        if any(_sign(body, _dim(atom)) != 1 for atom, _ in monomial):
            return None
        end = running.low if (c > 0) is lowest else last
        total += Dim(((monomial, c),)).replaced({running.name: end})
    return total


def _names(atom: str | FloorDiv) -> frozenset[str]:
    return _dim(atom).names


def _dim(atom: str | FloorDiv) -> Dim:
    return Dim((((((atom, 1),), 1)),))


def _sign(body: Body, d: Dim) -> int | None:
    """1 or -1 where an int made of sizes and indices is at least 0, or at most 0."""
    own = {r.name: r for r in body.notation.running.values()}
    for name in sorted(d.names):
        if name in own:
            low = own[name].low
            least = None if low is None else bound(body, low, True)
            if least is None or shapes.sign(body, least) != 1:
                return None
        elif name in body.signed:
            return None
    if any(
        isinstance(atom, FloorDiv) and not _is_growing(atom) for m, _ in d.terms for atom, _ in m
    ):
        return None
    if all(c > 0 for _, c in d.terms):
        return 1
    return -1 if all(c < 0 for _, c in d.terms) else None


def _is_growing(atom: FloorDiv) -> bool:
    n = atom.divisor.constant
    return n is not None and n > 0 and all(c > 0 for _, c in atom.numerator.terms)
