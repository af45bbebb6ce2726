"""The provider's process, from the side of those who start it, and what they can see and break."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

from child_process import STOP_SECONDS, ChildProcess

from demo.provider.faults import Fault, Kind, Operation
from demo.provider.ledger import KEY_LIFETIME_SECONDS, Charge


class PaymentProvider(ChildProcess):
    def __init__(self, key_lifetime: float = KEY_LIFETIME_SECONDS) -> None:
        self._start("demo.provider", str(key_lifetime))

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
        with urlopen(Request(self.url + path, data), timeout=STOP_SECONDS) as answer:
            return json.loads(answer.read())
