from typing import Any

import pytest

from serverless_patterns_runtime import PermanentError, Request, Response
from serverless_patterns_runtime.api_proxy.contract import CrossOrigin

from .api import Answered, Api

SHOP, ADMIN, EVIL = "https://shop.example.com", "https://admin.example.com", "https://evil.example.com"

CORS = ("access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers", "vary")


def cors(answered: Answered) -> dict[str, str]:
    return {name: value for name in CORS if (value := answered.header(name)) is not None}


def api(answer: Any = None, *, origins: list[str], credentials: bool = False, expose: tuple[str, ...] = ()) -> Api:
    settings = CrossOrigin(origins=origins, credentials=credentials, expose_headers=list(expose))
    return Api(lambda _: answer, cross_origin=settings)


def ask(made: Api, *origins: str) -> dict[str, str]:
    return cors(made.post(headers={"Origin": origins} if origins else None))


def test_without_cors_an_answer_says_nothing_of_it():
    assert cors(Api(lambda _: None).post(headers={"Origin": SHOP})) == {}


def test_for_every_origin_the_answer_is_the_same():
    made = api(origins=["*"], expose=("X-Correlation-Id", "Retry-After"))
    for origins in ((), (SHOP,), ("null",), (SHOP, EVIL)):
        assert ask(made, *origins) == {
            "access-control-allow-origin": "*",
            "access-control-expose-headers": "X-Correlation-Id, Retry-After",
        }


def test_a_listed_origin_is_told_its_own_name_and_caches_that_it_depends_on_it():
    made = api(origins=[SHOP, ADMIN], credentials=True)
    for origin in (SHOP, ADMIN):
        assert ask(made, origin) == {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "vary": "Origin",
        }


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "", "*", SHOP + ".evil.com", "http://shop.example.com", SHOP.upper(), f"{SHOP}, {EVIL}"]
)
def test_an_origin_that_is_not_listed_is_told_nothing(origin: str):
    assert ask(api(origins=[SHOP, ADMIN], credentials=True, expose=("X-A",)), origin) == {"vary": "Origin"}


def test_none_and_two_origins_are_not_listed():
    made = api(origins=[SHOP])
    assert ask(made) == {"vary": "Origin"}
    assert ask(made, SHOP, EVIL) == {"vary": "Origin"}


def test_what_the_answer_itself_depends_on_stays():
    answered = api(Response(headers={"vary": ["Accept", "Cookie"]}), origins=[SHOP]).post(headers={"Origin": SHOP})
    assert answered.header("Vary") == "Accept, Cookie, Origin"


def test_a_function_cannot_open_what_the_api_closes():
    forged = Response(headers={"access-control-allow-origin": "*", "Access-Control-Allow-Credentials": "true"})
    assert ask(api(forged, origins=[SHOP]), SHOP)["access-control-allow-origin"] == SHOP
    assert ask(api(forged, origins=["*"]), SHOP) == {"access-control-allow-origin": "*"}
    assert ask(api(forged, origins=[SHOP]), EVIL) == {"vary": "Origin"}


def test_problems_too_may_be_read():
    def refuse(_: Request) -> None:
        raise PermanentError("no")

    made = api(origins=[SHOP])
    made.function = refuse
    assert ask(made, SHOP)["access-control-allow-origin"] == SHOP
