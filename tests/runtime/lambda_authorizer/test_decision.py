import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Caller, Effects, Invocation, PermanentError, Request
from serverless_patterns_runtime.errors import UnusableMessage
from serverless_patterns_runtime.lambda_authorizer.decision import AuthorizerFailed, Unauthorized

from ..rest_api_events import golden
from .authorizer import Authorizer, asked

CANARY = "canary-token-authorizer"

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/live/*/*"


def known(_: Request) -> Caller:
    return Caller("user-7", claims={"scope": "orders:read", "level": 3, "admin": False, "groups": ["a"], "none": None})


def refused(authorizer: Authorizer, sent: Any = None) -> BaseException:
    """What the gateway hears; neither it nor the log says what was sent."""
    with pytest.raises((Unauthorized, AuthorizerFailed)) as raised:
        authorizer.ask(sent)
    told = "".join(traceback.format_exception(raised.value)) + authorizer.log_text
    assert CANARY not in told
    assert str(raised.value) in ("Unauthorized", "the authorizer failed")
    return raised.value


def test_a_known_caller_may_call_the_whole_stage_because_the_gateway_keeps_the_answer():
    assert Authorizer(known).ask() == {
        "principalId": "user-7",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": STAGE}],
        },
        "context": {"scope": "orders:read", "level": "3", "admin": "false", "groups": '["a"]'},
    }


def test_a_path_that_looks_like_another_stage_does_not_widen_the_answer():
    sent = golden("rest_api_authorizer")
    api = sent["methodArn"].split("/")[0]
    for rest in ("live/GET/", "live/GET/admin/*/x", "live/GET//live/GET/x", "live/GET"):
        answer = Authorizer(known).ask(sent | {"methodArn": f"{api}/{rest}"})
        assert answer["policyDocument"]["Statement"][0]["Resource"] == STAGE


def test_nobody_is_unauthorized_in_the_gateway_s_own_word():
    error = refused(Authorizer(lambda _: None))
    assert isinstance(error, Unauthorized)
    assert str(error) == "Unauthorized"


def raising(error: BaseException) -> Authorizer:
    def fail(_: Request) -> None:
        raise error

    return Authorizer(fail)


@pytest.mark.parametrize("error", [PermanentError("expired"), PermanentError("expired", status=401)])
def test_a_refusal_is_unauthorized(error: Exception):
    authorizer = raising(error)
    assert isinstance(refused(authorizer), Unauthorized)
    assert (authorizer.log[0]["outcome"], authorizer.log[0]["reason"]) == ("Unauthorized", "expired")


def test_who_is_known_and_may_not_is_denied_the_whole_stage():
    authorizer = raising(PermanentError("suspended", status=403))
    assert authorizer.ask() == {
        "principalId": "denied",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": STAGE}],
        },
    }
    assert (authorizer.log[0]["outcome"], authorizer.log[0]["reason"]) == ("Denied", "suspended")


FAILURES: list[BaseException] = [
    RuntimeError(CANARY),
    ValueError(f"bad token {CANARY}"),
    KeyError(CANARY),
    SystemExit(CANARY),
    PermanentError("broken", status=500),
    PermanentError("slow down", status=429),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_whatever_else_goes_wrong_lets_nobody_in_and_is_told_without_the_token(error: BaseException):
    authorizer = raising(error)
    heard = refused(authorizer)
    assert isinstance(heard, AuthorizerFailed)
    assert authorizer.log[0]["outcome"] == "Failed"
    assert authorizer.log[0]["level"] == "ERROR"
    assert authorizer.log[0]["error_type"] == type(error).__name__


def test_an_authorizer_s_own_mistake_in_publishing_is_no_401():
    authorizer = raising(UnusableMessage("no Message"))
    assert isinstance(refused(authorizer), AuthorizerFailed)
    assert (authorizer.log[0]["outcome"], authorizer.log[0]["reason"]) == ("Failed", "no Message")


@pytest.mark.parametrize("result", [True, "user-7", {"id": "user-7"}, 1, "", False, {}, Effects(), b"x"], ids=repr)
def test_what_is_no_caller_lets_nobody_in(result: Any):
    authorizer = Authorizer(lambda _: result)
    assert isinstance(refused(authorizer), AuthorizerFailed)
    assert "auth:identify returned" in authorizer.log[0]["reason"]


async def asynchronous(_: Request) -> Caller:
    return Caller("user-7")


def test_a_coroutine_lets_nobody_in():
    assert isinstance(refused(Authorizer(asynchronous)), AuthorizerFailed)


@pytest.mark.parametrize("name", ["principalId", "integrationLatency"])
def test_a_claim_cannot_take_the_place_of_what_the_gateway_says(name: str):
    authorizer = Authorizer(lambda _: Caller("user-7", claims={name: "admin"}))
    assert isinstance(refused(authorizer), AuthorizerFailed)
    assert name in authorizer.log[0]["reason"]


@pytest.mark.parametrize("value", [{1, 2}, object(), float("nan"), b"x"], ids=lambda value: type(value).__name__)
def test_a_claim_without_json_lets_nobody_in(value: Any):
    assert isinstance(refused(Authorizer(lambda _: Caller("user-7", claims={"x": value}))), AuthorizerFailed)


MISSING: list[Any] = [None, "", " ", [], ["Bearer a", "Bearer b"]]


@pytest.mark.parametrize("credential", MISSING, ids=repr)
def test_without_one_credential_the_function_is_not_asked(credential: Any):
    called: list[Any] = []

    def identify(request: Request) -> Caller:
        called.append(request)
        return Caller("user-7")

    assert isinstance(refused(Authorizer(identify), asked(Authorization=credential)), Unauthorized)
    assert called == []


def test_the_credential_is_in_the_header_that_the_api_says():
    authorizer = Authorizer(known, header="X-Token")
    assert authorizer.ask(asked(x_token="t"))["principalId"] == "user-7"
    assert isinstance(refused(authorizer, asked(Authorization="t")), Unauthorized)


def test_the_function_sees_the_request_and_what_its_handler_has():
    seen: list[Request] = []

    def identify(request: Request, invocation: Invocation) -> Caller:
        seen.append(request)
        invocation.logger.info("looking")
        return Caller(f"{invocation.secret('KEY')} {invocation.attempt} {invocation.remaining()}")

    authorizer = Authorizer(identify, KEY="secret")
    assert authorizer.ask()["principalId"] == "secret 1 5.0"
    (request,) = seen
    assert request.headers["authorization"] == "Bearer canary-token-authorizer"
    assert (request.method, request.route, request.path) == ("GET", "GET /orders/{order_id}", "/orders/A-1")
    assert (request.params["order_id"], request.query["expand"]) == ("A-1", "lines")
    assert (request.caller, request.body, request.correlation_id) == (None, None, "web-2")
    assert [line["correlation_id"] for line in authorizer.log] == ["web-2", "web-2"]


@pytest.mark.parametrize("text", ["..", "%2e%2e", "a%2fb", "%00", ";", "%c0%ae", "a\\b"])
def test_a_path_that_readers_take_apart_opens_nothing(text: str):
    sent = golden("rest_api_authorizer")
    sent["pathParameters"] = {"order_id": text}
    assert isinstance(refused(Authorizer(known), sent), Unauthorized)


def test_a_decision_is_one_line_that_names_nobody():
    authorizer = Authorizer(known)
    authorizer.ask()
    (line,) = authorizer.log
    assert {name: line[name] for name in ("message", "outcome", "correlation_id", "duration_ms")} == {
        "message": "caller judged",
        "outcome": "Allowed",
        "correlation_id": "web-2",
        "duration_ms": 0,
    }
    assert len(line["caller"]) == 16
    assert "user-7" not in authorizer.log_text
    assert CANARY not in authorizer.log_text
    assert authorizer.metrics.counts == {"Allowed": 1}
    assert authorizer.metrics.flushes == 1


def test_only_an_interrupt_gets_out_as_it_is():
    with pytest.raises(KeyboardInterrupt):
        raising(KeyboardInterrupt()).ask()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([*golden("rest_api_authorizer"), None]), JSON)
def test_an_event_with_anything_in_it_lets_somebody_in_only_as_the_function_says(name: str | None, value: Any):
    sent = value if name is None else golden("rest_api_authorizer") | {name: value}
    try:
        answer = Authorizer(known).ask(sent)
    except (Unauthorized, AuthorizerFailed):
        return
    assert answer["policyDocument"]["Statement"][0]["Resource"].endswith("/*/*")


@given(st.dictionaries(st.text(), JSON))
def test_claims_are_carried_as_text(claims: dict[str, Any]):
    claims = {name: value for name, value in claims.items() if name not in ("principalId", "integrationLatency")}
    context = Authorizer(lambda _: Caller("user-7", claims=claims)).ask()["context"]
    assert all(isinstance(value, str) for value in context.values())
    assert context == {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in claims.items()
        if value is not None
    }


@pytest.mark.parametrize("name", ["route", "path", "params", "query", "method"])
def test_an_answer_that_holds_for_every_route_cannot_depend_on_one(name: str):
    """Who may see /things could see /admin for a minute, by the gateway's cache alone."""

    def decides(request: Request) -> Caller | None:
        return Caller("user-7") if getattr(request, name) else None

    authorizer = Authorizer(decides, remembered=True)
    assert isinstance(refused(authorizer), AuthorizerFailed), "an error of ours, and no verdict on the caller"
    (line,) = authorizer.log
    assert line["outcome"] == "Failed"
    assert f"request.{name}" in line["reason"]
    assert "results_cache_ttl=Duration.seconds(0)" in line["reason"]
    assert isinstance(refused(Authorizer(lambda _: None)), Unauthorized)
    forgetful = Authorizer(decides, remembered=False)
    assert forgetful.ask()["principalId"] == "user-7"


def test_who_calls_can_be_told_by_the_headers_of_a_remembered_request():
    def identify(request: Request, invocation: Invocation) -> Caller:
        assert "canary" not in repr(request)
        return Caller(
            f"{request.headers['Authorization'][:6]} {len(request.cookies)} {invocation.correlation_id != ''}"
        )

    assert Authorizer(identify, remembered=True).ask()["principalId"].startswith("Bearer")
