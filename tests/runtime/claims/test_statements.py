import random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.statements import Refusal, Statement, Statements

from .. import scripted_aws


class Sleeps(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def made(count: int) -> list[Statement]:
    return [Statement(f"statement {number}", [{"N": str(number)}]) for number in range(count)]


def execute(client: scripted_aws.ScriptedClient, count: int, sleeps: Sleeps | None = None) -> list[Refusal | None]:
    return Statements(client, sleeps if sleeps is not None else Sleeps(), random.Random(1)).execute(made(count))


def failed(code: str, item: Any = None) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": "why"} | ({"Item": item} if item else {})}


def test_no_statement_is_no_request():
    client = scripted_aws.dynamodb()
    assert execute(client, 0) == []
    assert client.calls == []


def test_every_statement_asks_for_what_its_condition_found():
    client = scripted_aws.dynamodb()
    execute(client, 1)
    assert client.requests("BatchExecuteStatement") == [
        {
            "Statements": [
                {
                    "Statement": "statement 0",
                    "Parameters": [{"N": "0"}],
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            ]
        }
    ]


@pytest.mark.parametrize(("count", "sizes"), [(25, [25]), (26, [25, 1]), (60, [25, 25, 10])])
def test_statements_go_in_requests_of_25(count: int, sizes: list[int]):
    client = scripted_aws.dynamodb()
    assert execute(client, count) == [None] * count
    requests = client.requests("BatchExecuteStatement")
    assert [len(request["Statements"]) for request in requests] == sizes
    said = [statement["Statement"] for request in requests for statement in request["Statements"]]
    assert said == [f"statement {number}" for number in range(count)]


def test_each_statement_has_its_own_answer():
    client = scripted_aws.dynamodb()
    item = {"claim": {"S": "x"}}
    client.script(
        "BatchExecuteStatement",
        {"Responses": [{}, failed("ConditionalCheckFailed", item), failed("DuplicateItem"), {"Item": item}]},
    )
    assert execute(client, 4) == [
        None,
        Refusal("ConditionalCheckFailed", "why", item),
        Refusal("DuplicateItem", "why", None),
        None,
    ]


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionConflict",
    ],
)
def test_only_the_statements_that_were_throttled_are_tried_again(code: str):
    client, sleeps = scripted_aws.dynamodb(), Sleeps()
    client.script(
        "BatchExecuteStatement",
        {"Responses": [{}, failed(code), failed("DuplicateItem"), failed(code)]},
        {"Responses": [{}, failed(code)]},
        {"Responses": [failed("ConditionalCheckFailed")]},
    )
    answers = execute(client, 4, sleeps)
    assert answers == [
        None,
        None,
        Refusal("DuplicateItem", "why", None),
        Refusal("ConditionalCheckFailed", "why", None),
    ]
    requests = client.requests("BatchExecuteStatement")
    said = [[statement["Statement"] for statement in request["Statements"]] for request in requests]
    assert said[1:] == [["statement 1", "statement 3"], ["statement 3"]]
    assert len(sleeps) == 2
    assert 0 <= sleeps[0] <= 0.1
    assert 0 <= sleeps[1] <= 0.2


def test_throttling_that_does_not_end_is_an_answer_after_four_tries():
    client, sleeps = scripted_aws.dynamodb(), Sleeps()
    client.always("BatchExecuteStatement", {"Responses": [failed("ThrottlingError")]})
    assert execute(client, 1, sleeps) == [Refusal("ThrottlingError", "why", None)]
    assert len(client.calls) == 4
    assert sum(sleeps) < 1


@pytest.mark.parametrize(
    "code", ["ValidationError", "AccessDenied", "ResourceNotFound", "ItemCollectionSizeLimitExceeded"]
)
def test_what_another_try_cannot_help_is_tried_once(code: str):
    client = scripted_aws.dynamodb()
    client.script("BatchExecuteStatement", {"Responses": [failed(code)]})
    assert execute(client, 1) == [Refusal(code, "why", None)]


def test_an_answer_of_another_length_is_an_error_and_never_a_success():
    client = scripted_aws.dynamodb()
    client.script("BatchExecuteStatement", {"Responses": [{}]})
    with pytest.raises(ValueError, match="shorter"):
        execute(client, 2)


def test_a_request_that_fails_as_a_whole_is_an_error():
    client = scripted_aws.dynamodb()
    client.script("BatchExecuteStatement", scripted_aws.error("BatchExecuteStatement", "AccessDeniedException"))
    with pytest.raises(ClientError):
        execute(client, 1)
