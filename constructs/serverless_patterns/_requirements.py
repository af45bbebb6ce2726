"""A handler's own libraries: what its requirements file may say, and their installation without Docker."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ._checks import Problems

_LOCK = "make it with: uv pip compile --generate-hashes requirements.in -o requirements.txt"
_SCHEME = "1"  # raise it when the same file would be installed differently


class Target(NamedTuple):
    """What the libraries run on."""

    python: str
    """Such as `3.14`."""

    machine: str
    """`aarch64` or `x86_64`; empty: this machine, for the embedded cloud."""


def check_requirements(file: Path | None, problems: Problems) -> None:
    """Refuse a file that does not say exactly what is installed."""
    if file is None:
        return
    if not file.is_file():
        problems.add("requirements", "be an existing file", str(file), _LOCK)
        return
    for line in _lines(file):
        if line.startswith(("-r", "-c", "-e", "--requirement", "--constraint", "--editable")):
            fix = f"one file holds everything; {_LOCK}"
            problems.add("requirements", "name no other files", f"{line!r} in {file}", fix)
        elif not line.startswith("-") and "--hash=" not in line:
            problems.add("requirements", "lock every package by hash", f"{line!r} in {file}", _LOCK)


def brings(file: Path, package: str) -> bool:
    """Whether the file installs a package of this name."""
    names = (re.split(r"[^A-Za-z0-9._-]", line)[0] for line in _lines(file))
    return package in {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def fingerprint(file: Path, target: Target) -> str:
    """Names what an installation holds: the same file and target, the same name, on any machine."""
    return hashlib.sha256(
        b"\0".join([_SCHEME.encode(), *(part.encode() for part in target), file.read_bytes()])
    ).hexdigest()


def installed(file: Path, target: Target, where: str) -> Path:
    """The folder with the libraries, from the cache or installed now.

    Args:
        file: Locks every package by hash.
        target: What they run on.
        where: Path of the construct, for the error.

    Raises:
        ValueError: only pip is there, and the file has lines that pip would get wrong.
        RuntimeError: with the installer's own words.
    """
    machine = target.machine or "this machine"
    folder = _cache() / fingerprint(file, target)
    if folder.is_dir():
        return folder
    uv = _uv()
    if not uv and target.machine:
        _check_markers(file, where)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".installing-") as temporary:
        draft = Path(temporary) / "packages"
        command = _command(uv, file, target, draft)
        print(f"{where}: installing {file.name} for Python {target.python}, {machine}", file=sys.stderr)
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(
                f"{where}: {file} could not be installed for Python {target.python} on {machine}, wheels only:\n"
                f"{result.stderr.strip() or result.stdout.strip()}\n"
                "This needs a package index: behind a proxy with a certificate of its own set SSL_CERT_FILE and "
                "PIP_CERT, for another index UV_INDEX_URL and PIP_INDEX_URL; what was installed once is kept"
            )
        draft.mkdir(exist_ok=True)
        for leftover in (draft / "bin", draft / ".lock"):
            shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)
        try:
            draft.rename(folder)
        except OSError:  # another process was faster: its result is the same
            if not folder.is_dir():
                raise
    return folder


def _uv() -> list[str]:
    """How to call uv; empty where it is not installed."""
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    found = shutil.which("uv")
    return [found] if found else []


def _check_markers(file: Path, where: str) -> None:
    """Refuse environment markers: pip judges them by the machine that it runs on, whatever it is told of the target."""
    problems = Problems(where)
    for line in (line for line in _lines(file) if ";" in line):
        got = f"{line.split('--hash=')[0].strip()!r} in {file}"
        fix = "pip judges them by the machine that it runs on: install uv (pip install uv), which is then used instead"
        problems.add("requirements", "have no environment markers where only pip can install them", got, fix)
    problems.raise_any()


def _command(uv: list[str], file: Path, target: Target, folder: Path) -> list[str]:
    common = ["--target", str(folder), "--require-hashes", "--only-binary=:all:", "--quiet", "-r", str(file)]
    if uv:
        platform = (
            ["--python-version", target.python, "--python-platform", _uv_platform(target)] if target.machine else []
        )
        return [*uv, "pip", "install", "--python", sys.executable, "--no-progress", *platform, *common]
    pip = [sys.executable, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--no-deps"]
    platform = [f"--platform={name}" for name in _pip_platforms(target)] if target.machine else []
    version = [f"--python-version={target.python}", "--implementation=cp"] if target.machine else []
    return [*pip, *platform, *version, *common]


def _glibc(target: Target) -> int:
    """Minor version of the C library that Lambda has: Amazon Linux 2 up to Python 3.11, then Amazon Linux 2023."""
    return 26 if target.python == "3.11" else 34


def _uv_platform(target: Target) -> str:
    return f"{target.machine}-manylinux_2_{17 if _glibc(target) == 26 else 34}"  # uv has no 2_26


def _pip_platforms(target: Target) -> Iterator[str]:
    yield f"manylinux2014_{target.machine}"
    yield from (f"manylinux_2_{minor}_{target.machine}" for minor in range(_glibc(target), 16, -1))


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cdk-serverless-patterns" / "requirements"


def _lines(file: Path) -> list[str]:
    """Logical lines: comments gone, continuations joined."""
    joined = re.sub(r"\\\r?\n", " ", file.read_text())
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]
