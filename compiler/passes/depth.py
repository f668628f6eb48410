"""How deep the calls of a module go: a chain of functions is a stack of frames when it runs.

f = …; g = f(…); h = g(…)   ->   1, 2, 3
"""

from mgrad.compiler.autodiff.reverse import callees
from mgrad.compiler.ir.module import Module


def depths(module: Module) -> dict[str, int]:
    """Of each graph, itself included. A derived function is as deep as its origin."""
    found: dict[str, int] = {}
    for key, graph in module.graphs.items():  # callees come first
        inner = (found.get(c, found.get(c.partition("@")[0], 0)) for c in callees(graph))
        found[key] = 1 + max(inner, default=0)
    return found
