"""Minimise the functions of landscapes.mg in many dimensions with gradients that mgrad writes.

Run it with `python examples/use_landscapes.py`. Where the file has the product of the Hessian with
a vector, SciPy's trust-region Newton method uses it; the others go down by gradients alone (BFGS).
It exits with status 1 if a published minimum is missed.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.optimize import OptimizeResult, minimize

import mgrad

FILE = Path(__file__).with_name("landscapes.mg")


@dataclass(frozen=True)
class Problem:
    """A function of the file, where to start, and the minimum that the literature gives.

    A minimum that is published with few digits has one unit of the last as its tolerance.
    """

    name: str
    start: np.ndarray
    minimum: float
    tolerance: float = 1e-9


def repeated(n: int, *numbers: float) -> np.ndarray:
    """The numbers over and over, n in all."""
    return np.resize(np.array(numbers, dtype=float), n)


def ramp(n: int) -> np.ndarray:
    """1/n, 2/n, …, 1."""
    return np.arange(1, n + 1) / n


# The starting points of Moré, Garbow & Hillstrom (1981) where they give one, but for that of the
# trigonometric function, which leads to a local minimum of 2.795e-5: it starts nearer to 0. A
# function with many local minima starts in the basin of the lowest.
MICHALEWICZ = np.array([2.2, 1.6, 1.3, 1.9, 1.7, 1.6, 1.5, 1.8, 1.7, 1.6])
GRID = np.arange(1, 101) / 101
PROBLEMS = (
    Problem("rosenbrock", repeated(100, -1.2, 1), 0),
    Problem("powell_singular", np.tile([3.0, -1, 0, 1], (25, 1)), 0),
    Problem("penalty", np.arange(1.0, 5), 2.24997e-5, 1e-10),
    Problem("penalty", np.arange(1.0, 11), 7.08765e-5, 1e-10),
    Problem("variably_dimensioned", 1 - ramp(100), 0),
    Problem("trigonometric", repeated(10, 1 / 100), 0),
    Problem("boundary_value", GRID * (GRID - 1), 0),
    Problem("ackley", repeated(100, 0.3, -0.2), 0, 1e-6),
    Problem("griewank", repeated(100, 1, -1), 0),
    Problem("rastrigin", repeated(100, 0.2, -0.3), 0),
    Problem("levy", repeated(100, 0.5, 1.5), 0),
    Problem("dixon_price", repeated(10, 1), 0),
    Problem("michalewicz", MICHALEWICZ, -9.6601517, 1e-7),
    Problem("styblinski_tang", repeated(100, -2), -3916.616570377142),
    Problem("trid", repeated(10, 0), -210),
    Problem("trid", repeated(100, 0), -100 * 104 * 99 / 6),
    Problem("zakharov", repeated(100, 1), 0),
    Problem("schwefel", repeated(100, 400), -41898.288727243369),
)


def solve(module: ModuleType, problem: Problem) -> tuple[str, OptimizeResult]:
    """The method's name and what SciPy found."""
    shape = problem.start.shape
    value_and_grad = getattr(module, f"{problem.name}_value_and_grad")
    times: Callable[..., np.ndarray] | None = getattr(module, f"{problem.name}_hessian_times", None)

    def value_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, (gradient,) = value_and_grad(point.reshape(shape))
        return value, gradient.ravel()

    method = "BFGS" if times is None else "trust-ncg"
    found = minimize(
        value_and_gradient,
        problem.start.ravel(),
        method=method,
        jac=True,
        hessp=times,
        options={"gtol": 1e-8, "maxiter": 5000},
    )
    return method, found


def main() -> int:
    """Solve every problem; 1 if a published minimum is missed."""
    module = mgrad.load(FILE, target="numpy")
    missed = []
    print(
        f"{'function':<20} {'n':>4}  {'method':<12} {'steps':>5}  {'found':>16}  {'published':>16}"
    )
    for problem in PROBLEMS:
        method, found = solve(module, problem)
        print(
            f"{problem.name:<20} {problem.start.size:>4}  {method:<12} {found.nit:>5}  "
            f"{found.fun:>16.9g}  {problem.minimum:>16.9g}"
        )
        if not abs(found.fun - problem.minimum) <= problem.tolerance * max(1, abs(problem.minimum)):
            missed.append(problem.name)
    if missed:
        print("missed:", ", ".join(missed))
        return 1
    print(f"all {len(PROBLEMS)} published minima found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
