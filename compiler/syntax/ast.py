"""The syntax tree: what was written, before any meaning.

Operator chains are flat (a sum of 20,000 terms is one node), so the depth of a tree is bounded by
the nesting of brackets, which the parser limits. Walkers still use `postorder` or a stack.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from mgrad.compiler.source import Source, Span


@dataclass(slots=True, eq=False)
class Number:
    """A literal; `value` is exact. `is_int` if written without point or exponent."""

    value: Fraction
    is_int: bool
    span: Span


@dataclass(slots=True, eq=False)
class Name:
    """A name, NFKC-normalised (so are `True`-like words: `true` and `false` are `Boolean`)."""

    id: str
    span: Span


@dataclass(slots=True, eq=False)
class Boolean:
    value: bool
    span: Span


@dataclass(slots=True, eq=False)
class Unary:
    """A run of prefix operators, outermost first: `-`, `+`, or `not`."""

    ops: tuple[str, ...]
    operand: "Expression"
    span: Span


@dataclass(slots=True, eq=False)
class Link:
    """One step of a chain: the operator and its right operand."""

    op: str
    operand: "Expression"
    op_span: Span


@dataclass(slots=True, eq=False)
class Chain:
    """Left-associative: `+ -`, or `* / // % @`."""

    first: "Expression"
    rest: tuple[Link, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Power:
    """Right-associative: `a^b^c` is `operands == (a, b, c)`."""

    operands: tuple["Expression", ...]
    span: Span


@dataclass(slots=True, eq=False)
class Compare:
    """`a < b <= c`: operators `< <= > >= == !=`."""

    first: "Expression"
    rest: tuple[Link, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Logic:
    """`and` or `or` over two or more operands."""

    op: str
    operands: tuple["Expression", ...]
    span: Span


@dataclass(slots=True, eq=False)
class If:
    """`if c1 then v1 else if c2 then v2 … else orelse`, flat."""

    arms: tuple[tuple["Expression", "Expression"], ...]
    orelse: "Expression"
    span: Span


@dataclass(slots=True, eq=False)
class Range:
    start: "Expression"
    stop: "Expression"
    span: Span


@dataclass(slots=True, eq=False)
class Pipe:
    """`value |> stage |> stage`."""

    value: "Expression"
    stages: tuple["Expression", ...]
    span: Span


@dataclass(slots=True, eq=False)
class Argument:
    """An argument of a call; `name` if given by keyword."""

    name: str | None
    value: "Expression"
    span: Span


@dataclass(slots=True, eq=False)
class Text:
    """A string, which only stands as an argument of a call: `einsum("ij,jk->ik", a, b)`."""

    text: str
    span: Span


@dataclass(slots=True, eq=False)
class Call:
    callee: "Expression"
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Prime:
    """`f'`, `f''`: only ever the callee of a call or a stage of a pipe."""

    base: "Expression"
    order: int
    span: Span


@dataclass(slots=True, eq=False)
class Dots:
    """`..` in an index or a shape."""

    span: Span


@dataclass(slots=True, eq=False)
class Slice:
    start: "Expression | None"
    stop: "Expression | None"
    step: "Expression | None"
    span: Span


@dataclass(slots=True, eq=False)
class Index:
    base: "Expression"
    items: tuple["Expression | Slice | Dots", ...]
    span: Span


@dataclass(slots=True, eq=False)
class Array:
    """`[1, 2, 3]`."""

    items: tuple["Expression", ...]
    span: Span


@dataclass(slots=True, eq=False)
class IndexName:
    """`i` or `i in a..b` after `for`."""

    id: str
    range: "Expression | None"
    span: Span


@dataclass(slots=True, eq=False)
class Comprehension:
    """`body for i, j in a..b`, in brackets of its own or as the one argument of a call."""

    body: "Expression"
    indices: tuple[IndexName, ...]
    bracketed: bool
    span: Span


Expression = (
    Number
    | Name
    | Boolean
    | Text
    | Unary
    | Chain
    | Power
    | Compare
    | Logic
    | If
    | Range
    | Pipe
    | Call
    | Prime
    | Index
    | Array
    | Comprehension
)


@dataclass(slots=True, eq=False)
class Assign:
    """`a, b = values` or `a += value`. A target is a name (`_` ignores) or an indexed name."""

    targets: tuple[Name | Index, ...]
    op: str  # "=", "+=", "-=", "*=", "/="
    values: tuple[Expression, ...]
    span: Span
    comments: tuple[str, ...] = ()  # the comment lines above, then the one beside, without `#`


@dataclass(slots=True, eq=False)
class Return:
    values: tuple[Expression, ...]
    span: Span
    comments: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class For:
    index: Name
    range: Expression
    body: tuple["Statement", ...]
    span: Span
    comments: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class While:
    condition: Expression
    body: tuple["Statement", ...]
    span: Span
    comments: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Branch:
    """A statement's `if c { … } else if d { … } else { … }`, flat."""

    arms: tuple[tuple[Expression, tuple["Statement", ...]], ...]
    orelse: tuple["Statement", ...] | None
    span: Span
    comments: tuple[str, ...] = ()


Statement = Assign | Return | For | While | Branch


@dataclass(slots=True, eq=False)
class TypeExpression:
    """`[N, D]`, `int`, `bool[T]`, …; `shape` is None for a scalar."""

    dtype: str  # "real", "int", "bool"
    shape: tuple[Expression | Dots, ...] | None
    span: Span


@dataclass(slots=True, eq=False)
class Domain:
    """`in [low, high)`."""

    low: Expression
    high: Expression
    low_open: bool
    high_open: bool
    span: Span


@dataclass(slots=True, eq=False)
class Parameter:
    name: Name
    type: TypeExpression | None
    default: Expression | None
    domain: Domain | None
    span: Span


@dataclass(slots=True, eq=False)
class Setting:
    """After `;` in a head: a compile-time value, with or without a default."""

    name: Name
    default: Expression | None
    span: Span


@dataclass(slots=True, eq=False)
class Function:
    name: Name
    parameters: tuple[Parameter, ...]
    settings: tuple[Setting, ...]
    results: tuple[TypeExpression, ...] | None  # after `->`
    body: tuple[Statement, ...]  # an expression body is one `Return`
    doc: str | None
    span: Span  # of the head, up to `=` or `{`


@dataclass(slots=True, eq=False)
class Derivative:
    """`derivative f(x, y) = ∂f/∂x, ∂f/∂y`."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Extern:
    """`extern fn j0(x) = "scipy.special.j0"`."""

    name: Name
    parameters: tuple[Parameter, ...]
    result: TypeExpression | None
    target: str
    target_span: Span
    doc: str | None
    span: Span


@dataclass(slots=True, eq=False)
class Const:
    name: Name
    value: Expression
    doc: str | None
    span: Span


@dataclass(slots=True, eq=False)
class Use:
    """`use "./file.mg": a, b` (`is_path`) or `use nn: Dense`."""

    target: str
    is_path: bool
    names: tuple[Name, ...]
    target_span: Span
    span: Span


@dataclass(slots=True, eq=False)
class Test:
    """`test left == right` or `test left ~= right`."""

    left: Expression
    relation: str
    right: Expression
    span: Span


Definition = Function | Derivative | Extern | Const | Use | Test


@dataclass(slots=True, eq=False)
class File:
    source: Source
    definitions: tuple[Definition, ...]
    doc: str | None  # the comment block that opens the file, if a blank line follows it


Operand = Expression | Slice | Dots

CHILDREN: dict[type, Callable[..., tuple[Operand, ...]]] = {
    Number: lambda e: (),
    Name: lambda e: (),
    Boolean: lambda e: (),
    Text: lambda e: (),
    Dots: lambda e: (),
    Unary: lambda e: (e.operand,),
    Chain: lambda e: (e.first, *(link.operand for link in e.rest)),
    Compare: lambda e: (e.first, *(link.operand for link in e.rest)),
    Power: lambda e: e.operands,
    Logic: lambda e: e.operands,
    If: lambda e: (*(part for arm in e.arms for part in arm), e.orelse),
    Range: lambda e: (e.start, e.stop),
    Pipe: lambda e: (e.value, *e.stages),
    Call: lambda e: (e.callee, *(argument.value for argument in e.arguments)),
    Prime: lambda e: (e.base,),
    Slice: lambda e: tuple(part for part in (e.start, e.stop, e.step) if part is not None),
    Index: lambda e: (e.base, *e.items),
    Array: lambda e: e.items,
    Comprehension: lambda e: (*(i.range for i in e.indices if i.range is not None), e.body),
}


def children(expression: Operand) -> tuple[Operand, ...]:
    """The direct parts of an expression as they are written; a comprehension's ranges first."""
    return CHILDREN[type(expression)](expression)


def postorder(expression: Operand) -> Iterator[Operand]:
    """The expression and everything in it, parts before wholes, without recursion."""
    stack: list[tuple[Operand, bool]] = [(expression, False)]
    while stack:
        node, ready = stack.pop()
        parts = () if ready else children(node)
        if parts:
            stack.append((node, True))
            stack.extend((part, False) for part in reversed(parts))
        else:
            yield node
