"""A bad day at the deployed shop, from opening stock to redrive, with everything that was seen on the way."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from demo import stock, timeline, traffic
from demo.deployed import Shop
from demo.faults import Faults, Victims
from demo.outcome import DeadLetter, Outcome, Sample, State
from demo.sampling import Sampler
from demo.timeline import Handled
from demo.traffic import Sent, Traffic
from demo.wholesale import Order
from serverless_patterns.testing import EmbeddedCloud, wait_until

CAP = 5  # max_concurrency of the Fulfilment queue
DEADLINE_SECONDS = 120
SECONDS_BETWEEN_LINES = 2

Tell = Callable[[str], None]
"""Takes a line about what is going on."""


@dataclass
class Day:
    """One run; `play` plays it."""

    cloud: EmbeddedCloud
    shop: Shop
    orders: Sequence[Order]
    product_names: Mapping[int, str]
    tell: Tell
    _sampler: Sampler = field(init=False)
    _phases: dict[str, tuple[float, float]] = field(default_factory=dict)
    _killed: bool = False

    def play(self) -> Outcome:
        """Send, break, drain, restock, redrive. What takes over two minutes is given up, and the checks tell."""
        opening = stock.opening_stock(self.orders)
        missing = stock.shortage(self.orders, opening)
        planned = traffic.plan(self.orders, opening)
        faults = Faults(self.cloud, self.shop.function_name, Victims.among(planned))
        self.shop.put_in_stock(opening.on_hand, self.product_names)
        faults.install()
        with Sampler(lambda: self._sample(faults)) as self._sampler:
            sent = self._send(planned)
            drained = self._drain(faults)
            with self._phase("restock"):
                self.shop.restock(missing)
            redriven = self._redrive(drained)
            final, left = self.shop.state(), sum(self.shop.depths()[:2])
        self.tell(f"redriven: {len(redriven)} dead letters went back, {len(final.orders):,} orders are fulfilled")
        log = self.shop.log()
        handled, runs = timeline.handled(log), timeline.invocations(log)
        return Outcome(
            cap=CAP,
            opening=opening,
            restocked=missing,
            traffic=planned,
            sent={one.message_id: one.message for one in sent},
            sent_at=self._sent_at(sent, handled),
            drained=drained,
            redriven=redriven,
            final=final,
            left=left,
            invocations=runs,
            handled=handled,
            samples=self._sampler.samples,
            faults=faults.report(sent, handled, runs),
            phases=self._phases,
        )

    def _send(self, planned: Traffic) -> list[Sent]:
        with self._phase("send"):
            sent = traffic.send(self.shop.sqs, self.shop.queue_url, planned.messages)
        begun, ended = self._phases["send"]
        self.tell(f"sent in {ended - begun:.1f} s: {tally(planned)}")
        return sent

    def _drain(self, faults: Faults) -> State:
        with self._phase("drain"):
            if self._wait(faults.a_commit_is_held_up, "a commit to be held up"):
                faults.kill()
                self._killed = faults.killed > 0
                self.tell(f"killed all {faults.killed} processes of the function at work")
            self._wait(self.shop.is_drained, "the queue to be empty")
        state = self.shop.state()
        self.tell(f"drained: {len(state.orders):,} orders fulfilled, {len(state.dead_letters)} dead letters")
        return state

    def _redrive(self, drained: State) -> list[DeadLetter]:
        """Send back what was only out of stock, by the command that people use. The dead letters that it moved."""
        command = ["redrive", self.shop.queue_url, "--reason", "out of stock", "--rate", "100", "--yes", "--json"]
        with self._phase("redrive"):
            done = subprocess.run(
                [sys.executable, "-m", "serverless_patterns.cli", *command],
                env=self.cloud.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"serverless-patterns {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
            self._wait(self.shop.is_drained, "the queue to be empty again")
        moved = json.loads(done.stdout)["moved"]
        return [letter for letter in drained.dead_letters if letter.message_id in moved]

    def _sample(self, faults: Faults) -> Sample:
        faults.look()
        return Sample(time.time(), *self.shop.depths())

    def _wait(self, done: Callable[[], bool], what_for: str) -> bool:
        """Whether it came true in time. A line on how it goes every two seconds."""
        told, before = time.monotonic(), None

        def look() -> bool:
            nonlocal told, before
            if time.monotonic() - told > SECONDS_BETWEEN_LINES and self._sampler.samples:
                told, now = time.monotonic(), self._sampler.samples[-1]
                self.tell(progress(now, before, killed=self._killed))
                before = now
            return done()

        try:
            return wait_until(look, DEADLINE_SECONDS, what_for, interval_seconds=0.1)
        except TimeoutError as error:
            self.tell(f"gave up: {error}")
            return False

    def _sent_at(self, sent: Sequence[Sent], handled: Sequence[Handled]) -> dict[str, float]:
        """By message id; what the log knows besides came by the redrive, which sent it as its phase began."""
        redriven_at, _ = self._phases["redrive"]
        return {line.message_id: redriven_at for line in handled} | {one.message_id: one.at for one in sent}

    @contextmanager
    def _phase(self, name: str) -> Generator[None]:
        begun = time.time()
        yield
        self._phases[name] = begun, time.time()


def tally(planned: Traffic) -> str:
    """How the number of messages comes about."""
    count, distinct = len(planned.messages), len({message.work for message in planned.messages})
    return f"{count:,} messages = {distinct:,} distinct + {count - distinct:,} repeats"


def progress(now: Sample, before: Sample | None, *, killed: bool) -> str:
    """What the queues hold, and why nothing moves when nothing has moved since the line before."""
    line = f"{now.waiting:5,} waiting  {now.received:3,} received  {now.dead:3,} dead letters"
    stands_still = before is not None and (now.received, now.dead) == (before.received, before.dead)
    if killed and stands_still and now.received and not now.waiting:
        return f"{line}  (messages of the killed function: invisible until their timeout)"
    return line
