"""The route that publishes: a caller's request is one message, with a key that survives his retries."""

import json
from typing import Any

import pytest

from serverless_patterns_runtime import Caller, Invocation, Message, PermanentError, Request, Response
from serverless_patterns_runtime.fan_out_topic.contract import PUBLISHER_TOPIC
from serverless_patterns_runtime.fan_out_topic.publisher import publish_request
from serverless_patterns_runtime.testing import answer, published

from ..api_proxy.api import Api, route
from ..rest_api_events import event
from .sns import MOST_BYTES, UNREACHABLE, World, attributes, refused

KEYED = {"headers": {"Idempotency-Key": "mine"}}


def ask(world: World, body: Any, **request: Any) -> Response:
    invocation = Invocation(**{**vars(world.invocation), "resources": _Resources(world)})
    return publish_request(Request.fake("POST /events", body=body, **request), invocation)


class _Resources:
    def __init__(self, world: World) -> None:
        self._world = world

    def topic(self, name: str) -> Any:
        assert name == PUBLISHER_TOPIC
        return self._world.topic


def test_the_body_is_published_under_the_request_s_key() -> None:
    world = World()
    assert ask(world, {"a": 1}, **KEYED) == Response(202, {"key": "invocation-1", "message_id": "id-0"})
    (entry,) = world.sns.published
    assert json.loads(entry["Message"]) == {"a": 1}
    assert attributes(entry) == {"idempotency-key": "invocation-1", "correlation-id": "correlation-1"}


@pytest.mark.parametrize("request_", [KEYED, {}], ids=["with a header", "without"])
def test_on_a_topic_whose_key_is_in_the_body_the_body_s_is_the_key(request_: dict[str, Any]) -> None:
    world = World(key="order.id")
    assert ask(world, {"order": {"id": 7}}, **request_).body["key"] == "7"


def test_without_any_key_the_caller_is_told_what_is_missing() -> None:
    world = World()
    with pytest.raises(PermanentError, match="needs an Idempotency-Key header") as raised:
        ask(world, {"a": 1})
    assert (raised.value.status, world.sns.requests) == (400, [])


@pytest.mark.parametrize("body", [None, b"bytes"])
def test_a_body_that_is_no_json_is_the_caller_s_mistake(body: Any) -> None:
    with pytest.raises(PermanentError, match="the body is JSON") as raised:
        ask(World(), body, **KEYED)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("body", "settings", "status"),
    [
        ({"text": "x" * MOST_BYTES}, {}, 413),
        ({"text": "x"}, {"key": "order_id"}, 400),
        ({"claim-check": {"bucket": "b"}}, {}, 400),
        ({"order_id": "a\nb"}, {"key": "order_id"}, 400),
    ],
)
def test_what_can_never_be_published_is_answered_with_the_reason(
    body: Any, settings: dict[str, Any], status: int
) -> None:
    world = World(**settings)
    with pytest.raises(PermanentError) as raised:
        ask(world, body, **KEYED)
    assert (raised.value.status or 400, world.sns.requests) == (status, [])


def test_too_large_says_the_limit() -> None:
    with pytest.raises(PermanentError, match="at most 262,144 bytes"):
        ask(World(), "x" * MOST_BYTES, **KEYED)


@pytest.mark.parametrize("fault", [UNREACHABLE, refused("Throttled"), refused("AuthorizationError", 403)], ids=str)
def test_when_sns_takes_nothing_the_caller_is_to_try_again_and_is_told_nothing_of_it(fault: Any) -> None:
    world = World()
    world.sns.faults = [fault] * 1_000
    with pytest.raises(PermanentError, match="send it again") as raised:
        ask(world, {"a": 1}, **KEYED)
    assert raised.value.status == 503


def test_on_a_fifo_topic_each_key_is_a_group() -> None:
    world = World(fifo=True, key="order_id")
    for order in ("7", "8", "ä b"):
        ask(world, {"order_id": order})
    groups = [entry["MessageGroupId"] for entry in world.sns.published]
    assert groups[:2] == ["7", "8"]
    assert len(groups[2]) == 64, "what SNS does not take for a group is one by its digest"


# Behind the API's own handler.


def posted(key: str) -> Any:
    seen: list[str] = []

    def take(request: Request, invocation: Invocation) -> Response:
        world = World(invocation_key=invocation.idempotency_key)
        world.invocation = Invocation(**{**vars(world.invocation), "claim": invocation.claim})
        seen.append(ask(world, request.body, headers=dict(request.headers)).body["key"])
        return Response(202, seen[-1])

    api = Api(take, routes={"POST /c": route(evidence="none", own_keys=True, idempotency="optional")})
    return api.send(event("POST /c", {"a": 1}, key=key))


def test_a_retry_of_a_request_has_the_key_of_the_first_and_another_request_another() -> None:
    first, again, other = posted("one"), posted("one"), posted("two")
    assert first.status == 202
    assert first.result["body"] == again.result["body"] != other.result["body"]


# In a unit test of a user.


def test_a_route_to_the_topic_is_testable_without_aws() -> None:
    invocation = Invocation.fake(topics={PUBLISHER_TOPIC: {"key": "order_id"}})
    answered = answer(
        publish_request, Request.fake("POST /events", body={"order_id": "7"}, caller=Caller("a")), invocation
    )
    assert (answered.status, answered.body) == (202, {"key": "7", "message_id": "message-1"})
    assert published(invocation, PUBLISHER_TOPIC) == [Message({"order_id": "7"})]
