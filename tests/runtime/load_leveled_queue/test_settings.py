import json
from pathlib import Path

import pytest

from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.settings import Settings

from .environment_variables import TABLES, VARIABLES


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (VARIABLES | TABLES).items():
        monkeypatch.setenv(name, value)


def test_the_environment_is_read_once_and_whole():
    assert Settings.from_environment()._asdict() == {
        "business_function": "orders:fulfil",
        "returns_effects": True,
        "tables": TABLES,
        "claims_table_name": "shop-claims",
        "claims_namespace": "Fulfilment",
        "claims_retention_seconds": 2_592_000,
        "queue_url": "https://sqs.invalid/123456789012/fulfilment",
        "dead_letter_queue_url": "https://sqs.invalid/123456789012/dead",
        "idempotency_key": "order_id",
        "visibility_timeout_seconds": 180,
        "max_receive_count": 5,
        "count_attempts": False,
        "max_age_seconds": 0,
        "retry_base_seconds": 5,
        "retry_max_seconds": 900,
    }


def test_a_function_without_tables_has_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TABLES", "")
    assert Settings.from_environment().tables == {}


@pytest.mark.parametrize("name", [*VARIABLES, *TABLES])
def test_a_missing_variable_is_an_error_at_init_that_names_it(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(name)
    with pytest.raises(KeyError) as raised:
        Settings.from_environment()
    assert raised.value.args == (name,)


@pytest.mark.parametrize(
    ("name", "field"), [("RETURNS_EFFECTS", "returns_effects"), ("COUNT_ATTEMPTS", "count_attempts")]
)
def test_a_switch_is_on_when_it_says_true(name: str, field: str, monkeypatch: pytest.MonkeyPatch):
    for value, on in {"true": True, "false": False}.items():
        monkeypatch.setenv(name, value)
        assert getattr(Settings.from_environment(), field) is on


@pytest.mark.parametrize(("name", "fifo"), [("fulfilment", False), ("fulfilment.fifo", True), ("fifo", False)])
def test_a_fifo_queue_is_one_by_its_name(name: str, fifo: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUEUE_URL", f"https://sqs.invalid/123456789012/{name}")
    assert Settings.from_environment().fifo is fifo


def test_a_consumer_has_the_breaker_that_its_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "guarded_orders.py").write_text("def fulfil(order): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("BUSINESS_FUNCTION", "guarded_orders:fulfil")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("CIRCUIT_BREAKERS", raising=False)
    assert Edge.from_environment().breaker is None
    settings = {"table": "t", "failure_threshold": 5, "window_seconds": 60, "open_seconds": 30, "cache_seconds": 5}
    monkeypatch.setenv("CIRCUIT_BREAKERS", json.dumps({"Partner": settings | {"counts": []}}))
    assert Edge.from_environment().breaker is not None
