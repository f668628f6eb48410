"""`diff`: the derivatives as formulas, by SymPy, from the typed program."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from mgrad import files
from mgrad.compiler.ir.types import REAL, Type
from mgrad.compiler.verify import elements
from mgrad.faults import UsageError
from mgrad.verbs import spelling
from mgrad.verbs.arrays import spelled
from mgrad.verbs.compile import Number, entry, understand
from mgrad.verbs.formula import Formulas, derivative, symbol, takes_arrays
from mgrad.verbs.numbers import is_real
from mgrad.verbs.points import fits, raise_unknown, sample_point, sample_sizes, size_names
from mgrad.verbs.unfolded import symbols as elements_of

if TYPE_CHECKING:
    from mgrad.compiler.sema.program import Function


LARGEST = 200  # partial derivatives of a function of arrays


@dataclass(frozen=True, slots=True)
class Derivatives:
    """A function's results as SymPy expressions, and their derivatives by some arguments; None for
    a result that is not real. Of arrays they are object arrays of expressions; a derivative has the
    axes of its result, then those of its argument. `sizes` are those of dimensions, and the ints
    that were given values."""

    function: Function
    results: tuple[Any, ...]
    partials: Mapping[str, tuple[Any, ...]]  # argument -> one a result
    sizes: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""  # why there are none, where all functions of a file were asked for


def diff(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    wrt: str | Sequence[str] = (),
    settings: Mapping[str, Number] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The partial derivatives of a function of the file, by argument, as SymPy expressions.

    Without `name` it is the file's last function. Several results give tuples. Arrays are object
    arrays of expressions, at small sizes unless `sizes` names others.
    """
    chosen = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    found = derivatives(path, name, chosen, settings, sizes)[-1]
    return {n: p[0] if len(p) == 1 else p for n, p in found.partials.items()}


def derivatives(
    path: str | os.PathLike[str],
    name: str | None,
    wrt: Iterable[str],
    settings: Mapping[str, Number] | None,
    sizes: Mapping[str, int] | None = None,
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
    raise_unknown(functions, sizes or {})
    found = []
    for function in functions:
        try:
            found.append(_of(function, formulas, tuple(wrt), sizes or {}))
        except UsageError as error:
            if len(functions) == 1 or not takes_arrays(function):
                raise
            found.append(Derivatives(function, (), {}, note=str(error)))
    return found


def _of(
    function: Function, formulas: Formulas, wrt: tuple[str, ...], sizes: Mapping[str, int]
) -> Derivatives:
    real = [a.name for a in function.arguments if is_real(a.value)]
    for chosen in wrt:
        if chosen not in real:
            known = ", ".join(real) or "none"
            raise UsageError(f"{function.name} has no real argument '{chosen}'; it has {known}")
    if takes_arrays(function):
        return _of_arrays(function, formulas, wrt or tuple(real), sizes)
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


def _of_arrays(
    function: Function, formulas: Formulas, wrt: tuple[str, ...], given: Mapping[str, int]
) -> Derivatives:
    """At sizes of 2, or the least that the function allows, where none are given."""
    names = size_names(function)
    own = {name: given.get(name, 2) for name in names}
    if not fits(function, own):
        own = sample_sizes(function, {n: s for n, s in given.items() if n in names})
    known: dict[str, Any] = dict(own)
    symbols = []
    for argument, value in zip(
        function.arguments, sample_point(function, own).values(), strict=True
    ):
        shape = tuple(d.evaluate(own) for d in argument.type.shape)
        if argument.type.dtype == "int" and (shape or argument.name in own):
            known[argument.name] = value.tolist() if shape else value
            symbols.append(elements.mapped(sympy.Integer, np.array(value, dtype=object)[()]))
            continue
        scalar = Type(argument.type.dtype)
        symbols.append(
            elements_of(
                argument.name, shape, lambda n, s=scalar, a=argument: symbol(n, s, a.domain)
            )
        )
    results = formulas.unfolded(function, symbols, own)
    by_name = dict(zip((a.name for a in function.arguments), symbols, strict=True))
    reals = [r for r, v in zip(results, function.results, strict=True) if is_real(v)]
    count = sum(len(elements.flat(r)) for r in reals) * sum(
        len(elements.flat(by_name[x])) for x in wrt
    )
    if count > LARGEST:
        raise UsageError(
            f"{function.name} has {count:,} partial derivatives"
            f"{f' at {_said(known)}' if known else ''};"
            f" at most {LARGEST:,} are written: choose arguments by --wrt, sizes by --size"
        )

    def partial(result: Any, by: Any) -> Any:
        parts = [
            formulas.simplest(derivative(e, x))
            for e in elements.flat(result)
            for x in elements.flat(by)
        ]
        return elements.filled((*elements.shape_of(result), *elements.shape_of(by)), parts)

    partials = {
        x: tuple(
            partial(formula, by_name[x]) if is_real(result) else None
            for result, formula in zip(function.results, results, strict=True)
        )
        for x in wrt
    }
    return Derivatives(function, results, partials, known)


def _said(sizes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def show(entry: Derivatives, latex: bool = False) -> str:
    """The function, then a line for each derivative, as `.mg` or as LaTeX."""
    if entry.note:
        return f"{entry.function.name}: {entry.note}"
    function, spell = entry.function, (spelling.latex if latex else spelling.text)
    word = _latex_word if latex else str
    arguments = ", ".join(word(a.name) for a in function.arguments)
    head = f"{word(function.name)}({arguments}) = "
    if len(entry.results) == 1:
        lines = [head + _array(entry.results[0], spell, latex, len(head))]
    else:
        lines = [head + ", ".join(_array(r, spell, latex, len(head)) for r in entry.results)]
    if entry.sizes:
        lines[0] += f"\n  at {_said(entry.sizes)}"
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
            lines.append(f"  {left} = {_array(partial, spell, latex, len(left) + 5)}")
    return "\n".join(lines)


def _array(value: Any, spell: Callable[[Any], str], latex: bool, indent: int) -> str:
    """An expression, or an array of them; as LaTeX a matrix in brackets."""
    if not isinstance(value, np.ndarray):
        return spell(value)
    if not latex:
        return spelled(value, spell, indent)
    return _matrix(value, spell)


def _matrix(value: Any, spell: Callable[[Any], str]) -> str:
    """As LaTeX; an array of more than two axes is a matrix of matrices."""
    if not isinstance(value, np.ndarray):
        return spell(value)
    rows = [list(row) if isinstance(row, np.ndarray) else [row] for row in value]
    cells = (" & ".join(_matrix(cell, spell) for cell in row) for row in rows)
    return r"\begin{bmatrix}" + r" \\ ".join(cells) + r"\end{bmatrix}"


def _latex_word(name: str) -> str:
    """A name as SymPy sets it: `x1` as x with an index."""
    from sympy import Symbol, latex

    return str(latex(Symbol(name)))
