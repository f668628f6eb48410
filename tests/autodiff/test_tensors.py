"""Every structural op: both modes, first and second order, against central differences.

Everything runs in mpmath at 60 digits over arrays of objects, so a difference quotient with a step
of 1e-20 is right to 30 digits; the same graphs then run in double precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgrad.compiler.autodiff.forward import jvp
from mgrad.compiler.autodiff.reverse import gradient
from mgrad.compiler.ir.evaluate import evaluate, multiprecision
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.text import parse_graph, print_graph
from mgrad.compiler.ir.types import Dim, Shape, Type
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops.indexing import (
    ALL,
    arange,
    at_item,
    concat,
    flip,
    pad,
    put,
    size,
    slice_item,
    take,
)
from mgrad.compiler.ops.linalg import (
    cholesky,
    cofactor,
    det,
    inv,
    solve,
    solve_triangular,
    swapped,
    tril,
)
from mgrad.compiler.ops.logsumexp import logsumexp
from mgrad.compiler.ops.op import TABLE, select
from mgrad.compiler.ops.reductions import cumsum, max_over, min_over, prod_others, prod_over
from mgrad.compiler.ops.structural import broadcast, contract, reshape, sum_axes, transpose
from mgrad.compiler.ops.windows import overlap_add, windows

N, M, B = Dim.of("N"), Dim.of("M"), Dim.of("B")
MP = mpmath.mp.clone()
MP.dps = 60
MEANING = multiprecision(MP)
STEP = MP.mpf(10) ** -20

Make = Callable[..., Node]


@dataclass(frozen=True)
class Case:
    name: str
    shapes: tuple[Shape, ...]  # of the real parameters
    make: Make  # (*real parameters, *int parameters)
    least: int = 0  # the least size
    ints: tuple[Shape, ...] = ()
    prepare: Callable[..., Any] | None = None  # (rng, x): a value fit for the op


def definite(rng: np.random.Generator, x: Any) -> Any:
    """A symmetric matrix with positive eigenvalues."""
    return x @ np.swapaxes(x, -1, -2) + 2 * np.eye(x.shape[-1])


def regular(rng: np.random.Generator, x: Any) -> Any:
    return x + 3 * np.eye(x.shape[-1])


def singular(rng: np.random.Generator, x: Any) -> Any:
    """Of rank one: also what is left after taking out a row and a column is singular."""
    return x[..., :, :1] * x[..., :1, :]


def with_zeros(rng: np.random.Generator, x: Any) -> Any:
    """Two zeros in a row, where there is room."""
    x = np.array(x)
    x[..., :2] = 0.0
    return x


def with_one_zero(rng: np.random.Generator, x: Any) -> Any:
    x = np.array(x)
    x[..., :1] = 0.0
    return x


def spread(x: Node) -> Node:
    """A function of each element that no rule can take for linear."""
    return TABLE["tanh"](x) * x


SQUARE = (N, N)
BATCH = (B, N, N)
CASES = [
    Case("sum", ((N, M),), lambda x: sum_axes(spread(x), (0,))),
    Case("broadcast", ((N,),), lambda x: spread(broadcast(x, (M, N, B), (0, 2)))),
    Case("reshape", ((N, M),), lambda x: spread(reshape(x, (M * N,)))),
    Case("transpose", ((N, M, B),), lambda x: spread(transpose(x, (2, 0, 1)))),
    Case(
        "matrix product", ((N, M), (M, B)), lambda x, y: contract([x, y], [(0, 1), (1, 2)], (0, 2))
    ),
    Case("trace", (SQUARE,), lambda x: contract([spread(x)], [(0, 0)], ())),
    Case("diagonal", (SQUARE,), lambda x: spread(contract([x], [(0, 0)], (0,)))),
    Case("diagonal matrix", ((N,),), lambda x: spread(contract([x], [(0,)], (0, 0)))),
    Case("sum of all", ((N, M), (N,)), lambda x, y: contract([x, y], [(0, 1), (2,)], ())),
    Case("prod", ((N, M),), lambda x: prod_over(x, (1,))),
    Case("prod of two axes", ((N, B, M),), lambda x: prod_over(x, (0, 2))),
    Case("prod with zeros", ((N, M),), lambda x: prod_over(x, (1,)), prepare=with_zeros),
    Case("prod with a zero", ((N, M),), lambda x: prod_over(x, (1,)), prepare=with_one_zero),
    Case("prod_others", ((M, N),), lambda x: prod_others(x, (1,)), prepare=with_zeros),
    Case("prod_others along", ((N,), (N,)), lambda x, c: prod_others(x, (0,), spread(c))),
    Case("max", ((N, M),), lambda x: spread(max_over(x, (0,))), least=1),
    Case("min", ((N, M),), lambda x: spread(min_over(x, (0, 1))), least=1),
    Case("logsumexp", ((N, M),), lambda x: spread(logsumexp(x, (0,))), least=1),
    Case("cumsum", ((N, M),), lambda x: cumsum(spread(x), 0)),
    Case("reverse cumsum", ((N, M),), lambda x: spread(cumsum(x, 1, reverse=True))),
    Case("slice", ((N, M),), lambda x: spread(take(x, (slice_item(1, N), ALL))), least=1),
    Case("steps", ((N,),), lambda x: spread(take(x, (slice_item(0, N, 2),)))),
    Case("backwards", ((N,),), lambda x: spread(take(x, (slice_item(N - 1, -1, -2),))), least=1),
    Case("row", ((N, M),), lambda x: spread(take(x, (at_item(N - 1), ALL))), least=1),
    Case("element", ((N, M),), lambda x: spread(take(x, (at_item(0), at_item(M - 1)))), least=1),
    Case(
        "gather",
        ((N, M),),
        lambda x, i: spread(take(x, (("by", 0), ALL), [i])),
        least=1,
        ints=((Dim.of(4),),),
    ),
    Case(
        "gather of pairs",
        ((N, M, B),),
        lambda x, i, j: spread(take(x, (("by", 0), ALL, ("by", 1)), [i, j])),
        least=1,
        ints=((Dim.of(4),), (Dim.of(4),)),
    ),
    Case(
        "gather beside a scalar",
        ((N, B, M),),
        lambda x, i, j: spread(take(x, (("by", 0), ALL, ("by", 1)), [i, j])),
        least=1,
        ints=((), (Dim.of(2), Dim.of(3))),
    ),
    Case(
        "put",
        ((N, M), (M,)),
        lambda x, v: spread(put(x, v, (at_item(N - 1), ALL))),
        least=1,
    ),
    Case(
        "put backwards",
        ((N,), (N,)),
        lambda x, v: spread(put(x, v, (slice_item(N - 1, -1, -1),), adds=True)),
    ),
    Case(
        "scatter",
        ((N, M), (Dim.of(4), M)),
        lambda x, v, i: spread(put(x, v, (("by", 0), ALL), [i])),
        least=1,
        ints=((Dim.of(4),),),
    ),
    Case(
        "scatter and add",
        ((N, M), (M, Dim.of(4))),
        lambda x, v, i: spread(put(x, transpose(v, (1, 0)), (("by", 0), ALL), [i], adds=True)),
        least=1,
        ints=((Dim.of(4),),),
    ),
    Case("concat", ((N, M), (N, B)), lambda x, y: spread(concat([x, y, x], 1))),
    Case("flip", ((N, M),), lambda x: spread(flip(x, (0, 1)))),
    Case("pad", ((N, M),), lambda x: spread(pad(x, (1, 0), (N, 2))) + 1),
    Case(
        "windows",
        ((N, M),),
        lambda x: spread(windows(x, (0,), (2,), (1,))),
        least=2,
    ),
    Case(
        "windows of two axes",
        ((N + 3, M + 2),),
        lambda x: spread(windows(x, (0, 1), (3, 2), (2, 1))),
    ),
    Case(
        "overlap_add",
        (((N + 3 - 3) // 2 + 1, B, Dim.of(3)),),
        lambda y: spread(overlap_add(y, (N + 3, B), (0,), (3,), (2,))),
    ),
    Case("det", (SQUARE,), lambda x: det(x)),
    Case("det of a batch", (BATCH,), lambda x: det(spread(x))),
    Case("det of a singular", (SQUARE,), lambda x: det(x), prepare=singular),
    Case("cofactor", (SQUARE,), lambda x: cofactor(x), prepare=singular),
    Case("cofactor along", (SQUARE, SQUARE), lambda x, y: cofactor(x, y)),
    Case("inv", (BATCH,), lambda x: inv(x), prepare=regular),
    Case("solve", (SQUARE, (N,)), lambda a, b: solve(a, b), prepare=regular),
    Case("solve a batch", (BATCH, (B, N)), lambda a, b: solve(a, b), prepare=regular),
    Case("solve columns", (BATCH, (B, N, M)), lambda a, b: solve(a, b), prepare=regular),
    Case("solve_triangular", (SQUARE, (N,)), lambda a, b: solve_triangular(a, b), prepare=regular),
    Case(
        "solve_triangular upper",
        (SQUARE, (N, M)),
        lambda a, b: solve_triangular(a, b, lower=False),
        prepare=regular,
    ),
    Case(
        "solve_triangular transposed",
        (BATCH, (B, N, M)),
        lambda a, b: solve_triangular(a, b, transposed=True),
        prepare=regular,
    ),
    Case("cholesky", (SQUARE,), lambda a: cholesky(symmetric(a)), prepare=definite),
    Case("cholesky of a batch", (BATCH,), lambda a: cholesky(symmetric(a)), prepare=definite),
    Case("tril", (BATCH,), lambda a: spread(tril(a, -1))),
    Case("triu", (SQUARE,), lambda a: spread(a - tril(a, 0))),
    Case("root", ((N,),), lambda x: TABLE["root"](TABLE["abs"](x) + 1)),
    Case("mean", ((N,),), lambda x: sum_axes(spread(x), (0,)) / real(size(x.pool, N)), least=1),
    Case("weights", ((N,),), lambda x: spread(x) * real(arange(x.pool, N, 2))),
    Case("arms", ((N, M), (M,)), lambda x, w: sum_axes(arms(x, w), (0,))),
]


def real(x: Node) -> Node:
    return TABLE["to_real"](x)


def symmetric(a: Node) -> Node:
    return (a + swapped(a)) / 2


def arms(x: Node, w: Node) -> Node:
    spread_w = broadcast(w, x.array.shape, (0,))
    return select(TABLE["gt"](x, spread_w), x * spread_w, TABLE["sin"](x) + spread_w)


def built(case: Case) -> tuple[Graph, list[Node]]:
    """The graph of the weighted sum of what a case makes; its weights are the last parameter."""
    pool = Pool()
    reals = [pool.parameter(f"x{i}", Type("real", s)) for i, s in enumerate(case.shapes)]
    ints = [pool.parameter(f"i{i}", Type("int", s)) for i, s in enumerate(case.ints)]
    made = case.make(*reals, *ints)
    weights = pool.parameter("w", made.array)
    shape = made.array.shape
    total = sum_axes(made * weights, range(len(shape)))
    return Graph("f", pool, (*reals, *ints, weights), (total,)), reals


def along(graph: Graph, reals: Sequence[Node], names: str) -> Graph:
    """The derivative of the one result by the reals, along directions that become parameters."""
    pool = graph.pool
    one = pool.constant(1)
    slopes = gradient([(graph.results[0], one)], list(reals))
    directions = [pool.parameter(f"{names}{i}", x.type) for i, x in enumerate(reals)]
    total: Node = pool.constant(0)
    for slope, direction in zip(slopes, directions, strict=True):
        term = slope * direction
        total = total + sum_axes(term, range(len(term.array.shape)))
    return Graph("slope", pool, (*graph.parameters, *directions), (total,))


def point(case: Case, graph: Graph, sizes: dict[str, int], seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    values: list[Any] = []
    for k, parameter in enumerate(graph.parameters):
        shape = tuple(d.evaluate(sizes) for d in parameter.array.shape)
        if parameter.array.dtype == "int":
            value: Any = rng.integers(0, min(n for n in sizes.values()), size=shape)
        else:
            # few digits: sums are exact enough in double precision, products in 60 digits
            value = np.round(rng.normal(size=shape), 3)
            if case.prepare is not None and k == 0:
                value = np.asarray(case.prepare(rng, value))
        values.append(value)
    return values


def exactly(values: Sequence[Any]) -> list[Any]:
    """The same in mpmath; ints stay."""
    return [
        v
        if np.asarray(v).dtype.kind == "i"
        else np.vectorize(MP.mpf, otypes=[object])(v)
        if np.size(v)
        else np.asarray(v, dtype=object)
        for v in values
    ]


def value(graph: Graph, at: Sequence[Any], sizes: dict[str, int]) -> Any:
    return MP.mpf(evaluate(graph, at, sizes=dict(sizes), meaning=MEANING)[0])


def shifted(at: list[Any], graph: Graph, directions: Sequence[Any], step: Any) -> list[Any]:
    moved = list(at)
    for k, direction in enumerate(directions):
        moved[k] = at[k] + step * direction
    return moved


SIZED = [(case, n) for case in CASES for n in range(4) if n >= case.least]


@pytest.mark.parametrize(("case", "n"), SIZED, ids=lambda v: str(getattr(v, "name", v)))
def test_derivatives(case: Case, n: int) -> None:
    graph, reals = built(case)
    sizes = {"N": n, "M": max(n, case.least, 1) if n else n, "B": 2}
    first = along(graph, reals, "u")
    second = along(first, reals, "v")
    for one in (graph, first, second):
        verify(one)
        text = print_graph(one)
        again = parse_graph(text)
        assert print_graph(again) == text
        verify(again)
    floats = point(case, second, sizes, seed=n)
    at = exactly(floats)
    count, total = len(reals), len(graph.parameters)
    u, v = at[total : total + count], at[total + count :]
    slope = value(first, at[: total + count], sizes)
    difference = (
        value(graph, shifted(at[:total], graph, u, STEP), sizes)
        - value(graph, shifted(at[:total], graph, u, -STEP), sizes)
    ) / (2 * STEP)
    assert abs(slope - difference) < 1e-25 * (1 + abs(slope))
    bend = value(second, at, sizes)
    base = at[: total + count]
    difference = (
        value(first, shifted(base, first, v, STEP), sizes)
        - value(first, shifted(base, first, v, -STEP), sizes)
    ) / (2 * STEP)
    assert abs(bend - difference) < 1e-25 * (1 + abs(bend))
    # forward mode, and forward over reverse
    zeros = [np.zeros_like(x) for x in at]
    ways = [(graph, at[:total], u, slope), (first, base, v, bend)]
    for inner, start, direction, expected in ways:
        forward = jvp(inner)
        verify(forward)
        floating = [p.array.dtype == "real" for p in inner.parameters]
        moved = [
            direction[k] if k < count else zeros[k] for k, is_real in enumerate(floating) if is_real
        ]
        found = evaluate(forward, [*start, *moved], sizes=dict(sizes), meaning=MEANING)[1]
        assert abs(found - expected) < 1e-40 * (1 + abs(expected))
    # the same in double precision
    for one, arguments, expected in (
        (graph, floats[:total], value(graph, at[:total], sizes)),
        (first, floats[: total + count], slope),
        (second, floats, bend),
    ):
        found = evaluate(one, arguments, sizes=dict(sizes))[0]
        assert float(found) == pytest.approx(float(expected), rel=1e-8, abs=1e-9)


MOVES: list[Callable[[Node], Node]] = [
    spread,
    lambda x: transpose(x, (1, 0)),
    lambda x: cumsum(x, 0),
    lambda x: flip(x, (1,)),
    lambda x: contract([x, TABLE["sin"](x)], [(0, 1), (1, 2)], (0, 2)),
    lambda x: x * broadcast(sum_axes(x, (0,)), (N, N), (0,)),
    lambda x: broadcast(max_over(x, (1,)), (N, N), (1,)) - x,
    lambda x: x * broadcast(det(TABLE["tanh"](x)), (N, N), (0, 1)),
    lambda x: put(x, take(x, (at_item(0), ALL)), (at_item(N - 1), ALL), adds=True),
    lambda x: overlap_add(windows(x, (0,), (2,), (1,)), (N, N), (0,), (2,), (1,)),
    lambda x: select(TABLE["gt"](x, transpose(x, (1, 0))), TABLE["sin"](x), x * x),
    lambda x: take(concat([x, spread(x)], 0), (slice_item(1, N + 1), ALL)),
    lambda x: tril(x) + solve(contract([x, x], [(0, 1), (2, 1)], (0, 2)) + identity(x), x),
    lambda x: prod_others(x, (0,)),
]


def identity(x: Node) -> Node:
    return contract([x.pool.constant(1, Type("real", (N,)))], [(0,)], (0, 0))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, len(MOVES) - 1), min_size=1, max_size=4), st.integers(0, 999))
def test_random_compositions(picks: list[int], seed: int) -> None:
    """Reverse is forward, and the second derivative is symmetric."""
    pool = Pool()
    x, u, v = (pool.parameter(name, Type("real", (N, N))) for name in "xuv")
    value = x
    for pick in picks:
        value = TABLE["tanh"](MOVES[pick](value))
    total = sum_axes(value * value, (0, 1))
    one = pool.constant(1)
    (slope,) = gradient([(total, one)], [x])
    by_u, by_v = (sum_axes(slope * d, (0, 1)) for d in (u, v))
    (second,) = gradient([(by_u, one)], [x])
    graph = Graph("f", pool, (x, u, v), (by_u, by_v, sum_axes(second * v, (0, 1)), total))
    verify(graph)
    text = print_graph(graph)
    assert print_graph(parse_graph(text)) == text
    rng = np.random.default_rng(seed)
    at = [rng.normal(size=(3, 3)) for _ in range(3)]
    first_u, _, mixed, _ = evaluate(graph, at)
    forward = jvp(Graph("g", pool, (x, u, v), (by_v, total)))
    still = np.zeros((3, 3))
    moved_slope, moved_total = evaluate(forward, [*at, at[1], still, still])[2:]
    np.testing.assert_allclose(moved_total, first_u, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(moved_slope, mixed, rtol=1e-6, atol=1e-8 * (1 + abs(mixed)))
