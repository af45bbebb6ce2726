"""Environments for what we compare with: installed by uv from hashed locks into .cache/bench, once."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["CACHE", "ROOT", "lambda_python", "powertools_folder", "solutions_constructs_python"]

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache/bench"
LOCKS = Path(__file__).resolve().parent / "environments"


def lambda_python() -> Path:
    """An interpreter with what Lambda's runtime brings: its client (awslambdaric) and boto3, compiled."""
    return _environment("lambda", compile_bytecode=True)


def solutions_constructs_python() -> Path:
    """An interpreter with AWS Solutions Constructs and the aws-cdk-lib that they ask for, compiled on first use."""
    return _environment("solutions_constructs", compile_bytecode=False)


def powertools_folder() -> Path:
    """A function's folder after `pip install --target`, with the bytecode that pip leaves."""
    folder, lock = CACHE / "powertools", LOCKS / "powertools.lock"
    with _Once(folder, lock) as once:
        if once.needed:
            shutil.rmtree(folder, ignore_errors=True)
            _uv("pip", "install", "--require-hashes", "--python", sys.executable, "--target", folder, "-r", lock)
            subprocess.run([sys.executable, "-m", "compileall", "-q", folder], check=True)
    return folder


def _environment(name: str, *, compile_bytecode: bool) -> Path:
    folder, lock = CACHE / name, LOCKS / f"{name}.lock"
    python = folder / "bin/python"
    with _Once(folder, lock) as once:
        if once.needed:
            _uv("venv", "--clear", "--python", sys.executable, folder)
            options = ["--compile-bytecode"] if compile_bytecode else []
            _uv("pip", "sync", "--require-hashes", *options, "--python", python, lock)
    return python


class _Once:
    """Remembers in a stamp beside the folder which lock and interpreter it was made from; written on success only."""

    def __init__(self, folder: Path, lock: Path) -> None:
        self._stamp = folder.with_name(f"{folder.name}.ready")
        self._made_from = f"{sys.version}\n{hashlib.sha256(lock.read_bytes()).hexdigest()}\n"
        self._folder = folder

    def __enter__(self) -> "_Once":
        self.needed = not (self._stamp.is_file() and self._stamp.read_text() == self._made_from)
        if self.needed:
            print(f"  installing {self._folder.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
            self._stamp.unlink(missing_ok=True)
            self._folder.parent.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._stamp.write_text(self._made_from)


def _uv(*arguments: str | Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    command = [sys.executable, "-m", "uv", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"uv {arguments[0]} failed:\n{done.stderr}")
