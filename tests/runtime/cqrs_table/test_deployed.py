"""The functions as Lambda starts them: from their environment, with the user's code found by name."""

import io
import json
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from serverless_patterns_runtime import Invocation, Request
from serverless_patterns_runtime.cqrs_table import command_door, command_handler, contract, deciding, get_door
from serverless_patterns_runtime.cqrs_table.deciding import Commands

from .orders import decide

VARIABLES = {
    "AGGREGATES_TABLE_NAME": "shop-orders",
    "AGGREGATE_KEY": "order_id",
    "SCHEMA_VERSION": "1",
    "UPCAST": "",
    "DECIDE": "orders_of_a_test:decide",
    "COMMANDS": "place,add",
    "COMMAND": "place",
    "CLAIMS_TABLE_NAME": "shop-claims",
    "CLAIMS_NAMESPACE": "Orders",
    "CLAIMS_RETENTION_SECONDS": "1000",
    "BUSINESS_FUNCTION": "orders_of_a_test:decide",
    "RETURNS_EFFECTS": "false",
    "TABLES": "",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_SERVICE_NAME": "orders",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    module = ModuleType("orders_of_a_test")
    module.decide = decide  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "orders_of_a_test", module)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    for cached in (command_door._commands, command_door._env, command_handler._edge, get_door._model):
        cached.cache_clear()
    return monkeypatch


def test_the_environment_says_all_of_it(deployed: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    commands = Commands.from_environment()
    assert (commands.known, commands.namespace, commands.model.table_name) == (
        ("place", "add"),
        "Orders",
        "shop-orders",
    )
    assert (commands.claims.name, commands.claims.retention_seconds) == ("shop-claims", 1000)
    assert (commands.decide.call, commands.decide.takes_invocation) == (decide, False)


@pytest.mark.parametrize("missing", ["DECIDE", "COMMANDS", "CLAIMS_NAMESPACE", "AGGREGATE_KEY"])
def test_what_is_missing_is_seen_at_the_start(missing: str, deployed: pytest.MonkeyPatch) -> None:
    deployed.delenv(missing)
    with pytest.raises(KeyError, match=missing):
        Commands.from_environment()


def test_the_doors_work_over_it(deployed: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Commands:
        model = type("Model", (), {"key": "order_id"})

        def asked(self, *said: Any) -> Any:
            asked.append(said)
            return type("Asked", (), {"claim": Invocation.fake().claim})

        def execute(self, *_: Any) -> Any:
            from serverless_patterns_runtime.business_function.result import Executed

            return Executed({"key": "o-1", "version": 1, "token": "1@o-1", "result": None}, replayed=True)

    deployed.setattr(command_door, "_commands", Commands)
    request = Request.fake("POST /orders", body={"order_id": "o-1"}, headers={"Idempotency-Key": "k"})
    done = command_door.execute_request(request, Invocation.fake(idempotency_key="digest"))
    assert (done.replayed, done.answer.headers["ETag"]) == (True, '"1"')
    ((id, name, key, *_),) = asked
    assert (id, name, key) == ("digest", "place", "o-1")


def test_conflicts_are_counted_by_table(capsys: pytest.CaptureFixture[str], deployed: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    deciding._counting("shop-orders")(3)
    line = json.load(io.StringIO(capsys.readouterr().out))
    assert (line[contract.METRIC_CONFLICTS], line["table"]) == ([3.0], "shop-orders")


def test_the_contract_names_the_handler() -> None:
    module, _, name = contract.COMMAND_HANDLER.rpartition(".")
    assert import_module(module) is command_handler
    assert hasattr(command_handler, name)
