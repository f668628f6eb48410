"""LALR tables: made from grammar/mg.lark by Lark, kept in grammar/mg.json, read by the parser.

`python -m mgrad.compiler.syntax.tables` writes mg.json anew. Reading it takes two milliseconds, and
compiling never imports Lark.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

GRAMMAR = Path(__file__).resolve().parents[2] / "grammar"


@dataclass(frozen=True, slots=True)
class Rule:
    """`origin` was read as `length` symbols; `build` names what makes its value.

    `build` is "" to pass the single symbol through, "list" and "extend" for a repetition.
    """

    origin: str
    length: int
    build: str


@dataclass(frozen=True, slots=True)
class Tables:
    """`actions[state][terminal]` is the state to go to, or -1 - the rule to reduce by."""

    rules: tuple[Rule, ...]
    actions: tuple[dict[str, int], ...]
    gotos: tuple[dict[str, int], ...]
    start: int
    end: int


@cache
def load() -> Tables:
    """The tables of the grammar, read once a process."""
    path = GRAMMAR / "mg.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    rows, columns = data["rows"], data["terminals"]
    origins = data["origins"]
    actions = tuple(
        dict(zip((columns[i] for i in row[::2]), row[1::2], strict=True)) for row in rows
    )
    gotos = tuple(
        dict(zip((origins[i] for i in row[::2]), row[1::2], strict=True)) for row in data["gotos"]
    )
    rules = tuple(Rule(*rule) for rule in data["rules"])
    return Tables(rules, actions, gotos, data["start"], data["end"])


def make() -> str:
    """The text of mg.json for mg.lark as it stands."""
    from lark import Lark
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import Shift

    class NoLexer(Lexer):  # type: ignore[misc]
        """Lark wants a lexer to make tables; ours is compiler/syntax/lex.py."""

        def __init__(self, conf: Any) -> None:
            pass

        def lex(self, lexer_state: Any, parser_state: Any) -> Any:
            return iter(())

    grammar = (GRAMMAR / "mg.lark").read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer=NoLexer, maybe_placeholders=False)
    table = lark.parser.parser._parse_table
    spelling = {t.name: t.pattern.raw[1:-1] for t in lark.terminals}
    spelling["$END"] = "END"

    rules = sorted(lark.rules, key=lambda r: (r.origin.name, [s.name for s in r.expansion]))
    rule_numbers = {rule: number for number, rule in enumerate(rules)}
    names = {rule.origin.name for rule in rules}
    (start,), (end,) = table.start_states.values(), table.end_states.values()
    numbers = {start: 0}  # Lark's numbers vary from run to run: ours are by first use
    terminals: dict[str, int] = {}
    origins: dict[str, int] = {}
    rows, gotos = [], []
    queue = [start]
    for state in queue:
        row: list[int] = []
        goto: list[int] = []
        for symbol, (action, target) in sorted(table.states[state].items()):
            if action is not Shift:
                number = -1 - rule_numbers[target]
            else:
                if target not in numbers:
                    numbers[target] = len(numbers)
                    queue.append(target)
                number = numbers[target]
            if symbol in names:
                goto += [origins.setdefault(symbol, len(origins)), number]
            else:
                name = spelling.get(symbol, symbol)
                row += [terminals.setdefault(name, len(terminals)), number]
        rows.append(row)
        gotos.append(goto)
    parts = {
        "start": 0,
        "end": numbers[end],
        "terminals": list(terminals),
        "origins": list(origins),
        "rules": [(r.origin.name, len(r.expansion), _build(r)) for r in rules],
        "rows": rows,
        "gotos": gotos,
    }
    lines = []
    for key, value in parts.items():
        if key in ("rules", "rows", "gotos"):
            inner = ",\n".join(json.dumps(item, separators=(",", ":")) for item in value)  # type: ignore[attr-defined]
            lines.append(f'"{key}": [\n{inner}\n]')
        else:
            lines.append(f'"{key}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _build(rule: Any) -> str:
    """What makes the value of a rule of Lark's: see `Rule.build`."""
    name: str = rule.origin.name
    if name.startswith("__"):  # Lark's own rule for a repetition
        return "extend" if rule.expansion[0].name == name else "list"
    if rule.alias is not None:
        return str(rule.alias)
    return "" if rule.options.expand1 and len(rule.expansion) == 1 else name


if __name__ == "__main__":
    (GRAMMAR / "mg.json").write_text(make(), encoding="utf-8")
