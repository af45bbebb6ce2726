"""Wall time of a batch of ten with one write each, where every request waits 5 ms for its answer."""

import statistics
import time

from bench.consumers import Consumer, consume, ours, powertools, quiet_lambda
from bench.fake_aws import FakeAws
from bench.figure import Figure
from bench.lambda_environment import sqs_event

NAMES = ("effects_wall_vs_powertools",)

SECONDS_PER_REQUEST = 0.005
ROUNDS = 30


def figures() -> list[Figure]:
    with FakeAws(seconds_per_request=SECONDS_PER_REQUEST) as aws, quiet_lambda(aws.url):
        rounds = _interleaved(ours(effects=True), powertools(effects=True))
    ours_seconds, peer_seconds = (statistics.median(seconds) for seconds in rounds)
    ours_least, peer_least = (min(seconds) for seconds in rounds)
    figure = Figure(
        name=NAMES[0],
        value=round(ours_seconds / peer_seconds, 3),
        unit="ratio",
        peer=1.0,
        floor=round(SECONDS_PER_REQUEST / peer_seconds, 3),  # one request for everything, and no work beside it
        better="lower",
        goal=0.10,
        measured=f"ours {ours_seconds * 1000:.0f} ms, Powertools {peer_seconds * 1000:.0f} ms, medians of {ROUNDS};"
        f" least {ours_least * 1000:.0f} and {peer_least * 1000:.0f} ms",
    )
    return [figure]


def _interleaved(*consumers: Consumer) -> list[list[float]]:
    """Seconds of each consumer's rounds, taken in turn, so that a slow moment of the machine hits all."""
    seconds: list[list[float]] = [[] for _ in consumers]
    for _ in range(ROUNDS + 1):
        for taken, consumer in zip(seconds, consumers, strict=True):
            taken.append(_seconds(consumer))
    return [taken[1:] for taken in seconds]  # the first round opened the connections


def _seconds(consumer: Consumer) -> float:
    event = sqs_event(10)
    started = time.perf_counter()
    consume(consumer, event)
    return time.perf_counter() - started
