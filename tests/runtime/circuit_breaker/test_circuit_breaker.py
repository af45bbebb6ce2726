import contextlib
import random
import threading
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from serverless_patterns_runtime.circuit_breaker import circuit_breaker, contract
from serverless_patterns_runtime.errors import CircuitOpen, PermanentError

from .. import scripted_aws
from .fleet import Down, Fleet, Timeout

TIMEOUT = ReadTimeoutError(endpoint_url="https://dynamodb.invalid")


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


# Closed.


def test_closed_it_asks_once_a_cache_age_and_a_success_costs_nothing_more(fleet: Fleet):
    for _ in range(1000):
        assert fleet.call() == "answered"
    assert fleet.dynamodb.operations == ["GetItem"]
    fleet.clock.now += 5.1
    fleet.call()
    assert fleet.dynamodb.operations == ["GetItem", "GetItem"]
    assert fleet.metrics == {}


def test_as_many_failures_as_the_threshold_open_it_whoever_had_them(fleet: Fleet):
    fleet.down = Down()
    assert [fleet.call(number) for number in range(3)] == ["Down"] * 3
    assert [fleet.call(number) for number in (2, 3, 4)] == ["refused"] * 3
    assert fleet.calls == 3
    assert fleet.metrics == {contract.METRIC_OPENED: 1}
    assert fleet.transitions() == [("closed", "open", 1)]


def test_a_failure_costs_one_write(fleet: Fleet):
    fleet.down = Down()
    fleet.call()
    fleet.call()
    assert fleet.dynamodb.operations == ["GetItem", "UpdateItem", "UpdateItem"]


def test_failures_further_apart_than_the_window_never_open_it(fleet: Fleet):
    fleet.down = Down()
    for _ in range(20):
        assert fleet.call() == "Down"
        fleet.clock.now += 31
    assert fleet.transitions() == []
    assert len(fleet.item()["failures"]["L"]) <= 2


def test_successes_do_not_forgive_failures_within_the_window(fleet: Fleet):
    """A count of consecutive failures would never open for a downstream of which every other call fails."""
    for _ in range(3):
        fleet.down = Down()
        fleet.call()
        fleet.down = None
        fleet.call()
    assert fleet.call() == "refused"


def test_the_item_stays_small(fleet: Fleet):
    fleet.settings["failure_threshold"] = 100
    fleet.down = Down()
    for _ in range(99):
        fleet.call()
    assert len(fleet.item()["failures"]["L"]) == 99
    fleet.call()
    assert "failures" not in fleet.item()


@pytest.mark.parametrize(
    ("counts", "error", "counted"),
    [
        ([], Down(), True),
        ([], SystemExit(1), True),
        ([], PermanentError("no such card"), False),
        (["Down"], Down(), True),
        (["Down"], Timeout(), True),
        (["Timeout"], Down(), False),
        (["Exception"], Timeout(), True),
        (["Down"], ValueError(), False),
        (["PermanentError"], PermanentError("gone"), True),
    ],
)
def test_an_error_counts_by_the_name_of_its_class_or_a_base_class(counts: list[str], error: Exception, counted: bool):
    fleet = Fleet(counts=counts, failure_threshold=1)
    permit = fleet.breaker().permit(lambda: 10.0)

    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        permit.run(fail)
    assert (fleet.call() == "refused") is counted


def test_an_interrupt_is_no_failure():
    fleet = Fleet(failure_threshold=1)

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fleet.breaker().permit(lambda: 10.0).run(interrupted)
    assert fleet.call() == "answered"


def test_failures_counted_at_the_same_moment_are_all_counted(fleet: Fleet):
    """Both have read the same; the second's write is refused, told what holds, and made anew."""
    fleet.down = Down()
    for number in range(3):
        fleet.breaker(number).permit(lambda: 10.0)  # each has looked, and knows of no failure
    assert [fleet.call(number) for number in range(3)] == ["Down"] * 3
    assert fleet.item().get("state") == {"S": "open"}


def test_who_never_gets_to_write_gives_up_and_says_so(fleet: Fleet):
    def interfere(carry_out: Any) -> Any:
        fleet.clock.now += 0.001
        key = {"breaker": {"S": "Partner"}}
        value = {":now": {"L": [{"N": str(fleet.clock.now)}]}}
        fleet.dynamodb.service.update_item(
            TableName="breakers", Key=key, UpdateExpression="SET failures = :now", ExpressionAttributeValues=value
        )
        return carry_out()

    fleet.dynamodb.meets["UpdateItem"] = interfere
    fleet.down = Down()
    assert fleet.call() == "Down"
    assert fleet.dynamodb.operations.count("UpdateItem") == circuit_breaker.COUNT_TRIES
    assert "not counted" in fleet.log[-1]["message"]


def test_a_call_that_began_before_it_opened_and_closed_again_counts_for_nothing():
    fleet = Fleet(failure_threshold=1)
    late = fleet.breaker(1).permit(lambda: 100.0)
    fleet.opened()
    fleet.clock.now += 31
    assert fleet.call() == "answered"
    fleet.down = Down()
    with pytest.raises(Down):
        late.run(fleet.downstream)
    assert fleet.item()["state"] == {"S": "closed"}
    assert "failures" not in fleet.item()


def test_a_failure_of_a_function_that_saw_it_closed_a_moment_ago_changes_nothing_while_open(fleet: Fleet):
    fleet.call(1)
    fleet.opened()
    before = fleet.item()
    fleet.down = Down()
    assert fleet.call(1) == "Down"
    assert fleet.item() == before
    assert fleet.call(1) == "refused", "the refused write has said that it is open"


# Open.


def test_open_nothing_reaches_the_downstream_and_nobody_asks_the_table(fleet: Fleet):
    fleet.opened()
    calls, operations = fleet.calls, len(fleet.dynamodb.operations)
    for _ in range(100):
        assert fleet.call() == "refused"
        fleet.clock.now += 0.29
    assert (fleet.calls, len(fleet.dynamodb.operations)) == (calls, operations)


def test_a_refusal_says_when_the_next_call_may_be_made_and_since_when_it_is_open(fleet: Fleet):
    fleet.opened()
    with pytest.raises(CircuitOpen) as raised:
        fleet.breaker(1).permit(lambda: 10.0)
    assert raised.value.retry_at == pytest.approx(fleet.clock.now + 30, abs=0.001)
    assert raised.value.opened_at == pytest.approx(fleet.clock.now, abs=0.001)


def test_refused_calls_are_counted_once_each(fleet: Fleet):
    fleet.breaker().refused(3)
    fleet.breaker().refused(0)
    assert fleet.metrics == {contract.METRIC_REFUSED: 3}


# Half-open.


def test_of_twenty_at_the_end_of_the_cool_down_one_calls(fleet: Fleet):
    fleet.opened()
    assert [fleet.call(number) for number in range(20)] == ["refused"] * 20
    fleet.clock.now += 30
    calls = fleet.calls
    said: list[str] = []

    def all_others_at_the_same_time() -> str:
        said.extend(fleet.call(number) for number in range(1, 20))
        return fleet.downstream()

    assert fleet.call(0, all_others_at_the_same_time) == "answered"
    assert said == ["refused"] * 19
    assert fleet.calls == calls + 1
    assert fleet.metrics[contract.METRIC_PROBED] == 1


def test_twenty_threads_at_the_end_of_the_cool_down_make_one_call(fleet: Fleet):
    """As above, with real concurrency."""
    fleet.opened()
    fleet.clock.now += 30
    calls = fleet.calls
    done, lock, answers = threading.Barrier(20, timeout=10), threading.Lock(), Counter[str]()
    fleet.dynamodb.meets["UpdateItem"] = fleet.dynamodb.meets["GetItem"] = lambda carry_out: _locked(lock, carry_out)

    def probe() -> str:
        done.wait()
        return fleet.downstream()

    def one(number: int) -> None:
        answer = fleet.call(number, probe)
        answers[answer] += 1
        if answer == "refused":
            done.wait()

    breakers = [fleet.breaker(number) for number in range(20)]
    assert len(set(map(id, breakers))) == 20
    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == {"answered": 1, "refused": 19}
    assert fleet.calls == calls + 1


def _locked(lock: threading.Lock, carry_out: Any) -> Any:
    with lock:
        return carry_out()


def test_a_probe_that_succeeds_closes_it_for_all(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30
    assert fleet.call(1) == "answered"
    assert [fleet.call(number) for number in range(3)] == ["answered"] * 3
    assert fleet.item() == {"breaker": {"S": "Partner"}, "state": {"S": "closed"}, "epoch": {"N": "2"}}
    assert fleet.transitions() == [("closed", "open", 1), ("open", "half-open", 1), ("half-open", "closed", 2)]
    assert fleet.metrics == {contract.METRIC_OPENED: 1, contract.METRIC_PROBED: 1, contract.METRIC_CLOSED: 1}


def test_a_probe_that_fails_opens_it_for_another_cool_down(fleet: Fleet):
    fleet.opened()
    opened_at = fleet.item()["opened_at"]
    fleet.clock.now += 30
    fleet.down = Timeout()
    assert fleet.call(1) == "Timeout"
    assert fleet.call(2) == "refused"
    fleet.clock.now += 29.9
    assert fleet.call(1) == fleet.call(2) == "refused"
    fleet.clock.now += 0.2
    fleet.down = None
    assert fleet.item()["opened_at"] == opened_at, "the outage goes on"
    assert fleet.call(2) == "answered"
    assert fleet.metrics[contract.METRIC_OPENED] == 2
    assert fleet.transitions()[2] == ("half-open", "open", 2)


def test_a_probe_that_fails_with_what_does_not_count_closes_it(fleet: Fleet):
    """The downstream has answered."""
    fleet.opened()
    fleet.clock.now += 30
    fleet.down = PermanentError("no such card")
    assert fleet.call(1) == "PermanentError"
    assert fleet.item()["state"] == {"S": "closed"}


def test_while_a_probe_is_under_way_the_others_look_again_once_a_cache_age(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30
    probe = fleet.breaker(0).permit(lambda: 100.0)
    fleet.dynamodb.operations.clear()
    for _ in range(40):
        assert fleet.call(1) == "refused"
        fleet.clock.now += 0.25
    assert fleet.dynamodb.operations == ["GetItem", "GetItem"]
    probe.run(fleet.downstream)
    fleet.clock.now += 5
    assert fleet.call(1) == "answered"


def test_after_a_prober_s_death_exactly_one_other_probes_and_not_before_its_time_is_over(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30
    fleet.breaker(0).permit(lambda: 20.0)  # and is never heard of again
    calls = fleet.calls
    fleet.clock.now += 21.9  # its invocation may be two seconds longer on another clock
    assert [fleet.call(number) for number in range(1, 10)] == ["refused"] * 9
    fleet.clock.now += 0.2
    second = fleet.breaker(1).permit(lambda: 20.0)
    assert [fleet.call(number) for number in range(2, 10)] == ["refused"] * 8
    second.run(fleet.downstream)
    assert fleet.calls == calls + 1
    assert fleet.item()["state"] == {"S": "closed"}


@pytest.mark.parametrize("down", [None, Down()])
def test_a_prober_that_counts_as_dead_is_fenced_off(fleet: Fleet, down: Exception | None):
    """It was only slow: what it says comes after another probe has begun."""
    fleet.opened()
    fleet.clock.now += 30
    slow = fleet.breaker(0).permit(lambda: 20.0)
    fleet.clock.now += 23
    second = fleet.breaker(1).permit(lambda: 20.0)
    before = fleet.item()
    fleet.down = down
    with contextlib.suppress(Down):
        slow.run(fleet.downstream)
    assert fleet.item() == before
    fleet.down = None
    second.run(fleet.downstream)
    assert fleet.item()["state"] == {"S": "closed"}


def test_a_probe_that_calls_nothing_is_free_for_others_at_once(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30
    with fleet.breaker(0).permit(lambda: 20.0):
        pass  # it turned out that there is nothing to do
    assert "prober" not in fleet.item()
    assert fleet.call(1) == "answered"


def test_an_interrupted_probe_is_free_for_others(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), fleet.breaker(0).permit(lambda: 20.0) as permit:
        permit.run(interrupted)
    assert fleet.call(1) == "answered"


def test_a_breaker_whose_item_was_deleted_by_hand_is_closed(fleet: Fleet):
    fleet.opened()
    fleet.dynamodb.service.delete_item(TableName="breakers", Key={"breaker": {"S": "Partner"}})
    assert fleet.call(7) == "answered"
    fleet.clock.now += 30
    assert fleet.call(0) == "answered", "who knew it open asks at the end of the cool-down"
    fleet.opened()
    assert fleet.call(0) == "refused"


# Somebody gives up.


def gives_up(fleet: Fleet, number: int = 0) -> CircuitOpen | None:
    """A call that fails, and nobody would make it again: what the breaker says to that."""
    fleet.down = fleet.down or Down()
    permit = fleet.breaker(number).permit(lambda: 10.0)
    with contextlib.suppress(Down):
        permit.run(fleet.downstream)
    fleet.down = None
    return permit.suspect()


def test_a_caller_that_gives_up_lets_the_next_call_find_out(fleet: Fleet):
    now = fleet.clock.now
    refusal = gives_up(fleet)
    assert refusal is not None
    assert (refusal.retry_at, refusal.opened_at) == (now + 30, now), "others come first"
    said: list[str] = []

    def meanwhile() -> str:
        said.extend(fleet.call(number) for number in range(2, 5))
        return fleet.downstream()

    assert fleet.call(1, meanwhile) == "answered"
    assert said == ["refused"] * 3
    assert fleet.item()["state"] == {"S": "closed"}
    assert contract.METRIC_OPENED not in fleet.metrics
    assert fleet.transitions() == [("closed", "half-open", 1), ("open", "half-open", 1), ("half-open", "closed", 2)]


def test_when_the_next_call_fails_too_it_is_open(fleet: Fleet):
    gives_up(fleet)
    fleet.down = Down()
    assert [fleet.call(1), fleet.call(2)] == ["Down", "refused"]
    assert fleet.metrics[contract.METRIC_OPENED] == 1


def test_who_gives_up_when_it_has_opened_or_closed_since_asks_nobody(fleet: Fleet):
    permits = [fleet.breaker(number).permit(lambda: 10.0) for number in (0, 1)]
    fleet.opened(2)
    fleet.down = Down()
    for permit in permits[:1]:
        with contextlib.suppress(Down):
            permit.run(fleet.downstream)
    fleet.clock.now += 31
    fleet.down = None
    assert fleet.call(2) == "answered"
    fleet.down = Down()
    with contextlib.suppress(Down):
        permits[1].run(fleet.downstream)
    before = fleet.item()
    assert [permit.suspect() is not None for permit in permits] == [True, True]
    assert [permit.refusal is not None for permit in permits] == [True, True]
    assert fleet.item() == before


def test_who_gives_up_for_what_does_not_count_asks_nobody(fleet: Fleet):
    fleet.settings["counts"] = ["Timeout"]
    assert gives_up(fleet) is None
    assert fleet.item() == {}


def test_who_gives_up_while_others_write_asks_all_the_same(fleet: Fleet):
    def beaten_once(carry_out: Any) -> Any:
        fleet.dynamodb.meets.clear()
        fleet.down, down = Down(), fleet.down
        fleet.call(1)
        fleet.down = down
        return carry_out()

    permit = fleet.breaker().permit(lambda: 10.0)
    fleet.down = Down()
    with contextlib.suppress(Down):
        permit.run(fleet.downstream)
    fleet.dynamodb.meets["UpdateItem"] = beaten_once
    assert permit.suspect() is not None
    assert fleet.transitions() == [("closed", "half-open", 1)]


def test_without_its_table_nobody_can_be_asked(fleet: Fleet):
    fleet.down = Down()
    permit = fleet.breaker().permit(lambda: 10.0)
    with contextlib.suppress(Down):
        permit.run(fleet.downstream)
    fleet.fails("UpdateItem", TIMEOUT)
    assert permit.suspect() is None
    assert permit.suspect() is None
    assert fleet.dynamodb.operations.count("UpdateItem") == 2
    assert fleet.metrics == {contract.METRIC_STORE_UNAVAILABLE: 1}


# The table is down.


@pytest.mark.parametrize("error", [TIMEOUT, scripted_aws.error("GetItem", "AccessDeniedException"), None])
def test_without_its_table_every_call_is_made_and_one_request_a_while_is_in_vain(error: Exception | None):
    fleet = Fleet()
    if error is None:
        fleet.dynamodb.meets["GetItem"] = lambda _: {"Item": {"state": {"N": "7"}}}  # not what we write
    else:
        fleet.fails("GetItem", error)
    for _ in range(50):
        assert fleet.call() == "answered"
        fleet.clock.now += 0.09
    assert fleet.dynamodb.operations == ["GetItem"]
    assert fleet.metrics == {contract.METRIC_STORE_UNAVAILABLE: 1}
    (line,) = fleet.log
    assert line["message"] == "the circuit breaker's table cannot be used: calls go on unguarded"
    assert (line["breaker"], line["table"]) == ("Partner", "breakers")
    fleet.clock.now += 1
    fleet.call()
    assert fleet.metrics == {contract.METRIC_STORE_UNAVAILABLE: 2}


def test_without_its_table_a_failure_is_the_caller_s_own_and_not_counted(fleet: Fleet):
    fleet.call()
    fleet.fails("UpdateItem", TIMEOUT)
    fleet.down = Down()
    assert [fleet.call() for _ in range(10)] == ["Down"] * 10
    assert fleet.dynamodb.operations.count("UpdateItem") == 1
    fleet.dynamodb.meets.clear()
    fleet.clock.now += 5.1
    assert [fleet.call() for _ in range(4)] == ["Down", "Down", "Down", "refused"]


def test_who_knows_that_it_is_open_needs_no_table_until_the_end_of_the_cool_down(fleet: Fleet):
    fleet.opened()
    fleet.fails("GetItem", TIMEOUT)
    fleet.fails("UpdateItem", TIMEOUT)
    assert fleet.call() == "refused"
    fleet.clock.now += 30
    assert fleet.call() == "answered", "nobody can claim the probe: calls go on"


def test_a_claim_whose_answer_was_lost_is_concluded_all_the_same(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30

    def lost(carry_out: Any) -> Any:
        carry_out()
        fleet.dynamodb.meets.clear()
        raise TIMEOUT

    fleet.dynamodb.meets["UpdateItem"] = lost
    assert fleet.call() == "answered"
    assert fleet.item()["state"] == {"S": "closed"}


def test_a_verdict_whose_answer_was_lost_is_said_again(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30
    permit = fleet.breaker().permit(lambda: 20.0)

    def lost(_: Any) -> Any:
        fleet.dynamodb.meets.clear()
        raise TIMEOUT

    fleet.dynamodb.meets["UpdateItem"] = lost
    permit.run(fleet.downstream)
    assert fleet.item()["state"] == {"S": "closed"}


def test_a_verdict_that_cannot_be_said_is_not_the_caller_s_trouble(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30
    permit = fleet.breaker().permit(lambda: 20.0)
    fleet.fails("UpdateItem", TIMEOUT)
    assert permit.run(fleet.downstream) == "answered"
    fleet.dynamodb.meets.clear()
    fleet.clock.now += 23
    assert fleet.call(1) == "answered", "the prober counts as dead"


def test_a_probe_that_cannot_be_given_back_is_not_the_caller_s_trouble(fleet: Fleet):
    fleet.opened()
    fleet.clock.now += 30
    with fleet.breaker().permit(lambda: 20.0):
        fleet.fails("UpdateItem", TIMEOUT)


def test_a_crowd_that_claims_the_probe_and_is_throttled_waits_instead_of_calling(fleet: Fleet):
    """DynamoDB takes a thousand writes a second to an item. It is not down: one of the crowd probes."""
    fleet.opened()
    fleet.clock.now += 30
    fleet.fails("UpdateItem", scripted_aws.error("UpdateItem", "ThrottlingException"))
    assert fleet.call() == "refused"
    fleet.clock.now += 30
    assert fleet.call() == "answered", "but not for ever: a table of no capacity would keep it open"


# Clocks.


def test_failures_that_another_clock_has_put_into_the_future_count(fleet: Fleet):
    fleet.down = Down()
    fleet.clock.now += 1
    fleet.call(0)
    fleet.call(0)
    fleet.clock.now -= 1
    assert fleet.call(1) == "Down"
    assert fleet.call(1) == "refused"
    times = [float(time["N"]) for time in fleet.item().get("failures", {"L": []})["L"]]
    assert times == sorted(times)


def test_random_histories_keep_the_item_readable():
    chance = random.Random(5)
    for _ in range(30):
        fleet = Fleet(failure_threshold=chance.randint(1, 4), cache_seconds=chance.choice([0, 1, 5]))
        for _ in range(80):
            fleet.down = chance.choice([None, Down(), PermanentError("no")])
            fleet.call(chance.randrange(4))
            fleet.clock.now += chance.choice([0, 0.1, 3, 31])
        fleet.down = None
        fleet.clock.now += 100
        assert fleet.call(9) == "answered"
        assert fleet.item().get("state", {"S": "closed"}) == {"S": "closed"}
