"""The typed program and the tree as text: what `--stage typed` and `--stage ast` show."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

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
    numbers = {value: index for index, value in enumerate(function.values)}
    head = ", ".join(
        f"{a.name}: {a.type}"
        + (f" = {_number(a.default)}" if a.default is not None else "")
        + (f" in {a.domain}" if a.domain is not None else "")
        for a in function.arguments
    )
    results = ", ".join(str(r.type) for r in function.results)
    lines = [f"{word} {function.key}({head}) -> {results}"]
    lines += [f"  {_value(value, numbers)}" for value in function.values]
    returned = ", ".join(f"%{numbers[r]}" for r in function.results)
    lines.append(f"  return {returned}")
    return "\n".join(lines)


def _value(value: Value, numbers: dict[Value, int]) -> str:
    parts = [value.form]
    if value.name is not None:
        parts.append(f"'{value.name}'")
    parts += [f"%{numbers[a]}" for a in value.args]
    parts += [f"{key}={_number(item)}" for key, item in value.attributes]
    return f"%{numbers[value]}: {value.type} = {' '.join(parts)}"


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
