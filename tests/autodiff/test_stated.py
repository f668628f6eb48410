"""A stated derivative is what a function's own routines compute with, to any order."""

import math
from pathlib import Path

import pytest

import mgrad
from mgrad.compiler.autodiff.derived import hessian, jacobian
from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.reverse import derive, joint
from mgrad.compiler.driver import Options, understand
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.lowering import lower
from mgrad.compiler.source import Source

# right, and unlike what differentiating the body gives: (y - y*y)*k, and tanh where exp stands
LOGISTIC = """\
fn logistic(x, k) = 1/(1 + exp(-k*x))
derivative logistic(x, k) {
  s = (1 - tanh(k*x/2)^2)/4
  return k*s, x*s
}
"""
AT = (0.3, 1.7)


def module() -> Module:
    program = understand(Source("t.mg", LOGISTIC), Options(), lambda path, importer: None)
    return derive(lower(program))


def ops(graph: Graph) -> set[str]:
    return {node.op for node in graph.nodes()}


def logistic_slopes(x: float, k: float) -> tuple[float, float, float, float, float]:
    """By x, by k; by x twice, by both, by k twice."""
    y = 1 / (1 + math.exp(-k * x))
    s, t = y * (1 - y), y * (1 - y) * (1 - 2 * y)
    return k * s, x * s, k * k * t, s + x * k * t, x * x * t


def test_every_derived_graph_uses_it() -> None:
    known = module()
    graph = known.graphs["logistic"]
    by_x, by_k, xx, xk, kk = logistic_slopes(*AT)
    value = 1 / (1 + math.exp(-AT[0] * AT[1]))
    cases = [
        (joint(graph, known), (*AT, 2.0), (value, 2 * by_x, 2 * by_k)),
        (jvp(graph, known), (*AT, 0.5, -3.0), (value, 0.5 * by_x - 3 * by_k)),
        (jacobian(graph, known), AT, (by_x, by_k)),
        (hessian(graph, known), AT, (xx, xk, xk, kk)),
    ]
    for derived, at, expected in cases:
        whole = derive(Module({**known.graphs, "derived": derived}, known.signatures))
        verify(whole)
        assert "tanh" in ops(derived)
        assert evaluate(derived, at, whole) == pytest.approx(expected, rel=1e-13)


def test_the_function_itself_is_not_called_again() -> None:
    """softabs' = x/softabs(x): what is called there is at hand."""
    text = "fn softabs(x) = sqrt(x^2 + 1e-6)\nderivative softabs(x) = x/softabs(x)\n"
    program = understand(Source("t.mg", text), Options(), lambda path, importer: None)
    known = lower(program)
    graph = known.graphs["softabs"]
    for derived in (joint(graph, known), jvp(graph, known), hessian(graph, known)):
        assert "call" not in ops(derived)
        assert sum(node.op == "sqrt" for node in derived.nodes()) == 1
    x = 0.002
    r = math.sqrt(x * x + 1e-6)
    assert evaluate(joint(graph, known), (x, 1.0), known) == pytest.approx((r, x / r))
    assert evaluate(hessian(graph, known), (x,), known) == pytest.approx((1e-6 / r**3,), rel=1e-10)


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_the_text_shows_it_and_is_proved(tmp_path: Path, target: str) -> None:
    path = tmp_path / "t.mg"
    path.write_text(LOGISTIC, encoding="utf-8")
    emit = ("jvp", "jacobian", "hessian")
    text = mgrad.compile(path, target=target, emit=emit)
    routines = text.split("\n\n\n")
    for name in ("backward", "value_and_grad", "jvp", "jacobian", "hessian"):
        (routine,) = (r for r in routines if f"def logistic_{name}(" in r)
        assert "tanh" in routine or (name == "backward" and "saved" in routine), routine
    found = mgrad.check(path)
    assert "logistic  proved" in found.text() and not found.refuted
