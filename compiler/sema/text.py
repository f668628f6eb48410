"""The typed program and the tree as text: what `--stage typed` and `--stage ast` show."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from mgrad.compiler.ir.types import Dim
from mgrad.compiler.sema.program import Extern, Function, Program, Value
from mgrad.compiler.source import Span
from mgrad.compiler.syntax import ast


def show(program: Program) -> str:
    """Every function with its values numbered, then externs, stated derivatives and tests."""
    parts = [_extern(e) for e in program.externs.values()]
    for function in program.functions.values():
        parts.append(_function("fn", function))
        if function.key in program.derivatives:
            parts.append(_function("derivative", program.derivatives[function.key]))
    for key in program.externs:
        if key in program.derivatives:
            parts.append(_function("derivative", program.derivatives[key]))
    for test in program.tests:
        parts.append(_function("test", test.left))
        parts.append(_function(test.relation, test.right))
    return "\n\n".join(parts) + "\n"


def _extern(extern: Extern) -> str:
    head = ", ".join(f"{a.name}: {a.type}" for a in extern.arguments)
    return f'extern {extern.key}({head}) -> {extern.result} = "{extern.module}.{extern.attribute}"'


def _function(word: str, function: Function) -> str:
    numbers = {value: f"%{index}" for index, value in enumerate(function.values)}
    head = ", ".join(
        f"{a.name}: {a.type}"
        + (f" = {_number(a.default)}" if a.default is not None else "")
        + (f" in {a.domain}" if a.domain is not None else "")
        for a in function.arguments
    )
    results = ", ".join(str(r.type) for r in function.results)
    lines = [f"{word} {function.key}({head}) -> {results}"]
    for value in function.values:
        lines += _value(value, numbers, "  ")
    returned = ", ".join(numbers[r] for r in function.results)
    lines.append(f"  return {returned}")
    return "\n".join(lines)


def _value(value: Value, numbers: dict[Value, str], indent: str) -> list[str]:
    """A value in a line; the body of an `each` in lines of its own below it."""
    parts = [value.form]
    if value.name is not None:
        parts.append(f"'{value.name}'")
    parts += [numbers[a] for a in value.args]
    head = f"{indent}{numbers[value]}: {value.type} = "
    if value.form != "each":
        parts += [f"{key}={_attribute(item)}" for key, item in value.attributes]
        return [head + " ".join(parts)]
    attributes: dict[str, Any] = dict(value.attributes)
    for position, part in enumerate(attributes["body"]):
        numbers[part] = f"{numbers[value]}.{position}"
    ranges = (
        f"{i.value.name} in {_bound(i.start, numbers)}..{_bound(i.stop, numbers)}"
        for i in attributes["indices"]
    )
    reduced = f"{attributes['reduction']} " if attributes["reduction"] is not None else ""
    lines = [f"{head}{' '.join(parts)}: {reduced}for {', '.join(ranges)}"]
    for part in attributes["body"]:
        lines += _value(part, numbers, f"{indent}  ")
    return [*lines, f"{indent}  of {numbers[attributes['result']]}"]


def _bound(bound: Dim | Value, numbers: dict[Value, str]) -> str:
    return numbers[bound] if isinstance(bound, Value) else str(bound)


def _attribute(item: object) -> str:
    """A part of a form: sizes as they are written, tuples in parentheses."""
    if isinstance(item, tuple):
        return f"({', '.join(map(_attribute, item))}{',' if len(item) == 1 else ''})"
    return str(item) if isinstance(item, Dim) else _number(item)


def _number(item: object) -> str:
    if isinstance(item, bool):
        return str(item).lower()
    return str(item) if isinstance(item, Fraction | int | float | str) else repr(item)


def show_tree(file: ast.File) -> str:
    """The tree of a file, one node a line, indented by depth."""
    lines: list[str] = []
    stack: list[tuple[Any, str, int]] = [(d, "", 0) for d in reversed(file.definitions)]
    while stack:
        node, label, depth = stack.pop()
        if isinstance(node, tuple):
            stack += [(item, label, depth) for item in reversed(node)]
            continue
        scalars: list[str] = []
        children: list[tuple[Any, str, int]] = []
        for field in node.__slots__:
            item = getattr(node, field)
            if isinstance(item, Span) or item is None or item == ():
                continue
            is_text = isinstance(item, tuple) and isinstance(item[0], str)
            if not is_text and (isinstance(item, tuple) or hasattr(item, "__dataclass_fields__")):
                children.append((item, f"{field}: ", depth + 1))
            else:
                scalars.append(f"{field}={_number(item)}")
        lines.append("  " * depth + label + " ".join([type(node).__name__, *scalars]))
        stack += reversed(children)
    return "\n".join(lines) + "\n"
