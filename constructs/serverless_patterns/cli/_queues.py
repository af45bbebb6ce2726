"""From what a user types to the dead-letter queue and the queue that its messages came from."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from serverless_patterns.cli._outputs import Outputs, TargetError
from serverless_patterns.cli._route import Queue, Route

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_sqs import SQSClient

__all__ = ["Queues", "TargetError", "region_of"]

_FORMS = "Type a queue's name, URL or ARN, or a stack output as Stack.OutputKey."


class Queues:
    def __init__(self, sqs: SQSClient, cloudformation: Callable[[], CloudFormationClient]) -> None:
        self._sqs = sqs
        self._outputs = Outputs(cloudformation, _region(sqs), _FORMS)

    def route(self, named: str, to: str | None = None) -> Route:
        """Args: a source queue or a dead-letter queue, in any form; where messages shall go, if not to their source."""
        queue = self.find(named)
        source = queue.redrive_policy.get("deadLetterTargetArn")
        if source is not None and queue.allowed_sources:
            names = " or ".join(_name(arn) for arn in [*queue.allowed_sources, source])
            raise TargetError(
                f"{queue.name} has a dead-letter queue and is one itself. Name the other end of what you mean: {names}."
            )
        if source is not None:
            return self._to(Route(self.find(source), queue), to)
        sources = [] if to else self._sources(queue)
        return self._to(Route(queue, self.find(sources[0]) if len(sources) == 1 else None), to)

    def find(self, named: str) -> Queue:
        """Raises TargetError."""
        value = self._output(named) if _is_output(named) else named
        url = value if _is_url(value) else self._url(value, named)
        try:
            return Queue(url, self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])
        except ClientError as error:
            if not _says_missing(error):
                raise
            raise TargetError(f"There is no queue at {url}{_region(self._sqs)}. {_FORMS}") from error

    def sources_of(self, dead_letters: Queue) -> list[str]:
        """Names of the queues that use it, for a message that asks to choose one."""
        return [_name(arn) for arn in self._sources(dead_letters)]

    def _to(self, route: Route, to: str | None) -> Route:
        return route if to is None else Route(route.dead_letters, self.find(to), chosen=True)

    def _sources(self, dead_letters: Queue) -> list[str]:
        if dead_letters.allowed_sources:
            return dead_letters.allowed_sources
        try:
            return self._sqs.list_dead_letter_source_queues(QueueUrl=dead_letters.url)["queueUrls"]
        except ClientError:  # not permitted, or not known to an emulator: then the user has to say
            return []

    def _url(self, value: str, named: str) -> str:
        account, name = _account_and_name(value)
        try:
            if account is None:
                return self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            return self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        except ClientError as error:
            if not _says_missing(error):
                raise
            by = "" if value == named else f" (the value of {named})"
            place = _region(self._sqs)
            hint = self._outputs.hint(named) or self._similar_queues(name) or _FORMS
            raise TargetError(f"There is no queue named {name}{by}{place}, or you may not see it. {hint}") from error

    def _output(self, named: str) -> str:
        value = self._outputs.value(named)
        if _is_output(value):
            raise TargetError(f"The output {named} is {value!r}, which is not a queue's name, URL or ARN.")
        return value

    def _similar_queues(self, name: str) -> str:
        try:
            urls = self._sqs.list_queues(MaxResults=1000).get("QueueUrls", [])
        except ClientError:
            return ""
        names = [url.rsplit("/", 1)[-1] for url in urls]
        near = [n for n in names if name.casefold() in n.casefold()] or difflib.get_close_matches(name, names)
        return f"Similar: {', '.join(near[:5])}." if near else ""


def region_of(named: str) -> str | None:
    """The region that an ARN or a URL of AWS names."""
    if found := re.match(r"arn:[^:]+:sqs:([^:]+):|https://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws", named):
        return next(filter(None, found.groups()))
    return None


def _is_url(named: str) -> bool:
    return named.startswith(("http://", "https://"))


def _is_output(named: str) -> bool:
    """A queue's name holds no dot, but for `.fifo` at its end."""
    return not _is_url(named) and not named.startswith("arn:") and "." in named.removesuffix(".fifo")


def _account_and_name(value: str) -> tuple[str | None, str]:
    if not value.startswith("arn:"):
        return None, value
    parts = value.split(":")
    if len(parts) != 6 or parts[2] != "sqs":
        raise TargetError(f"{value} is not a queue's ARN. {_FORMS}")
    return parts[4], parts[5]


def _name(arn_or_url: str) -> str:
    return re.split("[:/]", arn_or_url)[-1]


def _says_missing(error: ClientError) -> bool:
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code.endswith(("NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"))


def _region(sqs: SQSClient) -> str:
    return f" in {sqs.meta.region_name}"
