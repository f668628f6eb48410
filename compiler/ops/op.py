"""What one entry of the table of ops says. Everything that knows an op by name derives from it:
both modes of differentiation, every printer, the reference interpreter, the SymPy check, the
reference page and the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from mgrad.compiler.ir.node import Node, Number
from mgrad.compiler.ir.types import Dtype, Interval

# How tightly an expression binds in Python; an operand that binds looser gets parentheses.
TERNARY, OR, AND, NOT, COMPARE, BITOR, BITXOR, BITAND, SUM, PRODUCT, SIGN, POWER, ATOM = range(
    1, 14
)


@dataclass(frozen=True, slots=True)
class Code:
    """How an op is spelled in a target.

    `text` holds `{x}` for operand x and `{module.name}` for something to import: `{math.tanh}({x})`
    (the printer imports it, and renames it where the user's names are in the way; what stands in
    `builtins` needs no import).
    `binds` is how tightly the result binds; `needs` how tightly each operand must, by name; an
    operand that is not in `needs` stands in brackets or between commas already.
    An operand may occur twice: then it must be a name or a constant when it is printed.
    """

    text: str
    binds: int = ATOM
    needs: Mapping[str, int] = field(default_factory=dict)

    def repeats(self, parameter: str) -> bool:
        """Whether this operand occurs more than once."""
        return self.text.count(f"{{{parameter}}}") > 1


def function(path: str, *parameters: str) -> Code:
    """`function("math.tanh", "x")` is `tanh(x)`."""
    return Code(f"{{{path}}}({', '.join(f'{{{p}}}' for p in parameters)})")


def infix(symbol: str, binds: int, left: str = "x", right: str = "y", spaced: bool = True) -> Code:
    """A left-associative operator."""
    gap = " " if spaced else ""
    text = f"{{{left}}}{gap}{symbol}{gap}{{{right}}}"
    return Code(text, binds, {left: binds, right: binds + 1})


# The type of the result from those of the operands:
#   real      operands widen to real, the result is real
#   join      operands widen to their join (bool < int < real), at least int; the result is that
#   compare   operands widen to their join; the result is a bool
#   logic     operands are bools, so is the result
#   where     a bool, then two that widen to their join, which is the result
#   integer   operands are ints (bools widen), so is the result
Signature = Literal["real", "join", "compare", "logic", "where", "integer"]


@dataclass(frozen=True, slots=True)
class Kink:
    """A set where the derivative does not exist or is infinite, and the values stated there."""

    condition: Callable[..., Any]  # (sp, *operands) -> a SymPy condition
    # One an operand that has a partial: a number, (sp, *operands) -> SymPy, or None for what
    # IEEE 754 arithmetic makes of the formula (a pole).
    partials: Sequence[Any]
    text: str  # "relu'(0) = 0"


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """An elementwise op. Fields in the order in which an entry is read."""

    name: str
    parameters: tuple[str, ...]  # operand names; one name with a star, ("*xs",), if variadic
    doc: str
    signature: Signature
    # (out, *operands), one an operand, None for no path; None for an op that has no derivative
    partials: Callable[..., Sequence[Node | Number | None]] | None
    python: Code | None  # None: `expand` comes first
    numpy: Code | None
    sympy: Callable[..., Any]  # (sp, *operands): the meaning, over the reals
    samples: Mapping[str, tuple[float, float]]  # where tests draw each operand
    mpmath: Callable[..., Any] | None = None  # (mp, *operands), where SymPy's evalf will not do
    domain: Mapping[str, Interval] = field(default_factory=dict)  # where it is defined, if not all
    kinks: Sequence[Kink] = ()
    accuracy: str = ""  # for the op page: where and why the error is large
    # (*operands): the simpler ops it is computed by; the node itself where there are none.
    expand: Callable[..., Node] | None = None
    weight: int = 1  # in counts of operations; a transcendental function is 10
    is_builtin: bool = True  # the user may call it by name
    operands: Sequence[Dtype] = ()  # the operands' types, where the signature does not say them
    raises: bool = False  # Python's own version raises where IEEE 754 gives inf or nan
    # Where the derivative by the one operand is 0 in floats, it falls off exponentially: it is 0
    # times anything that the operand is made by.
    vanishes: bool = False
    # Operands by which there may be no derivative where the op has a value. A tangent of 0 in
    # one of them gives 0.
    undefined: Sequence[str] = ()

    def __call__(self, *operands: Node) -> Node:
        """The node of this op; operands have one shape and are of the right types already."""
        return operands[0].pool.elementwise(self.name, *operands, dtype=self.result(operands))

    def result(self, operands: Sequence[Node]) -> Dtype:
        return result_dtype(self.signature, [o.array.dtype for o in operands])


def fill(like: Node, value: Number) -> Node:
    """A real constant of the shape of a node."""
    return like.pool.constant(value, like.array.with_dtype("real"))


def exact(node: Node) -> Fraction | None:
    """The number that a node is at every place, if it is a finite constant."""
    while node.op in ("to_real", "to_int", "broadcast"):
        node = node.inputs[0]
    if node.op == "constant":
        value = node.value
        return None if isinstance(value, float) else Fraction(value)
    if node.op == "neg" and node.inputs[0].op == "constant":
        value = node.inputs[0].value
        return None if isinstance(value, float) else -Fraction(value)
    return None


def select(condition: Node, x: Node | Number, y: Node | Number) -> Node:
    """`where(condition, x, y)` of real nodes or numbers."""
    return TABLE["where"](
        condition,
        x if isinstance(x, Node) else fill(condition, x),
        y if isinstance(y, Node) else fill(condition, y),
    )


ORDER: dict[Dtype, int] = {"bool": 0, "int": 1, "real": 2}


def join(dtypes: Sequence[Dtype]) -> Dtype:
    """The least type that all widen to."""
    return max(dtypes, key=ORDER.__getitem__)


def result_dtype(signature: Signature, dtypes: Sequence[Dtype]) -> Dtype:
    match signature:
        case "real":
            return "real"
        case "compare" | "logic":
            return "bool"
        case "where":
            return join(dtypes[1:])
        case "join":
            return join([*dtypes, "int"])
        case "integer":
            return "int"


TABLE: dict[str, Op] = {}


def elementwise(
    name: str,
    parameters: str,
    *,
    doc: str,
    partials: Callable[..., Sequence[Node | Number | None]] | None = None,
    signature: Signature = "real",
    python: Code | str | None = None,
    numpy: Code | str | None = None,
    sympy: Callable[..., Any],
    samples: Mapping[str, tuple[float, float]] | None = None,
    **more: Any,
) -> Op:
    """Enter an op into the table. Code given as a path, "math.tanh", is a call of it."""
    names = tuple(parameters.split())
    op = Op(
        name=name,
        parameters=names,
        doc=doc,
        signature=signature,
        partials=partials,
        python=function(python, *names) if isinstance(python, str) else python,
        numpy=function(numpy, *names) if isinstance(numpy, str) else numpy,
        sympy=sympy,
        samples=samples or dict.fromkeys(names, (-3.0, 3.0)),
        **more,
    )
    assert name not in TABLE, f"two ops are called {name}"
    TABLE[name] = op
    return op
