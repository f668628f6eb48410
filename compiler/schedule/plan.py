"""From optimised graphs to the routines of a module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from mgrad.compiler.ir.graph import Graph, topological
from mgrad.compiler.ir.module import Module, Signature
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes.save import cut
from mgrad.compiler.schedule import docs
from mgrad.compiler.schedule.constants import real
from mgrad.compiler.schedule.functions import Functions
from mgrad.compiler.schedule.joint import is_real, reals
from mgrad.compiler.schedule.lines import Writer
from mgrad.compiler.schedule.names import Names, imported, printable
from mgrad.compiler.schedule.schedule import Kind, Routine

Role = Literal["value", "gradient", "tangent"]


class Options(Protocol):
    """What planning reads of the user's choices."""

    @property
    def target(self) -> str: ...


def plan(module: Module, entries: Sequence[str], options: Options) -> tuple[Routine, ...]:
    """The routines of a module: those of the entry points in their order, then what they call.

    The module holds, optimised, the graphs that `schedule.joint.joints` adds.
    """
    functions = Functions(module, entries)
    routines: list[Routine] = []
    for key in entries:
        routines += _Planner(module, functions, key, options.target).entry()
    done = {r.key for r in routines}
    waiting = _calls(routines, module)
    while waiting:
        key = waiting.pop(0)
        if key in done or functions.is_entry(key):
            continue
        done.add(key)
        origin, _, half = key.rpartition("@")
        if half in ("forward", "backward"):
            done |= {f"{origin}@forward", f"{origin}@backward"}
            made = _Planner(module, functions, origin, options.target).passes()
        else:
            made = [_Planner(module, functions, key, options.target).value()]
        routines += made
        waiting += _calls(made, module)
    return tuple(routines)


def _calls(routines: Iterable[Routine], module: Module) -> list[str]:
    """The keys of the functions that routines call; Python's own are not printed."""
    return [
        key
        for routine in routines
        for key in routine.callees
        if key not in module.signatures or module.signatures[key].extern is None
    ]


class _Planner:
    """The routines of one function of the module."""

    def __init__(self, module: Module, functions: Functions, key: str, target: str) -> None:
        self.module = module
        self.functions = functions
        self.key = key
        self.target = target
        self.graph = module.graphs[key]
        self.signature = module.signatures.get(key) or Signature((), ())
        self.is_entry = functions.is_entry(key)

    def entry(self) -> list[Routine]:
        made = [self.value()]
        graphs = self.module.graphs
        if f"{self.key}@joint" in graphs:
            made += self.passes()
        if f"{self.key}@value_and_grad" in graphs:
            made.append(self.value_and_grad())
        if f"{self.key}@jvp" in graphs:
            made.append(self.jvp())
        for kind in ("jacobian", "hessian"):
            if f"{self.key}@{kind}" in graphs:
                made.append(self.matrix(kind))
        return made

    def value(self) -> Routine:
        graph = self.graph
        sheet = _Sheet(self, graph)
        roots = sheet.sources(graph.results)
        sheet.writer.write(roots, graph.results, ())
        kind: Kind = "value" if self.is_entry else "internal"
        is_tuple = self.key.endswith("@vjp")
        return sheet.routine(
            kind,
            self.key,
            values=() if is_tuple else graph.results,
            gradients=graph.results if is_tuple else (),
        )

    def passes(self) -> list[Routine]:
        """f_forward and f_backward."""
        graph = self.module.graphs[f"{self.key}@joint"]
        assert graph.split is not None
        values, gradients = graph.results[: graph.split], graph.results[graph.split :]
        halves = cut(graph)
        seeds = set(graph.seeds)
        arguments = tuple(p for p in graph.parameters if p not in seeds)
        front = _Sheet(self, graph, arguments)
        wanted = (*values, *halves.saved)
        front.writer.write(front.sources(wanted), wanted, halves.saved)
        saved = tuple(front.writer.names[node] for node in halves.saved)
        forward = front.routine("forward", f"{self.key}@forward", values=values, saved=saved)

        back = _Sheet(self, graph, graph.seeds, front.sourced)
        for node, name in zip(halves.saved, saved, strict=True):
            back.writer.names[node] = name
            back.scope.reserve([name])
        packed = back.seeds(graph.seeds, values)
        targets = reals(arguments)
        roots = back.adjoints(gradients, targets)
        back.writer.write(roots, gradients, ())
        backward = back.routine(
            "backward",
            f"{self.key}@backward",
            gradients=gradients,
            saved=saved,
            names=back.aliases(gradients, targets),
            packed=packed,
        )
        return [forward, backward]

    def value_and_grad(self) -> Routine:
        graph = self.module.graphs[f"{self.key}@value_and_grad"]
        value, gradients = graph.results[:1], graph.results[1:]
        sheet = _Sheet(self, graph)
        front = sheet.sources(value)
        roots = [*front, *value, *sheet.adjoints(gradients, reals(graph.parameters))]
        sheet.writer.write(roots, graph.results, ())
        return sheet.routine(
            "value_and_grad",
            f"{self.key}@value_and_grad",
            values=value,
            gradients=gradients,
        )

    def jvp(self) -> Routine:
        graph = self.module.graphs[f"{self.key}@jvp"]
        assert graph.split is not None
        values, tangents = graph.results[: graph.split], graph.results[graph.split :]
        count = len(self.graph.parameters)
        sheet = _Sheet(self, graph, graph.parameters[:count])
        for node, of in zip(graph.parameters[count:], reals(graph.parameters[:count]), strict=True):
            sheet.writer.names[node] = sheet.scope.give(f"d_{sheet.sourced[of]}")
        packed = (sheet.scope.give("at"), sheet.scope.give("along"))
        roots = sheet.tangents(graph.results)
        sheet.writer.write(roots, graph.results, ())
        return sheet.routine(
            "jvp",
            f"{self.key}@jvp",
            values=values,
            gradients=tangents,
            packed=packed,
            tangents=tuple(sheet.writer.names[p] for p in graph.parameters[count:]),
        )

    def matrix(self, kind: Literal["jacobian", "hessian"]) -> Routine:
        graph = self.module.graphs[f"{self.key}@{kind}"]
        sheet = _Sheet(self, graph)
        sheet.writer.write(sheet.sources(graph.results), graph.results, ())
        rows = len(graph.results) // len(reals(graph.parameters))
        return sheet.routine(kind, f"{self.key}@{kind}", gradients=graph.results, rows=rows)


class _Sheet:
    """One routine on its way: its scope, and the writer of its lines."""

    def __init__(
        self,
        planner: _Planner,
        graph: Graph,
        parameters: tuple[Node, ...] | None = None,
        sourced: Mapping[Node, str] | None = None,
    ) -> None:
        self.planner = planner
        self.graph = graph
        self.parameters = graph.parameters if parameters is None else parameters
        self.order = graph.nodes()
        self.place = {node: i for i, node in enumerate(self.order)}
        functions = planner.functions
        keys = [str(n.attribute("callee")) for n in self.order if n.op == "call"]
        self.callees = {key: functions.name(key) for key in dict.fromkeys(keys)}
        self.blocked = {*self.callees.values(), *self._own_names()}
        self.sourced = dict(self._sourced() if sourced is None else sourced)
        # made-up names give way to the user's, to functions and to what may be imported
        self.scope = Names({*self.sourced.values(), *self.blocked, *imported()})
        self.own: dict[Node, str] = {}  # argument -> the name of its gradient
        self.writer = Writer(planner.target, graph.notes, self.scope, self.callees)
        for parameter in self.parameters:
            if parameter in self.sourced:
                self.writer.names[parameter] = self.sourced[parameter]

    def _own_names(self) -> set[str]:
        """The names that the routines of this function go by: their doors use them."""
        functions, key = self.planner.functions, self.planner.key
        if not self.planner.is_entry:
            return set()
        keys = [key, *(f"{key}@{half}" for half in ("forward", "backward", "value_and_grad"))]
        return {functions.name(k) for k in keys}

    def _sourced(self) -> dict[Node, str]:
        """The source's names: a second binding of `c` is `c_2`."""
        notes = self.graph.notes
        named = {p: str(p.attribute("name")) for p in self.graph.parameters}
        for seed in self.graph.seeds:
            del named[seed]
        if len(self.graph.parameters) > len(self.planner.graph.parameters) and not self.graph.seeds:
            for parameter in self.graph.parameters[len(self.planner.graph.parameters) :]:
                del named[parameter]  # a tangent
        rest = [n for n in notes.names if n in self.place and n.op not in ("parameter", "constant")]
        for node in sorted(rest, key=self._source_place):
            named[node] = notes.names[node]
        names = Names(self.blocked)
        firsts = {printable(name) for name in named.values()} - self.blocked
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

    def _source_place(self, node: Node) -> tuple[int, int]:
        """Where a value stands in the source; what stands nowhere follows its inputs."""
        spans = self.graph.notes.spans.get(node, ())
        return (spans[0].start if spans else 0, self.place[node])

    def sources(self, results: Iterable[Node]) -> list[Node]:
        """The named values that the results need, in the order of the source."""
        reached = topological(results)
        named = [n for n in reached if n in self.sourced and n not in self.writer.names]
        named.sort(key=self._source_place)
        for node in named:
            self.writer.planned[node] = self.sourced[node]
        return named

    def adjoints(self, gradients: Sequence[Node], targets: Sequence[Node]) -> list[Node]:
        """The gradients of named values, from the last value to the first; arguments last."""
        writer, notes = self.writer, self.graph.notes
        found: list[tuple[int, Node]] = []
        for node in topological(gradients):
            forward = notes.gradient_of.get(node)
            if forward is None or forward not in self.sourced or forward.op == "parameter":
                continue
            if node.op == "constant" or node in writer.names or node in writer.planned:
                continue
            found.append((self.place.get(forward, -1), node))
            self._plan(node, f"d_{self.sourced[forward]}", "gradient")
        found.sort(key=lambda pair: -pair[0])
        roots = [node for _, node in found]
        for node, target in zip(gradients, targets, strict=True):
            free = node not in writer.names and node not in writer.planned
            if free and node.op != "constant":
                self._plan(node, f"d_{self.sourced[target]}", "gradient")
                self.own[target] = self.writer.planned[node]
                roots.append(node)
        return roots

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
                    self._plan(node, f"d_{self.sourced[forward]}", "tangent")
        return [n for v in values for n in (v, *moved.get(v, ()))]

    def _plan(self, node: Node, name: str, role: Role) -> None:
        self.writer.planned[node] = self.scope.give(name)
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
        return saved, self.scope.give("grad")

    def aliases(self, gradients: Sequence[Node], targets: Sequence[Node]) -> tuple[str, ...]:
        """A name for each gradient: `d_b = d_n` where it is the gradient of another value too."""
        names: list[str] = []
        for node, target in zip(gradients, targets, strict=True):
            if node.op == "constant":
                names.append("")
                continue
            name = self.own.get(target)
            if name is None:
                name = self.scope.give(f"d_{self.sourced[target]}")
                self.writer.alias(name, node, "gradient")
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
    ) -> Routine:
        planner, writer = self.planner, self.writer
        called = {str(n.attribute("callee")) for n in writer.written if n.op == "call"}
        callees = {k: name for k, name in self.callees.items() if k in called}
        externs = {
            k: extern
            for k in callees
            if (s := planner.module.signatures.get(k)) is not None
            and (extern := s.extern) is not None
        }
        arguments = [p for p in self.graph.parameters if p in self.sourced]
        doc = docs.docstring(
            kind,
            planner.key,
            planner.signature,
            planner.functions.names.get(planner.key, planner.key),
            [self.sourced[p] for p in arguments if is_real(p)],
            len(planner.graph.results),
        )
        return Routine(
            name=planner.functions.name(key),
            kind=kind,
            key=planner.key if kind != "internal" else key,
            doc=doc,
            parameters=tuple((writer.names[p], p) for p in self.parameters),
            defaults=self._defaults(kind),
            saved=saved,
            lines=tuple(writer.lines),
            names=writer.names,
            values=values,
            gradients=gradients,
            gradient_names=names or ("",) * len(gradients),
            packed=packed,
            callees=callees,
            externs=externs,
            doors=frozenset(k for k in callees if planner.functions.is_entry(k)),
            tangents=tangents,
            rows=rows,
            is_entry=planner.is_entry,
            may_raise=any(self._may_raise(n) for n in writer.written),
        )

    def _may_raise(self, node: Node) -> bool:
        if node.op == "call":
            return not self.planner.functions.is_entry(str(node.attribute("callee")))
        entry = TABLE.get(node.op)
        if entry is None or not entry.raises:
            return False
        divisor = node.inputs[1] if node.op == "div" else None
        return divisor is None or divisor.op != "constant" or divisor.value == 0

    def _defaults(self, kind: Kind) -> dict[str, str]:
        if kind == "backward":
            seeds = self.graph.seeds
            return {self.writer.names[seeds[0]]: "1.0"} if len(seeds) == 1 else {}
        if kind in ("jvp", "internal"):
            return {}
        defaults: dict[str, str] = {}
        for (name, type), parameter in zip(
            self.planner.signature.parameters, self.parameters, strict=False
        ):
            value = self.planner.signature.defaults.get(name)
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


