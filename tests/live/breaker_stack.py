"""One stack with what breakers guard: routes with and without a fallback, and a queue."""

from pathlib import Path
from typing import Any

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns import ApiProxy, CircuitBreaker, Defaults, Handler, LoadLeveledQueue, Route

HANDLERS = Path(__file__).parent / "handlers"
THRESHOLD = 3
OPEN_SECONDS = 4
CAP = 2
TRIES = 3  # what opens the breaker is one, and so is a crash
ORDER = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}


class BreakerStack(Stack):
    def __init__(self, scope: App, id: str, partner: str, *, version: int) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self._environment = {"PARTNER": partner, "VERSION": str(version)}
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.ledger = dynamodb.TableV2(self, "Ledger", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        self.quotes = self._breaker("Quotes")
        self.payments = self._breaker("Payments", table=self.quotes.table)
        self.bookings = self._breaker("Bookings", open_for=Duration.seconds(1), failure_threshold=1)
        quote, pay = self._handler("quote"), self._handler("pay")
        self.api = ApiProxy(
            self,
            "Api",
            public=True,
            access_logs=False,
            routes=[
                Route("GET /quotes/{id}", quote, circuit_breaker=self.quotes),
                Route("GET /unguarded-quotes/{id}", self._handler("quote"), circuit_breaker=self.quotes),
                Route("GET /known-quotes/{id}", quote, circuit_breaker=self.quotes, fallback="partner:last_known"),
                Route("POST /payments", pay, circuit_breaker=self.payments, body=ORDER),
                Route("POST /orders", pay, circuit_breaker=self.payments, body=ORDER, fallback="partner:not_now"),
            ],
        )
        self.shipping = LoadLeveledQueue(
            self,
            "Shipping",
            consumer=self._handler("book", timeout=Duration.seconds(4)),
            max_concurrency=CAP,
            max_receive_count=TRIES,
            idempotency_key="id",
            circuit_breaker=self.bookings,
            retry_base_delay=Duration.seconds(1),
            retry_max_delay=Duration.seconds(2),
        )

    def _breaker(self, id: str, **more: Any) -> CircuitBreaker:
        return CircuitBreaker(
            self,
            id,
            window=Duration.seconds(60),
            cache_age=Duration.seconds(0),
            counts=["PartnerDown"],
            **{"open_for": Duration.seconds(OPEN_SECONDS), "failure_threshold": THRESHOLD, **more},
        )

    def _handler(self, function: str, **more: Any) -> Handler:
        tables = {"LEDGER": self.ledger}
        return Handler(HANDLERS, f"partner:{function}", tables=tables, environment=self._environment, **more)
