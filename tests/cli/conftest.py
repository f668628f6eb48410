"""The command, run in this process: quick, and with its status and both its streams."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


Run = Callable[..., Ran]

CURVE = """\
## The lecture's first curve.
fn curve(x) = 3*x^2 - 4*x + 5

fn neuron(x1, x2, w1, w2, b) {
  n = w1*x1 + w2*x2 + b
  o = tanh(n)
  return o
}

fn scaled(x; factor = 2) = factor*x

test curve(3) == 20
test curve'(3) == 14
"""


@pytest.fixture
def mgrad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """`mgrad("eval", "curve.mg", "curve(3)")`, in a folder that holds `curve.mg` alone."""
    from mgrad import cli

    monkeypatch.chdir(tmp_path)
    (tmp_path / "curve.mg").write_text(CURVE)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["mgrad", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Ran(int(end.value.code or 0), out, err)

    return run
