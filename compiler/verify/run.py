"""Checking in a process of its own, which has a budget of time and can be stopped."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
from collections.abc import Callable
from typing import Any

from mgrad.compiler.sema.program import Program
from mgrad.compiler.verify.certificate import Report, check_module, report_of

GRACE = 20.0  # seconds beyond the budget before the process is ended

Build = Callable[[], tuple[Program, str]]


def check(build: Build, target: str, budget: float) -> Report:
    """The report on a program and a text. `build` gives both, here and in the process that checks.

    The process writes what it knows after each function. If it has to be ended, the functions
    that are missing then are said to be not reached.
    """
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "fork")
    receiver, sender = context.Pipe(duplex=False)
    program, text = build()
    worker = context.Process(target=_work, args=(sender, program, text, target, budget))
    worker.start()
    sender.close()
    last: dict[str, Any] | None = None
    try:
        while receiver.poll(budget + GRACE):
            message = receiver.recv()
            if message is None:
                break
            last = message
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
    if last is None:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Report(program.source.path, target, digest, (), "", tuple(names))
    report = report_of(last)
    known = {f.name for f in report.functions} | set(report.missing)
    missing = report.missing + tuple(n for n in names if n not in known and not report.reason)
    return Report(
        report.source, report.target, report.sha256, report.functions, report.reason, missing
    )


def _work(sender: Any, program: Program, text: str, target: str, budget: float) -> None:
    report = check_module(
        program, text, target, budget, stop=lambda report: sender.send(report.data())
    )
    sender.send(report.data())
    sender.send(None)
    sender.close()
