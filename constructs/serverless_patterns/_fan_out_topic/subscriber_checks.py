"""What a subscriber is asked for, checked before anything of it is defined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from aws_cdk import aws_sqs as sqs

from .._checks import Problems, is_token
from .._environment import check_against
from .._grants import queue_key
from .._payloads import check_payload
from .._shapes import told
from .._told import names_told
from ..defaults import settings_of
from ..handler import Handler
from .filters import check_filter
from .gathering import VARIABLES
from .publishing import VARIABLES as PAYLOAD_VARIABLES
from .targets import SubscriberKind

if TYPE_CHECKING:
    from constructs import Construct

    from ..https_endpoint import HttpsEndpoint
    from ..load_leveled_queue import LoadLeveledQueue

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_MANAGED = re.compile(r"(^|:)alias/aws/")
_LONGEST_TRIES_SECONDS = 3_600  # SNS quota, hard
OWN_IDS = (
    *("Claims", "Completions", "EachMinute", "FanIn", "Matcher", "MatcherLogs", "MatcherRole", "Matching", "Payloads"),
    *("Results", "Sweep", "SweepLogs", "SweepRole", "Topic", "Unmatched"),
)


def check_name(problems: Problems, name: Any, taken: Iterable[str]) -> None:
    """Refuse a name that cannot be data for ever, or is another's."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        fix = "it names queues, claims and results for ever: write 'Inventory'"
        problems.add("name", "be a letter, then up to 63 of A-Z a-z 0-9 _ -", told(name), fix)
    elif name in OWN_IDS:
        problems.add("name", "be another word than the topic's own parts have", repr(name), "choose another name")
    elif name in {*taken}:
        problems.add("name", "be its own in the topic", repr(name), "choose another name, or add it once")


def check_target(problems: Problems, kind: SubscriberKind | None, target: Any, *, fifo: bool) -> None:
    """Refuse what SNS does not deliver to."""
    if kind is None:
        kinds = "a Handler, an IFunction, a queue, a LoadLeveledQueue, an HttpsEndpoint or a SagaStateMachine"
        fix = "wrap your Python function in a Handler"
        problems.add("target", f"be {kinds}", told(target), fix)
        return
    if isinstance(kind.consumer, Handler):
        check_payload(problems, "target", kind.consumer, None, "the body of a message")
    if kind.fifo and not fifo:
        fix = "SNS delivers to a FIFO queue from a FIFO topic only: pass fifo=True to the topic, or a standard queue"
        problems.add("target", "be a standard queue in front of a standard topic", "a FIFO queue", fix)
    if kind.endpoint is not None:
        if fifo:
            fix = "SNS delivers from a FIFO topic to queues only: let a Handler call the endpoint"
            problems.add("target", "be a queue, or have one, behind a FIFO topic", "an HttpsEndpoint", fix)
        _check_endpoint(problems, kind.endpoint)
    if kind.queue is not None:
        _check_encryption(problems, "target", kind.queue)


def check_asked(
    problems: Problems, kind: SubscriberKind, filter: Any, filter_scope: Any, max_concurrency: Any, *, packs: bool
) -> None:
    """Check the filter, and that a cap has something to cap.

    Args:
        problems: Takes what is wrong.
        kind: The subscriber.
        filter: A policy of SNS, as a dictionary.
        filter_scope: Where it looks.
        max_concurrency: As asked for.
        packs: Whether functions get the filter too, at synth.
    """
    if filter is not None and not isinstance(filter, Mapping):
        fix = "write filter={'kind': ['placed']}"
        problems.add("filter", "be a dictionary", told(filter), fix)
    else:
        policy = cast("Mapping[str, Any] | None", filter)
        check_filter(problems, "filter", policy, filter_scope)
        if packs and _holds_token(policy):
            fix = "functions match messages by it too, and are told before it is known: write the value itself"
            problems.add("filter", "hold no token beside a fan-in or unmatched", "one", fix)
    if max_concurrency is None:
        return
    if kind.consumer is None:
        fix = "say it where its consumer is defined"
        problems.add("max_concurrency", "be left out unless the target is a function", told(max_concurrency), fix)
    else:
        problems.whole_number("max_concurrency", max_concurrency, 2, 1_000, "leave it out for 5")


def check_part(
    problems: Problems,
    kind: SubscriberKind,
    asked: Any,
    *,
    gathers: bool,
    idempotency_key: str | None,
    target_key: str | None,
    opens: bool,
    home: Construct,
) -> None:
    """Check whether the subscriber can take part in the fan-in, as it is asked to, and what it is told for that.

    Args:
        problems: Takes what is wrong.
        kind: The subscriber.
        asked: `fan_in` as given.
        gathers: Whether the topic has a fan-in.
        idempotency_key: The topic's.
        target_key: That of a `LoadLeveledQueue`.
        opens: Whether the topic has claim checks.
        home: Where it will run.
    """
    if asked is not None and not isinstance(asked, bool):
        problems.add("fan_in", "be True, False or left out", told(asked), "True: it takes part")
    elif asked and not gathers:
        problems.add("fan_in", "be left out on a topic without one", "True", "pass FanIn(...) to the FanOutTopic")
    elif asked and not kind.handled:
        fix = "our runtime reports the results: wrap your Python function in a Handler"
        problems.add("fan_in", "be left out unless a Handler is the subscriber, or behind it", "True", fix)
    elif asked and kind.owned is not None and target_key != idempotency_key:
        fix = "all branches of a message have one key: give the queue the topic's idempotency_key, or fan_in=False"
        problems.add("target idempotency_key", f"be the topic's, {idempotency_key!r}", repr(target_key), fix)
    names = (*(VARIABLES if gathers and asked is not False else ()), *(PAYLOAD_VARIABLES if opens else ()))
    if isinstance(kind.consumer, Handler) and names:
        check_against(problems, "target", kind.consumer, home, names, settings_of(home).environment)
    if kind.owned is not None and kind.handled:
        names = (*(VARIABLES if gathers and asked else ()), *(PAYLOAD_VARIABLES if opens else ()))
        _check_untold(problems, kind.owned, names)


def _check_untold(problems: Problems, queue: LoadLeveledQueue, names: tuple[str, ...]) -> None:
    for name in sorted({*names} & names_told(queue.consumer_function)):
        fix = "a function has one fan-in and one bucket of claim checks: use a queue for each topic"
        problems.add(f"target {name}", "be told to its function by one topic", "another's", fix)
        return


def key_of(queue: LoadLeveledQueue) -> str | None:
    """Where its consumer finds a message's key."""
    return getattr(queue._route_target(), "key_path", None)  # pyright: ignore[reportPrivateUsage]


def _check_encryption(problems: Problems, argument: str, queue: sqs.IQueue) -> None:
    """A queue under a key of AWS's own takes nothing from SNS, and nobody is told."""
    resource = queue.node.default_child
    key = queue_key(queue)
    named = getattr(key, "alias_name", None) or getattr(key, "key_arn", "")
    by_id = resource.kms_master_key_id if isinstance(resource, sqs.CfnQueue) else None
    managed = queue.encryption_type == sqs.QueueEncryption.KMS_MANAGED
    if managed or any(_MANAGED.search(str(one)) for one in (named, by_id) if one and not is_token(one)):
        fix = "SNS may not use that key, and messages vanish: use SQS_MANAGED, free, or a key of your own"
        problems.add(f"{argument} encryption", "not be by a key that AWS manages for SQS", queue.node.path, fix)


def _check_endpoint(problems: Problems, endpoint: HttpsEndpoint) -> None:
    url: Any = endpoint.url
    if not is_token(url):
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or parts.scheme != "https" or not parts.hostname:
            fix = "SNS sends messages in the clear otherwise: write 'https://partner.example/hook'"
            problems.add("target url", "begin with https:// and name a host", told(url), fix)
        elif parts.username is not None or parts.password is not None:
            fix = "it would be in the template: let the endpoint check SNS's signature, or a token in the path"
            problems.add("target url", "hold no user name and no password", "one", fix)
    rate = endpoint.max_receives_per_second
    if rate is not None:
        problems.whole_number("target max_receives_per_second", rate, 1, 100_000, "leave it out for no limit")
    problems.whole_number("target retries", endpoint.retries, 0, 100, "leave it out for 50")
    low, high = endpoint.min_retry_seconds, endpoint.max_retry_seconds
    problems.whole_number("target min_retry_seconds", low, 1, 3_600, "leave it out for 1")
    problems.whole_number("target max_retry_seconds", high, 1, 3_600, "leave it out for 60")
    if problems.have("target retries", "target min_retry_seconds", "target max_retry_seconds"):
        return
    if low > high:
        fix = "the delay grows from one to the other"
        problems.add("target min_retry_seconds", f"be at most max_retry_seconds, {high:,}", f"{low:,}", fix)
    elif endpoint.retries * high > _LONGEST_TRIES_SECONDS:
        fix = "SNS tries an endpoint for an hour at most: fewer retries, or sooner ones"
        got = f"{endpoint.retries} x {high:,} seconds"
        problems.add("target retries", f"take at most {_LONGEST_TRIES_SECONDS:,} seconds together", got, fix)


def _holds_token(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_token(each) for pair in cast("Mapping[Any, Any]", value).items() for each in pair)
    if isinstance(value, list | tuple):
        return any(_holds_token(each) for each in cast("list[Any]", value))
    return is_token(value)
