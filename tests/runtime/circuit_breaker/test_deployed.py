import json
import subprocess
import sys
from typing import Any

import pytest

from serverless_patterns_runtime.circuit_breaker import contract, deployed, settings
from serverless_patterns_runtime.circuit_breaker.reports import count_as_metric
from serverless_patterns_runtime.circuit_breaker.state import State

from .fleet import SETTINGS, Fleet


def test_a_function_without_the_variable_has_no_breaker(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CIRCUIT_BREAKERS", raising=False)
    assert settings.deployed_breakers(None) == {}


def test_breakers_are_made_by_name(monkeypatch: pytest.MonkeyPatch):
    made: list[Any] = []
    monkeypatch.setattr(deployed, "deployed_breaker", lambda *given: made.append(given) or f"of {given[0]}")
    monkeypatch.setenv("CIRCUIT_BREAKERS", json.dumps({"Partner": SETTINGS, "Bank": SETTINGS}))
    assert settings.deployed_breakers("log") == {"Partner": "of Partner", "Bank": "of Bank"}
    assert made == [("Partner", SETTINGS, "log"), ("Bank", SETTINGS, "log")]


def test_a_deployed_breaker_asks_by_the_client_that_gives_up_soon(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    fleet = Fleet()

    def made(service: str) -> Any:
        asked.append(service)
        return fleet.dynamodb

    monkeypatch.setattr(deployed, "impatient_client", made)
    breaker = deployed.deployed_breaker("Partner", SETTINGS, None)
    assert breaker.permit(lambda: 10.0).run(lambda: "answered") == "answered"
    assert asked == ["dynamodb"]
    assert fleet.dynamodb.operations == ["GetItem"]


def test_a_count_is_an_embedded_metric_with_the_breaker_s_dimensions_and_no_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """A breaker belongs to several functions: with the function's own dimension its alarm would see none of it."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "Shipping")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "OfTheUser")
    count_as_metric(contract.METRIC_OPENED, 2, "Partner", "shop-breakers")
    said = json.loads(capsys.readouterr().out)
    (metric,) = said["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == contract.METRICS_NAMESPACE
    assert metric["Dimensions"] == [[contract.BREAKER_DIMENSION, contract.TABLE_DIMENSION]]
    assert (said["breaker"], said["table"], said[contract.METRIC_OPENED]) == ("Partner", "shop-breakers", [2.0])


def test_an_item_without_anything_is_closed():
    assert State.from_item({"breaker": {"S": "Partner"}}) == State.from_item(None) == State()


def test_a_transition_is_one_line_that_says_what_and_why_and_quotes_no_error():
    fleet = Fleet(failure_threshold=1)

    class Rejected(Exception): ...

    fleet.down = Rejected("card 4111 1111 1111 1111")
    fleet.call()
    (line,) = fleet.log
    assert {name: line[name] for name in ("message", "breaker", "from", "to", "epoch", "reason")} == {
        "message": "circuit",
        "breaker": "Partner",
        "from": "closed",
        "to": "open",
        "epoch": 1,
        "reason": "failed too often, the last time with Rejected",
    }
    assert "4111" not in json.dumps(line)


def test_the_variable_is_the_contract_s():
    assert contract.Env._fields == (settings.VARIABLE,)


@pytest.mark.parametrize("pattern", ["load_leveled_queue", "api_proxy"])
def test_a_function_without_a_breaker_loads_nothing_of_it(pattern: str):
    """Each module is a part of every cold start."""
    program = f"""
import sys, os
os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
import serverless_patterns_runtime.{pattern}.handler
from serverless_patterns_runtime.circuit_breaker.settings import deployed_breakers
assert deployed_breakers(None) == {{}}
print([name for name in sys.modules if "circuit_breaker." in name])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "['serverless_patterns_runtime.circuit_breaker.settings']", done.stderr
