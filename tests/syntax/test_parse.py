"""The tree of the grammar: precedence, newlines, soft keywords, numbers, limits."""

from fractions import Fraction

import pytest

from mgrad.compiler.source import Source
from mgrad.compiler.syntax import ast
from mgrad.compiler.syntax.parse import parse


def definitions(text: str) -> tuple[ast.Definition, ...]:
    """The definitions of a text that has no fault."""
    parsed = parse(Source("test.mg", text))
    assert [fault.message for fault in parsed.faults] == []
    assert parsed.file is not None
    return parsed.file.definitions


def function(text: str) -> ast.Function:
    (found,) = definitions(text)
    assert isinstance(found, ast.Function)
    return found


def value(expression: str) -> ast.Expression:
    (statement,) = function(f"fn f(x) = {expression}").body
    assert isinstance(statement, ast.Return)
    return statement.values[0]


def codes(text: str) -> list[str]:
    return [fault.code for fault in parse(Source("test.mg", text)).faults]


def shown(node: object) -> str:
    """An expression with every grouping in parentheses; only for small ones."""
    match node:
        case ast.Number(value=number):
            return str(number)
        case ast.Name(id=name):
            return name
        case ast.Boolean(value=flag):
            return str(flag).lower()
        case ast.Unary(ops=ops, operand=operand):
            return f"({' '.join(ops)} {shown(operand)})"
        case ast.Chain(first=first, rest=rest) | ast.Compare(first=first, rest=rest):
            return f"({shown(first)}{''.join(f' {k.op} {shown(k.operand)}' for k in rest)})"
        case ast.Power(operands=operands):
            return f"({' ^ '.join(map(shown, operands))})"
        case ast.Logic(op=op, operands=operands):
            return f"({f' {op} '.join(map(shown, operands))})"
        case ast.If(arms=arms, orelse=orelse):
            cases = " else ".join(f"if {shown(c)} then {shown(v)}" for c, v in arms)
            return f"({cases} else {shown(orelse)})"
        case ast.Range(start=start, stop=stop):
            return f"({shown(start)} .. {shown(stop)})"
        case ast.Pipe(value=piped, stages=stages):
            return f"({' |> '.join(map(shown, (piped, *stages)))})"
        case ast.Call(callee=callee, arguments=arguments):
            inside = [f"{a.name}=" * bool(a.name) + shown(a.value) for a in arguments]
            return f"{shown(callee)}({', '.join(inside)})"
        case ast.Prime(base=base, order=order):
            return shown(base) + "'" * order
        case ast.Index(base=base, items=items):
            return f"{shown(base)}[{', '.join(map(shown, items))}]"
        case ast.Slice(start=start, stop=stop, step=step):
            bounds = f"{shown(start) if start else ''}:{shown(stop) if stop else ''}"
            return f"{bounds}:{shown(step)}" if step else bounds
        case ast.Array(items=items):
            return f"[{', '.join(map(shown, items))}]"
        case ast.Comprehension(body=body, indices=indices):
            names = [i.id + (f" in {shown(i.range)}" if i.range else "") for i in indices]
            return f"{shown(body)} for {', '.join(names)}"
        case ast.Dots():
            return ".."
    raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a + b*c", "(a + (b * c))"),
        ("a - b - c", "(a - b - c)"),
        ("(a - b) - c", "((a - b) - c)"),
        ("a/b*c//d%e@g", "(a / b * c // d % e @ g)"),
        ("-x^2", "(- (x ^ 2))"),
        ("(-x)^2", "((- x) ^ 2)"),
        ("2^-x^y", "(2 ^ (- (x ^ y)))"),
        ("a^b^c", "(a ^ b ^ c)"),
        ("(a^b)^c", "((a ^ b) ^ c)"),
        ("a**b", "(a ^ b)"),
        ("-a*b", "((- a) * b)"),
        ("a*-b", "(a * (- b))"),
        ("- - +a", "(- - + a)"),
        ("f(x)^2", "(f(x) ^ 2)"),
        ("f''(x)[1]", "f''(x)[1]"),
        ("0..n - 1", "(0 .. (n - 1))"),
        ("0 < x <= 1", "(0 < x <= 1)"),
        ("a..b == c", "((a .. b) == c)"),
        ("not a == b", "(not (a == b))"),
        ("not not a and b", "((not not a) and b)"),
        ("a and b or c and d", "((a and b) or (c and d))"),
        ("a or b |> f |> g(1)", "((a or b) |> f |> g(1))"),
        ("x |> f'", "(x |> f')"),
        ("if a then b else c |> f", "(if a then b else (c |> f))"),
        ("if a then b else if c then d else e", "(if a then b else if c then d else e)"),
        ("if a then if b then c else d else e", "(if a then (if b then c else d) else e)"),
        ("f(a, k=1)", "f(a, k=1)"),
        ("sum(x[i]*y[i, j] for i, j in 0..n)", "sum((x[i] * y[i, j]) for i, j in (0 .. n))"),
        ("[i + 1 for i in 0..3]", "(i + 1) for i in (0 .. 3)"),
        ("[[1, 2], [x, y],]", "[[1, 2], [x, y]]"),
        ("x[.., 1:, :n, ::2, a:b:c]", "x[.., 1:, :n, ::2, a:b:c]"),
        ("true and false", "(true and false)"),
    ],
)
def test_precedence(text: str, grouped: str) -> None:
    assert shown(value(text)) == grouped


@pytest.mark.parametrize(
    ("text", "exact", "is_int"),
    [
        ("3", 3, True),
        ("1_000", 1000, True),
        ("0.1", Fraction(1, 10), False),
        (".5", Fraction(1, 2), False),
        ("2.", 2, False),
        ("1e3", 1000, False),
        ("2.5e-3", Fraction(1, 400), False),
        ("1e400", 10**400, False),
        ("1e-400", Fraction(1, 10**400), False),
        ("9" * 1000, int("9" * 1000), True),
    ],
)
def test_numbers_are_exact(text: str, exact: Fraction, is_int: bool) -> None:
    number = value(text)
    assert isinstance(number, ast.Number)
    assert (number.value, number.is_int) == (exact, is_int)


@pytest.mark.parametrize(
    "text", ["1e10000", "1e-10000", "1e999999999999999999999", "7" * 1001, "1e1000"]
)
def test_numbers_have_at_most_a_thousand_digits(text: str) -> None:
    assert codes(f"const a = {text}") == ["E009"]


@pytest.mark.parametrize(
    "text",
    [
        "a +\n  b",
        "a *\n\n # why\n b",
        "(a\n + b)",
        "[a,\n b\n][0]",
        "a\n |> f",
        "if a\n then b\n else c",
        "if a then\n b else\n c",
        "not\n a",
        "a and\n b",
        "a <\n b",
        "f(\n  a,\n  b,\n)",
        "\n a",
        "a ^\n\r\n b",
    ],
)
def test_a_newline_continues(text: str) -> None:
    assert shown(value(text)) == shown(value(text.replace("# why", "").replace("\n", " ")))


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "^", "<", "==", "and", "or", "..", "="])
def test_no_line_starts_with_an_operator(operator: str) -> None:
    text = f"fn f(a, b) {{\n  y = a\n  {operator} b\n  return y\n}}\nfn g(x) = x\n"
    assert codes(text) == ["E011"]


def test_results_may_follow_on_the_next_line() -> None:
    found = function("fn f(x) ->\n  [2],\n  int =\n  x,\n  2\n")
    assert found.results is not None
    assert [r.dtype for r in found.results] == ["real", "int"]


@pytest.mark.parametrize("word", ["use", "const", "test", "extern", "derivative", "layer", "model"])
def test_soft_keywords_are_names_elsewhere(word: str) -> None:
    text = f"fn f({word}, b) {{\n  {word} = {word} + b\n  {word} += 1\n  return {word}\n}}"
    assert function(text).parameters[0].name.id == word
    text = f"fn f(b) {{\n  {word}, c = g(b)\n  {word}[0] = 1\n  return {word}*c\n}}"
    assert len(function(text).body) == 3


def test_names_are_compared_in_nfkc() -> None:
    angstrom = "\N{ANGSTROM SIGN}"
    found = function(f"fn f({angstrom}) = \N{LATIN CAPITAL LETTER A WITH RING ABOVE}")
    assert found.parameters[0].name.id == "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}"
    assert value("σ + θ1 + lambda")


def test_definitions_of_every_kind() -> None:
    found = definitions(
        'use "./file.mg": a, b\n'
        "use nn: Dense\n"
        "const n = 3\n"
        'extern fn j0(x) = "scipy.special.j0"\n'
        "derivative j0(x) = -j1(x)\n"
        "test f(3) == 20\n"
        "test f(3) ~= 20\n"
    )
    assert [type(d).__name__ for d in found] == [
        *("Use", "Use", "Const", "Extern", "Derivative", "Test", "Test")
    ]
    use = found[0]
    assert isinstance(use, ast.Use)
    assert (use.target, use.is_path, [n.id for n in use.names]) == ("./file.mg", True, ["a", "b"])


def test_heads() -> None:
    found = function(
        "fn f(p in (0, 1), q: [n] = 0.5 in [0, 1), t: int[T], u = 1; k, m = 2) -> [n] = p"
    )
    p, q, t, u = found.parameters
    assert p.domain is not None and (p.domain.low_open, p.domain.high_open) == (True, True)
    assert q.domain is not None and (q.domain.low_open, q.domain.high_open) == (False, True)
    assert q.type is not None and q.type.dtype == "real" and q.default is not None
    assert t.type is not None and t.type.dtype == "int"
    assert u.default is not None
    assert [(s.name.id, s.default is None) for s in found.settings] == [("k", True), ("m", False)]
    assert found.span.text.endswith("-> [n]")


def test_statements() -> None:
    body = function(
        "fn f(x) {\n"
        "  for t in 0..3 { x += t }\n"
        "  while x > 1 { x /= 2 }\n"
        "  if x > 0 {\n    y = 1\n  } else if x < 0 {\n    y = 2\n  }\n  else { y = 3 }\n"
        "  a, _ = g(x)\n"
        "  return a, y\n"
        "}\n"
    ).body
    assert [type(s).__name__ for s in body] == ["For", "While", "Branch", "Assign", "Return"]
    branch = body[2]
    assert isinstance(branch, ast.Branch)
    assert len(branch.arms) == 2 and branch.orelse is not None


def test_comments_go_with_statements_and_definitions() -> None:
    text = (
        "# Curves.\n# Two of them.\n\n"
        "## The first.\n## With two lines.\n"
        "fn f(x) {  # not kept\n"
        "  # above\n"
        "  y = g(x,  # inside\n    2)  # beside\n"
        "  # the loop\n"
        "  for t in 0..3 {  # turns\n"
        "    y += t  # add\n"
        "  }\n"
        "  return y\n"
        "}\n"
        "fn g(x, a) = a*x  # scaled\n"
    )
    parsed = parse(Source("test.mg", text))
    assert parsed.file is not None
    assert parsed.file.doc == "Curves.\nTwo of them."
    f, g = parsed.file.definitions
    assert isinstance(f, ast.Function) and isinstance(g, ast.Function)
    assert f.doc == "The first.\nWith two lines." and g.doc is None
    assign, loop, _ = f.body
    assert assign.comments == ("above", "inside", "beside")
    assert isinstance(loop, ast.For)
    assert loop.comments == ("the loop", "turns")
    assert loop.body[0].comments == ("add",)
    assert g.body[0].comments == ("scaled",)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "  \n# a\n\n# b\n"])
def test_an_empty_file_has_no_definitions(text: str) -> None:
    assert definitions(text) == ()


def test_chains_are_flat_however_long() -> None:
    total = value(" + ".join(["x"] * 20_000))
    assert isinstance(total, ast.Chain) and len(total.rest) == 19_999
    product = value("*".join(["x"] * 20_000))
    assert isinstance(product, ast.Chain) and len(product.rest) == 19_999
    tower = value("^".join(["x"] * 5_000))
    assert isinstance(tower, ast.Power) and len(tower.operands) == 5_000
    signs = value("- " * 5_000 + "x")
    assert isinstance(signs, ast.Unary) and len(signs.ops) == 5_000
    nots = value("not " * 5_000 + "x")
    assert isinstance(nots, ast.Unary) and len(nots.ops) == 5_000
    cases = value("if a then b else " * 5_000 + "c")
    assert isinstance(cases, ast.If) and len(cases.arms) == 5_000
    pipes = value("x" + " |> f" * 5_000)
    assert isinstance(pipes, ast.Pipe) and len(pipes.stages) == 5_000


def test_long_branches_and_programs() -> None:
    arms = " else ".join(["if x > 0 { x = 1 }"] * 3_000)
    (branch,) = function(f"fn f(x) {{\n{arms}\n}}").body
    assert isinstance(branch, ast.Branch) and len(branch.arms) == 3_000
    body = "  x += 1\n" * 20_000
    assert len(function(f"fn f(x) {{\n{body}}}").body) == 20_000


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 5_000 + "x" + ")" * 5_000,
        "(" * 5_000,
        "[" * 5_000 + "x" + "]" * 5_000,
        "f(" * 5_000 + "x" + ")" * 5_000,
        "x^-" * 5_000 + "x",
        "if a then " * 5_000 + "b" + " else c" * 5_000,
        "x" + "[0]" * 5_000,
        "f" + "(1)" * 5_000,
    ],
)
def test_deep_nesting_is_refused_once(expression: str) -> None:
    assert codes(f"fn f(x) = {expression}\nfn g(x) = x\n") == ["E008"]


def test_blocks_nest_two_hundred_deep() -> None:
    def nested(depth: int) -> str:
        return "fn f(x) {\n" + "if x > 0 {\n" * depth + "y = 1\n" + "}\n" * depth + "return x\n}\n"

    assert codes(nested(199)) == []
    assert codes(nested(200))[:1] == ["E008"]
    assert codes("fn f(x) = " + "(" * 200 + "x" + ")" * 200) == []


def test_postorder_gives_parts_before_wholes() -> None:
    order = [shown(node) for node in ast.postorder(value("f(a, b*2) + x[i:]"))]
    assert " ".join(order) == ("f a b 2 (b * 2) f(a, (b * 2)) x i i: x[i:] (f(a, (b * 2)) + x[i:])")


def test_postorder_of_a_long_chain() -> None:
    assert sum(1 for _ in ast.postorder(value(" + ".join(["x"] * 20_000)))) == 20_001


def test_what_has_no_fault_is_still_there() -> None:
    parsed = parse(
        Source("test.mg", "fn a(x) = +\nfn b(x) = x\nfn c(x) {\n  y = = 2\n}\nconst n = 1\n")
    )
    assert parsed.file is not None
    assert [
        d.name.id for d in parsed.file.definitions if not isinstance(d, ast.Use | ast.Test)
    ] == [*("b", "n")]
    assert parsed.broken == {"a", "c"}
    assert [fault.code for fault in parsed.faults] == ["E010", "E010"]
