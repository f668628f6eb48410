"""`diff`: the derivatives as formulas, by SymPy, from the typed program."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgrad import files
from mgrad.compiler.ir.types import REAL
from mgrad.faults import UsageError
from mgrad.verbs import spelling
from mgrad.verbs.compile import Number, entry, understand
from mgrad.verbs.formula import Formulas, derivative

if TYPE_CHECKING:
    from mgrad.compiler.sema.program import Function


@dataclass(frozen=True, slots=True)
class Derivatives:
    """A function's results as SymPy expressions, and their derivatives by some arguments; None for
    a result that is not real."""

    function: Function
    results: tuple[Any, ...]
    partials: Mapping[str, tuple[Any, ...]]  # argument -> one a result


def diff(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    wrt: str | Sequence[str] = (),
    settings: Mapping[str, Number] | None = None,
) -> dict[str, Any]:
    """The partial derivatives of a function of the file, by argument, as SymPy expressions.

    Without `name` it is the file's last function. Several results give tuples.
    """
    chosen = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    found = derivatives(path, name, chosen, settings)[-1]
    return {n: p[0] if len(p) == 1 else p for n, p in found.partials.items()}


def derivatives(
    path: str | os.PathLike[str],
    name: str | None,
    wrt: Iterable[str],
    settings: Mapping[str, Number] | None,
) -> list[Derivatives]:
    """The derivatives of one function, or of all.

    Raises UsageError for an unknown name and for a formula too large to write.
    """
    program = understand(files.read(path), settings)
    if name is None:
        functions = [f for f in program.functions.values() if f.is_entry]
    else:
        functions = [entry(program, name)]
    formulas = Formulas(program)
    return [_of(function, formulas, tuple(wrt)) for function in functions]


def _of(function: Function, formulas: Formulas, wrt: tuple[str, ...]) -> Derivatives:
    real = [a.name for a in function.arguments if a.value.type == REAL]
    for chosen in wrt:
        if chosen not in real:
            known = ", ".join(real) or "none"
            raise UsageError(f"{function.name} has no real argument '{chosen}'; it has {known}")
    symbols = formulas.symbols(function)
    results = formulas.results(function)
    by_name = dict(zip((a.name for a in function.arguments), symbols, strict=True))
    partials = {
        x: tuple(
            formulas.simplest(derivative(formula, by_name[x])) if result.type == REAL else None
            for result, formula in zip(function.results, results, strict=True)
        )
        for x in (wrt or real)
    }
    return Derivatives(function, results, partials)


def show(entry: Derivatives, latex: bool = False) -> str:
    """The function, then a line for each derivative, as `.mg` or as LaTeX."""
    function, spell = entry.function, (spelling.latex if latex else spelling.text)
    word = _latex_word if latex else str
    arguments = ", ".join(word(a.name) for a in function.arguments)
    lines = [f"{word(function.name)}({arguments}) = {', '.join(map(spell, entry.results))}"]
    several = len(entry.results) > 1
    for name, partials in entry.partials.items():
        for position, partial in enumerate(partials):
            if partial is None:
                continue
            left = f"d{function.name}{f'[{position}]' if several else ''}/d{name}"
            if latex:
                of = word(function.name)
                of = rf"\left({of}\right)" if several and "_" in of else of
                of = f"{of}_{{{position + 1}}}" if several else of
                left = rf"\frac{{\partial {of}}}{{\partial {word(name)}}}"
            lines.append(f"  {left} = {spell(partial)}")
    return "\n".join(lines)


def _latex_word(name: str) -> str:
    """A name as SymPy sets it: `x1` as x with an index."""
    from sympy import Symbol, latex

    return str(latex(Symbol(name)))
