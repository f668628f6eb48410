"""A graph's nodes with leading axes: one rule an op.

`batch(roots, seeds)` computes the roots for a whole array of seeds at once. A Jacobian is the
reverse sweep with a unit seed for each element of the result, so most of it is zeros in known
places, and those are never computed with. A value is held as a core and a label for each axis:

    value[b, s] = core[the labels that it has],  0 where axes of one label differ

A unit seed is the core 1 whose own axes have the labels of the leading ones. Elementwise ops,
sums, contractions and all that works along other axes keep the labels: the Jacobian of
`sin(x)` is diag(cos(x)), that of each row of `tanh(x @ w)` by the row is one block a row. Where an
op works along an axis whose label is taken, that axis gets a label of its own (`loosened`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from mgrad.compiler.autodiff.activity import is_pointwise
from mgrad.compiler.autodiff.axes import LINEAR, axis_map, shifted
from mgrad.compiler.autodiff.reverse import derive
from mgrad.compiler.autodiff.scale import is_zero, number
from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.graph import remake, substitute, topological
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import AnyType, Bundle, Dim, Shape, Type
from mgrad.compiler.ops.indexing import ALL, Item, arange, size, take
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import (
    broadcast,
    contract,
    contract_lists,
    reshape,
    sum_axes,
    transpose,
)

Labels = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A value with leading axes, whose labels are 0, 1, …; `own` labels its other axes."""

    core: Node
    labels: Labels  # of the axes of the core; distinct
    own: Labels


def batch(
    roots: Sequence[Node], seed: Node, module: Module | None = None
) -> list[tuple[Node, int]]:
    """Each root for every unit seed at once, and how many leading axes it has: those of the seed,
    a parameter, or none where it does not depend on the seed."""
    work = _Batch(roots, seed, module)
    return [
        (work.whole(work.found[r]), work.count) if r in work.found else (r, 0) for r in work.roots
    ]


class _Batch:
    """The labels of one run, and what stands for each node that depends on the seed."""

    def __init__(self, roots: Sequence[Node], seed: Node, module: Module | None) -> None:
        self.sizes: list[Dim] = []  # of each label
        self.count = len(seed.array.shape)
        own = self.fresh(seed.array.shape)
        self.found = {seed: Placed(seed.pool.constant(1), (), own)}
        self.roots = _without_calls(roots, seed, module)
        for node in topological(self.roots):
            if node not in self.found and any(i in self.found for i in node.inputs):
                made = self.placed(node)
                if made.core.op == "constant":
                    core = node.pool.constant(made.core.value)
                    made = Placed(core, (), made.own)
                self.found[node] = made

    def fresh(self, shape: Iterable[Dim]) -> Labels:
        first = len(self.sizes)
        self.sizes += shape
        return tuple(range(first, len(self.sizes)))

    def shape(self, labels: Iterable[int]) -> Shape:
        return tuple(self.sizes[i] for i in labels)

    # ------------------------------------------------------------------------------- operands

    def operand(self, node: Node) -> Placed:
        """What stands for a node; one without leading axes is its own core, without the axes that
        it is constant along."""
        known = self.found.get(node)
        if known is not None:
            return known
        if isinstance(node.type, Bundle):
            return Placed(node, (), ())
        own = self.fresh(node.array.shape)
        if node.op == "constant":
            return Placed(node.pool.constant(node.value, Type(node.array.dtype)), (), own)
        if node.op == "broadcast":
            added = node.attribute("axes")
            assert isinstance(added, tuple)
            kept = tuple(i for a, i in enumerate(own) if a not in added)
            return Placed(node.inputs[0], kept, own)
        return Placed(node, own, own)

    def relabelled(self, value: Placed) -> Placed:
        """With labels that no other value has, but for the leading ones."""
        old = [i for i in dict.fromkeys(value.own) if i >= self.count]
        new = dict(zip(old, self.fresh(self.shape(old)), strict=True))
        labels = tuple(new.get(i, i) for i in value.labels)
        return Placed(value.core, labels, tuple(new.get(i, i) for i in value.own))

    def is_tied(self, value: Placed) -> bool:
        """Whether axes share a label, so that there are zeros in known places."""
        return len(set(value.own)) < len(value.own) or any(i < self.count for i in value.own)

    def ties(self, value: Placed) -> Labels:
        """The same for values with zeros at the same places."""
        return tuple(i if i < self.count else -1 - value.own.index(i) for i in value.own)

    def loosened(self, value: Placed, axes: Iterable[int]) -> Placed:
        """The same value, where none of these axes shares its label."""
        for axis in axes:
            label = value.own[axis]
            if label >= self.count and value.own.count(label) == 1:
                continue
            filled = self.filled(value, [label])
            (own,) = self.fresh([self.sizes[label]])
            places = tuple(range(len(filled.labels)))
            result = (*places, filled.labels.index(label))
            core = contract([filled.core], [places], result)
            changed = (*value.own[:axis], own, *value.own[axis + 1 :])
            value = Placed(core, (*filled.labels, own), changed)
        return value

    def loose(self, value: Placed) -> Placed:
        return self.loosened(value, range(len(value.own))) if self.is_tied(value) else value

    def filled(self, value: Placed, labels: Iterable[int]) -> Placed:
        """The same value, whose core has these labels."""
        missing = tuple(i for i in dict.fromkeys(labels) if i not in value.labels)
        if not missing:
            return value
        core = broadcast(
            value.core, self.shape((*missing, *value.labels)), tuple(range(len(missing)))
        )
        return Placed(core, (*missing, *value.labels), value.own)

    def arranged(self, value: Placed, order: Sequence[int]) -> Node:
        """The core with its axes in this order of labels; it is constant along those it lacks."""
        kept = [i for i in order if i in value.labels]
        core = transpose(value.core, [value.labels.index(i) for i in kept])
        added = [a for a, i in enumerate(order) if i not in value.labels]
        return broadcast(core, self.shape(order), added)

    def whole(self, value: Placed) -> Node:
        """All of it, leading axes first."""
        pattern = (*range(self.count), *value.own)
        distinct = tuple(dict.fromkeys(pattern))
        core = self.arranged(value, distinct)
        if len(distinct) == len(pattern):
            return core
        place = {label: k for k, label in enumerate(distinct)}
        return contract([core], [tuple(place.values())], tuple(place[i] for i in pattern))

    # ---------------------------------------------------------------------------------- rules

    def placed(self, node: Node) -> Placed:
        operands = [self.operand(i) for i in node.inputs]
        match node.op:
            case "item":
                (bundle,) = operands
                type = Type(node.array.dtype, self.shape(bundle.labels))
                core = node.pool.make("item", (bundle.core,), type, **dict(node.attributes))
                return Placed(core, bundle.labels, bundle.own)
            case "mark":
                return operands[0]
            case "sum":
                return self.summed(node, operands[0])
            case "broadcast":
                return self.spread(node, operands[0])
            case "transpose":
                order = node.attribute("order")
                assert isinstance(order, tuple)
                return replace(operands[0], own=tuple(operands[0].own[i] for i in order))
            case "reshape":
                return self.reshaped(node, operands[0])
            case "contract":
                return self.contracted(node, operands)
            case "solve" | "solve_triangular" if node.inputs[0] not in self.found:
                return self.solved(node, operands[1])
            case "call":
                return self.called(node, operands)
            case "loop":
                raise InternalError("differentiate", "the Jacobian of a loop")
        if node.op in TABLE:
            return self.elementwise(node, operands)
        return self.along(node, operands)

    def elementwise(self, node: Node, operands: list[Placed]) -> Placed:
        """The op on the cores, where zeros of the operands give zeros; else on the whole."""
        if not self.keeps_zeros(node, operands):
            operands = [self.loose(o) for o in operands]
        operands, own = self.matched(operands)
        order = self.order(operands, own)
        cores = [self.arranged(o, order) for o in operands]
        return Placed(self.applied(node, cores, order), order, own)

    def applied(self, node: Node, cores: list[Node], order: Labels) -> Node:
        if node.op == "mul":
            for one, other in (cores, cores[::-1]):
                if number(one) == 1:
                    return other
        type = node.type
        if isinstance(type, Type):
            made: AnyType = Type(type.dtype, self.shape(order))
        else:
            assert isinstance(type, Bundle)
            made = Bundle(
                tuple(Type(t.dtype, self.shape(order)) for t in type.items if isinstance(t, Type))
            )
        return node.pool.make(node.op, cores, made, **dict(node.attributes))

    def keeps_zeros(self, node: Node, operands: Sequence[Placed]) -> bool:
        if not any(self.is_tied(o) for o in operands):
            return True
        match node.op:
            case "mul" | "neg":
                return True
            case "div":
                return not self.is_tied(operands[1])
            case "where":
                if self.is_tied(operands[0]):
                    return False
                return self.agree(operands[1:])
            case "add" | "sub":
                return self.agree(operands)
        return False

    def agree(self, operands: Sequence[Placed]) -> bool:
        """Whether all are zero at the same known places, or everywhere."""
        return len({self.ties(o) for o in operands if not is_zero(o.core)}) == 1

    def matched(self, operands: list[Placed]) -> tuple[list[Placed], Labels]:
        """Operands of one shape with one label an axis."""
        operands = [self.relabelled(o) for o in operands]
        groups = _Groups(self.count)
        for axis in range(len(operands[0].own)):
            for k, operand in enumerate(operands):
                if not groups.join(operands[0].own[axis], operand.own[axis]):
                    operands[k] = self.loosened(operand, [axis])
                    groups.join(operands[0].own[axis], operands[k].own[axis])
        operands = [self.renamed(o, groups) for o in operands]
        return operands, operands[0].own

    def renamed(self, value: Placed, groups: _Groups) -> Placed:
        """With the labels of their groups; where two of the core meet, its diagonal."""
        labels = tuple(groups.find(i) for i in value.labels)
        own = tuple(groups.find(i) for i in value.own)
        if len(set(labels)) == len(labels):
            return Placed(value.core, labels, own)
        distinct = tuple(dict.fromkeys(labels))
        return Placed(_diagonal(value.core, labels, distinct), distinct, own)

    def order(self, operands: Sequence[Placed], own: Labels) -> Labels:
        """The labels of the cores: leading ones first, then the others as they stand."""
        present = {i for o in operands for i in o.labels}
        leading = [i for i in range(self.count) if i in present]
        return (*leading, *(i for i in dict.fromkeys(own) if i in present and i >= self.count))

    def called(self, node: Node, operands: list[Placed]) -> Placed:
        """A function of scalars, mapped. `f@vjp` is linear in its last arguments, the seeds."""
        seeds = [k for k, i in enumerate(node.inputs) if i in self.found]
        assert isinstance(node.type, Bundle)
        is_linear = str(node.attribute("callee")).endswith("@vjp") and seeds == [len(operands) - 1]
        if not is_linear:
            operands = [self.loose(o) for o in operands]
        operands, own = self.matched(operands)
        order = self.order(operands, own)
        cores = [self.arranged(o, order) for o in operands]
        return Placed(self.applied(node, cores, order), order, own)

    def summed(self, node: Node, x: Placed) -> Placed:
        axes = node.attribute("axes")
        assert isinstance(axes, tuple)
        own = tuple(i for a, i in enumerate(x.own) if a not in axes)
        gone = [i for i in dict.fromkeys(x.own) if i >= self.count and i not in own]
        core = sum_axes(x.core, [a for a, i in enumerate(x.labels) if i in gone])
        core = self.times(core, [i for i in gone if i not in x.labels])
        return Placed(core, tuple(i for i in x.labels if i not in gone), own)

    def times(self, core: Node, labels: Sequence[int]) -> Node:
        """The sum of a value that is constant along labels: so many times the value."""
        for i in labels:
            count = TABLE["to_real"](size(core.pool, self.sizes[i]))
            if self.sizes[i].constant is not None:
                count = core.pool.constant(self.sizes[i].constant or 0)
            shape = core.array.shape
            count = broadcast(count, shape, tuple(range(len(shape))))
            core = count if number(core) == 1 else core * count
        return core

    def spread(self, node: Node, x: Placed) -> Placed:
        axes = node.attribute("axes")
        assert isinstance(axes, tuple)
        own = iter(x.own)
        labels = [
            self.fresh([d])[0] if a in axes else next(own) for a, d in enumerate(node.array.shape)
        ]
        return replace(x, own=tuple(labels))

    def reshaped(self, node: Node, x: Placed) -> Placed:
        """Axes that stay at the start and the end keep their labels."""
        old, new = node.inputs[0].array.shape, node.array.shape
        most = min(len(old), len(new))
        head = next((a for a in range(most) if old[a] != new[a]), most)
        tail = next((a for a in range(most - head) if old[-1 - a] != new[-1 - a]), most - head)
        middle = range(head, len(old) - tail)
        x = self.loosened(x, middle)
        inner = [x.own[a] for a in middle]
        kept = [i for i in x.labels if i not in inner]
        if all(d == Dim.of(1) for d in new[head : len(new) - tail]) and not inner:
            core, labels = x.core, x.labels  # new axes of size 1
            added = self.fresh(new[head : len(new) - tail])
        else:
            filled = self.arranged(x, [*kept, *inner])
            added = self.fresh(new[head : len(new) - tail])
            labels = (*kept, *added)
            core = reshape(filled, self.shape(labels))
        return Placed(core, labels, (*x.own[:head], *added, *x.own[len(old) - tail :]))

    def contracted(self, node: Node, operands: list[Placed]) -> Placed:
        lists, result = contract_lists(node)
        operands = [self.relabelled(o) for o in operands]
        groups = _Groups(self.count)
        label: dict[int, int] = {}  # of each index
        for k, indices in enumerate(lists):
            for axis, index in enumerate(indices):
                mine = operands[k].own[axis]
                if not groups.join(label.setdefault(index, mine), mine):
                    operands[k] = self.loosened(operands[k], [axis])
                    groups.join(label[index], operands[k].own[axis])
        operands = [self.renamed(o, groups) for o in operands]
        label = {index: groups.find(i) for index, i in label.items()}
        own = tuple(label[i] for i in result)
        order = self.order(operands, own)
        present = {i for o in operands for i in o.labels}
        gone = [i for i in dict.fromkeys(label.values()) if i >= self.count and i not in own]
        core = _product(operands, order)
        return Placed(self.times(core, [i for i in gone if i not in present]), order, own)

    def along(self, node: Node, operands: list[Placed]) -> Placed:
        """An op that works along some axes, on the cores: leading axes first, then all own axes."""
        batched = [k for k, i in enumerate(node.inputs) if i in self.found]
        maps = axis_map(node)
        ties: list[int | None] = [None] * len(node.array.shape)
        if any(k not in LINEAR[node.op](node) for k in batched):
            operands = [self.loose(o) if k in batched else o for k, o in enumerate(operands)]
        elif not self.tie(batched, node, operands, maps, ties):
            operands = [self.loose(o) if k in batched else o for k, o in enumerate(operands)]
            ties = [None] * len(ties)
        for k in batched:
            still = [a for a, r in enumerate(maps[k]) if r is None or ties[r] is None]
            operands[k] = self.loosened(operands[k], still)
        leading = [
            i
            for i in range(self.count)
            if i not in ties and any(i in operands[k].labels for k in batched)
        ]
        cores = []
        for k, x in enumerate(node.inputs):
            if k in batched:
                cores.append(self.arranged(operands[k], [*leading, *operands[k].own]))
            elif x.array.dtype == "int" and node.op in ("take", "put"):
                cores.append(x)
            else:
                shape = (*self.shape(leading), *x.array.shape)
                cores.append(broadcast(x, shape, tuple(range(len(leading)))))
        core = shifted(node, cores, self.shape(leading))
        own = tuple(
            self.fresh([d])[0] if t is None else t
            for d, t in zip(node.array.shape, ties, strict=True)
        )
        return Placed(core, (*leading, *own), own)

    def tie(
        self,
        batched: Sequence[int],
        node: Node,
        operands: Sequence[Placed],
        maps: Sequence[Sequence[int | None]],
        ties: list[int | None],
    ) -> bool:
        """Find which axes of the result may keep the label of a leading axis. Whether all operands
        agree: one that is 0 does."""
        seen: set[tuple[int | None, ...]] = set()
        for k, operand in enumerate(operands):
            if is_zero(node.inputs[k]) or not maps[k]:
                continue
            if k not in batched and node.op in ("prod_others", "cofactor"):
                continue  # zeros of one factor are zeros of the product
            mine: list[int | None] = [None] * len(ties)
            for axis, r in enumerate(maps[k]):
                label = operand.own[axis]
                if k in batched and r is not None and label < self.count and label not in mine:
                    mine[r] = label
            seen.add(tuple(mine))
        if len(seen) == 1:
            ties[:] = seen.pop()
            return True
        return False

    def solved(self, node: Node, b: Placed) -> Placed:
        """All right-hand sides at once: the leading axes of b become columns."""
        a = node.inputs[0]
        rank = len(a.array.shape)
        b = self.loosened(b, [rank - 2])
        b = self.loosened(b, [i for i in range(len(b.own)) if b.own.index(b.own[i]) < i])
        rows = b.own[: rank - 1]
        columns = [i for i in (*b.own[rank - 1 :], *b.labels) if i not in rows]
        columns = list(dict.fromkeys(columns))
        core = self.arranged(b, [*rows, *columns])
        count = Dim.of(1)
        for i in columns:
            count = count * self.sizes[i]
        shape = (*self.shape(rows), count) if columns else self.shape(rows)
        found = node.pool.make(
            node.op, (a, reshape(core, shape)), Type("real", shape), **dict(node.attributes)
        )
        return Placed(reshape(found, core.array.shape), (*rows, *columns), b.own)


class _Groups:
    """Labels that are one (union-find); a leading label stands for its group."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.parent: dict[int, int] = {}

    def find(self, label: int) -> int:
        while label in self.parent:
            label = self.parent[label]
        return label

    def join(self, a: int, b: int) -> bool:
        """Make two labels one; not two leading ones."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return True
        if a < self.count and b < self.count:
            return False
        low, high = min(a, b), max(a, b)
        self.parent[high] = low
        return True


def _product(operands: Sequence[Placed], order: Labels) -> Node:
    """The sum of products of cores over the labels that `order` lacks."""
    pool = operands[0].core.pool
    factor = Fraction(1)
    parts = []
    for operand in operands:
        value = number(operand.core)
        if value is None:
            parts.append(operand)
        else:
            factor *= value
    if not parts:
        return pool.constant(factor)
    total = _contraction(parts, order)
    return total if factor == 1 else total * factor


def _contraction(parts: Sequence[Placed], order: Labels) -> Node:
    lists = [p.labels for p in parts]
    if all(set(labels) == set(order) for labels in lists):
        cores = [transpose(p.core, [p.labels.index(i) for i in order]) for p in parts]
        total = cores[0]
        for core in cores[1:]:
            total = total * core
        return total
    if len(parts) == 1:
        (part,) = parts
        total = sum_axes(part.core, [a for a, i in enumerate(part.labels) if i not in order])
        left = [i for i in part.labels if i in order]
        return transpose(total, [left.index(i) for i in order])
    place = {i: k for k, i in enumerate(dict.fromkeys(i for labels in lists for i in labels))}
    return contract(
        [p.core for p in parts],
        [tuple(place[i] for i in labels) for labels in lists],
        tuple(place[i] for i in order),
    )


def _diagonal(core: Node, labels: Labels, distinct: Labels) -> Node:
    if core.array.dtype != "bool":
        place = {i: k for k, i in enumerate(distinct)}
        return contract([core], [tuple(place[i] for i in labels)], tuple(place.values()))
    for axis in reversed(range(len(labels))):  # contractions are of numbers: take both at once
        first = labels.index(labels[axis])
        if first < axis:
            places = arange(core.pool, core.array.shape[axis])
            items: list[Item] = [ALL] * len(core.array.shape)
            items[first], items[axis] = ("by", 0), ("by", 1)
            core = take(core, tuple(items), [places, places])
    return core


def _without_calls(roots: Sequence[Node], seed: Node, module: Module | None) -> list[Node]:
    """The roots, where calls of functions of arrays that get the seed give way to their bodies."""
    roots = list(roots)
    while True:
        reached = {seed}
        new: dict[Node, Node] = {}
        bodies: dict[Node, list[Node]] = {}
        for node in topological(roots):
            if not any(i in reached for i in node.inputs):
                continue
            reached.add(node)
            inputs = tuple(new.get(i, i) for i in node.inputs)
            if node.op == "call" and not is_pointwise(node):
                bodies[node] = _body(node, inputs, module)
            elif node.op == "item" and node.inputs[0] in bodies:
                index = node.attribute("index")
                assert isinstance(index, int)
                new[node] = bodies[node.inputs[0]][index]
                continue
            new[node] = remake(node, inputs)
        if not bodies:
            return roots
        roots = [new.get(r, r) for r in roots]


def _body(node: Node, inputs: Sequence[Node], module: Module | None) -> list[Node]:
    callee = str(node.attribute("callee"))
    if module is not None and callee not in module.graphs:
        module = derive(module, callee)
    if module is None or callee not in module.graphs:
        raise InternalError("differentiate", f"no graph of {callee}")
    graph = module.graphs[callee]
    inside = substitute(graph, inputs)
    return [inside[r] for r in graph.results]
