"""One line for each request, which CloudWatch reads as metrics; nothing in it that a caller has said."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.strangler_gateway import metric_contract, record
from serverless_patterns_runtime.strangler_gateway.record import Outcome

NOW = 1_700_000_000.123
OUTCOME = Outcome("GET /profile/{id}", "new", 200, False, 12.34, "request-1")
Lines = list[dict[str, Any]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    heard: Lines = []
    monkeypatch.setattr(record, "_print", lambda line: heard.append(json.loads(line)))
    return heard


def metrics(line: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    """Name, unit and dimensions: as CloudWatch would, which drops what it cannot find in the line."""
    return {
        (metric["Name"], metric["Unit"], tuple(dimensions))
        for directive in line["_aws"]["CloudWatchMetrics"]
        if directive["Namespace"] == metric_contract.METRICS_NAMESPACE
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
        if {metric["Name"], *dimensions} <= line.keys()
    }


def test_a_request_is_counted_by_gateway_route_and_side(lines: Lines) -> None:
    record.write("Shop", OUTCOME, NOW)
    (line,) = lines
    whole = ("gateway", "route", "side")
    assert metrics(line) == {
        ("RoutedRequests", "Count", whole),
        ("RoutedLatency", "Milliseconds", whole),
        ("RoutedErrors", "Count", whole),
        ("RoutedErrors", "Count", ("gateway", "side")),
    }
    assert line["_aws"]["Timestamp"] == 1_700_000_000_123
    del line["_aws"]
    assert line == {
        "gateway": "Shop",
        "route": "GET /profile/{id}",
        "side": "new",
        "RoutedRequests": 1,
        "RoutedErrors": 0,
        "RoutedLatency": 12.3,
        "status": 200,
        "function_request_id": "request-1",
    }


def test_what_fell_back_and_who_was_forced_is_said(lines: Lines) -> None:
    record.write("Shop", OUTCOME._replace(failed=True, fell_back=True, forced=True, reason='it "failed"'), NOW)
    (line,) = lines
    assert ("FellBack", "Count", ("gateway", "route")) in metrics(line)
    assert (line["RoutedErrors"], line["FellBack"], line["forced"], line["reason"]) == (1, 1, True, 'it "failed"')


def test_what_is_not_migrating_is_one_route_for_all(lines: Lines) -> None:
    record.write("Shop", OUTCOME._replace(route="", side="legacy"), NOW)
    assert (lines[0]["route"], lines[0]["side"]) == ("*", "legacy")


@given(
    gateway=st.text(min_size=1),
    outcome=st.builds(
        Outcome,
        st.text(),
        st.sampled_from(["legacy", "new"]),
        st.integers(100, 599),
        st.booleans(),
        st.floats(0, 1e6),
        st.text(),
        st.booleans(),
        st.booleans(),
        st.text(),
    ),
)
def test_every_line_is_json(gateway: str, outcome: Outcome) -> None:
    heard: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "_print", heard.append)
        record.write(gateway, outcome, NOW)
    line = json.loads(heard[0])
    assert "\n" not in heard[0]
    assert (line["gateway"], line["route"], line["status"]) == (gateway, outcome.route or "*", outcome.status)


def test_a_rollback_is_counted_for_its_route_and_for_the_gateway_s_alarm(lines: Lines) -> None:
    tell = record.teller("Shop", lambda: NOW)
    tell(metric_contract.METRIC_ROLLED_BACK, "GET /a", None)
    tell(metric_contract.METRIC_STORE_UNAVAILABLE, None, TimeoutError("secret"))
    assert metrics(lines[0]) == {
        ("RolledBack", "Count", ("gateway", "route")),
        ("RolledBack", "Count", ("gateway",)),
    }
    assert metrics(lines[1]) == {("RouteStoreUnavailable", "Count", ("gateway",))}
    assert lines[1]["error_type"] == "TimeoutError"
    assert "secret" not in json.dumps(lines)
