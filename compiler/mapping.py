"""A function's graph for a whole array of arguments: a call inside index notation.

    [f(x[i], y[j]) for i, j]    with f(u: [D], v: [D]) = sum(u*v)

The arguments are `Labelled`; so is, then, each node of the body. A derivative in the body is that
of each element: its mark gets all labels, so that no two elements share it, and the derivative of
the sum over them is what is wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mgrad.compiler.ir.graph import Graph, remake, substitute, topological
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import contract, sum_axes, transpose
from mgrad.compiler.vectorise import Labelled, Labels, Vectoriser, shifted


def is_shaped(graph: Graph, shaped: Collection[str]) -> bool:
    """Whether a function holds more than numbers, itself or in what it calls; else its text maps
    over arrays as it is."""
    for node in graph.nodes():
        shape = node.type.shape if isinstance(node.type, Type) else ()
        if node.op in ("size", "arange", "loop") or shape:
            return True
        if node.op == "call" and str(node.attribute("callee")).partition("@")[0] in shaped:
            return True
    return False


def called(
    vectoriser: Vectoriser, graph: Graph, arguments: Sequence[Labelled], order: int = 0
) -> list[Labelled]:
    """The results of a function for these arguments; its derivative of an order, by its one real
    argument, if one is asked for."""
    return _Mapping(vectoriser, arguments).results(graph, order)


class _Mapping:
    """One call. `found` has what depends on the arguments."""

    def __init__(self, vectoriser: Vectoriser, arguments: Sequence[Labelled]) -> None:
        self.vectoriser = vectoriser
        self.pool = vectoriser.pool
        self.arguments = arguments
        self.labels = vectoriser.union(arguments)
        self.lead = tuple(vectoriser.length(i) for i in self.labels)
        self.found: dict[Node, Labelled] = {}

    def results(self, graph: Graph, order: int) -> list[Labelled]:
        count = len(self.labels)
        parameters = []
        point: Node | None = None
        for argument in self.arguments:
            node, own = argument.factors[0]
            if not own and len(argument.factors) == 1 and not order:
                parameters.append(node)  # the same for all
                continue
            type = Type(node.array.dtype, node.array.shape[len(own) :])
            parameter = self.pool.parameter(f"mapped {self.pool.fresh()}", type)
            if order and type.dtype == "real":
                content = self.vectoriser.aligned(argument, self.labels)
                point = self.marked(content)
                argument = Labelled(((point, self.labels),))
            parameters.append(parameter)
            self.found[parameter] = argument
        inside = substitute(graph, parameters)
        roots = self.without_calls([inside[r] for r in graph.results])
        for node in topological(roots):
            if node in self.found:
                continue
            if node.op == "mark" or any(i in self.found for i in node.inputs):
                self.found[node] = self.node(node)
        made = [self.found.get(r, Labelled(((r, ()),))) for r in roots]
        for _ in range(order):
            assert point is not None
            total = sum_axes(self.vectoriser.aligned(made[0], self.labels), range(count))
            slope = self.pool.make("diff", (total, point), point.type)
            made = [Labelled(((slope, self.labels),))]
        return made

    def marked(self, content: Node) -> Node:
        return self.pool.make("mark", (content,), content.type, index=self.pool.fresh())

    def without_calls(self, roots: list[Node]) -> list[Node]:
        """The roots, where calls of what does not map as it is give way to bodies."""
        graphs, shaped = self.vectoriser.graphs, self.vectoriser.shaped
        while True:
            new: dict[Node, Node] = {}
            bodies: dict[Node, list[Node]] = {}
            for node in topological(roots):
                inputs = tuple(new.get(i, i) for i in node.inputs)
                if node.op == "call":
                    key = str(node.attribute("callee"))
                    if key in shaped:
                        inside = substitute(graphs[key], inputs)
                        bodies[node] = [inside[r] for r in graphs[key].results]
                elif node.op == "item" and node.inputs[0] in bodies:
                    new[node] = bodies[node.inputs[0]][int(str(node.attribute("index")))]
                    continue
                new[node] = remake(node, inputs)
            if not bodies:
                return roots
            roots = [new[r] for r in roots]

    def operand(self, node: Node) -> Labelled:
        found = self.found.get(node)
        return Labelled(((node, ()),)) if found is None else found

    def node(self, node: Node) -> Labelled:
        """A node of the body, some of whose operands have labels."""
        operands = [self.operand(i) for i in node.inputs]
        vectoriser, op = self.vectoriser, node.op
        if op == "mark":
            content = vectoriser.aligned(operands[0], self.labels)
            return Labelled(((self.marked(content), self.labels),))
        if op in ("diff", "jacobian", "hessian"):
            return self.derivative(node, operands)
        if op == "mul" and not node.array.shape:
            return Labelled(operands[0].factors + operands[1].factors)
        if op == "take" and any(o.labels for o in operands[1:]):
            items: tuple[tuple[object, ...], ...] = node.attribute("items")  # type: ignore[assignment]
            return vectoriser.taken(operands[0], items, operands[1:])
        labels = vectoriser.union(operands)
        lead = tuple(vectoriser.length(i) for i in labels)
        if op == "item":
            ((bundle, own),) = operands[0].factors
            type = Type(node.array.dtype, lead)
            return Labelled(
                ((self.pool.make("item", (bundle,), type, **dict(node.attributes)), own),)
            )
        if op == "put" and any(o.labels for o in operands[2:]):
            return self.put(node, operands, labels)
        ints = {"take": 1, "put": 2}.get(op, len(operands))
        nodes = [vectoriser.aligned(o, labels if k < ints else ()) for k, o in enumerate(operands)]
        attributes = dict(node.attributes)
        if isinstance(node.type, Bundle):  # a call of a function of numbers
            types = [Type(t.dtype, lead) for t in node.type.items if isinstance(t, Type)]
            made = self.pool.make(op, nodes, Bundle(tuple(types)), **attributes)
        elif op in TABLE:
            made = self.pool.make(
                op, nodes, Type(node.array.dtype, (*lead, *node.array.shape)), **attributes
            )
        else:
            made = shifted(op, node, nodes, lead)
        return Labelled(((made, labels),))

    def derivative(self, node: Node, operands: Sequence[Labelled]) -> Labelled:
        """Of each element by its own mark; of a matrix, the blocks on the diagonal."""
        count = len(self.labels)
        value = self.vectoriser.aligned(operands[0], self.labels)
        ((point, _),) = operands[1].factors
        own = point.array.shape[count:]
        if node.op != "jacobian":
            value = sum_axes(value, range(count))
        if node.op == "diff":
            made = self.pool.make("diff", (value, point), point.type)
            return Labelled(((made, self.labels),))
        rows = value.array.shape if node.op == "jacobian" else point.array.shape
        full = self.pool.make(node.op, (value, point), Type("real", (*rows, *point.array.shape)))
        inner = len(rows) - count
        first = tuple(range(count))
        row = tuple(range(count, count + inner))
        column = tuple(range(count + inner, count + inner + len(own)))
        block = contract((full,), ((*first, *row, *first, *column),), (*first, *row, *column))
        return Labelled(((block, self.labels),))

    def put(self, node: Node, operands: Sequence[Labelled], labels: Labels) -> Labelled:
        """Places that differ from element to element: the labels index their own axes, too, and so
        what the places hold comes first."""
        vectoriser, count = self.vectoriser, len(labels)
        items: list[tuple[object, ...]] = list(node.attribute("items"))  # type: ignore[call-overload]
        first = next(k for k, item in enumerate(items) if item[0] == "by")
        before = sum(item[0] in ("all", "slice") for item in items[:first])
        places = [vectoriser.aligned(o, labels) for o in operands[2:]]
        wide = places[0].array.shape
        axes = len(wide) - count
        value = vectoriser.aligned(operands[1], labels)
        rest = [*range(before), *range(before + axes, len(value.array.shape) - count)]
        order = [
            *range(count),
            *(count + before + k for k in range(axes)),
            *(count + k for k in rest),
        ]
        at = [vectoriser.own_place(label, labels, wide) for label in labels]
        shift = [("by", int(str(item[1])) + count) if item[0] == "by" else item for item in items]
        made = self.pool.make(
            "put",
            (vectoriser.aligned(operands[0], labels), transpose(value, order), *at, *places),
            Type(node.array.dtype, (*(vectoriser.length(i) for i in labels), *node.array.shape)),
            items=(*(("by", k) for k in range(count)), *shift),
            adds=node.attribute("adds"),
        )
        return Labelled(((made, labels),))
