"""The examples: they compile, their tests pass, and their gradients are proved or the reason is
one of those listed here."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mgrad
from mgrad.compiler.diagnostics import MgradError

ROOT = Path(__file__).parents[2]
NAMES = ["calculus", "lecture", "optimisation", "physics", "special"]  # of numbers
EXAMPLES = [ROOT / "examples" / f"{name}.mg" for name in NAMES]

# The check of the lecture is quick; those of the others take longer, together about two minutes.
CHECKED = [
    pytest.param(path, marks=() if path.stem == "lecture" else pytest.mark.slow, id=path.stem)
    for path in EXAMPLES
]

# Which functions may be less than proved, and why. An entry that is no longer needed fails.
NOT_PROVED: dict[str, dict[str, str]] = {name: {} for name in NAMES}


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_compiles_and_loads(path: Path, target: str) -> None:
    module = mgrad.load(path, target=target)
    for name in re.findall(r"(?m)^fn (\w+)", path.read_text(encoding="utf-8")):
        assert callable(getattr(module, name))


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_the_tests_of_an_example_pass(path: Path) -> None:
    from mgrad.verbs.test import test

    outcome = test(path)
    assert not outcome.failures, outcome.text()


@pytest.mark.parametrize("path", CHECKED)
def test_every_gradient_is_proved_or_has_its_reason(path: Path) -> None:
    report = mgrad.check(path, budget=240)
    assert not report.refuted, report.text()
    assert unproved(json.loads(report.json())) == set(NOT_PROVED[path.stem])


def unproved(data: dict[str, Any]) -> set[str]:
    """The functions of a certificate that are not proved, or were not reached."""
    found = set(data["not_reached"])
    for function in data["functions"]:
        if any(verdict["status"] != "proved" for verdict in function["verdicts"]):
            found.add(function["name"])
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_is_laid_out_canonically(path: Path) -> None:
    done = mgrad_command("fmt", "--check", str(path))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_each_function_with_a_docstring_is_tested_or_called(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = re.sub(r"#.*", "", text)
    for name in re.findall(r"(?m)^fn (\w+)", text):
        uses = len(re.findall(rf"\b{name}\b", code))
        assert uses > 1, f"{name} is neither tested nor used"


def test_physics_holds_at_least_48_formulas_with_source_and_domain() -> None:
    text = (ROOT / "examples" / "physics.mg").read_text(encoding="utf-8")
    heads = re.findall(r"(?m)((?:^##.*\n)+)^fn \w+\(([^={]*)", text)
    sourced = [doc for doc, head in heads if re.search(r"\d{4}|sec\.|art\.|eq|ch\.", doc)]
    with_domain = [head for _, head in heads if " in (" in head or " in [" in head]
    assert len(sourced) >= 48
    assert len(with_domain) >= 48


def test_optimise_finds_every_published_minimum() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "optimise.py")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "all 21 published minima found"
    assert len(done.stdout.splitlines()) == 23


def test_the_functions_of_optimise_are_those_of_the_file() -> None:
    text = (ROOT / "examples" / "optimisation.mg").read_text(encoding="utf-8")
    script = (ROOT / "examples" / "optimise.py").read_text(encoding="utf-8")
    names = {n for n in re.findall(r"(?m)^fn (\w+)", text) if not n.endswith("_term")}
    assert names == set(re.findall(r'Problem\("(\w+)"', script))


def test_the_wrong_answer_of_a_student_is_refused_with_a_point() -> None:
    path = ROOT / "examples" / "refused" / "student.mg"
    with pytest.raises(MgradError) as caught:
        mgrad.compile(path)
    (fault,) = caught.value.diagnostics
    assert fault.code == "E301"
    assert fault.span is not None
    assert fault.span.line == 11
    # tanh' = 1 - tanh^2, where the student wrote 1 - tanh
    match = re.fullmatch(
        r"the derivative stated for 'tanh_by_exp' by 'n' is wrong at n = (\S+): "
        r"(\S+), where (\S+) is right.*",
        fault.message,
    )
    assert match is not None, fault.message
    n, stated, right = map(float, match.groups())
    assert stated == pytest.approx(1 - math.tanh(n), rel=1e-4)
    assert right == pytest.approx(1 - math.tanh(n) ** 2, rel=1e-4)


def mgrad_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mgrad", *arguments],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        timeout=120,
    )
