"""The authorizer as Lambda loads it: by its variables, with real Powertools."""

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_lambda_powertools.metrics import Metrics

from serverless_patterns_runtime.lambda_authorizer import contract, handler

from ..consumer import Clock, Context
from ..rest_api_events import golden

SOURCE = """
from serverless_patterns_runtime import Caller

def identify(request):
    return Caller("user-7") if request.headers["Authorization"].startswith("Bearer ") else None
"""

VARIABLES = {
    "BUSINESS_FUNCTION": "shop_auth:identify",
    "RETURNS_EFFECTS": "false",
    "TABLES": "",
    "IDENTITY_HEADER": "Authorization",
    "RESULTS_REMEMBERED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "shop_auth.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"auth-{tmp_path.name}")
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    handler._edge.cache_clear()
    yield
    handler._edge.cache_clear()
    sys.modules.pop("shop_auth", None)
    Metrics().clear_metrics()


def context() -> Context:
    return Context(Clock(time.time()))


def test_a_golden_request_is_let_in(capsys: pytest.CaptureFixture[str]):
    answer = handler.lambda_handler(golden("rest_api_authorizer"), context())
    assert answer["principalId"] == "user-7"
    line, metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["outcome"] == "Allowed"
    assert metrics["Allowed"] == [1.0]


@pytest.mark.parametrize("name", ["BUSINESS_FUNCTION", "TABLES", *contract.Env._fields])
def test_a_missing_variable_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.delenv(name)
    with pytest.raises(KeyError) as raised:
        handler.lambda_handler(golden("rest_api_authorizer"), context())
    assert raised.value.args == (name,)


def test_inside_lambda_a_broken_import_shows_at_init(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
    monkeypatch.setenv("BUSINESS_FUNCTION", "absent:identify")
    with pytest.raises(ModuleNotFoundError, match="absent"):
        importlib.reload(handler)
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    importlib.reload(handler)


def test_the_contract_names_the_handler():
    module, _, name = contract.HANDLER.rpartition(".")
    assert getattr(importlib.import_module(module), name) is importlib.import_module(module).lambda_handler
