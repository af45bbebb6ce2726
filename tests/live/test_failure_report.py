"""What a failed test shows of its functions: no more than a screen, and never an error of its own."""

import json
from types import SimpleNamespace
from typing import Any

from serverless_patterns.testing.failure_report import errors_of_functions


def error_line(message: str) -> str:
    """As Powertools writes it."""
    return json.dumps({"level": "ERROR", "message": message}, separators=(",", ":"))


def a_deployment(*functions: str, is_destroyed: bool = False) -> Any:
    return SimpleNamespace(functions={f"Shop/{name}": name for name in functions}, is_destroyed=is_destroyed)


class FakeCloud:
    """Functions that failed so and so often, and handled other errors, each at the second of its place."""

    def __init__(self, *deployments: Any, failed: list[str] = [], handled: list[str] = []) -> None:  # noqa: B006
        self.deployments = deployments
        self._failed, self._handled = failed, handled

    def errors(self, _name: str, *, since: float = 0) -> list[str]:
        return self._failed[int(since) :]

    def logs(self, _name: str, *, since: float = 0) -> list[str]:
        lines = [
            "START RequestId: 1",
            '{"level":"INFO","message":"fine"}',
            *map(error_line, self._handled[int(since) :]),
        ]
        return [*lines, "END RequestId: 1"]


def shown(cloud: Any, since: float = 0) -> list[tuple[str, str]]:
    return errors_of_functions(cloud, since)


def test_each_function_has_its_section_and_destroyed_ones_have_none() -> None:
    cloud = FakeCloud(a_deployment("A", "B"), a_deployment("C", is_destroyed=True), failed=["x\ny"], handled=["h"])
    text = f"{error_line('h')}\nx\ny"
    assert shown(cloud) == [("errors of function Shop/A", text), ("errors of function Shop/B", text)]


def test_what_was_logged_before_the_test_is_not_shown() -> None:
    cloud = FakeCloud(a_deployment("A"), failed=["old", "new"], handled=["older"])
    assert shown(cloud, since=1) == [("errors of function Shop/A", "new")]


def test_an_error_is_not_shown_twice() -> None:
    cloud = FakeCloud(a_deployment("A"), failed=[f"{error_line('h')}\nTask timed out"], handled=["h", "other"])
    assert shown(cloud) == [("errors of function Shop/A", f"{error_line('other')}\n{error_line('h')}\nTask timed out")]


def test_an_authorizer_that_says_no_has_not_failed() -> None:
    judged = {"level": "INFO", "location": "_record:133", "message": "caller judged", "outcome": "Unauthorized"}
    traceback = "Traceback (most recent call last):\n  File ...\nUnauthorized: Unauthorized"
    said_no = f"{json.dumps(judged, separators=(',', ':'))}\n{traceback}"
    broken = f"{json.dumps({**judged, 'level': 'ERROR', 'outcome': 'Failed'})}\n{traceback}"
    assert shown(FakeCloud(a_deployment("A"), failed=[said_no])) == []
    assert shown(FakeCloud(a_deployment("A"), failed=[said_no, broken])) == [("errors of function Shop/A", broken)]


def test_a_function_without_errors_is_not_mentioned() -> None:
    assert shown(FakeCloud(a_deployment("A"))) == []


def test_the_newest_thirty_lines_are_shown_each_cut_to_a_thousand_characters() -> None:
    cloud = FakeCloud(a_deployment("A"), handled=[f"{number:02}" + "x" * 2000 for number in range(34)])
    ((_, text),) = shown(cloud)
    first, *lines = text.splitlines()
    assert first == "(4 lines before these: cloud.logs('A') has all)"
    assert [line.partition('"message":"')[2][:2] for line in lines] == [f"{number:02}" for number in range(4, 34)]
    assert {len(line) for line in lines} == {1000}


def test_logs_that_cannot_be_read_do_not_hide_the_failure() -> None:
    class Broken(FakeCloud):
        def errors(self, _name: str, **_since: float) -> list[str]:
            raise RuntimeError("no such function")

    assert shown(Broken(a_deployment("A"))) == [("errors of deployed functions", "cannot be read: no such function")]
