"""A graph: parameters, results, and the notes that hang beside its nodes.

`rewrite` is the one way in which passes make a graph from another; it carries the notes over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mgrad.compiler.ir.fit import Fit, fit
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import Type
from mgrad.compiler.source import Span


@dataclass(frozen=True, slots=True)
class Path:
    """One term of a gradient: what reached `of` through operand `position` of `user`."""

    user: Node  # a node of the forward pass
    position: int
    term: Node  # the contribution, in the backward pass


@dataclass(frozen=True, slots=True)
class Notes:
    """What is known of nodes beside their meaning. Never read to decide what a program computes."""

    names: Mapping[Node, str] = field(default_factory=dict)  # the source's name
    spans: Mapping[Node, tuple[Span, ...]] = field(default_factory=dict)  # all, where nodes merged
    comments: Mapping[Node, tuple[str, ...]] = field(default_factory=dict)
    gradient_of: Mapping[Node, Node] = field(default_factory=dict)  # adjoint -> forward node
    paths: Mapping[Node, tuple[Path, ...]] = field(default_factory=dict)  # adjoint -> its terms
    tangent_of: Mapping[Node, Node] = field(default_factory=dict)  # forward mode


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A function: `results` of `parameters`. Attribute `split` is the number of results that are
    values; what follows are gradients (in a joint forward-backward graph, else all are values).
    `seeds` are the parameters that hold the cotangents of the values."""

    name: str
    pool: Pool
    parameters: tuple[Node, ...]
    results: tuple[Node, ...]
    notes: Notes = field(default_factory=Notes)
    seeds: tuple[Node, ...] = ()
    split: int | None = None
    _order: list[Node] | None = field(default=None, init=False, repr=False)  # made once,
    _uses: Counter[Node] | None = field(default=None, init=False, repr=False)  # and this

    def nodes(self) -> list[Node]:
        """Every node that the results need, and the parameters; inputs before users.

        The list belongs to the graph: not to be changed.
        """
        order = self._order
        if order is None:
            order = topological((*self.parameters, *self.results))
            object.__setattr__(self, "_order", order)
        return order

    def is_constant(self) -> bool:
        """Whether the results are numbers that do not depend on the parameters."""
        reached = topological(self.results)
        return not any(
            n.op == "parameter" or (isinstance(n.type, Type) and n.type.shape) for n in reached
        )

    def uses(self) -> Counter[Node]:
        """How often each node is read, by others and as a result.

        The counter belongs to the graph: not to be changed.
        """
        uses = self._uses
        if uses is None:
            uses = Counter([operand for node in self.nodes() for operand in node.inputs])
            uses.update(self.results)
            object.__setattr__(self, "_uses", uses)
        return uses

    def noted(self, notes: Notes) -> Graph:
        """The same graph with other notes."""
        graph = replace(self, notes=notes)
        object.__setattr__(graph, "_order", self._order)
        object.__setattr__(graph, "_uses", self._uses)
        return graph


@dataclass(frozen=True, slots=True)
class Region:
    """The closed body of a counted loop; an attribute of a `loop` node.

    The loop's inputs are, in this order: the trip count (an int), `captured` values (the same every
    turn), initial values of the `carried` ones, and `stacked` arrays (axis 0 is the turn). The
    body's parameters are: the turn's number (an int), captured, carried, and one slice of each
    stacked. Its results are the next carried values, then what each turn emits. The loop gives a
    Bundle: the final carried values, then the emitted ones stacked along a new first axis.
    """

    body: Graph
    captured: int
    carried: int
    stacked: int
    reverse: bool = False  # turns run from the last to the first; stacks keep their places


def topological(roots: Iterable[Node]) -> list[Node]:
    """The nodes that the roots reach, inputs first; the order depends on the graph alone."""
    done: set[Node] = set()
    order: list[Node] = []
    for root in roots:
        if root in done:
            continue
        path, waiting = [root], [iter(root.inputs)]
        while path:
            for operand in waiting[-1]:
                if operand in done:
                    continue
                if operand.inputs:
                    path.append(operand)
                    waiting.append(iter(operand.inputs))
                    break
                done.add(operand)
                order.append(operand)
            else:
                waiting.pop()
                node = path.pop()
                done.add(node)
                order.append(node)
    return order


def rewrite(
    graph: Graph,
    rule: Callable[[Node, tuple[Node, ...]], Node],
    ops: Container[str] | None = None,
) -> Graph:
    """The graph with every node replaced by `rule(node, new inputs)`, inputs first.

    The rule is asked about nodes of `ops` only, if they are given; others stay what they are.
    Parameters stay. Notes move to the replacements; where nodes merge, all spans are kept, and the
    first name wins.
    """
    new: dict[Node, Node] = {}  # of what changes
    find = new.get
    for node in graph.nodes():
        if node.op == "parameter":
            continue
        inputs = node.inputs
        for operand in inputs:
            if operand in new:
                inputs = tuple([find(i, i) for i in inputs])
                break
        if ops is None or node.op in ops:
            made = rule(node, inputs)
        elif inputs is node.inputs:
            continue
        else:
            made = remake(node, inputs)
        if made is not node:
            new[node] = made
    if not new:
        return graph
    return replace(
        graph, results=tuple([find(r, r) for r in graph.results]), notes=carry(graph.notes, new)
    )


def substitute(graph: Graph, arguments: Iterable[Node]) -> dict[Node, Node]:
    """What stands for each node of a graph whose parameters are replaced by arguments; its sizes
    become those of the arguments, and a graph of scalars maps over arrays."""
    arguments = tuple(arguments)
    change = fit(graph.parameters, arguments)
    new = dict(zip(graph.parameters, arguments, strict=True))
    for node in graph.nodes():
        if node not in new:
            inputs = tuple([new[i] for i in node.inputs])
            new[node] = remake(node, inputs) if change is None else _fitted(node, inputs, change)
    return new


def can_substitute(graph: Graph, arguments: Sequence[Node]) -> bool:
    """Whether `substitute` may: a graph that maps must hold nothing but scalars."""
    change = fit(graph.parameters, arguments)
    if change is None or not change.shape:
        return True
    structural = ("loop", "size", "arange")
    return all(
        n.op not in structural and not (isinstance(n.type, Type) and n.type.shape)
        for n in graph.nodes()
    )


def _fitted(node: Node, inputs: tuple[Node, ...], change: Fit) -> Node:
    attributes = {
        key: _region_fitted(value, change) if isinstance(value, Region) else change.value(value)
        for key, value in node.attributes
    }
    return node.pool.make(node.op, inputs, change.type(node.type), **attributes)


def _region_fitted(region: Region, change: Fit) -> Region:
    """The region with the sizes of the arguments; bodies nest no deeper than the source's loops."""
    body = region.body
    parameters = [
        p.pool.parameter(str(p.attribute("name")), change.type(p.type)) for p in body.parameters
    ]
    new = dict(zip(body.parameters, parameters, strict=True))
    for node in body.nodes():
        if node not in new:
            new[node] = _fitted(node, tuple([new[i] for i in node.inputs]), change)
    results = tuple(new[r] for r in body.results)
    fitted = replace(
        body, parameters=tuple(parameters), results=results, notes=carry(body.notes, new)
    )
    return replace(region, body=fitted)


def remake(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same operation on other inputs."""
    if inputs is node.inputs or inputs == node.inputs:
        return node
    return node.pool.like(node, inputs)


def carry(notes: Notes, new: Mapping[Node, Node]) -> Notes:
    """The notes of a graph whose nodes were replaced."""
    names: dict[Node, str] = {}
    spans: dict[Node, tuple[Span, ...]] = {}
    comments: dict[Node, tuple[str, ...]] = {}
    find = new.get
    for node, name in notes.names.items():
        names.setdefault(find(node, node), name)
    for node, places in notes.spans.items():
        target = find(node, node)
        known = spans.get(target)
        spans[target] = places if known is None else _united(known, places)
    for node, lines in notes.comments.items():
        target = find(node, node)
        comments[target] = comments.get(target, ()) + lines
    paths: dict[Node, tuple[Path, ...]] = {}
    for node, ways in notes.paths.items():
        for path in ways:
            if path.user in new or path.term in new:
                ways = tuple(
                    [Path(find(p.user, p.user), p.position, find(p.term, p.term)) for p in ways]
                )
                break
        paths.setdefault(find(node, node), ways)
    return Notes(
        names,
        spans,
        comments,
        _moved(notes.gradient_of, new),
        paths,
        _moved(notes.tangent_of, new),
    )


def _united(known: tuple[Span, ...], more: tuple[Span, ...]) -> tuple[Span, ...]:
    return known + tuple(s for s in more if s not in known)


def _moved(pairs: Mapping[Node, Node], new: Mapping[Node, Node]) -> dict[Node, Node]:
    """Both sides replaced; where keys merge, the first wins."""
    moved: dict[Node, Node] = {}
    find = new.get
    for key, value in pairs.items():
        moved.setdefault(find(key, key), find(value, value))
    return moved
