"""`fmt`: a file in the canonical layout."""

from __future__ import annotations

import os

from mgrad import files
from mgrad.compiler.syntax.format import format_source


def format_file(path: str | os.PathLike[str], write: bool = True) -> bool:
    """Bring a file into the canonical layout; whether that changes it.

    Without `write` the file stays as it is. Raises MgradError if it does not parse.
    """
    text = format_source(files.read(path))
    changed = text.encode() != files.read_bytes(path)
    if changed and write:
        files.write(os.fspath(path), text)
    return changed
