"""LANGUAGE, section 11: what indices, slices and ranges want of sizes is decided at compile time
where it can be, and is otherwise checked at the door, in the source's words."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mgrad.compiler.driver import Options
from mgrad.compiler.driver import compile as compile_text
from mgrad.compiler.source import Source

Load = Callable[..., ModuleType]

# a program, what its door wants, sizes that it takes, and sizes that it refuses
DOORS: list[tuple[str, str, list[tuple[Any, ...]], list[tuple[Any, ...]]]] = [
    ("fn f(x: [N]) = x[0]", "N >= 1", [(1,), (2,)], [(0,)]),
    ("fn f(x: [N]) = x[2] + x[-1]", "N >= 3", [(3,)], [(2,), (0,)]),
    ("fn f(x: [N]) = x[1:-1]", "N >= 2", [(2,), (3,)], [(1,)]),
    ("fn f(x: [N]) = sum(x[i]*x[i - 1] for i in 1..N)", "N >= 1", [(1,), (3,)], [(0,)]),
    ("fn f(x: [N]) = x[-1:0:-2]", "N >= 1", [(1,), (2,), (5,)], [(0,)]),
    ("fn f(x: [N]) = x[2::-1]", "N >= 3", [(3,), (4,)], [(2,)]),
    ("fn f(x: [N, M]) = max(x, axis=1)", "M >= 1", [((0, 1),), ((2, 3),)], [((2, 0),)]),
    ("fn f(x: [N]) = windows(x, 3)", "N >= 3", [(3,)], [(2,)]),
    ("fn f(x: [N], y: [M]) = sum(x[i]*y[i] for i in 0..N)", "N <= M", [(2, 2), (0, 1)], [(2, 1)]),
    ("fn f(x: [N, 2*N]) = x[:, 3]", "2*N >= 4", [((2, 4),)], [((1, 2),)]),
]
INTS: list[tuple[str, str, list[tuple[int, int]], list[tuple[int, int]]]] = [
    (
        "fn f(x: [N], T: int) = sum(x[i] for i in 0..T)",
        "T >= 0, T <= N",
        [(3, 3), (3, 0)],
        [(3, 4)],
    ),
    ("fn f(x: [N], T: int) = x[T]", "T >= 0, T < N", [(3, 0), (3, 2)], [(3, 3), (3, -1)]),
    ("fn f(x: [N], T: int) = x*(0..T)", "T >= 0, N == T", [(3, 3)], [(3, 2), (3, -3)]),
    ("fn f(x: [N], T: int) = x[T:]", "T >= 0, T <= N", [(3, 3), (3, 0)], [(3, 4), (3, -1)]),
    ("fn f(x: [N], T: int) = zeros(T) + sum(x)", "T >= 0", [(3, 0)], [(3, -1)]),
]


def module(source: str) -> tuple[dict[str, Any], str]:
    options = Options(target="numpy")
    text = compile_text(Source("case.mg", source), options, lambda path, importer: None).text
    names: dict[str, Any] = {"__name__": "generated"}
    exec(text, names)
    return names, text


@pytest.mark.parametrize(
    ("source", "condition", "right", "wrong"), DOORS, ids=[d[0] for d in DOORS]
)
def test_sizes_are_checked_at_the_door(
    source: str, condition: str, right: list[tuple[Any, ...]], wrong: list[tuple[Any, ...]]
) -> None:
    names, text = module(source)
    assert f'; {condition}"' in text
    for shapes in right:
        names["f"](*map(np.ones, shapes))
    for shapes in wrong:
        for routine in ("f", "f_forward"):
            with pytest.raises(ValueError, match=f"{condition[0]}.* must hold"):
                names[routine](*map(np.ones, shapes))


@pytest.mark.parametrize(("source", "condition", "right", "wrong"), INTS, ids=[d[0] for d in INTS])
def test_sizes_that_are_ints_are_checked_at_the_door(
    source: str, condition: str, right: list[tuple[int, int]], wrong: list[tuple[int, int]]
) -> None:
    names, text = module(source)
    assert f'; {condition}"' in text
    for size, count in right:
        names["f"](np.ones(size), count)
    for size, count in wrong:
        with pytest.raises(ValueError, match=r"must hold|has shape"):
            names["f"](np.ones(size), count)


def test_what_a_callee_wants_is_decided_for_the_caller() -> None:
    source = """
fn second(x: [N]) = x[1]
fn f(x: [M]) = second(x[2:]) + second([1, 2])
fn g(x: [M], k: int) = second(x[:k])
"""
    _, text = module(source)
    assert '@arrays("x: [M] -> real; M >= 4")' in text
    assert '@arrays("x: [M], k: int -> real; k <= M, k >= 2")' in text


def test_proved_bounds_leave_no_condition() -> None:
    _, text = module("""
fn f(x: [N]) = sum(x[i]*x[N - 1 - i] for i)
fn g(x: [N]) = [sum(x[j]*x[i - j] for j in 0..i + 1) for i in 0..N]
fn h(x: [N]) = [x[i // 2] for i in 0..2*N]
fn k(x: [M, N], y: [N]) = [x[m, i]*y[i] for m, i]
""")
    assert ";" not in "".join(line for line in text.splitlines() if line.startswith("@"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("sum(x^2)/N", np.nan),  # 0/0
        ("(sum(x) + 1)/N", np.inf),
        ("1/(1 - N/(N + 1) - 1)*3/N", np.inf),  # here 1/0 of sizes alone
        ("sum(x)*(1/N)", np.nan),  # 0*inf
        ("N^-2 - sum(x)", np.inf),
    ],
)
@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_size_of_0_divides_by_ieee_754(body: str, expected: float, level: int) -> None:
    options = Options(target="numpy", level=level)
    source = f"fn f(x: [N]) = {body}\nfn g(x: [N]) = x*({body})\n"
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile_text(Source("case.mg", source), options).text, names)
    empty = np.ones(0)
    np.testing.assert_equal(float(names["f"](empty)), expected)
    value, (slope,) = names["f_value_and_grad"](empty)
    np.testing.assert_equal((float(value), slope.shape), (expected, (0,)))
    _, saved = names["g_forward"](empty)
    assert names["g_backward"](saved, empty)[0].shape == (0,)


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_size_divided_by_nothing_is_refused_at_the_door(load: Load, target: str) -> None:
    module = load("fn f(x: [N], y: [M]) = zeros(N//M)\n", target)
    assert np.shape(module.f([1.0, 2.0], [1.0])) == (2,)
    with pytest.raises(ValueError, match=r"f: M >= 1 must hold, since y: \[M\] has shape \(0,\)"):
        module.f([1.0, 2.0], [])


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_width_is_not_negative(load: Load, target: str) -> None:
    module = load("fn f(x: [N], n: int) = pad(x, n)\n", target)
    assert np.array_equal(module.f([1.0], 1), [0, 1, 0])
    with pytest.raises(ValueError, match="f: n >= 0 must hold, since n is -1"):
        module.f([1.0, 2.0, 3.0], -1)
