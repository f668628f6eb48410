"""What importing costs, and that the same input gives the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mgrad

ROOT = Path(__file__).parents[2]
LECTURE = ROOT / "examples" / "lecture.mg"
HEAVY = {"sympy", "lark", "mpmath", "numpy", "scipy", "rich", "typer", "graphviz"}


def run(code: str, cwd: Path = ROOT, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(code: str, cwd: Path = ROOT) -> set[str]:
    """The packages that are loaded after running some code."""
    end = "import sys; print('\\n'.join({n.partition('.')[0] for n in sys.modules}))"
    return set(run(f"{code}\n{end}", cwd).splitlines())


def test_importing_mgrad_loads_nothing_heavy() -> None:
    assert not loaded("import mgrad") & HEAVY


def test_public_names_are_found_and_others_are_not() -> None:
    assert set(mgrad.__all__) <= set(dir(mgrad))
    for name in mgrad.__all__:
        assert getattr(mgrad, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'compiled'"):
        mgrad.__getattr__("compiled")


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert mgrad.__version__ == version("mgrad")


def test_compiling_needs_no_sympy() -> None:
    code = "import mgrad; mgrad.compile('examples/lecture.mg')"
    assert not loaded(code) & {"sympy", "scipy", "rich", "typer", "graphviz"}


@pytest.mark.parametrize(("target", "library"), [("python", set()), ("numpy", {"numpy"})])
def test_a_generated_module_loads_only_its_library(
    target: str, library: set[str], tmp_path: Path
) -> None:
    (tmp_path / "lecture.py").write_text(mgrad.compile(LECTURE, target=target))
    assert loaded("import lecture", tmp_path) & HEAVY == library


def test_the_same_bytes_under_every_hash_seed() -> None:
    code = (
        "import mgrad, pathlib\n"
        "for path in sorted(pathlib.Path('examples').glob('*.mg')):\n"
        "    for target, level in (('python', 1), ('numpy', 2)):\n"
        "        print(mgrad.compile(path, target=target, level=level))\n"
    )
    texts = {run(code, PYTHONHASHSEED=seed) for seed in ("0", "1", "2", "12345", "4294967295")}
    assert len(texts) == 1
