"""The site's process, from the side of those who start it."""

import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from legacy.ledger import Seen
from legacy.server import LEDGER

_SHOP = Path(__file__).parents[1]
_STOP_SECONDS = 10


class LegacySite:
    """Runs until the end of the block, or of this process. With `ledger`, it tells what it has seen."""

    def __init__(self, session_key: str = "", *, ledger: bool = False) -> None:
        self.session_key = session_key or secrets.token_hex(32)
        self._options = ["--ledger"] if ledger else []
        self._process = self._started()
        self.url = f"http://127.0.0.1:{self._port()}"

    def __enter__(self) -> "LegacySite":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """It ends in the midst of what it does. One that was detached stays."""
        assert self._process.stdin
        assert self._process.stdout
        if not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)

    def start_again(self) -> None:
        """At the same address, and as on the first day: sessions, profiles, baskets and ledger are new."""
        self.stop()
        self._process = self._started("--port", str(urlsplit(self.url).port))
        self._port()

    def detach(self) -> int:
        """Leave it running when this process ends; its process id."""
        assert self._process.stdin
        self._process.stdin.write("stay")
        self._process.stdin.close()
        return self._process.pid

    def seen(self) -> list[Seen]:
        """Every request, as it arrived."""
        return [Seen(**each) for each in self._told()["seen"]]

    def effects(self) -> list[dict[str, Any]]:
        """Everything that was put in a basket: customer, product, quantity, and the key that it came under."""
        return self._told()["effects"]

    def _told(self) -> Any:
        with urlopen(self.url + LEDGER, timeout=_STOP_SECONDS) as answer:
            return json.loads(answer.read())

    def _started(self, *options: str) -> "subprocess.Popen[str]":
        started = subprocess.Popen(
            [sys.executable, "-m", "legacy", *self._options, *options],
            cwd=_SHOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert started.stdin
        started.stdin.write(f"{self.session_key}\n")
        started.stdin.flush()
        return started

    def _port(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())
