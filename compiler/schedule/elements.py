"""What is read element by element in nested lists, and what has to be made as a whole before."""

from __future__ import annotations

from collections.abc import Iterator

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type

VIEWS = frozenset({"broadcast", "transpose", "flip", "reshape", "windows"})
# made by a function, or by putting lists one after the other
WHOLES = frozenset(
    {"inv", "solve", "solve_triangular", "cholesky", "cofactor", "det"}
    | {"cumsum", "prod_others", "overlap_add", "put", "concat", "item"}
)


def is_view(node: Node) -> bool:
    """Whether an element of a node is an element of its operand."""
    return node.op in VIEWS or (node.op == "take" and len(node.inputs) == 1)


def ground(node: Node) -> Node:
    """What a view, of a view, lies on."""
    while is_view(node):
        node = node.inputs[0]
    return node


def is_cheap(node: Node) -> bool:
    """Whether a node may be computed as often as it is read."""
    if node.op in ("to_real", "mark"):
        node = node.inputs[0]
    return node.op in ("parameter", "constant", "size", "arange")


def held(node: Node) -> Iterator[Node]:
    """The operands of a node that need a line: each element is read more than once, or they are
    made as a whole and read by elements."""
    if not node.inputs:
        return
    for operand in node.inputs:
        if operand.op in WHOLES and node.op not in WHOLES and node.op not in ("call", "mark"):
            yield operand
    repeated: tuple[Node, ...] = ()
    if node.op in ("broadcast", "windows"):
        repeated = node.inputs
    elif node.op == "take" and len(node.inputs) > 1:
        # -1 counts from the end of a list, but not of what is no list
        if not is_cheap(node.inputs[0]):
            yield node.inputs[0]
        repeated = node.inputs[1:]
    elif node.op == "contract":
        operands = node.attribute("operands")
        assert isinstance(operands, tuple)
        every = {i for one in operands for i in one}
        pairs = zip(node.inputs, operands, strict=True)
        repeated = tuple(x for x, one in pairs if len(set(one)) < len(every))
    for operand in repeated:
        on = ground(operand)
        if not is_cheap(on) and isinstance(on.type, Type) and not _is_place(on):
            yield on


def _is_place(node: Node) -> bool:
    """Whether an int is a sum or a multiple of indices and sizes, one level deep."""
    is_int = isinstance(node.type, Type) and node.type.dtype == "int"
    return is_int and node.op in ("add", "sub", "mul") and all(map(is_cheap, node.inputs))
