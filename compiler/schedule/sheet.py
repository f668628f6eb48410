"""One routine on its way from a graph: its scope, and the writer of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mgrad.compiler.ir.graph import Graph, topological
from mgrad.compiler.ir.module import Module, Signature
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import INT, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes import large
from mgrad.compiler.schedule import docs, sizes
from mgrad.compiler.schedule.buffers import plan
from mgrad.compiler.schedule.constants import real
from mgrad.compiler.schedule.functions import Functions
from mgrad.compiler.schedule.joint import is_real, reals
from mgrad.compiler.schedule.lines import Writer
from mgrad.compiler.schedule.names import Names, gradient_name, imported, printable
from mgrad.compiler.schedule.reuse import LONG, reuse, used_once
from mgrad.compiler.schedule.rules import noted
from mgrad.compiler.schedule.schedule import Buffer, Kind, LineRole, Routine


@dataclass(frozen=True, slots=True)
class Subject:
    """The function that a routine belongs to."""

    module: Module
    functions: Functions
    key: str
    target: str
    is_planned: bool = False  # whether arrays are written into planned memory

    @property
    def work(self) -> str:
        """The name of the workspace, if there is one."""
        return self.functions.work(self.key) if self.is_planned else ""

    @property
    def graph(self) -> Graph:
        return self.module.graphs[self.key]

    @property
    def signature(self) -> Signature:
        return self.module.signatures.get(self.key) or Signature((), ())

    @property
    def is_entry(self) -> bool:
        return self.functions.is_entry(self.key)


class Sheet:
    """`sourced` are the names that the forward half of the function gave already."""

    def __init__(
        self,
        subject: Subject,
        graph: Graph,
        parameters: tuple[Node, ...] | None = None,
        sourced: Mapping[Node, str] | None = None,
    ) -> None:
        self.subject = subject
        self.graph = graph
        self.parameters = graph.parameters if parameters is None else parameters
        self.order = graph.nodes()
        self.place = {node: i for i, node in enumerate(self.order)}
        self.rank = self._ranks()
        functions = subject.functions
        keys = [str(n.attribute("callee")) for n in self.order if n.op == "call"]
        self.callees = {key: functions.name(key) for key in dict.fromkeys(keys)}
        self.blocked = {*self.callees.values(), *self._own_names()}
        self.sourced = dict(self._sourced() if sourced is None else sourced)
        # made-up names give way to the user's, to functions and to what may be imported
        self.scope = Names({*self.sourced.values(), *self.blocked, *imported()})
        self.scope.set_aside(self.sourced.values())
        if subject.work:
            self.scope.reserve([subject.work])
        self.thin = sizes.Thin()
        self.dims = {d: self.scope.give(_size_name(d)) for d in self._dimensions()}
        for parameter in graph.parameters:
            if parameter.type == INT and str(parameter.attribute("name")) in self.dims:
                name = str(parameter.attribute("name"))
                self.dims[name] = self.sourced.get(parameter, self.dims[name])
        self.own: dict[Node, str] = {}  # argument -> the name of its gradient
        self.writer = Writer(
            subject.target,
            graph.notes,
            self.scope,
            self.callees,
            functions.item,
            functions.constants,
            self._users(),
        )
        self.writer.names_results = bool(subject.work)
        values = graph.results[: graph.split]
        is_value = graph.split is not None or graph is subject.graph
        self.writer.value = values[0] if len(values) == 1 and is_value else None
        if subject.target != "python" and self.dims:
            self.writer.large = large.of(graph)
        for parameter in self.parameters:
            if parameter in self.sourced:
                self.writer.names[parameter] = self.sourced[parameter]

    def _dimensions(self) -> list[str]:
        """The names of dimensions in the function's graph."""
        found: dict[str, None] = {}
        for node in self.order:
            if isinstance(node.type, Type) and node.type.shape:
                found.update(dict.fromkeys(n for d in node.type.shape for n in sorted(d.names)))
            found.update(dict.fromkeys(n for d in sizes.of_text(node) for n in sorted(d.names)))
        return list(found)

    def measures(
        self,
        arrays: Sequence[tuple[str, Node]],
        results: Sequence[Node],
        buffers: Sequence[Buffer] = (),
    ) -> tuple[str, ...]:
        """Statements that name the sizes that the lines, the results and buffers mention."""
        if not self.dims:
            return ()
        is_nested = self.subject.target == "python"
        wanted = sizes.mentioned(self.writer.written, results, self.thin, is_nested)
        for buffer in buffers:
            found = [*buffer.shape, *([] if buffer.start is None else [buffer.start])]
            wanted += sorted({n for d in found for n in d.names} - {*wanted})
        for loop in self.writer.loops:
            found = [loop.count, loop.width, *(d for p in loop.parts for d in p.node.array.shape)]
            wanted += sorted({n for d in found for n in d.names} - {*wanted})
        given = {
            str(n.attribute("name")) for _, n in arrays if n.type == INT and n.op == "parameter"
        }
        given |= {str(n.attribute("dim")) for _, n in arrays if n.op == "size"}
        wanted = [d for d in wanted if d not in given]
        if is_nested:
            return tuple(sizes.nested_lines(wanted, arrays, self.dims))
        told = [(name, node) for name, node in arrays if not self.thin(node)]
        return tuple(sizes.lines(wanted, told, self.dims))

    def _users(self) -> dict[Node, Node]:
        users: dict[Node, Node] = {}
        for node in self.order:
            for operand in node.inputs:
                users.setdefault(operand, node)
        return users

    def _own_names(self) -> set[str]:
        """The names that the routines of this function go by: their doors use them."""
        functions, key = self.subject.functions, self.subject.key
        if not self.subject.is_entry:
            return set()
        keys = [key, *(f"{key}@{half}" for half in ("forward", "backward", "value_and_grad"))]
        return {functions.name(k) for k in keys}

    def _sourced(self) -> dict[Node, str]:
        """The source's names: a second binding of `c` is `c_2`."""
        notes = self.graph.notes
        named = {p: str(p.attribute("name")) for p in self.graph.parameters}
        for seed in self.graph.seeds:
            del named[seed]
        if len(self.graph.parameters) > len(self.subject.graph.parameters) and not self.graph.seeds:
            for parameter in self.graph.parameters[len(self.subject.graph.parameters) :]:
                del named[parameter]  # a tangent
        rest = [n for n in notes.names if n in self.place and n.op not in ("parameter", "constant")]
        for node in sorted(rest, key=self.rank.__getitem__):
            named[node] = notes.names[node]
        names = Names(self.blocked)
        # an argument is passed by name: it may hide the function itself, not one that is called
        arguments = {printable(str(p.attribute("name"))) for p in self.subject.graph.parameters}
        blocked = self.blocked - (arguments - set(self.callees.values()))
        firsts = {printable(name) for name in named.values()} - blocked
        names.reserve(firsts)
        found: dict[Node, str] = {}
        for node, name in named.items():
            base = printable(name)
            if base in firsts:
                firsts.remove(base)
                found[node] = base
            else:
                found[node] = names.give(base)
        return found

    def _ranks(self) -> dict[Node, tuple[int, int]]:
        """The order of the source for every value; what stands nowhere in it follows its inputs."""
        spans = self.graph.notes.spans
        ranks: dict[Node, tuple[int, int]] = {}
        for place, node in enumerate(self.order):
            own = spans.get(node)
            inherited = () if own else [ranks[i][0] for i in node.inputs]
            ranks[node] = (own[0].start if own else max(inherited, default=0), place)
        return ranks

    def sources(self, results: Iterable[Node]) -> list[Node]:
        """The named values that the results need, in the order of the source."""
        reached = topological(results)
        named = [n for n in reached if n in self.sourced and n not in self.writer.names]
        named.sort(key=self.rank.__getitem__)
        for node in named:
            self.writer.planned[node] = self.sourced[node]
        return named

    def adjoints(self, gradients: Sequence[Node], targets: Sequence[Node]) -> list[Node]:
        """The gradients of named values, from the last value to the first; then those of the
        arguments in their order."""
        writer, notes = self.writer, self.graph.notes
        found: list[tuple[tuple[int, int], Node]] = []
        reached = writer.reach(gradients)
        once = used_once(reached, gradients) if len(self.sourced) > LONG else frozenset()
        last = dict.fromkeys(gradients)
        whole = {f: n for n in reached if (f := notes.gradient_of.get(n)) is not None}
        for node in reached:
            forward = notes.gradient_of.get(node)
            if forward is None or node.op == "constant" or node in writer.names:
                continue
            if node in writer.values or forward.op == "parameter":
                continue
            if node not in last:
                found.append((self.rank.get(forward, (-1, -1)), node))
            if forward in self.sourced and node not in once and node not in writer.planned:
                self._plan(node, self.sourced[forward], is_part=whole[forward] is not node)
        found.sort(key=lambda pair: pair[0], reverse=True)
        roots = [node for _, node in found]
        for node, target in zip(gradients, targets, strict=True):
            free = node not in writer.names and node not in writer.planned
            if node.op != "constant":
                roots.append(node)
                if free and node not in writer.values:
                    self._plan(node, self.sourced[target])
                    self.own[target] = self.writer.planned[node]
        return roots

    def forward_half(self, values: Iterable[Node]) -> None:
        """Says which values are those of the forward pass. Gradients among them belong to the
        function itself, which is a derivative: `d_n` is theirs."""
        told, inner = self.graph.notes.gradient_of, self.subject.graph.notes.gradient_of
        of = set(inner.values())
        self.writer.values = forward = dict.fromkeys(topological(values))
        found = {n: inner.get(n) or told.get(n) for n in forward}
        self.writer.inner = {n: f for n, f in found.items() if f in of and f is not None}
        names = [self.sourced[f] for f in self.writer.inner.values() if f in self.sourced]
        self.scope.set_aside(f"d_{name}" for name in names)

    def recomputed(self, values: Iterable[Node]) -> None:
        """Values of the source that this half computes again have their names there too."""
        for node in values:
            if node in self.sourced and node not in self.writer.names:
                self.writer.planned[node] = self.sourced[node]
                self.writer.planned_roles[node] = "temporary"

    def tangents(self, results: Sequence[Node]) -> list[Node]:
        """Named values and their tangents, in the order of the source."""
        values = self.sources(results)
        tangent_of = self.graph.notes.tangent_of
        moved: dict[Node, list[Node]] = {}
        for node in topological(results):
            forward = tangent_of.get(node)
            if forward in self.sourced and node.op != "constant" and node not in self.writer.names:
                assert forward is not None
                moved.setdefault(forward, []).append(node)
                if node not in self.writer.planned:
                    self._plan(node, self.sourced[forward], "tangent")
        return [n for v in values for n in (v, *moved.get(v, ()))]

    def _plan(
        self, node: Node, of: str, role: LineRole = "gradient", is_part: bool = False
    ) -> None:
        """A name for the gradient or tangent of a value: `d_c`; a part of it is `d_c_part`."""
        self.writer.planned[node] = gradient_name(f"{of}_part" if is_part else of, self.scope)
        self.writer.planned_roles[node] = role

    def seeds(self, seeds: Sequence[Node], values: Sequence[Node]) -> tuple[str, ...]:
        """Names the seeds; gives the names of the arguments (saved, grad)."""
        saved = self.scope.give("saved")
        if len(seeds) == 1:
            self.writer.names[seeds[0]] = grad = self.scope.give("grad")
            return saved, grad
        real_values = [v for v in values if is_real(v)]
        for k, (seed, value) in enumerate(zip(seeds, real_values, strict=True), 1):
            of = self.sourced.get(value, str(k)) if value.op != "parameter" else str(k)
            self.writer.names[seed] = self.scope.give(f"grad_{of}")
        return saved, self.scope.give("grad" if "grad" not in self.scope else "grads")

    def aliases(
        self, values: Sequence[Node], gradients: Sequence[Node], targets: Sequence[Node]
    ) -> tuple[str, ...]:
        """A name for each gradient: `d_b = d_n` where it is the gradient of another value too."""
        names: list[str] = []
        users: dict[Node, list[Node]] = {}
        for user in topological(values):
            for operand in user.inputs:
                users.setdefault(operand, []).append(user)
        later = set(self.own.values())
        for node, target in zip(gradients, targets, strict=True):
            if node.op == "constant":
                names.append("")
                continue
            name = self.own.get(target)
            if name is None:
                name = gradient_name(self.sourced[target], self.scope)
                self.writer.alias(name, node, users.get(target, ()), later)
            later.discard(name)
            names.append(name)
        return tuple(names)

    def routine(
        self,
        kind: Kind,
        key: str,
        *,
        values: tuple[Node, ...] = (),
        gradients: tuple[Node, ...] = (),
        saved: tuple[str, ...] = (),
        names: tuple[str, ...] = (),
        packed: tuple[str, ...] = (),
        tangents: tuple[str, ...] = (),
        rows: int = 0,
        kept: Sequence[tuple[str, Node]] = (),
        handed: Sequence[Node] = (),
    ) -> Routine:
        """`kept` are what a backward pass is given beside the cotangents, `handed` what a forward
        pass saves."""
        subject, writer = self.subject, self.writer
        lines = noted(writer.lines, self._backward())
        outcome = (*values, *gradients)
        given = [*kept, *((writer.names[p], p) for p in self.parameters)]
        returned = ("",) * len(values) + (names or ("",) * len(gradients))
        buffers: tuple[Buffer, ...] = ()
        temporaries: Mapping[Node, str] = {}
        if subject.work:
            results = self._results(values, gradients, returned)
            planned = plan(lines, writer.names, results, handed, self.scope.give)
            lines, returned, buffers = planned.lines, planned.returned, planned.buffers
            temporaries = planned.names
        elif not saved:
            lines = reuse(lines, writer, outcome)
        called = {str(n.attribute("callee")) for n in writer.written if n.op == "call"}
        callees = {k: name for k, name in self.callees.items() if k in called}
        externs = {
            k: extern
            for k in callees
            if (s := subject.module.signatures.get(k)) is not None
            and (extern := s.extern) is not None
        }
        arguments = [p for p in self.graph.parameters if p in self.sourced]
        doc = docs.docstring(
            kind,
            subject.key,
            subject.signature,
            subject.functions.name(subject.key),
            [self.sourced[p] for p in arguments if is_real(p)],
            len(subject.graph.results),
        )
        return Routine(
            name=subject.functions.name(key),
            kind=kind,
            key=subject.key if kind != "internal" else key,
            doc=doc,
            parameters=tuple((writer.names[p], p) for p in self.parameters),
            defaults=self._defaults(kind),
            saved=saved,
            lines=tuple(lines),
            names=writer.names,
            values=values,
            gradients=gradients,
            value_names=returned[: len(values)],
            gradient_names=returned[len(values) :],
            packed=packed,
            sizes=self.dims,
            measures=self.measures(given, outcome, buffers),
            signature=docs.door(subject.signature) if subject.is_entry else "",
            constants=writer.constants,
            callees=callees,
            externs=externs,
            doors=frozenset(k for k in callees if subject.functions.is_entry(k)),
            shaped=frozenset(k for k in callees if subject.functions.is_shaped(k)),
            tangents=tangents,
            rows=rows,
            is_entry=subject.is_entry,
            work=subject.work,
            works={k: subject.functions.work(k) for k in callees if k not in externs}
            if subject.is_planned
            else {},
            buffers=buffers,
            temporaries=temporaries,
            like=_like(given) if buffers else (),
            may_raise=any(self._may_raise(n) for n in writer.written),
        )

    def _results(
        self, values: Sequence[Node], gradients: Sequence[Node], returned: Sequence[str]
    ) -> list[tuple[Node, str, str]]:
        """The results of a routine, the names under which they are returned so far, and names for
        copies of them."""
        writer = self.writer
        titles = ["value"] * len(values)
        targets = reals(self.graph.parameters)
        targets = [p for p in targets if p in self.sourced]
        if len(gradients) == len(targets):
            titles += [f"d_{self.sourced[p]}" for p in targets]
        titles += ["derivative"] * (len(values) + len(gradients) - len(titles))
        return [
            (node, name or writer.names.get(node, ""), title)
            for node, name, title in zip((*values, *gradients), returned, titles, strict=True)
        ]

    def _backward(self) -> set[Node]:
        """What depends on a gradient: the way back."""
        gradient_of = self.graph.notes.gradient_of
        found = {n for n in self.order if n in gradient_of and n not in self.writer.values}
        found.update(self.writer.inner)
        for node in self.order:
            if not found.isdisjoint(node.inputs):
                found.add(node)
        return found

    def _may_raise(self, node: Node) -> bool:
        if node.op == "call":
            return not self.subject.functions.is_entry(str(node.attribute("callee")))
        entry = TABLE.get(node.op)
        if entry is None or not entry.raises:
            return False
        divisor = node.inputs[1] if node.op == "div" else None
        return divisor is None or divisor.op != "constant" or divisor.value == 0

    def _defaults(self, kind: Kind) -> dict[str, str]:
        if kind == "backward":
            seeds = self.graph.seeds
            is_one = len(seeds) == 1 and not seeds[0].array.shape
            return {self.writer.names[seeds[0]]: "1.0"} if is_one else {}
        if kind in ("jvp", "internal"):
            return {}
        defaults: dict[str, str] = {}
        for (name, type), parameter in zip(
            self.subject.signature.parameters, self.parameters, strict=False
        ):
            value = self.subject.signature.defaults.get(name)
            if value is None:
                continue
            if isinstance(value, bool | float):
                text = repr(value)
            elif type.dtype == "real":
                text = real(value, False)
            else:
                text = str(value)
            defaults[self.writer.names[parameter]] = text
        return defaults


def _like(given: Sequence[tuple[str, Node]]) -> tuple[str, ...]:
    """What tells the dtype of a call: an array of reals, or else all the real numbers."""
    real = [
        (name, n.type) for name, n in given if isinstance(n.type, Type) and n.type.dtype == "real"
    ]
    arrays = [name for name, kind in real if kind.shape]
    return tuple(arrays[:1] or [name for name, _ in real])


def _size_name(dimension: str) -> str:
    """The name of a size in the text; `..` are the leading axes, folded into one."""
    return "leading" if dimension == ".." else printable(dimension)
