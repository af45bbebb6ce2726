"""Functions that share a breaker, in any interleaving: calls begin, end and die, time passes, the table fails."""

import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ReadTimeoutError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from serverless_patterns_runtime.circuit_breaker.circuit_breaker import STORE_PAUSE_SECONDS, CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.permit import Permit
from serverless_patterns_runtime.circuit_breaker.reports import Reports
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.errors import CircuitOpen, PermanentError

from . import aws_errors
from .dynamodb_model import DynamoDB, Table

__all__ = ["BreakerMachine"]

FUNCTIONS = 4
LARGEST_SKEW_SECONDS = 1.0
CALL_SECONDS = 20.0
"""How long an invocation may take at most."""

SETTINGS = BreakerSettings(
    table="breakers", failure_threshold=3, window_seconds=60, open_seconds=30, cache_seconds=5, counts=[]
)


class Down(Exception): ...


class SilentLog:
    def warning(self, text: str, *, extra: dict[str, Any]) -> None: ...


@dataclass(eq=False)
class Call:
    permit: Permit
    function: int
    began: float
    alive: bool = True


@dataclass
class TableThatFails:
    """A client. `how`: what happens to its next requests."""

    service: DynamoDB
    how: str = "works"
    reads: int = 0

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            operation = aws_errors.operation_name("dynamodb", method)
            wrong = aws_errors.wrong_parameters("dynamodb", operation, arguments)
            assert not wrong, wrong
            self.reads += method == "get_item"
            if self.how == "down":
                raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
            try:
                answer = getattr(self.service, method)(**arguments)
            except aws_errors.ServiceError as error:
                raise aws_errors.client_error("dynamodb", operation, error) from None
            if self.how == "answers get lost":
                raise ReadTimeoutError(endpoint_url="https://dynamodb.invalid")
            return answer

        return call


@dataclass
class Function:
    skew: float
    table: TableThatFails
    breaker: CircuitBreaker
    blind_until: float = float("-inf")
    """Until then it may not have asked the table, which failed it."""
    looked_at: list[float] = field(default_factory=list)


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_700_000_000.0
        self.service = DynamoDB({"breakers": Table({"breaker": "S"})}, lambda: self.now)
        self.calls: list[Call] = []
        """Under way."""
        self.metrics: Counter[str] = Counter()
        self.failures: list[tuple[float, int | None]] = []
        """The test's own book: when any call failed with what counts, and in which epoch it was permitted."""
        self.gives_up = False
        """Whether somebody who would try no more asks."""
        self.ending: Permit | None = None
        """Whose verdict is being written down."""
        self.open_since: float | None = None
        """Since when the item says so, in true time."""
        self.epoch = 0
        self.last_trouble = float("-inf")
        """When the table failed somebody: for a while after that a call may be unguarded."""
        self.service.changes.append(self._see)
        self.functions = [self._function(number) for number in range(FUNCTIONS)]

    def _function(self, number: int) -> Function:
        skew = (-LARGEST_SKEW_SECONDS, 0.0, 0.3, LARGEST_SKEW_SECONDS)[number]
        table = TableThatFails(self.service)
        store = Store(table, "breakers", "Partner")
        reports = Reports("Partner", "breakers", SilentLog(), self._count)
        breaker = CircuitBreaker(SETTINGS, store, reports, lambda: self.now + skew, random.Random(number))
        return Function(skew, table, breaker)

    def _count(self, metric: str, value: int, *_: str) -> None:
        self.metrics[metric] += value

    def _see(self, _: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        assert after is not None
        epoch = int(after.get("epoch", {"N": "0"})["N"])
        was_open = before is not None and before.get("state", {"S": "closed"})["S"] == "open"
        is_open = after.get("state", {"S": "closed"})["S"] == "open"
        assert epoch >= self.epoch, "an epoch came back"
        if is_open != was_open:
            assert epoch == self.epoch + 1, "a transition without an epoch of its own"
        elif not is_open:
            assert epoch == self.epoch, "an epoch that is nobody's"
        if is_open and not was_open:
            since = self.now - SETTINGS["window_seconds"] - 2 * LARGEST_SKEW_SECONDS
            recent = [time for time, known in self.failures if time >= since and known == self.epoch]
            few = f"opened by {len(recent)} failures of its epoch"
            assert len(recent) >= SETTINGS["failure_threshold"] or (self.gives_up and recent), few
            self.open_since = self.now
        if was_open and epoch > self.epoch:
            assert before is not None
            assert self.ending is not None, "a verdict without a probe"
            assert self.ending.prober == before.get("prober", {"S": ""})["S"], "a verdict of a prober that was fenced"
        if not is_open:
            self.open_since = None
        assert not (is_open and "failures" in after)
        assert len(after.get("failures", {"L": []})["L"]) < SETTINGS["failure_threshold"]
        self.epoch = epoch

    # What may happen.

    @rule(number=st.integers(0, FUNCTIONS - 1))
    def begin(self, number: int) -> None:
        function = self.functions[number]
        failing = function.table.how != "works"
        closed_long = self.open_since is not None and self.now - self.open_since
        try:
            permit = function.breaker.permit(lambda: CALL_SECONDS)
        except CircuitOpen as refusal:
            self._check_refusal(refusal.retry_at - self.now - function.skew)
            return
        if failing:
            self.last_trouble = self.now
        guarded = not failing and self.now > self.last_trouble + STORE_PAUSE_SECONDS + CALL_SECONDS + 5
        if guarded and closed_long is not False and closed_long > SETTINGS["cache_seconds"]:
            assert permit.prober is not None, "a call went through an open breaker"
            others = [call for call in self.calls if call.permit.prober and self._may_live(call)]
            assert not others, "two probe at once"
        self.calls.append(Call(permit, number, self.now))

    def _check_refusal(self, seconds: float) -> None:
        longest = max(SETTINGS["open_seconds"], CALL_SECONDS) + 2 * LARGEST_SKEW_SECONDS + 2
        assert 0 < seconds <= longest, f"refused for {seconds} s"

    def _may_live(self, call: Call) -> bool:
        return call.alive and self.now <= call.began + CALL_SECONDS

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), how=st.sampled_from(["answers", "fails", "fails for good", "refuses"]))
    def end(self, data: st.DataObject, how: str) -> None:
        call = data.draw(st.sampled_from(self.calls), label="call")
        self.calls.remove(call)
        if not self._may_live(call):
            return
        self._end(call, how)

    def _end(self, call: Call, how: str) -> None:
        if self.functions[call.function].table.how != "works":
            self.last_trouble = self.now

        def downstream() -> None:
            if how.startswith("fails"):
                self.failures.append((self.now, call.permit.epoch))
                raise Down
            if how == "refuses":
                raise PermanentError("no such card")

        self.ending = call.permit
        with contextlib.suppress(Down, PermanentError):
            call.permit.run(downstream)
        self.ending = None
        if how == "fails for good":
            self._give_up(call)

    def _give_up(self, call: Call) -> None:
        """All calls of its caller failed: the breaker is not closed as it was, or it knows nothing."""
        self.gives_up = True
        refusal = call.permit.suspect()
        self.gives_up = False
        if refusal is None:
            assert self.now <= self.last_trouble + STORE_PAUSE_SECONDS + CALL_SECONDS, "nobody is asked"
        elif call.permit.epoch is not None:
            assert self.epoch != call.permit.epoch, "excused, and nobody finds out"

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.calls), label="call")
        self.calls.remove(call)
        if self._may_live(call):
            if self.functions[call.function].table.how != "works":
                self.last_trouble = self.now
            call.permit.__exit__(None, None, None)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.calls), label="call")
        self.calls.remove(call)

    @rule(seconds=st.sampled_from([0.01, 1.0, 4.0, 6.0, 19.0, 31.0, 70.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=st.integers(0, FUNCTIONS - 1), how=st.sampled_from(["works", "works", "down", "answers get lost"]))
    def change_the_table(self, number: int, how: str) -> None:
        self.functions[number].table.how = how

    # What must hold.

    @invariant()
    def one_prober_at_most_holds_the_item(self) -> None:
        items = list(self.service.tables["breakers"].items.values())
        for item in items:
            if "prober" in item:
                assert item["state"]["S"] == "open"
                owners = [call for call in self.calls if call.permit.prober == item["prober"]["S"]]
                assert len(owners) <= 1

    def teardown(self) -> None:
        """Everybody done or dead, the downstream and the table well: it closes, whatever was before."""
        for function in self.functions:
            function.table.how = "works"
        for seconds in (100.0, 0.0, 6.0):
            self.now += seconds
            for function in self.functions:
                with contextlib.suppress(CircuitOpen):
                    self._end(Call(function.breaker.permit(lambda: CALL_SECONDS), 0, self.now), "answers")
        assert self.open_since is None, "it never closed again"
        for function in self.functions:
            reads = function.table.reads
            for _ in range(50):
                function.breaker.permit(lambda: CALL_SECONDS).run(lambda: None)
            assert function.table.reads <= reads + 1, "closed, it asks more than once in a cache age"
