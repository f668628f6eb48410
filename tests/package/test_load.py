"""`mgrad.load`: a module without a file, whose tracebacks show the `.mg` line."""

import traceback
from pathlib import Path

import pytest

import mgrad


def frames(error: BaseException) -> list[tuple[str, int | None, str | None]]:
    return [(f.filename, f.lineno, f.line) for f in traceback.extract_tb(error.__traceback__)]


def test_load_gives_the_functions(tmp_path: Path) -> None:
    path = tmp_path / "curve.mg"
    path.write_text("fn f(x) = 3*x^2 - 4*x + 5\n")
    live = mgrad.load(path)
    assert live.__name__ == "curve"
    assert live.f_value_and_grad(3.0) == (20.0, (14.0,))
    assert not (tmp_path / "curve.py").exists()


def test_load_with_settings_and_target(tmp_path: Path) -> None:
    path = tmp_path / "scaled.mg"
    path.write_text("fn f(x; factor = 2) = factor*x\n")
    assert mgrad.load(path).f(3.0) == 6.0
    assert mgrad.load(path, settings={"f.factor": 0.1}).f(3.0) == 3.0 * 0.1
    values = mgrad.load(path, target="numpy").f([1.0, 2.0])
    assert values.tolist() == [2.0, 4.0]


@pytest.fixture
def moody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python function that is the identity, but will not have 7."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "moody.py").write_text(
        "def same(x):\n    if x == 7:\n        raise RuntimeError('not 7')\n    return x\n"
    )


@pytest.mark.usefixtures("moody")
def test_a_traceback_shows_the_line_of_the_source(tmp_path: Path) -> None:
    path = tmp_path / "outer.mg"
    path.write_text(
        'extern fn same(x) = "moody.same"\nderivative same(x) = 1\n\n'
        "fn f(x) {\n  y = x + 1\n  z = same(y)\n  return z*z\n}\n"
    )
    live = mgrad.load(path)
    assert live.f(1.0) == 4.0
    with pytest.raises(RuntimeError) as caught:
        live.f(6.0)
    assert frames(caught.value)[-2] == (str(path), 6, "z = same(y)")


@pytest.mark.usefixtures("moody")
def test_a_traceback_in_an_imported_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "inner.mg").write_text(
        'extern fn same(x) = "moody.same"\nderivative same(x) = 1\n'
        "fn g(x) {\n  a = same(x)\n  b = exp(a)\n  c = sin(b)*cos(a) + tanh(b)*a\n"
        "  d = exp(c)*sin(c) + cos(a)\n  return sin(b)*b + a + c*d + tanh(d)\n}\n"
    )
    path = tmp_path / "outer.mg"
    path.write_text('use "./inner.mg": g\nfn f(x) = g(x) + g(2*x) + g(3*x)\n')
    with pytest.raises(RuntimeError) as caught:
        mgrad.load(path).f(3.5)
    assert frames(caught.value)[-2] == (str(tmp_path / "inner.mg"), 4, "a = same(x)")


def test_faults_are_raised_with_their_diagnostics(tmp_path: Path) -> None:
    path = tmp_path / "bad.mg"
    path.write_text("fn f(x) = y\n")
    with pytest.raises(mgrad.MgradError) as caught:
        mgrad.load(path)
    assert len(caught.value.diagnostics) == 1
    assert "bad.mg:1:11" in str(caught.value)
