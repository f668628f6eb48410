"""Identities that keep digits where the plain form cancels; SymPy proves each in the tests."""

from __future__ import annotations

from typing import Any

import sympy as sp

U = sp.Wild("u", exclude=[0])
V = sp.Wild("v", exclude=[0])
u, v = sp.symbols("u v", real=True)

# (what cancels, what does not, how the latter is written in `.mg`)
TABLE: tuple[tuple[Any, Any, str], ...] = (
    (1 - sp.cos(u), 2 * sp.sin(u / 2) ** 2, "2*sin(({u})/2)^2"),
    (sp.exp(u) - 1, 2 * sp.exp(u / 2) * sp.sinh(u / 2), "expm1({u})"),
    (1 - sp.exp(u), -2 * sp.exp(u / 2) * sp.sinh(u / 2), "-expm1({u})"),
    (1 - sp.tanh(u) ** 2, 1 / sp.cosh(u) ** 2, "1/cosh({u})^2"),
    (1 - 1 / (1 + sp.exp(-u)), 1 / (1 + sp.exp(u)), "sigmoid(-({u}))"),
    (1 - sp.cos(u) ** 2, sp.sin(u) ** 2, "sin({u})^2"),
    (1 - sp.sin(u) ** 2, sp.cos(u) ** 2, "cos({u})^2"),
    (sp.cosh(u) - 1, 2 * sp.sinh(u / 2) ** 2, "2*sinh(({u})/2)^2"),
    (1 - sp.erf(u), sp.erfc(u), "erfc({u})"),
    (
        sp.sqrt(u) - sp.sqrt(v),
        (u - v) / (sp.sqrt(u) + sp.sqrt(v)),
        "({u} - ({v}))/(sqrt({u}) + sqrt({v}))",
    ),
    (sp.sqrt(u) - 1, (u - 1) / (sp.sqrt(u) + 1), "({u} - 1)/(sqrt({u}) + 1)"),
    (u**2 - v**2, (u - v) * (u + v), "({u} - ({v}))*({u} + {v})"),
    (u**2 - 1, (u - 1) * (u + 1), "({u} - 1)*({u} + 1)"),
    (1 - u**2, (1 - u) * (1 + u), "(1 - ({u}))*(1 + {u})"),
    (sp.log(u) - sp.log(v), sp.log(u / v), "log({u}/({v}))"),
)


def offer(expression: Any) -> str | None:
    """How to write a sum that cancels, if the table knows."""
    for pattern, _, text in TABLE:
        wild = pattern.xreplace({u: U, v: V})
        for sign, form in ((1, expression), (-1, -expression)):
            found = form.match(wild)
            if found is None or any(f in (0, 1) or f.is_number for f in found.values()):
                continue
            squared = pattern.has(u**2) and any(f.has(sp.I, sp.Pow, sp.exp) for f in found.values())
            if squared or sp.expand(wild.xreplace(found) - form) != 0:
                continue
            names = {"u": found.get(U), "v": found.get(V)}
            shown = text.format(**{k: _mg(e) for k, e in names.items() if e is not None})
            return shown if sign > 0 else f"-({shown})"
    return None


def _mg(expression: Any) -> str:
    return str(expression).replace("**", "^")
