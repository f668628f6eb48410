"""Near misses: which name was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, if one is like it. Only run where there is a fault."""
    candidates = sorted({k for k in known if abs(len(k) - len(name)) <= 3 and k != name})
    found = get_close_matches(name, candidates, n=1, cutoff=0.6)
    if found:
        return found[0]
    folded = name.casefold()
    return next((k for k in candidates if k.casefold() == folded), None)
