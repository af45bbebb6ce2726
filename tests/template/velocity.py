"""A route to a queue as the gateway runs it: templates rendered, the form read as SQS reads it, its answer mapped.

Values come from the caller; the templates come from the synthesised stack, so nothing here knows how they are made.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from serverless_patterns.testing._run_emulator.mapping_templates import Request, render

__all__ = ["STORED", "Answer", "Call", "Message", "form", "sqs_refuses"]

REQUEST_ID = "5c9d1a0e-1f3b-4c55-9d2f-0c8f5d6f7a01"

STORED = json.dumps(
    {
        "SendMessageResponse": {
            "ResponseMetadata": {"RequestId": "r-1"},
            "SendMessageResult": {"MD5OfMessageBody": "0" * 32, "MessageId": "m-1"},
        }
    }
)
"""What SQS answers, as API Gateway asks it to: JSON."""


def sqs_refuses(code: str, message: str) -> str:
    return json.dumps({"Error": {"Code": code, "Message": message, "Type": "Sender"}, "RequestId": "r-1"})


@dataclass(frozen=True)
class Message:
    """What SQS would store."""

    body: str
    attributes: Mapping[str, str]
    group: str | None
    deduplication: str | None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


class Once(dict[str, Any]):
    """Overrides: the gateway answers 500 when a template sets one twice."""

    def __setitem__(self, name: str, value: Any) -> None:
        assert name not in self, f"{name} is overridden twice"
        assert value is not None, f"{name} is overridden by nothing, which Velocity skips"
        super().__setitem__(name, value)


@dataclass
class Call:
    """One request on its way through a method, as CloudFormation would make it."""

    method: Mapping[str, Any]
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)
    authorizer: Mapping[str, Any] = field(default_factory=dict)
    content_type: str | None = "application/json"

    def __post_init__(self) -> None:
        sent: dict[str, Any] = {"header": Once(), "path": Once(), "querystring": Once()}
        self.context = {
            "requestId": REQUEST_ID,
            "httpMethod": self.method["HttpMethod"],
            "identity": dict(self.identity),
            "authorizer": dict(self.authorizer),
            "requestOverride": sent,
            "responseOverride": Once(header=Once()),
        }

    @cached_property
    def sent(self) -> str:
        """The body of the call to SQS; the gateway renders it once."""
        return self._render(self.method["Integration"]["RequestTemplates"]["application/json"], self.body)

    def message(self) -> Message | None:
        """What SQS would store; `None` when it would refuse the call."""
        return form(self.sent)

    def answered(self, status: int, body: str) -> Answer:
        """What the caller gets after SQS's answer. `sent` goes before: the templates share a context."""
        responses = self.method["Integration"]["IntegrationResponses"]
        matching = [one for one in responses if re.fullmatch(one.get("SelectionPattern") or "(?!)", str(status))]
        (chosen,) = matching or [one for one in responses if "SelectionPattern" not in one]
        text = self._render(chosen["ResponseTemplates"]["application/json"], body)
        override = {"status": None, **self.context["responseOverride"]}
        constant = {
            name.removeprefix("method.response.header."): value.strip("'")
            for name, value in chosen.get("ResponseParameters", {}).items()
        }
        assert override["status"] is None or isinstance(override["status"], int), "the gateway takes whole numbers only"
        return Answer(override["status"] or int(chosen["StatusCode"]), constant | override["header"], json.loads(text))

    def _render(self, template: str, body: str) -> str:
        typed = {} if self.content_type is None else {"content-type": self.content_type}
        return render(template, body, Request({}, self.query, {**typed, **self.headers}), self.context)


def form(text: str) -> Message | None:
    """A call of SQS's query protocol, strictly read."""
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True)
    given = dict(pairs)
    assert len(given) == len(pairs), "a parameter twice"
    if given.pop("Action") != "SendMessage":
        return None
    assert given.pop("Version") == "2012-11-05"
    attributes: dict[str, str] = {}
    for number in range(1, 11):
        name = given.pop(f"MessageAttribute.{number}.Name", None)
        if name is not None:
            assert given.pop(f"MessageAttribute.{number}.Value.DataType") == "String"
            attributes[name] = given.pop(f"MessageAttribute.{number}.Value.StringValue")
    message = Message(
        body=given.pop("MessageBody"),
        attributes=attributes,
        group=given.pop("MessageGroupId", None),
        deduplication=given.pop("MessageDeduplicationId", None),
    )
    assert given == {}, "parameters that nobody intended"
    return message
