"""Functions of numbers that are called with arrays, as functions of arrays: at -O2 they write into
planned memory then, as all others do.

    fn g(x) = tanh(x)^2;  fn f(x: [n]) = g(x)*x   ->   f calls g_of_vectors(x, work=…)

There is one for each number of axes, whatever their sizes are; `g` itself stays for numbers.
"""

from __future__ import annotations

from dataclasses import replace

from mgrad.compiler.ir.graph import Graph, can_substitute, carry, remake, rewrite, substitute
from mgrad.compiler.ir.module import Module, Signature
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Shape, Type

AXES = "nmkl"
NAMES = {1: "of_vectors", 2: "of_matrices"}
HALVES = ("forward", "backward")


def run(module: Module) -> Module:
    """The module with the functions of arrays that its graphs call, and those calls."""
    graphs = dict(module.graphs)
    signatures = dict(module.signatures)
    waiting = list(graphs)
    while waiting:
        key = waiting.pop()
        for callee, rank in _calls(graphs[key], module):
            made = {_of(k, rank): k for k in (callee, f"{callee}@joint") if k in module.graphs}
            for new, old in made.items():
                if new not in graphs:
                    graphs[new] = _wide(module.graphs[old], new, rank)
                    waiting.append(new)
            base = callee.partition("@")[0]
            signatures.setdefault(_of(base, rank), _signature(module, base, rank))
        graphs[key] = rewrite(graphs[key], lambda node, inputs: _renamed(node, inputs, module))
    return replace(module, graphs=graphs, signatures=signatures)


def _calls(graph: Graph, module: Module) -> list[tuple[str, int]]:
    """The functions of numbers that a graph calls with arrays, of so many axes."""
    found = dict.fromkeys(_callee(n, module) for n in graph.nodes() if n.op == "call")
    return [call for call in found if call is not None]


def _callee(call: Node, module: Module) -> tuple[str, int] | None:
    """The function of numbers, and how many axes it is given."""
    key, _, half = str(call.attribute("callee")).rpartition("@")
    key = key if half in HALVES else str(call.attribute("callee"))
    ranks = [len(i.type.shape) for i in call.inputs if isinstance(i.type, Type)]
    rank = max(ranks, default=0)
    graph = module.graphs.get(key)
    if not rank or graph is None or any(p.array.shape for p in graph.parameters):
        return None
    return (key, rank) if can_substitute(graph, _parameters(graph, rank)) else None


def _renamed(node: Node, inputs: tuple[Node, ...], module: Module) -> Node:
    made = remake(node, inputs)
    found = _callee(made, module) if made.op == "call" else None
    if found is None:
        return made
    attributes = {**dict(made.attributes), "callee": _of(str(made.attribute("callee")), found[1])}
    return made.pool.make("call", made.inputs, made.type, **attributes)


def _of(key: str, rank: int) -> str:
    """The key of the function of arrays: `g:of_vectors@prime` of `g@prime`."""
    base, at, derived = key.partition("@")
    return f"{base}:{NAMES.get(rank, f'of_{rank}_axes')}{at}{derived}"


def of_numbers(key: str) -> str:
    """The key of the function of numbers behind one of arrays; of others their own."""
    base, at, derived = key.partition("@")
    stem, _, kind = base.rpartition(":")
    return f"{stem if kind.startswith('of_') else base}{at}{derived}"


def _shape(rank: int) -> Shape:
    return tuple(Dim.of(AXES[k] if k < len(AXES) else f"n{k}") for k in range(rank))


def _parameters(graph: Graph, rank: int) -> tuple[Node, ...]:
    return tuple(
        p.pool.parameter(str(p.attribute("name")), Type(p.array.dtype, _shape(rank)))
        for p in graph.parameters
    )


def _wide(graph: Graph, key: str, rank: int) -> Graph:
    """The graph with arrays for numbers."""
    parameters = _parameters(graph, rank)
    new = substitute(graph, parameters)
    return replace(
        graph,
        name=key,
        parameters=parameters,
        results=tuple(new[r] for r in graph.results),
        notes=carry(graph.notes, new),
        seeds=tuple(new[s] for s in graph.seeds),
    )


def _signature(module: Module, base: str, rank: int) -> Signature:
    """That of the function, of arrays; none of the user's calls looks at it."""
    own, shape = module.signatures[base], _shape(rank)
    return replace(
        own,
        parameters=tuple((name, Type(type.dtype, shape)) for name, type in own.parameters),
        results=tuple(Type(type.dtype, shape) for type in own.results),
        stated=None,
        doc=f"{own.name} of each element.",
        defaults={},
        maps=False,
    )
