"""`test`: the file's own tests, on the emitted code."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mgrad import files
from mgrad.compiler.verify.tests import Outcome, run_tests
from mgrad.faults import RunError
from mgrad.verbs.compile import Number, tests_text, understand


def test(path: str | os.PathLike[str], settings: Mapping[str, Number] | None = None) -> Outcome:
    """How the tests of the file at `path` end, each with both its sides.

    This runs the module. Raises RunError if a Python function that it names cannot be imported.
    """
    program = understand(files.read(path), settings)
    try:
        return run_tests(program, tests_text(program))
    except ImportError as error:
        raise RunError(f"{path}: {error}") from error
