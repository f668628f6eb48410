"""Products become contractions, and nothing is repeated before it is summed."""

import numpy as np
import pytest

from mgrad.compiler.ir.evaluate import evaluate
from mgrad.compiler.ir.graph import Graph
from mgrad.compiler.ir.node import Node, Pool
from mgrad.compiler.ir.types import Dim, Type
from mgrad.compiler.ir.verify import verify
from mgrad.compiler.ops import exp
from mgrad.compiler.ops.structural import broadcast, build, contract, reshape, sum_axes, transpose
from mgrad.compiler.passes import shapes

N, M, K = Dim.of("N"), Dim.of("M"), Dim.of("K")
SIZES = {"N": 2, "M": 3, "K": 4}


class Case:
    """Parameters of a graph, and what is made of them."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.parameters: list[Node] = []

    def array(self, *shape: Dim) -> Node:
        made = self.pool.parameter(f"x{len(self.parameters)}", Type("real", shape))
        self.parameters.append(made)
        return made

    def ops(self, result: Node) -> list[str]:
        """The ops that are left, after a check that the values are the same."""
        graph = Graph("f", self.pool, tuple(self.parameters), (result,))
        found = shapes.run(graph)
        verify(found)
        rng = np.random.default_rng(3)
        at = [rng.normal(size=[d.evaluate(SIZES) for d in p.array.shape]) for p in self.parameters]
        (before,) = evaluate(graph, at, sizes=SIZES)
        (after,) = evaluate(found, at, sizes=SIZES)
        np.testing.assert_allclose(after, before, rtol=1e-13)
        return [n.op for n in found.nodes() if n.op not in ("parameter", "constant")]


def test_an_op_moves_inside_a_broadcast() -> None:
    case = Case()
    b = case.array(M)
    wide = broadcast(b, (N, M), (0,))
    assert case.ops(exp(wide) + wide) == ["exp", "add", "broadcast"]


def test_a_sum_of_what_is_repeated_is_a_multiple() -> None:
    case = Case()
    b = case.array(M)
    assert case.ops(sum_axes(broadcast(b, (N, M), (0,)), (0,))) == [
        "size",
        "to_real",
        "broadcast",
        "mul",
    ]


def test_a_sum_of_a_product_is_a_contraction() -> None:
    case = Case()
    a, w = case.array(N, M), case.array(M)
    product = a * broadcast(w, (N, M), (0,))
    assert case.ops(sum_axes(product, (1,))) == ["contract"]
    assert case.ops(sum_axes(-product, (0, 1))) == ["contract", "neg"]


def test_a_number_leaves_a_contraction() -> None:
    case = Case()
    s, a, x = case.array(), case.array(N, M), case.array(M)
    made = contract((s, a, x), ((), (0, 1), (1,)), (0,))
    assert case.ops(made) == ["broadcast", "contract", "mul"]


def test_contractions_take_two_operands_the_small_result_first() -> None:
    case = Case()
    x, a, b, y = case.array(N), case.array(N, M), case.array(M, K), case.array(K)
    made = contract((x, a, b, y), ((0,), (0, 1), (1, 2), (2,)), ())
    assert case.ops(made) == ["contract"] * 3
    found = shapes.run(Graph("f", case.pool, tuple(case.parameters), (made,)))
    assert all(len(n.array.shape) <= 1 for n in found.nodes() if n.op == "contract")


def test_transposes_and_outer_products_join_a_contraction() -> None:
    case = Case()
    a, x, y = case.array(N, M), case.array(N), case.array(K)
    outer = contract((x, y), ((0,), (1,)), (0, 1))
    made = contract((transpose(a, (1, 0)), outer), ((0, 1), (1, 2)), (0, 2))
    assert case.ops(made) == ["contract", "contract"]


@pytest.mark.parametrize("result", [(0,), (1,), ()])
def test_a_contraction_of_one_operand_is_a_sum(result: tuple[int, ...]) -> None:
    case = Case()
    a = case.array(N, M)
    assert case.ops(contract((a,), ((0, 1),), result)) == ["sum"]


def test_nothing_summed_is_a_product() -> None:
    case = Case()
    a, w = case.array(N, M), case.array(M)
    assert case.ops(contract((a, w), ((0, 1), (1,)), (0, 1))) == ["broadcast", "mul"]


def placed(case: Case, x: Node, before: Dim, after: Dim) -> Node:
    return build("pad", (x,), before=(before, Dim.of(0)), after=(after, Dim.of(0)))


def test_parts_that_lie_beside_each_other_become_one() -> None:
    """In any order of the sum; what lies elsewhere stays a term."""
    case = Case()
    a, b, c = case.array(N, K), case.array(M, K), case.array(Dim.of(2), K)
    total = N + M + 2
    first = placed(case, a, Dim.of(0), M + 2)
    second = placed(case, b, N, Dim.of(2))
    third = placed(case, c, N + M, Dim.of(0))
    assert first.array.shape == (total, K)
    assert case.ops(third + first + second) == ["concat"]
    assert case.ops(third + first) == ["pad", "pad", "add"]
    assert case.ops(second + third) == ["concat", "pad"]


def test_elements_put_by_number_are_stacked() -> None:
    case = Case()
    x = [case.array(K) for _ in range(3)]
    zero = case.pool.constant(0, Type("real", (Dim.of(3), K)))
    puts = [
        build("put", (zero, x[k]), items=(("at", Dim.of(k)), ("all",)), adds=True) for k in range(3)
    ]
    assert case.ops(puts[1] + puts[2] + puts[0]) == ["reshape"] * 3 + ["concat"]


def test_an_axis_of_one_waits_until_the_op_is_done() -> None:
    case = Case()
    m = case.array(N)
    column = reshape(m, (N, Dim.of(1)))
    assert case.ops(exp(column) + 1) == ["exp", "add", "reshape"]
    assert case.ops(reshape(exp(column), (N,))) == ["exp"]
