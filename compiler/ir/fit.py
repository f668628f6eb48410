"""How types change where the parameters of a graph are replaced by arguments.

A parameter `x: [N]` given `[2*H]` makes N the size 2*H in the whole graph; an int parameter names
a size too. A graph of scalars given arrays of one shape maps: every node gets that shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import INT, AnyType, Bundle, Dim, Shape, Type


@dataclass(frozen=True, slots=True)
class Fit:
    sizes: dict[str, Dim]
    shape: Shape  # of every scalar

    def type(self, type: AnyType) -> AnyType:
        if isinstance(type, Bundle):
            return Bundle(tuple(self.type(t) for t in type.items))
        if not isinstance(type, Type):
            return type
        return Type(type.dtype, tuple(d.replaced(self.sizes) for d in type.shape) or self.shape)

    def value(self, value: object) -> object:
        """An attribute: sizes in it, also in tuples, which nest two deep."""
        if isinstance(value, Dim):
            return value.replaced(self.sizes)
        if isinstance(value, tuple):
            return tuple(self.value(part) for part in value)
        return value


def fit(parameters: Sequence[Node], arguments: Sequence[Node]) -> Fit | None:
    """What changes; None if nothing does."""
    sizes: dict[str, Dim] = {}
    mapped: Shape = ()
    for parameter, argument in zip(parameters, arguments, strict=True):
        if not isinstance(parameter.type, Type):
            continue
        shape = argument.array.shape
        if parameter.type == INT and not shape:
            sizes.setdefault(str(parameter.attribute("name")), dim_of(argument))
        if shape and not parameter.type.shape:
            mapped = shape
            continue
        for dim, size in zip(parameter.type.shape, shape, strict=True):
            if str(dim) in dim.names:
                sizes.setdefault(str(dim), size)
    sizes = {name: size for name, size in sizes.items() if size != Dim.of(name)}
    return Fit(sizes, mapped) if sizes or mapped else None


def dim_of(node: Node) -> Dim:
    """An int as a size: a number, what is known of sizes, or a name of its own. Chains of
    arithmetic are short where they are sizes, and are followed so far."""
    return _dim_of(node, 16) or Dim.of(f"turns_{node.serial}")


def _dim_of(node: Node, depth: int) -> Dim | None:
    match node.op:
        case "constant":
            return Dim.of(int(node.value))
        case "parameter":
            return Dim.of(str(node.attribute("name")))
        case "size":
            dim = node.attribute("dim")
            assert isinstance(dim, Dim)
            return dim
        case "add" | "sub" | "mul" if depth:
            x, y = (_dim_of(i, depth - 1) for i in node.inputs)
            if x is None or y is None:
                return None
            return x + y if node.op == "add" else x - y if node.op == "sub" else x * y
    return None
