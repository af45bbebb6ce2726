"""A document over some minutes of virtual time: bursts of changes, messages that are late, lost or come twice, sweeps.

How often it is built, and how late it is, beside the fold of what has changed.
"""

import heapq
import itertools
import json
import random
from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime import Invocation, Sources
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.cqrs_views.building import Building
from serverless_patterns_runtime.cqrs_views.contents import Contents
from serverless_patterns_runtime.cqrs_views.document_builder import Builder
from serverless_patterns_runtime.cqrs_views.document_contract import OVERDUE_SECONDS
from serverless_patterns_runtime.cqrs_views.documents import Documents

from .cqrs_document_orders import READING, Silent
from .dynamodb_model import DynamoDB, Table
from .interleavings import Direct

__all__ = ["EVERY", "DocumentTimes"]

EVERY = 10
SECONDS = 400.0
"""In which there are changes."""

SWEEP_SECONDS = 60.0
LATE_SECONDS = 20.0
"""Of a message that is neither lost nor on time, at most."""


class DocumentTimes:
    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.now = 1_700_000_000.0
        self._began = self.now
        self._ends = self.now + SECONDS
        tables = {"control": Table({"item": "S"}), "rows": Table({"pk": "S", "sk": "S"})}
        service = DynamoDB(tables, lambda: self.now, self._chance)
        self._dynamodb: Any = Direct({"dynamodb": service}, "dynamodb")
        self._dynamodb.put_item(TableName="control", Item=serialize_item({"item": "view/ByCustomer", "live": 1}))
        told: Any = {"Sales": {"queue": "https://sqs.invalid/sales", "seconds": EVERY, "sources": ["ByCustomer"]}}
        names = itertools.count()
        self._documents = Documents(
            self._dynamodb, self, "control", told, Silent(), lambda: self.now, lambda: f"name-{next(names)}"
        )
        contents = Contents(self._dynamodb, lambda: None, "control", "", "Sales")
        building = Building(self._dynamodb, "control", "Sales", contents, lambda: self.now)
        self._builder = Builder(building, BusinessFunction(_made, "sales", False, False), [READING], self._dynamodb)
        self._contents = contents
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.changes = 0
        self.builds: list[float] = []
        self.again = 0
        """Messages that came twice."""
        self.lost = 0
        self._unshown: list[float] = []

    def run(self) -> None:
        self._at(self.now, self._burst)
        self._at(self.now, self._sweep)
        while self._events:
            self.now, _, happens = heapq.heappop(self._events)
            happens()
        self._judge()

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> dict[str, Any]:  # noqa: ARG002
        """As SQS: no earlier, at least once, or never."""
        assert json.loads(MessageBody) == {"document": "Sales"}
        arrives = self.now + DelaySeconds
        what = self._chance.random()
        if what < 0.03:
            self.lost += 1
            return {}
        late = self._chance.uniform(0, LATE_SECONDS) if what < 0.3 else 0.0
        self._at(arrives + late, self._build)
        if what > 0.97:
            self.again += 1
            self._at(arrives + self._chance.uniform(0, 2 * EVERY), self._build)
        return {}

    # What happens.

    def _burst(self) -> None:
        """Many changes in a moment, or one; then a pause of any length."""
        for _ in range(self._chance.choice((1, 1, 5, 40))):
            self._at(self.now + self._chance.uniform(0, 3), self._change)
        if self.now < self._ends:
            self._at(self.now + self._chance.choice((0.1, 1.0, 5.0, 30.0)), self._burst)

    def _change(self) -> None:
        self.changes += 1
        about = {"version": self.changes, "source": "o"}
        item = {"pk": "1#ada", "sk": "o", "customer": "ada", "order": "o", "n": self.changes, "_row": about}
        self._dynamodb.put_item(TableName="rows", Item=serialize_item(item))
        self._documents.mark({"ByCustomer"})
        self._unshown.append(self.now)

    def _build(self) -> None:
        if self._builder.build(Invocation.fake(logger=Silent())):
            self.builds.append(self.now)
            waited = self.now - self._unshown[0] if self._unshown else 0.0
            longest = EVERY + LATE_SECONDS + self.lost * (EVERY + OVERDUE_SECONDS + SWEEP_SECONDS + LATE_SECONDS)
            assert waited <= longest, f"a change waited {waited:.0f} s"
            self._unshown.clear()

    def _sweep(self) -> None:
        self._documents.sweep()
        if self.now < self._ends + 10 * (OVERDUE_SECONDS + SWEEP_SECONDS):
            self._at(self.now + SWEEP_SECONDS, self._sweep)

    def _at(self, when: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), what))

    # What must be so.

    def _judge(self) -> None:
        """A message that comes twice may take the next mark away before its time: one build more."""
        took = self.builds[-1] - self._began
        most = took / EVERY + 1 + self.again
        assert len(self.builds) <= most, f"{len(self.builds)} builds in {took:.0f} s, every {EVERY} s"
        for first, later in itertools.pairwise(self.builds):
            assert self.again or later - first >= EVERY, f"two builds in {later - first:.1f} s"
        read = self._contents.text()
        assert read is not None
        assert json.loads(read[1]) == {"n": self.changes}, "the document is behind its source"


def _made(sources: Sources) -> dict[str, Any]:
    return {"n": max(row["n"] for row in sources.rows("ByCustomer"))}
