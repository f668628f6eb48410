"""LANGUAGE, section 11, types: products of ints and bools are ints, on both targets."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mgrad
from mgrad.compiler.driver import Options, compile
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.source import Source

Load = Callable[..., ModuleType]

# a definition of `f`, and what NumPy gives for its arguments
PRODUCTS: list[tuple[str, Callable[..., Any], str]] = [
    ("fn f(A: int[n, m], B: int[m, k]) = A @ B", lambda A, B: A @ B, "AB"),
    ("fn f(A: bool[n, m], B: bool[m, k]) = A @ B", lambda A, B: A.astype(int) @ B, "ab"),
    ("fn f(A: int[n, m], B: bool[m, k]) = A @ B", lambda A, B: A @ B, "Ab"),
    ("fn f(A: int[n, m], B: int[m, k]) = A @ B[:, 0]", lambda A, B: A @ B[:, 0], "AB"),
    ("fn f(A: int[n, m], B: int[m, k]) = dot(A, B)", lambda A, B: A @ B, "AB"),
    ("fn f(u: int[n], v: int[n]) = dot(u, v)", lambda u, v: u @ v, "uv"),
    ("fn f(u: int[n], v: int[n]) = u @ -(3*v)", lambda u, v: u @ (-3 * v), "uv"),
    ("fn f(u: int[n], v: int[n]) = outer(u, v)", np.outer, "uv"),
    ("fn f(S: int[n, n]) = trace(S)", np.trace, "S"),
    ("fn f(S: bool[n, n]) = trace(S)", np.trace, "s"),
    ("fn f(S: int[n, n]) = diag(S)", np.diag, "S"),
    ("fn f(u: int[n]) = diag(u)", np.diag, "u"),
    ("fn f(S: bool[n, n]) = diag(S)", np.diag, "s"),
    ("fn f(w: bool[n]) = diag(w)", np.diag, "w"),
    ("fn f(n: int) = diag([1 for i in 0..n])", lambda n: np.eye(n, dtype=int), "n"),
    (
        'fn f(A: int[n, m], C: int[n, m]) = einsum("ij,ij->i", A, C)',
        lambda A, C: np.einsum("ij,ij->i", A, C),
        "AA",
    ),
    (
        "fn f(A: int[n, m], B: int[m, k]) = [sum(A[i, j]*B[j, l] for j) for i, l]",
        lambda A, B: A @ B,
        "AB",
    ),
    (
        "fn f(A: int[n, m], b: bool[m, k]) = sum(2*A[i, j]*b[j, l] for i, j, l)",
        lambda A, b: 2 * np.sum(A @ b),
        "Ab",
    ),
    (
        "fn f(A: int[n, m], C: int[k, m]) = [sum((A[i, d] - C[j, d])^2 for d) for i, j]",
        lambda A, C: ((A[:, None] - C) ** 2).sum(axis=2),
        "AA",
    ),
    (
        "fn f(A: int[n, m], C: int[k, m]) = sum((A[i, d] - C[j, d])^2 for i, j, d)",
        lambda A, C: ((A[:, None] - C) ** 2).sum(),
        "AA",
    ),
    (
        "fn g(a: int[d], b: int[d]) = dot(a, b)\n"
        "fn f(A: int[n, d], C: int[m, d]) = [g(A[i], C[j]) for i, j]",
        lambda A, C: A @ C.T,
        "AA",
    ),
]
RANDOM = np.random.default_rng(4)
GIVEN: dict[str, Any] = {
    "A": RANDOM.integers(-5, 6, (3, 4)),
    "B": RANDOM.integers(-5, 6, (4, 2)),
    "S": RANDOM.integers(-5, 6, (3, 3)),
    "u": np.array([3, 0, -7]),
    "v": np.array([2**31, 5, 2**31 + 1]),
    "n": 3,
}
GIVEN |= {"a": GIVEN["A"] > 0, "b": GIVEN["B"] > 0, "s": GIVEN["S"] > 0, "w": GIVEN["u"] > 0}


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize(("source", "meaning", "letters"), PRODUCTS)
def test_a_product_of_ints_is_an_int(
    load: Load,
    source: str,
    meaning: Callable[..., Any],
    letters: str,
    target: str,
    level: int,
) -> None:
    arguments = [GIVEN[letter] for letter in letters]
    wanted = np.asarray(meaning(*arguments))
    module = load(source + "\n", target, level)
    if target == "numpy":
        found = module.f(*arguments)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    else:
        found = module.f(*[a if isinstance(a, int) else a.tolist() for a in arguments])
        assert found == wanted.tolist()
        kinds = {type(element) for element in np.asarray(found, object).ravel()}
        assert kinds == {type(wanted.ravel()[0].item())}


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_product_of_ints_beyond_the_floats_is_exact(load: Load, target: str) -> None:
    module = load("fn f(u: int[n], v: int[n]) = dot(u, v)\n", target)
    assert int(module.f([2**31 + 1, 1], [2**31 - 1, 2])) == 2**62 + 1


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_product_of_ints_is_an_index(load: Load, target: str) -> None:
    program = "fn f(x: [n], k: int[m, d], s: int[d]) = sum(x[k @ s])\n"
    module = load(program, target)
    value, (d_x,) = module.f_value_and_grad([1.0, 2.0, 4.0], [[0, 1], [1, 0], [0, 1]], [1, 2])
    assert (value, list(d_x)) == (4 + 2 + 4, [0, 1, 2])


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_product_of_ints_and_reals_is_real(load: Load, target: str) -> None:
    module = load("fn f(A: int[n, m], x: [m]) = sum(A @ x) + sum(A @ A[0])\n", target)
    value, (d_x,) = module.f_value_and_grad([[1, 2], [3, 4]], [0.5, 0.25])
    assert (value, list(d_x)) == (0.5 + 0.5 + 1.5 + 1 + 5 + 11, [4, 6])


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_products_of_indices_are_ints(load: Load, target: str) -> None:
    program = """
fn f(x: [n]) = [x[i*j] for i in 0..2, j in 0..2]
fn g(n: int) = [sum(-i*3*(j + 1) for i in 0..3) for j in 0..n]
fn h(n: int, m: int) = sum(2*n for i in 0..m, j in 0..3)
"""
    module = load(program, target)
    assert np.array_equal(module.f([5.0, 6.0]), [[5, 5], [5, 6]])
    assert np.array_equal(module.g(2), [-9, -18])
    assert module.h(5, 2) == 60
    assert {np.asarray(module.g(2)).dtype, np.asarray(module.h(5, 2)).dtype} == {np.dtype(int)}


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("source", [source for source, _, _ in PRODUCTS])
def test_types_hold_in_the_graphs(source: str, level: int) -> None:
    for target in ("python", "numpy"):
        options = Options(target=target, level=level)
        verify(compile(Source("ints.mg", source), options).module)


def test_products_of_ints_are_checked(tmp_path: Path) -> None:
    for k, (source, _, _) in enumerate(PRODUCTS):
        path = tmp_path / f"case_{k}.mg"
        path.write_text(source + "\n")
        for report in mgrad.check(path).reports:
            assert {f.status for f in report.functions} <= {"proved", "agreed"}
