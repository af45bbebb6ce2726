"""Cold start of the deployed consumer: instructions until the handler is loaded and its clients are made.

Counted by valgrind, so that it does not matter what else the machine does. Every process starts as Lambda does: the
runtime client loads the handler, from read-only folders, with files as the CDK's zip leaves them.
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

from bench.figure import Figure, Skipped
from bench.lambda_environment import variables
from bench.layer import layer_zip
from bench.peers import CACHE, lambda_python, powertools_folder

NAMES = ("cold_import_vs_powertools_asset", "cold_import_vs_boto3_client", "import_compilations")

FUNCTIONS = Path(__file__).resolve().parent / "functions"
STAGE = CACHE / "cold_start"
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
    task: Path
    opt: Path | None = None
    python: Path = field(default_factory=lambda_python)

    def environment(self) -> Mapping[str, str]:
        path = [self.task, *([self.opt / "python"] if self.opt else [])]
        return variables("orders:fulfil", effects=True) | {
            "PATH": "/usr/bin:/bin",
            "HOME": str(STAGE),
            "PYTHONPATH": ":".join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's disk is read-only
            "PYTHONHASHSEED": "0",
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def figures() -> list[Figure]:
    shutil.rmtree(STAGE, ignore_errors=True)
    ours, peer, bare = _ours(), _powertools(), _bare()
    return [*_instruction_figures(ours, peer, bare), _compilations_figure(ours, peer)]


def _instruction_figures(ours: Deployed, peer: Deployed, bare: Deployed) -> list[Figure]:
    try:
        with ThreadPoolExecutor(2) as both_cores:
            jobs = [(peer, START), (ours, START), (bare, START), (bare, START_ONLY)]
            peer_m, ours_m, bare_m, nothing_m = both_cores.map(lambda job: _million_instructions(*job), jobs)
    except Skipped as skipped:
        return [_ratio(name, goal, skipped=str(skipped)) for name, goal in ((NAMES[0], 0.65), (NAMES[1], 1.12))]
    over_peer = f"ours {ours_m:.0f} M, Powertools {peer_m:.0f} M instructions"
    over_bare = f"ours {ours_m:.0f} M, runtime client and boto3 {bare_m:.0f} M, runtime client alone {nothing_m:.0f} M"
    return [
        _ratio(NAMES[0], 0.65, value=ours_m / peer_m, floor=nothing_m / peer_m, measured=over_peer),
        _ratio(NAMES[1], 1.12, value=ours_m / bare_m, floor=nothing_m / bare_m, measured=over_bare),
    ]


def _ratio(
    name: str,
    goal: float,
    *,
    value: float | None = None,
    floor: float | None = None,
    measured: str = "",
    skipped: str = "",
) -> Figure:
    return Figure(
        name=name,
        value=value and round(value, 3),
        unit="ratio",
        peer=None if skipped else 1.0,
        floor=floor and round(floor, 3),
        better="lower",
        goal=goal,
        measured=measured,
        skipped=skipped,
    )


def _compilations_figure(ours: Deployed, peer: Deployed) -> Figure:
    assert ours.opt is not None
    return Figure(
        name=NAMES[2],
        value=_compilations(ours, ours.opt),
        unit="files",
        peer=_compilations(peer, peer.task),
        floor=0,
        better="lower",
        goal=0,
        measured="files compiled from source while the handler loads",
    )


def _ours() -> Deployed:
    """Our layer is a finished zip, which the CDK uploads as it is; the user's code is zipped by the CDK."""
    return Deployed(
        "serverless_patterns_runtime.load_leveled_queue.handler.lambda_handler",
        task=_delivered("ours", [FUNCTIONS / "orders.py"]),
        opt=_unpacked(layer_zip(), STAGE / "ours-layer"),
    )


def _powertools() -> Deployed:
    """Installed into the function's folder, as its documentation says."""
    files = [FUNCTIONS / "powertools_consumer.py", *powertools_folder().iterdir()]
    return Deployed("powertools_consumer.lambda_handler_with_write", task=_delivered("powertools", files))


def _bare() -> Deployed:
    return Deployed("bare_consumer.lambda_handler", task=_delivered("bare", [FUNCTIONS / "bare_consumer.py"]))


def _delivered(name: str, entries: Iterable[Path]) -> Path:
    """A function's folder through the CDK's zip and back: every file then dates from 1980."""
    source = STAGE / f"{name}-source"
    for entry in entries:
        target = source / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, target)
    archive = STAGE / f"{name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                zipped.writestr(zipfile.ZipInfo(path.relative_to(source).as_posix(), ZIP_STAMP), path.read_bytes())
    return _unpacked(archive, STAGE / name)


def _unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
        for entry in zipped.infolist():
            stamp = time.mktime((*entry.date_time, 0, 0, -1))  # extractall leaves today's
            os.utime(folder / entry.filename, (stamp, stamp))
    return folder


def _million_instructions(deployed: Deployed, program: str) -> float:
    """User-mode instructions of one process: the same from run to run to well within a percent."""
    if shutil.which("valgrind") is None:
        raise Skipped("valgrind is missing: install it (Debian, Ubuntu: apt-get install valgrind)")
    options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    output = _run(deployed, ["valgrind", *options, deployed.python, "-c", program, deployed.handler]).stderr
    count = re.search(r"I\s+refs:\s+([\d,]+)", output)
    if count is None:
        raise RuntimeError(f"valgrind counted no instructions:\n{output}")
    return int(count[1].replace(",", "")) / 1e6


def _compilations(deployed: Deployed, below: Path) -> int:
    return int(_run(deployed, [deployed.python, "-c", COUNT_COMPILATIONS, deployed.handler, below]).stdout)


def _run(deployed: Deployed, command: Sequence[str | Path]) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command, env=deployed.environment(), cwd=deployed.task, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{deployed.handler} did not load:\n{done.stdout}{done.stderr}")
    return done
