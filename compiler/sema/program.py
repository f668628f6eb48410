"""The typed program: what a file means, before it is lowered.

A body is a list of values in the order of the source, each made from earlier ones by an op of the
table or by one of the FORMS. So nothing that reads it recurses on depth. It is the witness that the
checker compares the emitted text with, and it is what lowering starts from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.ir.types import AnyType, Interval, Type
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
    " lies between held free, everything else fixed",
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
