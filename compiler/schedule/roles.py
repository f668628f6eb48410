"""What a temporary is called: by what it is, in the names of the source, or by the part that it
plays in a value that has a name.

exp(-t)       exp_minus_t        (a + b)*…/(…) = u      u_factor
r*r           r_squared          x > 0                  x_is_positive
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from mgrad.compiler.ir.node import Node

LONGEST = 24  # characters of a name made of others' names
DEEPEST = 2  # levels of operators that such a name tells
FARTHEST = 6  # how far up to look for a user that has a name

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
    "max_over": "greatest",
    "min_over": "least",
    "sum": "total",
    "contract": "product",
    "take": "part",
    "reshape": "reshaped",
    "broadcast": "repeated",
    "arange": "index",
    "concat": "joined",
    "pad": "padded",
    "solve": "solution",
    "solve_triangular": "solution",
    "cumsum": "running_total",
} | dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne"), "test")
PARTS = {
    "div": ("numerator", "denominator"),
    "add": ("term", "term"),
    "sub": ("term", "term"),
    "mul": ("factor", "factor"),
    "pow": ("base", "exponent"),
    "integer_power": ("base", "exponent"),
    "where": ("condition", "case", "case"),
    "exp": ("exponent",),
    "call": (),
}
PART_WORDS = frozenset(["argument", *(word for words in PARTS.values() for word in words)])
POWERS = {2: "squared", 3: "cubed"}
WORDS = {"neg": "minus", "to_real": "real", "to_int": "whole"}
FUNCTIONS = frozenset({"exp", "log", "sqrt", "cbrt", "sin", "cos", "tan"})
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)

Named = Callable[[Node], str | None]


def role(node: Node, named: Named, users: Mapping[Node, Node]) -> str:
    """A name for a node that has none. `named` gives those that have one, now or later; `users` one
    user of each node."""
    own = _phrase(node, named, DEEPEST)
    if own is not None and len(own) <= LONGEST and not own[0].isdigit():
        return own
    is_function = node.op in FUNCTIONS or (node.op not in BETWEEN and node.op not in NOUNS)
    return (None if is_function else _part(node, named, users)) or noun(node)


def noun(node: Node) -> str:
    """What any value of this operation is."""
    return NOUNS.get(node.op, f"{node.op.rstrip('_')}_value")


def _part(node: Node, named: Named, users: Mapping[Node, Node]) -> str | None:
    """`u_factor` of a node that is a factor of a term of u."""
    word: str | None = None
    for _ in range(FARTHEST):
        user = users.get(node)
        if user is None:
            return None
        if user.op not in ("neg", "mark", "to_real"):
            parts = PARTS.get(user.op, ("argument",) * len(user.inputs))
            position = next((i for i, x in enumerate(user.inputs) if x is node), len(parts))
            if position >= len(parts):
                return None
            word = word or parts[position]
        name = named(user)
        if name is not None:
            word = word or "opposite"
            is_gradient = name.startswith(("d_", "grad_"))  # d_x_term would be one of x_term
            made = f"{word}_of_{name}" if is_gradient else f"{name}_{word}"
            return made if len(made) <= LONGEST else None
        if len(user.inputs) == 1 and user.op not in (
            "neg",
            "mark",
            "to_real",
            "exp",
            "not",
            "item",
        ):
            return f"{user.op.rstrip('_')}_{word or 'opposite'}"  # tanh_argument
        node = user
    return None


def _part_of(node: Node, named: Named) -> str | None:
    """`z_0` of z[0], `x_part` of a slice."""
    name = named(node.inputs[0])
    items = node.attribute("items")
    assert isinstance(items, tuple)
    if name is None:
        return None
    numbers = [item[1].constant for item in items if item[0] == "at"]
    is_place = all(item[0] in ("at", "all") for item in items) and None not in numbers
    return "_".join([name, *map(str, numbers)]) if is_place else f"{name}_part"


def _unwrapped(node: Node, named: Named) -> Node:
    """What is repeated or widened without a word."""
    while node.op in ("broadcast", "to_real", "to_int") and named(node) is None:
        node = node.inputs[0]
    return node


def _phrase(node: Node, named: Named, depth: int) -> str | None:
    """A name by the node's operation and operands, as far as those have names. Not deep, so it may
    recurse."""
    op, inputs = node.op.rstrip("_"), node.inputs
    if not inputs or depth == 0 or op in ("call", "item", "loop") or len(inputs) > 2:
        return None
    plain = [_unwrapped(i, named) for i in inputs]
    if op == "take":
        return _part_of(node, named)
    words = [named(i) or _number_word(i) or _phrase(i, named, depth - 1) for i in plain]
    if len(words) == 1:
        x = words[0]
        if x is not None and x.rpartition("_")[2] in PART_WORDS:
            return None
        return None if x is None else f"{WORDS.get(op, op)}_{x}"
    return _pair(node, op, words[0], words[1])


def _pair(node: Node, op: str, x: str | None, y: str | None) -> str | None:
    left, right = (_number(i) for i in node.inputs)
    if op == "mul" and x is not None:
        power = _power(node, x, y)
        if power is not None:
            return power
    if op == "integer_power" and x is not None and right is not None:
        power = POWERS.get(int(right)) or f"power_{int(right)}".replace("-", "minus_")
        return f"{x}_{power}"
    if op in SIGNS and right == 0 and x is not None:
        return f"{x}_{SIGNS[op]}"
    if op == "div" and left == 1 and y is not None:
        return f"inverse_{y}"
    if op == "mul" and left == 2 and y is not None:
        return f"twice_{y}"
    if op == "div" and right == 2 and x is not None:
        return f"half_{x}"
    if op == "mul" and x is not None and y is not None and x == _number_word(node.inputs[0]):
        return f"{y}_times_{x}"
    if x is None or y is None or op not in BETWEEN:
        if op == "div" and left is not None and y is not None:
            return f"over_{y}"
        return _with_number(op, x if left is None else y, left if left is not None else right)
    return f"{x}_{BETWEEN[op]}_{y}"


def _power(node: Node, x: str, y: str | None) -> str | None:
    if node.inputs[0] is node.inputs[1]:
        return f"{x[: -len('_squared')]}_to_the_4" if x.endswith("_squared") else f"{x}_squared"
    if y is None:
        return None
    for one, other in ((x, y), (y, x)):
        if one == f"{other}_squared":
            return f"{other}_cubed"
    return None


def _with_number(op: str, x: str | None, number: Fraction | None) -> str | None:
    """A name for x with a number that has no word: what was done to x."""
    if x is None or number is None:
        return None
    if op in ("add", "sub"):
        return f"{x}_shifted"
    return f"{x}_scaled" if op in ("mul", "div") else None


def _number_word(node: Node) -> str | None:
    number = _number(node)
    if number is None or number.denominator != 1 or not 0 <= number < 10_000:
        return None
    return NUMBERS[int(number)] if number < len(NUMBERS) else str(number)


def _number(node: Node) -> Fraction | None:
    if node.op != "constant" or isinstance(node.value, float):
        return None
    return Fraction(node.value)
