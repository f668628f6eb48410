"""Text to text, and what an import costs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.compiled import text
from bench.scalar import README, chain
from bench.timing import show


def report() -> Iterator[str]:
    before = None
    for operations in (1_000, 10_000, 100_000):
        source = chain(operations)[0]
        start = time.perf_counter()
        size = len(text(source))
        seconds = time.perf_counter() - start
        growth = f", {seconds / before:.1f} times the one before" if before else ""
        yield f"{operations:>7,} operations   {show(seconds)} for {size / 1e6:.2f} MB{growth}"
        before = seconds
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "generated.py").write_text(text(README))
        nothing = _run(["-c", "pass"], folder)
        yield f"python starts          {show(nothing)}"
        for what, arguments in (
            ("import mgrad", ["-c", "import mgrad"]),
            ("mgrad --help", ["-m", "mgrad", "--help"]),
            ("a generated module", ["-c", "import generated"]),
        ):
            yield f"{what:<23}{show(max(0.0, _run(arguments, folder) - nothing))} more"


def _run(arguments: list[str], folder: str) -> float:
    """The median of seven runs of a fresh Python."""
    times: list[float] = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        times.append(time.perf_counter() - start)
    return statistics.median(times)
