"""The body that is being checked: its values so far, what its names mean, and the rules of types.

Checks are generators: `x = yield body.visit(node)` asks for the operand of a subexpression, and
`run` drives them with a stack of its own. So no depth of brackets, and no chain of functions that
need one another's types, recurses in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import meaning
from mgrad.compiler.errors import shapes as faults
from mgrad.compiler.ir.types import BOOL, INT, REAL, Bundle, Dim, Dtype, Interval, Shape, Type
from mgrad.compiler.ops.op import ORDER, TABLE, join, result_dtype
from mgrad.compiler.sema import intervals, shapes
from mgrad.compiler.sema.exact import Exact, NoValue, Scalar, TooLarge, fold
from mgrad.compiler.sema.program import Condition, Index, Value
from mgrad.compiler.source import Span

if TYPE_CHECKING:
    from mgrad.compiler.sema.definitions import Checker, Entry, FileScope


class Poison:
    """The operand of something at fault. What is made from it is poison too, and silent."""


BAD = Poison()

Operand = Value | Exact | Poison
Step = Generator[Any, Any, Any]

TYPES: dict[Dtype, Type] = {"real": REAL, "int": INT, "bool": BOOL}

HANDLERS: dict[type, Callable[[Body, Any], Any]] = {}
"""How each class of expression is checked: gives an operand, or a generator that returns one."""


def checks(node_class: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function as the check of a class of expression."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        HANDLERS[node_class] = function
        return function

    return enter


def run(request: Any) -> Any:
    """Drive a check to its end."""
    if request.__class__ is not GeneratorType:
        return request
    stack: list[Step] = [request]
    answer: Any = None
    while stack:
        try:
            request = stack[-1].send(answer)
        except StopIteration as stop:
            stack.pop()
            answer = stop.value
        else:
            if request.__class__ is GeneratorType:
                stack.append(request)
                answer = None
            else:
                answer = request
    return answer


@dataclass(slots=True, eq=False)
class Local:
    """What a name of the body means at this point."""

    operand: Operand
    span: Span
    what: str  # "argument", "name", "setting", "index", "dimension", or "unbound" after a fault
    used: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A value known before the run: an exact one, or ops of constants (`2*pi`)."""

    operand: Operand
    values: tuple[Value, ...] = ()


@dataclass(slots=True, eq=False)
class Running:
    """An index of the index notation that stands around; `low <= index < high` once it is known."""

    value: Value
    name: str  # what stands for it in `Body.indexed`
    axes: list[tuple[Dim, Span]]  # that it alone indexes
    is_computed_with: bool = False  # whether other indices are made of it
    low: Dim | None = None
    high: Dim | None = None


@dataclass(slots=True, eq=False)
class Notation:
    """The index notation that stands around the expression."""

    outer: list[list[Value]] = field(default_factory=list)  # the values around each
    running: dict[Value, Running] = field(default_factory=dict)  # outer ones first
    boxes: list[Index] = field(default_factory=list)
    # what must be at least 0, and what is wrong if it is not
    wanted: list[tuple[Dim, Callable[[], Diagnostic]]] = field(default_factory=list)


class Body:
    """One function, constant or side of a test while it is checked."""

    def __init__(self, checker: Checker, scope: FileScope, constant: str | None = None) -> None:
        self.checker = checker
        self.scope = scope
        self.constant = constant  # what is computed, if it must be known before the run
        self.values: list[Value] = []
        self.locals: dict[str, Local] = {}
        self.exact: dict[Value, Exact] = {}  # what is known of values that have a name
        self.ranges: dict[Value, Interval] = {}
        self.guarded = 0  # how many conditions stand around the expression
        self.opaque: tuple[str, Span] | None = None  # an extern without derivative that is called
        self.copied: set[Value] = set()
        self.dims: dict[str, Span] = {}  # the dimensions of the definition, and where each is bound
        self.sizes: dict[Value, Dim] = {}  # ints that are known before the run
        self.unfolded: dict[Value, tuple[Shape, ...]] = {}  # a call's results, leading axes apart
        self.signed: set[str] = set()  # the names in sizes that are ints: they may be negative
        self.conditions: dict[Condition, None] = {}  # on sizes, to be checked when it is called
        self.indexed: dict[Value, Dim] = {}  # ints made of sizes and of indices
        self.notation = Notation()

    def visit(self, node: Any) -> Any:
        return HANDLERS[node.__class__](self, node)

    def report(self, diagnostic: Any) -> Poison:
        self.checker.report(diagnostic)
        return BAD

    def emit(
        self,
        form: str,
        args: tuple[Value, ...],
        type: Any,
        span: Span,
        name: str | None = None,
        attributes: tuple[tuple[str, object], ...] = (),
        comments: tuple[str, ...] = (),
    ) -> Value:
        value = Value(form, args, type, span, name, attributes, comments)
        self.values.append(value)
        return value

    def constant_value(self, value: Scalar, dtype: Dtype, span: Span) -> Value:
        if dtype != "bool" and not isinstance(value, float):
            value = Fraction(value)
        return self.emit("constant", (), TYPES[dtype], span, attributes=(("value", value),))

    def widen(self, operand: Value | Exact, dtype: Dtype) -> Value:
        """The operand as a value of the type, to which it widens."""
        if operand.__class__ is Exact:
            return self.constant_value(operand.value, dtype, operand.span)
        assert isinstance(operand, Value)
        if operand.type.dtype == dtype:  # type: ignore[union-attr]
            return operand
        assert isinstance(operand.type, Type)
        value = self.emit(f"to_{dtype}", (operand,), operand.type.with_dtype(dtype), operand.span)
        if operand in self.exact:
            known = self.exact[operand]
            self.exact[value] = Exact(_as(known.value, dtype), dtype, known.span)
        if operand in self.ranges:
            self.ranges[value] = self.ranges[operand]
        return value

    def known(self, operand: Operand) -> Exact | None:
        """The exact value of an operand, if it is known before the run."""
        if operand.__class__ is Exact:
            return operand
        return self.exact.get(operand)  # type: ignore[arg-type]

    def recall(self, known: Known, span: Span) -> Operand:
        """A constant, put into this body where it is not yet."""
        operand = known.operand
        if isinstance(operand, Exact):
            return Exact(operand.value, operand.dtype, span)
        for value in known.values:
            if value not in self.copied:
                self.copied.add(value)
                self.values.append(value)
        return operand

    def apply(
        self,
        name: str,
        operands: Sequence[Operand],
        places: Sequence[Span],
        span: Span,
        word: str | None = None,
    ) -> Operand:
        """An op of the table; operands widen as its signature says. A fault calls it `word`, if
        the source has not its name."""
        if BAD in operands:
            return BAD
        dtypes = [dtype_of(o) for o in operands]
        op = TABLE[name]
        signature = op.signature
        if name == "pow":
            wanted, result = self._power_types(operands, dtypes)
        elif op.operands:
            wanted, result = list(op.operands), result_dtype(signature, dtypes)
        elif signature == "real":
            wanted, result = ["real"] * len(dtypes), "real"
        elif signature == "join":
            result = join([*dtypes, "int"])
            wanted = [result] * len(dtypes)
        elif signature == "compare":
            wanted, result = [join(dtypes)] * len(dtypes), "bool"
        elif signature == "where":
            result = join(dtypes[1:])
            wanted = ["bool", *[result] * (len(dtypes) - 1)]
        else:
            result = result_dtype(signature, dtypes)
            wanted = [result] * len(dtypes)
        is_strict = signature in STRICT or op.operands
        if is_strict and not self._fits(name, signature, dtypes, wanted, places):
            return BAD
        knowns = [self.known(o) for o in operands] if self._all_known(operands) else None
        folded: Exact | None = None
        if knowns is not None:
            try:
                number = fold(name, knowns)  # type: ignore[arg-type]
            except TooLarge:
                return self.report(meaning.ConstantTooLarge(span))
            except NoValue:
                return self.report(meaning.IntegerDivisionByZero(span))
            if number is not None:
                folded = Exact(_as(number, result), result, span)
                if all(o.__class__ is Exact for o in operands):
                    return folded
        shape: Shape | None = ()
        if any(o.__class__ is Value and o.type.shape for o in operands):  # type: ignore[union-attr]
            word = word or SYMBOLS.get(name, name)
            shape = shapes.common(self, operands, places, span, f"'{word}'")
            if shape is None:
                return BAD
        args = tuple([self.widen(o, w) for o, w in zip(operands, wanted, strict=True)])  # type: ignore[arg-type]
        if shape:
            args = tuple([shapes.stretched(self, a, shape, span) for a in args])
        value = Value(name, args, Type(result, shape) if shape else TYPES[result], span)
        self.values.append(value)
        if folded is not None:
            self.exact[value] = folded
        elif result == "int" and not shape:
            if self.sizes:
                size = shapes.size_of_op(name, [shapes.as_dim(self, o) for o in operands])
                if size is not None:
                    self.sizes[value] = size
            if self.indexed and value not in self.sizes:
                place = shapes.size_of_op(name, [shapes.as_place(self, o) for o in operands])
                if place is not None:
                    self.indexed[value] = place
        if self.ranges:
            self._lint(value, span)
        return value

    def _all_known(self, operands: Sequence[Operand]) -> bool:
        for operand in operands:
            if operand.__class__ is not Exact and operand not in self.exact:
                return False
        return True

    def _power_types(
        self, operands: Sequence[Operand], dtypes: Sequence[Dtype]
    ) -> tuple[list[Dtype], Dtype]:
        """`i^k` of ints is an int if k is a constant >= 0, else a real."""
        exponent = self.known(operands[1])
        if "real" not in dtypes and exponent is not None and exponent.value >= 0:
            return ["int", "int"], "int"
        return ["real", "real"], "real"

    def _fits(
        self,
        name: str,
        signature: str,
        dtypes: Sequence[Dtype],
        wanted: Sequence[Dtype],
        places: Sequence[Span],
    ) -> bool:
        fits = True
        for index, (dtype, want, place) in enumerate(zip(dtypes, wanted, places, strict=True)):
            if want == dtype or (want != "bool" and ORDER[dtype] <= ORDER[want]):
                continue
            fits = False
            word = SYMBOLS.get(name, name)
            if signature == "where" and index == 0:
                self.report(meaning.WrongType(place, "a condition", "bool", dtype))
            else:
                hint = None
                if signature == "integer":
                    hint = "for reals: floor(x/y)" if name == "floordiv" else "round it first"
                self.report(
                    meaning.WrongType(place, f"an operand of '{word}'", want, dtype, hint=hint)
                )
        return fits

    def range_of(self, value: Value) -> Interval | None:
        if value.form == "constant":
            return intervals.point(value.attribute("value"))  # type: ignore[arg-type]
        return self.ranges.get(value)

    def _lint(self, value: Value, span: Span) -> None:
        """Follow the ranges of arguments with domains, and compare with the op's own domain."""
        found = [self.range_of(a) for a in value.args]
        op = TABLE[value.form]
        if op.domain and not self.guarded:
            for parameter, interval in zip(op.parameters, found, strict=False):
                domain = op.domain.get(parameter)
                if domain is None or interval is None or interval.low == interval.high:
                    continue
                if not intervals.is_inside(interval, domain):
                    self.report(meaning.OutsideDomain(span, value.form, str(interval), str(domain)))
        ranges = [i for i in found if i is not None]
        if len(ranges) == len(found):
            result = intervals.of_op(value.form, ranges)
            if result is not None:
                self.ranges[value] = result

    def bind(self, name: str, operand: Operand, span: Span, comments: tuple[str, ...] = ()) -> None:
        """Give a name to an operand, in place of what it meant before."""
        self.note_unused(name)
        if name in self.dims:
            clash = faults.DimensionClash(span, name, "here it gets a value", self.dims[name])
            self.report(clash)
            return
        if not isinstance(operand, Poison):
            content = self.widen(operand, dtype_of(operand))
            value = self.emit("bind", (content,), content.type, span, name, comments=comments)
            known = self.known(operand)
            if known is not None:
                self.exact[value] = known
            if content in self.ranges:
                self.ranges[value] = self.ranges[content]
            if content in self.sizes:
                self.sizes[value] = self.sizes[content]
            operand = value
        if name not in self.locals and self.checker.is_builtin(name):
            self.report(meaning.ShadowsBuiltin(span, name))
        self.locals[name] = Local(operand, span, "name")

    def note_unused(self, name: str) -> None:
        """A note if the name has a meaning that nothing used."""
        local = self.locals.get(name)
        if local is not None and not local.used and not name.startswith("_"):
            self.report(meaning.UnusedName(local.span, local.what, name))

    def several(self, entry: Entry, value: Operand, span: Span, allowed: bool) -> Operand:
        """A call's value where `allowed` says whether it may be several results in one."""
        if isinstance(value, Value) and isinstance(value.type, Bundle) and not allowed:
            return self.report(meaning.SeveralResults(span, entry.name, len(value.type.items)))
        return value


STRICT = frozenset({"logic", "where", "integer"})

SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "^",
    "neg": "-",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "eq": "==",
    "ne": "!=",
}


def dtype_of(operand: Operand) -> Dtype:
    if isinstance(operand, Exact):
        return operand.dtype
    assert isinstance(operand, Value) and isinstance(operand.type, Type), operand
    return operand.type.dtype


def _as(value: Scalar, dtype: Dtype) -> Scalar:
    if dtype == "bool":
        return bool(value)
    return Fraction(value) if not isinstance(value, float) else value
