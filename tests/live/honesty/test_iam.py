"""Roles are enforced: a live test that passes shows that a function may do what it must; a probe, what it may not."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.live.honesty.raw_state_machine import task

CALLER = """
    import boto3

    def handler(event, context):
        client = boto3.client(event["service"])
        answer = getattr(client, event["call"])(**event["arguments"])
        return answer["ResponseMetadata"]["HTTPStatusCode"]
"""
DENIED = "AccessDenied"


@pytest.fixture
def table_arn(table) -> str:
    return f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}"


@pytest.fixture
def allowed(function, table_arn):
    """A caller that may do these on the table, and nothing else."""

    def make(*actions: str):
        return function(CALLER, statements=[{"Effect": "Allow", "Action": list(actions), "Resource": table_arn}])

    return make


def call(caller, operation: str, **arguments: Any) -> Any:
    return caller.invoke(service="dynamodb", call=operation, arguments=arguments)


def test_what_is_granted_is_allowed_and_what_is_not_is_denied(allowed, table) -> None:
    caller = allowed("dynamodb:PutItem")
    assert call(caller, "put_item", TableName=table, Item={"id": {"S": "a"}}) == 200
    with pytest.raises(RuntimeError, match=DENIED):
        call(caller, "scan", TableName=table)
    with pytest.raises(RuntimeError, match=DENIED):
        call(caller, "put_item", TableName="another", Item={"id": {"S": "a"}})


def test_without_a_policy_everything_is_denied(function, queue) -> None:
    caller = function(CALLER, statements=())
    with pytest.raises(RuntimeError, match=DENIED):
        caller.invoke(service="sqs", call="send_message", arguments={"QueueUrl": queue().url, "MessageBody": "x"})


def test_each_action_of_a_transaction_needs_its_own_grant(allowed, table) -> None:
    put = {"Put": {"TableName": table, "Item": {"id": {"S": "a"}}}}
    check = {
        "ConditionCheck": {
            "TableName": table,
            "Key": {"id": {"S": "b"}},
            "ConditionExpression": "attribute_not_exists(id)",
        }
    }
    caller = allowed("dynamodb:PutItem")
    assert call(caller, "transact_write_items", TransactItems=[put]) == 200
    with pytest.raises(RuntimeError, match="dynamodb:ConditionCheckItem"):
        call(caller, "transact_write_items", TransactItems=[put, check])


def test_each_kind_of_statement_needs_its_own_grant(allowed, table) -> None:
    insert = {"Statement": f"INSERT INTO \"{table}\" VALUE {{'id': 'a'}}"}
    delete = {"Statement": f'DELETE FROM "{table}" WHERE "id" = \'a\''}
    update = {"Statement": f'UPDATE "{table}" SET "x" = 1 WHERE "id" = \'a\''}
    caller = allowed("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate")
    assert call(caller, "batch_execute_statement", Statements=[insert, update]) == 200
    with pytest.raises(RuntimeError, match="dynamodb:PartiQLDelete"):
        call(caller, "batch_execute_statement", Statements=[insert, delete])
    with pytest.raises(RuntimeError, match="dynamodb:PartiQLInsert"):
        call(allowed("dynamodb:PutItem"), "batch_execute_statement", Statements=[insert])


def test_a_statement_on_another_table_is_denied(allowed) -> None:
    insert = {"Statement": "INSERT INTO \"another\" VALUE {'id': 'a'}"}
    with pytest.raises(RuntimeError, match=DENIED):
        call(allowed("dynamodb:PartiQLInsert"), "batch_execute_statement", Statements=[insert])


def test_a_batch_of_messages_needs_what_one_message_needs(function, queue) -> None:
    target = queue()
    target.send("work")
    (message,) = target.wait_for(1)
    send = {"QueueUrl": target.url, "Entries": [{"Id": "0", "MessageBody": "x"}]}
    hide = {
        "QueueUrl": target.url,
        "Entries": [{"Id": "0", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 9}],
    }
    statement = {"Effect": "Allow", "Action": "sqs:ChangeMessageVisibility", "Resource": target.arn}
    caller = function(CALLER, statements=[statement])
    assert caller.invoke(service="sqs", call="change_message_visibility_batch", arguments=hide) == 200
    with pytest.raises(RuntimeError, match=DENIED):
        caller.invoke(service="sqs", call="send_message_batch", arguments=send)


def test_who_takes_on_a_role_is_held_to_it(cloud, role, queue) -> None:
    target = queue()
    arn = role({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": target.arn})
    given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="operator")["Credentials"]
    credentials = {"aws_secret_access_key": given["SecretAccessKey"], "aws_session_token": given["SessionToken"]}
    sqs = boto3.client(
        "sqs",
        endpoint_url=cloud.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        **credentials,
    )
    sqs.send_message(QueueUrl=target.url, MessageBody="x")
    with pytest.raises(ClientError, match=DENIED):
        sqs.receive_message(QueueUrl=target.url)


def refusing(queue, when: dict[str, Any]):
    """A queue that refuses everybody under a condition."""
    made = queue()
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": made.arn, "Condition": when}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    made.sqs.set_queue_attributes(QueueUrl=made.url, Attributes={"Policy": policy})
    return made


def test_calls_count_as_encrypted_so_a_queue_for_tls_alone_takes_them(function, queue) -> None:
    target = refusing(queue, {"Bool": {"aws:SecureTransport": "false"}})
    arguments = {"QueueUrl": target.url, "MessageBody": "x"}
    assert function(CALLER).invoke(service="sqs", call="send_message", arguments=arguments) == 200


def test_a_queue_policy_that_denies_is_enforced(function, queue) -> None:
    target = refusing(queue, {"Bool": {"aws:SecureTransport": "true"}})
    with pytest.raises(RuntimeError, match=DENIED):
        function(CALLER).invoke(
            service="sqs", call="send_message", arguments={"QueueUrl": target.url, "MessageBody": "x"}
        )


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the emulator polls with its own rights, whatever the function's role may do",
)
def test_a_poller_needs_the_right_to_receive(function, queue, consume, steadily) -> None:
    source = queue()
    consumer = function("def handler(event, context): print('called')", statements=())
    consume(source, consumer)
    source.send("work")
    steadily(lambda: source.depth() == 1, 15)  # a cold start on a busy machine; today it ends with the first poll


def test_an_answer_to_a_task_needs_a_right_on_the_machine_that_waits(cloud, role, queue, state_machine) -> None:
    target = queue()
    body = {"QueueUrl": target.url, "MessageBody": {"token.$": "$$.Task.Token"}}
    waits = task("arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters=body)
    machine = state_machine({"A": waits})
    execution = machine.start()
    (message,) = target.wait_for(1)
    answer = {"taskToken": json.loads(message["Body"])["token"], "output": "{}"}

    def answering(resource: str) -> Any:
        arn = role({"Effect": "Allow", "Action": "states:SendTaskSuccess", "Resource": resource})
        given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="operator")["Credentials"]
        credentials = {"aws_secret_access_key": given["SecretAccessKey"], "aws_session_token": given["SessionToken"]}
        place = {"endpoint_url": cloud.endpoint_url, "region_name": "us-east-1"}
        return boto3.client("stepfunctions", aws_access_key_id=given["AccessKeyId"], **place, **credentials)

    with pytest.raises(ClientError, match=DENIED):
        answering(f"{machine.arn}-other").send_task_success(**answer)
    answering(machine.arn).send_task_success(**answer)
    assert execution.output() == {}
