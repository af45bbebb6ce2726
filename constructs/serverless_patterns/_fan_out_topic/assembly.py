"""Defines a checked topic: everything that is there before its first subscriber."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import aws_sqs as sqs

from serverless_patterns_runtime.claims.contract import PARTITION_KEY, TIME_TO_LIVE
from serverless_patterns_runtime.fan_out_topic.contract import PUBLISHER, PUBLISHER_TOPIC

from .._fits import check_fits
from .._once_complete import once_complete
from .._tables import define_table
from .adding import Adding
from .buckets import define_retained_bucket
from .defining import define_topic, existing_topic
from .gathering import define_fan_in
from .packing import check_number, packed_late, seen
from .publishing import Publisher, publisher_handler
from .route_target import PublishTarget
from .silence import warn_if_nobody
from .subscriptions import Endpoint, Source, Subscriber, Watch, subscribe, undelivered_alarm
from .unmatched import define_unmatched, warn_if_all_match

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from ..defaults import Settings
    from .arguments import Asked
    from .unmatched import Unmatched

_FITS = "the filters of all subscribers go along: shorten them, or leave unmatched out"


@dataclass(frozen=True, eq=False)
class Parts:
    """A topic, defined."""

    source: Source
    publisher: Publisher
    adding: Adding
    target: PublishTarget
    unmatched_queue: sqs.IQueue | None


def assemble(scope: Construct, asked: Asked, settings: Settings, watch: Watch) -> Parts:
    """Define it all."""
    key = asked.encryption_key or cast("kms.IKey | None", settings.encryption_key)
    if asked.topic is None:
        deduplicates = asked.content_based_deduplication
        source = define_topic(scope, fifo=asked.fifo, content_based_deduplication=deduplicates, key=key)
    else:
        source = existing_topic(asked.topic)
    claims = _Claims(scope, asked.claims, key, settings)
    publisher = Publisher(
        topic=source.topic,
        topic_key=key if asked.topic is None else getattr(asked.topic, "master_key", None),
        idempotency_key=asked.idempotency_key,
        attributes=asked.attributes,
        payloads=_payloads(scope, asked, key, settings),
        keep=() if asked.claim_check is None else tuple(asked.claim_check.keep),
    )
    gathering = None
    if asked.fan_in is not None:
        gathering = define_fan_in(
            scope, asked.fan_in, asked.namespace, claims(), key, settings, watch, asked.access_logs
        )
        publisher.open_payloads(gathering.completions.consumer_function)
    subscribers: dict[str, Subscriber] = {}
    packed_branches = packed_late(lambda: {name: seen(each) for name, each in subscribers.items() if each.takes_part})
    by_filters = asked.fan_in is not None and asked.fan_in.expected is None
    adding = Adding(
        topic=scope,
        namespace=asked.namespace,
        source=source,
        publisher=publisher,
        idempotency_key=asked.idempotency_key,
        claims=claims,
        gathering=gathering,
        packs=by_filters or asked.unmatched is not None,
        packed_branches=packed_branches,
        key=key,
        watch=watch,
        subscribers=subscribers,
    )
    if gathering is not None:
        check_number(scope, subscribers)
    warn_if_nobody(scope, subscribers, own=asked.topic is None, gathers=gathering is not None)
    kept = _match(scope, asked.unmatched, source, subscribers, key, settings, watch)
    handler = publisher_handler(scope.node.id, PUBLISHER, PUBLISHER_TOPIC, publisher)
    return Parts(source, publisher, adding, PublishTarget(handler, asked.idempotency_key), kept)


class _Claims:
    """One table for all branches, defined when the first needs it."""

    def __init__(
        self, scope: Construct, given: dynamodb.ITable | None, key: kms.IKey | None, settings: Settings
    ) -> None:
        self._scope, self._table, self._key, self._settings = scope, given, key, settings

    def __call__(self) -> dynamodb.ITable:
        if self._table is None:
            policy = self._settings.removal_policy
            self._table = define_table(
                self._scope, "Claims", PARTITION_KEY, key=self._key, removal_policy=policy, time_to_live=TIME_TO_LIVE
            )
        return self._table


def _payloads(scope: Construct, asked: Asked, key: kms.IKey | None, settings: Settings) -> s3.IBucket | None:
    if asked.claim_check is None:
        return None
    if asked.claim_check.bucket is not None:
        return cast("s3.IBucket", asked.claim_check.bucket)
    bucket = define_retained_bucket(scope, "Payloads", asked.claim_check.retention, key, settings, asked.access_logs)
    return cast("s3.IBucket", bucket)


def _match(
    scope: Construct,
    which: Unmatched | None,
    source: Source,
    subscribers: Mapping[str, Subscriber],
    key: kms.IKey | None,
    settings: Settings,
    watch: Watch,
) -> sqs.IQueue | None:
    if which is None:
        return None
    everybody = packed_late(lambda: {name: seen(each) for name, each in subscribers.items()})
    matching, kept = define_unmatched(scope, which, source.topic, everybody, key, settings, watch)
    check_fits(matching.consumer_function, "unmatched", _FITS)
    endpoint = Endpoint("sqs", matching.queue.queue_arn, raw=True, queue=matching.queue)
    _, letters = subscribe(
        matching, source, endpoint, filter=None, filter_scope="attributes", key=key, settings=settings
    )
    watch.define(matching, [undelivered_alarm("the matcher", letters)], settings)
    once_complete(matching, lambda: warn_if_all_match(matching, subscribers))
    return cast("sqs.IQueue | None", kept)
