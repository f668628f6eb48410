"""Expressions as Python text: minimal parentheses, the spacing of the op's entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from functools import cache
from typing import Literal

from mgrad.compiler.backends import tensors
from mgrad.compiler.backends.plain import RAISING, Plain, is_tame
from mgrad.compiler.diagnostics import InternalError
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Dim, Shape, Type
from mgrad.compiler.ops.op import ATOM, PRODUCT, SIGN, SUM, TABLE, Code
from mgrad.compiler.schedule.constants import spell
from mgrad.compiler.schedule.lines import unpacks
from mgrad.compiler.schedule.sizes import Thin
from mgrad.compiler.schedule.steps import WIDENING, is_widened

Target = Literal["python", "numpy"]
ARITHMETIC = frozenset({"add", "sub", "mul", "div", "lt", "le", "gt", "ge", "eq", "ne"})
_FIELD = re.compile(r"\{([^{}]+)\}")
_NAMED = re.compile(r"\b(pi|inf|nan)\b")


class Expressions:
    """Spells the nodes of one routine. `inner(key)` gives the name of a function of the module,
    `use(path)` that of something imported, `work(call)` what a call passes on for its memory."""

    def __init__(
        self,
        target: Target,
        names: Mapping[Node, str],
        inner: Callable[[str], str],
        use: Callable[[str], str],
        externs: Container[str] = (),
        sizes: Mapping[str, str] | None = None,
        fragile: Container[str] = (),
        work: Callable[[Node], str] = lambda call: "",
    ) -> None:
        self._target = target
        self._names = names
        self._use = use
        self._inner = inner
        self._externs = externs
        self._fragile = fragile
        self._is_plain = Plain()
        self._work = work
        self.context = tensors.Context(self._operand, self.piece, use, names, sizes or {}, Thin())

    def text(self, node: Node, named: bool = True) -> str:
        """The expression of a node; with `named=False` what its name stands for."""
        return self.piece(node)[0] if named else self._spell(node)[0]

    def named(self, names: Mapping[Node, str], is_planned: bool = False) -> Expressions:
        """The same with other names, for what is written into memory that is there or not."""
        made = Expressions(
            self._target,
            names,
            self._inner,
            self._use,
            self._externs,
            self.context.sizes,
            self._fragile,
            self._work,
        )
        made.context = replace(made.context, is_planned=is_planned)
        return made

    def size(self, d: Dim) -> str:
        return self.context.dim(d)

    def shape(self, shape: Shape) -> str:
        return self.context.shape(shape)

    def whole(self, node: Node) -> str:
        """The expression of a node with every axis of its type: what a routine returns."""
        return self.context.whole(node) if self._target == "numpy" else self.text(node)

    def piece(self, node: Node) -> tuple[str, int]:
        """The expression of a node, and how tightly it binds."""
        name = self._names.get(node)
        if name is None:
            return self._spell(node)
        return _named(name.replace(".0", "") if self._target == "numpy" else name)

    def _operand(self, node: Node, needs: int, is_operand: bool = False) -> str:
        """An operand, in parentheses if it binds looser than is needed."""
        if node.op == "constant" and node not in self._names:
            text, binds = self._constant(node, is_operand)
        else:
            text, binds = self.piece(node)
        return f"({text})" if binds < needs else text

    def _spell(self, node: Node) -> tuple[str, int]:
        """Text and how tightly it binds. As deep as the scheduler lets a line be."""
        match node.op:
            case "constant":
                return self._constant(node, False)
            case "mark":
                return self.piece(node.inputs[0])
            case "neg":
                return self._negation(node)
            case "item":
                return self._item(node)
            case "call":
                return self._call(node), ATOM
        if node.op in ("add", "sub") and (other := self._opposite(node.inputs[1])) is not None:
            # x + -4 is x - 4, to the bit
            left = self._operand(node.inputs[0], SUM, self._target == "numpy")
            return f"{left} {'-' if node.op == 'add' else '+'} {other}", SUM
        if self._target == "numpy" and _is_whole(node):
            return self.piece(node.inputs[0])
        entry = TABLE.get(node.op)
        if entry is None and self._target == "numpy":
            return tensors.spell(node, self.context)
        code = None if entry is None else getattr(entry, self._target)
        if self._target == "numpy" and self._is_plain.raises(node):
            texts = [self._operand(self._narrow(i), 0, True) for i in node.inputs]
            return f"{self._use(RAISING[node.op])}({', '.join(texts)})", ATOM
        if entry is None or code is None:
            raise InternalError("print", f"the {self._target} target cannot spell {node!r}")
        return self._fill(code, node, entry.parameters), code.binds

    def _narrow(self, node: Node) -> Node:
        """The int that a real is, where its name does not stand for it."""
        return node.inputs[0] if is_widened(node) and node not in self._names else node

    def _fill(self, code: Code, node: Node, parameters: tuple[str, ...]) -> str:
        places = dict(zip(parameters, node.inputs, strict=True))
        needs = code.needs
        # NumPy reads better with whole numbers; plain Python is a tenth faster on floats alone
        is_operand = node.op in ARITHMETIC and self._target == "numpy"
        widens = self._target == "numpy" and node.op in WIDENING
        floats = widens and [i for i in node.inputs if not is_widened(i)]
        pieces = list(_pieces(code.text))
        for place in range(1, len(pieces), 2):
            field = pieces[place]
            operand = places.get(field)
            if operand is None:
                pieces[place] = self._use(field)
            else:
                if floats:
                    operand = self._narrow(operand)  # NumPy widens ints beside reals
                pieces[place] = self._operand(operand, needs.get(field, 0), is_operand)
        return "".join(pieces)

    def _constant(self, node: Node, is_operand: bool) -> tuple[str, int]:
        text = spell(node, is_operand)
        if text[-1].isalpha() or "p" in text:
            text = _NAMED.sub(self._imported, text)
        if "/" in text or "*" in text:
            return text, PRODUCT
        return text, SIGN if text.startswith("-") else ATOM

    def _imported(self, match: re.Match[str]) -> str:
        return self._use(f"{'math' if self._target == 'python' else 'np'}.{match[0]}")

    def _negation(self, node: Node) -> tuple[str, int]:
        """-x; of a product `-x*y`, which is (-x)*y and the same number."""
        (operand,) = node.inputs
        text, binds = self.piece(operand)
        if binds == PRODUCT and operand.op in ("mul", "div") and not text.startswith("-"):
            return f"-{text}", PRODUCT
        return f"-({text})" if binds < SIGN else f"-{text}", SIGN

    def _item(self, node: Node) -> tuple[str, int]:
        call = node.inputs[0]
        text = self._call(call)
        callee = str(call.attribute("callee"))
        if unpacks(call):
            raise InternalError("print", f"{node!r} of a call that is no line")
        return (f"{text}[0]" if callee.endswith(("@vjp", "@backward")) else text), ATOM

    def _call(self, node: Node) -> str:
        callee = str(node.attribute("callee"))
        arguments = self._arguments(node)
        assert isinstance(node.type, Bundle)
        if callee.endswith("@backward"):
            # several cotangents are one argument
            seeds = arguments[1:]
            grad = seeds[0] if len(seeds) == 1 else f"({', '.join(seeds)})"
            arguments = [arguments[0], grad]
        work = self._work(node) if self.context.is_planned else ""
        text = f"{self._inner(callee)}({', '.join(arguments)}{work})"
        if self._target == "python" and callee in self._externs:
            return f"{self._use('builtins.float')}({text})"  # SciPy's give a scalar of NumPy
        return text

    def _arguments(self, call: Node) -> list[str]:
        # what maps over arrays gives results as wide as its arguments
        wide = self._target == "numpy" and any(getattr(i.type, "shape", ()) for i in call.inputs)
        texts = [self._wide(i) if wide else self.text(i) for i in call.inputs]
        callee = str(call.attribute("callee"))
        is_backward = callee.endswith("@backward")  # nothing is divided by a seed
        if callee.partition("@")[0] not in self._fragile or is_backward:
            return texts
        return [self._guarded(*pair) for pair in zip(call.inputs, texts, strict=True)]

    def _wide(self, node: Node) -> str:
        """An argument with every axis; a number that is repeated takes no memory at -O2."""
        if node.op != "constant" or not node.array.shape or not self.context.is_planned:
            return self.context.whole(node)
        shape = self.shape(node.array.shape)
        return f"{self._use('np.broadcast_to')}({self._operand(node, 0)}, {shape})"

    def _guarded(self, node: Node, text: str) -> str:
        """An argument as a number of NumPy, with which nothing raises."""
        is_array = not isinstance(node.type, Type) or bool(node.type.shape)
        if is_array or not self._is_plain(node) or is_tame(node):
            return text
        kind = {"real": "float64", "int": "int64", "bool": "bool_"}[node.array.dtype]
        return f"{self._use(f'np.{kind}')}({text})"

    def _opposite(self, node: Node) -> str | None:
        """The text of -c for a negative constant c."""
        if node.op != "constant":
            return None
        text = self._names.get(node) or spell(node, self._target == "numpy")
        plain = text.startswith("-") and not text.endswith("inf")
        return text[1:] if plain else None


@cache
def _pieces(code: str) -> tuple[str, ...]:
    """The text of an op's code, cut at its fields: text, field, text, field, …, text."""
    return tuple(_FIELD.split(code))


def _named(name: str) -> tuple[str, int]:
    """A name; of a multiple of a constant of the source, `2.0*g_n`, that product."""
    if "*" in name or "/" in name:
        return name, PRODUCT
    return name, SIGN if name.startswith("-") else ATOM


def _is_whole(node: Node) -> bool:
    """Whether a real is a size, that Python divides as it does reals."""
    return node.op == "to_real" and node.inputs[0].op == "size"
