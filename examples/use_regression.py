"""Maximise the log-likelihoods of regression.mg and compare with scikit-learn and closed forms.

Run it with `python examples/use_regression.py`. The data are those that scikit-learn carries, each
column scaled to mean 0 and deviation 1. It exits with status 1 if a coefficient differs.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_diabetes, load_linnerud, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor

import mgrad

FILE = Path(__file__).with_name("regression.mg")
Likelihood = Callable[..., tuple[float, tuple[np.ndarray, ...]]]


def scaled(X: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and deviation 1."""
    return (X - X.mean(axis=0)) / X.std(axis=0)


def maximised(
    likelihood: Likelihood, X: np.ndarray, y: np.ndarray, *starts: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """The greatest log-likelihood and the parameters that reach it, each like its start.

    The gradients of the parameters are the last ones, after those of X and of a real y.
    """
    ends = np.cumsum([np.size(s) for s in starts])[:-1]

    def parts(flat: np.ndarray) -> list[np.ndarray]:
        pieces = np.split(flat, ends)
        return [np.reshape(p, np.shape(s)) for p, s in zip(pieces, starts, strict=True)]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradients = likelihood(X, y, *parts(flat))
        own = gradients[-len(starts) :]
        return -value, -np.concatenate([np.ravel(g) for g in own])

    flat = np.concatenate([np.ravel(s) for s in starts]).astype(float)
    found = minimize(loss, flat, method="BFGS", jac=True, options={"gtol": 1e-7, "maxiter": 2000})
    return -float(found.fun), parts(found.x)


def linear(module: ModuleType) -> tuple[float, np.ndarray, np.ndarray]:
    """Diabetes, 442 patients (Efron et al. 2004): the greatest likelihood, both coefficients."""
    data = load_diabetes()
    X, y = scaled(data.data), data.target / data.target.std()
    start = np.zeros(X.shape[1])
    value, (w, b, _t) = maximised(module.gauss_value_and_grad, X, y, start, 0.0, 0.0)
    theirs = LinearRegression().fit(X, y)
    return value, np.append(w, b), np.append(theirs.coef_, theirs.intercept_)


def logistic(module: ModuleType) -> tuple[float, np.ndarray, np.ndarray]:
    """Breast cancer in Wisconsin, 569 tumours: benign or not."""
    data = load_breast_cancer()
    X, y = scaled(data.data), data.target.astype(float)
    value, (w, b) = maximised(module.logistic_value_and_grad, X, y, np.zeros(X.shape[1]), 0.0)
    theirs = LogisticRegression(C=1, tol=1e-10, solver="newton-cholesky", max_iter=1000).fit(X, y)
    return value, np.append(w, b), np.append(theirs.coef_, theirs.intercept_)


def multinomial(module: ModuleType) -> tuple[float, np.ndarray, np.ndarray]:
    """Wine, 178 bottles of three growers; a shift of all intercepts does not matter."""
    data = load_wine()
    X, y = scaled(data.data), data.target
    starts = np.zeros((X.shape[1], 3)), np.zeros(3)
    value, (W, b) = maximised(module.multinomial_value_and_grad, X, y, *starts)
    theirs = LogisticRegression(C=1, tol=1e-10, solver="newton-cholesky", max_iter=1000).fit(X, y)
    their_b = theirs.intercept_ - theirs.intercept_.mean()
    return value, np.append(W.T, b - b.mean()), np.append(theirs.coef_, their_b)


def poisson(module: ModuleType) -> tuple[float, np.ndarray, np.ndarray]:
    """Linnerud, 20 men: how many sit-ups by weight, waist and pulse."""
    data = load_linnerud()
    X, y = scaled(data.target), data.data[:, 1]
    start = np.zeros(X.shape[1])
    value, (w, b) = maximised(module.poisson_value_and_grad, X, y, start, np.log(y.mean()))
    theirs = PoissonRegressor(alpha=0, tol=1e-12, solver="newton-cholesky").fit(X, y)
    return value, np.append(w, b), np.append(theirs.coef_, theirs.intercept_)


def main() -> int:
    """Fit each; 1 if a coefficient is not scikit-learn's to six digits."""
    module = mgrad.load(FILE, target="numpy")
    missed = False
    print("regression   coefficients  log-likelihood  largest difference from scikit-learn's")
    for fit in (linear, logistic, multinomial, poisson):
        value, ours, theirs = fit(module)
        gap = np.abs(ours - theirs).max()
        print(f"{fit.__name__:<12} {ours.size:>12}  {value:>14.6f}  {gap:.1e}")
        missed = missed or not gap < 1e-6 * np.abs(theirs).max()
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
