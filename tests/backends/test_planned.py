"""-O2 writes into planned memory: it gives what -O1 gives, allocates nothing, and is checked."""

from __future__ import annotations

import re
import tracemalloc
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mgrad
from mgrad.compiler.driver import Compiled, Options, compile
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import run_module
from mgrad.runtime.results import leaves
from mgrad.runtime.rows import PLANNED
from tests.verify.test_tensors import PROGRAMS, verdicts

PROGRAMS = PROGRAMS | {
    "steps": "fn f(x: [N, D], w: [D], b, s: [N]) {\n  z = tanh(x @ w + b)*s\n"
    "  y = where(z > 0.1, exp(-z*z), z/(1 + s^2))\n  return sum(y^3) + max(z), z\n}",
    "results": "fn f(x: [n], y: [n]) = x, x + y, 2, y[::-1], sum(x)",
    "twice": "fn g(x: [n], a) = sum(tanh(a*x)^2)\nfn f(x: [n], a) = g(x, a)*g(2*x, a + 1)",
    "vector": "fn g(x: [n]) = exp(-x)*x\nfn f(x: [n], y: [n]) = g(x)*y + g(y)",
    "maps": "fn g(x) = x*exp(-x)\nfn f(x: [n, m]) = sum(g(x)*x, axis=1)",
    "numbers": "fn f(a, T: int) = [a^(i + 1) for i in 0..T]",
    "ints": "fn f(k: int[n], x: [n]) = sum([x[i]*(k[i] + i) for i])*x",
    "bools": "fn f(x: [n], y: [n]) = x > y and not (x > 2*y or y > 0.5)",
    "padded": "fn f(x: [n, m]) = [x[i + 1, j]*x[i, j] - x[i, j]/2 for i in 0..n - 1, j]",
    "shared": "fn f(x: [n, m], k: int[K]) = x[:, k]*2 + cumsum(x[:, k], axis=1)",
    "concat": "fn f(x: [n], a, b) = concat(stack(a, b), x*x, zeros(2), x[1:]/a)",
    "kernels": "fn f(x: [N, D], y: [M, D], w: [M]) ="
    " [sum(exp(-sum((x[i, k] - y[j, k])^2 for k))*w[j] for j) for i]",
    "moments": "fn f(x: [N, D]) = var(x, axis=N), std(x, axis=D), softmax(x, axis=1)",
    "gathers": "fn f(x: [N, D], i: int[K], j: int[K]) = x[i, j]*x[j, i - i]",
    "chain": "fn f(x: [n], a) {\n  s = exp(-x^2)*a\n  t = tanh(x/2 + a)\n"
    "  u = s/(1 + x^2)*t\n  return sum((max(u, 0) - t)^2)\n}",
    "curve": "fn f(x: [n], a) = exp(-a*x)*sin(3*x) + cos(x*a)^2/(1 + x^2) - x*tanh(x)",
    "logistic": "fn f(X: [N, D], y: [N], w: [D], b) {\n  z = X @ w + b\n"
    "  return mean(softplus(z) - y*z)\n}",
    "rows": "fn f(x: [N, D], m: [D], s: [D]) ="
    " sum(log(1 + ((x - m)/s)^2)*exp(-((x - m)/s)^2), axis=D)",
    "levels": "fn f(x: [n]) {\n  e = exp(-x^2)*cos(x) + sin(x)*x\n  s = sum(e)\n"
    "  y = e/s*tanh(x) + e*e\n  return sum(y*sqrt(1 + y*y))*y\n}",
    "ranges": "fn f(x: [n], m: int) {\n  i = 0..n\n  return i, x*i, 1..m, i\n}",
    "exponentials": "fn f(x: [N, D], y: [A, B, C]) = logsumexp(x, axis=D), logsumexp(x, axis=N),"
    " logsumexp(x), logsumexp(y, axis=1), softmax(x, axis=0), log_softmax(y, axis=2)",
    "entropy": "fn f(X: [N, D], W: [D, C], t: int[N]) ="
    " -mean(log_softmax(X @ W, axis=1)[i, t[i]] for i)",
    "attention": "fn f(Q: [N, D], K: [M, D], V: [M, E]) = softmax(Q @ transpose(K), axis=1) @ V",
    "many_sums": "fn f(x: [n]) = sum(logsumexp(stack(x, x^2, -x, axis=1), axis=1)"
    "*log_softmax(stack(x, x^2, axis=1), axis=1)[:, 0])",
    "pairs_of_sums": "fn f(x: [N, 2]) ="
    " sum(logsumexp(x, axis=1)^2) + sum((softmax(x, axis=1)*x)^2) + sum(logsumexp(x, axis=0))",
    "sums_in_blocks": "fn f(x: [N, D], y: [M, D]) ="
    " sum(logsumexp([x[i, k]*y[j, k] for j], axis=0) for i, k)",
    "edges": "fn f(x: [N, D], k: int[S, 2]) = sum(norm(x[k[s, 0]] - x[k[s, 1]]) for s)",
    "parts": "fn f(x: [N, D], i: int[K], j: int[K]) ="
    " x[i, 1:]^2*sum(x[:, j]), x[i, 0]*[x[j[k], 1]*x[i[k], i[k]] for k]",
    "tiles": "fn f(x: [n]) = tile(x, 3)^2",
    "reshaped": "fn f(x: [N, D]) {\n  y = transpose(x)\n"
    "  return reshape(y, [D*N])^2, reshape(flip(x, axis=0), [N*D]),"
    " reshape(x[1:, 1:], [(N - 1)*(D - 1)])^3\n}",
    "around": "fn f(x: [A, B, C], i: int[K]) = [x[i[k], b, i[k]]^2 for b, k]",
    "functions": "fn g(x, a) = tanh(a*x)/(1 + x^2)\nfn f(x: [n], y: [n], a) = g(x, a)*y + g(y, x)",
    "primes": "fn g(x) = x^3*tanh(x)\nfn f(x: [n]) = sum(g'(x)*g(x) + g''(x))",
    "nested": "fn h(x, n: int) = exp(-x)*cos(n*x)/(1 + x^2)\n"
    "fn g(x, y, n: int) = h(x*y, n) + sin(x)*h(y, n + 1), x*y/(1 + h(x, n)^2)\n"
    "fn f(x: [N, M], y: [N, M], k: int[N, M]) {\n  a, b = g(x, y, k)\n  c, d = g(y, b, k)\n"
    "  return sum(a*c) + sum(h(d, k)), b\n}",
    "arms": "fn g(x, c) = if x > c then log(x - c) else tanh(x)*exp(x)*cos(x)\n"
    "fn f(x: [n], y: [n], c) = sum(g(x, 1)*g(y, c) + g(2, c))",
    "extremes": "fn f(x: [T]) = sum(max(windows(x, 3), axis=1)^2)",
    "pools": "fn f(x: [H, W]) ="
    " [max(x[2*i + a, 2*j + b] for a in 0..2, b in 0..2) for i in 0..H//2, j in 0..W//2]",
    "products": "fn f(x: [N, D], y: [A, B, C]) ="
    " prod(x, axis=1), prod(x, axis=0), prod(x), prod(y, axis=1)",
    "work": "fn f(work: [n], r) {\n  size = sum(work)\n  return work*size/r\n}",
}
EXAMPLES = ["landscapes", "regression", "gaussian_process", "arm", "cluster", "springs"]
ROOT = Path(__file__).parents[2]


@cache
def compiled(name: str, level: int, emit: tuple[str, ...] = ("jvp",)) -> Compiled:
    source = Source("f.mg", f"{PROGRAMS[name]}\n")
    return compile(source, Options("numpy", level, emit))


@cache
def module(name: str, level: int) -> dict[str, Any]:
    return run_module(compiled(name, level).text)


def arguments(name: str, seed: int, least: int = 3) -> list[Any]:
    """Random arguments of f, of distinct sizes, the first the largest."""
    rng = np.random.default_rng(seed)
    f = compiled(name, 1).program.functions["f"]
    dims = dict.fromkeys(n for a in f.arguments for d in a.type.shape for n in sorted(d.names))
    sizes = {d: least + len(dims) - 1 - k for k, d in enumerate(dims)}
    given: list[Any] = []
    for argument in f.arguments:
        shape = tuple(d.evaluate(sizes) for d in argument.type.shape)
        if argument.type.dtype == "int":
            given.append(rng.integers(0, 3, shape) if shape else np.int64(least - 1))
        elif argument.type.dtype == "bool":
            given.append(rng.integers(0, 2, shape).astype(bool))
        elif len(shape) == 2 and shape[0] == shape[1]:
            half = rng.normal(size=shape)
            given.append(half @ half.T + np.eye(shape[0]))
        else:
            given.append(rng.uniform(0.2, 1.5, shape))
    return given


def keyword(name: str) -> str:
    """By which a workspace is given: the source may have a name like that."""
    return "work_" if name == "work" else "work"


def same(found: Any, expected: Any) -> None:
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


def passes(functions: dict[str, Any], at: list[Any], **work: Any) -> tuple[Any, ...]:
    """What every routine of f gives: of a forward pass the value."""
    found = [functions["f"](*at, **work)]
    if "f_forward" in functions:
        value, saved = functions["f_forward"](*at, **work)
        reals = [v for v in leaves(value) if np.asarray(v).dtype.kind == "f"]
        seeds = tuple(np.cos(np.arange(np.size(v))).reshape(np.shape(v)) for v in reals)
        grad = seeds if isinstance(value, tuple) and len(seeds) > 1 else seeds[0]
        found += [value, functions["f_backward"](saved, grad, **work)]
    if "f_value_and_grad" in functions:
        found.append(functions["f_value_and_grad"](*at, **work))
    if "f_jvp" in functions:
        along = [np.sin(1 + np.asarray(a)) for a in at if np.asarray(a).dtype.kind == "f"]
        found.append(functions["f_jvp"](at, along, **work))
    return tuple(found)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_gives_what_the_first_level_gives(name: str) -> None:
    first, second = module(name, 1), module(name, 2)
    work: dict[str, Any] = {}
    for seed, least in ((0, 3), (1, 3), (2, 4)):
        at = arguments(name, seed, least)
        before = [np.array(a) for a in at]
        expected = passes(first, at)
        same(passes(second, at), expected)
        for _ in range(2):
            same(passes(second, at, **{keyword(name): work}), expected)
        for a, b in zip(at, before, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_share_memory_with_nothing_else(name: str) -> None:
    functions, at = module(name, 2), arguments(name, 0)
    for result in (functions["f"](*at), functions["f"](*at, **{keyword(name): {}})):
        arrays = [r for r in leaves(result) if isinstance(r, np.ndarray)]
        for rank, array in enumerate(arrays):
            others = [*arrays[:rank], *(a for a in at if isinstance(a, np.ndarray))]
            assert not any(np.shares_memory(array, other) for other in others)
    if "f_forward" in functions:
        value, saved = functions["f_forward"](*at, **{keyword(name): {}})
        kept = [s for s in leaves(saved.values) if isinstance(s, np.ndarray)]
        for array in [v for v in leaves(value) if isinstance(v, np.ndarray)]:
            assert not any(np.shares_memory(array, other) for other in kept)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_proved_where_the_first_level_is(name: str) -> None:
    found = verdicts(PROGRAMS[name], level=2, emit=("jvp",))
    assert "f" in found
    assert found == verdicts(PROGRAMS[name], level=1, emit=("jvp",))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("steps", (r"np\.subtract\(1\.0, (\w+), out", r"np.add(1.0, \1, out")),
        ("least_squares", (r"np\.dot\((\w+), x, out=d_w\)", r"np.dot(2*\1, x, out=d_w)")),
        ("rosenbrock", (r"\[:-1\] \+=", "[:-1] -=")),
        ("kernel", (r"np\.negative\((\w+), out=\1\)", "")),
        ("running", (r"out=(\w+)\[::-1\]\)", r"out=\1)")),
        ("put", (r"np\.copyto\(y, x\)", "np.copyto(y, 2*x)")),
    ],
)
def test_a_fault_in_a_step_is_found(name: str, change: tuple[str, str]) -> None:
    text = compiled(name, 2).text
    assert re.search(change[0], text), text
    assert "refuted" in set(verdicts(PROGRAMS[name], change, level=2).values())


@pytest.mark.parametrize("name", ["chain", "curve"])
def test_a_long_chain_runs_in_blocks(name: str) -> None:
    """Its temporaries have the size of a block, however long the arrays are."""
    text = compiled(name, 2).text
    assert "for rows in planned_blocks(" in text
    assert "planned_blocks" not in compiled(name, 1).text
    functions = module(name, 2)
    at = arguments(name, 0, 700_001)
    work: dict[str, Any] = {}
    found = functions["f"](*at, work=work)
    np.testing.assert_allclose(found, module(name, 1)["f"](*at), rtol=1e-12)
    buffers = [b for b in work["f"][2] if b.size > 2 * PLANNED]
    assert len(buffers) <= 1  # the result


def test_an_overwritten_operand_is_found() -> None:
    """What is needed later must not share its place."""
    source = "fn f(x: [D], w: [D]) {\n  w_2 = w*x\n  d = w_2*tanh(w_2)\n  return d*w_2 + d*x\n}"
    text = compile(Source("f.mg", f"{source}\n"), Options("numpy", 2)).text
    assert "w_2=(D,), d=(D,)" in text, text
    change = (r"d=\(D,\)", 'd="w_2"')
    assert "refuted" in set(verdicts(source, change, level=2).values())


# docs/generated-code.md says what is not written into planned memory
ALLOCATING = {"determinant", "solution", "factor"}
MATRICES = {"stiffness", "slopes"}  # of vectors


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - ALLOCATING))
def test_the_steady_state_allocates_nothing(name: str) -> None:
    """Nothing that grows with the sizes: NumPy has buffers of its own, of some 64 KB."""
    is_flat = all(np.ndim(a) < 2 for a in arguments(name, 0)) and name not in MATRICES
    small, large = (10_000, 20_000) if is_flat else (110, 220)
    least = 8 * (large - small) if is_flat else 4 * (large**2 - small**2)
    for routine in ("f", "f_value_and_grad", "f_jvp"):
        if routine in module(name, 2):
            assert _peak(name, routine, large) - _peak(name, routine, small) < least


@pytest.mark.parametrize("kind", ["near 0", "infinite"])
def test_nor_do_sums_that_need_more_care(kind: str) -> None:
    """Those close to 0 are computed again, and what is not finite goes its own way."""
    peaks = []
    for n in (20_000, 40_000):
        x = -np.log1p(np.exp(-np.random.default_rng(0).uniform(0.2, 1.5, n)))
        pair = np.stack((x, np.log(-np.expm1(x))), axis=1)  # sums of 1, whose logarithm is 0
        if kind == "infinite":
            pair[:3, 0] = np.inf, -np.inf, np.nan
        peaks.append(_allocated(module("pairs_of_sums", 2)["f_value_and_grad"], [pair], work={}))
    assert peaks[1] - peaks[0] < 20_000


def _peak(name: str, routine: str, least: int) -> int:
    at = arguments(name, 0, least)
    along = [np.ones(np.shape(a)) for a in at if np.asarray(a).dtype.kind == "f"]
    given = [tuple(at), tuple(along)] if routine == "f_jvp" else at
    return _allocated(module(name, 2)[routine], given, **{keyword(name): {}})


def _allocated(function: Any, given: list[Any], **work: Any) -> int:
    """The bytes that the third call with a workspace allocates at once."""
    for _ in range(2):
        function(*given, **work)
    tracemalloc.start()
    try:
        function(*given, **work)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_function_of_numbers_has_a_text_for_arrays() -> None:
    """One for each number of axes; what is above its call as a comment is the call of -O1."""
    text = compiled("nested", 2).text
    found = re.findall(r"^def (\w+)\(", text, re.M)
    assert {"g", "h", "g_of_matrices", "h_of_matrices", "g_of_matrices_backward"} <= set(found)
    assert len(found) == len(set(found))
    assert all("work" not in line for line in text.split("\n") if line.lstrip().startswith("# "))
    assert "of_matrices" not in compiled("nested", 1).text


@pytest.mark.parametrize("name", ["functions", "primes", "arms", "exponentials", "entropy"])
def test_float32_stays(name: str) -> None:
    first, second = module(name, 1), module(name, 2)
    at = [a.astype(np.float32) if np.asarray(a).dtype == float else a for a in arguments(name, 0)]
    at = [np.float32(a) if isinstance(a, float) else a for a in at]
    work: dict[str, Any] = {}
    for _ in range(2):
        found, expected = passes(second, at, work=work), passes(first, at)
        for a, b in zip(leaves(found), leaves(expected), strict=True):
            assert np.asarray(a).dtype == np.asarray(b).dtype
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_the_same_at_both_levels(example: str) -> None:
    path = ROOT / "examples" / f"{example}.mg"
    text = mgrad.compile(path, target="numpy", level=2)
    assert "work=None" in text
    run_module(text)


@pytest.mark.parametrize("routine", ["f", "f_forward", "f_value_and_grad"])
def test_an_argument_in_the_workspace_is_refused(routine: str) -> None:
    functions = run_module(
        compile(
            Source("f.mg", "fn g(x: [n]) = x*x\nfn f(x: [n]) = sum(x^3)\n"), Options("numpy", 2)
        ).text
    )
    name = routine.replace("f", "g", 1) if routine != "f_value_and_grad" else routine
    work: dict[str, Any] = {}
    result = functions[name](np.ones(4), work=work)
    before = result if name == "g" else result[0] if name == "g_forward" else result[1][0]
    for argument in (before, before[:], before[::-1]):
        with pytest.raises(ValueError, match=f"{name}: x stands in the workspace"):
            functions[name](argument, work=work)
    functions[name](before.copy(), work=work)
    functions[name](before, work={})


def test_a_cotangent_or_tangent_in_the_workspace_is_refused() -> None:
    source = Source("f.mg", "fn f(x: [n]) = x*x\n")
    functions = run_module(compile(source, Options("numpy", 2, ("jvp", "jacobian"))).text)
    x, work = np.arange(3.0), {}
    _, saved = functions["f_forward"](x, work=work)
    (slope,) = functions["f_backward"](saved, np.ones(3), work=work)
    np.testing.assert_array_equal(slope, 2 * x)
    with pytest.raises(ValueError, match="f_backward: grad stands in the workspace"):
        functions["f_backward"](saved, slope, work=work)
    _, tangent = functions["f_jvp"]((x,), (np.ones(3),), work=work)
    with pytest.raises(ValueError, match=r"f_jvp: along\[0\] stands in the workspace"):
        functions["f_jvp"]((x,), (tangent,), work=work)
    (matrix,) = functions["f_jacobian"](x, work=work)
    np.testing.assert_array_equal(matrix, np.diag(2 * x))


def test_a_workspace_serves_other_sizes_and_dtypes() -> None:
    functions, work = module("least_squares", 2), {}
    for sizes in ((5, 3), (5, 3), (2, 4), (0, 3), (5, 3)):
        for dtype in (np.float64, np.float32):
            x, y, w = (np.ones(s, dtype) for s in (sizes, sizes[:1], sizes[1:]))
            value, slopes = functions["f_value_and_grad"](x, y, w, work=work)
            assert {value.dtype, *(s.dtype for s in slopes)} == {np.dtype(dtype)}
            if sizes[0]:
                assert value == (sizes[1] - 1) ** 2
