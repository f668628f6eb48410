"""The local derivatives of an emitted backward pass where it computes what the source has no name
and no place for: what stands in a function that was inlined, or in a derivative that is
differentiated again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sympy

from mgrad.compiler.ir.types import Bundle
from mgrad.compiler.ops.op import TABLE
from mgrad.verbs.formula import number
from mgrad.verbs.spelling import close, digits, text

if TYPE_CHECKING:
    from mgrad.compiler.ir.graph import Graph, Path
    from mgrad.compiler.ir.node import Node
    from mgrad.compiler.schedule.schedule import Line, Routine

LARGEST = 24  # operations that are written out
WIDEST = 60  # characters of an expression that is shown


def nodes_of(line: Line) -> list[Node]:
    """What a line computes; what a loop gives each block, and its results."""
    if line.loop is None:
        return [line.node]
    return [*(one.node for one in line.loop.lines), *(part.node for part in line.loop.parts)]


class Local:
    """The rules of one backward routine, in the names that stand in it."""

    def __init__(self, routine: Routine, graph: Graph) -> None:
        self._routine = routine
        self._notes = graph.notes
        self._alive = set(graph.nodes())
        self._names = {**graph.notes.names, **routine.names}
        self._users: dict[Node, list[Line]] = {}
        for line in routine.lines:
            for operand in self._operands(line):
                self._users.setdefault(operand, []).append(line)

    def _operands(self, line: Line) -> Iterator[Node]:
        """The named values that a line's text holds."""
        stack, seen = [i for node in nodes_of(line) for i in node.inputs], set()
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if node in self._routine.names:
                yield node
            else:
                stack += node.inputs

    def users(self, line: Line) -> list[Line]:
        """The lines that read what a line computes."""
        own = nodes_of(line)
        if isinstance(line.node.type, Bundle):
            own = [n for n in self._routine.names if n.op == "item" and n.inputs[0] is line.node]
        return [user for node in own for user in self._users.get(node, ())]

    def terms(self) -> list[Node]:
        """The terms of the sums that the lines compute."""
        nodes = [node for line in self._routine.lines for node in nodes_of(line)]
        paths = [p for node in nodes for p in self._paths(node)]
        return [p.term for p in paths if p.term in self._alive]

    def _paths(self, node: Node) -> list[Path]:
        """The paths of a gradient that still stand: its value is an operand where they say."""
        forward = self._notes.gradient_of.get(node)
        paths = self._notes.paths.get(node, ())
        return [
            path
            for path in paths
            if len(path.user.inputs) > path.position and path.user.inputs[path.position] is forward
        ]

    def lines(self, node: Node, held: Mapping[Node, Any]) -> Iterator[str]:
        """`∂(a*b)/∂a = b; adds 2`, for each path that meets in a gradient."""
        forward = self._notes.gradient_of.get(node)
        paths = self._paths(node)
        if forward is None or len(paths) < len(self._notes.paths.get(node, ())):
            return
        summed = len(paths) > 1 and all(path.term in held for path in paths)
        summed = summed and close(sum(held[path.term] for path in paths), held[node])
        by = self._short(forward)
        for path in paths:
            rule = self._rule(path, sum(p.user is path.user for p in paths) == 1)
            of = self._short(path.user)
            if by is None or of is None or rule is None:
                continue
            adds = f"; adds {digits(held[path.term])}" if summed else ""
            yield f"      ∂{of}/∂{by} = {rule}{adds}"

    def _rule(self, path: Path, alone: bool) -> str | None:
        """The derivative of an operation by one of its operands; of a power that became x*x by
        both, if its path stands `alone`."""
        user = path.user
        if user.op not in TABLE:
            return None
        operands = [self._spelled(n) for n in user.inputs]
        free = sympy.Dummy("v", real=True)
        moved = {path.position}
        if alone:
            moved.update(i for i, n in enumerate(user.inputs) if n is user.inputs[path.position])
        inside = [free if i in moved else e for i, e in enumerate(operands)]
        if any(e is None for e in operands):
            return None
        formula = TABLE[user.op].sympy(sympy, *inside).diff(free)
        rule = text(formula.subs(free, operands[path.position]))
        return rule if len(rule) <= WIDEST else None

    def _short(self, node: Node) -> str | None:
        """A value by its name, or what it is, if that is short."""
        if node in self._names:
            return self._names[node]
        expression = self._spelled(node)
        if expression is None:
            return None
        written = text(expression)
        return f"({written})" if len(written) <= WIDEST else None

    def _spelled(self, node: Node) -> Any:
        """A value in terms of names; None if that would be long."""
        done: dict[Node, Any] = {}
        stack = [node]
        while stack:
            each = stack[-1]
            if each in done:
                stack.pop()
            elif each in self._names:
                done[each] = sympy.Symbol(self._names[each], real=True)
            elif each.op == "constant":
                done[each] = number(each.value)
            elif each.op == "mark" or each.op in TABLE:
                waiting = [i for i in each.inputs if i not in done]
                if waiting:
                    stack += reversed(waiting)
                    if len(stack) > LARGEST:
                        return None
                    continue
                inputs = [done[i] for i in each.inputs]
                meaning = TABLE[each.op].sympy if each.op in TABLE else None
                done[each] = inputs[0] if meaning is None else meaning(sympy, *inputs)
            else:
                return None
        return done[node]
