"""Types and constants, by the rules of the language page (section 11)."""

from fractions import Fraction

import pytest

from mgrad.compiler.sema.check import check
from mgrad.compiler.sema.program import Function, Program, Value
from mgrad.compiler.source import Source
from mgrad.compiler.syntax.parse import parse


def program(text: str, **settings: object) -> Program:
    source = Source("t.mg", text)
    parsed = parse(source)
    assert parsed.file is not None and not parsed.faults, parsed.faults
    return check(parsed.file, lambda path, importer: None, settings)


def function(text: str, name: str = "f") -> Function:
    return program(text).functions[name]


def forms(text: str) -> list[str]:
    return [v.form for v in function(text).values]


def constants(text: str) -> list[object]:
    return [v.attribute("value") for v in function(text).values if v.form == "constant"]


@pytest.mark.parametrize(
    ("body", "dtype"),
    [
        ("n", "int"),
        ("x", "real"),
        ("b", "bool"),
        ("n + 1", "int"),
        ("n + 1.0", "real"),
        ("n + x", "real"),
        ("n*b", "int"),
        ("b + b", "int"),
        ("-b", "int"),
        ("+b", "int"),
        ("n/2", "real"),
        ("n // 2", "int"),
        ("n % 2", "int"),
        ("n^2", "int"),
        ("n^0", "int"),
        ("n^-1", "real"),
        ("n^n", "real"),
        ("n^2.0", "real"),
        ("b^2", "int"),
        ("x < n", "bool"),
        ("0 < x <= 1", "bool"),
        ("b and not b", "bool"),
        ("if b then n else b", "int"),
        ("if b then n else x", "real"),
        ("if b then b else b", "bool"),
        ("where(b, n, 2.0)", "real"),
        ("abs(n)", "int"),
        ("max(n, x)", "real"),
        ("sin(n)", "real"),
        ("5", "real"),
        ("2 + 3", "real"),
        ("true", "bool"),
    ],
)
def test_type_of_an_expression(body: str, dtype: str) -> None:
    result = function(f"fn f(n: int, x, b: bool) = {body}\n").results[0]
    assert str(result.type) == dtype


def test_an_argument_without_a_type_is_real_whatever_its_default() -> None:
    argument = function("fn f(x, n = 1) = x*n\n").arguments[1]
    assert str(argument.type) == "real"
    assert argument.default == Fraction(1)


def test_widening_is_explicit() -> None:
    assert forms("fn f(n: int, x) = n*x\n") == ["argument", "argument", "to_real", "mul"]


def test_a_bool_widens_to_an_int_in_arithmetic() -> None:
    assert forms("fn f(b: bool, n: int) = b + n\n") == ["argument", "argument", "to_int", "add"]


def test_constants_are_exact_and_folded() -> None:
    assert constants("fn f(x) = 1/3*x\n") == [Fraction(1, 3)]
    assert constants("fn f(x) = (0.1 + 0.2)*x\n") == [Fraction(3, 10)]
    assert constants("fn f(x) = x^(2^3 - 1)\n") == [Fraction(7)]
    assert constants("fn f(x) = x + 7 // 2 + -7 % 3\n") == [Fraction(3), Fraction(2)]


def test_unary_minus_binds_less_than_a_power() -> None:
    assert constants("fn f(x) = x + -2^2\n") == [Fraction(-4)]
    assert constants("fn f(x) = x + 2^3^2\n") == [Fraction(512)]


def test_constants_follow_ieee() -> None:
    inf = float("inf")
    assert constants("fn f(x) = x + 1/0\n") == [inf]
    assert constants("fn f(x) = x + -1/0\n") == [-inf]
    assert constants("fn f(x) = x + (inf - 3)\n") == [inf]
    (nan,) = constants("fn f(x) = x + 0/0\n")
    assert nan != nan


def test_pi_stays_symbolic() -> None:
    values = function("fn f(x) = 2*pi*x\n").values
    pi = next(v for v in values if v.form == "constant" and dict(v.attributes).get("symbol"))
    assert pi.attribute("symbol") == "pi"
    assert [v.form for v in values].count("mul") == 2


def test_a_condition_known_before_the_run_chooses() -> None:
    text = "fn f(x; bias = true) = if bias then x + 1 else x\n"
    assert "where" not in forms(text)
    chosen = program(text, bias=False).functions["f"]
    assert [v.form for v in chosen.values] == ["argument"]


def test_arms_are_nested() -> None:
    text = "fn f(x) = if x < 0 then 0 else if x < 1 then x else 1\n"
    values = function(text).values
    inner, outer = (v for v in values if v.form == "where")
    assert outer.args[2] is inner


def test_a_chain_computes_its_middle_once() -> None:
    assert forms("fn f(x) = 0 < sin(x) < 1\n").count("sin") == 1


def test_binds_are_values() -> None:
    text = "fn f(x) {\n  a = x\n  b = x\n  return diff(a*b, a)\n}\n"
    values = function(text).values
    diff = next(v for v in values if v.form == "diff")
    assert diff.args[1].form == "bind" and diff.args[1].name == "a"


def test_rebinding_makes_another_value() -> None:
    text = "fn f(x) {\n  c = x\n  c += c + 1\n  return c\n}\n"
    binds = [v for v in function(text).values if v.form == "bind"]
    assert [b.name for b in binds] == ["c", "c"]
    assert function(text).results[0].name == "c"


def test_values_of_one_line_are_computed_before_they_are_bound() -> None:
    text = "fn f(x, y) {\n  x, y = y, x\n  return x - y\n}\n"
    f = function(text)
    difference = f.results[0]
    assert [_argument(a) for a in difference.args] == ["y", "x"]


def _argument(value: Value) -> str | None:
    while value.form == "bind":
        value = value.args[0]
    return value.name


def test_keywords_of_python_are_names() -> None:
    assert function("fn lambda(def) = def^2\n", "lambda").arguments[0].name == "def"


def test_pipes_are_calls() -> None:
    text = "fn h(x, a) = x*a\nfn f(x) = x |> sin |> h(2)\n"
    f = function(text)
    call = f.results[0]
    assert call.form == "call"
    assert call.args[0].form == "sin"
    assert call.args[1].attribute("value") == 2


def test_arguments_by_keyword_and_default() -> None:
    text = "fn h(x, a, b = 3) = x*a*b\nfn f(x) = h(a=x, x=2)\n"
    call = function(text).results[0]
    assert [a.form for a in call.args] == ["constant", "argument", "constant"]
    assert [a.attribute("value") for a in call.args if a.form == "constant"] == [2, 3]


def test_several_results_are_unpacked_or_returned() -> None:
    text = (
        "fn polar(x, y) = sqrt(x^2 + y^2), atan2(y, x)\n"
        "fn g(x) {\n  r, _ = polar(x, 1)\n  return r\n}\n"
        "fn h(x) = polar(x, 2)\n"
    )
    p = program(text)
    assert len(p.functions["polar"].results) == 2
    assert [v.form for v in p.functions["h"].results] == ["item", "item"]
    assert p.functions["g"].results[0].name == "r"


def test_primes() -> None:
    text = "fn f(x; k = 2) = x^k\nfn g(x) = f''(x, k=3)\nfn h(x) = x |> f'\n"
    p = program(text)
    second = p.functions["g"].results[0]
    assert second.form == "derivative"
    assert second.attribute("order") == 2
    assert second.attribute("callee") == "f_k_3"
    assert p.functions["h"].results[0].attribute("callee") == "f"


def test_the_prime_of_a_builtin_is_a_diff() -> None:
    values = function("fn f(x) = sin''(x)\n").values
    assert [v.form for v in values] == ["argument", "bind", "sin", "diff", "diff"]


def test_callees_stand_first() -> None:
    text = "fn a(x) = b(x)\nfn b(x) = c(x)\nfn c(x) = x\n"
    assert list(program(text).functions) == ["c", "b", "a"]


def test_functions_are_specialised_by_their_settings() -> None:
    text = (
        "fn decay(y, k; steps = 100) = y*(1 - k/steps)^steps\n"
        "fn f(y) = decay(y, 1, steps=10) + decay(y, 1, steps=10) + decay(y, 1)\n"
    )
    p = program(text)
    assert list(p.functions) == ["decay", "decay_steps_10", "f"]
    assert p.functions["decay_steps_10"].settings == (("steps", Fraction(10)),)
    assert not p.functions["decay_steps_10"].is_entry
    assert program(text, steps=5).functions["decay"].settings == (("steps", Fraction(5)),)
    assert program(text, **{"decay.steps": 5}).functions["decay"].settings == (("steps", 5),)


def test_a_setting_without_a_value_is_compiled_where_it_is_called() -> None:
    text = "fn scaled(x; k) = x*k\n"
    assert not program(text).functions
    called = program(text + "fn f(x) = scaled(x, k=1/2)\n")
    assert list(called.functions) == ["scaled_k_0_5", "f"]
    assert program(text, k=3).functions["scaled"].is_entry


def test_constants_are_known_to_the_whole_file() -> None:
    text = "fn f(x) = x*half\nconst half = whole/2\nconst whole = 1\n"
    p = program(text)
    assert p.constants == {"half": Fraction(1, 2), "whole": Fraction(1)}
    assert program(text, whole=3).constants["half"] == Fraction(3, 2)


def test_a_constant_with_pi_keeps_it() -> None:
    import math

    p = program("const tau = 2*pi\nfn f(x) = x*tau\n")
    assert p.constants["tau"] == Fraction(2 * math.pi)
    assert any(
        v.attributes and v.attributes[0] == ("symbol", "pi") for v in p.functions["f"].values
    )


def test_free_names_of_a_test_are_arguments_of_both_sides() -> None:
    p = program("fn f(x) = x^2\ntest diff(f(x), x) == 2*x + 0*y\n")
    (test,) = p.tests
    assert [a.name for a in test.left.arguments] == ["x", "y"]
    assert [a.name for a in test.right.arguments] == ["x", "y"]
    assert test.left.results[0].form == "diff"


def test_domains_are_exact() -> None:
    text = "fn f(p in (0, 1/3], q in [-inf, inf]) = p*q\n"
    first, second = (a.domain for a in function(text).arguments)
    assert str(first) == "(0, 1/3]"
    assert str(second) == "[-inf, inf]"


def test_externs_and_stated_derivatives() -> None:
    text = (
        'extern fn j0(x) = "scipy.special.j0"\n'
        'extern fn j1(x) = "scipy.special.j1"\n'
        "derivative j0(x) = -j1(x)\n"
        "derivative j1(x) = j0(x) - j1(x)/x\n"
        "fn f(x) = j0'(x)\n"
    )
    p = program(text)
    assert p.externs["j0"].module == "scipy.special"
    assert p.externs["j0"].attribute == "j0"
    assert list(p.derivatives) == ["j0", "j1"] or list(p.derivatives) == ["j1", "j0"]


def test_an_empty_file_is_a_program() -> None:
    assert not program("").functions


def test_a_chain_of_functions_and_statements_does_not_recurse() -> None:
    count = 3000
    lines = [f"fn f{i}(x) = f{i + 1}(x) + {i}" for i in range(count)] + [f"fn f{count}(x) = x"]
    assert len(program("\n".join(lines) + "\n").functions) == count + 1


def test_a_chain_of_constants_does_not_recurse() -> None:
    count = 3000
    lines = [f"const c{i} = c{i + 1} + 1" for i in range(count)] + [f"const c{count} = 0"]
    assert program("\n".join(lines) + "\n").constants["c0"] == count


def test_imports_are_not_passed_on_and_are_no_entries() -> None:
    files = {
        "./shapes.mg": Source(
            "shapes.mg", "const unit = 2\nfn area(a, b) = a*b*unit\ntest 1 == 2\n"
        )
    }
    source = Source("t.mg", 'use "./shapes.mg": area\nfn f(x) = area(x, x)\n')
    parsed = parse(source)
    assert parsed.file is not None
    p = check(parsed.file, lambda path, importer: files.get(path), {})
    assert [f.is_entry for f in p.functions.values()] == [False, True]
    assert not p.tests and not p.constants
