"""One promise, one story: what a message goes through, in numbers."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from .faults import Faults, NoFaults, When
from .invariants import GENTLE, WILD, a_key_runs_once_at_a_time, check, receives, receives_are_few, watch_claims
from .lambda_model import Sandbox
from .ledger import Sent
from .operator_model import redrive
from .schedules import MODES
from .world import Account, Log, World, later, order

KINDS = ("effects", "leases")
FIFO = ("effects, FIFO", "leases, FIFO", "effects, FIFO batches", "leases, FIFO batches")
SEEDS = range(5)


def lived(account: Account, messages: Sequence[Sent], seed: int = 0, faults: Faults | None = None) -> World:
    world = World(account, seed, faults or NoFaults())
    watch_claims(world)
    world.send(messages)
    try:
        world.run()
    finally:
        world.close()
    return world


def deployed(mode: str, **different: object) -> Account:
    return Account(**{**MODES[mode].__dict__, **different})  # type: ignore[arg-type]


def drained_at(world: World, names: Sequence[str]) -> float:
    """Seconds from the start until the last of these took effect."""
    start = min(time for time, fields in world.history.trace if fields[1] == "invoked")
    times = [world.ledger.first_effect(name) for name in names]
    assert None not in times
    return max(time for time in times if time is not None) - 1_700_000_000.25 - start


@pytest.mark.parametrize("mode", MODES)
def test_a_tenfold_backlog_keeps_to_the_cap_and_kills_nobody(mode: str) -> None:
    account = deployed(mode, max_concurrency=3)
    backlog = 10 * account.max_concurrency * min(account.batch_size, 3)
    messages = [order(f"m{n}", group=f"g{n % 7}" if account.fifo else None, at=n * 0.0001) for n in range(backlog)]
    world = lived(account, messages)
    check(world, GENTLE)
    assert world.function.peak == account.max_concurrency
    assert not world.dead_letters()
    assert set(receives(world).values()) == {1}


@pytest.mark.parametrize("mode", FIFO[2:])
def test_poison_in_a_group_of_many_dies_alone(mode: str) -> None:
    messages = [order(f"m{n}", "never" if n == 2 else "ok", group="a", at=n * 0.001) for n in range(20)]
    for seed in SEEDS:
        world = lived(MODES[mode], messages, seed)
        check(world, GENTLE)
        assert world.dead_letters() == {"m2"}
        most = max(receives(world).values())
        assert most > 0
        assert len(world.ledger.runs_of("m2")) == MODES[mode].max_receive_count
        assert len(world.ledger.runs) == 19 + MODES[mode].max_receive_count, "a healthy message ran twice"


@pytest.mark.parametrize("mode", MODES)
def test_a_permanent_error_delays_its_neighbours_by_one_request(mode: str) -> None:
    fifo = MODES[mode].fifo
    group = "a" if fifo else None
    messages = [order(f"m{n}", "permanent" if n == 0 else "ok", group=group, at=n * 0.001) for n in range(5)]
    world = lived(MODES[mode], messages)
    check(world, GENTLE)
    assert set(receives(world).values()) == {1}
    assert drained_at(world, [f"m{n}" for n in range(1, 5)]) < 2.0


@pytest.mark.parametrize("mode", MODES)
def test_poison_delays_its_neighbours_by_no_more_than_its_own_retries(mode: str) -> None:
    """The bound: every retry's ceiling, and a little for each attempt. On a standard queue: nothing."""
    account = deployed(mode, max_concurrency=2)
    ceilings = [
        min(account.retry_base * 2**attempt, account.retry_max) for attempt in range(account.max_receive_count - 1)
    ]
    # SQS itself moves an exhausted message when it would be received once more: one more ceiling.
    last = min(account.retry_base * 2 ** (account.max_receive_count - 1), account.retry_max)
    bound = sum(ceilings) + last + 5.0 if account.fifo else 5.0
    for seed in SEEDS:
        messages = [
            order(f"m{n}", "never" if n == 0 else "ok", group="a" if account.fifo else None, at=n * 0.001)
            for n in range(6)
        ]
        world = lived(account, messages, seed)
        check(world, GENTLE)
        delay = drained_at(world, [f"m{n}" for n in range(1, 6)])
        assert delay <= bound, f"seed {seed}: neighbours waited {delay:.1f} s, the bound is {bound:.1f} s"


@pytest.mark.parametrize("mode", FIFO)
def test_poison_in_one_group_does_not_delay_another(mode: str) -> None:
    for seed in SEEDS:
        messages = [
            order(f"m{n}", "never" if n == 0 else "ok", group="a" if n == 0 else "b", at=n * 0.001) for n in range(6)
        ]
        world = lived(MODES[mode], messages, seed)
        check(world, GENTLE)
        assert drained_at(world, [f"m{n}" for n in range(1, 6)]) < 5.0


@pytest.mark.parametrize("mode", FIFO)
def test_order_per_group_survives_warm_reuse(mode: str) -> None:
    """LQ5: what one invocation learned about a group is nothing to the next one in the same sandbox."""
    for seed in SEEDS:
        world = World(MODES[mode], seed)
        world.function.reuse_chance = 1.0
        world.send([order(f"m{n}", "once", group=f"g{n % 3}", at=n * 0.001) for n in range(15)])
        world.run()
        world.close()
        check(world, GENTLE)
        assert not world.dead_letters()
        assert len({run.sandbox for run in world.ledger.runs}) <= MODES[mode].max_concurrency


def test_a_duplicate_that_meets_a_running_lease_waits_for_it_with_one_receive() -> None:
    """LQ8."""
    for seed in SEEDS:
        messages = [order("m0", seconds=20.0), order("m1", key="m0", at=1.0, seconds=20.0)]
        world = lived(Account(effects=False, batch_size=1), messages, seed)
        check(world, GENTLE)
        assert world.ledger.effects() == Counter({"m0": 1})
        assert receives(world)[world.ledger.message_ids["m1"]] <= 2


def dies_at_work() -> When:
    return When("crash after", lambda call: call.operation == "Work")


def test_no_lease_is_stuck_beyond_its_deadline() -> None:
    """Its holder dies; a duplicate waits for the deadline, and a few seconds of jitter and skew."""
    for seed in SEEDS:
        account = Account(effects=False, batch_size=1, timeout=10.0)
        world = lived(account, [order("m0"), order("m1", key="m0", at=0.5)], seed, dies_at_work())
        check(world, GENTLE)
        first, second = world.ledger.runs_of("m0")
        assert first.over < second.start
        held = second.start - first.start
        assert 10.0 <= held <= 10.0 + 15.0, f"seed {seed}: the key was blocked for {held:.1f} s"


def test_retries_are_spread_and_none_comes_early() -> None:
    """LQ11: full jitter. 300 messages that failed at one moment do not come back at one moment."""
    account = Account(batch_size=10, max_concurrency=30, retry_base=60, retry_max=900)
    world = lived(account, [order(f"m{n}", "twice", seconds=0) for n in range(300)])
    check(world, GENTLE)
    waits: dict[int, list[float]] = {1: [], 2: []}
    for n in range(300):
        for attempt, (before, after) in enumerate(pairwise(world.ledger.runs_of(f"m{n}")), start=1):
            waits[attempt].append(after.start - before.over)
    for attempt, ceiling in ((1, 60), (2, 120)):
        assert min(waits[attempt]) >= 0.9
        assert max(waits[attempt]) <= ceiling + 5
        per_second = Counter(int(wait) for wait in waits[attempt])
        assert max(per_second.values()) <= 30, "a tenth of all in the same second"
        assert sum(waits[attempt]) / len(waits[attempt]) == pytest.approx(ceiling / 2, rel=0.25)


def test_the_delay_of_a_retry_has_a_ceiling() -> None:
    account = Account(max_receive_count=8, retry_base=5, retry_max=20)
    world = lived(account, [order("m0", "never")])
    waits = [after.start - before.over for before, after in pairwise(world.ledger.runs_of("m0"))]
    assert len(waits) == 7
    assert max(waits) <= 20 + 2


@pytest.mark.parametrize("mode", KINDS)
def test_stale_work_is_a_dead_letter_that_says_expired(mode: str) -> None:
    """LQ17."""
    account = deployed(mode, max_age=60)
    world = lived(account, [later(order("m0"), 0), order("m1", "never"), order("m2", at=0.1)])
    stale = lived(deployed(mode, max_age=60), [later(order("m0"), 120)])
    assert not stale.ledger.runs
    (letter,) = stale.dead_letter_queue.messages
    assert json.loads(letter.attributes["dead-letter"]["StringValue"])["error_type"] == "Expired"
    assert world.dead_letters() == {"m1"}


@pytest.mark.parametrize("mode", MODES)
def test_a_malformed_body_dies_at_its_first_receive_and_alone(mode: str) -> None:
    group = "a" if MODES[mode].fifo else None
    bodies = ('{"order":', "\ufeff{}", '{"a": NaN}', '{"a": 1, "a": 2}', "[]", "null", '{"order": {"id": ""}}')
    messages = [Sent(f"bad{n}", body, None, "malformed", group, n * 0.01) for n, body in enumerate(bodies)]
    messages += [order(f"m{n}", group=group, at=0.005 + n * 0.01) for n in range(5)]
    world = lived(MODES[mode], messages)
    check(world, GENTLE)
    assert world.dead_letters() == {f"bad{n}" for n in range(len(bodies))}
    assert set(receives(world).values()) == {1}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("swept", [False, True], ids=["still in the table", "deleted"])
def test_a_claim_lives_by_its_own_numbers_whatever_time_to_live_has_deleted(mode: str, swept: bool) -> None:
    """AP7: the same key within the retention is a duplicate, afterwards it is new work."""
    group = "a" if MODES[mode].fifo else None
    account = deployed(mode, retention=1000)
    messages = [
        order("m0", group=group),
        order("m1", key="m0", group=group, at=900.0),
        order("m2", key="m0", group=group, at=1100.0),
    ]
    world = World(account, 0)
    world.send(messages)
    if swept:
        world.schedule.at(world.schedule.now + 1050, lambda: world.dynamodb.tables["claims"].items.clear())
    world.run()
    world.close()
    assert world.ledger.effects() == Counter({"m0": 2})
    assert not world.dead_letters()


def test_a_key_resent_after_fifo_deduplication_has_forgotten_it_has_one_effect() -> None:
    """LQ6."""
    for mode in FIFO:
        messages = [order("m0", group="a"), order("m1", key="m0", group="a", at=400.0)]
        world = lived(MODES[mode], messages)
        check(world, GENTLE)
        assert world.ledger.effects() == Counter({"m0": 1})


@pytest.mark.parametrize("mode", MODES)
def test_key_reuse_with_another_payload_is_a_dead_letter_that_says_so(mode: str) -> None:
    group = "a" if MODES[mode].fifo else None
    for seed in SEEDS:
        world = lived(MODES[mode], [order("m0", group=group), order("m1", key="m0", group=group, amount=9)], seed)
        check(world, GENTLE)
        (letter,) = world.dead_letter_queue.messages
        assert json.loads(letter.attributes["dead-letter"]["StringValue"])["error_type"] == "IdempotencyKeyReused"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("key_path", ["order.id", ""], ids=["key in the body", "message id"])
def test_a_redrive_after_the_fix_balances_the_books_whatever_the_key(mode: str, key_path: str) -> None:
    account = deployed(mode, key_path=key_path)
    group = "a" if account.fifo else None
    messages = [
        order(f"m{n}", does, group=group, at=n * 0.01)
        for n, does in enumerate(["ok", "permanent", "never", "shortage", "once"])
    ]
    world = lived(account, [*messages, Sent("bad", '{"order":', None, "malformed", group, 0.1)])
    check(world, GENTLE)
    assert world.dead_letters() == {"m1", "m2", "m3", "bad"}
    world.ledger.fixed = True
    redrive(world)
    world.close()
    assert world.dead_letters() == {"bad"}
    assert world.ledger.effects() == Counter({f"m{n}": 1 for n in range(5)})


@pytest.mark.parametrize("mode", KINDS)
def test_a_redriven_message_that_had_been_processed_is_not_processed_again(mode: str) -> None:
    """Its effect was recorded and its deletion lost, until SQS dead-lettered it: then its id is new, its key is not."""
    account = deployed(mode, key_path="", max_receive_count=1)
    world = World(account, 0, NoFaults(), lost=0.0)
    world.mapping._lose_delete = lambda: not world.ledger.fixed  # type: ignore[method-assign]
    world.send([order("m0")])
    world.run()
    assert world.dead_letters() == {"m0"}
    world.ledger.fixed = True
    redrive(world)
    world.close()
    assert not world.dead_letters()
    assert world.ledger.effects() == Counter({"m0": 1})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("messages", "seconds", "timeout"),
    [(10, 1.0, 6.0), (10, 2.0, 6.0), (20, 8.0, 30.0), (10, 5.2, 6.0), (10, 4.0, 30.0)],
)
def test_a_batch_that_takes_longer_than_the_timeout_kills_nobody(
    mode: str, messages: int, seconds: float, timeout: float
) -> None:
    """Work that does not fit is not started, and what was not started has not failed."""
    account = deployed(mode, timeout=timeout)
    group = "a" if account.fifo else None
    for seed in SEEDS:
        world = lived(
            account, [order(f"m{n}", seconds=seconds, group=group, at=n * 0.001) for n in range(messages)], seed
        )
        check(world, [invariant for invariant in GENTLE if invariant is not receives_are_few])
        assert not world.dead_letters()
        assert len(world.ledger.runs) == messages, "work was started in vain"


@pytest.mark.parametrize("mode", MODES)
def test_a_consumer_that_cannot_even_start_loses_nothing(mode: str) -> None:
    """A broken import, say: every invocation fails, and SQS dead-letters all before the queue forgets them."""
    account = deployed(mode)
    world = World(account, 0)
    start = world.function.start

    def broken(sandbox: object) -> object:
        if not world.ledger.fixed:
            raise ModuleNotFoundError("No module named 'ordres'")
        return start(sandbox)  # type: ignore[arg-type]

    world.function.start = broken
    group = "a" if account.fifo else None
    names = {f"m{n}" for n in range(15)}
    world.send([order(name, group=group) for name in sorted(names)])
    world.run()
    assert world.dead_letters() == names
    world.ledger.fixed = True
    redrive(world)
    world.close()
    assert not world.dead_letters()
    assert world.ledger.effects() == Counter(dict.fromkeys(names, 1))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("does", ["kills", "hangs"])
def test_poison_that_takes_its_process_with_it_dies_alone(mode: str, does: str) -> None:
    """Out of memory, a crash in native code, a loop without an end: nobody is left to say which message it was."""
    group = "a" if MODES[mode].fifo else None
    for seed in SEEDS:
        messages = [order(f"m{n}", does if n == 3 else "ok", group=group, at=n * 0.0001) for n in range(8)]
        world = lived(MODES[mode], messages, seed)
        check(world, GENTLE)
        assert world.dead_letters() == {"m3"}
        most = 1 if MODES[mode].effects else 2
        assert max(world.ledger.effects().values()) <= most, "neighbours ran again and again"


class LogThatBreaks:
    """Its first line cannot be written."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def info(self, text: str, **more: Any) -> None:
        if not self._broken:
            self._broken = True
            raise OSError("no space left on device")
        self._log.info(text, **more)


def test_no_commit_outlives_an_invocation_that_breaks_off() -> None:
    """It fails at its first log line, with commits under way and others waiting; its sandbox is used again."""
    for seed in SEEDS:
        world = World(deployed("effects", commit_threads=3, window=1.0), seed)
        world.function.reuse_chance = 1.0
        start = world.function.start

        def breaking(sandbox: Sandbox, start: Callable[[Sandbox], Any] = start) -> Any:
            edge = start(sandbox)
            return edge._replace(logger=LogThatBreaks(edge.logger))

        world.function.start = breaking
        world.send([order(f"m{n}", at=n * 0.001) for n in range(10)])
        world.run()
        world.close()
        check(world, WILD)
        assert not world.dead_letters()
        assert max(receives(world).values()) == 2


def test_a_lease_outlives_its_holder_on_every_clock() -> None:
    """The holder works until Lambda ends it; a duplicate wakes as soon as its own clock allows, a second ahead."""
    for seed in range(30):
        account = Account(effects=False, batch_size=1, timeout=10.0)
        messages = [order("m0", seconds=9.99), *(order(f"m{n}", key="m0", at=9.0 + n / 10) for n in range(1, 20))]
        world = lived(account, [replace(message, body=messages[0].body) for message in messages], seed)
        check(world, [a_key_runs_once_at_a_time])
