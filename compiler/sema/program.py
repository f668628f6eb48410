"""The typed program: what a file means, before it is lowered.

A body is a list of values in the order of the source, each made from earlier ones by an op of the
table or by one of the FORMS. So nothing that reads it recurses on depth. It is the witness that the
checker compares the emitted text with, and it is what lowering starts from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.ir.types import AnyType, Dim, Interval, Type
from mgrad.compiler.source import Source, Span

FORMS = {
    "argument": "an argument of the function; `name`",
    "constant": "an exact number or a boolean; attribute `value`: Fraction | bool | float(inf)",
    "bind": "args (v,): a name given to a value; `name`. A rebinding is another value",
    "call": "args of the callee; attribute `callee`: key in Program.functions or Program.externs;"
    " a Bundle if the callee has several results",
    "item": "args (bundle,); attribute `index`",
    "derivative": "f'(x): args of the callee; attributes `callee`, `order`: derivative by its one"
    " real argument",
    "diff": "args (e, x): the derivative of a real scalar e by the argument or bind x, whatever"
    " lies between held free, everything else fixed; of the shape of x",
    "jacobian": "args (e, x): as diff, e of any shape; of the shape of e, then of x",
    "hessian": "args (e, x): of a real scalar e; of the shape of x twice",
    "bundle": "args: several values in one, for a built-in function of several results",
    "size": "attribute `dim`: Dim; an int",
    "broadcast": "args (x,); attribute `axes`: the axes of the result that x lacks",
    "reshape": "args (x,), row-major to the shape of the type",
    "transpose": "args (x,); attribute `order`",
    "sum_over": "args (x,); attribute `axes`, which the result lacks",
    "prod_over": "as sum_over",
    "max_over": "as sum_over; ties share the derivative",
    "min_over": "as sum_over; ties share the derivative",
    "any_over": "as sum_over, of bools",
    "all_over": "as sum_over, of bools",
    "argmax_over": "as sum_over, of one axis; the first place of the greatest, an int",
    "argmin_over": "as sum_over, of one axis; the first place of the least, an int",
    "cumsum": "args (x,); attribute `axis`",
    "take": "args (x, ints...); attribute `items`, one an axis of x: ('all',), ('slice', start,"
    " stop, step) of Dims and an int, ('at', Dim), ('by', k) for args[k + 1]",
    "put": "args (x, v, ints...): x with v at those places; attributes `items`, as for take with"
    " args[k + 2], and `adds`",
    "concat": "args of one shape but for the axis; attribute `axis`",
    "flip": "args (x,); attribute `axes`",
    "pad": "args (x,); attributes `before` and `after`: Dims, one an axis; zeros",
    "windows": "args (x,); attributes `axes`, `sizes`, `strides`; the window's axes come last",
    "contract": "args xs; attributes `operands`, `result`: see ops.structural.contract",
    "arange": "attribute `start`: Dim; ints, as many as the type says",
    "det": "args (a,): of the last two axes",
    "inv": "args (a,)",
    "solve": "args (a, b): x with a @ x = b; b a vector or a matrix",
    "cholesky": "args (a,): the lower factor; only a's lower triangle is read",
    "each": "index notation; args: what the body reads from outside, in order; attributes"
    " `indices`: tuple of Index, `reduction`: None, 'sum', 'prod', 'min', 'max', 'any' or 'all',"
    " `body`: tuple of Values, `result`: Value. The axes of the indices come before the body's",
    "index": "in the body of an each: the number that an index is at; an int",
}


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """`form` is the name of an op in the table, or one of FORMS."""

    form: str
    args: tuple["Value", ...]
    type: AnyType
    span: Span
    name: str | None = None
    attributes: tuple[tuple[str, object], ...] = ()
    comments: tuple[str, ...] = ()  # of the statement, on a bind

    def attribute(self, key: str) -> object:
        return dict(self.attributes)[key]


@dataclass(slots=True, eq=False)
class Index:
    """An index of index notation: `start <= value < stop`. A bound is a Value where it depends on
    an earlier index; `box` are bounds that do not, and that hold every value that it takes."""

    value: Value  # form "index"
    start: Dim | Value
    stop: Dim | Value
    box: tuple[Dim, Dim]


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of the sizes of a call: `size >= 0`, or `size == 0`."""

    size: Dim
    is_equality: bool = False

    def __str__(self) -> str:
        """In words: `T <= N`, `N >= 2`, `i < N`, `T == N`."""
        positive = Dim(tuple((m, c) for m, c in self.size.terms if c > 0))
        negative = Dim(tuple((m, -c) for m, c in self.size.terms if c < 0))
        if self.is_equality:
            return f"{positive} == {negative}"
        if negative.constant is not None:
            return f"{positive} >= {negative}"
        if any(not m and c == 1 for m, c in negative.terms):
            return f"{negative - 1} < {positive}"
        return f"{negative} <= {positive}"


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    value: Value  # form "argument"
    type: Type
    default: Fraction | bool | float | None
    domain: Interval | None
    span: Span

    @property
    def name(self) -> str:
        assert self.value.name is not None
        return self.value.name


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """`key` names it in the program; `name` is the source's. They differ for a specialisation by
    settings, for the partials of a stated derivative and for what another file defines."""

    key: str
    name: str
    arguments: tuple[Argument, ...]
    values: tuple[Value, ...]  # every value of the body, arguments first, in order
    results: tuple[Value, ...]
    settings: tuple[tuple[str, object], ...]
    doc: str | None
    span: Span
    is_entry: bool  # defined in this file, not imported, no setting without a value
    comments: tuple[str, ...] = ()  # of the return
    conditions: tuple[Condition, ...] = ()  # on sizes, undecided before the run

    @property
    def source(self) -> Source:
        return self.span.source


@dataclass(frozen=True, slots=True, eq=False)
class Extern:
    """A Python function `module.attribute`; of real scalars to a real scalar unless typed."""

    key: str
    name: str
    arguments: tuple[Argument, ...]
    result: Type
    module: str
    attribute: str
    doc: str | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """Both sides as functions of the free names, `left` and `right` with the same arguments."""

    left: Function
    right: Function
    relation: str  # "==" or "~="
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """`functions` are ordered: a callee stands before its callers.

    `derivatives` maps the key of a function or extern to the function of its stated partials.
    """

    source: Source
    functions: Mapping[str, Function]
    externs: Mapping[str, Extern]
    derivatives: Mapping[str, Function]
    tests: tuple[Test, ...]
    constants: Mapping[str, Fraction | bool | float]
    notes: tuple[Diagnostic, ...] = field(default=())  # warnings and notes, errors never
    doc: str | None = None

    def maps(self, function: Function) -> bool:
        """Whether a function holds nothing but numbers, so that its text maps over arrays."""
        waiting, done = [function], set()
        while waiting:
            top = waiting.pop()
            if top.key in done:
                continue
            done.add(top.key)
            for value in top.values:
                shape = value.type.shape if isinstance(value.type, Type) else ()
                if value.form in ("size", "each") or shape:
                    return False
                callee = self.functions.get(str(dict(value.attributes).get("callee")))
                if callee is not None:
                    waiting.append(callee)
        return True
