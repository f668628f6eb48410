"""The functions of a module: what they are called, and which are printed from which graph."""

from __future__ import annotations

from collections.abc import Sequence

from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.types import Type
from mgrad.compiler.schedule.constants import Constants
from mgrad.compiler.schedule.joint import reals
from mgrad.compiler.schedule.mapped import of_numbers
from mgrad.compiler.schedule.names import Names, printable

SUFFIXES = ("forward", "backward", "value_and_grad", "jvp", "jacobian", "hessian")


class Functions:
    """Printed names by key: those of the entry points are the source's, the rest give way."""

    def __init__(self, module: Module, entries: Sequence[str]) -> None:
        self.module = module
        self.entries = frozenset(entries)
        self.constants = Constants(_source_names(module), module.constants)
        self.names: dict[str, str] = {}
        self._scope = Names()
        for key in entries:
            stem = module.signatures[key].name or key
            self.names[key] = printable(stem)
            self._scope.reserve([self.names[key]])
        for key in entries:
            stem = module.signatures[key].name or key
            for suffix in SUFFIXES:
                self.names[f"{key}@{suffix}"] = f"{stem}_{suffix}"
                self._scope.reserve([f"{stem}_{suffix}"])

    def name(self, key: str) -> str:
        """The name of a function in the text."""
        found = self.names.get(key)
        if found is None:
            signature = self.module.signatures.get(key)
            if signature is not None and signature.extern is not None:
                stem = key
            else:
                stem = key.replace("@", "_").replace(":", "_")
            stem = "".join(c if c.isidentifier() or c.isalnum() else "_" for c in stem)
            found = self.names[key] = self._scope.give(printable(stem))
        return found

    def is_entry(self, key: str) -> bool:
        """Whether the user calls it, so that it has a door."""
        origin, _, suffix = key.partition("@")
        return origin in self.entries and (not suffix or suffix in SUFFIXES)

    def is_shaped(self, key: str) -> bool:
        """Whether a function takes or gives arrays; one of numbers is called for each element."""
        origin, _, half = key.rpartition("@")
        graphs = self.module.graphs
        graph = graphs.get(origin if half in ("forward", "backward") else key)
        if graph is None:
            return False
        signature = self.module.signatures.get(key)
        arrays = [n.type for n in (*graph.parameters, *graph.results)]
        is_mapped = signature is None or signature.maps
        return not is_mapped or any(isinstance(t, Type) and t.shape for t in arrays)

    def is_workable(self, key: str) -> bool:
        """Whether a function computes with arrays, so that at -O2 it takes a workspace."""
        origin, _, half = key.rpartition("@")
        own = origin if half in ("forward", "backward") else key
        signature = self.module.signatures.get(own.partition("@")[0])
        return (signature is not None and not signature.maps) or self.is_shaped(own)

    def work(self, key: str) -> str:
        """The keyword for the workspace of a function: `work`, or `work_` where the source has
        that name; nothing for a function of numbers."""
        if not self.is_workable(key):
            return ""
        origin, _, half = key.rpartition("@")
        graph = self.module.graphs[origin if half in ("forward", "backward") else key]
        taken = {*graph.notes.names.values(), *(p.attribute("name") for p in graph.parameters)}
        name = "work"
        while name in taken:
            name += "_"
        return name

    def item(self, key: str, index: int) -> str:
        """A name for one result of a call: `f_value`, `f_saved`, or `f_by_x` of a gradient."""
        origin, _, kind = key.rpartition("@")
        if kind in ("vjp", "backward"):
            arguments = reals(self.module.graphs[origin].parameters)
            return f"{self._stem(origin)}_by_{arguments[index].attribute('name')}"
        if kind == "forward":
            is_value = index < len(self.module.graphs[origin].results)
            return f"{self._stem(origin)}_{'value' if is_value else 'saved'}"
        return f"{self._stem(key)}_value"

    def _stem(self, key: str) -> str:
        """The name of a function, or of what it is the gradient of."""
        origin = of_numbers(key.removesuffix("@vjp"))
        signature = self.module.signatures.get(origin)
        return (signature.name if signature is not None else "") or self.name(origin)


def _source_names(module: Module) -> set[str]:
    """Every name of the source."""
    taken = {s.name for s in module.signatures.values()} | set(module.graphs)
    for graph in module.graphs.values():
        taken.update(graph.notes.names.values())
        taken.update(str(p.attribute("name")) for p in graph.parameters)
    return taken
