"""`check`: every gradient of the emitted text against SymPy's, its numbers against 100 digits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrad import files
from mgrad.compiler.targets import TARGETS
from mgrad.compiler.verify.certificate import Report
from mgrad.verbs.compile import Number, build, understand
from mgrad.verbs.load import raise_missing


@dataclass(frozen=True, slots=True)
class Checked:
    """The reports on the modules of one file, a target each."""

    reports: tuple[Report, ...]

    @property
    def refuted(self) -> bool:
        """Whether any gradient is refuted, a module cannot be checked at all or raises, or the
        check itself failed."""
        from mgrad.compiler.verify.certificate import FAILED

        functions = [f for report in self.reports for f in report.functions]
        numbers = [f.numbers for f in functions if f.numbers is not None]
        return (
            any(report.is_refuted for report in self.reports)
            or any(e.kind == "raises" for n in numbers for e in n.exceptions)
            or any(v.reason.startswith(FAILED) for f in functions for v in f.verdicts)
        )

    def text(self) -> str:
        """What the command prints."""
        from mgrad.compiler.verify.summary import summary

        return summary(self.reports)

    def json(self) -> str:
        """The certificate: each module by the hash of its text, each function with its target."""
        data = [report.data() for report in self.reports]
        modules = [{k: d[k] for k in ("target", "sha256", "reason")} for d in data]
        functions = [{"target": d["target"], **f} for d in data for f in d["functions"]]
        missing = dict.fromkeys(name for d in data for name in d["not_reached"])
        whole: dict[str, Any] = {
            "version": data[0]["version"],
            "source": data[0]["source"],
            "modules": modules,
            "functions": functions,
            "not_reached": list(missing),
        }
        return json.dumps(whole, indent=2, ensure_ascii=False)


def check(
    path: str | os.PathLike[str],
    *,
    module: str | os.PathLike[str] | None = None,
    budget: float = 60.0,
    level: int = 1,
    emit: Iterable[str] = (),
    settings: Mapping[str, Number] | None = None,
) -> Checked:
    """Check what the file compiles to, for each target; or a `module` as it lies on disk.

    This runs the modules, and what the file's `extern` lines name. `budget` is in seconds, for all
    of it; what was not reached is said. `emit` is as in `compile`: what it adds is checked as well.
    Nothing is written. Raises MgradError for every fault of the file, an `extern` that Python has
    not among them.
    """
    from mgrad.compiler.verify.run import check as verify

    source = files.read(path)
    if module is not None:
        text = files.read(module).text
        target = "numpy" if "\nimport numpy" in text else "python"
        program = understand(source, settings)
        raise_missing(program)
        return Checked(verify(program, {target: text}, budget))
    program = understand(source, settings)
    raise_missing(program)
    texts: dict[str, str] = {t: build(source, t, level, emit, settings).text for t in TARGETS}
    return Checked(verify(program, texts, budget))


def certificate(path: str) -> str:
    """The place of a certificate: `moons.certificate.json` beside `moons.mg` or `moons.py`."""
    return str(Path(path).with_suffix(".certificate.json"))
