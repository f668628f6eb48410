"""Files with random damage: every verb answers with a diagnosis, at a place, or does its work."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mgrad import files
from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.syntax.format import format_source
from mgrad.faults import RunError, UsageError
from mgrad.verbs.compile import build
from mgrad.verbs.diff import derivatives, show
from mgrad.verbs.evaluate import evaluate
from mgrad.verbs.explain import explain
from mgrad.verbs.graph import graph

EXAMPLES = Path(__file__).parents[2] / "examples"
PIECES = [
    piece
    for path in sorted(EXAMPLES.rglob("*.mg"))
    for piece in re.split(r"\n(?=##|fn |const |extern |derivative |test )", path.read_text())
]
TOKENS = [*"(){}[],:=+*/^';\"#\n\t\0²−×xσ1", "fn ", "if ", "else", "diff(", "~=", "|>", "1e999"]


def damaged(text: str, choose: random.Random) -> bytes:
    """The text with something deleted, put in or exchanged."""
    words = re.findall(r"\w+|\W", text)
    at = choose.randrange(len(words))
    match choose.randrange(4):
        case 0:
            del words[at : at + choose.randint(1, 3)]
        case 1:
            words.insert(at, choose.choice(TOKENS))
        case 2:
            other = choose.randrange(len(words))
            words[at], words[other] = words[other], words[at]
        case _:
            words[at] = choose.choice(TOKENS)
    data = "".join(words).encode()
    return data if choose.random() < 0.95 else data[:at] + b"\xff" + data[at:]


@pytest.mark.parametrize("seed", range(4))
def test_damage_is_answered(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    path = tmp_path / "damaged.mg"

    def answer(verb: Callable[[], object]) -> bool:
        try:
            verb()
        except (UsageError, RunError):
            return False
        except MgradError as error:
            for fault in error.diagnostics:
                span = fault.span
                assert span is not None and fault.message
                assert 0 <= span.start <= span.end <= len(span.source.text)
            return False
        return True

    for _ in range(60):
        path.write_bytes(damaged("\n".join(choose.sample(PIECES, 2)), choose))
        answer(lambda: format_source(files.read(path)))
        if not answer(lambda: build(files.read(path))):
            continue
        for name in [f.name for f in build(files.read(path)).program.functions.values()][:1]:
            answer(lambda name=name: explain(path, name))  # type: ignore[misc]
            answer(lambda name=name: graph(path, name))  # type: ignore[misc]
            answer(lambda name=name: evaluate(path, f"{name}(1)"))  # type: ignore[misc]
            answer(lambda: [show(each) for each in derivatives(path, None, (), None)])
