"""Planned buffers: what a function writes into, call after call, where `work=` is given.

    work = {}
    for _ in range(1000):
        value, grads = f_value_and_grad(x, w, work=work)

A workspace is a dict of the caller's. The first call for given sizes fills it, the next allocate
nothing. What such a call returns may stand in the workspace: it is the caller's until the next
call. One workspace serves any number of functions, and one thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mgrad.runtime.arrays import Shape

Workspace = dict[str, Any]


def planned(
    work: Workspace | None, routine: str, dtype: np.dtype[Any], **shapes: Shape
) -> tuple[Any, ...]:
    """The buffers of a routine, of the shapes and the dtype, in the order of their names; new ones
    if there is no workspace, or if it has others. Their contents are whatever they were.

        r, d_w = planned(work, "f_value_and_grad", x.dtype, r=(N,), d_w=(D,))
    """
    if work is None:
        return tuple([np.empty(shape, dtype) for shape in shapes.values()])
    found = work.get(routine)
    if found is None or found[0] != shapes or found[1] != dtype:
        new = tuple([np.empty(shape, dtype) for shape in shapes.values()])
        found = work[routine] = (shapes, dtype, new)
    buffers: tuple[Any, ...] = found[2]
    return buffers
