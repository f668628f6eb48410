"""The canonical layout of a source: indentation, spaces, blank lines; never the tree.

Works on tokens, so that comments and the line breaks that the author chose stay. Before and after:

    fn g( a,b ){                      fn g(a, b) {
     c=a+b   # the sum                  c = a + b  # the sum
     return clip(c**2,0,hi = 4) }       return clip(c^2, 0, hi=4)
                                      }
"""

from dataclasses import dataclass

from mgrad.compiler.diagnostics import MgradError
from mgrad.compiler.source import Source
from mgrad.compiler.syntax.lex import Comment, Lexer, Token
from mgrad.compiler.syntax.parse import parse

OPENERS, CLOSERS = ("(", "[", "{"), (")", "]", "}")
VALUE_ENDS = ("NAME", "NUMBER", "STRING", "true", "false", ")", "]", "PRIMES")
TIGHT = ("POWER", "..")


@dataclass(slots=True, eq=False)
class Piece:
    """A token or a comment, and how it is set."""

    kind: str  # a token's, or "comment"
    text: str
    start: int
    end: int
    starts_statement: bool = False
    breaks: bool = False  # begins a line
    blank: bool = False  # after a blank line
    space: bool = False  # after a space, within a line


def format_source(source: Source) -> str:
    """The text of a source in the canonical layout. Raises MgradError if it does not parse."""
    parsed = parse(source)
    if parsed.faults:
        raise MgradError(parsed.faults)
    lexer = Lexer(source)
    pieces = _pieces(source, list(lexer.tokens()), lexer.comments)
    _set_breaks(source, pieces)
    _set_spaces(pieces)
    lines = _lines(source, pieces)
    return "\n".join(lines) + "\n" if lines else ""


def _pieces(source: Source, tokens: list[Token], comments: list[Comment]) -> list[Piece]:
    """Tokens and comments in the order of the text; newlines only mark what begins a statement."""
    pieces: list[Piece] = []
    fresh = True
    for token in tokens:
        if token.kind in ("NEWLINE", "END"):
            fresh = True
            continue
        text = "^" if token.kind == "POWER" else token.text
        pieces.append(Piece(token.kind, text, token.start, token.end))
        pieces[-1].starts_statement = fresh and token.kind != "}"
        fresh = token.kind == "{"
    for comment in comments:
        mark = "##" if comment.is_doc else "#"
        # `###` and `#!` stay as they are; `# #` must not become `##`, which documents what follows
        space = "" if comment.text.startswith("#" if comment.is_doc else "!") else " "
        text = (mark + space + comment.text).rstrip()
        pieces.append(Piece("comment", text, comment.start, comment.end))
    pieces.sort(key=lambda piece: piece.start)
    return pieces


def _set_breaks(source: Source, pieces: list[Piece]) -> None:
    """Lines break where they did, and inside the braces of a block of several lines."""
    open_blocks: list[int] = []
    for at, piece in enumerate(pieces):
        between = source.text[pieces[at - 1].end if at else 0 : piece.start]
        lines = between.count("\n")
        piece.breaks = lines > 0 or at == 0
        piece.blank = lines > 1 and at > 0 and piece.kind != "}" and pieces[at - 1].kind != "{"
        if piece.kind == "{":
            open_blocks.append(at)
        elif piece.kind == "}":
            opener = open_blocks.pop()
            if "\n" in source.text[pieces[opener].start : piece.start]:
                piece.breaks = True
                inside = opener + 1
                if pieces[inside].kind != "comment":
                    pieces[inside].breaks = True
        elif piece.kind == "else" and pieces[at - 1].kind == "}":
            piece.breaks = piece.blank = False


def _set_spaces(pieces: list[Piece]) -> None:
    """Which pieces have a space before them when they stand within a line."""
    brackets: list[str] = []  # "(" of a call or a group, "head" of a definition, "[", "{"
    previous, before = Piece("", "", 0, 0), Piece("", "", 0, 0)
    unary = False  # whether `previous` is a sign or `not` before its operand
    for piece in pieces:
        if piece.kind == "comment":
            continue
        inside = brackets[-1] if brackets else ""
        piece.space = _space(previous, piece, inside, unary)
        unary = piece.kind == "SIGN" and previous.kind not in VALUE_ENDS
        if piece.kind in OPENERS:
            head = piece.kind == "(" and before.kind in ("fn", "derivative")
            brackets.append("head" if head else piece.kind)
        elif piece.kind in CLOSERS:
            brackets.pop()
        previous, before = piece, previous


def _space(left: Piece, right: Piece, inside: str, unary: bool) -> bool:
    """Whether a space stands between two tokens; `inside` is the bracket around them."""
    if left.kind in ("(", "[") or right.kind in (")", "]", ",", ";", "PRIMES") or unary:
        return False
    if right.kind in ("(", "["):
        return left.kind not in VALUE_ENDS and not _is_tight(left, inside)
    if right.kind == ":":
        return left.kind == ","
    if left.kind in (",", ";"):
        return True
    return not _is_tight(left, inside) and not _is_tight(right, inside)


def _is_tight(piece: Piece, inside: str) -> bool:
    """Whether an operator stands without spaces: `a*b`, `a^b`, `0..n`, `x[1:]`, `axis=0`."""
    if piece.kind == "=":
        return inside == "("
    if piece.kind == ":":
        return inside == "["
    return piece.kind in TIGHT or (piece.kind == "PRODUCT" and piece.text != "@")


def _lines(source: Source, pieces: list[Piece]) -> list[str]:
    lines: list[str] = []
    line = ""
    following = _following(pieces)
    blocks = brackets = 0
    for at, piece in enumerate(pieces):
        if piece.breaks:
            if at:
                lines.append(line)
            if piece.blank:
                lines.append("")
            line = " " * _indent(piece, following[at], blocks, brackets)
            line += piece.text
        elif piece.kind == "comment":
            column = source.position(piece.start)[1] - 1
            line = line.ljust(max(column, len(line) + 2)) + piece.text
        else:
            line += " " * piece.space + piece.text
        if piece.kind in OPENERS or piece.kind in CLOSERS:
            step = 1 if piece.kind in OPENERS else -1
            if piece.kind in "{}":
                blocks += step
            else:
                brackets += step
    return [*lines, line] if pieces else []


def _indent(piece: Piece, word: Piece | None, blocks: int, brackets: int) -> int:
    """The indentation of a line that `piece` begins and whose first token, or the next, is `word`.

    It is the block's, and a step more for what continues a statement.
    """
    if word is None or word.starts_statement:
        return 2 * blocks
    if word.kind == "}":
        return 2 * (blocks - (piece is word))
    if word.kind in (")", "]") and piece is word:
        return 2 * (blocks + brackets - 1)
    return 2 * (blocks + max(brackets, 1))


def _following(pieces: list[Piece]) -> list[Piece | None]:
    """For each piece the token that it is, or the first one behind the comment that it is."""
    following: list[Piece | None] = []
    token = None
    for piece in reversed(pieces):
        if piece.kind != "comment":
            token = piece
        following.append(token)
    return following[::-1]
