"""The order of the axes of what is made in blocks: what is reduced first comes first.

    d = x[rows, None] - y;  (d*d).sum(axis=2)
        ->  d = x_T[:, rows, None] - y_T[:, None];  (d*d).sum(axis=0)

The inner loops of NumPy run along the last axis. One that is summed over has a few coordinates
more often than not, one that is kept has points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from functools import partial

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import Indices, contract, transpose
from mgrad.compiler.passes import large, signs
from mgrad.compiler.passes.shapes import shaped
from mgrad.compiler.schedule import softmax
from mgrad.compiler.schedule.blocks import Axis, connected, root, same

Order = tuple[int, ...]  # the old axes in their new order
NONLINEAR = frozenset({"logsumexp", "max_over", "min_over", "prod_over"})


def arranged(module: Module) -> Module:
    """The module with every graph in the order of axes above, as it is printed."""
    graphs = {key: run(graph) for key, graph in module.graphs.items()}
    graphs = {key: softmax.run(graph) for key, graph in graphs.items()}
    return replace(module, graphs=graphs)


def run(graph: Graph) -> Graph:
    is_large = large.of(graph)
    nodes = graph.nodes()
    if not any(is_large.is_remade(n) for n in nodes):
        return graph
    uses = Counter(i for n in nodes for i in n.inputs)
    products = {n for n in nodes if n.op == "mul" and uses[n] == 1 and is_large.is_remade(n)}
    graph = signs.run(rewrite(graph, partial(_contracted, products)))
    orders = _orders(graph.nodes(), is_large, graph.results)
    return rewrite(graph, partial(_moved, orders)) if orders else graph


def _contracted(products: Container[Node], node: Node, inputs: tuple[Node, ...]) -> Node:
    """A sum of products as a contraction, which makes no array of the products."""
    product = node.inputs[0] if node.op == "sum" else node
    is_negative = product.op == "neg"
    product = product.inputs[0] if is_negative else product
    if node.op != "sum" or product not in products:
        return remake(node, inputs)
    every = tuple(range(len(product.array.shape)))
    axes = _axes(node)
    kept = tuple(a for a in every if a not in axes)
    factors = (inputs[0].inputs[0] if is_negative else inputs[0]).inputs
    made = shaped(contract(factors, (every, every), kept))
    return shaped(-made) if is_negative else made


def _orders(
    nodes: Sequence[Node], is_large: large.Large, results: Sequence[Node]
) -> dict[Node, Order]:
    """The new order of the axes of each member; nothing if all stay as they are."""
    members = {n: None for n in nodes if is_large.is_remade(n)}
    parts = connected(members)
    fixed = {parts[n] for n in results if n in members}
    joined: dict[Axis, Axis] = {(n, a): (n, a) for n in members for a in range(len(n.array.shape))}
    for node in nodes:
        read = [i for i in node.inputs if i in members]
        if read and node not in members and node.op not in large.INSIDE:
            fixed.update(parts[i] for i in read)
        elif read:
            for one, other in same(node, members):
                joined[root(joined, one)] = root(joined, other)
    ranks: dict[Axis, int] = {}
    for node in nodes:
        for axis in _reduced(node) if node.inputs and node.inputs[0] in members else ():
            rank = 1 if node.op in NONLINEAR else 0
            of = root(joined, (node.inputs[0], axis))
            ranks[of] = min(rank, ranks.get(of, rank))
    orders: dict[Node, Order] = {}
    for node in members:
        classes = [root(joined, (node, a)) for a in range(len(node.array.shape))]
        if len(set(classes)) < len(classes):
            fixed.add(parts[node])
        order = sorted(range(len(classes)), key=lambda a: (ranks.get(classes[a], 2), a))
        orders[node] = tuple(order)
    kept = {n: o for n, o in orders.items() if parts[n] not in fixed}
    return kept if any(o != tuple(range(len(o))) for o in kept.values()) else {}


def _reduced(node: Node) -> tuple[int, ...]:
    """The axes of the first operand over which a node reduces, and leaves more than one."""
    if node.op in NONLINEAR:
        return _axes(node)
    if len(node.array.shape) < 2:
        return ()
    if node.op == "sum":
        return _axes(node)
    if node.op != "contract":
        return ()
    operands, result = _labels(node)
    if any(own != operands[0] for own in operands):
        return ()
    return tuple(a for a, label in enumerate(operands[0]) if label not in result)


def _axes(node: Node) -> tuple[int, ...]:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    return axes


def _labels(node: Node) -> tuple[tuple[Indices, ...], Indices]:
    operands, result = node.attribute("operands"), node.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    return operands, result


def _moved(orders: Mapping[Node, Order], node: Node, inputs: tuple[Node, ...]) -> Node:
    """A member, or what reads one, of operands whose axes are in their new order."""
    if node not in orders and not any(i in orders for i in node.inputs):
        return remake(node, inputs)
    order = orders.get(node)
    attributes = dict(node.attributes)
    shape = node.array.shape
    new = node.array if order is None else Type(node.array.dtype, tuple(shape[a] for a in order))
    if node.op in TABLE:
        assert order is not None
        inputs = tuple(
            x if old in orders else _turned(x, order)
            for old, x in zip(node.inputs, inputs, strict=True)
        )
        return node.pool.make(node.op, inputs, new, **attributes)
    if node.op == "contract":
        operands, result = _labels(node)
        lists = [
            tuple(own[a] for a in orders[x]) if x in orders else own
            for x, own in zip(node.inputs, operands, strict=True)
        ]
        widest = max(lists, key=len)
        made_result = tuple(i for i in widest if i in result)
        if order is not None or set(made_result) != set(result):
            return contract(inputs, lists, tuple(result[a] for a in order or range(len(result))))
        made = contract(inputs, lists, made_result)
        return _turned(made, tuple(made_result.index(i) for i in result))
    axes = _axes(node)
    (old,) = node.inputs[:1]
    if node.op == "broadcast":
        assert order is not None
        kept = [a for a in range(len(shape)) if a not in axes]
        x = inputs[0]
        if old not in orders:
            x = _turned(x, tuple(kept.index(a) for a in order if a in kept))
        attributes["axes"] = tuple(sorted(order.index(a) for a in axes))
        return node.pool.make("broadcast", (x,), new, **attributes)
    before = orders[old]
    attributes["axes"] = tuple(sorted(before.index(a) for a in axes))
    left = [a for a in before if a not in axes]
    rank = {a: k for k, a in enumerate(sorted(left))}
    made_order = tuple(rank[a] for a in left)
    made = node.pool.make(
        node.op, inputs, Type(node.array.dtype, tuple(shape[k] for k in made_order)), **attributes
    )
    wanted = order or tuple(range(len(shape)))
    return transpose(made, [made_order.index(k) for k in wanted])


def _turned(x: Node, order: Order) -> Node:
    """What is no member with its axes in another order, made once."""
    if order == tuple(range(len(order))):
        return x
    shape = tuple(x.array.shape[a] for a in order)
    if x.op == "constant":
        return x.pool.constant(x.value, Type(x.array.dtype, shape))
    kind = Type(x.array.dtype, shape)
    return x.pool.make("transpose", (x,), kind, order=order, is_contiguous=True)
