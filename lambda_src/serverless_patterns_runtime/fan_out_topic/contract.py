"""What `FanOutTopic` tells its publishers and its matcher. Both sides import this."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

UNMATCHED_HANDLER = "serverless_patterns_runtime.fan_out_topic.unmatched_handler.lambda_handler"
"""Keeps and counts the messages that no subscriber's filter matches."""

PUBLISHER = "serverless_patterns_runtime.fan_out_topic.publisher:publish_request"
"""Business function behind a route of an `ApiProxy`. Its route asks for an `Idempotency-Key` where the topic has no
path of a key, and leaves keys to it (`own_keys`)."""

PUBLISHER_TOPIC = "PUBLISHER_TOPIC"
"""The publisher's variable with its `Publishing`."""

SAGA_STARTER = "serverless_patterns_runtime.fan_out_topic.saga_starter:start"
"""Business function behind a subscriber's queue: starts one execution for each key."""

MAX_MESSAGE_BYTES = 262_144
"""Body, attribute names, types and values together (SNS quota)."""

MAX_ATTRIBUTES = 10
"""More, with raw delivery to SQS, SNS discards the message as a client error."""

MAX_BATCH_ENTRIES = 10
"""Of one PublishBatch (SNS quota)."""

CLAIM_CHECK = "claim-check"
"""Member of a body whose payload is in S3 (Hohpe & Woolf, Claim Check): `ClaimCheck`."""

METRICS_NAMESPACE = "ServerlessPatterns"
METRIC_UNMATCHED = "Unmatched"
"""Messages that no subscriber's filter matches."""

TOPIC_DIMENSION = "topic"
"""The topic's name, which no other topic of the region has: the metric's only dimension."""

Scope = Literal["attributes", "body"]


class ClaimCheck(TypedDict):
    bucket: str
    key: str
    """Made of the payload's SHA-256: the same payload has the same body."""
    sha256: str
    size: int


class Subscriber(TypedDict):
    """One subscription as its filter sees messages."""

    filter: NotRequired[Mapping[str, Any]]
    """Filter policy; absent: every message."""
    scope: NotRequired[Scope]
    """Absent: attributes, as in SNS."""


class Publishing(TypedDict):
    """JSON in the variable that `publish` is given the name of."""

    topic_arn: str
    fifo: bool
    key: str
    """Dotted path into the body: the idempotency key; empty: the message says it, or the invocation."""
    attributes: Mapping[str, str]
    """Message attributes by name: dotted paths into the body, for filters of the scope `attributes`."""
    claim_check_bucket: str
    """Empty: payloads that are too large are refused."""
    claim_check_keep: list[str]
    """Top-level members that stay in the body, for filters of the scope `body`; the key's always does."""


class UnmatchedEnv(NamedTuple):
    """Variables of the matcher of unmatched messages: exactly these."""

    SUBSCRIBERS: str
    """Packed JSON (`packed`): `Subscriber` by name."""

    UNMATCHED_QUEUE_URL: str
    """Where they are kept; empty: they are only counted."""

    TOPIC_NAME: str
    """For the metric."""


class SagaStarterEnv(NamedTuple):
    """Variables of the function that starts executions: exactly these."""

    STATE_MACHINE_ARN: str

    MAX_INPUT_BYTES: str
    """So that the results of all steps have room beside it: as the saga's own route has it."""


class ClaimCheckEnv(NamedTuple):
    """Variables of a consumer whose messages may be claim checks: exactly these."""

    CLAIM_CHECK_BUCKET: str
    """The only bucket that is read, whatever a message says."""
