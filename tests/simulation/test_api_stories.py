"""One promise of an API, one story: what a key goes through, in numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from serverless_patterns_runtime.claims.claim import Claim

from .api_invariants import INVARIANTS, ApiInvariant, a_key_runs_once_at_a_time, check, watch
from .api_ledger import Ask
from .api_schedules import API_MODES
from .api_world import ApiWorld
from .faults import Call, Faults, When
from .world import CLAIMS, START

SEEDS = range(5)
GIVES_UP = 3


def lived(
    mode: str,
    asks: Sequence[Ask],
    seed: int = 0,
    faults: Faults | None = None,
    invariants: Sequence[ApiInvariant] = INVARIANTS,
    **different: Any,
) -> ApiWorld:
    world = ApiWorld(replace(API_MODES[mode], **different), seed, faults)
    watch(world)
    world.ask(asks)
    try:
        world.run()
        check(world, invariants)
    finally:
        world.close()
    return world


def statuses(world: ApiWorld) -> list[list[int]]:
    """What each client was told in the end."""
    return [[reply.status for _, reply in client.told] for client in world.clients]


def dies_at_work(times: int = 1) -> When:
    return When("crash after", lambda call: call.operation == "Work", times)


def meets(kind: str, operation: str, times: int = 1) -> When:
    return When(kind, lambda call: call.operation == operation, times)


@pytest.mark.parametrize("mode", API_MODES)
def test_twenty_at_once_have_one_effect_and_one_answer(mode: str) -> None:
    """Invariant 9 of all: N parallel requests with one key."""
    for seed in SEEDS:
        world = lived(mode, [Ask(f"{n}", seconds=0.5, again=1) for n in range(20)], seed)
        (operation,) = world.books.answers()
        assert (world.books.committed + world.books.external)[operation] == 1
        assert statuses(world) == [[201, 201]] * 20
        assert mode == "effects" or len(world.books.runs) == 1


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("operation", ["TransactWriteItems", "UpdateItem"])
def test_an_answer_that_dynamodb_lost_and_the_sdk_asked_for_again_costs_nobody_time(mode: str, operation: str) -> None:
    """AP2. The lease, or the commit, is known to be our own."""
    world = lived(mode, [Ask("a")], faults=meets("answer lost, repeated", operation, 9))
    ((since, reply),) = world.clients[0].told
    assert (reply.status, reply.replayed) == (201, False)
    assert reply.at - since < 1.0
    assert len(world.books.runs) == 1


@pytest.mark.parametrize("mode", API_MODES)
def test_a_gateway_that_stopped_waiting_changes_nothing(mode: str) -> None:
    """AP1: 504, while the function runs on; who asks again gets what it did."""
    world = lived(mode, [Ask("a", does="is slow once")], timeout=10.0, integration_timeout=2.0)
    assert next(reply.status for reply in world.books.replies) == 504
    assert statuses(world) == [[201]]
    (operation,) = world.books.answers()
    assert (world.books.committed + world.books.external)[operation] == 1
    assert mode == "effects" or len(world.books.runs) == 1


def test_no_key_is_stuck_beyond_its_deadline() -> None:
    """AP3: its holder dies; who keeps asking waits for the deadline, for clocks to agree, and for its own pause."""
    for seed in range(20):
        world = lived("leases", [Ask("a"), Ask("b", at=0.3)], seed, dies_at_work(), timeout=10.0)
        first, second = world.books.runs
        assert second.attempt == 2
        held = second.start - first.start
        assert 10.0 <= held <= 10.0 + 5.0 + 6.0, f"seed {seed}: the key was blocked for {held:.1f} s"


def test_with_effects_nobody_waits_for_the_dead() -> None:
    for seed in SEEDS:
        world = lived("effects", [Ask("a"), Ask("b", at=0.05)], seed, dies_at_work(), timeout=10.0)
        assert max(reply.at for client in world.clients for _, reply in client.told) < START + 3.0


def test_a_lease_outlives_its_holder_on_every_clock() -> None:
    """The holder works until Lambda ends it; others knock all the time, with clocks up to a second ahead."""
    taken_over = 0
    for seed in range(40):
        knocking = [Ask(f"{n}", seconds=9.99, at=9.0 + n / 4, obeys=False, patience=6) for n in range(1, 20)]
        world = lived(
            "leases",
            [Ask("a", seconds=9.99, patience=1), *knocking],
            seed,
            invariants=[a_key_runs_once_at_a_time],
            timeout=10.0,
        )
        taken_over += len(world.books.runs) > 1
    assert taken_over >= 5


def test_who_comes_with_another_body_after_a_death_is_refused_until_the_claim_expires() -> None:
    """The attempt that died may have taken effect for its own body."""
    for seed in SEEDS:
        asks = [
            Ask("a", patience=1),
            Ask("early", at=20.0, amount=7),
            Ask("late", at=150.0, amount=7, again=1),
            Ask("a again", at=170.0),
        ]
        world = ApiWorld(replace(API_MODES["leases"], timeout=6.0, retention=100), seed, dies_at_work())
        world.ask(asks)
        world.run()
        world.close()
        assert statuses(world) == [[], [422], [201, 201], [422]]
        assert [run.attempt for run in world.books.runs] == [1, 2]


def test_who_comes_back_with_the_same_body_after_a_death_is_done() -> None:
    for seed in SEEDS:
        asks = [Ask("a", patience=1), Ask("b", at=20.0, amount=7), Ask("a again", at=30.0)]
        world = lived("leases", asks, seed, dies_at_work(), timeout=6.0)
        assert statuses(world) == [[], [422], [201]]


@pytest.mark.parametrize("mode", API_MODES)
@pytest.mark.parametrize("swept", [False, True], ids=["still in the table", "deleted"])
def test_a_key_lives_by_its_own_numbers_whatever_time_to_live_has_deleted(mode: str, swept: bool) -> None:
    """AP7: within the retention the answer is kept, afterwards the key is new."""
    world = ApiWorld(replace(API_MODES[mode], retention=1000), 0)
    world.ask([Ask("a"), Ask("b", at=900.0), Ask("c", at=1100.0), Ask("d", at=1200.0)])
    if swept:
        world.schedule.at(START + 1050, lambda: world.dynamodb.tables[CLAIMS].items.clear())
    world.run()
    world.close()
    a, b, c, d = (reply for client in world.clients for _, reply in client.told)
    assert a.lasting == b.lasting != c.lasting == d.lasting
    assert [reply.replayed for reply in (a, b, c, d)] == [False, True, False, True]
    assert [run.attempt for run in world.books.runs if not world.deployment.effects] in ([], [1, 1])


def planted(mode: str, change: Any) -> ApiWorld:
    """A key is done; then its claim is changed, and two clients ask again."""
    world = ApiWorld(API_MODES[mode], 0)
    world.ask(
        [Ask("a"), Ask("b", at=10.0, patience=GIVES_UP, obeys=False), Ask("c", at=12.0, amount=7, patience=GIVES_UP)]
    )
    world.schedule.at(START + 5.0, lambda: [change(item) for item in world.dynamodb.tables[CLAIMS].items.values()])
    world.run()
    world.close()
    return world


@pytest.mark.parametrize("mode", API_MODES)
def test_a_claim_of_an_older_version_without_an_answer_is_not_done_again_and_none_is_made_up(mode: str) -> None:
    world = planted(mode, lambda item: item.pop("answer"))
    assert statuses(world) == [[201], [409], [422]]
    assert set((world.books.committed + world.books.external).values()) == {1}


@pytest.mark.parametrize("mode", API_MODES)
def test_a_claim_without_a_deadline_is_never_stolen(mode: str) -> None:
    """AP4."""

    def without_a_deadline(item: dict[str, Any]) -> None:
        del item["free_at"], item["answer"]
        item |= {"done": {"BOOL": False}, "owner": {"S": "somebody"}}

    world = planted(mode, without_a_deadline)
    assert statuses(world) == [[201], [], [422]]
    assert [reply.status for reply in world.books.replies if reply.ask.name == "b"] == [409] * GIVES_UP
    assert mode == "effects" or len(world.books.runs) == 1
    (claim,) = world.claims().values()
    assert claim["owner"] == {"S": "somebody"}


@pytest.mark.parametrize("mode", API_MODES)
def test_an_answer_that_cannot_be_kept_has_at_most_one_effect(mode: str) -> None:
    """AP8, above 300 KB: with effects nothing is committed, with a lease nothing is done twice."""
    world = lived(mode, [Ask("a", does="is too large", patience=5)])
    told = [reply.status for reply in world.books.replies]
    assert told == ([500] * 5 if mode == "effects" else [500, 409])
    assert sum((world.books.committed + world.books.external).values()) == (0 if mode == "effects" else 1)


@pytest.mark.parametrize("mode", API_MODES)
def test_what_the_function_refuses_is_free_for_another_try(mode: str) -> None:
    world = lived(mode, [Ask("a", does="is refused"), Ask("b", at=1.0, amount=2)])
    assert statuses(world) == [[402], [201]]


@pytest.mark.parametrize("mode", API_MODES)
def test_a_table_that_is_throttled_for_a_minute_delays_and_doubles_nothing(mode: str) -> None:
    until = START + 60

    def throttled(call: Call) -> bool:
        return call.service == "dynamodb" and world.schedule.now < until

    world = ApiWorld(API_MODES[mode], 0, When("throttled", throttled, 10**6))
    watch(world)
    world.ask([Ask(f"{n}", does="reads its own writes", at=n * 5.0) for n in range(8)])
    world.run()
    world.close()
    check(world, INVARIANTS)
    assert statuses(world) == [[201]] * 8
    assert max(reply.at for client in world.clients for _, reply in client.told) < until + 40.0


@pytest.mark.parametrize("mode", API_MODES)
def test_a_function_that_cannot_even_start_has_no_effect_and_no_claim(mode: str) -> None:
    world = ApiWorld(API_MODES[mode], 0)
    start = world.function.start

    def broken(sandbox: Any) -> Any:
        if world.schedule.now < START + 30:
            raise ModuleNotFoundError("No module named 'paymets'")
        return start(sandbox)

    world.function.start = broken
    world.ask([Ask("a"), Ask("b")])
    world.run()
    world.close()
    check(world, INVARIANTS)
    assert statuses(world) == [[201], [201]]


def test_the_claim_of_an_operation_is_the_same_in_every_sandbox() -> None:
    """A hash with a seed of its own for each process would forget every key."""
    world = ApiWorld(API_MODES["leases"], 0)
    world.function.reuse_chance = 0.0
    world.ask([Ask(f"{n}", at=n) for n in range(5)])
    world.run()
    world.close()
    assert statuses(world) == [[201]] * 5
    assert len(world.books.runs) == 1
    assert len(world.claims()) == 1
    assert isinstance(world.books.runs[0].claim, str)
    assert world.books.runs[0].claim == Claim("Api", world.books.runs[0].idempotency_key, "").id
