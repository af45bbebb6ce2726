"""Payloads beyond SNS's limit: what is checked in is what is opened, and nothing else ever is."""

import hashlib
import json
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Message, PermanentError, PublishFailed
from serverless_patterns_runtime.fan_out_topic.claim_check import MAX_PAYLOAD_BYTES, object_key
from serverless_patterns_runtime.fan_out_topic.claim_opening import ClaimCheckMissing, ClaimChecks, InvalidClaimCheck
from serverless_patterns_runtime.payload import MalformedPayload, parse

from .. import scripted_aws
from .sns import MOST_BYTES, World, attributes

BUCKET = "order-events-payloads"
LARGE = {"order_id": "7", "kind": "placed", "lines": ["x" * MOST_BYTES]}


def world(**settings: Any) -> World:
    return World(**{"claim_check_bucket": BUCKET, "claim_check_keep": ["kind"], **settings})


class Store:
    """The bucket as a consumer reads it."""

    def __init__(self, objects: dict[str, bytes], *, length: int | None = None) -> None:
        self.objects = objects
        self._length = length
        self.client = scripted_aws.ScriptedClient("s3", {"GetObject": self._get})
        self.checks = ClaimChecks(lambda: self.client, BUCKET)

    def _get(self, request: dict[str, Any]) -> Any:
        assert request["Bucket"] == BUCKET
        if request["Key"] not in self.objects:
            return scripted_aws.error("GetObject", "NoSuchKey")
        content = self.objects[request["Key"]]
        length = len(content) if self._length is None else self._length
        return {"Body": StreamingBody(BytesIO(content), len(content)), "ContentLength": length}


def test_a_payload_that_is_too_large_goes_to_s3_and_its_body_keeps_the_key_and_what_filters_need() -> None:
    sent = world(key="order_id")
    sent.publish(Message(LARGE, {"region": "eu"}))
    (entry,) = sent.sns.published
    body = json.loads(entry["Message"])
    check = body.pop("claim-check")
    assert body == {"order_id": "7", "kind": "placed"}
    ((key, content),) = sent.objects.items()
    assert check == {"bucket": BUCKET, "key": key, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    assert attributes(entry) == {"idempotency-key": "7", "correlation-id": "correlation-1", "region": "eu"}


def test_a_key_that_lies_deeper_is_kept_where_it_is() -> None:
    sent = world(key="order.head.id")
    sent.publish(Message({"order": {"head": {"id": 7, "more": 1}, "lines": ["x" * MOST_BYTES]}, "kind": "a"}))
    body = json.loads(sent.sns.published[0]["Message"])
    assert body["order"] == {"head": {"id": 7}}
    assert Store(sent.objects).checks.open(body)["order"]["head"] == {"id": 7, "more": 1}


def test_what_fits_is_published_as_it_is() -> None:
    sent = world()
    sent.publish(Message({"kind": "placed"}, key="k"))
    assert sent.objects == {}
    assert json.loads(sent.sns.published[0]["Message"]) == {"kind": "placed"}


def test_the_same_payload_is_the_same_object_and_the_same_body_whatever_the_order_of_its_members() -> None:
    sent = world()
    sent.publish(Message(LARGE, key="k"))
    sent.publish(Message(dict(reversed(LARGE.items())), key="k"))
    assert len(sent.objects) == 1
    first, second = (json.loads(entry["Message"]) for entry in sent.sns.published)
    assert first == second


def test_the_payload_is_there_before_the_message_is() -> None:
    sent = world()
    sent.sns.faults = [lambda answer: answer if sent.objects else pytest.fail("published before it was kept")]
    sent.publish(Message(LARGE, key="k"))


def test_when_s3_does_not_keep_it_nothing_is_published_and_all_is_said_not_to_be() -> None:
    sent = world()
    sent.s3.always("PutObject", scripted_aws.error("PutObject", "SlowDown"))
    messages = [Message({"a": 1}, key="a"), Message(LARGE, key="b")]
    with pytest.raises(PublishFailed, match="SlowDown") as raised:
        sent.publish(*messages)
    assert sent.sns.requests == []
    assert (raised.value.published, raised.value.unpublished) == ((), tuple(messages))


def test_a_payload_that_no_consumer_would_open_is_refused() -> None:
    with pytest.raises(PermanentError, match="at most 16,777,216 bytes") as raised:
        world().publish(Message({"x": "y" * MAX_PAYLOAD_BYTES}, key="k"))
    assert raised.value.status == 413


def test_what_is_kept_beside_the_check_has_to_fit_too() -> None:
    with pytest.raises(PermanentError, match="keep less of it") as raised:
        world(claim_check_keep=["lines"]).publish(Message(LARGE, key="k"))
    assert raised.value.status == 413


@pytest.mark.parametrize(
    "payload", [["x" * MOST_BYTES], "x" * MOST_BYTES, LARGE, {"\uffff": "😀ä" * MOST_BYTES}], ids=type
)
def test_what_was_checked_in_is_what_is_opened(payload: Any) -> None:
    sent = world()
    sent.publish(Message(payload, key="k"))
    assert Store(sent.objects).checks.open(parse(sent.sns.published[0]["Message"])) == payload


@pytest.mark.parametrize("payload", [None, 7, "text", [], {}, {"claim": 1}, ["claim-check"]])
def test_what_is_no_claim_check_is_itself_and_nothing_is_read(payload: Any) -> None:
    store = Store({})
    assert store.checks.open(payload) == payload
    assert store.client.calls == []


def checked(content: bytes, **changed: Any) -> tuple[dict[str, Any], Store]:
    digest = hashlib.sha256(content).hexdigest()
    check = {"bucket": BUCKET, "key": object_key(digest), "sha256": digest, "size": len(content), **changed}
    return {"claim-check": check}, Store({object_key(digest): content, "secret": content})


FOREIGN = [
    {"bucket": "another-bucket"},
    {"bucket": f"{BUCKET}/../x"},
    {"bucket": None},
    {"key": "secret"},
    {"key": ["x"]},
    {"sha256": "0" * 64},
    {"sha256": "F" * 64},
    {"sha256": 7},
    {"sha256": "x"},
    {"size": -1},
    {"size": True},
    {"size": 1.0},
    {"size": "1"},
    {"size": MAX_PAYLOAD_BYTES + 1},
    {"more": 1},
]


@pytest.mark.parametrize("changed", FOREIGN, ids=str)
def test_a_forged_or_foreign_check_is_refused_for_good_and_nothing_is_read(changed: dict[str, Any]) -> None:
    payload, store = checked(b"{}", **changed)
    with pytest.raises(InvalidClaimCheck) as raised:
        store.checks.open(payload)
    assert isinstance(raised.value, PermanentError)
    assert store.client.calls == []


@pytest.mark.parametrize("check", [None, 7, "x", [], {}, {"bucket": BUCKET}])
def test_what_only_looks_like_a_check_is_refused(check: Any) -> None:
    with pytest.raises(InvalidClaimCheck):
        Store({}).checks.open({"claim-check": check})


def test_another_size_or_digest_than_the_check_s_is_refused() -> None:
    payload, store = checked(b'{"a":1}', size=6)
    with pytest.raises(InvalidClaimCheck, match="another size"):
        store.checks.open(payload)
    payload, store = checked(b'{"a":1}')
    store.objects = dict.fromkeys(store.objects, b'{"a":2}')
    with pytest.raises(InvalidClaimCheck, match="another SHA-256"):
        store.checks.open(payload)


def test_no_more_is_read_than_the_check_says_whatever_s3_says_of_its_length() -> None:
    payload, _ = checked(b'{"a":1}')
    store = Store({payload["claim-check"]["key"]: b'{"a":1}' + b" " * 1_000_000}, length=7)
    with pytest.raises(InvalidClaimCheck):
        store.checks.open(payload)


@pytest.mark.parametrize(
    ("content", "error"), [(b"\xff", InvalidClaimCheck), (b"{", MalformedPayload), (b'{"a":NaN}', MalformedPayload)]
)
def test_an_object_that_is_no_payload_is_refused_for_good(content: bytes, error: type[PermanentError]) -> None:
    payload, store = checked(content)
    with pytest.raises(error):
        store.checks.open(payload)


@pytest.mark.parametrize("beside", [{"order_id": "8"}, {"other": 1}, {"order": {"id": 2}}, {"order_id": True}])
def test_a_body_that_does_not_agree_with_its_payload_is_forged(beside: dict[str, Any]) -> None:
    """Its key would be that of another message."""
    payload, store = checked(b'{"order_id":"7","order":{"id":1}}')
    with pytest.raises(InvalidClaimCheck, match="do not agree"):
        store.checks.open(payload | beside)


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_an_object_that_is_not_there_may_come(code: str) -> None:
    payload, store = checked(b"{}")
    store.client.always("GetObject", scripted_aws.error("GetObject", code))
    with pytest.raises(ClaimCheckMissing, match=code) as raised:
        store.checks.open(payload)
    assert not isinstance(raised.value, PermanentError)


def test_another_error_of_s3_is_one() -> None:
    payload, store = checked(b"{}")
    store.client.always("GetObject", scripted_aws.error("GetObject", "SlowDown"))
    with pytest.raises(ClientError):
        store.checks.open(payload)


@given(
    payload=st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text() | st.sampled_from(["claim-check", "bucket", "key", "sha256", "size"]), inner)
        ),
    )
)
def test_whatever_is_sent_is_opened_refused_or_itself(payload: Any) -> None:
    store = Store({})
    try:
        assert store.checks.open(payload) == payload
    except (InvalidClaimCheck, ClaimCheckMissing):
        assert "claim-check" in payload
