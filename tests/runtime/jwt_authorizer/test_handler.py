"""The authorizer as Lambda loads it: by its variables, its file of keys, with real Powertools."""

import importlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.metrics import Metrics

from serverless_patterns_runtime.jwt_authorizer import contract, handler
from serverless_patterns_runtime.lambda_authorizer.decision import AuthorizerFailed, Unauthorized

from ..consumer import Clock, Context
from ..lambda_authorizer.authorizer import asked
from .issuer import ISSUER, claims, jwks, token

VARIABLES = {
    **contract.Env(
        IDENTITY_HEADER="Authorization",
        ISSUER=ISSUER,
        AUDIENCE='["shop"]',
        JWT_ALGORITHMS="RS256,ES256",
        SCOPES='["orders:read"]',
        LEEWAY_SECONDS="30",
        CALLER_CLAIM="sub",
        KEYS=contract.FIXED,
        PLAIN_LOOPBACK="false",
    )._asdict(),
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    (tmp_path / contract.JWKS_FILE).write_text(jwks())
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"jwt-{tmp_path.name}")
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    handler._edge.cache_clear()
    yield
    handler._edge.cache_clear()
    Metrics().clear_metrics()


def ask(signed: str) -> dict[str, Any]:
    return handler.lambda_handler(asked(Authorization=f"Bearer {signed}"), Context(Clock(time.time())))


def effect(signed: str) -> str:
    return ask(signed)["policyDocument"]["Statement"][0]["Effect"]


def test_a_good_token_is_let_in(capsys: pytest.CaptureFixture[str]):
    assert ask(token(claims(scope="orders:read")))["principalId"] == "user-7"
    line, metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["outcome"] == "Allowed"
    assert metrics["Allowed"] == [1.0]


def test_every_variable_counts(monkeypatch: pytest.MonkeyPatch):
    good = token(claims(scope="orders:read"))
    assert effect(good) == "Allow"
    assert effect(token()) == "Deny"
    for name, value in {
        "IDENTITY_HEADER": "X-Token",
        "ISSUER": "https://other.example",
        "AUDIENCE": '["bank"]',
        "JWT_ALGORITHMS": "ES256",
        "CALLER_CLAIM": "client_id",
    }.items():
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            handler._edge.cache_clear()
            with pytest.raises(Unauthorized):
                ask(good)
    handler._edge.cache_clear()
    old = token(claims(scope="orders:read", exp=int(time.time()) - 10))
    assert effect(old) == "Allow"
    monkeypatch.setenv("LEEWAY_SECONDS", "5")
    handler._edge.cache_clear()
    with pytest.raises(Unauthorized):
        ask(old)


@pytest.mark.parametrize("name", contract.Env._fields)
def test_a_missing_variable_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.delenv(name)
    with pytest.raises(KeyError) as raised:
        ask("x")
    assert raised.value.args == (name,)


OPEN = [
    ("ISSUER", ""),
    ("AUDIENCE", "[]"),
    ("AUDIENCE", '[""]'),
    ("JWT_ALGORITHMS", "none"),
    ("JWT_ALGORITHMS", "RS256,HS256"),
    ("JWT_ALGORITHMS", ""),
]


@pytest.mark.parametrize(("name", "value"), OPEN)
def test_a_variable_that_would_let_anybody_in_stops_the_function(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=r"^a token"):
        ask(token(claims(scope="orders:read")))


@pytest.mark.parametrize("keys", ["https://127.0.0.1:1/keys", "http://127.0.0.1:1/keys", contract.DISCOVERED])
def test_an_issuer_that_does_not_answer_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keys: str
):
    monkeypatch.setenv("KEYS", keys)
    monkeypatch.setenv("ISSUER", "https://127.0.0.1:1")
    signed = token()
    with pytest.raises(AuthorizerFailed):
        ask(signed)
    told = capsys.readouterr().out
    reasons = [json.loads(line) for line in told.splitlines()]
    assert reasons[0]["message"] == "the issuer's keys could not be read"
    assert reasons[1]["reason"] == "the issuer's keys are not known"
    assert signed.split(".")[2] not in told


def test_inside_lambda_keys_that_are_not_there_show_at_init(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / contract.JWKS_FILE).unlink()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "authorizer")
    with pytest.raises(FileNotFoundError):
        importlib.reload(handler)
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    importlib.reload(handler)


def test_the_contract_names_the_handler():
    module, _, name = contract.HANDLER.rpartition(".")
    assert getattr(importlib.import_module(module), name) is importlib.import_module(module).lambda_handler
