"""The driver leaves the process as it found it."""

import gc

import pytest

from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.driver import compile
from mgrad.compiler.source import Source


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("text", ["fn f(x) = x*sin(x)\n", "fn f(x) = y\n"])
def test_the_collector_is_as_it_was(enabled: bool, text: str) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        try:
            made = compile(Source("t.mg", text))
        except MgradError as error:
            assert "y" in str(error)
        else:
            assert "def f(x)" in made.text
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()
