"""Tensor forms of the typed program to nodes; index notation to whole-array operations.

A value inside index notation is `Labelled`: its node's first axes are the indices that it depends
on. Elementwise ops align the labels of their operands; `x[i, j]` only labels axes, `x[i - 1]`
slices, a computed index gathers. A product stays a list of factors until something needs its
value, so that `sum(W[i, j]*x[j] for j)` is one `contract` and the product is never made:

    [sum(W[i, j]*x[j] for j) for i]     ->  contract(W, x; (i, j), (j) -> (i))
    sum((x[i] - x[i - 1])^2 for i in 1..n)  ->  sum((x[1:n] - x[0:n - 1])^2)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mgrad.compiler import mapping
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import Bundle, Dim, Shape, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import broadcast, build, contract, reshape, sum_axes, transpose
from mgrad.compiler.ops.windows import windows
from mgrad.compiler.sema.program import Index, Value

Labels = tuple[Value, ...]  # values of form "index"
ZERO, ONE = Dim.of(0), Dim.of(1)

# what a reduction of nothing gives; None: there is no such thing
IDENTITY: dict[str, Any] = {
    "sum": 0,
    "prod": 1,
    "min": float("inf"),
    "max": -float("inf"),
    "any": False,
    "all": True,
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """The product of factors; a factor's first axes are its labels, the rest the value's own."""

    factors: tuple[tuple[Node, Labels], ...]

    @property
    def labels(self) -> Labels:
        return tuple(dict.fromkeys(i for _, labels in self.factors for i in labels))


@dataclass(frozen=True, slots=True)
class Affine:
    """`coefficient*index + offset`; no index for a size."""

    index: Value | None
    coefficient: int
    offset: Dim


@dataclass(frozen=True, slots=True)
class Sliding:
    """`stride*outer + inner + offset`, or with `- inner` if it `turns`: x[i + a]."""

    outer: Value
    stride: int
    inner: Value
    turns: bool
    offset: Dim


class Vectoriser:
    """Lowers values by the nodes of what they are made of.

    `nodes` are those of values outside of index notation.
    """

    def __init__(
        self,
        pool: Pool,
        nodes: Mapping[Value, Node],
        names: dict[Node, str],
        graphs: Mapping[str, Graph],
        shaped: Collection[str],
        targets: Collection[Value],
    ) -> None:
        self.pool = pool
        self.graphs = graphs  # of the functions that may be called
        self.shaped = shaped  # those that hold more than numbers
        self.targets = targets  # by which derivatives are taken
        self.bundles: dict[Value, list[Labelled]] = {}
        self.names = names  # of nodes, in the source's words: an index that is used as a number
        self.nodes = nodes
        self.inside: dict[Value, Labelled] = {}
        self.ranges: dict[Value, tuple[Dim, Dim]] = {}  # an index: its first value, how many
        self.order: dict[Value, int] = {}  # indices, outer ones first
        self.bounded: dict[Value, Index] = {}  # those whose range depends on another

    # ---- forms ------------------------------------------------------------------------------

    def value(self, value: Value) -> Labelled:
        """A value inside index notation."""
        form = value.form
        if form == "constant":
            return _one(self.pool.constant(value.attribute("value"), value.type), ())  # type: ignore[arg-type]
        if form == "index":
            start, length = self.ranges[value]
            node = self.arange(start, length)
            assert value.name is not None
            self.names.setdefault(node, value.name)
            return _one(node, (value,))
        if form == "size":
            return _one(size(self.pool, value), ())
        if form == "each":
            return self.each(value)
        if form == "take":
            return self.take(value)
        if form == "item":
            return self.bundles[value.args[0]][int(str(value.attribute("index")))]
        operands = [self.of(a) for a in value.args]
        if form == "bind":
            return self.bind(value, operands[0])
        if form in ("call", "derivative"):
            self.bundles[value] = self.call(value, operands)
            return self.bundles[value][0]
        if form == "bundle":
            self.bundles[value] = operands
            return operands[0]
        if form in ("diff", "jacobian", "hessian"):
            return self.derivative(form, *operands)
        if form == "mul" and not _type(value).shape:
            return Labelled(operands[0].factors + operands[1].factors)
        labels = self.union(operands)
        nodes = [self.aligned(o, labels) for o in operands]
        return _one(self.shifted(value, nodes, labels), labels)

    def of(self, value: Value) -> Labelled:
        found = self.inside.get(value)
        return _one(self.nodes[value], ()) if found is None else found

    def bind(self, value: Value, content: Labelled) -> Labelled:
        if value not in self.targets:
            return content
        node = self.aligned(content, content.labels)
        mark = self.pool.make("mark", (node,), node.type, index=self.pool.fresh())
        return _one(mark, content.labels)

    def call(self, value: Value, arguments: Sequence[Labelled]) -> list[Labelled]:
        """The results of a function, one a set of arguments."""
        key = str(value.attribute("callee"))
        order = int(str(value.attribute("order"))) if value.form == "derivative" else 0
        labels = self.union(arguments)
        if labels and key in self.shaped:
            return mapping.called(self, self.graphs[key], arguments, order)
        lead = tuple(self.length(i) for i in labels)
        if key in self.graphs and not order and self.graphs[key].is_constant():
            return [_one(r, ()) for r in self.graphs[key].results]
        results = value.type.items if isinstance(value.type, Bundle) else (value.type,)
        types = tuple(Type(r.dtype, (*lead, *r.shape)) for r in results if isinstance(r, Type))
        nodes = [self.aligned(a, labels) for a in arguments]
        callee = key + "@prime" * order
        bundle = self.pool.make("call", nodes, Bundle(types), callee=callee)
        return [
            _one(self.pool.make("item", (bundle,), type, index=k), labels)
            for k, type in enumerate(types)
        ]

    def over(self, value: Value, inputs: Sequence[Node]) -> list[Node]:
        """The same outside of index notation: every axis of the arguments is an index."""
        shape = inputs[0].array.shape
        labels = tuple(Value("index", (), Type("int"), value.span, "i") for _ in shape)
        for label, d in zip(labels, shape, strict=True):
            self.order[label] = len(self.order)
            self.ranges[label] = (ZERO, d)
        arguments = [_one(node, labels) for node in inputs]
        return [self.aligned(r, labels) for r in self.call(value, arguments)]

    def derivative(self, form: str, value: Labelled, point: Labelled) -> Labelled:
        """By a name outside: for each index a derivative of its own. By a value of the same
        indices: element by element, which is the derivative of the sum."""
        ((mark, own),) = point.factors
        labels = self.union([value, point])
        node = self.aligned(value, labels)
        if own or not labels:
            node = sum_axes(node, range(len(labels))) if own else node
            shape = mark.array.shape if form == "diff" else (*node.array.shape, *mark.array.shape)
            if form == "hessian":
                shape = (*mark.array.shape, *mark.array.shape)
            return _one(self.pool.make(form, (node, mark), Type("real", shape)), own)
        for _ in range(2 if form == "hessian" else 1):
            shape = (*node.array.shape, *mark.array.shape)
            node = self.pool.make("jacobian", (node, mark), Type("real", shape))
        return _one(node, labels)

    def shifted(self, value: Value, nodes: Sequence[Node], labels: Labels) -> Node:
        """The node of a form whose operands have these labels as first axes."""
        lead = tuple(self.length(i) for i in labels)
        form, type_ = value.form, _type(value)
        shape = (*lead, *type_.shape)
        if form in TABLE:
            return self.pool.make(form, nodes, Type(type_.dtype, shape))
        return shifted(form, value, nodes, lead)

    # ---- labels -----------------------------------------------------------------------------

    def length(self, index: Value) -> Dim:
        return self.ranges[index][1]

    def union(self, values: Sequence[Labelled]) -> Labels:
        found = dict.fromkeys(i for v in values for i in v.labels)
        return tuple(sorted(found, key=self.order.__getitem__))

    def aligned(self, value: Labelled, labels: Labels) -> Node:
        """The value as one node with these labels, in this order."""
        total: Node | None = None
        for node, own in value.factors:
            made = self.spread(node, own, labels)
            total = made if total is None else total * made
        assert total is not None
        return total

    def spread(self, node: Node, own: Labels, labels: Labels) -> Node:
        """A node whose first axes are `own`, with first axes `labels`."""
        rest = range(len(own), len(node.array.shape))
        order = sorted(range(len(own)), key=lambda k: labels.index(own[k]))
        node = transpose(node, (*order, *rest))
        new = [k for k, i in enumerate(labels) if i not in own]
        tail = node.array.shape[len(own) :]
        return broadcast(node, (*(self.length(i) for i in labels), *tail), new)

    def arange(self, start: Dim, length: Dim) -> Node:
        return arange(self.pool, start, length)

    # ---- index notation ---------------------------------------------------------------------

    def each(self, value: Value) -> Labelled:
        indices: Any = value.attribute("indices")
        body: Any = value.attribute("body")
        result: Any = value.attribute("result")
        reduction: Any = value.attribute("reduction")
        new: list[Value] = []
        bounds: list[Index] = []
        by_value = {i.value: i for i in indices}
        for part in body:
            if part in by_value:
                index = by_value[part]
                self.enter(index)
                new.append(part)
                if not (isinstance(index.start, Dim) and isinstance(index.stop, Dim)):
                    bounds.append(index)
                    self.bounded[part] = index
            self.inside[part] = self.value(part)
        made = self.of(result)
        mask = self.mask(bounds)
        own = len(_type(result).shape)
        if reduction is None:
            outer = tuple(i for i in self.union([made]) if i not in new)
            return _one(self.aligned(made, (*outer, *new)), outer)
        if reduction == "sum" and mask is None and not own:
            return self.total(made, new)
        labels = self.union(
            [made, *([mask] if mask else []), Labelled(((made.factors[0][0], tuple(new)),))]
        )
        node = self.aligned(made, labels)
        if mask is not None:
            node = self.masked(node, self.aligned(mask, labels), labels, reduction)
        axes = tuple(k for k, i in enumerate(labels) if i in new)
        kept = tuple(i for i in labels if i not in new)
        return _one(build(OVER[reduction], (node,), axes=axes), kept)

    def enter(self, index: Index) -> None:
        """Make an index known; where its range depends on others, the widest that it has."""
        start, stop = index.box
        self.order[index.value] = len(self.order)
        self.ranges[index.value] = (start, stop - start)

    def mask(self, bounds: Sequence[Index]) -> Labelled | None:
        """Where indices with a range of their own are inside it."""
        tests: list[Labelled] = []
        for index in bounds:
            at = self.of(index.value)
            for bound, op in ((index.start, "ge"), (index.stop, "lt")):
                if isinstance(bound, Value):
                    tests.append(self.apply(op, at, self.of(bound), "bool"))
        result: Labelled | None = None
        for test in tests:
            result = test if result is None else self.apply("and", result, test, "bool")
        return result

    def apply(self, op: str, x: Labelled, y: Labelled, dtype: Any) -> Labelled:
        labels = self.union([x, y])
        nodes = [self.aligned(x, labels), self.aligned(y, labels)]
        return _one(self.pool.make(op, nodes, Type(dtype, nodes[0].array.shape)), labels)

    def masked(self, node: Node, mask: Node, labels: Labels, reduction: str) -> Node:
        """The node with the reduction's identity wherever an index is outside its range."""
        rank = len(labels)
        mask = broadcast(mask, node.array.shape, range(rank, len(node.array.shape)))
        other = self.pool.constant(IDENTITY[reduction], node.array)
        return self.pool.make("where", (mask, node, other), node.array)

    def total(self, value: Labelled, over: Sequence[Value]) -> Labelled:
        """The sum of a product over indices: one `contract`, or a `sum` of a single factor."""
        gone = set(over)
        kept = tuple(i for i in self.union([value]) if i not in gone)
        present = set(value.labels)
        scalars = [n for n, labels in value.factors if not labels]
        factors = [(n, labels) for n, labels in value.factors if labels]
        count = ONE
        for i in over:
            if i not in present:
                count = count * self.length(i)
        result: Node | None = None
        if len(factors) == 1:
            node, own = factors[0]
            axes = [k for k, i in enumerate(own) if i in gone]
            rest = tuple(i for i in own if i not in gone)
            node = sum_axes(node, axes) if axes else node
            result = self.spread(node, rest, kept)
        elif factors:
            numbers = {i: k for k, i in enumerate(self.union([value]))}
            result = contract(
                [n for n, _ in factors],
                [tuple(numbers[i] for i in labels) for _, labels in factors],
                tuple(numbers[i] for i in kept),
            )
        parts: list[tuple[Node, Labels]] = [(n, ()) for n in scalars]
        if result is not None:
            parts.append((result, kept))
        if count != ONE:
            dtype = (result or scalars[0]).array.dtype
            length = size_node(self.pool, count)
            if dtype == "real":
                length = self.pool.make("to_real", (length,), Type("real"))
            parts.append((length, ()))
        return _one(self.aligned(Labelled(tuple(parts)), kept), kept)

    # ---- elements ---------------------------------------------------------------------------

    def take(self, value: Value) -> Labelled:
        """`x[...]`: axes get labels, are sliced, or gather."""
        base = self.of(value.args[0])
        written: Any = value.attribute("items")
        arguments = value.args[1:]
        affine = [None if _type(a).shape else self.affine(a) for a in arguments]
        found: list[Affine | Sliding | None] = [
            self.sliding(a) if one is None and not _type(a).shape else one
            for a, one in zip(arguments, affine, strict=True)
        ]
        if None in found:  # arrays that index one axis do so for all
            found = [*affine]
        places = [
            self.inner(self.of(a)) if one is None else one
            for a, one in zip(arguments, found, strict=True)
        ]
        return self.taken(base, written, places)

    def taken(
        self,
        base: Labelled,
        written: Sequence[tuple[Any, ...]],
        places: Sequence[Labelled | Affine | Sliding],
    ) -> Labelled:
        """What items take; `("by", k)` is by the place k."""
        own: Labels = self.union([base])
        node = self.aligned(base, own)
        items: list[tuple[Any, ...]] = [("all",) for _ in own]
        axes: list[Value | None] = list(own)  # the label of each axis of the result; None: its own
        gathers: list[tuple[int, Labelled]] = []
        flips: list[int] = []
        slides: list[tuple[int, Sliding]] = []
        sizes = node.array.shape
        for position, item in enumerate(written, len(own)):
            if item[0] != "by":
                items.append(item)
                if item[0] != "at":
                    axes.append(None)
                continue
            affine = places[item[1]]
            if isinstance(affine, Labelled):
                items.append(())
                gathers.append((position, affine))
            elif isinstance(affine, Sliding):
                low, stop = self.reached(affine)
                is_whole = (low, stop) == (ZERO, sizes[position])
                items.append(("all",) if is_whole else ("slice", low, stop, 1))
                slides.append((len(axes), affine))
                axes.append(affine.outer)
            elif affine.index is not None:
                first, length = self.ranges[affine.index]
                low = first * affine.coefficient + affine.offset
                high = (first + length - 1) * affine.coefficient + affine.offset
                if affine.coefficient < 0:
                    low, high = high, low
                    flips.append(len(axes))
                step = abs(affine.coefficient)
                # the stop of an empty slice with a step is no less than its start
                stop = high + 1 if step == 1 or (length.constant or 0) > 0 else low + length * step
                is_whole = (low, stop, step) == (ZERO, sizes[position], 1)
                items.append(("all",) if is_whole else ("slice", low, stop, step))
                axes.append(affine.index)
            else:
                items.append(("at", affine.offset))
        if gathers:
            return self.gathered(node, items, axes, gathers)
        if any(item != ("all",) for item in items):
            node = build("take", (node,), items=tuple(items))
        if slides:
            node = windows(
                node,
                [axis for axis, _ in slides],
                [self.length(one.inner) for _, one in slides],
                [one.stride for _, one in slides],
            )
            flips += [len(axes) + k for k, (_, one) in enumerate(slides) if one.turns]
            axes += [one.inner for _, one in slides]
        if flips:
            node = build("flip", (node,), axes=tuple(flips))
        return self.collapsed(node, axes)

    def reached(self, place: Sliding) -> tuple[Dim, Dim]:
        """The first element that windows reach, and the one after the last."""
        first, count = self.ranges[place.outer]
        start, size = self.ranges[place.inner]
        least = ONE - start - size if place.turns else start
        low = first * place.stride + least + place.offset
        return low, low + (count - 1) * place.stride + size

    def inner(self, place: Labelled) -> Labelled:
        """A computed index, 0 where an index that it depends on is outside its own range."""
        mask = self.mask([self.bounded[i] for i in place.labels if i in self.bounded])
        if mask is None:
            return place
        labels = self.union([place, mask])
        node = self.aligned(place, labels)
        test = self.aligned(mask, labels)
        test = broadcast(test, node.array.shape, range(len(labels), len(node.array.shape)))
        zero = self.pool.constant(0, node.array)
        return _one(self.pool.make("where", (test, node, zero), node.array), labels)

    def gathered(
        self,
        node: Node,
        items: list[tuple[Any, ...]],
        axes: list[Value | None],
        gathers: list[tuple[int, Labelled]],
    ) -> Labelled:
        """Axes that int arrays index. The arrays have the labels of all of them first, then the
        axes of the arrays themselves."""
        labels = self.union([g for _, g in gathers])
        own = max(
            (len(g.factors[0][0].array.shape) - len(g.factors[0][1]) for _, g in gathers), default=0
        )
        arrays: list[Node] = []
        for position, one in gathers:
            items[position] = ("by", len(arrays))
            arrays.append(self.aligned(one, labels))
        shape = arrays[0].array.shape
        # a label of the array that is indexed, too, goes along with it
        kept: list[Value | None] = []
        place = -1
        for position, item in enumerate(items):
            if item[0] == "by":
                place = len(kept) if place < 0 else place
                continue
            if item[0] == "at":
                continue
            label = axes.pop(0)
            if label is not None and label in labels:
                items[position] = ("by", len(arrays))
                arrays.append(self.own_place(label, labels, shape))
                place = len(kept) if place < 0 else place
                continue
            kept.append(label)
        made = build("take", (node, *arrays), items=tuple(items))
        return self.collapsed(made, [*kept[:place], *labels, *[None] * own, *kept[place:]])

    def own_place(self, label: Value, labels: Labels, shape: Shape) -> Node:
        """For each element of an array with these first axes, where it is along one of them."""
        at = self.spread(self.arange(ZERO, self.length(label)), (label,), labels)
        return broadcast(at, shape, range(len(labels), len(shape)))

    def collapsed(self, node: Node, axes: list[Value | None]) -> Labelled:
        """Labelled axes first; a label that stands twice reads the diagonal."""
        labels = tuple(dict.fromkeys(i for i in axes if i is not None))
        names = {label: k for k, label in enumerate(labels)}
        own = [k for k, i in enumerate(axes) if i is None]
        if len(labels) + len(own) < len(axes):
            numbers = [names[i] if i is not None else len(labels) + k for k, i in enumerate(axes)]
            result = (*range(len(labels)), *(len(labels) + k for k in own))
            return _one(diagonal(node, tuple(numbers), result), labels)
        order = [axes.index(label) for label in labels] + own
        return _one(transpose(node, order), labels)

    # ---- affine indices ---------------------------------------------------------------------

    def affine(self, value: Value) -> Affine | None:
        """An int as a multiple of one index and a size; None if it is more than that."""
        if value in self.ranges:
            return Affine(value, 1, ZERO)
        match value.form:
            case "constant":
                return Affine(None, 0, Dim.of(int(str(value.attribute("value")))))
            case "size":
                return Affine(None, 0, Dim.of(value.attribute("dim")))  # type: ignore[arg-type]
            case "argument":
                return Affine(None, 0, Dim.of(str(value.name)))
            case "bind":
                return self.affine(value.args[0])
            case "neg" | "add" | "sub" | "mul":
                parts = [self.affine(a) for a in value.args]
                if any(p is None for p in parts):
                    return None
                return _combined(value.form, [p for p in parts if p is not None])
        return None

    def sliding(self, value: Value) -> Sliding | None:
        """An int made of two indices with ranges of their own, if what it reaches is an interval
        also where one of them takes no value."""
        while value.form == "bind":
            (value,) = value.args
        if value.form not in ("add", "sub"):
            return None
        x, y = map(self.affine, value.args)
        if x is None or y is None:
            left, right = (self.sliding(a) for a in value.args)
            inner, rest = (left, y) if right is None else (right, x)
            if inner is None or rest is None or rest.index is not None:
                return None
            if value.form == "sub" and right is not None:
                return None
            sign = -1 if value.form == "sub" else 1
            return replace(inner, offset=inner.offset + rest.offset * sign)
        sign = -1 if value.form == "sub" else 1
        if x.index is None or y.index is None or {x.index, y.index} & self.bounded.keys():
            return None
        parts = [(x.index, x.coefficient), (y.index, sign * y.coefficient)]
        parts.sort(key=lambda part: (part[1] < 0, self.order[part[0]]))
        (outer, stride), (inner_, step) = parts
        if stride < 1 or abs(step) != 1:
            return None
        offset = x.offset + y.offset * sign
        found = Sliding(outer, stride, inner_, step < 0, offset)
        count, size = self.length(outer), self.length(inner_)
        reach = (count - 1) * stride + size
        is_interval = _is_at_least(count, 1) or _is_at_least(size, stride)
        return found if is_interval or all(c >= 0 for _, c in reach.terms) else None


def _is_at_least(d: Dim, least: int) -> bool:
    return (d.constant or 0) >= least


def _combined(op: str, parts: Sequence[Affine]) -> Affine | None:
    x = parts[0]
    if op == "neg":
        return Affine(x.index, -x.coefficient, -x.offset)
    y = parts[1]
    if op == "mul":
        if x.index is not None:
            x, y = y, x
        factor = x.offset.constant
        if x.index is not None or (factor is None and y.index is not None):
            return None
        if y.index is None:
            return Affine(None, 0, x.offset * y.offset)
        assert factor is not None
        return (
            Affine(y.index, y.coefficient * factor, y.offset * factor)
            if factor
            else Affine(None, 0, ZERO)
        )
    sign = 1 if op == "add" else -1
    if x.index is not None and y.index is not None and x.index is not y.index:
        return None
    index = x.index or y.index
    coefficient = x.coefficient + sign * y.coefficient
    offset = x.offset + y.offset * sign
    return Affine(index if coefficient else None, coefficient, offset)


def _one(node: Node, labels: Labels) -> Labelled:
    return Labelled(((node, labels),))


def _type(value: Value | Node) -> Type:
    assert isinstance(value.type, Type)
    return value.type


def diagonal(node: Node, operand: tuple[int, ...], result: tuple[int, ...]) -> Node:
    """Axes of one number read together; of any dtype."""
    if node.array.dtype != "bool":
        return contract((node,), (operand,), result)
    as_int = node.pool.make("to_int", (node,), node.array.with_dtype("int"))
    made = contract((as_int,), (operand,), result)
    zero = node.pool.constant(0, made.array)
    return node.pool.make("ne", (made, zero), made.array.with_dtype("bool"))


# ---- forms ---------------------------------------------------------------------------------

OVER = {
    "sum": "sum",
    "prod": "prod_over",
    "min": "min_over",
    "max": "max_over",
    "any": "any_over",
    "all": "all_over",
}
REDUCTIONS = {
    **{f"{name}_over": op for name, op in OVER.items()},
    **{op: op for op in OVER.values()},
    "argmax_over": "argmax_over",
    "argmin_over": "argmin_over",
}


def size(pool: Pool, value: Value) -> Node:
    dim = value.attribute("dim")
    assert isinstance(dim, Dim)
    return size_node(pool, dim)


def size_node(pool: Pool, dim: Dim) -> Node:
    """A size as an int."""
    n = dim.constant
    if n is not None:
        return pool.constant(n, Type("int"))
    return pool.make("size", (), Type("int"), dim=dim)


def arange(pool: Pool, start: Dim, length: Dim) -> Node:
    return pool.make("arange", (), Type("int", (length,)), start=start)


def shifted(form: str, value: Value | Node, nodes: Sequence[Node], lead: Shape) -> Node:
    """The node of a tensor form, or of the op of a node; its operands, and so it, have further
    first axes `lead`."""
    rule = FORMS.get(form)
    if rule is not None:
        return rule(value, nodes, lead)
    axes = _shift(value.attribute("axes"), len(lead))
    return build(REDUCTIONS[form], nodes, axes=axes)


def _shift(axes: Any, n: int) -> tuple[int, ...]:
    return tuple(a + n for a in axes)


def _contract(value: Value | Node, nodes: Sequence[Node], lead: Shape) -> Node:
    operands: Any = value.attribute("operands")
    result: Any = value.attribute("result")
    n = len(lead)
    first = tuple(range(n))
    return contract(
        nodes, [(*first, *_shift(one, n)) for one in operands], (*first, *_shift(result, n))
    )


def _items(value: Value | Node, n: int) -> tuple[Any, ...]:
    written: Any = value.attribute("items")
    return (*(("all",) for _ in range(n)), *written)


def _windows(value: Value | Node, nodes: Sequence[Node], lead: Shape) -> Node:
    return build(
        "windows",
        nodes,
        axes=_shift(value.attribute("axes"), len(lead)),
        sizes=value.attribute("sizes"),
        strides=value.attribute("strides"),
    )


def _pad(value: Value | Node, nodes: Sequence[Node], lead: Shape) -> Node:
    none = tuple(ZERO for _ in lead)
    before: Any = value.attribute("before")
    after: Any = value.attribute("after")
    return build("pad", nodes, before=(*none, *before), after=(*none, *after))


FORMS: dict[str, Callable[[Value | Node, Sequence[Node], Shape], Node]] = {
    "broadcast": lambda v, xs, lead: broadcast(
        xs[0], (*lead, *_type(v).shape), _shift(v.attribute("axes"), len(lead))
    ),
    "reshape": lambda v, xs, lead: reshape(xs[0], (*lead, *_type(v).shape)),
    "transpose": lambda v, xs, lead: transpose(
        xs[0], (*range(len(lead)), *_shift(v.attribute("order"), len(lead)))
    ),
    "contract": _contract,
    "cumsum": lambda v, xs, lead: build(
        "cumsum", xs, axis=int(str(v.attribute("axis"))) + len(lead), reverse=False
    ),
    "take": lambda v, xs, lead: build("take", xs, items=_items(v, len(lead))),
    "put": lambda v, xs, lead: build(
        "put", xs, items=_items(v, len(lead)), adds=v.attribute("adds")
    ),
    "concat": lambda v, xs, lead: build(
        "concat", xs, axis=int(str(v.attribute("axis"))) + len(lead)
    ),
    "flip": lambda v, xs, lead: build("flip", xs, axes=_shift(v.attribute("axes"), len(lead))),
    "pad": _pad,
    "windows": _windows,
    "det": lambda v, xs, lead: build("det", xs),
    "inv": lambda v, xs, lead: build("inv", xs),
    "solve": lambda v, xs, lead: build("solve", xs),
    "cholesky": lambda v, xs, lead: build("cholesky", xs),
    "to_real": lambda v, xs, lead: xs[0].pool.make(
        "to_real", xs, Type("real", (*lead, *_type(v).shape))
    ),
}
