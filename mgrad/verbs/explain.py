"""`explain`: the backward pass of a function, line by line, in the terms of its source.

For each line of the emitted backward pass: the statements that read the value whose gradient the
line computes, each with its local derivative as SymPy writes it, and the terms that they add.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrad import files
from mgrad.compiler.ir.types import REAL, Bundle, Type
from mgrad.faults import UsageError
from mgrad.verbs.compile import Number, build, entry, understand, usual
from mgrad.verbs.lines import held
from mgrad.verbs.local import Local
from mgrad.verbs.numbers import bound, is_real, nearest, numbers, underivable
from mgrad.verbs.points import sample_point, sample_sizes
from mgrad.verbs.rules import Rules
from mgrad.verbs.spelling import close, digits
from mgrad.verbs.statements import NAMED, cut, statements

if TYPE_CHECKING:
    from mgrad.compiler.driver import Compiled
    from mgrad.compiler.ir.node import Node
    from mgrad.compiler.schedule.schedule import Line, Routine
    from mgrad.compiler.sema.program import Function, Program, Value
    from mgrad.verbs.statements import Statement


LARGEST = 500  # values in a function; what would take more than that to read helps no one
SIGNS: dict[type[ast.operator], str] = {ast.Add: "+=", ast.Sub: "-="}


def explain(
    path: str | os.PathLike[str],
    name: str,
    *,
    at: Mapping[str, Any] | None = None,
    settings: Mapping[str, Number] | None = None,
) -> str:
    """The explanation as text; without a point, at one in the arguments' domains.

    Raises UsageError if there is no such function, if it has no backward pass, or is too large.
    """
    source = files.read(path)
    compiled = build(source, usual(understand(source, settings)), settings=settings)
    function = entry(compiled.program, name)
    if len(function.values) > LARGEST:
        count = f"{len(function.values):,} values"
        raise UsageError(f"{name} has {count}; an explanation holds at most {LARGEST:,}")
    for routine in compiled.routines:
        if routine.key == function.key and routine.kind == "backward":
            return "\n".join(_Explanation(compiled, function, routine, at).lines())
    raise UsageError(f"{name} has no backward pass: {_why_not(compiled.program, function)}")


def _why_not(program: Program, function: Function) -> str:
    """Why a function has no gradient."""
    if not any(is_real(a.value) for a in function.arguments):
        return "it has no real argument"
    if not any(map(is_real, function.results)):
        return "it has no real result"
    return f"it needs the derivative of {underivable(program, function)}, which is not stated"


class _Explanation:
    """`numbers` are those of the source's values, `held` those of the emitted names."""

    def __init__(
        self,
        compiled: Compiled,
        function: Function,
        routine: Routine,
        at: Mapping[str, Any] | None,
    ) -> None:
        self._function = function
        self._reals = [a.value for a in function.arguments if is_real(a.value)]
        self._routine = routine
        self._notes = compiled.module.graphs[f"{function.key}@joint"].notes
        self._code = _emitted(compiled.text, routine.name)
        self._parts = statements(function)
        self._readers: dict[Value, list[Statement]] = {}
        for part in self._parts:
            for name in part.reads:
                self._readers.setdefault(name, []).append(part)
        self._point = _point(function, at or {})
        given, sizes = bound(function, self._point)
        self._at = dict(zip((a.name for a in function.arguments), given, strict=True))
        self._sizes = {name: n for name, n in sizes.items() if name not in self._at}
        self._items = {
            (node.inputs[0], node.attribute("index")): node
            for node in routine.names
            if node.op == "item"
        }
        candidates = self._candidates()
        inside = [v for found in candidates.values() for v in found if v.form not in NAMED]
        self._owners = {v: part for part in self._parts if not part.closed for v in part.values}
        for value in inside:
            if value in self._owners:
                self._readers[value] = [self._owners[value]]
        self._numbers = numbers(compiled.program, function, self._point, cut(self._parts, inside))
        self._local = Local(routine, compiled.module.graphs[f"{function.key}@joint"])
        self._held = held(
            [*(n for line in routine.lines for n, _ in self._named(line)), *self._local.terms()],
            self._at,
            compiled.module,
            sizes,
        )
        self._rules = Rules(compiled.program, function, self._numbers)
        self._subjects = {
            (node, name): self._subject(name, self._held[node], candidates[node, name])
            for line in routine.lines
            for node, name in self._named(line)
        }
        self._places = self._origins()
        self._gradients = self._seeds()
        for (_, own), values in self._subjects.items():
            if len(values) == 1:
                self._gradients.setdefault(values[0], own)
        self._told: set[Value] = set()

    def _named(self, line: Line) -> Iterator[tuple[Node, str]]:
        """The numbers to which a line gives a name."""
        if line.loop is not None:
            for one in line.loop.lines:
                yield from self._named(one)
            yield from ((part.node, part.name) for part in line.loop.parts)
            return
        several = isinstance(line.node.type, Bundle)
        for index, name in enumerate(line.names):
            node = self._items.get((line.node, index)) if several else line.node
            if node is not None and isinstance(node.type, Type):
                yield node, name

    def _origins(self) -> dict[Line, str]:
        """The place in the source that a line belongs to: its own, or that of a line it serves."""
        span = self._function.span
        places: dict[Line, str] = {}
        for line in reversed(self._routine.lines):
            users = [places[user] for user in self._local.users(line) if user in places]
            own = f"{os.path.basename(span.source.path)}:{span.line}"
            places[line] = line.place or next(iter(users), own)
        return places

    def _seeds(self) -> dict[Value, str]:
        """The results whose gradient is given, by its name."""
        results = [r for r in self._function.results if is_real(r)]
        seeds = [name for name, _ in self._routine.parameters]
        given = zip(results, seeds, strict=True)
        return {v: name for v, name in given if not self._readers.get(v)}

    def _candidates(self) -> dict[tuple[Node, str], list[Value]]:
        """For each name the values that it may be the gradient of, by their places."""
        places: dict[tuple[int, int], list[Value]] = {}
        for value in self._function.values:
            if is_real(value) and value.span.source is self._function.source:
                places.setdefault((value.span.start, value.span.end), []).append(value)
        found: dict[tuple[Node, str], list[Value]] = {}
        named = [pair for line in self._routine.lines for pair in self._named(line)]
        for node, name in named:
            forward = self._notes.gradient_of.get(node)
            spans = self._notes.spans.get(forward, ()) if forward is not None else ()
            own = [
                value
                for span in spans
                if span.source is self._function.source
                for value in places.get((span.start, span.end), ())
            ]
            binds = [v for v in own if v.form in NAMED]
            bound = {v.args[0] for v in binds if v.args}
            found[node, name] = binds + [v for v in own if v.form not in NAMED and v not in bound]
        return found

    def _subject(self, name: str, number: Any, candidates: list[Value]) -> list[Value]:
        """The values whose gradient a name holds: where two expressions of the source became one,
        the number decides whether it is the gradient of one of them or of all."""
        known = self._numbers.gradients
        candidates = [v for v in candidates if v in known and self._readers.get(v)]
        if name in self._routine.gradient_names:
            return [self._reals[self._routine.gradient_names.index(name)]]
        for value in candidates:
            if value.form in NAMED and close(known[value], number):
                return [value]
        shapes = {np.shape(known[v]) for v in candidates}
        if len(shapes) == 1 and close(sum(known[v] for v in candidates), number):
            return candidates
        return next(([v] for v in candidates if close(known[v], number)), [])

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        at = [f"{name} = {digits(_float(value))}" for name, value in self._at.items()]
        yield f"{self._routine.name}, at {', '.join(at)}"
        if self._sizes:
            yield f"  where {', '.join(f'{name} = {size}' for name, size in self._sizes.items())}"
        for line in self._routine.lines:
            yield ""
            yield from self._written(line)
            told: set[str] = set()
            for node, name in self._named(line):
                for text in self._name(line, node, name):
                    if line.loop is None or text not in told:  # the parts of a loop serve the same
                        yield text
                    told.add(text)
        names = zip(self._reals, self._routine.gradients, self._routine.gradient_names, strict=True)
        for value, node, name in names:
            if not name:
                yield ""
                yield f"  the gradient by {value.name} is {self._constant(node)}"
                yield from self._gradient([value], f"d_{value.name}")

    def _written(self, line: Line) -> Iterator[str]:
        """The text of a line; of a loop all that stands in it."""
        loop = line.loop
        if loop is None:
            for code in self._code.get(line.names, [", ".join(line.names)]):
                yield f"  {code}"
            return
        yield f"  for {loop.rows} in blocks({loop.count}, {loop.width}):"
        for names in (*(one.names for one in loop.lines), *((part.name,) for part in loop.parts)):
            yield f"    {self._code.get(names, [', '.join(names)])[-1]}"

    def _constant(self, node: Node) -> str:
        """A gradient that the routine returns without a name for it."""
        known = self._routine.names.get(node)
        if known is not None:
            return known
        return digits(float(node.value)) if node.op == "constant" else str(node.op)

    def _name(self, line: Line, node: Node, name: str) -> Iterator[str]:
        values = self._subjects[node, name]
        if values:
            yield from self._gradient(values, name)
            return
        yield f"      {self._part(line, node)}"
        yield from self._local.lines(node, self._held)
        yield f"      {name}{_shape(node.type)} = {digits(self._held[node])}"

    def _part(self, line: Line, node: Node) -> str:
        """What a line is for that computes no gradient of a value of the source."""
        users = self._local.users(line)
        names = list(dict.fromkeys(name for user in users for name in user.names if name != "_"))
        more = ", …" if len(names) > 4 else ""
        name = self._notes.names.get(node)
        again = "" if name is None else f"the value of {name} again, "
        return f"{again}needed for {', '.join(names[:4])}{more}    {self._places[line]}"

    def _gradient(self, values: list[Value], name: str) -> Iterator[str]:
        """The statements that read a value, and what each adds to its gradient; then the same for
        the values on the way whose gradient no line holds."""
        waiting = [(values, name)]
        while waiting:
            values, name = waiting.pop(0)
            for text, onward in self._sum(values, name):
                yield text
                if onward is not None and onward not in self._told:
                    self._told.add(onward)
                    waiting.append(([onward], ""))

    def _sum(self, values: list[Value], name: str) -> Iterator[tuple[str, Value | None]]:
        """One value: each text with the value on the way that is still to be told of."""
        label = " and ".join(dict.fromkeys(map(self._rules.label, values)))
        pairs = [(part, value) for value in values for part in self._readers.get(value, ())]
        terms: list[Any] = []
        given = [v for v in values if v in self._function.results]
        if not name:
            yield f"      and {self._by(values[0])}, which has no line of its own:", None
        if len(pairs) + len(given) > 1:
            subject = f"{label} reaches" if len(values) == 1 else f"{label}, one value, reach"
            paths = f"the result by {len(pairs) + len(given)} paths, which add:"
            yield f"      {subject} {paths}", None
        for value in given:
            one = "1 each" if value.type != REAL else "1"
            yield (
                f"      {label} is a result, whose gradient {self._seed(value)} is given: {one}",
                None,
            )
            terms.append(np.ones_like(self._numbers.data[value]) if one != "1" else 1.0)
        if not pairs and not given:
            yield f"      no path leads from {label} to the result", None
        for part, value in pairs:
            yield f"      {part.text}    {part.place}", None
            outer = self._numbers.gradients.get(part.end)
            local = self._numbers.partials.get((part.end, value))
            *head, last = self._rules.lines(part, value, local)
            for text in head:
                yield f"        {text}", None
            added = self._numbers.paths.get((part.end, value))
            if added is not None and outer is not None:
                known = part.end in self._gradients
                by = self._gradients[part.end] if known else self._by(part.end)
                terms.append(added)
                yield f"        {last}", None
                gives = f"with {by} = {digits(outer)} this adds {digits(added)}"
                yield f"        {gives}", None if known else part.end
                continue
            if local is None or outer is None:
                yield f"        {last}", None
                continue
            known = part.end in self._gradients
            by = self._gradients[part.end] if known else self._by(part.end)
            terms.append(0.0 if outer == 0 else outer * local)
            gives = f"times {by} = {digits(outer)} gives {digits(terms[-1])}"
            yield f"        {last}; {gives}", None if known else part.end
        total = sum(self._numbers.gradients.get(value, 0.0) for value in values)
        left = name or self._by(values[0])
        several = len(terms) > 1 and not any(map(np.ndim, terms))
        sum_ = f"{' + '.join(map(digits, terms))} = " if several else ""
        shape = _shape(values[0].type)
        yield f"      {left}{shape} = {sum_.replace('+ -', '- ')}{digits(total)}", None

    def _by(self, value: Value) -> str:
        """The derivative of the result by a value, as mathematics."""
        results = [self._rules.label(r) for r in self._function.results if is_real(r)]
        whole = results[0] if len(results) == 1 else f"({' + '.join(results)})"
        if any(is_real(r) and r.type != REAL for r in self._function.results):
            whole = f"(the sum of {whole})"
        return f"∂{whole}/∂{self._rules.label(value)}"

    def _seed(self, value: Value) -> str:
        results = [r for r in self._function.results if is_real(r)]
        return self._routine.parameters[results.index(value)][0]


def _point(function: Function, given: Mapping[str, Any]) -> dict[str, Any]:
    """The point that is given; what it leaves out has values of the sizes that it has."""
    sizes = {
        str(dim): size
        for argument in function.arguments
        if argument.name in given
        for dim, size in zip(argument.type.shape, np.shape(given[argument.name]), strict=False)
    }
    return sample_point(function, sample_sizes(function, sizes)) | dict(given)


def _float(value: Any) -> Any:
    """A number as a float, unless it is an array of ints."""
    return value if np.ndim(value) else nearest(value)


def _shape(type: object) -> str:
    """`: [N, D]` behind the name of an array."""
    return f": {type}" if isinstance(type, Type) and type.shape else ""


def _emitted(text: str, routine: str) -> dict[tuple[str, ...], list[str]]:
    """The statements of a routine of the emitted text, by the names that they assign or add to."""
    found: dict[tuple[str, ...], list[str]] = {}
    lines = text.encode().split(b"\n")
    for definition in ast.parse(text).body:
        if not isinstance(definition, ast.FunctionDef) or definition.name != routine:
            continue
        for node in ast.walk(definition):
            if isinstance(node, ast.Assign | ast.AugAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                names = [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
                if isinstance(target, ast.Subscript):  # the rows of a result
                    names = names[:1]
                sign = SIGNS[type(node.op)] if isinstance(node, ast.AugAssign) else "="
                code = f"{_written(target, lines)} {sign} {_written(node.value, lines)}"
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                place = node.value.args[0]
                names = [place.id] if isinstance(place, ast.Name) else []
                code = _written(node.value, lines)
            else:
                continue
            found.setdefault(tuple(names), []).append(code)
    return found


def _written(node: ast.expr, lines: list[bytes]) -> str:
    """An expression of a text as one line, without the parentheses that let it span several."""
    assert node.end_lineno is not None
    rows = lines[node.lineno - 1 : node.end_lineno]
    rows[-1] = rows[-1][: node.end_col_offset]
    rows[0] = rows[0][node.col_offset :]
    code = " ".join(b" ".join(rows).decode().split())
    return code.replace("( ", "(").replace(" )", ")")
