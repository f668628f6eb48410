"""Values larger than all that a function takes and gives are made in blocks of rows."""

import re
import tracemalloc
from typing import Any

import numpy as np
import pytest

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.source import Source

PAIRWISE = "fn f(x: [N, D], y: [M, D]) = [sum((x[i, k] - y[j, k])^2 for k) for i, j]"
KERNEL = "fn f(x: [N, D], y: [M, D], s) = sum(exp(-sum((x[i, k] - y[j, k])^2 for k)/s) for i, j)"

MIXTURE = """\
fn f(x: [N, D], m: [K, D], p: [K]) {
  d = [sum((x[i, k] - m[j, k])^2 for k) for i, j]
  return sum(logsumexp(p - d, axis=1))
}"""


def text(source: str) -> str:
    return compile(Source("f.mg", f"{source}\n"), Options(target="numpy")).text


def module(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(text(source), names)
    return names


def body(source: str, name: str) -> str:
    """One function of the generated module."""
    found = re.search(rf"def {name}\(.*?(?=\n\n\n|\Z)", text(source), re.S)
    assert found is not None
    return found[0]


def test_the_loop_is_over_rows_and_names_its_parts() -> None:
    value = body(PAIRWISE, "f")
    assert "for rows in blocks(N, D*M):" in value
    assert "difference = x_transposed[:, rows, None] - y_transposed[:, None]\n" in value
    assert '[rows] = np.einsum("ijk,ijk->jk", difference, difference)\n' in value


def test_what_is_summed_over_the_rows_is_summed_up() -> None:
    back = body(PAIRWISE, "f_backward")
    assert back.count("for rows in blocks") == 1  # both gradients in one loop
    assert "[:, rows] = np.vecdot(" in back
    assert re.search(r"\w+ \+= np\.einsum", back)


def test_value_and_gradient_share_the_loop() -> None:
    assert body(KERNEL, "f_value_and_grad").count("for rows in blocks") == 1


def test_what_the_rows_alone_decide_is_used_in_the_same_loop() -> None:
    both = body(MIXTURE, "f_value_and_grad")
    assert both.count("for rows in blocks(N, ") == both.count("blocks") == 1
    assert both.count("softmax(") == 1  # one exponential for the value and the gradient
    assert "np.exp" not in both


def test_a_mixture_is_that_of_whole_arrays() -> None:
    rng = np.random.default_rng(2)
    x, m, p = rng.normal(size=(6000, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)
    value, (d_x, d_m, d_p) = module(MIXTURE)["f_value_and_grad"](x, m, p)
    difference = x[:, None] - m
    terms = np.exp(p - (difference**2).sum(axis=2))
    sums = terms.sum(axis=1)
    assert value == pytest.approx(np.log(sums).sum(), rel=1e-13)
    shares = terms / sums[:, None]
    np.testing.assert_allclose(d_p, shares.sum(axis=0), rtol=1e-12)
    inner = -2 * shares[:, :, None] * difference
    np.testing.assert_allclose(d_x, inner.sum(axis=1), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(d_m, -inner.sum(axis=0), rtol=1e-11)


def test_products_of_matrices_are_made_once_as_a_whole() -> None:
    both = body("fn f(x: [N, D], w: [D, H]) = sum(tanh(x @ w))", "f_value_and_grad")
    assert both.count("np.tanh(") == both.count("(x @ w)\n") == 1
    assert "blocks" not in both
    assert "A @ C" in body("fn f(A: [B, n, m], C: [B, m, k]) = sum((A @ C)^2)", "f")


def test_nothing_large_is_saved() -> None:
    (saved,) = re.findall(r"return [^\n]*?(\([^()]*\))\n*$", body(PAIRWISE, "f_forward"))
    assert saved == "(x, y)"


def test_no_loop_where_nothing_is_large() -> None:
    assert "blocks" not in text("fn f(x: [N, D], w: [D]) = sum(exp(x @ w))")
    assert "blocks" not in text("fn f(x: [N, D]) = sum((x - mean(x, axis=D, keepdims=true))^2)")


@pytest.mark.parametrize("n", [0, 1, 2, 700])
def test_values_and_gradients_are_those_of_whole_arrays(n: int) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(50, 3))
    names = module(KERNEL)
    value, (d_x, d_y, d_s) = names["f_value_and_grad"](x, y, 2.0)
    difference = x[:, None] - y
    squares = (difference**2).sum(axis=2)
    weights = np.exp(-squares / 2)
    assert value == pytest.approx(weights.sum(), rel=1e-12, abs=1e-300)
    inner = -weights[:, :, None] * difference
    np.testing.assert_allclose(d_x, inner.sum(axis=1), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(d_y, -inner.sum(axis=0), rtol=1e-10, atol=1e-12)
    assert d_s == pytest.approx((weights * squares).sum() / 4, rel=1e-12, abs=1e-300)


def test_memory_is_that_of_the_result_and_blocks() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(1000, 16)), rng.normal(size=(1000, 16))
    names = module(PAIRWISE)
    names["f"](x[:2], y)  # what is imported and made once
    tracemalloc.start()
    result = names["f"](x, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * result.nbytes  # as a whole the differences would be 16 times as large
    difference = x[:5, None] - y
    np.testing.assert_allclose(result[:5], (difference**2).sum(axis=2), rtol=1e-13)


def test_accuracy_is_that_of_differences() -> None:
    """Close points far from the origin: the product form would lose every digit."""
    x = np.full((4, 2), 1e8)
    y = x + 1e-3
    names = module(PAIRWISE)
    exact = ((x[:, None] - y) ** 2).sum(axis=2)
    np.testing.assert_allclose(names["f"](x, y), exact, rtol=1e-14)


WEIGHTED = "fn f(x: [N, D], y: [M, D], w: [D]) = [sum(w[k]*(x[i, k] - y[j, k])^2 for k) for i, j]"
WEIGHTED_SUM = (
    "fn f(x: [N, D], y: [M, D], w: [D]) = sum(exp(-sum(w[k]*(x[i, k] - y[j, k])^2 for k)) for i, j)"
)


@pytest.mark.parametrize("source", [PAIRWISE, KERNEL, WEIGHTED, WEIGHTED_SUM])
def test_no_pass_makes_a_large_value(source: str) -> None:
    """Forward, backward and along a direction, where large values meet in a product, too."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(300, 20)), rng.normal(size=(300, 20))
    arguments: tuple[Any, ...] = (x, y)
    if source is not PAIRWISE:
        arguments += (2.0,) if source is KERNEL else (rng.random(20),)
    names: dict[str, Any] = {}
    exec(compile(Source("f.mg", f"{source}\n"), Options(target="numpy", emit=("jvp",))).text, names)
    value, saved = names["f_forward"](*arguments)
    seed = np.ones(np.shape(value))
    passes = {
        "f": lambda: names["f"](*arguments),
        "f_forward": lambda: names["f_forward"](*arguments),
        "f_backward": lambda: names["f_backward"](saved, seed),
        "f_jvp": lambda: names["f_jvp"](arguments, arguments),
    }
    for name, run in passes.items():
        tracemalloc.start()
        run()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 300 * 300 * 20 * 8 / 2, name


def test_a_weighted_distance_is_that_of_whole_arrays() -> None:
    rng = np.random.default_rng(4)
    x, y, w = rng.normal(size=(700, 3)), rng.normal(size=(60, 3)), rng.random(3)
    value, (d_x, d_y, d_w) = module(WEIGHTED_SUM)["f_value_and_grad"](x, y, w)
    difference = x[:, None] - y
    weights = np.exp(-(w * difference**2).sum(axis=2))
    assert value == pytest.approx(weights.sum(), rel=1e-12)
    inner = -2 * w * weights[:, :, None] * difference
    np.testing.assert_allclose(d_x, inner.sum(axis=1), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(d_y, -inner.sum(axis=0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(d_w, -(weights[:, :, None] * difference**2).sum(axis=(0, 1)), 1e-11)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("2^x*exp(x*y)*sin(x - y)*3^(x*y)", lambda x, y: 2**x * np.exp(x * y) * 3 ** (x * y)),
        ("x^y*2^x*exp(x*y)*sin(x - y)", lambda x, y: x**y * 2**x * np.exp(x * y)),
    ],
)
def test_what_is_the_same_for_all_rows_is_not_taken_apart(body: str, value: Any) -> None:
    """The logarithm of 2 stands before the loop, as one number."""
    text = compile(Source("case.mg", f"fn f(x: [N], y: [N]) = {body}"), Options("numpy", 2)).text
    assert "for rows in planned_blocks" in text
    names: dict[str, Any] = {"__name__": "generated"}
    exec(text, names)
    x, y = np.array([0.5, 1.5, 2.5]), np.array([0.25, 1.0, -0.5])
    found, saved = names["f_forward"](x, y)
    reference = lambda x, y: value(x, y) * np.sin(x - y)  # noqa: E731
    np.testing.assert_allclose(found, reference(x, y), rtol=1e-14)
    h = 1e-30j
    slopes = reference(x + h, y).imag / 1e-30, reference(x, y + h).imag / 1e-30
    for slope, wanted in zip(names["f_backward"](saved, np.ones(3)), slopes, strict=True):
        np.testing.assert_allclose(slope, wanted, rtol=1e-12)
