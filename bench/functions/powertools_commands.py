"""The peer: the same command with Powertools' decorator around a read and a write on the version that was read.

One that dies between its write and its answer happens again.
"""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.typing import LambdaContext

dynamodb = boto3.client("dynamodb")
persistence = DynamoDBPersistenceLayer(table_name=os.environ["POWERTOOLS_TABLE_NAME"], boto3_client=dynamodb)
config = IdempotencyConfig(
    event_key_jmespath="id", payload_validation_jmespath="body", raise_on_no_idempotency_key=True
)


@idempotent(config=config, persistence_store=persistence)
def execute(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    key = {"order_id": {"S": event["key"]}}
    item = dynamodb.get_item(TableName="orders", Key=key, ConsistentRead=True).get("Item")
    total = int(item["total"]["N"] if item else 0) + event["body"]["amount"]
    version = int(item["version"]["N"] if item else 0)
    dynamodb.put_item(
        TableName="orders",
        Item={**key, "total": {"N": str(total)}, "version": {"N": str(version + 1)}},
        ConditionExpression="attribute_not_exists(order_id) OR version = :read",
        ExpressionAttributeValues={":read": {"N": str(version)}},
    )
    return {"key": event["key"], "version": version + 1, "result": {"total": total}}
