"""How the target `python` spells tensors: nested lists, written as index notation.

A value is spelled element by element. At indices i, j a named node is `x[i][j]`; an elementwise op
combines its operands at the same indices; `broadcast` drops indices, `transpose` permutes them, a
slice shifts them; a sum or a contraction is `sum(… for k in range(n))`. A whole tensor is nested
comprehensions around its element. What is not a formula of its elements (a solution, a running sum)
is made by a function of the runtime, and has a line of its own.

An index is a `Dim`, a polynomial of sizes and of the letters of the loops around it, so that
`n - 1 - (i + 1)` is `n - i - 2`. A letter is the atom `@depth`, which no size can be.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

from mgrad.compiler.backends.expression import Expressions
from mgrad.compiler.backends.tensors import dim_text
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Bundle, Dim, Shape, Type
from mgrad.compiler.ops.op import ATOM, OR, PRODUCT, SIGN, TERNARY

T = TypeVar("T")
At = tuple[Dim, ...]
ZERO, ONE = Dim.of(0), Dim.of(1)
LETTERS = "ijklmpqrstuvwabcdefgh"
RELATIONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
RUNTIME = "mgrad.runtime.lists"
REDUCTIONS = {
    "sum": "builtins.sum",
    "prod_over": "math.prod",
    "max_over": f"{RUNTIME}.largest",
    "min_over": f"{RUNTIME}.least",
    "any_over": "builtins.any",
    "all_over": "builtins.all",
    "argmax_over": f"{RUNTIME}.argmax",
    "argmin_over": f"{RUNTIME}.argmin",
    "logsumexp": f"{RUNTIME}.logsumexp",
}


class Lists(Expressions):
    """Spells the nodes of one routine, also those with axes."""

    def __init__(
        self,
        names: Mapping[Node, str],
        inner: Callable[[str], str],
        use: Callable[[str], str],
        externs: Container[str] = (),
        sizes: Mapping[str, str] | None = None,
        shaped: Container[str] = (),
        taken: Container[str] = (),
    ) -> None:
        super().__init__("python", names, inner, use, externs, sizes)
        self._shaped = shaped  # the functions that take arrays; others are called an element each
        self._avoided = taken
        self._letters = [letter for letter in LETTERS if letter not in taken]
        self._depth = 0
        self._words: dict[str, str] = dict(sizes or {})  # of atoms: sizes and letters
        self._plain: dict[str, str] = {}  # a computed index without its parentheses
        self._at: At = ()  # of the node that is spelled

    # ------------------------------------------------------------------------------------- wholes

    def text(self, node: Node, named: bool = True) -> str:
        if _rank(node):
            return self.nested(node, (), named)
        if node.op == "call" and self._is_mapped(node):
            return self._calls(node)
        return self._inside((), lambda: super(Lists, self).text(node, named))

    def whole(self, node: Node) -> str:
        return self.text(node)

    def nested(self, node: Node, at: At, named: bool = True) -> str:
        """The part of a node at its first indices, in brackets for each axis that is left."""
        name = self._names.get(node) if named else None
        if name is not None:
            return name + self.subscripts(node.array.shape, at)
        shape = node.array.shape
        left = len(shape) - len(at)
        if not left:
            return self._inside(at, lambda: self._spell(node)[0])
        if node.op == "mark":
            return self.nested(node.inputs[0], at)
        block = self._block(node)
        if block is not None and len(at) == _batch(node):
            return block(self, node, at)
        if node.op == "concat" and len(at) == node.attribute("axis"):
            return self._joined(node, at)
        if left == 1 and node.op == "constant":
            element = self._inside((), lambda: self._constant(node, False))
            return f"[{element[0]}]*{self.dim(shape[-1], PRODUCT + 1)}"
        if not at and (view := self._slice(node)) is not None:
            return view
        index, letter = self._enter()
        text = self.nested(node, (*at, index), named)
        self._depth -= 1
        return f"[{text} for {letter} in {self._range(shape[len(at)])}]"

    def _slice(self, node: Node) -> str | None:
        """`x[1:]` and `x[::-1]` of a list with a name."""
        if not node.inputs or node.inputs[0] not in self._names:
            return None
        x = node.inputs[0]
        if node.op == "flip" and node.attribute("axes") == (0,):
            return f"{self._names[x]}[::-1]"
        if node.op != "take" or len(node.inputs) > 1:
            return None
        (kind, *bounds), *rest = _items(node)
        if kind != "slice" or any(item[0] != "all" for item in rest):
            return None
        start, stop, step = bounds
        if step < 1:
            return None
        size = x.array.shape[0]
        first = "" if start == ZERO else self._place(start, size)
        last = "" if stop == size else self._place(stop, size)
        return f"{self._names[x]}[{first}:{last}{f':{step}' if step > 1 else ''}]"

    def _joined(self, node: Node, at: At) -> str:
        """The lists of a `concat` one after the other, in one pair of brackets."""
        axis = len(at)
        parts: list[str] = []
        for part in node.inputs:
            if part.array.shape[axis] == ONE:
                parts.append(self.nested(part, (*at, ZERO)))
            else:
                parts.append(f"*{self.nested(part, at)}")
        return f"[{', '.join(parts)}]"

    # ----------------------------------------------------------------------------------- elements

    def at(self, node: Node, index: At, binds: int = 0) -> str:
        """An element of a node, in parentheses if it binds looser than is needed."""
        return self._inside(index, lambda: self._operand(node, binds))

    def piece(self, node: Node) -> tuple[str, int]:
        if self._at and node in self._names:
            shape = node.array.shape if isinstance(node.type, Type) else ()
            return self._names[node] + self.subscripts(shape, self._at), ATOM
        return super().piece(node)

    def _inside(self, at: At, action: Callable[[], T]) -> T:
        before, self._at = self._at, at
        found = action()
        self._at = before
        return found

    def _spell(self, node: Node) -> tuple[str, int]:
        op = node.op
        if op in VIEWS or (op == "take"):
            x, index = self._source(node, self._at)
            return self._inside(index, lambda: self._piece_or_constant(x))
        if op == "to_real":
            place = self._position(node.inputs[0], self._at)
            if place is not None:
                return self._dim(place)
        if op == "size":
            return self._dim(_dims(node, "dim"))
        if op == "arange":
            return self._dim(_dims(node, "start") + self._at[0])
        if op in REDUCTIONS:
            return self._reduction(node, self._at), ATOM
        block = self._block(node)
        if block is not None:
            batch = _batch(node)
            at = self._at
            text = self._inside((), lambda: block(self, node, at[:batch]))
            return text + self.subscripts(node.array.shape[batch:], at[batch:]), ATOM
        match op:
            case "contract":
                return self._contract(node, self._at)
            case "concat":
                return self._concat(node, self._at)
            case "pad":
                return self._pad(node, self._at)
            case "tril":
                return self._tril(node, self._at)
        return super()._spell(node)

    def _block(self, node: Node) -> Callable[[Lists, Node, At], str] | None:
        """What spells a node that is made as a whole."""
        if node.op == "item" and self._is_mapped(node.inputs[0]):
            return None
        return BLOCKS.get(node.op)

    def _piece_or_constant(self, node: Node) -> tuple[str, int]:
        if node.op == "constant" and node not in self._names:
            return self._constant(node, False)
        return self.piece(node)

    def _source(self, node: Node, at: At) -> tuple[Node, At]:
        """The operand of a view, and where an element of the view lies in it."""
        x = node.inputs[0]
        attributes: dict[str, Any] = dict(node.attributes)
        match node.op:
            case "broadcast":
                return x, tuple(d for a, d in enumerate(at) if a not in attributes["axes"])
            case "transpose":
                order = attributes["order"]
                return x, tuple(at[order.index(a)] for a in range(len(order)))
            case "flip":
                sizes = enumerate(node.array.shape)
                axes = attributes["axes"]
                return x, tuple(n - 1 - at[a] if a in axes else at[a] for a, n in sizes)
            case "windows":
                rank = len(x.array.shape)
                index = list(at[:rank])
                triples = zip(attributes["axes"], attributes["strides"], at[rank:], strict=True)
                for axis, stride, inner in triples:
                    index[axis] = index[axis] * stride + inner
                return x, tuple(index)
            case "reshape":
                return x, tuple(self._reshaped(x.array.shape, node.array.shape, at))
        return x, self._taken(node, at)

    def _taken(self, node: Node, at: At) -> At:
        ints = node.inputs[1:]
        left = list(at)
        found: list[Dim] = []
        walk: At | None = None
        for item in _items(node):
            match item[0]:
                case "all":
                    found.append(left.pop(0))
                case "slice":
                    found.append(item[1] + left.pop(0) * item[3])
                case "at":
                    found.append(item[1])
                case _:
                    k = ints[item[1]]
                    if not _rank(k):
                        found.append(self._computed(k, ()))
                        continue
                    if walk is None:
                        walk = tuple(left.pop(0) for _ in range(_rank(k)))
                    found.append(self._computed(k, walk))
        return tuple(found)

    def _reshaped(self, old: Shape, new: Shape, at: At) -> list[Dim]:
        """Where the element lies before a `reshape`: axes are gone through in groups whose sizes
        have one product."""
        found: list[Dim] = []
        a = b = 0
        while a < len(old) or b < len(new):
            if a < len(old) and b < len(new) and old[a] == new[b]:
                found.append(at[b])
                a, b = a + 1, b + 1
                continue
            if b < len(new) and new[b] == ONE:
                b += 1
                continue
            if a < len(old) and old[a] == ONE:
                found.append(ZERO)
                a += 1
                continue
            first, second = _group(old[a:], new[b:])
            place = ZERO
            for n, index in zip(new[b : b + second], at[b : b + second], strict=True):
                place = place * n + index
            found += self._unfolded(place, old[a : a + first])
            a, b = a + first, b + second
        return found

    def _unfolded(self, place: Dim, shape: Shape) -> list[Dim]:
        """The indices of the element at a place in row-major order."""
        found: list[Dim] = []
        for k, n in enumerate(shape):
            after = ONE
            for d in shape[k + 1 :]:
                after = after * d
            whole = place if after == ONE else place // after
            if k and whole.terms:
                text, own = self._dim(whole)
                text = f"({text})" if own < PRODUCT else text
                whole = self._opaque(f"{text} % {self.dim(n, SIGN)}", PRODUCT)
            found.append(whole)
        return found

    # ------------------------------------------------------------------------------------- indices

    def _enter(self) -> tuple[Dim, str]:
        """The index of a loop around what is spelled next, and its letter."""
        atom = f"@{self._depth}"
        while self._depth >= len(self._letters):
            letter = f"i_{len(self._letters)}"
            self._letters.append(f"{letter}_" if letter in self._avoided else letter)
        letter = self._words[atom] = self._letters[self._depth]
        self._depth += 1
        return Dim.of(atom), letter

    def subscripts(self, shape: Shape, at: At) -> str:
        pairs = zip_longest(at, shape[: len(at)])
        return "".join(f"[{self._place(d, n)}]" for d, n in pairs)

    def _place(self, d: Dim, size: Dim | None) -> str:
        """An index; from the end where that needs no name."""
        back = None if size is None or d.constant is not None else (d - size).constant
        if back is not None and back < 0:
            return str(back)
        text = self._dim(d)[0]
        return self._plain.get(text, text)

    def dim(self, d: Dim, binds: int = 0) -> str:
        text, own = self._dim(d)
        return f"({text})" if own < binds else text

    def _dim(self, d: Dim) -> tuple[str, int]:
        ordered = Dim(tuple(sorted(d.terms, key=lambda term: (term[1] < 0, not term[0]))))
        return dim_text(ordered, self._words)

    def _range(self, d: Dim) -> str:
        return f"{self._use('builtins.range')}({self.dim(d)})"

    def _opaque(self, text: str, binds: int) -> Dim:
        """An index that is no polynomial."""
        bracketed = text if binds >= ATOM else f"({text})"
        self._plain[bracketed] = text
        return Dim.of(bracketed)

    def _computed(self, node: Node, at: At) -> Dim:
        """The value of an int node as an index."""
        place = self._position(node, at)
        if place is not None:
            return place
        return self._opaque(*self._inside(at, lambda: self._piece_or_constant(node)))

    def _position(self, node: Node, at: At) -> Dim | None:
        """An int node that is a polynomial of sizes and indices."""
        if node.op == "size":
            return Dim.of(node.attribute("dim"))  # type: ignore[arg-type]
        if node in self._names or not isinstance(node.type, Type) or node.type.dtype != "int":
            return None
        if node.op == "constant":
            return Dim.of(int(node.value))
        if node.op == "arange":
            return Dim.of(node.attribute("start")) + at[0]  # type: ignore[arg-type]
        if node.op in VIEWS or (node.op == "take" and len(node.inputs) == 1):
            return self._position(*self._source(node, at))
        if node.op not in ("add", "sub", "mul", "neg"):
            return None
        parts = [self._position(i, at) for i in node.inputs]
        known = [p for p in parts if p is not None]
        if len(known) < len(parts):
            return None
        match node.op:
            case "add":
                return known[0] + known[1]
            case "sub":
                return known[0] - known[1]
            case "mul":
                return known[0] * known[1]
        return -known[0]

    def _is_known(self, node: Node, at: At) -> bool:
        """Whether a condition is one on indices alone."""
        if node in self._names:
            return False
        if node.op in RELATIONS:
            return all(self._position(i, at) is not None for i in node.inputs)
        if node.op in ("and", "or", "not"):
            return all(self._is_known(i, at) for i in node.inputs)
        if node.op in VIEWS:
            return self._is_known(*self._source(node, at))
        return False

    # ------------------------------------------------------------------------------------ formulas

    def _reduction(self, node: Node, at: At) -> str:
        (x,) = node.inputs
        axes = node.attribute("axes")
        assert isinstance(axes, tuple)
        function = self._use(REDUCTIONS[node.op])
        if x in self._names and axes == (_rank(x) - 1,):
            return f"{function}({self.nested(x, at)})"
        depth = self._depth
        left = iter(at)
        index: list[Dim] = []
        loops: list[str] = []
        for axis, n in enumerate(x.array.shape):
            if axis not in axes:
                index.append(next(left))
                continue
            d, letter = self._enter()
            index.append(d)
            loops.append(f"for {letter} in {self._range(n)}")
        text = self._element(node.op, x, tuple(index), loops)
        self._depth = depth
        return f"{function}({text} {' '.join(loops)})"

    def _element(self, op: str, x: Node, index: At, loops: list[str]) -> str:
        """What is joined; a sum over a choice between something and 0 has a condition instead."""
        if op == "sum" and x.op == "where" and x not in self._names:
            condition, then, otherwise = x.inputs
            is_zero = otherwise.op == "constant" and otherwise.value == 0
            if is_zero and self._is_known(condition, index):
                loops.append(f"if {self.at(condition, index, OR)}")
                x = then
        return self.at(x, index)

    def _contract(self, node: Node, at: At) -> tuple[str, int]:
        operands: Any = node.attribute("operands")
        result: Any = node.attribute("result")
        unit, zero = ("1.0", "0.0") if node.array.dtype == "real" else ("1", "0")
        conditions: list[tuple[Dim, Dim]] = []
        places: dict[int, Dim] = {}
        for i, d in zip(result, at, strict=True):
            if i in places:
                conditions.append((d, places[i]))
            places.setdefault(i, d)
        depth = self._depth
        loops: list[str] = []
        for x, one in zip(node.inputs, operands, strict=True):
            for i, n in zip(one, x.array.shape, strict=True):
                if i not in places:
                    places[i], letter = self._enter()
                    loops.append(f"for {letter} in {self._range(n)}")
        factors = [
            (x, tuple(places[i] for i in one))
            for x, one in zip(node.inputs, operands, strict=True)
            if x.op != "constant" or x.value != 1
        ]
        if not factors:
            text, binds = unit, ATOM
        elif len(factors) == 1:
            x, index = factors[0]
            text, binds = self._inside(index, lambda: self._piece_or_constant(x))
        else:
            texts = [self.at(x, index, PRODUCT + (k > 0)) for k, (x, index) in enumerate(factors)]
            text, binds = "*".join(texts), PRODUCT
        self._depth = depth
        if loops:
            text, binds = f"{self._use('builtins.sum')}({text} {' '.join(loops)})", ATOM
        tests = [(a - b, a, b) for a, b in conditions if a != b]
        if any(d.constant is not None for d, _, _ in tests):
            return zero, ATOM
        if not tests:
            return text, binds
        test = " and ".join(f"{self.dim(a)} == {self.dim(b)}" for _, a, b in tests)
        return f"{_bracketed(text, binds, OR)} if {test} else {zero}", TERNARY

    def _concat(self, node: Node, at: At) -> tuple[str, int]:
        """A choice by the index."""
        axis = node.attribute("axis")
        assert isinstance(axis, int)
        place, start = at[axis], ZERO
        choices: list[tuple[str, str]] = []
        for k, part in enumerate(node.inputs):
            stop = start + part.array.shape[axis]
            index = (*at[:axis], place - start, *at[axis + 1 :])
            is_last = k == len(node.inputs) - 1
            ahead = (place - stop).constant
            start = stop
            if ahead is not None and ahead >= 0:
                continue
            if is_last or ahead is not None:
                choices.append((self.at(part, index, TERNARY), ""))
                break
            choices.append((self.at(part, index, OR), f"{self.dim(place)} < {self.dim(stop)}"))
        *tried, (text, _) = choices
        for then, test in reversed(tried):
            text = f"{then} if {test} else {text}"
        return text, TERNARY if tried else OR

    def _pad(self, node: Node, at: At) -> tuple[str, int]:
        (x,) = node.inputs
        before: Any = node.attribute("before")
        after: Any = node.attribute("after")
        tests: list[str] = []
        for d, low, high, n in zip(at, before, after, x.array.shape, strict=True):
            is_low, is_high = low != ZERO, high != ZERO
            if (known := (d - low).constant) is not None and known >= 0:
                is_low = False
            if (known := (d - low - n).constant) is not None and known < 0:
                is_high = False
            if is_low and is_high:
                tests.append(f"{self.dim(low)} <= {self.dim(d)} < {self.dim(low + n)}")
            elif is_low:
                tests.append(f"{self.dim(d)} >= {self.dim(low)}")
            elif is_high:
                tests.append(f"{self.dim(d)} < {self.dim(low + n)}")
        index = tuple(d - low for d, low in zip(at, before, strict=True))
        if not tests:
            return self._inside(index, lambda: self._piece_or_constant(x))
        return self._chosen(self.at(x, index, OR), " and ".join(tests), node)

    def _tril(self, node: Node, at: At) -> tuple[str, int]:
        k = node.attribute("diagonal")
        assert isinstance(k, int)
        *_, row, column = at
        test = f"{self.dim(column)} <= {self.dim(row + k)}"
        return self._chosen(self.at(node.inputs[0], at, OR), test, node)

    def _chosen(self, text: str, test: str, node: Node) -> tuple[str, int]:
        zero = {"real": "0.0", "int": "0", "bool": "False"}[node.array.dtype]
        return f"{text} if {test} else {zero}", TERNARY

    # --------------------------------------------------------------------------------------- calls

    def _is_mapped(self, call: Node) -> bool:
        """Whether a function of numbers is called for each element."""
        return str(call.attribute("callee")) not in self._shaped and any(map(_rank, call.inputs))

    def _arguments(self, call: Node) -> list[str]:
        if self._is_mapped(call):
            return [self.at(i, self._at) for i in call.inputs]
        return [self.text(i) for i in call.inputs]

    def _calls(self, call: Node) -> str:
        """The results of a function of numbers at each element, a nested list for each result."""
        shape = next(i.array.shape for i in call.inputs if _rank(i))
        depth = self._depth
        loops: list[str] = []
        index: list[Dim] = []
        for n in shape:
            d, letter = self._enter()
            index.append(d)
            loops.append(f"for {letter} in {self._range(n)}")
        text = self._inside(tuple(index), lambda: self._call(call))
        self._depth = depth
        for loop in reversed(loops):
            text = f"[{text} {loop}]"
        assert isinstance(call.type, Bundle)
        count = len(call.type.items)
        given = [text, str(len(shape)), str(count)]
        if count > 2 and str(call.attribute("callee")).endswith("@forward"):
            given.append("saves=True")
        return self._function("apart", given)

    def _result(self, node: Node, at: At) -> str:
        return self._item(node)[0]

    # -------------------------------------------------------------------------- what is made whole

    def _function(self, name: str, arguments: Sequence[str]) -> str:
        return f"{self._use(f'{RUNTIME}.{name}')}({', '.join(arguments)})"

    def _matrices(self, node: Node, at: At) -> str:
        """A function of one matrix, and of a right side or directions."""
        given = [self.nested(i, at) for i in node.inputs]
        given += [f"{k}={v}" for k, v in node.attributes if v is not False]
        return self._function(node.op, given)

    def _along(self, node: Node, at: At) -> str:
        attributes = dict(node.attributes)
        if node.op == "cumsum":
            given = [self.nested(node.inputs[0], ()), str(attributes["axis"])]
            given += ["reverse=True"] if attributes.get("reverse") else []
        else:
            given = [self.nested(node.inputs[0], ()), str(attributes["axes"])]
            given += [self.nested(i, ()) for i in node.inputs[1:]]
        return self._function(node.op, given)

    def _overlap_add(self, node: Node, at: At) -> str:
        shape = ", ".join(self.dim(d) for d in node.array.shape)
        comma = "," if _rank(node) == 1 else ""
        strides = ", ".join(self.dim(Dim.of(d)) for d in _dims(node, "strides"))
        strides += "," if len(_dims(node, "strides")) == 1 else ""
        given = [self.nested(node.inputs[0], ()), f"({shape}{comma})", f"({strides})"]
        return self._function("overlap_add", [*given, str(node.attribute("axes"))])

    def _put(self, node: Node, at: At) -> str:
        x, v, *ints = node.inputs
        index: list[str] = []
        for item, n in zip(_items(node), x.array.shape, strict=True):
            match item[0]:
                case "all":
                    index.append(f"{self._use('builtins.slice')}(None)")
                case "slice":
                    start, stop, step = item[1:]
                    # before the first place counts for a slice from the end
                    last = "None" if stop.constant == -1 else self._place(stop, n)
                    bounds = [self._place(start, n), last, *([str(step)] if step != 1 else [])]
                    index.append(f"{self._use('builtins.slice')}({', '.join(bounds)})")
                case "at":
                    index.append(self._place(item[1], n))
                case _:
                    index.append(self.text(ints[item[1]]))
        comma = "," if len(index) == 1 else ""
        value = self.text(v) if _rank(v) else self.at(v, ())
        given = [self.nested(x, ()), f"({', '.join(index)}{comma})", value]
        return self._function("added" if node.attribute("adds") else "replaced", given)


# the ops that only say where an element lies; `take` is one too, of computed places as well
VIEWS = frozenset({"broadcast", "transpose", "flip", "windows", "reshape"})
BLOCKS: dict[str, Callable[[Lists, Node, At], str]] = {
    **dict.fromkeys(("det", "inv", "cholesky", "cofactor", "solve"), Lists._matrices),
    "solve_triangular": Lists._matrices,
    "cumsum": Lists._along,
    "prod_others": Lists._along,
    "overlap_add": Lists._overlap_add,
    "put": Lists._put,
    "item": Lists._result,
}
MATRICES = frozenset({"det", "inv", "cholesky", "cofactor", "solve", "solve_triangular"})


def _batch(node: Node) -> int:
    """How many axes are gone through one by one by what is made of matrices."""
    return _rank(node.inputs[0]) - 2 if node.op in MATRICES else 0


def _rank(node: Node) -> int:
    return len(node.type.shape) if isinstance(node.type, Type) else 0


def _items(node: Node) -> Any:
    return node.attribute("items")


def _dims(node: Node, key: str) -> Any:
    return node.attribute(key)


def _bracketed(text: str, binds: int, needs: int) -> str:
    return f"({text})" if binds < needs else text


def _group(old: Shape, new: Shape) -> tuple[int, int]:
    """The least numbers of first axes whose sizes have one product."""
    for total in range(2, len(old) + len(new) + 1):
        for first in range(max(1, total - len(new)), min(len(old), total - 1) + 1):
            if _product(old[:first]) == _product(new[: total - first]):
                return first, total - first
    return len(old), len(new)


def _product(shape: Shape) -> Dim:
    total = ONE
    for d in shape:
        total = total * d
    return total
