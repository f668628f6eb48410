"""LANGUAGE, section 11: ints and bools, IEEE 754 on every target, settings, modules."""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mgrad

Load = Callable[..., ModuleType]
inf, nan = math.inf, math.nan

# head and body, arguments, the value of Python's or mathematics' meaning, its type
INTS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("(i: int, j: int) = i // j", (-7, 2), -4),
    ("(i: int, j: int) = i % j", (-7, 2), 1),
    ("(i: int) = i^3", (-3,), -27),
    ("(i: int) = i^-1", (4,), 0.25),
    ("(i: int, j: int) = i^j", (2, 3), 8.0),
    ("(i: int, j: int) = i^j", (2, -2), 0.25),
    ("(i: int) = i/2", (3,), 1.5),
    ("(i: int, b: bool) = i + b", (3, True), 4),
    ("(b: bool, c: bool) = b + c", (True, True), 2),
    ("(b: bool) = -b", (True,), -1),
    ("(b: bool) = b", (True,), True),
    ("(i: int, x) = if x > 0 then i else 2.5", (3, 1.0), 3.0),
    ("(i: int) = abs(i)", (-3,), 3),
    ("(i: int, j: int) = max(i, j)", (3, 4), 4),
    ("(x) = (x > 0) + 1", (1.0,), 2),
    ("(x) = 5", (1.0,), 5.0),
    ("(x) = -7 // 2 + x", (0.0,), -4.0),
    ("(i: int, x) = i*x", (3, 2), 6.0),
]


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_ints_and_bools_widen_and_never_narrow(load: Load, target: str) -> None:
    module = load("".join(f"fn case_{i}{c[0]}\n" for i, c in enumerate(INTS)), target)
    for i, (text, arguments, wanted) in enumerate(INTS):
        found = getattr(module, f"case_{i}")(*arguments)
        plain = found.item() if hasattr(found, "item") else found
        assert (plain, type(plain)) == (wanted, type(wanted)), text


# body, arguments, value, gradient or None: IEEE 754 and the limits of section 11
EDGES: list[tuple[str, tuple[float, ...], float, tuple[float, ...] | None]] = [
    ("(x) = 1/x", (0.0,), inf, (-inf,)),
    ("(x) = 1/x", (-0.0,), -inf, (-inf,)),
    ("(x) = log(x)", (-1.0,), nan, None),
    ("(x) = log(x)", (0.0,), -inf, (inf,)),
    ("(x) = exp(x)", (1000.0,), inf, (inf,)),
    ("(x) = sqrt(x)", (-1.0,), nan, None),
    ("(x) = sqrt(x)", (0.0,), 0, (inf,)),
    ("(x, y) = x/y", (0.0, 0.0), nan, None),
    ("(x) = x - x", (inf,), nan, (0,)),
    ("(x) = 0*x", (inf,), nan, None),
    ("(x) = x^(1/3)", (-8.0,), nan, None),
    ("(x) = x^-0.5", (0.0,), inf, None),
    ("(x) = cbrt(x)", (-8.0,), -2, (1 / 12,)),
    ("(x) = floor(x)", (inf,), inf, (0,)),
    ("(x) = round(x)", (2.5,), 2, (0,)),
    ("(x) = round(x)", (nan,), nan, None),
    ("(x, y) = max(x, y)", (nan, 1.0), nan, None),
    ("(x, y) = min(x, y)", (1.0, nan), nan, None),
    ("(x) = relu(x)", (nan,), nan, None),
    ("(x) = softplus(x)", (-inf,), 0, (0,)),
    ("(x) = sigmoid(x)", (40.0,), 1, (4.248354255291589e-18,)),
    ("(x) = log(sigmoid(x))", (-1000.0,), -1000, (1,)),
    ("(x) = lgamma(x)", (-1.0,), inf, None),
    ("(x) = sin(x)", (inf,), nan, None),
    ("(x) = acosh(x)", (0.5,), nan, None),
    ("(y, x) = atan2(y, x)", (0.0, 0.0), 0, (0, 0)),
    ("(x) = max(x, 2*x, 0)", (0.0,), 0, (1,)),
    ("(x) = clip(x, 0, 1)", (1.0,), 1, (0.5,)),
    ("(x) = if x > 0 then exp(-1/x) else 0", (0.0,), 0, (0,)),
    ("(x) = if x > 0 then sqrt(x) else 0", (-1.0,), 0, (0,)),
]


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_edges_follow_ieee_754(load: Load, target: str, level: int) -> None:
    text = "".join(f"fn case_{i}{case[0]}\n" for i, case in enumerate(EDGES))
    module = load(text, target, level)
    for i, (body, arguments, value, gradient) in enumerate(EDGES):
        found, slopes = getattr(module, f"case_{i}_value_and_grad")(*arguments)
        assert float(found) == pytest.approx(value, rel=1e-15, abs=0, nan_ok=True), body
        assert getattr(module, f"case_{i}")(*arguments) == pytest.approx(found, nan_ok=True), body
        if gradient is not None:
            assert slopes == pytest.approx(gradient, rel=1e-15, abs=0), body


def test_settings_are_built_in(load: Load) -> None:
    program = (
        "const w = 3\nfn f(x; k = 2, s = w) = k*x*s\nfn g(x) = f(x, k=5)\n"
        "fn open(x; k) = k*x\nfn h(x) = open(x, k=4)\nfn i(x; k = 7) = k*x\n"
    )
    module = load(program)
    assert [module.f(1.0), module.g(1.0), module.h(1.0), module.i(1.0)] == [6, 15, 4, 7]
    assert not hasattr(module, "open")
    module = load(program, settings={"w": 10, "f.k": 10})
    assert [module.f(1.0), module.g(1.0), module.i(1.0)] == [100, 50, 7]


def test_imports_are_relative_and_not_passed_on(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.mg").write_text('use "./sub/b.mg": square, k\nfn f(x) = square(x)*k\n')
    (tmp_path / "sub" / "b.mg").write_text(
        'use "../c.mg": same\nconst k = 7\nfn square(x) = same(x)^2\ntest square(2) == 5\n'
    )
    (tmp_path / "c.mg").write_text("fn same(x) = x\n")
    assert mgrad.load(tmp_path / "a.mg").f_value_and_grad(2.0) == (28, (28,))
    (tmp_path / "d.mg").write_text('use "./sub/b.mg": same\n')
    with pytest.raises(mgrad.MgradError, match="E134"):
        mgrad.compile(tmp_path / "d.mg")


def test_text_of_a_source_never_becomes_code(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = [
        '"""',
        "\\",
        '\\"\\"\\"',
        '""" + str(print(1)) + """',
        "\\x22",
        "\rprint(1)",
        "\x85print(1)",
    ]
    evil += ["\u2028print(1)", "\x0cprint(1)", "\\N{DIGIT ONE}", "end\\", "{x}", "%s"]
    for text in evil:
        program = (
            f"## doc {text}\nfn f(x) {{\n  # c {text}\n  y = x^2  # d {text}\n  return y\n}}\n"
        )
        assert load(program).f_value_and_grad(3.0) == (9, (6,)), text
    assert capsys.readouterr().out == ""
