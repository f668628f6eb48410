"""The numpy target against NumPy written by hand, over 1e3 and 1e6 points."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from bench.compiled import module
from bench.scalar import README
from bench.timing import ratio

NEURON = "fn neuron(x, w, b) {\n  n = x*w + b\n  o = tanh(n)\n  return o\n}\n"
DENSITY = "fn density(x, m, s) = exp(-((x - m)/s)^2/2)/(s*sqrt(2*pi))\n"


def readme(a: Any, b: Any) -> Any:
    s, t = a + b, b - a
    square = b * b
    u, v = s > 0.0, t > 0.0
    d = 3.0 * (a * b + b * square) + np.maximum(s, 0.0)
    e = 4.0 * s + 3.0 - a - (4.0 * d + np.maximum(t, 0.0))
    f = e * e
    g = 10.0 / f
    d_e = 2.0 * e * (0.5 - g / f)
    d_d = -4.0 * d_e
    d_s = 4.0 * d_e + d_d * u
    d_t = -d_e * v
    d_p = 3.0 * d_d
    d_a = d_s - d_t - d_e + d_p * b
    d_b = d_s + d_t + d_p * (a + 3.0 * square)
    return f / 2.0 + g, (d_a, d_b)


def neuron(x: Any, w: Any, b: Any) -> Any:
    o = np.tanh(x * w + b)
    d_n = 1.0 - o * o
    return o, (d_n * w, d_n * x, d_n.copy())


def density(x: Any, m: Any, s: Any) -> Any:
    z = (x - m) / s
    y = np.exp(-0.5 * (z * z)) / (s * 2.5066282746310002)
    d_x = -y * z / s
    return y, (d_x, -d_x, y * (z * z - 1.0) / s)


def report() -> Iterator[str]:
    rng = np.random.default_rng(0)
    for name, source, by_hand, arity in (
        ("README expression", README, readme, 2),
        ("neuron", NEURON, neuron, 3),
        ("density", DENSITY, density, 3),
    ):
        function = source.removeprefix("fn ").partition("(")[0]
        generated = module(source, "numpy")[f"{function}_value_and_grad"]
        for size in (1_000, 1_000_000):
            point = [rng.uniform(0.5, 2.0, size) for _ in range(arity)]
            ours, theirs = generated(*point), by_hand(*point)
            for a, b in zip((ours[0], *ours[1]), (theirs[0], *theirs[1]), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7)
            measured = ratio(partial(generated, *point), partial(by_hand, *point), rounds=15)
            yield f"{name + f', {size:,} points':<34}{measured}"
