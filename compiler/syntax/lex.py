"""Text to tokens: names, numbers, operators, newlines that count, comments set aside.

The lexer settles what the grammar should not know: a newline inside brackets or after an operator
is none, and a soft keyword is one only as the first word of a statement.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize

from mgrad.compiler.source import Source, Span

RESERVED = frozenset(
    {"fn", "return", "for", "in", "while", "if", "then", "else", "and", "or", "not"}
    | {"true", "false"}
)
SOFT = frozenset(["use", "const", "test", "extern", "derivative", "layer", "model", "train"])
DEFINERS = SOFT | {"fn"}  # what begins a definition
MAX_DEPTH = 200
OPERATORS = {
    **dict.fromkeys(["+", "-"], "SIGN"),
    **dict.fromkeys(["*", "/", "//", "%", "@"], "PRODUCT"),
    **dict.fromkeys(["^", "**"], "POWER"),
    **dict.fromkeys(["<", "<=", ">", ">=", "==", "!="], "COMPARE"),
    **dict.fromkeys(["+=", "-=", "*=", "/="], "UPDATE"),
    **{
        text: text
        for text in ["=", "~=", "->", "|>", "..", ",", ";", ":", "(", "[", "{", ")", "]", "}"]
    },
}
CONTINUES_AFTER = frozenset(
    {"SIGN", "PRODUCT", "POWER", "COMPARE", "UPDATE", "=", "~=", "->", "|>", "..", ","}
    | {"then", "else", "not", "and", "or"}
)
CONTINUES_BEFORE = frozenset(["then", "else", "|>"])
CLOSER = {"(": ")", "[": "]", "{": "}"}

# Look-alikes of ASCII operators, read as what they look like once the fault is told.
LOOKALIKES = {
    **dict.fromkeys("×·⋅∗∙", "*"),
    **dict.fromkeys("−–—", "-"),
    **dict.fromkeys("÷∕", "/"),
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "→": "->",
    "…": "..",
    **dict.fromkeys("′’‘", "'"),
}

TOKEN = re.compile(
    r"[ \t\r\f]*(?:"
    r"([^\W\d⁰¹²³⁴-⁹][^\W⁰¹²³⁴-⁹]*)"  # 1 name
    r"|((?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)"  # 2 number: `0..n`
    r"|(//|\*\*|<=|>=|==|!=|\+=|-=|\*=|/=|~=|->|\|>|\.\.|[-+*/%@^<>=,;:(\[{)\]}])"  # 3 operator
    r"|(\n)"  # 4 newline
    r"|(\#[^\n]*)"  # 5 comment
    r"|('+)"  # 6 primes
    r'|("""[\s\S]*?(?:"""|\Z)|"[^"\n]*"?)'  # 7 string, or a docstring of Python's
    r"|([⁻⁺]?[⁰¹²³⁴-⁹]+)"  # 8 exponent
    r"|([^ \t\r\f\n])"  # 9 anything else, but not the blanks that end a file
    r")"
)
NAME, NUMBER, OPERATOR, LINE, COMMENT, PRIMES, STRING, EXPONENT = range(1, 9)
SOFT_NOT_BEFORE = re.compile(r"[ \t]*(?:=|,|\+=|-=|\*=|/=)")
SOFT_NOT_BEFORE_IN_BLOCK = re.compile(SOFT_NOT_BEFORE.pattern + r"|[ \t]*\[")  # `test[0] = 1`


@dataclass(slots=True, eq=False)
class Token:
    """`kind` is the terminal of the grammar; one that it does not know is a fault of the text."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Comment:
    """`text` without `#`; `alone` if nothing stands before it on its line."""

    text: str
    start: int
    end: int
    alone: bool
    is_doc: bool


@dataclass(slots=True, eq=False)
class Bracket:
    """An open bracket. The one after `in` may be closed by either kind, as in `[0, 1)`."""

    text: str
    start: int
    closers: str


class Lexer:
    """The tokens of a source, on demand, from any place; open brackets and comments so far."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.brackets: list[Bracket] = []
        self.comments: list[Comment] = []
        self.lookalikes: list[tuple[Span, str]] = []
        self.read_to = -1  # comments and look-alikes before this offset are known already

    def tokens(self, position: int = 0) -> Iterator[Token]:
        """Tokens from `position`, which begins a line or a statement, to END."""
        text = self.source.text
        brackets = self.brackets
        previous = "NEWLINE"
        newline = -1  # offset of a newline that counts unless the next token continues the line
        for match in TOKEN.finditer(text, position):
            group = match.lastindex
            assert group is not None  # one of the alternatives of TOKEN
            start, end = match.span(group)
            if group == LINE:
                if (
                    newline < 0
                    and previous not in CONTINUES_AFTER
                    and previous not in ("NEWLINE", "{")
                    and (not brackets or brackets[-1].text == "{")
                ):
                    newline = start
                continue
            if group == COMMENT:
                self._comment(start, end)
                continue
            word = text[start:end]
            if group == NAME:
                if not word.isascii():
                    word = self._unicode(word, start)
                kind = word if word in RESERVED else "NAME"
            elif group == NUMBER:
                kind = "NUMBER"
            elif group == OPERATOR:
                kind = OPERATORS[word]
            elif group == PRIMES:
                kind = "PRIMES"
            elif group == STRING and word.startswith('"""'):
                kind = "docstring"
            elif group == STRING:
                kind = "STRING" if len(word) > 1 and word[-1] == '"' else "unclosed string"
            elif group == EXPONENT:
                word = self._exponent(word, start)
                yield Token("POWER", "^", start, start)
                if word[0] in "+-":
                    yield Token("SIGN", word[0], start, start + 1)
                    start += 1
                    word = word[1:]
                kind = "NUMBER"
            elif word in LOOKALIKES:
                word = LOOKALIKES[word]
                self._lookalike(start, end, word)
                kind = OPERATORS.get(word, "PRIMES")
            else:
                kind = "stray character"
            if newline >= 0:
                if kind not in CONTINUES_BEFORE:
                    yield Token("NEWLINE", "\n", newline, newline + 1)
                    previous = "NEWLINE"
                newline = -1
            if kind == "NAME":
                if word in SOFT and previous in ("NEWLINE", "{"):
                    is_name = SOFT_NOT_BEFORE_IN_BLOCK if brackets else SOFT_NOT_BEFORE
                    kind = "NAME" if is_name.match(text, end) else word
            elif kind in CLOSER:
                closers = ")]" if previous == "in" and kind != "{" else CLOSER[kind]
                brackets.append(Bracket(kind, start, closers))
                if len(brackets) > MAX_DEPTH:
                    kind = "too deep"
            elif kind in (")", "]", "}"):
                if brackets and kind in brackets[-1].closers:
                    brackets.pop()
                else:
                    kind = "unmatched " + kind
            yield Token(kind, word, start, end)
            previous = kind
        size = len(text)
        if previous != "NEWLINE":
            yield Token("NEWLINE", "", size, size)
        yield Token("END", "", size, size)

    def _comment(self, start: int, end: int) -> None:
        if start < self.read_to:
            return
        self.read_to = end
        text = self.source.text
        line = text.rfind("\n", 0, start) + 1
        alone = not text[line:start].strip()
        is_doc = text.startswith("##", start)
        content = text[start + 1 + is_doc : end].rstrip()
        self.comments.append(Comment(content.removeprefix(" "), start, end, alone, is_doc))

    def _lookalike(self, start: int, end: int, ascii_text: str) -> None:
        if start >= self.read_to:
            self.read_to = end
            self.lookalikes.append((Span(self.source, start, end), ascii_text))

    def _exponent(self, word: str, start: int) -> str:
        """Superscript digits in ASCII; noted as a look-alike of the power."""
        number = normalize("NFKC", word).replace("\N{MINUS SIGN}", "-")
        self._lookalike(start, start + len(word), f"^{number}")
        return number

    def _unicode(self, word: str, start: int) -> str:
        """A name in NFKC; one that holds what no name may hold (`½`) is noted."""
        if not word.isidentifier():
            at = next(i for i in range(len(word)) if not word[: i + 1].isidentifier())
            self._lookalike(start + at, start + at + 1, "")
        return normalize("NFKC", word)
