"""Functions that publish: tested without AWS, and deployed by one variable."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import serverless_patterns_runtime
from serverless_patterns_runtime import Invocation, Message, PermanentError, matches, publish
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.errors import UnusableMessage, UnusableResource
from serverless_patterns_runtime.testing import published

from .sns import SETTINGS, Sns


def place(order: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
    publish("ORDER_EVENTS", Message(order, {"kind": "placed"}), invocation=invocation)
    return {"order_id": order["order_id"]}


def test_what_a_function_publishes_is_seen_as_it_wrote_it() -> None:
    invocation = Invocation.fake()
    place({"order_id": "7"}, invocation)
    place({"order_id": "8"}, invocation)
    first, second = published(invocation, "ORDER_EVENTS")
    assert first == Message({"order_id": "7"}, {"kind": "placed"})
    assert second == Message({"order_id": "8"}, {"kind": "placed"})
    assert matches({"kind": ["placed"]}, first)
    assert published(invocation, "OTHERS") == []


def test_what_is_sent_has_what_the_topic_makes_of_a_body_so_that_its_filters_can_be_tried() -> None:
    invocation = Invocation.fake(topics={"ORDER_EVENTS": {"key": "order_id", "attributes": {"state": "$.state"}}})
    place({"order_id": "7", "state": "new"}, invocation)
    (sent,) = published(invocation, "ORDER_EVENTS", as_sent=True)
    assert matches({"state": ["new"]}, sent)
    assert sent.body == {"order_id": "7", "state": "new"}
    assert sent.attributes == {
        "kind": "placed",
        "state": "new",
        "idempotency-key": "7",
        "correlation-id": "correlation-1",
    }
    assert published(Invocation.fake(), "ORDER_EVENTS", as_sent=True) == []


@pytest.mark.parametrize("path", ["state", "$.state"])
def test_an_attribute_of_its_own_wins_over_the_topic_s(path: str) -> None:
    invocation = Invocation.fake(topics={"T": {"attributes": {"state": path}}})
    publish("T", Message({"state": "new"}, {"state": "old"}), invocation=invocation)
    assert published(invocation, "T", as_sent=True)[0].attributes["state"] == "old"


@pytest.mark.parametrize(
    ("topics", "match"),
    [
        ({"T": {"idempotency_key": "a"}}, r"topics\['T'\] has no 'idempotency_key': write 'key'"),
        ({"T": {"claim_check": True}}, r"has no 'claim_check': it has 'attributes', 'claim_check_bucket', .* 'key'"),
        (
            ["T"],
            r"topics must be a dictionary by name, got a value of type list: write topics=\{'ORDER_EVENTS': \{\}\}",
        ),
        ({"T": "key"}, r"topics\['T'\] must be a dictionary of its settings, got a value of type str"),
    ],
)
def test_a_test_is_told_of_settings_that_would_check_nothing(topics: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        Invocation.fake(topics=topics)


def test_where_topics_are_given_there_are_no_others() -> None:
    invocation = Invocation.fake(topics={"ORDER_EVENTS": {}})
    with pytest.raises(UnusableResource, match=r"topic 'ORDERS'.*ORDER_EVENTS"):
        publish("ORDERS", Message({"a": 1}), invocation=invocation)
    with pytest.raises(UnusableResource, match=r"topic 'ORDERS'.*ORDER_EVENTS"):
        published(invocation, "ORDERS")


def test_one_invocation_s_messages_are_not_another_s() -> None:
    place({"order_id": "7"}, Invocation.fake())
    assert published(Invocation.fake(), "ORDER_EVENTS") == []


def test_it_is_told_the_key_and_an_id() -> None:
    ((id, key),) = publish("ORDER_EVENTS", Message({"a": 1}), invocation=Invocation.fake())
    assert (id, key) == ("message-1", "key-1")


def test_what_sns_would_not_take_is_refused_in_a_unit_test_too() -> None:
    invocation = Invocation.fake()
    with pytest.raises(PermanentError, match="at most 262,144 bytes"):
        place({"order_id": "x" * 300_000}, invocation)
    assert published(invocation, "ORDER_EVENTS") == []


@pytest.mark.parametrize(
    ("settings", "match"),
    [({"key": "order_id"}, "no idempotency key: 'order_id'"), ({"fifo": True}, "group of 1 to 128")],
)
def test_messages_are_checked_by_the_topic_s_settings_where_they_are_given(settings: Any, match: str) -> None:
    invocation = Invocation.fake(topics={"ORDER_EVENTS": settings})
    with pytest.raises(PermanentError, match=match):
        publish("ORDER_EVENTS", Message({"a": 1}), invocation=invocation)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("T", {"a": 1}), r"publish takes Messages, got a value of type dict: write Message\(body\)"),
        (("T", [Message({"a": 1})]), r"one by one, got a list: .* publish\(topic, \*messages"),
        ((Message({"a": 1}), "T"), "takes the topic's name first, got a value of type Message: write publish"),
    ],
)
def test_what_is_no_message_is_refused_for_good_and_not_by_a_caller_s_fault(arguments: Any, match: str) -> None:
    with pytest.raises(UnusableMessage, match=match):
        publish(*arguments, invocation=Invocation.fake())


def test_two_messages_without_a_key_are_no_fault_of_who_called_the_function() -> None:
    with pytest.raises(UnusableMessage, match="no idempotency key"):
        publish("T", Message({"n": 1}), Message({"n": 2}), invocation=Invocation.fake())


def test_without_a_topic_the_error_says_what_to_write() -> None:
    with pytest.raises(UnusableResource, match=r"publisher\('NOT_THERE'\).*invocation=Invocation.fake\(\)"):
        publish("NOT_THERE", Message({"a": 1}))


def test_published_is_for_unit_tests() -> None:
    deployed = Invocation(**{**vars(Invocation.fake()), "resources": DeployedResources({})})
    with pytest.raises(TypeError, match=r"Invocation.fake\(\)"):
        published(deployed, "ORDER_EVENTS")


# Deployed.


def test_a_deployed_function_publishes_by_the_settings_in_the_variable() -> None:
    sns = Sns()
    given = json.dumps({**SETTINGS, "key": "order_id"})
    resources = DeployedResources({}, client={"sns": sns.client}.__getitem__, variables={"ORDER_EVENTS": given})
    invocation = Invocation(**{**vars(Invocation.fake()), "resources": resources})
    assert publish("ORDER_EVENTS", Message({"order_id": "7"}), invocation=invocation)[0].key == "7"
    assert sns.requests[0]["TopicArn"] == SETTINGS["topic_arn"]
    assert resources.topic("ORDER_EVENTS") is resources.topic("ORDER_EVENTS")


def test_the_client_of_a_function_that_publishes_is_made_at_init() -> None:
    asked: list[str] = []
    variables = {"ORDER_EVENTS": json.dumps(SETTINGS), "CURRENCY": "EUR"}
    DeployedResources({}, client=asked.append, variables=variables).prepare()
    DeployedResources({}, client=asked.append, variables={"CURRENCY": "EUR"}).prepare()
    assert asked == ["sns"]


PROGRAM = """
import sys
from serverless_patterns_runtime import Invocation, Message, publish
print(publish("T", Message({"a": 1}), invocation=Invocation.fake())[0].key, "botocore" in sys.modules)
"""


def test_a_unit_test_needs_no_sdk() -> None:
    source = str(Path(serverless_patterns_runtime.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": source},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.split() == ["key-1", "False"], done.stderr
