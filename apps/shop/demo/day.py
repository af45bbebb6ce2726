"""A bad day at the deployed shop, from opening stock to redrive, with everything that was seen on the way."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from showing import timeline
from showing.deployed import DeadLetter
from showing.timeline import Handled

from demo import burst, shoppers, stock, traffic
from demo.api import Answer, Call
from demo.book.booking import Booking
from demo.chat import Chat
from demo.checkouts import Checkouts
from demo.deployed import Shop
from demo.evening import Evening
from demo.faults import Faults, Victims
from demo.move.moving import Moving
from demo.outcome import Outcome, Sample, State
from demo.placed.placing import Placing
from demo.provider.process import PaymentProvider
from demo.sampling import Sampler
from demo.till import Till
from demo.traffic import Sent, Traffic
from demo.wholesale import Order
from serverless_patterns.testing import EmbeddedCloud, wait_until

CAP = 5  # max_concurrency of the Fulfilment queue
CALLERS = 8  # at once
RUSH = 10 * CAP  # messages that wait when the warehouse opens, however fast the machine
CHECKOUTS = 200
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
    provider: PaymentProvider
    chat: Chat
    placing: Placing
    booking: Booking
    tell: Tell
    checkouts: int = CHECKOUTS
    moving: Moving | None = None
    _sampler: Sampler = field(init=False)
    _phases: dict[str, tuple[float, float]] = field(default_factory=dict)
    _answers: list[Answer] = field(default_factory=list)
    _killed: bool = False

    def play(self) -> Outcome:
        """Send, break, drain, pay, restock, redrive. What takes over two minutes is given up, and the checks tell."""
        opening = stock.opening_stock(self.orders)
        missing = stock.shortage(self.orders, opening)
        planned = traffic.plan(self.orders, opening)
        faults = Faults(self.cloud, self.shop.function_name, Victims.among(planned))
        self.shop.put_in_stock(opening.on_hand, self.product_names)
        faults.install()
        with Sampler(lambda: self._sample(faults)) as self._sampler:
            sent = self._send(planned)
            drained = self._drain(faults)
            told = self._pay(faults, drained)
            with self._phase("restock"):
                self.shop.restock(missing)
            redriven = self._redrive(drained)
            final, left = self.shop.state(), sum(self.shop.depths()[:2])
        self.tell(f"redriven: {len(redriven)} dead letters went back, {len(final.orders):,} orders are fulfilled")
        checkouts = self._evening(opening)
        placed = self.placing.play()
        book = self.booking.play()
        move = self.moving.play() if self.moving else None
        log = self.shop.log_of(self.shop.function_name)
        handled, runs = timeline.handled(log), timeline.invocations(log)
        return Outcome(
            cap=CAP,
            opening=opening,
            restocked=missing,
            traffic=planned,
            answers=[*self._answers, *checkouts.answers, *placed.answers, *book.answers],
            sent={one.correlation_id: one.message for one in sent},
            sent_at=self._sent_at(sent, handled),
            drained=drained,
            redriven=redriven,
            final=final,
            left=left,
            invocations=runs,
            handled=handled,
            samples=self._sampler.samples,
            faults=faults.report(sent, handled, runs, told),
            checkouts=checkouts,
            move=move,
            placed=placed,
            book=book,
            phases=self._phases,
        )

    def _send(self, planned: Traffic) -> list[Sent]:
        """What the API takes by HTTP, among calls that it must refuse; the rest past it, to the queue."""
        with self._phase("send"):
            self.shop.close()
            past = traffic.send(self.shop.sqs, self.shop.queue_url, planned.past_the_api)
            early, late = burst.split(burst.calls(planned, self.shop.desks), RUSH)
            answers = self._call(early, CALLERS)
            self._wait(lambda: self._sampler.latest_waiting >= RUSH, "the rush to stand in the queue")
            self.shop.open()
            answers += self._call(late, CALLERS)
        begun, ended = self._phases["send"]
        self.tell(f"sent in {ended - begun:.1f} s: {tally(planned)}")
        self.tell(f"and {len(answers) - len(planned.for_the_api):,} calls that the API has to refuse")
        return [*past, *burst.accepted(answers)]

    def _drain(self, faults: Faults) -> State:
        with self._phase("drain"):
            self._wait(lambda: faults.killed > 0, "the function to be killed at work")
            self._wait(self.shop.is_drained, "the queue to be empty")
        state = self.shop.state()
        self.tell(f"drained: {len(state.orders):,} orders fulfilled, {len(state.dead_letters)} dead letters")
        return state

    def _pay(self, faults: Faults, drained: State) -> list[Answer]:
        """Every payment several times at once, then again, then what must not be; the answers to the lost one."""
        till = Till.among(drained.orders, self.shop.desks, faults.victims.all)
        faults.install_at_the_till(till.loses_answer["order_id"])
        with self._phase("pay"):
            paid = self._call(till.payments(), CALLERS)
            lost = self._call(till.lost(), 1)
            self._call([*till.again(), *till.mistakes(), *till.looks()], CALLERS)
        begun, ended = self._phases["pay"]
        self.tell(
            f"paid in {ended - begun:.1f} s: {len(till.paid) + 1} orders, asked for in {len(paid):,} calls at once"
        )
        return lost

    def _call(self, calls: Sequence[Call], at_once: int) -> list[Answer]:
        answers = self.shop.api.call_all(calls, at_once)
        self._answers += answers
        return answers

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

    def _evening(self, opening: stock.Opening) -> Checkouts:
        """Of what was sold out or unlisted there is nothing left again."""
        planned = shoppers.plan(self.orders, opening.sold_out | opening.unlisted, self.checkouts)
        return Evening(self.cloud, self.shop, self.provider, self.chat, self.tell).play(planned)

    def _sample(self, faults: Faults) -> Sample:
        faults.look()
        if faults.a_commit_is_held_up() and not self._killed:
            # Here, on the sampler's thread: it may happen while orders are still being sent.
            faults.kill()
            self._killed = True
            self.tell(f"killed all {faults.killed} processes of the function at work")
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
        """By message id, which the log knows; a second one for the same request came by the redrive, as it began."""
        redriven_at, _ = self._phases["redrive"]
        unseen = {one.correlation_id: one.at for one in sent}
        times: dict[str, float] = {}
        for line in handled:
            if line.message_id not in times:
                times[line.message_id] = unseen.pop(line.correlation_id, redriven_at)
        return times | unseen

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
