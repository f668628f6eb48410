"""Solve the inverse kinematics of the arm in arm.mg with the Jacobian that mgrad writes.

Run it with `python examples/use_arm.py`. From the pose of known joint angles and a rough guess,
SciPy's method of Levenberg and Marquardt finds angles that reach that pose. It exits with status 1
if one misses its pose.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.optimize import least_squares

import mgrad

FILE = Path(__file__).with_name("arm.mg")

# The pose `qn` of Corke's toolbox: hand level, elbow up.
NOMINAL = np.array([0, np.pi / 4, np.pi, 0, np.pi / 4, 0])


@dataclass(frozen=True)
class Guess:
    """Where the search starts, and which of the arm's ways to hold the pose lies near."""

    name: str
    angles: tuple[float, ...]


GUESSES = (
    Guess("right arm, elbow up", (0.2, 0.6, 2.9, 0.2, 1.0, -0.2)),
    Guess("left arm, elbow up", (2.6, -3.9, 0.1, 2.5, 1.0, 0.4)),
)


def solve(module: ModuleType, target: np.ndarray, guess: Guess) -> tuple[np.ndarray, int]:
    """Angles whose pose is the target, and the number of poses tried."""

    def errors(q: np.ndarray) -> np.ndarray:
        return np.ravel(module.pose(q) - target)

    def jacobian(q: np.ndarray) -> np.ndarray:
        return np.reshape(module.rates(q), (16, 6))

    found = least_squares(
        errors, guess.angles, jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15
    )
    return found.x, int(found.nfev)


def main() -> int:
    """Solve from every guess; 1 if the pose is missed."""
    module = mgrad.load(FILE, target="numpy")
    target = module.pose(NOMINAL)
    print("the pose to reach:")
    print(np.array2string(target, precision=5, suppress_small=True))
    missed = False
    for guess in GUESSES:
        q, tried = solve(module, target, guess)
        error = np.abs(module.pose(q) - target).max()
        angles = ", ".join(f"{angle:.4f}" for angle in q)
        print(f"{guess.name}: ({angles}) after {tried} poses, error {error:.0e}")
        missed = missed or not error < 1e-12
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
