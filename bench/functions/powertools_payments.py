"""The peer: the same idempotent API functions with Powertools' decorator, as its documentation has it."""

import json
import os
from typing import Any

import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.typing import LambdaContext

dynamodb = boto3.client("dynamodb")
persistence = DynamoDBPersistenceLayer(table_name=os.environ["POWERTOOLS_TABLE_NAME"], boto3_client=dynamodb)
config = IdempotencyConfig(
    event_key_jmespath='headers."Idempotency-Key"', payload_validation_jmespath="body", raise_on_no_idempotency_key=True
)


@idempotent(config=config, persistence_store=persistence)
def take(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    payment_id = json.loads(event["body"])["payment_id"]
    item = {"payment_id": {"S": payment_id}, "status": {"S": "TAKEN"}}
    dynamodb.put_item(TableName=os.environ["PAYMENTS"], Item=item)
    return {"statusCode": 201, "body": json.dumps({"payment_id": payment_id})}


@idempotent(config=config, persistence_store=persistence)
def note(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    return {"statusCode": 201, "body": event["body"]}
