"""Identities that keep digits where the plain form loses them; SymPy proves each in the tests.

One is offered in the source's own words, and only where it was measured to keep more digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import sympy as sp
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from mgrad.compiler.verify.evaluation import Evaluation
from mgrad.compiler.verify.reference import Reference, RefNode, constant_power
from mgrad.compiler.verify.terms import placeholder

GAIN = 2.0  # digits more, or it is not worth a change
DRAWS = (0, 1, -1, 3, -5)  # units in the last place: one rounding may be lucky
DEPTHS = (1, 2, 3, 4, 10)  # of operations that an identity may see
MOST_OPERATIONS = 40  # of what is factored
SIMPLE = 3  # operations
DIGITS = 130

U = sp.Wild("u", exclude=[0])
V = sp.Wild("v", exclude=[0])
u, v = sp.symbols("u v", real=True)
expm1, log1p, sigmoid, softplus = sp.symbols("expm1 log1p sigmoid softplus", cls=sp.Function)

# Functions of the language that SymPy has not, and what they mean.
MEANINGS: Mapping[Any, Callable[[Any], Any]] = {
    expm1: lambda x: sp.exp(x) - 1,
    log1p: lambda x: sp.log(1 + x),
    sigmoid: lambda x: 1 / (1 + sp.exp(-x)),
    softplus: lambda x: sp.log(1 + sp.exp(x)),
}
NUMBERS: Mapping[str, Callable[[Any], Any]] = {
    "expm1": mpmath.expm1,
    "log1p": mpmath.log1p,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: (
        x + mpmath.log1p(mpmath.exp(-x)) if x > 0 else mpmath.log1p(mpmath.exp(x))
    ),
}

# What is looked into; other ops are pieces by themselves, as those are that keep digits.
PLAIN = (
    *("add", "sub", "mul", "div", "neg", "pow", "sqrt", "exp", "log", "sin", "cos", "tan"),
    *("sinh", "cosh", "tanh", "erf", "integer_power"),
)

# (what loses digits, what keeps them)
TABLE: tuple[tuple[Any, Any], ...] = (
    (1 - sp.cos(u), 2 * sp.sin(u / 2) ** 2),
    (sp.exp(u) - 1, expm1(u)),
    (sp.exp(u) - sp.exp(v), sp.exp(v) * expm1(u - v)),
    (1 - sp.tanh(u), 2 * sigmoid(-2 * u)),
    (1 - sp.tanh(u) ** 2, 1 / sp.cosh(u) ** 2),
    (1 - 1 / (1 + sp.exp(-u)), sigmoid(-u)),
    (1 - sp.cos(u) ** 2, sp.sin(u) ** 2),
    (1 - sp.sin(u) ** 2, sp.cos(u) ** 2),
    (sp.cosh(u) - 1, 2 * sp.sinh(u / 2) ** 2),
    (1 - sp.erf(u), sp.erfc(u)),
    (sp.sqrt(u) - sp.sqrt(v), (u - v) / (sp.sqrt(u) + sp.sqrt(v))),
    (sp.sqrt(1 + u) - 1, u / (sp.sqrt(1 + u) + 1)),
    (1 - sp.sqrt(1 - u), u / (1 + sp.sqrt(1 - u))),
    (u**2 - v**2, (u - v) * (u + v)),
    (1 - u**2, (1 - u) * (1 + u)),
    (1 / u - 1 / v, (v - u) / (u * v)),
    (sp.log(u) - sp.log(v), log1p((u - v) / v)),
    (sp.log(1 + u), log1p(u)),
    (sp.log(1 - u), log1p(-u)),
    (sp.log(1 + sp.exp(u)), softplus(u)),
    (sp.cos(u) - sp.cos(v), -2 * sp.sin((u + v) / 2) * sp.sin((u - v) / 2)),
    (sp.sin(u) - sp.sin(v), 2 * sp.cos((u + v) / 2) * sp.sin((u - v) / 2)),
)


class Words(sp.Symbol):  # type: ignore[misc]
    """A piece of the source as one symbol, which is bracketed where it has to be."""

    @property
    def precedence(self) -> int:
        bare = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "()", self.name)
        while bare != (bare := re.sub(r"\([^()]*\)", "()", bare)):
            pass
        if re.search(r"[-+<>=]|\b(if|or|and|not|then|else|mod)\b", re.sub(r"\de[-+]", "", bare)):
            return int(PRECEDENCE["Add"])
        if "*" in bare or "/" in bare:
            return int(PRECEDENCE["Mul"])
        return int(PRECEDENCE["Pow"] if "^" in bare else PRECEDENCE["Atom"])


@dataclass(frozen=True, slots=True)
class Place:
    """An op of the program at a point."""

    reference: Reference
    node: RefNode
    values: Evaluation

    def expression(self, depth: int) -> tuple[Any, dict[Any, Any], dict[Any, Any]] | None:
        """The op as an expression of pieces of the source, so many operations deep; the values of
        the pieces; and of the sums inside, how the source writes them. None where it has no words
        for a piece."""
        atoms: dict[Any, Any] = {}
        sums: dict[Any, Any] = {}
        made = self._expression(self.node, depth, atoms, sums)
        if made is None:
            return None
        sums.pop(made, None)
        return made, atoms, sums

    def _expression(
        self, node: RefNode, depth: int, atoms: dict[Any, Any], sums: dict[Any, Any]
    ) -> Any:
        reference = self.reference
        name, is_argument = None, False
        while node.kind == "mark":
            name = name or reference.names.get(node.index)
            is_argument = is_argument or (node.span in _arguments(reference))
            node = reference.nodes[node.operands[0]]
        term = reference.dag.terms[node.term]
        if term.head == "constant" and not is_argument:
            value = term.payload
            is_ratio = hasattr(value, "numerator") and not isinstance(value, bool)
            return sp.Rational(value.numerator, value.denominator) if is_ratio else None
        if term.head == "symbol":
            name = name or term.payload[0]
        meaning = node.meaning
        is_plain = is_written(node) and meaning is not None and meaning.name in ("", *PLAIN)
        if depth == 0 or meaning is None or is_argument or not is_plain:
            text = name or (node.span.text if node.span is not None else "")
            if not text:
                return None
            atom = _words(text)
            atoms[atom] = self.values[node.term]
            return atom
        operands = [reference.nodes[o] for o in node.operands]
        parts = [self._expression(o, depth - 1, atoms, sums) for o in operands]
        if any(p is None for p in parts):
            return None
        named = {placeholder(i): p for i, p in enumerate(parts)}
        made = meaning.expression.xreplace(named)
        if made.is_Add and node.span is not None:
            sums[made] = _words(node.span.text)
        return made


def _words(text: str) -> Any:
    return Words(" ".join(text.split()), real=True)


def is_written(node: RefNode) -> bool:
    """Whether an op stands in the source, and is not a partial of one."""
    meaning = node.meaning
    if meaning is None or meaning.name:
        return meaning is not None
    exponent = meaning.expression.as_base_exp()[1]
    return bool(exponent.is_Rational) and meaning is constant_power(
        Fraction(int(exponent.p), int(exponent.q))
    )


def _arguments(reference: Reference) -> set[Any]:
    """The spans of the arguments of the program's functions: a call is not looked through."""
    functions = reference.program.functions.values()
    return {a.value.span for f in functions for a in f.arguments}


def offer(place: Place) -> str | None:
    """The shortest way to write an op in which more digits are kept there."""
    offered: list[str] = []
    seen: set[Any] = set()
    with mpmath.workdps(DIGITS):
        for depth in DEPTHS:
            found = place.expression(depth)
            if found is None or found[0] in seen:
                continue
            expression, atoms, sums = found
            seen.add(expression)
            for kept in identities(expression):
                if gains(expression, kept, atoms):
                    offered.append(show(kept.xreplace(sums)))
    return min(offered, key=len, default=None)


@cache
def identities(expression: Any) -> tuple[Any, ...]:
    """Other ways to write an expression, each once."""
    found = [*known(expression), *_conjugate(expression), *_factored(expression)]
    return tuple(dict.fromkeys(found))


def known(expression: Any) -> Iterator[Any]:
    """What the table has for an expression, or for its negative."""
    parts = expression.atoms(sp.Pow, sp.Function)
    for pattern, kept in TABLE:
        wild = pattern.xreplace({u: U, v: V})
        for sign in (1, -1):
            form = sign * expression
            found = form.match(wild)
            if found is None or any(f.is_number for f in found.values()):
                continue
            if any(f.atoms(sp.Pow, sp.Function) - parts for f in found.values()):
                continue  # any number is a square of something: only those that stand there
            if sp.expand(wild.xreplace(found) - form) != 0:
                continue
            yield sign * kept.xreplace({u: found.get(U, u), v: found.get(V, v)})


def _conjugate(expression: Any) -> Iterator[Any]:
    """sqrt(a) - b is (a - b^2)/(sqrt(a) + b): good where a - b^2 is simple."""
    if not (expression.is_Add and len(expression.args) == 2):
        return
    for root, other in (expression.args, expression.args[::-1]):
        for sign in (1, -1):
            base, exponent = (sign * root).as_base_exp()
            if exponent != sp.Rational(1, 2):
                continue
            b = -sign * other
            rest = sp.expand(base - b**2)
            if sp.count_ops(rest) <= SIMPLE:
                yield sign * rest / (sign * root + b)


def _factored(expression: Any) -> Iterator[Any]:
    if expression.is_rational_function() and sp.count_ops(expression) <= MOST_OPERATIONS:
        factored = sp.factor(expression)
        if factored != expression:
            yield factored


def gains(plain: Any, kept: Any, atoms: Mapping[Any, Any]) -> bool:
    """Whether a form keeps more digits than the plain one, from the same operands."""
    return digits_of(kept, plain, atoms) >= digits_of(plain, plain, atoms) + GAIN


def digits_of(form: Any, plain: Any, atoms: Mapping[Any, Any]) -> float:
    """Correct digits of a form in floats, the least of a few draws. Operands that are no floats are
    rounded, which no form can undo."""
    names = list(atoms)
    right, rounded = (_function(f, tuple(names)) for f in (plain, form))
    least = 16.0
    for draw in DRAWS:
        exact = []
        for value in atoms.values():
            moved = value * (1 + mpmath.mpf(draw) * mpmath.mpf(2) ** -52)
            exact.append(_float(moved) if value == _float(value) else moved)
        try:
            true = right(*exact)
            with mpmath.workprec(53):
                found = rounded(*(+x for x in exact))
            error = abs(found - true)
        except (ArithmeticError, ValueError, TypeError):
            return 0.0
        if not mpmath.isfinite(error) or abs(found) >= mpmath.mpf(2) ** 1024:
            return 0.0
        if error:
            least = min(least, float(-mpmath.log10(error / abs(true))) if true else 0.0)
    return max(0.0, least)


@cache
def _function(form: Any, names: tuple[Any, ...]) -> Any:
    return sp.lambdify(names, form, [NUMBERS, "mpmath"])


def _float(value: Any) -> Any:
    with mpmath.workprec(53):
        return +value


class _Printer(StrPrinter):  # type: ignore[misc]
    """SymPy's text in the spelling of `.mg`."""

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        return str(super()._print_Pow(expr, rational=rational)).replace("**", "^")


@cache
def _printer() -> _Printer:
    return _Printer()


def show(expression: Any) -> str:
    """An expression as it is written in `.mg`."""
    return str(_printer().doprint(expression))
