"""The generated pages and pictures in docs/ are those that `make docs` writes."""

import re
from html import unescape

from docs.generate import DOCS, pages, pictures


def test_the_pages_are_those_that_are_generated() -> None:
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


def test_the_pictures_show_what_is_generated() -> None:
    # Coordinates may differ between versions of Graphviz; what a picture says may not.
    drawn = pictures()
    assert set(drawn) == set((DOCS / "pictures").iterdir())
    for path, svg in drawn.items():
        committed = path.read_text(encoding="utf-8")
        assert words(committed) == words(svg), f"{path.name}: run `make docs`"


def test_every_picture_is_shown_and_every_shown_one_exists() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in DOCS.glob("*.md"))
    shown = set(re.findall(r"!\[[^\]]+\]\(pictures/([^)]+)\)", text))
    assert shown == {path.name for path in (DOCS / "pictures").iterdir()}


def words(svg: str) -> list[str]:
    """The names of a picture's nodes and edges and what is written in them, in order."""
    found = re.findall(r"<(?:title|text)\b[^>]*>([^<]*)<", svg)
    assert found
    return [unescape(word) for word in found]
