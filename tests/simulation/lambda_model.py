"""Lambda: sandboxes that are reused, die, run out of time, and whose clocks disagree a little."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .event_source_mapping import Answer, Throttled
from .virtual_time import Actor, Killed, Schedule

__all__ = ["Function", "Sandbox"]

LARGEST_SKEW_SECONDS = 1.0


@dataclass(eq=False)
class Sandbox:
    """One execution environment: what the shipped code keeps in it lives as long as it does."""

    name: str
    schedule: Schedule
    skew: float
    """Seconds that its clock is ahead of the true time."""
    on_crash: Callable[["Sandbox"], None]
    state: Any = None
    alive: bool = True
    died_at: float | None = None
    actors: list[Actor] = field(default_factory=list)
    invocation: int = 0
    answered: bool = False
    """Whether its latest invocation has ended."""

    def clock(self) -> float:
        return self.schedule.now + self.skew

    def sleep(self, seconds: float) -> None:
        self.check_alive()
        self.schedule.wait(seconds)

    def check_alive(self) -> None:
        if not self.alive:
            raise Killed

    def crash(self) -> None:
        """Called from one of its own threads."""
        self.on_crash(self)
        raise Killed

    def spawn(self, work: Callable[[], None]) -> Actor:
        """A thread of this sandbox; it dies with it."""
        actor = self.schedule.spawn(self.name, work)
        actor.sandbox = self
        self.actors.append(actor)
        return actor

    def check_in_time(self, invocation: int) -> None:
        """Lambda freezes what runs on after the answer, and thaws it in another invocation."""
        if self.alive and (self.answered or self.invocation != invocation):
            self.schedule.fail(AssertionError(f"{self.name}: a request of invocation {invocation} outlived it"))

    def die(self) -> None:
        self.alive = False
        self.died_at = self.schedule.now
        for actor in self.actors:
            self.schedule.kill(actor)


class Context:
    """What Lambda passes as the second argument."""

    def __init__(self, schedule: Schedule, request_id: str, deadline: float) -> None:
        self._schedule = schedule
        self._deadline = deadline
        self.aws_request_id = request_id
        self.function_name = "consumer"
        self.memory_limit_in_mb = 512
        self.invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:consumer"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - self._schedule.now) * 1000))


def receipts(event: dict[str, Any]) -> list[str]:
    return [record["receiptHandle"] for record in event["Records"]]


@dataclass(eq=False)
class Function:
    """A function with the shipped code in it: `start` is its init, `handle` its handler."""

    schedule: Schedule
    timeout: float
    chance: random.Random
    start: Callable[[Sandbox], Any]
    handle: Callable[[dict[str, Any], Context, Any], Any]
    trace: Callable[..., None]
    called: Callable[[dict[str, Any]], Any] = receipts
    """What the trace says of an event."""
    reserved_concurrency: int | None = None
    reuse_chance: float = 0.8
    running: int = 0
    peak: int = 0
    number: int = 0
    idle: list[Sandbox] = field(default_factory=list)
    open: dict[Sandbox, Callable[[Answer], None]] = field(default_factory=dict)

    def invoke(self, event: dict[str, Any], answered: Callable[[Answer], None]) -> None:
        if self.reserved_concurrency is not None and self.running >= self.reserved_concurrency:
            raise Throttled
        self.running += 1
        self.peak = max(self.peak, self.running)
        sandbox = self._sandbox()
        self.open[sandbox] = answered
        self.number += 1
        number = self.number
        context = Context(self.schedule, f"request-{number}", self.schedule.now + self.timeout)
        sandbox.actors.clear()
        sandbox.spawn(lambda: self._run(sandbox, event, context))
        self.trace(sandbox.name, "invoked", self.called(event))
        self.schedule.after(self.timeout, lambda: self._time_out(sandbox, number))
        sandbox.invocation = number
        sandbox.answered = False

    def _sandbox(self) -> Sandbox:
        if self.idle and self.chance.random() < self.reuse_chance:
            return self.idle.pop(self.chance.randrange(len(self.idle)))
        skew = self.chance.uniform(-LARGEST_SKEW_SECONDS, LARGEST_SKEW_SECONDS)
        return Sandbox(f"sandbox-{self.number + 1}", self.schedule, skew, self._crashed)

    def _run(self, sandbox: Sandbox, event: dict[str, Any], context: Context) -> None:
        try:
            if sandbox.state is None:
                sandbox.state = self.start(sandbox)
            answer = Answer(result=self.handle(event, context, sandbox.state))
        except AssertionError:
            raise  # of the test's own checks
        except Exception as error:
            answer = Answer(error=f"{type(error).__name__}: {error}")
        if sandbox.alive:
            self.idle.append(sandbox)
            self._end(sandbox, answer)

    def _time_out(self, sandbox: Sandbox, number: int) -> None:
        if sandbox in self.open and sandbox.invocation == number:
            self._crashed(sandbox, "timed out")

    def _crashed(self, sandbox: Sandbox, why: str = "crashed") -> None:
        sandbox.die()
        self._end(sandbox, Answer(error=why))

    def _end(self, sandbox: Sandbox, answer: Answer) -> None:
        self.running -= 1
        sandbox.answered = True
        answered = self.open.pop(sandbox)
        self.trace(sandbox.name, "answered", answer.error or answer.result)
        self.schedule.after(0, lambda: answered(answer))
