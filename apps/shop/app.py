"""The reference app: a wholesaler's shop. `make demo` runs it on this machine, `make deploy` in an AWS account."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # what all apps share

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_secretsmanager as secretsmanager
from checkout_saga import BEHIND_THE_CHECKOUT, checkout_saga
from constructs import Construct
from decisions import acknowledge_decisions
from migration import OLD_SITE, Site
from order_book import order_book
from order_placed import DEADLINE, order_placed
from schemas import CHECKOUT, MARKETPLACE_ORDER, ORDER, PAYMENT
from stacks.keeping import NUMBER, kept_table
from stacks.on_call import notify_on_call

from serverless_patterns import ApiProxy, Handler, LambdaAuthorizer, LoadLeveledQueue, Retry, Route, Throttle

CODE = Path(__file__).parent / "handlers"
# Ten orders take a fraction of a second. The messages of a function that died come back after six times this, so a
# generous timeout would be paid for in waiting.
FULFILMENT_TIMEOUT = Duration.seconds(4)
# `cdk deploy -c payment_provider=https://... -c managers_chat=https://...`; nobody is at these addresses.
PAYMENT_PROVIDER = "https://payments.example"
MANAGERS_CHAT = "https://chat.example/managers"
# `-c impatient=true`: what keeps failing is given up within seconds, which only a demo wants to see.
IMPATIENT = Retry(3, base_delay=Duration.seconds(1), longest_delay=Duration.seconds(2))
SOON = Duration.seconds(5)


class Shop(Stack):
    """Wholesale orders, taken as fast as they come, fulfilled as fast as the stock tables like it, and paid once.

    A checkout whose steps are all done, or all undone. Orders from a marketplace, of which every department hears. And
    an order book, whose lists, sums and dashboard follow it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        fulfilment_timeout: Duration = FULFILMENT_TIMEOUT,
        payment_provider: str = PAYMENT_PROVIDER,
        managers_chat: str = MANAGERS_CHAT,
        checkout_patience: Retry = BEHIND_THE_CHECKOUT,
        placed_deadline: Duration = DEADLINE,
    ) -> None:
        super().__init__(scope, id, description="Shop: reference app of cdk-serverless-patterns")
        notify_on_call(self, "Shop: on call")

        orders, stock = kept_table(self, "Orders", "order_id"), kept_table(self, "Stock", "product_id", NUMBER)
        self.fulfilment = LoadLeveledQueue(
            self,
            "Fulfilment",
            max_concurrency=5,
            idempotency_key="order_id",
            retry_base_delay=Duration.seconds(5),  # all it needs is DynamoDB: no outage of a partner to wait out
            consumer=Handler(
                CODE, "orders:fulfil", tables={"ORDERS": orders, "STOCK": stock}, timeout=fulfilment_timeout
            ),
        )
        checkouts = kept_table(self, "Checkouts", "checkout_id")
        self.checkout = checkout_saga(
            self,
            checkouts=checkouts,
            stock=stock,
            managers_chat=managers_chat,
            payment_provider=payment_provider,
            patience=checkout_patience,
        )
        placed = order_placed(self, stock=stock, deadline=placed_deadline)
        book = order_book(self)
        payments = kept_table(self, "Payments", "payment_id")
        # Signs the callers' tokens: whoever reads it can be anybody. handlers/tokens.py says what a real shop does.
        signing_key = secretsmanager.Secret(
            self,
            "SigningKey",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
        )
        knows_tokens = {"SIGNING_KEY": signing_key}
        # For routes with no function of the shop that could look at what a token was issued for.
        seller = LambdaAuthorizer(Handler(CODE, "auth:identify_seller", secrets=knows_tokens))
        shopper = LambdaAuthorizer(Handler(CODE, "auth:identify_shopper", secrets=knows_tokens))
        self.api = ApiProxy(
            self,
            "Api",
            authorizer=LambdaAuthorizer(Handler(CODE, "auth:identify", secrets=knows_tokens)),
            # Bursts are what the queue is for. The account's own limit is ten times that.
            throttle=Throttle(rate=1_000, burst=1_000),
            routes=[
                # Straight to the queue: no function that could be slow, cold or broken while orders come in.
                Route(
                    "POST /orders",
                    self.fulfilment,
                    body=ORDER,
                    respond={"order_id": "$.order_id"},
                    authorizer=seller,
                ),
                # A marketplace tells of an order until it hears 202, so often twice: whoever gets it goes by its id.
                Route("POST /marketplace/orders", placed.topic, body=MARKETPLACE_ORDER, authorizer=seller),
                Route("GET /orders/{order_id}", Handler(CODE, "orders:get", tables={"ORDERS": orders})),
                Route(
                    "POST /payments",
                    Handler(CODE, "payments:take", tables={"ORDERS": orders, "PAYMENTS": payments}),
                    body=PAYMENT,
                ),
                Route("POST /checkout", self.checkout.start(), body=CHECKOUT, authorizer=shopper),
                Route("GET /checkout/{execution}", self.checkout.status(results=["Ship"]), authorizer=shopper),
                Route(
                    "POST /approvals/{id}",
                    self.checkout.decision("Manager"),
                    authorizer=LambdaAuthorizer(Handler(CODE, "auth:identify_manager", secrets=knows_tokens)),
                ),
                *book.routes(seller),
            ],
        )
        CfnOutput(self, "ApiUrl", value=self.api.url)
        CfnOutput(self, "SigningKeySecret", value=signing_key.secret_arn)
        CfnOutput(self, "FulfilmentQueueUrl", value=self.fulfilment.queue.queue_url)
        CfnOutput(self, "FulfilmentDeadLettersUrl", value=self.fulfilment.dead_letter_queue.queue_url)
        CfnOutput(self, "FulfilmentFunction", value=self.fulfilment.consumer_function.function_name)
        CfnOutput(self, "OrdersTable", value=orders.table_name)
        CfnOutput(self, "StockTable", value=stock.table_name)
        CfnOutput(self, "PaymentsTable", value=payments.table_name)
        CfnOutput(self, "CheckoutsTable", value=checkouts.table_name)
        CfnOutput(self, "CheckoutStateMachine", value=self.checkout.state_machine.state_machine_arn)
        CfnOutput(self, "CheckoutGuardian", value=self.checkout.guardian.function_name)
        for name, value in (*placed.outputs(), *book.outputs()):
            CfnOutput(self, name, value=value)
        for step in ("ReserveStock", "ChargeCard", "Ship"):
            CfnOutput(self, f"{step}Function", value=self.checkout.function_for(step).function_name)
        acknowledge_decisions(self)


if __name__ == "__main__":
    app = App()
    impatient = app.node.try_get_context("impatient") == "true"
    Shop(
        app,
        "Shop",
        payment_provider=app.node.try_get_context("payment_provider") or PAYMENT_PROVIDER,
        managers_chat=app.node.try_get_context("managers_chat") or MANAGERS_CHAT,
        checkout_patience=IMPATIENT if impatient else BEHIND_THE_CHECKOUT,
        placed_deadline=SOON if impatient else DEADLINE,
    )
    Site(app, "ShopSite", old_site=app.node.try_get_context("old_site") or OLD_SITE)
    app.synth()
