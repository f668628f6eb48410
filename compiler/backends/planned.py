"""The text of routines that write into planned memory: what is planned, and the steps of each line.

r, d_r = planned(work, "f_value_and_grad", X.dtype, r=(N,), d_r="r")
# r = X @ w - y
np.matmul(X, w, out=r)
np.subtract(r, y, out=r)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate

from mgrad.compiler.backends.expression import Expressions
from mgrad.compiler.backends.layout import INDENT, WIDTH, statement, tuple_of
from mgrad.compiler.backends.outputs import statements
from mgrad.compiler.backends.text import comment
from mgrad.compiler.ir.node import Node
from mgrad.compiler.schedule.schedule import Buffer, Line, Loop, Part, Routine, Step
from mgrad.compiler.schedule.steps import spelled

Use = Callable[[str], str]
Assign = Callable[[Line, Expressions], str]


def works(routine: Routine, use: Use) -> Callable[[Node], str]:
    """What a call passes on for its memory: each its own part of the workspace."""
    sites: dict[Node, str] = {}

    def passed(call: Node) -> str:
        callee = str(call.attribute("callee"))
        keyword = routine.works.get(callee)
        if not keyword or not routine.work:
            return ""
        if call not in sites:
            stem = f"{routine.name}.{routine.callees[callee]}"
            count = sum(s.partition(" ")[0] == stem for s in sites.values())
            sites[call] = f"{stem} {count + 1}" if count else stem
        inside = use("mgrad.runtime.tensors.inside")
        return f', {keyword}={inside}({routine.work}, "{sites[call]}")'

    return passed


def memory(routine: Routine, spell: Expressions, use: Use) -> list[str]:
    """The statement that plans the memory of a routine."""
    if not routine.buffers:
        return []
    plan = use("mgrad.runtime.tensors.planned")
    like = f"{routine.like[0]}.dtype" if routine.like else use("builtins.float")
    if len(routine.like) > 1:
        like = f"{use('np.result_type')}({', '.join(routine.like)})"
    shapes = [f"{b.name}={_shape(b, spell, use)}" for b in routine.buffers]
    names = ", ".join(b.name for b in routine.buffers)
    names = f"({names},)" if len(shapes) == 1 else names
    text = f'{plan}({routine.work}, "{routine.name}", {like}, {", ".join(shapes)})'
    if len(names) < 80:
        return statement(f"{INDENT}{names} = ", text)
    targets = statement(INDENT, names, " = ")
    return [*targets[:-1], *statement(targets[-1], text)]


def _shape(buffer: Buffer, spell: Expressions, use: Use) -> str:
    if buffer.within:
        return f'"{buffer.within}"'
    if buffer.start is not None:
        stop = spell.size(buffer.start + buffer.shape[0])
        first = f"{spell.size(buffer.start)}, " if buffer.start.terms else ""
        return f"range({first}{stop})"
    parts = [spell.size(d) for d in buffer.shape]
    if buffer.block is not None:
        rows = f"{spell.size(buffer.block.count)}, {spell.size(buffer.block.width)}"
        parts[buffer.block.axis] = f"{use('mgrad.runtime.tensors.height')}({rows})"
    shape = tuple_of(parts)
    kind = {"real": "", "int": use("builtins.int"), "bool": use("builtins.bool")}[buffer.dtype]
    return f"({shape}, {kind})" if kind else shape


def lines(routine: Routine, spell: Expressions, use: Use, assign: Assign) -> list[str]:
    """The code of each line; `assign(line, spell)` is that of an assignment."""
    whole = spell.named({**routine.names, **routine.temporaries}, is_planned=True)
    ready = {b.name for b in routine.buffers if b.start is not None}
    codes = []
    for line in routine.lines:
        if line.loop is not None:
            codes.append(_loop(line.loop, spell, whole, use))
        elif line.names[0] not in ready:
            codes.append(_code(line, spell, whole, assign))
        else:
            codes.append("")
    return codes


def _code(line: Line, spell: Expressions, whole: Expressions, assign: Assign) -> str:
    """The steps of a line, under what they compute if they are several."""
    found = _steps(line.steps, whole, INDENT)
    if not line.steps or line.steps[-1].node is not line.node:
        found.append(assign(line, whole))
    if len(found) > 1:
        found = [*_said(assign(line, spell).split("\n"), INDENT), *found]
    return "\n".join(found)


def _said(code: Sequence[str], indent: str) -> list[str]:
    """Code as a comment."""
    return [f"{indent}# {line.removeprefix(indent)}" for line in code]


def _steps(steps: Sequence[Step], spell: Expressions, indent: str) -> list[str]:
    return [
        line
        for step in steps
        for before, text in statements(step, spell)
        for line in statement(f"{indent}{before}", text)
    ]


def zero(part: Part) -> str:
    """What a number begins with to which a loop adds."""
    return f"{INDENT}{part.name} = {'0.0' if part.node.array.dtype == 'real' else '0'}"


def _bound(loop: Loop) -> tuple[dict[Node, str], dict[str, str]]:
    """The names in a loop, and those that stand there for rows that are read more than once."""
    steps = [*(s for line in loop.lines for s in line.steps)]
    steps += [s for part in loop.parts for s in part.steps]
    reads = Counter(i for step in steps for i in spelled(step.node, loop.names))
    texts = Counter[str]()
    for node, text in loop.names.items():
        if text in loop.bound:
            texts[text] += reads[node]
    bound = {text: loop.bound[text] for text, count in texts.items() if count > 1}
    return {node: bound.get(text, text) for node, text in loop.names.items()}, bound


def _loop(loop: Loop, spell: Expressions, whole: Expressions, use: Use) -> str:
    """What a loop adds to begins with 0; its blocks are parts of planned ones."""
    lines: list[str] = []
    for part in loop.parts:
        if not part.node.array.shape:
            lines.append(zero(part))
        elif part.summed:
            lines.append(f"{INDENT}{part.name}.fill(0)")
    counts = f"{spell.size(loop.count)}, {spell.size(loop.width)}"
    blocks = use("mgrad.runtime.tensors.planned_blocks")
    lines.append(f"{INDENT}for {loop.rows} in {blocks}({counts}):")
    indent = 2 * INDENT
    if loop.views:
        lines.append(f"{indent}{loop.size} = {loop.rows}.stop - {loop.rows}.start")
    shared: dict[tuple[str, int], list[str]] = {}
    for name, view in loop.views.items():
        shared.setdefault(view, []).append(name)
    for (buffer, axis), names in shared.items():
        text = f"{buffer}[{':, ' * axis}:{loop.size}]"
        while names:  # as many as a line holds
            fitting = accumulate(names, lambda a, b: f"{a} = {b}")
            count = max(1, sum(len(indent) + len(t) + len(text) + 3 <= WIDTH for t in fitting))
            lines.append(f"{indent}{' = '.join(names[:count])} = {text}")
            text, names = names[0], names[count:]
    named, bound = _bound(loop)
    lines += [f"{indent}{name} = {text}" for text, name in bound.items()]
    inner = whole.named({**named, **loop.temporaries}, is_planned=True)
    plain = spell.named(named)
    last = ""
    for line in loop.lines:
        code = _steps(line.steps, inner, indent)
        before = f"{indent}{line.names[0]} = "
        if not line.steps or line.steps[-1].node is not line.node:
            code += statement(before, inner.text(line.node, named=False))
        if len(code) > 1:
            code = [*_said(statement(before, plain.text(line.node, named=False)), indent), *code]
        if line.rule and line.rule != last:
            lines.append(f"{indent}# {comment(line.rule)}  {comment(line.place)}")
            last = line.rule
        lines += code
    for part in loop.parts:
        place = f"{part.name}{part.subscript}"
        lines += _steps(part.steps, inner, indent)
        if not part.steps or part.steps[-1].out != place:
            sign = "+=" if part.summed else "="
            before = f"{indent}{place} {sign} "
            is_named = part.node in loop.names or part.node in loop.temporaries
            lines += statement(before, inner.text(part.node, named=is_named))
    return "\n".join(lines)
