"""Text to tree, with every fault of the text in one go.

An LALR(1) automaton over the tables that Lark made (see `tables`). It is a loop of our own for two
reasons: it must cost microseconds a token, and after a fault it goes on at the next statement or
definition. `mistakes` finds the words for a fault; this file decides where reading goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.source import Source
from mgrad.compiler.syntax import ast, mistakes, tables
from mgrad.compiler.syntax.build import PYTHON_NAMES, Builder, Refused
from mgrad.compiler.syntax.lex import DEFINERS, Bracket, Lexer, Token

CLOSERS = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree of what could be read, and what was wrong with the rest.

    `file` holds the definitions without a fault; `broken` names those that have one, so that a
    use of their name is not called unknown.
    """

    file: ast.File | None
    faults: list[Diagnostic]
    broken: frozenset[str] = frozenset()


def parse(source: Source) -> Parsed:
    """The tree of a source. Time and memory are linear in its length; nothing recurses."""
    return Parser(source).parse()


class Parser:
    """One run over one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.table = tables.load()
        self.lexer = Lexer(source)
        self.builder = Builder(source, self.lexer.comments)
        self.faults: list[Diagnostic] = []
        self.states = [self.table.start]
        self.values: list[Any] = [None]  # beside `states`: what was read to come to the state
        self.tokens: Iterator[Token] = self.lexer.tokens()
        self.last: Token | None = None  # the last token that was taken

    def parse(self) -> Parsed:
        definitions = self._run()
        self.faults += mistakes.lookalikes(self.lexer, self.faults)
        self.faults.sort(key=lambda fault: fault.span.start if fault.span else 0)
        file = ast.File(self.source, tuple(definitions), self.builder.file_doc())
        return Parsed(file, self.faults, frozenset(self.builder.broken))

    def _run(self) -> list[ast.Definition]:
        """The automaton: shift, reduce, and `_recover` where neither is possible."""
        actions, gotos, end = self.table.actions, self.table.gotos, self.table.end
        rules = [(r.origin, r.length, self._action(r.build)) for r in self.table.rules]
        states, values = self.states, self.values
        token = next(self.tokens)
        kind = token.kind
        while True:
            action = actions[states[-1]].get(kind)
            if action is None:
                self._close_block()
                token = self._recover(token, mistakes.explain(self, token))
                kind = token.kind
            elif action >= 0:
                states.append(action)
                values.append(token)
                self.last = token
                token = next(self.tokens)
                kind = token.kind
            else:
                origin, length, build = rules[-1 - action]
                if build is None:  # one symbol stands for another: its value stays
                    states[-1] = gotos[states[-2]][origin]
                    continue
                try:
                    value = build(*values[-length:]) if length else build()
                except Refused as refused:
                    token = self._recover(token, refused.fault)
                    kind = token.kind
                    continue
                if length:
                    del values[-length:], states[-length:]
                state = gotos[states[-1]][origin]
                if state == end:
                    definitions: list[ast.Definition] = value
                    return definitions
                values.append(value)
                states.append(state)

    def _action(self, name: str) -> Callable[..., Any] | None:
        if not name:
            return None
        if name == "list":
            return lambda *parts: list(parts)
        if name == "extend":
            return _extend
        action: Callable[..., Any] = getattr(self.builder, PYTHON_NAMES.get(name, name))
        return action

    # -- going on after a fault

    def _recover(self, token: Token, fault: Diagnostic | mistakes.Repair) -> Token:
        """Tell the fault and drop the statement or definition it is in; the next token to read.

        A repair is read on from as if the right thing stood there.
        """
        if isinstance(fault, mistakes.Repair):
            self.faults.append(fault.fault)
            return fault.instead or next(self.tokens)
        last = self.faults[-1] if self.faults else None
        if last is None or (type(last), last.span) != (type(fault), fault.span):
            self.faults.append(fault)  # what ends one definition may begin no other one either
        if self.blocks() and token.kind != "END" and not self._begins_definition(token):
            return self._skip_statement(token)
        return self._skip_definition(token)

    def _close_block(self) -> None:
        """Reduce a block whose `}` was read: what follows cannot change that."""
        if self.last is not None and self.last.kind == "}" and self.values[-1] is self.last:
            rule = self.table.rules[-1 - next(iter(self.expected().values()))]
            block = self.builder.block(*self.values[-rule.length :])
            del self.values[-rule.length :], self.states[-rule.length :]
            self.values.append(block)
            self.states.append(self.table.gotos[self.states[-1]][rule.origin])

    def blocks(self) -> list[Token]:
        """The `{` of the blocks that are being read, outermost first."""
        return [v for v in self.values if v.__class__ is Token and v.kind == "{"]

    def expected(self) -> dict[str, int]:
        """The kinds of token that could come now."""
        return self.table.actions[self.states[-1]]

    def _skip_statement(self, token: Token) -> Token:
        """Go on behind the statement with the fault, in the block that it stands in."""
        dropped = self._drop(to_file=False)
        start = _start(dropped[0]) if dropped else token.start
        outer = [Bracket("{", brace.start, "}") for brace in self.blocks()]
        brackets = self.lexer.brackets
        inner = 0  # blocks of the dropped statement itself
        while token.kind != "END":
            if self._begins_definition(token):
                return self._skip_definition(token)
            if token.kind in ("}", "unmatched }"):
                if not inner:
                    break
                inner -= 1
                while len(brackets) > len(outer) + inner:
                    brackets.pop()
            elif token.kind == "{":
                inner += 1
            elif not inner:
                if token.kind == "NEWLINE" and len(brackets) <= len(outer):
                    return self._resume(token)
                if (
                    token.start > start
                    and self.is_first(token)
                    and self.indent(token.start) <= self.indent(start)
                    and token.kind.removeprefix("unmatched ") not in (")", "]")
                ):
                    break
            token = next(self.tokens)
        brackets[:] = outer
        self.tokens = self.lexer.tokens(token.start)
        return self._resume(Token("NEWLINE", "", token.start, token.start))

    def _skip_definition(self, token: Token) -> Token:
        """Go on at the next line that stands at the margin and is no closing bracket."""
        dropped = self._drop(to_file=True)
        start = _start(dropped[0]) if dropped else token.start
        if not dropped and token.kind == "fn":
            start -= 1  # the fault was that the definition before is not closed
        for word, name in pairwise(dropped):
            if word.__class__ is name.__class__ is Token and name.kind == "NAME":
                self.builder.broken.add(name.text)
                break
        brackets = self.lexer.brackets
        while token.kind != "END":
            at_margin = token.start > start and self.is_first(token) and token.kind != "NEWLINE"
            if at_margin and self.indent(token.start) == 0:
                if token.text in DEFINERS:
                    break
                if not brackets and token.kind.removeprefix("unmatched ") not in CLOSERS:
                    break
            if token.kind == "unmatched }" and any(b.text == "{" for b in brackets):
                while brackets.pop().text != "{":
                    continue
            token = next(self.tokens)
        brackets.clear()
        self.tokens = self.lexer.tokens(token.start)
        return self._resume(Token("NEWLINE", "", token.start, token.start))

    def _resume(self, token: Token) -> Token:
        """Put FAULT for what was dropped."""
        self.states.append(self.expected()["FAULT"])
        self.values.append(None)
        self.last = None
        return token

    def _drop(self, to_file: bool) -> list[Any]:
        """Forget what was read of the statement, or of the whole definition; returns it."""
        size = len(self.states)
        blocks = len(self.blocks()) if to_file else 0
        while blocks or self.table.actions[self.states[size - 1]].get("FAULT", -1) < 0:
            size -= 1
            value = self.values[size]
            blocks -= bool(blocks) and value.__class__ is Token and value.kind == "{"
        dropped = self.values[size:]
        del self.states[size:], self.values[size:]
        return dropped

    def _begins_definition(self, token: Token) -> bool:
        return token.text in DEFINERS and self.is_first(token) and self.indent(token.start) == 0

    def is_first(self, token: Token) -> bool:
        """Whether a token is the first of its line."""
        text = self.source.text
        return not text[text.rfind("\n", 0, token.start) + 1 : token.start].strip()

    def indent(self, offset: int) -> int:
        """How far the line of an offset is indented."""
        line = self.source.line(self.source.position(offset)[0])
        return len(line) - len(line.lstrip())


def _start(value: Any) -> int:
    """Where the text of something read begins."""
    while isinstance(value, (tuple, list)):
        value = value[0]
    start: int = value.start if isinstance(value, Token) else value.span.start
    return start


def _extend(several: list[Any], *parts: Any) -> list[Any]:
    several += parts
    return several
