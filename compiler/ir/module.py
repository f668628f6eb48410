"""A module: the graphs of a program by key, with what calls between them mean.

Keys name a function and how it was derived: `f` is the source's function, `f@vjp` takes the
arguments of `f` and a cotangent for each real result and gives the gradients of its real arguments
(a Bundle), `f@tangents` takes a tangent for each real argument and gives those of the real
results, `f@prime` is f'(x), `f@prime@prime` f''(x); `f@forward` gives a Bundle of the results
and a `Saved`, `f@backward` takes the Saved and the cotangents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.types import Type


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """What a caller sees of a function."""

    parameters: tuple[tuple[str, Type], ...]
    results: tuple[Type, ...]
    stated: str | None = None  # key of the function of its stated partials, one a real argument
    extern: tuple[str, str] | None = None  # (module, attribute) of a Python function
    name: str = ""  # the source's name of the function
    doc: str | None = None
    defaults: Mapping[str, Fraction | bool | float] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()  # on sizes, in the source's words: `T <= N`
    maps: bool = True  # a function of numbers, inside too: its text maps over arrays


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """`graphs` are ordered: a callee stands before its callers. Externs have a signature only."""

    graphs: Mapping[str, Graph]
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    constants: Mapping[str, Fraction | bool | float] = field(default_factory=dict)  # of the source
