"""Values and derivatives at edges and where they overflow, in every routine of a module."""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import mgrad

FORMULAS = {
    "logistic": "sigmoid(x)",
    "plus": "softplus(x)",
    "log_logistic": "log(sigmoid(x))",
    "cube": "x^3",
    "inverse": "1/x",
    "root": "if x > 0 then sqrt(x) else 0",
    "bump": "if x > 0 then exp(-1/x) else 0",
    "bumps": "if x > 0 then x^2*exp(-1/x) + tanh(1/x) else 1",
    "tail": "if x > 0 then erfc(1/x^2) else 0",
    "rectified": "relu(x)",
    "size": "abs(x)",
}
SMALL = math.exp(-40) / (1 + math.exp(-40)) ** 2
E = math.exp(-1)

# formula, x, the value and two derivatives, by hand
CASES = [
    ("logistic", 40.0, (1 / (1 + math.exp(-40)), SMALL, -SMALL)),
    ("logistic", -40.0, (SMALL, SMALL, SMALL)),
    ("logistic", 1000.0, (1, 0, 0)),
    ("logistic", -1000.0, (0, 0, 0)),
    ("plus", 1000.0, (1000, 1, 0)),
    ("plus", -1000.0, (0, 0, 0)),
    ("log_logistic", -1000.0, (-1000, 1, 0)),
    ("log_logistic", 1000.0, (0, 0, 0)),
    ("cube", 0.0, (0, 0, 0)),
    ("inverse", 0.0, (math.inf, -math.inf, math.inf)),
    ("root", 0.0, (0, 0, 0)),
    ("root", -4.0, (0, 0, 0)),
    ("root", 4.0, (2, 1 / 4, -1 / 32)),
    ("bump", 1.0, (E, E, -E)),
    *(("bump", x, (0, 0, 0)) for x in (0.0, -1.0, -1e-3, 1e-3, 1e-150, 1e-200, 1e-310, 5e-324)),
    *(("bumps", x, (1, 0, 0)) for x in (0.0, -1.0, 1e-150, 1e-200, 1e-310, 5e-324)),
    *(("tail", x, (0, 0, 0)) for x in (0.0, -1.0, 1e-3, 1e-150, 1e-200, 1e-310, 5e-324)),
    ("rectified", 0.0, (0, 0, 0)),
    ("size", 0.0, (0, 0, 0)),
    ("size", -2.0, (2, -1, 0)),
]
OPTIONS = [(target, level) for target in ("python", "numpy") for level in (0, 1, 2)]


@pytest.fixture(scope="module", params=OPTIONS, ids=lambda p: f"{p[0]}-O{p[1]}")
def compiled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ModuleType:
    target, level = request.param
    lines = [
        f"fn {name}(x) = {formula}\nfn {name}_1(x) = {name}'(x)\nfn {name}_2(x) = {name}''(x)\n"
        for name, formula in FORMULAS.items()
    ]
    lines += ["fn power(x, y) = x^y\nfn ratio(x, y) = if y == 0 then 0 else x/y\n"]
    lines += ["fn slanted(x, y) = if x > 0 then sigmoid(-y/x) else 0\n"]
    path = tmp_path_factory.mktemp("edges") / "edges.mg"
    path.write_text("".join(lines), encoding="utf-8")
    emit = ("jvp", "jacobian", "hessian")
    return mgrad.load(path, target=target, level=level, emit=emit)


def slopes(module: ModuleType, name: str, x: float) -> list[float]:
    """The derivative as each routine gives it."""

    def routine(kind: str) -> Callable[..., tuple[float, ...]]:
        return getattr(module, f"{name}_{kind}")  # type: ignore[no-any-return]

    _, saved = routine("forward")(x)
    found = [
        routine("value_and_grad")(x)[1][0],
        routine("backward")(saved)[0],
        routine("jvp")((x,), (1.0,))[1],
        routine("jacobian")(x)[0],
    ]
    return [float(f) for f in found]


@pytest.mark.parametrize(("name", "x", "expected"), CASES, ids=lambda v: str(v))
def test_value_and_two_derivatives(
    compiled: ModuleType, name: str, x: float, expected: tuple[float, ...]
) -> None:
    values = [float(getattr(compiled, f)(x)) for f in (name, f"{name}_1", f"{name}_2")]
    assert values == pytest.approx(expected, rel=1e-13, abs=0)
    assert slopes(compiled, name, x) == pytest.approx([expected[1]] * 4, rel=1e-13, abs=0)
    again = [
        *slopes(compiled, f"{name}_1", x),
        float(getattr(compiled, f"{name}_hessian")(x)[0][0]),
    ]
    if name != "inverse":  # its slope at the pole is one-sided: inf - inf in some routines
        assert again == pytest.approx([expected[2]] * 5, rel=1e-13, abs=0)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (0.0, 2.0, (0, 0, 0)),
        (0.0, 1.0, (0, 1, 0)),
        (0.0, 0.5, (0, math.inf, 0)),
        (-2.0, 3.0, (-8, 12, math.nan)),
        (0.0, 0.0, (1, 0, -math.inf)),
        (2.0, 3.0, (8, 12, 8 * math.log(2))),
    ],
)
def test_powers(
    compiled: ModuleType, x: float, y: float, expected: tuple[float, float, float]
) -> None:
    value, (by_x, by_y) = compiled.power_value_and_grad(x, y)
    assert (value, by_x, by_y) == pytest.approx(expected, rel=1e-14, nan_ok=True)
    # along x the power moves where it has no derivative by y, too
    assert compiled.power_jvp((x, y), (1.0, 0.0))[1] == pytest.approx(expected[1], rel=1e-14)


@pytest.mark.parametrize("x", [0.0, -1.0, 1e-3, 1e-150, 1e-200, 1e-310])
def test_what_has_vanished_does_not_come_back(compiled: ModuleType, x: float) -> None:
    """sigmoid(-1/x) falls off faster than any power of 1/x grows."""
    value, gradient = compiled.slanted_value_and_grad(x, 1.0)
    rows = compiled.slanted_hessian(x, 1.0)
    assert [float(v) for v in (value, *gradient, *rows[0], *rows[1])] == [0] * 7


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [(1.0, 0.0, (0, 0, 0)), (0.0, 0.0, (0, 0, 0)), (1.0, 2.0, (0.5, 0.5, -0.25))],
)
def test_a_guarded_quotient(
    compiled: ModuleType, x: float, y: float, expected: tuple[float, float, float]
) -> None:
    value, gradient = compiled.ratio_value_and_grad(x, y)
    assert (value, *gradient) == pytest.approx(expected)


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize(
    ("source", "at", "slopes"),
    [
        ("fn f(y) = max(0, log(y))", (0.0,), (0.0,)),
        ("fn f(y) = max(0, log(y))", (4.0,), (0.25,)),
        ("fn f(y) = relu(sqrt(y))", (0.0,), (0.0,)),
        ("fn f(y) = relu(sqrt(y))", (4.0,), (0.25,)),
        ("fn f(y) = min(3, -log(y))", (0.0,), (0.0,)),
        ("fn f(y) = clip(1/y, -2, 2)", (0.0,), (0.0,)),
        ("fn f(y) = clip(1/y, -2, 2)", (4.0,), (-0.0625,)),
        ("fn f(x, y) = max(x, log(y), 2*x)", (1.0, 0.0), (2.0, 0.0)),
    ],
)
def test_what_a_choice_did_not_take_is_not_used(
    source: str, at: tuple[float, ...], slopes: tuple[float, ...], target: str, tmp_path: Path
) -> None:
    path = tmp_path / "f.mg"
    path.write_text(f"{source}\n")
    module = mgrad.load(str(path), target=target)
    assert module.f_value_and_grad(*at)[1] == slopes
    _, saved = module.f_forward(*at)
    assert module.f_backward(saved) == slopes
