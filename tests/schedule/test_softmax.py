"""One exponential for `logsumexp` and its gradient, in each routine, and no digit lost where the
arguments are large. Expected values are SciPy's and the definition's."""

from typing import Any

import numpy as np
import pytest
from scipy import special

from mgrad.compiler import driver
from mgrad.compiler.driver import Options
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import run_module

SOURCE = """\
fn total(x: [n]) = logsumexp(x)
fn rows(z: [N, K]) = log_softmax(z, axis=K)
"""


@pytest.fixture(scope="module")
def generated() -> tuple[str, dict[str, Any]]:
    options = Options(target="numpy", emit=("jvp",))
    text = driver.compile(Source("f.mg", SOURCE), options).text
    return text, run_module(text)


def test_no_exponential_stands_beside_a_softmax(generated: tuple[str, dict[str, Any]]) -> None:
    assert "np.exp" not in generated[0]


@pytest.mark.parametrize(
    "x", [[0.0, 1.0, -3.0], [1e308, 1e308, 0.0], [1e15, 1e15 + 2, 1e15 - 1], [-1e300, -1e300]]
)
def test_gradients_of_large_numbers(generated: tuple[str, dict[str, Any]], x: list[float]) -> None:
    functions = generated[1]
    given = np.array(x)
    soft = special.softmax(given)
    _, saved = functions["total_forward"](given)
    np.testing.assert_allclose(functions["total_backward"](saved)[0], soft, rtol=1e-14)
    np.testing.assert_allclose(functions["total_value_and_grad"](given)[1][0], soft, rtol=1e-14)
    along = np.arange(len(x)) + 1.0
    _, slope = functions["total_jvp"]((given,), (along,))
    assert slope == pytest.approx(soft @ along, rel=1e-14)
    table, seed = np.stack((given, given[::-1])), np.stack((along, -along))
    _, saved = functions["rows_forward"](table)
    (d_z,) = functions["rows_backward"](saved, seed)
    expected = seed - seed.sum(axis=1, keepdims=True) * special.softmax(table, axis=1)
    np.testing.assert_allclose(d_z, expected, rtol=1e-14, atol=1e-14)
