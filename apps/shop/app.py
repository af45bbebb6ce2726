"""The reference app: a wholesaler's shop. `make demo` runs it on this machine, `make deploy` in an AWS account."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct
from decisions import acknowledge_decisions
from schemas import ORDER, PAYMENT

from serverless_patterns import ApiProxy, Defaults, Handler, LambdaAuthorizer, LoadLeveledQueue, Route, Throttle

CODE = Path(__file__).parent / "handlers"
# Ten orders take a fraction of a second. The messages of a function that died come back after six times this, so a
# generous timeout would be paid for in waiting.
FULFILMENT_TIMEOUT = Duration.seconds(4)


class Shop(Stack):
    """Wholesale orders, taken as fast as they come, fulfilled as fast as the stock tables like it, and paid once."""

    def __init__(self, scope: Construct, id: str, *, fulfilment_timeout: Duration = FULFILMENT_TIMEOUT) -> None:
        super().__init__(scope, id, description="Shop: reference app of cdk-serverless-patterns")
        # Who is on call subscribes to this topic; without it the alarms would tell nobody.
        on_call = sns.Topic(self, "OnCall", display_name="Shop: on call", enforce_ssl=True)
        # Its policy asks for TLS, and a topic that has a policy lets nobody publish that the policy does not name.
        alarms = iam.ServicePrincipal(
            "cloudwatch.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
        )
        on_call.grant_publish(alarms)
        Defaults.of(self).set(alarm_actions=[cloudwatch_actions.SnsAction(on_call)])

        orders = self._table("Orders", dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING))
        stock = self._table("Stock", dynamodb.Attribute(name="product_id", type=dynamodb.AttributeType.NUMBER))
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
        payments = self._table("Payments", dynamodb.Attribute(name="payment_id", type=dynamodb.AttributeType.STRING))
        # Signs the callers' tokens: whoever reads it can be anybody. handlers/tokens.py says what a real shop does.
        signing_key = secretsmanager.Secret(
            self,
            "SigningKey",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
        )
        knows_tokens = {"SIGNING_KEY": signing_key}
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
                    # Nor one that could look at what a token was issued for.
                    authorizer=LambdaAuthorizer(Handler(CODE, "auth:identify_seller", secrets=knows_tokens)),
                ),
                Route("GET /orders/{order_id}", Handler(CODE, "orders:get", tables={"ORDERS": orders})),
                Route(
                    "POST /payments",
                    Handler(CODE, "payments:take", tables={"ORDERS": orders, "PAYMENTS": payments}),
                    body=PAYMENT,
                ),
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
        acknowledge_decisions(self)

    def _table(self, id: str, partition_key: dynamodb.Attribute) -> dynamodb.TableV2:
        """A table that keeps data: restorable to any second of 35 days, and not deleted by mistake."""
        return dynamodb.TableV2(
            self,
            id,
            partition_key=partition_key,
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
        )


if __name__ == "__main__":
    app = App()
    Shop(app, "Shop")
    app.synth()
