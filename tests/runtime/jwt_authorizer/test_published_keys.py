"""Keys that an issuer publishes: found when they are new, forgotten when they are old, never asked for too often."""

import io
import itertools
import json
from typing import Any

import pytest

from serverless_patterns_runtime.jwt_authorizer.keys import VerificationKey
from serverless_patterns_runtime.jwt_authorizer.published_keys import KeysUnavailable, PublishedKeys
from serverless_patterns_runtime.telemetry import Logger

from ..consumer import Clock
from .issuer import Guarded, claims, encoded, jwk, jwks, rsa_key, token

NOW, NEXT = jwk(rsa_key(), "now"), jwk(rsa_key("next"), "next")

_services = itertools.count(1)  # Powertools keeps one handler, and so one stream, a service name and process


class Issuer:
    """Publishes its keys, or fails, and counts how often it was asked."""

    def __init__(self, *keys: Any) -> None:
        self.keys: Any = keys
        self.asked = 0
        self.clock = Clock()
        self._stream = io.StringIO()
        self.published = PublishedKeys(
            self._fetch, self.clock, Logger(service=f"issuer-{next(_services)}", stream=self._stream)
        )

    def _fetch(self) -> str:
        self.asked += 1
        if isinstance(self.keys, Exception):
            raise self.keys
        return self.keys if isinstance(self.keys, str) else jwks(*self.keys)

    def ids(self, id: str) -> list[str | None]:
        found: list[VerificationKey] = [*self.published.with_id(id)]
        return [key.id for key in found]

    def bears(self, signed: str) -> int:
        return Guarded(self.published).bears(signed)

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


def test_keys_are_asked_for_by_the_first_token_and_then_kept():
    issuer = Issuer(NOW)
    assert issuer.asked == 0
    assert [issuer.bears(token()) for _ in range(3)] == [200, 200, 200]
    assert issuer.asked == 1


def test_a_new_key_is_found_by_the_first_token_that_it_signed():
    issuer = Issuer(NOW)
    assert issuer.bears(token()) == 200
    issuer.keys = (NOW, NEXT)
    issuer.clock.sleep(60)
    assert issuer.bears(token(key=rsa_key("next"), kid="next")) == 200
    assert issuer.bears(token()) == 200
    assert issuer.asked == 2


def test_unknown_keys_do_not_make_us_ask_more_than_once_a_minute():
    issuer = Issuer(NOW)
    for second in range(180):
        assert issuer.bears(token(key=rsa_key("forger"), kid=f"forged-{second}")) == 401
        issuer.clock.sleep(1)
    assert issuer.asked == 3


def test_tokens_that_cannot_be_good_do_not_make_us_ask():
    issuer = Issuer(NOW)
    for header in ({"alg": "none", "kid": "x"}, {"alg": "HS256", "kid": "x"}, {"kid": "x"}):
        assert issuer.bears(f"{encoded(header)}.{encoded(claims())}.AA") == 401
    assert issuer.asked == 0


def test_a_key_that_the_issuer_took_back_is_forgotten_within_ten_minutes():
    issuer = Issuer(NOW, NEXT)
    assert issuer.bears(token()) == 200
    issuer.keys = (NEXT,)
    issuer.clock.sleep(599)
    assert issuer.bears(token()) == 200
    issuer.clock.sleep(1)
    assert issuer.bears(token()) == 401


FAILURES: list[Any] = [OSError("down"), TimeoutError(), ValueError(), "", "{}", '{"keys":[]}', "<html>"]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_without_keys_nobody_gets_in_and_nobody_is_refused(failure: Any):
    issuer = Issuer()
    issuer.keys = failure
    guarded = Guarded(issuer.published)
    assert guarded.bears(token()) == 500
    assert (guarded.log[0]["outcome"], guarded.log[0]["reason"]) == ("Failed", "the issuer's keys are not known")
    (line,) = issuer.log
    assert (line["level"], line["message"]) == ("WARNING", "the issuer's keys could not be read")
    issuer.keys = (NOW,)
    issuer.clock.sleep(5)
    assert guarded.bears(token()) == 200


def test_an_issuer_that_is_down_is_left_alone_for_five_seconds():
    issuer = Issuer()
    issuer.keys = OSError("down")
    for _ in range(10):
        assert issuer.bears(token()) == 500
        issuer.clock.sleep(1)
    assert issuer.asked == 2


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_known_keys_outlive_an_issuer_that_is_down_for_an_hour_and_no_longer(failure: Any):
    issuer = Issuer(NOW)
    assert issuer.bears(token()) == 200
    issuer.keys = failure
    issuer.clock.sleep(3599)
    assert issuer.bears(token()) == 200
    issuer.clock.sleep(1)
    assert issuer.bears(token()) == 500


def test_an_unknown_key_is_not_refused_while_the_issuer_cannot_be_asked():
    issuer = Issuer(NOW)
    assert issuer.ids("now") == ["now"]
    issuer.keys = OSError("down")
    issuer.clock.sleep(60)
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            issuer.ids("next")
    assert issuer.ids("now") == ["now"]
    assert issuer.asked == 2
    issuer.keys = (NOW, NEXT)
    issuer.clock.sleep(60)
    assert issuer.ids("next") == ["next"]


def test_a_clock_that_is_set_back_makes_us_ask_anew():
    issuer = Issuer(NOW)
    assert issuer.ids("now") == ["now"]
    issuer.clock.sleep(-7200)
    issuer.keys = (NEXT,)
    assert issuer.ids("now") == []
    assert issuer.ids("next") == ["next"]
