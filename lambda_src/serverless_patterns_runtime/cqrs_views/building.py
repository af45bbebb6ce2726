"""One build of a document: numbered before it reads anything, kept unless a later one is kept."""

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.cqrs_views import document_contract
from serverless_patterns_runtime.cqrs_views.contents import Contents
from serverless_patterns_runtime.cqrs_views.documents import document_key
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Building"]


class Building(NamedTuple):
    dynamodb: Any
    table_name: str
    name: str
    contents: Contents
    clock: Callable[[], float]

    def build(self, make: Callable[[], str]) -> bool:
        """Whether there was anything to build. `make` reads the sources and answers the document as JSON.

        What it raises, and ClientError and BotoCoreError, leave the build begun: the message that comes again begins
        another one. Raises PermanentError for a document that is too large.
        """
        number = self._begin()
        if number is None:
            return False
        began = self.clock()
        self.contents.keep(number, make(), began)
        return True

    def _begin(self) -> int | None:
        """Take the mark away and count. From here on a change makes another mark."""
        number = self._count("attribute_exists(#at)", {})
        return self._again() if number is None else number

    def _again(self) -> int | None:
        """Without a mark there is something to do only where a build was begun, and none since has been kept."""
        answer = self.dynamodb.get_item(TableName=self.table_name, Key=document_key(self.name), ConsistentRead=True)
        item = answer.get("Item", {})
        if document_contract.BUILD not in item or int(item[document_contract.BUILD]["N"]) <= self.contents.build():
            return None
        # Else another build has begun meanwhile, whose message is not done before it is.
        return self._count("#build = :seen", {":seen": item[document_contract.BUILD]})

    def _count(self, condition: str, values: dict[str, Any]) -> int | None:
        names = {
            "#build": document_contract.BUILD,
            "#at": document_contract.DIRTY_AT,
            "#by": document_contract.DIRTY_BY,
        }
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table_name,
                Key=document_key(self.name),
                UpdateExpression="SET #build = if_not_exists(#build, :none) + :one REMOVE #at, #by",
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":none": {"N": "0"}, ":one": {"N": "1"}, **values},
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return None
        return int(answer["Attributes"][document_contract.BUILD]["N"])
