"""From optimised graphs to the routines of a module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import INT, Dim, Type
from mgrad.compiler.passes import large
from mgrad.compiler.passes.save import cut
from mgrad.compiler.schedule import mapped, negations, sizes
from mgrad.compiler.schedule.functions import Functions
from mgrad.compiler.schedule.joint import reals
from mgrad.compiler.schedule.layout import arranged
from mgrad.compiler.schedule.schedule import Kind, Routine
from mgrad.compiler.schedule.sheet import Sheet, Subject


class Options(Protocol):
    """What planning reads of the user's choices."""

    @property
    def target(self) -> str: ...

    @property
    def level(self) -> int: ...


def plan(module: Module, entries: Sequence[str], options: Options) -> tuple[Routine, ...]:
    """The routines of a module: those of the entry points in their order, then what they call.

    The module holds, optimised, the graphs that `schedule.joint.joints` adds.
    """
    if options.target == "numpy":
        module = mapped.run(module) if options.level >= 2 else module
        module = arranged(module)
        if options.level >= 2:
            graphs = {key: negations.run(graph) for key, graph in module.graphs.items()}
            module = replace(module, graphs=graphs)
    functions = Functions(module, entries)
    routines: list[Routine] = []
    for key in entries:
        routines += _Planner(module, functions, key, options).entry()
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
            made = _Planner(module, functions, origin, options).passes()
        else:
            made = [_Planner(module, functions, key, options).value()]
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

    def __init__(self, module: Module, functions: Functions, key: str, options: Options) -> None:
        is_planned = options.level >= 2 and options.target == "numpy"
        self.subject = Subject(module, functions, key, options.target, is_planned)
        self.module = module
        self.key = key
        self.graph = module.graphs[key]

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
        sheet = Sheet(self.subject, graph)
        roots = sheet.sources(graph.results)
        sheet.writer.write(roots, graph.results, ())
        kind: Kind = "value" if self.subject.is_entry else "internal"
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
        missing = self._sizes(halves.saved, gradients, graph.seeds)
        arguments = tuple(p for p in graph.parameters if p not in seeds)
        front = Sheet(self.subject, graph, arguments)
        wanted = (*values, *halves.saved, *missing)
        front.forward_half(values)
        for node in missing:
            front.writer.names[node] = front.dims[str(node.attribute("dim"))]
        front.writer.write(front.sources(wanted), wanted, halves.saved)
        front.writer.written += missing
        # what is a constant of the module is at hand in both halves
        kept = tuple(
            node for node in (*halves.saved, *missing) if node not in front.writer.constants
        )
        saved = tuple(front.writer.names[node] for node in kept)
        forward = front.routine(
            "forward", f"{self.key}@forward", values=values, saved=saved, handed=kept
        )

        back = Sheet(self.subject, graph, graph.seeds, front.sourced)
        for node, name in zip(kept, saved, strict=True):
            back.writer.names[node] = name
            back.scope.reserve([name])
        back.forward_half(values)
        back.writer.known = front.writer.names
        packed = back.seeds(graph.seeds, values)
        targets = reals(arguments)
        back.recomputed(halves.backward)
        roots = back.adjoints(gradients, targets)
        back.writer.write(roots, gradients, ())
        backward = back.routine(
            "backward",
            f"{self.key}@backward",
            gradients=gradients,
            saved=saved,
            names=back.aliases(values, gradients, targets),
            packed=packed,
            kept=[(back.writer.names[node], node) for node in kept],
        )
        return [forward, backward]

    def _sizes(
        self, saved: Sequence[Node], gradients: Sequence[Node], seeds: Sequence[Node]
    ) -> tuple[Node, ...]:
        """Sizes that the backward pass mentions and that nothing it is given tells."""
        is_nested = self.subject.target == "python"
        thin = sizes.Thin()
        given = sizes.at_hand([n for n in (*saved, *seeds) if is_nested or not thin(n)])
        given |= {str(n.attribute("name")) for n in saved if n.op == "parameter" and n.type == INT}
        reached = _down_to(saved, gradients)
        wanted = dict.fromkeys(sizes.mentioned(reached, gradients, thin, is_nested))
        remade = large.of(self.graph)
        has_buffers = bool(self.subject.work)
        for node in reached:
            if remade.is_remade(node):
                wanted |= dict.fromkeys(n for d in node.array.shape for n in sorted(d.names))
            if has_buffers and isinstance(node.type, Type):
                wanted |= dict.fromkeys(n for d in node.type.shape for n in sorted(d.names))
        pool = self.graph.pool
        return tuple(
            pool.make("size", (), INT, dim=Dim.of(name)) for name in wanted if name not in given
        )

    def value_and_grad(self) -> Routine:
        graph = self.module.graphs[f"{self.key}@value_and_grad"]
        value, gradients = graph.results[:1], graph.results[1:]
        sheet = Sheet(self.subject, graph)
        sheet.forward_half(value)
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
        sheet = Sheet(self.subject, graph, graph.parameters[:count])
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
        sheet = Sheet(self.subject, graph)
        names = [sheet.sourced[p] for p in reals(graph.parameters)]
        if kind == "hessian":
            names = [f"{x}_{y}" for x in names for y in names]
        if len(names) == len(graph.results):  # those of one function
            for node, name in zip(graph.results, names, strict=True):
                sheet.writer.titles.setdefault(node, f"d_{name}")
        sheet.writer.write(sheet.sources(graph.results), graph.results, ())
        rows = len(graph.results) // len(reals(graph.parameters))
        return sheet.routine(kind, f"{self.key}@{kind}", gradients=graph.results, rows=rows)


def _down_to(known: Iterable[Node], roots: Iterable[Node]) -> list[Node]:
    """The nodes that roots need, down to those that are known."""
    done = set(known)
    found: list[Node] = []
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in done:
            done.add(node)
            found.append(node)
            stack += node.inputs
    return found
