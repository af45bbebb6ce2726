"""The envelopes that the other tests lean on are whole: what SQS computes about a message fits the message."""

import base64
import hashlib
import json
import struct
from typing import Any

import pytest

from .rest_api_events import ALL, event
from .sqs_events import FOLDER, golden, record

SQS = ["sqs_standard", "sqs_fair_standard", "sqs_fifo"]


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def attributes_md5(attributes: dict[str, Any]) -> str:
    """SQS's: name, type, transport type and value of each attribute, by name, each with its length before it."""

    def sized(content: bytes) -> bytes:
        return struct.pack("!I", len(content)) + content

    encoded = b""
    for name in sorted(attributes):
        attribute = attributes[name]
        encoded += sized(name.encode()) + sized(attribute["dataType"].encode())
        if "binaryValue" in attribute:
            encoded += b"\x02" + sized(base64.b64decode(attribute["binaryValue"]))
        else:
            encoded += b"\x01" + sized(attribute["stringValue"].encode())
    return md5(encoded)


@pytest.mark.parametrize("name", SQS)
def test_digests_fit_their_messages(name: str):
    for made in golden(name)["Records"]:
        assert made["md5OfBody"] == md5(made["body"].encode())
        if made["messageAttributes"]:
            assert made["md5OfMessageAttributes"] == attributes_md5(made["messageAttributes"])


@pytest.mark.parametrize("name", SQS)
def test_a_fifo_queue_s_messages_have_what_a_fifo_queue_adds(name: str):
    for made in golden(name)["Records"]:
        system = made["attributes"]
        assert {"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= set(
            system
        )
        assert all(isinstance(value, str) for value in system.values())
        fifo = {"SequenceNumber", "MessageGroupId", "MessageDeduplicationId"} <= set(system)
        assert fifo == made["eventSourceARN"].endswith(".fifo")


def test_a_made_record_has_the_shape_of_a_golden_one():
    assert record({}).keys() == golden("sqs_standard")["Records"][0].keys()
    assert record({}, group="g")["attributes"].keys() == golden("sqs_fifo")["Records"][0]["attributes"].keys()


@pytest.mark.parametrize("name", ALL)
def test_a_rest_api_s_single_values_are_the_last_of_its_several(name: str):
    sent = golden(name)
    for single, several in (
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ):
        assert (sent[single] or {}) == {key: values[-1] for key, values in (sent[several] or {}).items()}
    context = sent["requestContext"]
    assert (context["resourcePath"], context["httpMethod"]) == (sent["resource"], sent["httpMethod"])
    assert context["path"] == f"/{context['stage']}{sent['path']}"


@pytest.mark.parametrize("name", ["rest_api_cognito", "rest_api_iam"])
def test_a_rest_api_s_body_is_as_long_as_it_says(name: str):
    sent = golden(name)
    body = base64.b64decode(sent["body"], validate=True) if sent["isBase64Encoded"] else sent["body"].encode()
    assert body
    assert sent["headers"].get("Content-Length", str(len(body))) == str(len(body))


def test_a_made_event_has_the_shape_of_a_golden_one():
    assert event().keys() == golden("rest_api_public").keys()
    assert event()["requestContext"].keys() == golden("rest_api_public")["requestContext"].keys()


def test_every_envelope_is_json_in_one_folder():
    assert sorted(path.name for path in FOLDER.iterdir()) == [
        "rest_api_authorizer.json",
        "rest_api_cognito.json",
        "rest_api_iam.json",
        "rest_api_lambda.json",
        "rest_api_public.json",
        "sns.json",
        "sqs_fair_standard.json",
        "sqs_fifo.json",
        "sqs_standard.json",
    ]
    for path in FOLDER.iterdir():
        json.loads(path.read_text())
