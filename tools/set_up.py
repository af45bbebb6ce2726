"""Sets up one part of this checkout, such as `python tools/set_up.py packages`; the Makefile decides what is due.

Runs on the machine's own Python with the standard library only. Every version comes from a lock with hashes.
"""

import contextlib
import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
LOCK = ROOT / "requirements-dev.lock"
UV = CACHE / "uv/bin/uv"
SECONDS_BETWEEN_SIGNS_OF_LIFE = 3

# What installers say when they reach no registry, in lower case.
OFFLINE = re.compile(
    r"dns error|name resolution|name or service not known|nodename nor servname|could not resolve|enotfound|eai_again"
    r"|network is unreachable|enetunreach|connection refused|econnrefused|timed out|etimedout|error sending request"
)
NOT_TRUSTED = re.compile(r"unknownissuer|certificate_verify_failed|self[-_ ]signed|unable_to_get_issuer")
DISK_FULL = re.compile(r"no space left|enospc|disk quota")


class SetUpError(Exception):
    """One line for the user: what is wrong, and how to mend it."""


def packages() -> None:
    """The virtual environment, from requirements-dev.lock."""
    check_machine()
    install_uv()
    make_venv(VENV)
    run("Python packages, 0.5 GB when new", UV, "pip", "sync", "--require-hashes", "--python", PYTHON, LOCK)


def project() -> None:
    """This project in the virtual environment, as an editable install, which also builds its Lambda layers."""
    editable = ["--no-deps", "--no-build-isolation", "--python", PYTHON, "--editable", ROOT]
    run("this project and its Lambda layers", UV, "pip", "install", *editable)


def cdk() -> None:
    """The CDK's bytecode, once, while progress is shown: else the first command would be silent for seconds."""
    run("first import of the CDK, which compiles it", PYTHON, "-c", "import aws_cdk.aws_lambda")


def node() -> None:
    """The CDK command line and pyright from package-lock.json, by the npm of a pinned wheel."""
    run("npm packages", VENV / "bin/npm", "ci")


def cloud() -> None:
    """The embedded cloud, in a minimal environment of its own."""
    run("embedded cloud", PYTHON, "-m", "serverless_patterns.testing.environments")


def checkov() -> None:
    """The checkov scanner, whose old boto3 must not meet ours."""
    scanner = CACHE / "checkov"
    make_venv(scanner)
    lock = ROOT / "tests/scanners/checkov.lock"
    run("checkov", UV, "pip", "sync", "--require-hashes", "--python", scanner / "bin/python", lock)


def check_machine() -> None:
    """Fail early where a later failure would be hard to read."""
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        raise SetUpError(f"{sys.executable} has no venv module: install it (Debian, Ubuntu: apt-get install {package})")


def install_uv() -> None:
    """The uv of the lock, from the lock's hashes, unless it is there."""
    locked = re.search(r"^uv==(\S+) .*?(?=^\S)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if locked is None:
        raise SetUpError("requirements-dev.lock has no uv: add it to the dev group of pyproject.toml and lock again")
    if UV.is_file() and answer(UV, "--version").split(" ")[1:2] == [locked[1]]:
        return
    shutil.rmtree(UV.parent.parent, ignore_errors=True)
    run("environment for uv, the installer", sys.executable, "-m", "venv", UV.parent.parent)
    with tempfile.NamedTemporaryFile("w", suffix=".lock") as lock:
        lock.write(locked[0])
        lock.flush()
        run(f"uv {locked[1]}", UV.parent / "pip", "install", "--require-hashes", "--no-deps", "-r", lock.name)


def make_venv(folder: Path) -> None:
    """An empty environment, unless one is there whose interpreter still starts."""
    if answer(folder / "bin/python", "-c", "print('here')") != "here\n":
        run(f"environment {folder.name}", UV, "venv", "--clear", "--python", sys.executable, folder)


def answer(*command: str | Path) -> str:
    """What a quick command prints; empty if it does not start."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def run(title: str, *command: str | Path) -> None:
    """Run a step with a line at its start, signs of life, and all of its output if it fails."""
    say(f"set-up: {title} ...")
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=output, stderr=subprocess.STDOUT)
        while (code := _wait(process)) is None:
            say(f"set-up: {title}: still at it after {time.monotonic() - started:.0f} s")
        output.seek(0)
        text = output.read()
    if code:
        print(text, file=sys.stderr)
        raise SetUpError(f"{title}: {advice(text)}")
    say(f"set-up: {title}: done in {time.monotonic() - started:.1f} s")


def say(line: str) -> None:
    """One write for a line: parts are set up side by side, and share the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _wait(process: "subprocess.Popen[bytes]") -> int | None:
    try:
        return process.wait(SECONDS_BETWEEN_SIGNS_OF_LIFE)
    except subprocess.TimeoutExpired:
        return None
    except BaseException:
        process.terminate()
        process.wait()
        raise


def advice(output: str) -> str:
    """How to mend what the output of a failed step tells."""
    said = output.lower()
    if DISK_FULL.search(said):
        return "the disk is full: make 1 GB of room and run make again"
    if NOT_TRUSTED.search(said):
        return (
            "a registry's certificate is not trusted; where a proxy inspects TLS, name its certificates in "
            "SSL_CERT_FILE, PIP_CERT and NODE_EXTRA_CA_CERTS and run make again"
        )
    if OFFLINE.search(said):
        return (
            "no connection to the package registries, which the first set-up needs: connect and run make again "
            "(behind a proxy: HTTPS_PROXY; with mirrors: PIP_INDEX_URL, UV_DEFAULT_INDEX, npm_config_registry)"
        )
    return "failed, its output is above; `make clean` and a new start mend a broken environment"


def environment() -> Mapping[str, str]:
    """Ours, without what would point the installers at another environment."""
    foreign = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return kept | {"PATH": os.pathsep.join([str(VENV / "bin"), str(ROOT / "node_modules/.bin"), kept.get("PATH", "")])}


@contextlib.contextmanager
def only_one(part: str) -> Generator[None]:
    """Keep a second set-up of the same part waiting: two installers in one environment break it."""
    if not os.access(ROOT, os.W_OK):
        raise SetUpError(f"{ROOT} is not writable: clone into a folder of yours")
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"set-up-{part}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("set-up: waiting for another set-up of this folder to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


PARTS: Mapping[str, Callable[[], None]] = {
    part.__name__: part for part in (packages, project, cdk, node, cloud, checkov)
}


def main(part: str) -> int:
    """Set up one part; 1 if that failed."""
    try:
        with only_one(part):
            PARTS[part]()
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: stopped; run make again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
