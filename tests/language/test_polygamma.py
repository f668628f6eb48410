"""polygamma takes an int order and a real argument; values by mpmath."""

from pathlib import Path

import mpmath
import pytest

import mgrad


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_value_and_derivative(target: str, tmp_path: Path) -> None:
    file = tmp_path / "p.mg"
    file.write_text("fn f(x) = polygamma(2, x)\nfn g(n: int, x) = polygamma(n, x)\n")
    module = mgrad.load(file, target=target)
    for value, (slope,) in (module.f_value_and_grad(2.0), module.g_value_and_grad(2, 2.0)):
        assert float(value) == pytest.approx(float(mpmath.polygamma(2, 2)), rel=1e-14)
        assert float(slope) == pytest.approx(float(mpmath.polygamma(3, 2)), rel=1e-14)


def test_the_order_is_no_real(tmp_path: Path) -> None:
    file = tmp_path / "p.mg"
    file.write_text("fn f(x) = polygamma(1.5, x)\n")
    with pytest.raises(mgrad.MgradError, match="must be an int"):
        mgrad.load(file)
