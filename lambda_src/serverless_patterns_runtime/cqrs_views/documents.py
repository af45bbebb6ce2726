"""Marks of documents: that a source has changed, and that one message is on its way to the builder.

Whoever has changed rows marks afterwards; the builder takes the mark away before it reads. So a mark that is still
there when a change looks for it is taken away after it, and the build that does so reads the change.
"""

import json
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.cqrs_views import contract, document_contract
from serverless_patterns_runtime.cqrs_views.document_contract import DocumentTold
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.invocation import Log

__all__ = ["Documents", "document_key"]

_NAMES = {"#at": document_contract.DIRTY_AT, "#by": document_contract.DIRTY_BY}


class Documents(NamedTuple):
    dynamodb: Any
    sqs: Any
    table_name: str
    told: Mapping[str, DocumentTold]
    logger: Log
    clock: Callable[[], float] = time.time
    new_name: Callable[[], str] = partial(secrets.token_hex, 8)
    """Of who marks: by it a repeated request knows its own mark."""

    @classmethod
    def deployed(cls, logger: Log) -> "Documents":
        """Of the views' `Env`: for who writes to views, and who makes another generation of one live."""
        env = environment.read(contract.Env)
        told: dict[str, DocumentTold] = json.loads(env.DOCUMENTS)
        sqs = client("sqs") if told else None
        return cls(client("dynamodb"), sqs, env.CONTROL_TABLE_NAME, told, logger)

    def mark(self, views: Collection[str]) -> None:
        """Have the documents of these views built, once what was written to them is written.

        To be called whenever a record may have changed rows, even if now it has changed none: who came before may have
        died between the rows and the mark. Raises ClientError and BotoCoreError: then call it again.
        """
        for name, told in self.told.items():
            if not views or set(views).isdisjoint(told["sources"]):
                continue
            if self._mark(name):
                self._send(name, told["seconds"])

    def sweep(self) -> int:
        """Send again for each mark that has lost its message. How many there were; raises as `mark`."""
        sent = 0
        for name, told in self.told.items():
            overdue = self.clock() - told["seconds"] - document_contract.OVERDUE_SECONDS
            seen = self._seen(name)
            if seen is not None and float(seen["N"]) <= overdue and self._mark_again(name, seen):
                self._send(name, 0)
                sent += 1
        return sent

    def _mark(self, name: str) -> bool:
        """Whether the mark is this call's own, and the message its to send."""
        by = self.new_name()
        try:
            self.dynamodb.update_item(
                TableName=self.table_name,
                Key=document_key(name),
                UpdateExpression="SET #at = :now, #by = :by",
                ConditionExpression="attribute_not_exists(#at)",
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues=serialize_item({":now": self.clock(), ":by": by}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            # The SDK repeats a request whose answer was lost: then the mark is our own.
            found: Any = error.response.get("Item", {})
            return found.get(document_contract.DIRTY_BY) == {"S": by}
        return True

    def _mark_again(self, name: str, seen: Mapping[str, str]) -> bool:
        """Another sweep, or the builder, may be faster."""
        try:
            self.dynamodb.update_item(
                TableName=self.table_name,
                Key=document_key(name),
                UpdateExpression="SET #at = :now",
                ConditionExpression="#at = :seen",
                ExpressionAttributeNames={"#at": document_contract.DIRTY_AT},
                ExpressionAttributeValues={**serialize_item({":now": self.clock()}), ":seen": seen},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _seen(self, name: str) -> Mapping[str, str] | None:
        answer = self.dynamodb.get_item(TableName=self.table_name, Key=document_key(name), ConsistentRead=True)
        return answer.get("Item", {}).get(document_contract.DIRTY_AT)

    def _send(self, name: str, seconds: int) -> None:
        """A message that is not sent keeps no row from being written: the sweep finds the mark."""
        body = json.dumps({"document": name})
        try:
            self.sqs.send_message(QueueUrl=self.told[name]["queue"], MessageBody=body, DelaySeconds=seconds)
        except (ClientError, BotoCoreError) as error:
            fields = {"document": name, "error_type": type(error).__name__}
            self.logger.warning("a document's message is not sent: the sweep will send it", extra=fields)


def document_key(name: str) -> dict[str, dict[str, str]]:
    return {contract.PARTITION_KEY: {"S": f"document/{name}"}}
