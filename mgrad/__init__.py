"""mgrad: a gradient compiler you can read and trust.

    import mgrad

    moons = mgrad.load("moons.mg")          # the compiled module, without a file
    moons.f_value_and_grad(3.0)

`load` and `check` run the code that they compile, and with it every Python function that an
`extern` of the file names; the other verbs call such a function where a derivative is stated for
it, to check that. Use files that you trust.

Everything is imported when it is first used: `import mgrad` alone costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgrad.compiler.diagnostics import MgradError as MgradError
    from mgrad.verbs.check import check as check
    from mgrad.verbs.compile import compile as compile
    from mgrad.verbs.diff import diff as diff
    from mgrad.verbs.graph import graph as graph
    from mgrad.verbs.load import load as load

__version__ = "0.1.0"

__all__ = ["MgradError", "__version__", "check", "compile", "diff", "graph", "load"]

_HOMES = {
    "MgradError": "mgrad.compiler.diagnostics",
    "check": "mgrad.verbs.check",
    "compile": "mgrad.verbs.compile",
    "diff": "mgrad.verbs.diff",
    "graph": "mgrad.verbs.graph",
    "load": "mgrad.verbs.load",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mgrad' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
