"""Random calls of every door against a slow reference: a loop of Python floats, and sums.

What varies is what a function gives (fresh arrays, constants, its arguments, one array twice) and
how it is called: arrays alike, long, strided, broadcast, of no values, given twice, float32, ints,
lists and numbers. Each door is called again and again, so that what it learns is tested too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mgrad.runtime import arrays, blocks, elementwise


class Case(NamedTuple):
    """A function of a and b: for arrays, and for floats, value first, then both partials."""

    array: Callable[[Any, Any], tuple[Any, Any, Any]]
    number: Callable[[float, float], tuple[float, float, float]]


def exponential(a: Any, b: Any) -> tuple[Any, Any, Any]:
    y = np.exp(a + b)
    return y, y, y


CASES = {
    "fresh": Case(
        lambda a, b: (a * np.exp(b), np.exp(b), a * np.exp(b)),
        lambda a, b: (a * math.exp(b), math.exp(b), a * math.exp(b)),
    ),
    "its arguments": Case(lambda a, b: (a * b, b, a), lambda a, b: (a * b, b, a)),
    "constants": Case(lambda a, b: (a + 2 * b, 1.0, 2.0), lambda a, b: (a + 2 * b, 1.0, 2.0)),
    "one array": Case(exponential, lambda a, b: (math.exp(a + b),) * 3),
    "an argument": Case(lambda a, b: (a, 1.0, 0.0), lambda a, b: (a, 1.0, 0.0)),
    "of one argument": Case(
        lambda a, b: (np.sin(b), 0.0, np.cos(b)), lambda a, b: (math.sin(b), 0.0, math.cos(b))
    ),
    "a constant": Case(lambda a, b: (7.0, 0.0, 0.0), lambda a, b: (7.0, 0.0, 0.0)),
    "a view": Case(lambda a, b: (a + b, a[...], b[...]), lambda a, b: (a + b, a, b)),
}


class Doors(NamedTuple):
    """The routines of a case, as a generated module has them; made once, called in every test."""

    value: Any
    forward: Any
    backward: Any
    value_and_grad: Any
    jvp: Any
    jacobian: Any


def doors(case: Case) -> Doors:
    def f(a: Any, b: Any) -> Any:
        return case.array(a, b)[0]

    def f_forward(a: Any, b: Any) -> Any:
        value, d_a, d_b = case.array(a, b)
        return value, (d_a, d_b)

    def f_backward(saved: Any, grad: Any = 1.0) -> Any:
        d_a, d_b = saved
        return grad * d_a, grad * d_b

    def f_value_and_grad(a: Any, b: Any) -> Any:
        value, d_a, d_b = case.array(a, b)
        return value, (d_a, d_b)

    def f_jvp(at: Any, along: Any) -> Any:
        value, d_a, d_b = case.array(*at)
        return value, d_a * along[0] + d_b * along[1]

    def f_jacobian(a: Any, b: Any) -> Any:
        return case.array(a, b)[1:]

    return Doors(
        elementwise.elementwise(f),
        elementwise.elementwise_forward(f_forward),
        elementwise.elementwise_backward(f_backward),
        elementwise.elementwise_value_and_grad(f_value_and_grad),
        elementwise.elementwise_jvp(f_jvp),
        elementwise.elementwise(f_jacobian),
    )


DOORS = {name: doors(case) for name, case in CASES.items()}

# ------------------------------------------------------------------------------------ arguments

SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (1, 3), (0,), (2, 0)]
KINDS = ["float64"] * 4 + ["float32", "int", "list", "strided", "Fortran", "frozen", "number"]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two arguments that broadcast, most often float64 arrays of one shape."""
    shape = draw(st.sampled_from(SHAPES))
    others = [s for s in SHAPES if arrays.broadcast_together(s, shape)]
    other = draw(st.one_of(st.just(shape), st.sampled_from(others)))
    a, b = draw(arguments(shape)), draw(arguments(other))
    return draw(st.sampled_from([(a, b), (b, a), (a, a)]))


@st.composite
def arguments(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    seed = draw(st.integers(0, 99))
    values = np.random.default_rng(seed).uniform(-2, 2, shape)
    match draw(st.sampled_from(KINDS)):
        case "float32":
            return np.asarray(values, np.float32)
        case "int":
            return np.asarray(np.round(values), int)
        case "list":
            return values.tolist()
        case "strided":
            return np.repeat(values, 2).reshape(*shape, 2)[..., 0]
        case "Fortran":
            return np.asfortranarray(values)
        case "frozen":
            values = np.asarray(values)
            values.flags.writeable = False
            return values
        case "number":
            return float(np.sum(values))
    return np.asarray(values)


def dtype_of(*given: Any) -> type:
    """float32 if all that have a floating dtype of their own are float32; an array of ints and a
    number have none; a list of floats is float64."""
    own = [np.asarray(g).dtype for g in given if not isinstance(g, float)]
    floating = [dtype for dtype in own if dtype.kind == "f"]
    return np.float32 if floating and all(d == np.float32 for d in floating) else np.float64


# ------------------------------------------------------------------------------------ reference


class Expected(NamedTuple):
    """By loops: fields over the common shape, and gradients summed to the arguments' shapes."""

    value: Any
    fields: tuple[Any, Any]
    gradients: tuple[Any, Any]
    tangent: Any


def reference(case: Case, a: Any, b: Any, seed: Any, along: tuple[Any, Any]) -> Expected:
    a, b = np.asarray(a, float), np.asarray(b, float)
    shape = np.broadcast_shapes(a.shape, b.shape)
    value, tangent = np.zeros(shape), np.zeros(shape)
    fields = np.zeros(shape), np.zeros(shape)
    sums = np.zeros(a.shape), np.zeros(b.shape)
    places = [np.broadcast_to(np.arange(x.size).reshape(x.shape), shape) for x in (a, b)]
    seeds, directions = np.broadcast_to(seed, shape), [np.asarray(d, float) for d in along]
    for at in np.ndindex(shape):
        m, n = int(places[0][at]), int(places[1][at])
        value[at], d_a, d_b = case.number(float(a.flat[m]), float(b.flat[n]))
        fields[0][at], fields[1][at] = d_a, d_b
        sums[0].flat[m] += d_a * seeds[at]
        sums[1].flat[n] += d_b * seeds[at]
        tangent[at] = d_a * directions[0].flat[m] + d_b * directions[1].flat[n]
    return Expected(value, fields, sums, tangent)


def check(results: list[Any], expected: list[Any], dtype: type, given: tuple[Any, ...]) -> None:
    """Values, shapes and dtype; every result is memory of its own."""
    tolerance = 1e-12 if dtype is np.float64 else 2e-5
    for result, wanted in zip(results, expected, strict=True):
        wanted = np.asarray(wanted)
        assert (result.shape, result.dtype) == (wanted.shape, dtype)
        assert type(result) is (np.ndarray if wanted.shape else dtype)
        np.testing.assert_allclose(result, wanted, rtol=tolerance, atol=tolerance)
    own = [result for result in results if type(result) is np.ndarray]
    for k, result in enumerate(own):
        assert result.flags.writeable
        for other in (*own[:k], *(g for g in given if isinstance(g, np.ndarray))):
            assert not np.shares_memory(result, other)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(sorted(CASES)), pairs(), st.booleans(), st.booleans())
def test_doors_give_what_a_loop_of_floats_gives(
    name: str, given: tuple[Any, Any], is_named: bool, has_seed: bool
) -> None:
    if name == "a view":
        given = tuple(np.asarray(g, float) for g in given)  # type: ignore[assignment]
    a, b = given
    rng = np.random.default_rng(1)
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    seed = rng.normal(size=shape) if has_seed else 1.0
    along = tuple(rng.normal(size=np.shape(g)) for g in given)
    expected = reference(CASES[name], a, b, seed, (along[0], along[1]))
    plain = reference(CASES[name], a, b, 1.0, (along[0], along[1]))
    before = [np.array(g) for g in given]
    made, dtype = DOORS[name], dtype_of(a, b)

    def call(door: Any) -> Any:
        return door(b=b, a=a) if is_named else door(a, b)

    check([call(made.value)], [expected.value], dtype, given)
    value, gradients = call(made.value_and_grad)
    check([value, *gradients], [expected.value, *plain.gradients], dtype, given)
    value, saved = call(made.forward)
    gradients = made.backward(saved, seed) if has_seed else made.backward(saved)
    check([value, *gradients], [expected.value, *expected.gradients], dtype, (*given, seed))
    check(list(made.jvp(given, along)), [expected.value, expected.tangent], dtype, (*given, *along))
    check(list(call(made.jacobian)), list(expected.fields), dtype, given)
    for argument, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(argument, copy)


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("kind", ["alike", "a number", "twice", "strided", "float32"])
def test_long_arrays_give_what_short_ones_give(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is long here: 7 values are a block."""
    monkeypatch.setattr(arrays, "LONG", 10)
    monkeypatch.setattr(blocks, "LONG", 10)
    monkeypatch.setattr(blocks, "BLOCK", 7)
    monkeypatch.setattr(blocks, "LARGE", 64)
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 5, 4))
    if kind == "a number":
        b = 0.5
    elif kind == "twice":
        b = a
    elif kind == "strided":
        a, b = a[::-1, ::-1], b[:, ::-1]
    elif kind == "float32":
        a, b = a.astype(np.float32), b.astype(np.float32)
    if name == "a view" and kind == "a number":
        b = np.full((5, 4), b)
    given, dtype = (a, b), dtype_of(a, b)
    along = rng.normal(size=np.shape(a)), rng.normal(size=np.shape(b))
    expected = reference(CASES[name], a, b, 1.0, along)
    made = doors(CASES[name])
    for _ in range(2):
        check([made.value(a, b)], [expected.value], dtype, given)
        value, gradients = made.value_and_grad(a, b)
        check([value, *gradients], [expected.value, *expected.gradients], dtype, given)
        value, saved = made.forward(a, b)
        check([value, *made.backward(saved)], [value, *expected.gradients], dtype, given)
        both = [expected.value, expected.tangent]
        check(list(made.jvp(given, along)), both, dtype, (*given, *along))
        check(list(made.jacobian(a, b)), list(expected.fields), dtype, given)


def test_a_large_array_starts_at_a_page_of_its_own() -> None:
    one, two = (blocks.empty(blocks.LARGE // 8 + 5, np.dtype(float)) for _ in range(2))
    for array in (one, two):
        assert array.shape == (blocks.LARGE // 8 + 5,)
        assert array.dtype == np.float64
        assert array.flags.writeable
        assert array.ctypes.data % blocks.PAGE == 0
    assert not np.shares_memory(one, two)
    assert blocks.empty(3, np.dtype(bool)).dtype == np.bool_
