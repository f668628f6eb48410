"""SymPy's expressions in the syntax of the language, and as LaTeX."""

from __future__ import annotations

from math import isclose
from typing import Any

import sympy
from sympy.logic.boolalg import ITE, BooleanFalse, BooleanTrue
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import precedence
from sympy.printing.str import StrPrinter

from mgrad.verbs.arrays import in_line, plain

NAMES = {"Abs": "abs", "ceiling": "ceil", "loggamma": "lgamma"}  # SymPy's name -> ours
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def text(expression: Any) -> str:
    """An expression in the syntax of the language."""
    written = str(_Printer().doprint(expression))
    if isinstance(expression, sympy.Piecewise | ITE):
        return written[1:-1]
    return written


def latex(expression: Any) -> str:
    """An expression as LaTeX; a choice is set as cases."""
    return str(_Latex().doprint(expression))


class _Printer(StrPrinter):  # type: ignore[misc]
    """SymPy's text, but what the language writes differently."""

    def _print_Piecewise(self, expression: Any) -> str:
        *arms, (last, _) = [(self._print(e), self._print(c)) for e, c in expression.args]
        return "(" + "".join(f"if {c} then {e} else " for e, c in arms) + f"{last})"

    def _print_Truth(self, expression: Any) -> str:
        return str(self._print(expression.args[0]))

    def _print_Sum(self, expression: Any) -> str:
        letters = ", ".join(str(limits[0]) for limits in expression.limits)
        return f"sum({self._print(expression.function)} for {letters})"

    def _print_ITE(self, expression: Any) -> str:
        condition, yes, no = map(self._print, expression.args)
        return f"(if {condition} then {yes} else {no})"

    def _print_Relational(self, expression: Any) -> str:
        left, operator, right = _sides(expression)
        parent = precedence(expression)
        left, right = self.parenthesize(left, parent), self.parenthesize(right, parent)
        return f"{left} {operator} {right}"

    def _print_And(self, expression: Any) -> str:
        return self._joined(expression, " and ")

    def _print_Or(self, expression: Any) -> str:
        return self._joined(expression, " or ")

    def _joined(self, expression: Any, word: str) -> str:
        arguments = sorted(expression.args, key=sympy.default_sort_key)
        return word.join(self.parenthesize(a, precedence(expression)) for a in arguments)

    def _print_Not(self, expression: Any) -> str:
        (argument,) = expression.args
        inner = self._print(argument)
        return f"not {inner}" if argument.is_Symbol else f"not ({inner})"

    def _print_Function(self, expression: Any) -> str:
        name = expression.func.__name__
        return f"{NAMES.get(name, name)}({self.stringify(expression.args, ', ')})"

    def _print_polygamma(self, expression: Any) -> str:
        order, x = expression.args
        if order == 0:
            return f"digamma({self._print(x)})"
        return f"polygamma({self._print(order)}, {self._print(x)})"

    def _print_Mod(self, expression: Any) -> str:
        return " % ".join(self.parenthesize(a, precedence(expression) + 1) for a in expression.args)

    def _print_Pow(self, expression: Any, rational: bool = False) -> str:
        return str(super()._print_Pow(expression, rational)).replace("**", "^")

    def _print_Exp1(self, expression: Any) -> str:
        return "exp(1)"

    def _print_Infinity(self, expression: Any) -> str:
        return "inf"

    def _print_NegativeInfinity(self, expression: Any) -> str:
        return "-inf"

    def _print_ComplexInfinity(self, expression: Any) -> str:
        return "1/0"

    def _print_BooleanTrue(self, expression: Any) -> str:
        return "true"

    def _print_BooleanFalse(self, expression: Any) -> str:
        return "false"


class _Latex(LatexPrinter):  # type: ignore[misc]
    def _print_Symbol(self, expression: Any, style: str = "plain") -> str:
        """An element of an array has its place as an index: `x[0, 1]`."""
        name, bracket, place = expression.name.partition("[")
        if not bracket:
            return str(super()._print_Symbol(expression))
        base = super()._print_Symbol(sympy.Symbol(name))
        base = f"{{{base}}}" if "_" in base else base
        return f"{base}_{{{place.removesuffix(']')}}}"

    def _print_ITE(self, expression: Any) -> str:
        condition, yes, no = expression.args
        return str(self._print(sympy.Or(sympy.And(condition, yes), sympy.And(~condition, no))))

    def _print_Relational(self, expression: Any) -> str:
        signs = {"==": "=", "!=": r"\neq", "<=": r"\leq", ">=": r"\geq"}
        left, operator, right = _sides(expression)
        return f"{self._print(left)} {signs.get(operator, operator)} {self._print(right)}"


def _sides(expression: Any) -> tuple[Any, str, Any]:
    """A comparison as it is read best: `a - b < 0` is a < b, and what is subtracted goes over."""
    left, right = expression.args
    operator = expression.rel_op
    if isinstance(left, BooleanTrue | BooleanFalse) or isinstance(
        right, BooleanTrue | BooleanFalse
    ):
        return left, operator, right
    terms = left.args if left.is_Add else (left,)
    taken = [term for term in terms if term.could_extract_minus_sign()]
    if right == 0 and taken:
        left, right = left - sum(taken), -sum(taken)
    elif right.is_number and len(taken) == len(terms):
        left, operator, right = -left, MIRRORED[operator], -right
    if left.is_number and not right.is_number:
        return right, MIRRORED[operator], left
    return left, operator, right


def digits(value: Any) -> str:
    """A number to six digits; an array in one line."""
    return in_line(value, lambda v: str(v).lower() if isinstance(v, bool) else f"{v:.6g}")


def close(x: Any, y: Any) -> bool:
    """Whether two numbers or arrays agree but for rounding; nan agrees with nan."""
    x, y = plain(x), plain(y)
    if isinstance(x, list) or isinstance(y, list):
        return (
            isinstance(x, list)
            and isinstance(y, list)
            and len(x) == len(y)
            and all(map(close, x, y))
        )
    return isclose(x, y, rel_tol=1e-9, abs_tol=1e-300) or (x != x and y != y)
