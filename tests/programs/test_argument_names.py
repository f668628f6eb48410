"""Arguments keep their names, by which they may be passed, whatever else has that name."""

import inspect
import math
from pathlib import Path

import pytest

import mgrad

SOURCE = """\
fn b(b, globals) = log(b)/globals
fn grown(grown_value_and_grad) = exp(grown_value_and_grad)
fn user(x) = b(x, x + 1) + b(2*x, x)
"""


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_an_argument_named_like_its_function(tmp_path: Path, target: str) -> None:
    path = tmp_path / "names.mg"
    path.write_text(SOURCE, encoding="utf-8")
    module = mgrad.load(path, target=target)
    for name in ("b", "b_forward", "b_value_and_grad"):
        assert list(inspect.signature(getattr(module, name)).parameters) == ["b", "globals"]
    assert module.b(b=2.0, globals=4.0) == pytest.approx(math.log(2) / 4)
    _, gradient = module.b_value_and_grad(b=2.0, globals=4.0)
    assert gradient == pytest.approx((1 / 8, -math.log(2) / 16))
    # log(0) raises in Python, and the function itself is asked again
    assert module.b(b=0.0, globals=1.0) == -math.inf
    assert module.b_value_and_grad(b=0.0, globals=1.0)[1][0] == math.inf
    assert module.grown_value_and_grad(grown_value_and_grad=800.0)[1] == (math.inf,)
    assert module.user(1.0) == pytest.approx(math.log(2))
