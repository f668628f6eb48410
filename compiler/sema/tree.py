"""Names that stand in a piece of the tree, found without recursion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax import ast

if TYPE_CHECKING:
    from mgrad.compiler.sema.body import Body

_LEAVES = (str, int, float, bool, Span, Source)


def nodes(root: Any) -> Iterator[Any]:
    """Every node of the tree under `root`, and it, in the order of the text."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.__class__ is tuple:
            stack.extend(reversed(node))
        elif node is not None and hasattr(node, "__dataclass_fields__"):
            yield node
            for field in reversed(node.__slots__):
                child = getattr(node, field)
                if not isinstance(child, _LEAVES):
                    stack.append(child)


def mark_used(body: Body, root: Any) -> None:
    """What is not checked any further still uses its names."""
    for node in nodes(root):
        if isinstance(node, ast.Name):
            local = body.locals.get(node.id)
            if local is not None:
                local.used = True
            elif node.id in body.scope.entries:
                body.scope.entries[node.id].used = True


def assigned(root: Any) -> Iterator[ast.Name]:
    """The names that statements under `root` give a value to."""
    for node in nodes(root):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target


def value_names(root: ast.Expression) -> Iterator[ast.Name]:
    """The names that stand for values: not those that are called, primed or piped into."""
    called: set[int] = set()
    for node in nodes(root):
        if isinstance(node, ast.Call):
            called.add(id(node.callee))
        elif isinstance(node, ast.Prime):
            called.add(id(node.base))
        elif isinstance(node, ast.Pipe):
            called.update(id(stage) for stage in node.stages)
        elif isinstance(node, ast.Name) and id(node) not in called:
            yield node
