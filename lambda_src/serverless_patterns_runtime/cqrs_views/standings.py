"""The control items of views: read consistently, and changed if nobody else has changed them meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.standing import Standing
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Standings"]

_REVISION = "revision"


class Standings(NamedTuple):
    dynamodb: Any
    table_name: str

    def read(self, view: str) -> Standing:
        key = {contract.PARTITION_KEY: {"S": f"view/{view}"}}
        answer = self.dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True)
        return Standing.of(answer.get("Item"))

    def change(self, view: str, step: Callable[[Standing], Standing]) -> Standing:
        """One write, of how `step` lets the view stand; none where it stands so already. Raises what `step` raises."""
        while True:
            before = self.read(view)
            after = step(before)
            if after == before:
                return before
            changed = self._put(view, before, after)
            if changed is not None:
                return changed

    def _put(self, view: str, before: Standing, after: Standing) -> Standing | None:
        changed = replace(after, revision=before.revision + 1)
        try:
            self.dynamodb.put_item(
                TableName=self.table_name,
                Item=changed.item(view),
                ConditionExpression="attribute_not_exists(#revision) OR #revision = :seen",
                ExpressionAttributeNames={"#revision": _REVISION},
                ExpressionAttributeValues={":seen": {"N": str(before.revision)}},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return None
        return changed
