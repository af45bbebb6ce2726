"""The router as Lambda loads it: by its variables and its file, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import serverless_patterns_runtime
from serverless_patterns_runtime.strangler_gateway.contract import ROUTES_FILE

from .gateway_model import answer, event
from .raw_server import raw_server
from .router import get, migration

PROGRAM = """
import json, sys
from serverless_patterns_runtime.strangler_gateway import handler
class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self): return 10_000
loaded = sorted(sys.modules)
result = handler.lambda_handler(json.loads(sys.argv[1]), Context())
print(json.dumps([loaded, sorted(sys.modules), result]))
"""


def variables(folder: Path, legacy_url: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(serverless_patterns_runtime.__file__).parent.parent),
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_FUNCTION_NAME": "router",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
        "LEGACY_URL": legacy_url,
        "CONTROL_TABLE": "control",
        "BREAKER_TABLE": "breakers",
        "TARGETS": '{"Profile": "profile-fn"}',
        "SHADOW_FUNCTION": "",
        "URL_SUFFIX": "amazonaws.com",
    }


def run(folder: Path, legacy_url: str, sent: dict[str, object]) -> "subprocess.CompletedProcess[str]":
    (folder / ROUTES_FILE).write_text(json.dumps(migration()))
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(sent)],
        env=variables(folder, legacy_url),
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_loads_and_forwards_without_the_sdk(tmp_path: Path):
    with raw_server() as legacy:
        done = run(tmp_path, legacy.url, event(get("/cart?a=1"), "/{proxy+}"))
        assert done.returncode == 0, done.stderr
        loaded, after, result = json.loads(done.stdout.splitlines()[-1])
        assert legacy.requests[0].startswith(b"GET /cart?a=1 HTTP/1.1\r\n")
    assert answer(result).body == b"ok"
    heavy = {
        "boto3",
        "aws_lambda_powertools",
        "botocore.session",
        "http.client",
        "email",
        "urllib3",
        "urllib.request",
        "asyncio",
    }
    assert heavy.intersection(loaded) == set()
    assert heavy.intersection(after) == set()


def test_while_the_table_cannot_be_read_and_never_was_legacy_answers(tmp_path: Path):
    with raw_server() as legacy:
        done = run(tmp_path, legacy.url, event(get("/profile/5"), "/profile/{id}"))
        assert done.returncode == 0, done.stderr
        assert answer(json.loads(done.stdout.splitlines()[-1])[2]).body == b"ok"
    assert "RouteStoreUnavailable" in done.stdout


@pytest.mark.parametrize(
    "url", ["http://legacy.example", "http://10.0.0.1", "ftp://127.0.0.1", "https://u:p@h.example"]
)
def test_an_address_without_tls_or_with_a_user_is_no_upstream(tmp_path: Path, url: str):
    done = run(tmp_path, url, event(get("/cart"), "/{proxy+}"))
    assert done.returncode != 0
    assert "ValueError" in done.stderr
