"""Keep arrays small and let products be contractions.

    exp(broadcast(b))                 ->  broadcast(exp(b))
    sum(broadcast(x))                 ->  x times the sizes
    sum(x*broadcast(w), axis)         ->  contract(x, w)
    contract(w, A, x; (), (i, j), (j) -> (i))  ->  w*contract(A, x)
    contract(x, A, y; (i), (i, j), (j))        ->  contract(contract(x, A), y)
    transpose(contract(A, B))                  ->  contract(B, A)
    overlap_add(contract(g, k; (i), (w) -> (i, w)))  ->  contract(windows(pad(g)), flip(k))

So nothing is repeated along an axis before it is summed over it, and every contraction has at most
two operands: the pair with the least result goes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph, remake, rewrite
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import INT, REAL, Dim, Shape, Type
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.ops.structural import (
    Indices,
    broadcast,
    build,
    contract,
    contract_lists,
    index_sizes,
    reshape,
    sum_axes,
    transpose,
)
from mgrad.compiler.ops.windows import windows

ONE, ZERO = Dim.of(1), Dim.of(0)
SMALLEST = Fraction(1, 1024)  # of constants that are taken out of sums
MOST = 64  # terms of a sum that are looked at together

_Placed = tuple[Node, int, Dim]  # a part of an array, the axis that it lies along, where it begins


def run(graph: Graph) -> Graph:
    if not any(_has_axes(node) for node in graph.nodes()):
        return graph
    uses, names = graph.uses(), graph.notes.names

    def rule(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op == "sum":
            (x,), (old,) = inputs, node.inputs
            is_negative = old.op == "neg" and x.op == "neg"
            old = old.inputs[0] if is_negative else old
            if old.op == "sum" and uses[old] > 1:  # it is there, and the shorter of the two
                return -sum_axes(x.inputs[0], _axes(node)) if is_negative else remake(node, inputs)
        made = shaped(remake(node, inputs))
        if node.op == "transpose" and uses[node.inputs[0]] == 1 and node.inputs[0] not in names:
            return _turned_product(made)
        return made

    return rewrite(graph, rule)


def _turned_product(node: Node) -> Node:
    """A product with its axes in another order; it is read nowhere else."""
    if node.op != "transpose" or node.inputs[0].op != "contract":
        return node
    (x,) = node.inputs
    operands, result = contract_lists(x)
    return contract(x.inputs, operands, tuple(result[a] for a in _axes(node, "order")))


def _has_axes(node: Node) -> bool:
    return isinstance(node.type, Type) and bool(node.type.shape)


def shaped(node: Node) -> Node:
    """The node in the form above; its operands have it already."""
    match node.op:
        case "broadcast":
            return _broadcast(node)
        case "reshape":
            return _reshape(node)
        case "transpose":
            return transpose(node.inputs[0], _axes(node, "order"))
        case "sum":
            return _sum(node)
        case "contract":
            return _contract(node)
        case "overlap_add":
            return _correlated(node)
    if node.op == "add":
        together = _put_together(node)
        if together is not node:
            return together
    if node.op == "neg" and node.inputs[0].op == "neg":
        return node.inputs[0].inputs[0]
    if node.op == "mul" and {i.op for i in node.inputs} == {"constant", "neg"}:
        constant, negative = sorted(node.inputs, key=lambda i: i.op)
        value = constant.value
        if not isinstance(value, bool):
            opposite = node.pool.constant(-value, constant.array)
            return opposite * negative.inputs[0]
    if node.op in TABLE and _has_axes(node):
        return _without_ones(_outwards(node))
    return node


def _axes(node: Node, key: str = "axes") -> tuple[int, ...]:
    axes = node.attribute(key)
    assert isinstance(axes, tuple)
    return axes


def _broadcast(node: Node) -> Node:
    """One broadcast for two; of a constant a constant."""
    (x,) = node.inputs
    if x.op == "broadcast":
        kept = [a for a in range(len(node.array.shape)) if a not in _axes(node)]
        axes = (*_axes(node), *(kept[a] for a in _axes(x)))
        return broadcast(x.inputs[0], node.array.shape, axes)
    return broadcast(x, node.array.shape, _axes(node))


def _reshape(node: Node) -> Node:
    """One reshape for two; `x[:, :1]` without its axis of one is `x[:, 0]`."""
    (x,) = node.inputs
    if x.op == "take" and len(x.inputs) == 1:
        items = x.attribute("items")
        assert isinstance(items, tuple)
        axis = 0
        for k, item in enumerate(items):
            if item[0] == "at":
                continue
            shape = (*x.array.shape[:axis], *x.array.shape[axis + 1 :])
            if item[0] == "slice" and x.array.shape[axis] == ONE and shape == node.array.shape:
                single = (*items[:k], ("at", item[1]), *items[k + 1 :])
                return node.pool.make("take", x.inputs, node.array, items=single)
            axis += 1
    return reshape(x, node.array.shape)


def _outwards(node: Node) -> Node:
    """An op of operands that are all repeated along some axes is repeated itself."""
    common: set[int] | None = None
    for operand in node.inputs:
        if operand.op == "constant":
            continue
        if operand.op != "broadcast":
            return node
        axes = set(_axes(operand))
        common = axes if common is None else common & axes
    if not common:
        return node
    shape = node.array.shape
    kept = [a for a in range(len(shape)) if a not in common]
    thin = tuple(shape[a] for a in kept)
    inputs = [_without(i, common, kept, thin) for i in node.inputs]
    inner = node.pool.make(node.op, inputs, Type(node.array.dtype, thin), **dict(node.attributes))
    return broadcast(shaped(inner), shape, sorted(common))


def _without_ones(node: Node) -> Node:
    """An op of operands to which an axis of 1 was added is done before that."""
    if node.op not in TABLE:
        return node
    shapes = {i.inputs[0].array.shape for i in node.inputs if i.op == "reshape"}
    if len(shapes) != 1 or any(i.op not in ("reshape", "constant") for i in node.inputs):
        return node
    (thin,) = shapes
    kept = tuple(d for d in node.array.shape if d != ONE)
    if len(thin) >= len(node.array.shape) or kept != tuple(d for d in thin if d != ONE):
        return node
    inputs = [
        i.inputs[0] if i.op == "reshape" else i.pool.constant(i.value, Type(i.array.dtype, thin))
        for i in node.inputs
    ]
    inner = node.pool.make(node.op, inputs, Type(node.array.dtype, thin), **dict(node.attributes))
    return reshape(shaped(inner), node.array.shape)


def _put_together(node: Node) -> Node:
    """A sum of parts of an array that lie beside each other, zeros around them, as one part. So
    the gradient of what was split, or taken apart by number, is put together again."""
    terms: list[Node] = []
    stack = [node]
    while stack:
        term = stack.pop()
        if term.op == "add" and len(terms) + len(stack) < MOST:
            stack += reversed(term.inputs)
        else:
            terms.append(term)
    placed = [(p, t) for t in terms if (p := _placed(t)) is not None]
    if len(placed) < 2 or len({axis for (_, axis, _), _ in placed}) > 1:
        return node
    starts = {p[2]: (p, t) for p, t in placed}
    if len(starts) < len(placed):
        return node
    rest = [t for t in terms if all(t is not other for _, other in placed)]
    runs: list[list[_Placed]] = []
    ends = {p[2] + p[0].array.shape[p[1]] for p, _ in placed}
    for start in [s for s in starts if s not in ends]:
        run = [starts.pop(start)[0]]
        while (end := run[-1][2] + run[-1][0].array.shape[run[-1][1]]) in starts:
            run.append(starts.pop(end)[0])
        runs.append(run)
    if starts or all(len(run) == 1 for run in runs):
        return node
    total: Node | None = None
    for made in (*rest, *(_joined_run(run, node.array.shape) for run in runs)):
        total = made if total is None else total + made
    assert total is not None
    return total


def _joined_run(run: Sequence[_Placed], shape: Shape) -> Node:
    """Parts that follow one another, as an array of the shape."""
    _, axis, before = run[0]
    xs = [part for x, _, _ in run for part in _parts(x, axis)]
    joined = build("concat", xs, axis=axis) if len(xs) > 1 else xs[0]
    if joined.array.shape == shape:
        return joined
    none = [Dim.of(0)] * len(shape)
    after = shape[axis] - before - joined.array.shape[axis]
    return build(
        "pad",
        (joined,),
        before=(*none[:axis], before, *none[axis + 1 :]),
        after=(*none[:axis], after, *none[axis + 1 :]),
    )


def _parts(x: Node, axis: int) -> tuple[Node, ...]:
    """What a concatenation along the axis is made of."""
    return x.inputs if x.op == "concat" and x.attribute("axis") == axis else (x,)


def _placed(node: Node) -> _Placed | None:
    """A part of an array of zeros: what it is, along which axis it lies, and where it begins."""
    if node.op == "pad":
        before, after = node.attribute("before"), node.attribute("after")
        assert isinstance(before, tuple) and isinstance(after, tuple)
        zero = Dim.of(0)
        axes = [a for a in range(len(before)) if before[a] != zero or after[a] != zero]
        return (node.inputs[0], axes[0], before[axes[0]]) if len(axes) == 1 else None
    if node.op == "put" and node.inputs[0].op == "constant" and node.inputs[0].value == 0:
        items = node.attribute("items")
        assert isinstance(items, tuple)
        axes = [a for a, item in enumerate(items) if item != ("all",)]
        if len(axes) != 1 or items[axes[0]][0] not in ("at", "slice") or len(node.inputs) != 2:
            return None
        axis, item, value = axes[0], items[axes[0]], node.inputs[1]
        if item[0] == "slice":
            return (value, axis, item[1]) if item[3] == 1 else None
        shape = (*value.array.shape[:axis], ONE, *value.array.shape[axis:])
        return reshape(value, shape), axis, item[1]
    return None


def _without(operand: Node, gone: set[int], kept: Sequence[int], shape: tuple[Dim, ...]) -> Node:
    """A constant, or what a broadcast repeats, without some of the axes."""
    if operand.op == "constant":
        return operand.pool.constant(operand.value, Type(operand.array.dtype, shape))
    left = [kept.index(a) for a in _axes(operand) if a not in gone]
    return broadcast(operand.inputs[0], shape, left)


def _sum(node: Node) -> Node:
    (x,) = node.inputs
    axes = _axes(node)
    if node.array.dtype != "real":
        return node
    if x.op == "sum":
        rank = len(x.inputs[0].array.shape)
        outer = [a for a in range(rank) if a not in _axes(x)]
        return shaped(sum_axes(x.inputs[0], (*_axes(x), *(outer[a] for a in axes))))
    if x.op == "constant":
        return _times(x.pool.constant(x.value, node.array), [x.array.shape[a] for a in axes])
    if x.op == "broadcast":
        repeated = [a for a in axes if a in _axes(x)]
        if repeated:
            sizes = [x.array.shape[a] for a in repeated]
            kept = [a for a in range(len(x.array.shape)) if a not in repeated]
            shape = tuple(x.array.shape[a] for a in kept)
            inner = broadcast(
                x.inputs[0], shape, [kept.index(a) for a in _axes(x) if a not in repeated]
            )
            rest = [kept.index(a) for a in axes if a not in repeated]
            return _times(shaped(sum_axes(inner, rest)) if rest else inner, sizes)
    if x.op == "add" and len(axes) == len(x.array.shape) and all(map(_is_square, x.inputs)):
        left, right = (shaped(sum_axes(i, axes)) for i in x.inputs)
        return left + right
    if x.op == "neg":
        return -shaped(sum_axes(x.inputs[0], axes))
    if x.op == "mul":
        left, right = x.inputs
        whole = len(axes) == len(x.array.shape)
        if whole or any(_is_repeated(i, axes) for i in (left, right)):
            every = tuple(range(len(x.array.shape)))
            result = tuple(a for a in every if a not in axes)
            return _contract(contract((left, right), (every, every), result))
    return node


def _is_square(x: Node) -> bool:
    """Whether x is a positive multiple of a square. Sums of such may be summed up one by one: they
    do not cancel."""
    if x.op != "mul":
        return False
    left, right = x.inputs
    scaled = _scaled(left)
    return left is right or (scaled is not None and scaled[1] is right and scaled[0] > 0)


def _is_repeated(operand: Node, axes: Sequence[int]) -> bool:
    return operand.op == "broadcast"


def _times(x: Node, sizes: Sequence[Dim]) -> Node:
    """x times some sizes."""
    total = ONE
    for d in sizes:
        total = total * d
    if total == ONE:
        return x
    n = total.constant
    if n is not None:
        return n * x
    size = x.pool.make("size", (), INT, dim=total)
    if x.array.dtype == "real":
        size = x.pool.make("to_real", (size,), REAL)
    wide = broadcast(size, x.array.shape, range(len(x.array.shape)))
    return shaped(x * wide)


# ---- contractions --------------------------------------------------------------------------


def _correlated(node: Node) -> Node:
    """Windows of a product of what is at a place and what is at a place in a window, added up: a
    contraction of windows of the one, with the other turned round."""
    (y,) = node.inputs
    sizes, strides = _dims(node, "sizes"), node.attribute("strides")
    if y.op != "contract" or any(d.constant is None or d.constant < 1 for d in sizes):
        return node
    assert isinstance(strides, tuple)
    lists, result = contract_lists(y)
    rank = len(node.array.shape)
    outer, inner = [result[a] for a in _axes(node)], result[rank:]
    moving = [k for k, own in enumerate(lists) if set(own) & set(outer)]
    if set(strides) != {1} or len(moving) != 1 or len(set(result)) < len(result):
        return node
    (k,) = moving
    own = lists[k]
    if not set(outer) <= set(own) or set(inner) & set(own) or len(set(own)) < len(own):
        return node
    places = [own.index(i) for i in outer]
    widths = [ZERO] * len(own)
    for place, d in zip(places, sizes, strict=True):
        widths[place] = d - 1
    padded = build("pad", (y.inputs[k],), before=tuple(widths), after=tuple(widths))
    xs = [_reversed(x, one, inner) for x, one in zip(y.inputs, lists, strict=True)]
    xs[k] = windows(padded, places, sizes, strides)
    lists = tuple((*one, *inner) if one is own else one for one in lists)
    return _contract(contract(xs, lists, result[:rank]))


def _reversed(x: Node, own: Indices, inner: Indices) -> Node:
    axes = tuple(a for a, i in enumerate(own) if i in inner)
    return build("flip", (x,), axes=axes) if axes and x.op != "constant" else x


def _dims(node: Node, key: str) -> tuple[Dim, ...]:
    dims = node.attribute(key)
    assert isinstance(dims, tuple)
    return dims


def _contract(node: Node) -> Node:
    operands = node.attribute("operands")
    result = node.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    sizes = index_sizes(node.inputs, operands)
    pool = node.pool
    number = Type(node.array.dtype)
    if any(d == Dim.of(0) for d in sizes.values()):
        return node
    scalars: list[Node] = []
    negative = False
    xs: list[Node] = []
    lists: list[Indices] = []
    for x, own in zip(node.inputs, operands, strict=True):
        # what is repeated along an axis does not depend on its index
        while True:
            if x.op == "neg":
                x, negative = x.inputs[0], not negative
            elif x.op == "broadcast":
                own = tuple(i for a, i in enumerate(own) if a not in _axes(x))
                x = x.inputs[0]
            elif x.op == "transpose":
                order = _axes(x, "order")
                own = tuple(own[order.index(a)] for a in range(len(own)))
                x = x.inputs[0]
            elif len(result) < len(own) and (factors := _scaled(x)) is not None:
                scalars.append(pool.constant(factors[0], number))
                x = factors[1]
            else:
                break
        if x.op == "constant":
            scalars.append(pool.constant(x.value, number))
        elif not own:
            scalars.append(x)
        elif x.op == "contract" and _is_plain(x):
            inner, listed = _renamed(x, own, max(sizes) + 1 + len(lists) * 64)
            xs += inner
            lists += listed
            sizes.update(index_sizes(inner, listed))
        else:
            xs.append(x)
            lists.append(own)
    present = {i for own in lists for i in own}
    summed = [
        d for i, d in sizes.items() if i not in present and i not in result and i in _all(operands)
    ]
    kept = tuple(i for i in result if i in present)
    repeats = len(set(result)) < len(result)
    if repeats and any(i not in present for i in result):
        # the diagonal of what does not depend on its index: of ones
        ones = tuple(dict.fromkeys(i for i in result if i not in present))
        xs.append(pool.constant(1, Type(number.dtype, tuple(sizes[i] for i in ones))))
        lists.append(ones)
        kept = result
    value = _planned(xs, lists, kept) if xs else None
    shape = tuple(sizes[i] for i in result)
    if value is not None and kept != result:
        value = broadcast(value, shape, [a for a, i in enumerate(result) if i not in present])
    factor: Node | None = None
    for scalar in scalars:
        if scalar.op != "constant" or scalar.value != 1 or value is None:
            factor = scalar if factor is None else factor * scalar
    if factor is not None and summed:
        factor = _times(factor, summed)
    if value is None:
        assert factor is not None
        value = broadcast(factor, shape, range(len(shape)))
    else:
        if summed and factor is None:
            value = _times(value, summed)
        if factor is not None:
            wide = broadcast(factor, shape, range(len(shape)))
            value = shaped(wide * value)
    if not negative:
        return value
    return value.inputs[0] if value.op == "neg" else -value


def _scaled(x: Node) -> tuple[Fraction, Node] | None:
    """A product with a constant, that may as well multiply the sum: one that neither overflows nor
    underflows where the sum does not."""
    if x.op != "mul":
        return None
    left, right = x.inputs
    if right.op == "constant":
        left, right = right, left
    if left.op != "constant" or right.op == "constant":
        return None
    value = left.value
    if not isinstance(value, Fraction) or not SMALLEST <= abs(value) <= 1 / SMALLEST:
        return None
    return value, right


def _all(operands: Sequence[Indices]) -> set[int]:
    return {i for own in operands for i in own}


def _is_plain(x: Node) -> bool:
    """Whether a contraction is a product of vectors and matrices, that others may join."""
    operands = x.attribute("operands")
    result = x.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    return len(set(result)) == len(result) and _all(operands) == set(result)


def _renamed(x: Node, own: Indices, fresh: int) -> tuple[list[Node], list[Indices]]:
    """The operands of a contraction, with the indices that it has as an operand of another."""
    operands = x.attribute("operands")
    result = x.attribute("result")
    assert isinstance(operands, tuple) and isinstance(result, tuple)
    names = dict(zip(result, own, strict=True))
    return list(x.inputs), [tuple(names.get(i, fresh + i) for i in one) for one in operands]


def _planned(xs: list[Node], lists: list[Indices], result: Indices) -> Node:
    """Two operands at a time: the pair whose result has the fewest axes, the first of such."""
    xs, lists = list(xs), list(lists)
    while len(xs) > 2:
        best: tuple[int, int, int, int] | None = None
        for i in range(len(xs)):
            for j in range(i + 1, len(xs)):
                rest = [lists[k] for k in range(len(xs)) if k not in (i, j)]
                made = _joined(lists[i], lists[j], rest, result)
                size = len(set(lists[i]) | set(lists[j]))
                key = (len(made), size, i, j)
                best = key if best is None or key < best else best
        assert best is not None
        i, j = best[2:]
        rest = [lists[k] for k in range(len(xs)) if k not in (i, j)]
        made = _joined(lists[i], lists[j], rest, result)
        node = _pair([xs[i], xs[j]], [lists[i], lists[j]], made)
        xs = [x for k, x in enumerate(xs) if k not in (i, j)]
        xs.insert(i, node)
        rest.insert(i, made)
        lists = rest
    return _pair(xs, lists, result)


def _joined(left: Indices, right: Indices, rest: Sequence[Indices], result: Indices) -> Indices:
    later = {i for own in rest for i in own} | set(result)
    return tuple(dict.fromkeys(i for i in (*left, *right) if i in later))


def _pair(xs: list[Node], lists: list[Indices], result: Indices) -> Node:
    """A contraction of one or two operands; a sum, a transpose or a product where it is one."""
    plain = all(len(set(own)) == len(own) for own in (*lists, result))
    if len(xs) == 1 and plain:
        (x,), (own,) = xs, lists
        gone = [a for a, i in enumerate(own) if i not in result]
        left = [i for i in own if i in result]
        return transpose(sum_axes(x, gone), [left.index(i) for i in result])
    if plain and set(lists[0]) | set(lists[1]) == set(result) and set(lists[0]) & set(lists[1]):
        # nothing is summed: an elementwise product
        a, b = (_spread(x, own, result, xs, lists) for x, own in zip(xs, lists, strict=True))
        return a * b
    return contract(xs, lists, result)


def _spread(x: Node, own: Indices, result: Indices, xs: list[Node], lists: list[Indices]) -> Node:
    sizes = index_sizes(xs, lists)
    order = sorted(range(len(own)), key=lambda a: result.index(own[a]))
    shape = tuple(sizes[i] for i in result)
    return broadcast(transpose(x, order), shape, [a for a, i in enumerate(result) if i not in own])
