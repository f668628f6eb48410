"""The words for a fault: what the author probably meant, judged by the tokens around it.

`explain` goes through RULES in order; the first that recognises the place tells the fault. Nothing
here moves the parser: a rule may offer a repair, and `parse` decides how to go on.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import syntax as errors
from mgrad.compiler.source import Span
from mgrad.compiler.syntax.lex import (
    CLOSER,
    DEFINERS,
    MAX_DEPTH,
    OPERATORS,
    RESERVED,
    Lexer,
    Token,
)

if TYPE_CHECKING:
    from mgrad.compiler.syntax.parse import Parser

BINARY = ("SIGN", "PRODUCT", "POWER", "COMPARE", "UPDATE", "=", "~=", "and", "or", "..")
NETWORKS = ("layer", "model", "train")
STATEMENTS = ("return", "for", "while", "if")
VALUE_ENDS = ("NAME", "NUMBER", "STRING", ")", "]", "true", "false")
AFTER_INDICES = {
    "if": "index notation has no filter: write `if … then … else 0` in front of `for`",
    "for": "one `for` names all indices: `for i, j`",
}
BRACE_NEXT = re.compile(r"\s*(?:#[^\n]*\s*)*\{")
ASSIGNS_NEXT = re.compile(r"[ \t]*(?:=(?!=)|\+=|-=|\*=|/=|,|\[)")


@dataclass(frozen=True, slots=True)
class Repair:
    """A fault, and the token to read instead (None: go on without it)."""

    fault: Diagnostic
    instead: Token | None


def explain(parser: "Parser", token: Token) -> Diagnostic | Repair:
    """What is wrong with a token that cannot stand where it stands."""
    place = Place(parser, token)
    for rule in RULES:
        told = rule(place)
        if told is not None:
            return told
    return errors.Unexpected(place.here, _shown(token), _expected(place.expected))


def lookalikes(lexer: Lexer, faults: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """The characters that were read as the ASCII operators that they look like.

    Behind another fault on the line they may be its consequence and are not told.
    """
    first: dict[int, int] = {}
    for fault in faults:
        if fault.span is not None:
            start = fault.span.start
            first[fault.span.line] = min(start, first.get(fault.span.line, start))
    for span, ascii_text in lexer.lookalikes:
        if span.start <= first.get(span.line, span.start):
            yield errors.NotAscii(span, span.text, ascii_text)


class Place:
    """What the rules look at: the token, the one before, what could stand here, open brackets."""

    def __init__(self, parser: "Parser", token: Token) -> None:
        self.parser = parser
        self.token = token
        self.kind = token.kind
        self.last = parser.last
        self.last_kind = parser.last.kind if parser.last else "NEWLINE"
        self.expected = parser.expected()
        self.here = self.span(token)
        self.text = parser.source.text

    def span(self, token: Token) -> Span:
        """A place that shows: the end of the line for a newline."""
        if token.kind in ("NEWLINE", "END") and self.parser.last:
            end = self.parser.last.end
            return Span(self.parser.source, end, end)
        return Span(self.parser.source, token.start, token.end)

    def last_span(self) -> Span:
        return self.span(self.last) if self.last else self.here

    def is_reading(self, *kinds: str) -> bool:
        """Whether a token of the kinds stands in what is being read of this statement."""
        for value in reversed(self.parser.values):
            if value.__class__ is Token:
                if value.kind in kinds:
                    return True
                if value.kind in ("{", "NEWLINE"):
                    break
        return False

    def wants_value(self) -> bool:
        return "NUMBER" in self.expected


def _character(p: Place) -> Diagnostic | None:
    if p.kind == "stray character":
        return errors.StrayCharacter(p.here, p.token.text)
    if p.kind == "unclosed string":
        return errors.UnclosedString(p.here)
    if p.kind == "too deep":
        return errors.TooDeep(p.here, MAX_DEPTH)
    return None


def _docstring(p: Place) -> Diagnostic | None:
    """Python's, or another string where a definition or a statement begins."""
    is_string = p.kind == "STRING" or p.token.text == "'''"
    if p.kind == "docstring" or (is_string and "FAULT" in p.expected):
        quotes = p.token.text[:3] if p.kind != "STRING" else p.token.text
        span = Span(p.parser.source, p.token.start, p.token.start + len(quotes))
        return errors.Unexpected(span, f"`{quotes}`", _expected(p.expected), errors.COMMENTS)
    return None


def _unmatched(p: Place) -> Diagnostic | None:
    if not p.kind.startswith("unmatched "):
        return None
    brackets = p.parser.lexer.brackets
    if not brackets:
        return errors.UnmatchedBracket(p.here, p.token.text)
    opener = brackets[-1]
    opened = Span(p.parser.source, opener.start, opener.start + 1)
    if p.token.text == "}":
        return errors.UnclosedBracket(opened, opener.text, CLOSER[opener.text], p.here)
    return errors.MismatchedBracket(p.here, p.token.text, opened, opener.text)


def _reserved(p: Place) -> Diagnostic | None:
    """A reserved word within a line, where only a name can stand."""
    is_word = p.token.text in RESERVED and not p.parser.is_first(p.token)
    if is_word and "NAME" in p.expected and not p.wants_value():
        return errors.ReservedName(p.here, p.token.text)
    return None


def _unclosed(p: Place) -> Diagnostic | None:
    brackets = p.parser.lexer.brackets
    if p.kind in CLOSER and brackets:
        brackets = brackets[:-1]  # the token itself
    if not brackets or brackets[-1].text == "{":
        return None
    opener = brackets[-1]
    opened = Span(p.parser.source, opener.start, opener.start + 1)
    first = p.parser.is_first(p.token) and "\n" in p.text[opener.start : p.token.start]
    outdented = first and p.parser.indent(p.token.start) <= p.parser.indent(opener.start)
    if p.kind in ("END", "{", "}", "fn", "return", "while") or outdented:
        return errors.UnclosedBracket(opened, opener.text, CLOSER[opener.text], p.here)
    return None


def _unclosed_block(p: Place) -> Diagnostic | None:
    blocks = p.parser.blocks()
    if not blocks:
        return None
    at_margin = p.kind in DEFINERS and p.parser.indent(p.token.start) == 0
    if p.kind == "END" or at_margin:
        return errors.UnclosedBracket(p.span(blocks[-1]), "{", "}", p.here)
    if p.kind in DEFINERS:
        return errors.DefinitionInside(p.here, p.token.text)
    return None


def _networks(p: Place) -> Diagnostic | None:
    return errors.NetworksLater(p.here, p.token.text) if p.kind in NETWORKS else None


def _foreign(p: Place) -> Diagnostic | None:
    for token in (p.token, p.last):
        if token and token.kind == "NAME" and token.text in errors.ForeignWord.HINTS:
            return errors.ForeignWord(p.span(token), token.text)
    return None


def _margin(p: Place) -> Diagnostic | None:
    """A definition begins although the one before waits for a value."""
    token = p.last
    if token is None or token.kind != "NAME" or token.text not in DEFINERS:
        return None
    if p.parser.is_first(token) and p.parser.indent(token.start) == 0:
        return errors.Unexpected(p.last_span(), _shown(token), "an expression")
    return None


def _end_of_line(p: Place) -> Diagnostic | Repair | None:
    if p.kind not in ("NEWLINE", "END"):
        return None
    if p.last_kind == "return":
        return errors.EmptyReturn(p.last_span())
    if p.last_kind == "PRIMES":
        return errors.UncalledPrime(p.last_span())
    if "{" in p.expected and (brace := BRACE_NEXT.match(p.text, p.token.start)):
        span = Span(p.parser.source, brace.end() - 1, brace.end())
        return Repair(errors.BraceOnNextLine(span, p.last_span()), None)
    if "else" in p.expected and p.is_reading("then"):
        return errors.MissingElse(p.here)
    if "{" in p.expected and "=" in p.expected:
        return errors.MissingBody(p.here)
    if "=" in p.expected and "UPDATE" in p.expected:
        return errors.ValueUnused(p.last_span())
    return None


def _operator_first(p: Place) -> Diagnostic | None:
    if p.kind in BINARY and p.parser.is_first(p.token):
        return errors.LineStartsWithOperator(p.here, p.token.text)
    return None


def _assignment(p: Place) -> Diagnostic | Repair | None:
    if "=" in p.expected and "UPDATE" in p.expected:  # behind a target
        if p.token.text == "==":
            token = Token("=", "=", p.token.start, p.token.end)
            return Repair(errors.ComparisonForAssignment(p.here), token)
        if p.kind in ("(", "PRIMES", "SIGN", "PRODUCT", "POWER", "|>", "COMPARE", "}"):
            return errors.ValueUnused(p.last_span())
    if p.kind == "=" and "COMPARE" in p.expected:
        if p.text.startswith("=>", p.token.start):
            whole = Span(p.parser.source, p.token.start, p.token.start + 2)
            return errors.AssignmentForComparison(whole, ">=")
        token = Token("COMPARE", "==", p.token.start, p.token.end)
        return Repair(errors.AssignmentForComparison(p.here), token)
    return None


def _outside(p: Place) -> Diagnostic | None:
    if "fn" in p.expected and "test" in p.expected and p.kind in ("NAME", "{", *STATEMENTS):
        return errors.StatementOutside(p.here)
    return None


def _notation(p: Place) -> Diagnostic | None:
    """Behind the indices of index notation."""
    if p.kind not in AFTER_INDICES or not p.is_reading("for") or "]" not in p.expected:
        return None
    return errors.Unexpected(p.here, _shown(p.token), _expected(p.expected), AFTER_INDICES[p.kind])


def _two_values(p: Place) -> Diagnostic | None:
    if p.kind == ":" and "{" in p.expected:
        return errors.ColonForBrace(p.here)
    if p.kind == "{" and p.last_kind == "=":
        return errors.EqualsAndBrace(p.here)
    ends = "NEWLINE" in p.expected or "}" in p.expected
    if ends and (
        p.kind in (";", "return", "for", "while")
        or (p.kind == "NAME" and ASSIGNS_NEXT.match(p.text, p.token.end))
    ):
        return errors.SeveralStatements(p.here)
    if (
        p.kind == "NAME"
        and p.last_kind == "NAME"
        and "," in p.expected
        and "SIGN" not in p.expected
    ):
        return errors.MissingComma(p.here)
    if p.last_kind in VALUE_ENDS and "SIGN" in p.expected:
        if p.kind == "if":
            return errors.PythonConditional(p.here)
        if p.kind in ("NAME", "NUMBER", "true", "false"):
            assert p.last is not None
            return errors.MissingOperator(p.here, p.last.text, p.token.text)
    return None


def _words(p: Place) -> Diagnostic | None:
    if p.last_kind == "PRIMES":
        return errors.UncalledPrime(p.last_span())
    if p.kind == "STRING" and p.wants_value():
        return errors.StringAsValue(p.here)
    if p.last_kind == "{" and p.kind == "}":
        return errors.EmptyBlock(p.here)
    if p.last_kind == "return" and p.kind == "}":
        return errors.EmptyReturn(p.last_span())
    if p.token.text in RESERVED and "NAME" in p.expected and not p.wants_value():
        return errors.ReservedName(p.here, p.token.text)
    if "else" in p.expected and p.is_reading("then") and p.kind in ("}", ")", "]", ","):
        return errors.MissingElse(p.here)
    return None


RULES: tuple[Callable[[Place], Diagnostic | Repair | None], ...] = (
    _character,
    _docstring,
    _unmatched,
    _reserved,
    _unclosed,
    _unclosed_block,
    _networks,
    _foreign,
    _margin,
    _end_of_line,
    _operator_first,
    _assignment,
    _outside,
    _notation,
    _two_values,
    _words,
)

SHOWN = {
    "NEWLINE": "end of line",
    "END": "end of file",
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "PRIMES": "`'`",
}


def _shown(token: Token) -> str:
    if token.kind in ("NEWLINE", "END"):
        return SHOWN[token.kind]
    return f"`{token.text}`"


def _expected(kinds: dict[str, int]) -> str:
    """What could stand here, in a few words."""
    if "NUMBER" in kinds:
        return "an expression"
    if "fn" in kinds:
        return "a definition"
    if "return" in kinds:
        return "a statement"
    operators = set(OPERATORS.values()) - set(OPERATORS)
    words = [SHOWN.get(k, f"`{k}`") for k in sorted(kinds) if k not in operators and k != "FAULT"]
    if operators & set(kinds):
        rank = {"end of line": 0, "`)`": 1, "`]`": 1, "`}`": 1, "`,`": 2, "`{`": 1, "`then`": 1}
        words = sorted((w for w in words if w in rank), key=rank.__getitem__)[:3]
        words.insert(0, "an operator")
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
