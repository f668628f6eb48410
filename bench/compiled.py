"""Modules from source text, without files."""

from __future__ import annotations

from typing import Any

from mgrad.compiler import driver
from mgrad.compiler.source import Source


def text(source: str, target: str = "python", level: int = 1) -> str:
    """The text of the module that a source compiles to."""
    options = driver.Options(target=target, level=level)  # type: ignore[arg-type]
    return driver.compile(Source("bench.mg", source), options).text


def module(source: str, target: str = "python", level: int = 1) -> dict[str, Any]:
    """The names of that module."""
    space: dict[str, Any] = {"__name__": "bench_module"}
    exec(compile(text(source, target, level), "bench_module", "exec"), space)
    return space
