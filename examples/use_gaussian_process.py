"""Fit the Gaussian process of gaussian_process.mg to the CO2 of Mauna Loa and forecast a year.

Run it with `python examples/use_gaussian_process.py`. Each season of the record is one mean, 1958
to 2000; the fit goes up the evidence with the gradient that mgrad writes, from the parameters of
Rasmussen & Williams, and 2001 is forecast. It exits with status 1 if evidence or forecast differ
from those of scikit-learn, or if the forecast misses the measurements by 2 ppm.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.optimize import minimize
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    ExpSineSquared,
    Kernel,
    RationalQuadratic,
    WhiteKernel,
)
from threadpoolctl import threadpool_limits

import mgrad

FILE = Path(__file__).with_name("gaussian_process.mg")
DATA = Path(__file__).with_name("data") / "co2.csv"

# The parameters that Rasmussen & Williams (2006, p. 120-121) found, in the order of their eq.
# 5.15 to 5.18: ppm, years, and the shape of the rational quadratic.
PUBLISHED = (66, 67, 2.4, 90, 1.3, 0.66, 1.2, 0.78, 0.18, 1.6 / 12, 0.19)
NAMES = (
    "trend: size",
    "length",
    "season: size",
    "decay",
    "smoothness",
    "irregularity: size",
    "length",
    "shape",
    "weather: size",
    "length",
    "noise",
)


@dataclass(frozen=True)
class Record:
    """Times in years and the concentrations then, less their mean."""

    times: np.ndarray
    values: np.ndarray
    mean: float


def read() -> tuple[np.ndarray, np.ndarray]:
    """Middle of each quarter in years, and the mean concentration of its months."""
    year, month, co2 = np.loadtxt(DATA, delimiter=",", skiprows=7, unpack=True)
    quarter = 4 * year + (month - 1) // 3
    quarters = np.unique(quarter)
    means = [co2[quarter == q].mean() for q in quarters]
    return quarters / 4 + 1 / 8, np.array(means)


def training() -> Record:
    """The quarters before 2001."""
    times, values = read()
    past = times < 2001
    mean = float(values[past].mean())
    return Record(times[past], values[past] - mean, mean)


def evidence(module: ModuleType, record: Record, q: np.ndarray) -> tuple[float, np.ndarray]:
    """The log evidence and its gradient for parameters whose logarithms are q.

    The chain rule runs through two functions: `evidence` gives the gradient by each covariance,
    the backward pass of `covariance` turns it into that by each parameter.
    """
    K, saved = module.covariance_forward(record.times, np.exp(q))
    value, (by_covariance, _) = module.evidence_value_and_grad(K, record.values)
    _, by_parameter = module.covariance_backward(saved, by_covariance)
    return value, np.exp(q) * by_parameter


def forecast(module: ModuleType, record: Record, q: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Expected concentrations at other times."""
    p = np.exp(q)
    K = module.covariance(record.times, p)
    between = module.smooth(times, record.times, p)
    return module.expected(between, K, record.values) + record.mean


def fit(module: ModuleType, record: Record) -> np.ndarray:
    """The logarithms of the parameters that make the measurements most probable."""

    def loss(q: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = evidence(module, record, q)
        return -value, -gradient

    with threadpool_limits(1):  # the matrices are too small for several threads
        found = minimize(loss, np.log(PUBLISHED), method="BFGS", jac=True, options={"gtol": 0.01})
    return found.x


def kernel(q: np.ndarray) -> Kernel:
    """The same covariance in scikit-learn's words."""
    θ = np.exp(q)
    return (
        ConstantKernel(θ[0] ** 2) * RBF(θ[1])
        + ConstantKernel(θ[2] ** 2)
        * RBF(θ[3])
        * ExpSineSquared(θ[4], 1, periodicity_bounds="fixed")
        + ConstantKernel(θ[5] ** 2) * RationalQuadratic(θ[6], θ[7])
        + ConstantKernel(θ[8] ** 2) * RBF(θ[9])
        + WhiteKernel(θ[10] ** 2)
    )


def their(record: Record, q: np.ndarray) -> GaussianProcessRegressor:
    """scikit-learn's process with these parameters, not fitted further."""
    process = GaussianProcessRegressor(kernel(q), alpha=0, optimizer=None)
    return process.fit(record.times[:, None], record.values)


def main() -> int:
    """Fit and forecast; 1 if scikit-learn or the measurements differ."""
    module = mgrad.load(FILE, target="numpy")
    record = training()
    q = fit(module, record)
    before, _ = evidence(module, record, np.log(PUBLISHED))
    after, _ = evidence(module, record, q)
    print(f"{len(record.times)} quarters, 1958 to 2000: log evidence {before:.4f} -> {after:.4f}")
    for name, old, new in zip(NAMES, PUBLISHED, np.exp(q), strict=True):
        print(f"{name:>20}  {old:8.3f} -> {new:12.3f}")

    times, values = read()
    future = times > 2001
    ours = forecast(module, record, q, times[future])
    process = their(record, q)
    theirs = process.predict(times[future, None]) + record.mean
    print("2001 forecast", ours.round(2), "measured", values[future].round(2))
    agrees = (
        abs(process.log_marginal_likelihood_value_ - after) < 1e-6
        and np.abs(ours - theirs).max() < 1e-6
    )
    return int(not (agrees and np.abs(ours - values[future]).max() < 2))


if __name__ == "__main__":
    sys.exit(main())
