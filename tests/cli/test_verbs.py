"""Each verb, on a good file."""

import json
import math
import os
import re
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import pytest

Run = Any


def test_help_names_every_verb(mgrad: Run) -> None:
    ran = mgrad("--help")
    assert ran.status == 0
    for verb in ["compile", "check", "diff", "eval", "test", "graph", "explain", "bench", "fmt"]:
        assert f"\n  {verb} " in ran.out


def test_version(mgrad: Run) -> None:
    from mgrad import __version__

    assert mgrad("--version").out == f"mgrad {__version__}\n"


def test_compile_writes_beside_the_file(mgrad: Run, tmp_path: Path) -> None:
    ran = mgrad("compile", "curve.mg")
    assert (ran.status, ran.out) == (0, "")
    space: dict[str, Any] = {}
    exec((tmp_path / "curve.py").read_text(), space)
    assert space["curve_value_and_grad"](3.0) == (20.0, (14.0,))
    assert sorted(os.listdir(tmp_path)) == ["curve.mg", "curve.py"]


def test_compile_to_standard_output(mgrad: Run, tmp_path: Path) -> None:
    ran = mgrad("compile", "curve.mg", "-o", "-")
    assert ran.status == 0
    space: dict[str, Any] = {}
    exec(ran.out, space)
    assert space["curve"](3.0) == 20.0
    assert os.listdir(tmp_path) == ["curve.mg"]


def test_compile_for_numpy(mgrad: Run, tmp_path: Path) -> None:
    assert mgrad("compile", "curve.mg", "--target", "numpy", "-o", "out.py").status == 0
    assert "import numpy as np" in (tmp_path / "out.py").read_text()


def test_compile_emits_more_on_request(mgrad: Run) -> None:
    text = mgrad("compile", "curve.mg", "-o", "-", "--emit", "jvp,hessian").out
    assert "def curve_jvp(" in text and "def curve_hessian(" in text
    assert "def curve_jacobian(" not in text


@pytest.mark.parametrize("name", ["factor", "scaled.factor"])
def test_a_setting_is_built_in(mgrad: Run, name: str) -> None:
    ran = mgrad("eval", "curve.mg", "scaled(1)", "--set", f"{name}=1/4")
    assert ran.out.splitlines() == ["scaled(1) = 0.25", "  dscaled/dx = 0.25"]


def test_the_stages_are_those_of_the_compiler() -> None:
    from mgrad.cli import Stage
    from mgrad.compiler.driver import STAGES

    assert tuple(Stage) == STAGES


@pytest.mark.parametrize("stage", ["ast", "typed", "ir", "adjoint", "optimised", "schedule"])
def test_every_stage_prints(mgrad: Run, tmp_path: Path, stage: str) -> None:
    ran = mgrad("compile", "curve.mg", "--stage", stage)
    assert ran.status == 0
    assert "curve" in ran.out and "neuron" in ran.out
    assert os.listdir(tmp_path) == ["curve.mg"]


def test_an_existing_file_keeps_its_mode(mgrad: Run, tmp_path: Path) -> None:
    out = tmp_path / "curve.py"
    out.write_text("old")
    out.chmod(0o640)
    assert mgrad("compile", "curve.mg").status == 0
    assert out.stat().st_mode & 0o777 == 0o640


def test_eval_shows_value_and_gradient(mgrad: Run) -> None:
    assert mgrad("eval", "curve.mg", "curve(3)").out == "curve(3) = 20\n  dcurve/dx = 14\n"


def test_eval_takes_constant_expressions(mgrad: Run) -> None:
    lines = mgrad("eval", "curve.mg", "neuron(1/2, 0, sqrt(4), 1, -1)").out.splitlines()
    assert lines[0] == "neuron(1/2, 0, sqrt(4), 1, -1) = 0"
    gradient = {line.split("=")[0].strip(): float(line.split("=")[1]) for line in lines[1:]}
    assert gradient == {
        "dneuron/dx1": 2.0,
        "dneuron/dx2": 1.0,
        "dneuron/dw1": 0.5,
        "dneuron/dw2": 0.0,
        "dneuron/db": 1.0,
    }


def test_eval_of_a_derivative(mgrad: Run) -> None:
    assert mgrad("eval", "curve.mg", "curve'(3)").out == "curve'(3) = 14\n  dcurve'/dx = 6\n"


def test_eval_of_an_expression(mgrad: Run) -> None:
    ran = mgrad("eval", "curve.mg", "curve(3)/curve(1) + sin(0)")
    assert ran.out == "curve(3)/curve(1) + sin(0) = 5\n"


@pytest.mark.parametrize(
    ("call", "value", "partials"),
    [
        ("h(x=2)", "4", ["dh/dx = 4"]),
        ("h(x=2, factor=3)", "12", ["dh/dx = 12"]),
        ("two(y=2, x=3)", "6, 5", ["dtwo[0]/dx = 2", "dtwo[0]/dy = 3"]),
        ("count(n=3)", "7.5", []),
        ("large(2)", "true", []),
        ("mixed(3)", "9, true", ["dmixed[0]/dx = 6"]),
        ("opaque(4)", "2", []),
        ("h(h(2))", "16", ["dh/dx = 8"]),
        ("(h(2))", "4", ["dh/dx = 4"]),
    ],
)
def test_eval_of_any_call(
    mgrad: Run, tmp_path: Path, call: str, value: str, partials: list[str]
) -> None:
    (tmp_path / "calls.mg").write_text(
        "fn h(x; factor = 1) = factor*x^2\nfn two(x, y) = x*y, x + y\nfn count(n: int) = n*2.5\n"
        "fn large(x) = x > 1\nfn mixed(x) = x^2, x > 1\n"
        'extern fn root(x) = "math.sqrt"\nfn opaque(x) = root(x)\n'
    )
    ran = mgrad("eval", "calls.mg", call)
    assert ran.status == 0, ran.err
    lines = [line.strip() for line in ran.out.splitlines()]
    assert lines[0] == f"{call} = {value}" and set(partials) <= set(lines)
    assert bool(partials) == (len(lines) > 1)


def test_eval_places_every_fault_in_the_expression(mgrad: Run) -> None:
    err = mgrad("eval", "curve.mg", "curve(p) + q").err
    assert "expression:1:7" in err and "expression:1:12" in err
    assert err.count("eval wants numbers") == 2
    err = mgrad("eval", "curve.mg", "neuron(x1=1, 2)").err
    assert "expression:1:8" in err and "fn value" not in err


def test_diff_by_sympy(mgrad: Run) -> None:
    ran = mgrad("diff", "curve.mg", "curve")
    assert ran.out == "curve(x) = 3*x^2 - 4*x + 5\n  dcurve/dx = 6*x - 4\n"


def test_diff_by_one_argument_as_latex(mgrad: Run) -> None:
    ran = mgrad("diff", "curve.mg", "neuron", "--wrt", "b", "--latex")
    assert r"\frac{\partial neuron}{\partial b}" in ran.out and r"\tanh" in ran.out
    assert "partial w" not in ran.out


def test_test_counts_what_it_ran(mgrad: Run) -> None:
    ran = mgrad("test", "curve.mg")
    assert ran.status == 0 and "2" in ran.out


def test_a_failing_test_shows_both_sides(mgrad: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.mg").write_text("fn f(x) = x^2\ntest f(3) == 10\n")
    ran = mgrad("test", "wrong.mg")
    assert ran.status == 1
    said = ran.out + ran.err
    assert "wrong.mg:2" in said and "9" in said and "10" in said


def test_check_proves_and_leaves_a_certificate(mgrad: Run, tmp_path: Path) -> None:
    ran = mgrad("check", "curve.mg")
    assert ran.status == 0 and "proved" in ran.out
    assert len(os.listdir(tmp_path)) == 2


def test_check_as_json(mgrad: Run) -> None:
    assert json.loads(mgrad("check", "curve.mg", "--json").out)


def test_check_refutes_a_changed_module(mgrad: Run, tmp_path: Path) -> None:
    assert mgrad("compile", "curve.mg").status == 0
    out = tmp_path / "curve.py"
    text = out.read_text()
    wrong, found = re.subn(r"(1(\.0)?) - o\*o", r"\1 + o*o", text)
    assert found
    out.write_text(wrong)
    ran = mgrad("check", "curve.mg", "--module", "curve.py")
    assert ran.status == 1 and "refuted" in ran.out


def test_diff_writes_choices_in_the_language(mgrad: Run, tmp_path: Path) -> None:
    (tmp_path / "kinks.mg").write_text(
        "fn huber(r, delta = 1) = if abs(r) <= delta then r^2/2 else delta*(abs(r) - delta/2)\n"
        "fn both(x) = if x > 0 and not x > 1 then x else lgamma(x)\n"
        "fn polar(x, y) = sqrt(x^2 + y^2), atan2(y, x)\n"
        "fn far(x) = x^2, x > 1\nfn turn(x) = sin(pi*x)\n"
    )
    out = mgrad("diff", "kinks.mg").out
    assert "  dhuber/dr = if delta >= abs(r) then r else delta*sign(r)\n" in out
    assert "ITE" not in out and "&" not in out and "Piecewise" not in out and "gamma(0" not in out
    assert "  dfar[0]/dx = 2*x\n" in out and "dfar[1]" not in out
    assert "  dturn/dx = pi*cos(pi*x)\n" in out
    latex = mgrad("diff", "kinks.mg", "--latex").out
    assert r"\begin{cases} r & \text{for}\: \delta \geq \left|{r}\right|" in latex
    assert r"\frac{\partial polar_{1}}{\partial x}" in latex and "ITE" not in latex


POINT = "x1=2,x2=0,w1=-3,w2=1,b=6.8813735870195432"


@pytest.mark.parametrize(("name", "start"), [("n.png", b"\x89PNG"), ("n.dot", b"digraph")])
def test_graph_formats(mgrad: Run, tmp_path: Path, name: str, start: bytes) -> None:
    assert mgrad("graph", "curve.mg", "neuron", "--at", POINT, "-o", name).status == 0
    assert (tmp_path / name).read_bytes().startswith(start)


def test_graph_has_the_numbers_of_the_lecture(mgrad: Run, tmp_path: Path) -> None:
    assert mgrad("graph", "curve.mg", "neuron", "--at", POINT, "-o", "n.svg").status == 0
    tree = xml.parse(tmp_path / "n.svg")
    words = [e.text for e in tree.iter("{http://www.w3.org/2000/svg}text")]
    y = math.tanh(2 * -3 + 6.8813735870195432)
    assert f"data {y:.4f}" in words and f"grad {-3 * (1 - y * y):.4f}" in words
    assert {"tanh", "+", "*", "n", "o", "x1", "grad 1.0000"} <= set(words)


def test_the_same_picture_twice(mgrad: Run) -> None:
    first = mgrad("graph", "curve.mg", "neuron", "-o", "-").out
    assert (
        first.startswith("<?xml") and first == mgrad("graph", "curve.mg", "neuron", "-o", "-").out
    )


def test_backward_shows_local_derivatives(mgrad: Run, tmp_path: Path) -> None:
    mgrad("graph", "curve.mg", "curve", "--at", "x=3", "--backward", "-o", "c.dot")
    text = (tmp_path / "c.dot").read_text()
    assert 'label="6.0000"' in text  # of x^2 by x at 3
    assert "grad 14.0000" in text


def test_operands_keep_their_order_where_it_matters(mgrad: Run, tmp_path: Path) -> None:
    mgrad("graph", "curve.mg", "curve", "-o", "c.dot")
    operators = re.findall(r'o\d+ \[label="(.)"( ordering=in)?\]', (tmp_path / "c.dot").read_text())
    assert sorted(set(operators)) == [
        ("*", ""),
        ("+", ""),
        ("^", " ordering=in"),
        ("−", " ordering=in"),
    ]


def test_a_picture_without_gradients(mgrad: Run, tmp_path: Path) -> None:
    (tmp_path / "ext.mg").write_text('extern fn root(x) = "math.sqrt"\nfn f(x) = root(x) + 1\n')
    ran = mgrad("graph", "ext.mg", "f", "--at", "x=9", "--backward", "-o", "f.dot")
    assert ran.status == 0, ran.err
    text = (tmp_path / "f.dot").read_text()
    assert "data 4.0000" in text and "grad " not in text


def test_a_point_beyond_the_floats(mgrad: Run) -> None:
    ran = mgrad("explain", "curve.mg", "curve", "--at", "x=1e400")
    assert ran.status == 0 and "at x = inf" in ran.out


def test_explain_names_rule_place_and_number(mgrad: Run) -> None:
    ran = mgrad("explain", "curve.mg", "neuron", "--at", POINT)
    assert ran.status == 0
    assert "curve.mg:6" in ran.out and "tanh" in ran.out and "0.5" in ran.out


def test_bench_shows_a_ratio(mgrad: Run) -> None:
    ran = mgrad("bench", "curve.mg")
    assert ran.status == 0 and "neuron" in ran.out and "ratio" in ran.out


def test_bench_knows_functions_by_pythons_names(mgrad: Run, tmp_path: Path) -> None:
    (tmp_path / "words.mg").write_text("fn lambda(class) = class^2\n")
    assert mgrad("bench", "words.mg").out.splitlines()[1].startswith("lambda ")


def test_fmt_rewrites_and_then_leaves_alone(mgrad: Run, tmp_path: Path) -> None:
    path = tmp_path / "wide.mg"
    path.write_text("fn   f( x )=x**2   # a square\n")
    assert mgrad("fmt", "--check", "wide.mg").status == 1
    assert path.read_text() == "fn   f( x )=x**2   # a square\n"
    assert mgrad("fmt", "wide.mg", "curve.mg").out == "changed wide.mg\n"
    assert path.read_text().startswith("fn f(x) = x^2")
    assert "# a square" in path.read_text()
    assert mgrad("fmt", "--check", "wide.mg").status == 0
