"""The peer: the same consumer with Powertools' batch, idempotency, logger and metrics, as its documentation has it."""

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
dynamodb = boto3.client("dynamodb")
persistence = DynamoDBPersistenceLayer(table_name=os.environ["CLAIMS_TABLE_NAME"], boto3_client=dynamodb)
config = IdempotencyConfig(event_key_jmespath="order_id")


@idempotent_function(data_keyword_argument="order", config=config, persistence_store=persistence)
def notify(order: dict[str, Any]) -> dict[str, Any]:
    return {"notified": order["order_id"]}


@idempotent_function(data_keyword_argument="order", config=config, persistence_store=persistence)
def fulfil(order: dict[str, Any]) -> dict[str, Any]:
    item = {"order_id": {"S": order["order_id"]}, "status": {"S": "FULFILLED"}}
    dynamodb.put_item(TableName=os.environ["ORDERS"], Item=item)
    return {"fulfilled": order["order_id"]}


def notify_record(record: SQSRecord) -> None:
    notify(order=record.json_body)
    logger.info("message handled", message_id=record.message_id)


def fulfil_record(record: SQSRecord) -> None:
    fulfil(order=record.json_body)
    logger.info("message handled", message_id=record.message_id)


@metrics.log_metrics
@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return _process(event, notify_record, context)


@metrics.log_metrics
@logger.inject_lambda_context
def lambda_handler_with_write(event: dict[str, Any], context: LambdaContext) -> Any:
    return _process(event, fulfil_record, context)


def _process(event: dict[str, Any], record_handler: Any, context: LambdaContext) -> Any:
    config.register_lambda_context(context)
    metrics.add_metric(name="Received", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(event, record_handler, processor, context)
