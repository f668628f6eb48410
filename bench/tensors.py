"""The numpy target on tensors: value and gradient of seven functions, at a small and a large size.

By hand is NumPy with planned buffers: every array is made once, in advance, and written into by
each call. It looks at no argument and gives its buffers away, which the next call overwrites. So
does ours at -O2 with a workspace; the time of -O1, which makes its arrays anew, stands beside it,
and a program by hand that was tuned further.
All have one thread.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from bench import by_hand, tensor_peers
from bench.compiled import module
from bench.peers import missing
from bench.timing import PROCESSOR, WALL, Ratio, once, ratio

Sizes = tuple[int, ...]
Gradient = Callable[..., Any]

SOURCE = """\
fn least_squares(X: [N, D], y: [N], w: [D]) = sum((X @ w - y)^2)/N

fn logistic(X: [N, D], y: [N], w: [D]) = mean(softplus(X @ w) - y*(X @ w))

fn distances(x: [N, D], y: [M, D]) =
  sum(sqrt(1 + sum((x[i, k] - y[j, k])^2 for k)) for i, j)

fn log_sum_exp(x: [N]) = logsumexp(x)

fn mixture(x: [N, D], m: [K, D], s: [K], a: [K]) {
  p = log_softmax(a) - D*(log(s) + log(2*pi)/2)
  d = [sum((x[i, k] - m[j, k])^2 for k) for i, j]
  return sum(logsumexp(p - d/(2*s^2), axis=1))
}

fn products(A: [B, n, m], C: [B, m, k]) = sum((A @ C)^2)/2

fn rosenbrock(x: [n]) = sum(100*(x[i + 1] - x[i]^2)^2 + (1 - x[i])^2 for i in 0..n - 1)
"""

CHAIN = """\
fn chain(x: [n], a) {
  s = exp(-x^2)*a
  t = tanh(x/2 + a)
  u = s/(1 + x^2)*t
  return sum((max(u, 0) - t)^2)
}
"""
LENGTHS = (1_000, 100_000, 1_000_000)  # of its arrays

SIZES: dict[str, tuple[Sizes, Sizes]] = {
    "least_squares": ((100, 10), (20_000, 50)),
    "logistic": ((100, 10), (20_000, 50)),
    "distances": ((20, 20, 3), (1_000, 1_000, 16)),
    "log_sum_exp": ((1_000,), (1_000_000,)),
    "mixture": ((100, 4, 2), (10_000, 8, 4)),
    "products": ((10, 4), (10_000, 8)),
    "rosenbrock": ((10,), (1_000,)),
}


def point(name: str, sizes: Sizes) -> list[Any]:
    """Arguments of a function, for sizes in the order of `SIZES`."""
    rng = np.random.default_rng(0)
    match name:
        case "least_squares" | "logistic":
            n, d = sizes
            y = rng.integers(0, 2, n).astype(float)
            return [rng.normal(size=(n, d)), y, rng.normal(size=d) / d]
        case "distances":
            n, m, d = sizes
            return [rng.normal(size=(n, d)), rng.normal(size=(m, d))]
        case "mixture":
            n, k, d = sizes
            means = rng.normal(size=(k, d))
            return [rng.normal(size=(n, d)), means, rng.uniform(0.5, 2, k), rng.normal(size=k)]
        case "products":
            b, n = sizes
            return [rng.normal(size=(b, n, n)), rng.normal(size=(b, n, n))]
    return [rng.normal(size=sizes)]


def report() -> Iterator[str]:
    plain, planned = module(SOURCE, "numpy"), module(SOURCE, "numpy", 2)
    others = [name for name in tensor_peers.OF if importlib.util.find_spec(name)]
    for name, pair in SIZES.items():
        for sizes in pair:
            at = point(name, sizes)
            generated = partial(planned[f"{name}_value_and_grad"], work={})
            title = f"{name} {'x'.join(map(str, sizes))}"
            yield f"{title:<28}by hand  {compare(generated, by_hand.planned(name, at), at)}"
            by_itself = compare(plain[f"{name}_value_and_grad"], by_hand.planned(name, at), at)
            yield f"{'':<28}{'at -O1':<7}  {by_itself}"
            tuned = by_hand.tuned(name, at)
            if tuned is not None:
                yield f"{'':<28}{'tuned':<7}  {compare(generated, tuned, at)}"
            for other in others:
                peer = tensor_peers.OF[other](name)
                yield f"{'':<28}{other:<7}  {compare(generated, peer, at, is_threaded=True)}"
    first, second = (module(CHAIN, "numpy", level)["chain_value_and_grad"] for level in (1, 2))
    for length in LENGTHS:
        at = [*point("log_sum_exp", (length,)), 0.5]
        title = f"elementwise chain {length}"
        yield f"{title:<28}{'at -O1':<7}  {compare(partial(second, work={}), first, at)}"
    for name, (_, sizes) in SIZES.items():
        used = [f"{who} {peak(who, name, sizes):.0f}" for who in ("ours", "hand", *others)]
        yield f"{name:<28}peak memory of two calls, MB: {', '.join(used)}"
    for name in tensor_peers.OF:
        if name not in others:
            yield f"{name:<28}{missing(name)}"


def compare(ours: Gradient, theirs: Gradient, at: list[Any], is_threaded: bool = False) -> Ratio:
    """The ratio of the times of two functions that give the same."""
    given = at
    if is_threaded:
        given = theirs.given(at)  # type: ignore[attr-defined]
    agree(ours(*at), theirs(*given))
    clock = WALL if is_threaded else PROCESSOR
    runs = partial(ours, *at), partial(theirs, *given)
    rounds = 25 if once(runs[0], 1) < 0.05 else 9
    return ratio(*runs, rounds=rounds, clock=clock)


def agree(found: Any, expected: Any) -> None:
    """AssertionError unless values and gradients are the same but for rounding."""
    parts = zip(chain(found[:1], found[1]), chain(expected[:1], expected[1]), strict=True)
    for a, b in parts:
        scale = float(np.max(np.abs(np.asarray(b)), initial=1e-300))
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-11 * scale)


def peak(who: str, name: str, sizes: Sizes) -> float:
    """How many MB a fresh process grows by in two calls; it has made a call of the small size."""
    small = SIZES[name][0]
    code = f"from bench import tensors; tensors.grow({who!r}, {name!r}, {small}, {sizes})"
    made = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(made.stdout)


def grow(who: str, name: str, small: Sizes, sizes: Sizes) -> None:
    """Prints the growth of this process, beyond its arguments."""

    def function(at: list[Any]) -> tuple[Gradient, list[Any]]:
        if who == "ours":
            made: Gradient = module(SOURCE, "numpy", 2)[f"{name}_value_and_grad"]
            return partial(made, work={}), at
        if who == "hand":
            return by_hand.planned(name, at), at
        peer = tensor_peers.OF[who](name)
        return peer, peer.given(at)

    run, given = function(point(name, small))
    run(*given)
    at = point(name, sizes)
    before = highest()
    run, given = function(at)
    for _ in range(2):
        run(*given)
    print((highest() - before) / 1024)


def highest() -> int:
    """The most memory that this process has had, in KiB."""
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` tells there is that of the parent, if it had more
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
