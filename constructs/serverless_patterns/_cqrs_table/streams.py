"""How the stream of the write model is read: finite retries, and nothing given up without its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_lambda as lambda_

from .._checks import is_token, seconds
from .._grants import give
from .parked import allow_undelivered

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from .write_model import WriteModel

_READS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")


def read_stream(
    scope: Construct,
    suffix: str,
    model: WriteModel,
    function: lambda_.Function,
    parked: s3.Bucket,
    key: kms.IKey | None,
) -> lambda_.CfnEventSourceMapping:
    """Let Lambda poll the stream for a projector.

    Not CDK's `DynamoEventSource`: it lets the function list all streams of the account.
    """
    stream, reading = model.table.table_stream_arn, model.asked.reading
    assert stream is not None
    grant = give(function, _READS, [stream])
    if model.table.encryption_key is not None:
        model.table.encryption_key.grant(function, "kms:Decrypt")
    allow_undelivered(function, parked, key)
    mapping = lambda_.CfnEventSourceMapping(
        scope,
        f"Stream{suffix}",
        function_name=function.function_name,
        event_source_arn=stream,
        starting_position="TRIM_HORIZON",
        batch_size=reading.batch_size,
        maximum_batching_window_in_seconds=_whole(reading.max_batching_window),
        parallelization_factor=reading.parallelization_factor,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
        maximum_retry_attempts=reading.retry_attempts,
        maximum_record_age_in_seconds=_whole(reading.max_record_age),
        destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=parked.bucket_arn)
        ),
    )
    grant.apply_before(mapping)  # Lambda looks at the permissions when the mapping is made
    return mapping


def _whole(duration: Duration | None) -> Any:
    if duration is None:
        return None
    length = seconds(duration)
    return duration.to_seconds() if length is None or is_token(length) else length
