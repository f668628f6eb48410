"""NumPy's floating-point warnings, off and on again at a third of the price of `np.errstate`.

    token = STATE.set(SILENT)
    try:
        ...
    finally:
        STATE.reset(token)

What `np.errstate` changes is a context variable: a thread, or a task, has a state of its own. The
size of the buffers of NumPy's loops belongs to it, and comes at no price: with small ones what is
broadcast along short rows is read where it stands, up to four times as fast.
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


BUFFER = 256  # elements; measured on rows of 10 to 4,000, of 8,192 that NumPy takes by itself


def _changed() -> Context:
    with np.errstate(all="ignore"):
        before = np.setbufsize(BUFFER)
        context = copy_context()
        np.setbufsize(before)  # where it is kept elsewhere, it stays what it was
        return context


def find() -> tuple[Any, Any]:
    """The variable, and its value where nothing warns: all that `np.errstate` puts into an empty
    context."""
    changed = Context().run(_changed)
    variables = list(changed.items())
    is_silent = set(changed.run(np.geterr).values()) == {"ignore"}
    return variables[0] if len(variables) == 1 and is_silent else (Seterr(), {"all": "ignore"})


STATE, SILENT = find()
