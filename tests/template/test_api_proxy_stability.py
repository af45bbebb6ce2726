"""The same input gives the same template; what holds data keeps its logical id; flags change nothing that matters."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from serverless_patterns import Cors, Handler, HttpBackend, LambdaAuthorizer, MockResponse, Route
from tests.template.apis import ORDER, an_api, get, take
from tests.template.stacks import a_handler, a_table, new_stack
from tests.template.test_stability import FLAGS, masked, resources_of

# Renaming one of these forgets the keys, or changes the address, of everybody who updates: it needs a major version.
STATEFUL = {
    "ApiClaims10FDFF5E": "AWS::DynamoDB::Table",
    "ApiRestApiE35FEAFE": "AWS::ApiGateway::RestApi",
    "ApiRestApiDeploymentStageliveAFF7724B": "AWS::ApiGateway::Stage",
}


def an_ordinary_stack(context: dict[str, Any] | None = None) -> Stack:
    stack = new_stack(context)
    an_api(
        stack,
        Route("GET /orders/{order_id}", get(tables={"ORDERS": a_table(stack)})),
        Route("POST /payments", take(), body=ORDER),
        Route("ANY /legacy/{proxy+}", HttpBackend("https://legacy.example.com/{proxy}")),
        Route("GET /health", MockResponse(200, {"status": "ok"}), public=True),
        authorizer=LambdaAuthorizer(a_handler("web:identify")),
        cors=Cors(allow_origins=["https://shop.example.com"]),
    )
    return stack


@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "all flags"])
def test_what_holds_data_or_an_address_keeps_its_logical_id(context: dict[str, Any]) -> None:
    found = resources_of(an_ordinary_stack(context))
    holding = {id: it["Type"] for id, it in found.items() if it["Type"] in STATEFUL.values() and id.startswith("Api")}
    assert holding == STATEFUL


def test_the_name_in_metrics_is_frozen_too() -> None:
    assert resources_of(an_ordinary_stack())["ApiRestApiE35FEAFE"]["Properties"]["Name"] == "Shop-Api-4E8988D1"


def test_feature_flags_change_no_resource_of_ours() -> None:
    without, with_flags = (masked(an_ordinary_stack(context)) for context in ({}, FLAGS))
    assert with_flags == without


def test_an_edit_of_the_code_changes_the_function_and_not_the_deployment(tmp_path: Path) -> None:
    """A new deployment of the gateway for each edit of a function would cost time and roll nothing out."""
    templates: list[dict[str, Any]] = []
    for text in ("def get(request): ...", "def get(request): ...  # edited"):
        (tmp_path / "web.py").write_text(text)
        stack = new_stack()
        an_api(stack, Route("GET /orders", Handler(tmp_path, "web:get")))
        templates.append(resources_of(stack))
    changed = [id for id in templates[0] if templates[1].get(id) != templates[0][id]]
    assert [id[:-8] for id in changed] == ["ApiWebGet"]


def test_the_same_code_gives_the_same_asset_wherever_it_is(tmp_path: Path) -> None:
    templates: list[str] = []
    for folder in ("here", "there"):
        code = tmp_path / folder / "handlers"
        code.mkdir(parents=True)
        (code / "web.py").write_text("def get(request): ...")
        if folder == "there":
            (code / "__pycache__").mkdir()
            (code / "__pycache__/web.cpython-311.pyc").write_text("left behind")
        stack = new_stack()
        an_api(stack, Route("GET /orders", Handler(code, "web:get")))
        templates.append(json.dumps(Template.from_stack(stack).to_json()))
    assert templates[0] == templates[1]


def test_the_template_reads_like_this(snapshot: SnapshotAssertion) -> None:
    """The few words that a reviewer sees change; what they mean is held by the other tests."""
    kept = ("ApiGateway::", "Lambda::Function", "Lambda::Permission", "DynamoDB::Table")
    ours = {
        id: it for id, it in masked(an_ordinary_stack()).items() if it["Type"].removeprefix("AWS::").startswith(kept)
    }
    text = re.sub(r"(RestApiDeployment[0-9A-F]{8})[0-9a-f]{32}", r"\1<hash>", json.dumps(ours))
    assert json.loads(text) == snapshot.use_extension(JSONSnapshotExtension)
