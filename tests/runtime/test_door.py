"""The door of the target `python`, and what a module may ask of the runtime at all."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mgrad.runtime import INTERFACE, require
from mgrad.runtime.door import integers, reals, truths


class Celsius(float):
    """A float of another type."""


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (2.5, 2.5),
        (3, 3.0),
        (True, 1.0),
        (Celsius(2.5), 2.5),
        (np.float64(2.5), 2.5),
        (np.float32(0.5), 0.5),
        (np.int8(-3), -3.0),
        (np.bool_(True), 1.0),
        (np.array(2.5), 2.5),
        (Fraction(1, 4), 0.25),
        (Decimal("0.25"), 0.25),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        (-Fraction(10**400), -math.inf),
    ],
)
def test_reals_takes_what_is_one_real_number(given: Any, value: float) -> None:
    result = reals("g", a=given)
    assert type(result) is float
    assert result == value


def test_several_come_in_order_and_a_single_one_bare() -> None:
    assert reals("g", a=1, b=2.0, function=3) == (1.0, 2.0, 3.0)
    assert integers("g", n=1, m=np.int64(2)) == (1, 2)
    assert truths("g", p=True, q=np.bool_(False)) == (True, False)
    assert integers("g", n=True) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("2.5", "g: argument 'a' must be a real number, not str"),
        (None, "not NoneType"),
        (1j, "not complex"),
        (np.complex128(1), "not complex128"),
        (np.complex64(1), "not complex64"),
        (np.array("2.5"), "not ndarray"),
        ([1.0], "not list: the target `python` takes numbers, `numpy` maps over arrays"),
        ((1.0,), "not tuple: the target"),
        (np.ones(1), "not ndarray: the target"),
        (np.ones((2, 2)), "not ndarray: the target"),
    ],
)
def test_reals_refuses_the_rest_by_name(given: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        reals("g", b=1.0, a=given)
    assert str(caught.value).endswith(message) or message in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_number_that_refuses_to_be_a_float_is_refused() -> None:
    class Symbol:
        def __float__(self) -> float:
            raise TypeError("symbolic")

    with pytest.raises(TypeError, match="g: argument 'a' must be a real number, not Symbol"):
        reals("g", a=Symbol())


@pytest.mark.parametrize("given", [2, np.int64(2), np.uint8(2), np.array(2)])
def test_integers_takes_ints(given: Any) -> None:
    assert integers("g", n=given) == 2
    assert type(integers("g", n=given)) is int


@pytest.mark.parametrize("given", [2.0, np.float64(2), "2", Fraction(2), None, np.ones(1, int)])
def test_integers_refuses_floats_even_if_whole(given: Any) -> None:
    with pytest.raises(TypeError, match="g: argument 'n' must be an int, not"):
        integers("g", n=given)


@pytest.mark.parametrize("given", [True, np.bool_(True), np.array(True)])
def test_truths_takes_bools(given: Any) -> None:
    assert truths("g", p=given) is True


@pytest.mark.parametrize("given", [1, 0.0, "yes", None, np.int64(1), np.array([True])])
def test_truths_refuses_numbers(given: Any) -> None:
    with pytest.raises(TypeError, match="g: argument 'p' must be a bool, not"):
        truths("g", p=given)


def test_require_tells_which_side_is_old() -> None:
    require(INTERFACE)
    with pytest.raises(ImportError, match=r"interface 0 of mgrad\.runtime.* compile it again"):
        require(0)
    with pytest.raises(ImportError, match="install a newer mgrad"):
        require(INTERFACE + 1)


def test_the_python_target_needs_the_standard_library_only() -> None:
    program = (
        "import sys, mgrad.runtime.ieee, mgrad.runtime.door, mgrad.runtime.elementary\n"
        "import mgrad.runtime.gamma\n"
        "found = {'numpy', 'scipy', 'sympy', 'lark', 'mgrad.compiler'} & set(sys.modules)\n"
        "print(*sorted(found), end='')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
