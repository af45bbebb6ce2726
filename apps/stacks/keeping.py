"""Tables that keep data: restorable to any second of 35 days, and not deleted by mistake."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

TEXT, NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER


def kept_table(scope: Construct, id: str, key: str, kind: dynamodb.AttributeType = TEXT) -> dynamodb.TableV2:
    """`key`: name of the partition key."""
    return dynamodb.TableV2(
        scope,
        id,
        partition_key=dynamodb.Attribute(name=key, type=kind),
        billing=dynamodb.Billing.on_demand(),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=True,
    )
