"""Contractions of many matrices are matrix products, batched, where they are."""

from typing import Any

import numpy as np
import pytest

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.source import Source

ONE_MATRIX = 'fn f(A: [n, m], X: [B, m, k]) = einsum("ij,bjk->bik", A, X)'
VECTORS = 'fn f(w: [B, n], X: [B, n, k]) = einsum("bj,bjk->bk", w, X)'


def module(source: str) -> tuple[str, dict[str, Any]]:
    text = compile(Source("f.mg", f"{source}\n"), Options(target="numpy")).text
    names: dict[str, Any] = {}
    exec(text, names)
    return text, names


@pytest.mark.parametrize("sizes", [(3, 4, 5, 2), (1, 1, 1, 1), (0, 2, 3, 4), (2, 3, 0, 4)])
def test_one_matrix_times_each_of_many(sizes: tuple[int, ...]) -> None:
    b, n, m, k = sizes
    rng = np.random.default_rng(0)
    a, x, grad = rng.normal(size=(n, m)), rng.normal(size=(b, m, k)), rng.normal(size=(b, n, k))
    text, names = module(ONE_MATRIX)
    assert "return A @ X\n" in text
    assert "A.T @ grad" in text
    value, saved = names["f_forward"](a, x)
    np.testing.assert_allclose(value, np.einsum("ij,bjk->bik", a, x), rtol=1e-12)
    d_a, d_x = names["f_backward"](saved, grad)
    np.testing.assert_allclose(d_a, np.einsum("bik,bjk->ij", grad, x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(d_x, np.einsum("ij,bik->bjk", a, grad), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("sizes", [(3, 5, 2), (1, 1, 1), (0, 2, 3), (2, 0, 3)])
def test_each_vector_times_its_own_matrix(sizes: tuple[int, ...]) -> None:
    b, n, k = sizes
    rng = np.random.default_rng(0)
    w, x, grad = rng.normal(size=(b, n)), rng.normal(size=(b, n, k)), rng.normal(size=(b, k))
    text, names = module(VECTORS)
    assert "return (w[:, None] @ X)[:, 0]\n" in text
    assert "(grad[:, None] @ X.mT)[:, 0]" in text
    value, saved = names["f_forward"](w, x)
    np.testing.assert_allclose(value, np.einsum("bj,bjk->bk", w, x), rtol=1e-12, atol=1e-14)
    d_w, d_x = names["f_backward"](saved, grad)
    np.testing.assert_allclose(d_w, np.einsum("bk,bjk->bj", grad, x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(d_x, np.einsum("bj,bk->bjk", w, grad), rtol=1e-12, atol=1e-14)
