"""Both functions as Lambda loads them: through their environment variables, with real Powertools."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import serverless_patterns_runtime
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.saga_recovery import contract

VARIABLES = {
    "CLAIMS_TABLE_NAME": "shop-claims",
    "CLAIMS_NAMESPACE": "Checkout",
    "CLAIMS_RETENTION_SECONDS": "2592000",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:Checkout",
    "RECOVERY_STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:Recovery",
    "LONGEST_SECONDS": "3600",
}
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "guardian",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "Checkout",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
}
HANDLERS = {
    contract.GUARDIAN_HANDLER: contract.GuardianEnv,
    contract.LEDGER_HANDLER: contract.LedgerEnv,
}


@pytest.mark.parametrize("handler", HANDLERS)
def test_it_is_ready_at_init_with_exactly_the_variables_of_its_contract(handler: str) -> None:
    module, name = handler.rsplit(".", 1)
    told = {name: VARIABLES[name] for name in (*claims.Env._fields, *HANDLERS[handler]._fields)}
    code = (
        f"import {module} as handler\n"
        "assert handler._edge.cache_info().currsize == 1, 'made at init'\n"
        "edge = handler._edge()\n"
        "assert edge.outside.stepfunctions.meta.service_model.service_name == 'stepfunctions'\n"
        f"print(callable(handler.{name}), edge.state_machine_arn)\n"
    )
    path = os.pathsep.join([str(Path(serverless_patterns_runtime.__file__).parents[1]), *sys.path])
    environment = {**LAMBDA, **told, "PYTHONPATH": path, "HOME": os.environ.get("HOME", "")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"True {VARIABLES['STATE_MACHINE_ARN']}", done.stderr
