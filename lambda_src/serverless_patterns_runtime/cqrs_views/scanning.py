"""Aggregates as a consistent scan gives them, page by page; one without a version is given its first."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.cqrs_table import contract as aggregates
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, version_of
from serverless_patterns_runtime.cqrs_table.settings import Image, WriteModel
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["Images", "Scan", "unversioned"]

PAGE_ITEMS = 500
"""Projected before the next is counted: few enough for any sink in the time that a task has."""


class Images(NamedTuple):
    """A page."""

    images: Sequence[Image]
    resume: str | None


class Scan(NamedTuple):
    model: WriteModel
    clock: Callable[[], float]
    page_items: int = PAGE_ITEMS

    def page(self, segment: int, segments: int, resume: str | None) -> Images:
        """As of now, whatever was written before."""
        start = {} if resume is None else {"ExclusiveStartKey": json.loads(resume)}
        answer = self.model.dynamodb.scan(
            TableName=self.model.table_name,
            Segment=segment,
            TotalSegments=segments,
            ConsistentRead=True,
            Limit=self.page_items,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return Images(answer["Items"], json.dumps(last) if last else None)

    def stamped(self, image: Image) -> Image | None:
        """The item with a version; None: it is gone. Nothing else of it changes."""
        now = round(self.clock() * 1000)
        about = {aggregates.VERSION: now, aggregates.AT: now}
        key = {self.model.key: image[self.model.key]}
        try:
            answer = self.model.dynamodb.update_item(
                TableName=self.model.table_name,
                Key=key,
                UpdateExpression="SET #about = :about",
                ConditionExpression="attribute_exists(#key) AND attribute_not_exists(#about)",
                ExpressionAttributeNames={"#about": aggregates.ABOUT, "#key": self.model.key},
                ExpressionAttributeValues={":about": serialize(about)},
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            found = self.model.dynamodb.get_item(TableName=self.model.table_name, Key=key, ConsistentRead=True)
            return found.get("Item")
        return answer["Attributes"]

    def readable(self, images: Iterable[Image]) -> list[Aggregate]:
        """Those with a version that this code can read."""
        found: list[Aggregate] = []
        for image in images:
            with suppress(Exception):  # it has been refused, and counted as such
                found += [] if unversioned(image) else [self.model.aggregate(image)]
        return found


def unversioned(image: Image) -> bool:
    return version_of(image) is None
