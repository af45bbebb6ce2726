"""The ledger of a matrix: what its functions wrote, in the order of the table's stream."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from serverless_patterns.testing import EmbeddedCloud
from serverless_patterns_runtime.step_input import StepError, StepInput
from tests.simulation.saga_definition import Plan
from tests.simulation.saga_ledger import Books, Run

__all__ = ["Change", "Changes"]

Item = Mapping[str, Any]


class Change(NamedTuple):
    execution: str
    entry: str
    before: Item
    after: Item

    def count(self, books: Books, plans: Sequence[Plan]) -> Run | None:
        """In the books of its execution; a run, if it is one."""
        what, _, step = self.entry.partition(" ")
        if what == "net":
            books.count(step, int(self.after["net"]["N"]) - int(self.before["net"]["N"] if self.before else 0))
        if what != "run":
            return None
        books.runs.append(run := _run(self.after, plans))
        return run


class Changes:
    """Of the ledger, in the order in which they were made."""

    def __init__(self, cloud: EmbeddedCloud, table: str) -> None:
        self._streams = cloud.client("dynamodbstreams")
        self._arn = cloud.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
        shards = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        self._at = [
            self._streams.get_shard_iterator(
                StreamArn=self._arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            for shard in shards
        ]

    def read(self) -> list[Change]:
        """Since the last time."""
        found: list[Change] = []
        for number, at in enumerate(self._at):
            while True:
                told = self._streams.get_records(ShardIterator=at)
                at = self._at[number] = told["NextShardIterator"]
                if not told["Records"]:
                    break
                found += [_change(record["dynamodb"]) for record in told["Records"]]
        return found


def _change(record: Item) -> Change:
    keys = record["Keys"]
    return Change(keys["execution"]["S"], keys["entry"]["S"], record.get("OldImage", {}), record.get("NewImage", {}))


def _run(item: Item, plans: Sequence[Plan]) -> Run:
    told = {name: value["S"] for name, value in item.items()}
    given = json.loads(told["given"])
    step = StepInput(
        input={},
        results=given["results"],
        result=given["result"],
        error=StepError(given["error"]) if given["error"] else None,
        action_key=told["action_key"],
    )
    (plan,) = (plan for plan in plans if plan.name == told["step"])
    return Run(told["kind"], plan, step, told["key"], int(told["attempt"]), 0.0, None)
