"""Finds the Python interpreters of this machine and compiles with each of them."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OLDEST_MINOR = 11


class Interpreter(NamedTuple):
    """A CPython that was started once and answered."""

    minor: int
    micro: int
    executable: str


def find_interpreters() -> list[Interpreter]:
    """The newest released CPython of each minor version, 3.11 and up, that this machine has and that really starts."""
    found: dict[int, Interpreter] = {}
    for executable in sorted(set(_candidates())):
        interpreter = _probe(executable)
        if interpreter and interpreter > found.get(interpreter.minor, (0, 0, "")):
            found[interpreter.minor] = interpreter
    return [found[minor] for minor in sorted(found)]


def bytecode(interpreters: list[Interpreter], files: dict[str, bytes]) -> dict[int, dict[str, bytes]]:
    """Per minor version, the bytecode of each Python file below `python/`, as Lambda finds it below /opt."""
    with tempfile.TemporaryDirectory() as stage:
        for name, data in files.items():
            path = Path(stage, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        # -s and -p: the bytecode names /opt/..., where Lambda unpacks a layer, not the folder of this build.
        # -o 2: without docstrings and assertions, a sixth of the size; nobody reads them in Lambda.
        options = [
            "-q",
            "-o",
            "2",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            stage,
            "-p",
            "/opt",
            f"{stage}/python",
        ]
        # no_debug_ranges: without columns, a seventh of the size; lines stay.
        compile_all = ["-S", "-X", "no_debug_ranges", "-m", "compileall", *options]
        compilers = [_start([i.executable, *compile_all]) for i in interpreters]
        for interpreter, compiler in zip(interpreters, compilers, strict=True):
            output, _ = compiler.communicate()
            if compiler.returncode:
                raise RuntimeError(f"Python 3.{interpreter.minor} cannot compile the layer's source:\n{output}")
        return {i.minor: dict(_compiled(Path(stage), i.minor)) for i in interpreters}


def _compiled(stage: Path, minor: int) -> Iterator[tuple[str, bytes]]:
    """Under the names that a Python without options looks for."""
    for path in stage.rglob(f"*.cpython-3{minor}.opt-2.pyc"):
        yield path.relative_to(stage).as_posix().replace(".opt-2.pyc", ".pyc"), path.read_bytes()


def _start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command, env=_clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _candidates() -> Iterator[str]:
    yield sys.executable
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield from _matching(Path(folder or "."), r"python3\.(\d+)", "")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from _matching(pyenv / "versions", r"3\.(\d+)\.\d+", "bin/python")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python")
    yield from _matching(uv, r"cpython-3\.(\d+)\.\d+-.*", "bin/python3")


def _matching(folder: Path, pattern: str, below: str) -> Iterator[str]:
    for path in folder.iterdir() if folder.is_dir() else ():
        match = re.fullmatch(pattern, path.name)
        if match and int(match[1]) >= OLDEST_MINOR:
            yield str(path / below)


_WHO_ARE_YOU = """
import sys, sysconfig
released = sys.version_info.releaselevel == "final" and not sysconfig.get_config_var("Py_GIL_DISABLED")
if sys.implementation.name == "cpython" and released:
    print(sys.version_info.minor, sys.version_info.micro, getattr(sys, "_base_executable", sys.executable))
"""


def _probe(executable: str) -> Interpreter | None:
    """What the interpreter says about itself; None if it does not start (an empty shim) or is no release."""
    command = [executable, "-S", "-c", _WHO_ARE_YOU]
    try:
        answer = subprocess.run(command, env=_clean_environment(), capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match answer.stdout.strip().split(" ", 2):
        case [minor, micro, real] if answer.returncode == 0:
            return Interpreter(int(minor), int(micro), real)
        case _:
            return None


def _clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PYTHONHASHSEED": "0"}
