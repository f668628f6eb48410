"""docs/ops.md is the table's page, its numbers are bounds, and large ones have a reason."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mgrad.compiler.ops import TABLE
from mgrad.compiler.ops.page import page
from tests.ops.accuracy import measure, measured_ops

ROOT = Path(__file__).parents[2]
ACCURACY: dict[str, Any] = json.loads((ROOT / "docs/accuracy.json").read_text("utf-8"))


def test_the_page_is_the_tables() -> None:
    assert (ROOT / "docs/ops.md").read_text("utf-8") == page(ACCURACY)


def test_the_command_prints_the_page() -> None:
    command = [sys.executable, "-m", "mgrad.compiler.ops", str(ROOT / "docs/accuracy.json")]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
    assert done.stdout.decode("utf-8").replace("\r\n", "\n") == page(ACCURACY)


def test_every_op_is_measured() -> None:
    assert set(ACCURACY) == {op.name for op in measured_ops()}


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("name", list(ACCURACY))
def test_the_numbers_are_bounds(name: str, target: str) -> None:
    # The points are a part of those that the page was measured at.
    for error in measure(TABLE[name], target, count=60):
        bound, _ = ACCURACY[name][target][error.order]
        assert error.ulps <= (math.inf if bound is None else bound), error


@pytest.mark.parametrize("name", list(ACCURACY))
def test_a_large_error_has_a_reason(name: str) -> None:
    bounds = [b for orders in ACCURACY[name].values() for b, _ in orders.values()]
    if any(b is None or b > 8 for b in bounds):
        assert TABLE[name].accuracy, f"{name}: {bounds}"
