"""Planned buffers: what a function writes into, call after call, where `work=` is given.

    work = {}
    for _ in range(1000):
        value, grads = f_value_and_grad(x, w, work=work)

A workspace is a dict of the caller's. The first call for given sizes fills it, the next allocate
nothing. What such a call returns stands in the workspace: it is the caller's until the next call,
and is no argument of it. One workspace serves any number of functions, and one thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mgrad.runtime.arrays import Array, Shape

Workspace = dict[str, Any]


def planned(
    work: Workspace | None,
    routine: str,
    dtype: np.dtype[Any],
    /,
    **plan: Shape | tuple[Shape, type] | range | str,
) -> tuple[Array, ...]:
    """The buffers of a routine, in the order of their names; new ones if there is no workspace, or
    if it has others. A buffer has a shape, of the dtype or of one that is given; or it lies in the
    memory of one before it, whose name is given; or it holds the ints of a range. The contents of
    all others are whatever they were.

        r, d_r, above, i = planned(
            work, "f", x.dtype, r=(N,), d_r="r", above=((N,), bool), i=range(N)
        )
    """
    if work is None:
        return _made(plan, dtype)
    found = work.get(routine)
    if found is None or found[0] != plan or found[1] != dtype:
        found = work[routine] = (plan, dtype, _made(plan, dtype))
    buffers: tuple[Array, ...] = found[2]
    return buffers


def _made(plan: dict[str, Any], dtype: np.dtype[Any]) -> tuple[Array, ...]:
    buffers: dict[str, Array] = {}
    for name, item in plan.items():
        match item:
            case str():
                buffers[name] = buffers[item]
            case range():
                buffers[name] = np.arange(item.start, item.stop)
            case (tuple() as shape, type() as kind):
                buffers[name] = np.empty(shape, kind)
            case shape:
                buffers[name] = np.empty(shape, dtype)
    return tuple(buffers.values())


def inside(work: Workspace | None, place: str) -> Workspace | None:
    """The part of a workspace that belongs to one call in a routine; none if there is none."""
    if work is None:
        return None
    found: Workspace = work.setdefault(place, {})
    return found
