"""Inlining: which bodies are put in place, what comes along, and how the text grows."""

import pytest

from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.driver import Options, compile, entries, understand
from mgrad.compiler.ir.module import Module
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.lowering import lower
from mgrad.compiler.passes import inline
from mgrad.compiler.passes.depth import depths
from mgrad.compiler.source import Source

LONGER = "exp(x)*sin(x)*cos(x)*tanh(x)*atan(x)"


def nothing(path: str, importer: str) -> Source | None:
    return None


def inlined(text: str) -> Module:
    program = understand(Source("t.mg", text), Options(), nothing)
    module = inline.run(lower(program), entries(program))
    verify(module)
    return module


def calls(module: Module, key: str) -> list[str]:
    nodes = module.graphs[key].nodes()
    return [str(n.attribute("callee")) for n in nodes if n.op == "call"]


def test_tiny_and_small_bodies_are_put_in_place() -> None:
    module = inlined(
        "fn sq(x) = x*x\nfn once(x) = exp(x)*sin(x)\nfn twice(x) = exp(x)*cos(x)\n"
        f"fn long(x) = {LONGER}\n"
        "fn f(x) = sq(x) + sq(x + 1) + once(x) + long(x)\nfn g(x) = twice(x) + twice(2*x)\n"
    )
    assert calls(module, "f") == ["long"]
    assert calls(module, "g") == ["twice", "twice"]


def test_a_function_with_a_stated_derivative_stays() -> None:
    text = "fn sq(x) = x*x\nderivative sq(x) = x + x\nfn f(x) = sq(x)\n"
    assert calls(inlined(text), "f") == ["sq"]


def test_names_comments_and_places_come_along() -> None:
    module = inlined(
        "fn f(a) {\n  u = exp(a)  # the growth\n  y = u*a\n  return y + u\n}\n"
        "fn g(y) {\n  s = sin(y)\n  return f(s)\n}\n"
    )
    notes = module.graphs["g"].notes
    names = {node.op: name for node, name in notes.names.items()}
    assert names == {"parameter": "y", "sin": "s", "exp": "u"}  # g has a y of its own
    (exponential,) = (n for n in module.graphs["g"].nodes() if n.op == "exp")
    assert notes.comments[exponential] == ("the growth",)
    assert [span.line for span in notes.spans[exponential]] == [8, 2, 2]


def size(count: int, body: str) -> int:
    chain = "".join(f"fn f{k + 1}(x) = {body.format(f'f{k}')}\n" for k in range(count))
    return len(compile(Source("t.mg", f"fn f0(x) = x*sin(x)\n{chain}"), Options()).text)


@pytest.mark.parametrize("body", ["{0}(x)*sin(x)", "{0}(x)*{0}(x + 1)/2"])
def test_the_text_grows_in_proportion(body: str) -> None:
    sizes = [size(count, body) for count in (8, 44, 80)]
    assert sizes[2] - sizes[1] == pytest.approx(sizes[1] - sizes[0], rel=0.1)


def test_calls_have_a_depth() -> None:
    text = f"fn a(x) = {LONGER}\nfn b(x) = a(x)*{LONGER}\nfn c(x) = b'(x)*a(x)\n"
    assert depths(inlined(text)) == {"a": 1, "b": 2, "c": 3}


def test_calls_too_deep_for_python_are_refused() -> None:
    chain = "".join(f"fn f{k + 1}(x) = f{k}(x) + f{k}(x/2)\n" for k in range(600))
    with pytest.raises(MgradError) as caught:
        compile(Source("t.mg", f"fn f0(x) = x*sin(x)\n{chain}"), Options())
    (fault,) = caught.value.diagnostics
    assert fault.message == "the calls of 'f600' are 601 functions deep; at most 500 are allowed"
