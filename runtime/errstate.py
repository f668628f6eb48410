"""NumPy's floating-point warnings, off and on again at a third of the price of `np.errstate`.

    token = STATE.set(SILENT)
    try:
        ...
    finally:
        STATE.reset(token)

What `np.errstate` changes is a context variable: a thread, or a task, has a state of its own.
"""

from __future__ import annotations

from contextvars import Context, copy_context
from typing import Any

import numpy as np


class Seterr:
    """The same two methods for a NumPy that keeps the state elsewhere."""

    def set(self, state: dict[str, Any]) -> Any:
        """What the state was."""
        return np.seterr(**state)

    def reset(self, token: Any) -> None:
        """Back to what it was."""
        np.seterr(**token)


def _changed() -> Context:
    with np.errstate(all="ignore"):
        return copy_context()


def find() -> tuple[Any, Any]:
    """The variable, and its value where nothing warns: all that `np.errstate` puts into an empty
    context."""
    variables = list(Context().run(_changed).items())
    return variables[0] if len(variables) == 1 else (Seterr(), {"all": "ignore"})


STATE, SILENT = find()
