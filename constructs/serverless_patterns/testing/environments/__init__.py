"""The emulator's own Python environment: made once from a lock with hashes, then kept in the user's cache.

It holds the emulator, its dependencies and boto3, and nothing else: functions run on its interpreter, so a package
that a function forgot to bring is missing here as it is on AWS. `python -m serverless_patterns.testing.environments`
makes it ahead of time.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from serverless_patterns.testing.errors import EnvironmentNotReady
from serverless_patterns.testing.progress import Progress, silence

__all__ = ["cache_folder", "emulator_python", "emulator_version"]

LOCK = Path(__file__).with_name("emulator.lock")
COMMAND = "python -m serverless_patterns.testing.environments"
CACHE_VARIABLE = "SERVERLESS_PATTERNS_CACHE"

# What installers say, in lower case, when no registry answers.
OFFLINE = re.compile(r"dns error|name resolution|resolve host|unreachable|connection refused|timed out|error sending")


def emulator_python(progress: Progress = silence) -> Path:
    """The interpreter of the emulator's environment, which is made first if this machine has none yet.

    Args:
        progress: Called with one line per step; silent when the environment is there.

    Raises:
        EnvironmentNotReady: No installer, no connection, or a cache that cannot be written; says what to do.
    """
    folder = cache_folder() / _identity()
    python = folder / "bin" / "python"
    if python.exists():
        return python
    progress(f"embedded cloud: installing the emulator ({emulator_version()}) in {folder}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make(folder, progress)
    except OSError as error:
        raise EnvironmentNotReady(
            f"cannot write {folder.parent} ({error.strerror}): "
            f"make it writable, or name another folder in {CACHE_VARIABLE}"
        ) from error
    progress("embedded cloud: installed")
    return python


def emulator_version() -> str:
    """The pinned emulator's version, from the lock."""
    found = re.search(r"^ministack==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, "the lock names the emulator"
    return found[1]


def cache_folder() -> Path:
    """Where environments are kept: `SERVERLESS_PATTERNS_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "serverless-patterns"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "serverless-patterns"


def _identity() -> str:
    # The base interpreter belongs to it: functions run on it, and a virtual environment dies with it.
    parts = (LOCK.read_text(encoding="utf-8"), sys.base_prefix, sys.version)
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"emulator-python3.{sys.version_info.minor}-{digest[:12]}"


def _make(folder: Path, progress: Progress) -> None:
    # Made beside its place and renamed: another process never sees, and a crash never leaves, half an environment.
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "environment"
        uv = _uv()
        _install(progress, uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, fresh)
        sync = ["pip", "sync", "--require-hashes", "--compile-bytecode", "--python", fresh / "bin" / "python", LOCK]
        _install(progress, uv, *sync)
        try:
            fresh.rename(folder)
        except OSError:
            if not (folder / "bin" / "python").exists():  # else another process was faster: theirs is as good
                raise


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise EnvironmentNotReady("uv is missing: pip install 'cdk-serverless-patterns[local]'")
    return found


def _install(progress: Progress, *command: str | Path) -> None:
    foreign = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    with subprocess.Popen(
        [str(part) for part in command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        said = "\n".join(_relayed(process, progress))
    if process.returncode:
        raise EnvironmentNotReady(_advice(said))


def _relayed(process: "subprocess.Popen[str]", progress: Progress) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        if not line.startswith(" +"):  # one such line for each package
            progress(f"embedded cloud:   {line.rstrip()}")
        yield line.rstrip()


def _advice(said: str) -> str:
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "no output")
    if OFFLINE.search(said.lower()):
        return (
            f"the emulator is not installed yet and no package registry answers ({last}): "
            f"connect once and run `{COMMAND}` (with a mirror: UV_DEFAULT_INDEX)"
        )
    if "no space left" in said.lower():
        return f"the disk is full ({last}): make 200 MB of room, or name another folder in {CACHE_VARIABLE}"
    return f"installing the emulator failed: {last}"
