"""The site's process, from the side of those who start it."""

import json
import secrets
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from child_process import STOP_SECONDS, ChildProcess

from legacy.ledger import Seen
from legacy.server import LEDGER


class LegacySite(ChildProcess):
    """With `ledger`, it tells what it has seen."""

    def __init__(self, session_key: str = "", *, ledger: bool = False) -> None:
        self.session_key = session_key or secrets.token_hex(32)
        self._options = ["--ledger"] if ledger else []
        self._start_with()

    def start_again(self) -> None:
        """At the same address, and as on the first day: sessions, profiles, baskets and ledger are new."""
        self.stop()
        self._start_with("--port", str(urlsplit(self.url).port))

    def seen(self) -> list[Seen]:
        """Every request, as it arrived."""
        return [Seen(**each) for each in self._told()["seen"]]

    def effects(self) -> list[dict[str, Any]]:
        """Everything that was put in a basket: customer, product, quantity, and the key that it came under."""
        return self._told()["effects"]

    def _told(self) -> Any:
        with urlopen(self.url + LEDGER, timeout=STOP_SECONDS) as answer:
            return json.loads(answer.read())

    def _start_with(self, *options: str) -> None:
        self._start("legacy", *self._options, *options, told=f"{self.session_key}\n")
