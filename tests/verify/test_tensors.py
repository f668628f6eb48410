"""Functions of arrays: right ones are proved, faults planted in their text are refuted."""

import re

import pytest

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import check_function, run_module

PROGRAMS = {
    "affine": "fn f(x: [N, D], w: [D], b) = x @ w + b",
    "least_squares": "fn f(x: [N, D], y: [N], w: [D]) = sum((x @ w - y)^2)/N",
    "leading": "fn f(x: [.., D]) -> [..] = sum(x^2, axis=-1)",
    "choice": "fn f(keep: bool[T], w: [T]) = sum(where(keep, w^2, 0))",
    "matrix_vector": "fn f(W: [n, m], x: [m]) = [sum(W[i, j]*x[j] for j) for i]",
    "distances": "fn f(x: [N, D], y: [M, D]) = [sum((x[i, k] - y[j, k])^2 for k) for i, j]",
    "kernel": "fn f(x: [N, D], y: [M, D], s) ="
    " sum(exp(-sum((x[i, k] - y[j, k])^2 for k)/s) for i, j)",
    "quadratic": "fn f(A: [n, n], x: [n]) = sum(x[i]*A[i, j]*x[j] for i, j)",
    "rosenbrock": "fn f(x: [n]) = sum(100*(x[i + 1] - x[i]^2)^2 + (1 - x[i])^2 for i in 0..n - 1)",
    "weights": "fn f(x: [n]) = sum((i + 1)*(2*x[i]^2 - x[i - 1])^2 for i in 1..n)",
    "log_sum_exp": "fn f(x: [N, D]) = logsumexp(x, axis=D)",
    "softmax": "fn f(x: [N, D]) = softmax(x)",
    "greatest": "fn f(x: [n]) = max(x)^2",
    "product": "fn f(x: [n]) = prod(cos(x[i]/sqrt(i + 1)) for i)",
    "determinant": "fn f(A: [3, 3]) = det(A)",
    "solution": "fn f(A: [n, n], b: [n]) = sum(solve(A, b)^2)",
    "factor": "fn f(A: [n, n]) = sum(log(diag(cholesky(A))))",
    "gathered": "fn f(x: [N, D], k: int[K]) = sum(x[k]^3)",
    "running": "fn f(x: [n]) = cumsum(x)^2",
    "windowed": "fn f(x: [T], w: [3]) = windows(x, 3) @ w",
    "put": "fn f(x: [n], v) {\n  y = x\n  y[0] = v\n  y[1:] += v^2\n  return y*x\n}",
    "joined": "fn f(x: [n], y: [n]) = stack(x, y, axis=1)*concat(x, y)[0]",
    "force": "fn f(q: [n]) {\n  e = sum(q^4)/4 - sum(q^2)/2\n  return -diff(e, q)\n}",
    "stiffness": "fn f(q: [n]) = hessian(sum(sin(q)^2), q)",
    "slopes": "fn f(q: [n]) = jacobian(sin(q)*sum(q), q)",
    "curvature": "fn f(x: [n], v: [n]) {\n  e = sum((x[1:] - x[:-1]^2)^2)\n  g = diff(e, x)\n"
    "  s = sum(g*v)\n  return diff(s, x)\n}",
    "called": "fn g(x: [.., D]) -> [..] = sum(x^2, axis=-1)\nfn f(z: [A, B, C]) = g(z)",
    "springs": "fn f(x: [N, D], k: int[S, 2]) = sum(norm(x[k[s, 0]] - x[k[s, 1]]) for s)",
    "pairs": "fn f(x: [N, D]) ="
    " -diff(sum(sum((x[i, k] - x[j, k])^2 for k)^-2 for i in 0..N, j in 0..i), x)",
    "ridge": "fn f(X: [N, D], y: [N], c in (0.1, 10)) ="
    " solve(transpose(X) @ X + c*eye(D), transpose(X) @ y)",
    "spin": "fn turn(q, a) = [[cos(q), -sin(q)*cos(a), sin(q)*sin(a)],"
    " [sin(q), cos(q)*cos(a), -cos(q)*sin(a)], [0, sin(a), cos(a)]]\n"
    "fn f(q: [3]) {\n  R = turn(q[0], pi/2) @ turn(q[1], -pi/2) @ turn(q[2], 0)\n"
    "  S = jacobian(R, q)\n  return [sum(S[i, k, n]*R[j, k] for k) for i in 0..3, j in 0..3, n]\n}",
    "convolution": "fn f(x: [H, W], k: [3, 3]) ="
    " [sum(x[i + a, j + b]*k[a, b] for a, b) for i in 0..H - 2, j in 0..W - 2]",
    "channels": "fn f(x: [C, n], k: [O, C, 2]) ="
    " [sum(x[c, i + a]*k[o, c, a] for c, a) for o, i in 0..n - 1]",
    "causal": "fn f(x: [n], k: [3]) = [sum(k[a]*x[i - a] for a) for i in 2..n]",
    "strided": "fn f(x: [n]) = [max(x[2*i + a + 1] for a in 0..2) for i in 0..(n - 1)//2]",
    "lagged": "fn f(x: [n]) = [sum(x[i]*x[i + l] for i in 0..n - 3) for l in 0..4]",
    "kernel_of_any_size": "fn f(x: [n], k: [m]) = [sum(k[a]*x[i + a] for a) for i in 0..n - m + 1]",
    "row_means": "fn f(x: [N, M]) = mean(x, axis=1)",
    "place": "fn f(x: [.., D], i: int) = x[.., i]",
    "mapped": "fn g(x) = x^3\nfn f(x: [n]) = sum(g'(x)*g(x))",
}


def verdicts(
    source: str, change: tuple[str, str] | None = None, **options: object
) -> dict[str, str]:
    """The status of each routine of f; the text may be changed before it is checked."""
    compiled = compile(Source("f.mg", f"{source}\n"), Options(target="numpy", **options))  # type: ignore[arg-type]
    text = compiled.text
    if change is not None:
        assert len(re.findall(change[0], text)) >= 1, text
        text = re.sub(*change, text)
    report = check_function(
        compiled.program, compiled.program.functions["f"], text, run_module(text)
    )
    return {v.routine: v.status for v in report.verdicts}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_gradient_is_proved(name: str) -> None:
    found = verdicts(PROGRAMS[name])
    assert "f_backward" in found
    assert set(found.values()) == {"proved"}


@pytest.mark.parametrize(
    "name", ["affine", "rosenbrock", "determinant", "factor", "product", "leading"]
)
def test_matrices_of_derivatives_are_proved(name: str) -> None:
    found = verdicts(PROGRAMS[name], emit=("jvp", "jacobian", "hessian"))
    assert {"f_jvp", "f_jacobian"} <= set(found)
    assert set(found.values()) == {"proved"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("affine", (r"outer\(grad, w\)", "2*outer(grad, w)")),
        ("affine", (r"grad\.sum\(\)", "grad[1:].sum()")),
        ("least_squares", (r"/N", "/(2*N)")),
        ("matrix_vector", (r"grad @ W", "grad**2 @ W")),
        ("distances", (r"difference, difference\)", "difference, difference**2)")),
        ("distances", (r"d_x = 2\*", "d_x = -2*")),
        ("kernel", (r"d_s \+= ", "d_s = ")),
        ("running", (r"\[::-1\]", "")),
        ("windowed", (r"w\[::-1\]", "w")),
        ("gathered", (r"= added\((.*), k, ", r"= (lambda zeros, v: zeros)(\1, ")),
        ("greatest", (r"np\.where\(", "np.where(True | ")),
        ("springs", (r", k\[:, 1\], -d_", ", k[:, 1], d_")),
        ("pairs", (r"= 6\*\(2\*", "= 7*(2*")),
        ("ridge", (r"solve\(matrix\.T, grad\)", "solve(2*matrix.T, grad)")),
        ("ridge", (r"value @ X\.T", "X @ value*1.5")),
        ("factor", (r"np\.tril\((\w+), -1\)", r"np.tril(\1)")),
    ],
)
def test_a_planted_fault_is_refuted(name: str, change: tuple[str, str]) -> None:
    found = verdicts(PROGRAMS[name], change)
    assert "refuted" in found.values(), found
