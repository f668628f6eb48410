"""Lowering: graphs give the numbers that mathematics gives, derivatives included."""

import math

import pytest

from mgrad.compiler.autodiff.reverse import derive
from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.module import Module
from mgrad.compiler.lowering import lower
from mgrad.compiler.passes import prepare
from mgrad.compiler.sema.check import check
from mgrad.compiler.source import Source
from mgrad.compiler.syntax.parse import parse


def module(text: str, tests: bool = False) -> Module:
    parsed = parse(Source("t.mg", text))
    assert parsed.file is not None and not parsed.faults, parsed.faults
    program = check(parsed.file, lambda path, importer: None, {})
    return derive(prepare(lower(program, tests), level=0))


def value(text: str, *arguments: float, key: str = "f") -> float:
    made = module(text)
    (result,) = evaluate(made.graphs[key], [float(a) for a in arguments], made)
    return float(result)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("fn f(x) = 3*x^2 - 4*x + 5\n", 3, 20),
        ("fn f(x) = -x^2\n", 3, -9),
        ("fn f(x) = 2^3^x\n", 2, 512),
        ("fn f(x) = if x < 0 then 0 else if x < 1 then x else 1\n", 0.25, 0.25),
        ("fn f(x) = if 0 < x < 1 then 1 else 2\n", 1, 2),
        ("fn g(x) = x^3\nfn f(x) = g'(x)\n", 2, 12),
        ("fn g(x) = x^3\nfn f(x) = g'''(x)\n", 2, 6),
        ("fn f(x) = sin''(x)\n", 1, -math.sin(1)),
        ("fn f(x) = diff(x^2*sin(x), x)\n", 1, 2 * math.sin(1) + math.cos(1)),
        ("fn f(x) = diff(diff(x^4, x), x)\n", 2, 48),
        ("fn f(x) {\n  a = x\n  b = x\n  return diff(a*b, a)\n}\n", 7, 7),
        ("fn f(x) {\n  u = x^2\n  v = u*x\n  return diff(v, u)\n}\n", 5, 5),
        ("fn f(x) {\n  x = x^2\n  return diff(x^2, x)\n}\n", 3, 18),
        ("fn g(x, k) = k*x^2, x\nfn f(x) {\n  a, b = g(x, 3)\n  return diff(a*b, x)\n}\n", 2, 36),
        ("fn h(x; n = 2) = x^n\nfn f(x) = h(x) + h(x, n=3)\n", 2, 12),
        ("fn g(x) = x^2\nderivative g(x) = 2*x\nfn f(x) = g''(x) + g'(x)\n", 4, 10),
        ("const tau = 2*pi\nfn f(x) = tau*x\n", 0.5, math.pi),
        ("fn f(x) = x |> sin |> diff(x)\n", 0, 1),
    ],
)
def test_value(text: str, x: float, expected: float) -> None:
    assert value(text, x) == pytest.approx(expected, rel=1e-14)


def test_the_function_of_the_language_page() -> None:
    text = """
fn g(a, b) {
  c = a + b
  d = a*b + b^3
  c += c + 1
  c += 1 + c + (-a)
  d += d*2 + relu(b + a)
  d += 3*d + relu(b - a)
  e = c - d
  f = e^2
  return f/2.0 + 10.0/f
}
"""
    assert value(text, -4, 2, key="g") == pytest.approx(24.70408163265306, rel=1e-15)


def test_names_and_comments_hang_beside_the_nodes() -> None:
    text = "fn f(x) {\n  # the square\n  a = x^2\n  b = a\n  h = 2\n  return h*b  # doubled\n}\n"
    graph = module(text).graphs["f"]
    square = next(n for n in graph.nodes() if n.op == "pow")
    assert graph.notes.names[square] == "a"
    assert graph.notes.comments[square] == ("the square",)
    assert graph.notes.comments[graph.results[0]] == ("doubled",)
    assert all(n.op != "constant" for n in graph.notes.names)
    assert graph.notes.spans[square][0].line == 3


def test_only_the_targets_of_diff_are_marked() -> None:
    text = "fn f(x, y) {\n  a = x^2*y\n  b = a + x\n  return diff(b*b, a) + diff(b, x)\n}\n"
    parsed = parse(Source("t.mg", text))
    assert parsed.file is not None
    graph = lower(check(parsed.file, lambda path, importer: None, {})).graphs["f"]
    marked = [n.inputs[0] for n in graph.nodes() if n.op == "mark"]
    assert [n.op for n in marked] == ["parameter", "mul"]  # x and a


def test_callees_stand_before_callers() -> None:
    text = "fn a(x) = b(x)^2\nfn b(x) = c(x) + 1\nfn c(x) = sin(x)\nderivative c(x) = cos(x)\n"
    keys = list(module(text).graphs)
    assert keys.index("c") < keys.index("b") < keys.index("a")


def test_both_sides_of_tests_are_lowered_on_request() -> None:
    made = module("fn f(x) = x^2\ntest diff(f(x), x) == 2*x\n", tests=True)
    left, right = (made.graphs[f"test 1.{side}"] for side in ("left", "right"))
    assert evaluate(left, [3.0], made) == evaluate(right, [3.0], made) == (6.0,)


def test_a_long_body_does_not_recurse() -> None:
    lines = [f"  y = y + {i}*x" for i in range(3000)]
    text = "fn f(x) {\n  y = x\n" + "\n".join(lines) + "\n  return diff(y, x)\n}\n"
    assert value(text, 1.0) == 1 + sum(range(3000))
