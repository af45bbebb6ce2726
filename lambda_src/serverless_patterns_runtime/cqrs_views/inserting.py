"""Rows of a generation that is nearly empty: most are new, and new ones go 25 to a request.

What is there already, or is refused for any other reason, is written one by one under the sink's own conditions.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.attribute_values import AttributeValue
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.row_items import item_of
from serverless_patterns_runtime.cqrs_views.sink import Contested, Page, RowChange, RowKey, Sink, StoredRow, Unstorable
from serverless_patterns_runtime.cqrs_views.views import View

__all__ = ["InsertingSink", "inserting"]

BATCH = 25
"""Statements that DynamoDB takes in one request."""

MAX_STATEMENT = 8_000
"""Characters; DynamoDB takes 8,192."""


class InsertingSink(NamedTuple):
    sink: DynamoDbSink

    def write(self, generation: int, changes: Sequence[RowChange]) -> Sequence[Contested]:
        batches = [changes[start : start + BATCH] for start in range(0, len(changes), BATCH)]
        left = self.sink.together([partial(self._left, generation, batch) for batch in batches])
        return self.sink.write(generation, [change for some in left for change in some])

    def _left(self, generation: int, batch: Sequence[RowChange]) -> Sequence[RowChange]:
        """Those that are not written, or not known to be."""
        statements: list[Mapping[str, Any]] = []
        asked: list[RowChange] = []
        for change in batch:
            statement = None if change.row is None else self._statement(generation, change)
            if statement is not None:
                statements.append(statement)
                asked.append(change)
        if not statements:
            return batch
        try:
            answer = self.sink.dynamodb.batch_execute_statement(Statements=statements)
        except (ClientError, BotoCoreError):
            return batch
        responses = zip(asked, answer["Responses"], strict=True)
        written = {id(change) for change, said in responses if "Error" not in said}
        return [change for change in batch if id(change) not in written]

    def _statement(self, generation: int, change: RowChange) -> Mapping[str, Any] | None:
        """None: the sink says what is wrong with it."""
        try:
            item: Mapping[str, AttributeValue] = item_of(generation, change, 0, "")
        except Unstorable:
            return None
        names = ", ".join(f"'{name.replace(_QUOTE, _QUOTE * 2)}': ?" for name in item)
        text = f'INSERT INTO "{self.sink.table_name}" VALUE {{{names}}}'
        return None if len(text) > MAX_STATEMENT else {"Statement": text, "Parameters": list(item.values())}

    # All else is the sink's.

    def prepare(self, generation: int) -> None:
        self.sink.prepare(generation)

    def replace_tombstone(self, generation: int, change: RowChange, seen: StoredRow) -> bool:
        return self.sink.replace_tombstone(generation, change, seen)

    def read(self, generation: int, keys: Sequence[RowKey]) -> Sequence[StoredRow | None]:
        return self.sink.read(generation, keys)

    def rows(self, generation: int, segment: int, segments: int, resume: str | None) -> Page:
        return self.sink.rows(generation, segment, segments, resume)

    def publish(self, generation: int) -> None:
        self.sink.publish(generation)

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None:
        return self.sink.drop(generation, segment, segments, resume)


_QUOTE = "'"


def inserting(view: View) -> View:
    """The view, as a scan fills it."""
    if not isinstance(view.store, DynamoDbSink):
        return view
    store: Sink = InsertingSink(view.store)
    return view._replace(store=store)
