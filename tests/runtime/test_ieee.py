"""Generated-like functions of Python floats follow IEEE 754; NumPy and SciPy say what that is."""

from __future__ import annotations

import math
import operator
import struct
import threading
import types
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.special

from mgrad.runtime.ieee import KEY, ieee
from mgrad.runtime.real import Real, Whole, guarded, plain

EDGES = (
    *(0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 7.25, -7.25),
    *(math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, -5e-324, 1e-300, 710.0, -750.0),
)
INTS = (0, 1, -1, 2, -2, 3, -3, 7, 10**400, -(10**400))


def same(x: float, y: float) -> bool:
    """Equal to the bit, all nan being one."""
    return (math.isnan(x) and math.isnan(y)) or struct.pack("d", x) == struct.pack("d", y)


def near(x: float, y: float) -> bool:
    """Equal, but for the last places where C libraries differ."""
    return same(x, y) or (
        math.isfinite(x) and math.isfinite(y) and math.isclose(x, y, rel_tol=1e-14, abs_tol=1e-322)
    )


def power_of_numpy(x: float, y: float) -> np.float64:
    """x^y; NumPy's x^0.5 is sqrt(x), which has IEEE 754's values for pow but at -inf and -0."""
    return np.power(np.abs(x) if y == 0.5 and x in (-math.inf, 0.0) else np.float64(x), y)


BINARY = {
    "+": (operator.add, np.add),
    "-": (operator.sub, np.subtract),
    "*": (operator.mul, np.multiply),
    "/": (operator.truediv, np.divide),
    "//": (operator.floordiv, np.floor_divide),
    "**": (operator.pow, power_of_numpy),
}


@pytest.mark.parametrize("symbol", BINARY)
def test_operators_of_reals_are_those_of_numpy(symbol: str) -> None:
    ours, theirs = BINARY[symbol]
    with np.errstate(all="ignore"):
        for x, y in product(EDGES, EDGES):
            expected = float(theirs(np.float64(x), np.float64(y)))
            for a, b in ((Real(x), Real(y)), (Real(x), y), (x, Real(y))):
                result = ours(a, b)
                assert type(result) is Real
                assert (near if symbol == "**" else same)(result, expected), (a, symbol, b)


def test_remainder_has_the_sign_of_the_divisor_and_is_nan_at_zero() -> None:
    with np.errstate(all="ignore"):
        for x, y in product(EDGES, EDGES):
            expected = float(np.float64(x) % np.float64(y))
            assert same(Real(x) % y, expected), (x, y)
            assert same(x % Real(y), expected), (x, y)


@pytest.mark.parametrize("symbol", BINARY)
def test_an_int_beside_a_real_widens(symbol: str) -> None:
    ours, theirs = BINARY[symbol]
    with np.errstate(all="ignore"):
        for x, n in product(EDGES, INTS):
            wide = float(n) if abs(n) < 10**300 else math.inf if n > 0 else -math.inf
            there = float(theirs(np.float64(x), np.float64(wide)))
            back = float(theirs(np.float64(wide), np.float64(x)))
            for m in (n, Whole(n)):
                assert near(ours(Real(x), m), there), (x, symbol, n)
                assert near(ours(m, Real(x)), back), (n, symbol, x)


def test_bools_count_as_numbers() -> None:
    assert Real(2.5) * True == 2.5
    assert False / Real(2.5) == 0.0
    assert math.isnan(False / Real(0.0))


def test_signs_and_rounding_keep_the_sign_of_zero() -> None:
    for x in EDGES:
        real, array = Real(x), np.float64(x)
        assert same(-real, -x)
        assert same(abs(real), abs(x))
        assert same(+real, x)
        assert same(float(math.floor(real)), float(np.floor(array))), x
        assert same(float(math.ceil(real)), float(np.ceil(array))), x
        assert same(round(real, 0), float(np.round(array))), x
        assert type(math.floor(real)) is type(round(real)) is Real  # type: ignore[comparison-overlap]


def test_comparisons_and_truth_are_those_of_floats() -> None:
    for x, y in product(EDGES, EDGES):
        assert (Real(x) < Real(y)) is (x < y)
        assert (Real(x) <= y) is (x <= y)
        assert (x == Real(y)) is (x == y)
        assert bool(Real(x)) is bool(x)


def test_foreign_operands_are_left_to_their_own_types() -> None:
    with pytest.raises(TypeError):
        Real(1.0) + "a"
    with pytest.raises(TypeError):
        Whole(1) // "a"


@pytest.mark.parametrize(("n", "m"), list(product((-7, -1, 0, 1, 7), repeat=2)))
def test_whole_numbers_divide_like_numpys_ints(n: int, m: int) -> None:
    with np.errstate(all="ignore"):
        quotient, remainder = np.int64(n) // np.int64(m), np.int64(n) % np.int64(m)
        ratio = float(np.int64(n) / np.int64(m))
    for a, b in ((Whole(n), Whole(m)), (Whole(n), m), (n, Whole(m))):
        assert a // b == quotient
        assert a % b == remainder
        assert same(a / b, ratio)
        assert (a + b, a - b, a * b) == (n + m, n - m, n * m)
        assert type(a + b) is type(a - b) is type(a * b) is type(a // b) is Whole
    assert (-Whole(n), abs(Whole(n)), +Whole(n)) == (-n, abs(n), n)
    if m >= 0:
        assert Whole(n) ** m == n**m
        assert n ** Whole(m) == n**m


def test_a_negative_power_of_a_whole_number_is_real() -> None:
    assert same(Whole(0) ** -1, math.inf)
    assert same(2 ** Whole(-2), 0.25)


# ------------------------------------------------------------------------------------- functions


def module(text: str) -> dict[str, Any]:
    """The namespace of a module with the imports of generated code."""
    head = "from math import *\nimport math\nfrom mgrad.runtime.ieee import ieee\n"
    head += "from mgrad.runtime.door import reals, integers\n"
    namespace: dict[str, Any] = {"__name__": "generated"}
    exec(head + text, namespace)  # `exec` stands for the import of a module on disk
    return namespace


UNARY = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "log2", "log10")},
    **{name: getattr(np, name) for name in ("sqrt", "cbrt", "sin", "cos", "tan", "exp2", "fabs")},
    **{name: getattr(np, "arc" + name[1:]) for name in ("asin", "acos", "atan")},
    **{name: getattr(np, "arc" + name[1:]) for name in ("asinh", "acosh", "atanh")},
    **{name: getattr(np, name) for name in ("sinh", "cosh", "tanh", "floor", "ceil")},
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
}


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_argument_are_those_of_numpy(name: str) -> None:
    f = module(f"def f(x): return ieee(g, x)\ndef g(x): return {name}(x)")["f"]
    with np.errstate(all="ignore"):
        for x in (*EDGES, 0.3, -0.3, 1e10, -1e-5):
            if abs(x) > 1e300 and name in ("sin", "cos", "tan") and math.isfinite(x):
                continue  # the reduction of such arguments differs between libraries
            expected = float(UNARY[name](x))
            assert near(f(x), expected), (name, x)
            assert type(f(x)) is float


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("pow", power_of_numpy),
        ("fmod", np.fmod),
        ("atan2", np.arctan2),
        ("hypot", np.hypot),
        ("copysign", np.copysign),
    ],
)
def test_functions_of_two_arguments_are_those_of_numpy(name: str, theirs: Any) -> None:
    namespace = module(f"def f(x, y): return {name}(x, y)")
    with np.errstate(all="ignore"):
        for x, y in product(EDGES, EDGES):
            expected = float(theirs(np.float64(x), np.float64(y)))
            assert near(ieee(namespace["f"], x, y), expected), (name, x, y)


def test_lgamma_and_gamma_at_poles_and_beyond() -> None:
    namespace = module("def f(x): return lgamma(x)\ndef g(x): return gamma(x)")
    for x in (0.0, -0.0, -1.0, -7.0, math.inf, -math.inf, 1e308):
        assert ieee(namespace["f"], x) == math.inf
    assert same(ieee(namespace["g"], 0.0), math.inf)
    assert same(ieee(namespace["g"], -0.0), -math.inf)
    assert same(ieee(namespace["g"], 200.0), math.inf)
    assert math.isnan(ieee(namespace["g"], -3.0))
    assert math.isnan(ieee(namespace["g"], -math.inf))


def test_logarithm_to_a_base() -> None:
    f = module("def f(x, y): return log(x, y)")["f"]
    assert ieee(f, 8.0, 2.0) == 3.0
    assert ieee(f, 0.0, 2.0) == -math.inf
    assert ieee(f, 8.0, 1.0) == math.inf


# ----------------------------------------------------------------------------------------- twins

BODY = """
def f(x, y=0.0):
    if not (type(x) is type(y) is float):
        x, y = reals("f", x=x, y=y)
    try:
        quotient = 1.0/y
        return quotient, inner(x) if x < 1 else x
    except (ArithmeticError, ValueError):
        return ieee(f, x, y)


def inner(x):
    return math.log(x) + SHIFT/x


def outer(x):
    if type(x) is not float:
        x = reals("outer", x=x)
    try:
        a, b = f(x, x)
        return a - b, x > 0, f(x)[0]
    except (ArithmeticError, ValueError):
        return ieee(outer, x)


def backward(saved, grad=1.0):
    (x, (n, flag)), y = saved
    try:
        return grad/x, n//y, 1/n, flag
    except (ArithmeticError, ValueError):
        return ieee(backward, saved, grad)


def jvp(at, along):
    x, n = at
    (d_x,) = along
    if not (type(x) is type(d_x) is float):
        x, d_x = reals("jvp", x=x, d_x=d_x)
    if type(n) is not int:
        n = integers("jvp", n=n)
    try:
        return n/x, d_x/x + n%0
    except (ArithmeticError, ValueError):
        return ieee(jvp, at, along)


SHIFT = 2.0
"""


def test_nothing_raises_in_the_function_or_in_those_that_it_calls() -> None:
    namespace = module(BODY)
    assert namespace["f"](3.0, 2.0) == (0.5, 3.0)
    assert namespace["f"](0.5, -0.0) == (-math.inf, math.log(0.5) + 4.0)
    quotient, value = namespace["f"](0.0)
    assert quotient == math.inf
    assert math.isnan(value)  # log(0) + 2/0
    assert namespace["f"](-0.0, 1.0) == (1.0, -math.inf)
    assert namespace["f"](5) == (math.inf, 5.0)


def test_results_are_plain() -> None:
    namespace = module(BODY)
    difference, is_positive, last = namespace["outer"](2.0)
    assert (difference, is_positive, last) == (-1.5, True, math.inf)
    assert [type(v) for v in namespace["outer"](0)] == [float, bool, float]
    result = namespace["backward"](((0.0, (0, True)), 0), -1.0)
    assert result == (-math.inf, 0, math.inf, True)
    assert [type(v) for v in result] == [float, int, float, bool]


@pytest.mark.parametrize("pack", [tuple, list, np.array])
def test_the_doors_inside_do_not_undo_the_guard(pack: Any) -> None:
    # the last term, n % 0 of ints, raises in every case
    jvp = module(BODY)["jvp"]
    assert jvp((*pack([0]), 3), pack([-1.0])) == (math.inf, -math.inf)


def test_twins_are_made_once_for_a_module_and_shared_by_threads() -> None:
    namespace = module(BODY)
    results: list[Any] = []
    threads = [
        threading.Thread(target=lambda: results.append(namespace["f"](0.5, 0.0))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(math.inf, math.log(0.5) + 4.0)] * 8
    twins = namespace[KEY]
    namespace["f"](0.25, 0.0)
    assert namespace[KEY] is twins


def test_a_chain_of_calls_stays_within_the_rules() -> None:
    text = "def f0(x): return 1.0/x\n"
    text += "".join(f"def f{i}(x): return f{i - 1}(x) + 1.0\n" for i in range(1, 200))
    assert ieee(module(text)["f199"], 0.0) == math.inf


def test_an_extern_gets_floats_and_its_errors_are_nan() -> None:
    seen: list[type] = []

    def probe(x: float) -> float:
        seen.append(type(x))
        if x < 0:
            raise ValueError("domain")
        return x + 1.0

    namespace = module("def f(x): return 1.0/float(probe(x) - 1.0)")
    namespace["probe"] = probe
    assert ieee(namespace["f"], 0.0) == math.inf
    assert math.isnan(ieee(namespace["f"], -1.0))
    assert seen == [float, float]


def test_an_extern_of_numpy_warns_of_nothing() -> None:
    namespace = module("def f(x): return float(j0(x))/x, float(np_log(x))")
    namespace["j0"], namespace["np_log"] = scipy.special.j0, np.log
    assert ieee(namespace["f"], 0.0) == (math.inf, -math.inf)


def test_functions_of_the_runtime_work_in_a_twin() -> None:
    text = "from mgrad.runtime.elementary import sign\nfrom mgrad.runtime.gamma import digamma\n"
    namespace = module(text + "def f(x): return 1.0/sign(x), digamma(x), max(x, 1.0), min(x, 2.0)")
    assert ieee(namespace["f"], 0.0) == (math.inf, -math.inf, 1.0, 0.0)


def test_what_is_no_arithmetic_is_raised_once() -> None:
    def broken(x: float) -> float:
        raise KeyError(x)

    namespace = module(
        "def f(x):\n    try:\n        return 1.0/x + broken(x)\n"
        "    except (ArithmeticError, ValueError):\n        return ieee(f, x)\n"
    )
    namespace["broken"] = broken
    with pytest.raises(KeyError):
        namespace["f"](0.0)


def test_an_overflow_that_no_float_can_show_is_raised_not_repeated() -> None:
    text = (
        "def f(x):\n    try:\n        return [][int(x)//0:] or bytes([300])\n"
        "    except (ArithmeticError, ValueError):\n        return ieee(f, x)\n"
    )
    with pytest.raises(ValueError, match="bytes"):
        module(text)["f"](1.0)


def test_guarded_and_plain_are_inverse() -> None:
    value = (1.0, (2, True, (None, "a")), ())
    assert plain(guarded(value)) == value
    assert type(guarded(value)[0]) is Real
    assert type(guarded(value)[1][0]) is Whole
    assert guarded(value)[1][1] is True
    assert isinstance(ieee, types.FunctionType)
