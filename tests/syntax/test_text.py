"""Bytes that are no text, line ends, the catalogue's page."""

from inspect import getdoc

import pytest

from mgrad.compiler.diagnostics import render
from mgrad.compiler.errors import CATALOGUE, syntax
from mgrad.compiler.errors.__main__ import page
from mgrad.compiler.source import Source
from mgrad.compiler.syntax.parse import parse


def test_what_is_not_utf8_is_shown_with_its_place() -> None:
    data = b"fn f(x) = x\nfn g(\xe9) = 1\n"
    text = render(syntax.NotUtf8(Source("a.mg", data.decode(errors="replace")), 17, 0xE9))
    assert "byte 0xe9 at offset 17" in text
    assert "a.mg:2:6" in text


def test_windows_line_ends_and_tabs() -> None:
    parsed = parse(Source("a.mg", "fn f(x) {\r\n\ty = x  # c\r\n\treturn y\r\n}\r\n"))
    assert parsed.faults == []
    assert parsed.file is not None and len(parsed.file.definitions) == 1


@pytest.mark.parametrize("end", [" ", "\n   ", "\n\t", "  # c", " \r", "\n\n\n "])
def test_a_file_may_end_in_blanks(end: str) -> None:
    parsed = parse(Source("a.mg", "fn f(x) = x" + end))
    assert parsed.faults == []
    assert parsed.file is not None and len(parsed.file.definitions) == 1


def test_every_class_has_a_page_with_its_code() -> None:
    for code, kind in CATALOGUE.items():
        assert getdoc(kind), code
        assert f"### {code} {kind.__name__}\n" in page()
