"""What the Schedule decides: order, names, lines, notes."""

import re
import time
from typing import Any

import pytest

from mgrad.compiler import driver
from mgrad.compiler.schedule.names import Names, printable
from mgrad.compiler.schedule.schedule import Routine
from mgrad.compiler.source import Source

NEURON = """\
## One tanh neuron.
fn neuron(x1, x2, w1, w2, b) {
  n = w1*x1 + w2*x2 + b  # the weighted sum
  o = tanh(n)
  return o
}
"""


def compiled(text: str, **options: Any) -> driver.Compiled:
    return driver.compile(Source("lecture.mg", text), driver.Options(**options))


def routine(text: str, name: str, **options: Any) -> Routine:
    found = {r.name: r for r in compiled(text, **options).routines}
    return found[name]


def test_the_forward_pass_keeps_the_order_and_the_names_of_the_source() -> None:
    text = "fn f(x) {\n  b = sin(x)\n  a = cos(x)\n  c = a*b\n  c = c*a + b\n  return c + a\n}\n"
    assert [line.names for line in routine(text, "f").lines] == [("b",), ("a",), ("c",), ("c_2",)]


def test_the_backward_pass_runs_from_the_last_statement_to_the_first() -> None:
    text = "fn f(x) {\n  a = sin(x)\n  b = exp(a)*a\n  c = tanh(b)*b\n  return c*c\n}\n"
    names = [line.names[0] for line in routine(text, "f_backward").lines]
    places = [names.index(name) for name in ("d_c", "d_b", "d_a", "d_x")]
    assert places == sorted(places)


def test_each_gradient_says_which_statement_it_comes_through() -> None:
    lines = {line.names[0]: line for line in routine(NEURON, "neuron_backward").lines}
    assert (lines["d_n"].rule, lines["d_n"].place) == ("o = tanh(n)", "lecture.mg:4")
    for name in ("d_x1", "d_x2", "d_w1", "d_w2", "d_b"):
        assert lines[name].rule == "n = w1*x1 + w2*x2 + b"
        assert lines[name].place == "lecture.mg:3"


def test_comments_are_carried_over() -> None:
    text = compiled(NEURON).text
    assert "    n = w1*x1 + w2*x2 + b  # the weighted sum\n" in text


def test_a_gradient_that_is_another_s_too_has_a_name_of_its_own() -> None:
    (line,) = [r for r in routine(NEURON, "neuron_backward").lines if r.names == ("d_b",)]
    text = compiled(NEURON).text
    assert line.role == "gradient" and "    d_b = d_n\n" in text


def test_what_one_arm_needs_stands_inside_the_choice() -> None:
    text = compiled("fn f(x) = if x > 0 then sqrt(x) else exp(-x)").text
    assert "return sqrt(x) if x > 0.0 else exp(-x)" in text


def test_a_value_used_once_has_no_line_and_one_used_twice_has_one() -> None:
    assert routine("fn f(x) = exp(x) + sin(x*2)", "f").lines == ()
    (line,) = routine("fn f(x) = exp(x*x) + x/exp(x*x)", "f").lines
    assert line.role == "temporary" and line.names != ("tmp",)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("exp(t)/(1 + exp(t)) + y", "exp_t"),
        ("t*t + sin(t*t)", "t_squared"),
        ("y/(t + y) + sin(t + y)", "t_plus_y"),
        ("sqrt(1/t) + 1/t", "inverse_t"),
        ("(if t > 0 then y else 1)*(if t > 0 then 3 else y*y)", "t_is_positive"),
    ],
)
def test_temporaries_are_named_by_what_they_are(body: str, name: str) -> None:
    lines = routine(f"fn f(t, y) = {body}", "f").lines
    assert name in [line.names[0] for line in lines]


def test_no_line_is_deeper_than_python_reads() -> None:
    deep = "x"
    for _ in range(180):
        deep = f"sin({deep})"
    compile(compiled(f"fn f(x) = {deep}").text, "deep", "exec")


def test_several_results_take_a_tuple_of_gradients() -> None:
    text = "fn polar(x, y) = sqrt(x^2 + y^2), atan2(y, x)"
    space: dict[str, Any] = {}
    exec(compiled(text).text, space)
    (r, angle), saved = space["polar_forward"](3.0, 4.0)
    assert r == 5.0 and angle == pytest.approx(0.9272952180016122)
    assert space["polar_backward"](saved, (1.0, 0.0)) == pytest.approx((0.6, 0.8))
    assert space["polar_backward"](saved, (0.0, 1.0)) == pytest.approx((-0.16, 0.12))
    with pytest.raises(TypeError):
        space["polar_backward"](saved)
    assert "polar_value_and_grad" not in space


def test_jacobian_and_hessian_are_rows() -> None:
    text = "fn f(x, y) = x^2*y, x + y\nfn g(x, y) = x^3*y^2"
    space: dict[str, Any] = {}
    exec(compiled(text, emit=("jacobian", "hessian")).text, space)
    assert space["f_jacobian"](2.0, 3.0) == ((12.0, 4.0), (1.0, 1.0))
    assert space["g_jacobian"](2.0, 3.0) == (108.0, 48.0)
    assert space["g_hessian"](2.0, 3.0) == ((108.0, 72.0), (72.0, 16.0))


def test_a_function_without_real_arguments_has_no_gradient() -> None:
    names = {r.name for r in compiled("fn f(n: int) = n*2\nfn c() = 5").routines}
    assert names == {"f", "c"}


def test_text_grows_with_the_source_when_functions_call_functions() -> None:
    body = "fn f0(x) {\n  t = sin(x)*exp(x)\n  u = t*t + x\n  return tanh(u)/(1 + u^2)\n}\n"
    sizes = []
    for depth in (10, 20):
        calls = "".join(f"fn f{k}(x) = f{k - 1}(x)*f{k - 1}(x + 1)\n" for k in range(1, depth))
        sizes.append(len(compiled(body + calls).text))
    assert sizes[1] < 2.5 * sizes[0]


def test_planning_stays_linear_in_a_long_function() -> None:
    def seconds(statements: int) -> float:
        body = "".join(f"  t{k} = exp(t{k - 1})*x + t{k - 1}\n" for k in range(1, statements))
        source = f"fn f(x) {{\n  t0 = x\n{body}  return t{statements - 1}\n}}\n"
        start = time.process_time()
        compiled(source)
        return time.process_time() - start

    seconds(100)
    # eight times the source; a quadratic step would take 64 times as long
    assert seconds(2_000) < 25 * max(seconds(250), 0.02)


def test_names_are_given_once_each() -> None:
    names = Names(["c", "c_3"])
    assert [names.give("c") for _ in range(3)] == ["c_2", "c_4", "c_5"]
    assert names.give("d") == "d" and names.give("d") == "d_2"


@pytest.mark.parametrize("name", ["lambda", "None", "class", "__debug__", "__builtins__"])
def test_words_of_python_get_an_underscore(name: str) -> None:
    assert printable(name) == f"{name}_"


def test_the_gradients_of_arguments_follow_in_their_order() -> None:
    text = "fn L(a, b, c, f) {\n  e = a*b\n  d = e + c\n  return d*f\n}\n"
    names = [line.names[0] for line in routine(text, "L_backward").lines]
    assert names == ["d_d", "d_a", "d_b", "d_c", "d_f"]


def test_every_line_on_the_way_back_says_where_it_comes_from() -> None:
    text = "fn f(x, y) {\n  u = (x - 1)/(exp(x)*y + 1)\n  return u*sin(u) + x\n}\n"
    lines = [line for line in routine(text, "f_backward").lines if line.names[0].startswith("d_")]
    assert lines and all(line.rule and line.place for line in lines)


def test_gradients_are_not_named_like_those_of_others() -> None:
    """A `d_c` of the source's own, and the first derivative inside a second one, keep the name."""
    text = "fn f(c, x) {\n  d_c = sin(c)\n  return d_c*d_c*x*c\n}\n"
    names = [line.names[0] for line in routine(text, "f_backward").lines]
    assert "grad_c" in names and "d_d_c" in names and "d_c" not in names
    twice = "fn g(x) {\n  n = x*x\n  return tanh(n)*n\n}\nfn f(x) = diff(g(x), x)\n"
    found = {line.names[0] for line in routine(twice, "f_value_and_grad").lines}
    assert not any(re.fullmatch(r"d_n_\d+", name) for name in found), found


def test_what_the_backward_pass_makes_again_has_its_name() -> None:
    text = "fn f(a, b) {\n  d = a*b\n  e = a + b\n  return d*e\n}\n"
    made = compiled(text).text.partition("def f_backward")[2]
    assert "    d = a*b\n" in made and "    e = a + b\n" in made
    assert "d_e = grad*d" in made and "d_d = grad*e" in made


def test_a_docstring_leaves_out_what_is_noted_behind_it() -> None:
    text = compiled("## One curve; see #3.  # to be checked\nfn f(x) = x*x").text
    assert '    """One curve; see #3."""\n' in text and "to be checked" not in text
