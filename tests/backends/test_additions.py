"""A sum of padded arrays is written as what is added to parts of one. Expected gradients come from
the definition, by central differences: of a quadratic function they are exact but for rounding."""

from typing import Any

import numpy as np
import pytest

from mgrad.compiler import driver
from mgrad.compiler.driver import Options
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import run_module

SOURCE = "fn f(u: [n]) = sum((u[2:] - 2*u[1:-1] + u[:-2])^2) - sum(u[1:]*u[:-1])\n"


def module(source: str) -> tuple[str, dict[str, Any]]:
    text = driver.compile(Source("f.mg", source), Options(target="numpy")).text
    return text, run_module(text)


def test_what_is_added_stands_where_it_is_added() -> None:
    text, _ = module(SOURCE)
    assert (
        """\
    d_u = padded(d_total, (2, 0))
    d_u[1:-1] -= 2*d_total
    d_u[:-2] += d_total
    d_u[1:] -= grad*u[:-1]
    d_u[:-1] -= grad*u[1:]
"""
        in text
    )


@pytest.mark.parametrize("n", [2, 3, 6])
def test_the_gradient_is_that_of_the_definition(n: int) -> None:
    _, functions = module(SOURCE)
    u = np.random.default_rng(n).normal(size=n)
    steps = np.eye(n)
    expected = [(functions["f"](u + h) - functions["f"](u - h)) / 2 for h in steps]
    _, (d_u,) = functions["f_value_and_grad"](u)
    np.testing.assert_allclose(d_u, expected, rtol=1e-12)
    single, (d_single,) = functions["f_value_and_grad"](u.astype(np.float32))
    assert single.dtype == d_single.dtype == np.float32
    np.testing.assert_allclose(d_single, expected, rtol=1e-4, atol=1e-5)


def test_nothing_is_added_to_what_belongs_to_another() -> None:
    """The first term is a value of the source, or the cotangent: a sum of its own is made."""
    _, functions = module("fn f(u: [n]) = u, u[1:]\n")
    u, grads = np.arange(4.0), (np.ones(4), np.full(3, 5.0))
    _, saved = functions["f_forward"](u)
    (d_u,) = functions["f_backward"](saved, grads)
    np.testing.assert_array_equal(d_u, [1, 6, 6, 6])
    np.testing.assert_array_equal(grads[0], 1)


def test_what_is_no_array_of_its_own_comes_last() -> None:
    source = (
        "fn f(W: [n, m], k: int[K], v: [K, m], S: [m, n]) = "
        "sum(W[k]*v) - 2*sum(transpose(W)*S) + sum(W[1:]^2)/2\n"
    )
    text, functions = module(source)
    assert (
        "    d_W = np.zeros((n, m))\n    add_at(d_W, k, v)\n    d_W[1:] += W[1:]\n"
        "    d_W += (-2*S).T\n"
    ) in text
    rng = np.random.default_rng(2)
    W, v, S = rng.normal(size=(4, 3)), rng.normal(size=(5, 3)), rng.normal(size=(3, 4))
    k = np.array([1, 1, 3, 0, 1])
    d_W, d_v, d_S = functions["f_value_and_grad"](W, k, v, S)[1]
    expected = -2 * S.T.copy()
    np.add.at(expected, k, v)
    expected[1:] += W[1:]
    np.testing.assert_allclose(d_W, expected, rtol=1e-13)
    np.testing.assert_array_equal(d_v, W[k])
    np.testing.assert_allclose(d_S, -2 * W.T, rtol=1e-15)
