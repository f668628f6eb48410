"""How NumPy spells the ops that move between shapes.

NumPy broadcasts by itself, so a `broadcast` is `x`, where the axes that it adds lead, or
`x[:, None]`. The text of a node may then lack axes that the node has: it is *thin* along them.
Elementwise ops take thin operands; whatever needs the whole shape gets `np.broadcast_to`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgrad.compiler.backends.layout import tuple_of
from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, FloorDiv, Shape, Type
from mgrad.compiler.ops.op import ATOM, PRODUCT, SUM
from mgrad.compiler.schedule.sizes import ones
from mgrad.compiler.schedule.steps import memories

LETTERS = "ijklmnopqrstuvwxyzabcdefgh"
REDUCTIONS = {  # methods of arrays, half the price of the functions of the same name
    "sum": "sum",
    "prod_over": "prod",
    "max_over": "max",
    "min_over": "min",
    "any_over": "any",
    "all_over": "all",
    "argmax_over": "argmax",
    "argmin_over": "argmin",
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the spelling of one node may ask for."""

    operand: Callable[[Node, int], str]  # text, in parentheses if it binds looser; may be thin
    piece: Callable[[Node], tuple[str, int]]  # text, and how tightly it binds
    use: Callable[[str], str]  # the name of something imported
    names: Mapping[Node, str]
    sizes: Mapping[str, str]  # a dimension's name in the text
    thin: Callable[[Node], frozenset[int]]  # the axes that the text of a node lacks
    is_planned: bool = False  # whether results are written into memory that is there

    def whole(self, node: Node, binds: int = 0) -> str:
        """The operand with every axis of its type."""
        if not self.thin(node):
            return self.operand(node, binds)
        shape = self.shape(node.array.shape)
        if node.op == "constant":
            return self.filled(node)
        return f"{self.use('np.broadcast_to')}({self.operand(node, 0)}, {shape})"

    def filled(self, node: Node) -> str:
        """A constant array."""
        value, shape = node.value, self.shape(node.array.shape)
        dtype = {"real": "", "int": ", dtype=int", "bool": ", dtype=bool"}[node.array.dtype]
        if value == 0 and not isinstance(value, bool):
            return f"{self.use('np.zeros')}({shape}{dtype})"
        if value == 1 and not isinstance(value, bool):
            return f"{self.use('np.ones')}({shape}{dtype})"
        return f"{self.use('np.full')}({shape}, {self.operand(node, 0)})"

    def dim(self, d: Dim, binds: int = 0) -> str:
        text, own = dim_text(d, self.sizes)
        return f"({text})" if own < binds else text

    def shape(self, shape: Shape) -> str:
        return tuple_of(map(self.dim, shape))


def dim_text(d: Dim, sizes: Mapping[str, str]) -> tuple[str, int]:
    """A size as Python, and how tightly it binds."""
    if not d.terms:
        return "0", ATOM
    parts: list[str] = []
    binds = ATOM
    for monomial, coefficient in d.terms:
        factors = [str(abs(coefficient))] if abs(coefficient) != 1 or not monomial else []
        leads_minus = coefficient < 0 and not parts
        is_alone = not leads_minus and not factors and len(monomial) == 1
        for atom, power in monomial:
            text = _atom(atom, sizes)
            if isinstance(atom, FloorDiv):
                if is_alone and power == 1:
                    binds = min(binds, PRODUCT)
                else:  # 2*n//3 is (2*n)//3, and -n//2 is (-n)//2
                    text = f"({text})"
            factors.append(text if power == 1 else f"{text}**{power}")
        text = "*".join(factors)
        if len(factors) > 1:
            binds = min(binds, PRODUCT)
        if parts:
            parts.append(f"{'-' if coefficient < 0 else '+'} {text}")
        else:
            parts.append(f"-{text}" if leads_minus else text)
    return " ".join(parts), SUM if len(parts) > 1 or parts[0].startswith("-") else binds


def _atom(atom: str | FloorDiv, sizes: Mapping[str, str]) -> str:
    if isinstance(atom, str):
        return sizes.get(atom, atom)
    sides = []
    for side in (atom.numerator, atom.divisor):
        text, binds = dim_text(side, sizes)
        sides.append(f"({text})" if binds <= PRODUCT else text)
    return "//".join(sides)


def spell(node: Node, context: Context) -> tuple[str, int]:
    """The text of a structural node, and how tightly it binds."""
    use = context.use
    inputs = node.inputs
    attributes: dict[str, Any] = dict(node.attributes)
    op = node.op
    if op in REDUCTIONS:
        return reduction(node, context), ATOM
    match op:
        case "broadcast":
            return _broadcast(node, context)
        case "size":
            return dim_text(attributes["dim"], context.sizes)
        case "arange":
            start = attributes["start"]
            stop = context.dim(start + node.array.shape[0])
            bounds = stop if not start.terms else f"{context.dim(start)}, {stop}"
            return f"{use('np.arange')}({bounds})", ATOM
        case "reshape":
            return _reshape(node, context)
        case "transpose":
            return _transpose(node, context), ATOM
        case "contract":
            return _contract(node, context)
        case "take":
            return _take(node, context), ATOM
        case "put":
            return _put(node, context), ATOM
        case "concat":
            return _concat(node, context), ATOM
        case "flip":
            axes = attributes["axes"]
            x = context.whole(inputs[0], ATOM)
            if len(axes) == 1:
                return f"{x}[{', '.join([':'] * axes[0] + ['::-1'])}]", ATOM
            return f"{use('np.flip')}({x}, axis={axes})", ATOM
        case "pad":
            sides = zip(attributes["before"], attributes["after"], strict=True)
            widths = ", ".join(f"({context.dim(b)}, {context.dim(a)})" for b, a in sides)
            name = use("mgrad.runtime.tensors.padded")
            return f"{name}({context.whole(inputs[0])}, {widths})", ATOM
        case "cumsum":
            axis = attributes["axis"]
            if not attributes.get("reverse"):
                return f"{use('np.cumsum')}({context.whole(inputs[0])}, axis={axis})", ATOM
            back = ", ".join([":"] * axis + ["::-1"])
            x = context.whole(inputs[0], ATOM)
            return f"{use('np.cumsum')}({x}[{back}], axis={axis})[{back}]", ATOM
        case "windows":
            sizes = context.shape(attributes["sizes"])
            more = f"{sizes}, {attributes['strides']}, {attributes['axes']}"
            name = use("mgrad.runtime.tensors.windows")
            return f"{name}({context.whole(inputs[0])}, {more})", ATOM
        case "overlap_add":
            shape = context.shape(node.array.shape)
            more = f"{shape}, {attributes['strides']}, {attributes['axes']}"
            name = use("mgrad.runtime.tensors.overlap_add")
            return f"{name}({context.whole(inputs[0])}, {more})", ATOM
        case "inv" | "cholesky" | "solve" | "cofactor":
            given = ", ".join(context.whole(i) for i in inputs)
            return f"{use('mgrad.runtime.tensors.' + op)}({given})", ATOM
        case "det":
            return f"{use('np.linalg')}.det({context.whole(inputs[0])})", ATOM
        case "tril":
            below = f", {attributes['diagonal']}" if attributes.get("diagonal") else ""
            return f"{use('np.tril')}({context.whole(inputs[0])}{below})", ATOM
        case "solve_triangular":
            parts = [context.whole(i) for i in inputs]
            parts += [f"{k}={v}" for k, v in attributes.items() if v is not False]
            return f"{use('mgrad.runtime.tensors.' + op)}({', '.join(parts)})", ATOM
        case "prod_others" | "logsumexp" | "softmax":
            return remembering(node, context), ATOM
    raise InternalError("print", f"the numpy target cannot spell {node!r}")


def remembering(node: Node, context: Context) -> str:
    """The call of a function of the runtime, with the memory that is planned for it."""
    parts = [context.whole(node.inputs[0]), str(node.attribute("axes"))]
    parts += [context.whole(i) for i in node.inputs[1:]]
    planned = [(key, context.names.get(memory, "")) for key, memory in memories(node).items()]
    parts += [f"{key}={name}" for key, name in planned if name]
    return f"{context.use('mgrad.runtime.tensors.' + node.op)}({', '.join(parts)})"


def _axis(axes: Sequence[int], rank: int) -> list[str]:
    """`axis=1`, or nothing where all axes go."""
    if len(axes) == rank:
        return []
    return [f"axis={axes[0]}" if len(axes) == 1 else f"axis={tuple(axes)}"]


def reduction(node: Node, context: Context, *more: str) -> str:
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    (x,) = node.inputs
    given = ", ".join([*_axis(axes, len(x.array.shape)), *more])
    return f"{context.whole(x, ATOM)}.{REDUCTIONS[node.op]}({given})"


def _broadcast(node: Node, context: Context) -> tuple[str, int]:
    (x,) = node.inputs
    axes = node.attribute("axes")
    assert isinstance(axes, tuple)
    if axes == tuple(range(len(axes))):
        return context.piece(x)
    same = x.op in REDUCTIONS and x not in context.names and x.attribute("axes") == axes
    if same and len(axes) < len(node.array.shape):
        return reduction(x, context, "keepdims=True"), ATOM
    rank = len(node.array.shape)
    places = ["None" if a in axes else ":" for a in range(rank)]
    while places[0] == "None":
        places.pop(0)
    while places[-1] == ":":
        places.pop()
    return f"{context.whole(x, ATOM)}[{', '.join(places)}]", ATOM


def _transpose(node: Node, context: Context) -> str:
    text = transposed(node, context)
    if "is_contiguous" in dict(node.attributes) and not context.is_planned:
        return f"{context.use('np.ascontiguousarray')}({text})"
    return text


def transposed(node: Node, context: Context) -> str:
    """A view with the axes in another order."""
    (x,) = node.inputs
    if node.attribute("order") == (1, 0):
        return f"{context.whole(x, ATOM)}.T"
    return f"{context.use('np.transpose')}({context.whole(x)}, {node.attribute('order')})"


def _reshape(node: Node, context: Context) -> tuple[str, int]:
    (x,) = node.inputs
    old, new = x.array.shape, node.array.shape
    text = context.whole(x, ATOM)
    inserted = ones(old, new)
    if inserted is not None:
        places = ["None" if a in inserted else ":" for a in range(len(new))]
        while places[-1] == ":":
            places.pop()
        if not old:
            return f"{context.use('np.reshape')}({text}, {context.shape(new)})", ATOM
        return f"{text}[{', '.join(places)}]", ATOM
    dropped = ones(new, old)
    if dropped is not None:
        places = ["0" if a in dropped else ":" for a in range(len(old))]
        while places[-1] == ":":
            places.pop()
        return f"{text}[{', '.join(places)}]", ATOM
    return f"{text}.reshape({', '.join(context.dim(d) for d in new)})", ATOM


# ---- parts ---------------------------------------------------------------------------------


def _bound(d: Dim, size: Dim, context: Context) -> str:
    """The bound of a slice; from the end where that needs no name."""
    if d.constant is None and (back := (d - size).constant) is not None and back < 0:
        return str(back)
    return context.dim(d)


def items_text(items: Any, shape: Shape, ints: Sequence[Node], context: Context) -> str:
    parts: list[str] = []
    for item, size in zip(items, shape, strict=True):
        match item[0]:
            case "all":
                parts.append(":")
            case "at":
                parts.append(_bound(item[1], size, context))
            case "by":
                parts.append(context.operand(ints[item[1]], 0))
            case _:
                start, stop, step = item[1:]
                first = "" if not start.terms and step > 0 else _bound(start, size, context)
                last = "" if stop == size and step > 0 else _bound(stop, size, context)
                parts.append(f"{first}:{last}" + (f":{step}" if step != 1 else ""))
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)


def _take(node: Node, context: Context) -> str:
    text, items, shape = taken(node, context)
    ints = node.inputs[1:]
    advanced = [k for k, item in enumerate(items) if item[0] == "by" and ints[item[1]].array.shape]
    text = f"{text}[{items_text(items, shape, ints, context)}]"
    if advanced and advanced[-1] - advanced[0] + 1 != len(advanced):
        # NumPy moves what separate arrays index to the front
        rank = len(ints[items[advanced[0]][1]].array.shape)
        place = advanced[0]
        source, target = tuple(range(rank)), tuple(range(place, place + rank))
        text = f"{context.use('np.moveaxis')}({text}, {source}, {target})"
    return text


def taken(node: Node, context: Context) -> tuple[str, Any, Shape]:
    """What a `take` chooses from, the items of its index, and the sizes of the axes that they are
    of: a number beside an array would count as one for NumPy, so that it goes first."""
    x, ints = node.inputs[0], node.inputs[1:]
    items: Any = node.attribute("items")
    shape = x.array.shape
    text = context.whole(x, ATOM)
    numbers = [
        k
        for k, item in enumerate(items)
        if item[0] == "at" or (item[0] == "by" and not ints[item[1]].array.shape)
    ]
    if numbers and any(i.array.shape for i in ints):
        first = [items[k] if k in numbers else ("all",) for k in range(len(items))]
        text = f"{text}[{items_text(first, shape, ints, context)}]"
        rest = [k for k in range(len(items)) if k not in numbers]
        items, shape = [items[k] for k in rest], tuple(shape[k] for k in rest)
    return text, items, shape


def _put(node: Node, context: Context) -> str:
    name = "added" if node.attribute("adds") else "replaced"
    given = f"{context.whole(node.inputs[0])}, {places(node, context)}, {placed(node, context)}"
    return f"{context.use('mgrad.runtime.tensors.' + name)}({given})"


def places(node: Node, context: Context) -> str:
    """The index of a `put` as an argument: `k`, or `np.s_[:, k]`."""
    items: Any = node.attribute("items")
    ints = node.inputs[2:]
    if items[0][0] == "by" and all(item[0] == "all" for item in items[1:]):
        return context.operand(ints[items[0][1]], 0)
    return f"{context.use('np.s_')}[{items_text(items, node.array.shape, ints, context)}]"


def placed(node: Node, context: Context) -> str:
    """The values of a `put`, with their axes as the index has them; they may be thin."""
    _, v, *ints = node.inputs
    values = context.operand(v, 0)
    items: Any = node.attribute("items")
    places = [k for k, item in enumerate(items) if item[0] in ("at", "by")]
    arrays = [k for k in places if items[k][0] == "by" and ints[items[k][1]].array.shape]
    before = sum(item[0] in ("all", "slice") for item in items[: arrays[0]]) if arrays else 0
    if before and places[-1] - places[0] >= len(places):
        # what NumPy wants at separate arrays and numbers has the axes of the arrays first
        rank = len(ints[items[arrays[0]][1]].array.shape)
        source, target = tuple(range(before, before + rank)), tuple(range(rank))
        values = f"{context.use('np.moveaxis')}({context.whole(v)}, {source}, {target})"
    return values


def _concat(node: Node, context: Context) -> str:
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    parts = [unstacked(i, axis, context) for i in node.inputs]
    if all(p is not None for p in parts):
        xs = [p for p in parts if p is not None]
        if not xs[0].array.shape:
            return f"{context.use('np.array')}([{', '.join(context.operand(x, 0) for x in xs)}])"
    return joined(node, context)


def joined(node: Node, context: Context, *more: str) -> str:
    """What is stacked or concatenated, of parts with axes."""
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    parts = [unstacked(i, axis, context) for i in node.inputs]
    whole = [p for p in parts if p is not None]
    is_stack = len(whole) == len(parts)
    texts = tuple_of(map(context.whole, whole if is_stack else node.inputs))
    given = ", ".join([texts, *([f"axis={axis}"] if axis else []), *more])
    return f"{context.use('np.stack' if is_stack else 'np.concatenate')}({given})"


def unstacked(part: Node, axis: int, context: Context) -> Node | None:
    """What a part of a `concat` is, if it is something with a new axis there."""
    if part in context.names:
        return None
    if part.op == "constant" and len(part.array.shape) == 1 and part.array.shape[0] == Dim.of(1):
        return part.pool.constant(part.value, Type(part.array.dtype))
    if part.op not in ("reshape", "broadcast"):
        return None
    (x,) = part.inputs
    shape = (*x.array.shape[:axis], Dim.of(1), *x.array.shape[axis:])
    return x if part.array.shape == shape else None


# ---- products ------------------------------------------------------------------------------


def _contract(node: Node, context: Context) -> tuple[str, int]:
    operands: Any = node.attribute("operands")
    result: Any = node.attribute("result")
    xs = node.inputs
    use = context.use
    if len(set(result)) < len(result):
        return _diagonal(node, context)
    if len(xs) == 2:
        if operands[0] == operands[1] and len(operands[0]) == 1 and not result:
            return f"{context.whole(xs[0], ATOM)}.dot({context.whole(xs[1])})", ATOM
        product = _matmul(xs, operands, result, context)
        if product is not None:
            return product
        if operands[0] == operands[1] and not result:
            return f"{use('np.vdot')}({context.whole(xs[0])}, {context.whole(xs[1])})", ATOM
        if len(operands[0]) == len(operands[1]) == 1 and result == operands[0] + operands[1]:
            given = ", ".join(map(context.whole, xs))
            return f"{use('mgrad.runtime.tensors.outer')}({given})", ATOM
        if is_vecdot(operands, result):
            given = ", ".join(map(context.whole, xs))
            return f"{use('np.vecdot')}({given})", ATOM
    if len(xs) == 1 and operands == ((0, 0),):
        name = "np.trace" if not result else "np.diagonal"
        return f"{use(name)}({context.whole(xs[0])})", ATOM
    return f"{use('np.einsum')}({summed(node, result, context)})", ATOM


def is_vecdot(operands: Any, result: Any) -> bool:
    """Whether a contraction of two sums along the last axes, and NumPy aligns the others."""
    one, two = operands
    if (len(one) < 2 and len(two) < 2) or not one or not two or one[-1] != two[-1]:
        return False
    shorter, longer = sorted((tuple(one[:-1]), tuple(two[:-1])), key=len)
    is_aligned = tuple(result) == longer and longer[len(longer) - len(shorter) :] == shorter
    return is_aligned and bool(shorter) and len(set(longer)) == len(longer)


def summed(node: Node, result: Sequence[int], context: Context) -> str:
    """The arguments of `einsum` that give a contraction for these indices."""
    operands: Any = node.attribute("operands")
    letter = {
        i: LETTERS[k] for k, i in enumerate(dict.fromkeys(i for one in operands for i in one))
    }
    spec = ",".join("".join(letter[i] for i in one) for one in operands)
    spec += "->" + "".join(letter[i] for i in result)
    return ", ".join([f'"{spec}"', *(context.whole(x) for x in node.inputs)])


def _diagonal(node: Node, context: Context) -> tuple[str, int]:
    """A result that repeats an index: the values along a diagonal, 0 beside it."""
    operands: Any = node.attribute("operands")
    result: Any = node.attribute("result")
    distinct = tuple(dict.fromkeys(result))
    if result == distinct * 2 and len(distinct) == 1 and operands == (distinct,):
        x = node.inputs[0]
        if x.op == "constant" and x.value == 1:
            dtype = "" if x.array.dtype == "real" else f", dtype={context.use('builtins.int')}"
            return f"{context.use('np.eye')}({context.dim(x.array.shape[0])}{dtype})", ATOM
        return f"{context.use('np.diag')}({context.whole(x)})", ATOM
    inner: list[tuple[int, ...]] = list(operands)
    if len(inner) == 1 and inner[0] == distinct:
        text = context.whole(node.inputs[0])
    else:
        text = f"{context.use('np.einsum')}({summed(node, distinct, context)})"
    places = tuple(distinct.index(i) for i in result)
    return f"{context.use('mgrad.runtime.tensors.on_diagonal')}({text}, {places})", ATOM


def _matmul(
    xs: Sequence[Node], operands: Any, result: Any, context: Context
) -> tuple[str, int] | None:
    """`a @ b` where the contraction is one."""
    sides = matrices(xs, operands, result, context)
    if sides is None:
        return None
    left, right, is_row = sides
    return (f"({left} @ {right})[:, 0]", ATOM) if is_row else (f"{left} @ {right}", PRODUCT)


def matrices(
    xs: Sequence[Node], operands: Any, result: Any, context: Context
) -> tuple[str, str, bool] | None:
    """The texts of a and b where a contraction is `a @ b`, of the last axis of a with the last but
    one of b; and whether it is `(a @ b)[:, 0]`."""
    for (x, one), (y, two) in (
        ((xs[0], operands[0]), (xs[1], operands[1])),
        ((xs[1], operands[1]), (xs[0], operands[0])),
    ):
        if len(set(one)) < len(one) or len(set(two)) < len(two):
            return None
        shared = [i for i in one if i in two and i not in result]
        if len(shared) != 1:
            return None
        k = shared[0]
        if len(one) == 2 and len(two) > 2 and two[-2] == k:
            row = one[0] if one[1] == k else one[1]
            if tuple(result) == (*two[:-2], row, two[-1]):  # the same matrix times each of many
                left = _side(x, one, (row, k), context, PRODUCT)
                assert left is not None
                return left, context.whole(y, PRODUCT + 1), False
        if len(two) == 3 and len(result) == 2 and tuple(one) == (result[0], k):
            right = _side(y, two, (one[0], k, result[1]), context, PRODUCT + 1)
            if right is not None:  # each vector of many times its own matrix
                return f"{context.whole(x, ATOM)}[:, None]", right, True
        batch = [i for i in one if i in two and i in result]
        rows = [i for i in one if i not in two]
        columns = [i for i in two if i not in one]
        if any(i not in result for i in rows + columns) or len(columns) > 1:
            continue
        if batch and (
            len(rows) > 1 or tuple(batch) != one[: len(batch)] or tuple(batch) != two[: len(batch)]
        ):
            continue
        if tuple(result) != (*batch, *rows, *columns):
            continue
        if batch and (not rows or not columns):
            continue
        left = _side(x, one, (*batch, *rows, k), context, PRODUCT)
        right = _side(y, two, (*batch, k, *columns), context, PRODUCT + 1)
        if left is None or right is None:
            continue
        if len(two) - len(batch) == 1 and batch:
            continue
        return left, right, False
    return None


def _side(x: Node, own: Any, wanted: tuple[int, ...], context: Context, binds: int) -> str | None:
    """An operand of `@` with its axes in this order, if no more than the last two are swapped."""
    if tuple(own) == wanted:
        return context.whole(x, binds)
    if len(own) == 2 and tuple(own) == wanted[::-1]:
        return f"{context.whole(x, ATOM)}.T"
    if len(own) > 2 and tuple(own) == (*wanted[:-2], wanted[-1], wanted[-2]):
        return f"{context.whole(x, ATOM)}.mT"
    return None
