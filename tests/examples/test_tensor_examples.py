"""The examples of arrays: their functions and scripts against what is published, scikit-learn, and
closed forms."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mgrad

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("arm", "cluster", "gaussian_process", "landscapes", "regression", "springs")
QUICK = ("cluster", "landscapes", "springs")


def script(name: str) -> Any:
    """The driver of an example, as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"use_{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # a dataclass looks its module up
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
    return module


def load(name: str, **options: Any) -> ModuleType:
    return mgrad.load(EXAMPLES / f"{name}.mg", target="numpy", **options)


@pytest.mark.parametrize("name", NAMES)
def test_every_script_ends_well(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert script(name).main() == 0, capsys.readouterr().out


CHECKED = [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in NAMES]


@pytest.mark.parametrize("name", CHECKED)
def test_every_gradient_is_proved(name: str) -> None:
    report = mgrad.check(EXAMPLES / f"{name}.mg", budget=240)
    assert not report.refuted, report.text()
    data = json.loads(report.json())
    assert not data["not_reached"], report.text()
    unproved = {
        function["name"]
        for function in data["functions"]
        if any(verdict["status"] != "proved" for verdict in function["verdicts"])
    }
    assert not unproved, report.text()


# ---- landscapes


def test_every_landscape_is_minimised_and_only_the_smooth_ones_by_newton() -> None:
    landscapes = script("landscapes")
    module = load("landscapes")
    text = (EXAMPLES / "landscapes.mg").read_text(encoding="utf-8")
    names = {n for n in re.findall(r"(?m)^fn (\w+)", text) if not n.endswith("_hessian_times")}
    assert {p.name for p in landscapes.PROBLEMS} == names
    methods = {p.name: landscapes.solve(module, p)[0] for p in landscapes.PROBLEMS}
    assert methods["griewank"] == "trust-ncg"
    assert methods["ackley"] == "BFGS"  # its minimum is the tip of a cone


def test_the_product_with_the_hessian_is_that_of_the_known_matrix() -> None:
    # trid: 2 on the diagonal, -1 beside it
    n = 7
    v = np.random.default_rng(0).standard_normal(n)
    matrix = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    product = load("landscapes").trid_hessian_times(np.ones(n), v)
    np.testing.assert_allclose(product, matrix @ v, rtol=1e-14)


# ---- regression


@pytest.mark.parametrize("name", ["linear", "logistic", "multinomial", "poisson"])
def test_a_fit_is_that_of_scikit_learn(name: str) -> None:
    _, ours, theirs = getattr(script("regression"), name)(load("regression"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def test_the_greatest_gaussian_likelihood_has_its_closed_form() -> None:
    from sklearn.datasets import load_diabetes

    regression = script("regression")
    value, _, _ = regression.linear(load("regression"))
    data = load_diabetes()
    design = np.column_stack([data.data, np.ones(len(data.target))])
    y = data.target / data.target.std()
    _, (squares,), _, _ = np.linalg.lstsq(design, y)
    n = len(y)
    assert value == pytest.approx(-n / 2 * (math.log(2 * math.pi * squares / n) + 1), rel=1e-9)


def test_ridge_is_that_of_scikit_learn() -> None:
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge

    data = load_diabetes()
    theirs = Ridge(alpha=0.5, fit_intercept=False).fit(data.data, data.target).coef_
    ours = load("regression").ridge(data.data, data.target, 0.5)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_the_information_of_poisson_regression_is_the_weighted_gram_matrix() -> None:
    # McCullagh & Nelder, sec. 2.5: X^T diag(mean) X for the logarithm as link
    rng = np.random.default_rng(1)
    X, w, y = rng.standard_normal((9, 3)), rng.standard_normal(3), rng.poisson(3, 9) * 1.0
    found = load("regression").poisson_information(X, y, w, 0.5)
    np.testing.assert_allclose(found, X.T @ (np.exp(X @ w + 0.5)[:, None] * X), rtol=1e-13)


# ---- Gaussian process


def test_evidence_gradient_and_forecast_are_those_of_scikit_learn() -> None:
    process = script("gaussian_process")
    module, record = load("gaussian_process"), process.training()
    q = np.log(process.PUBLISHED)
    theirs = process.their(record, q)
    value, gradient = process.evidence(module, record, q)
    their_value, their_gradient = theirs.log_marginal_likelihood(theirs.kernel_.theta, True)
    assert value == pytest.approx(their_value, rel=1e-9)
    # a constant of theirs is the square of ours; its logarithm is twice as large
    squares = np.isin(np.arange(11), [0, 2, 5, 8, 10])
    order = [0, 1, 2, 3, 4, 5, 7, 6, 8, 9, 10]  # theirs are sorted by name: alpha, length
    np.testing.assert_allclose(
        gradient[order], their_gradient * np.where(squares, 2, 1)[order], rtol=1e-5, atol=1e-6
    )
    times = record.times[-1] + np.array([0.25, 0.5, 1])
    np.testing.assert_allclose(
        process.forecast(module, record, q, times),
        theirs.predict(times[:, None]) + record.mean,
        rtol=1e-9,
    )


def test_the_record_of_carbon_dioxide_has_its_known_extent() -> None:
    year, month, co2 = np.loadtxt(EXAMPLES / "data" / "co2.csv", delimiter=",", skiprows=7).T
    assert (year[0], month[0], year[-1], month[-1]) == (1958, 3, 2001, 12)
    # annual means that the Scripps Institution publishes: 1960 316.91, 1980 338.75, 2000 369.55
    for when, mean in ((1960, 316.91), (1980, 338.75), (2000, 369.55)):
        assert co2[year == when].mean() == pytest.approx(mean, abs=0.3)


# ---- arm


def test_pose_and_velocities_are_those_that_are_published() -> None:
    # Corke (2011), sec. 7.2 and 8.1, at the nominal angles; the toolbox prints seven decimals
    arm = script("arm")
    module = load("arm")
    pose = module.pose(arm.NOMINAL)
    rotation = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    np.testing.assert_allclose(pose[:3, :3], rotation, atol=1e-15)
    np.testing.assert_allclose(pose[:3, 3], [0.5963031, -0.15005, -0.0143543], atol=5e-8)
    published = [
        [0.15005, 0.0143543, 0.3196830, 0, 0, 0],
        [0.5963031, 0, 0, 0, 0, 0],
        [0, 0.5963031, 0.2909744, 0, 0, 0],
        [0, 0, 0, 0.7071068, 0, 1],
        [0, -1, -1, 0, -1, 0],
        [1, 0, 0, -0.7071068, 0, 0],
    ]
    np.testing.assert_allclose(module.velocities(arm.NOMINAL), published, atol=5.1e-8)


def test_inverse_kinematics_finds_both_published_ways_to_hold_the_pose() -> None:
    # Corke (2011), sec. 7.3: `ikine6s` gives these angles, to four decimals
    arm = script("arm")
    module = load("arm")
    target = module.pose(arm.NOMINAL)
    right, left = (arm.solve(module, target, guess)[0] for guess in arm.GUESSES)
    np.testing.assert_allclose(right, arm.NOMINAL, atol=1e-9)
    published = [2.6486, -3.9270, 0.0940, 2.5326, 0.9743, 0.3734]
    np.testing.assert_allclose(left, published, atol=5.1e-5)


# ---- cluster


def test_forces_balance_and_pull_two_atoms_to_the_bottom_of_the_well() -> None:
    module = load("cluster")
    x = np.random.default_rng(2).standard_normal((5, 3)) * 2
    np.testing.assert_allclose(
        module.forces(x).sum(axis=0), 0, atol=1e-10 * abs(module.forces(x)).max()
    )
    for r in (1.0, 2 ** (1 / 6), 2.0):
        force = module.forces([[0, 0, 0], [r, 0, 0]])[1, 0]
        assert force == pytest.approx(24 * (2 * r**-13 - r**-7), abs=1e-13)


# ---- springs


def test_the_chain_hangs_in_a_catenary() -> None:
    # y = a cosh(x/a) with 2 a sinh(1/(2 a)) = 1.25; the links are short and stiff
    from scipy.optimize import brentq

    springs = script("springs")
    module = load("springs")
    network, start = springs.chain(40)
    x = springs.balanced(module, network, springs.rest(module, network, start))
    a = brentq(lambda a: 2 * a * np.sinh(1 / (2 * a)) - 1.25, 0.1, 10)
    assert x[:, 1].min() == pytest.approx(-a * (np.cosh(1 / (2 * a)) - 1), abs=2e-3)


def test_stiffness_of_the_flat_dome_is_its_closed_form() -> None:
    # n springs of length L in a ring of radius 1: up n (1 - L), sideways n (2 - L)/2
    springs = script("springs")
    network = springs.dome(6, 0.3)
    length = math.hypot(1, 0.3)
    found = load("springs").tangent(np.zeros((1, 3)), *network.arguments).reshape(3, 3)
    closed = np.diag([3 * (2 - length), 3 * (2 - length), 6 * (1 - length)])
    np.testing.assert_allclose(found, closed, atol=1e-14)
