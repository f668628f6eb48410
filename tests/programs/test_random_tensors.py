"""Random functions of arrays: the text at every level agrees with the reference at 100 digits."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import run_module
from mgrad.compiler.verify.directions import measure

LEAST = 9  # digits: a random expression may cancel

# an expression of each shape, made of expressions; {m}: [N, D], {v}: [D], {u}: [N], {s}: a number
RULES = {
    "m": [
        "x",
        "({m} + {m})",
        "{m}*{m}",
        "({m} - {v})",
        "{m}*{s}",
        "sin({m})",
        "tanh({m})",
        "expand({u}, 1)*{v}",
        "outer({u}, {v})",
        "where({m} > {m}, {m}, {v})",
        "softmax({m}, axis=1)",
        "[x[i, k]*{v}[k] - {u}[i] for i, k]",
        "cumsum({m}, axis=0)",
        "stack({u}, {u}, {u}, axis=1)@transpose(stack({v}, {v}, {v}, axis=1))",
    ],
    "v": [
        "y",
        "({v} + {v})",
        "{v}*{s}",
        "cos({v})",
        "sum({m}, axis=0)",
        "mean({m}, axis=N)",
        "{u} @ {m}",
        "[sum({m}[i, k]*{m}[i, k] for i) for k]",
        "max({m}, axis=0)",
        "flip({v})",
        "concat({v}[1:], {v}[:1])",
    ],
    "u": [
        "{m} @ {v}",
        "sum({m}, axis=D)",
        "logsumexp({m}, axis=1)",
        "{u}*{u}",
        "norm({m}, axis=1)",
        "[sum(tanh({m}[i, k] - {v}[k]) for k) for i]",
        "{m}[:, 0]",
    ],
    "s": [
        "a",
        "2",
        "sum({m})",
        "mean({v}^2)",
        "{v} @ {v}",
        "sum({u})/N",
        "{m}[0, -1]",
        "sum({m}[i, k]*{u}[i]*{v}[k] for i, k)",
        "max({u})",
    ],
}


@st.composite
def expressions(draw: Any, kind: str, depth: int = 3) -> str:
    rules = RULES[kind]
    leaves = [r for r in rules if "{" not in r]
    usable = rules if depth else leaves or rules[:1]
    text = draw(st.sampled_from(usable))
    for shape in RULES:
        while f"{{{shape}}}" in text:
            part = draw(expressions(shape, max(depth - 1, 0)))
            text = text.replace(f"{{{shape}}}", part if part.isalnum() else f"({part})", 1)
    return str(text)


def space(text: str, level: int) -> tuple[Any, dict[str, Any]]:
    compiled = compile(Source("f.mg", text), Options(target="numpy", level=level))  # type: ignore[arg-type]
    return compiled.program, run_module(compiled.text)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["m", "v", "u", "s"]), st.data())
def test_text_agrees_with_the_reference(kind: str, data: Any) -> None:
    body = data.draw(expressions(kind))
    source = f"fn f(x: [N, D], y: [D], a) = sum(x) + sum(y) + a + {body}\n"
    for level in (0, 1, 2):
        program, names = space(source, level)
        found = measure(program, program.functions["f"], names, float("inf"))
        assert found is not None
        assert found.value >= LEAST, (source, level, found)
        assert found.gradient >= LEAST, (source, level, found)
