"""Checking in a process of its own, which has a budget of time and can be stopped."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mgrad.compiler.sema.program import Program
from mgrad.compiler.verify.certificate import Report, check_modules

GRACE = 20.0  # seconds beyond the budget before the process is ended


def check(program: Program, texts: Mapping[str, str], budget: float) -> tuple[Report, ...]:
    """The reports on the texts of a program, by target.

    The process tells what it knows after each function. If it has to be ended, the functions that
    are missing then are said to be not reached.
    """
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "fork")
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(sender, program, texts, budget))
    worker.start()
    sender.close()
    reports = tuple(
        Report(program.source.path, target, hashlib.sha256(text.encode()).hexdigest())
        for target, text in texts.items()
    )
    try:
        while receiver.poll(budget + GRACE):
            message = receiver.recv()
            if message is None:
                break
            reports = message
    except EOFError:
        pass
    finally:
        if worker.is_alive():
            worker.join(1.0)
        if worker.is_alive():
            worker.kill()
        worker.join()
        receiver.close()
    names = [f.name for f in program.functions.values() if f.is_entry]
    return tuple(_complete(report, names) for report in reports)


def _complete(report: Report, names: list[str]) -> Report:
    if report.reason:
        return report
    known = {f.name for f in report.functions}
    return replace(report, missing=tuple(n for n in names if n not in known))


def _work(sender: Any, program: Program, texts: Mapping[str, str], budget: float) -> None:
    for reports in check_modules(program, texts, budget):
        sender.send(reports)
    sender.send(None)
    sender.close()
