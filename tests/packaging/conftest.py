"""The distribution, built once per session from what git would commit, and environments that install it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import interpreters

ROOT = Path(__file__).parent.parent.parent
MINORS = ("3.11", "3.12", "3.13")


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """What a command prints; if it fails, all of its output."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=kept | environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the working tree as a fresh clone would have it: nothing that git ignores."""
    copy = tmp_path_factory.mktemp("tree")
    for name in run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the tree, in an environment that holds the build requirements only."""
    return _build("--wheel", tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("--sdist", tree, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel_of_sdist(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("--wheel", sdist, tmp_path_factory.mktemp("wheel-of-sdist"))


def _build(kind: str, source: Path, destination: Path) -> Path:
    run("uv", "build", "--quiet", kind, "--out-dir", destination, source)
    return next(path for path in destination.iterdir() if path.suffix in (".whl", ".gz"))


@pytest.fixture(scope="session")
def layers(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layers, as the wheel carries them."""
    folder = tmp_path_factory.mktemp("layers")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if "/_layers/" in name])
    return folder / "serverless_patterns/_layers"


@pytest.fixture(scope="session")
def interpreter() -> Callable[[str], str]:
    """The path of an interpreter, by its version such as `3.12`."""
    found = {f"3.{i.minor}": i.executable for i in interpreters.find_interpreters()}

    def find(version: str) -> str:
        if version not in found and version != "3.11":
            pytest.skip(f"this machine has no Python {version}: install it, by pyenv or uv, to test the wheel on it")
        return found[version]

    return find


@pytest.fixture(scope="session")
def bare_environment(
    wheel: Path, interpreter: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Python of an environment that holds our wheel and nothing else."""

    def make(version: str) -> Path:
        folder = tmp_path_factory.mktemp("bare") / "environment"
        run("uv", "venv", "--quiet", "--python", interpreter(version), folder)
        run("uv", "pip", "install", "--quiet", "--no-deps", "--python", folder / "bin/python", wheel)
        return folder / "bin/python"

    return make


@pytest.fixture(scope="session")
def oldest_environment(wheel: Path) -> Path:
    """Python of an environment with the oldest versions of the CDK that we say we work with."""
    python = ROOT / ".cache/packaging/oldest-cdk/bin/python"
    if not python.exists():
        run("uv", "venv", "--quiet", "--clear", "--python", sys.executable, python.parent.parent)
    dependencies: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    floors = [re.sub(r">=([0-9.]+),.*", r"==\1", dependency) for dependency in dependencies]
    fresh = ["--reinstall-package", "cdk-serverless-patterns"]
    run("uv", "pip", "install", "--quiet", "--python", python, *fresh, wheel, *floors)
    return python


@pytest.fixture(scope="session")
def user_environment(wheel: Path, interpreter: Callable[[str], str]) -> Callable[[str], Path]:
    """Python of an environment as a user has it: our wheel, what it requires, and the boto3 that Lambda brings.

    Kept between runs, because what costs the time is compiling aws_cdk once.
    """

    def make(version: str) -> Path:
        folder = ROOT / ".cache/packaging" / version
        python = folder / "bin/python"
        if not python.exists():
            run("uv", "venv", "--quiet", "--clear", "--python", interpreter(version), folder)
        locked = ["--constraint", ROOT / "requirements-dev.lock"]
        fresh = ["--reinstall-package", "cdk-serverless-patterns"]
        run("uv", "pip", "install", "--quiet", "--python", python, *locked, *fresh, wheel, "boto3")
        return python

    return make
