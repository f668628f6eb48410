"""Plants faults in emitted modules, and sees which of them the check finds.

    python -m bench.mutants [FILE.mg …] [--target python] [--most 150]

Whether a fault changes a gradient is judged without the checker's tracing: the module is run in
float64 at fixed points and at kink edges, and compared with the 100-digit reference. Of those that
do, at least 99 % must be refuted; the others are listed, as are those that change nothing.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import mpmath

from mgrad.compiler.driver import Target
from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify.certificate import check_function, run_module
from mgrad.compiler.verify.evaluation import Evaluation, Sampler
from mgrad.compiler.verify.reference import Reference, is_real
from mgrad.compiler.verify.spelling import dtype, number, printed
from mgrad.compiler.verify.terms import Dag

ENOUGH = 0.99
TARGETS: tuple[Target, ...] = ("python", "numpy")
SUFFIXES = ("_forward", "_backward", "_value_and_grad")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one fault: the part that the function needs."""

    function: str
    fault: str
    line: int
    tree: ast.Module

    @property
    def text(self) -> str:
        return ast.unparse(self.tree)


@dataclass
class Count:
    """What became of the mutants of a module."""

    refuted: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    excluded: list[Mutant] = field(default_factory=list)

    @property
    def share(self) -> float:
        all_ = self.refuted + len(self.survivors)
        return self.refuted / all_ if all_ else 1.0


def mutants(text: str, names: Sequence[str]) -> Iterator[Mutant]:
    """Every mutant of the gradient routines of the named functions."""
    tree = ast.parse(text)
    for position, node in enumerate(tree.body):
        if not isinstance(node, ast.FunctionDef):
            continue
        owner = next((n for n in names for s in SUFFIXES if node.name == printed(n) + s), None)
        if owner is None:
            continue
        needed = _needed(tree, {printed(owner), *(printed(owner) + s for s in SUFFIXES)})
        for fault, line, changed in faults(node):
            body = [*tree.body[:position], changed, *tree.body[position + 1 :]]
            kept = [n for n in body if not isinstance(n, ast.FunctionDef) or n.name in needed]
            whole = ast.fix_missing_locations(ast.Module(kept, []))
            yield Mutant(owner, fault, line, whole)


def _needed(tree: ast.Module, names: set[str]) -> set[str]:
    """The functions of a module that some of them call, and these."""
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    found: set[str] = set()
    stack = sorted(names & functions.keys())
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            used = {n.id for n in ast.walk(functions[name]) if isinstance(n, ast.Name)}
            stack.extend(sorted(used & functions.keys()))
    return found


def faults(function: ast.FunctionDef) -> Iterator[tuple[str, int, ast.FunctionDef]]:
    """One change each: (what, line, the function with it)."""
    for index, node in enumerate(ast.walk(function)):
        for fault, change in _changes(node):
            changed = copy.deepcopy(function)
            target = next(n for i, n in enumerate(ast.walk(changed)) if i == index)
            change(target)
            yield fault, getattr(node, "lineno", function.lineno), changed


SWAPS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, ast.BinOp):
        kind = type(node.op)
        if kind in (ast.Add, ast.Sub):
            yield "sign", lambda n: setattr(n, "op", SWAPS[type(n.op)]())
            yield "dropped term", lambda n: _become(n, n.left)
        elif kind in (ast.Mult, ast.Div):
            yield "operator", lambda n: setattr(n, "op", SWAPS[type(n.op)]())
            yield "operand", lambda n: setattr(n, "right", n.left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", lambda n: _become(n, n.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        if node.value not in (0, True, False) or isinstance(node.value, float):
            yield "constant", lambda n: setattr(n, "value", n.value * 1.001 or 0.001)
    elif isinstance(node, ast.AugAssign):
        yield "dropped accumulation", lambda n: setattr(n, "value", ast.Constant(0.0))
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        saved = node.value.elts[-1]
        if isinstance(saved, ast.Tuple) and len(saved.elts) > 1:
            yield "saved value", lambda n: _rotate(n.value.elts[-1].elts)


def _become(node: Any, part: Any) -> None:
    """The node turns into its part, in place: it becomes `part + 0`, which is `part`."""
    node.__class__ = ast.BinOp
    node.left, node.op, node.right = part, ast.Add(), ast.Constant(0)
    node._fields = ast.BinOp._fields


def _rotate(elements: list[ast.expr]) -> None:
    elements[0], elements[1] = elements[1], elements[0]


class Judge:
    """Whether a module's gradients of one function are those of the program."""

    def __init__(self, program: Program, function: Function) -> None:
        self.function = function
        kinds = [dtype(a.value.type) for a in function.arguments]
        sampler = Sampler(kinds, [a.domain for a in function.arguments], seed=3)
        points = [sampler.generic(s) for s in (2.0, 1.0, 5.0, 0.5)] + sampler.special([])[:24]
        reference = Reference(program, Dag())
        symbols = [
            reference.dag.symbol(a.name, k) for a, k in zip(function.arguments, kinds, strict=True)
        ]
        leaves = [reference.leaf(s) for s in symbols]
        (result,) = reference.function(function, leaves)
        wrt = [leaf for leaf, k in zip(leaves, kinds, strict=True) if k == "real"]
        slopes = reference.gradient([(result, reference.number(1))], wrt)
        self.expected: list[tuple[tuple[Any, ...], list[Any]]] = []
        with mpmath.workdps(100):
            for point in points:
                floats = tuple(
                    float(v) if k == "real" else v for v, k in zip(point, kinds, strict=True)
                )
                values = Evaluation(
                    reference.dag, {s: number(v) for s, v in zip(symbols, floats, strict=True)}
                )
                wanted = [values[reference.nodes[n].term] for n in (result, *slopes)]
                if all(mpmath.isfinite(w) and abs(w) < 1e100 for w in wanted):
                    self.expected.append((floats, wanted))

    def is_right(self, namespace: dict[str, Any]) -> bool:
        """At every point, to 9 digits; both routines that give the gradient."""
        name = printed(self.function.name)
        for floats, wanted in self.expected:
            try:
                value, slopes = namespace[f"{name}_value_and_grad"](*floats)
                other, saved = namespace[f"{name}_forward"](*floats)
                others = namespace[f"{name}_backward"](saved)
            except Exception:
                return False
            for found in ((value, *slopes), (other, *others)):
                if len(found) != len(wanted):
                    return False
                for f, w in zip(found, wanted, strict=True):
                    scale = max(
                        [
                            abs(w),
                            mpmath.mpf(10) ** -6,
                            *[abs(v) * mpmath.mpf(10) ** -6 for v in wanted],
                        ]
                    )
                    if not abs(mpmath.mpf(float(f)) - w) <= scale * mpmath.mpf(10) ** -8:
                        return False
        return True


def measure(program: Program, module: str, most: int, seed: int = 1) -> Count:
    """Judges and checks mutants of a module, `most` of them drawn at random."""
    functions = {
        f.name: f
        for f in program.functions.values()
        if f.is_entry
        and len(f.results) == 1
        and is_real(f.results[0].type)
        and any(is_real(a.value.type) for a in f.arguments)
    }
    planted = list(mutants(module, list(functions)))
    if len(planted) > most:
        planted = sorted(random.Random(seed).sample(planted, most), key=lambda m: m.line)
    judges: dict[str, Judge] = {}
    count = Count()
    for mutant in planted:
        function = functions[mutant.function]
        text = mutant.text
        if mutant.function not in judges:
            judges[mutant.function] = Judge(program, function)
        try:
            matters = not judges[mutant.function].is_right(run_module(text))
        except Exception:
            matters = True
        if not matters:
            count.excluded.append(mutant)
        elif is_refuted(program, function, text):
            count.refuted += 1
        else:
            count.survivors.append(mutant)
    return count


def is_refuted(program: Program, function: Function, text: str) -> bool:
    """The check's word: numbers first, proof where they say nothing."""
    return any(
        check_function(program, function, text, {}, prove=prove).is_refuted
        for prove in (False, True)
    )


def main(arguments: Sequence[str]) -> int:
    from mgrad import files
    from mgrad.compiler import driver

    parser = argparse.ArgumentParser(prog="bench.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--target", choices=TARGETS, help="one of them; else each")
    parser.add_argument("--most", default=150, type=int, help="mutants of one module")
    given = parser.parse_args(arguments)
    paths = given.files or sorted(Path("examples").glob("*.mg"))
    refuted = matter = 0
    for path, target in product(paths, [given.target] if given.target else TARGETS):
        compiled = driver.compile(files.read(path), driver.Options(target=target), files.load)
        count = measure(compiled.program, compiled.text, given.most)
        relevant = count.refuted + len(count.survivors)
        refuted += count.refuted
        matter += relevant
        changing = len(count.excluded)
        print(f"{path} -> {target}: {count.refuted} of {relevant} refuted; {changing} excluded")
        for what, listed in (("survived", count.survivors), ("changes nothing", count.excluded)):
            for m in listed:
                print(f"  {what}: {m.function}, line {m.line}: {m.fault}")
    share = refuted / matter if matter else 1.0
    print(f"refuted {refuted} of {matter} that change a gradient: {share:.2%}")
    return 0 if share >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
