"""The peer: the same steps with Powertools' decorator, keyed by execution and step, as its documentation has it."""

import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.typing import LambdaContext

dynamodb = boto3.client("dynamodb")
persistence = DynamoDBPersistenceLayer(table_name=os.environ["POWERTOOLS_TABLE_NAME"], boto3_client=dynamodb)
config = IdempotencyConfig(event_key_jmespath="[execution, step]", raise_on_no_idempotency_key=True)


@idempotent(config=config, persistence_store=persistence)
def reserve(event: dict[str, Any], context: LambdaContext) -> str:  # noqa: ARG001
    item = {"order_id": {"S": event["state"]["order_id"]}, "status": {"S": "RESERVED"}}
    dynamodb.put_item(TableName=os.environ["ORDERS"], Item=item)
    return "reserved"


@idempotent(config=config, persistence_store=persistence)
def charge(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:  # noqa: ARG001
    return {"charge": f"{event['execution']}#{event['step']}"}
