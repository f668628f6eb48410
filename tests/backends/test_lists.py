"""Tensors on the target `python`: nested lists, in value and derivatives those of `numpy`."""

import math
from typing import Any

import numpy as np
import pytest

from mgrad.compiler.driver import Options, compile, entries
from mgrad.compiler.source import Source
from mgrad.compiler.targets import Target
from mgrad.compiler.verify.certificate import check_function, run_module

EXTRAS = ("jvp", "jacobian", "hessian")


def text_of(source: str, target: Target = "python", level: int = 1) -> str:
    return compile(Source("case.mg", source), Options(target, level, EXTRAS)).text


def body_of(source: str, name: str = "f") -> str:
    """What a function of the module says after its head."""
    text = text_of(source)
    return text[text.index(f"def {name}(") :].split("\n\n")[0].split("\n", 1)[1]


@pytest.mark.parametrize(
    ("source", "body"),
    [
        (
            "fn f(W: [n, m], x: [m]) = [sum(W[i, j]*x[j] for j) for i]",
            "    n = len(W)\n    m = len(x)\n"
            "    return [sum(W[i][j]*x[j] for j in range(m)) for i in range(n)]",
        ),
        ("fn f(x: [n]) = sum(x)", "    return sum(x)"),
        ("fn f(x: [n, m]) = max(x, axis=1)", "    return [largest(x[i]) for i in range(n)]"),
        ("fn f(x: [n]) = flip(x)", "    return x[::-1]"),
        ("fn f(x: [n]) = x[1:]", "    return x[1:]"),
        ("fn f(x: [n], y: [m]) = concat(x, y)", "    return [*x, *y]"),
        ("fn f(x: [n], y: [n]) = concat(x, y)[-1] + 0", "    return x_and_y[-1]"),
        ("fn f(A: [n, n]) = det(A)", "    return det(A)"),
        ("fn f(x: [n, n]) = trace(x)", "    return sum(x[i][i] for i in range(n))"),
        (
            "fn f(x: [n]) = sum((i + 1)*x[i] for i)",
            "    return sum((i + 1)*x[i] for i in range(n))",
        ),
        (
            "fn f(x: [n]) = sum(if i < j then x[i]*x[j] else 0 for i, j)",
            "    return sum(x[i]*x[j] for i in range(n) for j in range(n) if i < j)",
        ),
        (
            "fn f(i: [j]) = sum(i^2)",
            "    return sum(i[k]*i[k] for k in range(j))",
        ),
        (
            "fn f(x: [n, m]) = reshape(x, n*m)",
            "    return [x[i//m][i % m] for i in range(m*n)]",
        ),
    ],
)
def test_text_is_index_notation(source: str, body: str) -> None:
    assert body_of(source).endswith(body)


def test_what_is_read_often_is_made_once() -> None:
    body = body_of("fn f(x: [n], y: [m]) = [exp(x[i])*y[j] for i, j]")
    assert body.count("exp(") == 1
    assert "[exp_x[i]*y[j] for j in range(m)]" in body


def test_a_module_of_lists_needs_the_standard_library_alone() -> None:
    text = text_of("fn f(A: [n, n], b: [n]) = sum(solve(A, b)) + logsumexp(b)")
    assert "numpy" not in text


# ------------------------------------------------------------------------- the same as on `numpy`

PROGRAMS = [
    "fn f(x: [N, D], w: [D], b) -> [N] = x @ w + b",
    "fn f(x: [.., D]) -> [..] = sum(x^2, axis=-1)",
    "fn f(t: int[T], keep: bool[T], w: [T]) = sum(where(keep, w*t, 0))",
    "fn f(x: [N, D], y: [M, D]) = [sum((x[i, k] - y[j, k])^2 for k) for i, j]",
    "fn f(A: [n, n], x: [n]) = sum(x[i]*A[i, j]*x[j] for i, j)",
    "fn f(x: [n]) = sum((i + 1)*(2*x[i]^2 - x[i - 1])^2 for i in 1..n)",
    "fn f(x: [N, D]) = softmax(x)*logsumexp(x, axis=0)",
    "fn f(x: [N, D]) = mean(max(x, axis=1))/N + sum(min(x, axis=0))",
    "fn f(A: [3, 3]) = det(A)^2",
    "fn f(A: [n, n], b: [n]) = sum(solve(A, b)^2) + sum(inv(A)^3)",
    "fn f(A: [n, n]) = sum(log(diag(cholesky(A @ transpose(A) + 3*eye(n)))))",
    "fn f(A: [B, 2, 2], b: [B, 2]) = sum(solve(A, b)) + sum(det(A)*det(inv(A) + 1))",
    "fn f(x: [n]) = prod(cos(x[i]/sqrt(i + 1)) for i) + sum(cumsum(x)^2)",
    "fn f(x: [N, M]) = prod(x, axis=0)*cumsum(x, axis=1)[0]",
    "fn f(x: [T], w: [2]) = windows(x, 2) @ w",
    "fn f(x: [N, D], k: int[K]) = sum(x[k]^3) + x[k[0], -1]",
    "fn f(x: [n], y: [n]) = stack(x, y, axis=1)*concat(x, y)[0]",
    "fn f(x: [n], y: [m]) = sum(concat(x^2, sin(y), x)*concat(y, x, x))",
    "fn f(x: [n, m]) = transpose(flip(x, axis=1))[1:, ::2]*2",
    "fn f(x: [n, m]) = reshape(sin(x), n*m)[::-1]^2",
    "fn f(x: [n, 2, m]) = reshape(x, n, 2*m) @ ones(2*m)",
    "fn f(x: [n]) = tile(x, 2)*eye(2*n)[0]",
    "fn f(x: [n]) = hessian(sum(sin(x)^2*x[0]), x)",
    "fn f(x: [n]) = jacobian(sin(x)*sum(x), x)",
    "fn g(x: [.., D]) -> [..] = sum(exp(x), axis=-1)\nfn f(z: [2, N, D]) = g(z)",
    "fn g(x) = if x > 1 then log(x)*cos(x)/x else x*exp(-x)\nfn f(x: [N]) = g(x) + g(2*x)",
    "fn f(x: [n], v: [n]) = diff(sum(diff(sum(x^4)*x[0], x)*v), x)",
    "fn f(n: int, x: [n]) = [x[i]*j for i, j in 0..n + 1]",
    "fn f(x: [N, D]) = std(x, axis=0) + norm(x)",
]
FOLLOWED = [
    *PROGRAMS[:6],
    "fn f(x: [N, D], k: int[K]) = sum(x[k]^3)",
    "fn f(A: [n, n], b: [n]) = sum(solve(A, b)^2)",
    "fn f(x: [n]) = cumsum(x)^2",
    "fn f(x: [n]) = prod(cos(x[i]/sqrt(i + 1)) for i)",
    "fn f(x: [T], w: [3]) = windows(x, 3) @ w",
    "fn f(x: [n], y: [n]) = stack(x, y, axis=1)*concat(x, y)[0]",
    "fn g(x: [.., D]) -> [..] = sum(x^2, axis=-1)\nfn f(z: [A, B, C]) = g(z)",
]


def arguments_of(source: str, seed: int) -> tuple[list[Any], list[bool]]:
    """Arrays for the last function, of small distinct sizes, and which are real."""
    program = compile(Source("case.mg", source), Options("numpy")).program
    parameters = program.functions[entries(program)[-1]].arguments
    random = np.random.default_rng(seed)
    sizes = {"..": 2, "N": 3, "D": 2, "M": 4, "T": 4, "K": 3, "B": 2, "n": 3, "m": 4, "j": 3}
    given: list[Any] = []
    for parameter in parameters:
        type = parameter.type
        shape = tuple(d.evaluate(sizes) for d in type.shape)
        if type.dtype == "real":
            given.append(random.uniform(0.3, 1.5, shape))
        elif type.dtype == "int":
            given.append(random.integers(-1, 2, shape) if shape else 3)
        else:
            given.append(random.uniform(size=shape) > 0.5)
    return given, [p.type.dtype == "real" for p in parameters]


def lists(value: Any) -> Any:
    """Arrays as nested lists, also in tuples."""
    if isinstance(value, tuple):
        return tuple(map(lists, value))
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def agree(found: Any, wanted: Any) -> None:
    """Nested lists of plain numbers that are those of arrays."""
    if isinstance(wanted, tuple):
        assert isinstance(found, tuple)
        for one, other in zip(found, wanted, strict=True):
            agree(one, other)
        return
    assert isinstance(found, list | float | int)
    assert np.shape(found) == np.shape(wanted)
    assert np.asarray(found).dtype.kind == np.asarray(wanted).dtype.kind
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("source", "level"), [*((s, 1) for s in PROGRAMS), *((s, 0) for s in PROGRAMS[::3])]
)
def test_values_and_derivatives_are_those_of_arrays(source: str, level: int) -> None:
    own = run_module(text_of(source, "python", level))
    other = run_module(text_of(source, "numpy", level))
    arrays, are_real = arguments_of(source, seed=level)
    given = [lists(a) for a in arrays]
    value = other["f"](*arrays)
    agree(own["f"](*given), value)
    for kind in ("value_and_grad", "jacobian", "hessian"):
        assert (f"f_{kind}" in own) == (f"f_{kind}" in other)
        if f"f_{kind}" in own:
            agree(own[f"f_{kind}"](*given), other[f"f_{kind}"](*arrays))
    random = np.random.default_rng(7)
    seed = random.normal(size=np.shape(value))
    (first, saved), (wanted, kept) = own["f_forward"](*given), other["f_forward"](*arrays)
    agree(first, wanted)
    agree(own["f_backward"](saved, lists(seed)), other["f_backward"](kept, seed))
    along = tuple(
        random.normal(size=np.shape(a)) for a, real in zip(arrays, are_real, strict=True) if real
    )
    found = own["f_jvp"](tuple(given), lists(along))
    agree(found, other["f_jvp"](tuple(arrays), along))


def statuses(source: str, change: tuple[str, str] = ("", "")) -> set[str]:
    """What `check` says of the routines of f; the text may be changed before."""
    compiled = compile(Source("case.mg", source), Options("python"))
    text = compiled.text.replace(*change)
    assert text != compiled.text or change == ("", "")
    function = compiled.program.functions["f"]
    report = check_function(compiled.program, function, text, run_module(text))
    assert report.verdicts
    return {verdict.status for verdict in report.verdicts}


@pytest.mark.parametrize("source", FOLLOWED)
def test_check_follows_the_text_of_lists(source: str) -> None:
    assert statuses(source) == {"proved"}


def test_check_refutes_a_wrong_index() -> None:
    source = "fn f(W: [n, m], x: [m]) = [sum(W[i, j]*x[j] for j) for i]"
    assert "refuted" in statuses(source, ("x[j] for j in range(m)", "x[j - 1] for j in range(m)"))


# ------------------------------------------------------------------------------------------- edges


def test_ieee_754_where_python_raises() -> None:
    module = run_module(text_of("fn f(x: [n], y: [n]) = [log(x[i]/y[i]) for i]"))
    value = module["f"]([1, 0, -1, 1e300], [0, 2, 2, 1e-300])
    assert value[:2] == [math.inf, -math.inf]
    assert math.isnan(value[2]) and value[3] == math.inf
    nothing = run_module(text_of("fn f(x: [n]) = mean(x) + 1/n"))
    assert math.isnan(nothing["f"]([]))  # 0/0
    saved = module["f_forward"]([1.0, 0.0], [1.0, 1.0])[1]
    assert module["f_backward"](saved, [1, 1])[0] == [1.0, math.inf]


def test_empty_lists() -> None:
    module = run_module(text_of("fn f(x: [N, D], w: [D], b) -> [N] = x @ w + b"))
    assert module["f"]([], [1.0, 2.0], 3.0) == []
    assert module["f"]([[], []], [], 3.0) == [3.0, 3.0]
    saved = module["f_forward"]([], [1.0, 2.0], 3.0)[1]
    assert module["f_backward"](saved, []) == ([], [0.0, 0.0], 0.0)
    total = run_module(text_of("fn f(x: [n]) = sum(x^2)"))
    assert total["f_value_and_grad"]([]) == (0.0, ([],))
    assert type(total["f"]([])) is float


def test_results_share_nothing_with_arguments() -> None:
    module = run_module(text_of("fn f(x: [n, m]) = x"))
    given = [[1.0, 2.0]]
    value = module["f"](given)
    value[0][0] = 5.0
    assert given == [[1.0, 2.0]]


def test_what_a_forward_pass_saved_stays() -> None:
    module = run_module(text_of("fn f(x: [n]) = sum(x^2)"))
    given = [1.0, 2.0]
    _, saved = module["f_forward"](given)
    given[0] = 100.0
    assert module["f_backward"](saved) == ([2.0, 4.0],)


def test_leading_axes_are_folded_and_unfolded() -> None:
    module = run_module(text_of("fn f(x: [.., D]) -> [..] = sum(x^2, axis=-1)"))
    assert module["f"]([3, 4]) == 25.0
    assert module["f"]([[3, 4], [1, 1]]) == [25.0, 2.0]
    assert module["f"]([[[3, 4], [1, 1]]]) == [[25.0, 2.0]]
    _, saved = module["f_forward"]([3, 4])
    assert module["f_backward"](saved) == ([6.0, 8.0],)
    _, saved = module["f_forward"]([[[3, 4], [1, 1]]])
    assert module["f_backward"](saved, [[1, 2]]) == ([[[6.0, 8.0], [4.0, 4.0]]],)
