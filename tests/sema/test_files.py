"""Faults between files, and those of settings given from outside: what has no place in one text."""

import pytest

from mgrad.compiler.diagnostics import Diagnostic
from mgrad.compiler.errors import meaning
from mgrad.compiler.sema.check import check_all
from mgrad.compiler.sema.program import Program
from mgrad.compiler.source import Source
from mgrad.compiler.syntax.parse import parse


def checked(files: dict[str, str], **settings: object) -> tuple[Program | None, list[Diagnostic]]:
    """What is said of `main.mg`, with the other files beside it."""

    def load(path: str, importer: str) -> Source | None:
        name = path.removeprefix("./")
        return Source(name, files[name]) if name in files else None

    parsed = parse(Source("main.mg", files["main.mg"]))
    assert parsed.file is not None
    return check_all(parsed.file, load, settings, parsed.broken)


def faults(files: dict[str, str], **settings: object) -> list[str]:
    return [d.message for d in checked(files, **settings)[1]]


def test_an_import_cycle_is_shown() -> None:
    files = {
        "main.mg": 'use "./b.mg": g\nfn f(x) = g(x)\n',
        "b.mg": 'use "./c.mg": h\nfn g(x) = h(x)\n',
        "c.mg": 'use "./main.mg": f\nfn h(x) = f(x)\n',
    }
    _, found = checked(files)
    assert [type(d) for d in found] == [meaning.ImportCycle]
    assert found[0].message == "files import one another: main.mg -> b.mg -> c.mg -> main.mg"
    assert found[0].span is not None and found[0].span.source.path == "c.mg"


def test_a_file_that_imports_itself() -> None:
    assert faults({"main.mg": 'use "./main.mg": f\nfn g(x) = f(x)\n'}) == [
        "files import one another: main.mg -> main.mg"
    ]


def test_unknown_imports_have_suggestions_and_no_followers() -> None:
    files = {
        "main.mg": 'use "./b.mg": aera, unit\nfn f(x) = aera(x)*unit\n',
        "b.mg": 'use "./c.mg": unit\nfn area(x) = x*unit\n',
        "c.mg": "const unit = 1\n",
    }
    assert faults(files) == [
        "\"./b.mg\" does not define 'aera' - did you mean 'area'?",
        "\"./b.mg\" does not define 'unit'",
    ]


def test_an_import_beside_a_definition_of_the_name() -> None:
    files = {"main.mg": 'use "./b.mg": f\nfn f(x) = x\n', "b.mg": "fn f(x) = 2*x\n"}
    assert faults(files) == ["'f' is defined twice"]


def test_two_imports_of_one_name() -> None:
    files = {
        "main.mg": 'use "./b.mg": f\nuse "./c.mg": f\nfn g(x) = f(x)\n',
        "b.mg": "fn f(x) = x\n",
        "c.mg": "fn f(x) = x\n",
    }
    assert faults(files) == ["'f' is defined twice"]


def test_faults_of_an_imported_file_are_told_with_its_name() -> None:
    files = {
        "main.mg": 'use "./b.mg": f\nfn g(x) = f(x) + zebra\n',
        "b.mg": "fn f(x) = nothing*x\n",
    }
    _, found = checked(files)
    assert [(d.message, d.span.source.path) for d in found if d.span] == [
        ("unknown name 'zebra'", "main.mg"),
        ("unknown name 'nothing'", "b.mg"),
    ]


def test_one_file_used_along_two_ways_is_one() -> None:
    files = {
        "main.mg": 'use "./b.mg": g\nuse "./c.mg": h\nfn f(x) = g(x) + h(x)\n',
        "b.mg": 'use "./c.mg": h\nfn g(x) = h(x)^2\n',
        "c.mg": "fn h(x) = sin(x)\n",
    }
    program, _ = checked(files)
    assert program is not None
    assert list(program.functions) == ["h", "g", "f"]


def test_an_imported_function_gives_way_to_a_name_of_the_file() -> None:
    files = {
        "main.mg": 'use "./b.mg": g\nfn h(x) = x\nfn f(x) = g(x) + h(x)\n',
        "b.mg": "fn h(x) = sin(x)\nfn g(x) = h(x)^2\n",
    }
    program, _ = checked(files)
    assert program is not None
    assert [(f.key, f.name) for f in program.functions.values()] == [
        ("h", "h"),
        ("h_2", "h"),
        ("g", "g"),
        ("f", "f"),
    ]


def test_an_unused_import_is_a_note() -> None:
    files = {
        "main.mg": 'use "./b.mg": g, h\nfn f(x) = g(x)\n',
        "b.mg": "fn g(x) = x\nfn h(x) = x\n",
    }
    program, _ = checked(files)
    assert program is not None
    assert [n.message for n in program.notes] == ["the import 'h' is never used"]


def test_what_an_import_may_be() -> None:
    files = {
        "main.mg": 'use "./b.mg": c, j0\nfn f(x) = c*j0\'(x)\n',
        "b.mg": 'const c = 3\nextern fn j0(x) = "scipy.special.j0"\n'
        'extern fn j1(x) = "scipy.special.j1"\nderivative j0(x) = -j1(x)\n',
    }
    program, _ = checked(files)
    assert program is not None
    assert list(program.externs) == ["j0", "j1"]
    assert list(program.derivatives) == ["j0"]


def test_settings_that_the_file_does_not_have() -> None:
    files = {"main.mg": "const width = 2\nfn f(x; steps = 1) = x*steps*width\n"}
    assert faults(files, stesp=2) == [
        "the file has no setting or constant 'stesp' - did you mean 'steps'?"
    ]
    assert not faults(files, steps=2, width=3, **{"f.steps": 4})


@pytest.mark.parametrize("value", ["many", None, float("nan"), "1/0"])
def test_values_of_settings_that_are_no_numbers(value: object) -> None:
    files = {"main.mg": "fn f(x; steps = 1) = x*steps\n"}
    _, found = checked(files, steps=value)
    assert [type(d) for d in found] == [meaning.SettingValue]


def test_definitions_that_could_not_be_read_have_no_followers() -> None:
    files = {"main.mg": "fn g(x) = x +* 2\nfn f(x) = g(x) + g'(x) + zebra\nderivative g(x) = 1\n"}
    assert faults(files) == ["unknown name 'zebra'"]
