"""Our consumer and the peer's in this process, pointed at an endpoint. One endpoint a process: clients are kept."""

import contextlib
import os
from collections.abc import Callable, Generator
from typing import Any

from bench.lambda_environment import Context, variables

__all__ = ["Consumer", "consume", "ours", "powertools", "quiet_lambda"]

Consumer = Callable[[dict[str, Any]], dict[str, Any]]
"""SQS event in, partial batch response out."""


@contextlib.contextmanager
def quiet_lambda(endpoint_url: str) -> Generator[None]:
    """Lambda's variables around consumers; what they log goes where it costs next to nothing."""
    os.environ |= variables("", effects=False) | {"AWS_ENDPOINT_URL": endpoint_url}
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def ours(*, effects: bool) -> Consumer:
    """The shipped handler over the shipped edge."""
    from serverless_patterns_runtime.load_leveled_queue.edge import Edge
    from serverless_patterns_runtime.load_leveled_queue.handler import process

    function = "bench.functions.orders:fulfil" if effects else "bench.functions.orders:notify"
    os.environ |= variables(function, effects=effects)
    edge = Edge.from_environment()
    return lambda event: process(event, Context(), edge)


def powertools(*, effects: bool) -> Consumer:
    from bench.functions import powertools_consumer as peer

    handler: Any = peer.lambda_handler_with_write if effects else peer.lambda_handler
    return lambda event: handler(event, Context())


def consume(consumer: Consumer, event: dict[str, Any]) -> None:
    """Raises unless every message was handled: nothing that fails may count as fast."""
    answer = consumer(event)
    if answer["batchItemFailures"]:
        raise RuntimeError(f"the consumer failed on {len(answer['batchItemFailures'])} messages")
