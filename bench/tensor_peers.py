"""The functions of `bench.tensors` in PyTorch, eager, and in JAX, compiled and waited for."""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi
from typing import Any

Gradient = Callable[..., Any]


def value(name: str, library: Any, logsumexp: Callable[[Any, int], Any]) -> Gradient:
    """The value of a function, in what both libraries spell alike."""

    def softplus(z: Any) -> Any:
        return library.logaddexp(z, library.zeros_like(z))

    def least_squares(x: Any, y: Any, w: Any) -> Any:
        return ((x @ w - y) ** 2).sum() / len(y)

    def logistic(x: Any, y: Any, w: Any) -> Any:
        z = x @ w
        return (softplus(z) - y * z).mean()

    def distances(x: Any, y: Any) -> Any:
        return library.sqrt(1 + ((x[:, None] - y) ** 2).sum(-1)).sum()

    def log_sum_exp(x: Any) -> Any:
        return logsumexp(x, 0)

    def mixture(x: Any, m: Any, s: Any, a: Any) -> Any:
        level = a - logsumexp(a, 0) - x.shape[1] * (library.log(s) + log(2 * pi) / 2)
        d = ((x[:, None] - m) ** 2).sum(-1)
        return logsumexp(level - d / (2 * s**2), 1).sum()

    def products(a: Any, c: Any) -> Any:
        return ((a @ c) ** 2).sum() / 2

    def rosenbrock(x: Any) -> Any:
        head = x[:-1]
        return (100 * (x[1:] - head**2) ** 2 + (1 - head) ** 2).sum()

    functions = [least_squares, logistic, distances, log_sum_exp, mixture, products, rosenbrock]
    return {f.__name__: f for f in functions}[name]


class Torch:
    """PyTorch, float64."""

    def __init__(self, name: str) -> None:
        import torch

        self.torch = torch
        self.value = value(name, torch, torch.logsumexp)

    def given(self, at: list[Any]) -> list[Any]:
        return [self.torch.tensor(a, requires_grad=True) for a in at]

    def __call__(self, *at: Any) -> Any:
        out = self.value(*at)
        grads = self.torch.autograd.grad(out, at)
        return out.detach(), grads


class Jax:
    """JAX, float64 on the processor."""

    def __init__(self, name: str) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        self.jax = jax
        function = value(name, jax.numpy, lambda x, axis: jax.scipy.special.logsumexp(x, axis))
        self.function: Gradient | None = None
        self.value = function

    def given(self, at: list[Any]) -> list[Any]:
        return [self.jax.numpy.asarray(a) for a in at]

    def __call__(self, *at: Any) -> Any:
        if self.function is None:
            every = tuple(range(len(at)))
            self.function = self.jax.jit(self.jax.value_and_grad(self.value, every))
        return self.jax.block_until_ready(self.function(*at))


OF: dict[str, Callable[[str], Any]] = {"torch": Torch, "jax": Jax}
