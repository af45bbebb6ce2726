"""What happens in a bucket becomes messages: S3 tells EventBridge, and a rule of EventBridge publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Names, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .._alarms import METRIC_PERIOD, AlarmOn
from .._checks import Problems, is_token
from .._once_complete import once_complete
from .._queues import define_letters
from .permissions import EVENTS, let_publish, let_send, let_use_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_kms as kms

    from .._interfaces import Bucket
    from ..defaults import Settings
    from .publishing import Publisher
    from .subscriptions import Watch

_MOST_CHARACTERS = 1_024  # of an object's key, in S3


_MESSAGE = events.CfnRule.InputTransformerProperty(
    input_paths_map={"detail": "$.detail"},
    input_template='{"source":"aws.s3","detail-type":"Object Created","detail":<detail>}',
)
"""The event without its id and its time: they differ when S3 tells of an object twice, and what is published under one
key has to be the same."""


@dataclass(frozen=True, eq=False)
class Uploads:
    """Messages about what is put into a bucket."""

    rule: events.CfnRule
    dead_letter_queue: sqs.Queue
    """Events that could not be published."""

    alarms: Mapping[str, cloudwatch.Alarm]
    """By name: Unpublished."""


def check_uploads(problems: Problems, scope: Construct, bucket: Any, prefix: Any, suffix: Any, *, fifo: bool) -> None:
    """Refuse what EventBridge would not match, or could not publish."""
    if fifo:
        fix = "EventBridge gives its messages no group: publish from a function, by publisher()"
        problems.add("publish_from", "be called on a standard topic", "a FIFO topic", fix)
    if not hasattr(bucket, "bucket_name"):
        problems.add("bucket", "be an S3 bucket", repr(bucket), "pass the construct, or one of s3.Bucket.from_...")
    for argument, value in (("prefix", prefix), ("suffix", suffix)):
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= _MOST_CHARACTERS):
            fix = "it is compared with the object's key, such as 'incoming/'; leave it out for every object"
            problems.add(argument, "be text of 1 to 1,024 characters", repr(value), fix)
    if problems.have("bucket", "prefix", "suffix"):
        return
    if scope.node.try_find_child(_id(bucket, prefix, suffix)) is not None:
        fix = "every object would be published twice"
        problems.add("bucket", "be published from once for each prefix and suffix", f"{bucket.node.path} again", fix)


def object_key(prefix: str | None, suffix: str | None) -> list[Any] | None:
    """The pattern for an object's key, in which `*` and `\\` of the user stand for themselves."""
    if prefix is not None and suffix is not None:
        return [{"wildcard": f"{_literal(prefix)}*{_literal(suffix)}"}]
    if prefix is not None:
        return [{"prefix": prefix}]
    return None if suffix is None else [{"suffix": suffix}]


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*")


def publish_uploads(
    scope: Construct,
    publisher: Publisher,
    bucket: Bucket,
    ends: tuple[str | None, str | None],
    key: kms.IKey | None,
    settings: Settings,
    watch: Watch,
) -> Uploads:
    """Define the rule, with a dead-letter queue, and make the bucket tell EventBridge."""
    seen = cast(s3.IBucket, bucket)
    prefix, suffix = ends
    host = Construct(scope, _id(seen, prefix, suffix))
    _tell_event_bridge(host, seen)
    _warn_if_without_key(host, publisher.idempotency_key)
    _warn_of_literal_names(host, prefix, suffix)
    detail: dict[str, Any] = {"bucket": {"name": [seen.bucket_name]}}
    wanted = object_key(prefix, suffix)
    if wanted is not None:
        detail["object"] = {"key": wanted}
    letters = define_letters(host, "Unpublished", key, removal_policy=settings.removal_policy)
    rule = events.CfnRule(
        host,
        "Rule",
        description="What is put into the bucket becomes messages of the topic",
        event_pattern={"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail},
        targets=[
            events.CfnRule.TargetProperty(
                id="Topic",
                arn=publisher.topic.topic_arn,
                input_transformer=_MESSAGE,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=letters.queue_arn),
            )
        ],
    )
    let_publish(host, EVENTS, publisher.topic)
    let_send(host, EVENTS, cast(sqs.IQueue, letters), rule.attr_arn, rule.node.path, None)
    if publisher.topic_key is not None:
        let_use_key(host, EVENTS, publisher.topic_key, None, "")
    alarm = AlarmOn(
        "Unpublished",
        letters.metric_approximate_number_of_messages_visible(period=METRIC_PERIOD, statistic="Maximum"),
        1,
        "EventBridge could not publish what was put into the bucket: mend the topic's policy or key, then publish it",
        critical=True,
    )
    return Uploads(rule, letters, watch.define(host, [alarm], settings))


def _id(bucket: s3.IBucket, prefix: str | None, suffix: str | None) -> str:
    """From what it is about: the order of calls means nothing."""
    of = Names.node_unique_id(bucket.node)
    said = "".join(f" {text}" for text in (prefix, suffix) if text is not None)
    return f"From{of}{said}".replace("/", "|")


def _tell_event_bridge(scope: Construct, bucket: s3.IBucket) -> None:
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        Validations.of(scope).add_warning(
            "serverless-patterns:imported-bucket",
            f"the imported bucket {bucket.node.path} must tell EventBridge what is put into it: set its "
            'NotificationConfiguration to {"EventBridgeConfiguration": {"EventBridgeEnabled": true}} where it is '
            "defined, or nothing is ever published",
        )
        return
    told = cast("Any", resource.notification_configuration)
    enabled = s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    if told is None:
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=enabled
        )
    else:
        resource.add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration", {"EventBridgeEnabled": True}
        )
    once_complete(scope, lambda: _warn_if_overwritten(scope, bucket))


def _warn_if_overwritten(scope: Construct, bucket: s3.IBucket) -> None:
    """CDK's custom resource for notifications writes all of them anew, EventBridge's too."""
    if bucket.node.try_find_child("Notifications") is not None:
        Validations.of(scope).add_warning(
            "serverless-patterns:bucket-notifications",
            f"{bucket.node.path} has notifications by add_event_notification, whose custom resource switches "
            "EventBridge off again: call enable_event_bridge_notification() on it too, or take what is to be notified "
            "from the topic",
        )


def _warn_if_without_key(scope: Construct, key: str | None) -> None:
    """No refusal: a subscriber that is a queue alone looks at no key."""
    if key is not None and not is_token(key) and not key.startswith("detail."):
        Validations.of(scope).add_warning(
            "serverless-patterns:uploads-without-key",
            f"no upload has the topic's idempotency_key, {key!r}: each is a dead letter of each Handler that "
            "subscribes. Write 'detail.object.sequencer', or give uploads a topic of their own",
        )


def _warn_of_literal_names(scope: Construct, prefix: str | None, suffix: str | None) -> None:
    """No refusal: S3 takes such names."""
    strange = [f"prefix {prefix!r} begins with a slash"] if str(prefix).startswith("/") else []
    for argument, text in (("prefix", prefix), ("suffix", suffix)):
        if text is not None and "*" in text:
            strange.append(f"{argument} {text!r} has an asterisk")
    if strange:
        Validations.of(scope).add_warning(
            "serverless-patterns:literal-names",
            f"{' and '.join(strange)}: names are compared as they are, and few objects have such a key. Write "
            "'incoming/' for everything below it",
        )
