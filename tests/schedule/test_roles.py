"""What temporaries are called: phrases of the source's names, parts that they play, nouns."""

import re

import pytest

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.ir.node import Pool
from mgrad.compiler.ir.types import REAL
from mgrad.compiler.schedule.phrases import LONGEST, phrase
from mgrad.compiler.source import Source


def text(source: str, level: int = 1) -> str:
    options = Options(target="numpy", level=level)
    return compile(Source("f.mg", f"{source}\n"), options).text


def lines(source: str) -> dict[str, str]:
    """The temporaries of `f_forward`, `f_backward` and `f_value_and_grad`, and what they are."""
    return dict(re.findall(r"^ +(\w+) = (.+?)(?:  #.*)?$", text(source), re.M))


@pytest.mark.parametrize(
    ("source", "name", "value"),
    [
        # matrices and vectors
        ("fn f(X: [N, D], y: [N], w: [D]) = sum((X @ w - y)^2)", "X_w_minus_y", "X @ w - y"),
        ("fn f(A: [n, n], x: [n]) = (x @ A @ x)^2", "x_A_dot_x", "x_A.dot(x)"),
        (
            "fn f(A: [n, m], x: [n]) = sum(exp(transpose(A) @ x)^2)",
            "exp_of_A_transposed_times_x",
            "np.exp(A.T @ x)",
        ),
        ("fn f(K: [n, n], y: [n]) = sum(solve(K, y)^2)", "K_inverse_y", "solve(K, y)"),
        ("fn f(x: [n]) = norm(x)*2", "x_norm_squared", "x.dot(x)"),
        ("fn f(x: [n]) = norm(x)*2", "x_norm", "np.sqrt(x_norm_squared)"),
        # parts of arrays
        (
            "fn f(x: [n]) = sum((x[1:] - x[:-1])^2)",
            "x_but_first_minus_x_but_last",
            "x[1:] - x[:-1]",
        ),
        ("fn f(x: [n]) = (x[-1] - 1)^2", "x_last_minus_one", "x[-1] - 1"),
        ("fn f(x: [n], k: int[m]) = sum(x[k]^3)", "x_at_k", "x[k]"),
        # numbers
        ("fn f(x) = sin(2*pi*x)", "two_pi_times_x", "2*np.pi*x"),
        ("fn f(x, y) = exp(x + 10*y)^2", "exp_of_x_plus_ten_times_y", "np.exp(x + 10*y)"),
        ("fn f(x, y) = sin((x + y)/2)", "half_of_x_plus_y", "(x + y)/2"),
        # the forms that keep digits
        ("fn f(x) = softplus(x)^2", "softplus_x", "np.maximum(x, 0.0) + np.log1p(exp_minus_abs_x)"),
        # the part that a value plays, where it would be too long to say what it is
        (
            "fn f(x: [m, 3]) = sum((x[i, 0] + 10*x[i, 1])^2 + 5*(x[i, 2] - x[i, 1])^2 + "
            "(x[i, 1] - 2*x[i, 2])^4 for i)",
            "terms",
            "(",
        ),
        ("fn f(x, y) = (x*y + 3*x - y)/(2*x + 3*y + x*y)", "denominator", "2*x + 3*y + x_times_y"),
        (
            "fn f(d, s, a, k) = s^2*(1 + d^2/(2*a*k^2))^-a",
            "unmasked_d_one_plus_ratio",
            "-s_squared*(a*one_plus_ratio**(minus_a - 1))",
        ),
    ],
)
def test_names(source: str, name: str, value: str) -> None:
    assert lines(source).get(name) == value


def test_a_phrase_means_one_formula() -> None:
    found = text("fn f(a, b, c) = exp((a + b)*c)*(a + b)^2 - (c - (a - b))^2*(a - b)^2")
    assert "a_plus_b_times_c" not in found  # a + b*c
    assert "c_minus_a_minus_b" not in found  # (c - a) - b


def test_functions_of_several_words_say_how_far_they_reach() -> None:
    found = lines("fn f(x, y) = exp(x + y)^2 + (exp(x) + y)^2")
    assert found["exp_of_x_plus_y"] == "np.exp(x + y)"
    assert found["exp_x_plus_y"] == "exp_x + y"


def test_a_multiple_of_a_gradient_is_not_the_gradient_of_a_product() -> None:
    pool = Pool()
    names = {pool.parameter("d_x", REAL): "d_x", pool.parameter("y", REAL): "y"}
    d_x, y = names
    assert phrase(d_x * y, names.get) == "y_times_d_x"
    assert phrase(d_x - y, names.get) is None
    assert phrase(d_x * d_x, names.get) is None


def test_two_values_of_one_name_are_no_square() -> None:
    found = text(
        "fn f(x: [n, 2], y: [m, n, n]) = sum([sum(exp(x[i, k] - x[j, k]) for k) for i, j]^2)"
    )
    assert "differences_of_x = " in found
    assert "x_minus_x" not in found


def test_moved_values_are_looked_through() -> None:
    found = text(
        "fn f(a: [n], b: [m]) = sum(([a[i]*b[j] + a[i] for i, j] @ [b[i]*a[j] for i, j])^2)"
    )
    for op in ("broadcast", "reshape", "transpose_", "take_", "concat_", "contract"):
        assert not re.search(rf"\b(d_)*{op}\w* = ", found), op


def test_names_are_short_enough() -> None:
    source = "fn f(X: [N, D], y: [N], w: [D], b) = mean(softplus(X @ w + b - y)^2) + sum(w^4)"
    for name in lines(source):
        assert len(re.sub(r"^(d_)+|(_\d+)$", "", name)) <= LONGEST


def test_the_planned_text_has_the_same_names() -> None:
    source = "fn f(X: [N, D], y: [N], w: [D]) = mean(log(1 + (X @ w - y)^2))"
    planned = text(source, level=2)
    for name in ("X_w_minus_y", "log_argument", "d_X_w_minus_y"):
        assert name in lines(source)
        assert f"{name}=" in planned


def test_names_do_not_depend_on_the_run() -> None:
    source = "fn f(x: [n], y: [n]) = norm(x - y)*sum(exp(x - y)*cos(x + y))"
    assert text(source) == text(source)
