import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.attempts import Attempts

from .. import scripted_aws


def attempts(client: scripted_aws.ScriptedClient) -> Attempts:
    return Attempts(client, "claims", "Fulfilment", 1000, lambda: 5000.9)


def test_an_attempt_is_noted_by_receive_so_that_a_repeated_request_notes_it_once():
    client = scripted_aws.dynamodb()
    client.script("UpdateItem", {"Attributes": {"attempts": {"NS": ["2", "7", "9"]}, "expires_at": {"N": "6000"}}})
    assert attempts(client).count("message-1", 9) == (3, False)
    assert client.requests("UpdateItem") == [
        {
            "TableName": "claims",
            "Key": {"claim": {"S": "attempts#Fulfilment#message-1"}},
            "UpdateExpression": "ADD #attempts :receive SET #expires_at = :expires_at",
            "ExpressionAttributeNames": {"#attempts": "attempts", "#expires_at": "expires_at"},
            "ExpressionAttributeValues": {":receive": {"NS": ["9"]}, ":expires_at": {"N": "6000"}},
            "ReturnValues": "ALL_NEW",
        }
    ]


def test_an_attempt_that_cannot_be_noted_is_an_error():
    client = scripted_aws.dynamodb()
    client.script("UpdateItem", scripted_aws.error("UpdateItem", "ThrottlingException"))
    with pytest.raises(ClientError):
        attempts(client).count("message-1", 2)


def test_what_was_no_attempt_is_taken_out_again():
    client = scripted_aws.dynamodb()
    client.script("UpdateItem", {})
    attempts(client).withdraw("message-1", 9)
    (request,) = client.requests("UpdateItem")
    assert request["UpdateExpression"] == "DELETE #attempts :receive SET #expires_at = :expires_at"
    assert request["ExpressionAttributeValues"][":receive"] == {"NS": ["9"]}
    assert request["Key"] == {"claim": {"S": "attempts#Fulfilment#message-1"}}


def test_a_message_that_starts_anew_is_remembered_as_excused():
    client = scripted_aws.dynamodb()
    item = {"attempts": {"NS": ["12"]}, "excused": {"BOOL": True}}
    client.script("UpdateItem", {}, {"Attributes": item})
    attempts(client).excuse("message-1")
    assert attempts(client).count("message-1", 12) == (1, True)
    excused, _ = client.requests("UpdateItem")
    assert excused["UpdateExpression"] == "REMOVE #attempts SET #expires_at = :expires_at, #excused = :excused"
    assert excused["ExpressionAttributeValues"] == {":excused": {"BOOL": True}, ":expires_at": {"N": "6000"}}
