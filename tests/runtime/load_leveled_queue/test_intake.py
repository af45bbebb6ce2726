"""A consumer whose downstream a circuit breaker guards."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from serverless_patterns_runtime import Effects, Invocation, PermanentError
from serverless_patterns_runtime.circuit_breaker import contract
from serverless_patterns_runtime.circuit_breaker.contract import LONGEST_REFUSAL_SECONDS
from serverless_patterns_runtime.load_leveled_queue.intake import HOLD_SHARE

from ..circuit_breaker.fleet import Down, Fleet, Timeout
from ..consumer import FIFO, Consumer
from ..sqs_events import record


class Shipping(Consumer):
    """`calls` of the downstream, by the order that made them."""

    def __init__(self, fleet: Fleet | None = None, *, effects: bool = False, **settings: Any) -> None:
        self.fleet = fleet or Fleet()
        self.calls: list[str] = []
        self.meets: dict[str, BaseException] = {}

        def book(order: dict[str, Any], invocation: Invocation) -> Any:  # noqa: ARG001
            self.calls.append(order["id"])
            if order["id"] in self.meets:
                raise self.meets[order["id"]]
            self.fleet.downstream()
            return Effects() if effects else None

        breaker, clock = self.fleet.breaker(99), self.fleet.clock
        more = {"count_attempts": True, "returns_effects": effects} | settings
        super().__init__(book, clock=clock, breaker=breaker, **more)
        self.noted: dict[str, set[str]] = {}
        """Attempts, by message."""
        self.excused: set[str] = set()
        self.dynamodb.always("UpdateItem", self._note)

    def _note(self, request: dict[str, Any]) -> dict[str, Any]:
        message, change = request["Key"]["claim"]["S"].rpartition("#")[2], request["UpdateExpression"]
        noted = self.noted.setdefault(message, set())
        if change.startswith("REMOVE"):
            noted.clear()
            self.excused.add(message)
        else:
            receive = request["ExpressionAttributeValues"][":receive"]["NS"]
            (noted.update if change.startswith("ADD") else noted.difference_update)(receive)
        item: dict[str, Any] = {"attempts": {"NS": sorted(noted)}} if noted else {}
        return {"Attributes": item | ({"excused": {"BOOL": True}} if message in self.excused else {})}

    def take(self, *orders: str, receives: int = 1, **options: Any) -> list[str]:
        """Ids of the messages that come back."""
        return self.consume(*[record({"id": o}, message_id=o, receives=receives, **options) for o in orders])


@pytest.fixture(params=[False, True], ids=["leases", "effects"])
def shipping(request: pytest.FixtureRequest) -> Shipping:
    return Shipping(effects=request.param)


def test_a_closed_breaker_changes_nothing(shipping: Shipping):
    assert shipping.take("a", "b", "c") == []
    assert shipping.calls == ["a", "b", "c"]
    assert shipping.clock.sleeps == []


def test_while_open_nothing_is_called_claimed_or_counted(shipping: Shipping):
    shipping.fleet.opened()
    assert shipping.take("a", "b", "c", receives=7) == ["a", "b", "c"]
    assert shipping.calls == []
    assert shipping.dynamodb.calls == []
    assert shipping.outcomes() == {"a": "Held", "b": "Held", "c": "Held"}
    assert shipping.metrics.counts == {"Held": 3}
    assert shipping.fleet.metrics[contract.METRIC_REFUSED] == 3
    assert shipping.dead_letters() == []


def test_refused_messages_come_back_when_the_next_call_may_be_made_and_not_before(shipping: Shipping):
    shipping.fleet.opened()
    open_until = shipping.clock.now + 30
    shipping.take(*"abcdefgh")
    comes_back = [shipping.clock.now + delay for delay in shipping.delays().values()]
    assert min(comes_back) >= open_until
    assert max(comes_back) <= open_until + 7
    assert len(set(comes_back)) > 1, "spread"


def test_a_refused_batch_is_held_for_half_of_the_time(shipping: Shipping):
    """Else the function would pass the whole backlog through its hands, and count up the receives of every message."""
    shipping.fleet.opened()
    began = shipping.clock.now
    shipping.take("a")
    assert shipping.clock.now - began == pytest.approx(shipping.timeout * HOLD_SHARE, abs=0.1)


def test_a_held_batch_is_let_through_as_soon_as_the_cool_down_ends(shipping: Shipping):
    shipping.fleet.opened()
    shipping.clock.now += 20
    began = shipping.clock.now
    assert shipping.take("a", "b") == []
    assert shipping.clock.now - began == pytest.approx(10, abs=0.1)
    assert shipping.calls == ["a", "b"]
    assert shipping.fleet.item()["state"] == {"S": "closed"}
    (probes, closed) = [line for line in shipping.fleet.log if line["message"] == "circuit"][-2:]
    assert (probes["to"], closed["to"]) == ("half-open", "closed")


def test_the_longer_the_outage_the_longer_a_message_waits_up_to_twenty_minutes():
    """SQS counts a thousand receives: at the longest wait they last for a fortnight."""
    fleet = Fleet(window_seconds=1e9)
    shipping = Shipping(fleet)
    fleet.opened()
    delays: list[int] = []
    for hours in (0, 0.1, 0.5, 1, 10, 300):
        fleet.clock.now = float(fleet.item()["opened_at"]["N"]) + hours * 3600
        fleet.down = Down()
        fleet.call(1)  # somebody else's probe, in vain
        fleet.down = None
        shipping.sqs.calls.clear()
        shipping.take("a")
        delays += shipping.delays().values()
    assert delays == sorted(delays)
    assert delays[1] >= 0.5 * 360
    assert LONGEST_REFUSAL_SECONDS <= delays[-1] <= LONGEST_REFUSAL_SECONDS * 1.1 + 1
    assert delays[-1] * 1000 > 13.8 * 24 * 3600


def test_when_half_open_one_message_probes_and_the_rest_of_the_batch_waits_for_its_verdict(shipping: Shipping):
    shipping.fleet.opened()
    shipping.clock.now += 30
    shipping.fleet.down = Timeout()
    assert shipping.take("a", "b", "c") == ["a", "b", "c"]
    assert shipping.calls == ["a"]
    assert shipping.outcomes() == {"a": "Held", "b": "Held", "c": "Held"}
    shipping.clock.now += 30
    shipping.fleet.down = None
    assert shipping.take("a", "b", "c", receives=2) == []
    assert shipping.calls == ["a", "a", "b", "c"]


def test_a_message_that_probes_in_vain_a_hundred_times_is_no_dead_letter():
    """It failed for what no attempt of it can help. Else the head of a FIFO group would die of every longer outage."""
    fleet = Fleet(window_seconds=10)
    shipping = Shipping(fleet, max_receive_count=3)
    fleet.opened()
    fleet.down = Down()
    for receive in range(1, 101):
        fleet.clock.now += 60
        assert shipping.take("a", receives=receive) == ["a"]
    assert shipping.calls == ["a"] * 100
    assert shipping.dead_letters() == []
    assert shipping.noted == {"a": set()}
    fleet.down = None
    fleet.clock.now += 60
    assert shipping.take("a", receives=101) == []


def test_failures_up_to_the_one_that_opens_the_breaker_are_attempts_and_the_ones_after_are_not():
    fleet = Fleet(failure_threshold=3)
    shipping = Shipping(fleet, max_receive_count=2)
    fleet.down = Down()
    shipping.take("a", "b", "c", "d")
    assert shipping.calls == ["a", "b", "c"]
    assert shipping.outcomes() == {"a": "Failed", "b": "Failed", "c": "Held", "d": "Held"}
    assert shipping.noted == {"a": {"1"}, "b": {"1"}, "c": {"1"}}
    fleet.clock.now += 60
    assert shipping.take("c", receives=2) == ["c"]
    assert shipping.outcomes()["c"] == "Held"
    assert shipping.noted["c"] == {"1"}


def test_a_message_whose_every_failure_opens_the_breaker_is_a_dead_letter_all_the_same():
    """Others are answered in between. It is excused once."""
    fleet = Fleet(failure_threshold=1)
    shipping = Shipping(fleet, max_receive_count=3)
    for receive in range(1, 7):
        fleet.down = Down()
        shipping.take("a", receives=receive)
        fleet.clock.now += 60
        fleet.down = None
        assert fleet.call(1) == "answered"
        fleet.clock.now += 60
    assert shipping.calls == ["a"] * 6
    assert shipping.outcomes()["a"] == "Refused"
    assert shipping.excused == {"a"}


def gives_up(fleet: Fleet, **settings: Any) -> Shipping:
    """The last try of a message has just failed, in a breaker that is far from opening."""
    shipping = Shipping(fleet, max_receive_count=3, **settings)
    fleet.down = Down()
    for receive in (1, 2, 3):
        assert shipping.take("a", receives=receive) == ["a"]
        fleet.clock.now += 31
    return shipping


def test_the_last_try_asks_the_breaker_instead_of_giving_up_and_the_message_starts_anew():
    fleet = Fleet(failure_threshold=100)
    shipping = gives_up(fleet)
    assert shipping.outcomes()["a"] == "Held"
    assert shipping.dead_letters() == []
    assert (shipping.noted, shipping.excused) == ({"a": set()}, {"a"})
    assert fleet.transitions() == [("closed", "half-open", 1)]
    assert list(shipping.delays().values())[-1] >= fleet.settings["open_seconds"], "others may answer before it asks"


def test_a_message_that_uses_up_its_tries_again_when_others_were_answered_is_a_dead_letter():
    fleet = Fleet(failure_threshold=100)
    shipping = gives_up(fleet)
    fleet.down = None
    assert fleet.call(1) == "answered"
    fleet.down = Down()
    assert [shipping.take("a", receives=receive) for receive in (4, 5, 6)] == [["a"], ["a"], []]
    assert [letter["reason"]["error_type"] for letter in shipping.dead_letters()] == ["AttemptsExhausted"]
    assert fleet.item()["state"] == {"S": "closed"}


def test_a_message_that_nobody_but_itself_is_asked_about_goes_on_as_long_as_it_is_kept():
    fleet = Fleet(failure_threshold=100)
    shipping = gives_up(fleet)
    for receive in range(4, 100):
        fleet.clock.now += 60
        assert shipping.take("a", receives=receive) == ["a"]
    assert shipping.dead_letters() == []
    assert shipping.calls == ["a"] * 99


def test_the_last_try_that_fails_with_what_does_not_count_is_a_dead_letter_at_once():
    fleet = Fleet(counts=["Timeout"])
    shipping = Shipping(fleet, max_receive_count=1)
    fleet.down = Down()
    assert shipping.take("a") == []
    assert shipping.outcomes() == {"a": "Refused"}
    assert fleet.item() == {}


def test_a_permanent_error_that_counts_is_a_dead_letter_at_once():
    shipping = Shipping(Fleet(counts=["PermanentError"], failure_threshold=1), max_receive_count=1)
    shipping.meets = {"a": PermanentError("no such address")}
    assert shipping.take("a") == []
    assert shipping.outcomes() == {"a": "Refused"}


def test_without_the_breaker_s_table_the_last_try_is_the_last():
    fleet = Fleet()
    shipping = Shipping(fleet, max_receive_count=1)
    fleet.fails("UpdateItem", EndpointConnectionError(endpoint_url="https://dynamodb.invalid"))
    fleet.down = Down()
    assert shipping.take("a") == []
    assert shipping.outcomes() == {"a": "Refused"}


def test_a_call_that_outlasts_the_cool_down_of_a_breaker_that_opened_meanwhile_was_no_attempt():
    fleet = Fleet(open_seconds=1, cache_seconds=0)
    shipping = Shipping(fleet, max_receive_count=1)

    def meanwhile(order: dict[str, Any], invocation: Invocation) -> None:  # noqa: ARG001
        fleet.opened(1)
        fleet.clock.now += 5
        raise Down

    shipping.function = meanwhile
    assert shipping.take("a") == ["a"]
    assert shipping.outcomes() == {"a": "Held"}
    assert shipping.excused == set()


def test_a_failure_that_does_not_count_is_an_attempt_though_the_breaker_opens_meanwhile():
    fleet = Fleet(counts=["Down"])
    shipping = Shipping(fleet)

    def meanwhile(order: dict[str, Any], invocation: Invocation) -> None:  # noqa: ARG001
        fleet.opened(1)
        raise ValueError

    shipping.function = meanwhile
    shipping.take("a")
    assert shipping.outcomes() == {"a": "Failed"}


def test_an_attempt_that_cannot_be_taken_back_is_a_line_in_the_log():
    fleet = Fleet()
    shipping = Shipping(fleet)
    fleet.opened()
    fleet.clock.now += 30
    fleet.down = Down()

    def answer(request: dict[str, Any]) -> Any:
        if request["UpdateExpression"].startswith("DELETE"):
            raise OSError
        return {"Attributes": {"attempts": {"NS": ["2"]}}}

    shipping.dynamodb.always("UpdateItem", answer)
    assert shipping.take("a", receives=2) == ["a"]
    assert "an attempt could not be taken back" in shipping.log_text


def test_what_became_of_a_commit_is_no_matter_of_the_downstream_s():
    fleet = Fleet(failure_threshold=1)
    shipping = Shipping(fleet, effects=True)
    shipping.dynamodb.always("TransactWriteItems", OSError("no connection"))
    assert shipping.take("a", "b") == ["a", "b"]
    assert fleet.item() == {}


def test_messages_that_need_no_downstream_are_dead_letters_while_it_is_down(shipping: Shipping):
    shipping.fleet.opened()
    assert shipping.consume(record("{", message_id="broken"), record({"id": "a"}, message_id="a")) == ["a"]
    assert shipping.outcomes() == {"broken": "Refused", "a": "Held"}


def test_a_batch_without_anything_to_call_is_not_held(shipping: Shipping):
    shipping.fleet.opened()
    shipping.consume(record("{", message_id="broken"))
    assert shipping.clock.sleeps == []


def test_two_messages_of_one_key_are_held_together():
    shipping = Shipping(idempotency_key="id")
    shipping.fleet.opened()
    one, two = (record({"id": "a"}, message_id=name) for name in ("one", "two"))
    assert shipping.consume(one, two) == ["one", "two"]
    assert len(set(shipping.delays().values())) == 1


def test_a_permanent_error_of_the_probe_says_that_the_downstream_answers(shipping: Shipping):
    shipping.fleet.opened()
    shipping.clock.now += 30
    shipping.meets = {"a": PermanentError("no such address")}
    assert shipping.take("a", "b") == []
    assert shipping.outcomes() == {"a": "Refused", "b": "Succeeded"}


def test_a_batch_that_turns_out_to_have_nothing_to_do_frees_the_probe():
    """All its keys are held by others."""
    shipping = Shipping()
    shipping.fleet.opened()
    shipping.clock.now += 30
    held = {
        "claim": {"S": "Fulfilment#a"},
        "payload": {"S": "0" * 64},
        "owner": {"S": "other"},
        "free_at": {"N": str(int(shipping.clock.now) + 60)},
        "done": {"BOOL": False},
        "expires_at": {"N": str(int(shipping.clock.now) + 600)},
    }

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["Statements"][0]["Statement"].startswith("INSERT"):
            return {"Responses": [{"Error": {"Code": "DuplicateItem", "Message": ""}}]}
        return {"Responses": [{"Error": {"Code": "ConditionalCheckFailed", "Message": "", "Item": held}}]}

    shipping.dynamodb.always("BatchExecuteStatement", answer)
    shipping.take("a")
    assert shipping.calls == []
    assert "prober" not in shipping.fleet.item()
    assert shipping.fleet.call(1) == "answered"


def test_leases_of_what_is_refused_in_the_middle_of_a_batch_are_given_back():
    fleet = Fleet(failure_threshold=1)
    shipping = Shipping(fleet)
    fleet.down = Down()
    shipping.take("a", "b", "c")
    assert shipping.calls == ["a"]
    (taken, settled) = shipping.dynamodb.requests("BatchExecuteStatement")
    assert len(taken["Statements"]) == len(settled["Statements"]) == 3
    assert all(statement["Statement"].startswith("DELETE") for statement in settled["Statements"])


def test_the_order_of_a_fifo_group_holds_over_an_outage():
    fleet = Fleet()
    shipping = Shipping(fleet, **FIFO)
    fleet.opened()
    fleet.clock.now += 30
    fleet.down = Down()

    def batch(receives: int) -> list[dict[str, Any]]:
        orders = [("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")]
        return [record({"id": o}, message_id=o, group=g, receives=receives) for o, g in orders]

    assert shipping.consume(*batch(1)) == ["a1", "b1", "a2", "b2"]
    assert shipping.calls == ["a1"]
    assert min(shipping.delays().values()) >= 30
    fleet.down = None
    fleet.clock.now += 30
    assert shipping.consume(*batch(2)) == []
    assert shipping.calls == ["a1", "a1", "b1", "a2", "b2"]


def test_without_the_breaker_s_table_messages_are_processed(shipping: Shipping):
    shipping.fleet.fails("GetItem", EndpointConnectionError(endpoint_url="https://dynamodb.invalid"))
    assert shipping.take("a", "b") == []
    assert shipping.calls == ["a", "b"]


def test_how_the_probe_failed_is_in_the_log(shipping: Shipping):
    shipping.fleet.opened()
    shipping.clock.now += 30
    shipping.fleet.down = Timeout("card 4111")
    shipping.take("a", "b")
    (failed,) = [line for line in shipping.log if line["message"] == "message failed"]
    assert (failed["message_id"], failed["outcome"], failed["error_type"]) == ("a", "Held", "Timeout")
    assert "4111" not in shipping.log_text
