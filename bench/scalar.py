"""The python target against straight-line Python written by hand."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from math import exp, tanh
from typing import Any

from bench.compiled import module
from bench.timing import number_for, once, ratio, show

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


def cases() -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Name, the generated function and the one by hand, both called with floats."""
    ours = module(README)["g_value_and_grad"]
    _agree(ours(-4.0, 2.0), readme(-4.0, 2.0))
    yield "README expression", partial(ours, -4.0, 2.0), partial(readme, -4.0, 2.0)
    point = tuple(0.1 * k - 0.3 for k in range(8))
    for operations in (100, 1000, 10000):
        mg, python = chain(operations)
        generated: Any = module(mg)["f_value_and_grad"]
        space: dict[str, Any] = {"exp": exp, "tanh": tanh}
        exec(python, space)
        by_hand = space["f"]
        _agree(generated(*point), by_hand(*point))
        yield (
            f"chain({operations})",
            partial(generated, *point),
            partial(by_hand, *point),
        )


def _agree(ours: tuple[float, Any], theirs: tuple[float, Any]) -> None:
    for a, b in zip((ours[0], *ours[1]), (theirs[0], *theirs[1]), strict=True):
        if abs(a - b) > 1e-10 * (1 + abs(b)):
            raise AssertionError(f"the two programs differ: {ours} and {theirs}")


def report() -> Iterator[str]:
    for name, ours, theirs in cases():
        yield f"{name:<22}{ratio(ours, theirs)}"
    yield from _peers()


def _peers() -> Iterator[str]:
    """The README expression in other libraries, where they are installed."""
    ours = module(README)["g_value_and_grad"]

    def run() -> object:
        return ours(-4.0, 2.0)

    for name, make in (
        ("micrograd", _micrograd),
        ("sympy", _sympy),
        ("casadi", _casadi),
        ("jax", _jax),
    ):
        if importlib.util.find_spec(name) is None:
            yield f"{name:<22}not installed"
            continue
        peer = make()
        theirs = once(peer, number_for(peer, 0.2))
        yield f"{name:<22}{show(theirs)}, {theirs / once(run, 20_000):.3g} times ours"


def _micrograd() -> Callable[[], object]:
    from micrograd.engine import Value

    def run() -> object:
        a, b = Value(-4.0), Value(2.0)
        c = a + b
        d = a * b + b**3
        c += c + 1
        c += 1 + c + (-a)
        d += d * 2 + (b + a).relu()
        d += 3 * d + (b - a).relu()
        e = c - d
        f = e**2
        g = f / 2.0
        g += 10.0 / f
        g.backward()
        return g.data, (a.grad, b.grad)

    return run


def _expression(a: Any, b: Any, relu: Callable[[Any], Any]) -> Any:
    c = a + b
    d = a * b + b**3
    c = 4 * c + 3 - a
    d = 3 * d + relu(b + a)
    d = 4 * d + relu(b - a)
    f = (c - d) ** 2
    return f / 2 + 10 / f


def _sympy() -> Callable[[], object]:
    import sympy as sp

    a, b = sp.symbols("a b")
    value = _expression(a, b, lambda x: sp.Piecewise((x, x > 0), (0, True)))
    outputs = [value, value.diff(a), value.diff(b)]
    function = sp.lambdify((a, b), outputs, "math", cse=True)
    return lambda: function(-4.0, 2.0)


def _casadi() -> Callable[[], object]:
    import casadi as ca

    a, b = ca.SX.sym("a"), ca.SX.sym("b")
    value = _expression(a, b, lambda x: ca.fmax(x, 0))
    function = ca.Function("g", [a, b], [value, ca.gradient(value, a), ca.gradient(value, b)])
    return lambda: function(-4.0, 2.0)


def _jax() -> Callable[[], object]:
    import jax

    jax.config.update("jax_enable_x64", True)
    function = jax.jit(jax.value_and_grad(lambda a, b: _expression(a, b, jax.nn.relu), (0, 1)))
    return lambda: jax.block_until_ready(function(-4.0, 2.0))
