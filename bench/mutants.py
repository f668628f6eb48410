"""Plants faults in emitted modules, and sees which of them the check finds.

    python -m bench.mutants [FILE.mg …] [--target python] [--most N] [--report FILE]

Whether a fault changes a gradient is judged without the checker's tracing: the module is run in
float64 at fixed points and at kink edges, and compared with the 100-digit reference. Of those that
do, at least 99 % must be refuted; the others are listed, as are those that change nothing.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import mpmath

from mgrad.compiler.driver import Compiled, Options, Target, compile
from mgrad.compiler.sema.program import Function, Program
from mgrad.compiler.verify.certificate import check_function, run_module
from mgrad.compiler.verify.evaluation import Evaluation, Sampler
from mgrad.compiler.verify.functions import Examination
from mgrad.compiler.verify.numeric import answers
from mgrad.compiler.verify.reference import Reference, is_real
from mgrad.compiler.verify.spelling import dtype, number, printed
from mgrad.compiler.verify.terms import Dag
from mgrad.compiler.verify.trace import TraceError, Tracer

ENOUGH = 0.99
TARGETS: tuple[Target, ...] = ("python", "numpy")
SUFFIXES = ("_forward", "_backward", "_value_and_grad")
NOISE = mpmath.mpf(10) ** -80  # of numbers that cancel at 100 digits
WORKERS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault in one routine of a module: `text` is the routine with it."""

    routine: str
    fault: str
    line: int
    text: str


@dataclass
class Count:
    """What became of the mutants of a routine."""

    refuted: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    excluded: list[Mutant] = field(default_factory=list)


# ------------------------------------------------------------------------------- planting faults


class Plantation:
    """A module as text, and the routines in it that an entry function needs."""

    def __init__(self, text: str) -> None:
        body = ast.parse(text).body
        self.functions = {n.name: n for n in body if isinstance(n, ast.FunctionDef)}
        self._texts = [
            (n.name if isinstance(n, ast.FunctionDef) else "", ast.unparse(n)) for n in body
        ]
        self._needed: dict[str, list[str]] = {}

    def needed(self, owner: str) -> list[str]:
        """The routines of a function, and what they call."""
        if owner not in self._needed:
            self._needed[owner] = self._closure(owner)
        return self._needed[owner]

    def _closure(self, owner: str) -> list[str]:
        name = printed(owner)
        found: set[str] = set()
        stack = [n for n in (name, *(name + s for s in SUFFIXES)) if n in self.functions]
        while stack:
            routine = stack.pop()
            if routine not in found:
                found.add(routine)
                names = {n.id for n in ast.walk(self.functions[routine]) if isinstance(n, ast.Name)}
                stack.extend(sorted(names & self.functions.keys()))
        return [n for n in self.functions if n in found]

    def mutants(self, routine: str) -> list[Mutant]:
        """Every mutant of a routine."""
        return [Mutant(routine, *found) for found in faults(self.functions[routine])]

    def text(self, owner: str, mutant: Mutant) -> str:
        """What a function needs of the module, with the fault."""
        needed = set(self.needed(owner))
        parts = [
            mutant.text if name == mutant.routine else text
            for name, text in self._texts
            if not name or name in needed
        ]
        return "\n".join(parts)


def faults(function: ast.FunctionDef) -> Iterator[tuple[str, int, str]]:
    """One change each: (what, line, the text of the function with it)."""
    for node in list(ast.walk(function)):
        for fault, part, change in _changes(node):
            kind, content = part.__class__, dict(part.__dict__)
            change(part)
            yield fault, getattr(node, "lineno", function.lineno), ast.unparse(function)
            part.__class__ = kind
            part.__dict__.clear()
            part.__dict__.update(content)


Change = tuple[str, Any, Callable[[Any], None]]  # what, the node that it changes, and how

SWAPS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}


def _changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp):
        kind = type(node.op)
        if kind in (ast.Add, ast.Sub):
            yield "sign", node, lambda n: setattr(n, "op", SWAPS[type(n.op)]())
            yield "dropped term", node, lambda n: _become(n, n.left)
        elif kind in (ast.Mult, ast.Div):
            yield "operator", node, lambda n: setattr(n, "op", SWAPS[type(n.op)]())
            yield "operand", node, lambda n: setattr(n, "right", n.left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node, lambda n: _become(n, n.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        if node.value not in (0, True, False) or isinstance(node.value, float):
            yield "constant", node, lambda n: setattr(n, "value", n.value * 1.001 or 0.001)
    elif isinstance(node, ast.AugAssign):
        yield "dropped accumulation", node, lambda n: setattr(n, "value", ast.Constant(0.0))
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        saved = node.value.elts[-1]
        if isinstance(saved, ast.Tuple) and len(saved.elts) > 1:
            first, second, *rest = saved.elts
            yield "saved value", saved, lambda n: setattr(n, "elts", [second, first, *rest])


def _become(node: Any, part: Any) -> None:
    """The node turns into its part, in place: it becomes `part + 0`, which is `part`."""
    node.__class__ = ast.BinOp
    node.__dict__.update(left=part, op=ast.Add(), right=ast.Constant(0))


# ---------------------------------------------------------------------------- judging and checking


class Judge:
    """Whether a module's values and gradients of one function are those of the program, at points
    where the reference is finite. A number may be off by 1e-8 of it, or by a thousand times what
    rounding does to the `sound` module there."""

    def __init__(self, program: Program, function: Function, sound: dict[str, Any]) -> None:
        self.name = printed(function.name)
        kinds = [dtype(a.value.type) for a in function.arguments]
        reference = Reference(program, Dag())
        symbols = [
            reference.dag.symbol(a.name, k) for a, k in zip(function.arguments, kinds, strict=True)
        ]
        leaves = [reference.leaf(s) for s in symbols]
        results = reference.function(function, leaves)
        wrt = [leaf for leaf, k in zip(leaves, kinds, strict=True) if k == "real"]
        real = [n for n, r in zip(results, function.results, strict=True) if is_real(r.type)]
        self.seeds = tuple(0.5**i for i in range(len(real)))
        self.is_single = len(results) == 1
        seeded = [(n, reference.number(s)) for n, s in zip(real, self.seeds, strict=True)]
        slopes = reference.gradient(seeded, wrt)
        terms = [reference.nodes[n].term for n in (*results, *slopes)]

        sampler = Sampler(kinds, [a.domain for a in function.arguments], seed=3)
        points = [sampler.generic(s, e) for s in (2.0, 0.5, 5.0) for e in (False, True)]
        edges = sampler.special(reference.dag.compared()[:6])
        points += edges[:: max(1, len(edges) // 36)]
        self.expected: list[tuple[tuple[Any, ...], list[Any]]] = []
        with mpmath.workdps(100):
            for point in points:
                floats = tuple(
                    float(v) if k == "real" else v for v, k in zip(point, kinds, strict=True)
                )
                known = {s: number(v) for s, v in zip(symbols, floats, strict=True)}
                values = Evaluation(reference.dag, known)
                wanted = [values[t] for t in terms]
                sizes = [abs(v) for v in values.values if not isinstance(v, bool)]
                least = max(s for s in sizes if mpmath.isfinite(s)) * NOISE
                wanted = [w if abs(w) > least else mpmath.mpf(0) for w in wanted]
                if all(mpmath.isfinite(w) and abs(w) < 1e100 for w in wanted):
                    self.expected.append((floats, wanted))
            self.tolerances = self._tolerances(sound)

    def _tolerances(self, sound: dict[str, Any]) -> list[list[Any]]:
        """Of each number at each point."""
        count = len(self.expected[0][1]) if self.expected else 0
        columns = [[abs(wanted[i]) for _, wanted in self.expected] for i in range(count)]
        typical = [statistics.median([w for w in c if w] or [mpmath.mpf(0)]) for c in columns]
        found = []
        off: list[list[Any]] = []
        for floats, wanted in self.expected:
            rows = self._numbers(sound, floats)
            off.append(
                [
                    sum(abs(mpmath.mpf(row[i]) - w) for row in rows) if all(rows) else mpmath.nan
                    for i, w in enumerate(wanted)
                ]
            )
        # what is 0 everywhere, by cancelling, is off by other roundings in every mutant
        most = [max((e for e in c if e == e), default=0) for c in zip(*off, strict=True)]
        for (_, wanted), own in zip(self.expected, off, strict=True):
            errors = [e if t or e != e else m for e, t, m in zip(own, typical, most, strict=True)]
            allowed = [
                max(abs(w) * mpmath.mpf(10) ** -8 if w else t * mpmath.mpf(10) ** -9, 1000 * e)
                for w, e, t in zip(wanted, errors, typical, strict=True)
            ]
            found.append(
                [mpmath.inf if e != e else a for a, e in zip(allowed, errors, strict=True)]
            )
        return found

    def _numbers(self, module: dict[str, Any], floats: tuple[Any, ...]) -> list[list[float]]:
        """What each way to the gradient gives; nothing where a routine raises."""
        ways = [self._apart, self._together] if self.is_single else [self._apart]
        found = []
        for way in ways:
            try:
                found.append([float(v) for v in way(module, floats)])
            except Exception:  # whatever a mutant does
                found.append([])
        return found

    def _apart(self, module: dict[str, Any], floats: tuple[Any, ...]) -> tuple[Any, ...]:
        value, saved = module[f"{self.name}_forward"](*floats)
        given = self.seeds if len(self.seeds) > 1 else self.seeds[0]
        values = (value,) if self.is_single else value
        return (*values, *module[f"{self.name}_backward"](saved, given))

    def _together(self, module: dict[str, Any], floats: tuple[Any, ...]) -> tuple[Any, ...]:
        value, slopes = module[f"{self.name}_value_and_grad"](*floats)
        return (value, *slopes)

    def is_right(self, module: dict[str, Any]) -> bool:
        """At every point, by every way."""
        for (floats, wanted), allowed in zip(self.expected, self.tolerances, strict=True):
            for row in self._numbers(module, floats):
                if len(row) != len(wanted):
                    return False
                for f, w, a in zip(row, wanted, allowed, strict=True):
                    if a != mpmath.inf and not abs(mpmath.mpf(f) - w) <= a:
                        return False
        return True


def is_refuted(program: Program, function: Function, text: str) -> bool:
    """The check's word: numbers first, proof where they say nothing."""
    try:
        examination = Examination(program, function, Tracer(Dag(), text))
        examination.gather()
        if examination.is_refuted_by_numbers():
            return True
    except TraceError:
        return True
    right = answers(program, function, float("inf"))
    return check_function(program, function, text, run_module(text), right=right).is_refuted


@cache
def compiled(path: Path, target: Target) -> Compiled:
    from mgrad import files

    return compile(files.read(path), Options(target=target), files.load)


def entries(program: Program) -> list[Function]:
    """The functions that have a gradient."""
    return [
        f
        for f in program.functions.values()
        if f.is_entry
        and any(is_real(r.type) for r in f.results)
        and any(is_real(a.value.type) for a in f.arguments)
    ]


@cache
def plantation(path: Path, target: Target) -> Plantation:
    return Plantation(compiled(path, target).text)


@cache
def judge_of(path: Path, target: Target, owner: str) -> Judge:
    whole = compiled(path, target)
    return Judge(whole.program, entry(path, target, owner), run_module(whole.text))


def entry(path: Path, target: Target, name: str) -> Function:
    return next(f for f in entries(compiled(path, target).program) if f.name == name)


Work = tuple[Path, Target, str, tuple[str, ...], int | None]  # routine, its owners, at most so many


def works(path: Path, target: Target, most: int | None) -> list[Work]:
    """The routines that gradients need, each with the functions whose gradients these are."""
    owners: dict[str, list[str]] = {}
    functions = entries(compiled(path, target).program)
    plain = {printed(f.name) for f in compiled(path, target).program.functions.values()}
    own = {printed(f.name) + s: f.name for f in functions for s in SUFFIXES}
    for function in functions:
        for routine in plantation(path, target).needed(function.name):
            if routine not in plain and own.get(routine, function.name) == function.name:
                owners.setdefault(routine, []).append(function.name)
    return [(path, target, routine, tuple(names), most) for routine, names in owners.items()]


def measure(work: Work) -> Count:
    """Judges and checks the mutants of a routine, all or `most` of them drawn at random."""
    path, target, routine, owners, most = work
    planted = plantation(path, target).mutants(routine)
    if most is not None and len(planted) > most:
        planted = sorted(random.Random(1).sample(planted, most), key=lambda m: m.line)
    count = Count()
    for mutant in planted:
        owner = next((o for o in owners if matters(path, target, o, mutant)), None)
        if owner is None:
            count.excluded.append(mutant)
            continue
        text = plantation(path, target).text(owner, mutant)
        if is_refuted(compiled(path, target).program, entry(path, target, owner), text):
            count.refuted += 1
        else:
            count.survivors.append(mutant)
    return count


def matters(path: Path, target: Target, owner: str, mutant: Mutant) -> bool:
    """Whether a mutant changes the value or the gradient of a function that needs its routine."""
    try:
        module = run_module(plantation(path, target).text(owner, mutant))
    except Exception:  # it does not even load
        return True
    return not judge_of(path, target, owner).is_right(module)


def lines(paths: Sequence[Path], targets: Sequence[Target], most: int | None) -> Iterator[str]:
    """What the command prints; the last line is the share that was refuted."""
    refuted = matter = 0
    with ProcessPoolExecutor(WORKERS) as pool:
        for path, target in product(paths, targets):
            counts = list(pool.map(measure, works(path, target, most), chunksize=1))
            found = sum(c.refuted for c in counts)
            survivors = [m for c in counts for m in c.survivors]
            excluded = [m for c in counts for m in c.excluded]
            refuted += found
            matter += found + len(survivors)
            yield (
                f"{path} -> {target}: {found} of {found + len(survivors)} refuted; "
                f"{len(excluded)} excluded"
            )
            for what, listed in (("survived", survivors), ("changes nothing", excluded)):
                for m in listed:
                    yield f"  {what}: {m.routine}, line {m.line}: {m.fault}"
    share = refuted / matter if matter else 1.0
    yield f"refuted {refuted} of {matter} that change a gradient: {100 * share:.2f} %"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--target", choices=TARGETS, help="one of them; else each")
    parser.add_argument("--most", type=int, help="mutants of one routine; else all")
    parser.add_argument("--report", type=Path, help="write what is printed to a file, too")
    given = parser.parse_args(arguments)
    paths = given.files or sorted(Path("examples").glob("*.mg"))
    report = []
    for line in lines(paths, [given.target] if given.target else TARGETS, given.most):
        print(line, flush=True)
        report.append(line)
    if given.report is not None:
        given.report.write_text("\n".join(report) + "\n", encoding="utf-8")
    share = float(report[-1].split()[-2])
    return 0 if share >= 100 * ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
