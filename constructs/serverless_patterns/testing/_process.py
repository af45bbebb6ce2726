"""Servers that the embedded cloud runs: each in a process group of its own, on loopback, gone when we are gone."""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from serverless_patterns.testing.errors import CloudError

__all__ = ["Server", "free_port"]

LIFELINE = Path(__file__).with_name("_lifeline.py")
LOOPBACK = "127.0.0.1"
STOP_SECONDS = 10.0
"""How long a server may take to end by itself; the emulator stops within 2 s unless a function or deploy hangs it."""
KNOCK_SECONDS = 2.0
"""How long to wait for an answer before we look whether our server lives: somebody else may have taken its port."""


def free_port(wanted: int | None = None) -> int:
    """A port of 127.0.0.1 that nobody listens on: the wanted one, or any.

    Raises:
        CloudError: The wanted port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted or 0))
        except OSError as error:
            raise CloudError(
                f"port {wanted} of {LOOPBACK} is taken: stop what listens there, or leave the port out"
            ) from error
        return int(probe.getsockname()[1])


class Server:
    """A Python program that serves HTTP on a loopback port, as a child process whose group we lead, log and end.

    `file` may be a folder with a `__main__.py`.
    """

    def __init__(
        self,
        file: Path,
        arguments: Sequence[str],
        *,
        python: Path,
        port: int,
        environment: Mapping[str, str],
        home: Path,
    ) -> None:
        self.name = file.stem.removeprefix("_run_").replace("_", " ")
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self.log = home / f"{file.stem.removeprefix('_')}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(python), "-I", str(LIFELINE), str(home), str(file), *arguments],
                cwd=home,
                env=dict(environment),
                stdin=subprocess.PIPE,  # the lifeline: it closes when we end, even by SIGKILL
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._ours = True
        atexit.register(self.stop)

    def wait_ready(self, path: str, deadline_seconds: float) -> bytes:
        """Poll until the path answers 200; its body.

        Raises:
            CloudError: The server ended or did not answer in time; with the end of its log.
        """
        end = time.monotonic() + deadline_seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise CloudError(f"the {self.name} ended with code {self.process.returncode}:\n{self.log_tail()}")
            try:
                status, body = self.ask("GET", path, timeout_seconds=KNOCK_SECONDS)
            except (OSError, HTTPException):
                status, body = 0, b""
            if status == 200:
                self._require_loopback()
                return body
            time.sleep(0.02)
        raise CloudError(f"the {self.name} is not ready after {deadline_seconds:.0f} s:\n{self.log_tail()}")

    def ask(self, method: str, path: str, body: str | None = None, timeout_seconds: float = 30) -> tuple[int, bytes]:
        """One HTTP request to the server itself, past any proxy; status and body."""
        connection = HTTPConnection(LOOPBACK, self.port, timeout=timeout_seconds)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def log_tail(self, lines: int = 30) -> str:
        """The end of what the server logged."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """End the server and all that it started: politely first, in any case after 10 seconds. Twice is harmless."""
        if not self._ours:
            return
        self._ours = False
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)  # what it started may have outlived it
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()

    def detach(self) -> int:
        """Let the server outlive us; the id of its process group, for `kill`."""
        assert self.process.stdin is not None
        self._ours = False
        atexit.unregister(self.stop)
        self.process.stdin.write(b"!")
        self.process.stdin.close()
        return self.process.pid

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _require_loopback(self) -> None:
        foreign = sorted(_listening_addresses(self.port) - {LOOPBACK})
        if foreign:
            self.stop()
            raise CloudError(f"the {self.name} listens on {', '.join(foreign)}, not on {LOOPBACK} alone: stopped")


def _listening_addresses(port: int) -> set[str]:
    # Linux only: elsewhere the setting is trusted, and the honesty suite connects from outside.
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6") if sys.platform == "linux" else ():
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            local, state = row.split()[1], row.split()[3]
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                found.add(_address(address))
    return found


def _address(in_hexadecimal: str) -> str:
    # The kernel prints each 32-bit word in the machine's byte order.
    words = [in_hexadecimal[start : start + 8] for start in range(0, len(in_hexadecimal), 8)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
