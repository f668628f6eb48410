"""Built-in functions of arrays: what each takes, and the values that spell it.

An entry is `takes("sum", "x axis keepdims")(function)`. Of the parameters, `axis` and `axes` are
read from the text (a dimension's name stands for its axis), `keepdims` is known before the run, a
star takes any number; a value after `=` is the default, None without one for what has a key word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, takewhile
from typing import Any

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import meaning
from mgrad.compiler.errors import shapes as faults
from mgrad.compiler.ir.types import INT, Bundle, Dim, Dtype, Shape, Type
from mgrad.compiler.ops.op import ORDER
from mgrad.compiler.sema import indexing, notation, shapes
from mgrad.compiler.sema.body import BAD, Body, Operand, Poison, Step, dtype_of
from mgrad.compiler.sema.exact import Exact
from mgrad.compiler.sema.program import Value
from mgrad.compiler.sema.tree import value_names
from mgrad.compiler.source import Span
from mgrad.compiler.syntax import ast

Given = tuple[ast.Argument, ...]
REDUCTIONS = frozenset({"sum", "prod", "min", "max", "mean", "any", "all"})  # they take `for`
ONE_AXIS = frozenset({"argmax", "argmin", "cumsum", "stack", "concat", "split"})
NUMBERS = frozenset({"*axes", "*sizes", "*counts"})  # what may stand in brackets instead


@dataclass(frozen=True, slots=True)
class Entry:
    """A built-in function of arrays."""

    name: str
    parameters: tuple[str, ...]  # a star takes the rest of the places
    optional: frozenset[str]
    function: Callable[..., Any]  # (call, **operands) -> Operand

    def head(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


@dataclass(frozen=True, slots=True, eq=False)
class Given_:
    """An operand and where it stands."""

    operand: Operand
    span: Span

    @property
    def shape(self) -> Shape:
        return shapes.shape_of(self.operand)


@dataclass(frozen=True, slots=True, eq=False)
class CallSite:
    """The call that is being checked."""

    body: Body
    name: str
    span: Span

    def value(self, given: Given_, dtype: Dtype | None = None) -> Value:
        """The operand as a value, of a wider type if one is named."""
        return self.body.widen(given.operand, dtype or dtype_of(given.operand))  # type: ignore[arg-type]

    def emit(
        self, form: str, args: tuple[Value, ...], dtype: Dtype, shape: Shape, **attributes: object
    ) -> Value:
        return self.body.emit(
            form, args, Type(dtype, shape), self.span, attributes=tuple(attributes.items())
        )

    def op(self, name: str, *operands: Operand) -> Any:
        """An op of the table; numbers are given as `Exact`."""
        return self.body.apply(name, operands, [self.span] * len(operands), self.span)

    def number(self, value: int | Fraction, dtype: Dtype = "real") -> Exact:
        return Exact(Fraction(value), dtype, self.span)

    def report(self, fault: Any) -> Operand:
        return self.body.report(fault)

    def array(self, given: Given_, rank: int = 1) -> bool:
        """Whether the operand has at least `rank` axes; a fault if not."""
        if len(given.shape) >= rank:
            return True
        if rank == 1:
            self.report(faults.NotAnArray(given.span, f"'{self.name}'"))
        else:
            wanted = "a matrix" if rank == 2 else f"{rank} axes"
            self.report(
                faults.WrongRank(given.span, f"'{self.name}'", wanted, shapes.shown(given.operand))
            )
        return False

    def reduced(self, form: str, x: Value, axes: Sequence[int], dtype: Dtype) -> Value:
        if not axes:
            return x
        shape = tuple(d for i, d in enumerate(shapes.shape_of(x)) if i not in axes)
        return self.emit(form, (x,), dtype, shape, axes=tuple(sorted(axes)))

    def kept(self, value: Value, shape: Shape, axes: Sequence[int]) -> Value:
        """A reduced value with its axes back, of size 1."""
        full = tuple(shapes.ONE if i in axes else d for i, d in enumerate(shape))
        return shapes.reshaped(self.body, value, full, self.span)

    def along(self, value: Value, shape: Shape, axes: Sequence[int]) -> Value:
        """A reduced value repeated along the axes that it lacks."""
        if not axes:
            return value
        assert isinstance(value.type, Type)
        return self.emit("broadcast", (value,), value.type.dtype, shape, axes=tuple(sorted(axes)))

    def count(self, shape: Shape, axes: Sequence[int]) -> Operand:
        """How many elements lie along the axes, as a real."""
        total = shapes.ONE
        for axis in axes:
            total = total * shape[axis]
        return size_value(self.body, total, self.span)


TABLE: dict[str, Entry] = {}


def takes(name: str, parameters: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function; parameters in brackets may be left out."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        words = parameters.split()
        optional = frozenset(w.strip("[]") for w in words if w.startswith("["))
        TABLE[name] = Entry(name, tuple(w.strip("[]") for w in words), optional, function)
        return function

    return enter


def size_value(body: Body, size: Dim, span: Span) -> Operand:
    """A size as an int."""
    n = size.constant
    if n is not None:
        return Exact(Fraction(n), "int", span)
    value = body.emit("size", (), INT, span, attributes=(("dim", size),))
    body.sizes[value] = size
    return value


# ---- the call ------------------------------------------------------------------------------


def apply(
    body: Body, name: str, piped: tuple[Operand, Span] | None, given: Given, span: Span
) -> Step:
    """The value of a call of a built-in function of arrays."""
    entry = TABLE[name]
    if len(given) == 1 and isinstance(given[0].value, ast.Comprehension):
        inner = given[0].value
        if not inner.bracketed:
            if name == "mean":
                return (yield from _mean_of(body, inner, span))
            return (yield from notation.each(body, inner, name))
    slots: dict[str, Any] = {}
    if name == "einsum" and (piped or not given or not isinstance(given[0].value, ast.Text)):
        place = given[0].span if given and piped is None else span
        text = "'einsum' begins with the letters of the axes"
        return body.report(meaning.WrongArity(place, text, 'einsum("ij,jk->ik", a, b)', None))
    if name == "einsum" and piped is None and given and isinstance(given[0].value, ast.Text):
        slots["spec"], given = given[0].value, given[1:]
    rest: list[Given_] = []
    star = next((p for p in entry.parameters if p.startswith("*")), None)
    # everything after the star goes by keyword, what is before it by place
    places = list(takewhile(lambda p: p != star, entry.parameters))
    call = CallSite(body, name, span)
    sound = True
    is_overfull = False
    pending: list[tuple[str, ast.Argument]] = []
    count = 0
    if piped is not None:
        count = 1
        if places:
            slots[places[0]] = Given_(*piped)
        else:
            rest.append(Given_(*piped))
    for argument in given:
        if argument.name is None:
            while count < len(places) and places[count] in slots and piped is None:
                count += 1  # the words of einsum
            if count < len(places):
                key = places[count]
            elif star is not None:
                key = star
            else:
                sound, is_overfull = False, True
                total = len(given) + (piped is not None)
                text = f"'{name}' takes {_most(entry)} arguments, not {total}"
                body.report(meaning.WrongArity(span, text, entry.head(), None))
                break
            count += 1
        elif argument.name in entry.parameters:
            key = argument.name
            if key in slots or any(key == k for k, _ in pending):
                sound = False
                body.report(meaning.RepeatedArgument(argument.span, name, key))
                continue
        else:
            sound = False
            suggestion = body.checker.suggestions.nearest(argument.name, entry.parameters)
            body.report(
                meaning.UnknownKeyword(argument.span, name, argument.name, suggestion, None)
            )
            continue
        pending.append((key, argument))
    for key, argument in _spread(pending, star):
        if key == "axis" or (key == "axes" and star is None):
            slots[key] = argument.value
            continue
        operand = yield body.visit(argument.value)
        if isinstance(operand, Poison):
            sound = False
        elif key == star:
            rest.append(Given_(operand, argument.value.span))
        elif key == "keepdims":
            known = body.known(operand)
            if known is None or known.dtype != "bool":
                sound = False
                kind = dtype_of(operand)
                if not is_overfull:  # else it is likely another axis
                    fault = meaning.WrongType(argument.value.span, "keepdims", "bool", kind)
                    body.report(fault)
            else:
                slots[key] = bool(known.value)
        else:
            slots[key] = Given_(operand, argument.value.span)
    if piped is not None and piped[0] is BAD:
        sound = False
    missing = [p for p in places if p not in slots and p not in entry.optional]
    if sound and missing:
        sound = False
        text = f"'{name}' is called without {meaning.listed([repr(m) for m in missing])}"
        body.report(meaning.WrongArity(span, text, entry.head(), None))
    if not sound:
        return BAD
    if "axis" in slots:
        subject = slots.get("x") or (rest[0] if rest else None)
        if subject is None:
            return BAD
        extra = 1 if name in ("stack", "expand") else 0
        axes = yield from _axes(body, slots["axis"], subject, extra)
        if axes is None:
            return BAD
        if name in ONE_AXIS and len(axes) != 1:
            shape = shapes.shown(subject.operand)
            return call.report(
                faults.WrongAxis(slots["axis"].span, f"'{name}' takes one axis", shape)
            )
        slots["axis"] = axes
    if star is not None:
        slots[star[1:]] = rest
    return entry.function(call, **slots)


def _spread(
    given: list[tuple[str, ast.Argument]], star: str | None
) -> Iterator[tuple[str, ast.Argument]]:
    """The arguments by their keys; of numbers in brackets, as in `transpose(x, [1, 0])`, each."""
    numbers = [argument for key, argument in given if key == star]
    for key, argument in given:
        value = argument.value
        if star in NUMBERS and len(numbers) == 1 and key == star and isinstance(value, ast.Array):
            yield from ((key, ast.Argument(None, item, item.span)) for item in value.items)
        else:
            yield key, argument


def _most(entry: Entry) -> str:
    return str(len(entry.parameters))


def _axes(body: Body, node: ast.Expression, subject: Given_, extra: int) -> Step:
    """The axes that `axis=` names, from 0; None after a fault. `extra`: an axis may be new."""
    parts = node.items if isinstance(node, ast.Array) else (node,)
    found: list[int] = []
    for part in parts:
        if isinstance(part, ast.Name) and (part.id in body.dims):
            axis = shapes.axis_named(body, part.id, subject.operand, part.span)
        else:
            operand = yield body.visit(part)
            if isinstance(operand, Poison):
                return None
            known = body.known(operand)
            if dtype_of(operand) != "int":
                body.report(meaning.WrongType(part.span, "an axis", "int", dtype_of(operand)))
                return None
            if known is None:
                body.report(faults.SizeNotKnown(part.span, "an axis", is_fixed=True))
                return None
            axis = shapes.axis_number(body, int(known.value), subject.operand, part.span, extra)
        if axis is None:
            return None
        if axis in found:
            body.report(
                faults.WrongAxis(part.span, "an axis stands twice", shapes.shown(subject.operand))
            )
            return None
        found.append(axis)
    return found


def _all(shape: Shape, axis: list[int] | None) -> list[int]:
    return list(range(len(shape))) if axis is None else axis


# ---- reductions ----------------------------------------------------------------------------


def _reduction(form: str) -> Callable[..., Operand]:
    def reduce(
        call: CallSite, x: Given_, axis: list[int] | None = None, keepdims: bool = False
    ) -> Operand:
        if not call.array(x):
            return BAD
        dtype = dtype_of(x.operand)
        if form in ("any_over", "all_over"):
            if dtype != "bool":
                return call.report(
                    meaning.WrongType(x.span, f"what '{call.name}' looks at", "bool", dtype)
                )
        elif dtype == "bool":
            dtype = "int"
        axes = _all(x.shape, axis)
        if form in ("max_over", "min_over") and not _has_elements(call, x, axes):
            return BAD
        value = call.reduced(form, call.value(x, dtype), axes, dtype)
        return call.kept(value, x.shape, axes) if keepdims else value

    return reduce


def _has_elements(call: CallSite, x: Given_, axes: Sequence[int]) -> bool:
    """See that an axis is not empty: there is no greatest of nothing."""
    return all(
        shapes.require(call.body, x.shape[a] - 1, lambda: faults.EmptyReduction(x.span, call.name))
        for a in axes
    )


for _name in ("sum", "prod", "max", "min", "any", "all"):
    takes(_name, "x [axis] [keepdims]")(_reduction(f"{_name}_over"))


def _mean_of(body: Body, node: ast.Comprehension, span: Span) -> Step:
    """`mean(body for i)`."""
    total = yield from notation.each(body, node, "sum")
    if isinstance(total, Poison):
        return BAD
    own = {name.id for name in node.indices}
    known, count = shapes.ONE, None
    for name, index in zip(node.indices, total.attribute("indices"), strict=True):
        if isinstance(index.start, Dim) and isinstance(index.stop, Dim):
            known = known * (index.stop - index.start)
            continue
        assert name.range is not None
        if any(used.id in own for used in value_names(name.range)):
            return body.report(faults.SizeNotKnown(span, "the number of terms of a mean"))
        terms = yield from _terms(body, name.range)
        count = terms if count is None else body.apply("mul", (count, terms), (span, span), span)
    whole = size_value(body, known, span)
    if count is not None:
        whole = body.apply("mul", (whole, count), (span, span), span)
    return body.apply("div", (total, whole), (span, span), span)


def _terms(body: Body, node: ast.Expression) -> Step:
    """How many ints lie in a range that depends on an index outside of it."""
    assert isinstance(node, ast.Range)
    start, stop = yield from indexing.bounds(body, node)
    ends = [size_value(body, d, node.span) if isinstance(d, Dim) else d for d in (stop, start)]
    spans = (node.span, node.span)
    length = body.apply("sub", ends, spans, node.span)
    return body.apply("max", (length, Exact(Fraction(0), "int", node.span)), spans, node.span)


@takes("mean", "x [axis] [keepdims]")
def mean(
    call: CallSite, x: Given_, axis: list[int] | None = None, keepdims: bool = False
) -> Operand:
    if not call.array(x):
        return BAD
    axes = _all(x.shape, axis)
    value = _mean(call, call.value(x, "real"), axes)
    return call.kept(value, x.shape, axes) if keepdims else value


def _mean(call: CallSite, x: Value, axes: list[int]) -> Any:
    shape = shapes.shape_of(x)
    return call.op("div", call.reduced("sum_over", x, axes, "real"), call.count(shape, axes))


def _variance(call: CallSite, x: Given_, axes: list[int]) -> Any:
    value = call.value(x, "real")
    centred = call.op("sub", value, call.along(_mean(call, value, axes), x.shape, axes))
    return _mean(call, call.op("pow", centred, call.number(2, "int")), axes)


@takes("var", "x [axis] [keepdims]")
def var(
    call: CallSite, x: Given_, axis: list[int] | None = None, keepdims: bool = False
) -> Operand:
    """The mean of the squared distance from the mean."""
    if not call.array(x):
        return BAD
    axes = _all(x.shape, axis)
    value = _variance(call, x, axes)
    return call.kept(value, x.shape, axes) if keepdims else value


@takes("std", "x [axis] [keepdims]")
def std(
    call: CallSite, x: Given_, axis: list[int] | None = None, keepdims: bool = False
) -> Operand:
    if not call.array(x):
        return BAD
    axes = _all(x.shape, axis)
    value = call.op("root", _variance(call, x, axes))
    return call.kept(value, x.shape, axes) if keepdims else value


@takes("norm", "x [axis] [keepdims]")
def norm(
    call: CallSite, x: Given_, axis: list[int] | None = None, keepdims: bool = False
) -> Operand:
    """The Euclidean norm; of a matrix Frobenius's."""
    if not call.array(x):
        return BAD
    axes = _all(x.shape, axis)
    squares = call.op("pow", call.value(x, "real"), call.number(2, "int"))
    value = call.op("root", call.reduced("sum_over", squares, axes, "real"))
    return call.kept(value, x.shape, axes) if keepdims else value


def _log_sum_exp(call: CallSite, x: Value, axes: list[int]) -> Any:
    return call.op("log", call.reduced("sum_over", call.op("exp", x), axes, "real"))


@takes("logsumexp", "x [axis] [keepdims]")
def logsumexp(
    call: CallSite, x: Given_, axis: list[int] | None = None, keepdims: bool = False
) -> Operand:
    if not call.array(x):
        return BAD
    axes = _all(x.shape, axis)
    value = _log_sum_exp(call, call.value(x, "real"), axes)
    return call.kept(value, x.shape, axes) if keepdims else value


@takes("log_softmax", "x [axis]")
def log_softmax(call: CallSite, x: Given_, axis: list[int] | None = None) -> Operand:
    """Along the last axis, if none is named."""
    if not call.array(x):
        return BAD
    axes = [len(x.shape) - 1] if axis is None else axis
    if not shapes.is_apart(call.body, axes[0], x.operand, x.span):
        return BAD
    value = call.value(x, "real")
    total = call.along(_log_sum_exp(call, value, axes), x.shape, axes)
    return call.op("sub", value, total)  # type: ignore[no-any-return]


@takes("softmax", "x [axis]")
def softmax(call: CallSite, x: Given_, axis: list[int] | None = None) -> Operand:
    """Along the last axis, if none is named."""
    result = log_softmax(call, x, axis)
    return BAD if isinstance(result, Poison) else call.op("exp", result)


@takes("l1", "x")
def l1(call: CallSite, x: Given_) -> Operand:
    """The sum of the absolute values."""
    if not call.array(x):
        return BAD
    absolute = call.op("abs", call.value(x))
    return call.reduced("sum_over", absolute, _all(x.shape, None), dtype_of(absolute))


@takes("l2", "x")
def l2(call: CallSite, x: Given_) -> Operand:
    """The sum of the squares."""
    if not call.array(x):
        return BAD
    squares = call.op("pow", call.value(x), call.number(2, "int"))
    return call.reduced("sum_over", squares, _all(x.shape, None), dtype_of(squares))


def _place_of(form: str) -> Callable[..., Operand]:
    def find(
        call: CallSite, x: Given_, axis: list[int] | None = None, keepdims: bool = False
    ) -> Operand:
        if not call.array(x):
            return BAD
        value = call.value(x)
        if axis is None and len(x.shape) > 1:
            value = shapes.reshaped(call.body, value, (shapes.elements(x.shape),), call.span)
        axes = [0] if axis is None else axis
        taken = _all(x.shape, axis)
        if not _has_elements(call, x, taken):
            return BAD
        found = call.reduced(form, value, axes, "int")
        return call.kept(found, x.shape, taken) if keepdims else found

    return find


for _name in ("argmax", "argmin"):
    takes(_name, "x [axis] [keepdims]")(_place_of(f"{_name}_over"))


@takes("cumsum", "x [axis]")
def cumsum(call: CallSite, x: Given_, axis: list[int] | None = None) -> Operand:
    if not call.array(x):
        return BAD
    dtype = dtype_of(x.operand)
    value = call.value(x, "int" if dtype == "bool" else dtype)
    if axis is None and len(x.shape) > 1:
        value = shapes.reshaped(call.body, value, (shapes.elements(x.shape),), call.span)
    return call.emit(
        "cumsum", (value,), dtype_of(value), shapes.shape_of(value), axis=(axis or [0])[0]
    )


# ---- shapes --------------------------------------------------------------------------------


def _sizes(call: CallSite, given: Sequence[Given_]) -> list[Dim] | None:
    """Sizes that are given as arguments; None after a fault."""
    found: list[Dim] = []
    for one in given:
        known = shapes.as_dim(call.body, one.operand)
        if known is None:
            if dtype_of(one.operand) != "int" or one.shape:
                kind = shapes.shown(one.operand) if one.shape else dtype_of(one.operand)
                call.report(meaning.WrongType(one.span, "a size", "int", kind))
            else:
                call.report(faults.SizeNotKnown(one.span, "a size"))
            return None
        found.append(known)
    return found


def _unsigned(call: CallSite, given: Sequence[Given_]) -> Shape | None:
    sizes = _sizes(call, given)
    if sizes is None:
        return None
    for one, size in zip(given, sizes, strict=True):
        fault = faults.IndexOutside(one.span, f"the size {size} is negative", None)
        if not shapes.require(call.body, size, lambda fault=fault: fault):  # type: ignore[misc]
            return None
    return tuple(sizes)


@takes("reshape", "x *sizes")
def reshape(call: CallSite, x: Given_, sizes: list[Given_]) -> Operand:
    """One size may be -1: what is left over."""
    new = _sizes(call, sizes)
    if new is None:
        return BAD
    total = shapes.elements(x.shape)
    if not sizes:
        text = "'reshape' is called without a size"
        return call.report(meaning.WrongArity(call.span, text, "reshape(x, n, m)", None))
    rests = [one for one, s in zip(sizes, new, strict=True) if s.constant == -1]
    if len(rests) > 1:
        text = "only one size may be -1"
        return call.report(faults.IndexOutside(rests[1].span, text, shapes.shown(x.operand)))
    written, has_rest = tuple(new), bool(rests)
    size = shapes.elements(tuple(s for s in new if s.constant != -1))
    if has_rest and size.terms:
        new = [total // size if s.constant == -1 else s for s in new]
    elif has_rest:
        new = [Dim.of(0) if s.constant == -1 else s for s in new]
    made = shapes.elements(tuple(new))
    if made != total and (has_rest or not shapes.agree(call.body, made, total)):
        return call.report(
            faults.CannotReshape(
                call.span,
                shapes.shown(x.operand),
                shapes.spelled(written),
                (str(total), str(size)),
                shapes.bound(call.body, x.shape, written),
                has_rest,
            )
        )
    if made != total:  # the door sees to it that they are as many
        value = shapes.reshaped(call.body, call.value(x), (total,), call.span)
        value = shapes.matched(call.body, value, (made,), call.span)
        return shapes.reshaped(call.body, value, tuple(new), call.span)
    return shapes.reshaped(call.body, call.value(x), tuple(new), call.span)


@takes("transpose", "x *axes")
def transpose(call: CallSite, x: Given_, axes: list[Given_]) -> Operand:
    """The axes in another order; backwards, if none are named."""
    if not call.array(x):
        return BAD
    rank = len(x.shape)
    order = list(reversed(range(rank)))
    if axes:
        found = []
        for one in axes:
            known = call.body.known(one.operand)
            if known is None or known.dtype != "int":
                return call.report(faults.SizeNotKnown(one.span, "an axis", is_fixed=True))
            axis = shapes.axis_number(call.body, int(known.value), x.operand, one.span)
            if axis is None:
                return BAD
            found.append(axis)
        if sorted(found) != list(range(rank)):
            text = f"the axes {', '.join(map(str, found))} are not each axis once"
            return call.report(faults.WrongAxis(call.span, text, shapes.shown(x.operand)))
        order = found
    return transposed(call, call.value(x), order)


def transposed(call: CallSite, x: Value, order: Sequence[int]) -> Value:
    if list(order) == list(range(len(order))):
        return x
    shape = shapes.shape_of(x)
    new = tuple(shape[i] for i in order)
    return call.emit("transpose", (x,), dtype_of(x), new, order=tuple(order))


@takes("squeeze", "x [axis]")
def squeeze(call: CallSite, x: Given_, axis: list[int] | None = None) -> Operand:
    """Drops axes that are a written 1: all of them, or those named."""
    if axis is not None:
        wrong = next((a for a in axis if x.shape[a] != shapes.ONE), None)
        if wrong is not None:
            text = f"axis {wrong} is {x.shape[wrong]}, not a written 1"
            return call.report(faults.WrongAxis(call.span, text, shapes.shown(x.operand)))
    dropped = axis or [i for i, d in enumerate(x.shape) if d == shapes.ONE and axis is None]
    new = tuple(d for i, d in enumerate(x.shape) if i not in dropped)
    return shapes.reshaped(call.body, call.value(x), new, call.span)


@takes("expand", "x axis")
def expand(call: CallSite, x: Given_, axis: list[int]) -> Operand:
    new = list(x.shape)
    for a in sorted(axis):
        new.insert(a, shapes.ONE)
    return shapes.reshaped(call.body, call.value(x), tuple(new), call.span)


@takes("stack", "*xs [axis]")
def stack(call: CallSite, xs: list[Given_], axis: list[int] | None = None) -> Operand:
    """Arrays of one shape along a new axis."""
    if not xs:
        return call.report(
            meaning.WrongArity(
                call.span, "'stack' takes one or more arrays", "stack(x, y, …)", None
            )
        )
    return indexing.stacked(
        call.body, [x.operand for x in xs], [x.span for x in xs], (axis or [0])[0], call.span
    )


@takes("concat", "*xs [axis]")
def concat(call: CallSite, xs: list[Given_], axis: list[int] | None = None) -> Operand:
    """Arrays one after another along an axis; the other axes agree."""
    if not xs:
        return call.report(
            meaning.WrongArity(
                call.span, "'concat' takes one or more arrays", "concat(x, y, …)", None
            )
        )
    for x in xs:
        if not call.array(x):
            return BAD
    a = (axis or [0])[0]
    if axis is None and not shapes.is_apart(call.body, 0, xs[0].operand, xs[0].span):
        return BAD
    first = xs[0].shape
    total = Dim.of(0)
    for x in xs:
        wanted = (*first[:a], *x.shape[a : a + 1], *first[a + 1 :])
        if len(x.shape) <= a or not shapes.alike(call.body, wanted, x.shape):
            return call.report(
                faults.ShapeMismatch(
                    call.span,
                    f"concat along axis {a} of {shapes.spelled(first)} and"
                    f" {shapes.spelled(x.shape)}: the other axes do not match",
                    [(xs[0].span, shapes.spelled(first)), (x.span, shapes.spelled(x.shape))],
                    shapes.bound(call.body, first, x.shape),
                )
            )
        total = total + x.shape[a]
    dtype = max((dtype_of(x.operand) for x in xs), key=ORDER.__getitem__)
    shape = (*first[:a], total, *first[a + 1 :])
    return call.emit("concat", tuple(call.value(x, dtype) for x in xs), dtype, shape, axis=a)


@takes("split", "x n [axis]")
def split(call: CallSite, x: Given_, n: Given_, axis: list[int] | None = None) -> Operand:
    """Several results: n equal parts along an axis, or those between the places in an array."""
    if not call.array(x):
        return BAD
    a = (axis or [0])[0]
    if axis is None and not shapes.is_apart(call.body, 0, x.operand, x.span):
        return BAD
    size = x.shape[a]
    if n.shape:
        inner = _listed(call, n)
        if inner is None:
            return BAD
        inner = [size + d if (d.constant or 0) < 0 else d for d in inner]
        bounds = [Dim.of(0), *inner, size]

        def fault() -> Diagnostic:
            text = f"the places [{', '.join(map(str, inner))}] do not rise from 0 to {size}"
            return faults.WrongAxis(n.span, text, shapes.shown(x.operand))

        if not all(shapes.require(call.body, b - a, fault) for a, b in pairwise(bounds)):
            return BAD
    else:
        known = call.body.known(n.operand)
        if known is None or known.dtype != "int" or known.value < 1:
            return call.report(faults.SizeNotKnown(n.span, "the number of parts", is_fixed=True))
        count = int(known.value)
        part = size // count
        if part * count != size:
            text = f"{size} is not {count} equal parts"
            return call.report(faults.WrongAxis(call.span, text, shapes.shown(x.operand)))
        bounds = [part * k for k in range(count + 1)]
    value = call.value(x)
    parts = []
    for start, stop in pairwise(bounds):
        items = list(indexing.whole(x.shape))
        items[a] = ("slice", start, stop, 1)
        shape = (*x.shape[:a], stop - start, *x.shape[a + 1 :])
        parts.append(call.emit("take", (value,), dtype_of(value), shape, items=tuple(items)))
    if len(parts) == 1:
        return parts[0]
    bundle = Bundle(tuple(p.type for p in parts))
    return call.body.emit("bundle", tuple(parts), bundle, call.span)


@takes("pad", "x *widths")
def pad(call: CallSite, x: Given_, widths: list[Given_]) -> Operand:
    """Zeros around: `pad(x, n)` on every side, `pad(x, [before, after])` of every axis, or a pair
    of those for each axis; `pad(x, before, after)` takes one size, or one an axis, for both."""
    if not call.array(x):
        return BAD
    if len(widths) not in (1, 2):
        text = f"'pad' takes one or two widths, not {len(widths)}"
        return call.report(meaning.WrongArity(call.span, text, "pad(x, before, after)", None))
    rank = len(x.shape)
    pairs = _pairs(call, widths[0], x) if len(widths) == 1 else None
    sides: list[tuple[Dim, ...]] = list(zip(*pairs, strict=True)) if pairs else []
    if len(widths) == 1 and pairs is None:
        return BAD
    for width in widths if len(widths) == 2 else ():
        parts = _listed(call, width)
        if parts is None:
            return BAD
        parts = parts * rank if len(parts) == 1 and not width.shape else parts
        if not _are_of_all_axes(call, width, len(parts), x):
            return BAD
        sides.append(tuple(parts))
    before, after = sides
    for size in dict.fromkeys((*before, *after)):
        fault = faults.IndexOutside(widths[0].span, f"the width {size} is negative", None)
        if not shapes.require(call.body, size, lambda fault=fault: fault):  # type: ignore[misc]
            return BAD
    dots = shapes.dots_at(x.shape)
    if dots is not None and (before[dots].terms or after[dots].terms):
        return call.report(faults.BehindDots(call.span, shapes.shown(x.operand)))
    shape = tuple(d + b + a for d, b, a in zip(x.shape, before, after, strict=True))
    return call.emit(
        "pad", (call.value(x),), dtype_of(x.operand), shape, before=before, after=after
    )


def _are_of_all_axes(call: CallSite, width: Given_, count: int, x: Given_) -> bool:
    rank = len(x.shape)
    if count == rank:
        return True
    text = f"{count} widths for {rank} {'axis' if rank == 1 else 'axes'}"
    call.report(faults.WrongAxis(width.span, text, shapes.shown(x.operand)))
    return False


def _pairs(call: CallSite, width: Given_, x: Given_) -> list[tuple[Dim, Dim]] | None:
    """The zeros before and after each axis, as NumPy reads them; None after a fault."""
    value = width.operand
    is_nested = len(width.shape) == 2 and isinstance(value, Value) and value.form == "concat"
    rows = [width]
    if is_nested:
        inner = [r.args[0] if r.form == "reshape" else r for r in value.args]  # type: ignore[union-attr]
        rows = [Given_(row, width.span) for row in inner]
    pairs: list[tuple[Dim, Dim]] = []
    for row in rows:
        parts = _listed(call, row)
        if parts is None:
            return None
        if len(parts) > 2:
            text = f"{len(parts)} widths, where one is for the zeros before and one for those after"
            call.report(faults.WrongAxis(width.span, text, shapes.shown(x.operand)))
            return None
        pairs.append((parts[0], parts[-1]))
    if len(pairs) == 1:
        return pairs * len(x.shape)
    return pairs if _are_of_all_axes(call, width, len(pairs), x) else None


def _listed(call: CallSite, given: Given_) -> list[Dim] | None:
    """A size, or the sizes of an array literal; None after a fault."""
    if not given.shape:
        return _sizes(call, [given])
    value = given.operand
    if isinstance(value, Value) and value.form == "concat":
        parts = []
        for part in value.args:
            inner = part.args[0] if part.form == "reshape" else part
            known = shapes.as_dim(call.body, inner)
            if known is None and inner.form == "constant":
                number = inner.attribute("value")
                known = Dim.of(int(number)) if isinstance(number, Fraction) else None
            if known is None:
                call.report(faults.SizeNotKnown(given.span, "a size"))
                return None
            parts.append(known)
        return parts
    call.report(faults.SizeNotKnown(given.span, "a size"))
    return None


@takes("flip", "x [axis]")
def flip(call: CallSite, x: Given_, axis: list[int] | None = None) -> Operand:
    if not call.array(x):
        return BAD
    axes = tuple(sorted(_all(x.shape, axis)))
    return call.emit("flip", (call.value(x),), dtype_of(x.operand), x.shape, axes=axes)


@takes("tile", "x *counts")
def tile(call: CallSite, x: Given_, counts: list[Given_]) -> Operand:
    """The array repeated: so often along each axis, the last ones if there are fewer counts."""
    repeats = _unsigned(call, counts)
    if repeats is None:
        return BAD
    dots = shapes.dots_at(x.shape)
    if dots is not None and len(repeats) >= len(x.shape) - dots:
        return call.report(faults.BehindDots(call.span, shapes.shown(x.operand)))
    rank = max(len(x.shape), len(repeats))
    own = (*(shapes.ONE,) * (rank - len(x.shape)), *x.shape)
    times = (*(shapes.ONE,) * (rank - len(repeats)), *repeats)
    value = call.value(x)
    value = shapes.reshaped(call.body, value, own, call.span)
    wide: list[Dim] = []
    axes: list[int] = []
    for n, d in zip(times, own, strict=True):
        if n != shapes.ONE:
            axes.append(len(wide))
            wide.append(n)
        wide.append(d)
    value = call.along(value, tuple(wide), axes)
    final = tuple(n * d for n, d in zip(times, own, strict=True))
    return shapes.reshaped(call.body, value, final, call.span)


def _filled(value: int) -> Callable[..., Operand]:
    def fill(call: CallSite, sizes: list[Given_]) -> Operand:
        shape = _unsigned(call, sizes)
        if shape is None:
            return BAD
        if not sizes:
            text = f"'{call.name}' is called without a size"
            return call.report(meaning.WrongArity(call.span, text, f"{call.name}(n, m)", None))
        return call.emit("constant", (), "real", shape, value=Fraction(value))

    return fill


takes("zeros", "*sizes")(_filled(0))
takes("ones", "*sizes")(_filled(1))


@takes("eye", "n [m]")
def eye(call: CallSite, n: Given_, m: Given_ | None = None) -> Operand:
    """The unit matrix; with m columns if that is given."""
    sizes = _unsigned(call, [n] if m is None else [n, m])
    if sizes is None:
        return BAD
    if len(sizes) == 1 or sizes[0] == sizes[1]:
        ones = call.emit("constant", (), "real", sizes[:1], value=Fraction(1))
        return call.emit(
            "contract", (ones,), "real", (sizes[0], sizes[0]), operands=((0,),), result=(0, 0)
        )
    rows = call.emit("arange", (), "int", sizes[:1], start=Dim.of(0))
    columns = call.emit("arange", (), "int", sizes[1:], start=Dim.of(0))
    shape = (sizes[0], sizes[1])
    test = call.op("eq", call.along(rows, shape, [1]), call.along(columns, shape, [0]))
    return call.body.widen(call.op("to_int", test), "real")


@takes("arange", "*bounds")
def arange(call: CallSite, bounds: list[Given_]) -> Operand:
    """`arange(stop)`, `arange(start, stop)`, `arange(start, stop, step)`: ints."""
    sizes = _sizes(call, bounds)
    if sizes is None:
        return BAD
    if len(sizes) not in (1, 2, 3):
        text = f"'arange' takes one to three arguments, not {len(sizes)}"
        return call.report(meaning.WrongArity(call.span, text, "arange(start, stop, step)", None))
    start, stop = (Dim.of(0), sizes[0]) if len(sizes) == 1 else sizes[:2]
    if len(sizes) < 3:
        return indexing.arange(call.body, start, stop, call.span)
    step = sizes[2].constant
    if not step:
        text = "a step is a number that is not 0"
        return call.report(faults.IndexOutside(bounds[2].span, text, None))
    way = stop - start if step > 0 else start - stop
    count = (way + abs(step) - 1) // abs(step)
    places = indexing.arange(call.body, Dim.of(0), count, call.span)
    if isinstance(places, Poison):
        return BAD
    ahead = call.op("mul", places, call.number(step, "int"))
    found: Operand = call.op("add", size_value(call.body, start, call.span), ahead)
    return found


# ---- products ------------------------------------------------------------------------------


def contraction(
    call: CallSite,
    xs: Sequence[Value],
    operands: Sequence[tuple[int, ...]],
    result: tuple[int, ...],
) -> Value:
    """A `contract`, of ints if all operands are ints or bools; the operands agree on the size of
    each index."""
    dtype: Dtype = "real" if any(dtype_of(x) == "real" for x in xs) else "int"
    sizes = {
        i: d
        for x, one in zip(xs, operands, strict=True)
        for i, d in zip(one, shapes.shape_of(x), strict=True)
    }
    return call.emit(
        "contract",
        tuple(call.body.widen(x, dtype) for x in xs),
        dtype,
        tuple(sizes[i] for i in result),
        operands=tuple(operands),
        result=result,
    )


def matmul(
    body: Body,
    left: Operand,
    right: Operand,
    places: tuple[Span, Span],
    span: Span,
    name: str = "@",
) -> Operand:
    """`a @ b`: NumPy's rules for vectors, matrices and stacks of matrices."""
    if isinstance(left, Poison) or isinstance(right, Poison):
        return BAD
    call = CallSite(body, name, span)
    x, y = Given_(left, places[0]), Given_(right, places[1])
    for one in (x, y):
        if not call.array(one):
            return BAD
    inner = x.shape[-1], y.shape[-2 if len(y.shape) > 1 else -1]
    batch = shapes.joined_shapes(body, x.shape[:-2], y.shape[:-2])
    if not shapes.agree(body, *inner) or batch is None:
        return call.report(
            faults.ShapeMismatch(
                span,
                f"'{name}' of {shapes.spelled(x.shape)} and {shapes.spelled(y.shape)}: "
                + (
                    f"{inner[0]} {'columns' if len(x.shape) > 1 else 'elements'} meet"
                    f" {inner[1]} {'rows' if len(y.shape) > 1 else 'elements'}"
                    if inner[0] != inner[1]
                    else "the leading axes do not match"
                ),
                [(x.span, shapes.spelled(x.shape)), (y.span, shapes.spelled(y.shape))],
                shapes.bound(body, x.shape, y.shape),
            )
        )
    count = len(batch)
    labels = tuple(range(count))
    row, middle, column = count, count + 1, count + 2

    def indices(one: Given_, last: tuple[int, ...]) -> tuple[Value, tuple[int, ...]]:
        """The operand without its stretched axes, and the index of each axis."""
        value = call.value(one)
        lead = one.shape[:-2]
        own = labels[count - len(lead) :]
        kept = [
            (i, d)
            for i, d, wide in zip(own, lead, batch[count - len(lead) :], strict=True)
            if d == wide
        ]
        shape = (*(d for _, d in kept), *one.shape[-2:])
        return (
            shapes.reshaped(body, value, shape, one.span),
            (*(i for i, _ in kept), *last),
        )

    wanted = (*y.shape[:-2], inner[0], *y.shape[-1:]) if len(y.shape) > 1 else inner[:1]
    y = Given_(shapes.matched(body, call.value(y), wanted, y.span), y.span)
    a, first = indices(x, (row, middle) if len(x.shape) > 1 else (middle,))
    b, second = indices(y, (middle, column) if len(y.shape) > 1 else (middle,))
    if sum(".." in d.names for d in (*batch, *x.shape[-2:-1], *y.shape[-1:])) > 1:
        return call.report(faults.BehindDots(span, shapes.spelled(y.shape)))
    indices_ = (
        *labels,
        *((row,) if len(x.shape) > 1 else ()),
        *((column,) if len(y.shape) > 1 else ()),
    )
    return contraction(call, (a, b), (first, second), indices_)


@takes("dot", "x y")
def dot(call: CallSite, x: Given_, y: Given_) -> Operand:
    """The inner product of two vectors; of matrices, their product."""
    return matmul(call.body, x.operand, y.operand, (x.span, y.span), call.span, call.name)


@takes("outer", "x y")
def outer(call: CallSite, x: Given_, y: Given_) -> Operand:
    """All products of two vectors: [n, m]."""
    for one in (x, y):
        if not call.array(one):
            return BAD
        if len(one.shape) > 1:
            return call.report(
                faults.WrongRank(one.span, "'outer'", "a vector", shapes.shown(one.operand))
            )
    return contraction(call, (call.value(x), call.value(y)), ((0,), (1,)), (0, 1))


def _square(call: CallSite, x: Given_) -> bool:
    if not call.array(x, 2):
        return False
    if x.shape[-1] != x.shape[-2]:
        call.report(
            faults.WrongRank(x.span, f"'{call.name}'", "a square matrix", shapes.shown(x.operand))
        )
        return False
    return True


@takes("trace", "x")
def trace(call: CallSite, x: Given_) -> Operand:
    if not _square(call, x):
        return BAD
    lead = tuple(range(len(x.shape) - 2))
    n = len(lead)
    return contraction(call, (call.value(x),), ((*lead, n, n),), lead)


@takes("diag", "x")
def diag(call: CallSite, x: Given_) -> Operand:
    """The diagonal of a square matrix, or the diagonal matrix of a vector."""
    if not call.array(x):
        return BAD
    lead = tuple(range(len(x.shape) - 2))
    n = len(lead)
    if len(x.shape) == 1:
        made = contraction(call, (call.value(x),), ((0,),), (0, 0))
    elif _square(call, x):
        made = contraction(call, (call.value(x),), ((*lead, n, n),), (*lead, n))
    else:
        return BAD
    if dtype_of(x.operand) == "bool":
        made = call.op("ne", made, call.number(0, "int"))
    return made


DOTS = 0xE000  # the first of Unicode's letters for private use


@takes("einsum", "spec *xs")
def einsum(call: CallSite, xs: list[Given_], spec: ast.Text) -> Operand:
    """`einsum("ij,jk->ik", a, b)`: the sum of products over the letters that the result lacks."""
    inputs, arrow, result = spec.text.replace(" ", "").partition("->")
    words = inputs.split(",")
    plain = [c for word in words for c in word.replace("...", "")]
    if not arrow:  # NumPy's: what stands once, in the order of the alphabet
        result = "..." * ("..." in inputs)
        result += "".join(sorted(c for c in set(plain) if plain.count(c) == 1))
    bare = result.replace("...", "", 1)
    sound = all(c.isalpha() and c.isascii() for c in plain) and all(
        c in plain and bare.count(c) == 1 for c in bare
    )
    sound &= all(word.count("...") <= 1 for word in words)
    if not sound or len(words) != len(xs) or ("..." in inputs and "..." not in result):
        count = meaning.plural(len(xs), "array")
        text = f'"{spec.text}" is no einsum of {count}'
        return call.report(meaning.WrongArity(spec.span, text, 'einsum("ij,jk->ik", a, b)', None))
    lead = [len(x.shape) - len(w) + 3 for w, x in zip(words, xs, strict=True) if "..." in w]
    dots = "".join(map(chr, range(DOTS, DOTS + max(0, *lead, 0))))  # letters for the axes of `...`
    words = [
        word.replace("...", dots[len(dots) - (len(x.shape) - len(word) + 3) :])
        if "..." in word and len(x.shape) >= len(word) - 3
        else word.replace("...", "")
        for word, x in zip(words, xs, strict=True)
    ]
    result = result.replace("...", dots)
    letters = [c for word in words for c in word]
    numbers = {c: k for k, c in enumerate(dict.fromkeys(letters))}
    sizes: dict[str, tuple[Dim, Given_]] = {}
    values: list[Value] = []
    for word, x in zip(words, xs, strict=True):
        if len(word) != len(x.shape):
            wanted = f"{meaning.plural(len(word), 'axis').replace('axiss', 'axes')} for '{word}'"
            shape = shapes.shown(x.operand)
            return call.report(faults.WrongRank(x.span, "'einsum'", wanted, shape))
        for c, d in zip(word, x.shape, strict=True):
            size, first = sizes.setdefault(c, (d, x))
            if not shapes.agree(call.body, size, d):
                return call.report(
                    faults.ShapeMismatch(
                        call.span,
                        f"'{c}' is {size} and {d}",
                        [(one.span, shapes.spelled(one.shape)) for one in (first, x)],
                        shapes.bound(call.body, first.shape, x.shape),
                    )
                )
        shape_ = tuple(sizes[c][0] for c in word)
        values.append(shapes.matched(call.body, call.value(x), shape_, x.span))
    operands = [tuple(numbers[c] for c in word) for word in words]
    return contraction(call, values, operands, tuple(numbers[c] for c in result))


# ---- linear algebra ------------------------------------------------------------------------


@takes("det", "x")
def det(call: CallSite, x: Given_) -> Operand:
    if not _square(call, x):
        return BAD
    return call.emit("det", (call.value(x, "real"),), "real", x.shape[:-2])


@takes("inv", "x")
def inv(call: CallSite, x: Given_) -> Operand:
    if not _square(call, x):
        return BAD
    return call.emit("inv", (call.value(x, "real"),), "real", x.shape)


@takes("cholesky", "x")
def cholesky(call: CallSite, x: Given_) -> Operand:
    """The lower factor of a symmetric positive definite matrix; its lower triangle is read."""
    if not _square(call, x):
        return BAD
    return call.emit("cholesky", (call.value(x, "real"),), "real", x.shape)


@takes("solve", "a b")
def solve(call: CallSite, a: Given_, b: Given_) -> Operand:
    """x with a @ x = b; b is a vector, or a matrix of columns."""
    if not _square(call, a) or not call.array(b):
        return BAD
    lead = a.shape[:-2]
    rows = b.shape[len(lead) : len(lead) + 1]
    if b.shape[: len(lead)] != lead or rows != a.shape[-1:] or len(b.shape) - len(lead) > 2:
        return call.report(
            faults.ShapeMismatch(
                call.span,
                f"solve of {shapes.spelled(a.shape)} and {shapes.spelled(b.shape)}: the rows do"
                " not match",
                [(a.span, shapes.spelled(a.shape)), (b.span, shapes.spelled(b.shape))],
                shapes.bound(call.body, a.shape, b.shape),
            )
        )
    return call.emit("solve", (call.value(a, "real"), call.value(b, "real")), "real", b.shape)


# ---- windows -------------------------------------------------------------------------------


@takes("windows", "x size [stride] [axis]")
def windows(
    call: CallSite,
    x: Given_,
    size: Given_,
    stride: Given_ | None = None,
    axis: list[int] | None = None,
) -> Operand:
    """All windows of a size, a stride apart, along the last axes (as many as sizes are given) or
    those named; the axes inside a window come last."""
    if not call.array(x):
        return BAD
    sizes = _listed(call, size)
    strides = [shapes.ONE] if stride is None else _listed(call, stride)
    if sizes is None or strides is None:
        return BAD
    axes = list(range(len(x.shape) - len(sizes), len(x.shape))) if axis is None else axis
    if len(sizes) == 1:
        sizes = sizes * len(axes)
    if len(strides) == 1:
        strides = strides * len(axes)
    if len(sizes) != len(axes) or len(strides) != len(axes) or min(axes) < 0:
        text = f"{len(sizes)} sizes and {len(strides)} strides for {len(axes)} axes"
        return call.report(faults.WrongAxis(call.span, text, shapes.shown(x.operand)))
    steps = [s.constant for s in strides]
    if any(s is None or s < 1 for s in steps):
        assert stride is not None
        if None in steps:
            return call.report(faults.SizeNotKnown(stride.span, "a stride", is_fixed=True))
        text = f"a stride of {min(s for s in steps if s is not None)} goes nowhere"
        return call.report(faults.IndexOutside(stride.span, text, shapes.shown(x.operand)))
    shape = list(x.shape)
    for a, s, step in zip(axes, sizes, steps, strict=True):
        assert step is not None
        room = x.shape[a] - s
        text = f"a window of {s} does not fit into {x.shape[a]}"
        fault = faults.IndexOutside(size.span, text, shapes.shown(x.operand))
        for d in (room, s - 1):
            if not shapes.require(call.body, d, lambda fault=fault: fault):  # type: ignore[misc]
                return BAD
        shape[a] = room // step + 1
    return call.emit(
        "windows",
        (call.value(x),),
        dtype_of(x.operand),
        (*shape, *sizes),
        axes=tuple(axes),
        sizes=tuple(sizes),
        strides=tuple(steps),
    )
