"""Warnings are off inside a door, and as they were outside, whatever happens inside."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest

from mgrad.runtime.elementwise import elementwise
from mgrad.runtime.errstate import BUFFER, SILENT, STATE, Seterr, find


def test_the_state_is_silent_and_then_what_it_was() -> None:
    with np.errstate(divide="raise", over="warn", under="print", invalid="call"):
        before = np.geterr()
        token = STATE.set(SILENT)
        assert set(np.geterr().values()) == {"ignore"}
        STATE.reset(token)
        assert np.geterr() == before


def test_finding_it_changes_nothing() -> None:
    before = np.geterr(), np.getbufsize()
    assert find()[0] is STATE
    assert (np.geterr(), np.getbufsize()) == before


def test_buffers_are_small_inside_only() -> None:
    before = np.getbufsize()
    token = STATE.set(SILENT)
    assert np.getbufsize() == BUFFER < before
    STATE.reset(token)
    assert np.getbufsize() == before


def test_a_numpy_that_keeps_the_state_elsewhere_is_silenced_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Nothing:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(np, "errstate", lambda **_: Nothing())
    state, silent = find()
    assert type(state) is Seterr
    before = np.geterr()
    token = state.set(silent)
    assert set(np.geterr().values()) == {"ignore"}
    state.reset(token)
    assert np.geterr() == before


def test_a_function_that_raises_leaves_the_caller_s_state() -> None:
    @elementwise
    def broken(x):
        raise KeyError("inside")

    before = np.geterr()
    for x in (np.ones(3), 1.0):
        with pytest.raises(KeyError):
            broken(x)
        assert np.geterr() == before
    with pytest.raises(TypeError):
        broken("text")
    assert np.geterr() == before


def test_other_threads_keep_their_state() -> None:
    inside, outside = threading.Event(), threading.Event()
    found: dict[str, Any] = {}

    @elementwise
    def waiting(x):
        inside.set()
        outside.wait(10)
        return 1 / x

    def work() -> None:
        found["result"] = waiting(np.zeros(2))

    thread = threading.Thread(target=work)
    with np.errstate(divide="raise"):
        thread.start()
        assert inside.wait(10)
        with pytest.raises(FloatingPointError):
            np.ones(1) / np.zeros(1)
        outside.set()
        thread.join()
    assert found["result"].tolist() == [np.inf, np.inf]


def test_a_python_function_inside_sees_the_caller_s_context() -> None:
    scale: ContextVar[float] = ContextVar("scale", default=1.0)

    @elementwise
    def scaled(x):
        return x * scale.get()

    token = scale.set(3.0)
    try:
        assert scaled(np.ones(2)).tolist() == [3.0, 3.0]
    finally:
        scale.reset(token)
    assert scaled(np.ones(2)).tolist() == [1.0, 1.0]
