"""The control function and the shadow as Lambda loads them: through their environment variables and the routes file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import serverless_patterns_runtime
from serverless_patterns_runtime.strangler_gateway import contract

from .gateway import ROUTE, migration

VARIABLES = {
    "LEGACY_URL": "https://monolith.example.com",
    "CONTROL_TABLE": "control",
    "BREAKER_TABLE": "breakers",
    "TARGETS": '{"Profile": "profile-fn"}',
    "SHADOW_FUNCTION": "shadow-fn",
    "URL_SUFFIX": "amazonaws.com",
}
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "control",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "POWERTOOLS_SERVICE_NAME": "Shop",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
}
HANDLERS = {
    contract.CONTROL_HANDLER: (contract.ControlEnv, "handler._edge()[0].migration"),
    contract.SHADOW_HANDLER: (contract.Env, "handler._edge().edge.settings.migration"),
}


@pytest.mark.parametrize("handler", HANDLERS)
def test_it_is_ready_at_init_with_exactly_the_variables_of_its_contract(handler: str, tmp_path: Path) -> None:
    env, found = HANDLERS[handler]
    module, name = handler.rsplit(".", 1)
    (tmp_path / contract.ROUTES_FILE).write_text(json.dumps(migration()))
    code = (
        f"import {module} as handler\n"
        "assert handler._edge.cache_info().currsize == 1, 'made at init'\n"
        f"print(callable(handler.{name}), *{found}['routes'])\n"
    )
    path = os.pathsep.join([str(Path(serverless_patterns_runtime.__file__).parents[1]), *sys.path])
    told = {name: VARIABLES[name] for name in env._fields}
    environment = {**LAMBDA, **told, "PYTHONPATH": path, "LAMBDA_TASK_ROOT": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(f"True {ROUTE}"), done.stderr
