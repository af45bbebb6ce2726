"""The deployed shop, as the demo sees it from outside: its API, queues, tables and log, all by AWS's own APIs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from boto3.dynamodb.types import TypeDeserializer

from demo.api import Api
from demo.desks import Desks
from demo.outcome import DeadLetter, State
from demo.sagas import Sagas
from demo.timeline import Event
from demo.troubles import STEPS

_READ_SECONDS = 60  # dead letters that are being read are hidden this long from being read twice
_TYPES = TypeDeserializer()


class Clients(Protocol):
    """Where to get boto3 clients: an embedded cloud, or boto3 itself."""

    def client(self, service: str) -> Any: ...


class Shop:
    def __init__(self, clients: Clients, outputs: Mapping[str, str], api_url: str) -> None:
        """`outputs` are the stack's; `api_url` is where its API answers, without a slash at the end."""
        self.sqs, self.dynamodb, self.logs = (clients.client(service) for service in ("sqs", "dynamodb", "logs"))
        self.function_name = outputs["FulfilmentFunction"]
        self.queue_url, self.dead_letter_queue_url = outputs["FulfilmentQueueUrl"], outputs["FulfilmentDeadLettersUrl"]
        self.orders_table, self.stock_table = outputs["OrdersTable"], outputs["StockTable"]
        self.payments_table = outputs["PaymentsTable"]
        self.checkouts_table = outputs["CheckoutsTable"]
        self.sagas = Sagas(clients.client("stepfunctions"), outputs["CheckoutStateMachine"])
        self.guardian = outputs["CheckoutGuardian"]
        self.checkout_functions = {step: outputs[f"{step}Function"] for step in STEPS}
        self.api = Api(api_url)
        secret = clients.client("secretsmanager").get_secret_value(SecretId=outputs["SigningKeySecret"])
        self.desks = Desks.open(secret["SecretString"])
        self._lambda = clients.client("lambda")
        function = self._lambda.get_function_configuration(FunctionName=self.function_name)
        self.log_group = function["LoggingConfig"]["LogGroup"]

    def put_in_stock(self, on_hand: Mapping[int, int], names: Mapping[int, str]) -> None:
        """Write the opening stock."""
        puts = [{"PutRequest": {"Item": _stock_item(product, n, names)}} for product, n in on_hand.items()]
        while puts:
            answer = self.dynamodb.batch_write_item(RequestItems={self.stock_table: puts[:25]})
            puts = puts[25:] + answer["UnprocessedItems"].get(self.stock_table, [])

    def restock(self, pieces: Mapping[int, int]) -> None:
        """Add pieces; a product that is not listed is listed with them."""
        for product, count in pieces.items():
            self.dynamodb.update_item(
                TableName=self.stock_table,
                Key={"product_id": {"N": str(product)}},
                UpdateExpression="ADD on_hand :pieces",
                ExpressionAttributeValues={":pieces": {"N": str(count)}},
            )

    def close(self) -> None:
        """The warehouse takes no orders from the queue until it opens."""
        self._take_orders(False)

    def open(self) -> None:
        self._take_orders(True)

    def depths(self) -> tuple[int, int, int]:
        """Messages that wait, messages that were received and are not acknowledged, and dead letters."""
        waiting, received = self._depths(self.queue_url)
        return waiting, received, sum(self._depths(self.dead_letter_queue_url))

    def is_drained(self) -> bool:
        return self._depths(self.queue_url) == (0, 0)

    def state(self) -> State:
        """Only meaningful while nothing moves."""
        return State(
            orders={row["order_id"]: row for row in self._rows(self.orders_table)},
            stock=self.stock(),
            payments=list(self._rows(self.payments_table)),
            dead_letters=self._dead_letters(),
        )

    def stock(self) -> dict[int, int]:
        """Pieces on hand by product id."""
        return {int(row["product_id"]): int(row["on_hand"]) for row in self._rows(self.stock_table)}

    def checkouts(self) -> dict[str, dict[str, Any]]:
        """Rows by checkout."""
        return {row["checkout_id"]: row for row in self._rows(self.checkouts_table)}

    def log(self) -> list[Event]:
        """All that the function and the platform around it logged."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.log_group)
        return [
            Event(event["timestamp"] / 1000, event["logStreamName"], event["message"])
            for page in pages
            for event in page["events"]
        ]

    def _take_orders(self, taken: bool) -> None:
        (intake,) = self._lambda.list_event_source_mappings(FunctionName=self.function_name)["EventSourceMappings"]
        self._lambda.update_event_source_mapping(UUID=intake["UUID"], Enabled=taken)

    def _depths(self, queue_url: str) -> tuple[int, int]:
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
        found = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        waiting, received, delayed = (int(found.get(name, 0)) for name in names)
        return waiting, received + delayed

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield {name: _TYPES.deserialize(value) for name, value in item.items()}

    def _dead_letters(self) -> list[DeadLetter]:
        """Each read once, then made visible again."""
        received: dict[str, Any] = {}
        while messages := self._receive():
            received |= {message["MessageId"]: message for message in messages}
        for message in received.values():
            self.sqs.change_message_visibility(
                QueueUrl=self.dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return [_dead_letter(message) for message in received.values()]

    def _receive(self) -> list[dict[str, Any]]:
        return self.sqs.receive_message(
            QueueUrl=self.dead_letter_queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_READ_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])


def _stock_item(product: int, on_hand: int, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "product_id": {"N": str(product)},
        "name": {"S": names.get(product, f"Product {product}")},
        "on_hand": {"N": str(on_hand)},
    }


def _dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    """SQS's own dead letters, after too many receives, have no attribute that says why."""
    attribute = message.get("MessageAttributes", {}).get("dead-letter", {}).get("StringValue", "{}")
    why = json.loads(attribute)
    return DeadLetter(
        message_id=message["MessageId"],
        body=message["Body"],
        reason=why.get("reason", ""),
        error_type=why.get("error_type", ""),
        correlation_id=why.get("correlation_id", message["MessageId"]),
    )
