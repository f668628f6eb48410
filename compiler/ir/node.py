"""One node of the IR: interned, frozen, typed and shaped.

Nodes live in a `Pool`, one a compilation. Two nodes of one pool with the same op, inputs, type and
attributes are the same object, so equality is identity and common subexpressions are free. Names
and source spans hang beside the nodes, in a graph's `Notes`.

Elementwise ops take operands of one shape. A number in Python arithmetic (`1 - y*y`) becomes a
constant of the other operand's shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from mgrad.compiler.ir.types import REAL, AnyType, Dtype, Type

Number = int | Fraction | float | bool
_NUMBERS = (Fraction, bool, float)  # that a constant may be


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """`op` names an entry of the table of ops, or one of the structural ops:

    parameter   an input of the graph; attribute `name`, and `index` to tell equal ones apart
    constant    attribute `value`: Fraction, bool, or float for inf, -inf and nan; any shape
    mark        a binding that a derivative is taken by; attribute `index`; never merges
    call        attribute `callee`: a function's key; a Bundle, also of one. Attribute `arrays`
                where the function takes or gives arrays: any other maps over arrays
    item        attribute `index`: one value of a Bundle
    loop        attribute `region`; see `ir.graph.Region`
    """

    op: str
    inputs: tuple[Node, ...]
    type: AnyType
    attributes: tuple[tuple[str, object], ...]
    serial: int  # the order of making; deterministic
    pool: Pool

    def attribute(self, key: str) -> object:
        for name, value in self.attributes:
            if name == key:
                return value
        raise KeyError(key)

    @property
    def array(self) -> Type:
        """The type, known not to be a bundle."""
        assert isinstance(self.type, Type), self.type
        return self.type

    @property
    def value(self) -> Fraction | bool | float:
        """The number of a constant."""
        number = self.attributes[0][1]
        assert isinstance(number, _NUMBERS)
        return number

    def __repr__(self) -> str:
        return f"%{self.serial} {self.op}"

    def __add__(self, other: Node | Number) -> Node:
        return self.pool.binary("add", self, other)

    def __radd__(self, other: Number) -> Node:
        return self.pool.binary("add", other, self)

    def __sub__(self, other: Node | Number) -> Node:
        return self.pool.binary("sub", self, other)

    def __rsub__(self, other: Number) -> Node:
        return self.pool.binary("sub", other, self)

    def __mul__(self, other: Node | Number) -> Node:
        return self.pool.binary("mul", self, other)

    def __rmul__(self, other: Number) -> Node:
        return self.pool.binary("mul", other, self)

    def __truediv__(self, other: Node | Number) -> Node:
        return self.pool.binary("div", self, other)

    def __rtruediv__(self, other: Number) -> Node:
        return self.pool.binary("div", other, self)

    def __neg__(self) -> Node:
        return self.pool.make("neg", (self,), self.type)


class Pool:
    """Makes and interns the nodes of one compilation."""

    def __init__(self) -> None:
        self._nodes: dict[object, Node] = {}
        self._numbers: dict[object, Node] = {}  # constants: whole numbers hash faster than ratios
        self._fresh = 0

    def make(
        self,
        op: str,
        inputs: Iterable[Node] = (),
        type: AnyType = REAL,
        **attributes: object,
    ) -> Node:
        """The node of this op, inputs, type and (hashable) attributes."""
        inputs = tuple(inputs)
        # a string's hash is known: a scalar goes by its dtype
        kind = type.dtype if isinstance(type, Type) and not type.shape else type
        pairs: tuple[tuple[str, object], ...] = ()
        key: object = (op, inputs, kind)
        if attributes:
            pairs = tuple(sorted(attributes.items()))
            # `Fraction(1) == True == 1.0`: the classes keep unlike constants apart
            key = (op, inputs, kind, pairs, tuple([value.__class__ for _, value in pairs]))
        found = self._nodes.get(key)
        if found is None:
            found = Node(op, inputs, type, pairs, len(self._nodes), self)
            self._nodes[key] = found
        return found

    def like(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        """The node of the same op, type and attributes on other inputs."""
        op, type = node.op, node.type
        if node.attributes:
            return self.make(op, inputs, type, **dict(node.attributes))
        key = (op, inputs, type.dtype if isinstance(type, Type) and not type.shape else type)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(op, inputs, type, (), len(self._nodes), self)
        return found

    def fresh(self) -> int:
        """A number that no other call gives: for marks and parameters, which must not merge."""
        self._fresh += 1
        return self._fresh

    def constant(self, value: Number, type: Type = REAL) -> Node:
        """A constant of any shape. Numbers are exact; only inf, -inf and nan stay floats."""
        if isinstance(value, bool) and type.dtype == "bool":
            return self.make("constant", (), type, value=value)
        if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
            # nan != nan would defeat interning by equality
            text = "nan" if value != value else None
            return self.make("constant", (), type, value=_NAN if text else value)
        number = value if isinstance(value, Fraction) else Fraction(value)
        key = (number.numerator, number.denominator, type if type.shape else type.dtype)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = self.make("constant", (), type, value=number)
        return found

    def parameter(self, name: str, type: AnyType) -> Node:
        return self.make("parameter", (), type, name=name, index=self.fresh())

    def elementwise(self, op: str, *inputs: Node, dtype: Dtype = "real") -> Node:
        """An elementwise node; its shape is that of the operands, which must agree."""
        type = inputs[0].array
        for node in inputs[1:]:
            other = node.array.shape
            assert other == type.shape, f"{op} of unlike shapes {[str(n.type) for n in inputs]}"
        return self.make(op, inputs, type.with_dtype(dtype))

    def binary(self, op: str, left: Node | Number, right: Node | Number) -> Node:
        """Arithmetic: of ints an int, but for a quotient. A number takes the other one's type."""
        if not isinstance(left, Node):
            assert isinstance(right, Node)
            left = self.constant(left, right.array)
        if not isinstance(right, Node):
            right = self.constant(right, left.array)
        are_ints = op != "div" and left.array.dtype == right.array.dtype == "int"
        return self.elementwise(op, left, right, dtype="int" if are_ints else "real")


_NAN = float("nan")  # one object: a tuple compares items by identity first
