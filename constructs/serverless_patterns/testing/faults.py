"""Faults on the wire between a deployed function and AWS, each with a proof that it happened.

The proxy sees what functions call through an SDK. It does not see the polls and deletes of an event source mapping,
nor what other services do on a function's behalf.
"""

import itertools
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns.testing._process import Server
from serverless_patterns.testing.errors import CloudError, FaultNotFired

__all__ = ["Fault", "FaultProxy", "Injection"]

THROTTLES: Mapping[str, str] = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "lambda": "TooManyRequestsException",
    "sqs": "RequestThrottled",
}
"""How a service says that it is asked too often; others say ThrottlingException."""

YEAR_2100 = 4_102_444_800
_serial = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to some calls of one operation; made by the class methods.

    All take `service` as boto3 names it ("dynamodb"), `operation` as the service names it ("TransactWriteItems"), and

    - `times`: how many calls meet it, 1 or more; default: all while it is in force. An SDK repeats a failed call by
      itself (boto3: 5 attempts, or what `retries` says): with fewer `times` than attempts the function notices nothing.
    - `resource`: only calls whose table, queue or bucket has this text in its name.
    - `body`: only calls for whose request this JMESPath is true: "length(TransactItems) > `2`".
    """

    service: str
    operation: str
    effect: Mapping[str, Any] = field(hash=False)
    times: int | None = None
    resource: str | None = None
    body: str | None = None

    @classmethod
    def lost_answer(
        cls,
        service: str,
        operation: str,
        *,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The call takes effect, and the connection breaks before the answer."""
        effect = {"response": {"abort_bytes": 0}}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    @classmethod
    def refused(
        cls,
        service: str,
        operation: str,
        *,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The connection breaks before the call arrives: it takes no effect."""
        effect = {"reset": True}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    @classmethod
    def throttled(
        cls,
        service: str,
        operation: str,
        *,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The service answers that it is asked too often: the call takes no effect."""
        code = THROTTLES.get(service, "ThrottlingException")
        return cls.error(service, operation, code, times=times, resource=resource, body=body)

    @classmethod
    def error(
        cls,
        service: str,
        operation: str,
        code: str,
        *,
        message: str | None = None,
        members: Mapping[str, Any] | None = None,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The service answers with an error: the call takes no effect.

        Args:
            service: See the class.
            operation: See the class.
            code: The error as the service names it: "TransactionCanceledException".
            message: Its message; default: the code.
            members: What else the error carries: `{"CancellationReasons": [{"Code": "TransactionConflict"}]}`.
            times: See the class.
            resource: See the class.
            body: See the class.
        """
        parts = {"code": code, "message": message, "fields": dict(members) if members else None}
        effect = {"error": {name: value for name, value in parts.items() if value is not None}}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    @classmethod
    def slow(
        cls,
        service: str,
        operation: str,
        *,
        seconds: float,
        times: int | None = None,
        resource: str | None = None,
        body: str | None = None,
    ) -> "Fault":
        """The call is held back for so many seconds, then made: it takes effect, late."""
        effect = {"latency": seconds * 1000}
        return cls(service=service, operation=operation, effect=effect, times=times, resource=resource, body=body)

    def __str__(self) -> str:
        return f"{self.service} {self.operation} {json.dumps(self.effect)}" + (f" x{self.times}" if self.times else "")

    def rule(self) -> dict[str, Any]:
        """The fault in the proxy's words, told apart from all others by when it ends."""
        narrow = {"times": self.times, "resource": self.resource, "body": self.body}
        given = {name: value for name, value in narrow.items() if value is not None}
        end = float(YEAR_2100 + next(_serial))
        return {"service": self.service, "operation": self.operation, **self.effect, **given, "until": end}


class Injection:
    """Faults that are in force, and how often each has met a call."""

    def __init__(self, proxy: "FaultProxy", rules: Mapping[float, Fault]) -> None:
        self._proxy = proxy
        self._rules = rules
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
            raise FaultNotFired("injected, but the function made too few such calls:\n" + "\n".join(missed))

    def clear(self) -> None:
        """End these faults, and no others. Counts stay readable."""
        if self._final is None:
            self._final = self._counts()
            self._proxy.send("DELETE", "rules", [{"until": end} for end in self._rules])

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

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the proxy itself; what it answers.

        Raises:
            CloudError: It refuses, for instance a `body` that is no JMESPath.
        """
        status, answer = self._server.ask(method, f"/_microburst/{path}", None if body is None else json.dumps(body))
        if status != 200:
            raise CloudError(f"the fault proxy answers {status} to {method} {path}: {answer.decode(errors='replace')}")
        return json.loads(answer)
