"""`explain`: each line's rule and number hold, at kinks too; and it says why there is none."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mgrad.faults import UsageError
from mgrad.verbs.explain import explain

EXAMPLES = Path(__file__).parents[2] / "examples"
FUNCTIONS = [
    (name, function)
    for name in ("lecture", "calculus", "special", "optimisation", "physics")
    for function in re.findall(r"^fn ([^\s(]+)", (EXAMPLES / f"{name}.mg").read_text(), re.M)
]
NUMBER = r"-?(?:[\d.]+(?:e[-+]\d+)?|inf)"

Explain = Callable[..., str]


@pytest.fixture
def told(tmp_path: Path) -> Explain:
    """`told("fn f(x) = x^2", "f", x=3)`"""

    def run(text: str, name: str, **at: Any) -> str:
        path = tmp_path / "some.mg"
        path.write_text(text + "\n")
        return explain(path, name, at=at or None)

    return run


def sums(text: str) -> Iterator[tuple[list[float], float]]:
    """The terms of every gradient of an explanation, and what it says that they add up to."""
    terms: list[float] = []
    for line in text.splitlines():
        if found := re.search(rf"; times .* gives ({NUMBER})$", line):
            terms.append(float(found[1]))
        elif line.endswith(" is given: 1"):
            terms.append(1.0)
        elif terms and (found := re.fullmatch(rf"      \S+ = (?:.* = )?({NUMBER})", line)):
            yield terms, float(found[1])
            terms = []
    assert not terms


@pytest.mark.parametrize(("file", "name"), FUNCTIONS[::12])
def test_the_terms_of_every_example_add_up(file: str, name: str) -> None:
    found = list(sums(explain(EXAMPLES / f"{file}.mg", name)))
    assert found
    for terms, total in found:
        assert sum(terms) == pytest.approx(total, rel=1e-4, abs=1e-4 * max(map(abs, terms)))


def test_every_path_of_the_readme_expression() -> None:
    text = explain(EXAMPLES / "lecture.mg", "g", at={"a": -4, "b": 2})
    assert "b reaches the result by 4 paths, which add:" in text
    assert re.search(r"      d_a = .* = 138\.834$", text, re.M)
    assert re.search(r"      d_b = .* = 645\.577$", text, re.M)
    # what the compiler collected into another line is told of all the same
    assert "∂g/∂c_2, which has no line of its own:" in text


def test_a_call_that_stays_a_call(told: Explain) -> None:
    """d/dx of (x^2 + x)^2 + x^2 + x at 2: (2*6 + 1)*5 = 65."""
    big = "  b = sin(x)*exp(x) + cos(x)*log(x + 2) + tanh(x)*sqrt(x + 3)\n"
    file = f"fn inner(x) {{\n{big}  return b*0 + x^2 + x\n}}\nfn f(x) = inner(inner(x))"
    text = told(file, "f", x=2)
    assert "inner_backward(" in text
    assert re.search(r"^      d_x = 65$", text, re.M)


def test_a_rule_in_the_names_of_the_statement(told: Explain) -> None:
    text = told("fn f(n) {\n  o = tanh(n)\n  return o\n}", "f", n=0)
    assert "∂o/∂n = 1 - tanh(n)^2 = 1 - o^2 = 1; times grad = 1 gives 1" in text


def test_several_results_have_a_gradient_each(told: Explain) -> None:
    text = told("fn f(x) = x^2, 3*x", "f", x=2)
    assert "∂f[0]/∂x = 2*x = 4; times grad_1 = 1 gives 4" in text
    assert "∂f[1]/∂x = 3; times grad_2 = 1 gives 3" in text
    assert "d_x = 4 + 3 = 7" in text


def test_a_derivative_inside_is_taken_through_what_it_stands_on(told: Explain) -> None:
    """s = 3*x^2*y, so f = 3*x^2*y^2 + x^3*y: at (1, 2) 6*x*y^2 + 3*x^2*y = 30."""
    file = "fn f(x, y) {\n  e = x^3*y\n  s = diff(e, x)\n  return s*y + e\n}"
    text = told(file, "f", x=1, y=2)
    assert "∂s/∂x = 6*x*y = 12" in text
    assert "d_x = 6 + 24 = 30" in text


@pytest.mark.parametrize(
    ("body", "at", "kink", "gradient"),
    [
        ("relu(x)", 0, "relu'(0) = 0", "0"),
        ("abs(x)", 0, "abs'(0) = 0", "0"),
        ("max(x, 1)", 1, "a tie in max is shared among all tied", "0.5"),
        ("clip(x, -1, 1)", 1, "where x meets a bound", "0.5"),
        ("sqrt(x)", 0, "sqrt'(0) = inf", "inf"),
    ],
)
def test_a_kink_is_named_with_what_is_settled(
    told: Explain, body: str, at: int, kink: str, gradient: str
) -> None:
    text = told(f"fn f(x) = {body}", "f", x=at)
    assert f"{body} stands at a kink (" in text and kink in text
    assert re.search(
        rf"^        ∂f/∂x = .*{gradient}; times grad = 1 gives {gradient}$", text, re.M
    )
    assert re.search(rf"^      d_x = {gradient}$", text, re.M)


def test_a_branch_that_is_not_taken_names_no_kink(told: Explain) -> None:
    text = told("fn f(x) = if x > 0 then sqrt(x) else 0", "f", x=0)
    assert "kink" not in text and "      d_x = 0" in text


def test_what_no_path_reaches(told: Explain) -> None:
    text = told("fn f(x, y) = 2*x", "f", x=1, y=1)
    assert "the gradient by y is 0\n      no path leads from y to the result" in text


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("fn f(n: int) = n/2", "no real argument"),
        ("fn f(x) = x > 0", "no real result"),
        ('extern fn h(x) = "math.sin"\nfn g(x) = h(x)\nfn f(x) = g(x)', "the derivative of h"),
    ],
)
def test_why_there_is_no_backward_pass(told: Explain, file: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        told(file, "f")


def test_what_no_one_would_read_is_refused(told: Explain) -> None:
    with pytest.raises(UsageError, match="an explanation holds at most 500"):
        told(f"fn f(x) = {'+'.join(['sin(x)'] * 501)}", "f")


def test_an_inner_choice_is_quoted_whole(told: Explain) -> None:
    text = "fn f(x) = if x < 0 then -x else if x > 2 then x^2 else (if x > 1 then x^3 else x)"
    out = told(text, "f", x=3)
    assert "∂f/∂(if x > 2 then x^2" in out and "∂(x >" not in out


def test_all_that_is_added_to_a_gradient_is_shown(tmp_path: Path) -> None:
    """By u: 2 - 2*(3 - 1), 2*(3 - 1) - 2*(4 - 3) and 2*(4 - 3) + 1."""
    path = tmp_path / "steps.mg"
    path.write_text("fn f(u: [n], k: int[n]) = sum((u[1:] - u[:-1])^2) + sum(u[k])\n")
    text = explain(path, "f", at={"u": [1, 3, 4], "k": [0, 0, 2]})
    assert "d_u[:-1] -= " in text
    assert "add_at(d_u, k, " in text
    assert "d_u: [n] = [-2, 2, 3]" in text
