"""API keys on the deployed API: each is metered by its plan, and none stands for an authorizer."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway

from serverless_patterns import (
    ApiProxy,
    Defaults,
    Handler,
    LambdaAuthorizer,
    MockResponse,
    Quota,
    Route,
    Throttle,
    UsagePlan,
)
from serverless_patterns.testing import Cloud
from tests.live.rest_calls import Answer, Api

HANDLERS = Path(__file__).parent / "handlers"
ANN = {"Authorization": "Bearer ann"}
LIMIT = 2
KEYS = ("gold", "trial", "other-trial", "slow", "switched-off", "planless")


class Metered(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self.keys = {name: apigateway.ApiKey(self, name, enabled=name != "switched-off") for name in KEYS}
        gold, trial, other_trial, slow, off, _ = self.keys.values()
        self.api = ApiProxy(
            self,
            "Api",
            authorizer=LambdaAuthorizer(Handler(HANDLERS, "front_door:identify")),
            access_logs=False,
            routes=[
                Route("GET /guarded", MockResponse(), api_key_required=True),
                Route("GET /open", MockResponse(), api_key_required=True, public=True),
                Route("GET /unmetered", MockResponse(), public=True),
            ],
            usage_plans=[
                UsagePlan("gold", keys=[gold, off]),
                UsagePlan("trial", keys=[trial, other_trial], quota=Quota(LIMIT)),
                UsagePlan("slow", keys=[slow], throttle=Throttle(rate=1, burst=LIMIT)),
            ],
        )


@dataclass(frozen=True)
class Live:
    api: Api
    values: dict[str, str]

    def call(self, route: str, key: str | None = None, **headers: str) -> Answer:
        return self.api.call(route, headers={**headers, **self._sent(key)})

    def at_once(self, times: int, route: str, key: str) -> list[Answer]:
        return self.api.at_once(times, route, headers=self._sent(key))

    def _sent(self, key: str | None) -> dict[str, str]:
        return {} if key is None else {"x-api-key": self.values.get(key, key)}


@pytest.fixture(scope="module")
def live(embedded_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[Live]:
    app = embedded_cloud.app(tmp_path_factory.mktemp("metered") / "cdk.out")
    stack = Metered(app, "Metered")
    with embedded_cloud.deploy(app) as deployment:
        client = embedded_cloud.client("apigateway")

        def value(key: Any) -> str:
            return client.get_api_key(apiKey=deployment.physical_id(key), includeValue=True)["value"]

        yield Live(Api(deployment.url(stack.api)), {name: value(key) for name, key in stack.keys.items()})


@pytest.mark.parametrize("key", [None, "", "wrong", "switched-off", "planless"])
def test_without_a_key_that_has_a_plan_a_route_that_asks_for_one_is_closed(live: Live, key: str | None) -> None:
    assert live.call("GET /open", key).problem == (403, "application/problem+json")
    assert live.call("GET /guarded", key, **ANN).problem == (403, "application/problem+json")


def test_a_key_opens_nothing_that_an_authorizer_guards(live: Live) -> None:
    answer = live.call("GET /guarded", "gold")
    assert answer.problem == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert live.call("GET /guarded", "gold", **ANN).status == 200
    assert live.call("GET /open", "gold").status == 200


def test_a_quota_is_each_key_s_own_and_beyond_it_is_a_429(live: Live) -> None:
    spent = [live.call("GET /open", "trial") for _ in range(LIMIT + 1)]
    assert [answer.status for answer in spent] == [200] * LIMIT + [429]
    assert spent[-1].problem == (429, "application/problem+json")
    assert spent[-1].headers["Retry-After"] == "3600"
    assert spent[-1].headers["X-Correlation-Id"]
    assert live.call("GET /open", "other-trial").status == 200
    assert live.call("GET /unmetered", "trial").status == 200, "a route that asks for no key takes from no quota"


def test_a_throttle_of_a_plan_holds_for_its_keys_alone(live: Live) -> None:
    slow = live.at_once(8, "GET /open", "slow")
    statuses = [answer.status for answer in slow]
    assert {*statuses} == {200, 429}
    assert LIMIT <= statuses.count(200) <= 2 * LIMIT
    assert {answer.headers["Retry-After"] for answer in slow if answer.status == 429} == {"1"}
    assert {answer.status for answer in live.at_once(8, "GET /open", "gold")} == {200}
