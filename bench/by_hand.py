"""Values and gradients of the functions of `bench.tensors` in NumPy, written to be fast.

`planned(name, at)` makes the buffers for arguments of these shapes once; the function that it gives
writes into them at each call. All keep the accuracy of the formulas: squared distances come from
differences, not from products. NumPy's own buffers are as small as a generated function has them.

`tuned` knows besides what was found here by measuring: that `dot` costs half of `matmul` where
arrays are small, and that an outer product is fastest as a product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi
from typing import Any

import numpy as np
from numpy import empty

Gradient = Callable[..., Any]

BLOCK = 131_072  # elements of a block's temporary
BUFFER = 256  # elements, for what is broadcast along short rows


def planned(name: str, at: list[Any]) -> Gradient:
    """The value and gradient of a function, for arguments of the shapes of `at`."""
    np.setbufsize(BUFFER)
    make: dict[str, Callable[..., Gradient]] = {
        "least_squares": least_squares,
        "logistic": logistic,
        "distances": distances,
        "log_sum_exp": log_sum_exp,
        "mixture": mixture,
        "products": products,
        "rosenbrock": rosenbrock,
    }
    return make[name](*(a.shape for a in at))


def tuned(name: str, at: list[Any]) -> Gradient | None:
    """The same, faster; None where nothing is known that is."""
    np.setbufsize(BUFFER)
    make: dict[str, Callable[..., Gradient]] = {
        "least_squares": least_squares,
        "logistic": logistic,
    }
    if name not in make:
        return None
    return make[name](*(a.shape for a in at), product=np.dot, outer=outer_product)


def outer_sum(x: Any, y: Any, out: Any) -> None:
    """Faster than to broadcast, for short rows."""
    np.einsum("i,j->ij", x, y, out=out)


def outer_product(x: Any, y: Any, out: Any) -> None:
    np.dot(x.reshape(-1, 1), y.reshape(1, -1), out=out)


def least_squares(
    size: tuple[int, int], *_: Any, product: Any = np.matmul, outer: Any = outer_sum
) -> Gradient:
    n, d = size
    r, slope, d_x, d_y, d_w = empty(n), empty(n), empty((n, d)), empty(n), empty(d)

    def run(x: Any, y: Any, w: Any) -> Any:
        product(x, w, out=r)
        np.subtract(r, y, out=r)
        np.multiply(r, 2 / n, out=slope)
        outer(slope, w, out=d_x)
        np.negative(slope, out=d_y)
        product(slope, x, out=d_w)
        return r @ r / n, (d_x, d_y, d_w)

    return run


def logistic(
    size: tuple[int, int], *_: Any, product: Any = np.matmul, outer: Any = outer_sum
) -> Gradient:
    n, d = size
    z, e, t, slope = empty(n), empty(n), empty(n), empty(n)
    d_x, d_y, d_w, above = empty((n, d)), empty(n), empty(d), empty(n, bool)

    def run(x: Any, y: Any, w: Any) -> Any:
        product(x, w, out=z)
        np.abs(z, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.log1p(e, out=t)
        value = t.sum() - z @ y
        np.maximum(z, 0.0, out=t)
        value += t.sum()
        np.greater_equal(z, 0.0, out=above)
        np.add(e, 1.0, out=t)
        np.copyto(e, 1.0, where=above)
        np.divide(e, t, out=slope)
        np.subtract(slope, y, out=slope)
        np.multiply(slope, 1 / n, out=slope)
        outer(slope, w, out=d_x)
        np.multiply(z, -1 / n, out=d_y)
        product(slope, x, out=d_w)
        return value / n, (d_x, d_y, d_w)

    return run


def distances(size: tuple[int, int], other: tuple[int, int]) -> Gradient:
    """Coordinates first, so that the inner loops of NumPy run over points."""
    n, d = size
    m = other[0]
    step = min(n, max(1, BLOCK // (m * d)))
    xs, ys, d_xs, d_ys = empty((d, n)), empty((d, m)), empty((d, n)), empty((d, m))
    d_x, d_y, part = empty((n, d)), empty((m, d)), empty((d, m))
    gap, root = empty((d, step, m)), empty((step, m))

    def run(x: Any, y: Any) -> Any:
        np.copyto(xs, x.T)
        np.copyto(ys, y.T)
        d_ys.fill(0.0)
        value = 0.0
        for start in range(0, n, step):
            stop = min(n, start + step)
            g, r = gap[:, : stop - start], root[: stop - start]
            np.subtract(xs[:, start:stop, None], ys[:, None], out=g)
            np.einsum("kij,kij->ij", g, g, out=r)
            np.add(r, 1.0, out=r)
            np.sqrt(r, out=r)
            value += r.sum()
            np.divide(1.0, r, out=r)
            np.einsum("ij,kij->ki", r, g, out=d_xs[:, start:stop])
            np.einsum("ij,kij->kj", r, g, out=part)
            np.subtract(d_ys, part, out=d_ys)
        np.copyto(d_x, d_xs.T)
        np.copyto(d_y, d_ys.T)
        return value, (d_x, d_y)

    return run


def log_sum_exp(size: tuple[int]) -> Gradient:
    e = empty(size)

    def run(x: Any) -> Any:
        greatest = x.max()
        np.subtract(x, greatest, out=e)
        np.exp(e, out=e)
        total = e.sum()
        np.multiply(e, 1.0 / total, out=e)
        return greatest + np.log(total), (e,)

    return run


def mixture(size: tuple[int, int], means: tuple[int, int], *_: Any) -> Gradient:
    """Components and coordinates first, points last, some at a time."""
    n, d = size
    k = means[0]
    step = min(n, max(64, BLOCK // k))
    xs, d_xs, d_x, d_m = empty((d, n)), empty((d, n)), empty((n, d)), empty((k, d))
    square, power, gap, top = empty((k, step)), empty((k, step)), empty((k, step)), empty(step)
    d_s, d_a = empty(k), empty(k)

    def run(x: Any, m: Any, s: Any, a: Any) -> Any:
        greatest = a.max()
        soft = np.exp(a - greatest)
        total = soft.sum()
        soft /= total
        level = a - (greatest + log(total)) - d * (np.log(s) + log(2 * pi) / 2)
        half = 0.5 / (s * s)
        np.copyto(xs, x.T)
        d_level, d_half = np.zeros(k), np.zeros(k)
        d_m.fill(0.0)
        value = 0.0
        for start in range(0, n, step):
            stop = min(n, start + step)
            q, p, g, t = (b[..., : stop - start] for b in (square, power, gap, top))
            part = xs[:, start:stop]
            np.subtract(part[0], m[:, :1], out=g)
            np.multiply(g, g, out=q)
            for c in range(1, d):
                np.subtract(part[c], m[:, c : c + 1], out=g)
                np.multiply(g, g, out=g)
                np.add(q, g, out=q)
            np.multiply(q, half[:, None], out=p)
            np.subtract(level[:, None], p, out=p)
            np.max(p, axis=0, out=t)
            value += t.sum()
            np.subtract(p, t, out=p)
            np.exp(p, out=p)
            np.sum(p, axis=0, out=t)
            np.multiply(p, 1.0 / t, out=p)
            np.log(t, out=t)
            value += t.sum()
            d_level += p.sum(axis=1)
            d_half -= np.einsum("ij,ij->i", p, q)
            np.multiply(p, -2 * half[:, None], out=p)
            for c in range(d):
                np.subtract(part[c], m[:, c : c + 1], out=g)
                np.multiply(g, p, out=g)
                np.sum(g, axis=0, out=d_xs[c, start:stop])
                d_m[:, c] -= g.sum(axis=1)
        np.copyto(d_x, d_xs.T)
        np.divide(d_half, s * s * s, out=d_s)
        np.negative(d_s, out=d_s)
        np.subtract(d_s, d * d_level / s, out=d_s)
        np.subtract(d_level, soft * d_level.sum(), out=d_a)
        return value, (d_x, d_m, d_s, d_a)

    return run


def products(left: tuple[int, int, int], right: tuple[int, int, int]) -> Gradient:
    b, n, _ = left
    k = right[2]
    p, d_a, d_c = empty((b, n, k)), empty(left), empty(right)

    def run(a: Any, c: Any) -> Any:
        np.matmul(a, c, out=p)
        np.matmul(p, c.transpose(0, 2, 1), out=d_a)
        np.matmul(a.transpose(0, 2, 1), p, out=d_c)
        return np.vdot(p, p) / 2, (d_a, d_c)

    return run


def rosenbrock(size: tuple[int]) -> Gradient:
    n = size[0] - 1
    u, v, t, d_x = empty(n), empty(n), empty(n), empty(n + 1)

    def run(x: Any) -> Any:
        head = x[:-1]
        np.multiply(head, head, out=t)
        np.subtract(x[1:], t, out=u)
        np.subtract(1.0, head, out=v)
        value = 100.0 * (u @ u) + v @ v
        np.multiply(u, 200.0, out=u)
        np.multiply(u, head, out=t)
        np.add(t, v, out=t)
        np.multiply(t, -2.0, out=d_x[:-1])
        d_x[-1] = 0.0
        np.add(d_x[1:], u, out=d_x[1:])
        return value, (d_x,)

    return run
