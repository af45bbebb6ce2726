"""What the guardian keeps of an execution that ended badly: how often it was recovered, and who asked for it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import deserialize, serialize
from serverless_patterns_runtime.claims.contract import PARTITION_KEY, TIME_TO_LIVE
from serverless_patterns_runtime.claims.outside import Outside
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_state_machine.execution import Execution

__all__ = ["Audit", "Mark", "Marks"]

_ATTEMPT, _AUDIT = "attempt", "audit"
_NAMES = {"#attempt": _ATTEMPT, "#audit": _AUDIT, "#expires_at": TIME_TO_LIVE, "#claim": PARTITION_KEY}


class Audit(NamedTuple):
    """Somebody's word for one recovery."""

    at: int
    """Epoch seconds."""
    by: str
    reason: str
    recovery: str


class Mark(NamedTuple):
    """Of one execution."""

    attempt: int
    """The latest recovery's number; 0 when there was none."""
    audit: Sequence[Audit]


class Marks(NamedTuple):
    outside: Outside

    def of(self, execution: Execution) -> Mark | None:
        item = self.outside.item(self._key(execution))
        if item is None:
            return None
        audit: list[dict[str, Any]] = deserialize(item[_AUDIT]) if _AUDIT in item else []
        told = [Audit(int(line["at"]), line["by"], line["reason"], line["recovery"]) for line in audit]
        return Mark(int(item[_ATTEMPT]["N"]), told)

    def note(self, execution: Execution, attempt: int) -> None:
        """That there is nothing more to do for it by itself. Whoever has gone on meanwhile is not set back."""
        self._update(
            execution,
            "SET #attempt = if_not_exists(#attempt, :attempt), #expires_at = if_not_exists(#expires_at, :expires_at)",
            "attribute_not_exists(#audit)",
            {":attempt": attempt, ":expires_at": int(self.outside.clock()) + self.outside.claims_retention_seconds},
        )

    def go_on(self, execution: Execution, before: int, audit: Audit) -> bool:
        """Count one more recovery after `before`, and keep who asked for it. False when somebody else did."""
        return self._update(
            execution,
            "SET #attempt = :attempt, #audit = list_append(if_not_exists(#audit, :none), :line) REMOVE #expires_at",
            "#attempt = :before" if before else "attribute_not_exists(#claim) OR #attempt = :before",
            {":attempt": before + 1, ":before": before, ":none": [], ":line": [audit._asdict()]},
        )

    def _key(self, execution: Execution) -> str:
        return contract.guarded_key(self.outside.claims_namespace, execution.name, execution.started)

    def _update(self, execution: Execution, expression: str, condition: str, values: dict[str, Any]) -> bool:
        text = f"{expression} {condition}"
        try:
            self.outside.dynamodb.update_item(
                TableName=self.outside.claims_table_name,
                Key={PARTITION_KEY: serialize(self._key(execution))},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: path for name, path in _NAMES.items() if name in text},
                ExpressionAttributeValues={name: serialize(value) for name, value in values.items()},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True
