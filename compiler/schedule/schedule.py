"""The Schedule: what every printer reads. It decides order, names and what stands in one line;
a printer only spells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Dtype, Shape
from mgrad.compiler.source import Span

Kind = Literal[
    "value", "forward", "backward", "value_and_grad", "jvp", "jacobian", "hessian", "internal"
]
LineRole = Literal["value", "gradient", "tangent", "temporary"]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """`names = expression`: the expression of `node`, down to nodes that have a name already.

    Several names unpack a Bundle; `_` stands for a value that nothing needs. `comments` are those
    of the source. A backward line has the forward statement whose chain rule it is (`rule`), and
    where that stands (`place`, "lecture.mg:14"); its `spans` are those of the value whose gradient
    it is.
    """

    names: tuple[str, ...]
    node: Node
    spans: tuple[Span, ...] = ()
    role: LineRole = "value"
    rule: str = ""
    comments: tuple[str, ...] = ()
    place: str = ""
    loop: Loop | None = None  # what makes the named values, a block at a time
    steps: tuple[Step, ...] = ()  # at -O2: the last one writes what the line is named for


@dataclass(frozen=True, slots=True)
class Step:
    """One operation that writes its result into `out`: a buffer, or part of one. It `is_begun`
    where an operand that it changes in part stands there already."""

    node: Node
    out: str
    is_begun: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of `blocks(count, width)`, which run along an axis."""

    axis: int
    count: Dim
    width: Dim


@dataclass(frozen=True, slots=True)
class Buffer:
    """Planned memory: of a shape, or of consecutive ints that begin with `start`, or `within` the
    memory of another buffer, which is needed no more. That of a block has its most rows."""

    name: str
    shape: Shape
    dtype: Dtype
    block: Block | None = None
    start: Dim | None = None
    within: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One result of a loop: `name[rows] = expression`; `name += expression` if it is `summed`."""

    name: str
    node: Node
    subscript: str
    summed: bool
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop over blocks of rows: `for rows in blocks(count, width)`. Its lines and parts are read
    with names of their own, `x[rows]` for x."""

    rows: str
    count: Dim
    width: Dim
    lines: tuple[Line, ...]
    parts: tuple[Part, ...]
    names: Mapping[Node, str]
    axes: Mapping[Node, int]  # along which axis of a node the rows are
    temporaries: Mapping[Node, str] = field(default_factory=dict)  # names of nodes without a line
    views: Mapping[str, tuple[str, int]] = field(default_factory=dict)  # name -> buffer, axis
    size: str = ""  # the name of how many rows a block has
    bound: Mapping[str, str] = field(default_factory=dict)  # names for rows: `x[rows]` -> x_rows


@dataclass(frozen=True, slots=True, eq=False)
class Routine:
    """One function of the generated module."""

    name: str  # as printed
    kind: Kind
    key: str  # of the function in the Module that it was made from
    doc: str
    parameters: tuple[tuple[str, Node], ...]  # a backward routine's are the seeds
    defaults: Mapping[str, str] = field(default_factory=dict)
    saved: tuple[str, ...] = ()  # a forward routine returns these, a backward one unpacks them
    lines: tuple[Line, ...] = ()
    names: Mapping[Node, str] = field(default_factory=dict)  # every named node
    values: tuple[Node, ...] = ()
    gradients: tuple[Node, ...] = ()  # of a Jacobian or Hessian: row after row
    value_names: tuple[str, ...] = ()  # as returned; "" for the expression itself
    gradient_names: tuple[str, ...] = ()  # the same
    packed: tuple[str, ...] = ()  # names of arguments that are tuples: (saved, grad); (at, along)
    sizes: Mapping[str, str] = field(default_factory=dict)  # of dimensions: what the text says
    measures: tuple[str, ...] = ()  # statements that name sizes: `n, d = x.shape`
    signature: str = ""  # for the door of a function of arrays, in the source's words
    constants: Mapping[Node, str] = field(default_factory=dict)  # of the module, that it reads
    callees: Mapping[str, str] = field(default_factory=dict)  # key -> name, of what it calls
    externs: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # key -> module, attribute
    doors: frozenset[str] = frozenset()  # of callees: the entry points, which look at arguments
    shaped: frozenset[str] = frozenset()  # of callees: those that take arrays
    tangents: tuple[str, ...] = ()  # of a jvp: what `along` holds
    rows: int = 0  # of a Jacobian or Hessian
    is_entry: bool = True
    work: str = ""  # the name of its workspace, where it writes into planned buffers
    buffers: tuple[Buffer, ...] = ()
    temporaries: Mapping[Node, str] = field(default_factory=dict)  # names of nodes without a line
    works: Mapping[str, str] = field(default_factory=dict)  # of callees: of those that take one
    like: tuple[str, ...] = ()  # what has the dtype of the call: an array, or else the numbers
    may_raise: bool = False  # Python raises somewhere where IEEE 754 gives inf or nan
