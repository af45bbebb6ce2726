"""One message of a batch on its way through an invocation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.load_leveled_queue.message import Message, Request
from serverless_patterns_runtime.load_leveled_queue.verdicts import Verdict

__all__ = ["Delivery", "claims", "first_of_each_key"]


@dataclass(eq=False)
class Delivery:
    message: Message

    request: Request | None
    """None: the body cannot be read."""

    refusal: PermanentError | None
    """Why it is refused without being tried."""

    attempts: int = field(init=False)
    """Runs of the business function on this message, this one included, as far as they are known."""

    verdict: Verdict | None = None

    delay_seconds: int | None = None
    """Set when it has to come back: after how long."""

    def __post_init__(self) -> None:
        self.attempts = self.message.receive_count

    @property
    def idempotency_key(self) -> str | None:
        return self.request.claim.key if self.request else None


def first_of_each_key(deliveries: Sequence[Delivery]) -> Mapping[str, Delivery]:
    """By claim id. The others of a key follow the first one's verdict: a key is claimed once a batch."""
    firsts: dict[str, Delivery] = {}
    for delivery in deliveries:
        if delivery.request is not None and delivery.refusal is None:
            firsts.setdefault(delivery.request.claim.id, delivery)
    return firsts


def claims(deliveries: Sequence[Delivery]) -> Sequence[Claim]:
    return [delivery.request.claim for delivery in deliveries if delivery.request is not None]
