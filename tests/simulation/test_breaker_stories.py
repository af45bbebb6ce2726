"""A circuit breaker and a queue's consumers, one promise a story: outages, probers, deployments, its own table."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings

from .faults import ANYWHERE, Chosen, Faults, NoFaults, When
from .guarding import BREAKERS, SETTINGS, of_the_breaker, open_until, state
from .invariants import (
    GENTLE,
    WILD,
    check,
    effects_happen_once,
    groups_keep_their_order,
    healthy_messages_stay_out_of_the_dead_letter_queue,
    nothing_is_lost,
    receives,
    receives_are_few,
    retries_wait,
    the_cap_holds,
    watch_claims,
    work_is_not_done_in_vain,
)
from .ledger import Sent
from .schedules import MODES
from .world import START, Account, World, order

OF_SETTINGS = 6
OVER_AN_OUTAGE = tuple(invariant for invariant in GENTLE if invariant not in (receives_are_few, retries_wait))
UNDER_ANY_SETTINGS = tuple(one for one in OVER_AN_OUTAGE if one is not work_is_not_done_in_vain)


def guarded(mode: str, **different: Any) -> Account:
    return Account(**{**MODES[mode].__dict__, "breaker": SETTINGS, **different})


def any_account(mode: str, chance: random.Random) -> Account:
    open_for = chance.choice((1, 30, 300))
    settings = BreakerSettings(
        table=BREAKERS,
        failure_threshold=chance.choice((1, 5, 100)),
        window_seconds=chance.choice((1, 60, 3600)),
        open_seconds=open_for,
        cache_seconds=min(open_for, chance.choice((0, 5, 60))),
        counts=chance.choice(([], ["SupplierDown"])),
    )
    return guarded(
        mode,
        breaker=settings,
        timeout=chance.choice((6.0, 30.0)),
        max_receive_count=chance.choice((1, 2, 5)),
        max_concurrency=chance.choice((2, 5)),
        retry_base=chance.choice((1, 60)),
        retry_max=chance.choice((60, 900)),
    )


def made(
    account: Account,
    messages: Sequence[Sent],
    seed: int = 0,
    faults: Faults | None = None,
    outage: tuple[float, float] | None = None,
) -> World:
    world = World(account, seed, faults or NoFaults())
    watch_claims(world)
    world.send(messages)
    if outage is not None:
        world.ledger.outages.append((START + outage[0], START + outage[1]))
    return world


def lived(world: World) -> World:
    try:
        world.run()
    finally:
        world.close()
    return world


def runs_between(world: World, start: float, end: float) -> int:
    return sum(start <= run.start < end for run in world.ledger.runs)


def orders(account: Account, count: int, **more: Any) -> list[Sent]:
    return [order(f"m{n}", group=f"g{n % 4}" if account.fifo else None, at=n * 0.01, **more) for n in range(count)]


@pytest.mark.parametrize("mode", MODES)
def test_an_outage_of_ten_times_receives_times_visibility_leaves_no_dead_letter(mode: str) -> None:
    """Then all are processed, once, in the order of their groups; and a deployment in the middle changes nothing."""
    account = guarded(mode)
    outage = 10 * account.max_receive_count * account.visibility_timeout
    world = made(account, orders(account, 30), outage=(0, outage))
    late = [order(f"late{n}", group="g0" if account.fifo else None, at=outage * n / 5) for n in range(1, 5)]
    world.send(late)
    world.schedule.at(START + outage / 2, world.function.idle.clear)  # a deployment: nobody remembers anything
    lived(world)
    check(world, OVER_AN_OUTAGE)
    assert not world.dead_letters()
    assert state(world.dynamodb) == "closed"
    calls = runs_between(world, 0, START + outage)
    most = SETTINGS["failure_threshold"] + account.max_concurrency + outage / SETTINGS["open_seconds"]
    assert calls <= most, f"{calls} calls of what is down"
    assert max(receives(world).values()) < 60
    over = max(time for time, _ in world.ledger.committed) if account.effects else max(world.ledger.external)[0]
    assert over - (START + outage) < 1.1 * 1200 + 60, "twenty minutes at most, and a little"


@pytest.mark.parametrize("mode", MODES)
def test_a_lone_message_whose_tries_never_fall_into_one_window_survives_the_outage(mode: str) -> None:
    """As long an outage, and a message an hour; each try waits for the supplier, so that five are longer than a window.
    When the first has used up its tries, a call is asked to find out, and nothing closes before one is answered."""
    account = guarded(mode)
    outage = 10 * account.max_receive_count * account.visibility_timeout
    for seed in range(3):
        world = lived(made(account, one_every(3600, outage, account, seconds=20.0), seed, outage=(0, outage)))
        check(world, OVER_AN_OUTAGE)
        assert not world.dead_letters()
        first = world.guard.transitions[0][2]
        assert (first["from"], first["to"]) == ("closed", "half-open"), "the failures were too far apart to open it"
        assert state(world.dynamodb) == "closed"
        calls = runs_between(world, 0, START + outage)
        assert calls <= account.max_receive_count + outage / SETTINGS["open_seconds"]


def one_every(wait: float, until: float, account: Account, **more: Any) -> list[Sent]:
    count = int(until / wait) + 1
    return [order(f"m{n}", group=f"g{n % 2}" if account.fifo else None, at=n * wait, **more) for n in range(count)]


@pytest.mark.parametrize("mode", MODES)
def test_whatever_the_settings_and_the_traffic_an_outage_leaves_no_dead_letter(mode: str) -> None:
    for seed in range(OF_SETTINGS):
        chance = random.Random(f"{mode} {seed}")
        account = any_account(mode, chance)
        begins = chance.choice((0.0, 100.0))
        outage = 10 * account.max_receive_count * account.visibility_timeout
        wait = chance.choice((0.01, 20.0, outage / 3))
        messages = one_every(wait, min(20 * wait, outage), account, seconds=chance.choice((0.1, account.timeout / 3)))
        world = World(account, seed, duplicates=chance.choice((0, 0.1)), lost=chance.choice((0, 0.1)))
        watch_claims(world)
        world.send(messages)
        world.ledger.outages.append((START + begins, START + begins + outage))
        lived(world)
        check(world, UNDER_ANY_SETTINGS)
        assert not world.dead_letters(), f"seed {seed}: {account}"


@pytest.mark.parametrize("mode", MODES)
def test_poison_among_healthy_work_is_a_dead_letter_in_minutes_and_stops_nobody(mode: str) -> None:
    """It is excused once. Whoever is asked next gets an answer, so what fails on is the message."""
    settings = BreakerSettings(**{**SETTINGS, "failure_threshold": 100})  # type: ignore[typeddict-item]
    account = guarded(mode, breaker=settings)
    for seed in range(3):
        poison = order("poison", "never", group="poisoned" if account.fifo else None, at=50.0)
        world = lived(made(account, [*one_every(5, 1800, account), poison], seed))
        check(world, (nothing_is_lost, effects_happen_once, groups_keep_their_order, the_cap_holds))
        assert world.dead_letters() == {"poison"}
        assert world.history.dead["poison"] < START + 50 + 600
        assert len(world.ledger.runs_of("poison")) == 2 * account.max_receive_count
        assert world.guard.metrics["CircuitOpened"] == 0
        assert world.guard.metrics["CircuitRefused"] <= 2, "itself, and who asks in the moment of the probe"


@pytest.mark.parametrize("mode", MODES)
def test_whatever_the_settings_poison_is_a_dead_letter_long_before_it_is_too_old(mode: str) -> None:
    """Where others call too; also when each of its failures opens the breaker, and when it often probes."""
    for seed in range(OF_SETTINGS):
        chance = random.Random(f"{mode} {seed}")
        account = any_account(mode, chance)
        assert account.breaker is not None
        tries = 2 * account.max_receive_count
        longest = 4 * tries * (account.retry_max + 2.2 * account.breaker["open_seconds"] + account.visibility_timeout)
        poison = order("poison", "never", group="poisoned" if account.fifo else None, at=50.0)
        world = lived(made(account, [*one_every(longest / 300, longest, account), poison], seed))
        check(world, (nothing_is_lost, effects_happen_once, groups_keep_their_order, the_cap_holds))
        assert world.dead_letters() == {"poison"}
        took = world.history.dead["poison"] - START - 50
        assert took < longest, f"seed {seed}: {took:.0f} s of {longest:.0f}: {account}"


@pytest.mark.parametrize("mode", ["effects", "leases", "effects, FIFO"])
def test_poison_that_is_alone_is_a_dead_letter_before_it_would_vanish(mode: str) -> None:
    """Nobody else calls what it fails at: that is an outage, as far as anybody can know. It ends by its age."""
    account = guarded(mode)
    world = lived(made(account, [order("poison", "never", group="g" if account.fifo else None)]))
    check(world, (nothing_is_lost, the_cap_holds))
    assert world.dead_letters() == {"poison"}
    assert world.history.dead["poison"] < START + account.queue_retention
    (letter,) = world.dead_letter_queue.messages
    assert json.loads(letter.attributes["dead-letter"]["StringValue"])["error_type"] == "Expired"


@pytest.mark.parametrize("mode", ["effects", "leases", "effects, FIFO"])
def test_while_open_the_backlog_stands_still(mode: str) -> None:
    """What the functions hold is all that is taken out of the queue: the rest is not received once."""
    account = guarded(mode, max_concurrency=2)
    messages = [order(f"m{n}", group=f"g{n}" if account.fifo else None, at=n * 0.0001) for n in range(600)]
    world = made(account, messages, outage=(0, 120))
    received_in_the_outage: list[int] = []
    count = lambda: received_in_the_outage.append(sum(m.receive_count for m in world.queue.messages))  # noqa: E731
    world.schedule.at(START + 120, count)
    lived(world)
    check(world, OVER_AN_OUTAGE)
    holds = account.max_concurrency * (120 / (account.timeout / 2) + 1)
    failures = SETTINGS["failure_threshold"] + account.max_concurrency + 120 / SETTINGS["open_seconds"]
    assert received_in_the_outage[0] <= account.batch_size * (holds + failures)


@pytest.mark.parametrize("seed", range(10))
def test_of_twenty_functions_at_the_end_of_the_cool_down_one_calls(seed: int) -> None:
    account = guarded("leases", batch_size=1, max_concurrency=20)
    messages = [order(f"m{n}", at=50.0 + n * 0.001, seconds=2.0) for n in range(20)]
    world = made(account, messages, seed)
    open_until(world.dynamodb, START, 60)
    lived(world)
    check(world, OVER_AN_OUTAGE)
    assert world.function.peak == 20
    probe = min(world.ledger.runs, key=lambda run: run.start)
    assert probe.start >= START + 59, "a clock may be a second ahead"
    assert runs_between(world, 0, probe.over) == 1
    assert world.guard.metrics["CircuitProbed"] == 1


@pytest.mark.parametrize("seed", range(10))
def test_a_prober_s_death_lets_exactly_one_other_probe_when_its_time_is_over(seed: int) -> None:
    account = guarded("leases", batch_size=1, max_concurrency=10)
    messages = [order(f"m{n}", at=59.0 + n * 0.001, seconds=2.0) for n in range(10)]
    world = made(account, messages, seed, When("crash after", lambda call: call.operation == "Work"))
    open_until(world.dynamodb, START, 60)
    lived(world)
    check(world, WILD)
    first, second = sorted(world.ledger.runs, key=lambda run: run.start)[:2]
    assert first.end is None, "it died"
    assert second.start >= first.start + account.timeout - 3, "its invocation might have lasted as long"
    assert runs_between(world, 0, second.over) == 2
    assert not world.dead_letters()


@pytest.mark.parametrize("mode", MODES)
def test_when_the_breaker_s_table_is_down_work_goes_on(mode: str) -> None:
    account = guarded(mode)
    world = made(account, orders(account, 20), faults=When("unreachable", of_the_breaker, times=10**9))
    lived(world)
    check(world, GENTLE)
    assert set(receives(world).values()) == {1}
    assert world.guard.metrics["CircuitStoreUnavailable"] >= 1
    assert max(run.start for run in world.ledger.runs) < START + 15


@pytest.mark.parametrize("mode", MODES)
def test_whatever_happens_to_requests_and_sandboxes_an_outage_loses_nothing(mode: str) -> None:
    for seed in range(15):
        account = guarded(mode)
        world = World(account, seed, duplicates=0.05, lost=0.05)
        world.faults = world.network.faults = Chosen(world.chance, 0.1, 20, ANYWHERE)
        watch_claims(world)
        world.send(orders(account, 12))
        world.ledger.outages.append((START + 1, START + 400))
        lived(world)
        check(world, WILD)


def test_poison_dies_by_its_own_attempts_when_the_outage_is_over() -> None:
    account = guarded("effects, FIFO batches")
    messages = [order(f"m{n}", "permanent" if n == 3 else "ok", group="a", at=n * 0.001) for n in range(8)]
    world = lived(made(account, messages, outage=(0, 600)))
    check(world, (nothing_is_lost, effects_happen_once, groups_keep_their_order, the_cap_holds))
    assert world.dead_letters() == {"m3"}


def test_a_message_that_kills_its_function_dies_though_it_probes() -> None:
    """Its attempts are counted before they begin; only who lives to say so takes one back."""
    account = guarded("effects", max_receive_count=3)
    messages = [order("m0", "kills"), order("m1", at=0.001), order("m2", at=400.0)]
    world = made(account, messages, outage=(0, 300))
    lived(world)
    check(world, (nothing_is_lost, effects_happen_once, healthy_messages_stay_out_of_the_dead_letter_queue))
    assert world.dead_letters() == {"m0"}
