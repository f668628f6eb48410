"""The faults that `make mutants` plants: what they are, and that they are found."""

from __future__ import annotations

import ast
from pathlib import Path

from bench.mutants import faults, measure, works

PROGRAM = """
fn slope(x, y) = tanh(x*y) - x/2
fn f(x, y) = if x > y then slope(x, y)^2 else max(x, 3*y)
"""


def test_one_change_each() -> None:
    (function,) = ast.parse(
        "def f(x, y):\n    a = -x*y + 2.0\n    a += y\n    return a, (x, y)\n"
    ).body
    assert isinstance(function, ast.FunctionDef)
    before = ast.unparse(function)
    planted = [(fault, text.split("\n", 1)[1]) for fault, _, text in faults(function)]
    assert ast.unparse(function) == before
    rest = "\n    a += y\n    return (a, (x, y))"
    assert ("sign", f"    a = -x * y - 2.0{rest}") in planted
    assert ("dropped term", f"    a = -x * y + 0{rest}") in planted
    assert ("operator", f"    a = -x / y + 2.0{rest}") in planted
    assert ("operand", f"    a = -x * -x + 2.0{rest}") in planted
    assert ("constant", f"    a = -x * y + 2.002{rest}") in planted
    same = "    a = -x * y + 2.0"
    assert ("dropped accumulation", f"{same}\n    a += 0.0\n    return (a, (x, y))") in planted
    assert ("saved value", f"{same}\n    a += y\n    return (a, (y, x))") in planted


def test_what_changes_a_gradient_is_refuted(tmp_path: Path) -> None:
    path = tmp_path / "small.mg"
    path.write_text(PROGRAM, encoding="utf-8")
    counts = [measure(work) for work in works(path, "python", 12)]
    assert sum(c.refuted for c in counts) > 40
    assert not [m for c in counts for m in c.survivors]
