"""What is in front of an API's function: clients that lose answers and try again, and the gateway."""

import random
from collections.abc import Callable
from typing import Any

from .api_ledger import Ask, Books, Reply
from .event_source_mapping import Answer
from .faults import Call
from .lambda_model import Function
from .virtual_time import Schedule

__all__ = ["Client", "Gateway"]

CLIENT_TIMEOUT_SECONDS = 40.0
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
TRY_AGAIN = frozenset({429, 500, 502, 503, 504})

Hear = Callable[[Reply], None]


class Gateway:
    """API Gateway, as far as it is known: it gives up waiting, and it never asks a function twice."""

    def __init__(
        self,
        schedule: Schedule,
        function: Function,
        timeout: float,
        fault: Callable[[Call], str | None],
        chance: random.Random,
        books: Books,
    ) -> None:
        self._schedule = schedule
        self._function = function
        self._timeout = timeout
        self._fault = fault
        self._chance = chance
        self._books = books
        self._number = 0

    def request(self, ask: Ask, hear: Hear) -> None:
        fault = self._fault(Call("client", "Request", {"name": ask.name}))
        if fault == "request lost":
            return
        heard: Hear = (lambda _: None) if fault == "answer lost on its way" else hear
        for _ in range(2 if fault == "sent twice" else 1):
            self._schedule.after(self._latency(), lambda: self._invoke(ask, heard))

    def _invoke(self, ask: Ask, hear: Hear) -> None:
        self._number += 1
        replied: list[Reply] = []

        def reply(status: int, headers: dict[str, list[str]], body: str) -> None:
            if replied:
                return  # it has given up on this one
            sent = {name: tuple(values) for name, values in headers.items()}
            replied.append(Reply(self._schedule.now, ask, status, sent, body))
            self._books.replies.append(replied[0])
            self._schedule.after(self._latency(), lambda: hear(replied[0]))

        def answered(answer: Answer) -> None:
            if answer.error is not None:
                reply(502, {}, "")
            else:
                reply(answer.result["statusCode"], answer.result["multiValueHeaders"], answer.result["body"])

        if self._timeout < self._function.timeout:
            self._schedule.after(self._timeout, lambda: reply(504, {}, ""))
        self._function.invoke(event_of(ask, f"gateway-{self._number}"), answered)

    def _latency(self) -> float:
        return self._chance.choice((0.0, 0.01, 0.05)) * self._chance.random()


def event_of(ask: Ask, request_id: str) -> dict[str, Any]:
    """A REST API's event for a Lambda proxy integration."""
    headers = {"Content-Type": ["application/json"]}
    if ask.key is not None:
        headers["Idempotency-Key"] = [ask.key]
    resource = ask.route.removeprefix("POST ")
    return {
        "httpMethod": "POST",
        "resource": resource,
        "path": resource,
        "multiValueHeaders": headers,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "requestContext": {
            "requestId": request_id,
            **({"authorizer": {"principalId": ask.caller}} if ask.caller is not None else {}),
        },
        "body": ask.body,
        "isBase64Encoded": False,
    }


class Client:
    """Asks until it is told something that another try cannot change."""

    def __init__(self, schedule: Schedule, gateway: Gateway, ask: Ask, chance: random.Random) -> None:
        self._schedule = schedule
        self._gateway = gateway
        self._chance = chance
        self.ask = ask
        self.told: list[tuple[float, Reply]] = []
        """Since when it had wanted to know, and what it was told in the end; each time that it asked."""
        self._since = ask.at + schedule.now
        self._sent = 0
        self._failures = 0
        self._waits_for: int | None = None
        schedule.at(self._since, self._send)

    @property
    def contented(self) -> bool:
        return len(self.told) == 1 + self.ask.again

    def _send(self) -> None:
        if self._sent == self.ask.patience:
            return
        self._sent += 1
        number = self._waits_for = self._sent
        self._gateway.request(self.ask, lambda reply: self._hear(number, reply))
        self._schedule.after(CLIENT_TIMEOUT_SECONDS, lambda: self._hear(number, None))

    def _hear(self, number: int, reply: Reply | None) -> None:
        if number != self._waits_for:
            return  # it has stopped waiting for this one
        self._waits_for = None
        if reply is None or reply.status in TRY_AGAIN or "Retry-After" in reply.headers:
            self._schedule.after(self._pause(reply), self._send)
            return
        self.told.append((self._since, reply))
        if not self.contented:
            self._failures = 0
            pause = self._chance.uniform(0, 3)
            self._since = self._schedule.now + pause
            self._schedule.after(pause, self._send)

    def _pause(self, reply: Reply | None) -> float:
        """Growing, with full jitter; not before the time that the answer names."""
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        pause = self._chance.uniform(0, longest)
        if reply is None or not self.ask.obeys:
            return pause
        (seconds,) = reply.headers.get("Retry-After", ("0",))
        return float(seconds) + pause
