"""What the consumer says: one JSON line a message, enough to find it, nothing of what is in it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Put

from .. import scripted_aws
from ..consumer import FIFO, Consumer
from ..sqs_events import NOW, record, text

CANARY = "canary-4111-1111"


def fail(_: Any) -> None:
    raise RuntimeError(CANARY)


def test_a_message_is_one_line_with_what_finds_it():
    consumer = Consumer(lambda _: None)
    consumer.consume(record({}, message_id="m-1", receives=2, attributes={"correlation-id": text("web-1")}))
    (line,) = consumer.log
    assert {name: line[name] for name in line.keys() - {"timestamp", "location", "service"}} == {
        "level": "INFO",
        "message": "message handled",
        "outcome": "Succeeded",
        "correlation_id": "web-1",
        "message_id": "m-1",
        "receive_count": 2,
        "function_request_id": "request-1",
    }


def test_a_failure_s_line_says_where_and_when_it_comes_back_and_not_what_was_said():
    consumer = Consumer(fail)
    made = record({}, message_id="m-1")
    consumer.consume(made)
    (line,) = consumer.log
    assert line["level"] == "ERROR"
    assert line["message"] == "message failed"
    assert line["error_type"] == "RuntimeError"
    assert line["error_location"][-1].endswith(" fail")
    assert line["delay_seconds"] == consumer.delays()[made["receiptHandle"]]
    assert "error_message" not in line


def test_a_dead_letter_s_line_says_why():
    def refuse(_: Any) -> None:
        raise PermanentError("out of stock\nforged")

    consumer = Consumer(refuse)
    consumer.consume(record({}, message_id="m-1"))
    (line,) = consumer.log
    assert line["message"] == "message dead-lettered"
    assert line["reason"] == "out of stock\nforged"
    assert line["error_type"] == "PermanentError"


def test_an_error_s_text_is_logged_at_debug_level_only():
    for level, told in {"DEBUG": True, "INFO": False, "WARNING": False, "ERROR": False}.items():
        consumer = Consumer(fail, level=level)
        consumer.consume(record({}))
        assert (CANARY in consumer.log_text) is told
        assert len(consumer.log) == 1


def test_the_function_s_own_lines_carry_the_message_s_ids():
    def talk(body: Any, invocation: Invocation) -> None:
        invocation.logger.info("halfway", extra={"step": body})

    consumer = Consumer(talk)
    correlated = {"correlation-id": text("web-1")}
    consumer.consume(record(1, message_id="m-1", attributes=correlated), record(2, message_id="m-2"))
    own = [line for line in consumer.log if line["message"] == "halfway"]
    assert [(line["step"], line["correlation_id"], line["message_id"]) for line in own] == [
        (1, "web-1", "m-1"),
        (2, "m-2", "m-2"),
    ]
    assert {line["function_request_id"] for line in own} == {"request-1"}


@pytest.mark.parametrize("returns_effects", [True, False])
def test_ids_of_one_message_are_not_on_lines_about_the_invocation(returns_effects: bool):
    consumer = Consumer(fail, returns_effects=returns_effects)
    consumer.sqs.always("ChangeMessageVisibilityBatch", ConnectTimeoutError(endpoint_url="https://sqs.invalid"))
    consumer.dynamodb.script("BatchExecuteStatement", {"Responses": [{}]}, scripted_aws.error("x", "Denied"))
    consumer.consume(record({}, message_id="m-1", attributes={"correlation-id": text("web-1")}))
    warnings = [line for line in consumer.log if line["level"] == "WARNING"]
    assert warnings
    assert all("correlation_id" not in line for line in warnings)


def test_keys_that_a_function_adds_to_the_log_end_with_its_message():
    """A warm function's next message, or next tenant, must not carry them."""

    def talk(body: Any, invocation: Invocation) -> None:
        if body == 1:
            invocation.logger.append_keys(customer="ALFKI")  # type: ignore[attr-defined]

    consumer = Consumer(talk)
    consumer.consume(record(1, message_id="m-1"), record(2, message_id="m-2"))
    consumer.consume(record(3, message_id="m-3"))
    assert [line.get("customer") for line in consumer.log if line["message_id"] != "m-1"] == [None, None]


def leaky(body: Any, invocation: Invocation) -> Any:
    invocation.logger.info("looking")
    match body["do"]:
        case "fail":
            raise ValueError(f"{CANARY} {body}")
        case "chain":
            try:
                raise KeyError(CANARY)
            except KeyError as cause:
                raise RuntimeError(body["card"]) from cause
        case "group":
            raise ExceptionGroup(CANARY, [ValueError(CANARY)])
        case "exit":
            raise SystemExit(CANARY)
        case "refuse":
            raise PermanentError("no card of this kind")
        case "type":
            return Effects(result=CANARY)
        case "huge":
            return Effects(writes=[Put("ORDERS", {"id": CANARY * 400_000})])
        case "untyped":
            return Effects(writes=[Put("ORDERS", {"id": {1: CANARY}})])
        case "no table":
            return Effects(writes=[Put("CARDS", {"id": CANARY})])
        case "condition":
            return Effects(writes=[Put("ORDERS", {"id": CANARY}, condition=Attr("id") == CANARY)])
    return None


CASES = ["fail", "chain", "group", "exit", "refuse", "type", "huge", "untyped", "no table", "condition", "succeed"]


@pytest.mark.parametrize("level", ["INFO", "ERROR"])
@pytest.mark.parametrize("returns_effects", [True, False])
@pytest.mark.parametrize("fifo", [True, False])
def test_no_payload_and_no_error_text_is_in_logs_dead_letter_reasons_or_metrics(
    level: str, returns_effects: bool, fifo: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("DATABASE_PASSWORD", CANARY)
    counted = FIFO | {"count_attempts": True, "max_receive_count": 1} if fifo else {}
    consumer = Consumer(leaky, level=level, returns_effects=returns_effects, max_age_seconds=60, **counted)
    bodies: list[Any] = [{"do": case, "card": CANARY} for case in CASES]
    bodies += ["{" + CANARY, f'{{"{CANARY}": 1, "{CANARY}": 2}}', f'{{"card": "{CANARY}", "x": NaN}}']
    group = {"group": "g"} if fifo else {}
    attributes = {"note": text(CANARY)}
    batch = [record(body, attributes=attributes, **group) for body in bodies]
    batch.append(record({"do": "succeed", "card": CANARY}, sent_at=NOW - 999, attributes=attributes, **group))

    def transact(request: dict[str, Any]) -> Any:
        if "ConditionExpression" in str(request["TransactItems"][1:]):
            return scripted_aws.cancelled(["None", {"Code": "ConditionalCheckFailed", "Message": "failed"}])
        return {}

    consumer.dynamodb.always("TransactWriteItems", transact)
    for one in batch:  # alone: a group would stop at its first failure
        consumer.consume(one)
    assert len(consumer.log) > len(bodies) or level == "ERROR"
    assert CANARY not in consumer.log_text
    for letter in consumer.dead_letters():
        assert CANARY not in json.dumps(letter["reason"])
        assert CANARY in letter["MessageBody"], "the body itself stays as it was"
    assert CANARY not in str(consumer.metrics.counts)
    out, err = capfd.readouterr()
    assert CANARY not in out + err


unicode = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)  # SQS takes nothing else


@settings(max_examples=60)
@given(unicode, unicode)
def test_nothing_that_a_sender_writes_can_forge_a_line(said: str, reason: str):
    def refuse(_: Any) -> None:
        raise PermanentError(reason)

    consumer = Consumer(refuse)
    consumer.consume(record({}, message_id="m-1", attributes={"correlation-id": text(said)}))
    lines = consumer.log_text.split("\n")
    assert lines.pop() == ""
    (line,) = lines
    assert json.loads(line)["message_id"] == "m-1"
    assert json.loads(line)["reason"] == reason


def test_a_reason_that_is_no_text_is_logged_all_the_same(capfd: pytest.CaptureFixture[str]):
    def refuse(_: Any) -> None:
        raise PermanentError("half a pair: \ud83d")

    consumer = Consumer(refuse)
    consumer.consume(record({}, message_id="m-1"))
    assert consumer.outcomes() == {"m-1": "Refused"}
    consumer.log_text.encode()
    assert "Logging error" not in capfd.readouterr().err


def test_a_batch_says_one_line_a_message():
    consumer = Consumer(lambda body: fail(body) if body == 3 else None)
    consumer.consume(
        *[record(number, message_id=f"m-{number}") for number in range(8)], record("{", message_id="broken")
    )
    assert sorted(line["message_id"] for line in consumer.log) == ["broken", *[f"m-{number}" for number in range(8)]]
