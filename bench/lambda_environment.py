"""What Lambda gives to every function, and a `LoadLeveledQueue` to its consumer: variables, an event, a context."""

import json
import uuid
from typing import Any

from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.load_leveled_queue.contract import Env as QueueEnv

__all__ = ["AWS", "Context", "sqs_event", "variables"]

AWS = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_SESSION_TOKEN": "none",
    "POWERTOOLS_SERVICE_NAME": "Orders",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
"""Variables of every function; credentials are never checked."""

QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


def variables(business_function: str, *, effects: bool) -> dict[str, str]:
    """All that our consumer, the peer's and the bare one read."""
    contract = {
        **BusinessFunctionEnv(
            BUSINESS_FUNCTION=business_function, RETURNS_EFFECTS=str(effects).lower(), TABLES="ORDERS"
        )._asdict(),
        **ClaimsEnv(
            CLAIMS_TABLE_NAME="claims", CLAIMS_NAMESPACE="orders", CLAIMS_RETENTION_SECONDS="2592000"
        )._asdict(),
        **QueueEnv(
            QUEUE_URL=QUEUE_URL,
            DEAD_LETTER_QUEUE_URL=f"{QUEUE_URL}-dead",
            IDEMPOTENCY_KEY="order_id",
            VISIBILITY_TIMEOUT_SECONDS="180",
            MAX_RECEIVE_COUNT="5",
            COUNT_ATTEMPTS="false",
            MAX_AGE_SECONDS="0",
            RETRY_BASE_SECONDS="5",
            RETRY_MAX_SECONDS="900",
        )._asdict(),
    }
    return {**AWS, "ORDERS": "orders", **contract}


def sqs_event(messages: int) -> dict[str, Any]:
    """Fresh messages, as the event source mapping hands them over."""
    return {"Records": [_record(str(uuid.uuid4())) for _ in range(messages)]}


def _record(message_id: str) -> dict[str, Any]:
    order = {
        "order_id": f"order-{message_id}",
        "customer": "ALFKI",
        "lines": [{"product_id": number, "quantity": 3, "unit_price": "18.00"} for number in range(3)],
    }
    return {
        "messageId": message_id,
        "receiptHandle": f"handle-{message_id}",
        "body": json.dumps(order),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795251804123",
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1795251804125",
        },
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
        "awsRegion": "eu-west-1",
    }


class Context:
    """The part of Lambda's context that functions use."""

    function_name = "orders"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    aws_request_id = "6f0b1a2c-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000
