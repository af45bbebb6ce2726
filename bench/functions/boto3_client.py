"""A function that has one client of AWS's SDK, and does nothing with it."""

from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def lambda_handler(event: dict[str, Any], context: Any) -> None: ...
