"""What had been parked: a recovery marks it when it begins, and what still has the mark at its end is settled.

What the recovery parks again is written anew, without the mark. No list of it has to survive the joining of branches.
"""

from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.claims.contract import PARTITION_KEY
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.edge import LedgerEdge
from serverless_patterns_runtime.saga_state_machine import contract as saga

__all__ = ["resumed", "settle"]

_NAMES = {
    "#claim": PARTITION_KEY,
    "#resumed": contract.RESUMED_BY,
    "#settled_at": contract.SETTLED_AT,
    "#settled_by": contract.SETTLED_BY,
}


def resumed(event: contract.Recall, edge: LedgerEdge, step: str) -> None:
    """This recovery goes on with what is parked of a step, if anything is."""
    condition = "attribute_exists(#claim) AND attribute_not_exists(#settled_at)"
    _update(edge, event, step, "SET #resumed = :recovery", condition, {":recovery": event["recovery"]})


def settle(event: contract.Settle, edge: LedgerEdge) -> None:
    """Raises what the client raises: then the same may be asked for again."""
    values = {":recovery": event["recovery"], ":now": int(edge.outside.clock())}
    for step in event["steps"]:
        _update(
            edge,
            event,
            step,
            "SET #settled_at = :now, #settled_by = :recovery",
            "#resumed = :recovery AND attribute_not_exists(#settled_at)",
            values,
        )


def _update(
    edge: LedgerEdge,
    event: contract.Recall | contract.Settle,
    step: str,
    expression: str,
    condition: str,
    values: dict[str, str | int],
) -> None:
    """Unless the condition does not hold."""
    outside = edge.outside
    key = saga.parked_key(outside.claims_namespace, event["execution"], step)
    try:
        outside.dynamodb.update_item(
            TableName=outside.claims_table_name,
            Key={PARTITION_KEY: serialize(key)},
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames={k: v for k, v in _NAMES.items() if k in f"{expression} {condition}"},
            ExpressionAttributeValues={name: serialize(value) for name, value in values.items()},
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
