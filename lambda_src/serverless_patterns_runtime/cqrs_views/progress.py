"""How far a segment of a rebuild is: where its task goes on, and what it has counted, in one item.

Where it goes on and what it has counted change together, if they are still as they were read: a page that two
invocations have done counts once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.error_codes import error_code

__all__ = ["EXAMPLES", "MOST_REFUSED", "Beaten", "Counts", "Progress", "ProgressItems", "counted"]

EXAMPLES = 5
"""Of what differs or was refused, in each segment."""

MOST_REFUSED = 100
"""In a segment: the code is wrong, and not the aggregates."""

_BATCH = 100


class Beaten(Exception):
    """Another invocation is at work on this segment: read where it goes on."""


@dataclass(frozen=True)
class Counts:
    scanned: int = 0
    stamped: int = 0
    """Items without a version that were given one."""
    parked: int = 0
    """Aggregates that could not be projected."""
    verified: int = 0
    differences: int = 0
    examples: Sequence[str] = ()
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    """Versions of those aggregates, by key: what the table lacks of them is no difference."""

    def __add__(self, other: "Counts") -> "Counts":
        numbers = {name: value + getattr(other, name) for name, value in vars(self).items() if isinstance(value, int)}
        refused = {**self.refused, **other.refused}
        return Counts(**numbers, examples=[*self.examples, *other.examples][:EXAMPLES], refused=refused)

    @property
    def said(self) -> str:
        return "; ".join(dict.fromkeys(self.examples))


@dataclass(frozen=True)
class Progress:
    done: Sequence[str] = ()
    """Tasks of this segment that are done."""
    resume: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of tasks that are not: where they go on."""
    counts: Counts = Counts()
    revision: int = 0

    def after(self, task: str, resume: Any, counted: Counts) -> "Progress":
        """`resume`: None when the task is done."""
        left = {name: where for name, where in self.resume.items() if name != task}
        if resume is not None:
            left[task] = resume
        done = [*self.done, task] if resume is None else self.done
        return replace(self, done=done, resume=left, counts=self.counts + counted)


def counted(segments: Iterable[Progress]) -> Counts:
    return sum((one.counts for one in segments), Counts())


class ProgressItems(NamedTuple):
    dynamodb: Any
    table_name: str

    def read(self, view: str, generation: int, segment: int) -> Progress:
        key = _key(view, generation, segment)
        answer = self.dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True)
        return _progress(answer.get("Item"))

    def write(self, view: str, generation: int, segment: int, before: Progress, after: Progress) -> Progress:
        """Raises Beaten, and what the client raises."""
        after = replace(after, revision=before.revision + 1)
        told = {
            "done": list(after.done),
            "resume": json.dumps(dict(after.resume)),
            "counts": {**vars(after.counts), "examples": list(after.counts.examples)},
            "revision": after.revision,
        }
        try:
            self.dynamodb.put_item(
                TableName=self.table_name,
                Item={**_key(view, generation, segment), **serialize_item(told)},
                ConditionExpression="attribute_not_exists(#revision) OR #revision = :seen",
                ExpressionAttributeNames={"#revision": "revision"},
                ExpressionAttributeValues={":seen": {"N": str(before.revision)}},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise Beaten from error
        return after

    def all(self, view: str, generation: int, segments: int) -> list[Progress]:
        """Those that have begun."""
        found: list[Progress] = []
        for start in range(0, segments, _BATCH):
            keys = [_key(view, generation, segment) for segment in range(start, min(start + _BATCH, segments))]
            request: Any = {self.table_name: {"Keys": keys, "ConsistentRead": True}}
            while request:
                answer = self.dynamodb.batch_get_item(RequestItems=request)
                found += map(_progress, answer["Responses"].get(self.table_name, ()))
                request = answer.get("UnprocessedKeys")
        return found

    def forget(self, view: str, generation: int, segment: int) -> None:
        self.dynamodb.delete_item(TableName=self.table_name, Key=_key(view, generation, segment))


def _progress(item: Mapping[str, Any] | None) -> Progress:
    if item is None:
        return Progress()
    told: dict[str, Any] = plain(deserialize_item(item))
    return Progress(told["done"], json.loads(told["resume"]), Counts(**told["counts"]), told["revision"])


def _key(view: str, generation: int, segment: int) -> dict[str, Any]:
    return {contract.PARTITION_KEY: {"S": f"segment/{view}/{generation}/{segment}"}}
