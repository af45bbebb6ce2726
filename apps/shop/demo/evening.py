"""An evening's checkouts at the deployed shop: many at once, trouble at every step, and what became of each."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from demo import shoppers
from demo.api import Answer, Call
from demo.cashdesk import CashDesk, execution_of
from demo.chat import Chat, Question
from demo.checkouts import Books, Checkouts
from demo.deployed import Shop
from demo.hostile import APPROVALS
from demo.provider.process import PaymentProvider
from demo.resuming import Saga
from demo.saga_faults import SagaFaults
from demo.sagas import Execution
from demo.shoppers import Shopper
from serverless_patterns.testing import EmbeddedCloud, wait_until

STARTERS = 4  # callers at once
LOOKS = 12
DEADLINE_SECONDS = 240


@dataclass
class Queue:
    """Lets few in at first, then more and more: functions that all start at the same moment are slow on two cores."""

    waiting: list[Shopper]
    at_first: int
    at_once: int
    _inside: set[str] = field(default_factory=set[str])
    _served: int = 0

    def admit(self, running: set[str]) -> list[Shopper]:
        """Who may start now, given the names of those who are not through."""
        self._served += len(self._inside - running)
        self._inside &= running
        room = max(0, min(self.at_first + self._served, self.at_once) - len(self._inside))
        admitted, self.waiting = self.waiting[:room], self.waiting[room:]
        self._inside |= {shopper.checkout_id for shopper in admitted}
        return admitted


@dataclass
class Evening:
    cloud: EmbeddedCloud
    shop: Shop
    provider: PaymentProvider
    chat: Chat
    tell: Callable[[str], None]
    _answers: list[Answer] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict[str, str])
    """Of executions, by checkout."""

    def play(self, planned: Sequence[Shopper]) -> Checkouts:
        """Fill the shelves, break things, let everybody check out, see what became of it, and resume what is parked."""
        self.shop.restock(shoppers.wanted(planned))
        opening = self.shop.stock()
        faults = SagaFaults(self.cloud, self.provider, self.shop.checkout_functions)
        faults.install(planned)
        begun = time.time()
        self._check_out(planned, faults)
        seconds = time.time() - begun
        struck = faults.report()
        executions = dict(zip(self._names, self.shop.sagas.read(self._names.values()), strict=True))
        ends = Counter(execution.status for execution in executions.values())
        self.tell(f"{len(planned)} checkouts in {seconds:.1f} s: {', '.join(f'{n} {end}' for end, n in ends.items())}")
        self._ask_again(planned)
        faults.mend()
        resumed = self._resume(executions)
        return Checkouts(
            shoppers=planned,
            opening=opening,
            executions=executions,
            resumed=resumed,
            open=self._checkouts(self.saga.open()),
            books=Books(self.shop.stock(), self.shop.checkouts(), self.provider.charges()),
            answers=self._answers,
            started=len(self.shop.sagas.all()),
            struck=struck,
        )

    @property
    def saga(self) -> Saga:
        """By hand."""
        return Saga(self.cloud, self.shop.guardian)

    @property
    def desk(self) -> CashDesk:
        return CashDesk(self.shop.desks)

    def _check_out(self, planned: Sequence[Shopper], faults: SagaFaults) -> None:
        """What takes over four minutes is given up, and the checks tell."""
        befallen = sorted((one for one in planned if one.trouble.breaks), key=lambda one: not one.trouble.kills)
        queues = [
            # Most of the time these wait for a retry.
            Queue(befallen, at_first=4, at_once=10),
            Queue([one for one in planned if not one.trouble.breaks], at_first=1, at_once=2),
        ]
        rejected = {one.checkout_id for one in planned if one.trouble.rejected}

        def go_on() -> bool:
            running = {*self._checkouts(self.shop.sagas.running())}
            self._start([shopper for queue in queues for shopper in queue.admit(running)])
            faults.kill_what_is_held_up()
            for question in self.chat.read():
                self._decide(question, approve=question.checkout_id not in rejected)
            return not running and not any(queue.waiting for queue in queues)

        try:
            wait_until(go_on, DEADLINE_SECONDS, "every checkout to end", interval_seconds=0.25)
        except TimeoutError as error:
            self.tell(f"gave up: {error}")

    def _start(self, admitted: Sequence[Shopper]) -> None:
        answers = self._call(map(self.desk.start, admitted), STARTERS)
        self._names |= {
            shopper.checkout_id: execution_of(answer)
            for shopper, answer in zip(admitted, answers, strict=True)
            if answer.ok
        }

    def _decide(self, question: Question, *, approve: bool) -> None:
        """The first ones twice the same, and then otherwise, which is too late."""
        self._call([self.desk.decide(question, approve=approve)], 1)
        if sum(answer.call.route == APPROVALS for answer in self._answers) < LOOKS:
            late = self.desk.decide(question, approve=not approve, expected=410, why="decided already")
            self._call([self.desk.decide(question, approve=approve), late], 1)

    def _ask_again(self, planned: Sequence[Shopper]) -> None:
        """When all is over: the same checkouts once more, others under their keys, and how they are."""
        again = planned[:LOOKS]
        names = [self._names[one.checkout_id] for one in again if one.checkout_id in self._names]
        calls = [*map(self.desk.start, again), self.desk.start_otherwise(again[0]), *map(self.desk.look, names)]
        self._call([*calls, *self.desk.looks_in_vain(names[0])], STARTERS)

    def _resume(self, executions: Mapping[str, Execution]) -> Mapping[str, str]:
        """One at each step where one is parked. The others wait for a person."""
        first = {one.parked_at: id for id, one in reversed(executions.items()) if one.parked_at}
        outcomes = self.saga.resume([self._names[id] for id in first.values()])
        resumed = {id: outcomes[self._names[id]] for id in first.values()}
        for step, id in first.items():
            self.tell(f"resumed {id}, parked at {step}: {resumed[id]}")
        self._call([self.desk.look(self._names[id]) for id in resumed], STARTERS)
        return resumed

    def _checkouts(self, executions: Iterable[str]) -> list[str]:
        """Whose executions these are; one that nobody knows is its own name."""
        known = {name: id for id, name in self._names.items()}
        return [known.get(name, name) for name in executions]

    def _call(self, calls: Iterable[Call], at_once: int) -> list[Answer]:
        answers = self.shop.api.call_all(calls, at_once)
        self._answers += answers
        return answers
