"""Published is what was sent, whatever SNS and the way to it do; where it is not, the error says what is missing."""

import json
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Message, PermanentError, PublishFailed
from serverless_patterns_runtime.errors import PublishRefused

from .sns import LOST, MOST_BYTES, UNREACHABLE, World, attributes, refused


def orders(number: int, **more: Any) -> list[Message]:
    return [Message({"order_id": str(at)}, key=f"order-{at}", **more) for at in range(number)]


def keys(world: World) -> list[str]:
    return [attributes(entry)["idempotency-key"] for entry in world.sns.published]


def test_a_message_is_published_with_its_key_its_correlation_and_its_attributes() -> None:
    world = World(attributes={"kind": "kind"})
    ((id, key),) = world.publish(Message({"order_id": "7", "kind": "placed"}, {"region": "eu"}, key="order-7"))
    (entry,) = world.sns.published
    assert (id, key) == ("id-0", "order-7")
    assert json.loads(entry["Message"]) == {"order_id": "7", "kind": "placed"}
    assert attributes(entry) == {
        "correlation-id": "correlation-1",
        "idempotency-key": "order-7",
        "kind": "placed",
        "region": "eu",
    }


def test_nothing_to_publish_is_no_request() -> None:
    world = World()
    assert list(world.publish()) == []
    assert world.sns.requests == []


@pytest.mark.parametrize(("number", "requests"), [(1, 1), (10, 1), (11, 2), (25, 3)])
def test_a_request_has_ten_messages(number: int, requests: int) -> None:
    world = World()
    assert [key for _, key in world.publish(*orders(number))] == keys(world) == [f"order-{n}" for n in range(number)]
    assert len(world.sns.requests) == requests


def test_a_request_has_no_more_bytes_than_sns_takes_of_all_messages_together() -> None:
    world = World()
    world.publish(*[Message({"text": "ä" * 60_000}, key=str(number)) for number in range(5)])
    assert [len(request["PublishBatchRequestEntries"]) for request in world.sns.requests] == [2, 2, 1]


# Failures.


PASSING = [
    UNREACHABLE,
    LOST,
    ("after", LOST),
    refused("Throttled"),
    refused("KMSThrottling"),
    refused("InternalError", 500),
    {0: ("InternalError", False)},
    {1: ("Throttled", True)},
    {0: ("KMSThrottling", True), 2: ("ServiceUnavailable", False)},
]


@pytest.mark.parametrize("fault", PASSING, ids=str)
@pytest.mark.parametrize("times", [1, 3])
def test_what_may_pass_is_tried_again_until_all_is_published(fault: Any, times: int) -> None:
    world = World()
    world.sns.faults = [fault] * times
    published = world.publish(*orders(3))
    assert [key for _, key in published] == ["order-0", "order-1", "order-2"]
    assert set(keys(world)) == {"order-0", "order-1", "order-2"}
    assert 1 <= len(world.clock.sleeps) <= times


@pytest.mark.parametrize("fault", [fault for fault in PASSING if not isinstance(fault, dict) or 0 in fault], ids=str)
def test_when_time_is_up_the_error_says_what_is_published_and_what_is_not(fault: Any) -> None:
    world = World(seconds=20)
    world.sns.faults = [fault] * 1_000
    sent = orders(3)
    with pytest.raises(PublishFailed) as raised:
        world.publish(*sent)
    assert sorted(raised.value.published + raised.value.unpublished, key=lambda message: message.key or "") == sent
    confirmed = {message.key for message in raised.value.published}
    assert confirmed <= set(keys(world)), "what is said to be published is"
    assert 2 <= world.invocation.remaining() <= 4, "the reserve is left, and less than another pause"
    assert f"{len(raised.value.unpublished)} of 3 messages were not published to ORDER_EVENTS" in str(raised.value)


def test_without_an_invocation_it_tries_for_ten_seconds() -> None:
    world = World()
    world.sns.faults = [UNREACHABLE] * 1_000
    before = world.clock.now
    with pytest.raises(PublishFailed):
        world.publish(*orders(1), alone=True)
    assert 5 < world.clock.now - before <= 10


@pytest.mark.parametrize("fault", [{1: ("InvalidParameter", True)}, refused("InvalidParameter")], ids=str)
def test_what_sns_refuses_of_a_message_is_permanent_and_raised_at_once(fault: Any) -> None:
    world = World()
    world.sns.faults = [fault]
    with pytest.raises(PublishRefused, match="InvalidParameter") as raised:
        world.publish(*orders(3))
    assert world.clock.sleeps == []
    assert [message.key for message in raised.value.published] == keys(world)
    assert len(raised.value.published) + len(raised.value.unpublished) == 3


@pytest.mark.parametrize(
    "fault",
    [
        {0: ("AuthorizationError", True)},
        refused("AuthorizationError", 403),
        refused("NotFound", 404),
        NoCredentialsError(),
    ],
    ids=str,
)
def test_what_a_deployment_may_mend_is_raised_at_once_and_is_not_permanent(fault: Any) -> None:
    world = World()
    world.sns.faults = [fault]
    with pytest.raises(PublishFailed) as raised:
        world.publish(*orders(2))
    assert world.clock.sleeps == []
    assert not isinstance(raised.value, PermanentError)


def test_a_message_that_fails_again_and_again_keeps_no_other_waiting() -> None:
    """FO8: ten that are throttled for ever, and ten behind them."""
    world = World(seconds=20)
    throttled = dict.fromkeys(range(10), ("Throttled", True))
    world.sns.faults = [throttled]
    world.publish(*orders(20))
    assert keys(world)[:10] == [f"order-{number}" for number in range(10, 20)]


def _without_successes(_: dict[str, Any]) -> dict[str, Any]:
    return {"Failed": []}


def _one_forgotten(answer: dict[str, Any]) -> dict[str, Any]:
    return {"Successful": answer["Successful"][1:], "Failed": []}


def _of_others(_: dict[str, Any]) -> dict[str, Any]:
    return {
        "Successful": [{"Id": "77", "MessageId": "x"}, {"Id": "a", "MessageId": "y"}],
        "Failed": [{"Id": "", "Code": "X"}],
    }


@pytest.mark.parametrize("change", [_without_successes, _one_forgotten, _of_others])
def test_what_an_answer_does_not_say_is_published_counts_as_not_published(change: Any) -> None:
    world = World()
    world.sns.faults = [change]
    published = world.publish(*orders(4))
    assert len(published) == 4
    assert len(world.sns.requests) == 2
    world = World(seconds=5)
    world.sns.faults = [change] * 1_000
    with pytest.raises(PublishFailed, match="Unanswered"):
        world.publish(*orders(4))


def _outcome(world: World, sent: list[Message]) -> tuple[set[str | None], set[str | None]]:
    """Keys of what is said to be published, and of what is said not to be."""
    try:
        return {published.key for published in world.publish(*sent)}, set()
    except (PublishFailed, PublishRefused) as error:
        return {message.key for message in error.published}, {message.key for message in error.unpublished}


FAULT = st.one_of(
    st.none(),
    st.sampled_from([UNREACHABLE, LOST, ("after", LOST), refused("Throttled"), refused("InternalError", 500)]),
    st.dictionaries(
        st.integers(0, 9),
        st.sampled_from([("InternalError", False), ("Throttled", True), ("InvalidParameter", True)]),
        max_size=4,
    ),
    st.sampled_from([_without_successes, _one_forgotten]),
)


@settings(max_examples=40)
@given(
    number=st.integers(1, 30),
    size=st.sampled_from([0, 30_000, 120_000]),
    faults=st.lists(FAULT, max_size=30),
    groups=st.one_of(st.none(), st.integers(1, 12)),
    seconds=st.sampled_from([1.0, 5.0, 900.0]),
)
def test_whatever_fails_what_is_not_published_is_said_and_no_group_is_out_of_order(
    number: int, size: int, faults: list[Any], groups: int | None, seconds: float
) -> None:
    world = World(seconds=seconds, fifo=groups is not None)
    world.sns.faults = faults
    sent = [
        Message({"n": at, "text": "x" * size}, key=f"order-{at}", group=None if groups is None else f"g{at % groups}")
        for at in range(number)
    ]
    confirmed, missing = _outcome(world, sent)
    assert confirmed | missing == {message.key for message in sent}
    assert confirmed & missing == set()
    assert confirmed <= set(keys(world)) <= {message.key for message in sent}
    if groups is not None:
        for group in range(groups):
            of_group = [int(key.removeprefix("order-")) for key in keys(world)]
            of_group = [at for at in of_group if at % groups == group]
            assert of_group == sorted(set(of_group)), "no message overtakes another of its group, none comes twice"
            assert of_group == [at for at in range(number) if at % groups == group][: len(of_group)], (
                "and none is left out"
            )


# FIFO.


def test_of_each_group_a_request_has_one_message_since_each_may_fail_by_itself() -> None:
    world = World(fifo=True)
    world.publish(*[Message({"n": at}, key=str(at), group="ab"[at % 2]) for at in range(6)])
    groups = [
        [entry["MessageGroupId"] for entry in request["PublishBatchRequestEntries"]] for request in world.sns.requests
    ]
    assert groups == [["a", "b"]] * 3


def test_a_group_whose_message_fails_waits_and_the_others_go_on() -> None:
    world = World(fifo=True)
    world.sns.faults = [{0: ("InternalError", False)}]
    world.publish(*[Message({"n": at}, key=f"{at}", group="ab"[at % 2]) for at in range(4)])
    assert [key for key in keys(world) if int(key) % 2 == 0] == ["0", "2"]
    assert [key for key in keys(world) if int(key) % 2] == ["1", "3"]


def test_the_same_key_and_body_are_deduplicated_and_another_body_gets_through_to_be_refused_loudly() -> None:
    world = World(fifo=True)
    world.sns.faults = [("after", LOST)]
    world.publish(Message({"n": 1}, key="k", group="g"))
    world.publish(Message({"n": 1}, key="k", group="g"))
    assert len(world.sns.published) == 1
    world.publish(Message({"n": 2}, key="k", group="g"))
    assert len(world.sns.published) == 2


@pytest.mark.parametrize("group", [None, "a b", "ä", "x" * 129])
def test_a_fifo_topic_s_message_has_a_group_that_sns_takes(group: str | None) -> None:
    world = World(fifo=True)
    with pytest.raises(PermanentError, match="group of 1 to 128"):
        world.publish(Message({}, key="k", group=group))
    assert world.sns.requests == []


def test_a_standard_topic_is_told_of_no_group() -> None:
    world = World()
    world.publish(Message({}, key="k", group="g"))
    (entry,) = world.sns.published
    assert entry.keys() == {"Id", "Message", "MessageAttributes"}


# Everything is checked before anything is published.


@pytest.mark.parametrize(
    "bad", [Message({"x": "y" * MOST_BYTES}, key="k"), Message({"x": object()}, key="k")], ids=["size", "json"]
)
def test_nothing_is_published_when_one_message_can_never_be(bad: Message) -> None:
    world = World()
    with pytest.raises(PermanentError):
        world.publish(*orders(3), bad)
    assert world.sns.requests == []
