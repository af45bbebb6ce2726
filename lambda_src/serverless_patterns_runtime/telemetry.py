"""Logs and metrics: Powertools, and the one rule it cannot know: no payload in a log line."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import logging as powertools
from aws_lambda_powertools.metrics import EphemeralMetrics, Metrics

from serverless_patterns_runtime.error_fields import describe

__all__ = ["Logger", "Metrics", "count", "describe"]


class Logger(powertools.Logger):
    def __init__(self, **options: Any) -> None:
        super().__init__(json_serializer=_line, **options)  # pyright: ignore[reportUnknownMemberType]

    @contextmanager
    def append_context_keys(self, **additional_keys: Any) -> Generator[None]:
        """Powertools' own, except that keys which the code inside appends end with it too.

        They would be on the lines of the next message, which may be another customer's, as long as the function is
        warm.
        """
        before = dict(self.get_current_keys())
        self.append_keys(**additional_keys)
        try:
            yield
        finally:
            self.remove_keys(self.get_current_keys().keys() - before.keys())
            self.append_keys(**before)


def count(name: str, value: int, *, namespace: str, dimensions: Mapping[str, str]) -> None:
    """A count of its own, with these dimensions and not the function's."""
    metrics = EphemeralMetrics(namespace=namespace, service="")
    for dimension, said in dimensions.items():
        metrics.add_dimension(name=dimension, value=said)
    metrics.add_metric(name=name, unit="Count", value=value)
    metrics.flush_metrics()


def _line(fields: dict[str, Any]) -> str:
    """As Powertools does it; but half a surrogate pair, which standard output cannot print, stays an escape."""
    text = json.dumps(fields, default=str, separators=(",", ":"), ensure_ascii=False)
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
