"""Routes and a function that take commands, deployed with the permissions that they have on AWS."""

import json
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aws_cdk import RemovalPolicy, Stack

from serverless_patterns import ApiProxy, CqrsTable, Defaults, Handler, Route
from serverless_patterns.testing import EmbeddedCloud
from tests.live.rest_calls import Answer, Api

HANDLERS = Path(__file__).parent / "handlers"
AT_ONCE = 6


class Counters(NamedTuple):
    api: Api
    function: Any

    def invoke(self, **command: Any) -> Any:
        answer = self.function(command)
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())

    def open(self, key: str, id: str, **headers: str) -> Answer:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.call("POST /counters", {"counter_id": key}, {"Idempotency-Key": id, **said})


@pytest.fixture(scope="module")
def counters(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[Counters]:
    app = embedded_cloud.app(tmp_path_factory.mktemp("counters") / "cdk.out")
    stack = Stack(app, "Counters")
    Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
    table = CqrsTable(
        stack, "Counters", key="counter_id", decide=Handler(HANDLERS, "counters:decide"), commands=["open", "count"]
    )
    routes = [
        Route("POST /counters", table.command("open"), public=True),
        Route("POST /counters/{counter_id}/count", table.command("count"), public=True),
        Route("GET /counters/{counter_id}", table.get(), public=True),
    ]
    proxy = ApiProxy(stack, "Api", access_logs=False, routes=routes)
    invoke = embedded_cloud.client("lambda").invoke
    with embedded_cloud.deploy(app) as deployment:
        name = deployment.physical_id(table.command_function)

        def function(command: Any) -> Any:
            return invoke(FunctionName=name, Payload=json.dumps(command))

        yield Counters(Api(deployment.url(proxy.rest_api)), function)


def test_a_command_is_done_once_and_its_aggregate_is_shown(counters: Counters) -> None:
    key = str(uuid.uuid4())
    done, again = (counters.open(key, f"open-{key}") for _ in range(2))
    assert (done.status, again.status, again.json) == (200, 200, done.json), done.body
    assert (done.headers["Idempotent-Replayed"], again.headers["Idempotent-Replayed"]) == (None, "true")
    found = counters.api.call(f"GET /counters/{key}")
    assert (found.status, found.json, found.headers["ETag"]) == (200, {"counter_id": key, "n": 0}, done.headers["ETag"])
    known = counters.api.call(f"GET /counters/{key}", headers={"If-None-Match": done.headers["ETag"]})
    assert (known.status, known.body) == (304, b"")


def test_refusals_are_told_with_their_reasons(counters: Counters) -> None:
    key = str(uuid.uuid4())
    count = f"POST /counters/{key}/count"
    assert counters.api.call(count, {"by": 1}, {"Idempotency-Key": "a"}).status == 404
    assert counters.api.call(count, {"by": 1}).status == 400
    tag = counters.open(key, "b").headers["ETag"]
    refused = counters.open(key, "c")
    assert (refused.status, refused.json["detail"]) == (409, "it is open")
    assert counters.open(str(uuid.uuid4()), "b").status == 422
    first, second = (counters.api.call(count, {"by": 1}, {"Idempotency-Key": id, "If-Match": tag}) for id in ("d", "e"))
    assert (first.status, second.status) == (200, 409)
    assert counters.api.call(f"GET /counters/{uuid.uuid4()}").status == 404


def test_a_command_that_comes_several_times_at_once_counts_once(counters: Counters) -> None:
    key = str(uuid.uuid4())
    counters.open(key, "open-" + key)
    answers = counters.api.at_once(
        AT_ONCE, f"POST /counters/{key}/count", {"by": 7}, {"Idempotency-Key": "count-" + key}
    )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert counters.api.call(f"GET /counters/{key}").json["n"] == 7


def test_a_function_sends_commands_too(counters: Counters) -> None:
    key = str(uuid.uuid4())
    opened = counters.invoke(id=f"open-{key}", command="open", key=key)
    assert counters.invoke(id=f"open-{key}", command="open", key=key) == {**opened, "replayed": True}
    counted = counters.invoke(
        id=f"count-{key}", command="count", key=key, body={"by": 2}, expected_version=opened["version"]
    )
    assert (counted["version"], counted["result"]) == (opened["version"] + 1, {"n": 2})
    assert counters.invoke(id=f"again-{key}", command="open", key=key)["status"] == 409
    assert counters.invoke(id=f"other-{key}", command="close", key=key)["status"] == 400
