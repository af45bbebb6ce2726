"""What may subscribe, and where each kind of it lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Stack

from serverless_patterns_runtime.fan_out_topic.contract import SAGA_STARTER, SagaStarterEnv

from .._bundled import BundledHandler
from .._running import is_function
from .._targets import is_startable
from ..handler import Handler
from ..https_endpoint import HttpsEndpoint
from ..load_leveled_queue import LoadLeveledQueue

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from .._interfaces import Function
    from .._targets import Startable, Starting

    Target = Handler | Function | sqs.IQueue | LoadLeveledQueue | HttpsEndpoint | Startable


@dataclass(frozen=True)
class SubscriberKind:
    """A target, by what has to be defined for it."""

    consumer: Handler | Function | None = None
    """Gets a queue of its own."""

    owned: LoadLeveledQueue | None = None
    queue: sqs.IQueue | None = None
    endpoint: HttpsEndpoint | None = None
    home: Construct | None = None
    """Where it lives already."""

    takes_part: bool = False
    """In a fan-in, unless somebody says otherwise."""

    @property
    def handled(self) -> bool:
        """Whether our runtime stands before the business function."""
        if self.owned is not None:
            return self.owned.claims is not None
        return isinstance(self.consumer, Handler)

    @property
    def fifo(self) -> bool | None:
        """Of a queue that exists."""
        queue = self.owned.queue if self.owned is not None else self.queue
        return None if queue is None else queue.fifo


def kind_of(target: Any) -> SubscriberKind | None:
    """What a target is; `None` for what cannot subscribe."""
    if isinstance(target, Handler):
        return SubscriberKind(consumer=target, takes_part=True)
    if isinstance(target, LoadLeveledQueue):
        return SubscriberKind(owned=target, home=target)
    if isinstance(target, HttpsEndpoint):
        return SubscriberKind(endpoint=target)
    if is_startable(target):
        home = cast("Construct", target)
        return SubscriberKind(consumer=_starter(home, target._starting()), home=home)  # pyright: ignore[reportPrivateUsage]
    if hasattr(target, "queue_arn"):
        return SubscriberKind(queue=target, home=target)
    if is_function(target):
        return SubscriberKind(consumer=target)
    return None


def home_of(kind: SubscriberKind, topic: Construct, scope: Construct | None) -> Construct:
    """Where to define what the subscriber needs: the topic's stack never refers to a subscriber's.

    Args:
        kind: The subscriber.
        topic: The construct of the topic.
        scope: What the user said.
    """
    if scope is not None:
        return scope
    if kind.home is not None and Stack.of(kind.home) is not Stack.of(topic):
        return kind.home
    return topic


def _starter(home: Construct, starting: Starting) -> BundledHandler:
    env = SagaStarterEnv(STATE_MACHINE_ARN=starting.arn, MAX_INPUT_BYTES=str(starting.max_input_bytes))
    return BundledHandler(
        f"{home.node.id} starter",
        SAGA_STARTER,
        services=["states"],
        environment=env._asdict(),
        grants=[starting.grant],
    )
