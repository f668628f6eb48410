"""The Schedule: what every printer reads. It decides order, names and what stands in one line;
a printer only spells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mgrad.compiler.ir.node import Node
from mgrad.compiler.source import Span

Kind = Literal[
    "value", "forward", "backward", "value_and_grad", "jvp", "jacobian", "hessian", "internal"
]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """`names = expression`: the expression of `node`, down to nodes that have a name already.

    Several names unpack a Bundle. `rule` is the note beside the line: on a forward line the
    comments of the source, on a backward line the forward statement whose chain rule it is.
    """

    names: tuple[str, ...]
    node: Node
    spans: tuple[Span, ...] = ()
    role: Literal["value", "gradient", "tangent", "temporary"] = "value"
    rule: str = ""
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Routine:
    """One function of the generated module."""

    name: str  # as printed
    kind: Kind
    key: str  # of the function in the Module that it was made from
    doc: str
    parameters: tuple[tuple[str, Node], ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    saved: tuple[str, ...] = ()  # a forward routine returns these, a backward one unpacks them
    lines: tuple[Line, ...] = ()
    names: Mapping[Node, str] = field(default_factory=dict)  # every named node
    values: tuple[Node, ...] = ()
    gradients: tuple[Node, ...] = ()
