"""Bad programs and what the user is told, side by side in the case files (`cases.py`)."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from mgrad.compiler import errors
from mgrad.compiler.diagnostics import MgradError, render
from mgrad.compiler.source import Source


def _cases() -> ModuleType:
    """The module beside this one: test folders are no packages."""
    spec = importlib.util.spec_from_file_location("bad_cases", Path(__file__).with_name("cases.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


cases = _cases()


def messages(source: str) -> str:
    """What the user sees when the source is compiled: text below the front door reads no files."""
    from mgrad.compiler.driver import Options, compile

    try:
        compiled = compile(Source("case.mg", source), Options(), lambda path, importer: None)
    except MgradError as error:
        return "\n\n".join(_trimmed(render(fault)) for fault in error.diagnostics)
    return "\n\n".join(_trimmed(render(note)) for note in compiled.notes)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("path", list(cases.ALL), ids=lambda path: path.stem)
def test_messages_are_the_golden_ones(path: Path, update: bool) -> None:
    found = [replace(case, messages=messages(cases.text(case))) for case in cases.ALL[path]]
    if update:
        cases.write(path, found)
        return
    assert len({case.name for case in found}) == len(found), "two cases have one name"
    for case, now in zip(cases.ALL[path], found, strict=True):
        assert case.messages, f"{case.name} has no golden messages: pytest --update"
        assert now.messages == case.messages, case.name
        assert now.messages, f"{case.name}: nothing is wrong with it"


def test_every_fault_of_the_text_has_a_case() -> None:
    shown = "\n".join(case.messages for found in cases.ALL.values() for case in found)
    missing = [
        f"{code} {kind.__name__}"
        for code, kind in errors.CATALOGUE.items()
        if kind.__module__ == errors.syntax.__name__
        and f"[{code}]" not in shown
        and kind is not errors.syntax.NotUtf8  # of bytes, not of a text: tests/syntax/test_text.py
    ]
    assert missing == []
