"""What a value is, said in the names of its operands: `x_minus_y`, `exp_t`, `sqrt_of_a_plus_b`.

A phrase reads as the formula would, by the usual precedence: `a_over_b_times_c` is (a/b)*c and
nothing else, and `sqrt_of_a_plus_b` takes all that follows. What would be misread has no phrase.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim
from mgrad.compiler.passes.numbers import multiple_of_pi

LONGEST = 28  # characters
DEEPEST = 4  # levels of operators

# How tightly the words of a phrase hold together.
LOGIC, SUM, PRODUCT, WORD = range(4)

BETWEEN = {
    "add": ("plus", SUM),
    "sub": ("minus", SUM),
    "mul": ("times", PRODUCT),
    "div": ("over", PRODUCT),
    "pow": ("to_the", PRODUCT),
    "floordiv": ("per", PRODUCT),
    "mod": ("modulo", PRODUCT),
    "lt": ("below", LOGIC),
    "le": ("up_to", LOGIC),
    "gt": ("above", LOGIC),
    "ge": ("from", LOGIC),
    "eq": ("equals", LOGIC),
    "ne": ("differs_from", LOGIC),
    "and": ("and", LOGIC),
    "or": ("or", LOGIC),
    "maximum": ("at_least", LOGIC),
    "minimum": ("at_most", LOGIC),
}
ALIKE = {"add": "sums_of", "sub": "differences_of", "mul": "products_of"}
# Words without an operand that the same operation does not build upon.
BARE = {"plus": ("total",), "times": ("product", "ratio"), "over": ("ratio", "product")}
BARE["minus"] = (*BARE["plus"], "difference")
SIGNS = {
    "lt": "is_negative",
    "le": "is_not_positive",
    "gt": "is_positive",
    "ge": "is_not_negative",
    "eq": "is_zero",
    "ne": "is_not_zero",
}
POWERS = {2: "squared", 3: "cubed"}
WORDS = {
    "max_over": "max",
    "min_over": "min",
    "any_over": "any",
    "all_over": "all",
    "prod_over": "prod",
    "prod_others": "prod_of_others",
    "root": "sqrt",
    "tril": "lower",
    "integer_power": "power",
}
# Moved, repeated or widened values say nothing new: one looks through to the operand.
THROUGH = frozenset({"broadcast", "reshape", "to_real", "to_int", "mark"})
AFTER = {
    "broadcast": "repeated",
    "reshape": "reshaped",
    "transpose": "transposed",
    "flip": "reversed",
    "pad": "padded",
    "inv": "inverse",
}
BEFORE = {"to_real": "real", "to_int": "whole"}
SILENT = frozenset({"call", "item", "loop", "put", "mark", "overlap_add", "windows"})
UNMASKED = "unmasked_"  # is what a `where` puts a number in the place of
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_COMPOUND = re.compile(
    r".(_(plus|minus|times|over|dot|outer|to_the|per|modulo|and|or|of|at_least|at_most)_|"
    r"_(squared|cubed|scaled|shifted|transposed|inverse|power_))"
)

_LOOSE = (
    re.compile("_(is|and|or|at_least|at_most)_"),
    re.compile("_(plus|minus|shifted)(_|$)"),
    re.compile("_(times|over|dot|outer|per|modulo|to_the)_|^(twice|half)_"),
)

Named = Callable[[Node], str | None]


class Phrase(NamedTuple):
    text: str
    grip: int = WORD
    is_open: bool = False  # takes in whatever follows: `sqrt_of_x`
    is_name: bool = False


def phrase(node: Node, named: Named) -> str | None:
    """A name by the node's operation and operands, as far as those have names."""
    if node.op in THROUGH and node.op != "mark":
        x = named(node.inputs[0])
        if x is not None:  # both are there: they differ in the word
            return _short(_told(x, node.op))
    found = _formed(_inner(node), named, DEEPEST) if node.op != "mark" else None
    if found is None:
        return None
    repeated = _after(found, AFTER["broadcast"]) if node.op == "broadcast" else None
    return _short((repeated or found).text)


def number_word(node: Node) -> str | None:
    """`two` of a constant 2."""
    number = _number(node)
    if number is None:
        return None
    times_pi = multiple_of_pi(number)
    if times_pi is not None and times_pi.denominator == 1 and 1 <= times_pi < len(NUMBERS):
        return "pi" if times_pi == 1 else f"{NUMBERS[int(times_pi)]}_pi"
    if number.denominator != 1 or not 0 <= number < 10_000:
        return None
    return NUMBERS[int(number)] if number < len(NUMBERS) else str(number)


def is_of_itself(node: Node) -> bool:
    """Whether a node is a sum of squares."""
    if node.op == "sum":
        (x,) = node.inputs
        return x.op == "mul" and x.inputs[0] is x.inputs[1]
    if node.op != "contract" or len(node.inputs) != 2 or node.inputs[0] is not node.inputs[1]:
        return False
    (one, two), result = _indices(node)
    return one == two and len(set(one)) == len(one) and len(set(result)) == len(result) < len(one)


def smooth_step(node: Node) -> tuple[str, Node, bool] | None:
    """`sigmoid` or `softplus` where the formula that keeps digits stands for it, of which value,
    and whether of its opposite."""
    if node.op == "add":
        x, rest = node.inputs
        is_one = x.op == "relu" and rest.op == "log1p" and _decays(rest.inputs[0], x.inputs[0])
        return ("softplus", x.inputs[0], False) if is_one else None
    if node.op != "div":
        return None
    top, bottom = node.inputs
    if top.op != "where" or top.inputs[0].op != "ge" or bottom.op != "add":
        return None
    (x, _), e = top.inputs[0].inputs, bottom.inputs[1]
    if not _decays(e, x) or e not in top.inputs or _number(bottom.inputs[0]) != 1:
        return None
    place = 1 if top.inputs[2] is e else 2
    return ("sigmoid", x, place == 2) if _number(top.inputs[place]) == 1 else None


def _decays(e: Node, x: Node) -> bool:
    """Whether e is exp(-abs(x))."""
    for op in ("exp", "neg", "abs"):
        if e.op != op:
            return False
        e = e.inputs[0]
    return e is x


def is_identity(node: Node) -> bool:
    """Whether a node is the matrix that has ones on its diagonal."""
    return node.op == "contract" and node.inputs[0].op == "constant" and len(node.inputs) == 1


def is_compound(text: str) -> bool:
    """Whether a name is made of others with words between."""
    return _COMPOUND.search(text) is not None


def is_gradient(name: str) -> bool:
    """Whether a name is that of a gradient: `grad_1` is one that is given."""
    return name.startswith("d_") or (name.startswith("grad_") and not name[5].isdigit())


def looked_through(node: Node, named: Named) -> Node:
    """What is moved, repeated or widened without a word."""
    while node.op in THROUGH and named(node) is None:
        node = node.inputs[0]
    return node


def _short(text: str) -> str | None:
    return text if len(text) <= LONGEST and not text[0].isdigit() else None


def _inner(node: Node) -> Node:
    while node.op in THROUGH:
        node = node.inputs[0]
    return node


def _told(x: str, op: str) -> str:
    """`x_repeated`, `real_x`."""
    return f"{x}_{AFTER[op]}" if op in AFTER else f"{BEFORE[op]}_{x}"


def _said(node: Node, named: Named, depth: int) -> Phrase | None:
    """An operand in words."""
    node = looked_through(node, named)
    name = named(node)
    if name is not None:
        return Phrase(name, _grip(name), "_of_" in name, is_name=True)
    number = number_word(node)
    if number is not None:
        return Phrase(number)
    return _formed(node, named, depth - 1)


def _grip(name: str) -> int:
    """How tightly a name holds together, be it one of ours or of the source."""
    body = name.removeprefix("minus_")
    for grip, words in enumerate(_LOOSE):
        if words.search(body):
            return grip
    return WORD


def _formed(node: Node, named: Named, depth: int) -> Phrase | None:
    """The phrase of a node without a name. Not deep, so it may recurse."""
    if not node.inputs or depth == 0 or node.op in SILENT or len(node.inputs) > 3:
        return None
    op = node.op.rstrip("_")
    if op == "take":
        return _part_of(node, named)
    if is_identity(node):
        return Phrase("identity")
    smooth = smooth_step(node)
    if smooth is not None:
        x = _said(smooth[1], named, depth)
        x = _function("neg", x) if x is not None and smooth[2] else x
        return None if x is None else _prefixed(smooth[0], x)
    words = [_said(i, named, depth) for i in node.inputs]
    if op == "where":
        return _choice(node, words)
    if op == "contract":
        return _contraction(node, words)
    if is_of_itself(node):
        x = _said(node.inputs[0].inputs[0], named, depth)
        return _after(x, "norm_squared")
    if any(word is not None and len(word.text) > LONGEST for word in words):
        return None
    if len(words) == 1:
        return None if words[0] is None else _function(op, words[0])
    if op == "concat":
        return _both(words)
    return _pair(node, op, words[0], words[1]) if len(words) == 2 else None


def _function(op: str, x: Phrase) -> Phrase | None:
    if op in AFTER:
        return _after(x, AFTER[op])
    if op == "neg":
        if x.grip < PRODUCT:
            return None
        return Phrase(f"minus_{x.text}", x.grip, x.is_open)
    if op in ("sqrt", "root"):
        norm = re.fullmatch(r"(.+_norm)_squared(_\d+)?|(sum_of_squares)(_\d+)?", x.text)
        if norm is not None:
            return Phrase(norm[1] or "norm")
    return _prefixed(WORDS.get(op, op), x)


def _prefixed(word: str, x: Phrase) -> Phrase:
    """`exp_x`, but `exp_of_x_plus_y`."""
    if is_compound(x.text) or x.is_open or x.grip < PRODUCT:
        return Phrase(f"{word}_of_{x.text}", is_open=True)
    return Phrase(f"{word}_{x.text}")


def _after(x: Phrase | None, word: str) -> Phrase | None:
    """`x_transposed`. Behind a name of several words it ends the phrase: `x_minus_y_squared`, as a
    term of another, would be x less the square."""
    if x is None or (not x.is_name and (x.grip < WORD or x.is_open)):
        return None
    if _is_gradient(x) and word in POWERS.values():
        return None
    return Phrase(f"{x.text}_{word}", LOGIC if x.grip < WORD or x.is_open else WORD)


def _is_gradient(x: Phrase) -> bool:
    """Whether words put behind x would read as the gradient of all of it."""
    return x.is_name and is_gradient(x.text)


def _part_of(node: Node, named: Named) -> Phrase | None:
    """`z_0` of z[0], `z_but_last` of z[:-1], `z_at_i` of z[i], `z_part` of what is not so short."""
    x = named(node.inputs[0])
    items = node.attribute("items")
    assert isinstance(items, tuple)
    if x is None:
        return None
    words: list[str] = []
    for item, size in zip(items, node.inputs[0].array.shape, strict=False):
        if item[0] == "all":
            continue
        if item[0] == "by":
            by = named(node.inputs[1 + item[1]]) or _index(node.inputs[1 + item[1]], named)
            word = f"at_{by}" if by is not None else None
        else:
            word = _place(item, size)
        if word is None:
            return Phrase(f"{x}_part")
        words.append(word)
    return Phrase("_".join([x, *words]))


def _index(node: Node, named: Named) -> str | None:
    found = _part_of(node, named) if node.op == "take" else None
    return None if found is None else found.text


def _place(item: tuple[object, ...], size: Dim) -> str | None:
    """A place or a slice in words."""
    start = item[1]
    assert isinstance(start, Dim)
    if item[0] == "at":
        if start.constant is not None:
            return str(start.constant)
        return "last" if start == size - 1 else None
    stop, step = item[2], item[3]
    assert isinstance(stop, Dim)
    first, last = start.constant, (size - stop).constant
    if step != 1 or first is None or last is None:
        return None
    if first and last:
        return "inner" if first == last == 1 else None
    word, count = ("but_first", first) if first else ("but_last", last)
    if not 0 < count < len(NUMBERS):
        return None
    return word if count == 1 else f"{word}_{NUMBERS[count]}"


def _choice(node: Node, words: list[Phrase | None]) -> Phrase | None:
    """`x_or_zero`."""
    condition, x, y = words
    if [_number(i) for i in node.inputs[1:]] == [1, 0]:
        return condition
    if x is None or y is None or x.grip < WORD or y.grip < WORD or x.is_open:
        return None
    if x.text == number_word(node.inputs[1]):
        x, y = y, x
    if x.text.startswith(UNMASKED) and y.text == number_word(node.inputs[2]):
        return Phrase(x.text.removeprefix("un"))
    return Phrase(f"{x.text}_or_{y.text}", LOGIC)


def _indices(node: Node) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    operands, result = node.attribute("operands"), node.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    return operands, result


def _contraction(node: Node, words: list[Phrase | None]) -> Phrase | None:
    """`X_w` of X @ w, `x_dot_y`, `x_norm_squared`, `x_outer_y`; `sum_of_x_times_y` of others."""
    operands, result = _indices(node)
    distinct = tuple(dict.fromkeys(result))
    if len(words) == 1:
        (x,), (one,) = words, operands
        if x is None:
            return None
        if one == (0, 0):
            return _prefixed("diag" if result else "trace", x)
        return _prefixed("diag", x) if result == distinct * 2 and one == distinct else None
    if len(words) > 2 or result != distinct:
        return None
    (x, y), (one, two) = words, operands
    if is_of_itself(node):
        return _after(x, "norm_squared")
    if x is None or y is None:
        return None
    if any(len(set(i)) < len(i) for i in operands):
        return None
    if x.grip < WORD or y.grip < WORD or x.is_open or y.is_open:
        return None
    if one == two and result != one:
        return _joined(x, "dot", y, PRODUCT)
    if len(result) == 2 and (one, two) in ((result[:1], result[1:]), (result[1:], result[:1])):
        x, y = (x, y) if one == result[:1] else (y, x)
        return _joined(x, "outer", y, PRODUCT)
    return _matrices(x, y, one, two, result)


def _matrices(
    x: Phrase, y: Phrase, one: tuple[int, ...], two: tuple[int, ...], result: tuple[int, ...]
) -> Phrase | None:
    """`A_B`, `A_transposed_times_B` and the like."""
    for (a, left), (b, right) in (((x, one), (y, two)), ((y, two), (x, one))):
        shared = [i for i in left if i in right]
        free = [i for i in (*left, *right) if i not in shared]
        if len(shared) != 1 or free != list(result) or max(len(left), len(right)) > 2:
            continue
        first = a if left[-1] == shared[0] else Phrase(f"{a.text}_transposed")
        second = b if right[0] == shared[0] else Phrase(f"{b.text}_transposed")
        if first.is_name and second.is_name and "_" not in a.text + b.text:
            return Phrase(f"{a.text}_{b.text}")
        return _joined(first, "times", second, PRODUCT)
    return None


def _joined(x: Phrase, word: str, y: Phrase, grip: int) -> Phrase | None:
    """Two phrases with a word between. A gradient does not come first: `d_x_times_y` would be that
    of `x_times_y`."""
    if _is_bare(x.text, word) or _is_bare(y.text, word):
        return None
    if _is_gradient(x):
        if word not in ("plus", "times", "dot") or _is_gradient(y) or y.is_open:
            return None
        x, y = y, x
    return Phrase(f"{x.text}_{word}_{y.text}", grip, y.is_open)


def _is_bare(x: str, word: str) -> bool:
    """Whether `product_2` is to be multiplied once more: a product of products is one."""
    return x.removeprefix("minus_").rstrip("_0123456789") in BARE.get(word, ())


def _pair(node: Node, op: str, x: Phrase | None, y: Phrase | None) -> Phrase | None:
    a, b = node.inputs
    left, right = _number(a), _number(b)
    if op == "integer_power" and x is not None and right is not None:
        word = POWERS.get(int(right)) or f"power_{int(right)}".replace("-", "minus_")
        return _after(x, word)
    if op in ("solve", "solve_triangular"):
        return _solution(node, x, y)
    if op in SIGNS and right == 0 and x is not None:
        return _after(x, SIGNS[op])
    if op == "mul" and x is not None:
        power = _power(a is b, x, y)
        if power is not None:
            return power
    if op in ("mul", "div") and (left is not None or right is not None):
        return _multiple(op, x, y, left, right)
    if op in ("add", "sub") and (x is None or y is None):
        known = x if left is None else y
        number = left if left is not None else right
        return None if number is None else _after(known, "shifted")
    if x is None or y is None:
        return None
    if op not in BETWEEN:
        return None if is_compound(x.text) else _prefixed(f"{op}_{x.text}", y)
    word, grip = BETWEEN[op]
    needs = WORD if op in ("pow", "mod", "floordiv") else grip
    behind = PRODUCT if op == "sub" else WORD if op == "div" else needs
    if x.grip < needs or y.grip < behind or x.is_open:
        return None
    if op in ALIKE and x.text == y.text and x.is_name and a is not b:
        return Phrase(f"{ALIKE[op]}_{x.text}")
    if grip == LOGIC and LOGIC in (x.grip, y.grip) and op not in ("and", "or"):
        return None
    return _joined(x, word, y, grip)


def _both(words: list[Phrase | None]) -> Phrase | None:
    """`x_and_y` of what is put one behind the other."""
    x, y = words[0], words[1]
    if len(words) > 2 or x is None or y is None or not (x.is_name and y.is_name):
        return None
    return _joined(x, "and", y, LOGIC)


def _solution(node: Node, x: Phrase | None, y: Phrase | None) -> Phrase | None:
    """`A_inverse_b`."""
    if x is None or y is None or is_compound(x.text) or is_compound(y.text):
        return None
    is_transposed = node.op == "solve_triangular" and node.attribute("transposed")
    return Phrase(f"{x.text}_{'transposed_' if is_transposed else ''}inverse_{y.text}")


def _power(is_square: bool, x: Phrase, y: Phrase | None) -> Phrase | None:
    if is_square:
        if x.text.endswith("_squared"):
            return Phrase(f"{x.text[: -len('_squared')]}_to_the_4")
        return _after(x, "squared")
    if y is not None:
        for one, other in ((x, y), (y, x)):
            if one.text == f"{other.text}_squared":
                return Phrase(f"{other.text}_cubed")
    return None


def _multiple(
    op: str, x: Phrase | None, y: Phrase | None, left: Fraction | None, right: Fraction | None
) -> Phrase | None:
    """A number times a value: `twice_x`, `half_x`, `two_pi_times_x`, `x_over_four`, `x_scaled`."""
    number, other = (left, y) if left is not None else (right, x)
    word = x if left is not None else y
    assert number is not None
    if other is None:
        return None
    sign, size = ("minus_", -number) if number < 0 else ("", number)
    is_half = size == (2 if op == "div" else Fraction(1, 2)) and right is not None
    if is_half and other.grip < PRODUCT:
        return Phrase(f"{sign}half_of_{other.text}", PRODUCT, True)
    if op == "div" and left == 1 and other.grip < WORD:
        return Phrase(f"inverse_of_{other.text}", PRODUCT, True)
    if other.grip < PRODUCT:
        return None
    if op == "div" and left is not None:
        if other.grip < WORD:
            return None
        if number == 1:
            return Phrase(f"inverse_{other.text}", PRODUCT, other.is_open)
        start = "" if word is None or word.text[0].isdigit() else word.text
        return Phrase(f"{start}_over_{other.text}".lstrip("_"), PRODUCT, other.is_open)
    if size == 2 and op == "mul":
        return Phrase(f"{sign}twice_{other.text}", PRODUCT, other.is_open)
    if is_half or size == Fraction(1, 2):
        return Phrase(f"{sign}half_{other.text}", PRODUCT, other.is_open)
    if word is None:
        return _after(other, "scaled")
    if op == "mul" and not word.text[0].isdigit():
        return Phrase(f"{word.text}_times_{other.text}", PRODUCT, other.is_open)
    return None if other.is_open else _joined(other, BETWEEN[op][0], word, PRODUCT)


def _number(node: Node) -> Fraction | None:
    while node.op in THROUGH and node.op != "mark":
        node = node.inputs[0]
    if node.op != "constant" or isinstance(node.value, float | bool):
        return None
    return Fraction(node.value)
