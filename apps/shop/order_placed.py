"""`OrderPlaced`: an order from a marketplace goes to three departments at once; it is ready when all are done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct
from keeping import kept_table

from serverless_patterns import FanIn, FanOutTopic, Handler, LoadLeveledQueue

CODE = Path(__file__).parent / "handlers"
LARGE = 10_000  # cents; analytics looks at no order below
# What is not done by then is seen to by somebody. Large enough for the retries of an outage of minutes.
DEADLINE = Duration.minutes(30)
DEPARTMENTS = ("Inventory", "Invoicing", "Analytics")


@dataclass(frozen=True)
class OrderPlaced:
    topic: FanOutTopic
    tables: Mapping[str, dynamodb.TableV2]
    """`Placed` has one row for each order that has ended, `Picks` and `Invoices` what the departments have done."""

    def outputs(self) -> Iterator[tuple[str, str]]:
        """What the demo looks at."""
        assert self.topic.fan_in
        for name, table in self.tables.items():
            yield f"{name}Table", table.table_name
        yield "FanInTable", self.topic.fan_in.table.table_name
        yield "FanInSweep", self.topic.fan_in.sweep_function.function_name
        yield from _outputs("Completions", self.topic.fan_in.completions)
        for name in DEPARTMENTS:
            subscriber = self.topic.subscribers[name]
            assert isinstance(subscriber.queue, LoadLeveledQueue)
            yield from _outputs(name, subscriber.queue)
            yield f"{name}UndeliveredUrl", subscriber.dead_letter_queue.queue_url


def order_placed(scope: Construct, *, stock: dynamodb.ITable, deadline: Duration = DEADLINE) -> OrderPlaced:
    tables = {name: kept_table(scope, name, "order_id") for name in ("Placed", "Picks", "Invoices")}
    placed, picks, invoices = tables.values()
    topic = FanOutTopic(
        scope,
        "OrderPlaced",
        idempotency_key="order_id",
        fan_in=FanIn(on_complete=Handler(CODE, "marketplace:finish", tables={"PLACED": placed}), deadline=deadline),
    )
    topic.add_subscriber("Inventory", Handler(CODE, "marketplace:pick", tables={"PICKS": picks, "STOCK": stock}))
    topic.add_subscriber("Invoicing", Handler(CODE, "marketplace:invoice", tables={"INVOICES": invoices}))
    topic.add_subscriber(
        "Analytics",
        Handler(CODE, "marketplace:analyse"),
        filter={"cents": [{"numeric": [">=", LARGE]}]},
        filter_scope="body",
    )
    return OrderPlaced(topic, tables)


def _outputs(name: str, queue: LoadLeveledQueue) -> Iterator[tuple[str, str]]:
    yield f"{name}Function", queue.consumer_function.function_name
    yield f"{name}QueueUrl", queue.queue.queue_url
    yield f"{name}DeadLettersUrl", queue.dead_letter_queue.queue_url
