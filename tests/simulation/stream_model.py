"""A table's stream and Lambda's poller: shards, batches, partial failures, bisection, retries, what is given up.

More than AWS may do, it does: records of two keys come in any order, and after a split of shards those of one key too;
what was answered comes again, at once, later, or beside itself.
"""

import json
import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .attribute_values import Item
from .event_source_mapping import Answer
from .faults import Call, Faults
from .s3_model import S3
from .stream_records import stream_record
from .virtual_time import Schedule

__all__ = ["Polled", "Shard", "Stream", "StreamMapping"]

Record = dict[str, Any]


@dataclass(eq=False)
class Shard:
    name: str
    records: list[tuple[float, Record]] = field(default_factory=list)
    """With the times from which on they can be read, which only grow."""
    position: int = 0
    busy: bool = False
    attempts: int = 0
    limit: int = 0
    """Of the next batch, after a bisection."""

    def ready(self, now: float, most: int) -> list[Record]:
        found = []
        for visible_at, record in self.records[self.position : self.position + most]:
            if visible_at > now:
                break
            found.append(record)
        return found


class Stream:
    """Of one table. `add` is told of its changes."""

    def __init__(self, schedule: Schedule, chance: random.Random, shards: int, key: str, delay: float) -> None:
        self._schedule = schedule
        self._chance = chance
        self._number = 0
        self._key = key
        self._delay = delay
        self.shards: list[Shard] = []
        self.open: list[Shard] = []
        self.watchers: list[Callable[[Shard], None]] = []
        self.split(shards)

    def split(self, shards: int) -> None:
        """What comes now is in new shards, which nobody reads after the old ones."""
        self.open = [Shard(f"shard-{len(self.shards) + number}") for number in range(shards)]
        self.shards += self.open

    def add(self, before: Item | None, after: Item | None, *, by_time: bool = False) -> Record:
        self._number += 1
        key = {self._key: (before or after or {})[self._key]}
        record = stream_record(key, before, after, self._number, self._schedule.now, by_time=by_time)
        shard = self.open[zlib.crc32(repr(key).encode()) % len(self.open)]
        latest = shard.records[-1][0] if shard.records else 0.0
        shard.records.append((max(latest, self._schedule.now + self._chance.uniform(0, self._delay)), record))
        for watcher in self.watchers:
            watcher(shard)
        return record

    @property
    def drained(self) -> bool:
        return all(shard.position == len(shard.records) and not shard.busy for shard in self.shards)


class Lambda(Protocol):
    def invoke(self, event: dict[str, Any], answered: Callable[[Answer], None]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Polled:
    batch_size: int = 10
    retries: int = 3
    bisect: bool = True
    longest_pause: float = 10.0
    """Before a batch comes again."""


class StreamMapping:
    def __init__(
        self,
        schedule: Schedule,
        stream: Stream,
        function: Lambda,
        polled: Polled,
        chance: random.Random,
        give_up: Callable[[Sequence[Record]], None],
        faults: Faults,
    ) -> None:
        self._schedule = schedule
        self._stream = stream
        self._function = function
        self._polled = polled
        self._chance = chance
        self._give_up = give_up
        self._faults = faults
        self.given_up = 0
        self.again = 0
        stream.watchers.append(self._look)

    def _look(self, shard: Shard) -> None:
        visible_at = shard.records[shard.position][0]
        self._schedule.at(visible_at + self._chance.uniform(0, 0.3), lambda: self._poll(shard))

    def _poll(self, shard: Shard) -> None:
        if shard.busy:
            return
        batch = shard.ready(self._schedule.now, shard.limit or self._polled.batch_size)
        if not batch:
            return
        shard.busy = True
        fault = self._faults.choose(Call("poller", "Poll", {"shard": shard.name}))
        batch = batch[:1] if fault == "alone" else batch
        self._invoke(batch, lambda answer: self._answered(shard, batch, answer, fault))
        if fault == "beside itself":
            self._invoke(batch, lambda _: None)

    def _invoke(self, batch: Sequence[Record], answered: Callable[[Answer], None]) -> None:
        self._function.invoke({"Records": json.loads(json.dumps(batch))}, answered)

    def _answered(self, shard: Shard, batch: Sequence[Record], answer: Answer, fault: str | None) -> None:
        shard.busy = False
        done = _done(batch, answer)
        if done:
            shard.position, shard.attempts, shard.limit = shard.position + done, 0, 0
        if done < len(batch):
            self._failed(shard, batch[done:], bisect=answer.error is not None)
        elif fault in ("comes again", "comes again late"):
            self._come_again(shard, late=fault == "comes again late")
        if shard.position < len(shard.records):
            pause = self._chance.uniform(0, self._polled.longest_pause) if done < len(batch) else 0.0
            visible_at = shard.records[shard.position][0]
            self._schedule.at(max(visible_at, self._schedule.now + pause), lambda: self._poll(shard))

    def _failed(self, shard: Shard, left: Sequence[Record], *, bisect: bool) -> None:
        if bisect and self._polled.bisect and len(left) > 1:
            shard.limit = len(left) // 2  # counts as no attempt
            return
        shard.attempts += 1
        if shard.attempts > self._polled.retries:
            self._give_up(left)
            self.given_up += len(left)
            shard.position, shard.attempts, shard.limit = shard.position + len(left), 0, 0

    def _come_again(self, shard: Shard, *, late: bool) -> None:
        self.again += 1
        if not late:
            shard.position = self._chance.randint(max(0, shard.position - 10), shard.position - 1)
            return
        start = self._chance.randrange(shard.position)
        batch = [record for _, record in shard.records[start : start + self._chance.randint(1, 3)]]
        pause = self._chance.uniform(0, self._chance.choice((1.0, 30.0, 2_000.0)))
        self._schedule.after(pause, lambda: self._invoke(batch, lambda _: None))


def _done(batch: Sequence[Record], answer: Answer) -> int:
    """How many records at its beginning an answer settles, by the rule that Lambda documents."""
    if answer.error is not None:
        return 0
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    listed = [failure["itemIdentifier"] for failure in (answer.result or {}).get("batchItemFailures", [])]
    return min((numbers.index(one) if one in numbers else 0 for one in listed), default=len(batch))


def undelivered(bucket: str, s3: S3, records: Sequence[Record], number: int) -> None:
    """As Lambda writes what it gives up."""
    body = json.dumps(
        {"requestContext": {"condition": "RetryAttemptsExhausted"}, "payload": json.dumps({"Records": records})}
    )
    s3.put_object(Bucket=bucket, Key=f"aws/lambda/mapping/shard/{number:06}.json", Body=body.encode())
