"""A claim on an idempotency key, and what its item in the table says."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from serverless_patterns_runtime.attribute_values import AttributeValue, serialize_item
from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.errors import IdempotencyKeyReused

__all__ = ["Claim", "Holder", "RunningElsewhere"]


class RunningElsewhere(Exception):
    """Another attempt holds the claim until `until` (epoch seconds)."""

    def __init__(self, until: int) -> None:
        super().__init__("another attempt holds the claim")
        self.until = until


@dataclass(frozen=True)
class Claim:
    """One idempotency key in one namespace, with the digest of the payload it stands for."""

    namespace: str
    key: str
    payload: str

    @property
    def id(self) -> str:
        return f"{self.namespace}#{self.key}"

    def item(self, *, owner: str, free_at: int, done: bool, expires_at: int) -> dict[str, AttributeValue]:
        return serialize_item(
            {
                contract.PARTITION_KEY: self.id,
                contract.PAYLOAD: self.payload,
                contract.OWNER: owner,
                contract.FREE_AT: free_at,
                contract.DONE: done,
                contract.TIME_TO_LIVE: expires_at,
            }
        )


class Holder(NamedTuple):
    """What the table says of a claim that could not be taken."""

    payload: str
    owner: str
    free_at: int
    done: bool

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> "Holder":
        return cls(
            payload=item[contract.PAYLOAD]["S"],
            owner=item[contract.OWNER]["S"],
            free_at=int(item[contract.FREE_AT]["N"]),
            done=item[contract.DONE]["BOOL"],
        )

    def judge(self, claim: Claim) -> None:
        """Returns when the work is done: a duplicate. Raises for another payload, or while it runs elsewhere."""
        if self.payload != claim.payload:
            raise IdempotencyKeyReused()
        if not self.done:
            raise RunningElsewhere(self.free_at)
