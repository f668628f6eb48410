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
from bench.timing import PROCESSOR, show


def report() -> Iterator[str]:
    yield from imports()
    text(README)  # reads the grammar
    seconds = {n: compile_time(n) for n in (1_000, 10_000, 100_000)}
    before = None
    for operations, (spent, size) in seconds.items():
        growth = f", {spent / before:.1f} times the one before" if before else ""
        yield f"{operations:>7,} operations    {show(spent)} for {size / 1e6:.2f} MB{growth}"
        before = spent


def compile_time(operations: int) -> tuple[float, int]:
    """Seconds of the processor, the median of a few runs of a short program; size of the text."""
    source = chain(operations)[0]
    times: list[float] = []
    for _ in range(5 if operations <= 1_000 else 1):
        start = PROCESSOR()
        size = len(text(source))
        times.append(PROCESSOR() - start)
    return statistics.median(times), size


def imports() -> Iterator[str]:
    """What fresh Pythons take beyond their start."""
    with tempfile.TemporaryDirectory() as folder:
        for target in ("python", "numpy"):
            Path(folder, f"for_{target}.py").write_text(text(README, target))
        runs = {
            "import mgrad": ["-c", "import mgrad"],
            "mgrad --help": ["-m", "mgrad", "--help"],
            "import numpy": ["-c", "import numpy"],
            "a module for python": ["-c", "import for_python"],
            "a module for numpy": ["-c", "import for_numpy"],
        }
        nothing = _run(["-c", "pass"], folder)
        yield f"{'python starts':<22} {show(nothing)}"
        for what, arguments in runs.items():
            yield f"{what:<22} {show(max(0.0, _run(arguments, folder) - nothing))} more"


def _run(arguments: list[str], folder: str) -> float:
    """Seconds of a fresh Python: the median of seven runs."""
    times: list[float] = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        times.append(time.perf_counter() - start)
    return statistics.median(times)
