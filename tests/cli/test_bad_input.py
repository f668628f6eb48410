"""What is wrong is said in words, with the right status, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Run = Any

USAGE = [
    (("compile",), "FILE"),
    (("compile", "none.mg"), "no file none.mg"),
    (("compile", "."), "is a folder"),
    (("compile", "curve.mg", "--target", "cobol"), "cobol"),
    (("compile", "curve.mg", "-O", "7"), "-O"),
    (("compile", "curve.mg", "--emit", "jvp,poem"), "cannot emit 'poem'"),
    (("compile", "curve.mg", "--stage", "last"), "last"),
    (("compile", "curve.mg", "--set", "factor"), "name=value"),
    (("compile", "curve.mg", "--set", "factor=two"), "'two' is not a number"),
    (("compile", "curve.mg", "--set", "factor=1/0"), "divides by zero"),
    (("compile", "curve.mg", "--set", "factor=1e999999999"), "is not a number"),
    (("compile", "curve.mg", "--set", "factor=1", "--set", "factor=2"), "twice"),
    (("compile", "curve.mg", "-o", "no/such/folder.py"), "cannot write no/such/folder.py"),
    (("compile", "curve.mg", "-o", "."), "folder"),
    (("translate", "curve.mg"), "translate"),
    (("diff", "curve.mg", "curv"), "did you mean 'curve'"),
    (("diff", "curve.mg", "curve", "--wrt", "y"), "no real argument 'y'"),
    (("explain", "curve.mg", "bend"), "no function 'bend'"),
    (("graph", "curve.mg", "curve", "-o", "c.jpeg"), ".jpeg"),
    (("graph", "curve.mg", "curve", "--at", "y=1", "-o", "c.svg"), "no argument 'y'"),
    (("graph", "curve.mg", "neuron", "--at", "x1=1", "-o", "c.svg"), "'x2'"),
    (("graph", "curve.mg", "curve", "--backward", "-o", "c.svg"), "--at"),
    (("eval", "curve.mg", ""), "one expression"),
    (("eval", "curve.mg", "1\nfn evil() = 2"), "one expression"),
    (("eval", "none.mg", "f(1)"), "no file"),
    (("check", "curve.mg", "--module", "none.py"), "none.py"),
    (("fmt",), "FILE"),
    (("test", "none.mg"), "no file"),
]


@pytest.mark.parametrize(("arguments", "said"), USAGE)
def test_a_wrong_command_line(
    mgrad: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = mgrad(*arguments)
    assert ran.status == 2, ran.err
    assert said in ran.err
    assert ran.out == ""
    assert os.listdir(tmp_path) == ["curve.mg"]


FAULTS = [
    ("fn f(x) = sigmod(x)\n", "sigmoid"),
    ("fn f(x) = (x\n", "bad.mg:1"),
    ("fn f(x) = f(x)\n", "bad.mg:1"),
    ('use "./none.mg": g\nfn f(x) = g(x)\n', "none.mg"),
]


@pytest.mark.parametrize(("text", "said"), FAULTS)
@pytest.mark.parametrize(
    "verb", ["compile", "check", "diff", "eval", "test", "graph", "explain", "bench"]
)
def test_a_fault_of_the_file(mgrad: Run, tmp_path: Path, verb: str, text: str, said: str) -> None:
    (tmp_path / "bad.mg").write_text(text)
    more = {"eval": ["f(1)"], "explain": ["f"], "graph": ["f", "-o", "f.svg"]}.get(verb, [])
    ran = mgrad(verb, "bad.mg", *more)
    assert ran.status == 1, ran.err
    assert said in ran.err
    assert sorted(os.listdir(tmp_path)) == ["bad.mg", "curve.mg"]


def test_every_independent_fault_at_once(mgrad: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.mg").write_text("fn f(x) = xx\n\nfn g(y) = yy\n")
    err = mgrad("compile", "bad.mg").err
    assert "bad.mg:1:11" in err and "bad.mg:3:11" in err


def test_not_utf_8(mgrad: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.mg").write_bytes(b"fn f(x) = x\n# caf\xe9\n")
    ran = mgrad("compile", "bad.mg")
    assert ran.status == 1 and "bad.mg:2" in ran.err and "UTF-8" in ran.err


@pytest.mark.parametrize(
    ("expression", "said"),
    [("curve(", "curve("), ("curv(3)", "curve"), ("curve(y)", "y"), ("curve(1, 2)", "curve")],
)
def test_a_fault_of_the_expression(mgrad: Run, expression: str, said: str) -> None:
    ran = mgrad("eval", "curve.mg", expression)
    assert ran.status == 1
    assert "expression:1" in ran.err and said in ran.err


def test_a_result_never_overwrites_its_source(mgrad: Run, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("fn f(x) = x\n")
    ran = mgrad("compile", "model.py")
    assert ran.status == 2 and "overwritten" in ran.err
    assert (tmp_path / "model.py").read_text() == "fn f(x) = x\n"


def test_an_unwritable_result(mgrad: Run, tmp_path: Path) -> None:
    out = tmp_path / "curve.py"
    out.mkdir()
    ran = mgrad("compile", "curve.mg")
    assert ran.status == 2 and "cannot write curve.py" in ran.err


def test_what_the_code_raises_is_told(
    mgrad: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "moody_too.py").write_text("def same(x):\n    return [x][int(x == 7)]\n")
    (tmp_path / "ext.mg").write_text(
        'extern fn same(x) = "moody_too.same"\nderivative same(x) = 1\nfn f(x) = same(x)\n'
    )
    assert mgrad("eval", "ext.mg", "f(6)").out.startswith("f(6) = 6\n")
    ran = mgrad("eval", "ext.mg", "f(7)")
    assert ran.status == 1 and "f(7): IndexError" in ran.err


@pytest.mark.parametrize("verb", ["eval", "test", "bench"])
def test_an_extern_that_is_not_there(mgrad: Run, tmp_path: Path, verb: str) -> None:
    (tmp_path / "ext.mg").write_text(
        'extern fn g(x) = "math.no_such"\nderivative g(x) = 1\nfn f(x) = g(x)\ntest f(1) == 1\n'
    )
    ran = mgrad(verb, "ext.mg", *(["f(1)"] if verb == "eval" else []))
    assert ran.status == 1 and "no_such" in ran.err


def test_a_fault_of_ours_asks_for_a_report(mgrad: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from mgrad.compiler.diagnostics import InternalError
    from mgrad.verbs import compile as verb

    def broken(*_: object) -> None:
        raise InternalError("schedule", "two lines of one name")

    monkeypatch.setattr(verb, "build", broken)
    ran = mgrad("compile", "curve.mg")
    assert ran.status == 1
    assert "schedule" in ran.err and "Please report it" in ran.err


def test_a_closed_pipe_is_quiet(mgrad: Run, tmp_path: Path) -> None:
    command = f"{sys.executable} -m mgrad compile curve.mg -o - | true"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stderr == ""
