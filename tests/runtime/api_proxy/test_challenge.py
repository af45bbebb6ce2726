"""A function's 401 says what would be taken, as the route's settings have it."""

from typing import Any

import pytest

from serverless_patterns_runtime import PermanentError, Response

from ..rest_api_events import event
from .api import Answered, Api, route

BEARER = "Bearer"
UNAUTHENTICATED = event("GET /things", evidence="none")


def answered(result: Any, sent: dict[str, Any], **settings: Any) -> Answered:
    def function(_: Any) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    return Api(function, routes={"GET /things": route(**settings)}).send(sent)


@pytest.mark.parametrize(
    ("evidence", "challenge"), [("lambda", BEARER), ("cognito", BEARER), ("iam", "AWS4-HMAC-SHA256")]
)
def test_who_is_turned_away_for_want_of_evidence_is_told_what_would_be_taken(evidence: str, challenge: str):
    answer = answered(None, UNAUTHENTICATED, evidence=evidence, challenge=challenge)
    assert (answer.status, answer.header("WWW-Authenticate")) == (401, challenge)


@pytest.mark.parametrize("result", [PermanentError("no", status=401), Response(401)])
def test_a_401_of_the_business_function_says_it_too(result: Any):
    sent = event("GET /things", evidence="lambda")
    assert answered(result, sent, evidence="lambda", challenge=BEARER).header("WWW-Authenticate") == BEARER


@pytest.mark.parametrize("name", ["WWW-Authenticate", "www-authenticate"])
def test_what_the_business_function_says_itself_stands(name: str):
    answer = answered(
        Response(401, headers={name: "Basic"}),
        event("GET /things", evidence="lambda"),
        evidence="lambda",
        challenge=BEARER,
    )
    assert answer.header("WWW-Authenticate") == "Basic"


@pytest.mark.parametrize("result", [None, Response(403), PermanentError("no", status=404)])
def test_no_other_status_says_it(result: Any):
    sent = event("GET /things", evidence="lambda")
    assert answered(result, sent, evidence="lambda", challenge=BEARER).header("WWW-Authenticate") is None


def test_a_public_route_has_nothing_to_ask_for():
    assert answered(Response(401), event("GET /things")).header("WWW-Authenticate") is None
