"""Everything outside of a function that a state machine calls and that keeps claims: AWS, time, chance, logs."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.claims import contract
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.telemetry import Logger, Metrics

__all__ = ["Outside"]


@dataclass(frozen=True, kw_only=True)
class Outside:
    """One object, so that a simulation can be all of it."""

    dynamodb: Any
    stepfunctions: Any
    claims_table_name: str
    claims_namespace: str
    claims_retention_seconds: int
    clock: Callable[[], float]
    """Epoch seconds."""
    sleep: Callable[[float], None]
    random: random.Random
    logger: Any
    metrics: Any
    tables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of the business function, if there is one: logical table name to physical name."""

    @classmethod
    def deployed(cls, tables: Mapping[str, str] | None = None, **more: Any) -> Self:
        """As the function's variables say. `more`: what a pattern's has besides."""
        claims = environment.read(contract.Env)
        return cls(
            dynamodb=client("dynamodb"),
            stepfunctions=client("stepfunctions"),
            claims_table_name=claims.CLAIMS_TABLE_NAME,
            claims_namespace=claims.CLAIMS_NAMESPACE,
            claims_retention_seconds=int(claims.CLAIMS_RETENTION_SECONDS),
            clock=time.time,
            sleep=time.sleep,
            random=random.SystemRandom(),
            logger=Logger(),
            metrics=Metrics(),
            tables=tables or {},
            **more,
        )

    def claims(self) -> ClaimsTable:
        return ClaimsTable(
            dynamodb=self.dynamodb,
            name=self.claims_table_name,
            retention_seconds=self.claims_retention_seconds,
            tables=self.tables,
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
        )

    def item(self, key: str) -> dict[str, Any] | None:
        """Of the claims table, as it is now."""
        return self.dynamodb.get_item(
            TableName=self.claims_table_name, Key={contract.PARTITION_KEY: {"S": key}}, ConsistentRead=True
        ).get("Item")
