"""What the testing package says before anything is deployed: operations that no service has, warnings of synth."""

import tempfile
import warnings
from pathlib import Path

import pytest
from aws_cdk import App, Stack

from serverless_patterns.testing import Fault, SynthWarning
from serverless_patterns.testing._assembly import Assembly
from serverless_patterns.testing._synth_warnings import warned_of
from tests.template.topics import a_topic


@pytest.mark.parametrize(
    ("service", "operation", "message"),
    [
        (
            "dynamodb",
            "TransactWriteItem",
            "dynamodb has no operation 'TransactWriteItem': did you mean 'TransactWriteItems'?",
        ),
        ("sqs", "send_message", "sqs has no operation 'send_message': did you mean 'SendMessage'?"),
        ("sns", "Sing", "sns has no operation 'Sing'"),
        ("dynamo-db", "PutItem", "boto3 knows no service 'dynamo-db': did you mean 'dynamodb'?"),
    ],
)
def test_a_fault_of_an_operation_that_no_service_has_is_refused_at_once(
    service: str, operation: str, message: str
) -> None:
    with pytest.raises(ValueError, match="no ") as refused:
        Fault.lost_answer(service, operation)
    assert str(refused.value) == message
    with pytest.raises(ValueError, match="no "):
        Fault.slow(service, operation, seconds=1)


def synthesised() -> Assembly:
    app = App(outdir=tempfile.mkdtemp(), analytics_reporting=False)
    a_topic(Stack(app, "Shop"))
    return Assembly(Path(app.synth().directory))


def test_whoever_deploys_is_told_what_synth_warns_of_in_one_line_each() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        warned_of(synthesised())
    assert [(each.category, str(each.message)) for each in told] == [
        (
            SynthWarning,
            "synth warns: Shop/OrderEvents: nobody subscribes: what is published is gone. Call add_subscriber, or "
            "leave the topic out",
        )
    ], "not that alarms notify nobody: there is nobody here"
