"""The provider's process, from the side of those who start it, and what they can see and break."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from demo.provider.faults import Fault, Kind, Operation
from demo.provider.ledger import KEY_LIFETIME_SECONDS, Charge

_SHOP = Path(__file__).parents[2]
_STOP_SECONDS = 10


class PaymentProvider:
    """Runs until the end of the block, or of this process."""

    def __init__(self, key_lifetime: float = KEY_LIFETIME_SECONDS) -> None:
        command = [sys.executable, "-m", "demo.provider", str(key_lifetime)]
        self._process = subprocess.Popen(
            command, cwd=_SHOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> "PaymentProvider":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        if not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)

    def detach(self) -> int:
        """Leave it running when this process ends; its process id."""
        assert self._process.stdin
        self._process.stdin.write("stay")
        self._process.stdin.close()
        return self._process.pid

    def inject(
        self,
        operation: Operation,
        kind: Kind,
        matching: str,
        *,
        times: int | None = None,
        seconds: float = 0,
    ) -> None:
        """From now on requests with this purpose meet the fault, so many times; None: all of them."""
        fault = {"operation": operation, "kind": kind, "matching": matching, "times": times, "seconds": seconds}
        self._ask("/control/faults", fault)

    def mend(self, matching: str) -> None:
        """End what was injected for this purpose."""
        self._ask("/control/faults/end", {"matching": matching})

    def faults(self) -> list[Fault]:
        """All that was ever injected, and how often it has struck."""
        return [Fault(**fault) for fault in self._ask("/control/faults")["faults"]]

    def charges(self) -> list[Charge]:
        """All there ever were."""
        return [Charge(**charge) for charge in self._ask("/control/ledger")["charges"]]

    def _ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data), timeout=_STOP_SECONDS) as answer:
            return json.loads(answer.read())
