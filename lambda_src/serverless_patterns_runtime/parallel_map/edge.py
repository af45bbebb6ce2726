"""What a map's functions have outside of themselves."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.claims.outside import Outside
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.items import Items
from serverless_patterns_runtime.resources import NO_RESOURCES, Resources

__all__ = ["Edge", "Gathering", "Works"]


@dataclass(frozen=True, kw_only=True)
class Edge(Outside):
    """What all three functions have in common."""

    items: Items

    @classmethod
    def from_environment(cls, tables: Mapping[str, str]) -> "Edge":
        env = environment.read(contract.ItemsEnv)
        return cls.deployed(tables, items=Items.of(env, client("s3").get_object if env.MAP_BUCKET else None))

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
