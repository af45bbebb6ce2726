"""What the construct sets on a consumer."""

from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.load_leveled_queue import contract

VARIABLES = {
    "BUSINESS_FUNCTION": "orders:fulfil",
    "RETURNS_EFFECTS": "true",
    "TABLES": "ORDERS,STOCK",
    "CLAIMS_TABLE_NAME": "shop-claims",
    "CLAIMS_NAMESPACE": "Fulfilment",
    "CLAIMS_RETENTION_SECONDS": "2592000",
    "QUEUE_URL": "https://sqs.invalid/123456789012/fulfilment",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.invalid/123456789012/dead",
    "IDEMPOTENCY_KEY": "order_id",
    "VISIBILITY_TIMEOUT_SECONDS": "180",
    "MAX_RECEIVE_COUNT": "5",
    "COUNT_ATTEMPTS": "false",
    "MAX_AGE_SECONDS": "0",
    "RETRY_BASE_SECONDS": "5",
    "RETRY_MAX_SECONDS": "900",
}

assert set(VARIABLES) == {*business_function.Env._fields, *claims.Env._fields, *contract.Env._fields}

TABLES = {"ORDERS": "shop-orders-1", "STOCK": "shop-stock-1"}
