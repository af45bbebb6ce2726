"""What deployed functions logged, and which of their invocations failed."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

__all__ = ["failed_invocations", "log_lines"]

# At the start of a line: a structured log line of an error that was handled has its traceback inside.
FAILURE = re.compile(
    r"^(Traceback \(most recent call last\)|\[ERROR\]|Worker process died"
    r"|[^{]*Task timed out after|[^{]*Runtime exited|[^{]*Runtime\.\w+Error)"
)


def log_lines(logs: "CloudWatchLogsClient", function: "dict[str, Any]", since: float = 0) -> list[str]:
    """Every line in order of time.

    Args:
        logs: The client.
        function: What Lambda says of the function's configuration.
        since: Epoch seconds; what was logged before is left out.
    """
    return [message for _, message in _events(logs, function, since)]


def failed_invocations(logs: "CloudWatchLogsClient", function: "dict[str, Any]", since: float = 0) -> list[str]:
    """The log of each invocation that ended in an exception, a time-out or a dead process; no handled errors."""
    streams: dict[str, list[str]] = {}
    for stream, message in _events(logs, function, since):
        streams.setdefault(stream, []).append(message)
    invocations = (invocation for messages in streams.values() for invocation in _invocations(messages))
    return ["\n".join(lines) for lines in invocations if any(FAILURE.match(line) for line in lines)]


def _events(logs: "CloudWatchLogsClient", function: "dict[str, Any]", since: float) -> list[tuple[str, str]]:
    group = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function['FunctionName']}"
    try:
        pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000)))
    except logs.exceptions.ResourceNotFoundException:
        return []  # Lambda makes the group when the function first runs
    events = [event for page in pages for event in page["events"]]
    events.sort(key=lambda event: event.get("timestamp", 0))
    return [(event.get("logStreamName", ""), event.get("message", "").rstrip("\n")) for event in events]


def _invocations(messages: Iterable[str]) -> Iterator[list[str]]:
    current: list[str] = []
    for message in messages:
        if message.startswith("START RequestId") and current:
            yield current
            current = []
        current += message.split("\n")
    if current:
        yield current
