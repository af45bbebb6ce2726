"""Effects and the claim on their key in one transaction: both happen, once, or neither does."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.claims.claim import Claim, Holder
from serverless_patterns_runtime.claims.contention import NOT_NOW, tries
from serverless_patterns_runtime.effects import Effects, Write, check_number_of, refusal_of, unknown_table
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.expressions import transaction_item
from serverless_patterns_runtime.limits import check_requests

__all__ = ["Commits", "try_again_or_reasons"]


class Commits(NamedTuple):
    dynamodb: Any
    table_name: str
    retention_seconds: int
    tables: Mapping[str, str]
    """Logical table name to physical name."""
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: random.Random

    def commit(self, claim: Claim, effects: Effects, remaining: Callable[[], float]) -> bool:
        """True when the effects are committed, False when they were before: a duplicate.

        Raises PermanentError for another payload, a refused condition (or the write's own `otherwise`) and effects
        that can never be committed; RunningElsewhere while a lease runs on the key; Contended when time runs out;
        ClientError for what DynamoDB or the network did. After an error that is not permanent it is unknown whether
        the effects are committed; trying again settles it.
        """
        return self.commit_with_answer(claim, effects, None, remaining) is None

    def commit_with_answer(
        self, claim: Claim, effects: Effects, answer: str | None, remaining: Callable[[], float]
    ) -> Holder | None:
        """None when the effects and this answer are committed; else who committed before, with the answer that counts.

        Raises as `commit` does.
        """
        writes = [self._transaction_item(write) for write in effects.writes]
        check_number_of(writes)
        check_requests(writes)
        owner = f"{self.random.getrandbits(128):032x}"
        for _ in tries(remaining, self.sleep, self.random):
            try:
                self.dynamodb.transact_write_items(TransactItems=[self.claim_item(claim, owner, answer), *writes])
                return None
            except ClientError as error:
                reasons = try_again_or_reasons(error)
            if reasons is not None:
                return self._verdict(reasons, claim, owner, effects.writes)
        raise AssertionError("tries end by Contended")

    def _transaction_item(self, write: Write) -> dict[str, Any]:
        if write.table not in self.tables:
            raise unknown_table(write, self.tables)
        return transaction_item(write, self.tables[write.table])

    def claim_item(self, claim: Claim, owner: str, answer: str | None) -> dict[str, Any]:
        """The element of a transaction that claims the key for good. It is refused while the claim is another's."""
        now = int(self.clock())
        expires_at = now + self.retention_seconds
        return {
            "Put": {
                "TableName": self.table_name,
                "Item": claim.item(owner=owner, free_at=expires_at, done=True, expires_at=expires_at, answer=answer),
                "ConditionExpression": "attribute_not_exists(#claim) OR #free_at < :now",
                "ExpressionAttributeNames": {"#claim": contract.PARTITION_KEY, "#free_at": contract.FREE_AT},
                "ExpressionAttributeValues": {":now": {"N": str(now)}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _verdict(
        self, reasons: Sequence[Mapping[str, Any]], claim: Claim, owner: str, writes: Sequence[Write]
    ) -> Holder | None:
        """Our claim first: when it is taken, what the other conditions say describes the world after the effect."""
        if reasons[0]["Code"] == "ConditionalCheckFailed":
            holder = Holder.from_item(reasons[0]["Item"])
            if holder.owner == owner:
                return None  # our own commit, whose answer was lost
            holder.judge(claim)
            return holder
        for position, (reason, write) in enumerate(zip(reasons[1:], writes, strict=True), start=1):
            if reason["Code"] == "ConditionalCheckFailed":
                raise refusal_of(write, position)
        refused = [(number, reason) for number, reason in enumerate(reasons) if reason["Code"] != "None"]
        number, reason = refused[0]
        raise UncommittableEffects(f"DynamoDB refused write {number}: {reason['Code']}: {reason.get('Message', '')}")


def try_again_or_reasons(error: ClientError) -> Sequence[Mapping[str, Any]] | None:
    """None: try again. Reasons: the transaction was refused for them. Raises what is neither."""
    code = error_code(error)
    if code in NOT_NOW:
        return None
    if code == "ValidationException":
        message = error.response.get("Error", {}).get("Message", "")
        raise UncommittableEffects(f"DynamoDB refused the transaction: {message}") from error
    if code != "TransactionCanceledException":
        raise error
    reasons = cast("Sequence[Mapping[str, Any]]", error.response.get("CancellationReasons", []))
    if reasons and reasons[0]["Code"] == "ConditionalCheckFailed":
        return reasons
    if not reasons or any(reason["Code"] in NOT_NOW for reason in reasons):
        return None
    return reasons
