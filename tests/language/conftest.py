"""Compile a program given as text, as a stranger would: a file, and the public `mgrad.load`."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mgrad

Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The module of a program, with every extra routine, for a target and a level."""

    def compiled(text: str, target: str = "python", level: int = 1, **rest: Any) -> ModuleType:
        path = tmp_path / "program.mg"
        path.write_text(text, encoding="utf-8")
        extras = ("jvp", "jacobian", "hessian")
        return mgrad.load(path, target=target, level=level, emit=extras, **rest)

    return compiled
