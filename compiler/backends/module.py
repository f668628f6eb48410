"""What both targets print alike: the head of a module, its imports, and the frame of routines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from mgrad.compiler.backends import planned
from mgrad.compiler.backends.expression import Expressions, Target
from mgrad.compiler.backends.layout import INDENT, WIDTH, statement, tuple_of
from mgrad.compiler.backends.lists import Lists
from mgrad.compiler.backends.outputs import additions
from mgrad.compiler.backends.plain import fragile
from mgrad.compiler.backends.text import aligned, comment, docstring, paragraphs
from mgrad.compiler.header import Header
from mgrad.compiler.ir.node import Node
from mgrad.compiler.schedule.schedule import Line, Loop, Routine

WORD = re.compile(r"[^\W\d]\w*")
INTERFACE = 1  # of the runtime, for `require`


class Imports:
    """What a module imports, and under which names: those of the user go first."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._names: dict[str, str] = {}

    def use(self, path: str) -> str:
        """The name in the text of `math.exp`, `np.exp`, `builtins.abs` or `mgrad.runtime.reals`."""
        module, _, attribute = path.rpartition(".")
        if module == "np":
            return f"{self._name('np')}.{attribute}"
        if module == "builtins" and attribute not in self._taken:
            return attribute
        return self._name(path)

    def _name(self, path: str) -> str:
        found = self._names.get(path)
        if found is None:
            module, _, attribute = path.rpartition(".")
            found = attribute
            if found in self._taken:
                found = f"{module.rpartition('.')[2]}_{attribute}" if module else f"{path}_"
            while found in self._taken:
                found += "_"
            self._taken.add(found)
            self._names[path] = found
        return found

    def extern(self, module: str, attribute: str, name: str) -> None:
        """Imports a Python function under the name that the module calls it by."""
        self._names[f"{module}.{attribute}:{name}"] = name

    def lines(self) -> list[str]:
        """The statements: the standard library, then what is installed, then the runtime."""
        groups: list[list[str]] = [[], [], []]
        members: dict[str, list[tuple[str, str]]] = {}
        for path, name in self._names.items():
            if path == "np":
                alias = "np" if name == "np" else name
                groups[1].append(f"import numpy as {alias}")
                continue
            module, _, attribute = path.partition(":")[0].rpartition(".")
            members.setdefault(module, []).append((attribute, name))
        for module in sorted(members):
            pairs = sorted(members[module])
            group = 2 if module.startswith("mgrad.") else 0 if module in STANDARD else 1
            plain = [a for a, n in pairs if a == n]
            if plain:
                groups[group] += statement(f"from {module} import ", ", ".join(plain))
            groups[group] += [f"from {module} import {a} as {n}" for a, n in pairs if a != n]
        return [line for group in groups if group for line in ("", *group)][1:]


STANDARD = frozenset({"math", "builtins", "cmath", "statistics", "operator", "random"})


Frame = Callable[[Routine, Imports, "Body"], list[str]]


@dataclass(frozen=True, slots=True)
class Body:
    """The statements of a routine: those that take its arguments apart, and the others."""

    head: list[str]
    lines: list[str]


def print_module(routines: Sequence[Routine], header: Header, target: Target, frame: Frame) -> str:
    """The text of a module; `frame` puts a routine's body into a definition with its door."""
    imports = Imports(_user_names(routines))
    require = imports.use("mgrad.runtime.require")
    for routine in routines:
        for key, (module, attribute) in routine.externs.items():
            imports.extern(module, attribute, routine.callees[key])
    weak = fragile(routines) if target == "numpy" else frozenset()
    blocks = [frame(r, imports, _body(r, imports, target, weak)) for r in routines]
    head = [
        f"# Made from {comment(header.source)} by mgrad {header.version}: do not edit.",
        f"# SHA-256 of the source: {header.digest}",
    ]
    head += docstring(paragraphs(header.doc), "") if header.doc else []
    made = _mapped(routines, imports) if target == "numpy" else []
    made += _constants(routines, imports)
    text = [
        *head,
        "",
        *imports.lines(),
        "",
        f"{require}({INTERFACE})",
        *([""] if made else []),
        *made,
    ]
    for block in blocks:
        text += ["", "", *block]
    return "\n".join(text) + "\n"


def _mapped(routines: Iterable[Routine], imports: Imports) -> list[str]:
    """Statements that let Python functions of numbers map over arrays; those of NumPy and SciPy
    do."""
    names = {
        routine.callees[key]: module.partition(".")[0]
        for routine in routines
        for key, (module, _) in routine.externs.items()
    }
    return [
        f"{name} = {imports.use('mgrad.runtime.extern.over_arrays')}({name})"
        for name, root in names.items()
        if root not in ("numpy", "scipy")
    ]


def _constants(routines: Iterable[Routine], imports: Imports) -> list[str]:
    """The constants of the module, as Python computes them: NumPy's would force their precision
    upon an array."""
    names: dict[Node, str] = {}
    for routine in routines:
        names |= routine.constants
    spell = Expressions("python", names, str, imports.use)
    order = sorted(names, key=lambda node: node.op != "constant")  # the source's come first
    return [f"{names[node]} = {spell.text(node, named=False)}" for node in order]


def _user_names(routines: Iterable[Routine]) -> set[str]:
    """Every name that stands for something else than an import."""
    taken: set[str] = set()
    for routine in routines:
        taken.add(routine.name)
        taken.update(routine.callees.values())
        taken.update(routine.names.values())
        for names in (routine.packed, routine.gradient_names, routine.tangents):
            taken.update(names)
        for line in routine.lines:
            taken.update(line.names)
            if line.loop is not None:
                taken.update([line.loop.rows, *(n for one in line.loop.lines for n in one.names)])
                taken.update([line.loop.size, *line.loop.views, *line.loop.bound.values()])
        taken.update(routine.sizes.values())
        taken.update([routine.work, *(buffer.name for buffer in routine.buffers)])
    return taken - {"_", ""}


def _body(routine: Routine, imports: Imports, target: Target, weak: frozenset[str]) -> Body:
    def inner(key: str) -> str:
        # what looks at arguments has been passed already
        name = routine.callees[key]
        is_decorated = key in routine.doors and (target == "numpy" or key in routine.shaped)
        return f"{name}.inner" if is_decorated else name

    spell = _expressions(routine, inner, imports, target, weak)
    # where Python may raise, its lines stand in a `try`; a function of arrays has it in its door
    is_inside = target == "python" and routine.is_entry and routine.may_raise
    is_inside = is_inside and not routine.signature
    indent = INDENT * 2 if is_inside else INDENT
    if routine.work:
        assign = partial(_assignment, routine=routine, target=target, indent=indent)
        codes = planned.lines(routine, spell, imports.use, assign)
    else:
        codes = [
            _assignment(line, spell, routine, target, indent)
            if line.loop is None
            else _loop(line.loop, spell, imports)
            for line in routine.lines
        ]
    shown = [(code, line) for code, line in zip(codes, routine.lines, strict=True) if code]
    result = _return(_returned(routine, spell), not routine.gradients, indent)
    measures = routine.measures if target != "python" else _read(routine.measures, codes + result)
    head = [*_unpacking(routine), *(f"{INDENT}{line}" for line in measures)]
    head += planned.memory(routine, spell, imports.use)
    return Body(head, [*aligned([c for c, _ in shown], [line for _, line in shown]), *result])


def _read(measures: Iterable[str], lines: Iterable[str]) -> list[str]:
    """The sizes `n = len(x)` that the lines do read: a part of a list may need none."""
    words = {word for line in lines for word in WORD.findall(line)}
    return [line for line in measures if line.partition(" ")[0] in words]


def _expressions(
    routine: Routine,
    inner: Callable[[str], str],
    imports: Imports,
    target: Target,
    weak: frozenset[str],
) -> Expressions:
    given = (routine.names, inner, imports.use, routine.externs, routine.sizes)
    if target == "python":
        return Lists(*given, routine.shaped, _user_names([routine]))
    return Expressions(target, *given, weak, planned.works(routine, imports.use))


def _return(items: list[str], is_bare: bool, indent: str) -> list[str]:
    """The statement that returns these items: a tuple, but for a single value."""
    text = items[0] if len(items) == 1 and is_bare else _tuple(items)
    return statement(f"{indent}return ", text or "()")


def _assignment(
    line: Line, spell: Expressions, routine: Routine, target: Target, indent: str
) -> str:
    # an alias, `d_b = d_n`, is a second name of what has one
    is_alias = len(line.names) == 1 and routine.names[line.node] != line.names[0]
    if target == "numpy" and len(line.names) == 1 and not is_alias:
        codes = additions(line.node, line.names[0], spell)
        if codes is not None:
            return "\n".join(row for pair in codes for row in statement(indent + pair[0], pair[1]))
    text = spell.text(line.node, named=is_alias)
    targets = _targets(line)
    if len(line.names) == 1 or len(targets) + len(indent) + 4 <= WIDTH:
        return "\n".join(statement(f"{indent}{targets} = ", text))
    lines = statement(indent, targets, " = ")
    return "\n".join([*lines[:-1], *statement(lines[-1], text)])


def _loop(loop: Loop, spell: Expressions, imports: Imports) -> str:
    """What a loop fills, and the loop."""
    lines: list[str] = []
    for part in loop.parts:
        if not part.node.array.shape:
            lines.append(planned.zero(part))
        else:
            make = imports.use("np.zeros" if part.summed else "np.empty")
            given = spell.shape(part.node.array.shape)
            if (dtype := part.node.array.dtype) != "real":
                given += f", {imports.use(f'builtins.{dtype}')}"
            lines.append(f"{INDENT}{part.name} = {make}({given})")
    blocks = imports.use("mgrad.runtime.tensors.blocks")
    counts = f"{spell.size(loop.count)}, {spell.size(loop.width)}"
    lines.append(f"{INDENT}for {loop.rows} in {blocks}({counts}):")
    inner = spell.named(loop.names)
    indent = 2 * INDENT
    for line in loop.lines:
        lines += statement(f"{indent}{line.names[0]} = ", inner.text(line.node, named=False))
    for part in loop.parts:
        sign = "+=" if part.summed else "="
        before = f"{indent}{part.name}{part.subscript} {sign} "
        lines += statement(before, inner.text(part.node, named=part.node in loop.names))
    return "\n".join(lines)


def _targets(line: Line) -> str:
    """The names of a line; those of a forward pass of several results are a tuple in a tuple."""
    names = line.names
    if len(names) > 2 and str(dict(line.node.attributes)["callee"]).endswith("@forward"):
        return f"({', '.join(names[:-1])}), {names[-1]}"
    return ", ".join(names)


def _unpacking(routine: Routine) -> list[str]:
    """The statements that take tuples apart."""
    given = [name for name, _ in routine.parameters]
    lines: list[str] = []

    def unpack(names: Sequence[str], packed: str) -> None:
        lines.extend(statement(INDENT, _tuple(names), f" = {packed}"))

    if routine.kind == "backward":
        saved, grad = routine.packed
        if routine.saved:
            unpack(routine.saved, saved)
        if len(given) > 1:
            unpack(given, grad)
    if routine.kind == "jvp":
        unpack(given, routine.packed[0])
        unpack(routine.tangents, routine.packed[1])
    return lines


def _tuple(names: Sequence[str]) -> str:
    return f"({names[0]},)" if len(names) == 1 else ", ".join(names)


def _result(node: Node, name: str, spell: Expressions, is_own: bool) -> str:
    """A result as it is returned: by its own name, where that has the whole shape."""
    text = spell.whole(node)
    return name if name and (is_own or text == spell.text(node)) else text


def _returned(routine: Routine, spell: Expressions) -> list[str]:
    """The items that a routine returns."""
    is_own = bool(routine.work)
    named = zip(routine.values, routine.value_names, strict=True)
    values = [_result(v, name, spell, is_own) for v, name in named]
    named = zip(routine.gradients, routine.gradient_names, strict=True)
    gradients = [_result(g, name, spell, is_own) for g, name in named]
    value = values[0] if len(values) == 1 else tuple_of(values)
    match routine.kind:
        case "forward":
            return [value, tuple_of(routine.saved)]
        case "value_and_grad":
            return [value, tuple_of(gradients)]
        case "jvp":
            return [value, gradients[0] if len(gradients) == 1 else tuple_of(gradients)]
        case "jacobian" | "hessian":
            width = len(gradients) // routine.rows
            rows = [tuple_of(gradients[i : i + width]) for i in range(0, len(gradients), width)]
            return gradients if routine.kind == "jacobian" and len(rows) == 1 else rows
    return gradients or values
