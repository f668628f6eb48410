"""The verbs on functions of arrays; expected numbers are worked out by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mgrad
from mgrad.compiler.diagnostics import MgradError
from mgrad.faults import UsageError
from mgrad.verbs.arrays import in_line, spelled
from mgrad.verbs.bench import bench
from mgrad.verbs.compile import stage
from mgrad.verbs.diff import derivatives, show
from mgrad.verbs.evaluate import evaluate
from mgrad.verbs.explain import explain
from mgrad.verbs.graph import graph
from mgrad.verbs.test import test as run_tests

TEXT = """fn f(x: [n]) = sum(x^2)
fn matvec(W: [n, m], x: [m]) = [sum(W[i, j]*x[j] for j) for i]
fn quad(A: [n, n], x: [n]) = sum(x[i]*A[i, j]*x[j] for i, j)
fn pairwise(x: [N, D], y: [M, D]) = [sum((x[i, k] - y[j, k])^2 for k) for i, j]
fn window(x: [T], w: [3]) = windows(x, 3) @ w
fn gathered(x: [N], k: int[K]) = sum(x[k]^3)
fn times(x, y) = x*y
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "a.mg"
    path.write_text(TEXT)
    return str(path)


def test_eval_shows_the_gradient_by_each_argument(file: str) -> None:
    assert evaluate(file, "f([1, 2.5])").text() == "f([1, 2.5]) = 7.25\n  df/dx = [2, 5]"
    assert evaluate(file, "matvec([[1, 2], [3, 4]], [1, 1])").text().splitlines() == [
        "matvec([[1, 2], [3, 4]], [1, 1]) = [3, 7]",
        "  dmatvec/dW = [[[1, 1],",
        "                 [0, 0]],",
        "                [[0, 0],",
        "                 [1, 1]]]",
        "  dmatvec/dx = [[1, 2],",
        "                [3, 4]]",
    ]
    assert evaluate(file, "gathered([1, 2], [1, 1])").gradient == {"dgathered/dx": [0.0, 24.0]}
    assert evaluate(file, "times([1, 2], 3)").gradient["dtimes/dy"] == [1.0, 2.0]
    assert evaluate(file, "f([])").text() == "f([]) = 0\n  df/dx = []"


def test_eval_leaves_out_a_derivative_that_no_one_reads(file: str) -> None:
    found = evaluate(file, "matvec(ones(200, 200), ones(200))")
    assert not found.gradient
    assert found.text().endswith("of 200 results by 40,200 arguments, is not shown")


@pytest.mark.parametrize(
    "expression", ["matvec([[1, 2]], [1])", "f(3)", "f([[1]])", "f([1, [2]])", "f'([1])", "f(x)"]
)
def test_eval_tells_faults_of_shape_in_the_words_of_the_expression(
    file: str, expression: str
) -> None:
    with pytest.raises(MgradError) as caught:
        evaluate(file, expression)
    assert "of_the_expression" not in str(caught.value)


def test_a_test_compares_arrays_element_by_element(tmp_path: Path) -> None:
    path = tmp_path / "t.mg"
    path.write_text(
        TEXT
        + "test f([1, 2]) == 5\n"
        + "test matvec([[1, 2], [3, 4]], [1, 1]) == [3, 7]\n"
        + "test times([0.1, 0.2], 3) ~= [0.3, 0.6]\n"
        + "test matvec([[a, b]], [1, 2]) == [a + 2*b]\n"
        + "test times([1, 2], 3) == [3, 5]\n"
        + "test f([1, 2]) == [5]\n"
        + "test times([a, b], 2) == [2*a, b]\n"
    )
    outcome = run_tests(str(path))
    assert [r.passed for r in outcome.results] == [True] * 4 + [False] * 3
    assert "the left side is [3, 6]" in outcome.text()


def test_diff_writes_the_elements_at_small_sizes(file: str) -> None:
    (found,) = derivatives(file, "quad", (), None)
    assert show(found).splitlines()[-2:] == [
        "  dquad/dx = [2*A[0, 0]*x[0] + A[0, 1]*x[1] + A[1, 0]*x[1],",
        "              A[0, 1]*x[0] + A[1, 0]*x[0] + 2*A[1, 1]*x[1]]",
    ]
    assert found.sizes == {"n": 2}
    gradient = mgrad.diff(file, "f", sizes={"n": 3})["x"]
    assert list(map(str, gradient)) == ["2*x[0]", "2*x[1]", "2*x[2]"]
    (window,) = derivatives(file, "window", (), None)
    assert window.sizes == {"T": 3}  # the least that has a window
    with pytest.raises(UsageError, match="no function has a size 'q'"):
        mgrad.diff(file, "f", sizes={"q": 3})


def test_explain_writes_rules_in_index_notation(file: str) -> None:
    text = explain(file, "quad", at={"A": [[1, 2], [3, 4]], "x": [1, 1]})
    assert "∂quad/∂A[i, j] = x[i]*x[j]" in text
    assert "∂quad/∂x[i] = sum(A[i, j]*x[j] for j)" in text
    assert "∂quad/∂x[j] = sum(A[i, j]*x[i] for i)" in text
    assert "d_x: [n] = [7, 13]" in text  # (A + A') x
    text = explain(file, "pairwise")
    assert "∂pairwise[i, j]/∂x[i, k] = 2*x[i, k] - 2*y[j, k]" in text
    assert "for rows in blocks(" in text


def test_graph_shows_shapes_data_and_what_an_edge_adds(file: str) -> None:
    dot = graph(file, "matvec", at={"W": [[1, 2], [3, 4]], "x": [1, 1]}, backward=True).dot
    assert "[n, m]" in dot
    assert "grad [4.0000, 6.0000]" in dot
    assert "adds [4.0000, 6.0000]" in dot
    assert "[sum(W[i, j]*x[j] for j) for i]" in dot


SHAPES = """fn predict(x: [N, D], w: [D], b) = x @ w + b
fn centred(x: [N, D]) = x - mean(x, axis=0)
fn size(x: [n]) = norm(x) + stack(x, x)[0, 0]
"""


def boxes(dot: str) -> list[list[str]]:
    """The cells of each box."""
    labels = re.findall(r"label=<(<table.*)>\]", dot)
    return [[re.sub("<[^>]*>", "", c) for c in re.findall("<td.*?</td>", one)] for one in labels]


def test_a_box_has_the_words_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shapes.mg"
    path.write_text(SHAPES)
    found = boxes(graph(path, "predict").dot)
    assert ["b", "[N]"] in found
    assert found[-1] == ["predict", "[N]"]
    assert not any("x @ w + b" in cells for cells in found)
    # the sum, the number of rows, the mean, and that for each row
    found = boxes(graph(path, "centred").dot)
    mean = "mean(x, axis=0)"
    assert found[1:-1] == [["…", "[D]"], ["N"], [mean, "[D]"], [mean, "[N, D]"]]
    # of x^2, its sum and the root only the last is the norm
    found = boxes(graph(path, "size").dot)
    assert [cells for cells in found if "norm(x)" in cells] == [["norm(x)"]]
    assert found.count(["x", "[1, n]"]) == 2


def test_sizes_have_data_and_no_gradient(tmp_path: Path) -> None:
    path = tmp_path / "shapes.mg"
    path.write_text(SHAPES)
    dot = graph(path, "centred", at={"x": [[1, 2], [3, 5]]}, backward=True).dot
    assert ["N", "data 2"] in boxes(dot)


@pytest.mark.parametrize(
    ("name", "at", "words"),
    [
        ("f", {"x": 3}, r"'x' is \[n\]; the point gives it a number"),
        ("f", {"x": [[1.0]]}, r"the point gives it the shape \[1, 1\]"),
        ("f", {"x": [1, [2]]}, "an array of numbers"),
        ("times", {"x": [1.0], "y": 2}, "'x' is a number"),
        ("quad", {"A": [[1, 2], [3, 4]], "x": [1, 2, 3]}, "n = 2 by 'A'"),
        ("window", {"x": [1.0], "w": [1, 2, 3]}, "wants T >= 3"),
        ("gathered", {"x": [1.0], "k": [7]}, "has no value at this point"),
        ("gathered", {"x": [1.0], "k": [0.5]}, "an array of ints"),
    ],
)
def test_a_point_that_does_not_fit_is_told(
    file: str, name: str, at: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        graph(file, name, at=at)


def test_bench_takes_sizes(file: str) -> None:
    lines = bench(file, sizes={"n": 4, "m": 5}).splitlines()
    assert lines[1].startswith("f ") and lines[1].endswith("n = 4")
    assert lines[2].endswith("n = 4, m = 5")


def test_typed_shows_the_body_of_index_notation(file: str) -> None:
    text = stage(mgrad.files.read(file), "typed", "numpy")
    assert "%2: [n] = each %0 %1: for i in 0..n" in text
    assert "    %2.1: real = each %0 %2.0 %1: sum for j in 0..m" in text


def test_arrays_are_spelled_by_rows_and_long_ones_by_their_ends() -> None:
    assert spelled([[1.0, -20.5], [3.0, 4.0]], indent=2) == "[[    1, -20.5],\n   [    3,     4]]"
    assert spelled(list(range(2000))) == "[0, 1, 2, …, 1997, 1998, 1999]"
    assert in_line([[1.0, 2.0], [3.0, 4.0]]) == "[[1, 2], [3, 4]]"
    assert spelled([]) == "[]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fn f(x: [n]) = if sum(x) > 0 then x else -x", "by the rules of sum, gt, neg, where"),
        ("fn f(x: [N, D]) = softmax(x)*x", "∂f[i, j]/∂x[i, k] = "),
        (
            "fn g(x: [n]) = sum(x)\nfn f(z: [a, b]) = [g(z[i]) for i]",
            "by the rules of index notation",
        ),
        ("fn f(A: [n, n]) = det(A)", "d times the matrix of cofactors"),
    ],
)
def test_explain_says_in_words_what_it_cannot_write(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "w.mg"
    path.write_text(text)
    assert words in explain(str(path), "f")


def test_diff_gives_an_index_a_value(tmp_path: Path) -> None:
    path = tmp_path / "k.mg"
    path.write_text("fn f(x: [n], k: int) = x[k]")
    (found,) = derivatives(str(path), None, (), None)
    assert list(found.partials["x"][0]) == [int(i == found.sizes["k"]) for i in range(2)]
