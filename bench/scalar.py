"""The python target against straight-line Python written by hand, and against other libraries."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import exp, tanh
from typing import Any

from bench import peers
from bench.compiled import module
from bench.timing import Run, ratio

README = """\
fn g(a, b) {
  c = a + b
  d = a*b + b^3
  c += c + 1
  c += 1 + c + (-a)
  d += d*2 + relu(b + a)
  d += 3*d + relu(b - a)
  e = c - d
  f = e^2
  return f/2.0 + 10.0/f
}
"""


def readme(a: float, b: float) -> tuple[float, tuple[float, float]]:
    """Value and gradient of micrograd's README expression, statement by statement."""
    s = b + a
    t = b - a
    c = 4 * s + 3 - a
    bb = b * b
    d = a * b + b * bb
    d3 = 3 * d + (s if s > 0 else 0.0)
    d4 = 4 * d3 + (t if t > 0 else 0.0)
    e = c - d4
    f = e * e
    g = f / 2.0 + 10.0 / f
    d_f = 0.5 - 10.0 / (f * f)
    d_e = 2 * e * d_f
    d_d3 = -4 * d_e
    d_d = 3 * d_d3
    d_s = 4 * d_e + (d_d3 if s > 0 else 0.0)
    d_t = -d_e if t > 0 else 0.0
    return g, (d_s - d_t - d_e + d_d * b, d_s + d_t + d_d * (a + 3 * bb))


def tuned(a: float, b: float) -> tuple[float, tuple[float, float]]:
    """The same, with floats alone, and what occurs twice computed once."""
    s, t = a + b, b - a
    square = b * b
    d = 3.0 * (a * b + b * square) + (s if s > 0.0 else 0.0)
    e = 4.0 * s + 3.0 - a - (4.0 * d + (t if t > 0.0 else 0.0))
    f = e * e
    g = 10.0 / f
    d_e = 2.0 * e * (0.5 - g / f)
    d_d = -4.0 * d_e
    d_s = 4.0 * d_e + (d_d if s > 0.0 else 0.0)
    d_t = -d_e if t > 0.0 else 0.0
    d_p = 3.0 * d_d
    d_a = d_s - d_t - d_e + d_p * b
    d_b = d_s + d_t + d_p * (a + 3.0 * square)
    return f / 2.0 + g, (d_a, d_b)


def chain(operations: int) -> tuple[str, str]:
    """A program of so many operations on eight inputs, as `.mg`, and as Python by hand.

    Each round squashes a product of two states into a third, and moves one of the two.
    """
    width = 8 if operations <= 100 else 40
    state = [f"x{k % 8}" for k in range(width)]
    source: list[str] = []
    forward: list[str] = []
    rounds: list[tuple[int, str, str, str, str, str]] = []
    for turn in range(max(1, operations // 10)):
        i, j, k = turn * 7 % width, (turn * 11 + 3) % width, (turn * 13 + 5) % width
        if k == i:
            k = (k + 1) % width
        a, b, c = state[i], state[j], state[k]
        state[k], state[i] = f"p{turn}", f"q{turn}"
        source += [
            f"t{turn} = tanh({a}*{b})",
            f"u{turn} = (t{turn} + 0.5*{c})/(exp(t{turn}) + 1)",
            f"p{turn} = u{turn} + 0.3",
            f"q{turn} = 0.9*{a} + u{turn}",
        ]
        forward += [
            f"t{turn} = tanh({a}*{b})",
            f"w{turn} = exp(t{turn}) + 1.0",
            f"u{turn} = (t{turn} + 0.5*{c})/w{turn}",
            f"p{turn} = u{turn} + 0.3",
            f"q{turn} = 0.9*{a} + u{turn}",
        ]
        rounds.append((turn, a, b, c, f"p{turn}", f"q{turn}"))
    ends = list(dict.fromkeys(state))
    total = " + ".join(state)
    known = {name: float(state.count(name)) for name in ends}
    started = set(ends)
    backward = [f"d_{name} = {count!r}" for name, count in known.items()]
    for turn, a, b, c, p, q in reversed(rounds):
        grad = " + ".join(f"d_{name}" for name in (p, q) if name in started) or "0.0"
        backward += [
            f"v = ({grad})/w{turn}",
            f"m = (v - v*u{turn}*(w{turn} - 1.0))*(1.0 - t{turn}*t{turn})",
        ]
        through = f"0.9*d_{q} + " if q in started else ""
        for name, term in ((a, f"{through}m*{b}"), (b, f"m*{a}"), (c, "0.5*v")):
            backward.append(f"d_{name} {'+=' if name in started else '='} {term}")
            started.add(name)
    arguments = ", ".join(f"x{k}" for k in range(8))
    slopes = ", ".join(f"d_x{k}" if f"x{k}" in started else "0.0" for k in range(8))
    mg = "\n  ".join([f"fn f({arguments}) {{", *source, f"return {total}"]) + "\n}\n"
    lines = [f"def f({arguments}):", *forward, f"value = {total}", *backward]
    python = "\n    ".join([*lines, f"return value, ({slopes})"]) + "\n"
    return mg, python


def report() -> Iterator[str]:
    yield from (f"{name:<22}{ratio(ours, theirs)}" for name, ours, theirs in cases())
    yield "the README expression in other libraries"
    ours = module(README)["g_value_and_grad"]
    for name, peer in peers.of_numbers():
        if peer is None:
            yield f"{name:<22}{peers.missing(name)}"
            continue
        _agree(ours(-4.0, 2.0), peer(-4.0, 2.0))
        runs = partial(ours, -4.0, 2.0), partial(peer, -4.0, 2.0)
        yield f"{name:<22}{ratio(*runs, clock=peers.clock(name))}"


def cases() -> Iterator[tuple[str, Run, Run]]:
    """Name, the generated function and the one by hand, both called with floats."""
    ours = module(README)["g_value_and_grad"]
    for name, theirs in (("README expression", readme), ("the same, tuned", tuned)):
        _agree(ours(-4.0, 2.0), theirs(-4.0, 2.0))
        yield name, partial(ours, -4.0, 2.0), partial(theirs, -4.0, 2.0)
    point = tuple(0.1 * k - 0.3 for k in range(8))
    for operations in (100, 1000, 10000):
        mg, python = chain(operations)
        generated: Any = module(mg)["f_value_and_grad"]
        space: dict[str, Any] = {"exp": exp, "tanh": tanh}
        exec(python, space)
        by_hand = space["f"]
        _agree(generated(*point), by_hand(*point))
        yield f"chain({operations})", partial(generated, *point), partial(by_hand, *point)


def _agree(ours: tuple[Any, Any], theirs: tuple[Any, Any]) -> None:
    for a, b in zip((ours[0], *ours[1]), (theirs[0], *theirs[1]), strict=True):
        if abs(float(a) - float(b)) > 1e-10 * (1 + abs(float(b))):
            raise AssertionError(f"the two programs differ: {ours} and {theirs}")
