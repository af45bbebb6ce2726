"""The handler as Lambda loads it: through its environment variables, with real Powertools, over scripted clients."""

import importlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.metrics import Metrics

from serverless_patterns_runtime.load_leveled_queue import contract, edge, handler

from .. import scripted_aws
from ..consumer import Clock, Context
from ..sqs_events import golden
from .environment_variables import TABLES, VARIABLES

SOURCE = """
from serverless_patterns_runtime import Attr, Effects, PermanentError, Put

def fulfil(order, invocation) -> Effects:
    invocation.logger.info("looking at an order")
    if not order["lines"]:
        raise PermanentError("an order needs at least one line")
    return Effects(writes=[Put("ORDERS", {"order_id": order["order_id"]}, condition=Attr("order_id").not_exists())])
"""


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, scripted_aws.ScriptedClient]]:
    (tmp_path / "orders.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "orders", raising=False)  # the reference app's
    for name, value in (VARIABLES | TABLES).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"shop-{tmp_path.name}")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ServerlessPatterns")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "INFO")
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    made = {"dynamodb": scripted_aws.dynamodb(), "sqs": scripted_aws.sqs()}
    monkeypatch.setattr(edge, "client", made.__getitem__)
    handler._edge.cache_clear()
    yield made
    handler._edge.cache_clear()
    sys.modules.pop("orders", None)
    Metrics().clear_metrics()


def context() -> Context:
    return Context(Clock(time.time()))


Clients = dict[str, scripted_aws.ScriptedClient]


def test_a_golden_batch_goes_through_the_whole_handler(clients: Clients, capsys: pytest.CaptureFixture[str]):
    answer = handler.lambda_handler(golden("sqs_standard"), context())
    assert answer == {"batchItemFailures": []}
    (transaction,) = clients["dynamodb"].requests("TransactWriteItems")
    claim, put = transaction["TransactItems"]
    assert claim["Put"]["TableName"] == "shop-claims"
    assert claim["Put"]["Item"]["claim"] == {"S": "Fulfilment#A-1"}
    assert put["Put"]["TableName"] == "shop-orders-1"
    (letter,) = clients["sqs"].requests("SendMessage")
    assert letter["QueueUrl"] == VARIABLES["DEAD_LETTER_QUEUE_URL"]
    assert json.loads(letter["MessageAttributes"]["dead-letter"]["StringValue"])["reason"] == (
        "an order needs at least one line"
    )
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["outcome"] for line in lines if "outcome" in line] == ["Succeeded", "Refused"]


def test_the_usual_batch_commits_all_at_once(clients: Clients):
    record = golden("sqs_standard")["Records"][0]
    bodies = [json.dumps({"order_id": f"A-{number}", "lines": [1]}) for number in range(10)]
    batch = [record | {"messageId": f"m-{number}", "body": body} for number, body in enumerate(bodies)]
    together = threading.Barrier(len(batch), timeout=10)
    clients["dynamodb"].always("TransactWriteItems", lambda _: (together.wait(), {})[1])
    assert handler.lambda_handler({"Records": batch}, context()) == {"batchItemFailures": []}


def test_outcomes_are_metrics(clients: Clients, capsys: pytest.CaptureFixture[str]):
    del clients
    handler.lambda_handler(golden("sqs_standard"), context())
    (metrics,) = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "ServerlessPatterns"
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "Succeeded": "Count",
        "Refused": "Count",
    }
    assert (metrics["Succeeded"], metrics["Refused"]) == ([1.0], [1.0])
    assert "order_id" not in json.dumps(metrics)


def test_metrics_of_one_invocation_are_not_in_the_next_one_s(clients: Clients, capsys: pytest.CaptureFixture[str]):
    del clients
    for _ in range(2):
        handler.lambda_handler({"Records": golden("sqs_standard")["Records"][:1]}, context())
    metrics = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]
    assert [line["Succeeded"] for line in metrics] == [[1.0], [1.0]]


def test_the_edge_is_made_once_for_all_invocations(clients: Clients, monkeypatch: pytest.MonkeyPatch):
    handler.lambda_handler(golden("sqs_standard"), context())
    monkeypatch.delenv("QUEUE_URL")
    handler.lambda_handler(golden("sqs_standard"), context())
    assert len(clients["dynamodb"].requests("TransactWriteItems")) == 2


@pytest.mark.parametrize("event", [{}, {"Records": None}, golden("sns"), {"detail": {}}, []])
def test_an_event_that_is_not_sqs_s_raises(clients: Clients, event: Any):
    with pytest.raises((KeyError, TypeError)):
        handler.lambda_handler(event, context())
    assert clients["dynamodb"].calls == clients["sqs"].calls == []


def test_a_missing_variable_is_an_error_that_names_it(clients: Clients, monkeypatch: pytest.MonkeyPatch):
    del clients
    monkeypatch.delenv("CLAIMS_TABLE_NAME")
    with pytest.raises(KeyError) as raised:
        handler.lambda_handler(golden("sqs_standard"), context())
    assert raised.value.args == ("CLAIMS_TABLE_NAME",)


def test_inside_lambda_a_broken_import_shows_at_init(clients: Clients, monkeypatch: pytest.MonkeyPatch):
    del clients
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "fulfilment")
    monkeypatch.setenv("BUSINESS_FUNCTION", "absent:fulfil")
    with pytest.raises(ModuleNotFoundError, match="absent"):
        importlib.reload(handler)
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    importlib.reload(handler)


def test_the_contract_names_the_handler():
    module, _, name = contract.HANDLER.rpartition(".")
    assert getattr(importlib.import_module(module), name) is importlib.import_module(module).lambda_handler
