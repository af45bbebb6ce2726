"""What a business function imports runs anywhere: no AWS library, no third-party package, nothing but Python."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import serverless_patterns_runtime

SOURCE = Path(serverless_patterns_runtime.__file__).parents[1]

PROGRAM = """
import sys
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + [{source!r}]
import {module}
import json
ours = "serverless_patterns_runtime"
foreign = sorted(
    name for name in sys.modules
    if "." not in name and name not in sys.stdlib_module_names and name not in (ours, "__main__")
)
print(json.dumps([foreign, sorted(name for name in sys.modules if name.startswith(ours))]))
"""


def imported(module: str) -> tuple[list[str], list[str]]:
    """Top-level modules outside the standard library, and modules of ours, after importing `module` all alone."""
    program = PROGRAM.format(source=str(SOURCE), module=module)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    foreign, ours = json.loads(done.stdout)
    return foreign, ours


@pytest.mark.parametrize(
    "module",
    [
        "serverless_patterns_runtime",
        "serverless_patterns_runtime.fan_out_topic.matching",
        "serverless_patterns_runtime.testing",
    ],
)
def test_the_public_package_imports_with_the_standard_library_alone(module: str):
    foreign, ours = imported(module)
    assert foreign == []
    assert module in ours


@pytest.mark.parametrize(
    "pattern",
    [
        "api_proxy",
        "business_function",
        "circuit_breaker",
        "claims",
        "cqrs_queries",
        "cqrs_table",
        "cqrs_views",
        "fan_in",
        "fan_out_topic",
        "jwt_authorizer",
        "lambda_authorizer",
        "load_leveled_queue",
        "parallel_map",
        "saga_recovery",
        "saga_state_machine",
        "strangler_gateway",
    ],
)
def test_a_contract_imports_with_the_standard_library_alone(pattern: str):
    """The construct imports it at synth, where no Lambda library is installed."""
    name = f"serverless_patterns_runtime.{pattern}.contract"
    foreign, ours = imported(name)
    assert foreign == []
    assert name in ours


def test_a_business_function_does_not_pull_in_the_handler():
    _, ours = imported("serverless_patterns_runtime")
    assert not any(
        any(pattern in name for pattern in ("load_leveled_queue", "api_proxy", "saga_state_machine"))
        or "telemetry" in name
        or "clients" in name
        for name in ours
    )


def test_the_public_names_are_these():
    assert sorted(serverless_patterns_runtime.__all__) == [
        "ApprovalRequest",
        "Attr",
        "Caller",
        "Check",
        "Command",
        "Completion",
        "Decision",
        "Delete",
        "Effects",
        "FailedItem",
        "Gathered",
        "Invocation",
        "KeyExpired",
        "Message",
        "Page",
        "PermanentError",
        "PublishFailed",
        "Put",
        "Request",
        "Response",
        "Sources",
        "StepError",
        "StepInput",
        "Unsettled",
        "Update",
        "matches",
        "publish",
        "read_view",
    ]
    assert serverless_patterns_runtime.__all__ == sorted(serverless_patterns_runtime.__all__)
    for name in serverless_patterns_runtime.__all__:
        assert getattr(serverless_patterns_runtime, name).__module__.startswith("serverless_patterns_runtime.")
