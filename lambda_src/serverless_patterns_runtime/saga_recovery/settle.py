"""What a recovery ends with: what had been parked and is done, or undone, after all is marked so. It stays."""

from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.contract import PARTITION_KEY
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.edge import LedgerEdge
from serverless_patterns_runtime.saga_state_machine import contract as saga

__all__ = ["settle"]


def settle(event: contract.Settle, edge: LedgerEdge) -> None:
    """Raises what the client raises: then the same may be asked for again."""
    told = event["saga"]
    again = {**told.get(saga.PARKED, {}), **told.get(saga.RESULTS, {}).get(saga.PARKED_BESIDE, {})}
    for step in event["steps"]:
        if step not in again:
            _settle(event, edge, step)


def _settle(event: contract.Settle, edge: LedgerEdge, step: str) -> None:
    outside = edge.outside
    key = saga.parked_key(outside.claims_namespace, event["execution"], step)
    try:
        outside.dynamodb.update_item(
            TableName=outside.claims_table_name,
            Key={PARTITION_KEY: {"S": key}},
            UpdateExpression="SET #at = :at, #by = :by",
            ConditionExpression="attribute_exists(#claim) AND attribute_not_exists(#at)",
            ExpressionAttributeNames={
                "#claim": PARTITION_KEY,
                "#at": contract.SETTLED_AT,
                "#by": contract.SETTLED_BY,
            },
            ExpressionAttributeValues={":at": {"N": str(int(outside.clock()))}, ":by": {"S": event["recovery"]}},
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
            raise
