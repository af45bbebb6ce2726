"""The test's own books, which the code under test never sees: what was sent, what ran when, what took effect."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Update

from .faults import Call
from .lambda_model import Sandbox

__all__ = ["Ledger", "Run", "Sent", "business_function", "poison"]

EFFECTS, STOCK = "EFFECTS", "STOCK"
OPENING_STOCK = 1_000_000

POISON = frozenset({"permanent", "never", "shortage", "kills", "hangs"})
"""Behaviours that end in a dead letter until the ledger says `fixed`."""


class SupplierDown(Exception):
    """An outage, as the client of what is down tells it."""


@dataclass(frozen=True)
class Sent:
    """One message, as the test sent it."""

    name: str
    """Unique; travels as a message attribute."""
    body: str
    key: str | None
    """None: the body is malformed."""
    does: str
    group: str | None = None
    at: float = 0.0
    """Seconds after the start."""
    delay: int = 0

    @property
    def healthy(self) -> bool:
        return self.key is not None and self.does not in POISON


@dataclass
class Run:
    """One run of the business function."""

    key: str
    payload: str
    start: float
    sandbox: Sandbox
    invocation: int
    end: float | None = None
    attempt: int = 0

    @property
    def over(self) -> float:
        """When it could do nothing any more."""
        if self.end is not None:
            return self.end
        return self.sandbox.died_at if self.sandbox.died_at is not None else float("inf")


@dataclass
class Ledger:
    sent: dict[str, Sent] = field(default_factory=dict)
    idempotency_keys: dict[str, str | None] = field(default_factory=dict)
    """Under which key the runtime should know each message, by name."""
    message_ids: dict[str, str] = field(default_factory=dict)
    """The message id that each message got first, by name."""
    runs: list[Run] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    """Transient failures so far, by key."""
    external: list[tuple[float, str, str]] = field(default_factory=list)
    """Effects outside of DynamoDB: time, key, payload. Only without `Effects`."""
    committed: list[tuple[float, str]] = field(default_factory=list)
    """Effects inside: time, key; seen at the table."""
    killed: int = 0
    """Invocations that poison took with it."""
    fixed: bool = False
    outages: list[tuple[float, float]] = field(default_factory=list)
    """From when to when (epoch seconds) what the function calls is down."""

    def is_down(self, now: float) -> bool:
        return any(start <= now < end for start, end in self.outages)

    def runs_of(self, key: str) -> list[Run]:
        return [run for run in self.runs if run.key == key]

    def effects(self) -> Counter[str]:
        """How often each key took effect."""
        return Counter(key for _, key in self.committed) + Counter(key for _, key, _ in self.external)

    def first_effect(self, key: str) -> float | None:
        times = [time for time, known in self.committed if known == key]
        times += [time for time, known, _ in self.external if known == key]
        return min(times, default=None)


def poison(does: str) -> bool:
    return does in POISON


def business_function(
    ledger: Ledger, sandbox: Sandbox, fault: Callable[[Call], str | None], *, effects: bool
) -> Callable[[Mapping[str, Any], Invocation], Any]:
    """What a user would have written, for one sandbox. The payload says what it does."""

    def work(seconds: float) -> None:
        sandbox.sleep(seconds)
        if fault(Call("function", "Work", {})) is not None:
            sandbox.crash()

    def run(order: Mapping[str, Any], invocation: Invocation) -> Any:
        sandbox.check_alive()  # shipped code may catch even Killed; the dead still do nothing
        key = str(order["order"]["id"])
        run = Run(
            key, json.dumps(order, sort_keys=True), sandbox.schedule.now, sandbox, sandbox.invocation, None,
            invocation.attempt,
        )  # fmt: skip
        ledger.runs.append(run)
        try:
            result = perform(order, key)
        except Exception:
            run.end = sandbox.schedule.now
            raise
        run.end = sandbox.schedule.now
        return result

    def perform(order: Mapping[str, Any], key: str) -> Any:
        does = str(order["does"])
        work(float(order.get("seconds", 0.1)))
        misbehave(does, key)
        if not effects:
            ledger.external.append((sandbox.schedule.now, key, json.dumps(order, sort_keys=True)))
            return None
        amount = OPENING_STOCK * 2 if does == "shortage" and not ledger.fixed else int(order["amount"])
        return Effects(
            writes=[
                Update(EFFECTS, {"id": key}, add={"times": 1}, set={"payload": json.dumps(order, sort_keys=True)}),
                Update(
                    STOCK,
                    {"id": str(order["product"])},
                    add={"on_hand": -amount},
                    condition=Attr("on_hand") >= amount,
                    otherwise=PermanentError("out of stock"),
                ),
            ]
        )

    def misbehave(does: str, key: str) -> None:
        if ledger.is_down(sandbox.schedule.now):
            raise SupplierDown("the shop's supplier does not answer")
        if does == "strict" and ledger.first_effect(key) is not None:
            raise PermanentError("this order is fulfilled already")  # it reads its own writes
        if ledger.fixed:
            return
        if does == "permanent":
            raise PermanentError("an order needs at least one line")
        if does == "shortage" and not effects:
            raise PermanentError("out of stock")
        if does in {"kills", "hangs"}:
            ledger.killed += 1
            if does == "hangs":
                sandbox.sleep(10**6)
            sandbox.crash()
        failures = {"never": 10**9, "once": 1, "twice": 2}.get(does, 0)
        if ledger.failures[key] < failures:
            ledger.failures[key] += 1
            raise RuntimeError("the shop's supplier does not answer")

    return run
