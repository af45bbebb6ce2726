"""Orders as aggregates, over DynamoDB in memory: what is there, what is asked for, and what happens in between."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from serverless_patterns_runtime import Command, Decision, Invocation, PermanentError
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.cqrs_table.aggregate import Schema
from serverless_patterns_runtime.cqrs_table.deciding import Commands
from serverless_patterns_runtime.cqrs_table.proposal import Decide
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from tests.simulation.dynamodb_model import DynamoDB, Table
from tests.simulation.interleavings import Direct

from ..consumer import Clock

__all__ = ["ORDERS", "Orders", "decide"]

ORDERS, CLAIMS = "shop-orders", "shop-claims"
COMMANDS = ("place", "add", "cancel")
RETENTION = 1000


def decide(state: dict[str, Any] | None, command: Command) -> Decision:
    match command.name:
        case "place":
            if state is not None:
                raise PermanentError("the order is placed already")
            return Decision({"status": "placed", "total": (command.body or {}).get("total", 0)}, result="placed")
        case "add":
            if state is None:
                raise PermanentError("there is no such order", status=404)
            state["total"] += command.body["amount"]
            return Decision(state, result={"total": state["total"]})
        case _:
            return Decision(None)


class Client:
    """Calls `before` and `after` of each operation, once, which may raise."""

    def __init__(self, client: Direct) -> None:
        self._client = client
        self.operations: list[str] = []
        self.before: dict[str, list[Callable[[], object]]] = {}
        self.after: dict[str, list[Callable[[], object]]] = {}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.operations.append(method)
            for happens in self.before.pop(method, []):
                happens()
            answer = getattr(self._client, method)(**arguments)
            for happens in self.after.pop(method, []):
                happens()
            return answer

        return call


class Orders:
    def __init__(self, decide: Callable[..., Any] = decide, *, schema: Schema | None = None, invoked: int = 2) -> None:
        self.clock = Clock()
        tables = {ORDERS: Table({"order_id": "S"}), CLAIMS: Table({"claim": "S"})}
        self.dynamodb = DynamoDB(tables, self.clock, random.Random(3))
        self.dynamodb._chance = _Never()  # type: ignore[assignment]
        self.client = Client(Direct({"dynamodb": self.dynamodb}, "dynamodb"))
        self.conflicts: list[int] = []
        chance = random.Random(5)
        self.model = WriteModel(self.client, ORDERS, "order_id", schema or Schema(1), self.clock.sleep, chance)
        self.commands = Commands(
            self.model,
            Decide(decide, "orders:decide", invoked >= 3),
            ClaimsTable(self.client, CLAIMS, RETENTION, {}, self.clock, self.clock.sleep, chance),
            "Orders",
            COMMANDS,
            self.conflicts.append,
        )

    def do(
        self, name: str, body: Any = None, *, id: str = "id-1", key: str = "o-1", expected: int | None = None
    ) -> tuple[Mapping[str, Any], bool]:
        """The answer, and whether it is a replay."""
        deadline = self.clock.now + 25
        asked = self.commands.asked(id, name, key, body, expected)
        invocation = Invocation.fake(idempotency_key=id, remaining=lambda: deadline - self.clock.now)
        return tuple(self.commands.execute(asked, invocation)[:2])  # type: ignore[return-value]

    def item(self, key: str = "o-1") -> dict[str, Any] | None:
        return self.dynamodb.tables[ORDERS].items.get((key,))

    def put(self, **item: Any) -> None:
        self.dynamodb.put_item(TableName=ORDERS, Item=item)

    def delete(self, key: str = "o-1") -> None:
        self.dynamodb.delete_item(TableName=ORDERS, Key={"order_id": {"S": key}})

    @property
    def now(self) -> int:
        return int(self.clock.now * 1000)


class _Never(random.Random):
    """Leaves nothing of a batch."""

    def random(self) -> float:
        return 0.99
