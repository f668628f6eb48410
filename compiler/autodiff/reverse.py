"""Reverse mode: adjoints as nodes of the same graph, so a derivative differentiates again.

The adjoint of a value is the sum, in the order of the source, of one term for each of its uses:
the user's adjoint times the user's partial derivative. An adjoint that leaves the arm of a `where`
is masked (`autodiff.activity`), so an arm that is not taken gives 0, not NaN, at any order.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace

from mgrad.compiler.autodiff.activity import (
    active,
    conditions,
    implies,
    is_pointwise,
    mixed_axes,
    through,
    varying,
)
from mgrad.compiler.autodiff.scale import Partial, is_zero, number, scale
from mgrad.compiler.autodiff.stated import own_partials, settled
from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.graph import Graph, Notes, Path, remake, topological
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import Bundle, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import RULES, contract_lists


@dataclass(slots=True, eq=False)
class Term:
    """A contribution to an adjoint. `factor` is set where it is `cotangent*factor`, unmasked."""

    user: Node
    position: int
    value: Node
    clean: bool  # 0 wherever the user is not in use
    cotangent: Node | None = None
    factor: Node | None = None
    mask: Node | None = None


def gradient(
    outputs: Sequence[tuple[Node, Node]],
    targets: Sequence[Node],
    module: Module | None = None,
    notes: Notes | None = None,
) -> list[Node]:
    """The adjoint of each target: `sum(cotangent*d value/d target)` over the outputs.

    `notes`, if given, receives `gradient_of` and `paths` (its mappings must be dicts). A target
    that no output depends on gets a constant 0.
    """
    sweep = _Sweep(outputs, targets, module, notes)
    sweep.run()
    return [sweep.adjoint(t) for t in targets]


class _Sweep:
    """One reverse sweep over the nodes between targets and outputs."""

    def __init__(
        self,
        outputs: Sequence[tuple[Node, Node]],
        targets: Sequence[Node],
        module: Module | None,
        notes: Notes | None,
    ) -> None:
        values = [v for v, _ in outputs]
        self.module = module
        self.order = topological(values)
        self.known = {node: i for i, node in enumerate(self.order)}
        self.active = active(self.order, targets)
        self.conditions = conditions(self.order, values, targets)
        self.terms: dict[Node, list[Term]] = {}
        self.adjoints: dict[Node, Node] = {}
        self.items: dict[Node, dict[int, Node]] = {}  # bundle -> cotangents of its items
        self.clean: dict[Node, bool] = {}
        self.notes = notes
        for value, cotangent in outputs:
            self.add(value, Term(value, -1, cotangent, True))

    def adjoint(self, node: Node) -> Node:
        if node in self.adjoints:
            return self.adjoints[node]
        return node.pool.constant(0, node.array)

    def add(self, node: Node, term: Term) -> None:
        self.terms.setdefault(node, []).append(term)

    def run(self) -> None:
        for node in reversed(self.order):
            if node not in self.active:
                continue
            if isinstance(node.type, Bundle):
                if node in self.items:
                    self.clean[node] = False
                    self.bundle(node, self.items[node])
                continue
            terms = self.terms.get(node)
            if not terms:
                continue
            d = self.total(node, terms)
            if is_zero(d):
                continue
            self.adjoints[node] = d
            if node.op == "item":
                if not is_pointwise(node.inputs[0]):
                    d = self.unmixed(node, d, range(len(node.array.shape)))
                self.items.setdefault(node.inputs[0], {})[_index(node)] = d
            elif node.inputs:
                self.spread(node, d)

    def total(self, node: Node, terms: list[Term]) -> Node:
        """The sum of the terms, in the order of the source; equal cotangents are factored out."""
        if len(terms) > 1:
            total = self.sum(terms)
            self.clean[node] = all(t.clean for t in terms)
        else:
            total, self.clean[node] = terms[0].value, terms[0].clean
        if self.notes is not None and total is not node:
            _note(self.notes, total, node, terms)
        return total

    def sum(self, terms: list[Term]) -> Node:
        terms.sort(key=lambda t: (self.known[t.user], t.position))
        groups: dict[object, list[Term]] = {}
        for term in terms:
            key = term if term.factor is None else (term.cotangent, term.mask)
            groups.setdefault(key, []).append(term)
        total: Node | None = None
        for group in groups.values():
            value = group[0].value if len(group) == 1 else _factored(group)
            total = value if total is None else total + value
        assert total is not None
        return total

    def spread(self, node: Node, d: Node) -> None:
        """Add the terms of one node to its operands."""
        rule = RULES.get(node.op)
        if rule is not None:
            wanted = [i in self.active for i in node.inputs]
            axes = {a for k, want in enumerate(wanted) if want for a in mixed_axes(node, k)}
            d = self.unmixed(node, d, axes)
            known = self.finite(node, wanted) if node.op == "contract" else node
            for position, term in enumerate(rule.vjp(known, d, wanted)):
                if term is not None and wanted[position]:
                    self.deliver(node, position, term, rule.is_linear)
            return
        entry = TABLE[node.op]
        assert entry.partials is not None
        partials = entry.partials(node, *node.inputs)
        for position, (operand, partial) in enumerate(zip(node.inputs, partials, strict=True)):
            if operand not in self.active or is_zero(partial):
                continue
            term = scale(d, partial, self.known)
            if term is not None:
                linear = _is_linear(partial, self.known)
                factor = _factor(d, partial, term)
                self.deliver(node, position, term, linear, d, factor)

    def unmixed(self, node: Node, d: Node, axes: Iterable[int]) -> Node:
        """The adjoint, 0 where the node is not in use, if it is to be summed over these axes and
        its use varies along them: afterwards what is in use could not be told from the rest."""
        here = self.conditions[node]
        if here is None or self.clean[node] or not set(axes) & set(varying(here)):
            return d
        self.clean[node] = True
        return d.pool.make("where", (here, d, d.pool.constant(0, d.array)), d.type)

    def finite(self, node: Node, wanted: Sequence[bool]) -> Node:
        """A contraction with 0 for what it is not used for: a term sums products of other operands
        with the adjoint, which is 0 there, but 0 times infinity is nan."""
        here = self.conditions[node]
        if here is None:
            return node
        operands, result = contract_lists(node)
        varies = {result[a] for a in varying(here)}
        inputs = list(node.inputs)
        for j, x in enumerate(node.inputs):
            others = [k for k, want in enumerate(wanted) if want and k != j]
            summed = varies & set(operands[j])
            if any(summed - set(operands[k]) for k in others):
                used = through(node, j, here)
                if used is not None:
                    zero = x.pool.constant(0, x.array)
                    inputs[j] = x.pool.make("where", (used, x, zero), x.type)
        return remake(node, tuple(inputs))

    def deliver(
        self,
        node: Node,
        position: int,
        term: Node,
        linear: bool,
        cotangent: Node | None = None,
        factor: Node | None = None,
    ) -> None:
        """Add one term to an operand, masked where it leaves an arm that may not be taken."""
        operand = node.inputs[position]
        clean = linear and self.clean[node]
        here, there = self.conditions[node], self.conditions[operand]
        mask = None
        if here is not None:
            edge = through(node, position, here)
            if not clean and edge is not None and not implies(there, edge):
                mask = edge
                zero = term.pool.constant(0, term.array)
                term = term.pool.make("where", (edge, term, zero), term.type)
            clean = clean or edge is not there
        self.add(
            operand, Term(node, position, term, clean or here is None, cotangent, factor, mask)
        )

    def bundle(self, node: Node, cotangents: dict[int, Node]) -> None:
        """The terms of a call or a loop."""
        if node.op == "loop":
            from mgrad.compiler.autodiff.loop import loop_vjp

            wanted = [i in self.active for i in node.inputs]
            for position, term in enumerate(loop_vjp(node, cotangents, wanted, self.module)):
                if term is not None:
                    self.deliver(node, position, term, False)
            return
        for position, term in call_vjp(node, cotangents, self.module):
            if node.inputs[position] in self.active:
                self.deliver(node, position, term, False)


def call_vjp(
    node: Node, cotangents: dict[int, Node], module: Module | None
) -> list[tuple[int, Node]]:
    """Reverse of `call f`: `call f@vjp(args, cotangents)`, or `d*item(call partials)` where the
    derivative of f is stated. Pairs of an argument's position and its gradient."""
    pool = node.pool
    callee = node.attribute("callee")
    assert isinstance(callee, str) and isinstance(node.type, Bundle)
    reals = [i for i, a in enumerate(node.inputs) if is_real(a)]
    types = tuple(node.inputs[i].type for i in reals)
    signature = module.signatures.get(callee) if module is not None else None
    if signature is not None and signature.stated is not None:
        partials = pool.make("call", node.inputs, Bundle(types), callee=signature.stated)
        slopes = [pool.make("item", (partials,), t, index=k) for k, t in enumerate(types)]
        terms = [scale(cotangents[0], slope) for slope in slopes]
        return [(i, term) for i, term in zip(reals, terms, strict=True) if term is not None]
    if signature is not None and signature.extern is not None:
        raise InternalError("differentiate", f"{callee} has no derivative")
    seeds = [
        cotangents.get(k, pool.constant(0, t))
        for k, t in enumerate(node.type.items)
        if isinstance(t, Type) and t.dtype == "real"
    ]
    attributes = {**dict(node.attributes), "callee": f"{callee}@vjp"}
    back = pool.make("call", (*node.inputs, *seeds), Bundle(types), **attributes)
    return [(i, pool.make("item", (back,), types[k], index=k)) for k, i in enumerate(reals)]


def joint(graph: Graph, module: Module | None = None, wrt: Sequence[Node] | None = None) -> Graph:
    """The joint forward-backward graph: the values, then the gradients of the real parameters.

    It has a further parameter, a seed, for each real value; `split` is the number of values.
    """
    notes = copied(graph.notes)
    targets = [p for p in graph.parameters if is_real(p)] if wrt is None else list(wrt)
    reals = [r for r in graph.results if is_real(r)]
    only = len(reals) == 1
    seeds = tuple(
        graph.pool.parameter("grad" if only else f"grad_{k + 1}", r.type)
        for k, r in enumerate(reals)
    )
    adjoints = slopes(graph, list(zip(reals, seeds, strict=True)), targets, module, notes)
    both = replace(
        graph,
        parameters=graph.parameters + seeds,
        results=graph.results + tuple(adjoints),
        notes=notes,
        seeds=seeds,
        split=len(graph.results),
    )
    return settled(both, graph, module)


def slopes(
    graph: Graph,
    outputs: Sequence[tuple[Node, Node]],
    targets: Sequence[Node],
    module: Module | None,
    notes: Notes,
) -> list[Node]:
    """`gradient` of the results of a function's own graph: by the partials that are stated for it,
    if they are. `stated.settled` puts their body, and its own, in the place of the calls."""
    partials = own_partials(graph, module)
    reals = [p for p in graph.parameters if is_real(p)]
    if partials is None or not set(targets) <= set(reals):
        return gradient(outputs, targets, module, notes)
    found: list[Node] = []
    for target in targets:
        ((_, seed),) = outputs
        term = scale(seed, partials[reals.index(target)])
        found.append(target.pool.constant(0, target.array) if term is None else term)
        _note(notes, found[-1], target, [])
    return found


def copied(notes: Notes) -> Notes:
    """Notes that may be added to."""
    return Notes(
        dict(notes.names),
        dict(notes.spans),
        dict(notes.comments),
        dict(notes.gradient_of),
        dict(notes.paths),
        dict(notes.tangent_of),
    )


def derive(module: Module, *keys: str) -> Module:
    """The module with the derived graphs of these keys, and with all that a graph calls.

    `f@vjp` and `f@prime` are made of `f`, which is derived first if need be. A callee stands
    before its callers, else the order is kept.
    """
    graphs = dict(module.graphs)
    growing = replace(module, graphs=graphs)
    missing = list(keys)
    for graph in module.graphs.values():
        missing += callees(graph)
    while missing:
        key = missing[-1]
        if key in graphs or "@" not in key:
            missing.pop()
            continue
        origin, _, kind = key.rpartition("@")
        if kind not in _KINDS:
            missing.pop()
            continue
        signature = module.signatures.get(origin)
        if origin not in graphs and "@" in origin:
            missing.append(origin)
            continue
        missing.pop()
        if origin in graphs and (signature is None or signature.stated is None):
            made = _KINDS[kind](graphs[origin], key, growing)
        elif signature is not None and kind == "prime":
            made = _stated_prime(_pool(graphs), key, origin, growing)
        else:
            continue
        graphs[key] = made
        missing += callees(made)
    return replace(module, graphs=_ordered(graphs))


def callees(graph: Graph) -> list[str]:
    """The keys that a graph calls, in order, each once."""
    found: dict[str, None] = {}
    stack = [graph]
    while stack:
        for node in stack.pop().nodes():
            if node.op == "call":
                found[str(node.attribute("callee"))] = None
            elif node.op == "loop":
                stack.append(node.attribute("region").body)  # type: ignore[attr-defined]
    return list(found)


def _vjp(graph: Graph, key: str, module: Module) -> Graph:
    both = joint(graph, module)
    assert both.split is not None
    return replace(both, name=key, results=both.results[both.split :], seeds=(), split=None)


def _prime(graph: Graph, key: str, module: Module) -> Graph:
    one = graph.pool.constant(1, graph.results[0].array)
    reals = [p for p in graph.parameters if is_real(p)]
    notes = copied(graph.notes)
    result = gradient([(graph.results[0], one)], reals, module, notes)
    return replace(graph, name=key, results=tuple(result), notes=notes)


def _tangents(graph: Graph, key: str, module: Module) -> Graph:
    from mgrad.compiler.autodiff.forward import jvp

    both = jvp(graph, module)
    assert both.split is not None
    return replace(both, name=key, results=both.results[both.split :], split=None)


_KINDS: dict[str, Callable[[Graph, str, Module], Graph]] = {
    "vjp": _vjp,
    "prime": _prime,
    "tangents": _tangents,
}


def _stated_prime(pool: Pool, key: str, origin: str, module: Module) -> Graph:
    signature = module.signatures[origin]
    if signature.stated is None:
        raise InternalError("differentiate", f"{origin} has no derivative")
    parameters = tuple(pool.parameter(name, type) for name, type in signature.parameters)
    reals = tuple(p.type for p in parameters if is_real(p))
    partials = pool.make("call", parameters, Bundle(reals), callee=signature.stated)
    result = pool.make("item", (partials,), reals[0], index=0)
    names = {p: name for p, (name, _) in zip(parameters, signature.parameters, strict=True)}
    return Graph(key, pool, parameters, (result,), Notes(names))


def _pool(graphs: dict[str, Graph]) -> Pool:
    return next(iter(graphs.values())).pool


def _ordered(graphs: dict[str, Graph]) -> dict[str, Graph]:
    """Callees before callers, else as they stood."""
    calls = {key: [c for c in callees(g) if c in graphs] for key, g in graphs.items()}
    done: dict[str, Graph] = {}
    for root in graphs:
        stack = [(root, 0)]
        while stack:
            key, position = stack.pop()
            if key in done:
                continue
            if position < len(calls[key]):
                stack += [(key, position + 1), (calls[key][position], 0)]
            else:
                done[key] = graphs[key]
    return done


def is_real(node: Node) -> bool:
    return isinstance(node.type, Type) and node.type.dtype == "real"


def _index(node: Node) -> int:
    index = node.attribute("index")
    assert isinstance(index, int)
    return index


def _is_linear(partial: Partial, known: Container[Node]) -> bool:
    """Whether a zero cotangent surely gives a zero term: constants and selections of them."""
    while isinstance(partial, Node) and partial not in known:
        if partial.op == "neg":
            partial = partial.inputs[0]
        elif partial.op == "where" and is_zero(partial.inputs[2]):
            partial = partial.inputs[1]
        elif partial.op == "where" and is_zero(partial.inputs[1]):
            partial = partial.inputs[2]
        else:
            break
    return partial is None or number(partial) is not None


def _factor(d: Node, partial: Partial, term: Node) -> Node | None:
    """p where the term is the product `d*p`, for grouping."""
    if term.op == "mul" and term.inputs[0] is d and isinstance(partial, Node):
        return partial if term.inputs[1] is partial else None
    return None


def _factored(group: list[Term]) -> Node:
    """`d*p + d*q` as `d*(p + q)`, `d*p + d*p` as `d*(2*p)`, under their common mask."""
    counts: dict[Node, int] = {}
    for term in group:
        assert term.factor is not None
        counts[term.factor] = counts.get(term.factor, 0) + 1
    total: Node | None = None
    for factor, count in counts.items():
        value = factor if count == 1 else count * factor
        total = value if total is None else total + value
    cotangent, mask = group[0].cotangent, group[0].mask
    assert cotangent is not None and total is not None
    product = cotangent * total
    if mask is None:
        return product
    zero = product.pool.constant(0, product.array)
    return product.pool.make("where", (mask, product, zero), product.type)


def _note(notes: Notes, adjoint: Node, node: Node, terms: list[Term]) -> None:
    gradient_of, paths = notes.gradient_of, notes.paths
    assert isinstance(gradient_of, dict) and isinstance(paths, dict)
    if adjoint.op == "constant":
        return
    gradient_of.setdefault(adjoint, node)
    ways = tuple(Path(t.user, t.position, t.value) for t in terms if t.position >= 0)
    if ways:
        paths.setdefault(adjoint, ways)
