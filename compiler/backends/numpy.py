"""The target `numpy`: a function of scalars maps over arrays.

A routine that the user calls is decorated by its door (`runtime.elementwise`); calls between
routines go to the undecorated functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from mgrad.compiler.backends import module
from mgrad.compiler.backends.layout import bracketed, tuple_of, worded
from mgrad.compiler.backends.module import Body, Imports
from mgrad.compiler.backends.text import docstring
from mgrad.compiler.header import Header
from mgrad.compiler.ir.types import Type
from mgrad.compiler.schedule.schedule import Routine

DOORS = {
    "forward": "elementwise_forward",
    "backward": "elementwise_backward",
    "value_and_grad": "elementwise_value_and_grad",
    "jvp": "elementwise_jvp",
}


def print_module(routines: Sequence[Routine], header: Header) -> str:
    """The text of the module."""
    return module.print_module(routines, header, "numpy", _frame)


def _frame(routine: Routine, imports: Imports, body: Body) -> list[str]:
    passed = list(routine.packed) or [name for name, _ in routine.parameters]
    if routine.kind == "backward" and len(routine.parameters) == 1:
        passed = [routine.packed[0], routine.parameters[0][0]]
    text = ", ".join(
        f"{name}={routine.defaults[name]}" if name in routine.defaults else name for name in passed
    )
    if routine.work:
        text += f"{', ' if text else ''}*, {routine.work}=None"
    lines = [*bracketed(f"def {routine.name}", text, ":"), *docstring(routine.doc)]
    lines += body.head + body.lines
    return lines if not routine.is_entry else [*_door(routine, imports), *lines]


SHAPED = {
    "forward": "arrays_forward",
    "backward": "arrays_backward",
    "value_and_grad": "arrays_value_and_grad",
    "jvp": "arrays_jvp",
    "jacobian": "arrays_jacobian",
    "hessian": "arrays_hessian",
}


def _door(routine: Routine, imports: Imports) -> list[str]:
    """The decorator; it is told which arguments are not real, and the shapes of arrays."""
    if routine.signature:
        name = imports.use(f"mgrad.runtime.tensors.{SHAPED.get(routine.kind, 'arrays')}")
        if routine.kind == "backward":
            return [f"@{name}"]
        return worded(f"@{name}", routine.signature)
    name = imports.use(f"mgrad.runtime.elementwise.{DOORS.get(routine.kind, 'elementwise')}")
    kinds = [(n, node.type.dtype) for n, node in routine.parameters if isinstance(node.type, Type)]
    if routine.kind == "backward" or all(kind == "real" for _, kind in kinds):
        return [f"@{name}"]

    def builtin(kind: str) -> str:
        return imports.use(f"builtins.{'float' if kind == 'real' else kind}")

    if routine.kind == "jvp":
        return bracketed(f"@{name}", f"types={tuple_of(builtin(k) for _, k in kinds)}")
    types = [f"{parameter}={builtin(kind)}" for parameter, kind in kinds if kind != "real"]
    return bracketed(f"@{name}", ", ".join(types))
