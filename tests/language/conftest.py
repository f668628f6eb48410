"""Compile a program given as text, as a stranger would: a file, and the public `mgrad.load`."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mgrad
from mgrad.compiler.driver import Options
from mgrad.compiler.driver import compile as compile_text
from mgrad.compiler.source import Source

Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The module of a program, with every extra routine, for a target and a level."""

    def compiled(text: str, target: str = "python", level: int = 1, **rest: Any) -> ModuleType:
        path = tmp_path / "program.mg"
        path.write_text(text, encoding="utf-8")
        extras = ("jvp", "jacobian", "hessian")
        return mgrad.load(path, target=target, level=level, emit=extras, **rest)

    return compiled


@pytest.fixture
def agree() -> Callable[..., None]:
    """Whether the last function of a program has, on the target `numpy`, the values of a reference
    in NumPy, and the derivatives of its central differences: by the backward pass, in one with the
    value, and in forward mode."""
    return _agree


def _agree(source: str, reference: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    options = Options(target="numpy", emit=("jvp",))
    module: dict[str, Any] = {"__name__": "generated"}
    exec(compile_text(Source("case.mg", source), options, lambda path, importer: None).text, module)
    name = re.findall(r"fn (\w+)", source)[-1]
    value, wanted = _parts(module[name](*arguments)), _parts(reference(*arguments))
    for one, other in zip(value, wanted, strict=True):
        assert np.shape(one) == np.shape(other)
        np.testing.assert_allclose(np.double(one), np.double(other), rtol=1e-10, atol=1e-12)
    if f"{name}_forward" not in module:
        return  # nothing real comes in or goes out
    forward, saved = module[f"{name}_forward"](*arguments)
    for one, other in zip(_parts(forward), value, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
    random = np.random.default_rng(5)
    real = [np.asarray(one).dtype.kind == "f" for one in wanted]
    weights = [
        random.normal(size=np.shape(one)) * is_real
        for one, is_real in zip(wanted, real, strict=True)
    ]
    seeds = [w for w, is_real in zip(weights, real, strict=True) if is_real]
    places = [k for k, one in enumerate(arguments) if np.asarray(one).dtype.kind == "f"]
    fields = module[f"{name}_backward"](saved, tuple(seeds) if len(seeds) > 1 else seeds[0])
    along, slope = [], 0.0
    for k, field in zip(places, fields, strict=True):
        central = _central(reference, arguments, k, weights)
        assert np.shape(field) == central.shape
        np.testing.assert_allclose(field, central, rtol=1e-6, atol=1e-6)
        along.append(random.normal(size=central.shape))
        slope += float(np.sum(along[-1] * field))
    _, tangents = module[f"{name}_jvp"](tuple(arguments), tuple(along))
    moved = sum(float(np.sum(t * s)) for t, s in zip(_parts(tangents), seeds, strict=True))
    assert moved == pytest.approx(slope, rel=1e-9, abs=1e-10)
    if f"{name}_value_and_grad" in module and np.shape(wanted[0]) == ():
        both, together = module[f"{name}_value_and_grad"](*arguments)
        np.testing.assert_allclose(both, value[0], rtol=1e-12)
        for one, field in zip(together, fields, strict=True):
            np.testing.assert_allclose(one * seeds[0], field, rtol=1e-9, atol=1e-11)


def _parts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


def _central(
    function: Callable[..., Any], arguments: tuple[Any, ...], k: int, weights: list[Any]
) -> Any:
    """The gradient of the weighted sum of the results by argument k, by central differences."""
    point = np.asarray(arguments[k], dtype=float)
    found = np.zeros(point.shape)
    for place in np.ndindex(*point.shape):
        step = 1e-6 * max(1.0, abs(point[place]))
        sums = []
        for sign in (1, -1):
            moved = point.copy()
            moved[place] += sign * step
            results = _parts(function(*arguments[:k], moved, *arguments[k + 1 :]))
            sums.append(sum(np.sum(r * w) for r, w in zip(results, weights, strict=True)))
        found[place] = (sums[0] - sums[1]) / (2 * step)
    return found
