"""The canonical layout: what it looks like, that it is stable, that it never changes the tree."""

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax.format import format_source
from mgrad.compiler.syntax.lex import RESERVED, SOFT
from mgrad.compiler.syntax.parse import parse


def formatted(text: str) -> str:
    return format_source(Source("test.mg", text))


def tree(node: Any) -> Any:
    """A tree without its places, to compare; only for small ones."""
    if isinstance(node, (Span, Source)):
        return None
    if is_dataclass(node):
        return (type(node).__name__, *(tree(getattr(node, f.name)) for f in fields(node)))
    return tuple(map(tree, node)) if isinstance(node, tuple) else node


CANONICAL = """\
# Curves of the lecture.

## The first.
fn f(x) = 3*x^2 - 4*x + 5        # a comment keeps its column
fn huber(r, delta = 1) = if abs(r) <= delta then r^2/2 else delta*(abs(r) - delta/2)
fn predict(x: [N, D], w: [D], b) -> [N] = x @ w + b
fn masked(t: int[T], keep: bool[T]) = sum(where(keep, t, 0), axis=-1)
fn matvec(W: [n, m], x: [m]) = [sum(W[i, j]*x[j] for j) for i]
fn causal(T: int) = [i >= j for i in 0..T, j in 0..T]
test [1, 2][0] == [f(0), 2][0]
fn part(x: [.., D]) = x[.., 1:] - x[.., :-1] + x[0, a:b:2]
fn entropy(p in (0, 1), q in [0, 1)) = -p*log(p)
fn slope(x) = f''(-x) |> f'

fn decay(y0, k; steps = 100) {
  y = y0
  for t in 0..steps { y = y - k*y/steps }
  if not y > 0 {
    # nothing left
    y, _ = polar(
      y,
      [1, 2]
    )
  } else if y == 1 {
    y *= 2
  } else {
    y = -1
  }

  return y
    |> h
}

derivative f(x) = 6*x - 4
extern fn j0(x) = "scipy.special.j0"
use "./file.mg": a, b
const width = 16
test f(-3) ~= 20
"""

ROUGH = """\
fn  g( a,b ){
 c=a+b   # the sum
    ##two
 d =a ** -b*(c)
 return clip(d,0,hi = 4) }



fn h(x ;n=2)=if x>0 then - x else(x)
"""

SMOOTH = """\
fn g(a, b) {
  c = a + b  # the sum
  ## two
  d = a^-b*(c)
  return clip(d, 0, hi=4)
}

fn h(x; n = 2) = if x > 0 then -x else (x)
"""


def test_the_canonical_layout_stays() -> None:
    assert formatted(CANONICAL) == CANONICAL


def test_a_rough_text_is_brought_into_it() -> None:
    assert formatted(ROUGH) == SMOOTH


@pytest.mark.parametrize("text", ["", "\n\n\n", "  # a comment  \n"])
def test_small_files(text: str) -> None:
    assert formatted(text) == (text.strip() + "\n" if text.strip() else "")


def test_a_trailing_comment_stands_two_spaces_off() -> None:
    assert formatted("fn f(x) = x # a\nfn g(x) = x# b\n") == (
        "fn f(x) = x  # a\nfn g(x) = x  # b\n"
    )


def test_a_comment_does_not_become_a_docstring() -> None:
    assert formatted("# # two\n#!x\n#y\n### z\nfn f(x) = x\n") == (
        "# # two\n#!x\n# y\n### z\nfn f(x) = x\n"
    )


def test_what_does_not_parse_is_refused() -> None:
    with pytest.raises(MgradError):
        formatted("fn f(x) = ")


LEAVES = st.sampled_from(["x", "y", "2", "0.5", "1e-3", "n"])


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "^", "**", "//", "%", "@"]), inner
        ).map(lambda t: f"({t[0]}){t[1]}({t[2]})"),
        st.tuples(LEAVES, st.sampled_from([" + ", " - ", "*", " /", "^"]), LEAVES).map("".join),
        inner.map(lambda a: f"- ({a})"),
        pair.map(lambda p: f"atan2( {p[0]},{p[1]} )"),
        pair.map(lambda p: f"clip({p[0]} ,0,hi = {p[1]})"),
        pair.map(lambda p: f"(if {p[0]}<2 and not {p[1]}>1 then {p[0]} else {p[1]})"),
        inner.map(lambda a: f"sin(\n {a} # why\n)"),
        inner.map(lambda a: f"x[{a}:,  ..]"),
        inner.map(lambda a: f"sum({a}*i for i in 0 .. n)"),
    )


EXPRESSIONS = st.recursive(LEAVES, _grow, max_leaves=8)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program of one function with random statements, blanks and comments."""
    indent = draw(st.sampled_from(["", " ", "\t", "    "]))
    lines = ["fn f( x,y ;n=3 ){"]
    for expression in draw(st.lists(EXPRESSIONS, max_size=4)):
        kind = draw(st.sampled_from(["y={}", "y  += {}", "for i in 0..n{{ y= {} }}"]))
        after = draw(st.sampled_from(["", "# c", " # # c", " #", "\n\n\n"]))
        lines.append(indent + kind.format(expression) + after)
    last = draw(EXPRESSIONS)
    return "\n".join([*lines, f"if x>0 {{\nreturn {last} }} else {{ return x", "}", "}", ""])


@given(programs())
def test_formatting_keeps_the_tree_and_is_stable(text: str) -> None:
    once = formatted(text)
    assert formatted(once) == once
    for line in once.splitlines():
        code, mark, _ = line.partition("#")
        assert not mark or not code.strip() or code.endswith("  ")
    before, after = parse(Source("a", text)).file, parse(Source("a", once)).file
    assert before is not None and after is not None
    assert tree(before.definitions) == tree(after.definitions)


SIGNS = [*"()[]{}=+-*/^,;:'?×²#\n\n", "==", "**", "..", "|>", "->", "~=", "+=", "##"]
VALUES = ["x", "y", "2", "0.5", "1e3", "true", '"s"', '"u']
KEYWORDS = [*sorted(RESERVED), *sorted(SOFT)]
WORDS = SIGNS + VALUES + KEYWORDS


@given(st.lists(st.sampled_from(WORDS), max_size=40), st.sampled_from([" ", "\n", ""]))
def test_token_soup_is_answered(words: list[str], between: str) -> None:
    source = Source("soup.mg", between.join(words))
    parsed = parse(source)
    assert parsed.file is not None
    for fault in parsed.faults:
        assert fault.span is not None and fault.span.source is source
    if not parsed.faults:
        once = format_source(source)
        assert formatted(once) == once


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    assert parse(Source("any.mg", text)).file is not None
