"""A claim on an idempotency key, and what its item in the table says."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from serverless_patterns_runtime.attribute_values import AttributeValue, serialize_item
from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.errors import IdempotencyKeyReused, PermanentError

__all__ = ["AnswerNotKept", "Claim", "Contended", "Holder", "RunningElsewhere", "Undone"]


class RunningElsewhere(Exception):
    """Another attempt holds the claim until `until` (epoch seconds)."""

    def __init__(self, until: int) -> None:
        super().__init__("another attempt holds the claim")
        self.until = until


class Contended(Exception):
    """Others used the same items for as long as there was time to try. Nothing of this was written."""


class AnswerNotKept(PermanentError):
    """The work on this key is complete, and what was answered then is not known any more."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("the request with this key was completed, and its answer was not kept", status=409)


class Undone(PermanentError):
    """The work on this key may not happen any more: whoever comes with it now is late."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("the work on this key is undone, or was given up: it comes too late", status=409)


@dataclass(frozen=True)
class Claim:
    """One idempotency key in one namespace, with the digest of the payload it stands for."""

    namespace: str
    key: str
    payload: str

    @property
    def id(self) -> str:
        return f"{self.namespace}#{self.key}"

    def item(
        self, *, owner: str, free_at: int, done: bool, expires_at: int, answer: str | None = None
    ) -> dict[str, AttributeValue]:
        item = {
            contract.PARTITION_KEY: self.id,
            contract.PAYLOAD: self.payload,
            contract.OWNER: owner,
            contract.FREE_AT: free_at,
            contract.DONE: done,
            contract.TIME_TO_LIVE: expires_at,
        }
        return serialize_item(item if answer is None else item | {contract.ANSWER: answer})


class Holder(NamedTuple):
    """What the table says of a claim."""

    payload: str
    owner: str
    free_at: int
    done: bool
    expires_at: int
    attempt: int
    """1 where nobody counts."""
    answer: str | None
    undone: bool = False
    begun_at: int | None = None
    """When the first attempt took the lease, where that is kept."""
    began: bool = False
    """Whether an attempt that is counted has taken the lease."""

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> "Holder":
        expires_at = int(item[contract.TIME_TO_LIVE]["N"]) if contract.TIME_TO_LIVE in item else 0
        return cls(
            payload=item[contract.PAYLOAD]["S"],
            owner=item[contract.OWNER]["S"],
            # No condition takes a claim without a deadline: it holds for as long as the table keeps it.
            free_at=int(item[contract.FREE_AT]["N"]) if contract.FREE_AT in item else expires_at,
            done=item[contract.DONE]["BOOL"],
            expires_at=expires_at,
            attempt=int(item[contract.ATTEMPT]["N"]) if contract.ATTEMPT in item else 1,
            answer=item[contract.ANSWER]["S"] if contract.ANSWER in item else None,
            undone=contract.UNDONE in item and item[contract.UNDONE]["BOOL"],
            begun_at=int(item[contract.BEGUN_AT]["N"]) if contract.BEGUN_AT in item else None,
            began=contract.ATTEMPT in item,
        )

    def judge(self, claim: Claim) -> None:
        """Returns when the work is done: a duplicate.

        Raises for another payload, for what may not happen any more, and while it runs elsewhere.
        """
        if self.payload != claim.payload:
            raise IdempotencyKeyReused()
        if self.undone:
            raise Undone
        if not self.done:
            raise RunningElsewhere(self.free_at)
