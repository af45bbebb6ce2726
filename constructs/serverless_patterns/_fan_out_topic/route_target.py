"""A topic behind a route: a function of ours publishes what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serverless_patterns_runtime.api_proxy.contract import KeyMode

from .._api_proxy.function_target import HandlerTarget
from .._body_alone import refuse_beside_the_body
from .._checks import Problems
from .._targets import RouteFacts, refuse_queue_arguments

if TYPE_CHECKING:
    from aws_cdk import Duration

_WHAT = "a FanOutTopic"


@dataclass(frozen=True)
class PublishTarget(HandlerTarget):
    """One message for each key: those who get it twice take both for one."""

    key_path: str | None
    """Where in the body the key is, if there: a header would count for nothing."""

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """Required, unless the body holds the key."""
        del facts
        return "off" if self.key_path is not None else "required"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Refuse what would not reach the message."""
        del timeout
        label = facts.label
        refuse_queue_arguments(problems, facts, _WHAT)
        problems.one_of(label, facts.method, ("POST",), "the body of the request becomes the message")
        refuse_beside_the_body(problems, facts, _WHAT, "the message holds nothing else")
        if facts.content == "bytes":
            fix = "the message holds the body, which is JSON"
            problems.add(f"{label} body", f"be a schema, or left out, in front of {_WHAT}", "bytes", fix)
        mode = self.key_mode(facts)
        if facts.asked_idempotency not in (None, mode):
            fix = "the topic's idempotency_key says where the key is; without one the header is the key"
            problems.add(f"{label} idempotency", f"be {mode!r} or left out", repr(facts.asked_idempotency), fix)

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """What it says of the message."""
        del facts
        return {
            "202": "The message is published",
            "400": "The body or its key cannot become a message",
            "413": "The message is larger than the topic takes",
            "503": "SNS did not take the message",
        }
