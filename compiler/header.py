"""What a generated module says of its origin."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """`source` is the name of the file, `digest` begins the sha256 of its text."""

    source: str
    digest: str
    version: str
    target: str
    doc: str | None = None
