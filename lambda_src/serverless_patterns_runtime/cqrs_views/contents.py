"""Where a document's JSON is kept: in an item of the control table, or in an object that the item names."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import AttributeValue
from serverless_patterns_runtime.cqrs_views import contract, document_contract
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["Content", "Contents", "DocumentTooLarge"]

_LOOKS = 3
"""At the item, when the object that it names is gone: a later build's has taken its place."""


class DocumentTooLarge(PermanentError):
    """Its text quotes nothing of the document."""


class Content(NamedTuple):
    build: int
    built_at: float
    digest: str
    text: Callable[[], bytes | None]
    """None: it is gone, for a later one."""


class Contents(NamedTuple):
    dynamodb: Any
    s3: Callable[[], Any]
    table_name: str
    bucket: str
    """Empty: in the item."""
    name: str

    def keep(self, build: int, text: str, built_at: float) -> None:
        """Unless a later build's is kept. Raises DocumentTooLarge, ClientError and BotoCoreError."""
        content = text.encode()
        self._check_size(len(content))
        digest = hashlib.sha256(content).hexdigest()
        item: dict[str, AttributeValue] = {
            **self._key,
            document_contract.BUILD: {"N": str(build)},
            document_contract.BUILT_AT: {"N": str(built_at)},
            document_contract.DIGEST: {"S": digest},
        }
        if not self.bucket:
            self._put(build, {**item, document_contract.TEXT: {"S": text}})
            return
        # Of each build its own: two at once must not write the same object.
        key = f"documents/{self.name}/{build}-{digest[:16]}.json"
        self.s3().put_object(Bucket=self.bucket, Key=key, Body=content, ContentType="application/json")
        unneeded = self._put(build, {**item, document_contract.OBJECT: {"S": key}})
        if unneeded is not None:
            self.s3().delete_object(Bucket=self.bucket, Key=unneeded)

    def build(self) -> int:
        """Of what is kept; 0 for nothing."""
        item = self._item("#build", {"#build": document_contract.BUILD})
        return int(item[document_contract.BUILD]["N"]) if item else 0

    def read(self) -> Content | None:
        """None: it was never built. Raises what the clients raise."""
        item = self._item()
        if not item:
            return None
        number, at = int(item[document_contract.BUILD]["N"]), float(item[document_contract.BUILT_AT]["N"])
        return Content(number, at, item[document_contract.DIGEST]["S"], lambda: self._text(item))

    def text(self) -> "tuple[Content, bytes] | None":
        """The JSON itself, with what it is."""
        for _ in range(_LOOKS):
            content = self.read()
            if content is None:
                return None
            text = content.text()
            if text is not None:
                return content, text
        raise RuntimeError("a document's object is gone as often as its item was read")

    def _put(self, build: int, item: dict[str, AttributeValue]) -> str | None:
        """The object that nobody needs any more: the one before's, or our own."""
        try:
            answer = self.dynamodb.put_item(
                TableName=self.table_name,
                Item=item,
                ConditionExpression="attribute_not_exists(#build) OR #build < :build",
                ExpressionAttributeNames={"#build": document_contract.BUILD},
                ExpressionAttributeValues={":build": {"N": str(build)}},
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            found: Any = error.response.get("Item", {})
            ours = item.get(document_contract.OBJECT, {}).get("S")
            # An answer that was lost on its way: the item is ours, and so is what it names.
            return None if found.get(document_contract.OBJECT, {}).get("S") == ours else ours
        return answer.get("Attributes", {}).get(document_contract.OBJECT, {}).get("S")

    def _text(self, item: dict[str, AttributeValue]) -> bytes | None:
        if document_contract.OBJECT not in item:
            return item[document_contract.TEXT]["S"].encode()
        try:
            answer = self.s3().get_object(Bucket=self.bucket, Key=item[document_contract.OBJECT]["S"])
        except ClientError as error:
            if error_code(error) == "NoSuchKey":
                return None
            raise
        with answer["Body"] as body:
            return body.read()

    def _item(self, projection: str = "", names: dict[str, str] | None = None) -> dict[str, AttributeValue]:
        more = {"ProjectionExpression": projection, "ExpressionAttributeNames": names} if projection else {}
        answer = self.dynamodb.get_item(TableName=self.table_name, Key=self._key, ConsistentRead=True, **more)
        return answer.get("Item", {})

    @property
    def _key(self) -> dict[str, AttributeValue]:
        return {contract.PARTITION_KEY: {"S": f"content/{self.name}"}}

    def _check_size(self, size: int) -> None:
        most = document_contract.MAX_DOCUMENT_BYTES if self.bucket else document_contract.MAX_TEXT_BYTES
        if size > most:
            fix = "split it into several documents" if self.bucket else "give the document a bucket"
            raise DocumentTooLarge(f"the document holds at most {most:,} bytes as JSON, got {size:,}: {fix}")
