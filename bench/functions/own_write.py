"""A business function whose effect is outside the claim's transaction, for consumers with leases."""

import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def store(order: dict[str, Any]) -> None:
    item = {"order_id": {"S": order["order_id"]}, "status": {"S": "FULFILLED"}}
    dynamodb.put_item(TableName=os.environ["ORDERS"], Item=item)
