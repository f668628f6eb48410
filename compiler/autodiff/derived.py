"""Jacobians and Hessians of functions, as graphs."""

from __future__ import annotations

from dataclasses import replace

from mgrad.compiler.autodiff.jacobian import jacobian as array_jacobian
from mgrad.compiler.autodiff.reverse import copied, gradient, is_real, slopes
from mgrad.compiler.autodiff.stated import settled
from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node


def jacobian(graph: Graph, module: Module | None = None) -> Graph:
    """The partials of each real result by each real parameter, row by row: one sweep a result.
    With arrays an entry has the shape of the result, then that of the parameter."""
    inputs, outputs = _reals(graph)
    if any(n.array.shape for n in (*inputs, *outputs)):
        blocks = [array_jacobian(output, target, module) for output in outputs for target in inputs]
        return settled(replace(graph, results=tuple(blocks), seeds=(), split=0), graph, module)
    entries: list[Node] = []
    for output in outputs:
        one = graph.pool.constant(1, output.array)
        entries += slopes(graph, [(output, one)], inputs, module, copied(graph.notes))
    return settled(replace(graph, results=tuple(entries), seeds=(), split=0), graph, module)


def hessian(graph: Graph, module: Module | None = None) -> Graph:
    """The second partials of the one real result, row by row, n*n results.

    Reverse over reverse, one sweep a row. Row i is swept for the inputs from i on; the entries
    below the diagonal are those above it, the same nodes. With arrays an entry has the shapes of
    both parameters.
    """
    inputs, outputs = _reals(graph)
    if len(outputs) != 1 or outputs[0].array.shape:
        raise InternalError("differentiate", f"the Hessian of {len(outputs)} results")
    one = graph.pool.constant(1, outputs[0].array)
    first = slopes(graph, [(outputs[0], one)], inputs, module, copied(graph.notes))
    if any(n.array.shape for n in inputs):
        blocks = [array_jacobian(slope, target, module) for slope in first for target in inputs]
        return settled(replace(graph, results=tuple(blocks), seeds=(), split=0), graph, module)
    rows = [gradient([(slope, one)], inputs[i:], module) for i, slope in enumerate(first)]
    n = len(inputs)
    entries = tuple(rows[min(i, j)][abs(i - j)] for i in range(n) for j in range(n))
    return settled(replace(graph, results=entries, seeds=(), split=0), graph, module)


def _reals(graph: Graph) -> tuple[list[Node], list[Node]]:
    return [p for p in graph.parameters if is_real(p)], [r for r in graph.results if is_real(r)]
