"""Statements over several lines, broken as the usual formatters of Python break them.

A call goes over its arguments, a tuple takes an item a line, a sum or a choice breaks before its
operators; what still does not fit is broken inside. The text is split where no bracket is open, so
all is linear in its length but for the depth of what is too long.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import cache

WIDTH = 88  # of code
INDENT = "    "
# where an expression breaks, from the loosest operators to the tightest
OPERATORS = ((" for ",), (" if ", " else "), (" or ",), (" and ",), (" + ", " - "))


def statement(before: str, text: str, after: str = "") -> list[str]:
    """`before text after`, over several lines if it is long; `text` may be a bare tuple."""
    if len(before) + len(text) + len(after) <= WIDTH:
        return [f"{before}{text}{after}"]
    indent = before[: len(before) - len(before.lstrip())]
    if _is_list(text):
        return [f"{before}[", *_listed(indent + INDENT, text[1:-1]), f"{indent}]{after}"]
    if len(split(text, (", ",))) > 1:
        return [f"{before}(", *_items(indent + INDENT, text), f"{indent}){after}"]
    call = _call(text)
    if call is not None and len(before) + len(call[0]) < WIDTH:
        return bracketed(f"{before}{call[0]}", call[1], after)
    if _is_bracketed(text):
        text = text[1:-1]
    elif not any(len(split(text, operators)) > 1 for operators in OPERATORS):
        head, inside, tail = _last_bracket(text)  # a product: its last factor is broken
        is_sum = inside and not tail and len(split(inside, (", ",))) == 1
        if is_sum and len(before) + len(head) < WIDTH:
            return [f"{before}{head}(", *_broken(indent + INDENT, inside), f"{indent}){after}"]
    return [f"{before}(", *_broken(indent + INDENT, text), f"{indent}){after}"]


def bracketed(before: str, text: str, after: str = "") -> list[str]:
    """`before(text)after`: the arguments of a call or a definition, together on a line if they
    fit there, else one a line."""
    if len(before) + len(text) + len(after) + 2 <= WIDTH:
        return [f"{before}({text}){after}"]
    indent = before[: len(before) - len(before.lstrip())]
    inside = indent + INDENT
    if len(inside) + len(text) <= WIDTH:
        lines = [f"{inside}{text}"]
    elif len(split(text, (", ",))) > 1 or len(split(text, (" for ",))) == 1:
        lines = _items(inside, text)
    else:  # no comma may stand after a generator
        lines = _broken(inside, text)
    return [f"{before}(", *lines, f"{indent}){after}"]


def tuple_of(items: Iterable[str]) -> str:
    """A tuple, also of one or none."""
    items = list(items)
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


def split(text: str, separators: Sequence[str]) -> list[str]:
    """The text cut before each of these separators that stands outside of brackets; a comma stays
    with what is before it."""
    pieces: list[str] = []
    depth = start = 0
    for match in _places(tuple(separators)).finditer(text):
        found = match[0]
        if found in "([{":
            depth += 1
        elif found in ")]}":
            depth -= 1
        elif depth == 0:
            pieces.append(text[start : match.start()])
            start = match.end() if found == ", " else match.start() + 1
    return [*pieces, text[start:]]


@cache
def _places(separators: tuple[str, ...]) -> re.Pattern[str]:
    """Where a text may be cut, and the brackets."""
    return re.compile("|".join([r"[][(){}]", *map(re.escape, separators)]))


def _items(indent: str, text: str) -> list[str]:
    """The items of a tuple or a call, one a line."""
    lines: list[str] = []
    for item in split(text.rstrip(","), (", ",)):
        if len(indent) + len(item) + 1 <= WIDTH:
            lines.append(f"{indent}{item},")
        elif _is_bracketed(item):
            inside = item[1:-1]
            is_tuple = inside.endswith(",") or len(split(inside, (", ",))) > 1
            parts = (_items if is_tuple else _broken)(indent + INDENT, inside)
            lines += [f"{indent}(", *parts, f"{indent}),"]
        else:
            lines += _broken(indent, item, ",")
    return lines


def _broken(indent: str, text: str, after: str = "") -> list[str]:
    """An expression that may run over several lines already, broken before its operators."""
    if len(indent) + len(text) + len(after) <= WIDTH:
        return [f"{indent}{text}{after}"]
    if _is_list(text):
        return [f"{indent}[", *_listed(indent + INDENT, text[1:-1]), f"{indent}]{after}"]
    for operators in OPERATORS:
        pieces = split(text, operators)
        if len(pieces) > 1:
            last = [""] * (len(pieces) - 1) + [after]
            return [
                line
                for piece, end in zip(pieces, last, strict=True)
                for line in _broken(indent, piece, end)
            ]
    head, inside, tail = _last_bracket(text)
    if not inside:
        return [f"{indent}{text}{after}"]
    if len(split(inside, (", ",))) > 1:
        return bracketed(f"{indent}{head}", inside, f"{tail}{after}")
    lines = _broken(indent + INDENT, inside)
    return [f"{indent}{head}(", *lines, f"{indent}){tail}{after}"]


def _listed(indent: str, text: str) -> list[str]:
    """The items of a list, or a comprehension."""
    return _items(indent, text) if len(split(text, (", ",))) > 1 else _broken(indent, text)


def _is_list(text: str) -> bool:
    """Whether the whole text stands in one pair of square brackets."""
    if not text.startswith("[") or not text.endswith("]"):
        return False
    depth = 0
    for place, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if not depth:
            return place == len(text) - 1
    return False


def _call(text: str) -> tuple[str, str] | None:
    """Function and arguments of a text that is one call."""
    head, inside, tail = _last_bracket(text)
    if not inside or tail or not head.replace(".", "_").isidentifier():
        return None
    return head, inside


def _last_bracket(text: str) -> tuple[str, str, str]:
    """What stands before, in and after the last outermost parentheses."""
    end = text.rfind(")")
    depth = 0
    for place in range(end, -1, -1):
        depth += (text[place] == ")") - (text[place] == "(")
        if depth == 0:
            return text[:place], text[place + 1 : end], text[end + 1 :]
    return text, "", ""


def _is_bracketed(text: str) -> bool:
    """Whether the whole text stands in one pair of parentheses."""
    head, inside, tail = _last_bracket(text)
    return bool(inside) and not head and not tail


def worded(before: str, words: str) -> list[str]:
    """`before("words")`; what is too long for a line goes over several strings."""
    if len(before) + len(words) + 4 <= WIDTH:
        return [f'{before}("{words}")']
    tied = re.sub(r"(?<![,;]) (?!->)", "\0", words)
    wrapped = textwrap.wrap(tied, WIDTH - len(INDENT) - 3, break_long_words=False)
    pieces = [piece.replace("\0", " ") for piece in wrapped]
    lines = [f'{INDENT}"{piece} "' for piece in pieces[:-1]]
    return [f"{before}(", *lines, f'{INDENT}"{pieces[-1]}"', ")"]
