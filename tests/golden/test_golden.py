"""The generated text of every example, committed and read. `pytest --update` rewrites."""

from pathlib import Path

import pytest

import mgrad

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
EXAMPLES = sorted((ROOT / "examples").glob("*.mg"))
TARGETS = ("python", "numpy")


def golden(example: Path, target: str) -> Path:
    return HERE / f"{example.stem}.{target}.py.txt"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_generated_text(example: Path, target: str, request: pytest.FixtureRequest) -> None:
    text = mgrad.compile(example, target=target)
    path = golden(example, target)
    if request.config.getoption("--update"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no golden {path.name}: read the text, then run pytest --update"
    assert text == path.read_text(encoding="utf-8")


def test_no_golden_is_unused() -> None:
    expected = {golden(e, t).name for e in EXAMPLES for t in TARGETS}
    assert {p.name for p in HERE.glob("*.py.txt")} == expected
