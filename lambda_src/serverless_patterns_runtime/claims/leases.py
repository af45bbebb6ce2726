"""Leases: the right to work on a key until a deadline, for work whose effect is not in our transaction.

At least once: who dies after the effect and before `settle` leaves the key to be worked on again. Fenced by an owner
token, never taken before its deadline. Source: Gray & Cheriton, Leases (1989).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.claims.claim import Claim, Holder, RunningElsewhere
from serverless_patterns_runtime.claims.statements import Refusal, Statement, Statements
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["CLOCK_SKEW_SECONDS", "AlreadyDone", "Leases", "Unavailable"]


CLOCK_SKEW_SECONDS = 2
"""Lambda's clocks agree to well under this: no sandbox whose clock is ahead takes a lease over too early."""


class AlreadyDone(Exception):
    """The work on this key is complete: a duplicate."""


class Unavailable(Exception):
    """DynamoDB did not carry out a statement; the lease is not held, or not settled."""


@dataclass(frozen=True)
class Leases:
    statements: Statements
    table_name: str
    retention_seconds: int
    clock: Callable[[], float]
    owner: str
    """Token of this attempt: whoever lost its lease can settle nothing."""

    def take(self, claims: Sequence[Claim], until: int) -> Mapping[Claim, Exception | None]:
        """Per claim None (ours until `until`, epoch seconds) or why not.

        AlreadyDone, RunningElsewhere, PermanentError (another payload) or Unavailable. One request per 25 claims
        that are new, and one more for those seen before.
        """
        now = int(self.clock())
        refusals = self._execute({claim: self._insert(claim, until, now) for claim in claims})
        seen = [claim for claim, refusal in refusals.items() if refusal and refusal.code == "DuplicateItem"]
        refusals |= self._execute({claim: self._take_over(claim, until, now) for claim in seen})
        lapsed = [claim for claim in seen if self._has_lapsed(refusals[claim], now)]
        refusals |= self._execute({claim: self._replace(claim, until, now) for claim in lapsed})
        return {claim: self._verdict(claim, refusal) for claim, refusal in refusals.items()}

    def settle(self, done: Iterable[Claim], released: Iterable[Claim]) -> Mapping[Claim, Exception]:
        """Complete the first and forget the second, in one request per 25. What went wrong, by claim."""
        expires_at = int(self.clock()) + self.retention_seconds
        completions = {claim: self._complete(claim, expires_at) for claim in done}
        releases = {claim: self._release(claim) for claim in released}
        refusals = self._execute(completions | releases)
        return {
            claim: Unavailable(f"the claim could not be settled: {refusal.code}")
            for claim, refusal in refusals.items()
            # A release that meets another owner has nothing to do.
            if refusal and not (claim in releases and refusal.code == "ConditionalCheckFailed")
        }

    def _execute(self, statements: Mapping[Claim, Statement]) -> dict[Claim, Refusal | None]:
        return dict(zip(statements, self.statements.execute(list(statements.values())), strict=True))

    def _insert(self, claim: Claim, until: int, now: int) -> Statement:
        item = claim.item(owner=self.owner, free_at=until, done=False, expires_at=now + self.retention_seconds)
        fields = ", ".join(f"'{name}': ?" for name in item)
        return Statement(f'INSERT INTO "{self.table_name}" VALUE {{{fields}}}', list(item.values()))

    def _take_over(self, claim: Claim, until: int, now: int) -> Statement:
        return self._change(
            {
                contract.OWNER: self.owner,
                contract.FREE_AT: until,
                contract.DONE: False,
                contract.TIME_TO_LIVE: now + self.retention_seconds,
            },
            claim,
            f'"{contract.FREE_AT}" < ? AND "{contract.PAYLOAD}" = ?',
            [now, claim.payload],
        )

    def _replace(self, claim: Claim, until: int, now: int) -> Statement:
        """For what DynamoDB's time to live should have deleted by now."""
        return self._change(
            {
                contract.PAYLOAD: claim.payload,
                contract.OWNER: self.owner,
                contract.FREE_AT: until,
                contract.DONE: False,
                contract.TIME_TO_LIVE: now + self.retention_seconds,
            },
            claim,
            f'"{contract.TIME_TO_LIVE}" < ?',
            [now],
        )

    def _complete(self, claim: Claim, expires_at: int) -> Statement:
        return self._change(
            {contract.DONE: True, contract.FREE_AT: expires_at, contract.TIME_TO_LIVE: expires_at},
            claim,
            f'"{contract.OWNER}" = ?',
            [self.owner],
        )

    def _release(self, claim: Claim) -> Statement:
        text = f'DELETE FROM "{self.table_name}" WHERE "{contract.PARTITION_KEY}" = ? AND "{contract.OWNER}" = ?'
        return Statement(text, [serialize(claim.id), serialize(self.owner)])

    def _change(
        self, changes: Mapping[str, object], claim: Claim, condition: str, operands: Sequence[object]
    ) -> Statement:
        sets = " ".join(f'SET "{name}" = ?' for name in changes)
        text = f'UPDATE "{self.table_name}" {sets} WHERE "{contract.PARTITION_KEY}" = ? AND {condition}'
        return Statement(text, [serialize(value) for value in (*changes.values(), claim.id, *operands)])

    def _has_lapsed(self, refusal: Refusal | None, now: int) -> bool:
        if refusal is None or refusal.item is None:
            return False
        return int(refusal.item[contract.TIME_TO_LIVE]["N"]) < now

    def _verdict(self, claim: Claim, refusal: Refusal | None) -> Exception | None:
        if refusal is None:
            return None
        if refusal.code != "ConditionalCheckFailed" or refusal.item is None:
            return Unavailable(f"the claim could not be taken: {refusal.code}")
        holder = Holder.from_item(refusal.item)
        if holder.owner == self.owner:
            return None  # our own INSERT, whose first answer was lost
        try:
            holder.judge(claim)
        except (PermanentError, RunningElsewhere) as error:
            return error
        return AlreadyDone("the work on this key is complete")
