"""Near misses: which name was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

# Of a program: with thousands of faults the last get no suggestion.
WORK = 200_000
LOOK, COMPARE = 1, 10  # what it costs to look at a name, and to compare it letter by letter


class Suggestions:
    """Finds near misses; how much it looks in all is bounded."""

    def __init__(self) -> None:
        self._left = WORK

    def nearest(self, name: str, known: Iterable[str]) -> str | None:
        """The known name that is `name` but for a slip or two. Only run where there is a fault."""
        if self._left <= 0:
            return None
        most = 1 if len(name) <= 4 else 2 if len(name) <= 8 else 3
        letters = set(name)
        found: list[tuple[int, str]] = []
        folded = name.casefold()
        for other in dict.fromkeys(known):
            self._left -= LOOK
            if other == name or abs(len(other) - len(name)) > most:
                continue
            if other.casefold() == folded:
                found.append((0, other))
            elif len(letters.symmetric_difference(other)) <= 2 * most:
                self._left -= COMPARE
                slips = _slips(name, other, most)
                if slips <= most and 2 * slips <= max(len(name), len(other)):
                    found.append((slips, other))
        return min(found)[1] if found else None


def _slips(a: str, b: str, most: int) -> int:
    """How many letters are left out, added, changed or swapped with their neighbour between two
    names; `most + 1` stands for all above `most`."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row, older = row, [i], before
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if older and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(last) > most:
            return most + 1
        before = last
    return row[-1]
