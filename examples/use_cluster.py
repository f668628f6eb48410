"""Relax clusters of Lennard-Jones atoms with the forces that mgrad writes for cluster.mg.

Run it with `python examples/use_cluster.py`. Each cluster starts from a shape with the right
neighbours and random errors; SciPy's trust-region Newton method relaxes it. It exits with status
1 if an energy of the literature is missed.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.optimize import minimize

import mgrad

FILE = Path(__file__).with_name("cluster.mg")
GOLDEN = (1 + 5**0.5) / 2


def tetrahedron() -> np.ndarray:
    """Four atoms, each the neighbour of all others."""
    return np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 8**0.5


def bipyramid() -> np.ndarray:
    """Seven atoms: a ring of five, one above and one below."""
    turns = 2 * np.pi * np.arange(5) / 5
    ring = np.stack([np.cos(turns), np.sin(turns), 0 * turns], axis=1)
    return np.concatenate([0.85 * ring, [[0, 0, 0.55], [0, 0, -0.55]]])


def icosahedron() -> np.ndarray:
    """Thirteen atoms: one in the middle of twelve."""
    corners = [(0, a, b * GOLDEN) for a in (-1, 1) for b in (-1, 1)]
    shell = [np.roll(corner, k) for corner in corners for k in range(3)]
    return np.concatenate([[[0, 0, 0]], np.array(shell) / (1 + GOLDEN**2) ** 0.5])


def octahedron() -> np.ndarray:
    """Thirty-eight atoms: a truncated octahedron of a face-centred cubic crystal."""
    n = np.arange(-2, 3)
    cubic = np.stack(np.meshgrid(n, n, n), axis=-1).reshape(-1, 3)
    crystal = cubic[cubic.sum(axis=1) % 2 == 1]
    return crystal[(crystal**2).sum(axis=1) <= 5] / 2**0.5


# The size, its shape and the lowest energy. 4 atoms touch all others: six bonds of depth 1. The
# others are from the Cambridge Cluster Database (Wales & Doye 1997).
CLUSTERS: tuple[tuple[Callable[[], np.ndarray], float], ...] = (
    (tetrahedron, -6),
    (bipyramid, -16.505384),
    (icosahedron, -44.326801),
    (octahedron, -173.928427),
)


def relax(module: ModuleType, start: np.ndarray) -> tuple[np.ndarray, float, int]:
    """The positions at rest, their energy, and the number of iterations."""
    shape = start.shape

    def energy_and_gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        energy, (gradient,) = module.energy_value_and_grad(x.reshape(shape))
        return energy, gradient.ravel()

    def hessian_times(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.ravel(module.hessian_times(x.reshape(shape), v.reshape(shape)))

    found = minimize(
        energy_and_gradient,
        start.ravel(),
        method="trust-ncg",
        jac=True,
        hessp=hessian_times,
        options={"gtol": 1e-9, "maxiter": 1000},
    )
    return found.x.reshape(shape), float(found.fun), int(found.nit)


def main() -> int:
    """Relax every cluster; 1 if a published energy is missed."""
    module = mgrad.load(FILE, target="numpy")
    rng = np.random.default_rng(13)
    missed = False
    print("atoms  steps         energy      published  largest force")
    for shape, published in CLUSTERS:
        start = 1.1 * shape()
        x, energy, steps = relax(module, start + 0.05 * rng.standard_normal(start.shape))
        force = np.abs(module.forces(x)).max()
        print(f"{len(x):>5}  {steps:>5}  {energy:>13.8f}  {published:>13.6f}  {force:.1e}")
        missed = missed or not abs(energy - published) <= 5e-7
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
