import base64
import json
import string
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.cqrs_queries.contract import TOKEN_SECONDS
from serverless_patterns_runtime.cqrs_queries.signing_keys import AGAIN_SECONDS, KEPT_SECONDS, SigningKeys
from serverless_patterns_runtime.cqrs_queries.tokens import Asked, Cursor, Tokens, UnusableCursor
from tests.simulation.aws_errors import ServiceError, client_error

from ..consumer import Clock

NOW = 1_700_000_000
ASKED = Asked("ByCustomer", "table", "c", False, None, None, None)
CURSOR = Cursor(3, "o-17", NOW + 60)
SORTS = st.one_of(st.none(), st.text(max_size=20).filter(lambda text: text.isprintable()), st.decimals(-9, 9, places=3))


def tokens(*keys: bytes, more: Sequence[bytes] = (), now: float = NOW) -> Tokens:
    return Tokens(lambda: keys or (b"key",), lambda: more, lambda: now)


@given(SORTS, st.integers(1, 10**9))
def test_a_cursor_is_read_as_it_was_written(after: Any, generation: int) -> None:
    cursor = Cursor(generation, after, NOW + 1)
    assert tokens().read(tokens().write(cursor, ASKED), ASKED) == cursor


@given(st.data())
def test_a_cursor_with_any_character_changed_added_or_gone_is_refused(data: st.DataObject) -> None:
    token = tokens().write(CURSOR, ASKED)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(string.printable).filter(lambda one: one != token[at]))
    change = data.draw(
        st.sampled_from([token[:at] + other + token[at + 1 :], token[:at] + token[at + 1 :], token + other])
    )
    with pytest.raises(UnusableCursor):
        tokens().read(change, ASKED)


@given(st.text(max_size=200) | st.text(string.ascii_letters + string.digits + "-_.", max_size=200))
def test_no_text_that_nobody_signed_is_a_cursor(text: str) -> None:
    with pytest.raises(UnusableCursor):
        tokens().read(text, ASKED)


@pytest.mark.parametrize(
    "other",
    [
        ASKED._replace(view="ByTime"),
        ASKED._replace(table="another"),
        ASKED._replace(partition="d"),
        ASKED._replace(descending=True),
        ASKED._replace(first="a"),
        ASKED._replace(last="a"),
        ASKED._replace(prefix="a"),
    ],
)
def test_a_cursor_is_of_one_query_alone(other: Asked) -> None:
    with pytest.raises(UnusableCursor):
        tokens().read(tokens().write(CURSOR, other), ASKED)


def test_text_and_a_number_that_looks_like_it_are_two_queries() -> None:
    token = tokens().write(CURSOR, ASKED._replace(first="1"))
    with pytest.raises(UnusableCursor):
        tokens().read(token, ASKED._replace(first=1))
    assert tokens().read(tokens().write(CURSOR, ASKED._replace(first=1)), ASKED._replace(first=Decimal("1.0")))


def test_a_cursor_is_good_for_an_hour() -> None:
    cursor = CURSOR._replace(expires=tokens().expires())
    token = tokens().write(cursor, ASKED)
    assert tokens(now=NOW + TOKEN_SECONDS - 1).read(token, ASKED) == cursor
    with pytest.raises(UnusableCursor, match="older than an hour"):
        tokens(now=NOW + TOKEN_SECONDS).read(token, ASKED)


def test_the_key_before_is_good_too_and_nobody_signs_with_it() -> None:
    token = tokens(b"old").write(CURSOR, ASKED)
    assert tokens(b"new", b"old").read(token, ASKED) == CURSOR
    assert tokens(b"new", more=[b"newer", b"old"]).read(token, ASKED) == CURSOR
    assert tokens(b"new", b"old").write(CURSOR, ASKED) == tokens(b"new").write(CURSOR, ASKED)
    with pytest.raises(UnusableCursor):
        tokens(b"newest", b"new").read(token, ASKED)


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[1]", b'["1", null, 2]', b'[1, {"N": "x"}, 2]', b"[1, [], 2]", b"\xff"]
)
def test_what_is_signed_and_no_cursor_is_refused(content: bytes) -> None:
    """With the key that everybody knows, of a function's own reading."""
    from serverless_patterns_runtime.cqrs_queries import tokens as module

    text = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    signed = f"{text}.{module._signature(b'key', text, ASKED)}"
    with pytest.raises(UnusableCursor):
        tokens().read(signed, ASKED)


def test_a_cursor_shows_no_more_than_where_to_go_on() -> None:
    content = tokens().write(CURSOR, ASKED).partition(".")[0]
    assert json.loads(base64.urlsafe_b64decode(content + "==")) == [3, "o-17", NOW + 60]


class Secret:
    def __init__(self, **stages: str) -> None:
        self.stages = stages
        self.reads = 0

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, str]:
        assert SecretId == "arn"
        self.reads += 1
        if VersionStage not in self.stages:
            error = ServiceError("ResourceNotFoundException", "no such stage")
            raise client_error("secretsmanager", "GetSecretValue", error)
        return {"SecretString": self.stages[VersionStage]}


def test_the_secret_is_kept_for_a_while_and_forgeries_do_not_make_it_be_read_each_time() -> None:
    clock, secret = Clock(), Secret(AWSCURRENT="a")
    keys = SigningKeys(lambda: secret, "arn", clock)
    assert keys.known() == keys.newest() == [b"a"]
    assert secret.reads == 2
    clock.now += AGAIN_SECONDS - 1
    keys.newest()
    assert secret.reads == 2
    secret.stages = {"AWSCURRENT": "b", "AWSPREVIOUS": "a"}
    clock.now += 2
    assert keys.known() == [b"a"]
    assert keys.newest() == keys.known() == [b"b", b"a"]
    clock.now += KEPT_SECONDS
    secret.stages = {"AWSCURRENT": "c", "AWSPREVIOUS": "b"}
    assert keys.known() == [b"c", b"b"]


def test_a_secret_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ClientError):
        SigningKeys(lambda: Secret(), "arn", Clock()).known()
