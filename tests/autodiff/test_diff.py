"""`diff` in a function: the derivatives of one value share a sweep where that changes nothing."""

import math

import pytest

from mgrad.compiler.autodiff import resolve
from mgrad.compiler.driver import Options, understand
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.lowering import lower
from mgrad.compiler.source import Source


def resolved(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Graph, list[int]]:
    """The graph of f, and how many targets each sweep had."""
    sweeps: list[int] = []
    sweep = resolve.gradient

    def counted(outputs, targets, module, notes):  # type: ignore[no-untyped-def]
        sweeps.append(len(targets))
        return sweep(outputs, targets, module, notes)

    monkeypatch.setattr(resolve, "gradient", counted)
    module = lower(understand(Source("t.mg", text), Options(), lambda path, importer: None))
    return resolve.run(module.graphs["f"], module), sweeps


def test_one_sweep_for_all_steps_of_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 30
    steps = [f"s{i + 1} = sin(s{i})" for i in range(count)]
    slopes = [f"d{i} = diff(s{count}, s{i})" for i in range(count)]
    results = ", ".join(f"d{i}" for i in range(count))
    text = "\n".join(["fn f(s0) {", *steps, *slopes, f"return {results}", "}"])
    graph, sweeps = resolved(text, monkeypatch)
    assert sweeps == [count]
    values = [0.7]
    for _ in range(count):
        values.append(math.sin(values[-1]))
    found = evaluate(graph, [0.7])
    for i in range(count):
        assert found[i] == pytest.approx(math.prod(map(math.cos, values[i:count])), rel=1e-13)


def test_a_choice_keeps_apart_what_depends_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """\
fn f(x, p) {
  s = log(x)
  y = if x > 0 then p*s*s else p*x
  return diff(y, s), diff(y, x), diff(y, p)
}
"""
    graph, sweeps = resolved(text, monkeypatch)
    assert sweeps == [2, 1]  # x and p, then s
    assert evaluate(graph, [0.0, 3.0]) == (0.0, 3.0, 0.0)  # and not 0*(1/0), which is nan
    s = math.log(2.5)
    assert evaluate(graph, [2.5, 3.0]) == pytest.approx((6 * s, 6 * s / 2.5, s * s), rel=1e-15)
