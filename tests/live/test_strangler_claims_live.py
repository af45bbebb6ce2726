"""Callers whom a claim places, deployed: who logs out, and in again, stays on his side."""

from collections.abc import Generator
from pathlib import Path

import pytest
from aws_cdk import RemovalPolicy, Stack
from demo.move.browser import Browser

from serverless_patterns import (
    Defaults,
    Handler,
    LambdaAuthorizer,
    LegacyBackend,
    MigratedRoute,
    Sticky,
    StranglerGateway,
)
from serverless_patterns.testing import EmbeddedCloud
from tests.live.loopback_backend import loopback_backend

HANDLERS = Path(__file__).parent / "handlers"
PEOPLE = [f"user-{number}@example.com" for number in range(16)]


@pytest.fixture(scope="module")
def url(embedded_cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with loopback_backend() as legacy:
        app = embedded_cloud.app(tmp_path_factory.mktemp("claims") / "cdk.out")
        stack = Stack(app, "StranglerClaims")
        Defaults.of(stack).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        profile = Handler(HANDLERS, "profiles:show")
        gateway = StranglerGateway(
            stack,
            "Gateway",
            auth=LambdaAuthorizer(Handler(HANDLERS, "profiles:identify")),
            access_logs=False,
            legacy=LegacyBackend(legacy),
            routes=[MigratedRoute("GET /profile/{id}", profile, stage="migrating", initial_percent=50)],
            sticky=Sticky(claim="sub"),
        )
        with embedded_cloud.deploy(app) as deployment:
            yield deployment.url(gateway.api)


def is_new(browser: Browser, name: str) -> bool:
    page = browser.ask("GET", "/profile/5", headers={"Authorization": f"Bearer {name}"})
    assert page.status in (200, 201), page
    return page.body == b'{"new":"5"}'


def place(browser: Browser) -> str:
    (value,) = [value for name, value in browser.cookies.items() if name.startswith("side-")]
    return value


def test_who_logs_out_and_in_again_is_where_he_was_and_his_cookie_does_not_name_him(url: str) -> None:
    sides: set[bool] = set()
    for person, other in zip(PEOPLE, PEOPLE[1:] + PEOPLE[:1], strict=True):
        browser = Browser(url)
        side = is_new(browser, person)
        kept = place(browser)
        assert kept.startswith("claim-")
        assert [is_new(browser, who) for who in ("guest", person, "guest")] == [side] * 3
        assert place(browser) == kept
        assert is_new(browser, other) == is_new(Browser(url), other), "whoever was logged in here before"
        sides.add(side)
    assert sides == {True, False}, "16 people on one side of two: once in 30,000 runs, and always the same"


def test_a_guest_who_logs_in_stays_where_he_was(url: str) -> None:
    for person in PEOPLE:
        browser = Browser(url)
        side = is_new(browser, "guest")
        assert [is_new(browser, who) for who in (person, "guest", person)] == [side] * 3
