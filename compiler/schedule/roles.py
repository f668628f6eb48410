"""What a temporary is called: by what it is, or by the part that it plays in a named value.

exp(t)        exp_t              (a + b)/(c + d) = u     u_denominator
r*r           r_squared          x > 0                   x_is_positive
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from mgrad.compiler.ir.node import Node

LONGEST = 24  # characters of a name made of others' names

BETWEEN = {
    "add": "plus",
    "sub": "minus",
    "mul": "times",
    "div": "over",
    "lt": "below",
    "le": "up_to",
    "gt": "above",
    "ge": "from",
    "eq": "equals",
    "ne": "differs_from",
    "pow": "to_the",
    "maximum": "or",
    "minimum": "or",
    "and": "and",
    "or": "or",
    "floordiv": "per",
    "mod": "modulo",
}
SIGNS = {
    "lt": "is_negative",
    "le": "is_not_positive",
    "gt": "is_positive",
    "ge": "is_not_negative",
    "eq": "is_zero",
    "ne": "is_not_zero",
}
NOUNS = {
    "add": "total",
    "sub": "difference",
    "mul": "product",
    "div": "quotient",
    "neg": "opposite",
    "pow": "power",
    "integer_power": "power",
    "where": "choice",
    "and": "both",
    "or": "either",
    "not": "otherwise",
    "item": "value",
    "to_real": "number",
    "to_int": "number",
    "mark": "value",
    "exp": "exponential",
    "log": "logarithm",
    "sqrt": "root",
    "cbrt": "root",
    "sin": "sine",
    "cos": "cosine",
    "tan": "tangent",
    "abs": "size",
    "maximum": "greatest",
    "minimum": "least",
} | dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), "test")
PARTS = {
    "div": ("numerator", "denominator"),
    "add": ("part", "part"),
    "sub": ("part", "part"),
    "mul": ("factor", "factor"),
    "neg": ("part",),
    "pow": ("base", "exponent"),
    "integer_power": ("base", "exponent"),
    "where": ("condition", "choice", "choice"),
    "exp": ("exponent",),
    "call": (),
}
POWERS = {2: "squared", 3: "cubed"}


def role(node: Node, names: Mapping[Node, str], users: Mapping[Node, Node]) -> str:
    """A name for a node that has none; `users` has one user of each node."""
    own = _own(node, names)
    if own is not None and len(own) <= LONGEST:
        return own
    user = users.get(node)
    if user is not None and user in names:
        parts = PARTS.get(user.op, ("argument",) * len(user.inputs))
        position = next((i for i, x in enumerate(user.inputs) if x is node), None)
        if position is not None and position < len(parts):
            name = f"{names[user]}_{parts[position]}"
            if len(name) <= LONGEST:
                return name
    return NOUNS.get(node.op, f"{node.op}_value")


def _own(node: Node, names: Mapping[Node, str]) -> str | None:
    """A name by the node's operation and operands, where those have names."""
    operands = [names.get(i) for i in node.inputs]
    op = node.op.rstrip("_")
    if len(operands) == 1:
        x = operands[0]
        number = _number(node.inputs[0])
        if x is None and number is not None and 0 <= number < 100 and number.denominator == 1:
            x = str(number)
        if x is None:
            return None
        return f"minus_{x}" if op == "neg" else f"{op}_{x}"
    if len(operands) != 2:
        return None
    x, y = operands
    left, right = (_number(i) for i in node.inputs)
    if op == "mul" and node.inputs[0] is node.inputs[1] and x is not None:
        return f"{x}_squared"
    if op == "mul" and x is not None and x == f"{y}_squared":
        return f"{y}_cubed"
    if op == "mul" and y is not None and y == f"{x}_squared":
        return f"{x}_cubed"
    if op == "integer_power" and x is not None and right is not None:
        power = POWERS.get(int(right)) or f"power_{int(right)}".replace("-", "minus_")
        return f"{x}_{power}"
    if op in SIGNS and right == 0 and x is not None:
        return f"{x}_{SIGNS[op]}"
    if op == "div" and left == 1 and y is not None:
        return f"inverse_{y}"
    if x is not None and y is not None and op in BETWEEN:
        return f"{x}_{BETWEEN[op]}_{y}"
    if op in BETWEEN and (x or y):
        known = x or y
        if op == "mul" and (left == 2 or right == 2):
            return f"twice_{known}"
        number = left if left is not None else right
        if number is not None and number.denominator == 1 and 0 <= number < 100:
            words = (str(number), y) if x is None else (x, str(number))
            name = f"{words[0]}_{BETWEEN[op]}_{words[1]}"
            return name if not name[0].isdigit() else f"{BETWEEN[op]}_{number}_{known}"
    return None


def _number(node: Node) -> Fraction | None:
    if node.op != "constant" or isinstance(node.value, float):
        return None
    return Fraction(node.value)
