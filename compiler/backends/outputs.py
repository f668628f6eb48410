"""How NumPy writes the result of one operation into memory that is there: `np.add(x, y, out=z)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mgrad.compiler.backends import tensors
from mgrad.compiler.backends.expression import Expressions
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.op import ATOM, PRODUCT, TABLE
from mgrad.compiler.schedule.schedule import Step
from mgrad.compiler.schedule.steps import (
    accumulated,
    gathered,
    is_gathered,
    is_view,
    is_zero,
    poured,
    spelled,
)

UFUNCS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
    "and": "logical_and",
    "or": "logical_or",
    "to_real": "multiply",
    "to_int": "multiply",
    "add": "add",
    "sub": "subtract",
    "neg": "negative",
    "mul": "multiply",
    "div": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "integer_power": "power",
}
ONE = {"to_real": ", 1.0", "to_int": ", 1"}


Statement = tuple[str, str]  # what stands before an expression, `z[1:] = `, and the expression


def statements(step: Step, spell: Expressions) -> list[Statement]:
    """The statements of a step, in `spell`'s names."""
    node, out = step.node, step.out
    context = spell.context
    use, names = context.use, context.names
    attributes: dict[str, Any] = dict(node.attributes)
    is_elsewhere = names.get(node, out) != out
    if node.op == "reshape" and is_gathered(node) and not is_elsewhere:
        (x,) = node.inputs
        place = f"{out}.reshape({', '.join(map(context.dim, x.array.shape))})"
        return [("", f"{use('np.copyto')}({place}, {context.operand(x, 0)})")]
    if is_elsewhere or is_view(node) or node.op in ("constant", "parameter"):
        return [("", _copied(node, out, spell, named=is_elsewhere))]
    if accumulated(node, names) is not None or node.op == "put":
        return _changed(step, spell)
    match node.op:
        case "where":
            condition, chosen, _ = map(spell.text, node.inputs)
            chosen = f"{use('np.copyto')}({out}, {chosen}, where={condition})"
            return [*_begun(node.inputs[2], step, spell), ("", chosen)]
        case "pad":
            return _padded(node, out, spell)
        case "concat":
            return [_joined(node, out, spell)]
        case "cumsum":
            axis = attributes["axis"]
            back = f"[{', '.join([':'] * axis + ['::-1'])}]" if attributes.get("reverse") else ""
            given = context.whole(node.inputs[0], ATOM if back else 0)
            return [("", f"{use('np.cumsum')}({given}{back}, axis={axis}, out={out}{back})")]
        case "softmax" | "logsumexp" | "prod_others" | "overlap_add":
            return [("", f"{tensors.spell(node, context)[0][:-1]}, out={out})")]
        case "transpose":
            text = tensors.transposed(node, context)
            return [("", f"{use('np.copyto')}({out}, {text})")]
        case "take":
            axis = gathered(node)
            if axis is not None:
                given = ", ".join(map(context.whole, node.inputs))
                name = use("mgrad.runtime.tensors.gathered")
                return [("", f"{name}({given}, {axis}, out={out})")]
            text, items, shape = tensors.taken(node, context)
            index = tensors.items_text(items, shape, node.inputs[1:], context)
            index = f"{use('np.s_')}[{index}]" if len(items) > 1 else index
            name = use("mgrad.runtime.tensors.picked")
            return [("", f"{name}({text}, {index}, out={out})")]
        case "contract":
            return _product(node, out, spell)
        case op if op in TABLE:
            return [("", _elementwise(node, out, spell))]
    return [("", tensors.reduction(node, context, f"out={out}"))]


def _elementwise(node: Node, out: str, spell: Expressions) -> str:
    name = UFUNCS.get(node.op)
    if name is None:
        return f"{spell.text(node, named=False)[:-1]}, out={out})"
    operands = [spell.context.operand(i, 0) for i in spelled(node, spell.context.names)]
    more = ONE.get(node.op, "")
    return f"{spell.context.use(f'np.{name}')}({', '.join(operands)}{more}, out={out})"


def _copied(node: Node, out: str, spell: Expressions, named: bool = True) -> str:
    text = spell.text(node, named=named)
    if node.op == "constant" and not spell.text(node).isidentifier():
        return f"{out}.fill({text})"
    return f"{spell.context.use('np.copyto')}({out}, {text})"


def _begun(x: Node, step: Step, spell: Expressions) -> list[Statement]:
    """What a result begins as; nothing if it stands there already."""
    if step.is_begun:
        return []
    return [("", _copied(x, step.out, spell))]


def _changed(step: Step, spell: Expressions) -> list[Statement]:
    """Part of an array is set, or added to."""
    node, out = step.node, step.out
    place = accumulated(node, spell.context.names)
    part = node if place is None else node.inputs[place]
    whole = node.inputs[0] if place is None else node.inputs[1 - place]
    first = _begun(whole, step, spell)
    if part.op == "put":
        return [*first, _put(part, out, spell)]
    sign = "-=" if node.op == "sub" else "+="
    return [
        *first,
        (f"{kept_part(part, out, spell)} {sign} ", spell.context.operand(part.inputs[0], 0)),
    ]


def kept_part(pad: Node, out: str, spell: Expressions) -> str:
    """The part of a padded array that is not 0."""
    before: Any = pad.attribute("before")
    after: Any = pad.attribute("after")
    parts = [
        f"{spell.size(b) if b.terms else ''}:{_stop(pad, axis, spell) if a.terms else ''}"
        for axis, (b, a) in enumerate(zip(before, after, strict=True))
    ]
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return f"{out}[{', '.join(parts)}]"


def additions(node: Node, out: str, spell: Expressions) -> list[Statement] | None:
    """A sum of which some terms are 0 but for a part, as the others and what is then added to parts
    of them: `out = x; out[1:] += y`. None for any other, and where there is no array of its own to
    begin with."""
    names = spell.context.names
    terms: list[tuple[Node, bool]] = []  # and whether they are taken away, from the last
    while node.op in ("add", "sub") and (not terms or node not in names):
        node, last = node.inputs[0], (node.inputs[1], node.op == "sub")
        terms.append(last)
    terms = [(node, False), *reversed(terms)]
    parts = [(x, less) for x, less in terms if _is_part(x, less, names)]
    rest = [(x, less) for x, less in terms if not _is_part(x, less, names)]
    if not parts or len(terms) < 2:
        return None
    whole = _summed(rest) if rest else None
    is_own = whole is not None and whole not in names and whole.op in TABLE
    if whole is not None and is_own and not spell.context.thin(whole):
        found = [(f"{out} = ", spell.text(whole))]
        return found + [_added(x, less, out, spell) for x, less in parts]
    if len(parts) < 2 or parts[0][1]:
        return None
    if parts[0][0].op == "pad":
        found = [(f"{out} = ", spell.text(parts.pop(0)[0]))]
    else:
        found = [(f"{out} = ", spell.context.filled(parts[0][0].inputs[0]))]
    found += [_added(x, less, out, spell) for x, less in parts]
    return found if whole is None else [*found, (f"{out} += ", spell.text(whole))]


def _is_part(x: Node, less: bool, names: Mapping[Node, str]) -> bool:
    if x in names:
        return False
    if x.op == "put":
        return bool(x.attribute("adds")) and is_zero(x.inputs[0]) and not less
    after: Any = x.attribute("after") if x.op == "pad" else ()
    return x.op == "pad" and all(d.constant is not None for d in after)


def _summed(terms: list[tuple[Node, bool]]) -> Node:
    """The sum of some terms; one that is not taken away comes first."""
    first = next((k for k, (_, less) in enumerate(terms) if not less), None)
    if first is None:
        (x, _), *others = terms
        total = x.pool.make("neg", (x,), x.type)
    else:
        total = terms[first][0]
        others = terms[:first] + terms[first + 1 :]
    for x, less in others:
        total = x.pool.make("sub" if less else "add", (total, x), x.type)
    return total


def _added(part: Node, less: bool, out: str, spell: Expressions) -> Statement:
    """What is 0 but for a part is added to an array, or taken away."""
    if part.op == "put":
        return _put(part, out, spell)
    text, binds = spell.piece(part.inputs[0])
    if text.startswith("-") and binds >= PRODUCT:
        text, less = text[1:], not less
    return f"{kept_part(part, out, spell)} {'-=' if less else '+='} ", text


def _put(part: Node, out: str, spell: Expressions) -> Statement:
    """Values are set at places of an array, or added there."""
    context = spell.context
    ints = part.inputs[2:]
    values = tensors.placed(part, context)
    if part.attribute("adds") and any(i.array.shape for i in ints):
        add = context.use("mgrad.runtime.tensors.add_at")
        return "", f"{add}({out}, {tensors.places(part, context)}, {values})"
    index = tensors.items_text(part.attribute("items"), part.array.shape, ints, context)
    return f"{out}[{index}] {'+=' if part.attribute('adds') else '='} ", values


def _padded(node: Node, out: str, spell: Expressions) -> list[Statement]:
    """What is padded, and zeros around it."""
    (x,) = node.inputs
    inner = kept_part(node, out, spell)
    before: Any = node.attribute("before")
    after: Any = node.attribute("after")
    axes = [k for k, (b, a) in enumerate(zip(before, after, strict=True)) if b.terms or a.terms]
    edges = [("", f"{out}.fill(0)")]
    if len(axes) == 1:
        axis = axes[0]
        parts = [f":{spell.size(before[axis])}"] if before[axis].terms else []
        parts += [f"{_stop(node, axis, spell)}:"] if after[axis].terms else []
        edges = [(f"{out}[{':, ' * axis}{part}] = ", "0") for part in parts]
    if poured(node, spell.context.names):
        return [*edges, *statements(Step(x, inner), spell)]
    return [*edges, (f"{inner} = ", spell.context.operand(x, 0))]


def _stop(pad: Node, axis: int, spell: Expressions) -> str:
    """Where what is padded ends: from the end where the zeros behind it are a known number."""
    before: Any = pad.attribute("before")
    after: Any = pad.attribute("after")
    if after[axis].constant is not None:
        return str(-after[axis].constant)
    return spell.size(before[axis] + pad.inputs[0].array.shape[axis])


def _joined(node: Node, out: str, spell: Expressions) -> Statement:
    context = spell.context
    axis = node.attribute("axis")
    assert isinstance(axis, int)
    parts = [tensors.unstacked(i, axis, context) for i in node.inputs]
    whole = [p for p in parts if p is not None]
    if len(whole) == len(parts) and not whole[0].array.shape:
        comma = "," if len(whole) == 1 else ""
        return f"{out}[:] = ", f"{', '.join(context.operand(x, 0) for x in whole)}{comma}"
    return "", tensors.joined(node, context, f"out={out}")


def _product(node: Node, out: str, spell: Expressions) -> list[Statement]:
    context = spell.context
    operands: Any = node.attribute("operands")
    result: Any = node.attribute("result")
    xs = node.inputs
    distinct = tuple(dict.fromkeys(result))
    if distinct != result:  # the values stand where the indices agree, and 0 elsewhere
        letters = "".join(tensors.LETTERS[distinct.index(i)] for i in result)
        kept = tensors.LETTERS[: len(distinct)]
        diagonal = f'{context.use("np.einsum")}("{letters}->{kept}", {out})'
        first = ("", f"{out}.fill(0)")
        if operands == (distinct,):
            return [first, (f"{diagonal}[...] = ", context.operand(xs[0], 0))]
        text = f"{context.use('np.einsum')}({tensors.summed(node, distinct, context)}"
        return [first, ("", f"{text}, out={diagonal})")]
    if len(xs) == 2:
        sides = tensors.matrices(xs, operands, result, context)
        if sides is not None:
            left, right, is_row = sides
            place = f"{out}[:, None]" if is_row else out
            # half the price of `matmul`, but it writes into contiguous memory only, and copies
            # what the BLAS cannot read
            is_plain = all(x.op == "transpose" or not is_view(x) for x in xs)
            is_dot = len(result) == 1 and place.isidentifier() and is_plain
            name = "np.dot" if is_dot else "np.matmul"
            return [("", f"{context.use(name)}({left}, {right}, out={place})")]
        if len(operands[0]) == len(operands[1]) == 1 and result == operands[0] + operands[1]:
            given = ", ".join(map(context.whole, xs))
            return [("", f"{context.use('mgrad.runtime.tensors.outer')}({given}, out={out})")]
        if tensors.is_vecdot(operands, result):
            given = ", ".join(map(context.whole, xs))
            return [("", f"{context.use('np.vecdot')}({given}, out={out})")]
    text = f"{context.use('np.einsum')}({tensors.summed(node, result, context)}, out={out})"
    return [("", text)]
