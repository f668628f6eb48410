"""The benchmarks compare like with like, and count right. Nothing is timed here."""

from __future__ import annotations

from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the benchmarks, which are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: import_module(f"bench.{name}")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.0, "2 s"), (0.0123456, "12.3 ms"), (4.56e-6, "4.56 µs"), (7.89e-7, "789 ns")],
)
def test_times_have_three_digits(bench: Any, seconds: float, text: str) -> None:
    assert bench("timing").show(seconds) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ((1.2, 1.1, 1.3), "1.20 (1.10 to 1.30)"),
        ((1.02, 0.98, 1.05), "1.02 (0.98 to 1.05), no difference"),
        ((0.02, 0.01, 0.025), "50 times as fast (40 to 100)"),
    ],
)
def test_a_difference_inside_the_spread_is_none(bench: Any, ratio: Any, text: str) -> None:
    assert str(bench("timing").Ratio(1e-6, 2e-6, *ratio)).endswith(text)


def test_a_ratio_is_the_median_of_rounds_in_turns(bench: Any) -> None:
    now = [0.0]
    order: list[str] = []

    def run(name: str, seconds: float) -> Any:
        def step() -> None:
            order.append(name)
            now[0] += seconds

        return step

    ours, theirs = run("ours", 0.002), run("theirs", 0.001)
    measured = bench("timing").ratio(ours, theirs, rounds=4, seconds=0.002, clock=lambda: now[0])
    assert measured.ours == pytest.approx(0.002)
    assert measured.theirs == pytest.approx(0.001)
    assert (measured.median, measured.low, measured.high) == pytest.approx((2, 2, 2))
    rounds = order[4:]  # after a call to warm up, and one to see how long it takes, of each
    assert rounds == ["ours", "theirs", "theirs", "theirs", "theirs", "ours"] * 2


def test_what_is_compared_gives_the_same(bench: Any) -> None:
    scalar, arrays = bench("scalar"), bench("arrays")
    for _, ours, theirs in islice(scalar.cases(), 4):
        (value, gradient), (other, others) = ours(), theirs()
        np.testing.assert_allclose([value, *gradient], [other, *others], rtol=1e-9)
    for by_hand in (arrays.readme, arrays.tuned):
        found = by_hand(np.array([-4.0, 1.0]), np.array([2.0, -3.0]))
        at = [scalar.readme(-4.0, 2.0), scalar.readme(1.0, -3.0)]
        np.testing.assert_allclose(found[0], [a[0] for a in at])
        np.testing.assert_allclose(found[1], np.transpose([a[1] for a in at]))
    assert scalar.readme(-4.0, 2.0)[0] == pytest.approx(24.7041, abs=1e-4)
    assert scalar.readme(-4.0, 2.0)[1] == pytest.approx((138.8338, 645.5773), abs=1e-4)


def test_sympy_differentiates_the_same_expression(bench: Any) -> None:
    scalar, peers = bench("scalar"), bench("peers")
    found = {name.partition(" ")[0]: peer for name, peer in peers.of_numbers()}
    value, gradient = found["sympy"](-4.0, 2.0)
    expected = scalar.readme(-4.0, 2.0)
    np.testing.assert_allclose([value, *gradient], [expected[0], *expected[1]], rtol=1e-12)
    assert peers.missing("casadi") == "not installed: pip install casadi"


def test_operations_are_weighed(bench: Any) -> None:
    """exp(x)*x: exp weighs 10, the product 1; the gradient, y + exp(x), adds one."""
    operations = bench("operations")
    source = import_module("mgrad.compiler.source").Source("f.mg", "fn f(x) = exp(x)*x\n")
    assert operations.ratios(source) == {"f": 12 / 11}
    lines = list(operations.weights())
    assert lines[0].startswith("An op weighs 1;")
    assert any(" exp," in line for line in lines)


def test_an_unknown_benchmark_is_refused(bench: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("__main__").main(["scalars"]) == 2
    assert "no benchmark is called 'scalars'; there are scalar, arrays" in capsys.readouterr().err


def test_functions_on_tensors_by_hand_and_generated_agree(bench: Any) -> None:
    tensors, by_hand = bench("tensors"), bench("by_hand")
    module = bench("compiled").module(tensors.SOURCE, "numpy")
    for name, (sizes, _) in tensors.SIZES.items():
        at = tensors.point(name, sizes)
        twin = by_hand.planned(name, at)
        twin(*at)  # its buffers hold something then
        tensors.agree(module[f"{name}_value_and_grad"](*at), twin(*at))


@pytest.mark.parametrize("sizes", [(70, 3, 2), (3000, 5, 3)])
def test_a_mixture_by_hand_has_the_gradient_of_its_value(bench: Any, sizes: Any) -> None:
    at = bench("tensors").point("mixture", sizes)
    run = bench("by_hand").planned("mixture", at)
    gradients = [g.copy() for g in run(*at)[1]]
    rng = np.random.default_rng(1)
    for k, gradient in enumerate(gradients):
        along = rng.normal(size=at[k].shape)
        ends = [
            run(*(a + h * along if i == k else a for i, a in enumerate(at)))[0]
            for h in (1e-6, -1e-6)
        ]
        assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(np.vdot(gradient, along), rel=1e-5)
