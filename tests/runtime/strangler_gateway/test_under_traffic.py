"""Real traffic, with the settings that are shipped: a good version stays, and an outage is over in seconds."""

from collections.abc import Callable

import pytest

from serverless_patterns_runtime.circuit_breaker.contract import METRIC_CLOSED, METRIC_OPENED, METRIC_REFUSED

from .gateway import CACHE
from .traffic import GET, POST, Traffic


def outage(since: float, until: float = float("inf")) -> Callable[[float], float]:
    return lambda now: 1.0 if since < now < until else 0.0


def failed(traffic: Traffic) -> list[float]:
    """When callers were told of an error."""
    return [when for when, status, _ in traffic.answered if status >= 500]


def stays(percent: float, route: str, seconds: float) -> None:
    traffic = Traffic(lambda _: percent / 100).runs(seconds, route)
    assert traffic.heard(METRIC_REFUSED) == []
    assert traffic.rolled_back() == []
    sent = len(traffic.answered)
    assert sent * (1 - 2 * percent / 100) < len([by for *_, by in traffic.answered if by == "new"]) < sent


@pytest.mark.parametrize("route", [GET, POST])
@pytest.mark.parametrize("percent", [0.5, 1])
def test_a_good_version_is_neither_refused_nor_rolled_back(percent: float, route: str) -> None:
    """60,000 requests within ten minutes, of which hundreds fail."""
    stays(percent, route, 600)


@pytest.mark.parametrize("route", [GET, POST])
def test_an_outage_opens_the_breaker_at_once_and_is_rolled_back_within_seconds(route: str) -> None:
    traffic = Traffic(outage(100)).runs(130, route)
    assert 100 < traffic.heard(METRIC_OPENED)[0] < 101
    (rolled_back,) = traffic.rolled_back()
    assert rolled_back < 100 + CACHE + 1
    told = failed(traffic)
    if route == GET:
        assert told == []
    else:
        assert 0 < len(told) <= 2 * CACHE * 100
        assert max(told) < 100 + 2 * CACHE + 1
    late = {by for when, _, by in traffic.answered if when > 100 + 2 * CACHE + 1}
    assert late == {"legacy"}


def test_two_seconds_in_which_everything_fails_are_an_outage() -> None:
    """Nobody can tell them from its beginning, and they are more than 2 percent of their minute."""
    traffic = Traffic(outage(100, 102)).runs(200, POST)
    assert len(traffic.heard(METRIC_OPENED)) == 1
    assert len(traffic.rolled_back()) == 1
    assert max(failed(traffic)) < 100 + 2 * CACHE + 1


def test_without_rollback_the_breaker_alone_ends_an_outage_with_it() -> None:
    traffic = Traffic(outage(100, 102), rollback=None).runs(200, POST)
    assert len(traffic.heard(METRIC_OPENED)) == 1
    (closed,) = traffic.heard(METRIC_CLOSED)
    assert 130 < closed < 132
    assert max(failed(traffic)) < closed + CACHE
    assert traffic.rolled_back() == []


def test_testers_of_a_side_that_fails_open_no_breaker_and_wait_for_none() -> None:
    traffic = Traffic(outage(0)).runs(10, POST, forced=True)
    assert traffic.circuits == []
    assert {status for _, status, __ in traffic.answered} == {502}
