"""Nobody gets in without the evidence that the route's authorizer leaves, whatever else the event says."""

from typing import Any

import pytest

from ..rest_api_events import EVIDENCE, event
from .api import Api, route

GUARDED = [kind for kind in EVIDENCE if kind != "none"]

EMPTY = [None, "", " ", 0, False, [], {}, 7, ["user-7"], {"id": "user-7"}]


def place(kind: str, sent: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Where a kind's evidence is."""
    context = sent["requestContext"]
    match kind:
        case "iam":
            return context["identity"], "userArn"
        case "cognito":
            return context["authorizer"]["claims"], "sub"
        case _:
            return context["authorizer"], "principalId"


def send(kind: str, sent: dict[str, Any]) -> int:
    """The status; the function must have been called exactly when it is a success."""
    called: list[Any] = []
    answered = Api(called.append, routes={"GET /things": route(evidence=kind)}).send(sent)
    if answered.status != 204:
        assert answered.problem == {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "the request is not authenticated",
        }
    assert bool(called) == (answered.status == 204)
    return answered.status


@pytest.mark.parametrize("kind", GUARDED)
def test_the_evidence_of_the_route_s_authorizer_lets_the_request_in(kind: str):
    assert send(kind, event("GET /things", evidence=kind)) == 204


@pytest.mark.parametrize("kind", GUARDED)
@pytest.mark.parametrize("other", EVIDENCE)
def test_evidence_of_another_kind_does_not(kind: str, other: str):
    if kind != other:
        assert send(kind, event("GET /things", evidence=other)) == 401


@pytest.mark.parametrize("kind", GUARDED)
@pytest.mark.parametrize("value", EMPTY, ids=repr)
def test_empty_evidence_does_not(kind: str, value: Any):
    sent = event("GET /things", evidence=kind)
    where, name = place(kind, sent)
    where[name] = value
    assert send(kind, sent) == 401


@pytest.mark.parametrize("kind", GUARDED)
def test_missing_evidence_does_not(kind: str):
    sent = event("GET /things", evidence=kind)
    where, name = place(kind, sent)
    del where[name]
    assert send(kind, sent) == 401


@pytest.mark.parametrize("kind", GUARDED)
@pytest.mark.parametrize("name", ["authorizer", "identity"])
@pytest.mark.parametrize("value", EMPTY, ids=repr)
def test_a_context_without_its_parts_does_not(kind: str, name: str, value: Any):
    sent = event("GET /things", evidence=kind)
    sent["requestContext"][name] = value
    other_part = (name == "identity") != (kind == "iam")
    assert send(kind, sent) == (204 if other_part else 401)
    del sent["requestContext"][name]
    assert send(kind, sent) == (204 if other_part else 401)


def test_claims_of_cognito_that_are_no_object_do_not():
    for value in EMPTY:
        sent = event("GET /things", evidence="cognito")
        sent["requestContext"]["authorizer"]["claims"] = value
        assert send("cognito", sent) == 401


@pytest.mark.parametrize("kind", ["jwt", "", None, "None"])
def test_a_kind_of_evidence_that_this_version_does_not_know_lets_nobody_in(kind: Any):
    for other in EVIDENCE:
        assert send(kind, event("GET /things", evidence=other)) == 401


def test_nothing_that_a_client_sends_is_evidence():
    forged = {
        "principalId": "user-7",
        "sub": "user-7",
        "userArn": "arn",
        "authorizer": "user-7",
        "X-Principal": "user-7",
    }
    for kind in GUARDED:
        sent = event("GET /things", query=forged, headers=forged)
        assert send(kind, sent) == 401


def test_a_public_route_has_no_caller_whoever_calls():
    callers: list[Any] = []
    for kind in EVIDENCE:
        Api(lambda request: callers.append(request.caller)).send(event(evidence=kind))
    assert callers == [None] * 4


def test_evidence_comes_before_everything_else():
    """A stranger learns nothing about limits, schemas and keys."""
    routes = {"POST /things": route(evidence="iam", idempotency="required")}
    api = Api(lambda _: None, routes=routes, max_body_bytes=1)
    assert api.send(event(body="{", content_type="text/plain")).status == 401


def test_users_of_an_identity_pool_are_several_callers():
    """They have one ARN in common: that of the pool's role and of one session."""
    callers: list[Any] = []
    arn = "arn:role/CognitoIdentityCredentials"
    for user in ("us-east-1:ann", "us-east-1:bob", None):
        sent = event("GET /things", evidence="iam")
        sent["requestContext"]["identity"] |= {
            "userArn": "arn:role/CognitoIdentityCredentials",
            "cognitoIdentityId": user,
        }
        Api(lambda request: callers.append(request.caller.id), routes={"GET /things": route(evidence="iam")}).send(sent)
    assert callers == [f"{arn}us-east-1:ann", f"{arn}us-east-1:bob", arn]


def test_sessions_of_a_role_are_several_callers():
    """They may be several people: an answer of one is never shown to another (docs/decisions/0018)."""
    callers: set[str] = set()
    for session in ("ann@example.com", "bob@example.com"):
        sent = event("GET /things", evidence="iam")
        sent["requestContext"]["identity"]["userArn"] = f"arn:aws:sts::111111111111:assumed-role/Staff/{session}"
        Api(lambda request: callers.add(request.caller.id), routes={"GET /things": route(evidence="iam")}).send(sent)
    assert len(callers) == 2


def test_what_the_gateway_puts_beside_the_claims_is_no_claim():
    from serverless_patterns_runtime.lambda_authorizer.contract import RESERVED

    claims: list[Any] = []
    sent = event("GET /things", evidence="lambda")
    sent["requestContext"]["authorizer"] |= dict.fromkeys(RESERVED, "7")
    Api(lambda request: claims.append(request.caller.claims), routes={"GET /things": route(evidence="lambda")}).send(
        sent
    )
    assert not {*claims[0]} & {*RESERVED}
