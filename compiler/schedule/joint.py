"""The graphs that routines are printed from, beside those of the functions themselves.

`f@joint` gives the values and the gradients from seeds, `f@value_and_grad` the value and its
gradient, `f@jvp` values and tangents, `f@jacobian` the gradient of each result, row after row,
`f@hessian` the rows of the second derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mgrad.compiler.autodiff.derived import hessian, jacobian
from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.reverse import callees, copied, derive, joint, slopes
from mgrad.compiler.autodiff.stated import settled
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type


def is_real(node: Node) -> bool:
    return isinstance(node.type, Type) and node.type.dtype == "real"


def reals(nodes: Iterable[Node]) -> list[Node]:
    return [node for node in nodes if is_real(node)]


def joints(module: Module, entries: Iterable[str], emit: Sequence[str] = ()) -> Module:
    """The module with what the routines of its entries need. It is ready to be optimised."""
    without = opaque(module)
    entries = tuple(key for key in entries if key not in without)
    graphs = dict(module.graphs)
    for key in entries:
        graph = graphs[key]
        if not reals(graph.parameters) or not reals(graph.results):
            continue
        if len(graph.results) == 1 and not graph.results[0].array.shape:
            graphs[f"{key}@value_and_grad"] = _value_and_grad(graph, module)
        if "jvp" in emit:
            graphs[f"{key}@jvp"] = jvp(graph, module)
        if "jacobian" in emit:
            graphs[f"{key}@jacobian"] = jacobian(graph, module)
        if "hessian" in emit and len(graph.results) == 1 and not graph.results[0].array.shape:
            graphs[f"{key}@hessian"] = hessian(graph, module)
    wanted = list(entries)
    while wanted:
        for key in wanted:
            graph = graphs[key]
            if reals(graph.parameters) and reals(graph.results):
                graphs[f"{key}@joint"] = joint(graph, module)
        module = derive(replace(module, graphs=graphs))
        graphs = dict(module.graphs)
        # a call and its reverse in one graph become the two passes of the callee (pass `pair`)
        origins = [c.removesuffix("@vjp") for g in graphs.values() for c in callees(g)]
        wanted = [
            key
            for key in dict.fromkeys(origins)
            if f"{key}@vjp" in graphs and key in graphs and f"{key}@joint" not in graphs
        ]
    return module


def opaque(module: Module) -> frozenset[str]:
    """The functions that have no gradient: they call an extern whose derivative is not stated."""
    found = {
        key for key, s in module.signatures.items() if s.extern is not None and s.stated is None
    }
    for key, graph in module.graphs.items():  # callees come first
        signature = module.signatures.get(key)
        is_stated = signature is not None and signature.stated is not None
        if not is_stated and any(callee in found for callee in callees(graph)):
            found.add(key)
    return frozenset(found)


def _value_and_grad(graph: Graph, module: Module) -> Graph:
    result = graph.results[0]
    notes = copied(graph.notes)
    one = graph.pool.constant(1, result.array)
    found = slopes(graph, [(result, one)], reals(graph.parameters), module, notes)
    made = replace(graph, results=(result, *found), split=1, notes=notes)
    return settled(made, graph, module)
