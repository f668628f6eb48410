"""Equilibria of networks of springs, with forces and stiffness that mgrad writes for springs.mg.

Run it with `python examples/use_springs.py`. A chain under its weight comes to rest; then a shallow
dome of springs is pushed from one state of rest to the other across the ridge between them, the
flat state: the saddle that Newton's method finds. It exits with status 1 if the chain's forces do
not balance, or the ridge is not where and as high as the closed form says.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from scipy.optimize import minimize

import mgrad

FILE = Path(__file__).with_name("springs.mg")


@dataclass(frozen=True)
class Network:
    """The held nodes, the loads on the free ones, and the springs: ends, lengths, stiffness."""

    held: np.ndarray
    loads: np.ndarray
    ends: np.ndarray
    length: np.ndarray
    stiffness: float

    @property
    def arguments(self) -> tuple[object, ...]:
        """What the functions of springs.mg want after the positions."""
        return self.held, self.loads, self.ends, self.length, self.stiffness


def chain(links: int) -> tuple[Network, np.ndarray]:
    """A chain of weight 1 and length 1.25 between two points at distance 1, and how to hold it."""
    held = np.array([[0.0, 0], [1, 0]])
    free = links - 1
    loads = np.tile([0, -1 / links], (free, 1))
    nodes = np.array([0, *range(2, free + 2), 1])  # the held ones come first
    ends = np.stack([nodes[:-1], nodes[1:]], axis=1)
    across = np.arange(1, links) / links
    start = np.stack([across, -across * (1 - across)], axis=1)
    return Network(held, loads, ends, np.full(links, 1.25 / links), 1e5), start


def dome(legs: int, height: float) -> Network:
    """One free node joined to a ring of radius 1; at rest at either height."""
    turns = 2 * np.pi * np.arange(legs) / legs
    held = np.stack([np.cos(turns), np.sin(turns), 0 * turns], axis=1)
    ends = np.stack([np.arange(legs), np.full(legs, legs)], axis=1)
    length = np.full(legs, np.hypot(1, height))
    return Network(held, np.zeros((1, 3)), ends, length, 1.0)


def rest(module: ModuleType, network: Network, start: np.ndarray) -> np.ndarray:
    """Where the energy is least, near the start."""

    def energy(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, (gradient, *_) = module.energy_value_and_grad(
            x.reshape(start.shape), *network.arguments
        )
        return value, gradient.ravel()

    def stiffness(x: np.ndarray) -> np.ndarray:
        found = module.tangent(x.reshape(start.shape), *network.arguments)
        return found.reshape(x.size, x.size)

    found = minimize(
        energy, start.ravel(), method="trust-exact", jac=True, hess=stiffness,
        options={"gtol": 1e-6, "maxiter": 1000},
    )  # fmt: skip
    return found.x.reshape(start.shape)


def balanced(module: ModuleType, network: Network, start: np.ndarray) -> np.ndarray:
    """Where the forces vanish, by Newton's method: a minimum, a saddle or a summit."""
    x = start
    for _ in range(20):
        _, (gradient, *_) = module.energy_value_and_grad(x, *network.arguments)
        tangent = module.tangent(x, *network.arguments).reshape(x.size, x.size)
        x = x - np.linalg.solve(tangent, gradient.ravel()).reshape(x.shape)
    return x


def main() -> int:
    """Both experiments; 1 if one fails."""
    module = mgrad.load(FILE, target="numpy")

    network, start = chain(40)
    x = balanced(module, network, rest(module, network, start))
    _, (gradient, held, *_) = module.energy_value_and_grad(x, *network.arguments)
    print(f"chain: lowest point {x[:, 1].min():.6f}, largest force {np.abs(gradient).max():.0e}")
    print(f"the supports carry {-held[0, 1]:.6f} and {-held[1, 1]:.6f}")
    hangs = np.abs(gradient).max() < 1e-10

    legs, height = 6, 0.3
    network = dome(legs, height)
    x = balanced(module, network, np.array([[0.02, -0.01, 0.05]]))
    high = module.energy(x, *network.arguments)
    tangent = module.tangent(x, *network.arguments).reshape(3, 3)
    closed = legs / 2 * (np.hypot(1, height) - 1) ** 2
    slopes = np.linalg.eigvalsh(tangent)
    print(
        f"ridge: at {np.abs(x).max():.0e} from the flat state, energy {high:.12f} = {closed:.12f}"
    )
    print("stiffness there:", np.array2string(slopes, precision=6))
    crossed = np.abs(x).max() < 1e-12 and abs(high - closed) < 1e-12 and (slopes < 0).sum() == 1
    return int(not (hangs and crossed))


if __name__ == "__main__":
    sys.exit(main())
