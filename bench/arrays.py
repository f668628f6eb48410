"""The numpy target against NumPy written by hand, and other libraries, over 1e3 and 1e6 points.

What is written by hand gives the same values everywhere, also where something overflows: its masks
are `np.where`, no products. It silences no warning and looks at no argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from bench import peers
from bench.compiled import module
from bench.scalar import README, chain
from bench.timing import PROCESSOR, Clock, Ratio, ratio, show

NEURON = "fn neuron(x, w, b) {\n  n = x*w + b\n  o = tanh(n)\n  return o\n}\n"
DENSITY = "fn density(x, m, s) = exp(-((x - m)/s)^2/2)/(s*sqrt(2*pi))\n"
SIZES = (1_000, 1_000_000)


def readme(a: Any, b: Any) -> Any:
    """Statement by statement."""
    s = b + a
    t = b - a
    c = 4 * s + 3 - a
    bb = b * b
    d = a * b + b * bb
    d3 = 3 * d + np.maximum(s, 0)
    d4 = 4 * d3 + np.maximum(t, 0)
    e = c - d4
    f = e * e
    g = f / 2 + 10 / f
    d_f = 0.5 - 10 / (f * f)
    d_e = 2 * e * d_f
    d_d3 = -4 * d_e
    d_d = 3 * d_d3
    d_s = 4 * d_e + np.where(s > 0, d_d3, 0.0)
    d_t = np.where(t > 0, -d_e, 0.0)
    return g, (d_s - d_t - d_e + d_d * b, d_s + d_t + d_d * (a + 3 * bb))


def tuned(a: Any, b: Any) -> Any:
    """The same, with floats alone, and what occurs twice computed once."""
    s, t = a + b, b - a
    square = b * b
    d = 3.0 * (a * b + b * square) + np.maximum(s, 0.0)
    e = 4.0 * s + 3.0 - a - (4.0 * d + np.maximum(t, 0.0))
    f = e * e
    g = 10.0 / f
    d_e = 2.0 * e * (0.5 - g / f)
    d_d = -4.0 * d_e
    d_s = 4.0 * d_e + np.where(s > 0.0, d_d, 0.0)
    d_t = np.where(t > 0.0, -d_e, 0.0)
    d_p = 3.0 * d_d
    d_a = d_s - d_t - d_e + d_p * b
    d_b = d_s + d_t + d_p * (a + 3.0 * square)
    return f / 2.0 + g, (d_a, d_b)


def neuron(x: Any, w: Any, b: Any) -> Any:
    o = np.tanh(x * w + b)
    d_n = 1 - o * o
    return o, (d_n * w, d_n * x, d_n)


def density(x: Any, m: Any, s: Any) -> Any:
    z = (x - m) / s
    y = np.exp(-0.5 * (z * z)) / (s * 2.5066282746310002)
    d_x = -y * z / s
    return y, (d_x, -d_x, y * (z * z - 1) / s)


def by_hand_chain(operations: int) -> Callable[..., Any]:
    space: dict[str, Any] = {"exp": np.exp, "tanh": np.tanh}
    exec(chain(operations)[1], space)
    function: Callable[..., Any] = space["f"]
    return function


def report() -> Iterator[str]:
    for name, source, by_hand, arity in (
        ("README expression", README, readme, 2),
        ("the same, tuned", README, tuned, 2),
        ("neuron", NEURON, neuron, 3),
        ("density", DENSITY, density, 3),
        ("chain(100)", chain(100)[0], by_hand_chain(100), 8),
    ):
        function = source.removeprefix("fn ").partition("(")[0]
        generated = module(source, "numpy")[f"{function}_value_and_grad"]
        for size in SIZES:
            measured = compare(generated, by_hand, points(arity, size))
            yield f"{name + f', {size:,} points':<38}{measured}"
    yield "the README expression in other libraries"
    generated = module(README, "numpy")["g_value_and_grad"]
    for name, peer in peers.of_arrays():
        for size in SIZES if peer else ():
            measured = compare(generated, peer, points(2, size), peers.clock(name))
            yield f"{name + f', {size:,} points':<38}{measured}"
        if peer is None:
            yield f"{name:<38}{peers.missing(name)}"
    yield f"what a call costs besides: {show(door())}"


def points(arity: int, size: int) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.uniform(0.5, 2.0, size) for _ in range(arity)]


def compare(ours: Any, theirs: Any, point: list[Any], clock: Clock = PROCESSOR) -> Ratio:
    """The ratio of the times of two functions that give the same."""
    found, expected = ours(*point), theirs(*point)
    for a, b in zip((found[0], *found[1]), (expected[0], *expected[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7)
    return ratio(partial(ours, *point), partial(theirs, *point), clock=clock)


def door() -> float:
    """Seconds between the call of a function of two arrays and that of its text alone."""
    function = module(README, "numpy")["g_value_and_grad"]
    point = points(2, 1_000)
    measured = ratio(partial(function, *point), partial(function.inner, *point), rounds=101)
    return measured.theirs * (measured.median - 1)
