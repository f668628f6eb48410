"""Every fenced code block of the documentation runs. What stands behind the opening fence says how:

mg                      compiles for every target, passes its own tests, and no gradient is refuted;
                        `file=NAME` also writes it to the page's folder, `more` reads it after the
                        block before it
mg bad                  is refused; a `text` block right after it shows how
sh, console             the commands run, and show what is shown under them; `…` is any text
python                  runs, by itself or as a doctest session
python generated from FILE:f,g    is the text that FILE compiles to, of these functions
                        (`target=numpy`)
text                    is only shown

The blocks of a page run in order, in a folder of the page's own that holds a copy of `examples/`.
`pytest --update` writes the output of commands and the generated text into the page instead.
"""

import ast
import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mgrad
from mgrad.compiler.diagnostics import MgradError

ROOT = Path(__file__).parents[2]
BLANK = re.compile(r"^\n", re.MULTILINE)  # in a doctest, output ends at a blank line


@dataclass(frozen=True)
class Block:
    """`info` is what stands behind the opening fence; `line` where the text begins, from 1."""

    page: Path
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info else ""

    def option(self, name: str) -> str | None:
        """The value of `name=value` in the info string."""
        found = re.search(rf"(?:^|\s){name}=(\S+)", self.info)
        return found[1] if found else None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order. A fence may be indented, as in a list."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").split("\n")
    at = 0
    while at < len(lines):
        opening = re.match(r"( *)(`{3,})([^`]*)$", lines[at])
        at += 1
        if opening is None:
            continue
        indent, fence, info = opening.groups()
        start, body = at, []
        while at < len(lines) and lines[at].strip() != fence:
            body.append(lines[at].removeprefix(indent))
            at += 1
        assert at < len(lines), f"{page}:{start}: the block is not closed"
        found.append(Block(page, start + 1, info.strip(), "".join(f"{b}\n" for b in body)))
        at += 1
    return found


def commands(text: str) -> list[tuple[str, str | None]]:
    """The commands of a shell block, each with the output shown under it.

    With `$ ` prompts, what follows up to the next prompt is output. Without, each line is a
    command, and no output is shown (None).
    """
    lines = text.splitlines()
    if not any(line.startswith("$ ") for line in lines):
        return [(line, None) for line in lines if line.strip() and not line.startswith("#")]
    found: list[tuple[str, str | None]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            command, output = found[-1]
            found[-1] = (command, f"{output}{line}\n")
    return found


def matches(shown: str, actual: str) -> bool:
    """Whether the output is the one shown, where `…` stands for any text, and a line that is only
    `…` for any lines. Blanks at ends of lines and blank lines at the end do not count."""
    pattern = []
    for line in _tidy(shown):
        if line.strip() == "…":
            pattern.append(r"(?:.*\n)*?")
        else:
            pattern.append(".*?".join(map(re.escape, line.split("…"))) + r"\n")
    return re.fullmatch("".join(pattern), "".join(f"{a}\n" for a in _tidy(actual))) is not None


def _tidy(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().split("\n")]


class Session(doctest.DocTestRunner):
    """Keeps what each example printed."""

    def __init__(self, optionflags: int) -> None:
        super().__init__(optionflags=optionflags)
        self.got: list[str] = []

    def report_success(self, out: Any, test: Any, example: Any, got: str) -> None:
        self.got.append(got)

    def report_failure(self, out: Any, test: Any, example: Any, got: str) -> None:
        self.got.append(got)
        super().report_failure(out, test, example, got)


def prompted(example: doctest.Example) -> str:
    """The source of an example as it is typed."""
    first, *rest = example.source.splitlines(keepends=True)
    return "".join([f">>> {first}", *(f"... {line}" for line in rest)])


class Page:
    """The blocks of one page, run one after the other."""

    def __init__(self, folder: Path, update: bool = False) -> None:
        self.folder = folder
        self.update = update
        self.updates: list[tuple[Block, str]] = []
        self.namespace: dict[str, Any] = {"__name__": "page"}
        self.program = ""  # the text of the last mg block
        self.refusal = ""  # what the last bad one was told
        shutil.copytree(ROOT / "examples", folder / "examples")
        commands = folder / ".bin"
        commands.mkdir()
        (commands / "mgrad").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mgrad "$@"\n')
        (commands / "mgrad").chmod(0o755)
        (commands / "python").symlink_to(sys.executable)
        self.environment = {
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
        }

    def run(self, block: Block) -> None:
        """Run a block; an AssertionError says what is wrong with it."""
        refusal, self.refusal = self.refusal, ""
        match block.info.split():
            case ["mg", "bad", *_]:
                self.refused(block)
            case ["mg", *_]:
                self.accepted(block)
            case ["sh" | "console", *_]:
                ran = [(c, shown, self.command(c, shown)) for c, shown in commands(block.text)]
                same = all(matches(shown or "", said or "") for _, shown, said in ran)
                self.compare(block, same, "".join(f"$ {c}\n{said}" for c, _, said in ran))
            case ["python", "generated", "from", where, *_]:
                self.generated(block, where)
            case ["python", *_]:
                self.python(block)
            case ["text", *_]:
                if refusal:
                    self.compare(block, matches(block.text, refusal), refusal)
            case _:
                raise AssertionError(f"'{block.info}' says not how to run the block")

    def write(self, block: Block) -> Path:
        self.program = f"{self.program}\n{block.text}" if "more" in block.info else block.text
        path = self.folder / (block.option("file") or "page.mg")
        path.write_text(self.program, encoding="utf-8")
        return path

    def accepted(self, block: Block) -> None:
        from mgrad.verbs.test import test

        path = self.write(block)
        for target in ("python", "numpy"):
            mgrad.load(path, target=target)
        outcome = test(path)
        assert not outcome.failures, outcome.text()
        report = mgrad.check(path)
        assert not report.refuted, report.text()

    def refused(self, block: Block) -> None:
        path = self.write(block)
        with pytest.raises(MgradError) as caught:
            mgrad.compile(path)
        self.refusal = str(caught.value).replace(f"{self.folder}{os.sep}", "")

    def compare(self, block: Block, same: bool, actual: str) -> None:
        """Fail where the page shows something else; or note what it is to show."""
        if not same and self.update:
            self.updates.append((block, actual))
            return
        assert same, f"it is:\n{actual}"

    def command(self, command: str, shown: str | None) -> str | None:
        """Run a command; its output, or None where none is to be compared."""
        words = shlex.split(command, comments=True)
        if words[0] in ("git", "pip", "cd"):  # the reader's own machine
            return shown
        if words[0] == "make":  # a suite that runs itself would never end: the target must exist
            done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True)
            assert done.returncode == 0, done.stderr.decode()
            return shown
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
        output = done.stdout.decode()
        if shown is None:
            assert done.returncode == 0, f"$ {command}\n{output}"
            return None
        return output

    def python(self, block: Block) -> None:
        if ">>> " not in block.text:
            exec(compile(block.text, block.place, "exec"), self.namespace)
            return
        test = doctest.DocTestParser().get_doctest(
            block.text, self.namespace, block.place, None, None
        )
        session, said = Session(optionflags=doctest.ELLIPSIS), list[str]()
        outcome = session.run(test, out=said.append, clear_globs=False)
        self.namespace |= test.globs
        if outcome.failed and self.update and len(session.got) == len(test.examples):
            shown = zip(test.examples, session.got, strict=True)
            text = "".join(prompted(e) + BLANK.sub("<BLANKLINE>\n", got) for e, got in shown)
            self.updates.append((block, text))
            return
        assert outcome.failed == 0, "".join(said)

    def generated(self, block: Block, where: str) -> None:
        file, _, names = where.partition(":")
        level = int(block.option("level") or 1)
        target = block.option("target") or "python"
        text = mgrad.compile(self.folder / file, target=target, level=level)
        if names:
            routines = {n.name: n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)}
            lines = text.split("\n")
            parts = []
            for name in names.split(","):
                node = routines[name]
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                parts.append("\n".join(lines[first - 1 : node.end_lineno]))
            text = "\n\n\n".join(parts)
        self.compare(block, matches(block.text, text), text + "\n")

    def rewrite(self, page: Path) -> None:
        """Put the updates into the page, the last one first."""
        lines = page.read_text(encoding="utf-8").split("\n")
        for block, actual in reversed(self.updates):
            start, end = block.line - 1, block.line - 1 + block.text.count("\n")
            indent = re.match(" *", lines[start - 1])
            assert indent is not None
            lines[start:end] = [f"{indent[0]}{a}".rstrip() for a in actual.rstrip().split("\n")]
        page.write_text("\n".join(lines), encoding="utf-8")


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_page(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(tmp_path)
    running = Page(tmp_path, request.config.getoption("--update"))
    for block in blocks(page):
        try:
            running.run(block)
        except Exception as error:
            pytest.fail(f"{block.place}: {type(error).__name__}: {error}", pytrace=False)
    if running.updates:
        running.rewrite(page)


def test_blocks_are_found_with_their_lines_and_infos(tmp_path: Path) -> None:
    text = "# A\n\n```mg file=a.mg\nfn f(x) = x\n```\n\n- item\n\n  ```sh\n  ls\n  ```\n"
    path = tmp_path / "page.md"
    path.write_text(text)
    assert [(b.line, b.info, b.text) for b in blocks(path)] == [
        (4, "mg file=a.mg", "fn f(x) = x\n"),
        (10, "sh", "ls\n"),
    ]
    assert Block(path, 1, "mg file=a.mg", "").option("file") == "a.mg"


def test_an_unclosed_block_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("```mg\nfn f(x) = x\n")
    with pytest.raises(AssertionError, match="not closed"):
        blocks(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ls\n# a comment\npwd\n", [("ls", None), ("pwd", None)]),
        ("$ ls\na\nb\n$ pwd\n", [("ls", "a\nb\n"), ("pwd", "")]),
    ],
)
def test_commands(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert commands(text) == expected


@pytest.mark.parametrize(
    ("shown", "actual", "same"),
    [
        ("a\nb\n", "a  \nb\n\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("took … s\n", "took 0.31 s\n", True),
        ("took … s\n", "took 0.31 ms\n", False),
        ("a.c\n", "abc\n", False),
        ("a\n", "a\nb\n", False),
    ],
)
def test_output_is_compared(shown: str, actual: str, same: bool) -> None:
    assert matches(shown, actual) is same
