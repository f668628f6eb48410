"""The numbers of an emitted routine: what each of its names holds at a point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph, remake, rewrite, topological
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Type

if TYPE_CHECKING:
    from mgrad.compiler.ir.module import Module


def held(
    nodes: Iterable[Node],
    given: Mapping[str, Any],
    module: Module,
    sizes: Mapping[str, int] | None = None,
) -> dict[Node, Any]:
    """What nodes of a joint graph compute; a bundle and what a function saves are left out.

    `given` are the arguments by name. What is not given is a gradient of a result, and is 1 in each
    element. `sizes` are those of dimensions.
    """
    wanted = [n for n in dict.fromkeys(nodes) if isinstance(n.type, Type)]
    if not wanted:
        return {}
    parameters = [n for n in topological(wanted) if n.op == "parameter"]
    graph = unpaired(Graph("held", wanted[0].pool, tuple(parameters), tuple(wanted)))
    graphs = {key: unpaired(each) for key, each in module.graphs.items()}
    sizes = dict(sizes or {})
    values = [
        given[name] if (name := str(p.attribute("name"))) in given else _ones(p, sizes)
        for p in parameters
    ]
    found = evaluate(graph, values, replace(module, graphs=graphs), sizes)
    return {
        node: value if np.ndim(value) else float(value)
        for node, value in zip(wanted, found, strict=True)
    }


def _ones(parameter: Node, sizes: Mapping[str, int]) -> Any:
    shape = tuple(d.evaluate(sizes) for d in parameter.array.shape)
    return np.ones(shape) if shape else 1.0


def unpaired(graph: Graph) -> Graph:
    """The two halves of a function become the function and its reverse again.

    y, saved = f@forward(x); d_x = f@backward(saved, d)   ->   y = f(x); d_x = f@vjp(x, d)
    """

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op != "call":
            return remake(node, inputs)
        callee = str(node.attribute("callee"))
        if callee.endswith("@forward"):
            assert isinstance(node.type, Bundle)
            values = Bundle(node.type.items[:-1])
            return node.pool.make("call", inputs, values, callee=callee.removesuffix("@forward"))
        if callee.endswith("@backward"):
            saved, *seeds = inputs  # the item that f@forward saved: its call has the arguments
            operands = (*saved.inputs[0].inputs, *seeds)
            key = callee.removesuffix("@backward") + "@vjp"
            return node.pool.make("call", operands, node.type, callee=key)
        return remake(node, inputs)

    return rewrite(graph, rule)
