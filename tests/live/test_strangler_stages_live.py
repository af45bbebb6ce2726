"""A route goes through its stages by deployment, there and back, while callers go on calling; roles enforced."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from aws_cdk import Duration, RemovalPolicy, Stack

from serverless_patterns import Defaults, Handler, LegacyBackend, MigratedRoute, StranglerGateway
from serverless_patterns.migrated_route import Stage
from serverless_patterns.testing import EmbeddedCloud, wait_until
from tests.live.loopback_backend import loopback_backend
from tests.live.rest_calls import Api

HANDLERS = Path(__file__).parent / "handlers"
LEGACY, NEW = (201, b'["GET", "/profile/5", ""]'), (200, b'{"new":"5"}')  # what each answers
PATIENCE_SECONDS = 30
Told = tuple[int, bytes]


class Move:
    """One gateway, deployed in one stage after the other."""

    def __init__(self, cloud: EmbeddedCloud, folder: Path, legacy: str, last: ExitStack) -> None:
        self._cloud, self._folder, self._legacy, self._last = cloud, folder, legacy, last
        self._version = 0

    def deploy(self, stage: Stage) -> Api:
        self._version += 1
        app = self._cloud.app(self._folder / f"cdk.out{self._version}")
        stack = Stack(app, "StranglerStages")
        Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        route = MigratedRoute("GET /profile/{id}", Handler(HANDLERS, "profiles:show", timeout=Duration.seconds(9)),
            stage=stage, initial_percent=100 if stage == "migrating" else 0)  # fmt: skip
        gateway = StranglerGateway(
            stack, "Gateway", auth="legacy", access_logs=False, legacy=LegacyBackend(self._legacy), routes=[route]
        )
        deployment = self._last.enter_context(self._cloud.deploy(app))
        return Api(deployment.url(gateway.api))


@pytest.fixture
def move(embedded_cloud: EmbeddedCloud, tmp_path: Path) -> Generator[Move]:
    with loopback_backend() as legacy, ExitStack() as last:
        yield Move(embedded_cloud, tmp_path, legacy, last)


@contextmanager
def calls(api: Api) -> Generator[list[Told]]:
    """Somebody who calls all the time: what he is told, in its order."""
    told, over = list[Told](), Event()

    def call() -> None:
        while not over.is_set():
            answer = api.call("GET /profile/5")
            told.append((answer.status, answer.body))

    caller = Thread(target=call)
    caller.start()
    try:
        yield told
        assert caller.is_alive(), "a call had no answer at all"
    finally:
        over.set()
        caller.join()


STAGES: tuple[tuple[Stage, Told], ...] = (("migrating", NEW), ("done", NEW), ("migrating", NEW), ("legacy", LEGACY))


def test_a_route_goes_through_its_stages_and_back_and_every_call_is_answered_by_a_side(move: Move) -> None:
    api = move.deploy("legacy")
    with calls(api) as told:
        for stage, side in STAGES:
            before = len(told)
            assert move.deploy(stage).url == api.url
            deployed = len(told)
            assert deployed > before, "nobody called while it was deployed"
            wait_until(lambda: len(told) > deployed + 20, PATIENCE_SECONDS, "calls to go on")  # noqa: B023  # waits here
            assert {*told[deployed + 10 :]} == {side}, stage
    assert {*told} == {LEGACY, NEW}


@pytest.fixture
def moved(embedded_cloud: EmbeddedCloud, tmp_path: Path) -> Generator[Api]:
    """Below `/orders` all is done, below `/parcels` all is migrating; one path of each by itself."""
    with loopback_backend() as legacy:
        app = embedded_cloud.app(tmp_path / "cdk.out")
        stack = Stack(app, "StranglerWithin")
        Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        stages: tuple[tuple[str, Stage, int], ...] = (("orders", "done", 0), ("parcels", "migrating", 100))
        routes = [
            MigratedRoute(f"{route} /{place}/{path}", Handler(HANDLERS, f"orders:{function}"), stage=stage,
                initial_percent=percent)
            for place, stage, percent in stages
            for route, path, function in (("ANY", "{proxy+}", "anything"), ("GET", "report", "report"))
        ]  # fmt: skip
        gateway = StranglerGateway(
            stack, "Gateway", auth="legacy", access_logs=False, legacy=LegacyBackend(legacy), routes=routes
        )
        with embedded_cloud.deploy(app) as deployment:
            yield Api(deployment.url(gateway.api))


def test_a_closer_route_takes_nothing_but_its_own_from_a_wider_one_that_has_moved(moved: Api) -> None:
    for place in ("orders", "parcels"):
        wide, own = f"ANY /{place}/{{proxy+}}", f"GET /{place}/report"
        asked = {
            f"GET /{place}/7": (wide, "7"),
            f"GET /{place}/report": (own, ""),
            f"POST /{place}/report": (wide, "report"),
            f"GET /{place}/report/2026/may": (wide, "report/2026/may"),
            f"DELETE /{place}/report/%C3%A9": (wide, "report/\u00e9"),
        }
        for call, (route, below) in asked.items():
            answer = moved.call(call)
            assert answer.status == 200, call
            assert (answer.json["route"], answer.json["all"]) == (route, below), call
        assert moved.call(f"GET /{place}").status == LEGACY[0]
