"""Adds subscribers: each with a subscription, a dead-letter queue of its own, and what is to run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from serverless_patterns_runtime.fan_out_topic.contract import Scope

from .._checks import Problems
from .._fits import check_fits
from ..defaults import settings_of
from ..handler import Handler
from ..load_leveled_queue import LoadLeveledQueue
from .filters import written
from .kept_members import check_filter_kept
from .places import check_place
from .silence import warn_of_unmade_attributes
from .subscriber_checks import check_asked, check_name, check_part, check_target, key_of
from .subscriptions import Endpoint, Source, Subscriber, Watch, subscribe, undelivered_alarm
from .targets import SubscriberKind, home_of, kind_of
from .ways_back import CLAIMS_RETENTION, check_claims, check_queue

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms

    from ..https_endpoint import HttpsEndpoint
    from .gathering import DefinedFanIn
    from .publishing import Publisher
    from .targets import Target

_FITS = "the filters of all branches go along: pass FanIn(expected='...'), shorten filters, or leave some out"
MAX_CONCURRENCY = 5


@dataclass(eq=False, kw_only=True)
class Adding:
    """What all subscribers of one topic share."""

    topic: Construct
    """The pattern's."""

    namespace: str
    source: Source
    publisher: Publisher
    idempotency_key: str | None
    claims: Callable[[], dynamodb.ITable]
    gathering: DefinedFanIn | None
    packs: bool
    """Whether functions get the filters."""

    packed_branches: str
    """A token: packed, the subscribers that take part."""

    key: kms.IKey | None
    watch: Watch
    subscribers: dict[str, Subscriber] = field(default_factory=dict[str, Subscriber])
    _addresses: dict[str, str] = field(default_factory=dict[str, str])

    def add(
        self,
        name: str,
        target: Target,
        filter: Mapping[str, Any] | None,
        filter_scope: Scope,
        max_concurrency: int | None,
        fan_in: bool | None,
        scope: Construct | None,
    ) -> Subscriber:
        """Check and define one."""
        problems = Problems(f"{self.topic.node.path}.add_subscriber({name!r})")
        kind = kind_of(target)
        fifo = self.source.topic.fifo
        check_name(problems, name, self.subscribers)
        check_target(problems, kind, target, fifo=fifo)
        home = self.topic
        if kind is not None:
            home = home_of(kind, self.topic, scope if hasattr(scope, "node") else None)
            refers = isinstance(self.source.topic, sns.Topic) or isinstance(kind.consumer, Handler)
            check_place(problems, self.topic, scope, home, refers=refers)
            check_asked(problems, kind, filter, filter_scope, max_concurrency, packs=self.packs)
            if self.publisher.payloads is not None:
                check_filter_kept(problems, filter, filter_scope, self.publisher.keep, self.idempotency_key)
            check_part(
                problems,
                kind,
                fan_in,
                gathers=self.gathering is not None,
                idempotency_key=self.idempotency_key,
                target_key=None if kind.owned is None else key_of(kind.owned),
                opens=self.publisher.payloads is not None,
                home=home,
            )
            self._check_once(problems, kind)
            if fan_in and self.gathering is not None and kind.owned is not None:
                check_queue(problems, kind.owned.queue, self.gathering.retention)
                if kind.handled and not problems.have("fan_in"):
                    check_claims(problems, kind.owned, self.gathering.retention)
        problems.raise_any()
        assert kind is not None
        policy = None if filter is None else written(filter)
        return self._define(name, kind, policy, filter_scope, max_concurrency or MAX_CONCURRENCY, fan_in, home)

    def _check_once(self, problems: Problems, kind: SubscriberKind) -> None:
        """SNS has one subscription for an endpoint, whatever its filter."""
        address = _address(kind)
        if address is not None and address in self._addresses:
            fix = (
                "SNS has one subscription for each endpoint: put both filters into one, by '$or', or use another queue"
            )
            problems.add("target", "subscribe once", f"what {self._addresses[address]!r} is already", fix)

    def _define(
        self,
        name: str,
        kind: SubscriberKind,
        filter: Mapping[str, Any] | None,
        filter_scope: Scope,
        max_concurrency: int,
        fan_in: bool | None,
        home: Construct,
    ) -> Subscriber:
        settings = settings_of(home)
        id = name if home is self.topic else f"{self.topic.node.id}{name}"
        queue = kind.owned
        if kind.consumer is not None:
            host = queue = self._define_queue(home, id, name, kind, max_concurrency)
        else:
            host = Construct(home, id)
        waits = kind.queue if queue is None else queue.queue
        key = self.key or cast("kms.IKey | None", settings.encryption_key)
        endpoint = _to_queue(waits) if waits is not None else _to_url(cast("HttpsEndpoint", kind.endpoint))
        subscription, letters = subscribe(
            host, self.source, endpoint, filter=filter, filter_scope=filter_scope, key=key, settings=settings
        )
        part = self.gathering is not None and kind.handled and (kind.takes_part if fan_in is None else fan_in)
        if queue is not None and kind.handled:
            self._tell(queue, name, part=part)
        subscriber = Subscriber(
            name=name,
            subscription=subscription,
            dead_letter_queue=letters,
            queue=queue or kind.queue,
            filter=filter,
            filter_scope=filter_scope,
            takes_part=part,
            alarms=self.watch.define(host, [undelivered_alarm(name, letters)], settings),
        )
        warn_of_unmade_attributes(subscriber, self.publisher.attributes)
        self.subscribers[name] = subscriber
        self._addresses[_address(kind) or name] = name
        return subscriber

    def _define_queue(
        self, home: Construct, id: str, name: str, kind: SubscriberKind, max_concurrency: int
    ) -> LoadLeveledQueue:
        consumer = kind.consumer
        assert consumer is not None
        arguments: dict[str, Any] = {}
        if isinstance(consumer, Handler):
            arguments = {
                "idempotency_key": self.idempotency_key,
                "claims": self.claims(),
                "claims_namespace": f"{self.namespace}.{name}",
                "claims_retention": CLAIMS_RETENTION,
            }
        else:  # one message at a time, so that one that fails fails alone
            arguments = {"batch_size": 1, "report_batch_item_failures": False}
        return LoadLeveledQueue(
            home,
            id,
            consumer=consumer,
            max_concurrency=max_concurrency,
            fifo=self.source.topic.fifo,
            encryption_key=self.key,
            alarms=self.watch.which,
            alarm_actions=self.watch.actions,
            **arguments,
        )

    def _tell(self, queue: LoadLeveledQueue, name: str, *, part: bool) -> None:
        function = queue.consumer_function
        self.publisher.open_payloads(function)
        if part and self.gathering is not None:
            self.gathering.join(function, name, self.packed_branches)
            check_fits(function, f"subscriber {name!r}", _FITS)


def _to_queue(queue: sqs.IQueue) -> Endpoint:
    return Endpoint("sqs", queue.queue_arn, raw=True, queue=queue)


def _to_url(endpoint: HttpsEndpoint) -> Endpoint:
    policy: dict[str, Any] = {
        "healthyRetryPolicy": {
            "numRetries": endpoint.retries,
            "minDelayTarget": endpoint.min_retry_seconds,
            "maxDelayTarget": endpoint.max_retry_seconds,
            "backoffFunction": "exponential",
        },
        "requestPolicy": {"headerContentType": "application/json"},
    }
    if endpoint.max_receives_per_second is not None:
        policy["throttlePolicy"] = {"maxReceivesPerSecond": endpoint.max_receives_per_second}
    return Endpoint("https", endpoint.url, raw=endpoint.raw, delivery_policy=policy)


def _address(kind: SubscriberKind) -> str | None:
    """What SNS knows it by; `None`: it is still to be defined."""
    if kind.endpoint is not None:
        return kind.endpoint.url
    queue = kind.owned.queue if kind.owned is not None else kind.queue
    return None if queue is None else queue.node.addr
