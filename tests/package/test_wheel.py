"""The wheel and the source archive, installed and used from another folder."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("compiler", "runtime", "grammar")

MODEL = "fn neuron(x, w, b) {\n  o = tanh(w*x + b)\n  return o\n}\ntest neuron(0, 1, 0) == 0\n"
USE = """
import mgrad, math
assert "site" in mgrad.__file__, mgrad.__file__
module = mgrad.load("model.mg")
value, (d_x, d_w, d_b) = module.neuron_value_and_grad(0.5, 2.0, -1.5)
y = math.tanh(-0.5)
assert math.isclose(value, y) and math.isclose(d_x, 2*(1 - y*y)) and math.isclose(d_b, 1 - y*y)
print("used")
"""


def run(*command: str, cwd: Path, **environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=clean | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the repository, linked rooms and all, where a build may write."""
    import shutil

    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    for name in (*ROOMS, "mgrad"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    flags = ("--no-build-isolation", "--no-deps", "--quiet", "--wheel-dir")
    run("-m", "pip", "wheel", *flags, str(folder), ".", cwd=checkout)
    (found,) = folder.glob("mgrad-*.whl")
    return found


def sources() -> set[str]:
    """Every file that must be in a wheel, by its place there."""
    rooms = [p for room in ROOMS for p in (ROOT / room).rglob("*.*")]
    door = [p.relative_to(ROOT / "mgrad") for p in (ROOT / "mgrad").glob("*.*")]
    door += [p.relative_to(ROOT / "mgrad") for p in (ROOT / "mgrad" / "verbs").glob("*.*")]
    found = {p.relative_to(ROOT) for p in rooms} | set(door)
    return {f"mgrad/{p.as_posix()}" for p in found if "__pycache__" not in p.parts}


def test_the_wheel_holds_every_room(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert sources() <= names
    assert not [n for n in names if n.startswith(("tests", "compiler", "runtime", "bench"))]
    assert [n for n in names if n.endswith("licenses/LICENSE")]


def test_the_installed_wheel_works_elsewhere(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    run(
        "-m", "pip", "install", "--no-deps", "--quiet", f"--target={site}", str(wheel), cwd=tmp_path
    )
    work = tmp_path / "work"
    work.mkdir()
    (work / "model.mg").write_text(MODEL)
    assert run("-c", USE, cwd=work, PYTHONPATH=str(site)) == "used\n"
    run("-m", "mgrad", "compile", "model.mg", cwd=work, PYTHONPATH=str(site))
    code = "import model; print(model.neuron_value_and_grad(0.0, 1.0, 0.0))"
    assert run("-c", code, cwd=work, PYTHONPATH=str(site)) == "(0.0, (1.0, 0.0, 1.0))\n"
    assert "1" in run("-m", "mgrad", "test", "model.mg", cwd=work, PYTHONPATH=str(site))


def test_the_source_archive_builds_the_same_wheel(
    checkout: Path, wheel: Path, tmp_path: Path
) -> None:
    code = (
        "from setuptools import build_meta as b; import sys;"
        "print(); print(b.build_sdist(sys.argv[1]))"
    )
    name = run("-c", code, str(tmp_path), cwd=checkout).splitlines()[-1]
    with tarfile.open(tmp_path / name) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / name.removesuffix(".tar.gz")
    flags = ("--no-build-isolation", "--no-deps", "--quiet", "--wheel-dir")
    run("-m", "pip", "wheel", *flags, str(tmp_path), ".", cwd=unpacked)
    (rebuilt,) = tmp_path.glob("mgrad-*.whl")
    same = [set(zipfile.ZipFile(w).namelist()) for w in (wheel, rebuilt)]
    assert same[0] == same[1]
