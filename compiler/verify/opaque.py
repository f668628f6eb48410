"""Extern functions: of no symbolic meaning, known by the numbers that they return."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors.checking import MissingExtern
from mgrad.compiler.sema.program import Extern, Program


@cache
def load(path: str) -> Callable[..., Any]:
    """The Python function at `module.attribute`. Importing runs its module's code."""
    module, _, attribute = path.rpartition(".")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


def missing_externs(program: Program) -> list[Diagnostic]:
    """A diagnostic for each extern that Python cannot give. Imports their modules."""
    found = (missing_extern(extern) for extern in program.externs.values())
    return [fault for fault in found if fault is not None]


def missing_extern(extern: Extern) -> Diagnostic | None:
    """Why an extern cannot be called, if so."""
    path = f"{extern.module}.{extern.attribute}"
    try:
        is_callable = callable(load(path))
    except (ImportError, AttributeError, ValueError) as error:
        return MissingExtern(extern.span, extern.name, path, str(error))
    return None if is_callable else MissingExtern(extern.span, extern.name, path, "no function")


@cache
def extern_function(path: str, wrt: int | None = None) -> Callable[..., Any]:
    """The function on mpmath numbers, computed in float64; or its partial, by central differences
    of step 1e-5 relative (about 1e-10 of the value: enough to tell apart, not to prove)."""

    def value(*arguments: Any) -> Any:
        try:
            return mpmath.mpf(float(load(path)(*(float(a) for a in arguments))))
        except (ValueError, ArithmeticError):
            return mpmath.nan

    if wrt is None:
        return value

    def partial(*arguments: Any) -> Any:
        step = mpmath.mpf(2) ** -17 * max(1, abs(arguments[wrt]))
        above = [a + step if i == wrt else a for i, a in enumerate(arguments)]
        below = [a - step if i == wrt else a for i, a in enumerate(arguments)]
        return (value(*above) - value(*below)) / (2 * step)

    return partial
