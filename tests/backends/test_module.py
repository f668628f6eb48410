"""Whole modules: nothing of a source becomes code, and names never meet."""

import ast
import builtins
import keyword
from typing import Any

import pytest

from mgrad.compiler import driver
from mgrad.compiler.source import Source

TARGETS = ["python", "numpy"]
EMIT = ("jvp", "jacobian", "hessian")


def compiled(text: str, target: str = "python", emit: tuple[str, ...] = EMIT) -> str:
    options = driver.Options(target=target, emit=emit)  # type: ignore[arg-type]
    return driver.compile(Source("some.mg", text), options).text


def run(text: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "generated", "exec"), space)
    return space


NASTY = [
    '"""',
    "'''",
    '\\"""',
    "\\",
    'ends in a quote"',
    "ends in a backslash \\",
    "\\N{BULLET} \\x41 {braces} %s",
    "line\u2028separator \u2029 and \x0c form feed \x85 next",
    '"""; raise SystemExit; """',
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("nasty", NASTY)
def test_no_docstring_or_comment_becomes_code(target: str, nasty: str) -> None:
    source = f"## {nasty}\nfn f(x) {{\n  t = x^2   # {nasty}\n  return t + x # {nasty}\n}}\n"
    text = compiled(source, target)
    plain = compiled("## d\nfn f(x) {\n  t = x^2\n  return t + x\n}\n", target)

    def shape(module: str) -> str:
        tree = ast.parse(module)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""
        return ast.dump(tree)

    assert shape(text) == shape(plain)
    assert run(text)["f"](3.0) == 12.0


@pytest.mark.parametrize("target", TARGETS)
def test_python_s_own_words_are_names(target: str) -> None:
    words = [w for w in keyword.kwlist if w not in {"if", "else", "for", "in", "while", "return"}]
    words = [w for w in words if w not in {"and", "or", "not"}]
    for word in words:
        space = run(
            compiled(
                f"fn {word}(x) = x*3\nfn g(x) {{\n  {word} = x*x\n  return {word}*2\n}}\n", target
            )
        )
        assert space[f"{word}_"](2.0) == 6.0
        assert space[f"{word}_value_and_grad"](2.0) == (6.0, (3.0,))
        assert space["g_value_and_grad"](3.0) == (18.0, (12.0,))


TAKEN = """\
fn exp(x) = x + 1
fn reals(np) = np^2
fn float(saved) = 3*saved
fn f(grad, d_grad, np, saved, math, type, ieee, exp_grad, require, elementwise) {
  c = sin(grad)*np
  c_2 = c + d_grad
  c = c_2*saved + math
  d_c = c*type
  tanh = 1/d_c
  return tanh*tanh + ieee + exp_grad*require + abs(elementwise)
}
fn h(x, at, along) = exp(x)*sigmoid(at) + float(along) + sqrt(x)
"""


@pytest.mark.parametrize("target", TARGETS)
def test_made_up_names_give_way_to_the_user_s(target: str) -> None:
    import math

    space = run(compiled(TAKEN, target))
    x = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]

    def plain(g: float, d: float, n: float, s: float, m: float, t: float, *rest: float) -> float:
        c = (math.sin(g) * n + d) * s + m
        return (1 / (c * t)) ** 2 + rest[0] + rest[1] * rest[2] + abs(rest[3])

    value, grads = space["f_value_and_grad"](*x)
    assert value == pytest.approx(plain(*x), rel=1e-14)
    for i, slope in enumerate(grads):
        h = 1e-6
        up, down = x[:], x[:]
        up[i] += h
        down[i] -= h
        assert slope == pytest.approx((plain(*up) - plain(*down)) / (2 * h), rel=1e-8)
    again, saved = space["f_forward"](*x)
    assert again == value
    assert space["f_backward"](saved) == pytest.approx(grads, rel=1e-14)
    expected = 3.0 / (1 + math.exp(-0.5)) + 3 * 0.25 + math.sqrt(2.0)
    assert space["h"](2.0, 0.5, 0.25) == pytest.approx(expected, rel=1e-14)
    slopes = space["h_jacobian"](2.0, 0.5, 0.25)
    for i in range(3):
        direction = tuple(float(k == i) for k in range(3))
        _, tangent = space["h_jvp"]((2.0, 0.5, 0.25), direction)
        assert tangent == pytest.approx(slopes[i], rel=1e-14)


def test_every_word_of_python_may_be_shadowed() -> None:
    for word in dir(builtins):
        if word.startswith("_") or keyword.iskeyword(word) or word == "abs":  # called below
            continue
        text = compiled(f"fn f({word}, b) = abs({word})*exp(b)/floor(b) + log({word})", emit=())
        value, (slope, _) = run(text)["f_value_and_grad"](2.0, 3.5)
        assert value == pytest.approx(2 * 33.11545195869231 / 3 + 0.6931471805599453, rel=1e-14)
        assert slope == pytest.approx(33.11545195869231 / 3 + 0.5, rel=1e-14)


def test_a_long_sum_is_cut_into_lines_that_python_can_read() -> None:
    terms = " + ".join(f"sin(x*{k})" for k in range(1, 3001))
    text = compiled(f"fn f(x) = {terms}", emit=())
    assert max(map(len, text.splitlines())) <= 100
    assert run(text)["f_value_and_grad"](0.0) == (0.0, (3000 * 3001 / 2,))


def test_python_compiles_a_function_of_many_statements() -> None:
    body = "".join("  t = t*0.5 + x\n" for _ in range(4_000))
    text = compiled(f"fn f(x) {{\n  t = x\n{body}  return t\n}}\n", emit=())
    value, (slope,) = run(text)["f_value_and_grad"](1.0)
    assert value == pytest.approx(2.0) and slope == pytest.approx(2.0)


def test_stated_and_extern_functions_print_as_imports() -> None:
    source = (
        'extern fn j0(x) = "scipy.special.j0"\nextern fn j1(x) = "scipy.special.j1"\n'
        "derivative j0(x) = -j1(x)\nderivative j1(x) = j0(x) - j1(x)/x\n"
        "fn f(x) = j0(x)^2\n"
    )
    for target in TARGETS:
        text = compiled(source, target, ())
        assert "from scipy.special import j0, j1" in text
        value, (slope,) = run(text)["f_value_and_grad"](2.0)
        # J0(2) = 0.2238907791412357, J1(2) = 0.5767248077568734
        assert value == pytest.approx(0.2238907791412357**2, rel=1e-13)
        assert slope == pytest.approx(-2 * 0.2238907791412357 * 0.5767248077568734, rel=1e-13)


def test_the_python_target_imports_the_standard_library_alone() -> None:
    text = compiled("fn f(x) = sigmoid(x)*digamma(x) + sign(x)")
    roots = {
        (node.module or "").partition(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom)
    }
    assert roots == {"math", "mgrad"}


def test_an_extern_of_numbers_maps_over_arrays() -> None:
    import numpy as np

    source = 'extern fn g(x) = "math.gamma"\nfn f(x) = g(x) + 1\n'
    f = run(compiled(source, "numpy", ()))["f"]
    assert f(np.array([1.0, 5.0, -1.0])) == pytest.approx([2.0, 25.0, np.nan], nan_ok=True)
