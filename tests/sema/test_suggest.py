"""Which name was probably meant."""

import pytest

from mgrad.compiler.sema.suggest import LOOK, WORK, Suggestions

KNOWN = ["floor", "sigmoid", "digamma", "lgamma", "polygamma", "x", "y1", "Theta", "clip"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sigmod", "sigmoid"),  # a letter left out
        ("sigmoidd", "sigmoid"),  # one too many
        ("sigmiod", "sigmoid"),  # two swapped
        ("digama", "digamma"),
        ("poligama", "polygamma"),
        ("flor", "floor"),
        ("theta", "Theta"),
        ("xx", "x"),
        ("cilp", "clip"),
        ("foo", None),  # three letters, two slips: another name
        ("z", None),
        ("velocity", None),
    ],
)
def test_near_misses(name: str, meant: str | None) -> None:
    assert Suggestions().nearest(name, KNOWN) == meant


def test_the_nearest_wins() -> None:
    assert Suggestions().nearest("alpha1", ["alpha22", "alpha2", "alpa"]) == "alpha2"


def test_the_work_is_bounded() -> None:
    suggestions = Suggestions()
    known = [f"name{k}" for k in range(100, 1000)]
    found = [suggestions.nearest(f"nane{k}", known) for k in range(100, 400)]
    assert found[7] == "name107"
    assert found[-1] is None
    assert sum(f is not None for f in found) * 900 * LOOK < WORK
