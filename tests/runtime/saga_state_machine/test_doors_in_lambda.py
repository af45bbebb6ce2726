"""The functions behind a saga's routes as Lambda loads them: each by its own variables, and ready at init."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import serverless_patterns_runtime
from serverless_patterns_runtime.api_proxy import contract as api
from serverless_patterns_runtime.api_proxy.contract import ROUTES_FILE, RouteSettings
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.saga_state_machine import approval_contract, contract

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:Checkout"
API = {"RETURNS_EFFECTS": "false", "TABLES": "", "MAX_BODY_BYTES": "1000", "BINARY_MEDIA_TYPES": "", "CORS": ""}
OWN = {
    "start": {"STATE_MACHINE_ARN": MACHINE, "MAX_INPUT_BYTES": "1000"},
    "status": {
        "STATE_MACHINE_ARN": MACHINE,
        "RECOVERY_STATE_MACHINE_ARN": f"{MACHINE}Recovery",
        "SHOWN_RESULTS": "Ship",
        "SHOWN_ERRORS": "",
        "ANY_CALLER": "false",
        "APPROVALS": "",
        "APPROVALS_TABLE_NAME": "",
        "APPROVALS_NAMESPACE": "Checkout",
    },
    "decision": {
        "STATE_MACHINE_ARN": MACHINE,
        "APPROVALS_TABLE_NAME": "claims",
        "APPROVALS_NAMESPACE": "Checkout",
        "APPROVAL_STEP": "Manager",
    },
}
CALLED = {"start": "start", "status": "status", "decision": "decide"}
SERVICES = {"start": 1, "status": 1, "decision": 2}
ROUTE: RouteSettings = {"evidence": "none", "idempotency": "off", "content": "json", "own_keys": True}
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "door",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "Api",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
}
PROGRAM = """
import sys
from serverless_patterns_runtime.api_proxy import handler
from serverless_patterns_runtime import clients
assert handler._edge.cache_info().currsize == 1, "made at init"
assert clients.client.cache_info().currsize == int(sys.argv[1]), "the clients that it needs alone, and at init"
print(clients.client("stepfunctions").meta.service_model.service_name)
"""


@pytest.mark.parametrize("door", OWN)
def test_a_door_is_ready_at_init_with_its_own_variables_alone(door: str, tmp_path: Path) -> None:
    (tmp_path / ROUTES_FILE).write_text(json.dumps({"POST /c": ROUTE}))
    name = f"serverless_patterns_runtime.saga_state_machine.{door}:{CALLED[door]}"
    more = {
        "BUSINESS_FUNCTION": name,
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "PYTHONPATH": str(Path(serverless_patterns_runtime.__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(SERVICES[door])],
        env={**API, **OWN[door], **LAMBDA, **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "stepfunctions"), done.stderr


def test_the_variables_are_those_of_the_contracts() -> None:
    assert {*API, "BUSINESS_FUNCTION"} == {*business_function.Env._fields, *api.Env._fields}
    assert set(OWN["start"]) == {*contract.StartEnv._fields}
    assert set(OWN["status"]) == {*contract.StatusEnv._fields}
    assert set(OWN["decision"]) == {*approval_contract.DecisionEnv._fields}
