"""LANGUAGE, section 7: what `==` and `~=` mean, with numbers and with free names."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mgrad.cli import app

# the line of the test, and whether it holds
LINES = [
    ("f(3) == 9", True),
    ("f(3) == 9.0000000001", False),
    ("f(1e6) ~= 1000000000000.5", True),
    ("f(1e6) ~= 1000000010000", False),
    ("f(0) ~= 1e-12", True),
    ("f(0) ~= 1e-11", False),
    ("1/0 == inf", True),
    ("0.1 + 0.2 == 0.3", True),
    ("(x > 0) == (0 < x)", True),
    ("sin(x)^2 + cos(x)^2 == 1", True),
    ("sqrt(x^2) == abs(x)", True),
    ("sqrt(x^2) == x", False),
    ("diff(f(x)*z, x) == 2*x*z", True),
    ("f'(x) + f''(x) == 2*x + 2", True),
    ("relu(x) == max(x, 0)", True),
    ("f(n) == n^2 + 1e-3", False),
    ("[1, 4] == [f(1), f(2)]", True),
    ("[1, 4] == [f(1), f(3)]", False),
    ("[1, 9][1] ~= f(3)", True),
    ("[f(i) for i in 0..3] == [0, 1, 4]", True),
    ("[[1, 2], [3, 4]] @ [1, 1] == [3, 7]", True),
    ("-[1, 2] == [-1, -2]", True),
]


@pytest.mark.parametrize(("line", "holds"), LINES)
def test_a_line_holds_or_not(tmp_path: Path, line: str, holds: bool) -> None:
    path = tmp_path / "program.mg"
    path.write_text(f"fn f(x) = x^2\ntest {line}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["test", str(path)])
    assert result.exit_code == (0 if holds else 1), result.output
