"""How an exact constant is spelled in Python, and which values are computed once for a module."""

from __future__ import annotations

import keyword
import math
import operator
from collections.abc import Callable, Container, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache

from mgrad.compiler.ir.node import Node
from mgrad.compiler.ops.op import TABLE
from mgrad.compiler.passes.numbers import PI, SIMPLE, digits, is_whole, multiple_of_pi
from mgrad.compiler.schedule.names import Names
from mgrad.compiler.schedule.phrases import NUMBERS

LONGEST = 32  # characters of the name of a module's constant
DEEPEST = 10  # levels of operators in the expression of one


def spell(node: Node, is_operand: bool) -> str:
    """The literal of a constant: `2`, `0.05`, `1/3`, `2*pi`, `True`, `inf`, `nan`.

    A whole real number is `2` where it is an operand of arithmetic, else `2.0`: there it must be a
    float of its own. `pi`, `inf` and `nan` are for the printer to import.
    """
    value = node.value
    if isinstance(value, bool):
        return repr(value)
    if node.array.dtype == "int":
        return str(value)
    if isinstance(value, float):
        return repr(value)
    return real(value, is_operand)


def real(value: Fraction, is_operand: bool) -> str:
    """An exact real number: as it is where a float or a small ratio says it, else the nearest."""
    return _spelled(value.numerator, value.denominator, is_operand)


@lru_cache(maxsize=4096)
def _spelled(over: int, under: int, is_operand: bool) -> str:
    value = Fraction(over, under)
    if is_whole(value):
        return str(value.numerator) if is_operand else repr(float(value))
    times_pi = multiple_of_pi(value)
    if times_pi is not None:
        return _of_pi(times_pi, is_operand)
    try:
        nearest = float(value)
    except OverflowError:
        return "inf" if value > 0 else "-inf"
    if Fraction(repr(nearest)) == value:
        return repr(nearest)
    if abs(value.numerator) <= SIMPLE and value.denominator <= SIMPLE:
        return f"{value.numerator}/{value.denominator}"
    return repr(nearest)


def _of_pi(ratio: Fraction, is_operand: bool) -> str:
    over, under = abs(ratio.numerator), ratio.denominator
    point = "" if is_operand else ".0"
    text = "pi" if over == 1 else f"{over}{point}*pi"
    text = text if under == 1 else f"{text}/{under}{point}"
    return f"-{text}" if ratio < 0 else text


_INFIX: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
}
_WORDS = {"add": "_PLUS_", "sub": "_MINUS_", "mul": "_", "div": "_OVER_"}


MOST = 20  # of the source's constants are looked for in products
FEW = 6  # digits that nobody minds
TWO_OVER_SQRT_PI = Fraction(2 / math.sqrt(math.pi))
# multiples of a constant of the source that are written as such
RATIOS = tuple(Fraction(n, d) for n, d in [*((k, 1) for k in range(1, 13)), (1, 2), (3, 2), (1, 4)])


class Constants:
    """What a module computes once, when it is imported: `SQRT_2_PI = sqrt(2*pi)`.

    A value that depends on constants alone, if it is a finite number, and the constants of the
    source. Made-up names give way to every name of the source.
    """

    def __init__(
        self, taken: Iterable[str], source: Mapping[str, Fraction | bool | float] | None = None
    ) -> None:
        taken = set(taken)
        self._scope = Names(taken | set(source or ()))
        self._source = _recognised(source or {}, taken)
        self.names: dict[Node, str] = {}  # in the order in which they are met
        self._products: dict[Fraction, tuple[Fraction, ...]] | None = None
        self._value: dict[Node, float | None] = {}
        self._word: dict[Node, str] = {}
        self._depth: dict[Node, int] = {}
        self._worth: set[Node] = set()  # what calls a function: arithmetic is folded already

    def choose(
        self,
        order: Iterable[Node],
        results: Iterable[Node],
        own: Callable[[Node], str | None],
        local: Container[str],
    ) -> tuple[dict[Node, str], set[Node]]:
        """The nodes of a routine that are constants of the module, with their names; and those
        that stand inside one. `own` gives the source's name, `local` the names of the routine."""
        known: list[Node] = []
        used: set[Node] = set(results)
        names: dict[Node, str] = {}
        for node in order:
            if node.op == "constant":
                self._name_of_source(node, names, local)
            elif self._is_known(node):
                known.append(node)
            else:
                used.update(node.inputs)
        known = [node for node in known if node in self._worth]
        inside: set[Node] = set()
        for node in known:
            if node not in used and self._depth[node] < DEEPEST:
                inside.add(node)
                continue
            name = self.names.get(node)
            if name is None:
                word = (own(node) or self._word[node]).upper()
                name = self.names[node] = self._scope.give(word)
                self._depth[node], self._word[node] = 0, name
            if name not in local:
                names[node] = name
        return names, inside

    def _name_of_source(self, node: Node, names: dict[Node, str], local: Container[str]) -> None:
        """`g_n`, or `2*g_n`, for a number that is that of a constant of the source."""
        value = _real(node)
        if value is not None and abs(value) == TWO_OVER_SQRT_PI:
            self._name_of_root(node, names, local)
        if value is None or not self._source:
            return
        if value.denominator == 1 and abs(value) <= SIMPLE:
            return
        for ratio in RATIOS:
            name = self._source.get(abs(value) / ratio)
            if name is None or name in local:
                continue
            whole = abs(value) / ratio
            text = name if ratio == 1 else _multiple(ratio, name)
            if ratio.numerator * float(whole) / ratio.denominator != float(abs(value)):
                continue
            definition = node.pool.constant(whole, node.array)
            names[definition] = self.names[definition] = self._word[definition] = name
            names[node] = f"-{text}" if value < 0 else text
            return
        if digits(value) > FEW:
            self._name_of_product(node, value, names, local)

    def _name_of_product(
        self, node: Node, value: Fraction, names: dict[Node, str], local: Container[str]
    ) -> None:
        """`H_P_C_0 = h_P*c_0`, for a number that is a product of constants of the source."""
        if self._products is None:
            self._products = _products(self._source)
        factors = self._products.get(abs(value))
        if factors is None or any(self._source.get(f) in local for f in factors):
            return
        definition: Node | None = None
        words: list[str] = []
        for factor in factors:
            constant = node.pool.constant(factor, node.array)
            if factor in self._source:
                names[constant] = self.names[constant] = self._source[factor]
            word = self._source.get(factor) or NUMBERS[int(factor)]
            words.append("squared" if word in words else word)
            definition = constant if definition is None else definition * constant
        assert definition is not None
        name = self.names.get(definition) or self._scope.give("_".join(words).upper())
        if name not in local:
            self.names[definition] = names[definition] = self._word[definition] = name
            names[node] = f"-{name}" if value < 0 else name

    def _name_of_root(self, node: Node, names: dict[Node, str], local: Container[str]) -> None:
        """`TWO_OVER_SQRT_PI`, the factor of the derivative of erf."""
        make, constant = node.pool.make, node.pool.constant
        root = make("sqrt", (constant(PI, node.array),), node.type)
        definition = make("div", (constant(2, node.array), root), node.type)
        name = self.names.get(definition) or self._scope.give("TWO_OVER_SQRT_PI")
        if name not in local:
            self.names[definition] = names[definition] = self._word[definition] = name
            names[node] = f"-{name}" if node.value < 0 else name

    def _is_known(self, node: Node) -> bool:
        if node.op == "constant" or not node.inputs:
            return False
        if node not in self._value:
            operands = [self._number(i) for i in node.inputs]
            self._value[node] = number = _computed(node, operands)
            if number is not None:
                self._depth[node] = 1 + max(self._depth.get(i, 0) for i in node.inputs)
                self._word[node] = self._named(node)
                if (node.op not in _INFIX and node.op != "neg") or not self._worth.isdisjoint(
                    node.inputs
                ):
                    self._worth.add(node)
        return self._value[node] is not None

    def _number(self, node: Node) -> float | None:
        if node.op != "constant":
            return self._value.get(node)
        value = node.value
        if isinstance(value, bool) or node.array.dtype != "real" or node.array.shape:
            return None
        try:
            return float(value)
        except OverflowError:
            return None

    def _named(self, node: Node) -> str:
        """SQRT_2_PI for sqrt(2*pi)."""
        words = [self._word.get(i) or _word(i) for i in node.inputs]
        if node.op in _WORDS:
            name = _WORDS[node.op].join(words)
        else:
            name = "_".join(["MINUS" if node.op == "neg" else node.op.upper(), *words])
        if len(name) > LONGEST:
            return "CONSTANT"
        first, _, rest = name.partition("_")
        if not first.isdigit():
            return name
        return f"{NUMBERS[int(first)].upper() if int(first) < len(NUMBERS) else 'CONSTANT'}_{rest}"


def _recognised(
    source: Mapping[str, Fraction | bool | float], taken: Container[str]
) -> dict[Fraction, str]:
    """The source's constants by number: those that are no small whole number, which may stand for
    anything, and whose number and name are theirs alone."""
    found: dict[Fraction, list[str]] = {}
    for name, value in source.items():
        if not isinstance(value, Fraction) or multiple_of_pi(value) is not None:
            continue
        is_known = value.denominator != 1 or value > SIMPLE
        if is_known and value > 0 and name not in taken and not keyword.iskeyword(name):
            found.setdefault(value, []).append(name)
    return {value: names[0] for value, names in found.items() if len(names) == 1}


def _products(source: Mapping[Fraction, str]) -> dict[Fraction, tuple[Fraction, ...]]:
    """Factors of products of two constants of the source, also of twice that and with the second
    one squared, where Python's product is the float next to it."""
    found: dict[Fraction, tuple[Fraction, ...]] = {}
    constants = list(source)[:MOST]
    for i, x in enumerate(constants):
        for j, y in enumerate(constants):
            for factors in ((x, y), (Fraction(2), x, y), (x, y, y), (Fraction(2), x, y, y)):
                product = math.prod(factors, start=Fraction(1))
                is_new = product not in source and (i <= j or factors[-2:] == (y, y))
                if is_new and math.prod(map(float, factors)) == _float(product):
                    found.setdefault(product, factors)
    return found


def _float(value: Fraction) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _multiple(ratio: Fraction, name: str) -> str:
    text = name if ratio.numerator == 1 else f"{float(ratio.numerator)}*{name}"
    return text if ratio.denominator == 1 else f"{text}/{float(ratio.denominator)}"


def _real(node: Node) -> Fraction | None:
    value = node.value
    is_real = isinstance(value, Fraction) and node.array.dtype == "real" and not node.array.shape
    return value if is_real and isinstance(value, Fraction) else None


def _word(constant: Node) -> str:
    text = spell(constant, True).replace("-", "MINUS_").replace("/", "_OVER_")
    return "".join(c if c.isalnum() else "_" for c in text).upper()


def _computed(node: Node, operands: list[float | None]) -> float | None:
    """The finite float that Python computes; None where it does not."""
    numbers = [n for n in operands if n is not None]
    if len(numbers) < len(operands):
        return None
    entry = TABLE.get(node.op)
    code = "" if entry is None or entry.python is None else entry.python.text
    function: Callable[..., float] | None = _INFIX.get(node.op)
    if node.op == "neg":
        function = operator.neg
    elif code.startswith("{math."):
        function = getattr(math, code[len("{math.") : code.index("}")])
    if function is None:
        return None
    try:
        number = function(*numbers)
    except (ArithmeticError, ValueError):
        return None
    return number if math.isfinite(number) else None
