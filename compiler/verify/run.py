"""Checking in a process of its own, which has a budget of time and can be stopped."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mgrad.compiler.sema.program import Program
from mgrad.compiler.verify.certificate import FAILED, Report, check_modules, failed

GRACE = 20.0  # seconds beyond the budget before the process is ended


def check(program: Program, texts: Mapping[str, str], budget: float) -> tuple[Report, ...]:
    """The reports on the texts of a program, by target.

    The process tells what it knows after each function. If it has to be ended, the functions that
    are missing then are said to be not reached; if it fails, how.
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
    failure = ""
    try:
        while receiver.poll(budget + GRACE):
            message = receiver.recv()
            if isinstance(message, str):
                failure = message
                break
            reports = message
    except EOFError:
        failure = f"{FAILED}: its process ended"
    finally:
        if worker.is_alive():
            worker.join(1.0)
        if worker.is_alive():
            worker.kill()
        worker.join()
        receiver.close()
    return tuple(_complete(report, program, failure) for report in reports)


def _complete(report: Report, program: Program, failure: str) -> Report:
    """The report with what is missing in it."""
    known = {f.name for f in report.functions}
    missing = [f for f in program.functions.values() if f.is_entry and f.name not in known]
    if report.reason or not missing:
        return report
    if not failure:
        return replace(report, missing=tuple(f.name for f in missing))
    rest = [failed(function, failure) for function in missing]
    return replace(report, functions=(*report.functions, *rest), missing=())


def _work(sender: Any, program: Program, texts: Mapping[str, str], budget: float) -> None:
    try:
        for reports in check_modules(program, texts, budget):
            sender.send(reports)
        sender.send("")
    except Exception as error:  # the rest of the reports is worth having
        sender.send(f"{FAILED}, please report it: {type(error).__name__}: {error}")
    sender.close()
