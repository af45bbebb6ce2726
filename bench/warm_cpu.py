"""CPU time of one idempotent, logged message in a warm function, with the network taken out.

With its business write it is one request of ours and three of the peer's; as a lease, alone in its batch, two and two.
"""

import gc
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from bench.consumers import Consumer, consume, ours, powertools, quiet_lambda
from bench.fake_aws import answer
from bench.figure import Figure
from bench.lambda_environment import sqs_event

NAMES = ("warm_cpu_vs_powertools", "warm_cpu_leased_vs_powertools")

ROUNDS = 60
MESSAGES_A_ROUND = 20


def figures() -> list[Figure]:
    with quiet_lambda("http://127.0.0.1:9"), _faked_http():
        return [_figure(NAMES[0], effects=True, goal=0.6), _figure(NAMES[1], effects=False, goal=None)]


def _figure(name: str, *, effects: bool, goal: float | None) -> Figure:
    ours_seconds, peer_seconds = _least(ours(effects=effects), powertools(effects=effects))
    what = "with one business write" if effects else "no business write"
    return Figure(
        name=name,
        value=round(ours_seconds / peer_seconds, 3),
        unit="ratio",
        peer=1.0,
        better="lower",
        goal=goal,
        measured=f"ours {ours_seconds * 1e6:.0f} us, Powertools {peer_seconds * 1e6:.0f} us a message, {what}",
    )


def _least(*consumers: Consumer) -> list[float]:
    """CPU seconds a message: the least of interleaved rounds, which other work on the machine disturbs least."""
    least = [float("inf")] * len(consumers)
    for _ in range(ROUNDS):
        for position, consumer in enumerate(consumers):
            least[position] = min(least[position], _cpu_seconds(consumer))
    return least


def _cpu_seconds(consumer: Consumer) -> float:
    events = [sqs_event(1) for _ in range(MESSAGES_A_ROUND)]
    gc.collect()
    started = time.process_time()
    for event in events:
        consume(consumer, event)
    return (time.process_time() - started) / MESSAGES_A_ROUND


@contextmanager
def _faked_http() -> Generator[None]:
    """Answers where botocore would send: signing, serialising and parsing stay in the measurement."""

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:  # noqa: ARG001
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        body = json.dumps(answer(operation, json.loads(request.body))).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(body))}
        return AWSResponse(request.url, 200, headers, _Raw(body))

    with mock.patch.object(URLLib3Session, "send", send):
        yield


class _Raw:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Generator[bytes]:
        yield self._body
