"""`test`: the file's own tests, on the emitted code."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mgrad import files
from mgrad.compiler.verify.tests import Outcome, run_tests
from mgrad.faults import RunError
from mgrad.verbs.compile import Number, build


def test(path: str | os.PathLike[str], settings: Mapping[str, Number] | None = None) -> Outcome:
    """How the tests of the file at `path` end, each with both its sides.

    This runs the module. Raises RunError if a Python function that it names cannot be imported.
    """
    compiled = build(files.read(path), settings=settings)
    try:
        return run_tests(compiled)
    except ImportError as error:
        raise RunError(f"{path}: {error}") from error
