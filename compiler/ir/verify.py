"""The invariants of graphs and modules. Tests verify after every pass."""

from __future__ import annotations

from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.fit import Fit, fit
from mgrad.compiler.ir.graph import Graph, Region
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Saved, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import TYPES


def verify(subject: Graph | Module, module: Module | None = None) -> None:
    """Raise `InternalError` at the first invariant that does not hold."""
    if isinstance(subject, Module):
        for graph in subject.graphs.values():
            verify(graph, subject)
        return
    stack = [subject]
    while stack:
        graph = stack.pop()
        stack += _graph(graph, module)


def _graph(graph: Graph, module: Module | None) -> list[Graph]:
    """Check one graph; the bodies of its loops."""
    parameters = set(graph.parameters)
    _hold(len(parameters) == len(graph.parameters), graph, "a parameter stands twice")
    _hold(set(graph.seeds) <= parameters, graph, "a seed is no parameter")
    if graph.split is not None:
        _hold(0 <= graph.split <= len(graph.results), graph, f"split {graph.split}")
    bodies: list[Graph] = []
    for node in graph.nodes():
        _hold(node.pool is graph.pool, graph, f"{node} is of another pool")
        for operand in node.inputs:
            _hold(operand.serial < node.serial, graph, f"{node} is older than {operand}")
        if node.op == "parameter":
            _hold(node in parameters, graph, f"{node.attribute('name')} is no parameter of it")
        elif node.op == "loop":
            bodies.append(_loop(graph, node))
        else:
            problem = _problem(node, module)
            _hold(problem is None, graph, f"{node}: {problem}")
    return bodies


def _hold(condition: bool, graph: Graph, message: str) -> None:
    if not condition:
        raise InternalError("verify", f"{graph.name}: {message}")


def _problem(node: Node, module: Module | None) -> str | None:
    """What is wrong with a node, if anything."""
    match node.op:
        case "constant":
            boolean = isinstance(node.value, bool)
            fits = boolean == (node.array.dtype == "bool") and not node.inputs
            return None if fits else f"{node.value!r} of type {node.type}"
        case "mark":
            same = len(node.inputs) == 1 and node.inputs[0].type == node.type
            return None if same else "a mark has the type of its operand"
        case "item":
            return _item(node)
        case "call":
            return _call(node, module)
    if node.op in TYPES:
        return _structural(node)
    return _elementwise(node)


def _structural(node: Node) -> str | None:
    try:
        type = TYPES[node.op]([i.array for i in node.inputs], dict(node.attributes), node.array)
    except ValueError as fault:
        return str(fault)
    return None if type == node.type else f"it gives {type}, not {node.type}"


def _elementwise(node: Node) -> str | None:
    entry = TABLE.get(node.op)
    if entry is None:
        return "no such op"
    count = len(entry.parameters)
    if not entry.parameters[0].startswith("*") and count != len(node.inputs):
        return f"{len(node.inputs)} operands, not {count}"
    if any(i.array.shape != node.array.shape for i in node.inputs):
        return f"{[str(i.type) for i in node.inputs]} to {node.type}"
    dtypes = [i.array.dtype for i in node.inputs]
    if entry.signature == "where" and dtypes[0] != "bool":
        return f"a condition that is {dtypes[0]}"
    if entry.signature == "logic" and set(dtypes) != {"bool"}:
        return f"logic on {dtypes}"
    if entry.result(node.inputs) != node.array.dtype and node.array.dtype != "real":
        return f"{dtypes} to {node.type}"
    return None


def _item(node: Node) -> str | None:
    index, bundle = node.attribute("index"), node.inputs[0].type
    if not isinstance(bundle, Bundle) or not isinstance(index, int):
        return "an item of no bundle"
    if not 0 <= index < len(bundle.items) or bundle.items[index] != node.type:
        return f"item {index} of {bundle} is not {node.type}"
    return None


def _call(node: Node, module: Module | None) -> str | None:
    callee = str(node.attribute("callee"))
    if not isinstance(node.type, Bundle):
        return "a call gives a bundle"
    if module is None or any(isinstance(i.type, Saved) for i in node.inputs):
        return None
    signature, graph = module.signatures.get(callee), module.graphs.get(callee)
    if graph is not None:
        parameters = [p.type for p in graph.parameters]
        results = [r.type for r in graph.results]
        try:
            change = fit(graph.parameters, node.inputs)
        except ValueError:
            return f"{callee} of {[str(i.type) for i in node.inputs]}"
    elif signature is not None:
        parameters = [t for _, t in signature.parameters]
        results = list(signature.results)
        change = Fit({}, node.inputs[0].array.shape) if node.inputs else None  # all are scalars
    else:
        return None if "@" in callee else f"no function {callee}"
    if change is not None:
        parameters, results = ([change.type(t) for t in ts] for ts in (parameters, results))
    if [i.type for i in node.inputs] != parameters:
        return f"{callee} of {[str(i.type) for i in node.inputs]}"
    return None if list(node.type.items) == results else f"{callee} gives {node.type}"


def _loop(graph: Graph, node: Node) -> Graph:
    """Check a loop against its body (see `ir.graph.Region`)."""
    region = node.attribute("region")
    assert isinstance(region, Region) and isinstance(node.type, Bundle)
    body = region.body
    first, last = 1 + region.captured, 1 + region.captured + region.carried
    _hold(len(node.inputs) == last + region.stacked, graph, f"{node}: inputs")
    _hold(len(body.parameters) == len(node.inputs), graph, f"{node}: parameters")
    _hold(body.parameters[0].array.dtype == "int", graph, f"{node}: the turn's number")
    for parameter, value in zip(body.parameters[1:last], node.inputs[1:last], strict=True):
        _hold(parameter.type == value.type, graph, f"{node}: {parameter} is not {value.type}")
    for parameter, value in zip(body.parameters[last:], node.inputs[last:], strict=True):
        slice = Type(value.array.dtype, value.array.shape[1:])
        _hold(parameter.type == slice, graph, f"{node}: {parameter} is not a slice")
    for parameter, result in zip(body.parameters[first:last], body.results, strict=False):
        _hold(parameter.type == result.type, graph, f"{node}: {parameter} changes its type")
    _hold(len(node.type.items) == len(body.results), graph, f"{node}: results")
    return body
