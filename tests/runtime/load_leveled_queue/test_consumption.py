import asyncio
import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Put
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.payload import digest

from .. import scripted_aws
from ..consumer import FIFO, Consumer
from ..sqs_events import NOW, golden, record, text

CONNECTION_LOST = ConnectTimeoutError(endpoint_url="https://dynamodb.invalid/")


class Orders:
    """A business function that remembers its runs; the body says what it does."""

    def __init__(self) -> None:
        self.runs: list[Any] = []
        self.invocations: list[Invocation] = []

    def __call__(self, order: Any, invocation: Invocation) -> Any:
        self.runs.append(order["id"])
        self.invocations.append(invocation)
        match order.get("do"):
            case "fail":
                raise ConnectionError("canary-4111")
            case "refuse":
                raise PermanentError("out of stock")
            case "exit":
                raise SystemExit(3)
            case "cancel":
                raise asyncio.CancelledError
        return None


def leased(**settings: Any) -> tuple[Consumer, Orders]:
    orders = Orders()
    return Consumer(orders, idempotency_key="id", **settings), orders


def transactional(**settings: Any) -> tuple[Consumer, Orders]:
    orders = Orders()

    def fulfil(order: Any, invocation: Invocation) -> Effects:
        orders(order, invocation)
        return Effects(writes=[Put("ORDERS", {"id": order["id"]}, condition=Attr("id").not_exists())])

    return Consumer(fulfil, idempotency_key="id", returns_effects=True, **settings), orders


BOTH = pytest.mark.parametrize("make", [leased, transactional])


def order(id: str, do: str | None = None, *, message: str | None = None, **others: Any) -> dict[str, Any]:
    body = {"id": id} | ({"do": do} if do else {}) | others.pop("extra", {})
    return record(body, message_id=message or f"m-{id}", **others)


def claim_of(id: str) -> Claim:
    return Claim("Fulfilment", id, digest({"id": id}))


def held(id: str, *, done: bool = True, free_at: int = 9_999_999_999, payload: str | None = None) -> dict[str, Any]:
    claim = claim_of(id) if payload is None else Claim("Fulfilment", id, payload)
    return claim.item(owner="other", free_at=free_at, done=done, expires_at=9_999_999_999)


def taken(consumer: Consumer, *items: dict[str, Any]) -> None:
    """The table holds these claims: of transactions and of leases."""
    by_id = {item["claim"]["S"]: item for item in items}

    def transact(request: dict[str, Any]) -> Any:
        id = request["TransactItems"][0]["Put"]["Item"]["claim"]["S"]
        reasons: list[Any] = ["None"] * len(request["TransactItems"])
        if id not in by_id:
            return {}
        reasons[0] = {"Code": "ConditionalCheckFailed", "Item": by_id[id]}
        return scripted_aws.cancelled(reasons)

    def execute(request: dict[str, Any]) -> Any:
        return {"Responses": [respond(statement) for statement in request["Statements"]]}

    def respond(statement: dict[str, Any]) -> dict[str, Any]:
        ids = [value["S"] for value in statement["Parameters"] if "S" in value]
        item = next((by_id[id] for id in ids if id in by_id), None)
        if item is None:
            return {}
        if statement["Statement"].startswith("INSERT"):
            return {"Error": {"Code": "DuplicateItem"}}
        return {"Error": {"Code": "ConditionalCheckFailed", "Item": item}}

    def get(request: dict[str, Any]) -> Any:
        item = by_id.get(request["Key"]["claim"]["S"])
        return {"Item": item} if item else {}

    consumer.dynamodb.always("TransactWriteItems", transact)
    consumer.dynamodb.always("BatchExecuteStatement", execute)
    consumer.dynamodb.always("GetItem", get)


def released(consumer: Consumer) -> list[str]:
    return settled(consumer, "DELETE")


def completed(consumer: Consumer) -> list[str]:
    return settled(consumer, "UPDATE")


def settled(consumer: Consumer, verb: str) -> list[str]:
    last = consumer.dynamodb.requests("BatchExecuteStatement")[-1]
    return [
        next(value["S"] for value in statement["Parameters"] if value.get("S", "").startswith("Fulfilment#"))
        for statement in last["Statements"]
        if statement["Statement"].startswith(verb)
    ]


# --- Outcomes of one message


@BOTH
def test_a_success_is_acknowledged(make: Any):
    consumer, orders = make()
    assert consumer.answer(order("A")) == {"batchItemFailures": []}
    assert orders.runs == ["A"]
    assert consumer.outcomes() == {"m-A": "Succeeded"}
    assert consumer.metrics.counts == {"Succeeded": 1}
    assert consumer.sqs.calls == []


@BOTH
def test_what_the_function_learns_of_its_run(make: Any):
    consumer, orders = make()
    correlated = {"correlation-id": text("web-1")}
    consumer.consume(order("A", receives=3, attributes=correlated))
    (invocation,) = orders.invocations
    assert invocation.idempotency_key == "A"
    assert invocation.correlation_id == "web-1"
    assert invocation.attempt == 3
    assert invocation.remaining() == pytest.approx(30)
    assert invocation.claim == claim_of("A")
    consumer.clock.now += 12
    assert invocation.remaining() == pytest.approx(18)


@BOTH
def test_the_function_can_read_its_tables(make: Any):
    consumer, orders = make()
    consumer.consume(order("A"))
    consumer.dynamodb.always("GetItem", {"Item": {"order_id": {"S": "A"}}})
    assert orders.invocations[0].table("ORDERS").get(order_id="A") == {"order_id": "A"}
    assert consumer.dynamodb.requests("GetItem")[-1]["TableName"] == "shop-orders"


@BOTH
def test_a_duplicate_is_acknowledged(make: Any):
    consumer, orders = make()
    taken(consumer, held("A"))
    assert consumer.consume(order("A")) == []
    assert consumer.outcomes() == {"m-A": "Duplicate"}
    assert consumer.sqs.calls == []
    assert orders.runs == ([] if make is leased else ["A"])


@BOTH
def test_a_key_that_runs_elsewhere_waits_for_its_lease_without_an_alarm(make: Any):
    consumer, _ = make()
    taken(consumer, held("A", done=False, free_at=NOW + 40))
    made = order("A", receives=4)
    assert consumer.consume(made) == ["m-A"]
    assert consumer.outcomes() == {"m-A": "Busy"}
    assert 41 <= consumer.delays()[made["receiptHandle"]] <= 47
    assert {line["level"] for line in consumer.log} == {"INFO"}


@BOTH
def test_a_failure_comes_back_after_a_jittered_delay(make: Any):
    consumer, _ = make()
    made = order("A", "fail", receives=4)
    assert consumer.consume(made) == ["m-A"]
    assert consumer.outcomes() == {"m-A": "Failed"}
    assert 1 <= consumer.delays()[made["receiptHandle"]] <= 40
    assert consumer.dead_letters() == []


@BOTH
def test_a_permanent_error_is_a_dead_letter_and_acknowledged(make: Any):
    consumer, _ = make()
    assert consumer.consume(order("A", "refuse")) == []
    assert consumer.outcomes() == {"m-A": "Refused"}
    (letter,) = consumer.dead_letters()
    assert letter["MessageBody"] == '{"id": "A", "do": "refuse"}'
    assert letter["reason"] == {
        "reason": "out of stock",
        "error_type": "PermanentError",
        "receive_count": 1,
        "correlation_id": "m-A",
        "idempotency_key": "A",
    }


@BOTH
def test_a_refused_message_whose_dead_letter_was_not_stored_is_not_acknowledged(make: Any):
    consumer, _ = make()
    consumer.sqs.script("SendMessage", CONNECTION_LOST)
    made = order("A", "refuse")
    assert consumer.consume(made, order("B")) == ["m-A"]
    assert consumer.outcomes() == {"m-A": "Failed", "m-B": "Succeeded"}
    assert made["receiptHandle"] in consumer.delays()


@BOTH
def test_a_dead_letter_is_stored_before_anything_is_given_back(make: Any):
    consumer, _ = make()
    order_of_calls: list[str] = []
    consumer.sqs.always("SendMessage", lambda _: order_of_calls.append("dead letter") or {"MessageId": "d"})
    settle = consumer.dynamodb._answers["BatchExecuteStatement"]

    def execute(request: dict[str, Any]) -> Any:
        order_of_calls.append(request["Statements"][0]["Statement"].split()[0])
        return settle(request)

    consumer.dynamodb.always("BatchExecuteStatement", execute)
    consumer.consume(order("A", "refuse"))
    assert order_of_calls == (["INSERT", "dead letter", "DELETE"] if make is leased else ["dead letter"])


@BOTH
@pytest.mark.parametrize("do", ["exit", "cancel"])
def test_a_function_that_tries_to_leave_fails_alone(make: Any, do: str):
    """SystemExit and CancelledError are no `Exception`: they would end the invocation, and the neighbours with it."""
    consumer, orders = make()
    assert consumer.consume(order("A"), order("B", do), order("C")) == ["m-B"]
    assert consumer.outcomes() == {"m-A": "Succeeded", "m-B": "Failed", "m-C": "Succeeded"}
    assert orders.runs == ["A", "B", "C"]


@BOTH
def test_an_interrupt_from_the_keyboard_is_not_swallowed(make: Any):
    consumer, orders = make()
    orders.runs = None  # type: ignore[assignment]

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    consumer.function = interrupt
    with pytest.raises(KeyboardInterrupt):
        consumer.consume(order("A"))


@BOTH
def test_a_body_that_cannot_be_read_is_a_dead_letter_without_a_run(make: Any):
    consumer, orders = make()
    bodies = ["{", '{"id": "A", "id": "B"}', '{"id": "\\ud800"}', "[" * 100_000, "{}", '{"id": ""}', "null"]
    assert consumer.consume(*[record(body) for body in bodies], order("Z")) == []
    assert orders.runs == ["Z"]
    assert [letter["MessageBody"] for letter in consumer.dead_letters()] == bodies
    assert {letter["reason"]["error_type"] for letter in consumer.dead_letters()} == {"MalformedPayload"}
    assert all("idempotency_key" not in letter["reason"] for letter in consumer.dead_letters())


@BOTH
@pytest.mark.parametrize(("age", "runs"), [(59, True), (60.9, True), (61, False), (100_000, False)])
def test_stale_work_is_a_dead_letter_without_a_run(make: Any, age: float, runs: bool):
    consumer, orders = make(max_age_seconds=60)
    assert consumer.consume(order("A", sent_at=NOW - age)) == []
    assert orders.runs == (["A"] if runs else [])
    if not runs:
        (letter,) = consumer.dead_letters()
        assert letter["reason"]["reason"] == f"expired: {age} s old, where max_age is 60 s"
        assert letter["reason"]["error_type"] == "Expired"
        assert letter["reason"]["idempotency_key"] == "A"


@BOTH
def test_without_a_limit_on_age_nothing_is_stale(make: Any):
    consumer, orders = make(max_age_seconds=0)
    consumer.consume(order("A", sent_at=0))
    assert orders.runs == ["A"]


@BOTH
@pytest.mark.parametrize("why", ["stale", "refused"])
def test_what_was_processed_is_no_dead_letter_when_it_comes_back(make: Any, why: str):
    consumer, _ = make(max_age_seconds=60 if why == "stale" else 0)
    body = {"id": "A"} | ({"do": "refuse"} if why == "refused" else {})
    taken_item = Claim("Fulfilment", "A", digest(body)).item(
        owner="other", free_at=9_999_999_999, done=True, expires_at=9_999_999_999
    )
    taken(consumer, taken_item)
    made = record(body, message_id="m-A", receives=2, sent_at=NOW - 100)
    assert consumer.consume(made) == []
    assert consumer.outcomes() == {"m-A": "Duplicate"}
    assert consumer.dead_letters() == []


@BOTH
def test_the_same_key_with_another_payload_is_a_dead_letter_and_never_silently_acknowledged(make: Any):
    consumer, _ = make()
    taken(consumer, held("A", payload="another"))
    assert consumer.consume(order("A")) == []
    (letter,) = consumer.dead_letters()
    assert letter["reason"]["error_type"] == "IdempotencyKeyReused"
    assert letter["reason"]["reason"] == "the idempotency key was used before, with another payload"


def test_effects_that_were_not_promised_are_a_dead_letter_and_not_a_success():
    consumer = Consumer(lambda body: Effects(writes=[Put("ORDERS", body)]))
    assert consumer.consume(record({"id": "A"}, message_id="m")) == []
    (letter,) = consumer.dead_letters()
    assert letter["reason"]["error_type"] == "UnusableResult"
    assert completed(consumer) == []


def test_a_result_where_effects_were_promised_is_a_dead_letter_and_commits_nothing():
    consumer = Consumer(lambda _: {"ok": True}, returns_effects=True)
    assert consumer.consume(record({"id": "A"}, message_id="m")) == []
    (letter,) = consumer.dead_letters()
    assert letter["reason"]["reason"] == (
        "orders:fulfil is annotated '-> Effects' and returned dict: return Effects, and deploy again"
    )
    assert [call.operation for call in consumer.dynamodb.calls] == ["GetItem"]


@pytest.mark.parametrize("error", [PermanentError("out of stock"), ConnectionError("try again")])
@pytest.mark.parametrize("how", ["raised", "otherwise"])
def test_an_error_that_a_module_keeps_and_raises_again_and_again_keeps_no_frames(how: str, error: Exception):
    """Each raise adds frames to it, and they hold payloads: a leak, and another message's data."""

    def fulfil(body: Any) -> Effects:
        if how == "raised":
            raise error
        return Effects(writes=[Put("ORDERS", body, condition=Attr("id").not_exists(), otherwise=error)])

    consumer = Consumer(fulfil, returns_effects=True)
    refusal = scripted_aws.cancelled(["None", "ConditionalCheckFailed"])
    consumer.dynamodb.always("TransactWriteItems", refusal)
    consumer.consume(*[record({"id": number}) for number in range(3)])
    assert error.__traceback__ is None
    assert all(line["error_location"] for line in consumer.log if line["outcome"] == "Failed")


def test_a_refused_condition_is_a_dead_letter_with_what_the_write_says():
    def fulfil(body: Any) -> Effects:
        refusal = PermanentError("there is one already")
        return Effects(writes=[Put("ORDERS", body, condition=Attr("id").not_exists(), otherwise=refusal)])

    consumer = Consumer(fulfil, returns_effects=True)
    consumer.dynamodb.script("TransactWriteItems", scripted_aws.cancelled(["None", "ConditionalCheckFailed"]))
    assert consumer.consume(record({"id": "A"})) == []
    (letter,) = consumer.dead_letters()
    assert letter["reason"]["reason"] == "there is one already"


@BOTH
def test_dynamodb_out_of_reach_fails_every_message_and_says_what_is_missing(make: Any):
    consumer, orders = make()
    for operation in ("BatchExecuteStatement", "TransactWriteItems"):
        consumer.dynamodb.always(operation, CONNECTION_LOST)
    assert consumer.consume(order("A"), order("B")) == ["m-A", "m-B"]
    assert consumer.outcomes() == {"m-A": "Failed", "m-B": "Failed"}
    hints = {line["hint"] for line in consumer.log if line["message"] == "message failed"}
    assert hints == {
        "cannot reach https://dynamodb.invalid/: a function in a VPC needs a route to it;"
        " add the VPC endpoints that the construct lists as required_endpoints, or a NAT gateway"
    }
    assert orders.runs == ([] if make is leased else ["A", "B"])


@BOTH
@pytest.mark.parametrize("event", [{}, {"Records": None}, golden("sns"), {"Records": [{}]}, {"Records": [None]}])
def test_an_event_that_is_not_sqs_s_raises_since_nothing_of_it_may_be_acknowledged(make: Any, event: Any):
    consumer, _ = make()
    with pytest.raises((KeyError, TypeError)):
        consumer.answer(*event["Records"])


# --- Leases of a batch


def test_a_batch_of_new_keys_costs_one_request_to_claim_and_one_to_complete():
    consumer, _ = leased()
    assert consumer.consume(*[order(str(number)) for number in range(10)]) == []
    assert consumer.dynamodb.operations == ["BatchExecuteStatement"] * 2
    assert completed(consumer) == [f"Fulfilment#{number}" for number in range(10)]


def test_success_completes_a_claim_and_everything_else_gives_it_back():
    consumer, _ = leased()
    taken(consumer, held("D"), held("B", done=False, free_at=NOW + 9))
    consumer.consume(order("A"), order("B"), order("C", "fail"), order("D"), order("E", "refuse"))
    assert completed(consumer) == ["Fulfilment#A"]
    assert released(consumer) == ["Fulfilment#C", "Fulfilment#E"]


@pytest.mark.parametrize(("timeout", "visibility", "seconds"), [(30, 180, 32), (30, 20, 22), (29.5, 180, 32)])
def test_a_lease_lasts_as_long_as_the_invocation_may_and_never_beyond_visibility(
    timeout: float, visibility: int, seconds: int
):
    consumer, _ = leased(visibility_timeout_seconds=visibility)
    consumer.timeout = timeout
    consumer.consume(order("A"))
    insert = consumer.dynamodb.requests("BatchExecuteStatement")[0]["Statements"][0]
    assert {"N": str(NOW + seconds)} in insert["Parameters"]


def test_two_invocations_are_two_owners():
    consumer, _ = leased()
    for id in ("A", "B"):
        consumer.consume(order(id))
    owners = {
        statement["Parameters"][2]["S"]
        for request in consumer.dynamodb.requests("BatchExecuteStatement")
        for statement in request["Statements"]
        if statement["Statement"].startswith("INSERT")
    }
    assert len(owners) == 2


def test_a_claim_that_cannot_be_completed_is_a_warning_and_the_message_stays_acknowledged():
    consumer, _ = leased()
    consumer.dynamodb.script("BatchExecuteStatement", {"Responses": [{}]}, CONNECTION_LOST)
    assert consumer.consume(order("A")) == []
    (warning,) = [line for line in consumer.log if line["level"] == "WARNING"]
    assert warning["message"] == "a claim could not be settled: it holds until its deadline"
    assert warning["error_type"] == "ConnectTimeoutError"
    assert warning["hint"].startswith("cannot reach https://dynamodb.invalid/")


# --- Duplicates inside a batch


@BOTH
def test_of_two_equal_messages_in_a_batch_one_runs(make: Any):
    consumer, orders = make()
    assert consumer.consume(order("A", message="one"), order("A", message="two")) == []
    assert orders.runs == ["A"]
    assert consumer.outcomes() == {"one": "Succeeded", "two": "Duplicate"}


@BOTH
def test_of_two_equal_messages_the_second_follows_a_failed_first(make: Any):
    consumer, orders = make()
    one, two = order("A", "fail", message="one"), order("A", "fail", message="two")
    assert consumer.consume(one, two) == ["one", "two"]
    assert orders.runs == ["A"]
    assert consumer.outcomes() == {"one": "Failed", "two": "Unstarted"}
    assert consumer.delays()[one["receiptHandle"]] == consumer.delays()[two["receiptHandle"]]


@BOTH
def test_of_two_equal_messages_both_are_dead_letters_when_the_first_is_refused(make: Any):
    consumer, orders = make()
    assert consumer.consume(order("A", "refuse", message="one"), order("A", "refuse", message="two")) == []
    assert orders.runs == ["A"]
    assert [letter["reason"]["correlation_id"] for letter in consumer.dead_letters()] == ["one", "two"]


@BOTH
def test_of_two_equal_messages_both_wait_for_a_lease_elsewhere(make: Any):
    consumer, _ = make()
    taken(consumer, held("A", done=False, free_at=NOW + 40))
    assert consumer.consume(order("A", message="one"), order("A", message="two")) == ["one", "two"]
    assert consumer.outcomes() == {"one": "Busy", "two": "Unstarted"}
    assert min(consumer.delays().values()) > 40


@BOTH
def test_another_payload_under_the_key_of_a_success_is_refused(make: Any):
    consumer, orders = make()
    other = order("A", message="two", extra={"n": 2})
    assert consumer.consume(order("A", message="one"), other) == []
    assert orders.runs == ["A"]
    assert consumer.outcomes() == {"one": "Succeeded", "two": "Refused"}
    (letter,) = consumer.dead_letters()
    assert letter["reason"]["error_type"] == "IdempotencyKeyReused"
    assert letter["MessageBody"] == other["body"]


@BOTH
@pytest.mark.parametrize("first", ["fail", "refuse"])
def test_another_payload_under_the_key_of_a_first_that_did_not_succeed_gets_its_own_chance_later(make: Any, first: str):
    consumer, orders = make()
    assert "two" in consumer.consume(order("A", first, message="one"), order("A", message="two"))
    assert orders.runs == ["A"]
    assert consumer.outcomes()["two"] == "Unstarted"
    assert [letter["reason"]["correlation_id"] for letter in consumer.dead_letters()] == (
        ["one"] if first == "refuse" else []
    )


@BOTH
def test_the_same_message_twice_in_a_batch_is_named_once_in_the_answer(make: Any):
    consumer, _ = make()
    answer = consumer.answer(order("A", "fail", message="m"), order("A", "fail", message="m"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert len(consumer.delays()) == 2


@BOTH
def test_a_message_that_is_refused_as_it_stands_is_nobody_s_first(make: Any):
    consumer, orders = make(max_age_seconds=60)
    assert consumer.consume(order("A", sent_at=NOW - 90, message="old"), order("A", message="new")) == []
    assert orders.runs == ["A"]
    assert consumer.outcomes() == {"new": "Succeeded", "old": "Refused"}


# --- Several at once, and in order


def test_commits_of_a_standard_queue_overlap_and_functions_do_not():
    consumer, orders = transactional(commit_threads=5)
    arrived = threading.Barrier(5, timeout=10)
    consumer.dynamodb.always("TransactWriteItems", lambda _: (arrived.wait(), {})[1])
    threads: list[str] = []
    call = consumer.function

    def noting(body: Any, invocation: Invocation) -> Any:
        threads.append(threading.current_thread().name)
        return call(body, invocation)

    consumer.function = noting
    assert consumer.consume(*[order(str(number)) for number in range(5)]) == []
    assert set(threads) == {threading.current_thread().name}
    assert orders.runs == ["0", "1", "2", "3", "4"]


def test_one_message_needs_no_thread():
    consumer, _ = transactional(commit_threads=5)
    names: list[str] = []
    consumer.dynamodb.always("TransactWriteItems", lambda _: names.append(threading.current_thread().name) or {})
    consumer.consume(order("A"))
    assert names == [threading.current_thread().name]


def test_commits_of_a_fifo_queue_never_overlap():
    consumer, _ = transactional(commit_threads=5, **FIFO)
    trace: list[str] = []
    consumer.dynamodb.always(
        "TransactWriteItems",
        lambda request: trace.append(request["TransactItems"][0]["Put"]["Item"]["claim"]["S"]) or {},
    )
    call = consumer.function
    consumer.function = lambda body, invocation: trace.append("run") or call(body, invocation)
    consumer.consume(*[order(str(number), group=f"g{number % 2}") for number in range(3)])
    assert trace == ["run", "Fulfilment#0", "run", "Fulfilment#1", "run", "Fulfilment#2"]


def test_a_failure_in_one_thread_is_that_message_s_alone():
    consumer, _ = transactional(commit_threads=3)

    def transact(request: dict[str, Any]) -> Any:
        id = request["TransactItems"][0]["Put"]["Item"]["claim"]["S"]
        return CONNECTION_LOST if id == "Fulfilment#1" else {}

    consumer.dynamodb.always("TransactWriteItems", transact)
    assert consumer.consume(*[order(str(number)) for number in range(4)]) == ["m-1"]


@BOTH
def test_a_fifo_group_stops_at_its_first_failure_and_the_others_go_on(make: Any):
    consumer, orders = make(**FIFO)
    batch = [
        order("A1", group="a"),
        order("B1", group="b"),
        order("A2", "fail", group="a"),
        order("B2", group="b"),
        order("A3", group="a"),
        order("C1", group="c"),
        order("A4", "refuse", group="a"),
    ]
    assert consumer.consume(*batch) == ["m-A2", "m-A3", "m-A4"]
    assert orders.runs == ["A1", "B1", "A2", "B2", "C1"]
    assert {id: outcome for id, outcome in consumer.outcomes().items() if id >= "m-A2" and id < "m-B"} == {
        "m-A2": "Failed",
        "m-A3": "Unstarted",
        "m-A4": "Unstarted",
    }
    delays = consumer.delays()
    assert len({delays[batch[at]["receiptHandle"]] for at in (2, 4, 6)}) == 1
    assert consumer.dead_letters() == []


@BOTH
def test_a_fifo_group_stops_at_a_message_that_is_busy_elsewhere(make: Any):
    consumer, orders = make(**FIFO)
    taken(consumer, held("A1", done=False, free_at=NOW + 30))
    assert consumer.consume(order("A1", group="a"), order("A2", group="a"), order("B1", group="b")) == ["m-A1", "m-A2"]
    assert [id for id in orders.runs if id != "A1"] == ["B1"]


@BOTH
def test_a_fifo_group_goes_on_behind_a_dead_letter_and_a_duplicate(make: Any):
    consumer, orders = make(**FIFO)
    taken(consumer, held("A2"))
    batch = [order("A1", "refuse", group="a"), record("{", group="a"), order("A2", group="a"), order("A3", group="a")]
    assert consumer.consume(*batch) == []
    assert orders.runs[-1] == "A3"
    assert len(consumer.dead_letters()) == 2
    assert {letter["MessageGroupId"] for letter in consumer.dead_letters()} == {"a"}


@BOTH
def test_a_fifo_group_stops_at_a_dead_letter_that_was_not_stored(make: Any):
    consumer, orders = make(**FIFO)
    consumer.sqs.always("SendMessage", CONNECTION_LOST)
    assert consumer.consume(order("A1", "refuse", group="a"), order("A2", group="a")) == ["m-A1", "m-A2"]
    assert orders.runs == ["A1"]


@BOTH
def test_a_dead_letter_behind_a_failure_of_its_group_waits_its_turn(make: Any):
    consumer, _ = make(**FIFO)
    broken = record("{", group="a", message_id="broken")
    assert consumer.consume(order("A1", "fail", group="a"), broken) == ["m-A1", "broken"]
    assert consumer.dead_letters() == []


@BOTH
def test_a_duplicate_of_a_stopped_group_s_message_stops_its_own_group(make: Any):
    consumer, orders = make(**FIFO)
    batch = [order("A1", "fail", group="a"), order("A1", "fail", group="b", message="copy"), order("B2", group="b")]
    assert consumer.consume(*batch) == ["m-A1", "copy", "m-B2"]
    assert orders.runs == ["A1"]


@BOTH
def test_a_stopped_group_is_forgotten_by_the_next_invocation_of_a_warm_function(make: Any):
    consumer, orders = make(**FIFO)
    assert consumer.consume(order("A1", "fail", group="a"), order("A2", group="a")) == ["m-A1", "m-A2"]
    assert consumer.consume(order("A1", group="a", receives=2), order("A2", group="a", receives=2)) == []
    assert orders.runs == ["A1", "A1", "A2"]
    assert consumer.metrics.counts == {"Failed": 1, "Unstarted": 1, "Succeeded": 2}


@BOTH
def test_groups_on_a_standard_queue_stop_nobody(make: Any):
    """Fair queues: a group is a tenant there and promises no order."""
    consumer, orders = make()
    batch = golden("sqs_fair_standard")["Records"]
    for made, id in zip(batch, "AB", strict=True):
        made["body"] = json.dumps({"id": id} | ({"do": "fail"} if id == "A" else {}))
    assert consumer.consume(*batch) == [batch[0]["messageId"]]
    assert orders.runs == ["A", "B"]


# --- Counted attempts


def counting(make: Any, **settings: Any) -> tuple[Consumer, Orders, dict[str, set[str]]]:
    consumer, orders = make(count_attempts=True, max_receive_count=3, **FIFO, **settings)
    noted: dict[str, set[str]] = {}

    def update(request: dict[str, Any]) -> Any:
        attempts = noted.setdefault(request["Key"]["claim"]["S"], set())
        attempts |= set(request["ExpressionAttributeValues"][":receive"]["NS"])
        return {"Attributes": {"attempts": {"NS": sorted(attempts)}}}

    consumer.dynamodb.always("UpdateItem", update)
    return consumer, orders, noted


@BOTH
def test_a_first_success_is_not_counted(make: Any):
    consumer, _, noted = counting(make)
    consumer.consume(order("A", group="a"))
    assert noted == {}


@BOTH
def test_a_message_that_keeps_failing_is_a_dead_letter_after_its_limit(make: Any):
    consumer, orders, noted = counting(make)
    for receive in (1, 2):
        assert consumer.consume(order("A", "fail", group="a", receives=receive)) == ["m-A"]
    assert consumer.consume(order("A", "fail", group="a", receives=3), order("B", group="a")) == []
    assert orders.runs == ["A", "A", "A", "B"]
    assert noted == {"attempts#Fulfilment#m-A": {"1", "2", "3"}}
    (letter,) = consumer.dead_letters()
    assert letter["reason"]["reason"] == "failed 3 times, the last time with ConnectionError"
    assert letter["reason"]["error_type"] == "AttemptsExhausted"


@BOTH
def test_a_healthy_message_behind_a_failing_one_loses_no_attempt(make: Any):
    consumer, orders, noted = counting(make)
    for receive in range(1, 10):
        consumer.consume(order("A", "fail", group="a", receives=1), order("B", group="a", receives=receive))
    assert "attempts#Fulfilment#m-B" not in noted
    assert consumer.consume(order("B", group="a", receives=10)) == []
    assert orders.runs[-1] == "B"
    assert orders.invocations[-1].attempt == 1


@BOTH
def test_a_message_whose_every_attempt_died_is_a_dead_letter_without_another(make: Any):
    consumer, orders, noted = counting(make)
    noted["attempts#Fulfilment#m-A"] = {"2", "3", "4"}
    assert consumer.consume(order("A", group="a", receives=5)) == []
    assert orders.runs == []
    (letter,) = consumer.dead_letters()
    assert letter["reason"]["reason"] == "started 3 times, with no end that could be recorded"


@BOTH
def test_an_attempt_that_cannot_be_noted_before_the_run_is_a_failure_without_one(make: Any):
    consumer, orders, _ = counting(make)
    consumer.dynamodb.always("UpdateItem", CONNECTION_LOST)
    assert consumer.consume(order("A", group="a", receives=2)) == ["m-A"]
    assert orders.runs == []


@BOTH
def test_a_failure_that_cannot_be_noted_stays_a_failure(make: Any):
    consumer, orders, _ = counting(make)
    consumer.dynamodb.always("UpdateItem", CONNECTION_LOST)
    assert consumer.consume(order("A", "fail", group="a")) == ["m-A"]
    assert orders.runs == ["A"]
    (warning,) = [line for line in consumer.log if line["level"] == "WARNING"]
    assert warning["message"] == "an attempt could not be counted"
    assert warning["message_id"] == "m-A"


@BOTH
def test_a_delay_grows_with_attempts_and_not_with_receives(make: Any):
    consumer, _, _ = counting(make)
    made = order("A", "fail", group="a", receives=9)
    consumer.consume(made)
    assert consumer.delays()[made["receiptHandle"]] <= 5


# --- Time


@BOTH
def test_no_run_is_started_that_would_not_end_in_time_if_it_took_as_long_as_the_longest(make: Any):
    consumer, orders = make()
    call = consumer.function

    def slow(body: Any, invocation: Invocation) -> Any:
        consumer.clock.now += 9.1
        return call(body, invocation)

    consumer.function = slow
    batch = [order(id) for id in "ABCD"]
    assert consumer.consume(*batch) == ["m-C", "m-D"]
    assert orders.runs == ["A", "B"]
    assert consumer.delays() == {batch[2]["receiptHandle"]: 0, batch[3]["receiptHandle"]: 0}
    if make is leased:
        assert released(consumer) == ["Fulfilment#C", "Fulfilment#D"]


@BOTH
@pytest.mark.parametrize(
    ("timeout", "used", "second_runs"), [(30, 13.2, True), (30, 13.4, False), (3, 1.2, True), (3, 1.3, False)]
)
def test_two_seconds_or_a_tenth_are_kept_free_after_a_run_a_tenth_longer_than_the_longest(
    make: Any, timeout: float, used: float, second_runs: bool
):
    consumer, orders = make()
    consumer.timeout = timeout
    call = consumer.function

    def slow(body: Any, invocation: Invocation) -> Any:
        consumer.clock.now += used
        return call(body, invocation)

    consumer.function = slow
    consumer.consume(order("A"), order("B"))
    assert orders.runs == (["A", "B"] if second_runs else ["A"])


@BOTH
def test_the_first_message_always_gets_its_chance(make: Any):
    consumer, orders = make()
    consumer.timeout = 0.0
    assert consumer.consume(order("A"), order("B")) == ["m-B"]
    assert orders.runs == ["A"]


def test_contended_items_leave_time_for_the_answer():
    """A commit that tries until Lambda ends it takes the whole batch with it."""
    consumer, _ = transactional()
    started = consumer.clock.now

    def contended(_: Any) -> Any:
        consumer.clock.now += 0.05
        return scripted_aws.cancelled(["None", "TransactionConflict"])

    consumer.dynamodb.always("TransactWriteItems", contended)
    assert consumer.consume(order("A")) == ["m-A"]
    assert consumer.clock.now - started < 28.1
    assert [line["error_type"] for line in consumer.log if "error_type" in line] == ["Contended"]


@BOTH
def test_dead_letters_that_do_not_fit_into_the_time_come_back_and_the_others_are_acknowledged(make: Any):
    consumer, _ = make()
    sends: list[str] = []

    def slow(request: Any) -> Any:
        consumer.clock.now += 14.9
        sends.append(request["MessageBody"])
        return {"MessageId": "dead"}

    consumer.sqs.always("SendMessage", slow)
    batch = [record("{" * n, message_id=f"m-{n}") for n in (1, 2, 3)]
    assert consumer.consume(*batch) == ["m-3"]
    assert sends == ["{", "{{"]


# --- What is called


ALLOWED = {
    "dynamodb": {"TransactWriteItems", "BatchExecuteStatement", "UpdateItem", "GetItem"},
    "sqs": {"SendMessage", "ChangeMessageVisibilityBatch"},
}


@BOTH
@pytest.mark.parametrize("fifo", [True, False])
def test_the_consumer_calls_nothing_that_it_has_no_permission_for(make: Any, fifo: bool):
    consumer, _ = make(**(FIFO | {"count_attempts": True} if fifo else {}), max_age_seconds=60)
    taken(consumer, held("D"), held("E", done=False, free_at=NOW + 9), held("F", payload="other"))
    group: dict[str, Any] = {"group": "a"} if fifo else {}
    batch = [
        order("A", receives=2, **group),
        order("B", "refuse", **group),
        record("{", **group),
        order("D", **group),
        order("F", **group),
        order("G", sent_at=NOW - 90, **group),
        order("E", **(group and {"group": "b"})),
        order("C", "fail", **(group and {"group": "c"})),
    ]
    consumer.consume(*batch)
    assert set(consumer.dynamodb.operations) <= ALLOWED["dynamodb"]
    assert set(consumer.sqs.operations) == ALLOWED["sqs"]
    other = {"TransactWriteItems"} if make is leased else {"BatchExecuteStatement"}
    assert not set(consumer.dynamodb.operations) & other
    assert {request["QueueUrl"] for request in consumer.sqs.requests("SendMessage")} == {
        consumer.edge.settings.dead_letter_queue_url
    }
    assert {request["QueueUrl"] for request in consumer.sqs.requests("ChangeMessageVisibilityBatch")} == {
        consumer.edge.settings.queue_url
    }
    tables = {request["TableName"] for request in consumer.dynamodb.requests("GetItem")}
    assert tables <= {"claims"}


@BOTH
def test_visibility_that_cannot_be_set_is_a_warning_and_the_message_is_not_acknowledged(make: Any):
    consumer, _ = make()
    consumer.sqs.always("ChangeMessageVisibilityBatch", CONNECTION_LOST)
    assert consumer.consume(order("A", "fail"), order("B")) == ["m-A"]
    (warning,) = [line for line in consumer.log if line["level"] == "WARNING"]
    assert warning["message"] == "the delay could not be set: the message waits out its visibility timeout"
    assert warning["message_id"] == "m-A"
