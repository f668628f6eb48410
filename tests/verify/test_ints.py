"""Ints that are sizes, trip counts and places: chosen so that the program has a value, and such
that a text which is right for some of them only is refuted."""

import re

import pytest

from mgrad.compiler.driver import Options, compile
from mgrad.compiler.ir.types import Interval
from mgrad.compiler.source import Source
from mgrad.compiler.verify.certificate import FunctionReport, check_function, run_module
from mgrad.compiler.verify.evaluation import Sampler
from mgrad.compiler.verify.ints import Choice, Wish, choose
from mgrad.compiler.verify.symbolic import Equivalence

PROGRAMS = {
    "clamped": "fn f(u: [N], k) ="
    " [u[i] + k*(u[min(i + 1, N - 1)] - 2*u[i] + u[max(i - 1, 0)]) for i]",
    "periodic": "fn f(x: [N]) = [x[(i + 1) % N] - x[(i - 1) % N] for i in 0..N]",
    "shifted": "fn f(x: [N], n: int) = [x[(i + n) % N] for i in 0..N]",
    "coarse": "fn f(x: [N], n: int) = [x[i//n] for i in 0..N]",
    "read": "fn f(x: [N], k: int[K]) = [x[k[j] + 1] for j]",
    "scaled": "fn f(x: [N], k: int) = x[2*k]",
    "one": "fn f(x: [N], k: int) = x[k]^2",
    "before": "fn f(x: [N], k: int) = x[k - 1]",
    "columns": "fn f(x: [M, N], k: int[K]) = x[:, k]",
    "column": "fn f(x: [M, N], k: int) = x[:, k]",
    "table": "fn f(x: [N], a: int[P, Q]) = [x[a[i, j]] for i, j]",
    "weights": "fn f(w: [V], x: [N], t: int[N]) = sum(w[t[i]]*x[i] for i)",
    "combined": "fn f(x: [N], a: int[P, 2], b: int[P], n: int) = [x[2*a[i, 1] - b[i]*n] for i]",
    "head": "fn f(x: [N], n: int) = sum(x[i]^2 for i in 0..n)",
    "tail": "fn f(x: [N], n: int) = sum(x[i]^2 for i in n..N)",
    "edges": "fn f(x: [N], src: int[E], dst: int[E], w: [E]) ="
    " sum(w[e]*(x[src[e]] - x[dst[e]])^2 for e)",
    "zero": "fn f(x: [N]) = sum(x[i] - x[(i + 1) % N] for i in 0..N)",
    "elements": "fn f(u: [N], X: [N], c: int[E, 2]) ="
    " sum((u[c[e, 1]] - u[c[e, 0]])^2/(X[c[e, 1]] - X[c[e, 0]]) for e)",
    "neighbours": "fn f(x: [N], n: int[N, K]) = sum((x[i] - x[n[i, j]])^-2 for i, j)",
    "incoming": "fn f(x: [N], src: int[E], dst: int[E]) ="
    " [sum(where(dst[e] == i, x[src[e]], 0) for e) for i in 0..N]",
    "called": "fn g(x: [N], k: int[K]) = sum(x[k])\nfn f(x: [N], a: int[A], b: int[B]) ="
    " g(x, a)*g(x, b)",
    "inside": "fn f(x: [N], k: int[K] in [1, 2]) = x[k]",
    "counts": "fn f(r: [N], k: int[N]) = sum(k*r - exp(r) - lgamma(k + 1))",
    "strided": "fn f(x: [N], s: int) = [x[s*i] for i in 0..N//s]",
    "best": "fn f(x: [N], y: [N]) = x[argmax(y)]^2",
    "hardest": "fn f(x: [N, D], y: [N, D]) = [x[i, argmin(y[i])] for i]",
    "ranked": "fn f(x: [N], w: [N]) = sum(w[sum(x[j] < x[i] for j)]*x[i] for i)",
    "median": "fn f(x: [3]) = x[argmin([abs(sum(x[j] < x[i] for j) - 1) for i])]^2",
    "cell": "fn f(c: [M], t: [K], x) = c[sum(t < x)]*x",
    "nearest": "fn f(x: [N], c: [K]) = sum((x[i] - c[argmin([(x[i] - c[k])^2 for k])])^2 for i)",
    "angles": "fn f(x: [N, 2], t: int[A, 3]) ="
    " sum(1/norm(x[t[a, 0]] - x[t[a, 1]])/norm(x[t[a, 2]] - x[t[a, 1]]) for a)",
    "times": "fn f(x: [N], n: int) = sum(x)*n",
}

REPLACED = "(lambda x, where, values: [x.__setitem__(where, values), x][1])"


def report(
    source: str, target: str = "numpy", change: tuple[str, str] | None = None
) -> FunctionReport:
    compiled = compile(Source("f.mg", f"{source}\n"), Options(target=target))
    text = compiled.text
    if change is not None:
        assert re.search(change[0], text), text
        text = re.sub(*change, text)
    function = compiled.program.functions["f"]
    return check_function(compiled.program, function, text, run_module(text))


def chosen(source: str, wish: Wish) -> Choice:
    program = compile(Source("f.mg", f"{source}\n"), Options()).program
    return choose(program, program.functions["f"], wish)


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_gradient_is_proved(name: str, target: str) -> None:
    found = report(PROGRAMS[name], target)
    assert {v.routine: v.status for v in found.verdicts}.keys() >= {"f", "f_backward"}
    assert {v.status for v in found.verdicts} == {"proved"}
    assert found.numbers is not None and found.numbers.gradient >= 13


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("read", (r"added\(", f"{REPLACED}(")),  # right where no int is repeated
        ("columns", (r"added\(np", f"{REPLACED}(np")),
        ("one", (r"x\[k\]", "x[-1]")),  # right where k is the last
        ("one", (r"np\.s_\[k\]|\(k,\)|\[k\]", "[-1]")),
        ("head", (r":n\]", ":2]")),
        ("weights", (r"w\[t\]", "w[t*(t > 0)]")),  # right where nothing counts from the end
        ("counts", (r"k\*", "k**2*")),  # right for 0 and 1
        ("periodic", (r"\(i - 1\)", "(i + 2)")),  # right for 3
        ("periodic", (r"\(i \+ 1\) % N", "(i + 1) % max(N, 3)")),  # right below 4
        ("head", (r":n\]", ":max(n, 1)]")),  # right but for 0
        ("best", (r"y\.argmax\(\)", "1")),  # right where y[1] is the greatest
        ("best", (r"y\.argmax\(\)", "x.argmax()")),
        ("nearest", (r"\.argmin\(", ".argmax(")),
        ("times", (r"n\*1.0", "n*n/2")),  # right for 2
    ],
)
def test_a_text_that_is_right_for_some_ints_is_refuted(name: str, change: tuple[str, str]) -> None:
    found = report(PROGRAMS[name], "numpy", change)
    assert found.is_refuted, [(v.routine, v.status) for v in found.verdicts]


def test_the_counterexample_tells_the_ints() -> None:
    found = report(PROGRAMS["columns"], "numpy", (r"added\(np", f"{REPLACED}(np"))
    (example,) = (v.counterexample for v in found.verdicts if v.counterexample is not None)
    assert re.fullmatch(r"\[-?\d(, -?\d)+\]", example.point["k"])


def test_a_text_that_raises_is_refuted() -> None:
    fault = "def f_backward(saved, grad):\n    if len(grad) > 4: raise KeyError(4)"
    found = report(PROGRAMS["columns"], "numpy", (r"def f_backward\(saved, grad\):", fault))
    (verdict,) = (v for v in found.verdicts if v.status == "refuted")
    assert verdict.reason.startswith("f_backward raises KeyError: 4, at M = 5, ")


def test_sizes_with_an_inside_are_chosen_where_places_are_computed() -> None:
    assert chosen(PROGRAMS["clamped"], Wish()).sizes == {"N": 3}
    assert chosen("fn f(x: [N]) = sum(x^2)", Wish()).sizes == {"N": 2}


def test_every_place_that_is_chosen_lies_inside() -> None:
    for seed in range(1, 9):
        choice = chosen(PROGRAMS["combined"], Wish(3, "any", "any", seed))
        size, n = choice.sizes["N"], choice.sizes["n"]
        rows = zip(choice.arrays["a"][1::2], choice.arrays["b"], strict=True)
        assert all(-size <= 2 * a - b * n < size for a, b in rows)


def test_a_scalar_int_does_not_count_from_the_end() -> None:
    for seed in range(1, 9):
        choice = chosen(PROGRAMS["before"], Wish(3, "any", "any", seed))
        assert 1 <= choice.sizes["k"] <= choice.sizes["N"]


def test_ints_that_decide_nothing_are_left_free() -> None:
    choice = chosen(PROGRAMS["counts"], Wish())
    assert choice.sizes.keys() == {"N"}
    assert not choice.arrays


def test_drawn_ints_lie_in_their_domain() -> None:
    domains = [Interval(1, 4, False, False), Interval(0, float("inf"), True, True)]
    sampler = Sampler(["int", "int"], domains)
    points = [sampler.generic(scale) for scale in (0.1, 2.0, 30.0) for _ in range(20)]
    points += sampler.special([])
    assert {m for m, _ in points} == {1, 2, 3, 4}
    assert all(n >= 1 for _, n in points)


def test_what_agreed_is_said_to_agree_when_no_time_is_left_for_a_proof(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def out_of_time(_: Equivalence) -> None:
        raise TimeoutError

    monkeypatch.setattr(Equivalence, "absorb", out_of_time)
    found = report(PROGRAMS["edges"])
    assert {(v.status, v.reason) for v in found.verdicts} == {("agreed", "the time budget ran out")}
