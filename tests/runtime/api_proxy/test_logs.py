"""What is written down of a request: one JSON line and one count, enough to find it, nothing of what is in it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Invocation, PermanentError, Request, Response

from ..rest_api_events import event, golden
from .api import Api, route

CANARY = "canary-4111-1111"

ROUTINE = {"timestamp", "location", "service"}


def fail(_: Request) -> None:
    raise RuntimeError(CANARY)


def test_a_request_is_one_line_with_what_finds_it():
    api = Api(lambda _: None, routes={"POST /things/{thing}": route(evidence="lambda")})
    sent = event(
        "POST /things/{thing}", params={"thing": "t"}, headers={"X-Correlation-Id": "web-1"}, evidence="lambda"
    )
    api.send(sent)
    (line,) = api.log
    caller = line.pop("caller")
    assert {name: line[name] for name in line.keys() - ROUTINE} == {
        "level": "INFO",
        "message": "request answered",
        "outcome": "Succeeded",
        "status": 204,
        "duration_ms": 0,
        "route": "POST /things/{thing}",
        "correlation_id": "web-1",
        "function_request_id": "request-1",
    }
    assert len(caller) == 16
    assert "user-7" not in api.log_text


def test_a_caller_is_the_same_on_every_line_and_nobody_else():
    api = Api(lambda _: None, routes={"GET /things": route(evidence="lambda")})
    sent = event("GET /things", evidence="lambda")
    api.send(sent)
    api.send(sent)
    sent["requestContext"]["authorizer"]["principalId"] = "user-8"
    api.send(sent)
    first, again, other = (line["caller"] for line in api.log)
    assert first == again != other


def test_a_public_request_s_line_names_no_caller():
    api = Api(lambda _: None)
    api.post()
    assert "caller" not in api.log[0]


def test_a_line_says_how_long_it_took():
    api = Api(lambda _: None)

    def wait(_: Request) -> None:
        api.clock.sleep(0.25)

    api.function = wait
    api.post()
    assert api.log[0]["duration_ms"] == 250


@pytest.mark.parametrize(
    ("result", "level", "outcome"),
    [
        ({}, "INFO", "Succeeded"),
        (Response(304), "INFO", "Succeeded"),
        (Response(404), "INFO", "Refused"),
        (PermanentError("no"), "INFO", "Refused"),
        (PermanentError("later", status=503), "ERROR", "Failed"),
        (Response(500), "ERROR", "Failed"),
        (RuntimeError("no"), "ERROR", "Failed"),
        ({1, 2}, "ERROR", "Failed"),
    ],
)
def test_a_request_is_counted_by_its_outcome_and_failures_are_errors(result: Any, level: str, outcome: str):
    def answer(_: Request) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    api = Api(answer)
    api.post()
    api.post()
    assert [(line["level"], line["outcome"]) for line in api.log] == [(level, outcome)] * 2
    assert api.metrics.counts == {outcome: 2}
    assert api.metrics.flushes == 2


def test_a_failure_s_line_says_where_and_not_what_was_said():
    api = Api(fail)
    api.post()
    (line,) = api.log
    assert line["error_type"] == "RuntimeError"
    assert line["error_location"][-1].endswith(" fail")
    assert CANARY not in api.log_text


def test_an_error_s_text_is_logged_at_debug_level_only():
    for level, told in {"DEBUG": True, "INFO": False, "WARNING": False, "ERROR": False}.items():
        api = Api(fail, level=level)
        api.post()
        assert (CANARY in api.log_text) is told
        assert len(api.log) == 1


def test_a_refusal_s_line_says_why_in_the_words_that_the_caller_was_given():
    def refuse(_: Request) -> None:
        raise PermanentError("out of stock\nforged", status=409)

    api = Api(refuse)
    api.post()
    (line,) = api.log
    assert (line["status"], line["reason"], line["error_type"]) == (409, "out of stock\nforged", "PermanentError")


def test_a_service_that_cannot_be_reached_is_said_plainly():
    def ask(_: Request) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb.invalid")

    api = Api(ask)
    api.post()
    assert api.log[0]["hint"].startswith(
        "cannot reach https://dynamodb.invalid: a function in a VPC needs a route to it"
    )


def test_the_function_s_own_lines_carry_the_request_s_ids_and_its_keys_end_with_it():
    def talk(request: Request, invocation: Invocation) -> None:
        invocation.logger.info("halfway", extra={"step": 1})
        invocation.logger.append_keys(customer=request.query.get("customer"))  # type: ignore[attr-defined]

    api = Api(talk)
    api.post(query={"customer": "ALFKI"}, headers={"X-Correlation-Id": "web-1"})
    api.post(headers={"X-Correlation-Id": "web-2"})
    own = [line for line in api.log if line["message"] == "halfway"]
    assert [(line["correlation_id"], line["route"], line.get("customer")) for line in own] == [
        ("web-1", "POST /things", None),
        ("web-2", "POST /things", None),
    ]


GOLDEN = {
    "rest_api_cognito": route(evidence="cognito"),
    "rest_api_lambda": route(evidence="lambda", query="no"),
    "rest_api_iam": route(evidence="iam", content="bytes"),
    "rest_api_public": route(),
}


def leak(request: Request, invocation: Invocation) -> Any:
    invocation.logger.info("looking", extra={"request": request})
    match request.method:
        case "GET":
            raise ValueError(f"{request.body} {dict(request.headers)} {dict(request.query)} {request.caller}")
        case "POST":
            try:
                raise KeyError(dict(request.headers))
            except KeyError as cause:
                raise RuntimeError(request.body) from cause
        case _:
            return {"bytes": request.body}


@pytest.mark.parametrize("name", GOLDEN)
def test_no_line_holds_a_body_a_token_a_cookie_a_query_or_a_claim(name: str):
    sent = golden(name)
    settings = GOLDEN[name]
    settings.pop("query", None)
    secrets = ["canary", "Käse", "alfki", "5b1c7a52", "quantity", "JVBERi0", "paid", "user-7", "Uploader", "theme"]
    api = Api(leak, routes={f"{sent['httpMethod']} {sent['resource']}": settings})
    answered = api.send(sent)
    assert answered.status == 500
    assert len(api.log) == 2
    for secret in secrets:
        assert secret not in api.log_text.replace("rest_api_", "")
        assert secret not in json.dumps(answered.result)


TEXTS = st.text(max_size=20)


@settings(max_examples=60)
@given(TEXTS, TEXTS, TEXTS)
def test_whatever_is_sent_a_log_is_one_json_object_a_line(correlation_id: str, words: str, said: str):
    def refuse(_: Request, invocation: Invocation) -> None:
        invocation.logger.info("looking", extra={"said": said})
        raise PermanentError(words)

    api = Api(refuse)
    api.post(headers={"X-Correlation-Id": correlation_id})
    assert [line["message"] for line in api.log] == ["looking", "request answered"]
    assert api.log[0]["said"] == said
