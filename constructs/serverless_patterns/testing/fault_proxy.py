"""Faults in force, each with a proof that it happened.

The proxy sees what functions call through an SDK. It does not see the polls and deletes of an event source mapping,
nor what other services do on a function's behalf.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from serverless_patterns.testing._process import Server
from serverless_patterns.testing.errors import CloudError, FaultNotFired
from serverless_patterns.testing.faults import Fault

__all__ = ["FaultProxy", "Injection"]


class Injection:
    """Faults that are in force, and how often each has met a call."""

    def __init__(self, proxy: "FaultProxy", rules: Mapping[float, Fault]) -> None:
        self._proxy = proxy
        self._rules = rules
        self._before = proxy.seen()
        self._final: Mapping[float, int] | None = None

    def fired(self, fault: Fault | None = None) -> int:
        """How many calls have met this fault; without one, all of them together."""
        counts = self._counts()
        return sum(counts[end] for end, known in self._rules.items() if fault is None or known == fault)

    def assert_fired(self) -> None:
        """Each fault has met a call, and one with `times` that many.

        Raises:
            FaultNotFired: One has not, so what it should have shown is not shown.
        """
        counts = self._counts()
        missed = [
            f"{fault}: met {counts[end]} of {fault.times or 'at least 1'} calls"
            for end, fault in self._rules.items()
            if counts[end] < (fault.times or 1)
        ]
        if missed:
            made = "\n".join(["injected, but the function made too few such calls:", *missed, self._seen_since()])
            raise FaultNotFired(made)

    def clear(self) -> None:
        """End these faults, and no others. Counts stay readable."""
        if self._final is None:
            self._final = self._counts()
            self._proxy.send("DELETE", "rules", [{"until": end} for end in self._rules])

    def _seen_since(self) -> str:
        calls = {service: count - self._before.get(service, 0) for service, count in self._proxy.seen().items()}
        seen = ", ".join(f"{service} {count}" for service, count in sorted(calls.items()) if count)
        if not seen:
            return "since then the proxy has seen no call at all: does the function run?"
        return f"calls that the proxy has seen since then, of any operation: {seen}"

    def _counts(self) -> Mapping[float, int]:
        if self._final is not None:
            return self._final
        known: dict[float, int] = {rule["until"]: rule["fired_count"] for rule in self._proxy.send("GET", "rules")}
        return {end: known.get(end, 0) for end in self._rules}


class FaultProxy:
    """Sits in front of every AWS call that functions make, and lets all pass until told otherwise."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @contextmanager
    def inject(self, *faults: Fault) -> Generator[Injection]:
        """Let calls fail while the block runs; a call meets the first fault that fits it.

        Example:
            with cloud.faults.inject(Fault.lost_answer("dynamodb", "TransactWriteItems", times=5)):
                send(order)
                wait_until(lambda: fulfilled(order), 30, "the order to be fulfilled")

        Raises:
            FaultNotFired: At the end of a block that went well, when a fault has not met as many calls as it should.
        """
        injection = self.install(*faults)
        try:
            yield injection
        finally:
            injection.clear()
        injection.assert_fired()

    def install(self, *faults: Fault) -> Injection:
        """Let calls fail until `clear`: for faults that come and go apart from blocks. Asserting is yours."""
        rules = [fault.rule() for fault in faults]
        injection = Injection(self, {rule["until"]: fault for rule, fault in zip(rules, faults, strict=True)})
        self.send("PATCH", "rules", rules)
        return injection

    def clear(self) -> None:
        """End every fault."""
        self.send("POST", "rules", [])

    def seen(self) -> Mapping[str, int]:
        """Calls since the proxy started, by service: it does not count operations."""
        return {each["service"]: each["requests"] for each in self.send("GET", "stats")["by_service"]}

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the proxy itself; what it answers.

        Raises:
            CloudError: It refuses, for instance a `body` that is no JMESPath.
        """
        status, answer = self._server.ask(method, f"/_microburst/{path}", None if body is None else json.dumps(body))
        if status != 200:
            raise CloudError(f"the fault proxy answers {status} to {method} {path}: {answer.decode(errors='replace')}")
        return json.loads(answer)
