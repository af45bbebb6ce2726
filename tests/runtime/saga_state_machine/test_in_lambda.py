"""The handler as Lambda loads it: through its environment variables, with real Powertools."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import serverless_patterns_runtime
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.saga_state_machine import contract

from .saga import Step

VARIABLES = {
    "BUSINESS_FUNCTION": "card:charge",
    "RETURNS_EFFECTS": "true",
    "TABLES": "ROWS",
    "CLAIMS_TABLE_NAME": "shop-claims",
    "CLAIMS_NAMESPACE": "Checkout",
    "CLAIMS_RETENTION_SECONDS": "2592000",
    "MAX_RESULT_BYTES": "32768",
}
LAMBDA = {
    "ROWS": "shop-rows",
    "AWS_LAMBDA_FUNCTION_NAME": "charge",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "Checkout",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
}

SOURCE = """
from serverless_patterns_runtime import Effects, PermanentError, Put, StepInput

class Declined(PermanentError): ...

def charge(step: StepInput) -> Effects:
    if step.input["amount"] > 100:
        raise Declined("above the limit")
    return Effects([Put("ROWS", {"id": step.action_key})], result=step.input["amount"])
"""

PROGRAM = """
import json, sys
from types import SimpleNamespace
from serverless_patterns_runtime.saga_state_machine import handler
assert handler._edge.cache_info().currsize == 1, "made at init"
requests = []
class Client:
    def transact_write_items(self, **request):
        requests.append(request)
        return {}
    def update_item(self, **request):
        requests.append(request)
        return {"Attributes": {}}
edge = handler._edge()._replace(dynamodb=Client())
handler._edge = lambda: edge
context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 25_000)
before = set(sys.modules)
told = []
for event in json.loads(sys.argv[1]):
    try:
        told.append(handler.lambda_handler(event, context))
    except Exception as error:
        told.append([type(error).__name__, str(error)])
late = [name for name in set(sys.modules) - before if name.split(".")[0] in ("botocore", "serverless_patterns_runtime")]
print(json.dumps({"told": told, "requests": requests, "late": late}))
"""


@pytest.fixture
def in_lambda(tmp_path: Path) -> Any:
    (tmp_path / "card.py").write_text(SOURCE)

    def run(*events: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """What was told and asked for, and the other lines of standard output."""
        path = f"{tmp_path}:{Path(serverless_patterns_runtime.__file__).parents[1]}"
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps(events)],
            env={**VARIABLES, **LAMBDA, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
        return last, lines

    return run


def test_the_variables_are_those_of_the_contracts() -> None:
    assert set(VARIABLES) == {*business_function.Env._fields, *claims.Env._fields, *contract.Env._fields}


def test_a_step_goes_through_the_whole_handler_and_nothing_is_imported_after_init(in_lambda: Any) -> None:
    done, lines = in_lambda(Step.event("action", first=True), Step.event("action", execution="order-8"))
    assert done["told"] == [100, 100]
    assert done["late"] == []
    claim, put = done["requests"][0]["TransactItems"]
    assert claim["Put"]["TableName"] == "shop-claims"
    assert claim["Put"]["Item"]["claim"] == {"S": "Checkout#order-7#ChargeCard"}
    assert put["Put"]["TableName"] == "shop-rows"
    assert put["Put"]["Item"]["id"] == {"S": "Checkout#order-7#ChargeCard"}
    logged = [line for line in lines if "message" in line]
    assert [line["correlation_id"] for line in logged] == ["order-7", "order-8"]
    (metric, _) = [line for line in lines if "_aws" in line]
    assert metric["Succeeded"] == [1.0]


def test_a_declared_error_reaches_the_state_machine_by_its_name(in_lambda: Any) -> None:
    declined = {"input": {"amount": 101}, "no_effect_errors": ["Declined"]}
    done, _ = in_lambda(Step.event("action", **declined))
    assert done["told"][0] == ["Declined", "above the limit"]
    assert done["requests"][0]["Key"] == {"claim": {"S": "Checkout#order-7#ChargeCard"}}


def test_a_business_function_that_cannot_be_imported_is_seen_at_init() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "[]"],
        env={**VARIABLES, **LAMBDA, "PYTHONPATH": str(Path(serverless_patterns_runtime.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "No module named 'card'" in done.stderr
