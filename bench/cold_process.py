"""A function as it lies on Lambda's disk, and what its process does until the handler is loaded.

Instructions are counted by valgrind, so that it does not matter what else the machine does. Every process starts as
Lambda does: the runtime client loads the handler, from read-only folders, with files as the CDK's zip leaves them.
"""

import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bench.figure import Skipped
from bench.layer import layer_zip
from bench.peers import lambda_python

__all__ = ["START", "START_ONLY", "Deployed", "compilations", "delivered", "million_instructions", "our_layer"]

ZIP_STAMP = (1980, 1, 1, 0, 0, 0)
"""What the CDK writes on every entry of an asset's zip."""

# What Lambda's own main program does before the first event. `_get_handler` raises for a handler that cannot be loaded.
START = "import sys; from awslambdaric.bootstrap import _get_handler; _get_handler(sys.argv[1])"
START_ONLY = "import awslambdaric.bootstrap"
COUNT_COMPILATIONS = f"""
import sys
compiled = set()
def hook(event, arguments):
    if event == "compile" and str(arguments[1]).startswith(sys.argv[2]):
        compiled.add(arguments[1])
sys.addaudithook(hook)
{START}
print(len(compiled))
"""


@dataclass(frozen=True)
class Deployed:
    """A function as it lies on Lambda's disk: its own folder (/var/task) and its layer's (/opt)."""

    handler: str
    variables: Mapping[str, str]
    task: Path
    opt: Path | None = None
    python: Path = field(default_factory=lambda_python)

    def environment(self) -> Mapping[str, str]:
        path = [self.task, *([self.opt / "python"] if self.opt else [])]
        return {
            **self.variables,
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.task.parent),
            "PYTHONPATH": ":".join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's disk is read-only
            "PYTHONHASHSEED": "0",
            "LAMBDA_TASK_ROOT": str(self.task),
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def our_layer(folder: Path) -> Path:
    """Unpacked below `folder`. It is a finished zip, which the CDK uploads as it is."""
    return _unpacked(layer_zip(), folder / "ours-layer")


def delivered(folder: Path, name: str, entries: Iterable[Path]) -> Path:
    """A function's folder, below `folder`, through the CDK's zip and back: every file then dates from 1980."""
    source = folder / f"{name}-source"
    for entry in entries:
        target = source / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, target)
    archive = folder / f"{name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                zipped.writestr(zipfile.ZipInfo(path.relative_to(source).as_posix(), ZIP_STAMP), path.read_bytes())
    return _unpacked(archive, folder / name)


def _unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
        for entry in zipped.infolist():
            stamp = time.mktime((*entry.date_time, 0, 0, -1))  # extractall leaves today's
            os.utime(folder / entry.filename, (stamp, stamp))
    return folder


def million_instructions(*jobs: tuple[Deployed, str]) -> list[float]:
    """User-mode instructions of one process each: the same from run to run to well within a percent.

    A job is a function and the program that starts it. Raises Skipped without valgrind.
    """
    if shutil.which("valgrind") is None:
        raise Skipped("valgrind is missing: install it (Debian, Ubuntu: apt-get install valgrind)")
    with ThreadPoolExecutor(2) as both_cores:
        return list(both_cores.map(lambda job: _million_instructions(*job), jobs))


def _million_instructions(deployed: Deployed, program: str) -> float:
    options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    output = _run(deployed, ["valgrind", *options, deployed.python, "-c", program, deployed.handler]).stderr
    count = re.search(r"I\s+refs:\s+([\d,]+)", output)
    if count is None:
        raise RuntimeError(f"valgrind counted no instructions:\n{output}")
    return int(count[1].replace(",", "")) / 1e6


def compilations(deployed: Deployed, below: Path) -> int:
    """Files below a folder that are compiled from source while the handler loads."""
    return int(_run(deployed, [deployed.python, "-c", COUNT_COMPILATIONS, deployed.handler, below]).stdout)


def _run(deployed: Deployed, command: Sequence[str | Path]) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command, env=deployed.environment(), cwd=deployed.task, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{deployed.handler} did not load:\n{done.stdout}{done.stderr}")
    return done
