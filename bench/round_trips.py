"""Requests to DynamoDB for a batch of ten new messages, counted by a loopback server."""

from bench.consumers import Consumer, consume, ours, powertools, quiet_lambda
from bench.fake_aws import FakeAws
from bench.figure import Figure
from bench.lambda_environment import sqs_event

NAMES = ("ddb_round_trips_leased_batch10", "ddb_round_trips_effects_batch10")


def figures() -> list[Figure]:
    with FakeAws() as aws, quiet_lambda(aws.url):
        return [_leased(aws), _effects(aws)]


def _leased(aws: FakeAws) -> Figure:
    ours_made = _requests(aws, ours(effects=False))
    peer_made = _requests(aws, powertools(effects=False))
    # Claim all, complete all: whoever must survive a crash between the two needs both.
    return _figure(NAMES[0], ours_made, peer_made, goal=2, floor=2)


def _effects(aws: FakeAws) -> Figure:
    ours_made = _requests(aws, ours(effects=True))
    peer_made = _requests(aws, powertools(effects=True))
    # One transaction for the whole batch would be a single request, and one bad message would refuse all ten.
    return _figure(NAMES[1], ours_made, peer_made, goal=10, floor=1)


def _requests(aws: FakeAws, consumer: Consumer) -> dict[str, int]:
    aws.requests()
    consume(consumer, sqs_event(10))
    return aws.requests()


def _figure(name: str, ours_made: dict[str, int], peer_made: dict[str, int], *, goal: int, floor: int) -> Figure:
    return Figure(
        name=name,
        value=sum(ours_made.values()),
        unit="requests",
        peer=sum(peer_made.values()),
        floor=floor,
        better="lower",
        goal=goal,
        measured=f"ours {_text(ours_made)}; Powertools {_text(peer_made)}",
    )


def _text(requests: dict[str, int]) -> str:
    return ", ".join(f"{count} {operation}" for operation, count in sorted(requests.items()))
