"""A circuit breaker before an API's routes, one promise a story: what callers are told, what becomes of their keys."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from .api_invariants import INVARIANTS, ApiInvariant, check, watch
from .api_ledger import Ask, Reply
from .api_schedules import API_MODES
from .api_world import ApiWorld, Handled
from .faults import ANYWHERE, CLIENTS, Chosen, Faults, When
from .guarding import SETTINGS, of_the_breaker, open_until, state
from .world import START

SEEDS = range(3)
OUTAGE = 200.0


def made(mode: str, asks: Sequence[Ask], seed: int = 0, faults: Faults | None = None, **different: Any) -> ApiWorld:
    world = ApiWorld(replace(API_MODES[mode], **{"breaker": SETTINGS, **different}), seed, faults)
    watch(world)
    world.on_handled.append(lambda handled: what_is_refused_is_said_and_claims_nothing(world, handled))
    world.ask(asks)
    return world


def lived(world: ApiWorld, invariants: Sequence[ApiInvariant] = INVARIANTS) -> ApiWorld:
    try:
        world.run()
        check(world, invariants)
    finally:
        world.close()
    return world


def what_is_refused_is_said_and_claims_nothing(world: ApiWorld, handled: Handled) -> None:
    """At every answer: the claims there are belong to calls that were made."""
    claimed = {claim for (claim,) in world.claims()}
    unknown = claimed - {run.claim for run in world.books.runs}
    assert len(unknown) < world.function.running, f"claimed, and nothing was called: {unknown}"
    if handled.result["statusCode"] == 503 and not handled.mishaps:
        (seconds,) = handled.result["multiValueHeaders"]["Retry-After"]
        assert world.guard is not None
        assert 1 <= int(seconds) <= max(world.guard.settings["open_seconds"], world.deployment.timeout) + 3


def refused(world: ApiWorld) -> list[Reply]:
    return [reply for reply in world.books.replies if reply.status == 503]


def runs_between(world: ApiWorld, start: float, end: float) -> int:
    return sum(start <= run.start < end for run in world.books.runs)


def one_every(wait: float, until: float, **more: Any) -> list[Ask]:
    return [Ask(f"{n}", key=f"key-{n}", at=n * wait, **more) for n in range(int(until / wait))]


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_an_outage_burns_no_key_and_every_request_is_done_once_after_it(mode: str, seed: int) -> None:
    """Each client asks with its key until it is told; whoever is refused is told when to come back."""
    world = made(mode, one_every(2.0, OUTAGE), seed)
    world.outage(10.0, 10.0 + OUTAGE)
    lived(world)
    assert [[reply.status for _, reply in client.told] for client in world.clients] == [[201]] * len(world.clients)
    assert state(world.dynamodb) == "closed"
    assert len(refused(world)) > 60
    calls = runs_between(world, START + 10.0, START + 10.0 + OUTAGE)
    most = SETTINGS["failure_threshold"] + world.function.peak + OUTAGE / SETTINGS["open_seconds"]
    assert calls <= most, f"{calls} calls of what is down"


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_key_that_was_only_refused_is_done_as_if_it_had_never_been_sent(mode: str, seed: int) -> None:
    """Its first call is its first attempt, and another body may have it: the breaker has not burnt it."""
    early = [Ask(f"early {n}", key=f"key-{n}", at=5.0 + n, patience=1) for n in range(10)]
    late = [Ask(f"late {n}", key=f"key-{n}", at=100.0 + n, amount=2) for n in range(10)]
    world = made(mode, [*early, *late], seed, breaker={**SETTINGS, "open_seconds": 60})
    open_until(world.dynamodb, START, 60.0)
    lived(world)
    assert [reply.status for reply in refused(world)] == [503] * 10
    assert [[reply.status for _, reply in client.told] for client in world.clients] == [[]] * 10 + [[201]] * 10
    assert [run.attempt for run in world.books.runs] == [1] * 10


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("seed", range(5))
def test_of_many_callers_at_the_end_of_the_cool_down_one_is_let_through(mode: str, seed: int) -> None:
    asks = [Ask(f"{n}", key=f"key-{n}", at=61.5 + n * 0.01, seconds=2.0) for n in range(20)]
    world = made(mode, asks, seed)
    open_until(world.dynamodb, START, 60.0)
    lived(world)
    probe = min(world.books.runs, key=lambda run: run.start)
    assert runs_between(world, 0, probe.over) == 1
    assert len(refused(world)) >= 19
    assert world.guard.metrics["CircuitProbed"] == 1
    assert [[reply.status for _, reply in client.told] for client in world.clients] == [[201]] * 20


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("seed", range(5))
def test_the_key_of_a_probe_whose_function_dies_is_done_and_exactly_one_other_probes(mode: str, seed: int) -> None:
    """Two clients ask with its key, others with theirs: nobody waits for more than the time that it had."""
    asks = [
        Ask("a", key="key-a", at=61.5, patience=20),
        Ask("a again", key="key-a", at=62.0, patience=20),
        *(Ask(f"{n}", key=f"key-{n}", at=63.0 + n, patience=20) for n in range(10)),
    ]
    dies = When("crash after", lambda call: call.operation == "Work")
    world = made(mode, asks, seed, dies, timeout=20.0)
    open_until(world.dynamodb, START, 60.0)
    lived(world)
    first, *others = sorted(world.books.runs, key=lambda run: run.start)
    assert others, "nobody probes again"
    second = others[0]
    assert first.operation == "alice POST /payments key-a"
    assert second.start >= first.start + 20.0
    assert runs_between(world, 0, second.over) == 2
    again = world.books.runs_of(first.operation)
    assert mode == "effects" or [run.attempt for run in again] == [1, 2]
    told = [reply for client in world.clients for _, reply in client.told]
    assert [reply.status for reply in told] == [201] * 12
    assert max(reply.at for reply in told) <= first.start + 20.0 + 20.0


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_probe_that_finds_its_key_done_leaves_the_probe_to_others(mode: str, seed: int) -> None:
    """Replays meet the end of the cool-down first: they need no downstream, and say nothing of it."""
    known = [Ask(f"known {n}", key=f"known-{n}", at=n * 0.1, again=0) for n in range(10)]
    again = [Ask(f"again {n}", key=f"known-{n}", at=71.5 + n * 0.05) for n in range(10)]
    world = made(mode, [*known, *again, Ask("new", key="new", at=72.5)], seed)
    world.schedule.at(START + 10.0, lambda: open_until(world.dynamodb, START, 70.0))
    lived(world)
    assert [reply.status for reply in world.books.replies if reply.ask.name.startswith("again")] == [201] * 10
    assert world.clients[-1].told[0][1].at < START + 72.5 + 15.0, (
        "not only when the time of one that calls nothing is over"
    )


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_answered_is_answered_again_while_it_is_open(mode: str, seed: int) -> None:
    known = [Ask(f"known {n}", key=f"known-{n}", at=n * 0.1) for n in range(10)]
    again = [Ask(f"again {n}", key=f"known-{n}", at=20.0 + n) for n in range(10)]
    world = made(mode, [*known, *again], seed)
    world.schedule.at(START + 10.0, lambda: open_until(world.dynamodb, START, 70.0))
    lived(world)
    assert refused(world) == []
    assert runs_between(world, START + 20.0, float("inf")) == 0
    assert all(reply.replayed for client in world.clients[10:] for _, reply in client.told)


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_fallback_answers_at_once_and_who_comes_back_gets_the_real_answer(mode: str, seed: int) -> None:
    during = one_every(2.0, OUTAGE)
    after = [replace(ask, name=f"{ask.name} again", at=ask.at + OUTAGE + 60.0) for ask in during]
    world = made(mode, [*during, *after], seed, fallback=True)
    world.outage(0.0, OUTAGE)
    lived(world)
    told = {client.ask.name: [reply for _, reply in client.told] for client in world.clients}
    by_fallback = [name for name, (reply,) in told.items() if reply.of_fallback]
    assert len(by_fallback) > len(during) / 2
    assert not [name for name in by_fallback if name.endswith("again")]
    assert {reply.status for ask in after for reply in told[ask.name]} == {201}
    waited = [reply.at - since for client in world.clients for since, reply in client.told if reply.of_fallback]
    assert max(waited) < 15.0, "nobody waits for the end of the outage"
    assert refused(world) == []


@pytest.mark.parametrize("mode", API_MODES)
def test_without_the_breaker_s_table_an_api_goes_on(mode: str) -> None:
    unreachable = When("unreachable", of_the_breaker, times=10**9)
    world = lived(made(mode, one_every(1.0, 60.0, patience=1), faults=unreachable))
    assert [reply.status for reply in world.books.replies] == [201] * 60
    assert world.guard.metrics["CircuitStoreUnavailable"] >= 1


@pytest.mark.parametrize("mode", API_MODES)
def test_whatever_happens_to_requests_and_sandboxes_a_key_is_done_once_over_an_outage(mode: str) -> None:
    for seed in range(10):
        world = ApiWorld(replace(API_MODES[mode], breaker=SETTINGS, timeout=10.0), seed)
        world.faults = world.network.faults = Chosen(world.chance, 0.1, 15, (*ANYWHERE, *CLIENTS))
        watch(world)
        world.ask([Ask(f"{n}", key=f"key-{n % 6}", at=n * 3.0) for n in range(24)])
        world.outage(5.0, 120.0)
        lived(world)
        assert {reply.status for client in world.clients for _, reply in client.told} == {201}
