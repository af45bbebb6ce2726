"""The deployed shop, as the demo sees it from outside: its API, queues, tables and log, all by AWS's own APIs."""

from collections.abc import Mapping
from typing import Any

from showing.deployed import Clients, Deployed

from demo.api import Api
from demo.desks import Desks
from demo.outcome import State
from demo.sagas import Sagas
from demo.troubles import STEPS


class Shop(Deployed):
    def __init__(self, clients: Clients, outputs: Mapping[str, str], api_url: str) -> None:
        """`outputs` are the stack's; `api_url` is where its API answers, without a slash at the end."""
        super().__init__(clients)
        self.sqs, self.dynamodb = clients.client("sqs"), clients.client("dynamodb")
        self.function_name = outputs["FulfilmentFunction"]
        self.log_group = self.log_group_of(self.function_name)
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
        self.take_in(self.function_name, False)

    def open(self) -> None:
        self.take_in(self.function_name, True)

    def depths(self) -> tuple[int, int, int]:
        """Messages that wait, messages that were received and are not acknowledged, and dead letters."""
        waiting, received = self.depths_of(self.queue_url)
        return waiting, received, sum(self.depths_of(self.dead_letter_queue_url))

    def is_drained(self) -> bool:
        return self.depths_of(self.queue_url) == (0, 0)

    def state(self) -> State:
        """Only meaningful while nothing moves."""
        return State(
            orders={row["order_id"]: row for row in self.rows(self.orders_table)},
            stock=self.stock(),
            payments=list(self.rows(self.payments_table)),
            dead_letters=self.dead_letters_in(self.dead_letter_queue_url),
        )

    def stock(self) -> dict[int, int]:
        """Pieces on hand by product id."""
        return {int(row["product_id"]): int(row["on_hand"]) for row in self.rows(self.stock_table)}

    def checkouts(self) -> dict[str, dict[str, Any]]:
        """Rows by checkout."""
        return {row["checkout_id"]: row for row in self.rows(self.checkouts_table)}


def _stock_item(product: int, on_hand: int, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "product_id": {"N": str(product)},
        "name": {"S": names.get(product, f"Product {product}")},
        "on_hand": {"N": str(on_hand)},
    }
