"""Everything outside: AWS, time, chance, logs. One object, so that a simulation can be all of it."""

import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.items import Items
from serverless_patterns_runtime.resources import NO_RESOURCES, Resources
from serverless_patterns_runtime.telemetry import Logger, Metrics

__all__ = ["Edge", "Gathering", "Works"]


class Edge(NamedTuple):
    """What all three functions have in common."""

    dynamodb: Any
    stepfunctions: Any
    items: Items
    claims_table_name: str
    claims_namespace: str
    claims_retention_seconds: int
    clock: Callable[[], float]
    """Epoch seconds."""
    sleep: Callable[[float], None]
    random: random.Random
    logger: Any
    metrics: Any
    tables: Mapping[str, str]
    """Of the business function: logical table name to physical name."""

    @classmethod
    def from_environment(cls, tables: Mapping[str, str]) -> "Edge":
        claim = environment.read(claims.Env)
        env = environment.read(contract.ItemsEnv)
        return cls(
            dynamodb=client("dynamodb"),
            stepfunctions=client("stepfunctions"),
            items=Items.of(env, client("s3").get_object if env.MAP_BUCKET else None),
            claims_table_name=claim.CLAIMS_TABLE_NAME,
            claims_namespace=claim.CLAIMS_NAMESPACE,
            claims_retention_seconds=int(claim.CLAIMS_RETENTION_SECONDS),
            clock=time.time,
            sleep=time.sleep,
            random=random.SystemRandom(),
            logger=Logger(),
            metrics=Metrics(),
            tables=tables,
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

    def write_once(self, key: str, item: Mapping[str, Any]) -> bool:
        """Beside the claims, and as long as they; False: it is there already, and stays as it is.

        Raises Contended, ClientError and BotoCoreError: then do it again.
        """
        expires_at = int(self.clock()) + self.claims_retention_seconds
        try:
            self.dynamodb.put_item(
                TableName=self.claims_table_name,
                Item={claims.PARTITION_KEY: {"S": key}, **item, claims.TIME_TO_LIVE: {"N": str(expires_at)}},
                ConditionExpression="attribute_not_exists(#claim)",
                ExpressionAttributeNames={"#claim": claims.PARTITION_KEY},
            )
        except ClientError as error:
            if error_code(error) in NOT_NOW:
                raise Contended("DynamoDB does not take the request now") from error
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def note(self, outcome: str) -> None:
        self.metrics.add_metric(name=outcome, unit="Count", value=1)
        self.metrics.flush_metrics()


class Works(NamedTuple):
    """Of a function with a business function in it."""

    edge: Edge
    business_function: BusinessFunction
    resources: Resources = NO_RESOURCES
    max_result_bytes: int = 0

    @classmethod
    def from_environment(cls, max_result_bytes: int = 0) -> "Works":
        env = environment.read(business_function.Env)
        tables = {name: os.environ[name] for name in env.TABLES.split(",") if name}
        function = BusinessFunction.load(env.BUSINESS_FUNCTION, returns_effects=env.RETURNS_EFFECTS == "true")
        resources = DeployedResources(tables)
        return cls(
            Edge.from_environment(tables),
            function,
            resources.prepare() if function.takes_invocation else resources,
            max_result_bytes,
        )


class Gathering(NamedTuple):
    """Of the function that gathers."""

    edge: Edge
    sqs: Any
    dead_letter_queue_url: str
    tolerated_failure_percent: float

    @classmethod
    def from_environment(cls) -> "Gathering":
        env = environment.read(contract.GatherEnv)
        tolerated = float(env.TOLERATED_FAILURE_PERCENT)
        return cls(Edge.from_environment({}), client("sqs"), env.DEAD_LETTER_QUEUE_URL, tolerated)
