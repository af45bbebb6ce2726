"""The handler as Lambda loads it: by its variables and files, with real Powertools, over a scripted client."""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.metrics import Metrics

import serverless_patterns_runtime
from serverless_patterns_runtime import clients
from serverless_patterns_runtime.api_proxy import contract, handler
from serverless_patterns_runtime.api_proxy.settings import ClaimsSettings, Settings

from .. import scripted_aws
from ..consumer import Clock, Context
from ..rest_api_events import event, golden
from .api import Answered, route

SOURCE = """
from serverless_patterns_runtime import Effects, PermanentError, Put, Request, Response

def get(request: Request) -> Response:
    return Response(200, {"limit": request.query["limit"]})

def take(request, invocation) -> Effects:
    invocation.logger.info("taking a payment")
    return Effects([Put("PAYMENTS", {"id": request.body["id"]})], result=Response(201, {"id": request.body["id"]}))

def health(request):
    return {"status": "ok"}
"""

SCHEMAS = """
from serverless_patterns_runtime.api_proxy.mismatch import Mismatch

def schema_1(value):
    if "id" not in value:
        raise Mismatch("required")

def schema_2(value):
    if not isinstance(value["limit"], int):
        raise Mismatch("type", "limit")
"""

ROUTES = {
    "GET /orders": route(evidence="lambda", query="schema_2", query_types={"limit": "integer"}),
    "POST /payments": route(body="schema_1", idempotency="required"),
}

VARIABLES = {
    "BUSINESS_FUNCTION": "shop_api:get",
    "RETURNS_EFFECTS": "false",
    "TABLES": "",
    "MAX_BODY_BYTES": "1048576",
    "BINARY_MEDIA_TYPES": "image/png,application/pdf",
    "CORS": json.dumps({"origins": ["*"], "credentials": False, "expose_headers": ["X-Correlation-Id"]}),
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}

CLAIMS = {"CLAIMS_TABLE_NAME": "claims", "CLAIMS_NAMESPACE": "Api", "CLAIMS_RETENTION_SECONDS": "604800"}

EFFECTS = {"BUSINESS_FUNCTION": "shop_api:take", "RETURNS_EFFECTS": "true", "TABLES": "PAYMENTS", "PAYMENTS": "p-1"}


class World:
    """A function's folder and variables, and its one client."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.dynamodb = scripted_aws.dynamodb()
        self.asked: list[str] = []
        (folder / "shop_api.py").write_text(SOURCE)
        (folder / f"{contract.SCHEMAS_MODULE}.py").write_text(SCHEMAS)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setattr(clients, "client", self._client)
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(folder))
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"api-{folder.name}")
        monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
        self.is_told(ROUTES["GET /orders"], "GET /orders", {})

    def is_told(self, settings: Any, name: str, variables: dict[str, str]) -> None:
        (self.folder / contract.ROUTES_FILE).write_text(json.dumps({name: settings}))
        for variable, value in (VARIABLES | variables).items():
            self.monkeypatch.setenv(variable, value)
        handler._edge.cache_clear()

    def send(self, sent: dict[str, Any]) -> Answered:
        return Answered(json.loads(json.dumps(handler.lambda_handler(sent, Context(Clock(time.time()))))))

    def _client(self, service: str) -> Any:
        self.asked.append(service)
        return self.dynamodb


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    yield World(tmp_path, monkeypatch)
    handler._edge.cache_clear()
    sys.modules.pop("shop_api", None)
    sys.modules.pop(contract.SCHEMAS_MODULE, None)
    Metrics().clear_metrics()


def test_a_golden_request_goes_through_the_whole_handler(world: World, capsys: pytest.CaptureFixture[str]):
    answered = world.send(golden("rest_api_lambda"))
    assert (answered.status, answered.json) == (200, {"limit": 20})
    assert answered.header("Access-Control-Allow-Origin") == "*"
    assert answered.header("Access-Control-Expose-Headers") == "X-Correlation-Id"
    line, metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["outcome"], line["route"]) == ("Succeeded", "GET /orders")
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "ServerlessPatterns"
    assert metrics["Succeeded"] == [1.0]
    assert world.asked == []


def test_metrics_of_one_request_are_not_in_the_next_one_s(world: World, capsys: pytest.CaptureFixture[str]):
    for _ in range(2):
        world.send(golden("rest_api_lambda"))
    metrics = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]
    assert [line["Succeeded"] for line in metrics] == [[1.0], [1.0]]


def test_a_payment_is_committed_with_its_key_and_its_answer(world: World):
    world.is_told(ROUTES["POST /payments"], "POST /payments", EFFECTS | CLAIMS)
    answered = world.send(event("POST /payments", {"id": "p-7"}, key="k-1"))
    assert (answered.status, answered.json) == (201, {"id": "p-7"})
    (transaction,) = world.dynamodb.requests("TransactWriteItems")
    claim, put = transaction["TransactItems"]
    assert claim["Put"]["TableName"] == "claims"
    assert claim["Put"]["Item"]["claim"]["S"].startswith("Api#")
    assert json.loads(claim["Put"]["Item"]["answer"]["S"])["body"] == '{"id":"p-7"}'
    assert put["Put"]["TableName"] == "p-1"
    assert set(world.asked) == {"dynamodb"}


def test_a_schema_s_validator_is_the_generated_one(world: World):
    answered = world.send(event("GET /orders", query={"limit": "many"}, evidence="lambda"))
    assert answered.problem["errors"] == [{"pointer": "/limit", "rule": "type"}]
    world.is_told(ROUTES["POST /payments"], "POST /payments", EFFECTS | CLAIMS)
    assert world.send(event("POST /payments", {}, key="k-1")).status == 400
    assert world.dynamodb.calls == []


def test_a_request_without_the_key_that_its_route_needs_calls_nothing(world: World):
    world.is_told(ROUTES["POST /payments"], "POST /payments", EFFECTS | CLAIMS)
    assert "Idempotency-Key" in world.send(event("POST /payments", {"id": "p-7"})).problem["detail"]
    assert world.dynamodb.calls == []


def test_what_is_settled_at_init_is_settled_once(world: World, monkeypatch: pytest.MonkeyPatch):
    world.send(golden("rest_api_lambda"))
    monkeypatch.delenv("MAX_BODY_BYTES")
    (world.folder / contract.ROUTES_FILE).unlink()
    assert world.send(golden("rest_api_lambda")).status == 200


@pytest.mark.parametrize("name", ["BUSINESS_FUNCTION", "RETURNS_EFFECTS", "TABLES", *contract.Env._fields])
def test_a_missing_variable_is_an_error_that_names_it(world: World, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.delenv(name)
    with pytest.raises(KeyError) as raised:
        world.send(golden("rest_api_public"))
    assert raised.value.args == (name,)


@pytest.mark.parametrize("name", CLAIMS)
def test_where_a_key_can_be_claimed_the_claims_variables_must_be_there(world: World, name: str):
    others = {variable: value for variable, value in CLAIMS.items() if variable != name}
    kept: Any = {"GET": "off", "POST": "required"}
    for settings, variables in ((route(idempotency="optional"), {}), (route(idempotency=kept), {}), (route(), EFFECTS)):
        world.is_told(settings, "GET /orders", variables | others)
        with pytest.raises(KeyError) as raised:
            world.send(golden("rest_api_public"))
        assert raised.value.args == (name,)


def test_settings_say_what_the_construct_said(world: World):
    assert Settings.from_environment().claims is None
    world.is_told(ROUTES["POST /payments"], "POST /payments", EFFECTS | CLAIMS | {"CORS": ""})
    assert Settings.from_environment() == Settings(
        business_function="shop_api:take",
        returns_effects=True,
        tables={"PAYMENTS": "p-1"},
        claims=ClaimsSettings("claims", "Api", 604_800),
        max_body_bytes=1_048_576,
        binary_media_types=("image/png", "application/pdf"),
        cross_origin=None,
        routes={"POST /payments": ROUTES["POST /payments"]},
    )


@pytest.mark.parametrize("broken", [{"BUSINESS_FUNCTION": "absent:get"}, {"BUSINESS_FUNCTION": "shop_api:absent"}])
def test_inside_lambda_a_broken_import_shows_at_init(world: World, broken: dict[str, str]):
    world.is_told(ROUTES["GET /orders"], "GET /orders", broken)
    world.monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")
    with pytest.raises((ModuleNotFoundError, AttributeError), match="absent"):
        importlib.reload(handler)
    world.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    importlib.reload(handler)


def test_a_validator_that_was_not_deployed_shows_at_init(world: World):
    world.is_told(route(body="schema_9"), "GET /orders", {})
    with pytest.raises(AttributeError, match="schema_9"):
        world.send(golden("rest_api_public"))


def test_the_contract_names_the_handler():
    module, _, name = contract.HANDLER.rpartition(".")
    assert getattr(importlib.import_module(module), name) is importlib.import_module(module).lambda_handler


COLD = """
import json, sys, types
from serverless_patterns_runtime.api_proxy import handler
handler._edge()
at_init = sorted(sys.modules)
context = types.SimpleNamespace(aws_request_id="r-1", get_remaining_time_in_millis=lambda: 1000)
answers = [handler.lambda_handler(sent, context) for sent in json.loads(sys.argv[1])]
print(json.dumps([at_init, sorted(sys.modules), [answer["statusCode"] for answer in answers]]))
"""


def modules(world: World, *sent: dict[str, Any], **variables: str) -> tuple[set[str], set[str], list[int]]:
    """What a cold start loads in a process of its own, what is loaded after some requests, and their statuses."""
    paths = [str(world.folder), str(Path(serverless_patterns_runtime.__file__).parents[1])]
    environment = VARIABLES | variables | {"LAMBDA_TASK_ROOT": str(world.folder), "AWS_DEFAULT_REGION": "eu-central-1"}
    program = f"import sys; sys.path[:0] = {paths}\n{COLD}"
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(sent)], env=environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    at_init, afterwards, statuses = json.loads(done.stdout.splitlines()[-1])
    return set(at_init), set(afterwards), statuses


# Powertools imports the package botocore, which is nothing without its modules.
HEAVY = {"botocore.session", "botocore.exceptions", "boto3", "urllib3", "fastjsonschema", "pydantic", "aws_xray_sdk"}

UNUSED = {
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.batch",
    "serverless_patterns_runtime.load_leveled_queue",
    "serverless_patterns_runtime.claims.leases",
    "serverless_patterns_runtime.claims.commits",
    "serverless_patterns_runtime.testing",
}


def test_a_function_that_claims_nothing_loads_no_sdk(world: World):
    world.is_told(route(), "GET /health", {})
    sent = [golden("rest_api_public"), event("GET /health", body="{"), event("GET /others"), {}]
    at_init, afterwards, statuses = modules(world, *sent, BUSINESS_FUNCTION="shop_api:health")
    unwanted = HEAVY | UNUSED | {"serverless_patterns_runtime.api_proxy.once"}
    assert at_init & unwanted == afterwards & unwanted == set()
    assert statuses == [200, 400, 404, 500]


def test_a_function_that_fails_does_not_load_an_sdk_to_say_so(world: World):
    world.is_told(route(), "GET /health", {})
    (world.folder / "shop_api.py").write_text("def health(request): return 1 / 0")
    _, afterwards, statuses = modules(world, golden("rest_api_public"), BUSINESS_FUNCTION="shop_api:health")
    assert statuses == [500]
    assert afterwards & HEAVY == set()


def test_a_function_that_claims_keys_has_its_sdk_at_init_and_no_boto3(world: World):
    world.is_told(ROUTES["POST /payments"], "POST /payments", EFFECTS | CLAIMS)
    at_init, _, _ = modules(world, **EFFECTS, **CLAIMS)
    assert {"botocore.session", "serverless_patterns_runtime.api_proxy.once"} <= at_init
    assert at_init & {"boto3", "fastjsonschema", "aws_lambda_powertools.event_handler"} == set()
