"""The test's own books of an API, which the code under test never sees: who asked what, what ran, what took effect."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Request, Response, Update

from .faults import Call
from .lambda_model import Sandbox

__all__ = ["EFFECTS", "Ask", "Books", "Reply", "Run", "business_function", "fallback"]

EFFECTS = "EFFECTS"

FAILURES = {
    "fails once": 1,
    "fails twice": 2,
    "acts, then fails": 1,
    "says 503 once": 1,
    "hangs once": 1,
    "hangs, then fails": 2,
}
"""How often each behaviour fails before it succeeds."""


@dataclass(frozen=True)
class Ask:
    """What one client wants, and how it goes about it."""

    name: str
    key: str | None = "key-1"
    """None: a request without an `Idempotency-Key`."""
    caller: str | None = "alice"
    """None: on a public route."""
    path: str = "/payments"
    does: str = "ok"
    amount: int = 1
    seconds: float = 0.1
    """How long the function works on it."""
    at: float = 0.0
    """Seconds after the start."""
    again: int = 0
    """How often it asks again once it has its answer, as one does who has lost it."""
    patience: int = 10**9
    """Requests after which it gives up."""
    obeys: bool = True
    """Whether it waits for as long as `Retry-After` says."""

    @property
    def route(self) -> str:
        return f"POST {self.path}" if self.caller else f"POST /public{self.path}"

    @property
    def operation(self) -> str:
        """What has one effect and one answer. Only with a key."""
        return f"{self.caller} {self.route} {self.key}"

    @property
    def body(self) -> str:
        return json.dumps({"does": self.does, "amount": self.amount, "seconds": self.seconds})

    @property
    def healthy(self) -> bool:
        return self.does not in {"is refused", "is too large"}


FALLBACK = "X-Fallback"


class BankDown(Exception):
    """An outage, as the client of what is down tells it."""


class Reply(NamedTuple):
    """What the gateway answered."""

    at: float
    ask: Ask
    status: int
    headers: Mapping[str, tuple[str, ...]]
    body: str

    @property
    def replayed(self) -> bool:
        return "Idempotent-Replayed" in self.headers

    @property
    def of_fallback(self) -> bool:
        return FALLBACK in self.headers

    @property
    def lasting(self) -> tuple[object, ...]:
        """What is the same for everybody who asks with this key."""
        passing = {"Idempotent-Replayed", "X-Correlation-Id"}
        headers = sorted((name, values) for name, values in self.headers.items() if name not in passing)
        return self.status, headers, self.body


@dataclass
class Run:
    """One run of the business function."""

    operation: str
    body: str
    claim: str
    """Id of its claim."""
    payload: str
    """That the claim stands for."""
    owner: str | None
    """Of the claim when it began; None where there is none yet."""
    idempotency_key: str
    attempt: int
    start: float
    sandbox: Sandbox
    end: float | None = None
    failed: bool = False
    """It said so itself: by an error, or by a status from 500 on."""
    refused: bool = False
    """It said that it did nothing. Of every other failure nobody knows what it did."""

    @property
    def over(self) -> float:
        """When it could do nothing any more."""
        if self.end is not None:
            return self.end
        return self.sandbox.died_at if self.sandbox.died_at is not None else float("inf")


@dataclass
class Books:
    runs: list[Run] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    """By operation, so far."""
    committed: Counter[str] = field(default_factory=Counter)
    """Effects inside DynamoDB by operation; seen at the table."""
    external: Counter[str] = field(default_factory=Counter)
    """Effects outside."""
    external_bodies: dict[str, set[str]] = field(default_factory=dict)
    """For which bodies they were."""
    recorded: set[str] = field(default_factory=set)
    """Owners that completed a claim; seen at the table."""
    replies: list[Reply] = field(default_factory=list)
    """All that the gateway gave, heard or not."""
    last_mishap: float = 0.0
    outages: list[tuple[float, float]] = field(default_factory=list)
    """From when to when (epoch seconds) what the function calls is down."""

    def is_down(self, now: float) -> bool:
        return any(start <= now < end for start, end in self.outages)

    def runs_of(self, operation: str) -> list[Run]:
        return [run for run in self.runs if run.operation == operation]

    def answers(self) -> dict[str, list[Reply]]:
        """Those that say it is done, by operation; with a key."""
        found: dict[str, list[Reply]] = {}
        for reply in self.replies:
            if reply.status < 300 and reply.ask.key is not None and not reply.of_fallback:
                found.setdefault(reply.ask.operation, []).append(reply)
        return found


def fallback(request: Request) -> Response:
    """Says what is known without the bank, and that it does."""
    return Response(202, {"amount": request.body["amount"]}, headers={FALLBACK: "yes"})


def business_function(
    books: Books,
    sandbox: Sandbox,
    fault: Callable[[Call], str | None],
    owner_of: Callable[[str], str | None],
    *,
    effects: bool,
) -> Callable[[Request, Invocation], Any]:
    """What a user would have written, for one sandbox. The body says what it does; no two answers are the same."""

    def pay(request: Request, invocation: Invocation) -> Any:
        sandbox.check_alive()  # shipped code may catch even Killed; the dead still do nothing
        caller = request.caller.id if request.caller else None
        key = request.headers.get("Idempotency-Key")
        # Without a key the correlation id is the gateway's id of the request.
        operation = f"{caller} {request.route} {key}" if key else f"without a key {request.correlation_id}"
        run = Run(
            operation,
            json.dumps(request.body),
            invocation.claim.id,
            invocation.claim.payload,
            owner_of(invocation.claim.id),
            invocation.idempotency_key,
            invocation.attempt,
            sandbox.schedule.now,
            sandbox,
        )
        books.runs.append(run)
        try:
            result = perform(request.body, operation)
        except Exception as error:
            run.end, run.failed = sandbox.schedule.now, True
            run.refused = isinstance(error, PermanentError)
            raise
        run.end = sandbox.schedule.now
        run.failed = isinstance(result, Response) and result.status >= 500
        return result

    def perform(wanted: Mapping[str, Any], operation: str) -> Any:
        if books.is_down(sandbox.schedule.now):
            sandbox.sleep(float(wanted["seconds"]))
            raise BankDown("the bank does not answer")
        does = str(wanted["does"])
        slow = does == "is slow once" and len(books.runs_of(operation)) == 1
        sandbox.sleep(5.0 if slow else float(wanted["seconds"]))
        if does == "acts, then fails" and not effects and books.failures[operation] == 0:
            act(wanted, operation)  # as when a provider's answer does not come in time
        if (failure := misbehave(does, operation)) is not None:
            return failure
        answer = Response(
            201,
            {
                "payment": f"{sandbox.schedule.chance.getrandbits(64):x}",
                "at": sandbox.clock(),
                "amount": wanted["amount"],
                "filling": "x" * (320 * 1024 if does == "is too large" else 0),
            },
            headers={"Location": f"/payments/{sandbox.schedule.chance.getrandbits(32)}"},
        )
        if effects:
            work()
            guard: Any = {}
            if does == "guards itself":
                guard = {"condition": Attr("id").not_exists(), "otherwise": PermanentError("paid already", status=409)}
            write = Update(EFFECTS, {"id": operation}, add={"times": 1}, set={"body": json.dumps(wanted)}, **guard)
            return Effects([write], result=answer)
        act(wanted, operation)
        work()
        return answer

    def act(wanted: Mapping[str, Any], operation: str) -> None:
        books.external[operation] += 1
        books.external_bodies.setdefault(operation, set()).add(json.dumps(wanted))

    def work() -> None:
        if fault(Call("function", "Work", {})) is not None:
            sandbox.crash()

    def misbehave(does: str, operation: str) -> Response | None:
        done = books.committed[operation] > 0
        if does == "reads its own writes" and done:
            raise PermanentError("paid already", status=409)
        if does == "stumbles over its own writes" and done:
            raise KeyError(operation)
        if does == "is refused":
            raise PermanentError("no more credit", status=402)
        if books.failures[operation] >= FAILURES.get(does, 0):
            return None
        books.failures[operation] += 1
        if does.startswith("hangs") and books.failures[operation] == 1:
            sandbox.sleep(10**6)
        if does == "says 503 once" and not effects:
            return Response(503, {"try": "later"})
        raise RuntimeError("the bank does not answer")

    return pay
