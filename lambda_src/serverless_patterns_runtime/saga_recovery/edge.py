"""Everything outside of the recovery's functions: AWS, time, chance, logs."""

import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.executions import Listed
from serverless_patterns_runtime.telemetry import Logger, Metrics

__all__ = ["GuardianEdge", "LedgerEdge", "Outside"]


class Outside(NamedTuple):
    """What both have in common."""

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

    @classmethod
    def from_environment(cls) -> "Outside":
        claim = environment.read(claims.Env)
        return cls(
            dynamodb=client("dynamodb"),
            stepfunctions=client("stepfunctions"),
            claims_table_name=claim.CLAIMS_TABLE_NAME,
            claims_namespace=claim.CLAIMS_NAMESPACE,
            claims_retention_seconds=int(claim.CLAIMS_RETENTION_SECONDS),
            clock=time.time,
            sleep=time.sleep,
            random=random.SystemRandom(),
            logger=Logger(),
            metrics=Metrics(),
        )

    def claims(self) -> ClaimsTable:
        return ClaimsTable(
            dynamodb=self.dynamodb,
            name=self.claims_table_name,
            retention_seconds=self.claims_retention_seconds,
            tables={},
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
        )

    def item(self, key: str) -> dict[str, Any] | None:
        """Of the claims table, as it is now."""
        return self.dynamodb.get_item(
            TableName=self.claims_table_name, Key={claims.PARTITION_KEY: {"S": key}}, ConsistentRead=True
        ).get("Item")


class LedgerEdge(NamedTuple):
    outside: Outside
    state_machine_arn: str
    longest_seconds: int

    @classmethod
    def from_environment(cls) -> "LedgerEdge":
        env = environment.read(contract.LedgerEnv)
        return cls(Outside.from_environment(), env.STATE_MACHINE_ARN, int(env.LONGEST_SECONDS))


class GuardianEdge(NamedTuple):
    outside: Outside
    state_machine_arn: str
    recovery_state_machine_arn: str
    seen: set[Listed]
    """Executions that need no look any more: as long as the function is warm."""

    @classmethod
    def from_environment(cls) -> "GuardianEdge":
        env = environment.read(contract.GuardianEnv)
        return cls(Outside.from_environment(), env.STATE_MACHINE_ARN, env.RECOVERY_STATE_MACHINE_ARN, set())
