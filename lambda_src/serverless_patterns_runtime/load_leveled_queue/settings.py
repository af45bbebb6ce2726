"""The environment, parsed once at init."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.load_leveled_queue import contract

__all__ = ["Settings"]


class Settings(NamedTuple):
    business_function: str
    returns_effects: bool
    tables: Mapping[str, str]
    claims_table_name: str
    claims_namespace: str
    claims_retention_seconds: int
    queue_url: str
    dead_letter_queue_url: str
    idempotency_key: str
    visibility_timeout_seconds: int
    max_receive_count: int
    count_attempts: bool
    max_age_seconds: int
    retry_base_seconds: int
    retry_max_seconds: int

    @property
    def fifo(self) -> bool:
        """By the queue's name, as SQS does it; a message group alone also occurs on (fair) standard queues."""
        return self.queue_url.endswith(".fifo")

    @classmethod
    def from_environment(cls) -> "Settings":
        function = environment.read(business_function.Env)
        claim = environment.read(claims.Env)
        queue = environment.read(contract.Env)
        return cls(
            business_function=function.BUSINESS_FUNCTION,
            returns_effects=function.RETURNS_EFFECTS == "true",
            tables={name: os.environ[name] for name in function.TABLES.split(",") if name},
            claims_table_name=claim.CLAIMS_TABLE_NAME,
            claims_namespace=claim.CLAIMS_NAMESPACE,
            claims_retention_seconds=int(claim.CLAIMS_RETENTION_SECONDS),
            queue_url=queue.QUEUE_URL,
            dead_letter_queue_url=queue.DEAD_LETTER_QUEUE_URL,
            idempotency_key=queue.IDEMPOTENCY_KEY,
            visibility_timeout_seconds=int(queue.VISIBILITY_TIMEOUT_SECONDS),
            max_receive_count=int(queue.MAX_RECEIVE_COUNT),
            count_attempts=queue.COUNT_ATTEMPTS == "true",
            max_age_seconds=int(queue.MAX_AGE_SECONDS),
            retry_base_seconds=int(queue.RETRY_BASE_SECONDS),
            retry_max_seconds=int(queue.RETRY_MAX_SECONDS),
        )
