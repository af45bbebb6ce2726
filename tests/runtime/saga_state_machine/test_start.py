import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime import Caller, Invocation, PermanentError, Request, Response
from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.saga_state_machine.executions import StartedWithOtherInput
from serverless_patterns_runtime.saga_state_machine.start import started

from ..api_proxy.api import Api, route
from ..rest_api_events import event
from .step_functions import MACHINE, StepFunctions

ALICE = Caller("alice", "lambda", {"exp": "1"})


def ask(aws: StepFunctions, body: Any = None, *, caller: Caller | None = ALICE, key: str = "key-1") -> Response:
    given = {"order_id": "7"} if body is None else body
    request = Request.fake("POST /checkout", body=given, caller=caller)
    return started(request, Invocation.fake(idempotency_key=key), aws.known, 1_000)


def test_the_body_becomes_the_input_of_an_execution_that_is_named_by_the_key():
    aws = StepFunctions()
    answer = ask(aws)
    assert (answer.status, answer.body) == (202, {"execution": "key-1"})
    ((operation, request),) = aws.calls
    assert operation == "StartExecution"
    assert (request["stateMachineArn"], request["name"]) == (MACHINE, "key-1")
    assert json.loads(request["input"]) == {"order_id": "7", "caller": {"id": "alice", "kind": "lambda"}}


def test_claims_of_the_caller_are_not_in_the_input_since_they_change_from_token_to_token():
    aws = StepFunctions()
    assert ask(aws) == ask(aws, caller=Caller("alice", "lambda", {"exp": "2"}))


def test_on_a_public_route_the_caller_is_nobody():
    aws = StepFunctions()
    ask(aws, caller=None)
    assert json.loads(aws.executions["key-1"]["input"])["caller"] is None


def test_the_order_of_keys_is_no_other_input():
    aws = StepFunctions()
    assert ask(aws, {"a": 1, "b": 2}) == ask(aws, {"b": 2, "a": 1})
    assert [request["input"] for operation, request in aws.calls if operation == "StartExecution"] == [
        '{"a":1,"b":2,"caller":{"id":"alice","kind":"lambda"}}'
    ] * 2


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"])
def test_the_same_again_is_told_the_same_whatever_has_become_of_the_execution(status: str):
    aws = StepFunctions()
    first = ask(aws)
    aws.executions["key-1"]["status"] = status
    assert ask(aws) == first


@pytest.mark.parametrize("other", [{"order_id": "8"}, {}, {"order_id": "7", "more": True}])
def test_another_input_is_a_conflict(other: Any):
    aws = StepFunctions()
    ask(aws)
    with pytest.raises(StartedWithOtherInput) as raised:
        ask(aws, other)
    assert raised.value.status == 409


def test_one_that_cannot_be_seen_yet_is_asked_for_again_later():
    aws = StepFunctions()
    aws.errors = ["ExecutionAlreadyExists"]
    with pytest.raises(Contended):
        ask(aws)
    assert len(aws.slept) == 2


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded", "ServiceUnavailable"])
@pytest.mark.parametrize("before", [[], ["ExecutionAlreadyExists"]])
def test_who_comes_when_there_is_no_room_is_told_to_try_again(code: str, before: list[str]):
    aws = StepFunctions()
    aws.errors = [*before, code]
    with pytest.raises(Contended):
        ask(aws)


@pytest.mark.parametrize("before", [[], ["ExecutionAlreadyExists"]])
def test_another_error_is_one(before: list[str]):
    aws = StepFunctions()
    aws.errors = [*before, "AccessDeniedException"]
    with pytest.raises(ClientError):
        ask(aws)


@pytest.mark.parametrize("name", ["saga", "caller"])
def test_keys_of_the_saga_are_no_caller_s_to_give(name: str):
    aws = StepFunctions()
    with pytest.raises(PermanentError, match=f"no key '{name}'") as raised:
        ask(aws, {name: {}})
    assert (raised.value.status, aws.calls) == (400, [])


@pytest.mark.parametrize("body", [[], "text", 1])
def test_a_body_that_is_no_object_is_refused(body: Any):
    with pytest.raises(PermanentError, match="JSON object") as raised:
        ask(StepFunctions(), body)
    assert raised.value.status == 400


def test_an_input_that_leaves_no_room_for_results_is_refused():
    aws = StepFunctions()
    fits = 1_000 - len('{"a":"","caller":{"id":"alice","kind":"lambda"}}')
    ask(aws, {"a": "x" * fits})
    with pytest.raises(PermanentError, match="at most 1,000 bytes") as raised:
        ask(aws, {"a": "x" * (fits + 1)}, key="key-2")
    assert raised.value.status == 413


# Behind the API's own handler.


def an_api(aws: StepFunctions, **settings: Any) -> Api:
    told = route(evidence="lambda", own_keys=True, **{"idempotency": "required", **settings})
    return Api(lambda request, invocation: started(request, invocation, aws.known, 1_000), routes={"POST /c": told})


def posted(api: Api, key: str | None = "mine", **more: Any) -> Any:
    return api.send(event("POST /c", {"a": 1}, key=key, evidence="lambda", **more))


def test_without_a_table_a_key_is_a_caller_s_own_name_for_one_execution():
    aws = StepFunctions()
    api = an_api(aws)
    first = posted(api)
    assert first.status == 202
    assert len(first.json["execution"]) == 64
    assert posted(api, request_id="another").json == first.json
    assert posted(api, "other").json != first.json
    assert len(aws.executions) == 2


def test_a_key_is_asked_for_as_the_route_says():
    assert posted(an_api(StepFunctions()), None).status == 400
    assert posted(an_api(StepFunctions(), idempotency="optional"), None).status == 202


@pytest.mark.parametrize("mode", ["off", "optional"])
def test_without_a_key_each_request_starts_one(mode: str):
    aws = StepFunctions()
    api = an_api(aws, idempotency=mode)
    for request in ("one", "two", "two"):
        posted(api, None, request_id=request)
    assert len(aws.executions) == 2


def test_a_busy_service_is_503_and_says_when_to_come_again():
    aws = StepFunctions()
    aws.errors = ["ThrottlingException"]
    answer = posted(an_api(aws))
    assert (answer.status, answer.header("Retry-After")) == (503, "1")


def test_the_log_holds_nothing_of_the_input():
    aws = StepFunctions()
    api = an_api(aws)
    api.send(event("POST /c", {"card": "4111"}, key="mine", evidence="lambda"))
    api.send(event("POST /c", {"card": "4222"}, key="mine", evidence="lambda"))
    assert "4111" not in api.log_text
    assert "4222" not in api.log_text
