"""Minimise the functions of optimisation.mg with the gradients and Hessians that mgrad writes.

Run it with `python examples/optimise.py`. It compiles the file, hands value, gradient and Hessian
to the trust-region method of SciPy and prints a line a function. It exits with status 1 if a
published minimum is missed by more than one part in 10^9.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.optimize import minimize

import mgrad


@dataclass(frozen=True)
class Problem:
    """A function of the file, where to start, and the minimum that the literature gives."""

    name: str
    start: tuple[float, ...]
    minimum: float


# The starting points of Moré, Garbow & Hillstrom (1981) where they give one; from theirs, the
# function of Freudenstein and Roth leads to its local minimum. The others start where the way to
# the minimum is not a straight one.
PROBLEMS = (
    Problem("rosenbrock", (-1.2, 1), 0),
    Problem("freudenstein_roth", (0.5, -2), 48.98425367924),
    Problem("powell_badly_scaled", (0, 1), 0),
    Problem("brown_badly_scaled", (1, 1), 0),
    Problem("beale", (1, 1), 0),
    Problem("helical_valley", (-1, 0, 0), 0),
    Problem("box", (0, 10, 20), 0),
    Problem("powell_singular", (3, -1, 0, 1), 0),
    Problem("wood", (-3, -1, -3, -1), 0),
    Problem("brown_dennis", (25, 5, -5, -1), 85822.20162635634),
    Problem("himmelblau", (0, 0), 0),
    Problem("booth", (-5, 5), 0),
    Problem("matyas", (8, -3), 0),
    Problem("goldstein_price", (-0.5, -1.5), 3),
    Problem("branin", (6, 8), 0.39788735772973816),
    Problem("six_hump_camel", (0.5, -1), -1.0316284534898774),
    Problem("three_hump_camel", (0.8, -1), 0),
    Problem("mccormick", (0, 0), -1.9132229549810364),
    Problem("easom", (2.5, 3.5), -1),
    Problem("levy_13", (0.9, 1.3), 0),
    Problem("styblinski_tang", (-1, -1), -78.33233140754283),
)


def solve(module: ModuleType, problem: Problem) -> tuple[np.ndarray, float, int]:
    """Where the minimisation ends, the value there, and the number of iterations."""
    value_and_grad = getattr(module, f"{problem.name}_value_and_grad")
    hessian = getattr(module, f"{problem.name}_hessian")

    def value_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_grad(*point.tolist())
        return value, np.array(gradient)

    def second(point: np.ndarray) -> np.ndarray:
        return np.array(hessian(*point.tolist()))

    found = minimize(
        value_and_gradient,
        np.array(problem.start, dtype=float),
        method="trust-exact",
        jac=True,
        hess=second,
        options={"gtol": 1e-9, "maxiter": 1000, "max_trust_radius": 1e7},
    )
    return found.x, float(found.fun), int(found.nit)


def main() -> int:
    """Solve every problem; 1 if a published minimum is missed."""
    file = Path(__file__).with_name("optimisation.mg")
    module = mgrad.load(file, emit=("hessian",))
    missed = []
    print(f"{'function':<20} {'steps':>5}  {'found':>18}  {'published':>18}  at")
    for problem in PROBLEMS:
        point, value, steps = solve(module, problem)
        place = ", ".join(f"{x:.6g}" for x in point)
        print(
            f"{problem.name:<20} {steps:>5}  {value:>18.11g}  {problem.minimum:>18.11g}  ({place})"
        )
        if not abs(value - problem.minimum) <= 1e-9 * max(1, abs(problem.minimum)):
            missed.append(problem.name)
    if missed:
        print("missed:", ", ".join(missed))
        return 1
    print(f"all {len(PROBLEMS)} published minima found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
