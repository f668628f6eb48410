"""The README expression, its value and gradient, in other libraries."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np

from bench.timing import PROCESSOR, WALL, Clock

Gradient = Callable[[Any, Any], tuple[Any, tuple[Any, Any]]]


def clock(name: str) -> Clock:
    """JAX computes on threads of its own."""
    return WALL if name.startswith("jax") else PROCESSOR


def of_numbers() -> Iterator[tuple[str, Gradient | None]]:
    """Name and function of each; None of one that is not installed."""
    yield from _installed(micrograd=_micrograd, sympy=_sympy_math, casadi=_casadi, jax=_jax)


def of_arrays() -> Iterator[tuple[str, Gradient | None]]:
    """Those that map over arrays."""
    yield from _installed(sympy=_sympy_numpy, jax=_jax_arrays)


def missing(name: str) -> str:
    """The line of one that is not installed."""
    return f"not installed: pip install {name}"


def _installed(**makers: Callable[[], Gradient]) -> Iterator[tuple[str, Gradient | None]]:
    for name, make in makers.items():
        if importlib.util.find_spec(name) is None:
            yield name, None
        else:
            yield f"{name} {version(name)}", make()


def _micrograd() -> Gradient:
    from micrograd.engine import Value

    def run(x: float, y: float) -> Any:
        a, b = Value(x), Value(y)
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
    c = 4 * (a + b) + 3 - a
    d = 3 * (a * b + b**3) + relu(b + a)
    d = 4 * d + relu(b - a)
    f = (c - d) ** 2
    return f / 2 + 10 / f


def _sympy(module: str) -> Gradient:
    """Differentiated by SymPy, with common subexpressions shared."""
    import sympy as sp

    a, b = sp.symbols("a b")
    value = _expression(a, b, lambda x: sp.Piecewise((x, x > 0), (0, True)))
    outputs = (value, (value.diff(a), value.diff(b)))
    function: Gradient = sp.lambdify((a, b), outputs, module, cse=True)
    return function


def _sympy_math() -> Gradient:
    return _sympy("math")


def _sympy_numpy() -> Gradient:
    return _sympy("numpy")


def _casadi() -> Gradient:
    import casadi as ca

    a, b = ca.SX.sym("a"), ca.SX.sym("b")
    value = _expression(a, b, lambda x: ca.fmax(x, 0))
    outputs = [value, ca.gradient(value, a), ca.gradient(value, b)]
    function = ca.Function("g", [a, b], outputs)

    def run(x: float, y: float) -> Any:
        value, d_a, d_b = function(x, y)
        return value, (d_a, d_b)

    return run


def _jax() -> Gradient:
    """The compiled function, waited for."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    function = jax.jit(jax.value_and_grad(lambda a, b: _expression(a, b, jax.nn.relu), (0, 1)))
    return lambda a, b: jax.block_until_ready(function(a, b))


def _jax_arrays() -> Gradient:
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    one = jax.value_and_grad(lambda a, b: _expression(a, b, jax.nn.relu), (0, 1))
    function = jax.jit(jax.vmap(one))
    return lambda a, b: jax.block_until_ready(function(np.asarray(a), np.asarray(b)))
