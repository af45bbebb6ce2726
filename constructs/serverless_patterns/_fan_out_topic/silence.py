"""What is defined rightly and never heard of again: told at synth, for nothing fails of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from aws_cdk import Validations

from serverless_patterns_runtime.load_leveled_queue.contract import CORRELATION_ID_ATTRIBUTE, IDEMPOTENCY_KEY_ATTRIBUTE

from .._checks import did_you_mean, is_token
from .._once_complete import once_complete
from .filters import paths_of

if TYPE_CHECKING:
    from constructs import Construct

    from .subscriptions import Subscriber

_OURS = (CORRELATION_ID_ATTRIBUTE, IDEMPOTENCY_KEY_ATTRIBUTE)


def warn_if_nobody(topic: Construct, subscribers: Mapping[str, Subscriber], *, own: bool, gathers: bool) -> None:
    """Say, once all are added, that nobody subscribes to a topic of ours, or that a fan-in has no branch."""

    def look() -> None:
        if own and not subscribers:
            text = "nobody subscribes: what is published is gone. Call add_subscriber, or leave the topic out"
            Validations.of(topic).add_warning("serverless-patterns:no-subscribers", text)
        elif gathers and not any(each.takes_part for each in subscribers.values()):
            text = (
                "no subscriber takes part in the fan-in: on_complete is never called. A Handler takes part by itself, "
                "a LoadLeveledQueue with a Handler by fan_in=True"
            )
            Validations.of(topic).add_warning("serverless-patterns:no-branches", text)

    once_complete(topic, look)


def warn_of_unmade_attributes(subscriber: Subscriber, made: Collection[str]) -> None:
    """Say that a filter looks at an attribute that the topic does not make: no refusal, a publisher may set it."""
    if not made or subscriber.filter is None or subscriber.filter_scope != "attributes":
        return
    unmade = [path for path in paths_of(subscriber.filter) if not is_token(path) and path not in {*made, *_OURS}]
    if unmade:
        names = ", ".join(f"{name!r}{did_you_mean(name, made)}" for name in unmade)
        Validations.of(subscriber.subscription).add_warning(
            "serverless-patterns:unmade-attribute",
            f"the filter of {subscriber.name!r} looks at {names}, which the topic's attributes do not make: unless a "
            "publisher sets it, the subscriber may never get a message",
        )


def warn_of_uploads(host: Construct, subscribers: Mapping[str, Subscriber], attributes: Collection[str]) -> None:
    """Say, once all are added, who looks at attributes, of which messages about uploads have none."""

    def look() -> None:
        # No attribute at all: even {"exists": False} needs one of another name.
        deaf = sorted(name for name, each in subscribers.items() if each.filter and each.filter_scope == "attributes")
        if attributes or deaf:
            made = " (attributes= is for what functions and routes publish)" if attributes else ""
            held = f", and the filter of {', '.join(map(repr, deaf))} holds every one back" if deaf else ""
            Validations.of(host).add_warning(
                "serverless-patterns:uploads-without-attributes",
                f"messages about uploads have no attributes{made}{held}: filter them by filter_scope='body', such as "
                "{'detail': {'object': {'key': [{'suffix': '.jpg'}]}}}",
            )

    once_complete(host, look)
