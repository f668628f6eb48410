"""The reference: a typed function as terms, and its derivatives by a reverse sweep of our own.

The sweep knows an op by SymPy's derivative of its meaning and by the values stated at its kinks,
and nothing of the compiler's rules. A node remembers the op that made it; its term forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import sympy as sp

from mgrad.compiler.ir.types import INT, Bundle, Type
from mgrad.compiler.ops.op import Kink
from mgrad.compiler.sema.program import Extern, Function, Program, Value
from mgrad.compiler.source import Span
from mgrad.compiler.verify import elements, names
from mgrad.compiler.verify.opaque import extern_function
from mgrad.compiler.verify.table import TABLE
from mgrad.compiler.verify.terms import Dag, placeholder

COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What a node computes from its operands: an op of the table, or a partial of one."""

    expression: Any
    evaluate: Callable[..., Any] | None
    partials: tuple[Any, ...] | None  # expressions; None: derived from `expression` when needed
    kinks: tuple[tuple[str, Any], ...] = ()  # text, and the condition
    extern: str | None = None
    accuracy: str = ""
    name: str = ""  # of the op
    is_flat: bool = False  # no derivative passes through: comparisons, logic, ints


@dataclass(frozen=True, slots=True, eq=False)
class RefNode:
    """`kind`: leaf (argument, constant), mark (its one operand, told apart), op, or scale."""

    index: int
    kind: str
    operands: tuple[int, ...]
    term: int
    meaning: Meaning | None
    span: Span | None


@cache
def differentiate(expression: Any, position: int) -> Any:
    """SymPy's derivative of a template by one placeholder."""
    symbol = placeholder(position)
    steps = {a: sp.Dummy(real=True) for a in expression.atoms(sp.floor, sp.ceiling)}
    back = {dummy: part for part, dummy in steps.items()}
    derived = sp.diff(expression.xreplace(steps), symbol).xreplace(back)
    return sp.powsimp(derived) if derived.has(sp.Pow) else derived


@cache
def meaning_of(name: str, arity: int) -> Meaning:
    """The meaning of an op of the table."""
    op = TABLE[name]
    symbols = [placeholder(i) for i in range(arity)]
    expression = sp.sympify(op.sympy(sp, *symbols))
    evaluate: Callable[..., Any] | None = None
    # the rule of an int op holds of ints alone; a faulty text may have other numbers there
    if op.mpmath is not None and op.signature != "integer":
        rule = op.mpmath

        def evaluate(*operands: Any) -> Any:
            for operand in operands:
                if operand != operand:
                    return mpmath.nan
            return mpmath.mpmathify(rule(mpmath.mp, *operands))

    partials = []
    smooth = [i for i in range(arity) if not (name == "where" and i == 0)]
    if op.partials is not None:
        for position in range(arity):
            if position not in smooth:
                partials.append(sp.Integer(0))
                continue
            derived = differentiate(expression, position)
            for kink in reversed(op.kinks):
                derived = _with_kink(kink, symbols, position, smooth, derived)
            partials.append(derived)
    return Meaning(
        expression,
        evaluate,
        tuple(partials) if partials else None,
        tuple(
            (k.text, sp.sympify(k.condition(sp, *symbols)))
            for k in op.kinks
            if any(p is not None for p in k.partials)
        ),
        accuracy=op.accuracy,
        name=name,
        is_flat=op.partials is None,
    )


def _with_kink(
    kink: Kink, symbols: list[Any], position: int, smooth: list[int], derived: Any
) -> Any:
    """The partial with the value that is stated where it does not exist."""
    rank = smooth.index(position)
    arguments = symbols
    if rank < len(kink.partials):
        stated = kink.partials[rank]
    else:  # a variadic op is symmetric: its first partial, with this operand put first
        stated = kink.partials[0]
        arguments = [symbols[position], *symbols[:position], *symbols[position + 1 :]]
    if stated is None:
        return derived
    value = stated(sp, *arguments) if callable(stated) else sp.sympify(stated)
    condition = kink.condition(sp, *symbols)
    return sp.Piecewise((value, condition), (derived, True))


@dataclass
class Reference:
    """Builds nodes over one `Dag`."""

    program: Program
    dag: Dag
    nodes: list[RefNode] = field(default_factory=list)
    kinks: dict[tuple[str, Span | None], None] = field(default_factory=dict)
    meetings: dict[int, Span | None] = field(default_factory=dict)  # sums of cotangents: of what
    names: dict[int, str] = field(default_factory=dict)  # of marks: what the source calls them
    # where a stated derivative decides, as its function may have none of its own: conditions
    decided: dict[int, None] = field(default_factory=dict)
    has_derivatives: bool = False  # inside: then they decide on values, too
    _stated: list[str] = field(default_factory=list)  # of the calls on the way
    _interned: dict[object, int] = field(default_factory=dict)
    _calls: dict[object, tuple[Any, ...]] = field(default_factory=dict)
    _leaves: dict[int, int] = field(default_factory=dict)
    _opaque: dict[tuple[str, int | None], Meaning] = field(default_factory=dict)

    def _add(
        self,
        kind: str,
        operands: tuple[int, ...],
        term: int,
        meaning: Meaning | None = None,
        span: Span | None = None,
    ) -> int:
        self.nodes.append(RefNode(len(self.nodes), kind, operands, term, meaning, span))
        if len(self.nodes) > 2 * self.dag.limit:
            self.dag.limit = 0  # the next term says so
        return len(self.nodes) - 1

    def leaf(self, term: int) -> int:
        found = self._leaves.get(term)
        if found is None:
            found = self._leaves[term] = self._add("leaf", (), term)
        return found

    def number(self, value: Any) -> int:
        return self.leaf(self.dag.constant(value))

    def mark(self, node: int, name: str | None = None, span: Span | None = None) -> int:
        made = self._add("mark", (node,), self.nodes[node].term, None, span)
        if name is not None:
            self.names[made] = name
        return made

    def apply(self, meaning: Meaning, operands: Sequence[int], span: Span | None = None) -> int:
        key = (meaning, tuple(operands))
        found = self._interned.get(key)
        if found is None:
            terms = [self.nodes[o].term for o in operands]
            term = self.dag.apply(meaning.expression, terms, meaning.evaluate)
            found = self._interned[key] = self._add("op", tuple(operands), term, meaning, span)
            for text, condition in meaning.kinks:
                terms = [self.nodes[o].term for o in operands]
                where = self.dag.apply(condition, terms)
                if self.dag.terms[where].head == "constant":
                    continue
                if self._stated:
                    self.decided[where] = None
                    text = f"{text}; the derivative stated for {self._stated[0]} decides"
                self.kinks[text, span] = None
        return found

    def op(self, name: str, operands: Sequence[int], span: Span | None = None) -> int:
        meaning = meaning_of(name, len(operands))
        if name == "pow":
            exponent = self.dag.number(self.nodes[operands[1]].term)
            if exponent is not None:
                return self.apply(constant_power(exponent), operands[:1], span)
        return self.apply(meaning, operands, span)

    def _number(self, node: int) -> Any:
        """The number that a node is by its making. That the terms of two arguments are equal here
        (`f(s, s)`) makes their difference 0, but not its derivative."""
        found = self.nodes[node]
        return self.dag.number(found.term) if found.kind == "leaf" else None

    def scale(self, cotangent: int, partial: int, span: Span | None) -> int:
        key = ("scale", cotangent, partial)
        found = self._interned.get(key)
        if found is None:
            d, p = self._number(cotangent), self._number(partial)
            if d == 0 or p == 0:
                found = self.number(0)
            elif p == 1:
                found = cotangent
            elif d == 1:
                found = partial
            else:
                term = self.dag.scale(self.nodes[cotangent].term, self.nodes[partial].term)
                found = self._add("scale", (cotangent, partial), term, None, span)
            self._interned[key] = found
        return found

    # ------------------------------------------------------------------------------- the program

    def call(self, key: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """The results of a function or extern of the program, expanded; equal calls are one. A
        function of numbers that is given arrays is called for each element."""
        memo = (key, tuple(_key(a) for a in arguments))
        found = self._calls.get(memo)
        if found is None:
            found = self._calls[memo] = self._call(key, arguments)
        return found

    def _call(self, key: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
        callee = self.program.functions.get(key) or self.program.externs[key]
        takes = any(_shape(a.type) for a in callee.arguments)
        shape = next((elements.shape_of(a) for a in arguments if elements.shape_of(a)), ())
        if shape and not takes:
            rows = [elements.flat(a) for a in arguments]
            made = [self.call(key, one) for one in zip(*rows, strict=True)]
            return tuple(elements.filled(shape, list(column)) for column in zip(*made, strict=True))
        if isinstance(callee, Function):
            return self.function(callee, arguments)
        return (self.extern(callee, arguments),)

    def function(self, function: Function, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """The results of a function of the program: nodes, or arrays of nodes."""
        made: dict[Value, Any] = {}
        given = {a.value: node for a, node in zip(function.arguments, arguments, strict=True)}
        forms = self.forms(function, arguments)
        is_stated = function.key in self.program.derivatives
        if is_stated:
            self._stated.append(function.name)
        for value in function.values:
            made[value] = self._value(value, made, given, forms)
        if is_stated:
            self._stated.pop()
        return tuple(made[r] for r in function.results)

    def forms(self, function: Function, arguments: Sequence[Any]) -> elements.Elements:
        """The tensor forms for a call of a function."""
        return elements.Elements(self.arithmetic(), self.sizes(function, arguments))

    def arithmetic(self) -> elements.Arithmetic:
        return elements.Arithmetic(self.number, self.op, self.integer)

    def whole(self, node: int) -> int | None:
        """The int that a node is, at every point of a region."""
        return self.dag.whole(self.nodes[node].term)

    def integer(self, node: int) -> int:
        """The int that an index is."""
        found = self.whole(node)
        if found is None:
            raise ValueError("an index that depends on the values of an array")
        return found

    def sizes(self, function: Function, arguments: Sequence[Any]) -> dict[str, int]:
        """The sizes of the dimensions that stand alone in an argument's shape, and of ints."""
        sizes: dict[str, int] = {}
        for argument, given in zip(function.arguments, arguments, strict=True):
            for d, size in zip(_shape(argument.type), elements.shape_of(given), strict=True):
                if str(d) in d.names:
                    sizes[str(d)] = size
            if argument.type == INT:
                number = self.whole(given)
                if number is not None:
                    sizes[argument.name] = number
        return sizes

    def _value(
        self,
        value: Value,
        made: dict[Value, Any],
        given: dict[Value, Any],
        forms: elements.Elements,
    ) -> Any:
        operands = [made[a] for a in value.args]
        match value.form:
            case "argument":
                return self._marks(given[value], value)
            case "constant":
                is_pi = ("symbol", "pi") in value.attributes
                number = self.number(sp.pi if is_pi else value.attribute("value"))
                return forms.constant(value, number) if _shape(value.type) else number
            case "bind":
                return self._marks(operands[0], value)
            case "call":
                results = self.call(str(value.attribute("callee")), operands)
                return results if isinstance(value.type, Bundle) else results[0]
            case "bundle":
                return tuple(operands)
            case "item":
                return operands[0][int(str(value.attribute("index")))]
            case "derivative":
                self.has_derivatives = True
                return elements.mapped(lambda *xs: self._prime(value, list(xs)), *operands)
            case "diff":
                self.has_derivatives = True
                return self._gradient_of(operands[0], operands[1])
            case "jacobian":
                rows = [self._gradient_of(e, operands[1]) for e in elements.flat(operands[0])]
                return self._stacked(elements.shape_of(operands[0]), rows, operands[1])
            case "hessian":
                slopes = elements.flat(self._gradient_of(operands[0], operands[1]))
                rows = [self._gradient_of(s, operands[1]) for s in slopes]
                return self._stacked(elements.shape_of(operands[1]), rows, operands[1])
            case "each":
                run = lambda part, inner: self._value(part, inner, given, forms)  # noqa: E731
                return forms.each(value, run, made)
            case form if form in elements.FORMS:
                return forms.form(value, operands)
            case form:
                is_edge = self._stated and form in COMPARISONS and is_real(value.args[0].type)

                def apply(*xs: int) -> int:
                    if is_edge:
                        self.decide(xs)
                    return self.op(form, xs, value.span)

                return elements.mapped(apply, *operands)

    def decide(self, operands: Sequence[int]) -> None:
        """Where these are equal a stated derivative decides."""
        edge = sp.Eq(placeholder(0), placeholder(1))
        self.decided[self.dag.apply(edge, [self.nodes[o].term for o in operands])] = None

    def _marks(self, content: Any, value: Value) -> Any:
        return elements.mapped(lambda node: self.mark(node, value.name, value.span), content)

    def _gradient_of(self, output: int, wrt: Any) -> Any:
        found = self.gradient([(output, self.number(1))], elements.flat(wrt))
        return elements.filled(elements.shape_of(wrt), found)

    def _stacked(self, lead: tuple[int, ...], rows: Sequence[Any], wrt: Any) -> Any:
        shape = (*lead, *elements.shape_of(wrt))
        return elements.filled(shape, [e for row in rows for e in elements.flat(row)])

    def _prime(self, value: Value, operands: list[Any]) -> Any:
        """f'(x), f''(x): repeated sweeps from the result to a mark on the argument."""
        key = str(value.attribute("callee"))
        callee = self.program.functions.get(key) or self.program.externs[key]
        reals = [i for i, a in enumerate(callee.arguments) if is_real(a.value.type)]
        marked = self.mark(operands[reals[0]])
        inner = list(operands)
        inner[reals[0]] = marked
        result = self.call(key, inner)[0]
        for _ in range(int(str(value.attribute("order")))):
            (result,) = self.gradient([(result, self.number(1))], [marked])
        return result

    def extern(self, extern: Extern, arguments: Sequence[int]) -> int:
        return self.apply(self.opaque(extern, None), arguments, extern.span)

    def opaque(self, extern: Extern, wrt: int | None) -> Meaning:
        """An undefined SymPy function, or its partial where none is stated."""
        path = f"{extern.module}.{extern.attribute}"
        found = self._opaque.get((path, wrt))
        if found is None:
            symbols = [placeholder(i) for i in range(len(extern.arguments))]
            name = path if wrt is None else f"{path}__d{wrt}"
            expression = sp.Function(name, real=True)(*symbols)
            evaluate: Callable[..., Any] | None = extern_function(path, wrt)
            if wrt is None and extern.module == "math" and extern.attribute in names.MATH:
                # what the text imports is then known by its name, whoever imports it
                expression = names.expression(names.MATH[extern.attribute], len(symbols))
                evaluate = None
            key = extern.key if wrt is None else None
            found = Meaning(expression, evaluate, None, extern=key)
            self._opaque[path, wrt] = found
        return found

    # --------------------------------------------------------------------------------- the sweep

    def gradient(self, seeds: Sequence[tuple[int, int]], wrt: Sequence[int]) -> tuple[int, ...]:
        """Σ seed·∂output/∂w for each w: nodes. `seeds` are (output, cotangent)."""
        active = self._between([o for o, _ in seeds], wrt)
        cotangents: dict[int, int] = {}
        for output, seed in seeds:
            if output in active:
                self._accumulate(cotangents, output, seed, None)
        stop = frozenset(wrt)
        for index in sorted(active, reverse=True):
            if index in stop or index not in cotangents:
                continue
            node, d = self.nodes[index], cotangents[index]
            for position, operand in enumerate(node.operands):
                if operand in active:
                    term = self._pull(node, position, d)
                    self._accumulate(cotangents, operand, term, node.span)
        return tuple(cotangents[w] if w in cotangents else self.number(0) for w in wrt)

    def _accumulate(
        self, cotangents: dict[int, int], of: int, term: int, span: Span | None
    ) -> None:
        known = cotangents.get(of)
        if known is None or self._number(known) == 0:
            cotangents[of] = term
        elif self._number(term) != 0:
            made = cotangents[of] = self.op("add", (known, term), span)
            self.meetings[made] = self.nodes[of].span or span

    def _between(self, outputs: Sequence[int], wrt: Sequence[int]) -> set[int]:
        """The nodes on paths from outputs down to wrt."""
        reached: set[int] = set()
        stack = list(outputs)
        lowest = min(wrt, default=0)
        while stack:
            index = stack.pop()
            if index in reached or index < lowest:
                continue
            meaning = self.nodes[index].meaning
            if meaning is not None and meaning.is_flat:
                continue
            reached.add(index)
            stack.extend(self.nodes[index].operands)
        active = set(wrt) & reached
        for index in sorted(reached):
            if index not in active and any(o in active for o in self.nodes[index].operands):
                active.add(index)
        return active

    def _pull(self, node: RefNode, position: int, d: int) -> int:
        """The cotangent of an operand from that of the node."""
        if node.kind == "mark":
            return d
        if node.kind == "scale":
            return self.scale(d, node.operands[1 - position], node.span)
        meaning = node.meaning
        assert meaning is not None
        if meaning.extern is not None:
            partial = self._extern_partial(meaning.extern, node, position)
            return self.scale(d, partial, node.span)
        if meaning.partials is not None:
            expression = meaning.partials[position]
        else:
            expression = differentiate(meaning.expression, position)
        if expression.is_number:
            if expression.is_Rational:
                value: Any = Fraction(int(expression.p), int(expression.q))
            else:
                value = expression
            return self.scale(d, self.number(value), node.span)
        partial = self.apply(_partial(expression), node.operands, node.span)
        return self.scale(d, partial, node.span)

    def _extern_partial(self, key: str, node: RefNode, position: int) -> int:
        stated = self.program.derivatives.get(key)
        if stated is not None:
            return self.call_stated(stated, node.operands)[position]
        meaning = self.opaque(self.program.externs[key], position)
        return self.apply(meaning, node.operands, node.span)

    def call_stated(self, stated: Function, arguments: Sequence[int]) -> tuple[int, ...]:
        memo = ("stated", stated.key, tuple(arguments))
        found = self._calls.get(memo)
        if found is None:
            found = self._calls[memo] = self.function(stated, arguments)
        return found


@cache
def constant_power(exponent: Fraction) -> Meaning:
    """x^n is a function of one argument; what is said of x^y as one of two does not hold of it."""
    base = placeholder(0)
    expression = base ** sp.Rational(exponent.numerator, exponent.denominator)
    is_smooth = exponent.denominator == 1 and exponent > 0
    both = meaning_of("pow", 2)
    kinks = tuple((text, c.subs(placeholder(1), sp.Rational(exponent))) for text, c in both.kinks)
    return Meaning(expression, None, None, kinks=() if is_smooth else kinks)


@cache
def _partial(expression: Any) -> Meaning:
    return Meaning(expression, None, None)


def _key(argument: Any) -> Any:
    """An argument as a key: arrays are not hashable."""
    shape = elements.shape_of(argument)
    return (shape, tuple(elements.flat(argument))) if shape else argument


def _shape(type: Any) -> Any:
    return type.shape if isinstance(type, Type) else ()


def is_real(type: Any) -> bool:
    return isinstance(type, Type) and type.dtype == "real"
