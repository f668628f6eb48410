"""Builds the tree: a method a rule of grammar/mg.lark, called with the rule's symbols in order."""

import re
from bisect import bisect_left, bisect_right
from fractions import Fraction
from typing import Any

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import syntax as errors
from mgrad.compiler.source import Source, Span
from mgrad.compiler.syntax import ast
from mgrad.compiler.syntax.lex import Comment, Token

MAX_DIGITS = 1000
MAX_DEPTH = 200
DTYPES = ("real", "int", "bool")


class Refused(Exception):
    """A rule holds by the grammar and is wrong all the same."""

    def __init__(self, fault: Diagnostic) -> None:
        self.fault = fault


class Builder:
    """The values of rules. Operators, names and brackets come as tokens, all else as trees."""

    def __init__(self, source: Source, comments: list[Comment]) -> None:
        self.source = source
        self.comments = comments  # of the whole text so far, in order
        self.broken: set[str] = set()  # names of definitions that hold a fault

    # -- files and definitions

    def empty(self) -> list[ast.Definition]:
        return []

    def start(self, definitions: list[Any], *newline: Token) -> list[ast.Definition]:
        return [d for d in definitions if d is not None]

    def definitions(self, first: Any) -> list[Any]:
        return [first]

    def more(self, several: list[Any], newline: Token, one: Any) -> list[Any]:
        several.append(one)
        return several

    statements = definitions

    def fault(self, token: Token) -> None:
        return None

    def function_expression(
        self, fn: Token, name: Token, heads: Any, *rest: Any
    ) -> ast.Function | None:
        *results, equals, values = rest
        return self._function(fn, name, heads, results, equals, (self._result(values),))

    def function_block(self, fn: Token, name: Token, heads: Any, *rest: Any) -> ast.Function | None:
        *results, (brace, body) = rest
        return self._function(fn, name, heads, results, brace, body)

    def _function(
        self, fn: Token, name: Token, heads: Any, results: list[Any], end: Token, body: Any
    ) -> ast.Function | None:
        if body is None:
            self.broken.add(name.text)
            return None
        parameters, settings = heads
        declared = results[0] if results else None
        span = Span(self.source, fn.start, self._before(end))
        doc = self.doc(fn.start)
        return ast.Function(self._name(name), parameters, settings, declared, body, doc, span)

    def _result(self, values: tuple[ast.Expression, ...]) -> ast.Return:
        """The body `= values` as the one statement it means."""
        span = values[0].span.to(values[-1].span)
        comments = self._statement_comments(span.start, span.end) if self.comments else ()
        return ast.Return(values, span, comments)

    def _before(self, token: Token) -> int:
        """The end of what stands before a token, without the blank between."""
        text, at = self.source.text, token.start
        while at and text[at - 1].isspace():
            at -= 1
        return at

    def derivative_expression(
        self, word: Token, name: Token, heads: Any, equals: Token, values: Any
    ) -> ast.Derivative | None:
        return self._derivative(word, name, heads, equals, (self._result(values),))

    def derivative_block(
        self, word: Token, name: Token, heads: Any, block: Any
    ) -> ast.Derivative | None:
        return self._derivative(word, name, heads, block[0], block[1])

    def _derivative(
        self, word: Token, name: Token, heads: Any, end: Token, body: Any
    ) -> ast.Derivative | None:
        if body is None:
            return None
        span = Span(self.source, word.start, self._before(end))
        return ast.Derivative(self._name(name), self._no_settings(heads), body, span)

    def extern(self, word: Token, fn: Token, name: Token, heads: Any, *rest: Any) -> ast.Extern:
        *results, equals, target = rest
        if results and len(results[0]) > 1:
            raise Refused(errors.ExternResults(results[0][1].span))
        return ast.Extern(
            self._name(name),
            self._no_settings(heads),
            results[0][0] if results else None,
            target.text[1:-1],
            self._span(target),
            self.doc(word.start),
            Span(self.source, word.start, self._before(equals)),
        )

    def _no_settings(self, heads: Any) -> tuple[ast.Parameter, ...]:
        parameters, settings = heads
        if settings:
            raise Refused(errors.SettingsHere(settings[0].span))
        return parameters  # type: ignore[no-any-return]

    def const(self, word: Token, name: Token, equals: Token, value: ast.Expression) -> ast.Const:
        span = Span(self.source, word.start, name.end)
        return ast.Const(self._name(name), value, self.doc(word.start), span)

    def use(self, word: Token, target: Token, colon: Token, first: Token, *rest: Any) -> ast.Use:
        names = [first, *(rest[0][1::2] if rest else ())]
        is_path = target.kind == "STRING"
        return ast.Use(
            target.text[1:-1] if is_path else target.text,
            is_path,
            tuple(self._name(n) for n in names),
            self._span(target),
            Span(self.source, word.start, names[-1].end),
        )

    def test_exact(self, word: Token, compare: ast.Expression) -> ast.Test:
        match compare:
            case ast.Compare(first, (ast.Link("==", right, _),)):
                span = Span(self.source, word.start, compare.span.end)
                return ast.Test(first, "==", right, span)
        raise Refused(errors.TestWithoutRelation(compare.span))

    def test_close(
        self, word: Token, left: ast.Expression, relation: Token, right: ast.Expression
    ) -> ast.Test:
        return ast.Test(left, "~=", right, Span(self.source, word.start, right.span.end))

    # -- heads

    def no_parameters(self, *tokens: Token) -> Any:
        return (), ()

    def parameters(self, opener: Token, *parts: Any) -> Any:
        parameters, settings = [], ()
        for part in _flat(parts):
            if isinstance(part, ast.Parameter):
                parameters.append(part)
            elif isinstance(part, tuple):
                settings = part
        return tuple(parameters), settings

    def only_settings(self, opener: Token, semicolon: Token, settings: Any, closer: Token) -> Any:
        return (), settings

    def parameter(self, name: Token, *parts: Any) -> ast.Parameter:
        type_ = default = domain = None
        end = name.end
        for part in parts:
            end = part.span.end
            if isinstance(part, ast.TypeExpression):
                type_ = part
            elif isinstance(part, ast.Domain):
                domain = part
            else:
                default = part
        span = Span(self.source, name.start, end)
        return ast.Parameter(self._name(name), type_, default, domain, span)

    def second(self, mark: Token, value: Any) -> Any:
        return value

    def domain(
        self, word: Token, opener: Token, low: Any, comma: Token, high: Any, closer: Token
    ) -> ast.Domain:
        span = Span(self.source, opener.start, closer.end)
        return ast.Domain(low, high, opener.text == "(", closer.text == ")", span)

    def settings(self, *parts: Any) -> tuple[ast.Setting, ...]:
        return tuple(part for part in _flat(parts) if isinstance(part, ast.Setting))

    def setting(self, name: Token, *default: Any) -> ast.Setting:
        value = default[1] if default else None
        end = value.span.end if value else name.end
        return ast.Setting(self._name(name), value, Span(self.source, name.start, end))

    def results(self, arrow: Token, *types: Any) -> tuple[ast.TypeExpression, ...]:
        return tuple(t for t in _flat(types) if isinstance(t, ast.TypeExpression))

    def type(self, name: Token, *shape: Any) -> ast.TypeExpression:
        if name.text not in DTYPES:
            raise Refused(errors.UnknownType(self._span(name), name.text))
        end = shape[-1].end if shape else name.end
        span = Span(self.source, name.start, end)
        return ast.TypeExpression(name.text, shape[1] if shape else None, span)

    def real_type(self, opener: Token, shape: Any, closer: Token) -> ast.TypeExpression:
        return ast.TypeExpression("real", shape, Span(self.source, opener.start, closer.end))

    def dimensions(self, *parts: Any) -> tuple[Any, ...]:
        return tuple(part for part in _flat(parts) if not isinstance(part, Token))

    items = dimensions
    values = dimensions

    # -- statements

    def block(self, brace: Token, statements: list[Any], *rest: Token) -> Any:
        """The opening brace and the statements; None for them if one of them has a fault."""
        return brace, None if None in statements else tuple(statements)

    def assign(self, targets: Any, equals: Token, values: Any) -> ast.Assign:
        return self._assign(targets, equals, values)

    def update(self, target: Any, operator: Token, values: Any) -> ast.Assign:
        return self._assign((target,), operator, values)

    def _assign(self, targets: Any, operator: Token, values: Any) -> ast.Assign:
        span = Span(self.source, targets[0].span.start, values[-1].span.end)
        comments = self._statement_comments(span.start, span.end) if self.comments else ()
        return ast.Assign(targets, operator.text, values, span, comments)

    targets = dimensions

    def target(self, name: Token, *index: Any) -> Any:
        if not index:
            return self._name(name)
        return self.index(self._name(name), *index)

    def return_(self, word: Token, values: Any) -> ast.Return:
        span = Span(self.source, word.start, values[-1].span.end)
        comments = self._statement_comments(span.start, span.end) if self.comments else ()
        return ast.Return(values, span, comments)

    def for_(self, word: Token, index: Token, in_: Token, range_: Any, block: Any) -> Any:
        if block[1] is None:
            return None
        span = Span(self.source, word.start, range_.span.end)
        comments = self._head_comments(word.start, block[0])
        return ast.For(self._name(index), range_, block[1], span, comments)

    def while_(self, word: Token, condition: Any, block: Any) -> Any:
        if block[1] is None:
            return None
        span = Span(self.source, word.start, condition.span.end)
        return ast.While(condition, block[1], span, self._head_comments(word.start, block[0]))

    def branch(self, arms: Any, *orelse: Any) -> ast.Branch | None:
        word, pairs = arms
        if any(block[1] is None for _, block in pairs) or (orelse and orelse[1][1] is None):
            return None
        span = Span(self.source, word.start, pairs[0][0].span.end)
        last = orelse[1][1] if orelse else None
        comments = self._head_comments(word.start, pairs[0][1][0])
        return ast.Branch(tuple((c, b[1]) for c, b in pairs), last, span, comments)

    def arms(self, word: Token, condition: Any, block: Any) -> Any:
        return word, [(condition, block)]

    def more_arms(self, arms: Any, else_: Token, if_: Token, condition: Any, block: Any) -> Any:
        arms[1].append((condition, block))
        return arms

    # -- expressions

    def conditional(self, cases: Any, else_: Token, orelse: ast.Expression) -> ast.If:
        word, arms = cases
        span = Span(self.source, word.start, orelse.span.end)
        node = ast.If(tuple(arms), orelse, span)
        self._limit(node)
        return node

    def cases(self, word: Token, condition: Any, then: Token, value: Any) -> Any:
        return word, [(condition, value)]

    def more_cases(
        self, cases: Any, else_: Any, if_: Any, condition: Any, then: Any, value: Any
    ) -> Any:
        cases[1].append((condition, value))
        return cases

    def pipe(self, value: ast.Expression, rest: list[Any]) -> ast.Pipe:
        return ast.Pipe(value, tuple(rest[1::2]), value.span.to(rest[-1].span))

    def logic(self, first: ast.Expression, rest: list[Any]) -> ast.Logic:
        operands = (first, *rest[1::2])
        return ast.Logic(rest[0].text, operands, first.span.to(rest[-1].span))

    def unary(self, operators: list[Token], operand: ast.Expression) -> ast.Unary:
        span = Span(self.source, operators[0].start, operand.span.end)
        return ast.Unary(tuple([o.text for o in operators]), operand, span)

    def compare(self, first: ast.Expression, rest: list[Any]) -> ast.Compare:
        return ast.Compare(first, self._links(rest), first.span.to(rest[-1].span))

    def chain(self, first: ast.Expression, rest: list[Any]) -> ast.Chain:
        return ast.Chain(first, self._links(rest), first.span.to(rest[-1].span))

    def _links(self, rest: list[Any]) -> tuple[ast.Link, ...]:
        source = self.source
        return tuple(
            [
                ast.Link(rest[i].text, rest[i + 1], Span(source, rest[i].start, rest[i].end))
                for i in range(0, len(rest), 2)
            ]
        )

    def range(self, start: ast.Expression, dots: Token, stop: ast.Expression) -> ast.Range:
        return ast.Range(start, stop, start.span.to(stop.span))

    def power(self, first: ast.Expression, rest: list[Any]) -> ast.Power:
        return ast.Power((first, *rest[1::2]), first.span.to(rest[-1].span))

    def signed_power(self, first: ast.Expression, *parts: Any) -> ast.Power:
        *middle, _, signs, operand = parts
        exponent = self.unary(signs, operand)
        operands = (first, *(middle[0][1::2] if middle else ()), exponent)
        node = ast.Power(operands, first.span.to(operand.span))
        self._limit(node)
        return node

    def name(self, token: Token) -> ast.Name:
        return ast.Name(token.text, Span(self.source, token.start, token.end))

    _name = name

    def number(self, token: Token) -> ast.Number:
        span = Span(self.source, token.start, token.end)
        text = token.text
        if text.isascii() and text.isdigit() and len(text) < 16:
            return ast.Number(Fraction(int(text)), True, span)
        mantissa, _, exponent = text.lower().replace("_", "").partition("e")
        whole, point, decimals = mantissa.partition(".")
        power = int(exponent[:8] or 0) - len(decimals)
        digits = len((whole + decimals).lstrip("0"))
        if max(digits + max(power, 0), 1 - power) > MAX_DIGITS:
            raise Refused(errors.NumberTooLong(span))
        value = Fraction(int(whole + decimals or "0")) * Fraction(10) ** power
        return ast.Number(value, not (point or exponent), span)

    def true(self, token: Token) -> ast.Boolean:
        return ast.Boolean(True, self._span(token))

    def false(self, token: Token) -> ast.Boolean:
        return ast.Boolean(False, self._span(token))

    def parentheses(self, opener: Token, inner: ast.Expression, closer: Token) -> ast.Expression:
        inner.span = Span(self.source, opener.start, closer.end)
        return inner

    def empty_array(self, opener: Token, closer: Token) -> ast.Array:
        return ast.Array((), Span(self.source, opener.start, closer.end))

    def array(self, opener: Token, *parts: Any) -> ast.Array:
        span = Span(self.source, opener.start, parts[-1].end)
        return ast.Array(self.dimensions(*parts), span)

    def array_comprehension(
        self, opener: Token, body: ast.Expression, indices: Any, closer: Token
    ) -> ast.Comprehension:
        span = Span(self.source, opener.start, closer.end)
        return ast.Comprehension(body, indices, True, span)

    def empty_call(self, callee: ast.Expression, opener: Token, closer: Token) -> ast.Call:
        return self._call(callee, (), closer)

    def call(self, callee: ast.Expression, opener: Token, *parts: Any) -> ast.Call:
        arguments: list[ast.Argument] = []
        for part in _flat(parts):
            if isinstance(part, ast.Argument):
                if part.name is None and arguments and arguments[-1].name is not None:
                    raise Refused(errors.PositionalAfterKeyword(part.span, arguments[-1].span))
                arguments.append(part)
        return self._call(callee, tuple(arguments), parts[-1])

    def call_comprehension(
        self, callee: ast.Expression, opener: Token, body: Any, indices: Any, closer: Token
    ) -> ast.Call:
        span = body.span.to(indices[-1].span)
        comprehension = ast.Comprehension(body, indices, False, span)
        return self._call(callee, (ast.Argument(None, comprehension, span),), closer)

    def _call(self, callee: ast.Expression, arguments: Any, closer: Token) -> ast.Call:
        node = ast.Call(callee, arguments, Span(self.source, callee.span.start, closer.end))
        if type(callee) is not ast.Name:
            self._limit(node)
        return node

    def index(self, base: ast.Expression, opener: Token, items: Any, closer: Token) -> ast.Index:
        node = ast.Index(base, items, Span(self.source, base.span.start, closer.end))
        if type(base) is not ast.Name:
            self._limit(node)
        return node

    def prime(self, name: Token, primes: Token) -> ast.Prime:
        span = Span(self.source, name.start, primes.end)
        return ast.Prime(self._name(name), len(primes.text), span)

    def positional(self, value: ast.Expression) -> ast.Argument:
        return ast.Argument(None, value, value.span)

    def text(self, token: Token) -> ast.Argument:
        span = self._span(token)
        return ast.Argument(None, ast.Text(token.text[1:-1], span), span)

    def keyword(self, name: Token, equals: Token, value: ast.Expression) -> ast.Argument:
        return ast.Argument(name.text, value, Span(self.source, name.start, value.span.end))

    def comprehension(self, word: Token, *parts: Any) -> tuple[ast.IndexName, ...]:
        return tuple(part for part in _flat(parts) if isinstance(part, ast.IndexName))

    def index_name(self, name: Token, *rest: Any) -> ast.IndexName:
        range_ = rest[1] if rest else None
        end = range_.span.end if range_ else name.end
        return ast.IndexName(name.text, range_, Span(self.source, name.start, end))

    def slice(self, *parts: Any) -> ast.Slice:
        places: list[Any] = [None]
        for part in parts:
            if isinstance(part, Token):
                places.append(None)
            else:
                places[-1] = part
        spans = [p if isinstance(p, Token) else p.span for p in parts]
        span = Span(self.source, spans[0].start, spans[-1].end)
        start, stop, step = (*places, None)[:3]
        return ast.Slice(start, stop, step, span)

    def dots(self, token: Token) -> ast.Dots:
        return ast.Dots(self._span(token))

    # -- places, limits, comments

    def _span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def _limit(self, node: Any) -> None:
        """Refuses what nests without brackets: `x^-x^-x…`, `if … then if …`, `x[0][0]…`."""
        inner, depth = node, 0
        while True:
            match inner:
                case ast.Power(operands=(*_, ast.Unary(operand=ast.Power() as deeper))):
                    inner = deeper
                case ast.If(arms=(*_, (_, ast.If() as deeper))):
                    inner = deeper
                case ast.Call(callee=(ast.Call() | ast.Index()) as deeper):
                    inner = deeper
                case ast.Index(base=(ast.Call() | ast.Index()) as deeper):
                    inner = deeper
                case _:
                    return
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused(errors.TooDeep(node.span, MAX_DEPTH))

    def doc(self, start: int) -> str | None:
        """The `##` lines right above an offset, as one text."""
        above = self._above(start)
        lines: list[str] = []
        for comment in reversed(above):
            if not comment.is_doc:
                break
            lines.append(comment.text)
        return "\n".join(reversed(lines)).strip() or None

    def file_doc(self) -> str | None:
        """The comment block that opens the file, if a blank line follows it."""
        lines: list[str] = []
        at = 0
        for comment in self.comments:
            if self.source.text[at : comment.start].strip("\ufeff\r\n\t ") or not comment.alone:
                return None
            between = self.source.text[at : comment.start]
            if lines and between.count("\n") > 1:
                break
            lines.append(comment.text)
            at = comment.end
        rest = self.source.text[at:].lstrip(" \t\r")
        followed = re.match(r"\n[ \t\r]*(\n|$)", rest)
        return "\n".join(lines).strip() or None if lines and followed else None

    def _above(self, start: int) -> list[Comment]:
        """The comments alone on their lines between an offset and what stands before it."""
        if not self.comments:
            return []
        last = first = bisect_left(self.comments, start, key=_start)
        text = self.source.text
        while first:
            comment = self.comments[first - 1]
            if not comment.alone or text[comment.end : start].strip():
                break
            start = comment.start
            first -= 1
        return self.comments[first:last]

    def _statement_comments(self, start: int, end: int) -> tuple[str, ...]:
        """Comments above a statement, inside it, and beside its end."""
        found = self._above(start)
        last = bisect_right(self.comments, start, key=_start)
        while last < len(self.comments) and self.comments[last].start < end:
            found.append(self.comments[last])
            last += 1
        found += self._beside(end)
        return tuple([c.text for c in found])

    def _head_comments(self, start: int, brace: Token) -> tuple[str, ...]:
        """Comments above a block statement and beside its `{`."""
        if not self.comments:
            return ()
        return tuple([c.text for c in self._above(start) + self._beside(brace.end)])

    def _beside(self, end: int) -> list[Comment]:
        at = bisect_left(self.comments, end, key=_start)
        if at < len(self.comments):
            comment = self.comments[at]
            if not self.source.text[end : comment.start].strip(" \t"):
                return [comment]
        return []


def _start(comment: Comment) -> int:
    return comment.start


def _flat(parts: Any) -> Any:
    """The symbols of a rule with its repetitions spliced in."""
    for part in parts:
        if isinstance(part, list):
            yield from part
        else:
            yield part


# `for`, `while` and `return` are rules of the grammar but no names for a method.
PYTHON_NAMES = {"for": "for_", "while": "while_", "return": "return_"}
