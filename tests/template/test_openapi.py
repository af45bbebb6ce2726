"""The OpenAPI document: valid, complete, and true of what is deployed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import aws_apigateway as apigateway
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from serverless_patterns import (
    ApiProxy,
    Cors,
    HttpBackend,
    IamAuthorizer,
    LambdaAuthorizer,
    MockResponse,
    Route,
    UsagePlan,
)
from serverless_patterns._api_proxy.credentials import Credential
from serverless_patterns._api_proxy.openapi import openapi
from serverless_patterns._api_proxy.schemas import schema_name
from tests.template.apis import ORDER, a_function, an_api, get, methods, take
from tests.template.stacks import a_handler, a_queue, new_stack

QUERY = {
    "type": "object",
    "required": ["page"],
    "properties": {"page": {"type": "integer", "minimum": 1}, "tag": {"type": "array", "items": {"type": "string"}}},
}


def everything() -> tuple[Any, ApiProxy]:
    stack = new_stack()
    authorizer = LambdaAuthorizer(a_handler("web:identify"))
    api = an_api(
        stack,
        Route("POST /orders", a_queue(stack), body=ORDER, respond={"order_id": "$.order_id"}),
        Route("PUT /orders", a_queue(stack, "Other", idempotency_key="order_id"), authorizer=IamAuthorizer()),
        Route("GET /orders", get(), query=QUERY),
        Route("GET /orders/{order_id}", get(), public=True),
        Route("POST /payments", take(), body=ORDER, api_key_required=True),
        Route("PUT /photos/{photo_id}", get(), body=bytes),
        Route("ANY /legacy/{proxy+}", HttpBackend("https://legacy.example.com/{proxy}")),
        Route("DELETE /own", a_function(stack)),
        Route("GET /health", MockResponse(200, {"status": "ok"}), public=True),
        Route("GET /gone", MockResponse(404, {"gone": True}), public=True),
        authorizer=authorizer,
        cors=Cors(allow_origins=["*"]),
        binary_media_types=["image/png"],
        usage_plans=[UsagePlan("free")],
    )
    return stack, api


STACK, API = everything()
DOCUMENT = API.openapi()


def operations(document: Any = DOCUMENT) -> Iterator[tuple[str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_is_valid_openapi_3_1() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []
    assert DOCUMENT["openapi"] == "3.1.0"


def test_the_document_is_json_and_holds_no_token() -> None:
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT
    assert "Token[" not in json.dumps(DOCUMENT)


def test_the_document_has_exactly_the_methods_that_are_deployed() -> None:
    deployed = {name for name in methods(STACK) if not name.startswith("OPTIONS ")}
    told = {name.replace("{proxy}", "{proxy+}") for name, _ in operations()}
    every = {f"{method} /legacy/{{proxy+}}" for method in ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]}
    assert told == (deployed - {"ANY /legacy/{proxy+}"}) | every


def test_every_parameter_of_a_path_is_told_and_required() -> None:
    for name, operation in operations():
        told = {one["name"]: one["required"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert told == {part.strip("{}"): True for part in name.split("/") if part.startswith("{")}


def parameters(name: str, where: str) -> dict[str, Any]:
    return {one["name"]: one for one in dict(operations())[name].get("parameters", []) if one["in"] == where}


def test_query_parameters_are_those_of_the_schema() -> None:
    told = parameters("GET /orders", "query")
    assert {name: one["required"] for name, one in told.items()} == {"page": True, "tag": False}
    assert told["page"]["schema"] == {"type": "integer", "minimum": 1}
    assert told["tag"]["schema"] == {"type": "array", "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("route", "required"),
    [("POST /orders", True), ("PUT /orders", None), ("POST /payments", True), ("GET /orders", None)],
)
def test_a_key_is_told_where_one_counts(route: str, required: bool | None) -> None:
    told = parameters(route, "header").get("Idempotency-Key")
    assert (told and told["required"]) is required
    assert ("409" in dict(operations())[route]["responses"]) is (route == "POST /payments")


def test_on_a_route_for_any_method_a_key_is_told_as_the_method_asks_for_it() -> None:
    told = an_api(new_stack(), Route("ANY /any", take())).openapi()["paths"]["/any"]
    headers = {method: [one["required"] for one in it.get("parameters", [])] for method, it in told.items()}
    assert headers["post"] == headers["patch"] == [True]
    assert headers["get"] == headers["head"] == []


def test_bodies_refer_to_one_schema_for_each_that_is_distinct() -> None:
    told = {name: operation["requestBody"] for name, operation in operations() if "requestBody" in operation}
    reference = {"$ref": f"#/components/schemas/{schema_name(ORDER)}"}
    for name in ("POST /orders", "POST /payments"):
        assert told[name] == {"required": True, "content": {"application/json": {"schema": reference}}}
    assert list(told["PUT /photos/{photo_id}"]["content"]) == ["application/octet-stream"]
    assert "GET /orders" not in told
    assert set(DOCUMENT["components"]["schemas"]) == {"Problem", schema_name(ORDER)}


OTHERS = [name for name, _ in operations() if "/legacy/" in name or name in ("DELETE /own", "GET /gone", "GET /health")]


def test_every_error_of_ours_is_a_problem() -> None:
    for name, operation in operations():
        if name in OTHERS:
            continue
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert response["$ref"] == "#/components/responses/Problem", (name, status)
    content = DOCUMENT["components"]["responses"]["Problem"]["content"]
    assert list(content) == ["application/problem+json"]


def test_what_is_behind_the_door_answers_as_it_likes_and_its_door_with_problems() -> None:
    told = {name: operation["responses"] for name, operation in operations() if name in OTHERS}
    assert len(told) == 10
    for name, responses in told.items():
        own = {status for status, response in responses.items() if "content" not in response}
        assert own == {"GET /gone": {"404"}, "GET /health": {"200"}}.get(name, {"default"})
        assert "$ref" not in json.dumps([responses[status] for status in own])
        for status in {*responses} - own:
            assert set(responses[status]["content"]) == {"application/problem+json", "*/*"}


def test_what_others_take_is_not_said_to_be_json() -> None:
    told = dict(operations())
    assert told["POST /legacy/{proxy}"]["requestBody"] == {"content": {"*/*": {}}}
    assert not {"415"} & {*told["POST /legacy/{proxy}"]["responses"]}


def test_any_with_bytes_asks_for_a_body_only_where_one_can_be() -> None:
    api = an_api(new_stack(), Route("ANY /x", get(), body=bytes), binary_media_types=["image/png"])
    with_body = [name for name, operation in operations(api.openapi()) if "requestBody" in operation]
    assert sorted(with_body) == ["PATCH /x", "POST /x", "PUT /x"]


def test_the_credential_is_where_the_authorizer_looks_for_it() -> None:
    stack = new_stack()
    sources = [apigateway.IdentitySource.header("X-Token"), apigateway.IdentitySource.query_string("code")]
    check = a_function(stack)
    by_both = apigateway.RequestAuthorizer(stack, "Both", handler=check, identity_sources=sources)  # pyright: ignore
    by_one = apigateway.TokenAuthorizer(stack, "One", handler=check, identity_source=sources[0])  # pyright: ignore
    document = an_api(
        stack,
        Route("GET /both", MockResponse(), authorizer=by_both),
        Route("GET /one", MockResponse(), authorizer=by_one),
    ).openapi()
    asked = {name: operation["security"] for name, operation in operations(document)}
    assert asked["GET /both"] == [{"AuthorizerXToken": [], "AuthorizerCode": []}]
    assert asked["GET /one"] == [{"AuthorizerXToken": []}]
    schemes = document["components"]["securitySchemes"]
    assert {name: (it["in"], it["name"]) for name, it in schemes.items()} == {
        "AuthorizerXToken": ("header", "X-Token"),
        "AuthorizerCode": ("query", "code"),
    }
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_a_queue_answers_with_the_fields_that_it_was_asked_for() -> None:
    told = {name: operation["responses"].get("202") for name, operation in operations()}
    schema = told["POST /orders"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["order_id"]
    assert told["PUT /orders"]["content"]["application/json"]["schema"]["required"] == ["id"]
    assert [name for name, answer in told.items() if answer] == ["POST /orders", "PUT /orders"]


def test_a_route_asks_for_what_its_authorizer_asks_for_and_a_public_one_for_nothing() -> None:
    asked = {name: operation["security"] for name, operation in operations()}
    assert asked["GET /health"] == asked["GET /orders/{order_id}"] == []
    assert asked["PUT /orders"] == [{"AwsSignature": []}]
    assert asked["GET /orders"] == [{"Authorizer": []}]
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["AwsSignature"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert all("401" in operation["responses"] for name, operation in operations() if asked[name])


def test_another_header_and_an_api_key_are_told() -> None:
    routes = [(one.facts, one.target) for one in API._routes.values()]
    document = openapi(
        "Api",
        routes,
        credentials={"GET /orders": [Credential("header", "X-Token")]},
        with_api_key={"POST /payments", "GET /health"},
    )
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    asked = {name: operation["security"] for name, operation in operations(document)}
    assert asked["GET /orders"] == [{"AuthorizerXToken": []}]
    assert asked["POST /payments"] == [{"Authorizer": [], "ApiKey": []}]
    assert asked["GET /health"] == [{"ApiKey": []}]
    assert document["components"]["securitySchemes"]["AuthorizerXToken"]["name"] == "X-Token"


def test_the_order_of_the_routes_changes_nothing() -> None:
    routes = [(one.facts, one.target) for one in API._routes.values()]
    assert json.dumps(openapi("Api", routes)) == json.dumps(openapi("Api", routes[::-1]))


DEPENDENT = {
    "properties": {"a": {"type": "string"}, "b": {"not": {"enum": [1]}}},
    "dependencies": {"a": ["b"], "b": {"required": ["c"], "dependencies": {"c": ["a"]}}},
    "patternProperties": {"^x": {"type": "null"}},
    "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
}
DEPENDENT_TOLD = an_api(new_stack(), Route("POST /x", get(), body=DEPENDENT)).openapi()["components"]["schemas"]
NAMES = st.sampled_from(["a", "b", "c", "x", "y"])


@given(value=st.dictionaries(NAMES, st.sampled_from([None, True, 1, 2, "s"])))
def test_a_schema_in_the_document_judges_as_the_gateway_does(value: Any) -> None:
    assert Draft202012Validator(DEPENDENT_TOLD[schema_name(DEPENDENT)]).is_valid(value) == Draft4Validator(
        DEPENDENT
    ).is_valid(value)
