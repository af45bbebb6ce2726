"""What is broken on purpose during a run, and the proof that it was.

Each fault waits for orders chosen beforehand. So it strikes in every run, however fast the machine and however many
orders, and each at its own stage of the drain.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from showing.timeline import SETTLED, Handled, Invocation, story

from demo.api import Answer
from demo.outcome import Fault
from demo.traffic import Sent, Traffic
from demo.troubles import SDK_ATTEMPTS
from serverless_patterns.testing import EmbeddedCloud, Injection
from serverless_patterns.testing import Fault as WireFault

THROTTLES = 40
HELD_UP_SECONDS = 3  # how long a commit waits for us to kill the function that makes it
_COMMIT = ("dynamodb", "TransactWriteItems")


@dataclass(frozen=True)
class Victims:
    """Orders that faults wait for. Each is sent once and contradicted by none: only the fault explains its fate."""

    loses_answer: str
    throttled: tuple[str, ...]
    held_up: str

    @property
    def all(self) -> tuple[str, ...]:
        return (self.loses_answer, *self.throttled, self.held_up)

    @classmethod
    def among(cls, traffic: Traffic) -> "Victims":
        """Early ones, some in the middle, and a later one."""
        orders = traffic.of_kind("order")
        copies = Counter(message.order["order_id"] for message in orders + traffic.of_kind("contradiction"))
        alone = [message.work for message in orders if copies[message.work] == 1]
        middle = len(alone) // 4
        return cls(
            loses_answer=alone[len(alone) // 20],
            throttled=tuple(alone[middle : middle + min(20, len(alone) // 5)]),
            held_up=alone[len(alone) // 2],
        )


@dataclass
class Faults:
    """The four faults of a run: three on the wire, one in the machine."""

    cloud: EmbeddedCloud
    function_name: str
    victims: Victims
    killed: int = 0
    """Processes."""
    _injected: dict[str, Injection] = field(default_factory=dict)
    _first_seen: dict[str, float] = field(default_factory=dict)

    def install(self) -> None:
        """From now on the victims' commits meet their faults. Nothing else does."""
        lost = WireFault.lost_answer(*_COMMIT, times=SDK_ATTEMPTS, body=_commits(self.victims.loses_answer))
        throttled = WireFault.throttled(*_COMMIT, times=THROTTLES, body=_commits(*self.victims.throttled))
        slow = WireFault.slow(*_COMMIT, seconds=HELD_UP_SECONDS, times=1, body=_commits(self.victims.held_up))
        faults = {"lost": lost, "throttled": throttled, "held up": slow}
        self._injected = {name: self.cloud.faults.install(fault) for name, fault in faults.items()}

    def a_commit_is_held_up(self) -> bool:
        """Whether a function is certainly at work now."""
        return self._fired("held up") > 0

    def install_at_the_till(self, order_id: str) -> None:
        """The answer to the payment of this order gets lost, though the payment is made."""
        lost = WireFault.lost_answer(*_COMMIT, times=SDK_ATTEMPTS, body=_commits(order_id))
        self._injected["payment lost"] = self.cloud.faults.install(lost)

    def kill(self) -> None:
        """SIGKILL every process of the function."""
        self.killed = self.cloud.kill_function(self.function_name)
        self._first_seen["killed"] = time.time()

    def have_struck(self) -> bool:
        """Whether the faults on the wire have met all the calls that they are meant for."""
        return self._fired("lost") >= SDK_ATTEMPTS and self._fired("throttled") >= THROTTLES

    def look(self) -> None:
        """Note when a fault on the wire was first seen to have struck."""
        for name in self._injected.keys() - self._first_seen.keys():
            if self._fired(name):
                self._first_seen[name] = time.time()

    def report(
        self,
        sent: Sequence[Sent],
        handled: Sequence[Handled],
        runs: Sequence[Invocation],
        told: Sequence[Answer],
    ) -> list[Fault]:
        """What was done, and what the function's log, or the caller who was `told` so, says that it met."""
        died = sum(run.died for run in runs)
        return [
            Fault(
                name="Answer lost",
                how="DynamoDB committed an order; the connection broke before its answer, at every attempt of the SDK",
                evidence=_loss(self.victims.loses_answer, sent, handled),
                fired=self._fired("lost"),
                at=self._first_seen.get("lost", 0),
            ),
            Fault(
                name="Throttling",
                how=f"DynamoDB refused the commits of {len(self.victims.throttled)} orders, again and again",
                evidence=_throttling(self.victims.throttled, sent, handled),
                fired=self._fired("throttled"),
                at=self._first_seen.get("throttled", 0),
            ),
            Fault(
                name="Function killed",
                how=f"SIGKILL to all {self.killed} processes of the function, one of them in the midst of a commit",
                evidence=f"{_plural(died, 'invocation')} died at work. {_return_of_the_messages(handled)}",
                fired=died,
                at=self._first_seen.get("killed", 0),
            ),
            Fault(
                name="Payment's answer lost",
                how="DynamoDB committed a payment; the connection broke before its answer, at every attempt of the SDK",
                evidence=_told(told),
                fired=self._fired("payment lost"),
                at=self._first_seen.get("payment lost", 0),
            ),
        ]

    def _fired(self, name: str) -> int:
        return self._injected[name].fired() if name in self._injected else 0


def _commits(*order_ids: str) -> str:
    """JMESPath: the request commits one of these orders."""
    return f"length(TransactItems[?contains(`{json.dumps(order_ids)}`, Put.Item.order_id.S)]) > `0`"


def _loss(order_id: str, sent: Sequence[Sent], handled: Sequence[Handled]) -> str:
    return f"Order {order_id}: {story(_lines_of([order_id], sent, handled))}."


def _told(answers: Sequence[Answer]) -> str:
    """How it looked to the caller."""
    story = [f"{answer.status}, a replay" if answer.is_replay else str(answer.status) for answer in answers]
    return f"Its caller was told {', and with the same key '.join(story)}."


def _throttling(order_ids: Sequence[str], sent: Sequence[Sent], handled: Sequence[Handled]) -> str:
    failed = sum(line.outcome == "Failed" for line in _lines_of(order_ids, sent, handled))
    return f"Tried again at once, until they went through; {_plural(failed, 'message')} had to come back for it."


def _return_of_the_messages(handled: Sequence[Handled]) -> str:
    """Messages that were received again although the function never said that it had failed with them."""
    failed = {line.message_id for line in handled if line.outcome not in SETTLED}
    again = [line for line in handled if line.receive_count > 1 and line.message_id not in failed]
    before = sum(line.outcome == "Duplicate" for line in again)
    return (
        f"{_plural(len(again), 'message')} came back by visibility timeout; "
        f"{before} of them had been committed before the end came, and were not committed again."
    )


def _lines_of(order_ids: Sequence[str], sent: Sequence[Sent], handled: Sequence[Handled]) -> list[Handled]:
    ids = {one.correlation_id for one in sent if one.message.work in order_ids}
    return [line for line in handled if line.correlation_id in ids]


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
