"""`test`: the file's own tests, on the emitted code."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mgrad import files
from mgrad.compiler.verify.tests import Outcome, run_tests
from mgrad.verbs.compile import Number, tests_text, understand
from mgrad.verbs.load import raise_missing


def test(path: str | os.PathLike[str], settings: Mapping[str, Number] | None = None) -> Outcome:
    """How the tests of the file at `path` end, each with both its sides.

    This runs the module. Raises MgradError for an `extern` that Python has not.
    """
    program = understand(files.read(path), settings)
    raise_missing(program)
    return run_tests(program, tests_text(program))
