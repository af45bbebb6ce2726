"""`OrderPlaced`: an order from a marketplace goes to three departments at once; it is ready when all are done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct
from stacks.fan_out_outputs import outputs_of
from stacks.keeping import kept_table

from serverless_patterns import FanIn, FanOutTopic, Handler, LoadLeveledQueue

CODE = Path(__file__).parent / "handlers"
LARGE = 10_000  # cents; analytics looks at no order below
# What is not done by then is seen to by somebody. Large enough for the retries of an outage of minutes.
DEADLINE = Duration.minutes(30)
# For ten orders. A message of a function that died comes back after six times it.
TIMEOUT = Duration.seconds(5)
DEPARTMENTS = ("Inventory", "Invoicing", "Analytics")


@dataclass(frozen=True)
class OrderPlaced:
    topic: FanOutTopic
    tables: Mapping[str, dynamodb.TableV2]
    """`Placed` has one row for each order that has ended, `Picks` and `Invoices` what the departments have done."""

    def outputs(self) -> Iterator[tuple[str, str]]:
        """What the demo looks at."""
        for name, table in self.tables.items():
            yield f"{name}Table", table.table_name
        yield from outputs_of(self.topic, DEPARTMENTS)


def order_placed(scope: Construct, *, stock: dynamodb.ITable, deadline: Duration = DEADLINE) -> OrderPlaced:
    tables = {name: kept_table(scope, name, "order_id") for name in ("Placed", "Picks", "Invoices")}
    placed, picks, invoices = tables.values()
    topic = FanOutTopic(
        scope,
        "OrderPlaced",
        idempotency_key="order_id",
        fan_in=FanIn(
            on_complete=Handler(CODE, "marketplace:finish", tables={"PLACED": placed}),
            deadline=deadline,
            max_concurrency=2,
        ),
    )
    inventory = _department(scope, "Inventory", "pick", PICKS=picks, STOCK=stock)
    invoicing = _department(scope, "Invoicing", "invoice", INVOICES=invoices)
    analytics = _department(scope, "Analytics", "analyse")
    topic.add_subscriber("Inventory", inventory, fan_in=True)
    topic.add_subscriber("Invoicing", invoicing, fan_in=True)
    large = {"cents": [{"numeric": [">=", LARGE]}]}
    topic.add_subscriber("Analytics", analytics, filter=large, filter_scope="body", fan_in=True)
    return OrderPlaced(topic, tables)


def _department(scope: Construct, name: str, function: str, **tables: dynamodb.ITable) -> LoadLeveledQueue:
    return LoadLeveledQueue(
        scope,
        name,
        consumer=Handler(CODE, f"marketplace:{function}", tables=tables, timeout=TIMEOUT),
        max_concurrency=2,
        idempotency_key="order_id",
        claims_retention=Duration.days(60),  # a topic brings a message back for longer than a queue does
        retry_base_delay=Duration.seconds(2),  # all it needs is DynamoDB: no outage of a partner to wait out
    )
