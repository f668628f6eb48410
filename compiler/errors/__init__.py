"""The catalogue of everything that a source can be told: one class a diagnostic.

`CATALOGUE` has the classes by code. `python -m mgrad.compiler.errors` prints the page of all.
"""

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import checking, meaning, shapes, syntax

MODULES = (syntax, meaning, shapes, checking)


def _gather() -> dict[str, type[Diagnostic]]:
    catalogue: dict[str, type[Diagnostic]] = {}
    for module in MODULES:
        for kind in vars(module).values():
            if not (isinstance(kind, type) and issubclass(kind, Diagnostic)):
                continue
            if kind.__module__ != module.__name__ or not hasattr(kind, "code"):
                continue
            if kind.code in catalogue:
                raise ValueError(
                    f"{kind.__name__} and {catalogue[kind.code].__name__}: {kind.code}"
                )
            catalogue[kind.code] = kind
    return dict(sorted(catalogue.items()))


CATALOGUE = _gather()
