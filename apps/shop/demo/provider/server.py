"""The provider over HTTP on loopback.

- `POST /charges` with an `Idempotency-Key` and `{"reference", "purpose", "amount"}`, in cents: 201, or 402 declined,
  409 still at work, 410 called off, 422 the key was used for something else
- `GET /charges?reference=...`: 200, all charges with it
- `POST /refunds` with `{"reference", "purpose"}`: 201; of what was never charged too, which then never will be
- `/control/...`: what no provider has; faults, and all that it knows
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from demo.provider.faults import Fault, Faults
from demo.provider.ledger import Answer, Ledger

FAILED: Answer = (500, {"error": "something went wrong"})
DOWN: Answer = (503, {"error": "closed for maintenance"})


class Provider:
    """What stands behind the paths."""

    def __init__(self, ledger: Ledger, sleep: Callable[[float], object] = time.sleep) -> None:
        self.ledger, self.faults = ledger, Faults()
        self._sleep = sleep

    def get(self, path: str, query: Mapping[str, list[str]]) -> Answer:
        match path:
            case "/charges":
                return 200, {"charges": [asdict(charge) for charge in self.ledger.find(query["reference"][0])]}
            case "/control/ledger":
                return 200, {"charges": [asdict(charge) for charge in self.ledger.charges]}
            case "/control/faults":
                return 200, {"faults": self.faults.told()}
        return 404, {"error": "no such path"}

    def post(self, path: str, key: str, body: Mapping[str, Any]) -> Answer:
        match path:
            case "/charges":
                return self._charge(key, body["reference"], body["purpose"], body["amount"])
            case "/refunds":
                return self._refund(body["reference"], body["purpose"])
            case "/control/faults":
                self.faults.add(Fault(**body))
                return 201, {}
            case "/control/faults/end":
                self.faults.end(body["matching"])
                return 200, {}
        return 404, {"error": "no such path"}

    def _charge(self, key: str, reference: str, purpose: str, amount: int) -> Answer:
        fault = self.faults.meet("charge", purpose)
        kind = fault.kind if fault else ""
        if kind == "down":
            return DOWN
        known = self.ledger.begin(key, reference, purpose, amount)
        if known is not None:
            return FAILED if kind == "fails" else known
        if kind == "declines":
            return self.ledger.decline(key)
        if fault and kind == "late":
            self._sleep(fault.seconds)
        answer = self.ledger.finish(key)
        if fault and kind == "slow":
            self._sleep(fault.seconds)
        return FAILED if kind == "fails" else answer

    def _refund(self, reference: str, purpose: str) -> Answer:
        fault = self.faults.meet("refund", purpose)
        kind = fault.kind if fault else ""
        if kind == "down":
            return DOWN
        answer = self.ledger.refund(reference)
        if fault and kind == "slow":
            self._sleep(fault.seconds)
        return FAILED if kind == "fails" else answer


class Server(ThreadingHTTPServer):
    """On a free port of 127.0.0.1."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, provider: Provider) -> None:
        super().__init__(("127.0.0.1", 0), _handler(provider))


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at = urlsplit(self.path)
            self._answer(provider.get(at.path, parse_qs(at.query)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            self._answer(provider.post(self.path, self.headers.get("Idempotency-Key", ""), body))

        def _answer(self, answer: Answer) -> None:
            status, body = answer
            text = json.dumps(body).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except ConnectionError:  # nobody waits any more
                self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    return Asked
