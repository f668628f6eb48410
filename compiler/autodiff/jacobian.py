"""Jacobians and Hessians of arrays by arrays, as nodes of the same graph."""

from __future__ import annotations

from mgrad.compiler.autodiff.batch import batch
from mgrad.compiler.autodiff.forward import tangents
from mgrad.compiler.autodiff.reverse import gradient
from mgrad.compiler.ir.graph import Notes
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.node import Node
from mgrad.compiler.ir.types import Dim, Shape, Type
from mgrad.compiler.ops.structural import broadcast, transpose


def jacobian(
    value: Node, target: Node, module: Module | None = None, notes: Notes | None = None
) -> Node:
    """The derivative of each element of a value by each of a target: the shape of the value, then
    that of the target.

    The reverse sweep for a unit seed at each element of the value, or, where the value is surely
    larger than the target, the forward sweep for one at each element of the target.
    """
    pool, rows, columns = value.pool, value.array.shape, target.array.shape
    if not rows:
        return gradient([(value, pool.constant(1))], [target], module, notes)[0]
    if not columns:
        (slope,) = tangents([value], {target: pool.constant(1)}, module)
        return slope if slope is not None else pool.constant(0, value.array)
    if is_surely_more(_size(rows), _size(columns)):
        seed = pool.parameter("seed", target.type)
        (moved,) = tangents([value], {target: seed}, module)
        if moved is None:
            return pool.constant(0, Type("real", (*rows, *columns)))
        ((found, count),) = batch([moved], seed, module)
        leading, own = range(len(columns)), range(len(columns), len(columns) + len(rows))
        return transpose(_full(found, count, (*columns, *rows)), (*own, *leading))
    seed = pool.parameter("seed", value.type)
    ((found, count),) = batch(gradient([(value, seed)], [target], module), seed, module)
    return _full(found, count, (*rows, *columns))


def hessian(
    value: Node, target: Node, module: Module | None = None, notes: Notes | None = None
) -> Node:
    """The second derivatives of a scalar: the shape of the target twice."""
    (slope,) = gradient([(value, value.pool.constant(1))], [target], module, notes)
    return jacobian(slope, target, module)


def _full(found: Node, count: int, shape: Shape) -> Node:
    """What has no leading axes is the same for each seed: the constant 0."""
    return found if count else broadcast(found, shape, range(len(shape) - len(found.array.shape)))


def _size(shape: Shape) -> Dim:
    total = Dim.of(1)
    for dim in shape:
        total = total * dim
    return total


def is_surely_more(size: Dim, other: Dim) -> bool:
    """Whether a size is the larger whatever the sizes are, if all are at least 1: as polynomials
    in what each is more than 1, the difference has no negative coefficient."""
    difference = (size - other).replaced(
        {name: Dim.of(name) + 1 for name in size.names | other.names}
    )
    coefficients = [c for _, c in difference.terms]
    return bool(coefficients) and min(coefficients) > 0
